"""Resting liquidity for a market that nobody trades yet."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext

from .enums import OrderType, Side
from .events import Event
from .exchange import Exchange
from .ledger import Balance
from .numbers import EXACT, ZERO, in_bounds, multiple_below
from .orders import NewOrder, Order
from .outcome import Outcome

MARKET_MAKER = "market-maker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Equal orders at evenly spaced prices around `mid`.

    Attributes:
        mid: price between the best bid and the best ask, in the quote asset.
        quantity: base quantity of each order.
        levels: orders on each side.
        gap_ticks: ticks from `mid` to the best prices, and from each level to the next.
    """

    mid: Decimal
    quantity: Decimal
    levels: int = 10
    gap_ticks: int = 1


def seed_book(
    exchange: Exchange, symbol: str, ladder: Ladder, *, now_us: int, account: str = MARKET_MAKER
) -> Outcome[tuple[Order, ...]]:
    """Rest a ladder of post-only orders on both sides of a market and return them, bids first, best first.

    Opens the account if need be, as one of the exchange's own, which needs no margin, and credits it with what it lacks
    for a spot market. Levels outside the market's price range are left
    out. An order that would trade with what already rests expires instead, as any post-only order does.

    Raises:
        Refused: as for `Exchange.execute`, for a quantity that the market does not take.
        ValueError: the ladder has no levels, no gap or no sensible price.
    """
    if ladder.levels < 1 or ladder.gap_ticks < 1 or not in_bounds(ladder.mid):
        raise ValueError(f"a ladder needs a price above zero, a level and a gap of one tick at least, not {ladder}")
    spec = exchange.market(symbol)
    quantity = spec.check_quantity(ladder.quantity)
    if not exchange.has_account(account):
        exchange.open_account(account, is_system=True)
    with localcontext(EXACT):
        gap = ladder.gap_ticks * spec.tick_size
        below = multiple_below(ladder.mid, spec.tick_size)
        above = below if below == ladder.mid else below + spec.tick_size
        rungs = [(Side.BID, below - step * gap) for step in range(1, ladder.levels + 1)]
        rungs += [(Side.ASK, above + step * gap) for step in range(1, ladder.levels + 1)]
        highest = spec.max_price
        rungs = [(side, at) for side, at in rungs if at >= spec.min_price and (highest is None or at <= highest)]
        events: list[Event] = []
        orders: list[Order] = []
        if spec.futures is None:
            bids = sum((price * quantity for side, price in rungs if side is Side.BID), ZERO)
            asks = sum((quantity for side, _ in rungs if side is Side.ASK), ZERO)
            held = exchange.balances(account)
            for asset, needed in ((spec.quote, bids), (spec.base, asks)):
                missing = needed - held.get(asset, Balance()).available
                if missing > 0:
                    events += exchange.deposit(account, asset, missing, now_us=now_us).events
        for side, price in rungs:
            order = NewOrder(
                symbol=symbol, side=side, order_type=OrderType.LIMIT, price=price, quantity=quantity, post_only=True
            )
            outcome = exchange.execute(account, order, now_us=now_us)
            orders.append(outcome.value)
            events += outcome.events
    return Outcome(tuple(orders), tuple(events))

"""The first chapters: markets, books, and orders in a spot market."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from ... import orders
from ..._generated.order.models import LimitOrder, MarketOrder, OrderType
from ..._generated.shared import OrderStatus, Side
from ..._generated.streams.models import OrderUpdate
from ...rules import MarketRules
from .board import WentWrong, expect
from .setting import SPOT, SYMBOLS, Stage

_LARGE = Decimal(40)
_SLICE = Decimal(15)
_ATTEMPTS = 5


async def markets(stage: Stage) -> None:
    """List what is traded."""
    stage.screen.chapter("Markets")
    listed = await stage.bp.markets.get_markets()
    for market in listed:
        tick, step = market.filters.price.tick_size, market.filters.quantity.step_size
        stage.screen.tell(f"{market.symbol:<14} tick {tick:<5} step {step:<8} {market.market_type}")
    expect({market.symbol for market in listed} == set(SYMBOLS), "the markets are those of the exchange")


async def look_around(stage: Stage) -> None:
    """Watch books and trades arrive."""
    stage.screen.chapter("Books and trades, live from the socket")
    seen = {symbol: stage.books[symbol].last_update_id or 0 for symbol in SYMBOLS}
    await stage.wait_for(
        lambda: (
            all((stage.books[symbol].last_update_id or 0) > seen[symbol] for symbol in SYMBOLS)
            and len({trade.symbol for trade in stage.screen.board.trades}) == len(SYMBOLS)
        ),
        "every book moves, and every market trades",
    )
    stage.screen.look()


async def rest_and_cancel(stage: Stage) -> None:
    """Place an order below the market, see it open, cancel it."""
    stage.screen.chapter("A limit order below the market")
    rules = MarketRules.from_market(await stage.bp.markets.get_market(SPOT))
    bid = stage.books[SPOT].best_bid
    assert bid is not None
    price = rules.round_price(bid.price * Decimal("0.97"), side="Bid")
    order = await stage.bp.order.execute_order(SPOT, "Bid", "Limit", price=price, quantity="2", client_id=1)
    stage.screen.tell(f"placed     {describe(order)}")
    found = await stage.bp.order.get_open_orders(symbol=SPOT)
    expect([row.id for row in found] == [order.id], "the order is open")
    stage.screen.tell(f"open       {describe(found[0])}")
    locked = (await stage.bp.capital.get_balances())["USDC"].locked
    expect(locked == price * 2, f"{price * 2} USDC are locked for it, not {locked}")
    stage.screen.tell(f"locked     {locked} USDC")
    await stage.bp.order.cancel_order(SPOT, client_id=1)
    expect(not await stage.bp.order.get_open_orders(symbol=SPOT), "nothing is open after cancelling")
    stage.screen.tell("cancelled  and nothing is open any more")


async def fill_in_parts(stage: Stage) -> None:
    """Rest at the best bid, be filled in part, then to the end."""
    stage.screen.chapter("An order that is filled in parts, as the socket tells it")
    for _ in range(_ATTEMPTS):
        if await _fill_in_parts(stage):
            break
        stage.screen.tell("somebody took all of it at once: again")
    else:
        raise WentWrong(f"{_ATTEMPTS} orders were filled at once, none in parts")
    expect(not await stage.bp.order.get_open_orders(symbol=SPOT), "a filled order is not open")


async def _fill_in_parts(stage: Stage) -> bool:
    """Place the order and see it filled. Return whether that happened in parts."""
    bid = stage.books[SPOT].best_bid
    assert bid is not None
    order = orders.limit(SPOT, "Bid", bid.price, _LARGE, client_id=2)
    placed = await stage.bp.order.execute_order(**orders.arguments(order))
    stage.screen.tell(f"placed     {describe(placed)}")
    seen: list[OrderStatus] = []

    def update(*statuses: OrderStatus) -> OrderUpdate | None:
        found = (row for row in stage.updates if row.order_id == placed.id and row.status in statuses)
        return next(found, None)

    for statuses in ((OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED), (OrderStatus.FILLED,)):
        what = f"the order becomes {statuses[0]}"
        found = await stage.wait_for(partial(update, *statuses), what, act=lambda: stage.sell(SPOT, bid.price, _SLICE))
        if found.status not in seen:
            seen.append(found.status)
            told = f"{found.executed_quantity} of {_LARGE} {SPOT}, the last at {found.fill_price}"
            stage.screen.tell(f"{found.status:<16} {told}")
    return len(seen) > 1


def describe(order: OrderType) -> str:
    """Say what an order is and how far it got."""
    side = "buy" if order.side is Side.BID else "sell"
    quantity = order.quantity if isinstance(order, (LimitOrder, MarketOrder)) else None
    size = quantity if quantity is not None else order.trigger_quantity
    price = f" at {order.price}" if isinstance(order, LimitOrder) else ""
    when = f" when the price falls to {order.trigger_price}" if order.trigger_price is not None else ""
    return f"{side} {size} {order.symbol}{price}{when}: {order.status}, {order.executed_quantity} executed"

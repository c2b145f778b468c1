"""Which resting orders an incoming order would trade with. Looks only; changes nothing.

The engine runs one command at a time, so a plan made on the book is still true when it is carried out.
Planning first lets funds, fill-or-kill and post-only be decided before anything moves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from .account import Account
from .book import OrderBook
from .enums import SelfTradePrevention, Side
from .numbers import ZERO
from .orders import LiveOrder, NewOrder
from .quick import quick


class PlanEnd(Enum):
    """Why matching stops."""

    COMPLETE = "the whole order is traded, or less than one step of its quote quantity is left"
    NO_LIQUIDITY = "no resting order meets the price"
    OUT_OF_BOUNDS = "the next resting order is beyond the worst price that a market order may trade at"
    SELF_TRADE = "the next resting order is of the same account and the taker must give way"


@quick
@dataclass(frozen=True, slots=True)
class Match:
    """A trade of `quantity` with a resting order, at its price."""

    maker: LiveOrder
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class MakerGivesWay:
    """A resting order of the taker's own account that self-trade prevention expires."""

    maker: LiveOrder


@quick
@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in book order, the base and quote quantity they trade, and why they end."""

    steps: tuple[Match | MakerGivesWay, ...]
    filled: Decimal
    quote: Decimal
    end: PlanEnd

    @property
    def crosses(self) -> bool:
        """Whether the order meets any resting order at all, its owner's included."""
        return bool(self.steps) or self.end is PlanEnd.SELF_TRADE


_NOTHING = Plan((), ZERO, ZERO, PlanEnd.NO_LIQUIDITY)


Reducible = Callable[[Account, Side], Decimal]
"""How much an account may trade on a side before its position would turn around."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a match besides the order's own.

    Attributes:
        most: base quantity the taker may trade, None for any.
        worst: worst price the taker may trade at, None for any.
        reducible: how far resting reduce-only orders may trade; None when none rests.
    """

    most: Decimal | None = None
    worst: Decimal | None = None
    reducible: Reducible | None = None


UNLIMITED = Limits()


def plan_match(
    book: OrderBook, account: Account, order: NewOrder, step_size: Decimal, limits: Limits = UNLIMITED
) -> Plan:
    """Match `order` of `account` against the book by price, then by time.

    Self-trade prevention, where the next resting order is the account's own: `RejectTaker` stops,
    `RejectMaker` passes over it and goes on, `RejectBoth` passes over it and stops. A resting reduce-only order trades
    as far as its owner's position goes by then.
    """
    best = book.side(order.side.opposite).best()
    if best is None or not _meets(order.side, order.price, best.price):
        return _NOTHING
    return _walk(book, account, order, step_size, limits)


def _meets(side: Side, limit: Decimal | None, price: Decimal) -> bool:
    if limit is None:
        return True
    return price <= limit if side is Side.BID else price >= limit


def _walk(book: OrderBook, account: Account, order: NewOrder, step_size: Decimal, limits: Limits) -> Plan:
    steps: list[Match | MakerGivesWay] = []
    filled = quote = ZERO
    side, most, reducible = order.side, limits.most, limits.reducible
    taken: dict[str, Decimal] = {}
    for level in book.side(side.opposite).best_first():
        if not _meets(side, order.price, level.price):
            break
        for maker in level.orders.values():
            wanted = _wanted(order, filled, quote, level.price, step_size, most)
            if wanted == ZERO:
                return Plan(tuple(steps), filled, quote, PlanEnd.COMPLETE)
            if not _meets(side, limits.worst, level.price):
                return Plan(tuple(steps), filled, quote, PlanEnd.OUT_OF_BOUNDS)
            if maker.account is account:
                if order.self_trade_prevention is not SelfTradePrevention.REJECT_TAKER:
                    steps.append(MakerGivesWay(maker))
                if order.self_trade_prevention is not SelfTradePrevention.REJECT_MAKER:
                    return Plan(tuple(steps), filled, quote, PlanEnd.SELF_TRADE)
                continue
            quantity = min(wanted, maker.remaining)
            if reducible is not None:
                before = taken.get(maker.account.id, ZERO)
                if maker.request.reduce_only:
                    quantity = min(quantity, reducible(maker.account, maker.side) - before)
                    if quantity <= ZERO:
                        continue
                taken[maker.account.id] = before + quantity
            steps.append(Match(maker, quantity))
            filled += quantity
            quote += quantity * level.price
            if _wanted(order, filled, quote, level.price, step_size, most) == ZERO:
                return Plan(tuple(steps), filled, quote, PlanEnd.COMPLETE)
    return Plan(tuple(steps), filled, quote, PlanEnd.NO_LIQUIDITY)


def _wanted(
    order: NewOrder, filled: Decimal, quote: Decimal, price: Decimal, step_size: Decimal, most: Decimal | None
) -> Decimal:
    """Return the base quantity still wanted at `price`."""
    if order.quantity is not None:
        return order.quantity - filled
    if order.quote_quantity is None:
        return ZERO
    # Whole steps by integer division: dividing by the price alone would round.
    wanted = (order.quote_quantity - quote) // (price * step_size) * step_size
    return wanted if most is None else min(wanted, most - filled)

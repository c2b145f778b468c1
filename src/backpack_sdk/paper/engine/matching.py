"""Which resting orders an incoming order would trade with. Looks only; changes nothing.

The engine runs one command at a time, so a plan made on the book is still true when it is carried out.
Planning first lets funds, fill-or-kill and post-only be decided before anything moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from .account import Account
from .book import OrderBook
from .enums import SelfTradePrevention, Side
from .numbers import ZERO
from .orders import LiveOrder, NewOrder


class PlanEnd(Enum):
    """Why matching stops."""

    COMPLETE = "the whole order is traded, or less than one step of its quote quantity is left"
    NO_LIQUIDITY = "no resting order meets the price"
    SELF_TRADE = "the next resting order is of the same account and the taker must give way"


@dataclass(frozen=True, slots=True)
class Match:
    """A trade of `quantity` with a resting order, at its price."""

    maker: LiveOrder
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class MakerGivesWay:
    """A resting order of the taker's own account that self-trade prevention expires."""

    maker: LiveOrder


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


def plan_match(book: OrderBook, account: Account, order: NewOrder, step_size: Decimal) -> Plan:
    """Match `order` of `account` against the book by price, then by time.

    Self-trade prevention, where the next resting order is the account's own: `RejectTaker` stops,
    `RejectMaker` passes over it and goes on, `RejectBoth` passes over it and stops.
    """
    best = book.side(order.side.opposite).best()
    if best is None or not _meets(order, best.price):
        return _NOTHING
    return _walk(book, account, order, step_size)


def _meets(order: NewOrder, price: Decimal) -> bool:
    if order.price is None:
        return True
    return price <= order.price if order.side is Side.BID else price >= order.price


def _walk(book: OrderBook, account: Account, order: NewOrder, step_size: Decimal) -> Plan:
    steps: list[Match | MakerGivesWay] = []
    filled = quote = ZERO
    for level in book.side(order.side.opposite).best_first():
        if not _meets(order, level.price):
            break
        for maker in level.orders.values():
            wanted = _wanted(order, filled, quote, level.price, step_size)
            if wanted == ZERO:
                return Plan(tuple(steps), filled, quote, PlanEnd.COMPLETE)
            if maker.account is account:
                if order.self_trade_prevention is not SelfTradePrevention.REJECT_TAKER:
                    steps.append(MakerGivesWay(maker))
                if order.self_trade_prevention is not SelfTradePrevention.REJECT_MAKER:
                    return Plan(tuple(steps), filled, quote, PlanEnd.SELF_TRADE)
                continue
            quantity = min(wanted, maker.remaining)
            steps.append(Match(maker, quantity))
            filled += quantity
            quote += quantity * level.price
            if _wanted(order, filled, quote, level.price, step_size) == ZERO:
                return Plan(tuple(steps), filled, quote, PlanEnd.COMPLETE)
    return Plan(tuple(steps), filled, quote, PlanEnd.NO_LIQUIDITY)


def _wanted(order: NewOrder, filled: Decimal, quote: Decimal, price: Decimal, step_size: Decimal) -> Decimal:
    """Return the base quantity still wanted at `price`."""
    if order.quantity is not None:
        return order.quantity - filled
    if order.quote_quantity is None:
        return ZERO
    # Whole steps by integer division: dividing by the price alone would round.
    return (order.quote_quantity - quote) // (price * step_size) * step_size

"""Where paper orders stand in the queues of another exchange, and what its trades would have filled of them. Pure.

The rule is conservative: an order waits behind everything that was there when it came, and whatever is taken away from
its price by others is taken as late as the facts allow.

- What trades at its price uses up the queue before it, and what exceeds that fills it.
- A level that shrinks below what should be before the order can't hide more than it has: then only so much is before
  it. The trades that may have made it shrink are still to be reported, or were cancels; either way the next trades at
  that price, as many as the level shrank by, do not count again.
- What trades at a worse price has emptied the order's own price: there is no queue any more, and it fills the order.
- Behind the worst level that is shown, nobody knows what is before an order: it waits until its price is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ..engine import Side

ZERO = Decimal(0)


@dataclass(slots=True)
class Waiting:
    """An order that rests. `ahead` is None while nobody knows; `counted` are trades to come that count already."""

    order_id: int
    side: Side
    price: Decimal
    remaining: Decimal
    ahead: Decimal | None
    counted: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class QueueFill:
    """So much of an order would have been filled, at its own price."""

    order_id: int
    side: Side
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Shown:
    """One side of the other exchange's book: what rests at each price, and the worst price shown.

    `worst` is None when the side is shown whole.
    """

    levels: Mapping[Decimal, Decimal]
    worst: Decimal | None = None

    def ahead(self, side: Side, price: Decimal) -> Decimal | None:
        """Return what rests at a price, None when that is out of sight."""
        if price not in self.levels and self.worst is not None and not _is_better(side, price, self.worst):
            return None
        return self.levels.get(price, ZERO)


class Queues:
    """The paper orders of one market."""

    def __init__(self) -> None:
        self._waiting: dict[int, Waiting] = {}
        self._shown: dict[Side, Shown] = {}

    def __len__(self) -> int:
        """Count the orders that rest."""
        return len(self._waiting)

    def get(self, order_id: int) -> Waiting | None:
        """Return where an order stands; None for one that does not rest."""
        return self._waiting.get(order_id)

    def rest(self, order_id: int, side: Side, price: Decimal, remaining: Decimal) -> None:
        """Take in an order that rests, behind everything at its price; or note what is left of one that is known."""
        known = self._waiting.get(order_id)
        if known is not None:
            known.remaining = remaining
            return
        shown = self._shown.get(side)
        ahead = None if shown is None else shown.ahead(side, price)
        self._waiting[order_id] = Waiting(order_id, side, price, remaining, ahead)

    def end(self, order_id: int) -> None:
        """Forget an order that rests no more."""
        self._waiting.pop(order_id, None)

    def show(self, side: Side, shown: Shown) -> None:
        """Take what rests on a side of the other exchange's book now."""
        self._shown[side] = shown
        for order in self._waiting.values():
            if order.side is not side:
                continue
            size = shown.ahead(side, order.price)
            if size is None:
                continue
            if order.ahead is None:
                order.ahead = size
            elif size < order.ahead:
                order.counted += order.ahead - size
                order.ahead = size

    def trade(self, taker: Side, price: Decimal, quantity: Decimal) -> list[QueueFill]:
        """Take a trade of the other exchange, and return what it would have filled of the orders here, best first."""
        side = taker.opposite
        fills: list[QueueFill] = []
        left, before, at = quantity, ZERO, None
        for order in self._in_turn(side):
            if left == ZERO or _is_better(side, price, order.price):
                break
            if order.price != price:
                order.ahead = order.counted = ZERO
                filled = min(order.remaining, left)
            else:
                if at != order.price:
                    before, at = ZERO, order.price
                # Nobody fills before an order that came earlier, even if less is known of that one.
                filled, before = self._at_price(order, quantity, left, before)
            if filled > ZERO:
                left -= filled
                fills.append(QueueFill(order.order_id, side, order.price, filled))
        return fills

    @staticmethod
    def _at_price(order: Waiting, quantity: Decimal, left: Decimal, before: Decimal) -> tuple[Decimal, Decimal]:
        """Let a trade at its price pass an order. Return what it fills, and what the trade had to use up before it."""
        if order.ahead is None:
            return ZERO, quantity
        before = max(before, order.ahead + order.counted)
        counted = min(order.counted, quantity)
        order.counted -= counted
        order.ahead -= min(order.ahead, quantity - counted)
        return min(order.remaining, max(ZERO, left - before)), before

    def _in_turn(self, side: Side) -> list[Waiting]:
        """Return the orders of a side by price, then by age."""
        direction = -1 if side is Side.BID else 1
        found = [order for order in self._waiting.values() if order.side is side]
        return sorted(found, key=lambda order: (order.price * direction, order.order_id))


def _is_better(side: Side, price: Decimal, than: Decimal) -> bool:
    """Whether a price comes before another one on a side of a book."""
    return price > than if side is Side.BID else price < than

"""One side of another exchange's book, kept as orders of our own: what to cancel and what to place. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(slots=True)
class _Level:
    size: Decimal
    """What the other exchange has there."""
    order_id: int | None = None
    remaining: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Changes:
    """Orders to cancel, then prices and quantities to place."""

    cancel: tuple[int, ...]
    place: tuple[tuple[Decimal, Decimal], ...]


class MirroredSide:
    """One side. What is taken from a level stays taken until the other exchange changes that level."""

    def __init__(self) -> None:
        self._levels: dict[Decimal, _Level] = {}
        self._prices: dict[int, Decimal] = {}
        self._spent: dict[Decimal, tuple[Decimal, Decimal]] = {}
        """Levels out of sight that something was taken from: their size, and what was left."""

    @property
    def sizes(self) -> Mapping[Decimal, Decimal]:
        """What the other exchange has at each price that is shown."""
        return {price: level.size for price, level in self._levels.items()}

    def update(self, shown: Iterable[tuple[Decimal, Decimal]], gone: frozenset[Decimal] | None = None) -> Changes:
        """Take the levels that are shown now, and return what to do about those that differ.

        `gone` are prices that are no longer shown only because they are too far from the middle; None for none.
        """
        new = dict(shown)
        cancel: list[int] = []
        for price in [price for price, level in self._levels.items() if new.get(price) != level.size]:
            level = self._levels.pop(price)
            if level.order_id is not None:
                cancel.append(level.order_id)
            if gone is not None and price in gone and level.remaining != level.size:
                self._spent[price] = (level.size, level.remaining)
        place: list[tuple[Decimal, Decimal]] = []
        for price, size in new.items():
            if price in self._levels:
                continue
            self._levels[price] = _Level(size)
            before, left = self._spent.pop(price, (None, size))
            quantity = left if before == size else size
            if quantity > ZERO:
                place.append((price, quantity))
        return Changes(tuple(cancel), tuple(place))

    def placed(self, price: Decimal, order_id: int, remaining: Decimal) -> None:
        """Note the order that stands for a level."""
        level = self._levels[price]
        level.order_id, level.remaining = order_id, remaining
        self._prices[order_id] = price

    def left(self, order_id: int, remaining: Decimal) -> None:
        """Note what is left of an order; nothing ends it. Others are ignored."""
        price = self._prices.get(order_id)
        if price is None:
            return
        level = self._levels.get(price)
        if level is not None and level.order_id == order_id:
            level.remaining = remaining
            if remaining == ZERO:
                level.order_id = None
        if remaining == ZERO:
            del self._prices[order_id]

    def cancelled(self, order_id: int) -> None:
        """Note that an order was cancelled as `update` or `lift` asked for."""
        price = self._prices.pop(order_id, None)
        level = self._levels.get(price) if price is not None else None
        if level is not None and level.order_id == order_id:
            level.order_id, level.remaining = None, ZERO

    def lift(self, prices: Iterable[Decimal]) -> Changes:
        """Return what takes the orders at some prices away, and what puts them back afterwards."""
        levels = [(price, self._levels[price]) for price in prices if price in self._levels]
        there = [(price, level) for price, level in levels if level.order_id is not None]
        return Changes(
            tuple(level.order_id for _, level in there if level.order_id is not None),
            tuple((price, level.remaining) for price, level in there),
        )

"""The order book of one market: price levels, and in each level the orders by time."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from .enums import Side
from .numbers import ZERO
from .orders import LiveOrder
from .quick import quick

PriceLevel = tuple[Decimal, Decimal]
"""(price, total quantity resting there)."""


@quick
@dataclass(frozen=True, slots=True)
class Depth:
    """An order book aggregated by price, both sides ascending: the best bid is last, the best ask first.

    `time_us` is the engine's time in Unix microseconds.
    """

    symbol: str
    bids: tuple[PriceLevel, ...]
    asks: tuple[PriceLevel, ...]
    last_update_id: int
    time_us: int


@quick
@dataclass(frozen=True, slots=True)
class BookDelta:
    """Levels that changed, with their new totals (zero: the level is gone), and the update ids they took."""

    first_update_id: int
    last_update_id: int
    bids: tuple[PriceLevel, ...]
    asks: tuple[PriceLevel, ...]


class Level:
    """The orders resting at one price, in the order of their arrival."""

    __slots__ = ("orders", "price", "total")

    def __init__(self, price: Decimal) -> None:
        self.price = price
        self.total = ZERO
        # Not a deque: a cancel removes from the middle, which this does in constant time.
        self.orders: OrderedDict[int, LiveOrder] = OrderedDict()


class BookSide:
    """One side of the book: its levels, and their prices in ascending order."""

    __slots__ = ("_levels", "_prices", "_side")

    def __init__(self, side: Side) -> None:
        self._side = side
        self._prices: list[Decimal] = []
        self._levels: dict[Decimal, Level] = {}

    def best(self) -> Level | None:
        """Return the level with the highest bid or the lowest ask."""
        if not self._prices:
            return None
        return self._levels[self._prices[-1 if self._side is Side.BID else 0]]

    def best_first(self) -> Iterator[Level]:
        """Iterate over the levels from the best price on. The book must not change meanwhile."""
        for price in reversed(self._prices) if self._side is Side.BID else self._prices:
            yield self._levels[price]

    def total(self, price: Decimal) -> Decimal:
        """Return the quantity resting at a price."""
        level = self._levels.get(price)
        return level.total if level is not None else ZERO

    def ascending(self, limit: int | None = None) -> tuple[PriceLevel, ...]:
        """Return the `limit` best levels (None: all), lowest price first."""
        if limit is None or limit >= len(self._prices):
            prices = self._prices
        else:
            prices = self._prices[len(self._prices) - limit :] if self._side is Side.BID else self._prices[:limit]
        return tuple((price, self._levels[price].total) for price in prices)

    def add(self, order: LiveOrder) -> None:
        """Put an order at the end of the queue of its price."""
        level = self._levels.get(order.price)
        if level is None:
            level = self._levels[order.price] = Level(order.price)
            insort(self._prices, order.price)
        level.orders[order.id] = order
        level.total += order.remaining

    def take(self, order: LiveOrder, quantity: Decimal, *, remove: bool) -> None:
        """Take `quantity` of an order's rest off its level, and the order itself when `remove`."""
        level = self._levels[order.price]
        level.total -= quantity
        if remove:
            del level.orders[order.id]
            if not level.orders:
                del self._levels[order.price]
                del self._prices[bisect_left(self._prices, order.price)]


class OrderBook:
    """Both sides of a book. Every change of a level takes the next update id."""

    __slots__ = ("_changed", "_drained_id", "asks", "bids", "update_id")

    def __init__(self) -> None:
        self.bids = BookSide(Side.BID)
        self.asks = BookSide(Side.ASK)
        self.update_id = 0
        self._drained_id = 0
        self._changed: dict[tuple[Side, Decimal], None] = {}

    def side(self, side: Side) -> BookSide:
        """Return the bids or the asks."""
        return self.bids if side is Side.BID else self.asks

    def add(self, order: LiveOrder) -> None:
        """Rest an order."""
        self.side(order.side).add(order)
        self._count_change(order)

    def reduce(self, order: LiveOrder, quantity: Decimal) -> None:
        """Follow a trade of `quantity` that is already counted in the order; a spent order leaves the book."""
        self.side(order.side).take(order, quantity, remove=order.remaining == ZERO)
        self._count_change(order)

    def shrink(self, order: LiveOrder, quantity: Decimal) -> None:
        """Take `quantity` off an order that stays; its place in the queue is kept."""
        self.side(order.side).take(order, quantity, remove=False)
        self._count_change(order)

    def remove(self, order: LiveOrder) -> None:
        """Take an order and its rest off the book."""
        self.side(order.side).take(order, order.remaining, remove=True)
        self._count_change(order)

    def drain_delta(self) -> BookDelta | None:
        """Return what changed since the last call, None for nothing."""
        if not self._changed:
            return None
        bids: list[PriceLevel] = []
        asks: list[PriceLevel] = []
        for side, price in self._changed:
            if side is Side.BID:
                bids.append((price, self.bids.total(price)))
            else:
                asks.append((price, self.asks.total(price)))
        delta = BookDelta(self._drained_id + 1, self.update_id, tuple(bids), tuple(asks))
        self._drained_id = self.update_id
        self._changed.clear()
        return delta

    def _count_change(self, order: LiveOrder) -> None:
        self.update_id += 1
        self._changed[order.side, order.price] = None

"""The order book of one market, kept from a snapshot and the depth stream's deltas. No I/O, no clock.

    book = OrderBook.from_depth(bp.markets.get_depth("SOL-USDC", limit=1000), "SOL_USDC")
    book.apply_delta([("141.20", "3.5")], [], first_update_id=8812, last_update_id=8812)
    print(book.best_bid, book.mid, book.vwap("Bid", 250))

Levels are told apart by value: `"86700"` and `"86700.0"` are one. Results are exact, whatever the precision of the
caller's decimal context; those that need a division (`microprice`, `imbalance`, `vwap`, `slippage`) are rounded once,
half to even, to 28 significant digits. What an empty book or an empty side can't answer is None.

A snapshot holds the best levels only, 1000 a side at most. Below its worst price a book knows just the levels that
changed since, so sums over a larger part of the book can be too small.

A book belongs to one thread. `snapshot()` makes a copy that may go anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .._core import arguments as _to
from .._core.arguments import TimeLike
from .._core.errors import BackpackError, InvalidArgument
from .._core.scalars import from_micros

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Self

    from .._generated.markets.models import Depth
from .levels import (
    Keys,
    Level,
    LevelLike,
    Put,
    Row,
    needs_exact_keys,
    no_keys,
    pair_of,
    put_exactly,
    put_levels,
    read_level,
    scaled,
    spelt,
)
from .sides import load_side
from .view import BookSnapshot, BookView, DepthWithin

__all__ = ["BookSnapshot", "BookView", "DepthWithin", "Level", "LevelLike", "OrderBook", "SequenceGap"]


class SequenceGap(BackpackError):
    """A delta does not follow on the book: one before it is missing. A new snapshot mends that.

    `expected` is the update id that should have come, None when the book has no snapshot yet; `first_update_id` came.
    """

    def __init__(self, symbol: str, expected: int | None, first_update_id: int) -> None:
        awaited = "a snapshot has to come first" if expected is None else f"{expected} should follow; take a snapshot"
        super().__init__(f"{symbol}: the delta starts with update {first_update_id}, but {awaited}")
        self.symbol = symbol
        self.expected = expected
        self.first_update_id = first_update_id

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.symbol, self.expected, self.first_update_id)


class OrderBook(BookView):
    """A live order book. Feed it one snapshot, then every delta after it."""

    # Each side is two parallel sequences, best level last, where most changes happen: sorted keys (prices, of asks
    # negated) and rows. A row is the wire's text until it is read; then it becomes a Level, and stays one until it
    # changes.
    __slots__ = ("_ask_keys", "_ask_rows", "_bid_keys", "_bid_rows", "_engine_time_us", "_last", "_put", "symbol")

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        """The market, as given."""
        self.clear()

    def clear(self) -> None:
        """Forget everything but the market's name. The next thing to come must be a snapshot."""
        self._bid_keys: Keys = no_keys()
        self._ask_keys: Keys = no_keys()
        self._bid_rows: list[Row] = []
        self._ask_rows: list[Row] = []
        self._last: int | None = None
        self._engine_time_us: int | None = None
        self._put: Put = put_levels

    @classmethod
    def from_depth(cls, depth: Depth, symbol: str) -> Self:
        """A book from the REST snapshot that `get_depth` returns, which does not name its market."""
        book = cls(symbol)
        book.apply_snapshot(depth.bids, depth.asks, depth.last_update_id, engine_time=depth.timestamp)
        return book

    @property
    def last_update_id(self) -> int | None:
        """The last update the book contains; None before the first snapshot."""
        return self._last

    @property
    def engine_time_us(self) -> int | None:
        """When the matching engine made that update, in microseconds since 1970; None when it was not told."""
        return self._engine_time_us

    @property
    def engine_time(self) -> datetime | None:
        """`engine_time_us` as an aware datetime."""
        return None if self._engine_time_us is None else from_micros(self._engine_time_us)

    @property
    def best_bid(self) -> Level | None:
        """The highest price that someone buys at, None when nobody does."""
        rows = self._bid_rows
        if not rows:
            return None
        row = rows[-1]
        return row if type(row) is Level else read_level(rows, -1)

    @property
    def best_ask(self) -> Level | None:
        """The lowest price that someone sells at, None when nobody does."""
        rows = self._ask_rows
        if not rows:
            return None
        row = rows[-1]
        return row if type(row) is Level else read_level(rows, -1)

    @property
    def is_crossed(self) -> bool:
        """Whether the best bid is as high as the best ask or higher. No market rests like that: the book is wrong."""
        bids, asks = self._bid_keys, self._ask_keys
        return bool(bids) and bool(asks) and bids[-1] + asks[-1] >= 0

    def apply_snapshot(
        self,
        bids: Sequence[LevelLike],
        asks: Sequence[LevelLike],
        last_update_id: int | str,
        *,
        engine_time: TimeLike | None = None,
    ) -> None:
        """Replace everything by a snapshot. Its levels may be in any order.

        `last_update_id` may be text, which is what REST sends; `engine_time` is a datetime or in microseconds.

        Raises InvalidArgument for what is no level or no id; the book is then empty and has no snapshot.
        """
        self.clear()
        moment = _to.micros(engine_time, "engine_time")
        last = _update_id(last_update_id)
        try:
            loaded = load_side(bids, 1), load_side(asks, -1)
        except (TypeError, ValueError):
            bids, asks = spelt(bids, "bids"), spelt(asks, "asks")
            if needs_exact_keys(bids, asks):
                self._put = put_exactly
            loaded = load_side(bids, 1, self._put), load_side(asks, -1, self._put)
        (self._bid_keys, self._bid_rows), (self._ask_keys, self._ask_rows) = loaded
        self._last, self._engine_time_us = last, moment

    def apply_delta(
        self,
        bids: Sequence[LevelLike],
        asks: Sequence[LevelLike],
        first_update_id: int,
        last_update_id: int,
        *,
        engine_time: int | None = None,
    ) -> bool:
        """Apply one message of the depth stream. Each quantity replaces that of its price; zero removes the level.

        The delta has to follow on the book: `first_update_id` is at most `self.last_update_id + 1`. `engine_time` is in
        microseconds since 1970. Levels may be in any order.

        Returns False, and changes nothing, when the book contains the delta already. Raises SequenceGap when a delta
        before it is missing; the book stays as it is. Raises InvalidArgument for what is no level; the book is then
        empty and has no snapshot.
        """
        last = self._last
        if last is None or first_update_id > last + 1:
            raise SequenceGap(self.symbol, None if last is None else last + 1, first_update_id)
        if last_update_id <= last:
            return False
        self._advance(bids, asks, last_update_id, engine_time)
        return True

    def snapshot(self, levels: int | None = None) -> BookSnapshot:
        """An immutable copy of the book, or of its best `levels` on each side."""
        return BookSnapshot(self.symbol, self._last, self.bids(levels), self.asks(levels), self._engine_time_us)

    def _walk(self, bids: bool) -> Iterator[Level]:
        rows = self._bid_rows if bids else self._ask_rows
        return (read_level(rows, at) for at in range(len(rows) - 1, -1, -1))

    def _advance(
        self, bids: Sequence[LevelLike], asks: Sequence[LevelLike], last_update_id: int, engine_time: int | None
    ) -> bool:
        """Apply a delta that is known to follow on the book, and say whether that crosses it.

        Raises InvalidArgument like `apply_delta`.
        """
        bid_keys, ask_keys = self._bid_keys, self._ask_keys
        try:
            if bids:
                self._put(bid_keys, self._bid_rows, bids, 1)
            if asks:
                self._put(ask_keys, self._ask_rows, asks, -1)
        except (TypeError, ValueError):
            self._put_with_care(bids, asks)
            bid_keys, ask_keys = self._bid_keys, self._ask_keys
        self._last = last_update_id
        self._engine_time_us = engine_time
        if bid_keys and ask_keys:
            return bid_keys[-1] + ask_keys[-1] >= 0
        return False

    def _adopt(self, other: OrderBook) -> None:
        """Replace everything but the market's name by what `other` holds, which is empty afterwards."""
        self._bid_keys, self._bid_rows = other._bid_keys, other._bid_rows
        self._ask_keys, self._ask_rows = other._ask_keys, other._ask_rows
        self._last, self._engine_time_us, self._put = other._last, other._engine_time_us, other._put
        other.clear()

    def _edge(self, bids: bool, levels: int) -> Decimal | None:
        """The worst price of a side that has `levels` levels or more, None when it has fewer."""
        rows = self._bid_rows if bids else self._ask_rows
        return read_level(rows, 0).price if rows and len(rows) >= levels else None

    def _put_with_care(self, bids: Sequence[LevelLike], asks: Sequence[LevelLike]) -> None:
        """Apply levels that are more than short wire text. To apply some of them a second time changes nothing."""
        try:
            bids, asks = spelt(bids, "bids"), spelt(asks, "asks")
        except InvalidArgument:
            self.clear()
            raise
        if self._put is put_levels and needs_exact_keys(bids, asks):
            self._bid_keys = [scaled(pair_of(row)[0]) for row in self._bid_rows]
            self._ask_keys = [-scaled(pair_of(row)[0]) for row in self._ask_rows]
            self._put = put_exactly
        self._put(self._bid_keys, self._bid_rows, bids, 1)
        self._put(self._ask_keys, self._ask_rows, asks, -1)

    def __repr__(self) -> str:
        if self._last is None:
            return f"<OrderBook {self.symbol} without a snapshot>"
        count = f"{len(self._bid_keys)}+{len(self._ask_keys)} levels"
        return f"<OrderBook {self.symbol} {self._summary()}, {count}, update {self._last}>"


def _update_id(value: int | str) -> int:
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise InvalidArgument("last_update_id", f"expected a whole number, got {value!r}")

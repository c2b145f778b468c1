"""What can be asked of a book, live or copied."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from itertools import islice, takewhile
from typing import TYPE_CHECKING, NamedTuple

from .._core import arguments as _to
from .._core.arguments import DecimalLike
from .._core.errors import InvalidArgument
from .._core.scalars import from_micros, plain

if TYPE_CHECKING:
    from datetime import datetime

    from .._generated.shared import SideLike
from .levels import EXACT, Level, number_text


class DepthWithin(NamedTuple):
    """What rests near the middle of a book, in the base asset."""

    bids: Decimal
    asks: Decimal


class BookView(ABC):
    """What can be read off a book, be it live (`OrderBook`) or at rest (`BookSnapshot`)."""

    __slots__ = ()

    @abstractmethod
    def _walk(self, bids: bool) -> Iterator[Level]:
        """The levels of one side, best first."""

    @property
    def best_bid(self) -> Level | None:
        """The highest price that someone buys at, None when nobody does."""
        return next(self._walk(True), None)

    @property
    def best_ask(self) -> Level | None:
        """The lowest price that someone sells at, None when nobody does."""
        return next(self._walk(False), None)

    def bids(self, n: int | None = None) -> tuple[Level, ...]:
        """The best `n` bids, or all of them, highest price first."""
        return tuple(islice(self._walk(True), _to.integer(n, "n", 0)))

    def asks(self, n: int | None = None) -> tuple[Level, ...]:
        """The best `n` asks, or all of them, lowest price first."""
        return tuple(islice(self._walk(False), _to.integer(n, "n", 0)))

    @property
    def mid(self) -> Decimal | None:
        """The price half-way between best bid and best ask, exact. None when a side is empty."""
        bid, ask = self.best_bid, self.best_ask
        return None if bid is None or ask is None else EXACT.multiply(EXACT.add(bid.price, ask.price), _HALF)

    @property
    def spread(self) -> Decimal | None:
        """Best ask less best bid, exact. None when a side is empty."""
        bid, ask = self.best_bid, self.best_ask
        return None if bid is None or ask is None else EXACT.subtract(ask.price, bid.price)

    @property
    def microprice(self) -> Decimal | None:
        """The mid price drawn towards the thinner side: best prices weighted by the quantity on the opposite side.

        None when a side is empty.
        """
        bid, ask = self.best_bid, self.best_ask
        if bid is None or ask is None:
            return None
        weighted = EXACT.fma(ask.price, bid.quantity, EXACT.multiply(bid.price, ask.quantity))
        return _ROUNDED.divide(weighted, EXACT.add(bid.quantity, ask.quantity))

    def imbalance(self, levels: int | None = 1) -> Decimal | None:
        """Bid less ask quantity of the best `levels`, over their sum: from -1 (asks only) to 1 (bids only).

        With None, of all levels. None when both sides are empty.
        """
        _to.integer(levels, "levels", 1)
        bids, asks = self.cumulative("Bid", levels=levels), self.cumulative("Ask", levels=levels)
        both = EXACT.add(bids, asks)
        return None if both == 0 else _ROUNDED.divide(EXACT.subtract(bids, asks), both)

    def depth_within(self, percent: DecimalLike) -> DepthWithin | None:
        """Quantity on each side whose price is at most `percent` per cent away from the mid price.

        None when a side is empty, for then there is no mid price.
        """
        mid, share = self.mid, _number(percent, "percent")
        if share < 0:
            raise InvalidArgument("percent", f"a distance is not below zero, got {plain(share)}")
        if mid is None:
            return None
        reach = EXACT.multiply(mid, share.scaleb(-2, EXACT))
        low, high = EXACT.subtract(mid, reach), EXACT.add(mid, reach)
        return DepthWithin(self.cumulative("Bid", low), self.cumulative("Ask", high))

    def cumulative(self, side: SideLike, price: DecimalLike | None = None, *, levels: int | None = None) -> Decimal:
        """Quantity that rests on a side of the book, `"Bid"` or `"Ask"`: at `price` or better, or in the best `levels`.

        With neither, all of the side. Zero when nothing rests there.
        """
        bids = _is_bid(side)
        if price is not None and levels is not None:
            raise InvalidArgument("levels", "give a price or a number of levels, not both")
        walk: Iterator[Level] = islice(self._walk(bids), _to.integer(levels, "levels", 0))
        if price is not None:
            limit = _number(price, "price")
            walk = takewhile(lambda level: level.price >= limit if bids else level.price <= limit, walk)
        return _total(walk)

    def vwap(self, side: SideLike, quantity: DecimalLike) -> Decimal | None:
        """The average price of an order that takes `quantity` of the base asset from the book at once, before fees.

        `side` is the order's own: `"Bid"` buys from the asks, `"Ask"` sells to the bids. None when the book does not
        hold enough.
        """
        wanted, bids = _positive(quantity), _is_bid(side)
        notional = _notional(self._walk(not bids), wanted)
        return None if notional is None else _ROUNDED.divide(notional, wanted)

    def slippage(self, side: SideLike, quantity: DecimalLike) -> Decimal | None:
        """How much worse than the best price the average price of `vwap` is, in per cent of the best price; 0 or more.

        `side` is the order's own. None when the book does not hold enough.
        """
        wanted, bids = _positive(quantity), _is_bid(side)
        notional, best = _notional(self._walk(not bids), wanted), self.best_ask if bids else self.best_bid
        if notional is None or best is None:
            return None
        ideal = EXACT.multiply(best.price, wanted)
        return _ROUNDED.divide(EXACT.subtract(notional, ideal).copy_abs().scaleb(2, EXACT), ideal)

    def _summary(self) -> str:
        bid, ask = self.best_bid, self.best_ask
        bids = "no bids" if bid is None else f"{plain(bid.quantity)} @ {plain(bid.price)}"
        return f"{bids} | " + ("no asks" if ask is None else f"{plain(ask.quantity)} @ {plain(ask.price)}")


@dataclass(frozen=True, slots=True, repr=False)
class BookSnapshot(BookView):
    """A book at one update id. Immutable and hashable; equal to another one of the same market, id and levels."""

    symbol: str
    last_update_id: int | None
    """The update that the book was at; None when it had no snapshot."""
    bid_levels: tuple[Level, ...]
    """Highest price first."""
    ask_levels: tuple[Level, ...]
    """Lowest price first."""
    engine_time_us: int | None = field(default=None, compare=False)
    """When the matching engine made that update, in microseconds since 1970; None when it was not told."""

    @property
    def engine_time(self) -> datetime | None:
        """`engine_time_us` as an aware datetime."""
        return None if self.engine_time_us is None else from_micros(self.engine_time_us)

    def _walk(self, bids: bool) -> Iterator[Level]:
        return iter(self.bid_levels if bids else self.ask_levels)

    def __repr__(self) -> str:
        count = f"{len(self.bid_levels)}+{len(self.ask_levels)} levels"
        return f"<BookSnapshot {self.symbol} {self._summary()}, {count}, update {self.last_update_id}>"


_ROUNDED = Context(prec=28, rounding=ROUND_HALF_EVEN, Emin=-999999, Emax=999999, traps=[InvalidOperation])
_HALF = Decimal("0.5")


def _total(levels: Iterator[Level]) -> Decimal:
    total = Decimal(0)
    for level in levels:
        total = EXACT.add(total, level.quantity)
    return total


def _notional(levels: Iterator[Level], wanted: Decimal) -> Decimal | None:
    """What the first `wanted` units of `levels` cost together; None when there are not that many."""
    cost = Decimal(0)
    for price, quantity in levels:
        taken = min(quantity, wanted)
        cost = EXACT.fma(price, taken, cost)
        wanted = EXACT.subtract(wanted, taken)
        if wanted == 0:
            return cost
    return None


def _is_bid(side: SideLike) -> bool:
    if side not in ("Bid", "Ask"):
        raise InvalidArgument("side", f"{side!r} is neither Bid nor Ask")
    return side == "Bid"


def _number(value: DecimalLike, name: str) -> Decimal:
    return Decimal(number_text(value, name))


def _positive(quantity: DecimalLike) -> Decimal:
    number = _number(quantity, "quantity")
    if number <= 0:
        raise InvalidArgument("quantity", f"a quantity to trade is above zero, got {plain(number)}")
    return number

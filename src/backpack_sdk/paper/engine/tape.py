"""The public trades of one market, and the ticker figures that follow from them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from operator import attrgetter

from .events import Trade
from .numbers import ROUNDED, ZERO

_time_us = attrgetter("time_us")
_RELATIVE = Decimal("0.000001")


class TickerInterval(Enum):
    """Window of a ticker; the value is its length in microseconds."""

    DAY = 86_400_000_000
    WEEK = 604_800_000_000


@dataclass(frozen=True, slots=True)
class Ticker:
    """Figures of the trades in a window up to now.

    `price_change_ratio` is the change relative to the first price, rounded to six decimals: 0.015 is 1.5 %.
    The exchange sends that figure under the name `priceChangePercent`.
    """

    symbol: str
    first_price: Decimal
    last_price: Decimal
    high: Decimal
    low: Decimal
    price_change: Decimal
    price_change_ratio: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int


class Tape:
    """The trades of a market, oldest first: all of them, or the latest ones when `kept` says how many at least."""

    __slots__ = ("_count", "_symbol", "_trades", "kept")

    def __init__(self, symbol: str) -> None:
        self._symbol = symbol
        self._trades: list[Trade] = []
        self._count = 0
        self.kept: int | None = None

    @property
    def last_price(self) -> Decimal | None:
        """Price of the last trade."""
        return self._trades[-1].price if self._trades else None

    def __len__(self) -> int:
        """Count the trades there have ever been."""
        return self._count

    @property
    def trades(self) -> Sequence[Trade]:
        """The trades, oldest first."""
        return self._trades

    def add(self, trade: Trade) -> None:
        """Append a trade. Times never go back."""
        self._trades.append(trade)
        self._count += 1
        if self.kept is not None and len(self._trades) >= 2 * self.kept:
            del self._trades[: -self.kept]

    def between(self, start_us: int, end_us: int) -> Sequence[Trade]:
        """Return the trades with `start_us` <= time < `end_us`, oldest first."""
        first = bisect_left(self._trades, start_us, key=_time_us)
        last = bisect_left(self._trades, end_us, key=_time_us, lo=first)
        return self._trades[first:last]

    def ticker(self, interval: TickerInterval, now_us: int) -> Ticker | None:
        """Return the figures of the window that ends with `now_us`, None when nothing traded in it."""
        trades = self.between(now_us - interval.value + 1, now_us + 1)
        if not trades:
            return None
        first, last = trades[0].price, trades[-1].price
        high, low, volume, quote_volume = totals(trades)
        ratio = ROUNDED.quantize(ROUNDED.divide(last - first, first), _RELATIVE)
        return Ticker(self._symbol, first, last, high, low, last - first, ratio, volume, quote_volume, len(trades))


def totals(trades: Iterable[Trade]) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Return highest price, lowest price, base volume and quote volume of at least one trade."""
    prices: list[Decimal] = []
    volume = quote_volume = ZERO
    for trade in trades:
        prices.append(trade.price)
        volume += trade.quantity
        quote_volume += trade.quote_quantity
    return max(prices), min(prices), volume, quote_volume

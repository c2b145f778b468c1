"""Mark and index price of one market, and the funding rate that follows from them.

Either price can be set from outside and then stands until it is set anew or released. A price that is not set follows
a rule each time the exchange advances:

- index: the middle of the spot book of the same pair, else its last price, else the middle of the market's own book;
- mark: the median of the middle of the book, the last price and the index, as far as they exist.

The premium of an interval is the mean of (mark - index) / index, weighted by time. The funding rate is that premium for
eight hours, scaled to the interval, cut to ten decimals and held within the cap of the market.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from .futures import HOUR_US, FuturesSpec
from .numbers import QUOTIENT, SMALLEST, ZERO
from .paging import forget
from .quick import quick

_HALF = Decimal("0.5")
_PREMIUM_PERIOD_US = 8 * HOUR_US
_RATE_STEP = Decimal("1E-10")


@quick
@dataclass(frozen=True, slots=True)
class MarkPrice:
    """Mark and index price of a market. The funding fields are None for a spot market.

    `funding_rate` is what the running interval would come to if it ended now; it is paid at `next_funding_us`.
    """

    symbol: str
    mark: Decimal
    index: Decimal
    funding_rate: Decimal | None
    next_funding_us: int | None
    time_us: int


@quick
@dataclass(frozen=True, slots=True)
class PricePoint:
    """Prices from `time_us` on, until the next point."""

    time_us: int
    mark: Decimal
    index: Decimal


def median(prices: Iterable[Decimal | None]) -> Decimal | None:
    """Return the median of the prices that exist, None for none; of two, their mean."""
    known = sorted(price for price in prices if price is not None)
    if not known:
        return None
    half = len(known) // 2
    return known[half] if len(known) % 2 else (known[half - 1] + known[half]) * _HALF


class Marks:
    """The prices of one market, what they were, and the premium since the last funding."""

    __slots__ = (
        "_premium",
        "_since_us",
        "_started_us",
        "_weighted",
        "basis",
        "fixed_index",
        "fixed_mark",
        "index",
        "kept",
        "mark",
        "points",
    )

    def __init__(self) -> None:
        self.kept: int | None = None
        self.mark: Decimal | None = None
        self.index: Decimal | None = None
        self.fixed_mark: Decimal | None = None
        self.fixed_index: Decimal | None = None
        self.points: list[PricePoint] = []
        self.basis: object = None
        """What the present prices were made of: while that stays the same, so do they."""
        self._premium = ZERO
        self._weighted = ZERO
        self._since_us: int | None = None
        self._started_us: int | None = None

    def move(self, mark: Decimal, index: Decimal, now_us: int) -> bool:
        """Take new prices; return whether they differ from the old ones."""
        if (mark, index) == (self.mark, self.index):
            return False
        self._weigh(now_us)
        self.mark, self.index = mark, index
        self._premium = QUOTIENT.quantize(QUOTIENT.divide(mark - index, index), SMALLEST)
        self.points.append(PricePoint(now_us, mark, index))
        forget(self.points, self.kept)
        return True

    def rate(self, spec: FuturesSpec, now_us: int) -> Decimal:
        """Return the funding rate of the interval so far."""
        elapsed = 0 if self._started_us is None else now_us - self._started_us
        weighted = self._weighted + self._premium * (
            now_us - (self._since_us if self._since_us is not None else now_us)
        )
        mean = self._premium if elapsed <= 0 else QUOTIENT.divide(weighted, Decimal(elapsed))
        rate = QUOTIENT.divide(QUOTIENT.multiply(mean, Decimal(spec.funding_interval_us)), Decimal(_PREMIUM_PERIOD_US))
        rate = QUOTIENT.quantize(rate, _RATE_STEP)
        return min(max(rate, -spec.funding_cap), spec.funding_cap)

    def restart(self, now_us: int) -> None:
        """Begin a new funding interval."""
        self._weighted = ZERO
        self._since_us = self._started_us = now_us

    def _weigh(self, now_us: int) -> None:
        if self._since_us is None:
            self._since_us = self._started_us = now_us
        self._weighted += self._premium * (now_us - self._since_us)
        self._since_us = now_us

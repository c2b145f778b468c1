"""The rules that only a perpetual has, and the price bands of every market."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Context, Decimal
from functools import cache

from .numbers import QUOTIENT, SMALLEST, ZERO

HOUR_US = 3_600_000_000
_DOWN = Context(prec=28, rounding=ROUND_DOWN)
_ROOT = Context(prec=56)  # the root of the largest notional value has 36 digits before its point


@cache
def _flat_until(base: Decimal, factor: Decimal) -> Decimal:
    """Return a notional value up to which the root is below `base`, so that no root need be drawn; zero if unsure."""
    if base != QUOTIENT.quantize(base, SMALLEST):
        return ZERO
    quotient = _DOWN.divide(base, factor)
    return _DOWN.multiply(quotient, quotient)


@dataclass(frozen=True, slots=True)
class MarginFunction:
    """A margin fraction that grows with the size of a position: max(base, factor x square root of the notional value).

    The exchange publishes `base` and `factor` and not the formula: that the larger of the two counts is this engine's
    reading.
    """

    base: Decimal
    factor: Decimal = ZERO

    def fraction(self, notional: Decimal) -> Decimal:
        """Return the fraction, to 18 decimals, for a notional value in the quote asset."""
        if self.factor == ZERO or notional <= _flat_until(self.base, self.factor):
            return self.base
        root = QUOTIENT.multiply(self.factor, _ROOT.sqrt(notional))
        return max(self.base, QUOTIENT.quantize(root, SMALLEST))


@dataclass(frozen=True, slots=True, kw_only=True)
class FuturesSpec:
    """Margin, funding and limits of a perpetual that settles in its quote asset.

    Attributes:
        imf, mmf: initial and maintenance margin.
        funding_interval_us: time between two payments, in microseconds.
        funding_cap: bound of the funding rate of one interval, either way: 0.01 is 1 %.
        open_interest_limit: quantity that may be open in the whole market; None for no limit.

    Raises:
        ValueError: a figure is negative, an interval is no positive whole number, or `mmf` exceeds `imf`.
    """

    imf: MarginFunction
    mmf: MarginFunction
    funding_interval_us: int = HOUR_US
    funding_cap: Decimal = Decimal("0.01")
    open_interest_limit: Decimal | None = None

    def __post_init__(self) -> None:
        figures = (self.imf.base, self.imf.factor, self.mmf.base, self.mmf.factor, self.funding_cap)
        if any(not figure.is_finite() or figure < ZERO for figure in figures):
            raise ValueError("margin figures and the funding cap must not be negative")
        if self.mmf.base > self.imf.base or self.mmf.factor > self.imf.factor:
            raise ValueError("the maintenance margin must not exceed the initial margin")
        if self.funding_interval_us < 1:
            raise ValueError(f"a funding interval of {self.funding_interval_us} microseconds is too short")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBands:
    """How far prices may stray. None means that there is no such band.

    Attributes:
        max_multiplier: a limit bid must not be above the last price times this.
        min_multiplier: a limit ask must not be below the last price times this.
        max_mark_multiplier, min_mark_multiplier: the same against the mark price.
        max_impact_multiplier: a market bid trades up to the best ask times this.
        min_impact_multiplier: a market ask trades down to the best bid times this.

    Raises:
        ValueError: a maximum below 1, or a minimum outside 0 to 1.
    """

    min_multiplier: Decimal | None = None
    max_multiplier: Decimal | None = None
    min_mark_multiplier: Decimal | None = None
    max_mark_multiplier: Decimal | None = None
    min_impact_multiplier: Decimal | None = None
    max_impact_multiplier: Decimal | None = None

    def __post_init__(self) -> None:
        for low in (self.min_multiplier, self.min_mark_multiplier, self.min_impact_multiplier):
            if low is not None and not ZERO <= low <= 1:
                raise ValueError(f"a minimum multiplier must lie in 0 to 1, not be {low}")
        for high in (self.max_multiplier, self.max_mark_multiplier, self.max_impact_multiplier):
            if high is not None and not high >= 1:
                raise ValueError(f"a maximum multiplier must be 1 at least, not {high}")

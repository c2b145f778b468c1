"""The markets, assets and balances that an embedded exchange has unless it is told otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from .engine import FuturesSpec, Ladder, MarginFunction, MarketSpec, MarketType, PriceBands

FIRST_ORDER_ID = 111_063_070_500_000_001
"""Order ids of the exchange do not fit a double. These do not either."""

DEFAULT_BALANCES: Mapping[str, Decimal] = {
    "USDC": Decimal(100_000),
    "SOL": Decimal(1_000),
    "BTC": Decimal(2),
    "ETH": Decimal(50),
}


@dataclass(frozen=True, slots=True)
class PaperMarket:
    """A market and the resting orders it starts with."""

    spec: MarketSpec
    ladders: tuple[Ladder, ...] = ()


# Base, tick size, step size (the least quantity too), middle of the book, usual quantity of one order.
_SPOT = (
    ("SOL", "0.01", "0.01", "140", "12"),
    ("BTC", "0.1", "0.00001", "65000", "0.05"),
    ("ETH", "0.01", "0.0001", "3000", "0.8"),
)
# Base, base figures of initial and maintenance margin, and the factors of their square roots.
_MARGINS = {
    "SOL": ("0.02", "0.0125", "0.00008", "0.00005"),
    "BTC": ("0.02", "0.0125", "0.00002", "0.0000125"),
    "ETH": ("0.02", "0.0125", "0.00003", "0.00002"),
}
_BANDS = PriceBands(
    min_multiplier=Decimal("0.25"),
    max_multiplier=Decimal(5),
    min_mark_multiplier=Decimal("0.5"),
    max_mark_multiplier=Decimal("1.5"),
    min_impact_multiplier=Decimal("0.8"),
    max_impact_multiplier=Decimal("1.2"),
)
# Ticks between the levels of each ladder: close ones near the middle, wide ones further out.
_GAPS = (1, 5, 25)
_LEVELS = 20


def default_markets(seed: int) -> tuple[PaperMarket, ...]:
    """Return SOL_USDC, BTC_USDC and ETH_USDC and their perpetuals, with 60 orders on each side of every book.

    The quantities follow from `seed`; rules and prices are always the same.
    """
    random = Random(seed)
    spot = [_market(random, *figures) for figures in _SPOT]
    return (*spot, *(_market(random, *figures, perpetual=True) for figures in _SPOT))


def _market(
    random: Random, base: str, tick: str, step: str, mid: str, usual: str, *, perpetual: bool = False
) -> PaperMarket:
    spec = MarketSpec(
        symbol=f"{base}_USDC_PERP" if perpetual else f"{base}_USDC",
        market_type=MarketType.PERP if perpetual else MarketType.SPOT,
        futures=_futures(*_MARGINS[base]) if perpetual else None,
        bands=_BANDS if perpetual else None,
        base=base,
        quote="USDC",
        tick_size=Decimal(tick),
        step_size=Decimal(step),
        min_price=Decimal(tick),
        min_quantity=Decimal(step),
    )
    steps = int(Decimal(usual) / spec.step_size)
    ladders = (
        Ladder(
            mid=Decimal(mid),
            quantity=random.randint(steps // 2, steps * 2) * spec.step_size,
            levels=_LEVELS,
            gap_ticks=gap,
        )
        for gap in _GAPS
    )
    return PaperMarket(spec, tuple(ladders))


def _futures(imf: str, mmf: str, imf_factor: str, mmf_factor: str) -> FuturesSpec:
    return FuturesSpec(
        imf=MarginFunction(Decimal(imf), Decimal(imf_factor)), mmf=MarginFunction(Decimal(mmf), Decimal(mmf_factor))
    )

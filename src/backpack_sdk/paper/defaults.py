"""The markets, assets and balances that an embedded exchange has unless it is told otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from .engine import Ladder, MarketSpec

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


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """What is known of an asset besides its symbol."""

    name: str
    coingecko_id: str
    blockchain: str
    decimals: int


ASSETS: Mapping[str, AssetFacts] = {
    "BTC": AssetFacts("Bitcoin", "bitcoin", "Bitcoin", 8),
    "ETH": AssetFacts("Ethereum", "ethereum", "Ethereum", 18),
    "SOL": AssetFacts("Solana", "solana", "Solana", 9),
    "USDC": AssetFacts("USD Coin", "usd-coin", "Solana", 6),
}

# Base, tick size, step size (the least quantity too), middle of the book, usual quantity of one order.
_SPOT = (
    ("SOL", "0.01", "0.01", "140", "12"),
    ("BTC", "0.1", "0.00001", "65000", "0.05"),
    ("ETH", "0.01", "0.0001", "3000", "0.8"),
)
# Ticks between the levels of each ladder: close ones near the middle, wide ones further out.
_GAPS = (1, 5, 25)
_LEVELS = 20


def default_markets(seed: int) -> tuple[PaperMarket, ...]:
    """Return SOL_USDC, BTC_USDC and ETH_USDC with 60 orders on each side.

    The quantities follow from `seed`; rules and prices are always the same.
    """
    random = Random(seed)
    return tuple(_market(random, *figures) for figures in _SPOT)


def _market(random: Random, base: str, tick: str, step: str, mid: str, usual: str) -> PaperMarket:
    spec = MarketSpec(
        symbol=f"{base}_USDC",
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

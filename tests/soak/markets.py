"""As many markets as wanted, spot and perpetual in turn, with orders on both sides of every book."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from backpack_sdk.paper import PaperMarket
from backpack_sdk.paper.engine import FuturesSpec, Ladder, MarginFunction, MarketSpec, MarketType

_TICK = Decimal("0.01")
_FUTURES = FuturesSpec(
    imf=MarginFunction(Decimal("0.02"), Decimal("0.00008")), mmf=MarginFunction(Decimal("0.0125"), Decimal("0.00005"))
)


def make_markets(count: int, seed: int) -> list[PaperMarket]:
    """Markets with names, prices and quantities that follow from the seed."""
    random = Random(f"markets {seed}")
    return [_market(number, random) for number in range(count)]


def _market(number: int, random: Random) -> PaperMarket:
    base = f"T{number // 2:02}"
    perpetual = number % 2 == 1
    spec = MarketSpec(
        symbol=f"{base}_USDC_PERP" if perpetual else f"{base}_USDC",
        base=base,
        quote="USDC",
        market_type=MarketType.PERP if perpetual else MarketType.SPOT,
        futures=_FUTURES if perpetual else None,
        tick_size=_TICK,
        step_size=_TICK,
        min_price=_TICK,
        min_quantity=_TICK,
    )
    middle = random.randint(2_000, 20_000) * _TICK
    quantity = random.randint(100, 900) * _TICK
    return PaperMarket(spec, (Ladder(mid=middle, quantity=quantity, levels=25, gap_ticks=3),))

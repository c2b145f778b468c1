"""How much synthetic flow there is, and of what kind."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

MAX_RATE = 10_000.0
"""Book events per second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Seeded market makers and takers. The same seed gives the same books and the same trades.

    Attributes:
        rate: orders and cancels per second over all markets, up to 10000; 0 for flow by hand only. Nearly each one
            changes a book.
        volatility: standard deviation of the price over one second, relative to the price: 0.0005 is 5 basis points.
        seed: decides everything that is left to chance.
        symbols: the markets; None for all of them.
        prices: where the price of a market starts; needed where its book has no best bid or no best ask.
        levels: orders of the makers on each side of a book, at most.
        spread_bps: usual spread between best bid and best ask in basis points; never less than a tick.
        order_value: usual value of one order in the quote asset.
        taker_share: share of market orders among all orders and cancels, from 0 to 1.
        kept_trades: trades that a market remembers; candles and tickers are made of these.

    Raises:
        ValueError: a figure is out of range.
    """

    rate: float = 100.0
    volatility: float = 0.0005
    seed: int = 0
    symbols: Collection[str] | None = None
    prices: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    levels: int = 50
    spread_bps: float = 1.0
    order_value: float = 1_000.0
    taker_share: float = 0.05
    kept_trades: int = 10_000

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= MAX_RATE:
            raise ValueError(f"rate is {self.rate}, it must lie in 0 to {MAX_RATE:.0f} per second")
        if not 0 <= self.volatility <= 1:
            raise ValueError(f"volatility is {self.volatility}, it must lie in 0 to 1: 0.0005 is 5 basis points")
        if not 0 <= self.taker_share <= 1:
            raise ValueError(f"taker_share is {self.taker_share}, it must lie in 0 to 1")
        if self.levels < 1 or self.kept_trades < 1:
            raise ValueError(f"levels is {self.levels} and kept_trades {self.kept_trades}, they must be 1 at least")
        if self.spread_bps < 0 or self.order_value <= 0:
            raise ValueError(f"spread_bps is {self.spread_bps} and order_value {self.order_value}: both are amounts")

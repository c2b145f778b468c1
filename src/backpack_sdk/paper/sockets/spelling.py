"""How the socket spells the figures of a market: with the decimals of its tick and step, where REST drops zeros."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec

from ..engine import MarketSpec


class Spelling:
    """The words of one market: `price` and `size` write its figures, `symbol` is its symbol as a JSON text."""

    __slots__ = ("price", "size", "symbol")

    def __init__(self, spec: MarketSpec) -> None:
        self.price: Callable[[Decimal], str] = _format(spec.tick_size)
        self.size: Callable[[Decimal], str] = _format(spec.step_size)
        self.symbol = msgspec.json.encode(spec.symbol).decode()


def amount(value: Decimal) -> str:
    """Write an amount that no grid applies to: without exponent, with at least one decimal."""
    text = f"{value:f}"
    if "." not in text:
        return f"{text}.0"
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.rstrip('0') or '0'}"


def _format(unit: Decimal) -> Callable[[Decimal], str]:
    exponent = unit.as_tuple().exponent
    decimals = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    return f"{{:.{decimals}f}}".format

"""Rules of markets, from what `GET /markets` says to what the engine takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from ..engine import FuturesSpec, MarginFunction, MarketSpec, MarketType

_KINDS = (MarketType.SPOT, MarketType.PERP)


def market_specs(markets: Iterable[Mapping[str, Any]], symbols: Iterable[str]) -> list[MarketSpec]:
    """Return the rules of some of the markets, in the order of `symbols`.

    Raises:
        ValueError: a symbol is not among the markets, or is of a kind that the engine does not have.
    """
    known = {str(market["symbol"]): market for market in markets}
    unknown = [symbol for symbol in symbols if symbol not in known]
    if unknown:
        raise ValueError(f"the source has no market {', '.join(unknown)}")
    return [market_spec(known[symbol]) for symbol in symbols]


def market_spec(market: Mapping[str, Any]) -> MarketSpec:
    """Return the rules of one market. Price bands are left out: what the source shows has passed them.

    Raises:
        ValueError: it is of a kind that the engine does not have.
    """
    symbol, kind = market["symbol"], market["marketType"]
    if kind not in _KINDS:
        raise ValueError(f"{symbol} is a {kind} market: only spot markets and perpetuals can be mirrored")
    price, quantity = market["filters"]["price"], market["filters"]["quantity"]
    tick, step = Decimal(price["tickSize"]), Decimal(quantity["stepSize"])
    return MarketSpec(
        symbol=symbol,
        base=market["baseSymbol"],
        quote=market["quoteSymbol"],
        tick_size=tick,
        step_size=step,
        min_price=_number(price.get("minPrice")) or tick,
        max_price=_number(price.get("maxPrice")),
        min_quantity=_number(quantity.get("minQuantity")) or step,
        max_quantity=_number(quantity.get("maxQuantity")),
        market_type=MarketType(kind),
        futures=_futures(market) if kind == MarketType.PERP else None,
    )


def _futures(market: Mapping[str, Any]) -> FuturesSpec:
    usual = FuturesSpec(imf=_DEFAULT_IMF, mmf=_DEFAULT_MMF)
    interval_ms = market.get("fundingInterval")
    return FuturesSpec(
        imf=_margin(market.get("imfFunction")) or usual.imf,
        mmf=_margin(market.get("mmfFunction")) or usual.mmf,
        funding_interval_us=usual.funding_interval_us if interval_ms is None else int(interval_ms) * 1_000,
        open_interest_limit=_number(market.get("openInterestLimit")),
    )


_DEFAULT_IMF, _DEFAULT_MMF = MarginFunction(Decimal("0.1")), MarginFunction(Decimal("0.05"))
"""Margins of a perpetual whose source tells none."""


def _margin(function: Mapping[str, Any] | None) -> MarginFunction | None:
    if function is None:
        return None
    return MarginFunction(Decimal(function["base"]), Decimal(function["factor"]))


def _number(text: str | None) -> Decimal | None:
    """Read a figure for which absence and zero both mean that there is no such rule."""
    return None if text is None or Decimal(text) == 0 else Decimal(text)

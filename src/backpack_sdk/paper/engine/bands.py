"""How far the price of an order may be from those of the market."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from .enums import ExpiryReason, OrderType, Side, SlippageType
from .errors import ErrorCode, Refused
from .futures import PriceBands
from .orders import NewOrder

if TYPE_CHECKING:
    from .trading import Trading

_PERCENT = Decimal("0.01")
_NO_BANDS = PriceBands()


def check_bands(market: Trading, order: NewOrder) -> None:
    """Check the price of a limit order against the last price and the mark price, as far as there are bands.

    Raises:
        Refused: `INVALID_PRICE` for a bid above its band or an ask below it.
    """
    bands, price = market.spec.bands, order.price
    if bands is None or price is None:
        return
    checks = (
        (market.active_price, bands.min_multiplier, bands.max_multiplier, "last"),
        (market.marks.mark, bands.min_mark_multiplier, bands.max_mark_multiplier, "mark"),
    )
    for reference, low, high, name in checks:
        if reference is None:
            continue
        if order.side is Side.BID and high is not None and price > reference * high:
            raise Refused(ErrorCode.INVALID_PRICE, f"price {price} is above {high} times the {name} price {reference}")
        if order.side is Side.ASK and low is not None and price < reference * low:
            raise Refused(ErrorCode.INVALID_PRICE, f"price {price} is below {low} times the {name} price {reference}")


def worst_price(market: Trading, order: NewOrder) -> tuple[Decimal | None, ExpiryReason]:
    """Return the worst price at which a market order may trade, None for any, and what it means to meet it."""
    if order.order_type is not OrderType.MARKET or (order.slippage is None and market.spec.bands is None):
        return None, ExpiryReason.INSUFFICIENT_LIQUIDITY
    bid = order.side is Side.BID
    best = market.book.side(order.side.opposite).best()
    if best is None:
        return None, ExpiryReason.INSUFFICIENT_LIQUIDITY
    bounds: list[tuple[Decimal, ExpiryReason]] = []
    bands = market.spec.bands or _NO_BANDS
    impact = bands.max_impact_multiplier if bid else bands.min_impact_multiplier
    if impact is not None:
        bounds.append((best.price * impact, ExpiryReason.PRICE_IMPACT))
    if order.slippage is not None:
        ticks = order.slippage.unit is SlippageType.TICK_SIZE
        step = market.spec.tick_size if ticks else best.price * _PERCENT
        allowed = order.slippage.tolerance * step
        bounds.append((best.price + (allowed if bid else -allowed), ExpiryReason.SLIPPAGE_TOLERANCE_EXCEEDED))
    if not bounds:
        return None, ExpiryReason.INSUFFICIENT_LIQUIDITY
    return min(bounds, key=lambda bound: bound[0] if bid else -bound[0])

"""How far a market order may move the price, and how far a limit order may be from it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from backpack_sdk.paper.engine import (
    ErrorCode,
    ExpiryReason,
    PriceBands,
    Side,
    Slippage,
    SlippageType,
)

from .engine_desk import dec
from .perp_desk import PerpDesk, group


def slipping(tolerance: str, unit: SlippageType) -> dict[str, object]:
    """The option of a slippage tolerance."""
    return {"slippage": Slippage(dec(tolerance), unit)}


@pytest.mark.parametrize(
    ("tolerance", "unit", "filled"),
    [("0", "TickSize", 1), ("10", "TickSize", 2), ("1", "Percent", 3), ("0.99", "Percent", 2), ("100", "Percent", 4)],
)
def test_slippage_bounds_a_market_order(tolerance: str, unit: str, filled: int) -> None:
    desk = PerpDesk()
    for price in ("100", "100.10", "101", "150"):
        desk.ask("bob", price, "1")
    order = desk.bid("alice", None, "9", **slipping(tolerance, SlippageType(unit)))
    assert order.executed_quantity == filled
    end = ExpiryReason.SLIPPAGE_TOLERANCE_EXCEEDED if filled < 4 else ExpiryReason.INSUFFICIENT_LIQUIDITY
    assert order.expiry_reason is end


@pytest.mark.parametrize(("tolerance", "unit"), [("-1", "Percent"), ("101", "Percent"), ("0.5", "TickSize")])
def test_a_slippage_tolerance_that_makes_no_sense_is_refused(tolerance: str, unit: str) -> None:
    desk = PerpDesk()
    desk.ask("bob", "100", "1")
    refused = desk.refusal("alice", Side.BID, None, "1", **slipping(tolerance, SlippageType(unit)))
    assert refused.code is ErrorCode.INVALID_ORDER


def test_price_bands_hold_limit_orders_near_and_market_orders_back() -> None:
    bands = PriceBands(
        min_multiplier=dec("0.9"),
        max_multiplier=dec("1.1"),
        min_mark_multiplier=dec("0.5"),
        max_mark_multiplier=dec("1.05"),
        max_impact_multiplier=dec("1.02"),
        min_impact_multiplier=dec("0.98"),
    )
    desk = PerpDesk(bands=bands)
    desk.trade("alice", "bob", "100", "1")
    desk.mark("100")
    assert desk.refusal("alice", Side.BID, "110.01", "1").code is ErrorCode.INVALID_PRICE
    assert desk.refusal("alice", Side.BID, "105.01", "1").code is ErrorCode.INVALID_PRICE
    assert desk.refusal("alice", Side.ASK, "89.99", "1").code is ErrorCode.INVALID_PRICE
    desk.bid("alice", "1", "1")
    desk.ask("alice", "200", "1")
    desk.ask("bob", "100", "1")
    desk.ask("bob", "103", "1")
    order = desk.bid("alice", None, "2")
    assert group(order.executed_quantity, order.expiry_reason) == (1, ExpiryReason.PRICE_IMPACT)


@pytest.mark.parametrize("bad", [{"max_multiplier": dec("0.9")}, {"min_impact_multiplier": dec("1.1")}])
def test_price_bands_that_contradict_themselves_are_errors(bad: dict[str, Decimal]) -> None:
    with pytest.raises(ValueError, match="multiplier"):
        PriceBands(**bad)

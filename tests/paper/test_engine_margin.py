"""Margin: what an order needs, what bounds it, and what collateral counts."""

from __future__ import annotations

from decimal import Decimal

import pytest

from backpack_sdk.paper.engine import (
    ErrorCode,
    FeeRates,
    FuturesSpec,
    MarginFunction,
    OrderStatus,
    Refused,
    Side,
)
from backpack_sdk.paper.engine.assets import AssetSpec, CollateralTerms

from .engine_desk import dec
from .perp_desk import FUTURES, NO_FEES, PERP, PerpDesk


@pytest.mark.parametrize(
    ("base", "factor", "notional", "fraction"),
    [
        ("0.02", "0", "1000000", "0.02"),
        ("0.02", "0.0001", "0", "0.02"),
        ("0.02", "0.0001", "1000000", "0.1"),
        ("0.02", "0.0001", "2", "0.02"),
        ("0.02", "0.03", "2", "0.042426406871192851"),
    ],
)
def test_a_margin_fraction_grows_with_the_root_of_the_notional_value(
    base: str, factor: str, notional: str, fraction: str
) -> None:
    assert MarginFunction(dec(base), dec(factor)).fraction(dec(notional)) == dec(fraction)


def test_ten_times_the_equity_is_the_most_at_ten_percent() -> None:
    desk = PerpDesk()
    desk.mark("100")
    refused = desk.refusal("alice", Side.BID, "100", "1000.1")
    assert refused.code is ErrorCode.INSUFFICIENT_MARGIN
    assert "1.0" in refused.message
    assert desk.bid("alice", "100", "1000").status is OrderStatus.NEW
    assert desk.refusal("alice", Side.BID, "50", "0.1").code is ErrorCode.INSUFFICIENT_MARGIN


def test_orders_on_both_sides_need_margin_for_the_larger_one_only() -> None:
    desk = PerpDesk()
    desk.mark("100")
    desk.bid("alice", "99", "1000")
    desk.ask("alice", "101", "1000")
    assert desk.refusal("alice", Side.ASK, "101", "0.1").code is ErrorCode.INSUFFICIENT_MARGIN


def test_what_an_order_would_lose_at_once_counts() -> None:
    desk = PerpDesk()
    desk.mark("100")
    desk.ask("bob", "110", "1000")
    assert desk.refusal("alice", Side.BID, "110", "600").code is ErrorCode.INSUFFICIENT_MARGIN
    desk.bid("alice", "110", "500")
    desk.check()


def test_fees_count() -> None:
    desk = PerpDesk(FeeRates(futures_taker_bps=dec(100)))
    desk.mark("100")
    desk.ask("bob", "100", "900")
    assert desk.refusal("alice", Side.BID, "100", "910").code is ErrorCode.INSUFFICIENT_MARGIN
    desk.bid("alice", "100", "900")


def test_reducing_needs_no_margin() -> None:
    desk = PerpDesk()
    desk.mark("100")
    desk.trade("alice", "bob", "100", "1000")
    desk.mark("96")
    assert desk.refusal("alice", Side.BID, "96", "1").code is ErrorCode.INSUFFICIENT_MARGIN
    desk.bid("bob", "96", "1000")
    assert desk.ask("alice", "96", "1000").status is OrderStatus.FILLED
    desk.check()


def test_unrealized_gains_carry_new_orders() -> None:
    desk = PerpDesk()
    desk.trade("alice", "bob", "100", "500")
    desk.mark("110")
    desk.ask("carol", "110", "800")
    desk.bid("alice", "110", "800")
    assert desk.quantity("alice") == 1300


def test_the_leverage_limit_of_the_account_bounds_it() -> None:
    desk = PerpDesk(futures=FuturesSpec(imf=MarginFunction(dec("0.02")), mmf=MarginFunction(dec("0.01"))))
    desk.mark("100")
    settings = desk.exchange.update_settings
    settings("alice", leverage_limit=dec(2), now_us=desk.tick())
    assert desk.refusal("alice", Side.BID, "100", "200.1").code is ErrorCode.INSUFFICIENT_MARGIN
    settings("alice", leverage_limit=dec(50), now_us=desk.tick())
    desk.bid("alice", "100", "5000")
    with pytest.raises(Refused) as caught:
        settings("alice", leverage_limit=dec(49), now_us=desk.tick())
    assert caught.value.code is ErrorCode.MAX_LEVERAGE_REACHED
    assert desk.exchange.settings("alice").leverage_limit == 50


def test_the_open_interest_limit_refuses_what_would_exceed_it() -> None:
    desk = PerpDesk(futures=FuturesSpec(imf=FUTURES.imf, mmf=FUTURES.mmf, open_interest_limit=dec(10)))
    desk.trade("alice", "bob", "100", "8")
    assert desk.refusal("carol", Side.BID, "100", "2.1").code is ErrorCode.POSITION_LIMIT
    desk.bid("carol", "100", "2")


def test_other_assets_count_by_their_weight() -> None:
    desk = PerpDesk()
    exchange = desk.exchange
    exchange.add_asset(AssetSpec(symbol="SOL", name="Solana", collateral=CollateralTerms(weight=dec("0.8"))))
    exchange.open_account("dora", NO_FEES)
    exchange.deposit("dora", "SOL", dec("100"), now_us=desk.tick())
    exchange.set_mark_price("SOL_USDC", dec("100"), dec("100"), now_us=desk.tick())
    desk.mark("100")
    assert desk.refusal("dora", Side.BID, "100", "800.1").code is ErrorCode.INSUFFICIENT_MARGIN
    desk.bid("dora", "100", "800")


def test_money_that_positions_need_can_not_be_spent() -> None:
    desk = PerpDesk()
    desk.mark("100")
    desk.trade("alice", "bob", "100", "900")
    refused = desk.refusal("alice", Side.BID, "100", "20", symbol="SOL_USDC")
    assert refused.code is ErrorCode.INSUFFICIENT_MARGIN
    desk.bid("alice", "100", "10", symbol="SOL_USDC")
    assert desk.refusal("alice", Side.BID, "100", "0.1").code is ErrorCode.INSUFFICIENT_MARGIN
    assert not desk.exchange.credit.carries("alice", "USDC", taken=dec("1000.1"))


@pytest.mark.parametrize(("side", "price"), [(Side.BID, "100"), (Side.ASK, "100"), (Side.BID, "110"), (Side.BID, "90")])
def test_the_largest_quantity_passes_and_a_step_more_does_not(side: Side, price: str) -> None:
    desk = PerpDesk(FeeRates())
    desk.mark("100")
    desk.trade("alice", "bob", "100", "10")
    most = desk.exchange.max_order_quantity("alice", PERP, side, price=dec(price))
    assert most > 400
    assert desk.refusal("alice", side, price, str(most + dec("0.1"))).code is ErrorCode.INSUFFICIENT_MARGIN
    desk.order("alice", side, price, str(most))


def test_the_largest_quantity_in_spot_and_of_reduce_only_orders() -> None:
    desk = PerpDesk()
    most = desk.exchange.max_order_quantity
    desk.trade("alice", "bob", "100", "10")
    assert most("alice", PERP, Side.ASK, reduce_only=True) == 10
    assert most("alice", PERP, Side.BID, reduce_only=True) == 0
    assert most("carol", "SOL_USDC", Side.BID, price=dec("33")) == dec("303.0")
    assert most("carol", "SOL_USDC", Side.ASK, price=dec("33")) == 0
    assert most("carol", "SOL_USDC", Side.BID) == 0  # nothing gives the market a price


def test_the_liquidation_price_is_where_the_account_is_liquidated() -> None:
    desk = PerpDesk()
    desk.trade("alice", "bob", "100", "500")
    desk.mark("100")
    price = desk.exchange.liquidation_price("alice", PERP)
    assert Decimal(84) < price < Decimal(85)  # 10000 + 500 (P - 100) = 500 P x 5 %
    desk.mark(f"{price + dec('0.01'):.2f}")
    assert desk.position("alice") is not None
    desk.mark(f"{price - dec('0.01'):.2f}")
    assert desk.position("alice") is None
    assert desk.exchange.liquidation_price("alice", PERP) == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"imf": MarginFunction(dec("0.01"))},
        {"mmf": MarginFunction(dec("-0.01"))},
        {"funding_cap": dec("-1")},
        {"funding_interval_us": 0},
    ],
)
def test_futures_rules_that_make_no_sense_are_errors(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"margin|funding"):
        FuturesSpec(**({"imf": FUTURES.imf, "mmf": FUTURES.mmf} | fields))  # type: ignore[arg-type]

"""What a market refuses: off-grid figures, orders that contradict themselves, wrong states, missing funds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from backpack_sdk.paper.engine import (
    BookState,
    Exchange,
    FeeRates,
    MarketSpec,
    NewOrder,
    OrderStatus,
    OrderType,
    Refused,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

from .engine_desk import SOL_USDC, Desk, dec


def limit(**changes: Any) -> NewOrder:
    fields: dict[str, Any] = {
        "symbol": "SOL_USDC",
        "side": Side.BID,
        "order_type": OrderType.LIMIT,
        "price": dec("100"),
        "quantity": dec("1"),
    }
    return NewOrder(**{**fields, **changes})


def market(**changes: Any) -> NewOrder:
    return limit(**{"order_type": OrderType.MARKET, "price": None, **changes})


@pytest.mark.parametrize(
    ("order", "code", "hint"),
    [
        (limit(price=dec("100.005")), "INVALID_PRICE", "tick size 0.01"),
        (limit(price=dec("0")), "INVALID_PRICE", "above zero"),
        (limit(price=dec("-1")), "INVALID_PRICE", "above zero"),
        (limit(price=Decimal("NaN")), "INVALID_PRICE", "above zero"),
        (limit(price=Decimal("Infinity")), "INVALID_PRICE", "above zero"),
        (limit(price=dec("1E+18")), "INVALID_PRICE", "below 10^18"),
        (limit(price=dec("1E-400")), "INVALID_PRICE", "tick size"),
        (limit(price=Decimal("1." + "1" * 400)), "INVALID_PRICE", "tick size"),
        (limit(price=dec("10000.01")), "INVALID_PRICE", "maximum 10000"),
        (limit(symbol="BTC_USDC", price=dec("5")), "INVALID_PRICE", "minimum 10"),
        (limit(quantity=dec("0.25")), "INVALID_QUANTITY", "step size 0.1"),
        (limit(quantity=dec("0")), "INVALID_QUANTITY", "above zero"),
        (limit(quantity=dec("0.1")), "INVALID_QUANTITY", "minimum 0.2"),
        (limit(quantity=dec("500.1")), "INVALID_QUANTITY", "maximum 500"),
        (market(quantity=dec("0.1")), "INVALID_QUANTITY", "minimum 0.2"),
        (market(quantity=None, quote_quantity=dec("0")), "INVALID_QUANTITY", "above zero"),
        (market(quantity=None, quote_quantity=dec("1E-19")), "INVALID_QUANTITY", "18 decimals"),
        (limit(price=None), "INVALID_ORDER", "price and a quantity"),
        (limit(quantity=None), "INVALID_ORDER", "price and a quantity"),
        (limit(quote_quantity=dec("5")), "INVALID_ORDER", "no quote quantity"),
        (limit(post_only=True, time_in_force=TimeInForce.IOC), "INVALID_ORDER", "post-only"),
        (limit(post_only=True, time_in_force=TimeInForce.FOK), "INVALID_ORDER", "post-only"),
        (market(price=dec("100")), "INVALID_ORDER", "no price"),
        (market(post_only=True), "INVALID_ORDER", "cannot be post-only"),
        (market(quantity=None), "INVALID_ORDER", "either"),
        (market(quote_quantity=dec("5")), "INVALID_ORDER", "either"),
        (limit(client_id=2**32), "INVALID_ORDER", "32-bit"),
        (limit(client_id=-1), "INVALID_ORDER", "32-bit"),
        (limit(symbol="NO_SUCH"), "INVALID_SYMBOL", "NO_SUCH"),
    ],
)
def test_an_order_against_the_rules_is_refused_and_leaves_no_trace(order: NewOrder, code: str, hint: str) -> None:
    refused = Desk().refusal("alice", order)
    assert (refused.code, refused.status) == (code, 400)
    assert hint in refused.message


def test_figures_on_the_edge_of_the_range_are_taken() -> None:
    desk = Desk()
    assert desk.bid("alice", "0.01", "500").status is OrderStatus.NEW
    assert desk.ask("alice", "10000", "0.2", client_id=2**32 - 1).status is OrderStatus.NEW
    assert desk.ask("alice", "10000.000", "0.20", client_id=0).status is OrderStatus.NEW


def test_the_tick_need_not_be_a_power_of_ten() -> None:
    desk = Desk()
    order = limit(symbol="BTC_USDC", quantity=dec("0.00001"), price=dec("50003"))
    assert desk.refusal("alice", order).code == "INVALID_PRICE"
    assert desk.bid("alice", "50005", "0.00001", symbol="BTC_USDC").price == 50005


def test_equal_prices_share_a_level_however_they_are_written() -> None:
    desk = Desk()
    desk.bid("alice", "86.7", "1")
    desk.bid("bob", "86.70000", "2")
    desk.bid("carol", "867E-1", "3")
    assert desk.bids() == [("86.7", "6")]


def test_an_unknown_account_is_unauthorized() -> None:
    with pytest.raises(Refused) as caught:
        Desk().place("mallory", limit())
    assert (caught.value.code, caught.value.status) == ("UNAUTHORIZED", 401)


@pytest.mark.parametrize("state", [BookState.CLOSED, BookState.CANCEL_ONLY])
def test_a_paused_market_takes_no_orders(state: BookState) -> None:
    desk = Desk()
    desk.exchange.set_book_state("SOL_USDC", state, now_us=desk.tick())
    for order in (limit(), market()):
        with pytest.raises(Refused) as caught:
            desk.place("alice", order)
        assert caught.value.code == "TRADING_PAUSED"
    assert desk.bid("alice", "50000", "0.00001", symbol="BTC_USDC").status is OrderStatus.NEW


def test_a_cancel_only_market_still_cancels() -> None:
    desk = Desk()
    order = desk.bid("alice", "100", "1")
    desk.exchange.set_book_state("SOL_USDC", BookState.CANCEL_ONLY, now_us=desk.tick())
    cancelled = desk.exchange.cancel("alice", "SOL_USDC", order_id=order.id, now_us=desk.tick()).value
    assert cancelled.status is OrderStatus.CANCELLED


def test_a_limit_only_market_refuses_market_orders_only() -> None:
    desk = Desk()
    desk.exchange.set_book_state("SOL_USDC", BookState.LIMIT_ONLY, now_us=desk.tick())
    assert desk.refusal("alice", market()).code == "TRADING_PAUSED"
    desk.ask("bob", "100", "1")
    assert desk.bid("alice", "100", "1").status is OrderStatus.FILLED


def test_closing_a_market_cancels_its_orders_and_frees_their_funds() -> None:
    desk = Desk()
    mine = desk.bid("alice", "100", "1")
    other = desk.ask("bob", "200", "1")
    elsewhere = desk.bid("alice", "50000", "0.1", symbol="BTC_USDC")
    desk.exchange.set_book_state("SOL_USDC", BookState.CLOSED, now_us=desk.tick())
    assert [order.id for order in desk.exchange.open_orders("alice")] == [elsewhere.id]
    assert desk.exchange.open_orders("bob") == ()
    for account, order in (("alice", mine), ("bob", other)):
        (kept,) = desk.exchange.order_history(account, order_id=order.id)
        assert kept.status is OrderStatus.CANCELLED
    assert desk.balance("bob", "SOL").locked == 0
    assert desk.balance("alice", "USDC").locked == 5000


def test_a_client_id_is_taken_while_its_order_is_open() -> None:
    desk = Desk()
    first = desk.bid("alice", "100", "1", client_id=7)
    assert "client id 7" in desk.refusal("alice", limit(client_id=7)).message
    assert desk.bid("bob", "100", "1", client_id=7).client_id == 7
    assert desk.bid("alice", "50000", "0.1", symbol="BTC_USDC", client_id=7).client_id == 7
    desk.exchange.cancel("alice", "SOL_USDC", client_id=7, now_us=desk.tick())
    again = desk.bid("alice", "100", "1", client_id=7)
    assert again.id != first.id
    desk.ask("carol", "100", "2", self_trade_prevention=SelfTradePrevention.REJECT_TAKER)
    assert desk.bid("alice", "100", "1", client_id=7).status is OrderStatus.NEW


@pytest.mark.parametrize(
    ("order", "asset"),
    [
        (limit(price=dec("1000"), quantity=dec("100.1")), "USDC"),
        (limit(side=Side.ASK, quantity=dec("500")), "SOL"),
        (market(side=Side.ASK, quantity=dec("500")), "SOL"),
        (market(quantity=dec("101")), "USDC"),
        (market(quantity=None, quote_quantity=dec("101000")), "USDC"),
    ],
)
def test_an_order_beyond_the_available_funds_is_refused(order: NewOrder, asset: str) -> None:
    desk = Desk()
    desk.ask("bob", "1000", "200")
    desk.ask("alice", "2000", "500.0")
    desk.ask("alice", "3000", "0.2")
    refused = desk.refusal("alice", order)
    assert refused.code == "INSUFFICIENT_FUNDS"
    assert asset in refused.message


def test_the_last_of_the_funds_can_be_spent() -> None:
    desk = Desk()
    desk.bid("alice", "1000", "100")
    assert desk.balance("alice", "USDC").available == 0
    assert desk.balance("alice", "USDC").locked == 100000


def test_a_quote_quantity_outside_the_quantity_filter_is_refused() -> None:
    desk = Desk()
    desk.ask("bob", "10", "400")
    desk.ask("carol", "10", "400")
    for quote_quantity in ("0.5", "1.9", "5010"):
        refused = desk.refusal("alice", market(quantity=None, quote_quantity=dec(quote_quantity)))
        assert refused.code == "INVALID_QUANTITY"
        assert quote_quantity in refused.message
    assert desk.market("alice", Side.BID, quote_quantity=dec("2")).executed_quantity == dec("0.2")
    assert desk.market("alice", Side.BID, quote_quantity=dec("5000")).executed_quantity == 500


@pytest.mark.parametrize(
    "changes",
    [
        {"tick_size": dec("0")},
        {"step_size": dec("-1")},
        {"min_price": Decimal("NaN")},
        {"tick_size": dec("1E-19")},
        {"max_price": dec("0.001")},
        {"max_quantity": dec("0.1")},
        {"quote": "SOL"},
    ],
)
def test_senseless_market_rules_are_an_error(changes: dict[str, Any]) -> None:
    fields = {name: getattr(SOL_USDC, name) for name in ("symbol", "base", "quote", "tick_size", "step_size")}
    fields |= {name: getattr(SOL_USDC, name) for name in ("min_price", "min_quantity")}
    with pytest.raises(ValueError, match="SOL_USDC"):
        MarketSpec(**{**fields, **changes})


@pytest.mark.parametrize(
    ("maker", "taker"), [("10001", "10"), ("-10001", "10"), ("8", "-1"), ("0.00001", "10"), ("NaN", "10")]
)
def test_senseless_fee_rates_are_an_error(maker: str, taker: str) -> None:
    with pytest.raises(ValueError, match="rate"):
        FeeRates(dec(maker), dec(taker))


def test_accounts_and_markets_exist_once() -> None:
    exchange = Exchange([SOL_USDC])
    exchange.open_account("alice")
    with pytest.raises(ValueError, match="alice"):
        exchange.open_account("alice")
    with pytest.raises(ValueError, match="SOL_USDC"):
        exchange.add_market(SOL_USDC)


@pytest.mark.parametrize(
    ("asset", "quantity", "code"),
    [
        ("DOGE", dec("1"), "INVALID_ASSET"),
        ("SOL", dec("0"), "INVALID_QUANTITY"),
        ("SOL", dec("1E-19"), "INVALID_QUANTITY"),
        ("SOL", dec("1E+18"), "INVALID_QUANTITY"),
        ("SOL", Decimal("sNaN"), "INVALID_QUANTITY"),
    ],
)
def test_a_senseless_deposit_is_refused(asset: str, quantity: Decimal, code: str) -> None:
    desk = Desk()
    with pytest.raises(Refused) as caught:
        desk.exchange.deposit("alice", asset, quantity, now_us=0)
    assert caught.value.code == code
    assert desk.balance("alice", "SOL").available == 1000

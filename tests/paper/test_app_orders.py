"""Orders over a socket: placed, found, traded, refused and cancelled, with balances that move."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter

from backpack_sdk import types
from backpack_sdk.paper import PaperExchange
from backpack_sdk.paper.engine import BookState

from .app_desk import API_KEY, ORDER, Trader, assert_fits, headers, now_ms, ok, refused, unreadable

DEPOSIT = {"available": "100000", "locked": "0", "staked": "0"}


def test_a_limit_order_rests_locks_its_funds_and_is_found(trader: Trader) -> None:
    before = now_ms()
    response = trader.order(clientId=7, price="99.50", quantity="2.0", postOnly=True, selfTradePrevention="RejectBoth")
    placed = ok(response)
    assert_fits("execute_order", placed)
    order_id, created = placed.pop("id"), placed.pop("createdAt")
    assert int(order_id) > 2**53
    assert before <= created <= now_ms()
    assert placed == {
        "orderType": "Limit", "symbol": "SOL_USDC", "side": "Bid", "status": "New", "timeInForce": "GTC",
        "selfTradePrevention": "RejectBoth", "postOnly": True, "clientId": 7, "price": "99.5", "quantity": "2",
        "executedQuantity": "0", "executedQuoteQuantity": "0",
    }  # fmt: skip
    assert isinstance(TypeAdapter(types.OrderType).validate_json(response.content), types.LimitOrder)
    assert trader.balances()["USDC"] == {"available": "99801", "locked": "199", "staked": "0"}
    by_id = trader.get("/api/v1/order", "orderQuery", symbol="SOL_USDC", orderId=order_id)
    by_client_id = trader.get("/api/v1/order", "orderQuery", symbol="SOL_USDC", clientId=7)
    assert ok(by_id) == ok(by_client_id) == response.json() == trader.open_orders()[0]
    assert_fits("get_order", ok(by_id))
    assert ["99.5", "2"] in ok(trader.get("/api/v1/depth", symbol="SOL_USDC"))["bids"]


@pytest.mark.parametrize("by", ["orderId", "clientId"])
def test_a_cancelled_order_is_shown_and_gives_its_funds_back(trader: Trader, by: str) -> None:
    placed = ok(trader.order(clientId=7))
    response = trader.cancel(symbol="SOL_USDC", **{by: placed["id"] if by == "orderId" else 7})
    assert ok(response) == placed | {"status": "Cancelled"}
    assert_fits("cancel_order", ok(response))
    assert trader.open_orders() == []
    assert trader.balances()["USDC"] == DEPOSIT


def test_cancelling_all_takes_one_market_only(trader: Trader) -> None:
    first, second = ok(trader.order()), ok(trader.order(price="101"))
    kept = ok(trader.order(symbol="BTC_USDC", price="1000"))
    conditional = {"symbol": "SOL_USDC", "orderType": "ConditionalOrder"}
    assert ok(trader.send("DELETE", "/api/v1/orders", "orderCancelAll", conditional)) == []
    cancelled = ok(trader.send("DELETE", "/api/v1/orders", "orderCancelAll", {"symbol": "SOL_USDC"}))
    assert_fits("cancel_open_orders", cancelled)
    assert [order["id"] for order in cancelled] == [first["id"], second["id"]]
    assert trader.open_orders() == [kept]


def test_open_orders_by_market_and_kind(trader: Trader) -> None:
    sol, btc = ok(trader.order()), ok(trader.order(symbol="BTC_USDC", price="1000"))

    def listed(**params: Any) -> Any:
        return ok(trader.get("/api/v1/orders", "orderQueryAll", **params))

    assert listed() == listed(marketType="SPOT") == [sol, btc]
    assert_fits("get_open_orders", listed())
    assert listed(symbol="BTC_USDC") == [btc]
    assert listed(marketType="PERP") == []


def test_orders_of_others_are_not_found(trader: Trader, other: Trader) -> None:
    placed = ok(trader.order())
    assert other.open_orders() == []
    refused(other.cancel(symbol="SOL_USDC", orderId=placed["id"]), "RESOURCE_NOT_FOUND", 404)
    refused(
        other.get("/api/v1/order", "orderQuery", symbol="SOL_USDC", orderId=placed["id"]), "RESOURCE_NOT_FOUND", 404
    )
    assert trader.open_orders() == [placed]


def test_two_accounts_trade_and_both_balances_move(trader: Trader, other: Trader) -> None:
    ok(trader.order(price="140.00", quantity="3"))
    sold = ok(other.order(side="Ask", price="140.00", quantity="1"))
    assert (sold["status"], sold["executedQuantity"], sold["executedQuoteQuantity"]) == ("Filled", "1", "140")
    # Base tier: 0.08 % of what the maker received, 0.10 % of what the taker received.
    assert trader.balances()["SOL"]["available"] == "1000.9992"
    assert trader.balances()["USDC"] == {"available": "99580", "locked": "280", "staked": "0"}
    assert other.balances()["USDC"]["available"] == "100139.86"
    assert other.balances()["SOL"]["available"] == "999"
    (resting,) = trader.open_orders()
    assert (resting["status"], resting["executedQuantity"]) == ("PartiallyFilled", "1")


def test_a_market_order_by_quote_quantity(trader: Trader) -> None:
    response = trader.order(orderType="Market", price=None, quantity=None, quoteQuantity="300")
    placed = ok(response)
    assert_fits("execute_order", placed)
    assert (placed["quoteQuantity"], placed["status"]) == ("300", "Filled")
    assert (placed["executedQuantity"], placed["executedQuoteQuantity"]) == ("2.14", "299.6214")
    assert not placed.keys() & {"quantity", "price", "postOnly"}
    assert isinstance(TypeAdapter(types.OrderType).validate_json(response.content), types.MarketOrder)


def test_what_an_immediate_order_could_not_trade_expires(trader: Trader) -> None:
    part = ok(trader.order(price="140.01", quantity="700", timeInForce="IOC"))
    assert part["status"] == "Expired"
    assert Decimal(0) < Decimal(part["executedQuantity"]) < 100
    nothing = ok(trader.order(timeInForce="IOC"))
    assert (nothing["status"], nothing["executedQuantity"]) == ("Expired", "0")
    assert trader.open_orders() == []


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"postOnly": True, "price": "150"}, "crosses the book"),
        ({"timeInForce": "FOK", "price": "100"}, "fill-or-kill"),
        ({"timeInForce": "FOK", "price": "140.01", "quantity": "500"}, "fill-or-kill"),
    ],
)
def test_an_order_that_may_not_trade_is_refused_and_stands_in_the_history(
    exchange: PaperExchange, trader: Trader, changes: dict[str, str], hint: str
) -> None:
    assert hint in refused(trader.order(**changes), "INVALID_ORDER")
    (order,) = exchange.engine.order_history(API_KEY)
    assert order.status == "Expired"
    assert trader.balances()["USDC"] == DEPOSIT


def test_a_market_in_post_only_state_refuses_takers(exchange: PaperExchange, trader: Trader) -> None:
    with exchange.lock:
        exchange.engine.set_book_state("SOL_USDC", BookState.POST_ONLY, now_us=exchange.clock())
    assert "resting orders only" in refused(trader.order(price="150"), "INVALID_ORDER")
    ok(trader.order())


@pytest.mark.parametrize(
    ("changes", "code", "hint"),
    [
        ({"price": "100.005"}, "INVALID_PRICE", "multiple of the tick size 0.01"),
        ({"price": "-1"}, "INVALID_PRICE", "above zero"),
        ({"quantity": "0.001"}, "INVALID_QUANTITY", "step size 0.01"),
        ({"quantity": "0"}, "INVALID_QUANTITY", "above zero"),
        ({"quantity": "1001"}, "INSUFFICIENT_FUNDS", "100000 USDC is available: 100 USDC short"),
        ({"symbol": "SOL_EUR"}, "INVALID_SYMBOL", "SOL_EUR"),
        ({"price": None}, "INVALID_ORDER", "needs a price"),
        ({"reduceOnly": True}, "INVALID_ORDER", "reduceOnly needs a position"),
        ({"triggerPrice": "90", "triggerQuantity": "1"}, "INVALID_ORDER", "size of a conditional order"),
        ({"triggerPrice": "90", "quantity": None}, "INVALID_ORDER", "triggerPrice and triggerQuantity go together"),
        ({"quantity": None, "triggerPrice": "90", "triggerQuantity": "80%"}, "INVALID_ORDER", "no position"),
        ({"quantity": None, "triggerPrice": "90", "triggerQuantity": "0"}, "INVALID_QUANTITY", "above zero"),
        ({"takeProfitTriggerPrice": "90"}, "INVALID_ORDER", "take profit"),
        ({"takeProfitLimitPrice": "200"}, "INVALID_ORDER", "takeProfitTriggerPrice"),
        ({"slippageTolerance": "1"}, "INVALID_ORDER", "go together"),
        ({"slippageTolerance": "1", "slippageToleranceType": "Percent"}, "INVALID_ORDER", "only market orders"),
        ({"autoLend": True}, "NOT_IMPLEMENTED", "autoLend"),
    ],
)
def test_a_bad_order_is_refused_with_the_reason_and_changes_nothing(
    exchange: PaperExchange, trader: Trader, changes: dict[str, Any], code: str, hint: str
) -> None:
    assert hint in refused(trader.order(**changes), code)
    assert exchange.engine.order_history(API_KEY) == ()
    assert trader.balances()["USDC"] == DEPOSIT


@pytest.mark.parametrize(
    "changes",
    [
        {"symbol": None}, {"symbol": 5}, {"side": "Buy"}, {"side": None}, {"orderType": "limit"}, {"orderType": None},
        {"price": 100}, {"price": 100.5}, {"price": "1E+2"}, {"price": "NaN"}, {"price": "١٠٠"}, {"price": ""},
        {"quantity": " 1"}, {"quantity": "1,0"}, {"quantity": True}, {"quantity": {}}, {"quoteQuantity": "1_0"},
        {"postOnly": "true"}, {"postOnly": 1}, {"reduceOnly": 0}, {"autoLendRedeem": "no"}, {"autoBorrow": 1},
        {"clientId": "7"}, {"clientId": -1}, {"clientId": 2**32}, {"clientId": True}, {"clientId": 7.0},
        {"brokerId": 65536}, {"timeInForce": "gtc"}, {"selfTradePrevention": "Allow"},
    ],
    ids=str,
)  # fmt: skip
def test_a_field_that_cannot_be_read_is_answered_in_plain_text(
    exchange: PaperExchange, trader: Trader, changes: dict[str, Any]
) -> None:
    (name,) = changes
    assert f"failed to parse {name}" in unreadable(trader.order(**changes))
    assert exchange.engine.order_history(API_KEY) == ()


def test_flags_without_effect_are_taken(trader: Trader) -> None:
    flags = {"autoBorrowRepay": True, "autoLendRedeem": True, "autoBorrow": False, "autoLend": False}
    ok(trader.order(**flags, reduceOnly=False, brokerId=500))


@pytest.mark.parametrize(
    ("ids", "code", "status"),
    [
        ({}, "INVALID_CLIENT_REQUEST", 400),
        ({"orderId": "1", "clientId": 1}, "INVALID_CLIENT_REQUEST", 400),
        ({"orderId": "abc"}, "INVALID_CLIENT_REQUEST", 400),
        ({"orderId": "1" * 30}, "INVALID_CLIENT_REQUEST", 400),
        ({"orderId": "1"}, "RESOURCE_NOT_FOUND", 404),
        ({"clientId": 1}, "RESOURCE_NOT_FOUND", 404),
    ],
)
def test_an_order_that_is_not_open_is_neither_found_nor_cancelled(
    trader: Trader, ids: dict[str, Any], code: str, status: int
) -> None:
    refused(trader.get("/api/v1/order", "orderQuery", symbol="SOL_USDC", **ids), code, status)
    refused(trader.cancel(symbol="SOL_USDC", **ids), code, status)


def test_an_order_id_in_a_body_is_text(trader: Trader) -> None:
    assert "failed to parse orderId" in unreadable(trader.cancel(symbol="SOL_USDC", orderId=28))


def test_a_batch_places_what_it_can(trader: Trader) -> None:
    orders: list[dict[str, Any]] = [
        ORDER,
        {**ORDER, "price": "100.001"},
        {**ORDER, "price": "150", "postOnly": True},
        {**ORDER, "triggerPrice": "5"},
        {**ORDER, "orderType": "Market", "clientId": 3},
        {**ORDER, "clientId": 4},
    ]
    del orders[4]["price"]
    response = trader.batch(orders)
    results = ok(response)
    assert_fits("execute_order_batch", results)
    assert [(item["operation"], item.get("code")) for item in results] == [
        ("Ok", None), ("Err", "INVALID_PRICE"), ("Err", "INVALID_ORDER"), ("Err", "INVALID_ORDER"),
        ("Ok", None), ("Ok", None),
    ]  # fmt: skip
    assert re.search("tick size", results[1]["message"])
    assert [order["id"] for order in trader.open_orders()] == [results[0]["id"], results[5]["id"]]


def test_a_batch_with_an_order_that_cannot_be_read_places_nothing(trader: Trader) -> None:
    assert "side" in unreadable(trader.batch([ORDER, {**ORDER, "side": "Buy"}]))
    assert trader.open_orders() == []


def test_a_batch_is_an_array_of_orders_and_an_order_is_none(trader: Trader) -> None:
    assert "an array is expected" in unreadable(trader.send("POST", "/api/v1/orders", "orderExecute", ORDER))
    assert "no order" in refused(trader.batch([]), "INVALID_CLIENT_REQUEST")
    now = now_ms()
    signed = headers(f"timestamp={now}&window=5000", now, 5000)
    assert "an object is expected" in unreadable(trader.http.post("/api/v1/order", json=[], headers=signed))

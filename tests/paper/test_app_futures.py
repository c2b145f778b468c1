"""Perpetuals, conditional orders and strategies over a socket, as a trader sees them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter

from backpack_sdk import types
from backpack_sdk.paper import PaperExchange

from .app_desk import API_KEY, Trader, assert_fits, ok, refused, unreadable

PERP = "SOL_USDC_PERP"
HOUR_US = 3_600_000_000
ORDER_NULLS = frozenset({"quantity", "quoteQuantity", "price", "clientId"})


def market_order(trader: Trader, side: str, quantity: str | None, **changes: Any) -> dict[str, Any]:
    """Trade against the default book of the perpetual."""
    fields = {"symbol": PERP, "side": side, "orderType": "Market", "price": None, "quantity": quantity}
    placed: dict[str, Any] = ok(trader.order(**(fields | changes)))
    assert_fits("execute_order", placed)
    return placed


def positions(trader: Trader, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(trader.get("/api/v1/position", "positionQuery", **params))
    assert_fits("get_positions", found)
    return found


def set_mark(exchange: PaperExchange, mark: str, index: str | None = None) -> None:
    """Fix the mark price, and the index with it."""
    with exchange.lock:
        exchange.engine.set_mark_price(
            PERP, Decimal(mark), Decimal(index if index is not None else mark), now_us=exchange.clock()
        )


def jump(exchange: PaperExchange, time_us: int) -> None:
    """Let the engine reach a time that the clock has not: requests are signed by the real one."""
    with exchange.lock:
        exchange.engine.advance(now_us=time_us)


def test_the_default_perpetuals_have_margin_and_funding_rules(trader: Trader) -> None:
    response = trader.http.get("/api/v1/markets", params={"marketType": "PERP"})
    markets = ok(response)
    assert_fits("get_markets", markets)
    assert [market["symbol"] for market in markets] == ["SOL_USDC_PERP", "BTC_USDC_PERP", "ETH_USDC_PERP"]
    sol = markets[0]
    assert sol["imfFunction"] == {"type": "sqrt", "base": "0.02", "factor": "0.00008"}
    assert (sol["fundingInterval"], sol["fundingRateUpperBound"]) == (3_600_000, "100")
    assert sol["filters"]["price"]["meanMarkPriceBand"] == {"minMultiplier": "0.5", "maxMultiplier": "1.5"}
    read = TypeAdapter(list[types.Market]).validate_json(response.content)
    assert read[0].funding_interval == 3_600_000


def test_a_position_is_opened_shown_and_closed(exchange: PaperExchange, trader: Trader) -> None:
    market_order(trader, "Bid", "2")
    set_mark(exchange, "141")
    response = trader.get("/api/v1/position", "positionQuery")
    (position,) = positions(trader)
    assert TypeAdapter(list[types.FuturePositionWithMargin]).validate_json(response.content)[0].net_quantity == 2
    assert (position["symbol"], position["netQuantity"], position["entryPrice"]) == (PERP, "2", "140.01")
    assert (position["pnlUnrealized"], position["netCost"], position["markPrice"]) == ("1.98", "280.02", "141")
    assert (position["estLiquidationPrice"], position["imf"][:3], position["mmf"][:6]) == ("0", "0.1", "0.0125")
    assert positions(trader, symbol=PERP) == positions(trader, marketType="PERP") == [position]
    assert positions(trader, marketType="SPOT") == positions(trader, symbol="BTC_USDC_PERP") == []
    refused(trader.get("/api/v1/position", "positionQuery", symbol="XYZ"), "INVALID_SYMBOL")
    market_order(trader, "Ask", "2", reduceOnly=True)
    assert positions(trader) == []
    (past,) = ok(trader.get("/wapi/v1/history/position", "positionHistoryQueryAll"))
    assert_fits("get_position_history", [past])
    assert (past["state"], past["closedVolume"], past["cumulativePnlRealized"]) == ("Closed", "2", "-0.04")
    assert (past["closingPrice"], past["entryPrice"]) == ("139.99", "140.01")
    fees = Decimal("0.0005") * (Decimal("280.02") + Decimal("279.98"))
    assert Decimal(trader.balances()["USDC"]["available"]) == 100_000 - Decimal("0.04") - fees
    fills = ok(trader.get("/wapi/v1/history/fills", "fillHistoryQueryAll", marketType="PERP"))
    assert [fill["feeSymbol"] for fill in fills] == ["USDC", "USDC"]
    assert ok(trader.get("/wapi/v1/history/fills", "fillHistoryQueryAll", marketType="SPOT")) == []


def test_the_position_history_filters_and_pages(trader: Trader) -> None:
    market_order(trader, "Bid", "1")
    market_order(trader, "Ask", "1")
    market_order(trader, "Ask", "1")

    def listed(**params: Any) -> list[str]:
        response = trader.get("/wapi/v1/history/position", "positionHistoryQueryAll", **params)
        return [row["state"] for row in ok(response)]

    assert listed() == ["Open", "Closed"]
    assert listed(sortDirection="Asc", limit=1) == ["Closed"]
    assert listed(state="Open", symbol=PERP, marketType="PERP") == ["Open"]
    assert listed(marketType="SPOT") == listed(symbol="BTC_USDC_PERP") == []


def test_margin_is_needed_and_the_refusal_says_so(trader: Trader) -> None:
    response = trader.order(symbol=PERP, price="140", quantity="50000")
    assert "more equity" in refused(response, "INSUFFICIENT_MARGIN")
    most = ok(trader.get("/api/v1/account/limits/order", "maxOrderQuantity", symbol=PERP, side="Bid", price="140"))
    assert_fits("get_max_order_quantity", most)
    assert most["price"] == "140"
    ok(trader.order(symbol=PERP, price="140", quantity=most["maxOrderQuantity"]))
    reducing = ok(
        trader.get(
            "/api/v1/account/limits/order",
            "maxOrderQuantity",
            symbol=PERP,
            side="Bid",
            reduceOnly=True,
            autoBorrow=False,
        )
    )
    assert reducing == {
        "symbol": PERP, "side": "Bid", "maxOrderQuantity": "0", "reduceOnly": True, "autoBorrow": False,
    }  # fmt: skip
    assert "price" in unreadable(
        trader.get("/api/v1/account/limits/order", "maxOrderQuantity", symbol=PERP, side="Bid", price="abc")
    )


def test_the_leverage_limit_is_set_and_kept(trader: Trader) -> None:
    def patch(**body: Any) -> Any:
        return trader.send("PATCH", "/api/v1/account", "accountUpdate", body)

    assert patch(leverageLimit="50").status_code == 200
    ok(trader.order(symbol=PERP, price="140", quantity="5000"))
    account = ok(trader.get("/api/v1/account", "accountQuery"))
    assert_fits("get_account", account)
    assert (account["leverageLimit"], account["futuresTakerFee"], account["limitOrders"]) == ("50", "5", 1)
    refused(patch(leverageLimit="1"), "MAX_LEVERAGE_REACHED")
    refused(patch(leverageLimit="51"), "INVALID_CLIENT_REQUEST")


def test_mark_prices_open_interest_and_funding(exchange: PaperExchange, trader: Trader) -> None:
    market_order(trader, "Bid", "10")
    set_mark(exchange, "141.12", "140")
    prices = ok(trader.get("/api/v1/markPrices"))
    assert_fits("get_mark_prices", prices)
    assert [price["symbol"] for price in prices] == ["SOL_USDC_PERP", "BTC_USDC_PERP", "ETH_USDC_PERP"]
    assert (prices[0]["markPrice"], prices[0]["indexPrice"]) == ("141.12", "140")
    due_us = prices[0]["nextFundingTimestamp"] * 1000
    assert 0 < due_us - exchange.clock() <= HOUR_US
    assert due_us % HOUR_US == 0
    (spot,) = ok(trader.get("/api/v1/markPrices", symbol="SOL_USDC"))
    assert "fundingRate" not in spot
    assert ok(trader.get("/api/v1/markPrices", marketType="SPOT"))[0]["symbol"] == "SOL_USDC"
    (interest,) = ok(trader.get("/api/v1/openInterest", symbol=PERP))
    assert_fits("get_open_interest", [interest])
    assert interest["openInterest"] == "10"
    assert len(ok(trader.get("/api/v1/openInterest"))) == 3
    refused(trader.get("/api/v1/openInterest", symbol="SOL_USDC"), "INVALID_MARKET")

    assert ok(trader.get("/api/v1/fundingRates", symbol=PERP)) == []
    jump(exchange, due_us)
    response = trader.get("/api/v1/fundingRates", symbol=PERP)
    (rate,) = ok(response)
    assert_fits("get_funding_interval_rates", [rate])
    assert (rate["intervalEndTimestamp"][13:], response.headers["X-TOTAL"]) == (":00:00", "1")
    (payment,) = ok(trader.get("/wapi/v1/history/funding", "fundingHistoryQueryAll"))
    assert_fits("get_funding_payments", [payment])
    assert Decimal(payment["quantity"]) == -Decimal(rate["fundingRate"]) * Decimal("1411.2")
    assert Decimal(positions(trader)[0]["cumulativeFundingPayment"]) == Decimal(payment["quantity"])
    assert ok(trader.get("/wapi/v1/history/funding", "fundingHistoryQueryAll", symbol="BTC_USDC_PERP")) == []
    refused(trader.get("/wapi/v1/history/funding", "fundingHistoryQueryAll", subaccountId=1), "NOT_IMPLEMENTED")


def test_there_are_no_settlements(trader: Trader) -> None:
    ask = ("/wapi/v1/history/settlement", "settlementHistoryQueryAll")
    assert ok(trader.get(*ask)) == ok(trader.get(*ask, source="RealizePnl")) == []
    assert "source" in unreadable(trader.get(*ask, source="Nothing"))


def test_a_stop_loss_waits_goes_off_and_is_in_the_history(exchange: PaperExchange, trader: Trader) -> None:
    market_order(trader, "Bid", "3")
    waiting = market_order(
        trader,
        "Ask",
        None,
        triggerPrice="130",
        triggerBy="MarkPrice",
        triggerQuantity="80%",
        reduceOnly=True,
        clientId=5,
    )
    assert (waiting["status"], waiting["triggerQuantity"], waiting["triggerBy"]) == (
        "TriggerPending",
        "80%",
        "MarkPrice",
    )
    assert waiting["reduceOnly"] is True
    assert ok(trader.get("/api/v1/account", "accountQuery"))["triggerOrders"] == 1
    shown = ok(trader.get("/api/v1/order", "orderQuery", symbol=PERP, clientId=5))
    assert shown == waiting
    assert ok(trader.get("/api/v1/orders", "orderQueryAll", marketType="SPOT")) == []
    set_mark(exchange, "130")
    assert trader.open_orders() == []
    history = ok(trader.get("/wapi/v1/history/orders", "orderHistoryQueryAll", orderId=waiting["id"]))
    assert_fits("get_order_history", history, nullable=ORDER_NULLS)
    assert (history[0]["status"], history[0]["executedQuantity"], history[0]["triggerPrice"]) == (
        "Filled",
        "2.4",
        "130",
    )
    assert positions(trader)[0]["netQuantity"] == "0.6"


def test_a_waiting_limit_order_fits_the_document(trader: Trader) -> None:
    body = {
        "symbol": PERP, "side": "Ask", "orderType": "Limit", "price": "150", "quantity": None, "triggerPrice": "149",
        "triggerQuantity": "1.5",
    }  # fmt: skip
    placed = ok(trader.order(**body))
    assert_fits("execute_order", placed)
    assert (placed["quantity"], placed["triggerBy"]) == ("1.5", "LastPrice")
    cancelled = ok(
        trader.send("DELETE", "/api/v1/orders", "orderCancelAll", {"symbol": PERP, "orderType": "ConditionalOrder"})
    )
    assert_fits("cancel_open_orders", cancelled)
    assert [order["id"] for order in cancelled] == [placed["id"]]


def test_a_bracket_protects_its_entry(exchange: PaperExchange, trader: Trader) -> None:
    entry = market_order(
        trader, "Bid", "2", stopLossTriggerPrice="130", stopLossTriggerBy="MarkPrice", takeProfitTriggerPrice="150",
        takeProfitLimitPrice="149.5",
    )  # fmt: skip
    assert (entry["stopLossTriggerPrice"], entry["takeProfitLimitPrice"]) == ("130", "149.5")
    legs = trader.open_orders()
    assert_fits("get_open_orders", legs)
    assert [(leg["relatedOrderId"], leg["triggerQuantity"], leg["orderType"]) for leg in legs] == [
        (entry["id"], "2", "Market"), (entry["id"], "2", "Limit"),
    ]  # fmt: skip
    set_mark(exchange, "130")
    assert trader.open_orders() == []
    assert positions(trader) == []


def test_a_market_order_within_its_slippage_tolerance(trader: Trader) -> None:
    placed = market_order(trader, "Bid", "500", slippageTolerance="0", slippageToleranceType="TickSize")
    assert (placed["slippageTolerance"], placed["status"]) == ("0", "Expired")
    assert 0 < Decimal(placed["executedQuantity"]) < 100


def test_reduce_only_without_a_position_is_refused(trader: Trader) -> None:
    response = trader.order(symbol=PERP, side="Ask", price="150", quantity="1", reduceOnly=True)
    assert "reduce-only" in refused(response, "INVALID_ORDER")


def test_prices_out_of_their_band_are_refused(exchange: PaperExchange, trader: Trader) -> None:
    set_mark(exchange, "140")
    response = trader.order(symbol=PERP, price="211", quantity="1")
    assert "1.5 times the mark price" in refused(response, "INVALID_PRICE")


def test_a_liquidation_shows_in_fills_and_orders(exchange: PaperExchange, trader: Trader) -> None:
    trader.send("PATCH", "/api/v1/account", "accountUpdate", {"leverageLimit": "50"})
    with exchange.lock:  # only USDC counts, or the other assets would save the account
        for asset in ("SOL", "BTC", "ETH"):
            exchange.engine.set_mark_price(f"{asset}_USDC", Decimal("0.01"), Decimal("0.01"), now_us=exchange.clock())
    set_mark(exchange, "140")
    market_order(trader, "Ask", "500")
    account = trader.balances()["USDC"]
    assert Decimal(account["available"]) > 0
    set_mark(exchange, "400")
    assert positions(trader) == []
    fills = ok(trader.get("/wapi/v1/history/fills", "fillHistoryQueryAll", fillType="BookLiquidation"))
    assert_fits("get_fills", fills)
    assert fills[0]["systemOrderType"] == "LiquidatePositionOnBook"
    orders = ok(trader.get("/wapi/v1/history/orders", "orderHistoryQueryAll", limit=1))
    assert_fits("get_order_history", orders, nullable=ORDER_NULLS)
    assert orders[0]["systemOrderType"] == "LiquidatePositionOnBook"
    assert not ok(trader.get("/api/v1/account", "accountQuery"))["liquidating"]


STRATEGY = {
    "strategyType": "Scheduled", "symbol": PERP, "side": "Bid", "quantity": "1", "duration": 600_000,
    "interval": 60_000,
}  # fmt: skip


def create(trader: Trader, **changes: Any) -> Any:
    body = {name: value for name, value in (STRATEGY | changes).items() if value is not None}
    return trader.send("POST", "/api/v1/strategy", "strategyCreate", body)


def test_a_strategy_runs_as_time_passes(exchange: PaperExchange, trader: Trader) -> None:
    response = create(trader, clientStrategyId=9, slippageTolerance="1", slippageToleranceType="Percent")
    started = ok(response)
    assert_fits("strategy_create", started)
    assert (started["status"], started["executedQuantity"]) == ("Running", "0.1")
    by_id = trader.get("/api/v1/strategy", "strategyQuery", symbol=PERP, strategyId=started["id"])
    by_client_id = trader.get("/api/v1/strategy", "strategyQuery", symbol=PERP, clientStrategyId=9)
    assert ok(by_id) == ok(by_client_id) == started
    assert ok(trader.get("/api/v1/strategies", "strategyQueryAll")) == [started]
    assert ok(trader.get("/api/v1/strategies", "strategyQueryAll", marketType="SPOT")) == []
    jump(exchange, (started["createdAt"] + 541_000) * 1000)
    (past,) = ok(trader.get("/wapi/v1/history/strategies", "strategyHistoryQueryAll"))
    assert_fits("get_strategies_history", [past])
    assert (past["status"], past["executedQuantity"], past["id"]) == ("Completed", "1", started["id"])
    fills = ok(trader.get("/wapi/v1/history/fills", "fillHistoryQueryAll", strategyId=started["id"]))
    assert sum(Decimal(fill["quantity"]) for fill in fills) == 1
    orders = ok(trader.get("/wapi/v1/history/orders", "orderHistoryQueryAll", strategyId=started["id"]))
    assert {order["strategyId"] for order in orders} == {started["id"]}
    refused(trader.get("/api/v1/strategy", "strategyQuery", symbol=PERP, strategyId="1"), "RESOURCE_NOT_FOUND", 404)


def test_strategies_are_cancelled(trader: Trader) -> None:
    first, second = ok(create(trader)), ok(create(trader, side="Ask", clientStrategyId=2))
    one = trader.send("DELETE", "/api/v1/strategy", "strategyCancel", {"symbol": PERP, "strategyId": first["id"]})
    assert_fits("cancel_strategy", ok(one))
    assert ok(one)["status"] == "Cancelled"
    rest = ok(trader.send("DELETE", "/api/v1/strategies", "strategyCancelAll", {"symbol": PERP}))
    assert_fits("cancel_open_strategies", rest)
    assert [strategy["id"] for strategy in rest] == [second["id"]]
    history = trader.get("/wapi/v1/history/strategies", "strategyHistoryQueryAll", symbol=PERP, marketType="PERP")
    assert [row["status"] for row in ok(history)] == ["Cancelled", "Cancelled"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantity": None}, "INVALID_ORDER"),
        ({"interval": None}, "INVALID_ORDER"),
        ({"postOnly": True}, "INVALID_ORDER"),
        ({"slippageTolerance": "1"}, "INVALID_ORDER"),
        ({"autoBorrow": True}, "NOT_IMPLEMENTED"),
        ({"quantity": "0.001"}, "INVALID_QUANTITY"),
    ],
)
def test_a_strategy_that_cannot_be_is_refused(trader: Trader, changes: dict[str, Any], code: str) -> None:
    refused(create(trader, **changes), code)
    assert ok(trader.get("/wapi/v1/history/strategies", "strategyHistoryQueryAll")) == []


@pytest.mark.parametrize(
    "changes", [{"strategyType": None}, {"strategyType": "Grid"}, {"duration": "600"}, {"interval": -1}], ids=str
)
def test_a_strategy_that_cannot_be_read_is_answered_in_plain_text(trader: Trader, changes: dict[str, Any]) -> None:
    (name,) = changes
    assert f"failed to parse {name}" in unreadable(create(trader, **changes))


@pytest.mark.parametrize("size", ["80 %", "%", "-1", "1e3", "80%%", "x"])
def test_a_trigger_quantity_that_cannot_be_read(trader: Trader, size: str) -> None:
    response = trader.order(symbol=PERP, quantity=None, triggerPrice="130", triggerQuantity=size)
    assert "failed to parse triggerQuantity" in unreadable(response)


def test_accounts_have_numbers(exchange: PaperExchange, trader: Trader) -> None:
    market_order(trader, "Bid", "1")
    assert positions(trader)[0]["userId"] == exchange.engine.user_id(API_KEY) > 0

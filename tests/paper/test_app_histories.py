"""Past orders, fills, the account and its collateral."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter

from backpack_sdk import types
from backpack_sdk.paper import PaperExchange
from backpack_sdk.paper.engine import MARKET_MAKER, BookState, FeeRates

from .app_desk import API_KEY, Trader, assert_fits, ok, refused, unreadable

ORDERS, FILLS = "/wapi/v1/history/orders", "/wapi/v1/history/fills"
ORDER_NULLS = frozenset({"quantity", "quoteQuantity", "price", "clientId"})


def history(trader: Trader, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(trader.get(ORDERS, "orderHistoryQueryAll", **params))
    assert_fits("get_order_history", found, nullable=ORDER_NULLS)
    return found


def fills(trader: Trader, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(trader.get(FILLS, "fillHistoryQueryAll", **params))
    assert_fits("get_fills", found)
    return found


def test_the_history_tells_every_order_with_nulls_for_what_it_lacks(exchange: PaperExchange, trader: Trader) -> None:
    start = exchange.clock() // 1_000_000 * 1_000_000 + 1_000_000
    exchange.clock = lambda: start
    bought = ok(trader.order(orderType="Market", price=None, quantity=None, quoteQuantity="300", clientId=9))
    exchange.clock = lambda: start + 123_000
    refused(trader.order(postOnly=True, price="150"), "INVALID_ORDER")
    exchange.clock = lambda: start + 123_456
    resting = ok(trader.order())
    response = trader.get(ORDERS, "orderHistoryQueryAll")
    orders = history(trader)
    assert [order["id"] for order in orders][::2] == [resting["id"], bought["id"]]
    assert [order["status"] for order in orders] == ["New", "Expired", "Filled"]
    assert [order.get("expiryReason") for order in orders] == [None, "PostOnlyTaker", None]
    assert [order["createdAt"][19:] for order in orders] == [".123456", ".123", ""]
    market = orders[2]
    assert (market["price"], market["quantity"], market["quoteQuantity"], market["clientId"]) == (None, None, "300", 9)
    assert orders[0]["clientId"] is None
    read = TypeAdapter(list[types.Order]).validate_json(response.content)
    assert int(read[2].created_at.timestamp()) == start // 1_000_000


def test_order_pages_filters_and_direction(trader: Trader) -> None:
    ids = [ok(trader.order(price=str(100 + n)))["id"] for n in range(4)]
    ids.append(ok(trader.order(symbol="BTC_USDC", price="1000"))["id"])

    def listed(**params: Any) -> list[str]:
        return [order["id"] for order in history(trader, **params)]

    assert listed() == ids[::-1]
    assert listed(sortDirection="Asc", limit=2, offset=1) == ids[1:3]
    assert listed(symbol="SOL_USDC", limit=1) == [ids[3]]
    assert listed(orderId=ids[2]) == [ids[2]]
    assert listed(marketType="PERP") == listed(strategyId="1") == listed(offset=5) == listed(limit=0) == []
    refused(trader.get(ORDERS, "orderHistoryQueryAll", limit=1001), "INVALID_CLIENT_REQUEST")
    refused(trader.get(ORDERS, "orderHistoryQueryAll", orderId="x"), "INVALID_CLIENT_REQUEST")
    assert "sortDirection" in unreadable(trader.get(ORDERS, "orderHistoryQueryAll", sortDirection="Up"))


def test_a_fill_tells_its_fee_and_its_client_id_as_text(trader: Trader) -> None:
    placed = ok(trader.order(price="140.01", quantity="2", clientId=77))
    (fill,) = fills(trader)
    stamp = fill.pop("timestamp")
    assert fill == {
        "tradeId": 1, "orderId": placed["id"], "clientId": "77", "symbol": "SOL_USDC", "side": "Bid",
        "price": "140.01", "quantity": "2", "fee": "0.002", "feeSymbol": "SOL", "isMaker": False,
    }  # fmt: skip
    response = trader.get(FILLS, "fillHistoryQueryAll")
    (read,) = TypeAdapter(list[types.OrderFill]).validate_json(response.content)
    assert read.timestamp.isoformat().startswith(stamp[:19])


def test_fill_pages_filters_and_bounds_in_milliseconds(exchange: PaperExchange, trader: Trader) -> None:
    start_ms = exchange.clock() // 1_000 + 1_000
    ids: list[str] = []
    for step in range(3):
        exchange.clock = lambda at=start_ms + step: at * 1_000 + 999  # type: ignore[misc]
        ids.append(ok(trader.order(price="140.01", quantity="0.1"))["id"])

    def listed(**params: Any) -> list[str]:
        return [fill["orderId"] for fill in fills(trader, **params)]

    assert listed() == ids[::-1]
    assert listed(**{"from": start_ms + 1}) == [ids[2], ids[1]]
    assert listed(**{"to": start_ms + 1}) == [ids[1], ids[0]]
    assert listed(**{"from": start_ms + 1, "to": start_ms + 1}) == [ids[1]]
    assert listed(sortDirection="Asc", limit=1, offset=1) == [ids[1]]
    assert listed(orderId=ids[0], symbol="SOL_USDC", fillType="User", marketType="SPOT") == [ids[0]]
    assert listed(fillType="Adl") == listed(symbol="BTC_USDC") == listed(strategyId="4") == []


def test_the_account_tells_its_fees_in_basis_points(exchange: PaperExchange, trader: Trader) -> None:
    ok(trader.order())
    with exchange.lock:
        exchange.engine.set_fees(API_KEY, FeeRates(Decimal("-0.5"), Decimal("9.50")))
    response = trader.get("/api/v1/account", "accountQuery")
    account = ok(response)
    assert_fits("get_account", account)
    assert (account["spotMakerFee"], account["spotTakerFee"], account["limitOrders"]) == ("-0.5", "9.5", 1)
    assert types.AccountSummary.model_validate_json(response.content).spot_taker_fee == Decimal("9.5")


def test_balances_are_those_of_the_deposits(exchange: PaperExchange, trader: Trader) -> None:
    exchange.deposit(API_KEY, "USDC", "0.000001")
    response = trader.get("/api/v1/capital", "balanceQuery")
    balances = ok(response)
    assert_fits("get_balances", balances)
    assert {asset: balance["available"] for asset, balance in balances.items()} == {
        "USDC": "100000.000001", "SOL": "1000", "BTC": "2", "ETH": "50",
    }  # fmt: skip


def test_collateral_is_valued_in_usdc(trader: Trader) -> None:
    ok(trader.order())
    response = trader.get("/api/v1/capital/collateral", "collateralQuery")
    summary = ok(response)
    assert_fits("get_collateral", summary)
    # 100000 USDC + 1000 SOL at 140 + 2 BTC at 65000 + 50 ETH at 3000, each in the middle of its book.
    assert (summary["netEquity"], summary["netEquityLocked"]) == ("520000", "100")
    assert summary["netEquityAvailable"] == "519900"
    assert types.MarginAccountSummary.model_validate_json(response.content).assets_value == Decimal(520000)
    ok(trader.order(price="140.01", quantity="1"))
    sol = next(
        row
        for row in ok(trader.get("/api/v1/capital/collateral", "collateralQuery"))["collateral"]
        if row["symbol"] == "SOL"
    )
    assert (sol["assetMarkPrice"], sol["totalQuantity"]) == ("140.01", "1000.999")


@pytest.mark.parametrize("subaccount", [0, 1])
def test_there_are_no_subaccounts(trader: Trader, subaccount: int) -> None:
    refused(trader.get("/api/v1/capital/collateral", "collateralQuery", subaccountId=subaccount), "NOT_IMPLEMENTED")


def test_collateral_without_a_price_counts_nothing(exchange: PaperExchange, trader: Trader) -> None:
    with exchange.lock:
        for symbol in ("SOL_USDC", "BTC_USDC"):
            exchange.engine.set_book_state(symbol, BookState.CLOSED, now_us=exchange.clock())
        exchange.engine.cancel_all(MARKET_MAKER, "ETH_USDC", now_us=exchange.clock())
    summary = ok(trader.get("/api/v1/capital/collateral", "collateralQuery"))
    assert_fits("get_collateral", summary)
    assert summary["netEquity"] == "100000"
    assert {row["symbol"]: row["assetMarkPrice"] for row in summary["collateral"]} == {
        "USDC": "1", "SOL": "0", "BTC": "0", "ETH": "0",
    }  # fmt: skip

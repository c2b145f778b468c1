"""Borrowing and lending over the socket: pools, positions, interest, limits and histories."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from .app_desk import assert_fits, ok, refused, unreadable
from .service_desk import Bank, Holder, banking

POSITIONS = "/api/v1/borrowLend/positions"
HISTORY, PAST, INTEREST = (
    "/wapi/v1/history/borrowLend",
    "/wapi/v1/history/borrowLend/positions",
    "/wapi/v1/history/interest",
)


@pytest.fixture
def bank() -> Iterator[Bank]:
    with banking() as running:
        yield running


def act(holder: Holder, side: str, symbol: str, quantity: str) -> Any:
    return holder.post("/api/v1/borrowLend", "borrowLendExecute", side=side, symbol=symbol, quantity=quantity)


def done(holder: Holder, side: str, symbol: str, quantity: str) -> None:
    response = act(holder, side, symbol, quantity)
    assert (response.status_code, response.content) == (200, b""), response.text


def positions(holder: Holder) -> list[dict[str, Any]]:
    found = holder.rows(POSITIONS, "borrowLendPositionQuery")
    assert_fits("get_borrow_lend_positions", found)
    return found


def pool(holder: Holder, symbol: str) -> dict[str, Any]:
    found = ok(holder.get("/api/v1/borrowLend/markets"))
    assert_fits("get_borrow_lend_markets", found)
    return next(market for market in found if market["symbol"] == symbol)


def test_lent_funds_leave_the_balance_and_show_as_collateral_and_as_a_position(bank: Bank) -> None:
    done(bank.alice, "Lend", "USDC", "40000")
    assert bank.alice.available("USDC") == "60000"
    (position,) = positions(bank.alice)
    assert (position["symbol"], position["netQuantity"]) == ("USDC", "40000")
    assert (position["netExposureQuantity"], position["netExposureNotional"]) == ("0", "0")
    summary = bank.alice.collateral()
    assert_fits("get_collateral", summary)
    usdc = next(row for row in summary["collateral"] if row["symbol"] == "USDC")
    assert (usdc["lendQuantity"], usdc["availableQuantity"], usdc["totalQuantity"]) == ("40000", "60000", "100000")
    assert summary["netEquity"] == "520000"
    assert pool(bank.alice, "USDC")["lentQuantity"] == "10040000"


def test_borrowing_brings_funds_a_debt_and_a_margin(bank: Bank) -> None:
    done(bank.alice, "Borrow", "SOL", "100")
    assert bank.alice.available("SOL") == "1100"
    (position,) = positions(bank.alice)
    assert (position["netQuantity"], position["netExposureNotional"], position["imf"]) == ("-100", "-14000", "0.1")
    summary = bank.alice.collateral()
    assert (summary["netEquity"], summary["borrowLiability"]) == ("520000", "14000")
    assert (summary["imf"], summary["mmf"]) == ("0.1", "0.05")
    assert Decimal(summary["marginFraction"]) == (Decimal(520000) / 14000).quantize(Decimal("1E-8"), "ROUND_DOWN")


def test_a_debt_grows_every_hour_and_is_paid_back_to_the_last_digit(bank: Bank) -> None:
    done(bank.alice, "Borrow", "SOL", "10000")
    rate = Decimal(pool(bank.alice, "SOL")["borrowInterestRate"])
    bank.wait(hours=2)
    (position,) = positions(bank.alice)
    owed = -Decimal(position["netQuantity"])
    assert 10000 < owed < 10000 * (1 + rate * 3 / 8760)
    assert Decimal(position["cumulativeInterest"]) == owed - 10000
    rows = bank.alice.rows(INTEREST, "interestHistoryQueryAll")
    assert_fits("get_interest_history", rows)
    assert [row["interval"] for row in rows] == [3_600_000, 2_800_000]
    assert {(row["paymentType"], row["symbol"], row["marketSymbol"]) for row in rows} == {("Borrow", "SOL", "SOL_USDC")}
    assert sum(Decimal(row["quantity"]) for row in rows) == owed - 10000
    done(bank.alice, "Lend", "SOL", str(owed.quantize(Decimal("0.01"))))
    assert positions(bank.alice) == []
    (past,) = bank.alice.rows(PAST, "borrowPositionHistoryQueryAll", state="Closed")
    assert_fits("get_borrow_lend_position_history", [past])
    assert (past["quantity"], past["side"], past["source"]) == ("0", "Borrow", "Manual")
    assert abs(Decimal(past["avgInterestRate"]) - rate) < Decimal("0.0001")
    assert Decimal(bank.alice.available("SOL")) == 11000 - 10000 - Decimal(past["cumulativeInterest"])


def test_a_position_must_be_undone_before_the_other_side_opens(bank: Bank) -> None:
    done(bank.alice, "Lend", "SOL", "10")
    assert "redeem" in refused(act(bank.alice, "Borrow", "SOL", "11"), "BORROW_REQUIRES_LEND_REDEEM")
    done(bank.alice, "Borrow", "SOL", "4")
    assert positions(bank.alice)[0]["netQuantity"] == "6"
    done(bank.alice, "Borrow", "SOL", "6")
    done(bank.alice, "Borrow", "SOL", "5")
    assert "pay back" in refused(act(bank.alice, "Lend", "SOL", "6"), "LEND_REQUIRES_BORROW_REPAY")
    rows = bank.alice.rows(HISTORY, "borrowHistoryQueryAll")
    assert_fits("get_borrow_lend_history", rows)
    assert [(row["eventType"], row["quantity"], row["positionQuantity"]) for row in rows] == [
        ("Borrow", "5", "5"),
        ("LendRedeem", "6", "0"),
        ("LendRedeem", "4", "6"),
        ("Lend", "10", "10"),
    ]
    assert bank.alice.available("SOL") == "1005"


def test_what_a_pool_or_an_account_can_not_give_is_refused(bank: Bank) -> None:
    poor = bank.open(1, USDC="1000")
    refused(act(poor, "Lend", "USDC", "1000.01"), "INSUFFICIENT_FUNDS")
    refused(act(poor, "Borrow", "SOL", "100"), "INSUFFICIENT_MARGIN")
    refused(act(bank.alice, "Borrow", "SOL", "47501"), "INSUFFICIENT_SUPPLY")
    refused(act(bank.alice, "Borrow", "USDC", "10000001"), "BORROW_LIMIT")
    refused(act(bank.alice, "Borrow", "SOL", "0.001"), "INVALID_QUANTITY")
    refused(act(bank.alice, "Borrow", "SOL", "0"), "INVALID_QUANTITY")
    refused(act(bank.alice, "Borrow", "DOGE", "1"), "INVALID_ASSET")
    assert "side" in unreadable(act(bank.alice, "Sell", "SOL", "1"))
    assert positions(bank.alice) == positions(poor) == []


def test_the_largest_borrow_is_the_largest(bank: Bank) -> None:
    poor = bank.open(1, USDC="1000")
    found = ok(poor.get("/api/v1/account/limits/borrow", "maxBorrowQuantity", symbol="SOL"))
    assert_fits("get_max_borrow_quantity", found)
    most = Decimal(found["maxBorrowQuantity"])
    assert most > 0
    refused(act(poor, "Borrow", "SOL", str(most + Decimal("0.01"))), "INSUFFICIENT_MARGIN")
    done(poor, "Borrow", "SOL", str(most))
    refused(poor.get("/api/v1/account/limits/borrow", "maxBorrowQuantity", symbol="DOGE"), "INVALID_ASSET")


def test_the_estimate_is_where_equity_meets_the_maintenance_margin(bank: Bank) -> None:
    poor = bank.open(1, USDC="1000")

    def estimate(plan: object) -> Any:
        text = base64.b64encode(json.dumps(plan).encode()).decode()
        return poor.get(
            "/api/v1/borrowLend/position/liquidationPrice", "borrowLendPositionLiquidationPrice", borrow=text
        )

    found = ok(estimate({"quantity": "5", "side": "Borrow", "symbol": "SOL"}))
    assert_fits("get_borrow_lend_estimated_liquidation_price", found)
    # 1000 USDC + 5 SOL - 5 SOL = 0.05 x 5 SOL.
    assert (found["liquidationPrice"], found["markPrice"]) == ("4000", "140")
    done(poor, "Borrow", "SOL", "5")
    assert positions(poor)[0]["estLiquidationPrice"] == "4000"
    assert ok(estimate({"quantity": "5", "side": "Lend", "symbol": "SOL"}))["liquidationPrice"] == "0"
    for plan in ("SOL", {"side": "Borrow", "symbol": "SOL"}, {"quantity": "1", "side": "Borrow", "symbol": "DOGE"}):
        refused(estimate(plan), "INVALID_CLIENT_REQUEST")
    path, instruction = "/api/v1/borrowLend/position/liquidationPrice", "borrowLendPositionLiquidationPrice"
    refused(poor.get(path, instruction, borrow="*"), "INVALID_CLIENT_REQUEST")


def test_automatic_lending_takes_what_is_free_and_what_comes(bank: Bank) -> None:
    path = "/api/v1/account"
    assert ok(bank.alice.get(path, "accountQuery"))["autoLend"] is False
    response = bank.alice.send("PATCH", path, "accountUpdate", {"autoLend": True, "leverageLimit": "5"})
    assert (response.status_code, response.content) == (200, b"")
    account = ok(bank.alice.get(path, "accountQuery"))
    assert_fits("get_account", account)
    assert (account["autoLend"], account["leverageLimit"]) == (True, "5")
    assert bank.alice.balances()["USDC"]["available"] == "0"
    bank.exchange.deposit(bank.alice.key, "USDC", "5.005")
    assert bank.alice.balances()["USDC"]["available"] == "0.005"
    rows = bank.alice.rows(HISTORY, "borrowHistoryQueryAll", sources="AutoLend", symbol="USDC")
    assert [row["quantity"] for row in rows] == ["5", "100000"]
    assert bank.alice.collateral()["netEquity"] == "520005.005"
    refused(bank.alice.send("PATCH", path, "accountUpdate", {"leverageLimit": "51"}), "INVALID_CLIENT_REQUEST")


def test_automatic_repayment_pays_back_with_what_comes(bank: Bank) -> None:
    poor = bank.open(1, USDC="1000")
    done(poor, "Borrow", "SOL", "5")
    ok(poor.order(symbol="SOL_USDC", side="Ask", orderType="Market", price=None, quantity="5"))
    assert poor.send("PATCH", "/api/v1/account", "accountUpdate", {"autoRepayBorrows": True}).status_code == 200
    assert positions(poor)[0]["netQuantity"] == "-5"
    ok(poor.order(symbol="SOL_USDC", side="Bid", orderType="Market", price=None, quantity="3"))
    bank.wait(hours=1)
    (row,) = poor.rows(HISTORY, "borrowHistoryQueryAll", type="BorrowRepay")
    assert (row["source"], row["quantity"]) == ("AutoBorrowRepay", "2.997")


def test_a_spot_order_may_draw_on_lent_and_on_borrowed_funds(bank: Bank) -> None:
    poor = bank.open(1, USDC="1000", SOL="1")
    done(poor, "Lend", "SOL", "0.5")
    sale = {"side": "Ask", "orderType": "Market", "price": None}
    refused(poor.order(**sale, quantity="0.8"), "INSUFFICIENT_FUNDS")
    refused(poor.order(**sale, quantity="0.8", autoBorrow=True), "INSUFFICIENT_FUNDS")
    assert ok(poor.order(**sale, quantity="0.8", autoLendRedeem=True))["status"] == "Filled"
    assert positions(poor)[0]["netQuantity"] == "0.2"
    assert ok(poor.order(**sale, quantity="0.2", autoLendRedeem=True))["status"] == "Filled"
    assert ok(poor.order(**sale, quantity="5", autoBorrow=True))["status"] == "Filled"
    assert positions(poor)[0]["netQuantity"] == "-5"
    refused(poor.order(**sale, quantity="500", autoBorrow=True), "INSUFFICIENT_MARGIN")
    rows = poor.rows(HISTORY, "borrowHistoryQueryAll", sources="SpotMargin")
    assert [(row["eventType"], row["quantity"]) for row in rows] == [
        ("Borrow", "5"),
        ("LendRedeem", "0.2"),
        ("LendRedeem", "0.3"),
    ]


def test_rates_follow_utilization_and_history_tells_them(bank: Bank) -> None:
    before = pool(bank.alice, "BTC")
    assert (before["utilization"], before["borrowInterestRate"], before["lendInterestRate"]) == ("0", "0.01", "0")
    rich = bank.open(1, USDC="900000", BTC="1")
    done(rich, "Borrow", "BTC", "80")
    after = pool(bank.alice, "BTC")
    # At the kink: 6 %, of which lenders get 80 % less the fee of a tenth.
    assert (after["utilization"], after["borrowInterestRate"], after["lendInterestRate"]) == ("0.8", "0.06", "0.0432")
    apy = ok(bank.alice.get("/api/v1/borrowLend/apy"))
    assert_fits("get_apy_rates", apy)
    assert next(row for row in apy["borrowLend"] if row["symbol"] == "BTC")["borrowRate"] == "0.06"
    bank.wait(hours=30)
    rows = ok(bank.alice.get("/api/v1/borrowLend/markets/history", interval="1d", symbol="BTC"))
    assert_fits("get_borrow_lend_markets_history", rows)
    assert len(rows) == 25
    assert rows[0]["timestamp"] < rows[-1]["timestamp"]
    weekly = ok(bank.alice.get("/api/v1/borrowLend/markets/history", interval="1w", symbol="BTC"))
    assert len(weekly) == 6
    assert "interval" in unreadable(bank.alice.get("/api/v1/borrowLend/markets/history"))


def test_history_filters_and_pages(bank: Bank) -> None:
    for symbol in ("SOL", "USDC"):
        done(bank.alice, "Lend", symbol, "10")
    done(bank.alice, "Lend", "SOL", "1")

    def listed(**params: Any) -> list[str]:
        return [row["quantity"] + row["symbol"] for row in bank.alice.rows(HISTORY, "borrowHistoryQueryAll", **params)]

    assert listed() == ["1SOL", "10USDC", "10SOL"]
    assert listed(sortDirection="Asc", limit=1, offset=1) == ["10USDC"]
    assert listed(symbol="SOL", type="Lend", sources="Manual,AutoLend") == ["1SOL", "10SOL"]
    number = positions(bank.alice)[0]["id"]
    assert listed(positionId=number) == ["1SOL", "10SOL"]
    assert listed(type="Borrow") == listed(sources="Liquidation") == listed(positionId="99") == []
    assert bank.alice.rows(PAST, "borrowPositionHistoryQueryAll", side="Borrow") == []
    assert len(bank.alice.rows(PAST, "borrowPositionHistoryQueryAll", side="Lend", symbol="SOL")) == 1
    assert bank.alice.rows(INTEREST, "interestHistoryQueryAll", source="UnrealizedPnl") == []
    assert "limit" in refused(bank.alice.get(HISTORY, "borrowHistoryQueryAll", limit=1001), "INVALID_CLIENT_REQUEST")
    refused(bank.alice.get(HISTORY, "borrowHistoryQueryAll", sources="Fun"), "INVALID_CLIENT_REQUEST")
    refused(bank.alice.get(HISTORY, "borrowHistoryQueryAll", positionId="x"), "INVALID_CLIENT_REQUEST")
    response = bank.alice.get(HISTORY, "borrowHistoryQueryAll", limit=2)
    assert (response.headers["x-total"], response.headers["x-page-count"]) == ("3", "2")

"""The table of operations against the API document, and what is not simulated, unknown or in the wrong method."""

from __future__ import annotations

import pytest

from backpack_sdk.paper.handlers import HANDLERS
from backpack_sdk.paper.operations import BY_NAME, OPERATIONS, Operation

from .app_desk import Trader, operations, refused, unreadable

PROMISED = {
    "cancel_open_orders", "cancel_order", "execute_order", "execute_order_batch", "get_account", "get_assets",
    "get_balances", "get_collateral", "get_depth", "get_fills", "get_historical_trades", "get_klines", "get_market",
    "get_markets", "get_open_orders", "get_order", "get_order_history", "get_recent_trades", "get_status",
    "get_ticker", "get_tickers", "get_time", "ping",
}  # fmt: skip


def test_the_table_says_what_the_document_says() -> None:
    documented = {
        name: Operation(name, method, path, operation.get("x-instruction"))
        for name, (method, path, operation) in operations().items()
    }
    assert documented == BY_NAME
    assert len(OPERATIONS) == len(BY_NAME)


def test_what_was_promised_is_carried_out() -> None:
    assert HANDLERS.keys() == PROMISED


@pytest.mark.parametrize("name", sorted(BY_NAME.keys() - PROMISED))
def test_an_operation_that_is_not_simulated_says_so(trader: Trader, name: str) -> None:
    operation = BY_NAME[name]
    if operation.has_body:
        assert operation.instruction is not None
        response = trader.send(operation.method, operation.path, operation.instruction, {"symbol": "SOL"})
    else:
        response = trader.get(operation.path, operation.instruction)
    assert name in refused(response, "NOT_IMPLEMENTED")


@pytest.mark.parametrize("path", ["/", "/api/v1/nothing", "/api/v1/depth/", "/API/v1/depth", "/api/v1/order%73"])
def test_an_unknown_path_is_not_found(trader: Trader, path: str) -> None:
    assert unreadable(trader.http.get(path), 404) == "not found"


def test_a_known_path_in_another_method_is_not_allowed(trader: Trader) -> None:
    assert unreadable(trader.http.put("/api/v1/order"), 405) == "method not allowed"

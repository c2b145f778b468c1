"""The table of operations against the API document, and what is unknown or in the wrong method."""

from __future__ import annotations

import pytest

from backpack_sdk.paper.operations import BY_NAME, OPERATIONS, Operation

from .app_desk import Trader, operations, unreadable


def test_the_table_says_what_the_document_says() -> None:
    documented = {
        name: Operation(name, method, path, operation.get("x-instruction"))
        for name, (method, path, operation) in operations().items()
    }
    assert documented == BY_NAME
    assert len(OPERATIONS) == len(BY_NAME)


@pytest.mark.parametrize("path", ["/", "/api/v1/nothing", "/api/v1/depth/", "/API/v1/depth", "/api/v1/order%73"])
def test_an_unknown_path_is_not_found(trader: Trader, path: str) -> None:
    assert unreadable(trader.http.get(path), 404) == "not found"


def test_a_known_path_in_another_method_is_not_allowed(trader: Trader) -> None:
    assert unreadable(trader.http.put("/api/v1/order"), 405) == "method not allowed"

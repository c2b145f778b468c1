"""Where a reply leaves the document is found, named as a correction names it, and nothing else is reported."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from backpack_sdk.contract.compare import departures, misfit, shown
from backpack_sdk.contract.document import promises
from backpack_sdk.contract.findings import Kind

from ..document import Documented, document, documented, sample


def body_of(operation: Documented) -> dict[str, Any] | None:
    """Schema of the JSON that an operation gives; None when it gives none."""
    return next((schema for _, kind, schema in operation.replies if kind == "application/json"), None)


WITH_JSON = [operation for operation in documented() if body_of(operation) is not None]
OPERATIONS = {operation.name: operation for operation in documented()}


def found(name: str, change: Any = None, *, full: bool = True) -> list[tuple[Kind, str, str | None]]:
    """Kind, path and target of every departure of an operation's sample, after a change of it."""
    promised: Any = promises()[name].response(200)
    wire = copy.deepcopy(sample(body_of(OPERATIONS[name]) or {}, full))
    if change is not None:
        change(wire)
    schema = promised["content"]["application/json"]["schema"]
    return [(each.kind, each.path, each.target) for each in departures(schema, wire)]


@pytest.mark.parametrize("operation", WITH_JSON, ids=lambda each: each.name)
@pytest.mark.parametrize("full", [True, False])
def test_a_reply_that_is_as_documented_is_none(operation: Documented, full: bool) -> None:
    assert found(operation.name, full=full) == []


def test_the_packaged_document_is_the_corrected_one() -> None:
    assert {each.name for each in documented()} == set(promises())
    for operation in documented():
        assert set(promises()[operation.name].facts["responses"]) == set(operation.facts["responses"])
    assert "x-instruction" in promises()["get_order"].facts
    assert document()["components"]["schemas"]["Balance"]["properties"]["staked"]["nullable"] is True


WRONG, MEMBER = Kind.WRONG_TYPE, Kind.UNKNOWN_MEMBER


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("get_depth", lambda wire: wire.update(colour=1), [(Kind.UNKNOWN_FIELD, ".colour", "schemas.Depth.colour")]),
        ("get_depth", lambda wire: wire.pop("asks"), [(Kind.MISSING_FIELD, ".asks", "schemas.Depth.asks")]),
        ("get_depth", lambda wire: wire.update(asks=None), [(Kind.NULL, ".asks", "schemas.Depth.asks")]),
        ("get_depth", lambda wire: wire.update(asks=7), [(WRONG, ".asks", "schemas.Depth.asks")]),
        ("get_depth", lambda wire: wire.update(asks=[["1"]]), [(WRONG, ".asks[]", None)]),
        ("get_depth", lambda wire: wire.update(asks=[["1", "x"]]), [(WRONG, ".asks[][]", None)]),
        ("get_depth", lambda wire: wire.update(timestamp="7"), [(WRONG, ".timestamp", "schemas.Depth.timestamp")]),
        ("get_depth", lambda wire: wire.update(timestamp=True), [(WRONG, ".timestamp", "schemas.Depth.timestamp")]),
        ("get_depth", lambda wire: wire.update(timestamp=2**70), [(WRONG, ".timestamp", "schemas.Depth.timestamp")]),
        (
            "get_markets", lambda wire: wire[0].update(marketType="MONAD"),
            [(MEMBER, "[].marketType", "schemas.MarketType")],
        ),
        ("get_markets", lambda wire: wire[0].update(marketType=7), [(WRONG, "[].marketType", "schemas.MarketType")]),
        (
            "get_markets", lambda wire: wire[0].update(createdAt="soon"),
            [(WRONG, "[].createdAt", "schemas.Market.createdAt")],
        ),
        ("get_markets", lambda wire: wire.append(7), [(WRONG, "[]", "schemas.Market")]),
        ("get_order", lambda wire: wire.update(orderType="Iceberg"), [(MEMBER, ".orderType", None)]),
        (
            "get_order", lambda wire: wire.update(extra=1),
            [(Kind.UNKNOWN_FIELD, ".extra", "schemas.LimitOrder.extra")],
        ),
        ("execute_order_batch", lambda wire: wire[0].update(code=5), [(WRONG, "[].code", "schemas.ApiErrorCode")]),
        (
            "get_balances", lambda wire: wire["SOL"].update(locked="1E-8"),
            [(WRONG, ".*.locked", "schemas.Balance.locked")],
        ),
        (
            "get_ticker", lambda wire: wire.update(priceChangePercent="NaN"),
            [(WRONG, ".priceChangePercent", "schemas.Ticker.priceChangePercent")],
        ),
    ],
)  # fmt: skip
def test_a_departure_is_named(name: str, change: Any, expected: list[Any]) -> None:
    assert found(name, change) == expected


@pytest.mark.parametrize(
    ("schema", "value", "fits"),
    [
        ({"type": "number"}, 1.5, True),
        ({"type": "number"}, True, False),
        ({"type": "integer"}, 1.5, False),
        ({"type": "integer", "format": "uint16"}, -1, False),
        ({"type": "boolean"}, 0, False),
        ({"type": "string", "format": "digits"}, "007", True),
        ({"type": "string", "format": "digits"}, "-7", False),
        ({"type": "string", "format": "decimal-or-percent"}, "80%", True),
        ({"type": "string", "format": "decimal"}, "80%", False),
        ({"type": "string", "format": "date-time"}, "2026-01-01T00:00:00Z", True),
        ({"type": "string", "format": "date-time"}, "2026-01-01T00:00:00", False),
        ({"type": "string", "format": "naive-date-time"}, "2026-01-01T00:00:00", True),
        ({"type": "string", "format": "spaced-date-time"}, "2026-01-01 00:00:00", True),
        ({"type": "string", "format": "spaced-date-time"}, "2026-01-01T00:00:00", False),
        ({"type": "string", "format": "something-new"}, "x", True),
    ],
)
def test_single_values(schema: dict[str, Any], value: Any, fits: bool) -> None:
    assert (misfit(schema, value) == "") is fits


def test_a_long_value_is_shown_short() -> None:
    assert len(shown("x" * 1000)) == 60

"""Values that the document forbids for an argument, and values that only look odd."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from backpack_sdk.pairs import Pair
from backpack_sdk.types import OrderStatus, Side

from .passing import PER_SECOND
from .surface import Argument, Json, members

NAN = float("nan")
INFINITY = float("inf")
LONE = "\ud800"
NAIVE = datetime(2026, 1, 1)
"""A moment without a zone."""
BEYOND = 2**64

odd: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.integers(-BEYOND, BEYOND), st.floats(), st.text(max_size=8),
        st.decimals(), st.binary(max_size=4), st.datetimes(), st.datetimes(timezones=st.just(UTC)),
        st.sampled_from([LONE, f"SOL_USDC{LONE}", "80%", "N/A", "None", "null", "true"]),
        st.sampled_from([Side.BID, OrderStatus.NEW, Pair.parse("SOL-USDC")]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=4), inner, max_size=2)),
    max_leaves=4,
)  # fmt: skip
"""Anything a caller might pass by mistake."""


def wrong(argument: Argument) -> list[Any]:
    """What the document forbids for an argument, with None where it is required."""
    if argument.place == "rows":
        return [[], {}, 7, None, "x"]
    found: list[Any] = []
    if argument.required:
        found.append(None)
    return [*found, *_wrong(argument.schema)]


TEXTS = (
    "", "abc", "1,5", "NaN", "sNaN", "-Infinity", "inf", "0x10", "1.2.3", "1" * 70, "1e9999", "--1", LONE, "1 2",
    "80%%",
)  # fmt: skip
"""Texts that are no decimal."""
NUMBERS = (NAN, INFINITY, -INFINITY, 10**70, *map(Decimal, ("NaN", "sNaN", "-Infinity", "1E+500", "1E-500")))
"""Numbers that no quantity can be."""


def _wrong(schema: Json) -> list[Any]:
    kind, form = schema["type"], schema.get("format")
    if kind == "array" and "enum" in schema["items"]:
        return [[], 7, "", ["?"], [None], {"a": 1}, [["SPOT"]], [True]]
    if kind == "array":
        return [7, "x", {}, [7], ["x"], [None]]
    if "enum" in schema:
        swapped = str(schema["enum"][0]).swapcase() + "x"
        return [7, True, "?", ""] if kind == "integer" else ["?", "", swapped, 7, True, b"Bid", LONE]
    if kind == "boolean":
        return [0, 1, "true", "", "False", 1.0, [], [True]]
    if kind == "integer":
        shapes: list[Any] = [True, 1.5, NAN, "7", "", Decimal(7), [7]]
        if schema.get("x-unit") in PER_SECOND:
            shapes += [NAIVE, "2026-01-01T00:00:00"]
        return [*shapes, *(schema[end] + step for end, step in (("minimum", -1), ("maximum", 1)) if end in schema)]
    if kind == "object":
        return [7, "x", [], {}, {"withdrawal_address_id": "x"}, {"withdrawal_address_id": NAN}]
    if form in ("decimal", "decimal-or-percent"):
        return [*TEXTS, *NUMBERS, True, [], b"1", {"value": "1"}, *(["80%"] if form == "decimal" else [])]
    if form == "market-symbol":
        return ["", "SOL", "a-b-c-d-e", "SOL/USDC:SOL", 7, True, ["SOL_USDC"], LONE]
    longest = schema.get("maxLength")
    return [7, True, 1.5, b"x", ["x"], {}, LONE, *([] if longest is None else ["x" * (longest + 1)])]


def wrong_rows(argument: Argument) -> list[tuple[Any, str]]:
    """Batches with one fault, and how the refusal names it."""
    good = {"symbol": "SOL_USDC", "side": "Bid", "orderType": "Limit"}
    fields = members(argument.schema["items"], "body")
    inside = [
        ([good, {**good, field.wire: value}], f"orders[1].{field.python}") for field in fields for value in wrong(field)
    ]
    rows: list[Any] = [7, None, "x", [good], {**good, "colour": "red"}]
    return [*inside, *(([good, row], "orders[1]") for row in rows)]

"""Corrections change what they name while it is what they expect, and say so when it no longer is."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from codegen.build import understand
from codegen.corrections import Correction, apply

from .documents import Json, document, get, overlays, query, ref, thing
from .documents import json as content

TEXT = {"type": "string"}
WHOLE = document(
    {"X": thing(a=TEXT, b={"type": "integer"}) | {"required": ["b"]}, "Bare": {"type": "string"}},
    {
        "/a": get("get_a", TEXT, query("symbol", TEXT, required=True), query("from", {"type": "integer"})),
        "/b": get("get_b", ref("X"), query("symbol", TEXT)),
        "/c": get(
            "get_c", None, query("symbol", {"type": "integer"}), responses={"200": {"content": {"text/plain": {}}}}
        ),
    },
)
# Without dicts that stand in two places, as a parser gives it.
WHOLE = json.loads(json.dumps(WHOLE))


def correction(target: str, value: Json, expect: Json | None = None, *exclude: str) -> Correction:
    return Correction("fixes.toml", target, expect or {}, value, "why", "evidence", exclude)


def applied(*corrections: Correction) -> tuple[Json, list[str]]:
    before = json.dumps(WHOLE)
    result, stale = apply(WHOLE, corrections)
    assert json.dumps(WHOLE) == before
    return result, [str(problem) for problem in stale]


def schemas(*corrections: Correction) -> Json:
    result, stale = applied(*corrections)
    assert stale == []
    found: Json = result["components"]["schemas"]
    return found


def symbols(result: Json) -> dict[str, Any]:
    """Format and requiredness of each operation's symbol."""
    return {
        item["get"]["operationId"]: (parameter["schema"].get("format"), parameter["required"])
        for item in result["paths"].values() for parameter in item["get"]["parameters"] if parameter["name"] == "symbol"
    }  # fmt: skip


def test_a_component() -> None:
    assert schemas(correction("schemas.Bare", {"enum": ["a"]}, {"type": "string"}))["Bare"] == {
        "type": "string",
        "enum": ["a"],
    }


def test_a_property() -> None:
    found = schemas(correction("schemas.X.a", {"format": "decimal"}, {"type": "string", "format": "absent"}))
    assert found["X"]["properties"]["a"] == {"type": "string", "format": "decimal"}


def test_absent_removes() -> None:
    found = schemas(correction("schemas.X.a", {"type": "absent", "anyOf": [TEXT]}))
    assert found["X"]["properties"]["a"] == {"anyOf": [TEXT]}


@pytest.mark.parametrize(("field", "value", "required"), [
    ("a", True, ["a", "b"]), ("b", False, []), ("a", False, ["b"]), ("b", True, ["b"]),
])  # fmt: skip
def test_required_of_a_property(field: str, value: bool, required: list[str]) -> None:
    found = schemas(correction(f"schemas.X.{field}", {"required": value, "nullable": True}, {"required": field == "b"}))
    assert found["X"]["required"] == required
    assert found["X"]["properties"][field]["nullable"] is True


def test_every_property_that_meets_the_expectation() -> None:
    found = schemas(correction("schemas.X.*", {"format": "decimal"}, {"type": "string"}))
    assert found["X"]["properties"] == {"a": {"type": "string", "format": "decimal"}, "b": {"type": "integer"}}


def test_a_parameter_of_one_operation() -> None:
    result, stale = applied(correction("operations.get_b.symbol", {"format": "market-symbol", "required": True}))
    assert stale == []
    assert symbols(result) == {"get_a": (None, True), "get_b": ("market-symbol", True), "get_c": (None, False)}


def test_a_parameter_of_every_operation_but_some() -> None:
    result, stale = applied(correction("operations.*.symbol", {"format": "market-symbol"}, {"type": "string"}, "get_b"))
    assert stale == []
    assert symbols(result) == {"get_a": ("market-symbol", True), "get_b": (None, False), "get_c": (None, False)}


def test_the_body_of_a_reply() -> None:
    result, stale = applied(correction("operations.*.200", {"x-unit": "milliseconds"}, {"type": "string"}))
    assert stale == []
    replies = [item["get"]["responses"]["200"]["content"] for item in result["paths"].values()]
    assert replies == [content(TEXT | {"x-unit": "milliseconds"}), content(ref("X")), {"text/plain": {}}]


@pytest.mark.parametrize(("target", "expect", "exclude", "reason"), [
    ("schemas.Gone", {}, (), "nothing is there"),
    ("schemas.X.gone", {}, (), "nothing is there"),
    ("schemas.Bare.a", {}, (), "nothing is there"),
    ("schemas.X.a", {"type": "integer"}, (), "type is 'string', not 'integer'"),
    ("schemas.X.a", {"type": "string", "format": "decimal"}, (), "format is None, not 'decimal'"),
    ("schemas.X.a", {"required": True}, (), "required is False, not True"),
    ("schemas.X.b", {"type": "absent"}, (), "type is 'integer', not 'absent'"),
    ("operations.get_d.symbol", {}, (), "nothing is there"),
    ("operations.*.gone", {}, (), "nothing is there"),
    ("operations.*.from", {}, ("get_a",), "nothing is there"),
    ("operations.*.from", {"type": "string"}, (), "type is 'integer', not 'string'"),
])  # fmt: skip
def test_a_stale_correction_is_told_and_left_out(
    target: str, expect: Json, exclude: tuple[str, ...], reason: str
) -> None:
    result, stale = applied(correction(target, {"x-mark": 1}, expect, *exclude))
    assert stale == [f"fixes.toml {target}: no longer applies: {reason}"]
    assert result == WHOLE


def test_corrections_build_on_one_another() -> None:
    first = correction("schemas.X.a", {"format": "decimal"}, {"format": "absent"})
    second = correction("schemas.X.a", {"format": "digits"}, {"format": "decimal"})
    assert schemas(first, second)["X"]["properties"]["a"]["format"] == "digits"
    _, stale = applied(first, first)
    assert stale == ["fixes.toml schemas.X.a: no longer applies: format is 'decimal', not 'absent'"]


def test_values_are_not_shared_between_places() -> None:
    value: Json = {"enum": ["a"]}
    found = schemas(correction("schemas.X.*", value))
    found["X"]["properties"]["a"]["enum"].append("b")
    assert found["X"]["properties"]["b"]["enum"] == ["a"]
    assert value == {"enum": ["a"]}


def test_an_assumed_instruction_is_stale_once_nobody_needs_it() -> None:
    told = copy.deepcopy(WHOLE)
    told["paths"]["/a"]["get"]["description"] = "**Instruction:** `aQuery`"
    built = understand(told, overlays(assumed={"get_a": "guess", "get_b": "bQuery", "get_z": "zQuery"}))
    assert [str(problem) for problem in built.stale] == [
        "auth.toml get_a: no longer applies: the document itself names `aQuery`",
        "auth.toml get_z: no longer applies: there is no such operation",
    ]
    assert {one.name: (one.instruction, one.assumed) for one in built.api.operations} == {
        "get_a": ("aQuery", False), "get_b": ("bQuery", True), "get_c": (None, False),
    }  # fmt: skip


def test_a_property_that_the_document_forgot() -> None:
    new = correction("schemas.X.extra", {"type": "string", "required": True}, {"property": "absent"})
    made = schemas(new)["X"]
    assert made["properties"]["extra"] == {"type": "string"}
    assert "extra" in made["required"]


@pytest.mark.parametrize("target", ["schemas.X.a", "schemas.Gone.extra", "schemas.Bare.extra", "schemas.X.*"])
def test_a_property_that_is_there_or_has_no_place_is_stale(target: str) -> None:
    result, stale = applied(correction(target, {"type": "integer"}, {"property": "absent"}))
    assert len(stale) == 1
    assert result == WHOLE

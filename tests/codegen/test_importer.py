"""Facts: everything that is one, nothing that is not, always in the same form."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.importer import facts
from codegen.output import json_text
from codegen.validate import validate

from .documents import Json, document, get, operation, post, query, ref, thing
from .documents import json as content
from .hostile import CODE, hostile

SPEC = json.loads((Path(__file__).parents[2] / "spec" / "backpack.json").read_text(encoding="utf-8"))
ASSUMED = {
    "get_borrow_lend_estimated_liquidation_price": "borrowLendPositionLiquidationPrice",
    "get_withdrawal_delay": "withdrawalDelayQuery",
    "create_withdrawal_delay": "withdrawalDelayCreate",
    "update_withdrawal_delay": "withdrawalDelayUpdate",
}


def get_operation(whole: Json, name: str) -> Json:
    return next(one for item in whole["paths"].values() for one in item.values() if one["operationId"] == name)


def only(operation_: Json, assumed: dict[str, str] | None = None) -> Json:
    """Facts of a document of one operation."""
    result: Json = facts(document({}, {"/a": {"get": operation_}}), assumed)["paths"]["/a"]["get"]
    return result


# What goes


def wordy(mark: str) -> Json:
    """A document which says `mark` in every place that can hold a sentence."""
    prose: Json = {
        "title": mark, "description": mark, "summary": mark, "example": mark, "examples": {mark: {"value": mark}},
        "externalDocs": {"description": mark, "url": mark}, "x-note": mark, "x-enumDescriptions": {"A": mark},
        "xml": {"name": mark}, "$comment": mark, "default": mark, "format": mark, mark: mark,
    }  # fmt: skip
    text: Json = {"type": "string", **prose}
    schema: Json = {
        **thing(
            a=text,
            b={"type": "array", "items": text, **prose},
            c={"type": "string", "enum": ["A", "B"], "x-enum-varnames": [mark], **prose},
            d={"allOf": [ref("Other"), prose], **prose},
            e={"anyOf": [ref("Other"), text], "discriminator": {"propertyName": "a", "x-note": mark}, **prose},
            f={"type": "object", "additionalProperties": text, "default": {"a": mark}, **prose},
            g={"type": "string", "default": [mark]},
        ),
        **prose,
    }
    told: Json = {
        "operationId": "say", "tags": ["Talk"], "callbacks": {mark: {}}, "security": [{mark: []}],
        "servers": [{"url": mark}],
        "parameters": [{**query("limit", text), **prose, "examples": {"a": {"summary": mark, "value": mark}}},
                       {**query("X-Extra", text) | {"in": "header"}, **prose}],
        "requestBody": {"content": {"application/json": {"schema": schema, "example": mark, **prose}, mark: {}},
        **prose},
        "responses": {"200": {"headers": {mark: {"description": mark}}, "links": {mark: {}},
        "content": content(schema), **prose},
                      "x-note": mark},
        **prose,
    }  # fmt: skip
    item: Json = {"post": told, "summary": mark, "description": mark, "x-note": {mark: mark}}
    more: Json = {
        "tags": [{"name": mark, "description": mark}],
        "servers": [{"url": f"https://api.example/{mark}", "description": mark}, {"url": mark}, mark],
        "info": {"title": mark, "version": mark, "description": mark, "contact": {"name": mark},
        "license": {"name": mark}},
        "x-tagGroups": [{"name": mark}], "externalDocs": {"description": mark}, "security": [{mark: []}],
    }  # fmt: skip
    return (
        document({"Wordy": schema, "Other": {"type": "object", **prose}}, {"/say": item, "x-paths": {mark: mark}})
        | more
    )


@given(st.lists(st.text(alphabet="abcd ., \n🚀é'\"`", min_size=1), min_size=2).map(" ".join))
def test_no_sentence_survives(sentence: str) -> None:
    mark = f"Zyxw {sentence} vuts."
    whole = wordy(mark)
    assert validate(whole) == []
    assert "Zyxw" in json.dumps(whole)
    text = json.dumps(facts(whole), ensure_ascii=False)
    assert "Zyxw" not in text
    assert "vuts" not in text


def test_no_code_of_a_hostile_document_survives_but_in_names_and_members() -> None:
    kept = json.dumps(facts(hostile()))
    assert "servers" in kept
    assert "https://api.example" in kept
    for key in ("default", "format", "example", "description"):
        assert f'"{key}": "{CODE}"' not in kept


def test_the_committed_document_holds_no_prose() -> None:
    """Keys that carry sentences are not there at all, or empty."""

    def texts(node: Any, key: str) -> list[Any]:
        if isinstance(node, dict):
            return [value for name, value in node.items() if name == key and not isinstance(value, dict)] + [
                found for value in node.values() for found in texts(value, key)
            ]  # fmt: skip
        return [found for value in node for found in texts(value, key)] if isinstance(node, list) else []

    for key in ("summary", "example", "externalDocs", "title"):
        assert texts(SPEC["paths"], key) == texts(SPEC["components"], key) == []
    assert set(texts(SPEC["paths"], "description")) == {""}
    assert texts(SPEC["components"], "description") == []


# What stays


def test_names_types_values_and_bounds_stay() -> None:
    schema: Json = {
        "type": "object", "required": ["b", "a", "b"], "nullable": True, "additionalProperties": False,
        "deprecated": True,
        "properties": {
            "a": {"type": "string", "enum": ["x y", "z"], "minLength": 1, "maxLength": 9, "pattern": "^[a-z ]+$",
            "default": "z"},
            "b": {"type": "integer", "format": "uint32", "minimum": 0, "maximum": 10, "exclusiveMinimum": True,
            "default": 7},
            "c": {"type": "array", "items": {"type": "number", "multipleOf": 0.5}, "minItems": 1, "maxItems": 2,
            "uniqueItems": True},
            "d": {"oneOf": [ref("Other")], "discriminator": {"propertyName": "k",
            "mapping": {"o": "#/components/schemas/Other"}}},
        },
    }  # fmt: skip
    found = facts(document({"X": schema, "Other": {"type": "object"}}))
    kept = {**schema, "required": ["a", "b"]}
    assert found["components"]["schemas"]["X"] == kept
    assert found["openapi"] == "3.0.3"
    assert found["info"]["version"] == "1.2"


def test_31_stays_31() -> None:
    schemas = {"X": {"type": ["string", "null"]}, "C": {"const": "a"}, "T": {"type": "array", "prefixItems": [{}]}}
    found = facts(document(schemas, openapi="3.1.0"))
    assert found["openapi"] == "3.1.0"
    assert found["components"]["schemas"] == {
        "X": {"type": ["string", "null"]}, "C": {"enum": ["a"]}, "T": {"type": "array", "items": {}},
    }  # fmt: skip


def test_an_empty_option_of_a_union_stays() -> None:
    """`anyOf: [X, {}]` is anything; dropping the part that only describes would make it X."""
    schemas = {"X": {"anyOf": [{"type": "string"}, {"description": "or what you like"}]}}
    assert facts(document(schemas))["components"]["schemas"]["X"] == {"anyOf": [{"type": "string"}, {}]}


def test_parameters_are_sorted_and_without_those_of_the_signature() -> None:
    header = query("X-Broker-Id") | {"in": "header"}
    auth = [query(name) | {"in": "header"} for name in ("X-API-KEY", "x-signature", "X-TIMESTAMP", "X-Window")]
    found = only(operation("a", None, query("b"), *auth, header, query("a", required=True), query("X-Window")))
    names = [(one["in"], one["name"], one["required"]) for one in found["parameters"]]
    assert names == [
        ("header", "X-Broker-Id", False),
        ("query", "X-Window", False),
        ("query", "a", True),
        ("query", "b", False),
    ]


def test_what_is_only_referred_to_stands_where_it_is_used() -> None:
    whole = document({"X": thing()}, {
        "/a": {"parameters": [query("a"), query("b", {"type": "integer"})],
               "get": operation("a", None, {"$ref": "#/components/parameters/P"}, query("b"))
               | {"responses": {"200": {"$ref": "#/components/responses/R"}}}},
        "/b": {"$ref": "#/components/pathItems/I"},
    })  # fmt: skip
    whole["components"] |= {
        "parameters": {"P": query("p")},
        "requestBodies": {"B": {"content": content(ref("X")), "required": True}},
        "responses": {"R": {"content": content(ref("X"))}},
        "pathItems": {"I": {"post": operation("b") | {"requestBody": {"$ref": "#/components/requestBodies/B"}}}},
    }
    found = facts(whole)
    json_x = {"application/json": {"schema": ref("X")}}
    one = found["paths"]["/a"]["get"]
    assert one["parameters"] == [query("a"), query("b"), query("p")]
    assert one["responses"] == {"200": {"description": "", "content": json_x}}
    assert found["paths"]["/b"]["post"]["requestBody"] == {"content": json_x, "required": True}
    assert set(found["components"]) == {"schemas"}


def test_media_types_lose_their_parameters_and_the_first_of_two_wins() -> None:
    media = {"application/json; charset=utf-8": {"schema": ref("X")}, "application/json": {"schema": ref("Y")}}
    for order in (media, dict(reversed(media.items()))):
        whole = document({"X": {}, "Y": {}}, {"/a": get("a", responses={"200": {"content": order}})})
        found = facts(whole)["paths"]["/a"]["get"]["responses"]["200"]["content"]
        assert found == {"application/json": {"schema": ref("Y")}}


# Instructions


@pytest.mark.parametrize(("description", "instruction"), [
    ("Does it.\n\n**Instruction:** `orderExecute`", "orderExecute"),
    ("**Batch commands instruction:** `orderExecute`\n\n**Note:** x", "orderExecute"),
    ("Instruction: `a`", "a"),
    ("**instruction: **`balanceQuery`.", "balanceQuery"),
    ("This has no instruction.", None),
    ("Sign the **instruction** `orderExecute`", None),
    ("", None),
])  # fmt: skip
def test_an_instruction_is_found_in_the_wording_of_the_source(description: str, instruction: str | None) -> None:
    assert only(operation("a", description=description)).get("x-instruction") == instruction


def test_a_name_that_could_not_be_signed_is_no_instruction() -> None:
    assert "x-instruction" not in only(operation("a") | {"x-instruction": f"order\n{CODE}"})
    assert "x-instruction" not in only(operation("a") | {"x-instruction": 1})


def test_an_assumed_instruction_is_marked_until_the_document_names_one() -> None:
    marked = {"x-instruction": "guess", "x-instruction-assumed": True}
    assert only(operation("a"), {"a": "guess"}).items() >= marked.items()
    told = only(operation("a", description="**Instruction:** `told`"), {"a": "guess"})
    assert told["x-instruction"] == "told"
    assert "x-instruction-assumed" not in told
    # Once imported it stays marked; a better guess replaces it, and without any it stays what it was.
    again = operation("a") | marked
    assert only(again, {"a": "better"})["x-instruction"] == "better"
    assert only(again).items() >= marked.items()


def test_51_instructions_are_documented_and_4_assumed() -> None:
    found = facts(SPEC, ASSUMED)
    assert found == SPEC
    operations = [one for item in SPEC["paths"].values() for one in item.values()]
    signed = [one for one in operations if "x-instruction" in one]
    assumed = {one["operationId"]: one["x-instruction"] for one in signed if one.get("x-instruction-assumed")}
    assert (len(operations), len(signed)) == (81, 55)
    assert assumed == ASSUMED
    assert get_operation(SPEC, "execute_order_batch")["x-instruction"] == "orderExecute"
    assert get_operation(SPEC, "vault_redeem")["x-instruction"] == "vaultRedeemRequest"
    assert "x-instruction" not in get_operation(SPEC, "get_depth")


# Limits


@pytest.mark.parametrize(("name", "description", "limit"), [
    ("limit", "Maximum number to return. Default `100`, maximum `1000`.", {"default": 100, "maximum": 1000}),
    ("limit", "How many levels come back on each side. Defaults to `1000`.", {"default": 1000}),
    ("limit", "How many. Default: 50, max: 500.", {"default": 50, "maximum": 500}),
    ("limit", "The maximum is `1000`. The default is `10`.", {"default": 10, "maximum": 1000}),
    ("offset", "Offset. Default `0`.", {"default": 0}),
    ("limit", "How many.", None),
    ("price", "Default `100`, maximum `1000`.", None),
])  # fmt: skip
def test_limits_are_found_in_the_wording_of_the_source(name: str, description: str, limit: Json | None) -> None:
    found = only(operation("a", None, query(name, {"type": "integer"}, description=description)))
    assert found["parameters"][0].get("x-limit") == limit
    assert only(found) == found


@pytest.mark.parametrize("limit", [{"default": CODE}, {"default": True}, {"default": 1.5}, [1], CODE, {"other": 1}])
def test_a_limit_is_a_number(limit: Any) -> None:
    found = only(operation("a", None, query("limit", {"type": "integer"}, **{"x-limit": limit})))
    assert "x-limit" not in found["parameters"][0]


def test_limits_of_the_committed_document() -> None:
    limits = {
        (one["operationId"], parameter["name"]): parameter["x-limit"]
        for item in SPEC["paths"].values() for one in item.values() for parameter in one.get("parameters", [])
        if "x-limit" in parameter
    }  # fmt: skip
    assert limits["get_fills", "limit"] == {"default": 100, "maximum": 1000}
    assert limits["get_depth", "limit"] == {"default": 1000}
    assert limits["get_funding_interval_rates", "limit"] == {"default": 100, "maximum": 10000}
    assert sum(name == "limit" for _, name in limits) == 21
    assert all(limit == {"default": 0} for (_, name), limit in limits.items() if name == "offset")


# Form


def shuffled(node: Any, dice: random.Random) -> Any:
    """The same JSON with the keys of every object in another order."""
    if isinstance(node, dict):
        items = [(key, shuffled(value, dice)) for key, value in node.items()]
        dice.shuffle(items)
        return dict(items)
    return [shuffled(value, dice) for value in node] if isinstance(node, list) else node


@pytest.mark.parametrize("whole", [SPEC, wordy("A sentence. Two."), hostile()], ids=["committed", "wordy", "hostile"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_facts_are_sorted_stable_and_independent_of_order(whole: Json, seed: int) -> None:
    found = facts(whole, ASSUMED)
    text = json.dumps(found)
    assert json.dumps(facts(found, ASSUMED)) == text
    assert json.dumps(facts(shuffled(whole, random.Random(seed)), ASSUMED)) == text
    assert json.dumps(found, sort_keys=True) == text
    assert validate(found) == []


def test_the_source_is_left_as_it_was() -> None:
    whole = post("a", thing(b={"type": "string"}))
    before = json.dumps(whole)
    facts(document({}, {"/a": whole}), {"a": "x"})
    assert json.dumps(whole) == before


def test_the_committed_document_is_written_as_an_import_writes_it() -> None:
    text = (Path(__file__).parents[2] / "spec" / "backpack.json").read_text(encoding="utf-8")
    assert text == json_text(SPEC)

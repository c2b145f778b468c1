"""Each normalising pass on the smallest document that shows it, with its count; and all of them together."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from codegen import normalise as passes
from codegen.build import understand
from codegen.corrections import apply
from codegen.normalise import normalise
from codegen.overlay import Names, load
from codegen.problems import CodegenError

from .documents import Json, document, get, overlays, post, query, ref, thing

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
ROOT = Path(__file__).parents[2]


def run(one_pass: Callable[[Json, Names], int], schemas: Json, names: Names | None = None) -> tuple[Json, int]:
    """Components after one pass, and its count."""
    whole = json.loads(json.dumps(document(schemas)))
    count = one_pass(whole, names or Names())
    return whole["components"]["schemas"], count


def after(one_pass: Callable[[Json, Names], int], schema: Json, names: Names | None = None) -> tuple[Json, int]:
    """A property after one pass."""
    schemas, count = run(one_pass, {"X": {"properties": {"a": schema}}}, names)
    return schemas["X"]["properties"]["a"], count


@pytest.mark.parametrize(("schema", "expected"), [
    ({"type": ["string", "null"], "format": "decimal"}, {"type": "string", "format": "decimal", "nullable": True}),
    ({"type": ["string"]}, {"type": "string", "nullable": False}),
    ({"type": ["string", "integer", "null"]}, {"anyOf": [TEXT, NUMBER], "nullable": True}),
    ({"type": ["null"]}, {"nullable": True}),
    ({"anyOf": [TEXT, {"type": "null"}]}, {"type": "string", "nullable": True}),
    ({"oneOf": [ref("X"), {"type": "null"}]}, {**ref("X"), "nullable": True}),
    ({"anyOf": [TEXT, NUMBER, {"type": "null"}]}, {"anyOf": [TEXT, NUMBER], "nullable": True}),
    ({"enum": ["a", None], "type": "string"}, {"enum": ["a"], "type": "string", "nullable": True}),
    ({"enum": [None]}, {"nullable": True}),
])  # fmt: skip
def test_null_types(schema: Json, expected: Json) -> None:
    assert after(passes.null_types, schema) == (expected, 1)


@pytest.mark.parametrize("schema", [TEXT, {"anyOf": [TEXT, NUMBER]}, {"enum": ["a"]}, {"type": "null"}, {}])
def test_null_types_leaves_the_rest(schema: Json) -> None:
    assert after(passes.null_types, schema) == (schema, 0)


@pytest.mark.parametrize(("schema", "expected"), [
    ({"allOf": [ref("X")]}, ref("X")),
    ({"allOf": [ref("X"), {"default": None}], "default": None}, ref("X")),
    ({"allOf": [ref("X")], "nullable": True, "deprecated": True, "x-unit": "seconds"},
     {**ref("X"), "nullable": True, "deprecated": True, "x-unit": "seconds"}),
    ({"allOf": [ref("X"), {"nullable": True}]}, {**ref("X"), "nullable": True}),
    ({"allOf": [{"allOf": [TEXT]}]}, TEXT),
])  # fmt: skip
def test_unwrap_single_all_of(schema: Json, expected: Json) -> None:
    found, count = after(passes.unwrap_single_all_of, schema)
    assert (found, count) == (expected, 2 if "allOf" in schema["allOf"][0] else 1)


@pytest.mark.parametrize(
    "schema", [{"allOf": [ref("X"), TEXT]}, {"allOf": [ref("X")], "properties": {}}, {"allOf": []}]
)
def test_unwrap_single_all_of_leaves_the_rest(schema: Json) -> None:
    assert after(passes.unwrap_single_all_of, schema) == (schema, 0)


def test_array_lengths() -> None:
    pair = {"type": "array", "items": TEXT}
    assert after(passes.array_lengths, {**pair, "minLength": 2, "maxLength": 3}) == (
        {**pair, "minItems": 2, "maxItems": 3},
        1,
    )
    assert after(passes.array_lengths, {**TEXT, "minLength": 2}) == ({**TEXT, "minLength": 2}, 0)


def test_drop_defaults() -> None:
    assert after(passes.drop_defaults, {**TEXT, "default": "x"}) == (TEXT, 1)
    assert after(passes.drop_defaults, {**TEXT, "default": None}) == (TEXT, 1)
    assert after(passes.drop_defaults, TEXT) == (TEXT, 0)
    # A property that is called so is no default.
    assert after(passes.drop_defaults, thing(default=TEXT)) == (thing(default=TEXT), 0)


def test_open_text() -> None:
    opened = {"type": "string", "x-open-text": True}
    schemas = {
        "Asset": {"type": "string", "enum": ["A"]},
        "Big": {"enum": ["a", "b", "c"]},
        "Kind": {"enum": ["a", "b"]},
    }
    names = Names(open_text=("Asset",), open_text_from=3)
    assert run(passes.open_text, schemas, names) == ({"Asset": opened, "Big": opened, "Kind": schemas["Kind"]}, 2)
    assert after(passes.open_text, {"enum": ["a", "b", "c"], "nullable": True}, names) == (
        {**opened, "nullable": True},
        1,
    )


def test_flatten_all_of() -> None:
    schemas = {
        "A": thing(a=TEXT, both=TEXT),
        "B": {"allOf": [ref("A"), thing(b=TEXT, both=NUMBER), {"properties": {"c": ref("C")}}], "nullable": True},
        "C": {"allOf": [ref("B"), {"description": "recursion by way of a field"}]},
        "D": {"allOf": [{"type": "string"}, {"maxLength": 5}]},
    }
    found, count = run(passes.flatten_all_of, schemas)
    b = {"type": "object", "nullable": True, "properties": {"a": TEXT, "b": TEXT, "both": NUMBER, "c": ref("C")},
         "required": ["a", "b", "both"]}  # fmt: skip
    assert found == {"A": schemas["A"], "B": b, "C": {**b, "description": "recursion by way of a field"},
                     "D": {"type": "string", "maxLength": 5}}  # fmt: skip
    assert count == 3


def test_inline_aliases() -> None:
    schemas = {
        "Price": {"type": "string", "format": "decimal"},
        "Prices": {"type": "array", "items": ref("Price")},
        "ByName": {"type": "object", "additionalProperties": ref("Prices")},
        "Either": {"anyOf": [ref("X"), ref("Price")]},
        "Anything": {},
        "Number": {"type": "integer", "enum": [1, 2]},
        "Kind": {"type": "string", "enum": ["A"]},
        "Empty": {"type": "object"},
        "X": thing(
            price={**ref("Price"), "nullable": True, "deprecated": True},
            map=ref("ByName"), either=ref("Either"), any=ref("Anything"), number=ref("Number"), kind=ref("Kind"),
            empty=ref("Empty"),
        ),
    }  # fmt: skip
    found, count = run(passes.inline_aliases, schemas)
    price = {"type": "string", "format": "decimal"}
    assert count == 6
    assert set(found) == {"Empty", "Kind", "X"}
    assert found["X"]["properties"] == {
        "price": {**price, "nullable": True, "deprecated": True},
        "map": {"type": "object", "additionalProperties": {"type": "array", "items": price}},
        "either": {"anyOf": [ref("X"), price]},
        "any": {},
        "number": {"type": "integer", "enum": [1, 2]},
        "kind": ref("Kind"),
        "empty": ref("Empty"),
    }


def test_an_alias_inside_itself_can_be_anything() -> None:
    schemas: Json = {
        "Tree": {"type": "array", "items": ref("Tree")},
        "Json": {"anyOf": [TEXT, {"type": "array", "items": ref("Json")}, {"additionalProperties": ref("Json"),
        "type": "object"}]},
        "X": thing(tree=ref("Tree"), json=ref("Json")),
    }  # fmt: skip
    found, count = run(passes.inline_aliases, schemas)
    assert count == 2
    assert found["X"]["properties"] == {
        "tree": {"type": "array", "items": {}},
        "json": {"anyOf": [TEXT, {"type": "array", "items": {}}, {"type": "object", "additionalProperties": {}}]},
    }


def test_aliases_that_unfold_without_end_are_refused() -> None:
    schemas: Json = {f"A{index:02}": {"anyOf": [ref(f"A{index + 1:02}")] * 2} for index in range(40)}
    schemas |= {"A40": TEXT, "X": thing(a=ref("A00"))}
    with pytest.raises(CodegenError, match="would unfold into more than can be generated"):
        run(passes.inline_aliases, schemas)


def test_nullable_components() -> None:
    schemas: Json = {
        "N": {**thing(), "nullable": True},
        "M": thing(),
        "X": thing(n=ref("N"), m=ref("M"), ns={"items": ref("N")}),
    }
    found, count = run(passes.nullable_components, schemas)
    assert found == {
        "N": thing(), "M": thing(),
        "X": thing(n={**ref("N"), "nullable": True}, m=ref("M"), ns={"items": {**ref("N"), "nullable": True}}),
    }  # fmt: skip
    assert count == 2


# Together


@pytest.fixture(scope="module")
def corrected() -> Json:
    """The committed document with its corrections."""
    whole = json.loads((ROOT / "spec" / "backpack.json").read_text(encoding="utf-8"))
    result, _ = apply(whole, load(ROOT / "spec" / "overlays").corrections)
    return result


def test_the_result_is_enums_objects_and_tagged_bases(corrected: Json) -> None:
    whole, _ = normalise(corrected, load(ROOT / "spec" / "overlays").names)
    for name, schema in whole["components"]["schemas"].items():
        shapes = [key for key in ("enum", "properties", "x-batch") if key in schema]
        assert len(shapes) == 1, name
        assert not set(schema) & {"allOf", "anyOf", "oneOf", "items", "additionalProperties", "$ref", "nullable"}, name
    assert list(whole["components"]["schemas"]) == sorted(whole["components"]["schemas"])


def test_the_counts_of_the_committed_document(corrected: Json) -> None:
    """They change with the document: what a new one makes of them is worth a look."""
    _, counts = normalise(corrected, load(ROOT / "spec" / "overlays").names)
    assert counts == {
        "null_types": 0, "unwrap_single_all_of": 107, "array_lengths": 2, "drop_defaults": 1, "open_text": 2,
        "fold_variants": 6, "hoist_parts": 0, "flatten_all_of": 0, "inline_aliases": 3, "nullable_components": 0,
        "hoist_enums": 15, "hoist_objects": 0,
    }  # fmt: skip


def test_the_input_is_left_as_it_was() -> None:
    whole = document(
        {"X": thing(a={"allOf": [ref("Y")]}), "Y": {"type": ["string", "null"]}}, {"/a": get("a", ref("X"))}
    )
    before = copy.deepcopy(whole)
    normalise(whole, Names())
    assert whole == before


def test_an_object_of_several_parts_inside_itself_ends() -> None:
    comment = {
        "type": "object",
        "properties": {"text": TEXT, "reply": {"allOf": [ref("Comment"), thing(depth=NUMBER)]}},
    }
    built = understand(document({"Comment": comment}, {"/a": get("a", ref("Comment"))}), overlays())
    assert {model.name: [field.wire for field in model.fields] for model in built.api.models} == {
        "Comment": ["reply", "text"], "CommentReply": ["depth", "reply", "text"],
    }  # fmt: skip


def field_types(schemas: Json, openapi: str = "3.0.3") -> dict[str, Any]:
    """Kind and nullability of each field of X."""
    built = understand(document(schemas, {"/a": get("a", ref("X"))}, openapi=openapi), overlays())
    model = next(model for model in built.api.models if model.schema == "X")
    return {field.wire: (field.type.kind, field.nullable) for field in model.fields}


def test_both_ways_to_write_null_mean_the_same() -> None:
    older = {
        "X": thing(a={**TEXT, "nullable": True}, b={"allOf": [ref("Y")], "nullable": True}, c=ref("Y")),
        "Y": thing(),
    }
    newer = {
        "X": thing(a={"type": ["string", "null"]}, b={"anyOf": [ref("Y"), {"type": "null"}]}, c=ref("Y")),
        "Y": thing(),
    }
    expected = {"a": ("text", True), "b": ("model", True), "c": ("model", False)}
    assert field_types(older) == field_types(newer, openapi="3.1.0") == expected


def test_a_body_and_parameters_are_normalised_too() -> None:
    paths = {"/a": post("a", {"allOf": [ref("X")]}, {"type": ["array", "null"], "items": thing(a=TEXT)}),
             "/b": get("b", None, query("q", {"allOf": [ref("Kind")]}))}  # fmt: skip
    built = understand(document({"X": thing(a=TEXT), "Kind": {"enum": ["A", "B"]}}, paths), overlays())
    a, b = built.api.operations
    assert a.body_model == "X"
    assert a.outcomes[0].type is not None
    assert [one.kind for one in a.outcomes[0].type.items] == ["list", "null"]
    assert b.query[0].type.kind == "enum"

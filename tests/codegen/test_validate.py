"""Every problem of a document is found, with its place."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.build import understand
from codegen.problems import CodegenError
from codegen.validate import validate

from .documents import Json, document, get, operation, overlays, post, query, ref, thing
from .documents import json as content
from .hostile import hostile

ROOT = Path(__file__).parents[2]
NUMBER = {"type": "integer"}


def found(broken: Json) -> list[str]:
    """The problems as text; the pipeline must refuse the document with the same ones."""
    problems = [str(problem) for problem in validate(broken)]
    with pytest.raises(CodegenError) as caught:
        understand(broken, overlays())
    assert [str(problem) for problem in caught.value.problems] == problems
    return problems


def test_a_good_document_has_no_problems() -> None:
    assert validate(document({"X": thing(a=NUMBER)}, {"/x": get("get_x", ref("X"), query("a"))})) == []


def test_the_committed_document_and_a_hostile_one_have_no_problems() -> None:
    assert validate(json.loads((ROOT / "spec" / "backpack.json").read_text(encoding="utf-8"))) == []
    assert validate(hostile()) == []


@pytest.mark.parametrize(("whole", "problem"), [
    ({}, "#/openapi: expected an OpenAPI 3 document, found version None"),
    ({"swagger": "2.0", "paths": {}}, "#/openapi: expected an OpenAPI 3 document, found version None"),
    ({"openapi": "2.0", "paths": {}}, "#/openapi: expected an OpenAPI 3 document, found version '2.0'"),
    ({"openapi": 3.1, "paths": {}}, "#/openapi: expected an OpenAPI 3 document, found version 3.1"),
    ({"openapi": "3.0.0"}, "#/paths: expected a mapping of paths"),
    ({"openapi": "3.0.0", "paths": []}, "#/paths: expected a mapping of paths"),
    ({"openapi": "3.0.0", "paths": {}, "components": []}, "#/components/schemas: expected a mapping of schemas"),
    ({"openapi": "3.0.0", "paths": {}, "components": {"schemas": 1}},
     "#/components/schemas: expected a mapping of schemas"),
])  # fmt: skip
def test_what_is_not_openapi(whole: Json, problem: str) -> None:
    assert found(whole) == [problem]


@pytest.mark.parametrize(("schema", "problem"), [
    (None, "#/components/schemas/X: expected a schema, found NoneType"),
    ([], "#/components/schemas/X: expected a schema, found list"),
    ({"type": "strin"}, "#/components/schemas/X/type: 'strin' is no JSON schema type"),
    ({"type": []}, "#/components/schemas/X/type: [] is no JSON schema type"),
    ({"type": {"a": 1}}, "#/components/schemas/X/type: {'a': 1} is no JSON schema type"),
    ({"enum": []}, "#/components/schemas/X/enum: expected a list with at least one member"),
    ({"enum": "a"}, "#/components/schemas/X/enum: expected a list with at least one member"),
    ({"required": True}, "#/components/schemas/X/required: expected a list of property names"),
    ({"required": [1]}, "#/components/schemas/X/required: expected a list of property names"),
    ({"properties": []}, "#/components/schemas/X/properties: expected a mapping of schemas"),
    ({"properties": {"a/b": 1}}, "#/components/schemas/X/properties/a~1b: expected a schema, found int"),
    ({"allOf": {}}, "#/components/schemas/X/allOf: expected a list of schemas"),
    ({"anyOf": [{}, {"oneOf": [1]}]}, "#/components/schemas/X/anyOf/1/oneOf/0: expected a schema, found int"),
    ({"type": "array"}, "#/components/schemas/X: an array needs items"),
    ({"items": {"type": "x"}}, "#/components/schemas/X/items/type: 'x' is no JSON schema type"),
    ({"additionalProperties": {"type": "x"}}, "#/components/schemas/X/additionalProperties/type: 'x' is no"),
    ({"minimum": "0"}, "#/components/schemas/X/minimum: expected a number, found '0'"),
    ({"maximum": True}, "#/components/schemas/X/maximum: expected a number, found True"),
    ({"exclusiveMinimum": "x"}, "#/components/schemas/X/exclusiveMinimum: expected a number or a flag, found 'x'"),
    ({"maxLength": -1}, "#/components/schemas/X/maxLength: expected a count, found -1"),
    ({"maxLength": "9, print('gotcha')"}, "#/components/schemas/X/maxLength: expected a count, found"),
    ({"minItems": 1.5}, "#/components/schemas/X/minItems: expected a count, found 1.5"),
    ({"format": 1}, "#/components/schemas/X/format: expected a text, found 1"),
    ({"$ref": ["#/components/schemas/X"]}, "#/components/schemas/X/$ref: expected a text, found ["),
    ({"$ref": "#/components/schemas/Y"}, "#/components/schemas/X/$ref: '#/components/schemas/Y' leads nowhere"),
    ({"$ref": "other.json#/X"}, "#/components/schemas/X/$ref: 'other.json#/X' is not the address of a component"),
    ({"$ref": "#/info"}, "#/components/schemas/X/$ref: '#/info' is not the address of a component schema"),
    ({"discriminator": "kind"}, "#/components/schemas/X/discriminator: expected the name of a property"),
    ({"discriminator": {"propertyName": "a", "mapping": {"b": 1}}}, "#/components/schemas/X/discriminator/mapping:"),
    ({"discriminator": {"propertyName": "a", "mapping": {"b": "#/components/schemas/Y"}}},
     "#/components/schemas/X/discriminator/mapping/b: '#/components/schemas/Y' leads nowhere"),
])  # fmt: skip
def test_an_invalid_schema(schema: Any, problem: str) -> None:
    assert any(one.startswith(problem) for one in found(document({"X": schema})))
    # The same in the other places a schema can have.
    where = {"get": operation("a", None, query("q", schema) | {"schema": schema})}
    if isinstance(schema, dict):
        assert found(document({}, {"/a": where}))[0].startswith("#/paths/~1a/get/parameters/0/schema")
        assert found(document({}, {"/a": get("a", schema)}))[0].startswith("#/paths/~1a/get/responses/200/content/")
        assert found(document({}, {"/a": post("a", schema)}))[0].startswith("#/paths/~1a/post/requestBody/content/")


def test_components_that_are_made_of_themselves() -> None:
    circle = {"A": ref("B"), "B": {"allOf": [ref("C"), thing(a=NUMBER)]}, "C": {"anyOf": [NUMBER, ref("A")]}}
    assert found(document({**circle, "Fine": thing(next=ref("Fine")), "Outside": ref("A")})) == [
        "#/components/schemas/A: is made of itself",
        "#/components/schemas/B: is made of itself",
        "#/components/schemas/C: is made of itself",
    ]


def test_a_schema_nested_without_end() -> None:
    schema: Json = NUMBER
    for _ in range(70):
        schema = {"type": "array", "items": schema}
    assert "is nested more than 60 levels deep" in found(document({"X": schema}))[0]


@pytest.mark.parametrize(("name", "other"), [
    ("get_foo", "get_foo"), ("getFoo", "get_foo"), ("get-foo", "get_foo"), ("GetFoo", "getFoo"), ("int", "int_"),
    ("1x", "operation_1x"), ("class", "class_"),
])  # fmt: skip
def test_two_operations_of_one_name(name: str, other: str) -> None:
    assert found(document({}, {"/a": get(name), "/b": get(other)})) == [
        f"#/paths/~1b/get/operationId: {other!r} is also the name of #/paths/~1a/get"
    ]


@pytest.mark.parametrize(("item", "problem"), [
    (1, "#/paths/~1a: expected a mapping of operations"),
    ({"get": 1}, "#/paths/~1a/get: expected an operation"),
    ({"get": {"responses": {"200": {}}}}, "#/paths/~1a/get/operationId: expected a name, found None"),
    ({"get": operation("")}, "#/paths/~1a/get/operationId: expected a name, found ''"),
    ({"get": operation("🚀")}, "#/paths/~1a/get/operationId: expected a name, found '🚀'"),
    ({"get": operation("a") | {"tags": "x"}}, "#/paths/~1a/get/tags: expected a list of texts"),
    ({"get": operation("a") | {"responses": {}}}, "#/paths/~1a/get/responses: expected at least one response"),
    ({"get": operation("a") | {"responses": {"OK": {}}}}, "#/paths/~1a/get/responses/OK: 'OK' is no HTTP status"),
    ({"get": operation("a") | {"responses": {"200": 1}}}, "#/paths/~1a/get/responses/200: expected a mapping"),
    ({"get": operation("a") | {"responses": {"200": {"$ref": "#/components/responses/R"}}}},
     "#/paths/~1a/get/responses/200/$ref: '#/components/responses/R' leads nowhere"),
    ({"get": operation("a") | {"responses": {"200": {"content": []}}}},
     "#/paths/~1a/get/responses/200/content: expected a mapping of media types"),
    ({"get": operation("a") | {"responses": {"200": {"content": {"a/b": 1}}}}},
     "#/paths/~1a/get/responses/200/content/a~1b: expected a mapping"),
    ({"get": operation("a") | {"requestBody": []}}, "#/paths/~1a/get/requestBody: expected a mapping"),
    ({"get": operation("a") | {"parameters": {}}}, "#/paths/~1a/get/parameters: expected a list"),
    ({"parameters": {}, "get": operation("a")}, "#/paths/~1a/parameters: expected a list"),
    ({"get": operation("a", None, {"in": "query"})}, "#/paths/~1a/get/parameters/0: expected a parameter with a name"),
    ({"get": operation("a", None, query("x") | {"in": "body"})},
     "#/paths/~1a/get/parameters/0/in: expected query, header, path or cookie, found 'body'"),
    ({"get": operation("a", None, {"name": "x", "in": "query"})},
    "#/paths/~1a/get/parameters/0/schema: expected a schema"),
    ({"get": operation("a", None, query("x"), query("y"), query("x"))},
     "#/paths/~1a/get/parameters/2: the query parameter 'x' stands twice"),
    ({"get": operation("a", None, query("X-A") | {"in": "header"}, query("x-a") | {"in": "header"})},
     "#/paths/~1a/get/parameters/1: the header parameter 'x-a' stands twice"),
    ({"get": operation("a", None, query("X\r\nY: z") | {"in": "header"})},
     "#/paths/~1a/get/parameters/0/name: 'X\\r\\nY: z' can't be the name of a header"),
])  # fmt: skip
def test_an_invalid_operation(item: Any, problem: str) -> None:
    assert problem in found(document({}, {"/a": item}))


@pytest.mark.parametrize(("path", "problem"), [
    ("a", "#/paths/a: a path starts with a slash"),
    ("/a b", "#/paths/~1a b: a path holds neither spaces nor control characters"),
    ("/a\r\nHost: x", "#/paths/~1a\\r\\nHost: x: a path holds neither spaces nor control characters"),
])  # fmt: skip
def test_an_invalid_path(path: str, problem: str) -> None:
    assert found(document({}, {path: get("a")})) == [problem]


def test_the_same_name_in_two_places_is_fine() -> None:
    assert validate(document({}, {"/a": get("a", None, query("x"), query("x") | {"in": "header"})})) == []


def test_references_to_parameters_replies_bodies_and_paths_are_followed() -> None:
    shared: Json = {
        "parameters": {"P": query("p"), "Bad": query("q", {"type": "x"})},
        "responses": {"R": {"content": content(NUMBER)}, "Round": {"$ref": "#/components/responses/Round"}},
        "pathItems": {"I": get("other")},
    }
    good = document({}, {"/a": get("a", None, {"$ref": "#/components/parameters/P"}),
                         "/b": {"$ref": "#/components/pathItems/I"}})  # fmt: skip
    good["components"] |= shared
    del good["components"]["responses"]["Round"]
    assert validate(good) == []
    bad = document({}, {"/a": get("a", None, {"$ref": "#/components/parameters/Bad"},
                                  responses={"200": {"$ref": "#/components/responses/Round"}})})  # fmt: skip
    bad["components"] |= shared | {"responses": {"Round": {"$ref": "#/components/responses/Round"}}}
    assert found(bad) == [
        "#/components/responses/Round/$ref: '#/components/responses/Round' leads nowhere",
        "#/paths/~1a/get/parameters/0/schema/type: 'x' is no JSON schema type",
        "#/paths/~1a/get/responses/200: expected a mapping",
        "#/paths/~1a/get/responses/200/$ref: '#/components/responses/Round' leads nowhere",
    ]


def test_every_problem_is_told_at_once() -> None:
    broken = document({"X": {"type": "x"}, "Y": ref("Z")}, {"/a": get("a", ref("Q")), "/b": get("a")})
    assert found(broken) == [
        "#/components/schemas/X/type: 'x' is no JSON schema type",
        "#/components/schemas/Y/$ref: '#/components/schemas/Z' leads nowhere",
        "#/paths/~1a/get/responses/200/content/application~1json; charset=utf-8/schema/$ref: "
        "'#/components/schemas/Q' leads nowhere",
        "#/paths/~1b/get/operationId: 'a' is also the name of #/paths/~1a/get",
    ]


SAMPLE = document(
    {
        "Kind": {"type": "string", "enum": ["A", "B"]},
        "Row": thing(
            kind=ref("Kind"),
            rows={"type": "array", "items": ref("Row"), "minItems": 2, "maxItems": 2},
            n={"type": "integer", "minimum": 0, "maxLength": 3},
            inline=thing(side={"type": "string", "enum": ["C", "D"]}),
        ),
        "Union": {
            "oneOf": [ref("Union_Row")],
            "discriminator": {"propertyName": "tag", "mapping": {"row": "#/components/schemas/Union_Row"}},
        },
        "Union_Row": {"allOf": [thing(tag={"type": "string", "enum": ["row"]}), ref("Row")]},
        "Map": {
            "type": "object",
            "additionalProperties": {"anyOf": [ref("Row"), {"type": "string", "nullable": True}]},
        },
    },
    {
        "/a": get("get_a", ref("Map"), query("limit", NUMBER | {"default": 5}, description="Default `5`.")),
        "/b": post("post_b", {"type": "array", "items": ref("Row")}, ref("Union")),
    },
)
JUNK: tuple[Any, ...] = (
    None, 0, -1, 1.5, True, "", "x", "#/components/schemas/Row", [], {}, [{}], [None], {"$ref": "#/paths"},
    {"$ref": "#/components/schemas/Union"}, {"type": 1}, {"allOf": []},
)  # fmt: skip


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a tree."""
    items = list(node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ())
    return [(node, key) for key, _ in items] + [place for _, below in items for place in places(below)]


def assert_understood_or_refused(broken: Json) -> None:
    """Problems with their places, never any other exception."""
    problems = validate(broken)
    assert all(problem.place.startswith("#") for problem in problems)
    refused: list[Any] = []
    try:
        understand(broken, overlays())
    except CodegenError as error:
        refused = list(error.problems)
    assert refused == problems or (refused and not problems)


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_junk_in_any_place_is_understood_or_refused(junk: Any) -> None:
    for index in range(len(places(SAMPLE))):
        broken = copy.deepcopy(SAMPLE)
        holder, key = places(broken)[index]
        holder[key] = copy.deepcopy(junk)
        assert_understood_or_refused(broken)


@given(st.data())
def test_junk_in_several_places_is_understood_or_refused(data: st.DataObject) -> None:
    broken = copy.deepcopy(SAMPLE)
    for _ in range(data.draw(st.integers(2, 4))):
        found = places(broken)
        holder, key = found[data.draw(st.integers(0, len(found) - 1))]
        holder[key] = copy.deepcopy(data.draw(st.sampled_from(JUNK)))
    assert_understood_or_refused(broken)

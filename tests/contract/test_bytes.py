"""What parses bytes survives any of them: importer, page reader and the readers of errors and replies give a clear
error or a result, and neither hang nor crash nor grow without bound."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backpack_sdk import InvalidResponse, operations
from backpack_sdk._core.errors import BackpackError, StatusError

from .surface import examples
from .targets import DEEP, HOSTILE, TARGETS
from .test_replies import json_values, reply_to

scraps = st.sampled_from([
    "{", "}", "[", "]", ":", ",", '"', "'", "\n", "- ", "? ", "&a ", "*a ", "!!int ", "|", ">", "#", "%", "---", "<",
    "<script>", "</script>", "__redoc_state = ", "openapi", "paths", "3.0.3", "null", "NaN", "1e999", "\\ud800", "$ref",
    "#/components/schemas/A", "components", "schemas", "allOf", "type", "9" * 50, "\x00", "é", "\u2028",
])  # fmt: skip
any_bytes = st.one_of(
    st.binary(max_size=64),
    st.lists(scraps, max_size=20).map(lambda parts: "".join(parts).encode()),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.sampled_from(HOSTILE),
)
keys = st.sampled_from([
    "$ref", "allOf", "anyOf", "oneOf", "type", "properties", "items", "enum", "required", "format", "default",
    "discriminator", "propertyName", "mapping", "additionalProperties", "name", "in", "schema", "content", "parameters",
    "responses", "requestBody", "200", "application/json", "operationId", "tags", "get", "post", "x-instruction",
])  # fmt: skip
values = st.sampled_from([
    "string", "integer", "object", "array", "query", "header", "path", "#/components/schemas/A",
    "#/components/schemas/B", "#", "a", "", "decimal", "order", 0, -1, True, None, 2**70, 1.5,
])  # fmt: skip
schemas = st.recursive(
    values,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)


@pytest.mark.parametrize("content", HOSTILE, ids=lambda each: repr(each[:24]))
@pytest.mark.parametrize("target", TARGETS)
def test_hostile_bytes_are_survived(target: Any, content: bytes) -> None:
    target(content)


@pytest.mark.parametrize("target", TARGETS)
@examples(8)
@given(content=any_bytes)
def test_any_bytes_are_survived(target: Any, content: bytes) -> None:
    target(content)


@examples(20)
@given(path=schemas, one=schemas, other=schemas)
@example(
    path={"get": None}, one={"$ref": "#/components/schemas/A"}, other={"allOf": [{"$ref": "#/components/schemas/A"}]}
)
def test_any_json_is_a_document_or_a_list_of_problems(path: Any, one: Any, other: Any) -> None:
    """Documents that look like one from afar, wrong in every place below."""
    whole = {"openapi": "3.0.3", "paths": {"/a": path}, "components": {"schemas": {"A": one, "B": other}}}
    TARGETS[0](json.dumps(whole).encode())


@examples(20)
@given(schema=schemas, parameter=schemas)
def test_any_schema_in_a_sound_operation_is_imported_or_a_problem(schema: Any, parameter: Any) -> None:
    operation = {
        "operationId": "a", "tags": ["order"], "parameters": [{"name": "p", "in": "query", "schema": parameter}],
        "responses": {"200": {"content": {"application/json": {"schema": schema}}}},
    }  # fmt: skip
    whole = {"openapi": "3.0.3", "paths": {"/a": {"get": operation}}, "components": {"schemas": {"A": {}, "B": {}}}}
    TARGETS[0](json.dumps(whole).encode())


@pytest.mark.parametrize("content", [b"[" * DEEP, b'{"code":' * DEEP, b'{"code":"X","message":' + b"9" * 5000 + b"}"])
def test_a_refusal_without_end_is_still_a_refusal(content: bytes) -> None:
    request = operations.markets.get_depth("SOL_USDC")
    with pytest.raises(StatusError) as caught:
        reply_to(request, 400, content).parse()
    assert caught.value.content == content
    assert len(str(caught.value)) < 1000


def test_a_reply_without_end_is_an_invalid_response() -> None:
    with pytest.raises(InvalidResponse):
        reply_to(operations.markets.get_markets(), 200, b"[" * DEEP).parse()
    with pytest.raises(BackpackError):
        reply_to(operations.markets.get_markets(), 200, b'[{"a":' * DEEP).parse()

"""Every documented reply, as schemathesis makes it from the document: read typed, equal and without loss."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpack_sdk import Accepted, Acknowledged, InvalidResponse, NoContent, OutcomeUnknown, operations
from backpack_sdk._core.enums import OpenEnum
from backpack_sdk._core.model import Model
from backpack_sdk._wire import RawResponse

from ..core.wire_values import first_second, last_second
from ..document import resolved
from ..test_every_operation import fits, to_wire
from .mirror import bodies, moment, replies, result_type
from .passing import EPOCH
from .sending import calls
from .surface import OPEN_TEXT, Json, Surface, examples, ran, surfaces
from .test_requests import arguments_of, wire_values

EMPTY: dict[int, Any] = {200: Acknowledged, 202: Accepted, 204: NoContent}
WITH_JSON = [
    pytest.param(surface, status, schema, id=f"{surface.name}-{status}")
    for surface in surfaces()
    for (status, kind), schema in replies(surface).items()
    if kind == "application/json"
]
WITHOUT_BODY = [
    pytest.param(surface, status, id=f"{surface.name}-{status}")
    for surface in surfaces()
    for status, kind in replies(surface)
    if kind is None
]
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=5), inner, max_size=2)),
    max_leaves=4,
)


def request_of(data: st.DataObject, surface: Surface) -> Any:
    """Any request of the operation."""
    arguments = arguments_of(data, surface, *wire_values(surface, data.draw(surface.cases())))
    return calls(surface.name, arguments, "sync")[0]


def reply_to(request: Any, status: int, content: bytes) -> RawResponse[Any]:
    return RawResponse(request, status, {"content-type": "application/json"}, content)


def same(first: Json, second: Json) -> bool:
    """Whether two JSON values are the same, numbers by their value: 5e16 is 50000000000000000."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, (int, float)) and isinstance(second, (int, float)) and not isinstance(first, bool):
        return not isinstance(second, bool) and Decimal(repr(first)) == Decimal(repr(second))
    return type(first) is type(second) and first == second


def check_types(schema: Json, wire: Json, value: Any) -> None:
    """Hold a read value against its schema: decimals, moments, members and counts are what the wire text means."""
    schema = resolved(schema)
    if wire is None:
        assert value is None
    elif "anyOf" in schema or "oneOf" in schema:
        _check_variant(schema, wire, value)
    elif schema["type"] == "array":
        assert len(value) == len(wire)
        for one, read in zip(wire, value, strict=True):
            check_types(schema["items"], one, read)
    elif "additionalProperties" in schema:
        assert value.keys() == wire.keys()
        for key, one in wire.items():
            check_types(schema["additionalProperties"], one, value[key])
    elif schema["type"] == "object":
        _check_fields(schema, wire, value)
    elif (when := moment(schema, wire)) is not None:
        assert isinstance(value, datetime)
        assert (value, value.utcoffset()) == (when, when.utcoffset())
    elif "enum" in schema:
        assert (str(value), value == wire) == (wire, True)
    elif str(schema.get("format", "")) in ("decimal", "decimal-repeated", "double"):
        assert isinstance(value, Decimal)
        assert value.as_tuple() == Decimal(str(wire)).as_tuple()
    elif schema.get("format") == "digits":
        assert (type(value) is not str, int(value)) == (True, int(wire))
    elif schema["type"] in ("boolean", "integer"):
        assert (type(value), value) == (type(wire), wire)


def _check_variant(schema: Json, wire: Json, value: Any) -> None:
    field = schema.get("discriminator", {}).get("propertyName")
    if field is None:
        assert str(value) == wire or value == Decimal(wire)
        return
    for part in map(resolved, schema.get("anyOf", schema.get("oneOf"))):
        if wire[field] in part["properties"][field]["enum"] and not hasattr(value, "unwrap"):
            _check_fields(part, wire, value)
            assert type(value) not in (Model, *type(value).__bases__)


def _check_fields(schema: Json, wire: Json, value: Any) -> None:
    assert isinstance(value, Model)
    names = {field.alias or python: python for python, field in type(value).model_fields.items()}
    for wire_name, part in schema["properties"].items():
        assert wire_name in names
        read = getattr(value, names[wire_name])
        if wire_name in wire:
            check_types(part, wire[wire_name], read)
            stated = resolved(part)
            if stated.get("type") == "string" and len(stated.get("enum", ())) > 1 and stated["enum"] not in OPEN_TEXT:
                assert read is None or isinstance(read, OpenEnum)
        else:
            assert read is None


@pytest.mark.parametrize(("surface", "status", "schema"), WITH_JSON)
@examples()
@given(data=st.data())
def test_a_reply_is_typed_equal_and_lossless(surface: Surface, status: int, schema: Json, data: st.DataObject) -> None:
    ran[surface.name, "replies"] += 1
    wire = data.draw(bodies(f"/{surface.name}/{status}"))
    reply = reply_to(request_of(data, surface), status, json.dumps(wire).encode())
    result = reply.parse()
    assert fits(result, result_type(surface.name))
    assert same(to_wire(result), wire)
    check_types(schema, wire, result)
    again = reply.parse()
    assert again == result
    for model in result if isinstance(result, list) else [] if isinstance(result, dict) else [result]:
        assert same(json.loads(model.to_json()), model.to_wire())
        assert isinstance(hash(model), int)


@pytest.mark.parametrize(("surface", "status"), WITHOUT_BODY)
@examples(0.2)
@given(data=st.data(), other=st.binary())
def test_a_reply_without_a_body_is_its_status(surface: Surface, status: int, data: st.DataObject, other: bytes) -> None:
    """Whatever comes along is kept, unless it is a web page: that is no word of the exchange."""
    request = request_of(data, surface)
    for content in (b"", b"\n", b"null", b"{}", b"OK", b"<html>", b" \n<!DOCTYPE html>", other):
        ran[surface.name, "replies"] += 1
        reply = reply_to(request, status, content)
        if content.lstrip().startswith(b"<"):
            with pytest.raises((InvalidResponse, OutcomeUnknown)):
                reply.parse()
            continue
        result = reply.parse()
        assert type(result) is EMPTY[status]
        assert result.content == content


@pytest.mark.parametrize(("surface", "status", "schema"), WITH_JSON)
@examples(0.5)
@given(data=st.data())
def test_what_is_no_documented_reply_is_an_error_that_keeps_it(
    surface: Surface, status: int, schema: Json, data: st.DataObject
) -> None:
    request = request_of(data, surface)
    wire = data.draw(bodies(f"/{surface.name}/{status}"))
    whole = json.dumps(wire).encode()
    for undocumented in (201, 203, 206, 299):
        check_misfit(surface, reply_to(request, undocumented, whole))
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    check_misfit(surface, reply_to(request, status, cut))
    lacking = _without_a_field(data, schema, wire)
    if lacking is not None:
        check_misfit(surface, reply_to(request, status, lacking))
    for content in (data.draw(st.binary()), json.dumps(data.draw(json_values)).encode()):
        check_misfit(surface, reply_to(request, status, content), certain=False)


def check_misfit(surface: Surface, reply: RawResponse[Any], *, certain: bool = True) -> None:
    """The error that a strange reply is, or, where it may be a documented one after all, the promised type."""
    ran[surface.name, "misfits"] += 1
    try:
        result = reply.parse()
    except (InvalidResponse, OutcomeUnknown) as error:
        problem = error
    else:
        assert not certain, reply.content
        assert fits(result, result_type(surface.name))
        return
    assert type(problem) is (InvalidResponse if surface.operation.method == "GET" else OutcomeUnknown)
    assert (problem.content, problem.status, problem.request) == (reply.content, reply.status_code, reply.request)


@examples(4)
@given(count=st.integers(first_second * 1000, last_second * 1000), text=st.text(st.characters(codec="utf-8")))
def test_text_replies_are_read(count: int, text: str) -> None:
    ran["get_time", "replies"] += 1
    ran["ping", "replies"] += 1
    moment_of = reply_to(operations.system.get_time(), 200, f" {count}\n".encode()).parse()
    assert (moment_of - EPOCH) // timedelta(milliseconds=1) == count
    assert reply_to(operations.system.ping(), 200, text.encode()).parse() == text
    if not text.strip().removeprefix("-").isdecimal():
        with pytest.raises(InvalidResponse):
            reply_to(operations.system.get_time(), 200, text.encode()).parse()


def _without_a_field(data: st.DataObject, schema: Json, wire: Json) -> bytes | None:
    """The reply without one required field; None when it has none that is required."""
    schema = resolved(schema)
    if schema["type"] == "array":
        schema, rows = resolved(schema["items"]), wire
    else:
        rows = [wire]
    required = schema.get("required", [])
    if not rows or not required or "anyOf" in schema or "oneOf" in schema:
        return None
    left_out = data.draw(st.sampled_from(required))
    rest = [{name: value for name, value in row.items() if name != left_out} for row in rows]
    return json.dumps(rest if isinstance(wire, list) else rest[0]).encode()

"""Every operation of the document, called through both clients over a socket: what arrives is checked against the
document and its signature verified by a second implementation; what comes back has the promised type."""

from __future__ import annotations

import json
import re
import time
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from backpack_sdk import OPERATIONS, Accepted, Acknowledged, NoContent, operations

from .document import COUNTS, Documented, documented, resolved, sample
from .loopback import CREDENTIALS, Action, Seen, both, desk, in_turn, reply, serving, signed_by

AUTH_HEADERS = {"x-api-key", "x-signature", "x-timestamp", "x-window"}
PLAIN_HEADERS = {"host", "accept", "accept-encoding", "user-agent"}
AWKWARD = 'a b&c=d/é+%"\\'
"""Text that reads differently in a query, in JSON and in a signed message."""
PLAIN_DECIMAL = re.compile(r"-?\d+(\.\d+)?%?")


# What is passed, and what must arrive


def python_name(wire: str) -> str:
    """The argument's name: snake case, and `from_` for a keyword."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", wire).replace("-", "_").lower()
    return f"{name}_" if name == "from" else name


def passed(schema: dict[str, Any], wide: bool) -> tuple[Any, Any]:
    """An argument and its wire value, at one edge of what the document allows or at the other."""
    schema = resolved(schema)
    kind, form, unit = schema["type"], schema.get("format"), schema.get("x-unit")
    if "enum" in schema:
        wire = schema["enum"][-1 if wide else 0]
        return wire, wire
    if kind == "boolean":
        return wide, wide
    if kind == "array":
        several = list(resolved(schema["items"])["enum"])
        return (several, several) if wide else (several[0], several[:1])
    if kind == "object":
        wire = {name: passed(part, wide)[1] for name, part in schema["properties"].items()}
        return wire, wire
    if kind == "integer" and unit in COUNTS:
        moment = datetime.fromtimestamp(COUNTS[unit] / (1 if unit == "seconds" else 1000), UTC)
        return (moment if wide else COUNTS[unit]), COUNTS[unit]
    if kind == "integer":
        unsigned, _, bits = str(form).partition("int")
        most = 2 ** (int(bits) - (not unsigned)) - 1
        wire = schema.get("maximum", most) if wide else 0
        return wire, wire
    if form == "decimal-or-percent":
        return ("80%", "80%") if wide else ("20.030", "20.030")
    if form == "decimal":
        return (Decimal("1E-8"), "0.00000001") if wide else (1e16, "10000000000000000")
    if form == "market-symbol":
        return ("kPEPE/USDC:USDC", "kPEPE_USDC_PERP") if wide else ("SOL-USDC", "SOL_USDC")
    wire = AWKWARD if wide else ""
    return wire, wire


@dataclass
class Expected:
    """The arguments of one call, and the request they must make."""

    arguments: dict[str, Any]
    query: list[tuple[str, str]]
    body: Any
    headers: dict[str, str]


def expected(operation: Documented, wide: bool, everything: bool) -> Expected:
    """A call with every argument, or with the required ones only."""
    arguments: dict[str, Any] = {}
    query: list[tuple[str, str]] = []
    headers: dict[str, str] = {}
    for parameter in operation.facts.get("parameters", ()):
        if parameter["name"].lower() in AUTH_HEADERS or not (everything or parameter.get("required")):
            continue
        argument, wire = passed(parameter["schema"], wide)
        if parameter["in"] == "header":
            argument, wire = (argument, wire) if isinstance(argument, int) else ("key", "key")
            headers[parameter["name"].lower()] = str(wire)
        else:
            several = wire if isinstance(wire, list) else [wire]
            texts = [str(each).lower() if isinstance(each, bool) else str(each) for each in several]
            query += [(parameter["name"], text) for text in texts]
        arguments[python_name(parameter["name"])] = argument
    body: Any = None
    if "requestBody" in operation.facts:
        schema = resolved(operation.facts["requestBody"]["content"]["application/json"]["schema"])
        if schema["type"] == "array":
            rows = [members(schema["items"], edge, everything) for edge in (True, False)]
            named = [{python_name(name): argument for name, (argument, _) in row.items()} for row in rows]
            return Expected(arguments | {"orders": named}, query, [_wire(row) for row in rows], headers)
        given = members(schema, wide, everything)
        arguments |= {python_name(name): argument for name, (argument, _) in given.items()}
        body = _wire(given)
    return Expected(arguments, query, body, headers)


def members(schema: dict[str, Any], wide: bool, everything: bool) -> dict[str, tuple[Any, Any]]:
    schema = resolved(schema)
    names = schema["properties"] if everything else schema.get("required", ())
    return {name: passed(schema["properties"][name], wide) for name in names}


def _wire(given: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
    return {name: wire for name, (_, wire) in given.items()}


# What comes back


def replies(operation: Documented) -> Iterator[tuple[Action, Any, type | None]]:
    """Every documented success: what the server does, the JSON in it, and the type of one without a body."""
    for status, kind, schema in operation.replies:
        if kind == "application/json":
            yield from ((reply(status, sample(schema, full)), sample(schema, full), None) for full in (False, True))
        elif kind == "text/plain":
            yield reply(status, str(sample(schema, True))), None, None
        else:
            yield reply(status, b""), None, {200: Acknowledged, 202: Accepted, 204: NoContent}[status]


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of an annotated type, looked at all the way down."""
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return any(fits(value, each) for each in inside)
    if origin is list:
        return isinstance(value, list) and all(fits(each, inside[0]) for each in value)
    if origin is dict:
        return isinstance(value, dict) and all(fits(each, inside[1]) for each in value.values())
    return isinstance(value, hint)


def to_wire(value: Any) -> Any:
    if isinstance(value, list):
        return [to_wire(each) for each in value]
    if isinstance(value, dict):
        return {name: to_wire(each) for name, each in value.items()}
    return value.to_wire()


# The checks


def check_request(operation: Documented, seen: Seen, wanted: Expected) -> None:
    assert (seen.method, seen.path) == (operation.method, operation.path)
    assert sorted(seen.query, key=lambda pair: pair[0]) == sorted(wanted.query, key=lambda pair: pair[0])
    headers = PLAIN_HEADERS | set(wanted.headers)
    if wanted.body is None:
        assert seen.body == b""
        assert "?" not in seen.target or wanted.query
    else:
        assert json.dumps(seen.json, sort_keys=True) == json.dumps(wanted.body, sort_keys=True)
        assert b"null" not in seen.body
        headers |= {"content-type", "content-length"}
        assert seen.headers["content-type"].startswith("application/json")
    assert {name: seen.headers[name] for name in wanted.headers} == wanted.headers
    instruction = operation.facts.get("x-instruction")
    if instruction is None:
        assert set(seen.headers) == headers
        return
    assert set(seen.headers) == headers | AUTH_HEADERS
    assert signed_by(seen, instruction) == CREDENTIALS.api_key
    assert abs(int(seen.headers["x-timestamp"]) - time.time() * 1000) < 60_000
    assert seen.headers["x-window"] == "5000"


def check_decimals(operation: Documented, seen: Seen) -> None:
    """No exponent stands where the document has a decimal."""
    schemas = {each["name"]: each["schema"] for each in operation.facts.get("parameters", ()) if each["in"] == "query"}
    rows: list[dict[str, Any]] = [dict(seen.query)]
    if seen.body:
        schema = resolved(operation.facts["requestBody"]["content"]["application/json"]["schema"])
        schemas = resolved(schema.get("items", schema))["properties"]
        rows = seen.json if isinstance(seen.json, list) else [seen.json]
    for row in rows:
        for name, value in row.items():
            if str(resolved(schemas[name]).get("format", "")).startswith("decimal"):
                assert PLAIN_DECIMAL.fullmatch(value), f"{name}={value}"


def builder_of(name: str) -> tuple[str, Callable[..., Any]]:
    (found,) = [each for each in OPERATIONS if each.name == name]
    return f"{found.tag}.{found.name}", getattr(getattr(operations, found.tag), found.name)


def test_the_sdk_has_the_documents_operations() -> None:
    assert sorted(each.name for each in OPERATIONS) == sorted(each.name for each in documented())
    assert len(OPERATIONS) == 81


@both
@pytest.mark.parametrize("operation", documented(), ids=lambda each: each.name)
async def test_request_and_reply(operation: Documented, flavour: str) -> None:
    method, builder = builder_of(operation.name)
    returned = typing.get_args(typing.get_type_hints(builder)["return"])[0]
    with serving() as server:
        async with desk(flavour, server.url, rate_limit=None) as bench:
            for wide, everything in ((True, True), (False, True), (True, False)):
                wanted = expected(operation, wide, everything)
                for action, body, empty in replies(operation):
                    server.requests.clear()
                    server.answer = in_turn(action)
                    result = await bench.call(method, **wanted.arguments)
                    (seen,) = server.requests
                    check_request(operation, seen, wanted)
                    check_decimals(operation, seen)
                    assert fits(result, returned), f"{type(result)} is no {returned}"
                    if body is not None:
                        assert to_wire(result) == body
                    assert empty is None or type(result) is empty


@both
async def test_empty_list_is_no_parameter(flavour: str) -> None:
    with serving(reply(200, b"[]")) as server:
        async with desk(flavour, server.url) as bench:
            await bench.send(replace(operations.order.get_fills(), query={"marketType": []}))
        assert server.requests[0].target == "/wapi/v1/history/fills"
        signed_by(server.requests[0], "fillHistoryQueryAll")


@pytest.mark.parametrize("operation", documented(), ids=lambda each: each.name)
def test_arguments_are_the_documents(operation: Documented) -> None:
    """No argument is missing and none is invented; the required ones are those without a default."""
    namespace, builder = builder_of(operation.name)
    hints = typing.get_type_hints(builder)
    assert set(hints) - {"return"} == set(expected(operation, True, True).arguments), namespace
    required = {name for name, hint in hints.items() if name != "return" and type(None) not in typing.get_args(hint)}
    assert required == set(expected(operation, True, False).arguments)

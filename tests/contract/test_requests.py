"""Every operation called with cases that schemathesis makes from the document: what leaves is the case, and signed."""

from __future__ import annotations

import typing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpack_sdk import operations

from .passing import every_form, passed
from .sending import calls, expect, leaving, namespace_of
from .surface import Json, Surface, examples, ran, surfaces, whole

each_operation = pytest.mark.parametrize("surface", surfaces(), ids=lambda each: each.name)
BOOLEANS = {"true": True, "false": False}


def wire_values(surface: Surface, case: Any) -> tuple[dict[str, Json], dict[str, Json], Json]:
    """Query, headers and body of a case; schemathesis has turned booleans of a query into texts already."""
    schemas = {argument.wire: argument.schema for argument in surface.arguments.values()}
    query = {
        name: BOOLEANS[value] if schemas[name]["type"] == "boolean" else value
        for name, value in (case.query or {}).items()
    }
    body = whole(case.body) if surface.body is not None else None
    return query, dict(case.headers or {}), body


def wires_of(surface: Surface, query: Json, headers: Json, body: Json) -> dict[str, Json]:
    """The wire values of a case by argument."""
    sources = {"query": query, "header": headers, "body": body, "rows": {"orders": body}}
    found = {
        name: sources[argument.place][argument.wire]
        for name, argument in surface.arguments.items()
        if argument.wire in sources[argument.place]
    }
    headers_of = [name for name in found if surface.arguments[name].place == "header"]
    integers = [name for name in headers_of if surface.arguments[name].schema["type"] == "integer"]
    return {**found, **{name: int(found[name]) for name in integers}}


def hints_of(surface: Surface) -> dict[str, Any]:
    """The annotations of the operation's builder."""
    return typing.get_type_hints(getattr(getattr(operations, namespace_of(surface.name)), surface.name))


def arguments_of(data: st.DataObject, surface: Surface, query: Json, headers: Json, body: Json) -> dict[str, Any]:
    """The arguments that mean a case, each in one of its forms."""
    hints = hints_of(surface)
    wires = wires_of(surface, query, headers, body)
    return {name: passed(data, surface.arguments[name], wire, hints[name]) for name, wire in wires.items()}


@each_operation
@examples()
@given(data=st.data())
def test_what_leaves_is_the_case(surface: Surface, data: st.DataObject) -> None:
    ran[surface.name, "requests"] += 1
    query, headers, body = wire_values(surface, data.draw(surface.cases()))
    for flavour in ("sync", "async"):
        arguments = arguments_of(data, surface, query, headers, body)
        (request,) = calls(surface.name, arguments, flavour)
        expect(surface.operation, leaving(request), query, headers, body)


@pytest.mark.parametrize("surface", [each for each in surfaces() if each.arguments], ids=lambda each: each.name)
@examples(0.3)
@given(data=st.data())
def test_every_form_of_an_argument_means_the_same(surface: Surface, data: st.DataObject) -> None:
    query, headers, body = wire_values(surface, data.draw(surface.cases()))
    hints, wires = hints_of(surface), wires_of(surface, query, headers, body)
    for name, wire in wires.items():
        for form in every_form(surface.arguments[name], wire, hints[name]):
            ran[surface.name, "requests"] += 1
            (request,) = calls(surface.name, {**wires, name: form}, "sync")
            expect(surface.operation, leaving(request), query, headers, body)

"""What the document forbids never leaves: it is refused by name, before anything is signed or sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpack_sdk import InvalidArgument

from ..loopback import Seen
from .forbidden import odd, wrong, wrong_rows
from .sending import calls, leaving, sent
from .surface import CHECKS, Surface, examples, ran, surfaces
from .test_requests import arguments_of, wire_values

WITH_ARGUMENTS = [surface for surface in surfaces() if surface.arguments]
each_with_arguments = pytest.mark.parametrize("surface", WITH_ARGUMENTS, ids=lambda each: each.name)
flavours = st.sampled_from(["sync", "async"])


def valid_arguments(data: st.DataObject, surface: Surface) -> dict[str, Any]:
    query, headers, body = wire_values(surface, data.draw(surface.cases()))
    return arguments_of(data, surface, query, headers, body)


def validator(surface: Surface) -> Any:
    """Holds what leaves against the document, by a validator that knows nothing of the SDK."""
    properties = {name: argument.schema for name, argument in surface.arguments.items()}
    required = [name for name, argument in surface.arguments.items() if argument.required]
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return jsonschema_rs.validator_for(schema, formats=CHECKS, validate_formats=True)


def attempt(surface: Surface, arguments: dict[str, Any], flavour: str) -> Seen:
    """What leaves. Raises InvalidArgument."""
    (request,) = calls(surface.name, arguments, flavour)
    return leaving(request)


def refusal(surface: Surface, arguments: dict[str, Any], flavour: str) -> InvalidArgument:
    with pytest.raises(InvalidArgument) as caught:
        attempt(surface, arguments, flavour)
    return caught.value


@each_with_arguments
@examples(0.1)
@given(data=st.data())
def test_a_forbidden_value_is_refused_by_name(surface: Surface, data: st.DataObject) -> None:
    """Every forbidden value of every argument, the others being what they should be."""
    arguments = {
        name: list(value) if isinstance(value, Iterator) else value
        for name, value in valid_arguments(data, surface).items()
    }
    flavour = data.draw(flavours)
    for name, argument in surface.arguments.items():
        for value in wrong(argument):
            ran[surface.name, "refused"] += 1
            problem = refusal(surface, {**arguments, name: value}, flavour)
            assert problem.argument == name
            assert str(problem).startswith(f"{name}: ")
        for rows, place in wrong_rows(argument) if argument.place == "rows" else ():
            ran[surface.name, "refused"] += 1
            assert refusal(surface, {**arguments, name: rows}, flavour).argument == place


@each_with_arguments
@examples()
@given(data=st.data())
def test_nothing_leaves_that_the_document_forbids(surface: Surface, data: st.DataObject) -> None:
    """Whatever is passed: it is refused with the argument's name, or what leaves is valid."""
    ran[surface.name, "odd"] += 1
    arguments = valid_arguments(data, surface)
    for name in data.draw(st.lists(st.sampled_from(sorted(surface.arguments)), min_size=1, max_size=3, unique=True)):
        arguments[name] = data.draw(odd)
    try:
        seen = attempt(surface, arguments, data.draw(flavours))
    except InvalidArgument as problem:
        refused = problem.argument
    else:
        assert [str(error) for error in validator(surface).iter_errors(sent(surface, seen))] == []
        return
    assert refused.partition("[")[0].partition(".")[0] in surface.arguments

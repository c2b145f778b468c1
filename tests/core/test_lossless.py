"""Every model gives back exactly the JSON it was read from, whatever the exchange leaves out, nulls or adds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from backpack_sdk import types

from .wire_values import api, fields, json_values, model, objects, texts

MODELS = sorted(found.name for found in api().models)


def canonical(value: Any) -> str:
    """One text per JSON value: tells 1 from 1.0 and from true, and absent from null."""
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_has_the_fields_of_the_document(name: str) -> None:
    cls = getattr(types, name)
    cls.model_rebuild()
    found = {(field.alias, python, field.is_required()) for python, field in cls.model_fields.items()}
    if model(name).batch is not None:
        assert found == {("operation", "operation", True)}
    else:
        assert found == {(field.wire, field.python, field.required) for field in fields(name)}


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_was_read_is_written_back(name: str, data: st.DataObject) -> None:
    wire = data.draw(objects(name))
    cls = getattr(types, name)
    read = cls.model_validate_json(json.dumps(wire))
    assert canonical(read.to_wire()) == canonical(wire)
    assert canonical(json.loads(read.to_json())) == canonical(wire)
    again = type(read).model_validate(read.to_wire())
    assert again == read
    assert hash(again) == hash(read)
    assert canonical(again.to_wire()) == canonical(wire)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(objects("OrderType"), max_size=3), field=texts, value=json_values)
def test_lists_and_maps_of_models_are_lossless(rows: list[dict[str, Any]], field: str, value: Any) -> None:
    adapter: TypeAdapter[dict[str, list[types.OrderType]]] = TypeAdapter(dict[str, list[types.OrderType]])
    wire = {field: rows}
    read = adapter.validate_json(json.dumps(wire))
    assert canonical({key: [row.to_wire() for row in some] for key, some in read.items()}) == canonical(wire)
    dumped = adapter.dump_json(read, by_alias=True, exclude_unset=True)
    assert canonical(json.loads(dumped)) == canonical(wire)

"""Channels, events and enumerations to Python files."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..render import compiled, templates

if TYPE_CHECKING:
    from .ir import EventField, EventModel, Reading, Streams

FOLDER = "streams"
_CLOCKS = {"us": "from_micros", "ms": "from_millis", "iso": "from_iso"}


@dataclass(frozen=True, slots=True)
class _Row:
    """One property of an event."""

    name: str
    annotation: str
    expression: str
    doc: str


def render_streams(streams: Streams) -> dict[str, str]:
    """Text of every generated file of the streams by its path below the output folder."""
    environment = templates()

    def text(template: str, **values: object) -> str:
        return environment.get_template(template).render(**values).rstrip("\n") + "\n"

    readings = {model.name: _readings(model) for model in streams.models}
    files = {
        "__init__.py": text("stream_package.py.jinja"),
        "models.py": text(
            "stream_models.py.jinja",
            enums=[enum for enum in streams.enums if enum.rest is None],
            models=sorted(streams.models, key=lambda model: model.name),
            readings=readings,
            imports=_imports(streams, readings),
        ),
        "channels.py": text("stream_channels.py.jinja", channels=streams.channels),
    }
    return compiled({f"{FOLDER}/{name}": content for name, content in files.items()})


def _readings(model: EventModel) -> list[_Row]:
    return [_row(one, one.reading) for one in model.fields if one.reading is not None]


def _row(one: EventField, reading: Reading) -> _Row:
    annotation, call = "datetime", f"{_CLOCKS.get(reading.kind)}(self.{one.python})"
    if reading.kind == "levels":
        annotation, call = "tuple[Level, ...]", f"read_levels(self.{one.python})"
    elif reading.kind == "text":
        annotation, call = "str", f"str(self.{one.python})"
    elif reading.kind == "rest":
        annotation, call = reading.enum, f"{reading.enum}(spelt_as_rest(self.{one.python}))"
    if one.optional:
        annotation, call = f"{annotation} | None", f"None if self.{one.python} is None else {call}"
    return _Row(reading.name, annotation, call, reading.doc)


@dataclass(frozen=True, slots=True)
class _Import:
    module: str
    names: tuple[str, ...]


def _imports(streams: Streams, readings: dict[str, list[_Row]]) -> list[_Import]:
    """Imports of the REST enumerations that an event has."""
    annotations = [one.annotation for model in streams.models for one in model.fields]
    annotations += [row.annotation for rows in readings.values() for row in rows]
    used = {
        node.id
        for annotation in annotations
        for node in ast.walk(ast.parse(annotation, mode="eval"))
        if isinstance(node, ast.Name)
    }
    used |= {model.parameter.enum for model in streams.models if model.parameter is not None}
    groups: dict[str, set[str]] = {}
    for enum in streams.enums:
        if enum.rest is not None and enum.name in used:
            module = "..shared" if enum.rest == "shared" else f"..{enum.rest}.models"
            groups.setdefault(module, set()).add(enum.name)
    return [_Import(module, tuple(sorted(found))) for module, found in sorted(groups.items())]

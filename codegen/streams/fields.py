"""A payload's schema to the fields of an event."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .. import names
from ..reserved import EVENT_ATTRIBUTES
from .ir import EventField, Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from .document import Document, Node

TAG = "e"
_UNITS = {"us": "microseconds", "ms": "milliseconds"}
_READINGS = ("iso", "levels", "text")
_PLAIN = {"string": "str", "integer": "int", "boolean": "bool"}
_UNDECODABLE = re.compile(r'["\\\x00-\x1f]')
_LEVELS = "tuple[tuple[str, str], ...]"


class Fields:
    """Reads the properties of one payload."""

    def __init__(self, document: Document, enum: Callable[[Node, tuple[object, ...]], str | None]) -> None:
        self._document = document
        self._enum = enum

    def tag(self, schema: Node, place: tuple[object, ...]) -> str | None:
        """The constant that tells the events of this class from others."""
        tag = schema.get("properties", {}).get(TAG)
        value = tag.get("const") if isinstance(tag, dict) else None
        if value is None or isinstance(value, str):
            return value
        self._document.wrong((*place, "properties", TAG, "const"), "must be a text")
        return None

    def read(self, schema: Node, place: tuple[object, ...]) -> tuple[EventField, ...]:
        """Every field but the constant one, in the document's order."""
        document = self._document
        needed = document.texts(schema, "required", place)
        properties = document.mapping(schema, "properties", place, needed=True)
        for name in needed:
            if name not in properties:
                document.wrong((*place, "required"), f"names {name!r}, which is no property")
        found: list[EventField] = []
        taken: set[str] = set()
        for wire, node in properties.items():
            where = (*place, "properties", wire)
            if not isinstance(node, dict):
                document.wrong(where, "must be an object")
            elif _UNDECODABLE.search(wire):
                document.wrong(where, "has a quote, a backslash or a control character in its name")
            elif not (wire == TAG and "const" in node):
                field = self._field(wire, node, where, wire in needed)
                for name in (field.python, *([field.reading.name] if field.reading else [])):
                    if name in taken:
                        document.wrong(where, f"is called {name!r}, like another field of this payload")
                    taken.add(name)
                found.append(field)
        return tuple(found)

    def _field(self, wire: str, node: Node, place: tuple[object, ...], needed: bool) -> EventField:
        python = self._name(node.get("x-name", wire), (*place, "x-name"))
        annotation, nullable = self._type(node, place)
        doc = self._document.text(node, "description", place)
        reading = self._clock(node, place, python, annotation) or self._reading(node, place, annotation)
        return EventField(wire, python, annotation, nullable or not needed, doc, reading)

    def _name(self, name: object, place: tuple[object, ...]) -> str:
        if not isinstance(name, str):
            self._document.wrong(place, "must be a text")
            return "field"
        python = names.identifier(name, "field")
        return f"{python}_" if python in EVENT_ATTRIBUTES else python

    # Types

    def _type(self, node: Node, place: tuple[object, ...]) -> tuple[str, bool]:
        """Annotation without `None`, and whether null may stand there."""
        if "$ref" in node:
            return self._referred(node["$ref"], (*place, "$ref")), False
        for key in ("allOf", "anyOf"):
            if key in node:
                return self._combined(node, key, place)
        kinds = node.get("type")
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if not isinstance(kinds, list) or not kinds or not all(isinstance(kind, str) for kind in kinds):
            self._document.wrong(place, "needs a type")
            return "Any", True
        nullable = "null" in kinds
        others = sorted(set(kinds) - {"null"})
        if node.get("format") == "decimal" or others == ["number"]:
            return "Decimal", nullable
        if others == ["array"]:
            return self._levels(node, place), nullable
        if (len(others) != 1 and others != ["integer", "string"]) or not set(others) <= _PLAIN.keys():
            self._document.wrong((*place, "type"), f"is no type that a field can have: {', '.join(map(repr, kinds))}")
            return "Any", True
        return " | ".join(_PLAIN[kind] for kind in others), nullable

    def _combined(self, node: Node, key: str, place: tuple[object, ...]) -> tuple[str, bool]:
        """One enumeration, with words of its own around it, or with null beside it."""
        parts = node[key]
        nulls = [part for part in parts if part == {"type": "null"}] if isinstance(parts, list) else []
        others = [part for part in parts if part not in nulls] if isinstance(parts, list) else []
        if len(others) != 1 or not isinstance(others[0], dict) or "$ref" not in others[0]:
            self._document.wrong((*place, key), "must be one reference to an enumeration, and null at most")
            return "Any", True
        return self._referred(others[0]["$ref"], (*place, key)), bool(nulls)

    def _referred(self, reference: Any, place: tuple[object, ...]) -> str:
        resolved = self._document.follow({"$ref": reference}, place)
        if resolved is None:
            return "Any"
        name = self._enum(*resolved)
        return name if name is not None else "Any"

    def _levels(self, node: Node, place: tuple[object, ...]) -> str:
        pair = node.get("items")
        inner = pair.get("items") if isinstance(pair, dict) else None
        if inner != [{"type": "string"}, {"type": "string"}]:
            self._document.wrong((*place, "items"), "must be pairs of texts: no other list is known")
            return "Any"
        return _LEVELS

    # Readings

    def _clock(self, node: Node, place: tuple[object, ...], python: str, annotation: str) -> Reading | None:
        """The `datetime` beside a count of microseconds or milliseconds."""
        unit = node.get("x-unit")
        if unit is None:
            if annotation == "int" and "time" in python.split("_"):
                self._document.lacks((*place, "x-unit"), "is missing: a time needs a unit, us or ms")
            return None
        if not isinstance(unit, str) or unit not in _UNITS:
            self._document.wrong((*place, "x-unit"), "must be us or ms")
            return None
        if annotation != "int":
            self._document.wrong((*place, "x-unit"), "is the unit of something that is no whole number")
            return None
        if not python.endswith(f"_{unit}"):
            self._document.lacks((*place, "x-name"), f"must end in _{unit}, the unit of the time")
            return None
        name = python.removesuffix(f"_{unit}")
        return Reading(self._name(name, place), unit, f"`{python}` as an aware UTC `datetime`.")

    def _reading(self, node: Node, place: tuple[object, ...], annotation: str) -> Reading | None:
        told = node.get("x-reads-as")
        if told is None:
            return None
        where = (*place, "x-reads-as")
        if not isinstance(told, dict):
            self._document.wrong(where, "must be an object")
            return None
        name = self._name(told.get("name"), (*where, "name"))
        doc = self._document.text(told, "description", where)
        kind, _, enum = str(told.get("kind")).partition(":")
        if kind == "rest" and enum:
            known = self._referred(f"#/components/schemas/{enum}", (*where, "kind"))
            return Reading(name, kind, doc, known)
        if kind not in _READINGS or enum:
            self._document.wrong((*where, "kind"), f"must be one of {', '.join(_READINGS)} or rest:ENUMERATION")
            return None
        if (kind == "levels") != (annotation == _LEVELS):
            self._document.wrong((*where, "kind"), "does not fit the type of the field")
        return Reading(name, kind, doc)

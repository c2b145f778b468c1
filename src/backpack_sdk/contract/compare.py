"""Where a JSON value leaves its schema: every place by name, in the words in which a correction is written.

schemathesis says whether a reply fits; this says what to do about it, and sees what a schema lets pass: fields that
nobody documented, and texts that are not what their format says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .document import Json, resolve
from .findings import Departure, Kind

_DECIMAL = re.compile(r"-?\d+(\.\d+)?")
_RANGES = {
    "uint8": (0, 2**8 - 1),
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
}
LONGEST_SHOWN = 60


def departures(schema: Json, value: Json, path: str = "", target: str | None = None) -> Iterator[Departure]:
    """Every place at which a value leaves a schema. `target` is the place of the schema in the overlays' words."""
    facts, name = resolve(schema)
    place = target
    target = f"schemas.{name}" if name is not None and ("properties" in facts or "enum" in facts) else target
    if value is None:
        if not (schema.get("nullable") or facts.get("nullable")):
            yield Departure(Kind.NULL, path, "null where the document has a value", place, facts, None)
    elif "oneOf" in facts or "anyOf" in facts:
        yield from _choice(facts, value, path, target)
    elif "allOf" in facts or facts.get("type") == "object":
        yield from _object(facts, value, path, target)
    elif facts.get("type") == "array":
        yield from _array(facts, value, path, target)
    elif "enum" in facts and value not in facts["enum"]:
        kind = Kind.UNKNOWN_MEMBER if isinstance(value, str) and facts.get("type") == "string" else Kind.WRONG_TYPE
        yield Departure(kind, path, f"{shown(value)} is none of the members", target, facts, value)
    else:
        problem = misfit(facts, value)
        if problem:
            yield Departure(Kind.WRONG_TYPE, path, problem, target, facts, value)


def _choice(facts: Json, value: Json, path: str, target: str | None) -> Iterator[Departure]:
    options = facts.get("oneOf") or facts["anyOf"]
    tag = facts.get("discriminator", {})
    if tag and isinstance(value, dict) and tag["propertyName"] in value:
        told = value[tag["propertyName"]]
        ref = tag.get("mapping", {}).get(told) if isinstance(told, str) else None
        if ref is None:
            detail = f"{shown(told)} is none of the variants {', '.join(tag.get('mapping', {}))}"
            yield Departure(Kind.UNKNOWN_MEMBER, f"{path}.{tag['propertyName']}", detail, None, facts, told)
            return
        options = [{"$ref": ref}]
    found = [list(departures(option, value, path, target)) for option in options]
    best = min(found, key=len)
    if best and not tag:
        yield Departure(Kind.WRONG_TYPE, path, f"{shown(value)} is none of what may stand here", target, facts, value)
        return
    yield from best


@dataclass
class _Shape:
    """The fields of an object that may be made of several parts, each with the component that has it."""

    fields: dict[str, tuple[Json, str | None]] = field(default_factory=dict[str, tuple[Json, "str | None"]])
    required: dict[str, str | None] = field(default_factory=dict[str, "str | None"])
    rest: Json = None
    owner: str | None = None

    def add(self, facts: Json, owner: str | None) -> None:
        """Take in one part."""
        for part in facts.get("allOf", ()):
            inner, name = resolve(part)
            if "anyOf" in inner or "oneOf" in inner:
                self.alternatives.append(part)
            else:
                self.add(inner, owner if name is None else f"schemas.{name}")
        if facts.get("properties"):
            self.owner = owner
        self.fields |= {name: (schema, owner) for name, schema in facts.get("properties", {}).items()}
        self.required |= dict.fromkeys(facts.get("required", ()), owner)
        self.rest = facts.get("additionalProperties", self.rest)

    alternatives: list[Json] = field(default_factory=list[Json])


def _object(facts: Json, value: Json, path: str, target: str | None) -> Iterator[Departure]:
    if not isinstance(value, dict):
        yield Departure(Kind.WRONG_TYPE, path, f"{shown(value)} is no object", target, facts, value)
        return
    shape = _Shape()
    shape.add(facts, target)
    beside = set(shape.fields)
    for part in shape.alternatives:  # a variant: its own fields, and the ones that stand beside it
        inner = {name: each for name, each in value.items() if name not in beside}
        yield from departures(part, inner, path, target)
    for name, owner in shape.required.items():
        if name not in value:
            place = _place(owner, name)
            yield Departure(
                Kind.MISSING_FIELD, f"{path}.{name}", "is required and absent", place, shape.fields[name][0]
            )
    for name, each in value.items():
        if name in shape.fields:
            schema, owner = shape.fields[name]
            yield from departures(schema, each, f"{path}.{name}", _place(owner, name))
        elif isinstance(shape.rest, dict):
            yield from departures(shape.rest, each, f"{path}.*")
        elif (shape.fields or facts.get("properties") == {}) and not shape.alternatives:
            place = _place(shape.owner, name)
            yield Departure(Kind.UNKNOWN_FIELD, f"{path}.{name}", f"came as {shown(each)}", place, None, each)


def _place(owner: str | None, name: str) -> str | None:
    """A field of a component; fields of nested nameless objects have no place in the overlays."""
    return f"{owner}.{name}" if owner is not None and owner.count(".") == 1 else None


def _array(facts: Json, value: Json, path: str, target: str | None) -> Iterator[Departure]:
    if not isinstance(value, list):
        yield Departure(Kind.WRONG_TYPE, path, f"{shown(value)} is no list", target, facts, value)
        return
    if not facts.get("minItems", 0) <= len(value) <= facts.get("maxItems", len(value)):
        yield Departure(Kind.WRONG_TYPE, path, f"a list of {len(value)} has another length", target, facts, value)
    for each in value:
        yield from departures(facts["items"], each, f"{path}[]")


def misfit(facts: Json, value: Json) -> str:
    """What is wrong with a single value; empty when nothing is."""
    kind, form = facts.get("type"), facts.get("format")
    fits = {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, (int, float)) and not isinstance(value, bool),
    }
    if not fits.get(str(kind), True):
        return f"{shown(value)} is no {kind}"
    if isinstance(value, str) and form is not None and not _reads(form, value):
        return f"{shown(value)} is no {form}"
    if isinstance(value, int) and form in _RANGES:
        low, high = _RANGES[form]
        return "" if low <= value <= high else f"{value} is no {form}"
    return ""


def _reads(form: str, text: str) -> bool:
    if form == "decimal-or-percent":
        text, form = text.removesuffix("%"), "decimal"
    if form in ("decimal", "decimal-repeated"):
        return _DECIMAL.fullmatch(text) is not None
    if form == "digits":
        return text.isascii() and text.isdecimal()
    if form in ("date-time", "naive-date-time", "spaced-date-time"):
        try:
            read = datetime.fromisoformat(text)
        except ValueError:
            return False
        return (read.tzinfo is not None) == (form == "date-time") and (" " in text) == (form == "spaced-date-time")
    return True


def shown(value: Any) -> str:
    """A value, short."""
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"

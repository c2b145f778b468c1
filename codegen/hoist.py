"""The passes that give names to what has none: inline objects and enumerations become components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .names import class_name, snake
from .references import ref
from .schemas import CARRIED, Document, components, operations, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .overlay import Names


def hoist_parts(document: Document, _names: Names) -> int:
    """Inline objects made of several parts become components, so that one inside itself ends."""
    return _hoist(document, lambda schema: "allOf" in schema)


def hoist_objects(document: Document, _names: Names) -> int:
    """Inline objects with fields become components, named after where they stand."""
    return _hoist(document, lambda schema: bool(schema.get("properties")))


def _hoist(document: Document, wanted: Callable[[dict[str, Any]], bool]) -> int:
    schemas = components(document)
    found = [(name, schema) for name, schema in _inline(document, with_owner=True) if wanted(schema)]
    for name, schema in reversed(found):  # inner ones first, so that outer ones refer to them
        target = _free(class_name(name), schemas)
        schemas[target] = {key: value for key, value in schema.items() if key not in CARRIED}
        replace(schema, ref(target))
    return len(found)


def hoist_enums(document: Document, _names: Names) -> int:
    """Inline enumerations of text become components; those with the same members become one. One text is a literal."""
    schemas = components(document)
    known = {_members(schema): name for name, schema in sorted(schemas.items(), reverse=True) if "enum" in schema}
    found: dict[tuple[str, ...], list[tuple[str, dict[str, Any]]]] = {}
    for name, schema in _inline(document):
        members = schema.get("enum", ())
        texts = all(isinstance(member, str) for member in members) and schema.get("type", "string") == "string"
        if len(set(map(str, members))) > 1 and texts:
            found.setdefault(_members(schema), []).append((name, schema))
    count = 0
    for members, places in sorted(found.items()):
        target = known.get(members)
        if target is None:
            target = class_name(min((name for name, _ in places), key=lambda name: (len(name), name)))
            target = _free(target, schemas)
            schemas[target] = {"type": "string", "enum": list(places[0][1]["enum"])}
        for _, schema in places:
            replace(schema, ref(target))
            count += 1
    return count


def _free(name: str, schemas: dict[str, Any]) -> str:
    """A name that no component has. It does not end in a digit: that would look like numbering."""
    while name in schemas or name[-1].isdigit():
        name += "Item"
    return name


def _members(schema: dict[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(map(str, schema["enum"])))


def _inline(document: Document, *, with_owner: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """Schemas that are no component themselves, outer before inner, with the best name there is for each."""
    for name, schema in sorted(components(document).items()):
        yield from _inside(schema, name, name if with_owner else "")
    for operation in operations(document):
        owner = _pascal(operation["operationId"])
        for parameter in operation.get("parameters", []):
            name = (owner if with_owner else "") + _pascal(parameter["name"])
            yield name, parameter["schema"]
            yield from _inside(parameter["schema"], name, name)
        for label, holder in (("Body", operation.get("requestBody", {})), *_replies(operation)):
            for media in holder.get("content", {}).values():
                if "schema" in media:
                    yield owner + label, media["schema"]
                    yield from _inside(media["schema"], owner + label, owner + label)


def _replies(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for status, response in sorted(operation["responses"].items()):
        yield "Reply" if status == "200" else f"Reply{status}Body", response


def _inside(schema: dict[str, Any], name: str, owner: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for prop, below in sorted(schema.get("properties", {}).items()):
        inner = owner + _pascal(prop)
        yield inner, below
        yield from _inside(below, inner, inner if owner else "")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield f"{name}Entry", schema[key]
            yield from _inside(schema[key], f"{name}Entry", f"{owner}Entry" if owner else "")
    for key in ("anyOf", "oneOf", "allOf"):
        for index, below in enumerate(schema.get(key, [])):
            if key != "allOf":
                yield f"{name}Option{chr(65 + index % 26)}", below
            yield from _inside(below, name, owner)


def _pascal(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in snake(name).split("_"))

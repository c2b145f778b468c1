"""Looking through the schemas of a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from .references import ref_name
from .validate import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Document: TypeAlias = dict[str, Any]
CARRIED = ("nullable", "deprecated", "x-unit")
"""What the place that uses a schema says about its own value; it stays there when the rest is replaced."""
_OPTIONS = ("allOf", "anyOf", "oneOf")


def components(document: Document) -> dict[str, Any]:
    """The named schemas of a document."""
    schemas: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
    return schemas


def operations(document: Document) -> Iterator[dict[str, Any]]:
    """Every operation, by path and method."""
    for _, item in sorted(document["paths"].items()):
        for method in METHODS:
            if method in item:
                yield item[method]


def walk(document: Document) -> Iterator[dict[str, Any]]:
    """Every schema of the document, outer before inner. What is put in a schema's place is looked at in its stead."""
    stack = [schema for _, schema in sorted(components(document).items(), reverse=True)]
    for operation in operations(document):
        stack.extend(parameter["schema"] for parameter in operation.get("parameters", []))
        for holder in (operation.get("requestBody", {}), *operation["responses"].values()):
            stack.extend(media["schema"] for media in holder.get("content", {}).values() if "schema" in media)
    while stack:
        schema = stack.pop()
        yield schema
        stack.extend(schema.get("properties", {}).values())
        stack.extend(below for key in ("items", "additionalProperties") if isinstance(below := schema.get(key), dict))
        for key in _OPTIONS:
            stack.extend(schema.get(key, []))


def uses(document: Document, name: str) -> int:
    """How many places refer to a component."""
    return sum(1 for schema in walk(document) if ref_name(schema) == name)


def replace(schema: dict[str, Any], by: dict[str, Any]) -> None:
    """Put another schema in a schema's place, which keeps what it says about its own value."""
    kept = {key: schema[key] for key in CARRIED if schema.get(key)}
    schema.clear()
    schema.update(by)
    schema.update(kept)


def mapped(schema: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """A copy whose direct sub-schemas are what `change` makes of them."""
    result = dict(schema)
    if "properties" in schema:
        result["properties"] = {name: change(below) for name, below in schema["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            result[key] = change(schema[key])
    for key in _OPTIONS:
        if key in schema:
            result[key] = [change(below) for below in schema[key]]
    return result

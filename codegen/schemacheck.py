"""Says what is wrong with a schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .problems import Problem, pointer
from .references import component

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TYPES = {"string", "integer", "number", "boolean", "object", "array", "null"}
_LISTS = ("allOf", "anyOf", "oneOf")
_NUMBERS = ("minimum", "maximum", "multipleOf")
_FLAGS_OR_NUMBERS = ("exclusiveMinimum", "exclusiveMaximum")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems")
_TEXTS = ("$ref", "format", "pattern")
DEEPEST = 60


def check_schema(schema: Any, place: str, depth: int = 0) -> Iterator[Problem]:
    """Every problem of one schema and of those inside it."""
    if not isinstance(schema, dict):
        yield Problem(place, f"expected a schema, found {type(schema).__name__}")
        return
    if depth > DEEPEST:
        yield Problem(place, f"is nested more than {DEEPEST} levels deep")
        return
    yield from _own(schema, place)
    properties = schema.get("properties", {})
    if not isinstance(properties, dict):
        yield Problem(f"{place}/properties", "expected a mapping of schemas")
        properties = {}
    for name, below in properties.items():
        yield from check_schema(below, place + pointer("properties", name)[1:], depth + 1)
    for key in _LISTS:
        options = schema.get(key, [])
        if not isinstance(options, list):
            yield Problem(f"{place}/{key}", "expected a list of schemas")
            continue
        for index, below in enumerate(options):
            yield from check_schema(below, f"{place}/{key}/{index}", depth + 1)
    if "items" in schema:
        yield from check_schema(schema["items"], f"{place}/items", depth + 1)
    elif schema.get("type") == "array" and "prefixItems" not in schema:
        yield Problem(place, "an array needs items")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from check_schema(schema["additionalProperties"], f"{place}/additionalProperties", depth + 1)


def _own(schema: dict[str, Any], place: str) -> Iterator[Problem]:
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    if "type" in schema and (not kinds or not all(isinstance(one, str) and one in _TYPES for one in kinds)):
        yield Problem(f"{place}/type", f"{kind!r} is no JSON schema type")
    members = schema.get("enum")
    if "enum" in schema and (not isinstance(members, list) or not members):
        yield Problem(f"{place}/enum", "expected a list with at least one member")
    required = schema.get("required")
    texts = isinstance(required, list) and all(isinstance(name, str) for name in required)
    if "required" in schema and not texts:
        yield Problem(f"{place}/required", "expected a list of property names")
    target = schema.get("$ref")
    if isinstance(target, str) and component(target) is None:
        yield Problem(f"{place}/$ref", f"{target!r} is not the address of a component schema")
    for key in _TEXTS:
        if key in schema and not isinstance(schema[key], str):
            yield Problem(f"{place}/{key}", f"expected a text, found {schema[key]!r}")
    for key in _NUMBERS:
        if key in schema and not _is_number(schema[key]):
            yield Problem(f"{place}/{key}", f"expected a number, found {schema[key]!r}")
    for key in _FLAGS_OR_NUMBERS:
        if key in schema and not (isinstance(schema[key], bool) or _is_number(schema[key])):
            yield Problem(f"{place}/{key}", f"expected a number or a flag, found {schema[key]!r}")
    for key in _COUNTS:
        if key in schema and not (_is_number(schema[key]) and schema[key] >= 0 and schema[key] % 1 == 0):
            yield Problem(f"{place}/{key}", f"expected a count, found {schema[key]!r}")
    if "discriminator" in schema:
        yield from _discriminator(schema["discriminator"], f"{place}/discriminator")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _discriminator(value: Any, place: str) -> Iterator[Problem]:
    if not isinstance(value, dict) or not isinstance(value.get("propertyName"), str):
        yield Problem(place, "expected the name of a property as propertyName")
        return
    mapping = value.get("mapping", {})
    if not isinstance(mapping, dict) or not all(isinstance(target, str) for target in mapping.values()):
        yield Problem(f"{place}/mapping", "expected a mapping of tags to schemas")


def check_circles(schemas: Mapping[str, Any]) -> Iterator[Problem]:
    """Components that are made of themselves: no value could ever fit one."""
    parts = {name: set(_parts(schema)) & set(schemas) for name, schema in schemas.items()}
    for name in sorted(schemas):
        reached: set[str] = set()
        pending = list(parts[name])
        while pending:
            other = pending.pop()
            if other not in reached:
                reached.add(other)
                pending.extend(parts[other])
        if name in reached:
            yield Problem(pointer("components", "schemas", name), "is made of itself")


def _parts(schema: Any) -> Iterator[str]:
    """Components a schema is made of, as against those its fields and items refer to."""
    stack = [schema]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            name = component(one.get("$ref"))
            if name is not None:
                yield name
            stack.extend(below for key in _LISTS if isinstance(one.get(key), list) for below in one[key])

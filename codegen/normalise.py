"""Passes that bring a corrected document into the one shape the rest of the generator understands.

Each pass changes the copy it is given and counts the places it changed. Together they leave components that are enums,
objects, or tagged bases with variants; every inline object and enum has become a component.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from .hoist import hoist_enums, hoist_objects, hoist_parts
from .problems import fail, pointer
from .references import ref_name
from .schemas import CARRIED, Document, components, mapped, replace, walk
from .variants import fold_variants

if TYPE_CHECKING:
    from collections.abc import Callable

    from .overlay import Names

_MOST_COPIES = 20_000
"""Copies of aliases beyond which a document is refused: it would unfold without end."""


def normalise(document: Document, names: Names) -> tuple[Document, dict[str, int]]:
    """The normalised document, and how many places each pass changed. Raises CodegenError when it grows too big."""
    counts: dict[str, int] = {}
    result = copy.deepcopy(document)
    for one_pass in _PASSES:
        counts[one_pass.__name__] = one_pass(result, names)
    result["components"]["schemas"] = dict(sorted(components(result).items()))
    return result, counts


def null_types(document: Document, _names: Names) -> int:
    """OpenAPI 3.1 says `type: [X, null]`, `anyOf: [X, null]` or a null among the members; 3.0 says `nullable`."""
    count = 0
    for schema in walk(document):
        before = copy.copy(schema)
        kinds = schema.get("type")
        if isinstance(kinds, list):
            rest = [kind for kind in kinds if kind != "null"]
            del schema["type"]
            if len(rest) == 1:
                schema["type"] = rest[0]
            elif rest:
                schema["anyOf"] = [{"type": kind} for kind in rest]
            schema["nullable"] = "null" in kinds
        for key in ("anyOf", "oneOf"):
            options = schema.get(key, [])
            rest = [option for option in options if option.get("type") != "null"]
            if len(rest) < len(options):
                schema[key] = rest
                schema["nullable"] = True
                if len(rest) == 1:
                    del schema[key]
                    schema.update(copy.deepcopy(rest[0]))
        if None in schema.get("enum", ()):
            schema["enum"] = [member for member in schema["enum"] if member is not None]
            schema["nullable"] = True
            if not schema["enum"]:
                del schema["enum"]
        count += schema != before
    return count


def unwrap_single_all_of(document: Document, _names: Names) -> int:
    """`allOf: [X]`, which documents use to hang a description on a reference, is X."""
    count = 0
    for schema in walk(document):
        while (part := _only_part(schema)) is not None:
            nullable = any(part.get("nullable") for part in schema["allOf"])
            replace(schema, copy.deepcopy(part))
            if nullable:
                schema["nullable"] = True
            count += 1
    return count


def _only_part(schema: dict[str, Any]) -> dict[str, Any] | None:
    parts: list[dict[str, Any]] = [part for part in schema.get("allOf", []) if set(part) - {"default", "nullable"}]
    return parts[0] if len(parts) == 1 and not set(schema) - {"allOf", "default", *CARRIED} else None


def array_lengths(document: Document, _names: Names) -> int:
    """`minLength` and `maxLength` of an array mean its number of items."""
    count = 0
    for schema in walk(document):
        if schema.get("type") == "array" and ("minLength" in schema or "maxLength" in schema):
            for wrong, right in (("minLength", "minItems"), ("maxLength", "maxItems")):
                if wrong in schema:
                    schema[right] = schema.pop(wrong)
            count += 1
    return count


def drop_defaults(document: Document, _names: Names) -> int:
    """A default is the server's business: an absent value stays absent."""
    count = 0
    for schema in walk(document):
        if "default" in schema:
            del schema["default"]
            count += 1
    return count


def open_text(document: Document, names: Names) -> int:
    """Enumerations of assets and the like, which grow by the week, are plain text."""
    count = 0
    named = {id(schema) for name, schema in components(document).items() if name in names.open_text}
    for schema in walk(document):
        members = schema.get("enum", [])
        if members and (id(schema) in named or len(members) >= names.open_text_from):
            replace(schema, {"type": "string", "x-open-text": True})
            count += 1
    return count


def flatten_all_of(document: Document, _names: Names) -> int:
    """An object made of several parts has the fields of all of them."""
    schemas = components(document)
    count = 0
    for schema in walk(document):
        if "allOf" in schema:
            flat = _flat(schema, schemas, ())
            schema.clear()
            schema.update(flat)
            count += 1
    return count


def _flat(schema: dict[str, Any], schemas: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    name = ref_name(schema)
    if name is not None:
        return {} if name in path else _flat(schemas[name], schemas, (*path, name))
    result = {key: copy.deepcopy(value) for key, value in schema.items() if key != "allOf"}
    properties: dict[str, Any] = {}
    required: set[str] = set(result.get("required", []))
    for part in schema.get("allOf", []):
        flat = _flat(part, schemas, path)
        properties.update(flat.get("properties", {}))
        required.update(flat.get("required", []))
        for key, value in flat.items():
            if key not in ("properties", "required"):
                result.setdefault(key, value)
    properties.update(result.get("properties", {}))
    if properties:
        result["properties"] = properties
    if required:
        result["required"] = sorted(required)
    return result


def inline_aliases(document: Document, _names: Names) -> int:
    """A component that is neither an object with a shape nor an enumeration of texts stands where it is used."""
    schemas = components(document)
    aliases = {name: schema for name, schema in schemas.items() if not _is_class(schema)}
    for name in aliases:
        del schemas[name]
    copies = 0

    def unfolded(schema: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        nonlocal copies
        copies += 1
        if copies > _MOST_COPIES:
            raise fail(pointer("components", "schemas", path[0]), "would unfold into more than can be generated")
        target = ref_name(schema)
        if target is None or target not in aliases:
            return mapped(schema, lambda below: unfolded(below, path))
        if target in path:  # an alias inside itself can be anything
            return {}
        result = unfolded(aliases[target], (*path, target))
        return {**result, **{key: schema[key] for key in CARRIED if schema.get(key)}}

    for schema in walk(document):
        target = ref_name(schema)
        if target in aliases:
            replace(schema, unfolded({"$ref": schema["$ref"]}, ()))
    return len(aliases)


def _is_class(schema: dict[str, Any]) -> bool:
    if "enum" in schema:
        return all(isinstance(member, str) for member in schema["enum"]) and schema.get("type", "string") == "string"
    if "x-batch" in schema or "properties" in schema:
        return True
    return schema.get("type") == "object" and not {"additionalProperties", "anyOf", "oneOf"} & set(schema)


def nullable_components(document: Document, _names: Names) -> int:
    """A component that may be null makes every place nullable that refers to it."""
    schemas = components(document)
    nullable = {name for name, schema in schemas.items() if schema.pop("nullable", False)}
    count = 0
    for schema in walk(document):
        if ref_name(schema) in nullable:
            schema["nullable"] = True
            count += 1
    return count


TIDYING: tuple[Callable[[Document, Names], int], ...] = (
    null_types,
    unwrap_single_all_of,
    array_lengths,
    drop_defaults,
    open_text,
)
"""The passes after which every schema still stands where the document has it, and says what is meant."""
_PASSES: tuple[Callable[[Document, Names], int], ...] = (
    *TIDYING,
    fold_variants,
    hoist_parts,
    flatten_all_of,
    inline_aliases,
    nullable_components,
    hoist_enums,
    hoist_objects,
)

"""Passes that bring a corrected document into the one shape the rest of the generator understands.

Each pass takes and returns a document and leaves its input alone. Together they leave components that are enums,
objects, or tagged bases with variants; every inline object and enum has become a component.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from .names import class_name, snake
from .validate import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .overlay import Names

_PREFIX = "#/components/schemas/"
Document = dict[str, Any]


def normalise(document: Document, names: Names) -> tuple[Document, dict[str, int]]:
    """The normalised document, and how many places each pass changed."""
    counts: dict[str, int] = {}
    result = copy.deepcopy(document)
    for one_pass in _PASSES:
        counts[one_pass.__name__] = one_pass(result, names)
    result["components"]["schemas"] = dict(sorted(_schemas(result).items()))
    return result, counts


def ref(name: str) -> dict[str, str]:
    """A reference to a component."""
    return {"$ref": _PREFIX + name}


def ref_name(schema: dict[str, Any]) -> str | None:
    """Name of the component a schema refers to, if it does nothing else."""
    target = schema.get("$ref")
    return target.removeprefix(_PREFIX) if isinstance(target, str) and target.startswith(_PREFIX) else None


def _schemas(document: Document) -> dict[str, Any]:
    schemas: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
    return schemas


def _walk(document: Document) -> Iterator[dict[str, Any]]:
    """Every schema of the document, outer before inner."""
    stack = [schema for _, schema in sorted(_schemas(document).items(), reverse=True)]
    for item in document["paths"].values():
        for method in METHODS:
            operation = item.get(method)
            if operation is None:
                continue
            stack.extend(parameter["schema"] for parameter in operation.get("parameters", []))
            for holder in (operation.get("requestBody", {}), *operation["responses"].values()):
                stack.extend(media["schema"] for media in holder.get("content", {}).values() if "schema" in media)
    while stack:
        schema = stack.pop()
        yield schema
        stack.extend(schema.get("properties", {}).values())
        stack.extend(below for key in ("items", "additionalProperties") if isinstance(below := schema.get(key), dict))
        for key in ("allOf", "anyOf", "oneOf"):
            stack.extend(schema.get(key, []))


def unwrap_single_all_of(document: Document, _names: Names) -> int:
    """`allOf: [X]`, which documents use to hang a description on a reference, is X."""
    count = 0
    for schema in _walk(document):
        parts = [part for part in schema.get("allOf", []) if set(part) - {"default", "nullable"}]
        if len(parts) == 1 and not set(schema) - {"allOf", "default", "nullable", "deprecated"} - {"x-unit"}:
            nullable = schema.get("nullable") or any(part.get("nullable") for part in schema["allOf"])
            schema.clear()
            schema.update(copy.deepcopy(parts[0]))
            if nullable:
                schema["nullable"] = True
            count += 1
    return count


def null_types(document: Document, _names: Names) -> int:
    """OpenAPI 3.1 says `type: [X, null]` or `anyOf: [X, null]` where 3.0 says `nullable`."""
    count = 0
    for schema in _walk(document):
        kinds = schema.get("type")
        if isinstance(kinds, list):
            rest = [kind for kind in kinds if kind != "null"]
            if len(rest) == 1:
                schema["type"] = rest[0]
            else:
                del schema["type"]
                schema["anyOf"] = [{"type": kind} for kind in rest]
            schema["nullable"] = "null" in kinds
            count += 1
        for key in ("anyOf", "oneOf"):
            options = schema.get(key, [])
            rest = [option for option in options if option.get("type") != "null"]
            if len(rest) < len(options):
                schema[key] = rest
                schema["nullable"] = True
                if len(rest) == 1:
                    del schema[key]
                    schema.update(copy.deepcopy(rest[0]))
                count += 1
    return count


def array_lengths(document: Document, _names: Names) -> int:
    """`minLength` and `maxLength` of an array mean its number of items."""
    count = 0
    for schema in _walk(document):
        if schema.get("type") == "array" and ("minLength" in schema or "maxLength" in schema):
            for wrong, right in (("minLength", "minItems"), ("maxLength", "maxItems")):
                if wrong in schema:
                    schema[right] = schema.pop(wrong)
            count += 1
    return count


def drop_defaults(document: Document, _names: Names) -> int:
    """A default is the server's business: an absent value stays absent."""
    count = 0
    for schema in _walk(document):
        if "default" in schema:
            del schema["default"]
            count += 1
    return count


def flatten_all_of(document: Document, _names: Names) -> int:
    """An object made of several parts has the fields of all of them."""
    schemas = _schemas(document)
    count = 0
    for schema in _walk(document):
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
    schemas = _schemas(document)
    aliases = {name: schema for name, schema in schemas.items() if not _is_class(schema)}
    for name in aliases:
        del schemas[name]
    count = len(aliases)
    for _ in range(len(aliases) + 1):
        changed = False
        for schema in _walk(document):
            target = ref_name(schema)
            if target in aliases:
                nullable = schema.get("nullable")
                schema.clear()
                schema.update(copy.deepcopy(aliases[target]))
                if nullable:
                    schema["nullable"] = True
                changed = True
        if not changed:
            break
    for schema in _walk(document):
        if ref_name(schema) in aliases:
            schema.clear()
    return count


def _is_class(schema: dict[str, Any]) -> bool:
    if "enum" in schema:
        return all(isinstance(member, str) for member in schema["enum"]) and schema.get("type", "string") == "string"
    if "x-batch" in schema or "properties" in schema:
        return True
    return schema.get("type") == "object" and "additionalProperties" not in schema and "anyOf" not in schema


def open_text(document: Document, names: Names) -> int:
    """Enumerations of assets and the like, which grow by the week, are plain text."""
    count = 0
    for name, schema in _schemas(document).items():
        members = schema.get("enum", [])
        if members and (name in names.open_text or len(members) >= names.open_text_from):
            schema.clear()
            schema.update({"type": "string", "x-open-text": True})
            count += 1
    return count


def fold_variants(document: Document, names: Names) -> int:
    """`X = X_Y | X_Z`, where `X_Y` only adds a tag to `Y`, becomes a base `X` with the variants `Y` and `Z`."""
    schemas = _schemas(document)
    count = 0
    for name in sorted(schemas):
        wrappers = _wrappers(schemas.get(name, {}), schemas)
        if wrappers is None:
            continue
        tag_field = schemas[name]["discriminator"]["propertyName"]
        if {tag for tag, _, _ in wrappers} == {"Ok", "Err"}:
            _fold_batch(schemas, name, wrappers)
        else:
            _fold(document, name, tag_field, wrappers)
        for _, wrapper, _ in wrappers:
            if not _is_referenced(document, wrapper):
                del schemas[wrapper]
        count += 1
    return count


def _wrappers(schema: dict[str, Any], schemas: dict[str, Any]) -> list[tuple[str, str, str]] | None:
    """(tag, wrapper, variant) for each option of a discriminated union of wrappers; None if it is something else."""
    mapping = schema.get("discriminator", {}).get("mapping")
    options = schema.get("anyOf") or schema.get("oneOf")
    if not isinstance(mapping, dict) or not options or len(mapping) != len(options):
        return None
    result: list[tuple[str, str, str]] = []
    for tag, target in sorted(mapping.items()):
        wrapper = str(target).removeprefix(_PREFIX)
        parts = schemas.get(wrapper, {}).get("allOf", [])
        variants = [variant for part in parts if (variant := ref_name(part)) is not None]
        if len(parts) != 2 or len(variants) != 1:
            return None
        result.append((tag, wrapper, variants[0]))
    return result


def _fold_batch(schemas: dict[str, Any], name: str, wrappers: list[tuple[str, str, str]]) -> None:
    """A row of a batch's answer, an order or an error, has a hand-written base."""
    variants = {tag: variant for tag, _, variant in wrappers}
    schemas[name] = {"type": "object", "x-batch": {"ok": variants["Ok"], "error": variants["Err"]}}


def _fold(document: Document, name: str, tag_field: str, wrappers: list[tuple[str, str, str]]) -> None:
    schemas = _schemas(document)
    tag_schema = _tag_schema(schemas, [tag for tag, _, _ in wrappers])
    variants: dict[str, str] = {}
    for tag, wrapper, variant in wrappers:
        target = variant
        if _uses(document, variant) > 1 or "x-variant-of" in schemas[variant]:
            target = class_name(wrapper)
            schemas[target] = copy.deepcopy(schemas[variant])
        variants[tag] = target
    bodies = [schemas[target] for target in variants.values()]
    # What every variant has, an unknown one will have too; a single variant says nothing about that.
    common = {
        prop: below
        for prop, below in bodies[0].get("properties", {}).items()
        if bodies[1:] and all(_same_field(prop, bodies[0], other) for other in bodies[1:])
    }
    required = set(common).intersection(bodies[0].get("required", []))
    schemas[name] = {
        "type": "object",
        "properties": {**copy.deepcopy(common), tag_field: tag_schema},
        "required": sorted({*required, tag_field}),
        "x-tag-field": tag_field,
    }
    for tag, target in variants.items():
        body = schemas[target]
        properties = body.setdefault("properties", {})
        properties[tag_field] = copy.deepcopy(tag_schema)
        body["required"] = sorted({*body.get("required", []), tag_field})
        body["x-variant-of"] = name
        body["x-tag"] = tag


def _same_field(name: str, one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(one["properties"][name] == other.get("properties", {}).get(name)) and (
        (name in one.get("required", [])) == (name in other.get("required", []))
    )


def _tag_schema(schemas: dict[str, Any], tags: list[str]) -> dict[str, Any]:
    """The enum that has exactly these members, if there is one; else text."""
    for name, schema in sorted(schemas.items()):
        if sorted(map(str, schema.get("enum", []))) == sorted(tags):
            return ref(name)
    return {"type": "string"}


def _uses(document: Document, name: str) -> int:
    return sum(1 for schema in _walk(document) if ref_name(schema) == name)


def _is_referenced(document: Document, name: str) -> bool:
    return _uses(document, name) > 0


def hoist_enums(document: Document, _names: Names) -> int:
    """Inline enumerations of text become components; those with the same members become one. One text is a literal."""
    schemas = _schemas(document)
    known = {_members(schema): name for name, schema in sorted(schemas.items(), reverse=True) if "enum" in schema}
    found: dict[tuple[str, ...], list[tuple[str, dict[str, Any]]]] = {}
    for name, schema in _named_inline(document):
        if len(schema.get("enum", ())) > 1 and schema.get("type", "string") == "string":
            found.setdefault(_members(schema), []).append((name, schema))
    count = 0
    for members, places in sorted(found.items()):
        target = known.get(members)
        if target is None:
            target = class_name(min((name for name, _ in places), key=lambda name: (len(name), name)))
            target = _free(target[:1].upper() + target[1:], schemas)
            schemas[target] = {"type": "string", "enum": list(places[0][1]["enum"])}
        for _, schema in places:
            nullable = schema.get("nullable")
            schema.clear()
            schema.update(ref(target))
            if nullable:
                schema["nullable"] = True
            count += 1
    return count


def hoist_objects(document: Document, _names: Names) -> int:
    """Inline objects with fields become components, named after where they stand."""
    schemas = _schemas(document)
    count = 0
    pending = True
    while pending:
        pending = False
        for name, schema in _named_inline(document, with_owner=True):
            if schema.get("properties") or "allOf" in schema:
                target = _free(class_name(name), schemas)
                schemas[target] = copy.deepcopy(schema)
                schema.clear()
                schema.update(ref(target))
                count += 1
                pending = True
                break
    return count


def _free(name: str, schemas: dict[str, Any]) -> str:
    while name in schemas:
        name += "Item"
    return name


def _members(schema: dict[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(map(str, schema["enum"])))


def _named_inline(document: Document, *, with_owner: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """Schemas that are no component themselves, with the best name there is for each."""
    for name, schema in sorted(_schemas(document).items()):
        yield from _inside(schema, name, name if with_owner else "")
    for _, item in sorted(document["paths"].items()):
        for method in METHODS:
            operation = item.get(method)
            if operation is None:
                continue
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


_PASSES: tuple[Callable[[Document, Names], int], ...] = (
    null_types,
    unwrap_single_all_of,
    array_lengths,
    drop_defaults,
    open_text,
    fold_variants,
    flatten_all_of,
    inline_aliases,
    hoist_enums,
    hoist_objects,
)

"""The pass that recognises unions told apart by a tag."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

from .references import component, ref, ref_name
from .schemas import Document, components, uses

if TYPE_CHECKING:
    from .overlay import Names

_BATCH = {"Ok", "Err"}
"""Tags of a row of a batch's answer, whose base is written by hand."""


class _Option(NamedTuple):
    """`wrapper` is `variant` with a tag field that says `tag`."""

    tag: str
    wrapper: str
    variant: str


def fold_variants(document: Document, _names: Names) -> int:
    """`X = X_Y | X_Z`, where `X_Y` only adds a tag to `Y`, becomes a base `X` with the variants `Y` and `Z`."""
    schemas = components(document)
    count = 0
    for name in sorted(schemas):
        options = _options(schemas.get(name, {}), schemas)
        if options is None:
            continue
        tag_field = schemas[name]["discriminator"]["propertyName"]
        if {option.tag for option in options} == _BATCH:
            variants = {option.tag: option.variant for option in options}
            batch = {"ok": variants["Ok"], "error": variants["Err"], "tag": tag_field}
            schemas[name] = {"type": "object", "x-batch": batch}
        else:
            _fold(document, name, tag_field, options)
        for option in options:
            wrapper = schemas[option.wrapper]
            if "x-variant-of" not in wrapper and uses(document, option.wrapper) == 0:
                del schemas[option.wrapper]
        count += 1
    return count


def _options(schema: dict[str, Any], schemas: dict[str, Any]) -> list[_Option] | None:
    """Each option of a discriminated union of wrappers; None if the schema is something else."""
    discriminator = schema.get("discriminator", {})
    mapping = discriminator.get("mapping")
    stated = schema.get("anyOf") or schema.get("oneOf")
    if not isinstance(mapping, dict) or not stated or len(mapping) != len(stated):
        return None
    result: list[_Option] = []
    for tag, target in sorted(mapping.items()):
        wrapper = component(target) or str(target)
        variant = _wrapped(schemas.get(wrapper, {}), discriminator["propertyName"])
        if variant is None:
            return None
        result.append(_Option(tag, wrapper, variant))
    batch = {option.tag for option in result} == _BATCH
    for option in result:
        if not _is_object(schemas[option.variant]) and not (
            batch and option.tag == "Ok" and _is_union(schemas[option.variant], schemas)
        ):
            return None
    # Two tags for one schema would make one class two variants.
    return result if len({option.wrapper for option in result}) == len(result) else None


def _wrapped(wrapper: dict[str, Any], tag_field: str) -> str | None:
    """The component that a wrapper adds nothing but the tag to."""
    parts = wrapper.get("allOf", [])
    variants = [variant for part in parts if (variant := ref_name(part)) is not None]
    added = [set(part.get("properties", {})) for part in parts if ref_name(part) is None]
    if len(parts) != 2 or len(variants) != 1 or added != [{tag_field}] or "properties" in wrapper:
        return None
    return variants[0]


def _is_object(schema: dict[str, Any]) -> bool:
    shaped = "properties" in schema or "allOf" in schema or schema.get("type") == "object"
    return shaped and not {"anyOf", "oneOf", "enum", "x-tag-field", "x-batch"} & set(schema)


def _is_union(schema: dict[str, Any], schemas: dict[str, Any]) -> bool:
    return "x-tag-field" in schema or _options(schema, schemas) is not None


def _fold(document: Document, name: str, tag_field: str, options: list[_Option]) -> None:
    schemas = components(document)
    tag_schema = _tag_schema(schemas, [option.tag for option in options])
    variants: dict[str, str] = {}
    for tag, wrapper, variant in options:
        target = variant
        # What is used elsewhere too has no tag there, so this union gets its own, called like the wrapper.
        if uses(document, variant) > 1 or "x-variant-of" in schemas[variant]:
            target = wrapper
            schemas[target] = copy.deepcopy(schemas[variant])
            schemas[target].pop("x-variant-of", None)
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
        body.setdefault("properties", {})[tag_field] = copy.deepcopy(tag_schema)
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

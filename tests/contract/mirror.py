"""What the document says can come back, as schemathesis generates it.

schemathesis makes requests only, so the schema of each reply is mirrored into the body of a request that exists
nowhere. On the way it is opened as the exchange is open: new members and discriminators, new fields, nulls.
"""

from __future__ import annotations

import typing
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import schemathesis
from hypothesis import strategies as st

from backpack_sdk import operations

from ..core.wire_values import clock_texts, first_second, last_second, moment_texts
from ..document import document, resolved
from .passing import EPOCH, PER_SECOND
from .sending import namespace_of
from .surface import TEXTS, Json, Surface, limits, surfaces, whole

_LONGEST_LIST = 3
_NEW = {"type": "string", "pattern": "^New"}
REPLY_TEXTS = {
    **TEXTS,
    "decimal-repeated": TEXTS["decimal"],
    "digits": st.one_of(st.integers(0, 2**70).map(str), st.sampled_from(["007", "-0", "0"])),
    "wire-date-time": moment_texts(),
    "spaced-date-time": moment_texts(" "),
    "naive-time": clock_texts,
}
_RENAMED = {"date-time": "wire-date-time", "naive-date-time": "wire-date-time"}


def opened(schema: Json, *, tag: str | None = None) -> Json:
    """A schema of what comes, on its own. `tag` is a field that tells variants apart, and stays as it is."""
    schema = {key: value for key, value in resolved(schema).items() if key not in ("default", "x-limit")}
    nullable = schema.pop("nullable", False)
    made = _opened(schema, tag)
    return {"anyOf": [made, {"type": "null"}]} if nullable else made


def _opened(schema: Json, tag: str | None) -> Json:
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            field = schema.get("discriminator", {}).get("propertyName")
            if field is None:
                return {"anyOf": [dict(resolved(part)) for part in schema[choice]]}
            variants = [opened(part, tag=field) for part in schema[choice]]
            return {"anyOf": [_also(each, schema, tag) for each in (*variants, _unknown(variants, field))]}
    kind = schema["type"]
    if "enum" in schema:
        return {"anyOf": [{"type": kind, "enum": schema["enum"]}, _NEW]} if kind == "string" else schema
    if kind == "integer":
        return {"type": kind, **_range(schema)}
    if kind == "string" and "format" in schema:
        return {"type": kind, "format": _RENAMED.get(schema["format"], schema["format"])}
    if kind == "array":
        length = {"maxItems": _LONGEST_LIST}
        if "minLength" in schema:  # the document says it of lists too
            length = {"minItems": schema["minLength"], "maxItems": schema["maxLength"]}
        return {"type": kind, "items": opened(schema["items"]), **length}
    if "additionalProperties" in schema:
        return {"type": kind, "additionalProperties": opened(schema["additionalProperties"])}
    if kind == "object":
        required = schema.get("required", [])
        properties = {
            name: dict(resolved(part)) if name == tag else _optional(opened(part), name in required)
            for name, part in schema["properties"].items()
        }
        return {"type": kind, "properties": properties, "required": required}
    return {"type": kind}


def _also(variant: Json, schema: Json, tag: str | None) -> Json:
    """A variant with the fields that stand beside the choice, such as the tag of an outer one."""
    if "anyOf" in variant:
        return {"anyOf": [_also(each, schema, tag) for each in variant["anyOf"]]}
    beside = {name: dict(resolved(part)) for name, part in schema.get("properties", {}).items()}
    required = sorted({*variant["required"], *schema.get("required", ())})
    return {**variant, "properties": {**variant["properties"], **beside}, "required": required}


def _unknown(variants: list[Json], tag: str) -> Json:
    """A variant that nobody knows yet: a new tag, and the fields that all known ones have."""
    properties = [each.get("properties", {}) for each in variants]
    common = {name: part for name, part in properties[0].items() if all(each.get(name) == part for each in properties)}
    required = [name for name in common if all(name in each.get("required", ()) for each in variants)]
    return {"type": "object", "properties": {**common, tag: _NEW}, "required": sorted({*required, tag})}


def _optional(schema: Json, required: bool) -> Json:
    return schema if required else {"anyOf": [schema, {"type": "null"}]}


def _range(schema: Json) -> dict[str, int]:
    """The years 1 to 9999 for a time, else what the format can hold."""
    per_second = PER_SECOND.get(schema.get("x-unit", ""))
    if per_second is not None:
        return {"minimum": first_second * per_second, "maximum": last_second * per_second}
    return limits(schema.get("format", ""))


def replies(surface: Surface) -> dict[tuple[int, str | None], Json]:
    """Schema of every documented success by status and media type; an empty one for no body."""
    return {(status, kind): schema for status, kind, schema in surface.operation.replies}


def result_type(name: str) -> Any:
    """The type that a method promises."""
    builder = getattr(getattr(operations, namespace_of(name)), name)
    return typing.get_args(typing.get_type_hints(builder)["return"])[0]


@cache
def mirrored() -> Any:
    """The document of replies as schemathesis holds it: `/NAME/STATUS` takes what that reply gives."""
    for name, strategy in REPLY_TEXTS.items():
        schemathesis.openapi.format(name, strategy)
    paths: dict[str, Json] = {"/refusal": _taking(opened({"$ref": "#/components/schemas/ApiErrorResponse"}))}
    for surface in surfaces():
        for (status, kind), schema in replies(surface).items():
            if kind == "application/json":
                paths[f"/{surface.name}/{status}"] = _taking(opened(schema))
    return schemathesis.openapi.from_dict({"openapi": "3.1.0", "info": document()["info"], "paths": paths})


def _taking(schema: Json) -> Json:
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"post": {"requestBody": body, "responses": {"200": {"description": ""}}}}


def bodies(path: str) -> st.SearchStrategy[Json]:
    """JSON of one mirrored reply."""
    strategy: st.SearchStrategy[Any] = mirrored()[path]["POST"].as_strategy()
    return strategy.map(lambda case: whole(case.body))


def moment(schema: Json, wire: Any) -> datetime | None:
    """The moment that a wire value means; None when its schema is of no moment."""
    per_second = PER_SECOND.get(schema.get("x-unit", ""))
    if per_second is not None:
        seconds, rest = divmod(int(wire), per_second)
        return EPOCH + timedelta(seconds=seconds, microseconds=rest * 1_000_000 // per_second)
    if schema.get("format") in ("date-time", "naive-date-time", "spaced-date-time"):
        read = datetime.fromisoformat(wire)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    return None

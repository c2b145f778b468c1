"""Small AsyncAPI documents for tests."""

from __future__ import annotations

from typing import Any

from codegen.build import Built, understand

from .documents import document, get, overlays, ref, thing

Json = dict[str, Any]


def streams(schemas: Json | None = None, channels: Json | None = None, **more: Any) -> Json:
    """A document with one channel `tick.{symbol}` of `Tick` events, changed where told."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Small", "version": "1"},
        "channels": {"tick": channel("tick.{symbol}", "Tick")} if channels is None else channels,
        "components": {"schemas": {"Tick": payload(), **(schemas or {})}},
        **more,
    }


def channel(address: str, schema: str, **more: Any) -> Json:
    """A channel whose parameters are declared."""
    names = [part[1:-1] for part in address.split(".") if part.startswith("{")]
    data = {"$ref": f"#/components/schemas/{schema}"}
    inside = {"type": "object", "properties": {"stream": {"type": "string"}, "data": data}}
    found: Json = {
        "address": address,
        "description": f"Stream of {schema}.",
        "parameters": {name: {"description": f"The {name}.", **_choices(name)} for name in names},
        "messages": {schema: {"payload": inside}},
    }
    return {**found, **more}


def payload(tag: str | None = "tick", **fields: Json) -> Json:
    """A payload with the fields told, each of them required."""
    properties: Json = {} if tag is None else {"e": {"const": tag}}
    properties |= fields or {"p": number(**{"x-name": "price"})}
    return {"type": "object", "description": "An event.", "properties": properties, "required": sorted(properties)}


def number(**more: Any) -> Json:
    return {"type": ["string", "number"], "format": "decimal", "description": "A number.", **more}


def text(**more: Any) -> Json:
    return {"type": "string", "description": "A text.", **more}


def count(**more: Any) -> Json:
    return {"type": "integer", "description": "A count.", **more}


def enum(*values: str, **more: Any) -> Json:
    words = {value: f"{value!r}." for value in values}
    return {"type": "string", "description": "A choice.", "enum": list(values), "x-members": words, **more}


def ref_to(schema: str) -> Json:
    return {"$ref": f"#/components/schemas/{schema}"}


def understood(doc: Json, schemas: Json | None = None) -> Built:
    """The document beside a REST document of one operation, with these components."""
    parts = schemas or {"Thing": thing(value={"type": "string"})}
    paths = {f"/{index}": get(f"get{index}", ref(name), tag="things") for index, name in enumerate(parts)}
    return understand(document(parts, paths), overlays(), doc)


def _choices(name: str) -> Json:
    return {"enum": ["1s", "1m"]} if name in ("interval", "window") else {}

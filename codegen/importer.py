"""Reduces a document to its facts: no sentence of the source is carried over."""

from __future__ import annotations

import re
from typing import Any

from .validate import METHODS

_SCHEMA_FACTS = (
    "$ref", "type", "format", "enum", "required", "nullable", "default", "discriminator", "uniqueItems",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "minLength", "maxLength", "minItems", "maxItems", "pattern", "deprecated",
)  # fmt: skip
_INSTRUCTION = re.compile(r"\binstruction:\s*\**\s*`(\w+)`", re.IGNORECASE)
_DEFAULT = re.compile(r"\bdefaults?(?:\s+to)?\s+`?(\d+)`?", re.IGNORECASE)
_MAXIMUM = re.compile(r"\bmax(?:imum)?(?:\s+is)?\s+`?(\d+)`?", re.IGNORECASE)
_AUTH_HEADERS = {"x-api-key", "x-signature", "x-timestamp", "x-window"}


def facts(document: dict[str, Any], assumed: dict[str, str] | None = None) -> dict[str, Any]:
    """The facts of `document`, sorted, ready to be written.

    Instruction names and paging limits, which sources keep in prose, become `x-instruction` and `x-limit`. Operations
    named in `assumed` get that instruction, marked `x-instruction-assumed`, unless the document names one itself.
    Applying this to its own result changes nothing.
    """
    components = document.get("components", {}).get("schemas", {})
    result: dict[str, Any] = _sorted(
        {
            "openapi": "3.0.3",
            "info": {"title": "Backpack Exchange API, facts only", "version": str(_version(document))},
            "servers": [{"url": server["url"]} for server in document.get("servers", []) if "url" in server],
            "paths": {path: _path(item, assumed or {}) for path, item in document["paths"].items()},
            "components": {"schemas": {name: _schema(schema) for name, schema in components.items()}},
        }
    )
    return result


def _version(document: dict[str, Any]) -> Any:
    info = document.get("info")
    return info.get("version", "0") if isinstance(info, dict) else "0"


def _path(item: dict[str, Any], assumed: dict[str, str]) -> dict[str, Any]:
    return {method: _operation(item[method], assumed) for method in METHODS if method in item}


def _operation(operation: dict[str, Any], assumed: dict[str, str]) -> dict[str, Any]:
    name = operation["operationId"]
    parameters = [_parameter(parameter) for parameter in operation.get("parameters", []) if not _is_auth(parameter)]
    result: dict[str, Any] = {
        "operationId": name,
        "tags": operation.get("tags", []),
        "responses": {str(status): _response(response) for status, response in operation["responses"].items()},
    }
    if parameters:
        result["parameters"] = sorted(parameters, key=lambda parameter: (parameter["in"], parameter["name"]))
    if "requestBody" in operation:
        body = operation["requestBody"]
        result["requestBody"] = {"content": _content(body), "required": body.get("required", False)}
    if operation.get("deprecated"):
        result["deprecated"] = True
    instruction = None if operation.get("x-instruction-assumed") else _instruction(operation)
    if instruction is None and name in assumed:
        result["x-instruction-assumed"] = True
        instruction = assumed[name]
    elif instruction is None and "x-instruction" in operation:
        result["x-instruction-assumed"] = True
        instruction = operation["x-instruction"]
    if instruction is not None:
        result["x-instruction"] = instruction
    return result


def _instruction(operation: dict[str, Any]) -> str | None:
    known = operation.get("x-instruction")
    if isinstance(known, str):
        return known
    match = _INSTRUCTION.search(str(operation.get("description", "")))
    return match.group(1) if match else None


def _is_auth(parameter: dict[str, Any]) -> bool:
    return parameter["in"] == "header" and parameter["name"].lower() in _AUTH_HEADERS


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    result = {
        "name": parameter["name"],
        "in": parameter["in"],
        "required": bool(parameter.get("required", False)) or parameter["in"] == "path",
        "schema": _schema(parameter["schema"]),
    }
    if parameter.get("deprecated"):
        result["deprecated"] = True
    limit = parameter.get("x-limit") or _limit(parameter)
    if limit:
        result["x-limit"] = limit
    return result


def _limit(parameter: dict[str, Any]) -> dict[str, int]:
    """Default and maximum of a paging parameter, from the source's sentence about it."""
    if parameter["name"] not in ("limit", "offset"):
        return {}
    text = str(parameter.get("description", ""))
    default, maximum = _DEFAULT.search(text), _MAXIMUM.search(text)
    found = {"default": default, "maximum": maximum}
    return {name: int(match.group(1)) for name, match in found.items() if match is not None}


def _response(response: dict[str, Any]) -> dict[str, Any]:
    content = _content(response)
    return {"description": "", **({"content": content} if content else {})}


def _content(holder: dict[str, Any]) -> dict[str, Any]:
    """Media types without their parameters: `; charset=utf-8` says nothing that JSON does not."""
    return {
        media.split(";")[0].strip(): {"schema": _schema(value["schema"])} if "schema" in value else {}
        for media, value in holder.get("content", {}).items()
    }


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {key: schema[key] for key in _SCHEMA_FACTS if key in schema}
    if "required" in result:
        result["required"] = sorted(result["required"])
    if "properties" in schema:
        result["properties"] = {name: _schema(below) for name, below in schema["properties"].items()}
    if "items" in schema:
        result["items"] = _schema(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        result["additionalProperties"] = _schema(schema["additionalProperties"])
    elif "additionalProperties" in schema:
        result["additionalProperties"] = bool(schema["additionalProperties"])
    for key in ("allOf", "anyOf", "oneOf"):
        if key in schema:
            result[key] = [part for part in map(_schema, schema[key]) if part]
    return result


def _sorted(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _sorted(node[key]) for key in sorted(node)}
    if isinstance(node, list):
        return [_sorted(item) for item in node]
    return node

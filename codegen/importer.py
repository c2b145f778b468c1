"""Reduces a document to its facts: no sentence of the source is carried over."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .references import follow
from .validate import METHODS

if TYPE_CHECKING:
    from collections.abc import Mapping

_NUMBERS = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "minLength", "maxLength", "minItems", "maxItems",
)  # fmt: skip
_FLAGS = ("nullable", "uniqueItems", "deprecated")
_AS_THEY_ARE = ("$ref", "type", "enum", "pattern", *_NUMBERS)
_INSTRUCTION = re.compile(r"\binstruction:\s*\**\s*`(\w+)`", re.IGNORECASE)
_DEFAULT = re.compile(r"\bdefaults?(?:\s+to|\s+is|:)?\s+`?(\d+)`?", re.IGNORECASE)
_MAXIMUM = re.compile(r"\bmax(?:imum)?(?:\s+is|:)?\s+`?(\d+)`?", re.IGNORECASE)
_AUTH_HEADERS = {"x-api-key", "x-signature", "x-timestamp", "x-window"}
_ADDRESS = re.compile(r"(?:https?://|/)\S*")
_VERSION = re.compile(r"[\w.+-]{1,40}")
_WORD = re.compile(r"[\w.+-]+")
_MEDIA = re.compile(r"[\w.+*-]+/[\w.+*-]+")
_STATUS = re.compile(r"[1-5](?:[0-9]{2}|XX)|default")


def facts(document: dict[str, Any], assumed: dict[str, str] | None = None) -> dict[str, Any]:
    """The facts of a valid `document`, sorted, ready to be written.

    Names, types and values stay: those of enumerations and patterns, and defaults that are a number or one word. What
    is said about them goes. Parameters, replies and bodies that are only referred to stand where they are used.
    Instruction names and paging limits, which sources keep in prose, become `x-instruction` and `x-limit`. Operations
    named in `assumed` get that instruction, marked `x-instruction-assumed`, unless the document names one itself.
    Applying this to its own result changes nothing.
    """
    schemas = document.get("components", {}).get("schemas", {})
    reduce = _Reduction(document, assumed or {})
    result: dict[str, Any] = _sorted(
        {
            "openapi": "3.0.3" if document["openapi"].startswith("3.0") else "3.1.0",
            "info": {"title": "Backpack Exchange API, facts only", "version": _version(document)},
            "servers": _servers(document.get("servers")),
            "paths": {path: reduce.path(item) for path, item in document["paths"].items() if not path.startswith("x-")},
            "components": {"schemas": {name: _schema(schema) for name, schema in schemas.items()}},
        }
    )
    return result


def _version(document: dict[str, Any]) -> str:
    info = document.get("info")
    version = str(info.get("version", "0")) if isinstance(info, dict) else "0"
    return version if _VERSION.fullmatch(version) else "0"


def _servers(servers: Any) -> list[dict[str, str]]:
    addresses = (
        [server.get("url") for server in servers if isinstance(server, dict)] if isinstance(servers, list) else []
    )
    return [{"url": url} for url in addresses if isinstance(url, str) and _ADDRESS.fullmatch(url)]


class _Reduction:
    """Reduces the paths of one document."""

    def __init__(self, document: dict[str, Any], assumed: dict[str, str]) -> None:
        self.document = document
        self.assumed = assumed

    def path(self, stated: dict[str, Any]) -> dict[str, Any]:
        """Every operation of a path. What the path says for all of them, each says itself."""
        item = follow(stated, self.document)
        shared = item.get("parameters", [])
        return {method: self.operation(item[method], shared) for method in METHODS if method in item}

    def operation(self, operation: dict[str, Any], shared: list[Any]) -> dict[str, Any]:
        """One operation."""
        name = operation["operationId"]
        result: dict[str, Any] = {
            "operationId": name,
            "tags": operation.get("tags", []),
            "responses": {
                str(status): self.response(response)
                for status, response in operation["responses"].items()
                if _STATUS.fullmatch(str(status))
            },
        }
        parameters = self.parameters([*shared, *operation.get("parameters", [])])
        if parameters:
            result["parameters"] = parameters
        if "requestBody" in operation:
            body = follow(operation["requestBody"], self.document)
            result["requestBody"] = {"content": _content(body), "required": bool(body.get("required", False))}
        if operation.get("deprecated"):
            result["deprecated"] = True
        return result | self.instruction(name, operation)

    def instruction(self, name: str, operation: dict[str, Any]) -> dict[str, Any]:
        """The name that is signed: the document's own, else the one we assume, else the one assumed when imported."""
        marked = operation.get("x-instruction")
        stated = marked if isinstance(marked, str) and _WORD.fullmatch(marked) else None
        found = stated or _instruction(operation)
        if found is not None and not operation.get("x-instruction-assumed"):
            return {"x-instruction": found}
        guess = self.assumed.get(name, found)
        return {} if guess is None else {"x-instruction": guess, "x-instruction-assumed": True}

    def parameters(self, stated: list[Any]) -> list[dict[str, Any]]:
        """Parameters but those of the signature, sorted; a later one of the same name and place replaces an earlier."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for one in stated:
            parameter = follow(one, self.document)
            key = (parameter["in"], parameter["name"].lower() if parameter["in"] == "header" else parameter["name"])
            found[key] = parameter
        kept = [parameter for key, parameter in found.items() if not (key[0] == "header" and key[1] in _AUTH_HEADERS)]
        return sorted(map(_parameter, kept), key=lambda parameter: (parameter["in"], parameter["name"]))

    def response(self, stated: dict[str, Any]) -> dict[str, Any]:
        """One reply. OpenAPI wants a description; an empty one says nothing."""
        content = _content(follow(stated, self.document))
        return {"description": "", **({"content": content} if content else {})}


def _instruction(operation: dict[str, Any]) -> str | None:
    match = _INSTRUCTION.search(str(operation.get("description", "")))
    return match.group(1) if match else None


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    result = {
        "name": parameter["name"],
        "in": parameter["in"],
        "required": bool(parameter.get("required", False)) or parameter["in"] == "path",
        "schema": _schema(parameter["schema"]),
    }
    if parameter.get("deprecated"):
        result["deprecated"] = True
    limit = _known_limit(parameter.get("x-limit")) or _limit(parameter)
    if limit:
        result["x-limit"] = limit
    return result


def _known_limit(limit: Any) -> dict[str, int]:
    if not isinstance(limit, dict):
        return {}
    return {name: limit[name] for name in ("default", "maximum") if type(limit.get(name)) is int}


def _limit(parameter: dict[str, Any]) -> dict[str, int]:
    """Default and maximum of a paging parameter, from the source's sentence about it."""
    if parameter["name"] not in ("limit", "offset"):
        return {}
    text = str(parameter.get("description", ""))
    default, maximum = _DEFAULT.search(text), _MAXIMUM.search(text)
    found = {"default": default, "maximum": maximum}
    return {name: int(match.group(1)) for name, match in found.items() if match is not None}


def _content(holder: dict[str, Any]) -> dict[str, Any]:
    """Media types without their parameters: `; charset=utf-8` says nothing that JSON does not."""
    result: dict[str, Any] = {}
    for stated, value in sorted(holder.get("content", {}).items()):
        media = stated.split(";")[0].strip().lower()
        if _MEDIA.fullmatch(media):
            result.setdefault(media, {"schema": _schema(value["schema"])} if "schema" in value else {})
    return result


def _schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {key: schema[key] for key in _AS_THEY_ARE if key in schema}
    result |= {key: True for key in _FLAGS if schema.get(key)}
    if "format" in schema and _WORD.fullmatch(schema["format"]):
        result["format"] = schema["format"]
    if "const" in schema and "enum" not in schema:
        result["enum"] = [schema["const"]]
    if "default" in schema and _is_plain(schema["default"]):
        result["default"] = schema["default"]
    if "required" in schema:
        result["required"] = sorted(set(schema["required"]))
    if "discriminator" in schema:
        result["discriminator"] = _discriminator(schema["discriminator"])
    if "properties" in schema:
        result["properties"] = {name: _schema(below) for name, below in schema["properties"].items()}
    if "items" in schema:
        result["items"] = _schema(schema["items"])
    elif schema.get("type") == "array":
        result["items"] = {}
    if isinstance(schema.get("additionalProperties"), dict):
        result["additionalProperties"] = _schema(schema["additionalProperties"])
    elif "additionalProperties" in schema:
        result["additionalProperties"] = bool(schema["additionalProperties"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            result[key] = [_schema(part) for part in schema[key]]
    if "allOf" in schema:  # a part that only described leaves nothing
        result["allOf"] = [part for part in map(_schema, schema["allOf"]) if part]
    return result


def _discriminator(value: dict[str, Any]) -> dict[str, Any]:
    mapping = {"mapping": dict(value["mapping"])} if value.get("mapping") else {}
    return {"propertyName": value["propertyName"], **mapping}


def _is_plain(value: Any) -> bool:
    """Whether a default is a value that can't be a sentence."""
    return (
        value is None
        or isinstance(value, (bool, int, float))
        or (isinstance(value, str) and bool(_WORD.fullmatch(value)))
    )


def _sorted(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _sorted(node[key]) for key in sorted(node)}
    if isinstance(node, list):
        return [_sorted(item) for item in node]
    return node

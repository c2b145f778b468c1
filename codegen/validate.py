"""Says everything that is wrong with a document before anything is made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .names import snake
from .problems import Problem, pointer

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
_TYPES = {"string", "integer", "number", "boolean", "object", "array", "null"}
_LISTS = ("allOf", "anyOf", "oneOf")
_DEEPEST = 60


def validate(document: dict[str, Any]) -> list[Problem]:
    """Every structural problem, with its place; empty when the document can be used."""
    version = document.get("openapi")
    if not isinstance(version, str) or not version.startswith("3."):
        return [Problem("#/openapi", f"expected an OpenAPI 3 document, found version {version!r}")]
    paths = document.get("paths")
    components = document.get("components", {})
    if not isinstance(paths, dict):
        return [Problem("#/paths", "expected a mapping of paths")]
    if not isinstance(components, dict) or not isinstance(components.get("schemas", {}), dict):
        return [Problem("#/components/schemas", "expected a mapping of schemas")]
    return sorted(set(_check(document, paths, components.get("schemas", {}))))


def _check(document: dict[str, Any], paths: dict[str, Any], schemas: dict[str, Any]) -> Iterator[Problem]:
    yield from _references(document, document, "#")
    for name, schema in schemas.items():
        yield from _schema(schema, pointer("components", "schemas", name), 0)
    seen: dict[str, str] = {}
    for path, item in paths.items():
        place = pointer("paths", path)
        if not isinstance(item, dict):
            yield Problem(place, "expected a mapping of operations")
            continue
        if not path.startswith("/"):
            yield Problem(place, "a path starts with a slash")
        for method, operation in item.items():
            if method in METHODS:
                yield from _operation(operation, f"{place}/{method}", seen)


def _operation(operation: Any, place: str, seen: dict[str, str]) -> Iterator[Problem]:
    if not isinstance(operation, dict):
        yield Problem(place, "expected an operation")
        return
    name = operation.get("operationId")
    if not isinstance(name, str) or not snake(name):
        yield Problem(f"{place}/operationId", f"expected a name, found {name!r}")
    elif snake(name) in seen:
        yield Problem(f"{place}/operationId", f"{name!r} is also the name of {seen[snake(name)]}")
    else:
        seen[snake(name)] = place
    tags = operation.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        yield Problem(f"{place}/tags", "expected a list of texts")
    if not isinstance(operation.get("responses"), dict) or not operation["responses"]:
        yield Problem(f"{place}/responses", "expected at least one response")
    else:
        for status, response in operation["responses"].items():
            yield from _content(response, f"{place}/responses/{status}")
    yield from _parameters(operation.get("parameters", []), place)
    if "requestBody" in operation:
        yield from _content(operation["requestBody"], f"{place}/requestBody")


def _parameters(parameters: Any, place: str) -> Iterator[Problem]:
    if not isinstance(parameters, list):
        yield Problem(f"{place}/parameters", "expected a list")
        return
    names: set[tuple[str, str]] = set()
    for index, parameter in enumerate(parameters):
        here = f"{place}/parameters/{index}"
        if not isinstance(parameter, dict) or not isinstance(parameter.get("name"), str):
            yield Problem(here, "expected a parameter with a name")
            continue
        if parameter.get("in") not in ("query", "header", "path", "cookie"):
            yield Problem(f"{here}/in", f"expected query, header, path or cookie, found {parameter.get('in')!r}")
            continue
        key = (parameter["in"], parameter["name"])
        if key in names:
            yield Problem(here, f"the {key[0]} parameter {key[1]!r} stands twice")
        names.add(key)
        if not isinstance(parameter.get("schema"), dict):
            yield Problem(f"{here}/schema", "expected a schema")
        else:
            yield from _schema(parameter["schema"], f"{here}/schema", 0)


def _content(holder: Any, place: str) -> Iterator[Problem]:
    if not isinstance(holder, dict):
        yield Problem(place, "expected a mapping")
        return
    content = holder.get("content", {})
    if not isinstance(content, dict):
        yield Problem(f"{place}/content", "expected a mapping of media types")
        return
    for media, value in content.items():
        here = f"{place}/content/{media.replace('~', '~0').replace('/', '~1')}"
        if not isinstance(value, dict):
            yield Problem(here, "expected a mapping")
        elif "schema" in value:
            yield from _schema(value["schema"], f"{here}/schema", 0)


def _schema(schema: Any, place: str, depth: int) -> Iterator[Problem]:
    if not isinstance(schema, dict):
        yield Problem(place, f"expected a schema, found {type(schema).__name__}")
        return
    if depth > _DEEPEST:
        yield Problem(place, f"is nested more than {_DEEPEST} levels deep")
        return
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    if kind is not None and (not kinds or not all(isinstance(one, str) and one in _TYPES for one in kinds)):
        yield Problem(f"{place}/type", f"{kind!r} is no JSON schema type")
    members = schema.get("enum")
    if members is not None and (not isinstance(members, list) or not members):
        yield Problem(f"{place}/enum", "expected a list with at least one member")
    required = schema.get("required")
    if required is not None and not (isinstance(required, list) and all(isinstance(name, str) for name in required)):
        yield Problem(f"{place}/required", "expected a list of property names")
    properties = schema.get("properties", {})
    if not isinstance(properties, dict):
        yield Problem(f"{place}/properties", "expected a mapping of schemas")
        properties = {}
    for name, below in properties.items():
        yield from _schema(below, place + pointer("properties", name)[1:], depth + 1)
    for key in _LISTS:
        options = schema.get(key, [])
        if not isinstance(options, list):
            yield Problem(f"{place}/{key}", "expected a list of schemas")
            continue
        for index, below in enumerate(options):
            yield from _schema(below, f"{place}/{key}/{index}", depth + 1)
    if "items" in schema:
        yield from _schema(schema["items"], f"{place}/items", depth + 1)
    elif kind == "array":
        yield Problem(place, "an array needs items")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _schema(schema["additionalProperties"], f"{place}/additionalProperties", depth + 1)


def _references(node: Any, document: dict[str, Any], place: str) -> Iterator[Problem]:
    stack: list[tuple[Any, str]] = [(node, place)]
    while stack:
        value, here = stack.pop()
        if isinstance(value, dict):
            target = value.get("$ref")
            if isinstance(target, str) and not _resolves(target, document):
                yield Problem(f"{here}/$ref", f"{target!r} leads nowhere")
            stack.extend((below, here + pointer(key)[1:]) for key, below in value.items())
        elif isinstance(value, list):
            stack.extend((below, f"{here}/{index}") for index, below in enumerate(value))


def _resolves(target: str, document: dict[str, Any]) -> bool:
    if not target.startswith("#/"):
        return False
    node: Any = document
    for part in target[2:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or key not in node:
            return False
        node = node[key]
    return True

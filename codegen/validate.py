"""Says everything that is wrong with a document before anything is made from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .names import operation as operation_name
from .names import snake
from .problems import Problem, pointer
from .references import component, follow, resolve
from .schemacheck import check_circles, check_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
PLACES = ("query", "header", "path", "cookie")
_STATUS = re.compile(r"[1-5](?:[0-9]{2}|XX)|default")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_DEEPEST = 200


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
    return sorted(set(_Check(document).problems(paths, components.get("schemas", {}))))


class _Check:
    """One document on its way through the checks."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.seen: dict[str, str] = {}
        """Place of each operation by its name."""

    def problems(self, paths: dict[str, Any], schemas: dict[str, Any]) -> Iterator[Problem]:
        yield from _references(self.document)
        for name, schema in schemas.items():
            yield from check_schema(schema, pointer("components", "schemas", name))
        yield from check_circles(schemas)
        for path, item in paths.items():
            if not path.startswith("x-"):
                yield from self._path(path, item)

    def _follow(self, holder: Any) -> Any:
        """What a reference means; nothing when it leads nowhere, which is reported on its own."""
        try:
            return follow(holder, self.document)
        except KeyError:
            return None

    def _path(self, path: str, item: Any) -> Iterator[Problem]:
        place = pointer("paths", path)
        if not path.startswith("/"):
            yield Problem(place, "a path starts with a slash")
        if not path.isprintable() or " " in path:
            yield Problem(place, "a path holds neither spaces nor control characters")
        item = self._follow(item)
        if not isinstance(item, dict):
            yield Problem(place, "expected a mapping of operations")
            return
        yield from self._parameters(item.get("parameters", []), place)
        for method, operation in item.items():
            if method in METHODS:
                yield from self._operation(operation, f"{place}/{method}")

    def _operation(self, operation: Any, place: str) -> Iterator[Problem]:
        if not isinstance(operation, dict):
            yield Problem(place, "expected an operation")
            return
        name = operation.get("operationId")
        if not isinstance(name, str) or not snake(name):
            yield Problem(f"{place}/operationId", f"expected a name, found {name!r}")
        else:
            first = self.seen.setdefault(operation_name(name), place)
            if first is not place:
                yield Problem(f"{place}/operationId", f"{name!r} is also the name of {first}")
        tags = operation.get("tags", [])
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            yield Problem(f"{place}/tags", "expected a list of texts")
        responses = operation.get("responses")
        if not isinstance(responses, dict) or not responses:
            yield Problem(f"{place}/responses", "expected at least one response")
        else:
            yield from self._responses(responses, f"{place}/responses")
        yield from self._parameters(operation.get("parameters", []), place)
        if "requestBody" in operation:
            yield from self._content(operation["requestBody"], f"{place}/requestBody")

    def _responses(self, responses: dict[str, Any], place: str) -> Iterator[Problem]:
        for status, response in responses.items():
            if str(status).startswith("x-"):
                continue
            if _STATUS.fullmatch(str(status)) is None:
                yield Problem(place + pointer(status)[1:], f"{status!r} is no HTTP status")
            yield from self._content(response, f"{place}/{status}")

    def _parameters(self, parameters: Any, place: str) -> Iterator[Problem]:
        if not isinstance(parameters, list):
            yield Problem(f"{place}/parameters", "expected a list")
            return
        names: set[tuple[str, str]] = set()
        for index, stated in enumerate(parameters):
            here = f"{place}/parameters/{index}"
            parameter = self._follow(stated)
            if not isinstance(parameter, dict) or not isinstance(parameter.get("name"), str):
                yield Problem(here, "expected a parameter with a name")
                continue
            where, name = parameter.get("in"), parameter["name"]
            if where not in PLACES:
                yield Problem(f"{here}/in", f"expected query, header, path or cookie, found {where!r}")
                continue
            # Names of headers mean the same in any case.
            key = (where, name.lower() if where == "header" else name)
            if key in names:
                yield Problem(here, f"the {where} parameter {name!r} stands twice")
            names.add(key)
            if where == "header" and _HEADER.fullmatch(name) is None:
                yield Problem(f"{here}/name", f"{name!r} can't be the name of a header")
            if not isinstance(parameter.get("schema"), dict):
                yield Problem(f"{here}/schema", "expected a schema")
            else:
                yield from check_schema(parameter["schema"], f"{here}/schema")

    def _content(self, stated: Any, place: str) -> Iterator[Problem]:
        holder = self._follow(stated)
        if not isinstance(holder, dict):
            yield Problem(place, "expected a mapping")
            return
        content = holder.get("content", {})
        if not isinstance(content, dict):
            yield Problem(f"{place}/content", "expected a mapping of media types")
            return
        for media, value in content.items():
            here = place + pointer("content", media)[1:]
            if not isinstance(value, dict):
                yield Problem(here, "expected a mapping")
            elif "schema" in value:
                yield from check_schema(value["schema"], f"{here}/schema")


def _references(document: dict[str, Any]) -> Iterator[Problem]:
    """References, also those of discriminators, that lead nowhere."""
    stack: list[tuple[Any, str, int]] = [(document, "#", 0)]
    while stack:
        value, here, depth = stack.pop()
        if depth > _DEEPEST:
            yield Problem(here, f"is nested more than {_DEEPEST} levels deep")
            return
        if isinstance(value, dict):
            yield from _reference(value.get("$ref"), f"{here}/$ref", document)
            discriminator = value.get("discriminator")
            mapping = discriminator.get("mapping") if isinstance(discriminator, dict) else None
            for tag, target in mapping.items() if isinstance(mapping, dict) else ():
                if component(target) is not None:
                    yield from _reference(target, here + pointer("discriminator", "mapping", tag)[1:], document)
            stack.extend((below, here + pointer(key)[1:], depth + 1) for key, below in value.items())
        elif isinstance(value, list):
            stack.extend((below, f"{here}/{index}", depth + 1) for index, below in enumerate(value))


def _reference(target: Any, place: str, document: dict[str, Any]) -> Iterator[Problem]:
    if not isinstance(target, str):
        return
    try:
        follow({"$ref": target}, document) if component(target) is None else resolve(target, document)
    except (KeyError, TypeError):
        yield Problem(place, f"{target!r} leads nowhere")

"""Reads a document from a file or an address: JSON, YAML, or an HTML page that embeds one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import yaml

from .problems import fail

LARGEST = 64 * 1024 * 1024
"""Bytes beyond which a source is refused: the real document has half a megabyte."""
_MARKER = "__redoc_state"


@dataclass(frozen=True, slots=True)
class Source:
    """A document as found, before anything was done to it."""

    name: str
    sha256: str
    document: dict[str, Any]


def read(location: str) -> Source:
    """Fetch and parse `location`, a path or an http(s) address. Raises CodegenError."""
    content = _fetch(location)
    if len(content) > LARGEST:
        raise fail(location, f"is larger than {LARGEST} bytes")
    name = location.rsplit("/", 1)[-1] or location
    return Source(name, hashlib.sha256(content).hexdigest(), parse(content, location))


def _fetch(location: str) -> bytes:
    if location.startswith(("http://", "https://")):
        import httpx

        try:
            response = httpx.get(location, follow_redirects=True, timeout=60)
            response.raise_for_status()
        except httpx.HTTPError as error:
            raise fail(location, f"could not be fetched: {error}") from error
        return response.content
    try:
        return Path(location).read_bytes()
    except OSError as error:
        raise fail(location, f"could not be read: {error.strerror or error}") from error


def parse(content: bytes, place: str = "document") -> dict[str, Any]:
    """The document inside `content`. Raises CodegenError with the line where parsing stopped."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise fail(place, f"is not UTF-8 text (byte {error.start})") from error
    start = text.lstrip()[:1]
    if start == "<":
        document = _from_html(text, place)
    elif start == "{":
        document = _from_json(text, place)
    else:
        document = _from_yaml(text, place)
    if not isinstance(document, dict):
        raise fail(place, f"holds {_kind(document)} where an OpenAPI document is a mapping")
    return document


def _from_json(text: str, place: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_no_twice, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise fail(f"{place}:{error.lineno}:{error.colno}", f"is not JSON: {error.msg}") from error
    except (_Twice, RecursionError) as error:
        raise fail(place, f"is not usable JSON: {error}") from error


class _Twice(ValueError):
    pass


def _no_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise _Twice(f"the key {key!r} stands twice in one object")
        result[key] = value
    return result


def _no_constant(name: str) -> Any:
    raise _Twice(f"{name} is no JSON number")


def _from_yaml(text: str, place: str) -> Any:
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise fail(place, "uses YAML aliases, which are not supported")
        loaded = yaml.safe_load(text)
        return json.loads(json.dumps(loaded, default=str))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{place}:{mark.line + 1}:{mark.column + 1}" if mark is not None else place
        raise fail(where, f"is neither JSON, YAML nor HTML: {getattr(error, 'problem', None) or error}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise fail(place, f"is not usable YAML: {error}") from error


class _Scripts(HTMLParser):
    """Collects the text of every script element."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.scripts: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag == "script":
            self._inside = True
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts[-1] += data


def _from_html(text: str, place: str) -> Any:
    scripts = _Scripts()
    scripts.feed(text)
    for script in scripts.scripts:
        for candidate in _objects_in(script):
            found = _document_in(candidate)
            if found is not None:
                return found
    raise fail(place, f"is a page without an embedded document (no script sets {_MARKER})")


def _objects_in(script: str) -> list[Any]:
    """JSON values a script consists of, or assigns to the page's state."""
    decoder = json.JSONDecoder()
    starts = [0] if script.lstrip().startswith("{") else []
    position = script.find(_MARKER)
    while position >= 0:
        brace = script.find("{", position)
        if brace >= 0:
            starts.append(brace)
        position = script.find(_MARKER, position + 1)
    found: list[Any] = []
    for start in starts:
        try:
            found.append(decoder.raw_decode(script, start if start else len(script) - len(script.lstrip()))[0])
        except (json.JSONDecodeError, RecursionError):
            continue
    return found


def _document_in(value: Any) -> dict[str, Any] | None:
    """The first mapping with an `openapi` key, looking at most a few levels into the page's state."""
    level = [value]
    for _ in range(5):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                if "openapi" in item and "paths" in item:
                    return item
                below.extend(item.values())
        level = below
    return None


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    return "a list" if isinstance(value, list) else f"a {type(value).__name__}"

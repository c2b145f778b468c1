"""From bytes to a document: JSON, YAML, or an HTML page that embeds one. Nothing but plain JSON values comes out."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import yaml

from .problems import CodegenError, Problem, fail, pointer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yaml import SafeLoader as _YamlBase
else:  # without libyaml PyYAML is slower, otherwise the same
    _YamlBase = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

DEEPEST = 200
"""Levels of nesting beyond which a document is refused: the real one has 19."""
_MARKER = "__redoc_state"
_MOST_CANDIDATES = 50
_SCRIPT = re.compile(r"<script\b", re.IGNORECASE)
_SCRIPT_END = re.compile(r"</script\b", re.IGNORECASE)


def parse(content: bytes, place: str = "document") -> dict[str, Any]:
    """The document inside `content`. Raises CodegenError with the place where it stops being one."""
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
    problems = [Problem(f"{place} {where}", message) for where, message in _foreign(document)]
    if problems:
        raise CodegenError(sorted(problems))
    return document


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    return "a list" if isinstance(value, list) else f"a {type(value).__name__}"


# JSON


class _Object(dict[str, Any]):
    """An object that remembers the keys it was given twice, until its place is known."""

    twice: tuple[str, ...] = ()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) == len(pairs):
        return result
    marked = _Object(result)
    marked.twice = tuple(sorted(key for key, count in Counter(key for key, _ in pairs).items() if count > 1))
    return marked


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


def _from_json(text: str, place: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise fail(f"{place}:{error.lineno}:{error.colno}", f"is not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or brackets without end
        raise fail(place, f"is not usable JSON: {error}") from error


def _foreign(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What JSON can't hold, a key twice in one object, or nesting without end; each with its place."""
    stack: list[tuple[Any, tuple[Any, ...], int]] = [(document, (), 1)]
    while stack:
        value, path, depth = stack.pop()
        problem = None
        if isinstance(value, str):
            problem = None if _encodes(value) else "is text with half a character (a lone surrogate)"
        elif isinstance(value, float):
            problem = None if math.isfinite(value) else f"{value} is no JSON number"
        elif isinstance(value, (dict, list)) and depth > DEEPEST:
            yield _pointer(path), f"is nested more than {DEEPEST} levels deep"
            return
        elif isinstance(value, dict):
            if isinstance(value, _Object):
                problem = f"the key {value.twice[0]!r} stands twice in this object"
            if not all(map(_encodes, value)):
                problem = "has a key with half a character (a lone surrogate)"
            stack.extend((below, (path, key), depth + 1) for key, below in value.items())
        elif isinstance(value, list):
            stack.extend((below, (path, index), depth + 1) for index, below in enumerate(value))
        if problem is not None:
            yield _pointer(path), problem


def _encodes(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _pointer(path: tuple[Any, ...]) -> str:
    parts: list[Any] = []
    while path:
        path, part = path
        parts.append(part)
    return pointer(*reversed(parts)).encode(errors="backslashreplace").decode()


# YAML


class _Loader(_YamlBase):
    """Reads scalars as YAML 1.2's JSON schema has them: `no` is a text, `2020-01-01` and `1:30` are too."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own registry


_SCALARS = {
    "null": (re.compile(r"~|null|Null|NULL|"), "~nN"),
    "bool": (re.compile(r"true|True|TRUE|false|False|FALSE"), "tTfF"),
    "int": (re.compile(r"[-+]?(?:0|[1-9][0-9]*)"), "-+0123456789"),
    "float": (re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"), "-+.0123456789"),
}
_TAG = "tag:yaml.org,2002:"
for _name, (_pattern, _first) in _SCALARS.items():
    _Loader.add_implicit_resolver(
        _TAG + _name, re.compile(f"(?:{_pattern.pattern})$"), [*_first, *([""] if _name == "null" else [])]
    )


def _from_yaml(text: str, place: str) -> Any:
    try:
        _refuse_bombs(text, place)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = _at(place, mark) if mark is not None else place
        raise fail(where, f"is neither JSON, YAML nor HTML: {getattr(error, 'problem', None) or error}") from error
    return None if node is None else _value(node, place)


def _refuse_bombs(text: str, place: str) -> None:
    """Small texts that stand for huge documents: aliases, and nesting without end."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            raise fail(_at(place, event.start_mark), "uses a YAML alias, which is not supported")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise fail(_at(place, event.start_mark), f"is nested more than {DEEPEST} levels deep")


def _value(node: yaml.Node, place: str) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, place) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key, below in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise fail(_at(place, key.start_mark), "uses a list or a mapping as a key")
            if key.value in result:
                raise fail(_at(place, key.start_mark), f"the key {key.value!r} stands twice in this mapping")
            result[key.value] = _value(below, place)
        return result
    kind = str(node.tag).removeprefix(_TAG)
    text = str(node.value)
    if kind == "str":
        return text
    if kind not in _SCALARS or _SCALARS[kind][0].fullmatch(text) is None:
        raise fail(_at(place, node.start_mark), f"{text[:40]!r} with the tag {node.tag} is no JSON value")
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    try:
        return int(text) if kind == "int" else float(text)
    except ValueError as error:
        raise fail(_at(place, node.start_mark), f"is not usable YAML: {error}") from error


def _at(place: str, mark: Any) -> str:
    return f"{place}:{mark.line + 1}:{mark.column + 1}"


# HTML


def _from_html(text: str, place: str) -> Any:
    trouble = f"no script sets {_MARKER}"
    for script in _scripts(text):
        for start in _starts(script):
            try:
                found = _document_in(_DECODER.raw_decode(script, start)[0])
            except (ValueError, RecursionError) as error:
                trouble = f"a script's state is not JSON: {getattr(error, 'msg', error)}"
                continue
            if found is not None:
                return found
            trouble = f"{_MARKER} holds no document"
    raise fail(place, f"is a page without an embedded document ({trouble})")


def _scripts(text: str) -> Iterator[str]:
    """What stands between script tags. Reads every character once, whatever the page is like."""
    position = 0
    while (opening := _SCRIPT.search(text, position)) is not None:
        inside = text.find(">", opening.end()) + 1
        if inside == 0:
            return
        closing = _SCRIPT_END.search(text, inside)
        end = len(text) if closing is None else closing.start()
        yield text[inside:end]
        position = end


def _starts(script: str) -> list[int]:
    """Where a value may begin that the script consists of, or assigns to the page's state."""
    bare = len(script) - len(script.lstrip())
    starts = [bare] if script.startswith("{", bare) else []
    position = script.find(_MARKER)
    while position >= 0 and len(starts) < _MOST_CANDIDATES:
        brace = script.find("{", position)
        if brace < 0:
            break
        starts.append(brace)
        position = script.find(_MARKER, brace)
    return list(dict.fromkeys(starts))


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

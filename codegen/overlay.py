"""Everything we add to a document: assumed instructions, corrections, pinned names, our own documentation."""

from __future__ import annotations

import keyword
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import reserved
from .corrections import Correction, read_corrections
from .problems import fail

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OVERLAYS", "Correction", "Names", "Overlays", "load"]

OVERLAYS = Path("spec/overlays")
_DOCS = {
    "operations": {"summary": str, "description": str, "until": str, "errors": dict, "parameters": dict},
    "models": {"description": str, "until": str, "fields": dict},
    "enums": {"description": str, "until": str, "members": dict},
}
"""What can be said about each kind of thing."""


@dataclass(frozen=True, slots=True)
class Names:
    """Pinned names, so that a document can't rename the SDK's methods, namespaces and members."""

    namespaces: dict[str, str] = field(default_factory=dict[str, str])
    tags: dict[str, str] = field(default_factory=dict[str, str])
    classes: dict[str, str] = field(default_factory=dict[str, str])
    arguments: dict[str, str] = field(default_factory=dict[str, str])
    members: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    open_text: tuple[str, ...] = ()
    open_text_from: int = 60


@dataclass(frozen=True, slots=True)
class Overlays:
    """Everything we add to a document."""

    assumed: dict[str, str]
    corrections: tuple[Correction, ...]
    names: Names
    docs: dict[str, dict[str, Any]]


def load(folder: Path) -> Overlays:
    """Read every overlay of `folder`. Raises CodegenError with the file that is wrong."""
    return Overlays(
        _assumed(folder / "auth.toml"),
        tuple(entry for name in ("fixes", "units") for entry in _corrections(folder / f"{name}.toml")),
        _names(folder / "names.toml"),
        _docs(sorted((folder / "docs").glob("*.toml"))),
    )


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise fail(str(path), f"could not be read: {error.strerror or error}") from error
    except ValueError as error:  # also a TOMLDecodeError
        raise fail(str(path), f"is not TOML: {error}") from error


def _assumed(path: Path) -> dict[str, str]:
    result: dict[str, str] = {}
    for name, entry in _toml(path).items():
        if not isinstance(entry, dict) or set(entry) != {"instruction", "why", "evidence"}:
            raise fail(str(path), f"{name} has instruction, why and evidence, nothing else")
        instruction = entry["instruction"]
        if not isinstance(instruction, str) or not instruction.isidentifier():
            raise fail(str(path), f"{name}: {instruction!r} can't be the name of an instruction")
        result[name] = instruction
    return result


def _corrections(path: Path) -> list[Correction]:
    return list(read_corrections(_toml(path).get("correction", []), str(path), path.name))


def _names(path: Path) -> Names:
    told = _toml(path)
    open_text = told.pop("open_text", {})
    unknown = set(told) - {"namespaces", "tags", "classes", "arguments", "members"}
    if unknown or not all(isinstance(table, dict) for table in (*told.values(), open_text)):
        raise fail(str(path), f"has tables of names and [open_text], not {sorted(unknown) or 'single values'}")
    members = told.get("members", {})
    for table, names in (
        *((name, told.get(name, {})) for name in ("namespaces", "tags", "classes", "arguments")),
        *((f"members.{name}", entries) for name, entries in members.items()),
    ):
        _check_names(path, table, names)
    schemas, least = open_text.get("schemas", []), open_text.get("from_members", 60)
    if set(open_text) - {"schemas", "from_members"} or not isinstance(schemas, list) or not isinstance(least, int):
        raise fail(str(path), "[open_text] has schemas, a list, and from_members, a number")
    return Names(**told, open_text=tuple(schemas), open_text_from=least)


def _check_names(path: Path, table: str, names: Any) -> None:
    if not isinstance(names, dict):
        raise fail(str(path), f"[{table}] is no table")
    for wire, name in names.items():
        if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
            raise fail(str(path), f"[{table}] {wire}: {name!r} can't be a name in Python")
        if table in ("namespaces", "tags") and name in reserved.TAGS:
            raise fail(str(path), f"[{table}] {wire}: {name!r} means something else in the SDK")


def _docs(paths: list[Path]) -> dict[str, dict[str, Any]]:
    docs: dict[str, dict[str, Any]] = {kind: {} for kind in _DOCS}
    for path in paths:
        for kind, entries in _toml(path).items():
            if kind not in _DOCS or not isinstance(entries, dict):
                raise fail(str(path), f"[{kind}] is unknown; {', '.join(_DOCS)} can be documented")
            for name, entry in entries.items():
                if name in docs[kind]:
                    raise fail(str(path), f"{kind}.{name} is documented twice")
                _check_doc(path, f"{kind}.{name}", entry, _DOCS[kind])
                docs[kind][name] = entry
    return docs


def _check_doc(path: Path, name: str, entry: Any, known: Mapping[str, type]) -> None:
    if not isinstance(entry, dict):
        raise fail(str(path), f"[{name}] is no table")
    for key, value in entry.items():
        if key not in known or not isinstance(value, known[key]):
            raise fail(str(path), f"{name}.{key} is unknown or of the wrong type; {', '.join(known)} can be said")
        if isinstance(value, dict) and not all(isinstance(text, str) for text in value.values()):
            raise fail(str(path), f"{name}.{key} holds something that is no text")

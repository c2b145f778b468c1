"""Our corrections and additions to the document, each with its reason.

A correction is `{target, expect, value, why, evidence}`. Targets:

    schemas.NAME               a component
    schemas.NAME.FIELD         a property of a component; `*` stands for every one that meets the expectation
    operations.NAME.PARAMETER  a parameter of an operation; `*` stands for every operation, and `except` leaves some out

`expect` is what must stand there now, `value` is merged over it (a null removes). In both, `required` speaks of the
property or parameter, everything else of its schema. A correction whose expectation fails is stale: it is left out
and reported.
"""

from __future__ import annotations

import copy
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .problems import CodegenError, Problem, fail
from .validate import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterator

OVERLAYS = Path("spec/overlays")
_KEYS = {"target", "expect", "value", "why", "evidence", "except"}


@dataclass(frozen=True, slots=True)
class Correction:
    """One reasoned change of one place."""

    source: str
    target: str
    expect: dict[str, Any]
    value: dict[str, Any]
    why: str
    evidence: str
    exclude: tuple[str, ...] = ()


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
    auth = _toml(folder / "auth.toml")
    corrections = [entry for name in ("fixes", "units") for entry in _corrections(folder / f"{name}.toml")]
    names = _toml(folder / "names.toml")
    open_text = names.pop("open_text", {})
    docs: dict[str, dict[str, Any]] = {"operations": {}, "models": {}, "enums": {}}
    for path in sorted((folder / "docs").glob("*.toml")):
        for kind, entries in _toml(path).items():
            for name, entry in entries.items():
                if kind not in docs or name in docs[kind]:
                    raise fail(str(path), f"{kind}.{name} is unknown or documented twice")
                docs[kind][name] = entry
    return Overlays(
        {name: entry["instruction"] for name, entry in auth.items()},
        tuple(corrections),
        Names(**names, open_text=tuple(open_text.get("schemas", ())), open_text_from=open_text.get("from_members", 60)),
        docs,
    )


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise fail(str(path), f"could not be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise fail(str(path), f"is not TOML: {error}") from error


def _corrections(path: Path) -> Iterator[Correction]:
    for entry in _toml(path).get("correction", []):
        if not _KEYS >= set(entry) >= {"target", "value", "why", "evidence"}:
            raise fail(str(path), f"a correction has target, expect, value, why and evidence, not {sorted(entry)}")
        targets = entry["target"] if isinstance(entry["target"], list) else [entry["target"]]
        for target in targets:
            yield Correction(
                path.name, target, entry.get("expect", {}), entry["value"], entry["why"], entry["evidence"],
                tuple(entry.get("except", ())),
            )  # fmt: skip


def apply(document: dict[str, Any], corrections: tuple[Correction, ...]) -> tuple[dict[str, Any], list[Problem]]:
    """The corrected document, and the corrections that no longer apply."""
    result = copy.deepcopy(document)
    stale: list[Problem] = []
    for correction in corrections:
        places = list(_places(result, correction))
        fitting = [place for place in places if place.fits(correction.expect)]
        if not fitting:
            found = places[0].describe(correction.expect) if places else "nothing is there"
            stale.append(Problem(f"{correction.source} {correction.target}", f"no longer applies: {found}"))
        for place in fitting:
            place.merge(correction.value)
    return result, stale


@dataclass(slots=True)
class _Place:
    """A schema to correct, together with what says whether it is required."""

    schema: dict[str, Any]
    owner: dict[str, Any] | None = None
    name: str = ""

    def _required(self) -> bool:
        if self.owner is None:
            return False
        flag = self.owner.get("required", False)
        return self.name in flag if isinstance(flag, list) else bool(flag)

    def fits(self, expect: dict[str, Any]) -> bool:
        return all(self._get(key) == (None if value == "absent" else value) for key, value in expect.items())

    def describe(self, expect: dict[str, Any]) -> str:
        return ", ".join(f"{key} is {self._get(key)!r}, not {value!r}" for key, value in expect.items())

    def _get(self, key: str) -> Any:
        return self._required() if key == "required" else self.schema.get(key)

    def merge(self, value: dict[str, Any]) -> None:
        for key, new in value.items():
            if key == "required" and self.owner is not None:
                self._require(bool(new))
            elif new == "absent":
                self.schema.pop(key, None)
            else:
                self.schema[key] = copy.deepcopy(new)

    def _require(self, required: bool) -> None:
        assert self.owner is not None
        if "in" in self.owner:
            self.owner["required"] = required
            return
        names = set(self.owner.get("required", [])) - {self.name}
        self.owner["required"] = sorted(names | ({self.name} if required else set()))


def _places(document: dict[str, Any], correction: Correction) -> Iterator[_Place]:
    kind, _, rest = correction.target.partition(".")
    name, _, member = rest.partition(".")
    if kind == "schemas":
        schema = document["components"]["schemas"].get(name)
        if schema is None:
            return
        if not member:
            yield _Place(schema)
        elif member == "*":
            for each in schema.get("properties", {}):
                yield _Place(schema["properties"][each], schema, each)
        elif member in schema.get("properties", {}):
            yield _Place(schema["properties"][member], schema, member)
    elif kind == "operations":
        for operation in _operations(document):
            operation_id = operation["operationId"]
            if operation_id in correction.exclude or name not in ("*", operation_id):
                continue
            for parameter in operation.get("parameters", []):
                if parameter["name"] == member:
                    yield _Place(parameter["schema"], parameter, member)
            for content in operation.get("responses", {}).get(member, {}).get("content", {}).values():
                yield _Place(content["schema"])
    else:
        raise CodegenError([Problem(correction.source, f"the target {correction.target!r} has an unknown kind")])


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in document["paths"].values():
        for method in METHODS:
            if method in item:
                yield item[method]

"""Our corrections of the document, each with its reason, and applying them.

A correction is `{target, expect, value, why, evidence}`. Targets:

    schemas.NAME               a component
    schemas.NAME.FIELD         a property of a component; `*` stands for every one that meets the expectation
    operations.NAME.PARAMETER  a parameter of an operation; `*` stands for every operation, and `except` leaves some out
    operations.NAME.STATUS     the body of a reply

`expect` is what must stand there now, `value` is merged over it (`absent` removes). In both, `required` speaks of the
property or parameter, everything else of its schema. `property = "absent"` in `expect` says that there is no such
property yet, and `value` is its schema. A correction whose expectation fails is stale: it is left out and reported.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .problems import Problem, fail
from .validate import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_KEYS = {"target", "expect", "value", "why", "evidence", "except"}
_NEEDED = {"target", "value", "why", "evidence"}
_ABSENT = "absent"


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


def read_corrections(entries: Any, place: str, source: str) -> Iterator[Correction]:
    """The corrections of one file. Raises CodegenError, with the file as its place, for one that is none."""
    if not isinstance(entries, list):
        raise fail(place, "expected [[correction]] entries")
    for entry in entries:
        if not isinstance(entry, dict) or not _KEYS >= set(entry) >= _NEEDED:
            raise fail(place, f"a correction has target, expect, value, why and evidence, not {sorted(entry)}")
        expect, value, exclude = entry.get("expect", {}), entry["value"], entry.get("except", [])
        targets = entry["target"] if isinstance(entry["target"], list) else [entry["target"]]
        for target in targets:
            _check_target(target, place)
            if not isinstance(expect, dict) or not isinstance(value, dict) or not isinstance(exclude, list):
                raise fail(place, f"{target}: expect and value are tables, except is a list of operations")
            if not all(isinstance(entry[key], str) and entry[key].strip() for key in ("why", "evidence")):
                raise fail(place, f"{target}: a correction says why, and what shows it")
            yield Correction(source, target, expect, value, entry["why"], entry["evidence"], tuple(exclude))


def _check_target(target: Any, place: str) -> None:
    kind, *rest = target.split(".") if isinstance(target, str) else [""]
    if kind not in ("schemas", "operations"):
        raise fail(place, f"the target {target!r} has an unknown kind; schemas.… and operations.… are known")
    if not all(rest) or len(rest) < (1 if kind == "schemas" else 2):
        raise fail(place, f"the target {target!r} names no place: schemas.NAME[.FIELD] or operations.NAME.PARAMETER")


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
    is_new: bool = False
    """Whether the owner has no such property yet."""

    def _required(self) -> bool:
        if self.owner is None:
            return False
        flag = self.owner.get("required", False)
        return self.name in flag if isinstance(flag, list) else bool(flag)

    def fits(self, expect: Mapping[str, Any]) -> bool:
        return all(self._get(key) == (None if value == _ABSENT else value) for key, value in expect.items())

    def describe(self, expect: Mapping[str, Any]) -> str:
        return ", ".join(
            f"{key} is {self._get(key)!r}, not {value!r}"
            for key, value in expect.items()
            if self._get(key) != (None if value == _ABSENT else value)
        )

    def _get(self, key: str) -> Any:
        if key == "property":
            return None if self.is_new else "there"
        return self._required() if key == "required" else self.schema.get(key)

    def merge(self, value: Mapping[str, Any]) -> None:
        if self.is_new and self.owner is not None:
            self.owner["properties"][self.name] = self.schema
        for key, new in value.items():
            if key == "required" and self.owner is not None:
                self._require(bool(new))
            elif new == _ABSENT:
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
        new = correction.expect.get("property") == _ABSENT
        yield from _in_schema(document["components"]["schemas"].get(name, {}), member, new)
        return
    for operation in _operations(document):
        operation_id = operation["operationId"]
        if operation_id not in correction.exclude and name in ("*", operation_id):
            yield from _in_operation(operation, member)


def _in_schema(schema: dict[str, Any], member: str, new: bool) -> Iterator[_Place]:
    properties = schema.get("properties", {})
    if new and properties and member not in properties and member not in ("", "*"):
        yield _Place({}, schema, member, is_new=True)
    if not member and schema:
        yield _Place(schema)
    for each in properties if member == "*" else [member] if member in properties else []:
        yield _Place(properties[each], schema, each)


def _in_operation(operation: dict[str, Any], member: str) -> Iterator[_Place]:
    for parameter in operation.get("parameters", []):
        if parameter["name"] == member:
            yield _Place(parameter["schema"], parameter, member)
    for content in operation.get("responses", {}).get(member, {}).get("content", {}).values():
        if "schema" in content:
            yield _Place(content["schema"])


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in document["paths"].values():
        for method in METHODS:
            if method in item:
                yield item[method]

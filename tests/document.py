"""The committed document as the tests read it: with the overlays' corrections, by code of their own."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SPEC = Path(__file__).parents[1] / "spec"
REPLY_TEXTS = {
    "decimal": "0.00000001", "decimal-repeated": "0.00000001", "decimal-or-percent": "80%", "digits": "17",
    "date-time": "2026-05-01T12:00:00Z", "naive-date-time": "2026-05-01T12:00:00.125", "naive-time": "09:30:00",
    "spaced-date-time": "2026-05-01 12:00:00", "market-symbol": "SOL_USDC",
}  # fmt: skip
COUNTS = {"seconds": 1_777_636_800, "milliseconds": 1_777_636_800_125, "microseconds": 1_777_636_800_125_250}


@cache
def document() -> dict[str, Any]:
    """The committed document with the overlays' corrections."""
    whole: dict[str, Any] = json.loads((SPEC / "backpack.json").read_text())
    for name in ("fixes", "units"):
        for correction in tomllib.loads((SPEC / "overlays" / f"{name}.toml").read_text())["correction"]:
            targets = correction["target"]
            is_new = correction.get("expect", {}).get("property") == "absent"
            for target in targets if isinstance(targets, list) else [targets]:
                for owner, key, schema in places(whole, target, correction.get("except", ()), is_new=is_new):
                    correct(owner, key, schema, correction["value"])
    return whole


def places(
    whole: dict[str, Any], target: str, left_out: list[str], *, is_new: bool = False
) -> Iterator[tuple[dict[str, Any], str, dict[str, Any]]]:
    """Where a correction applies: what holds the schema, under which name, and the schema."""
    kind, name, *rest = target.split(".")
    if kind == "schemas":
        owner = whole["components"]["schemas"][name]
        if is_new:
            assert rest[0] not in owner["properties"]
            owner["properties"][rest[0]] = {}
        for key in [key for key in owner["properties"] if rest[0] in ("*", key)] if rest else ():
            yield owner, key, owner["properties"][key]
        if not rest:
            yield owner, "", owner
        return
    for operation in (each for item in whole["paths"].values() for each in item.values()):
        if name in ("*", operation["operationId"]) and operation["operationId"] not in left_out:
            yield from (
                (each, "", each["schema"]) for each in operation.get("parameters", ()) if each["name"] == rest[0]
            )
            for media in operation["responses"].get(rest[0], {}).get("content", {}).values():
                yield operation, "", media["schema"]


def correct(owner: dict[str, Any], key: str, schema: dict[str, Any], value: dict[str, Any]) -> None:
    for name, new in value.items():
        if name == "required":
            assert new is False
            owner["required"].remove(key)
        elif new == "absent":
            schema.pop(name, None)
        else:
            schema[name] = new


@dataclass(frozen=True)
class Documented:
    """An operation as the document has it."""

    path: str
    method: str
    facts: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.facts["operationId"])

    @property
    def replies(self) -> Iterator[tuple[int, str | None, dict[str, Any]]]:
        """Status, content type and schema of every success."""
        for status, response in self.facts["responses"].items():
            if status.startswith("2"):
                content = response.get("content") or {None: {}}
                yield from ((int(status), kind, media.get("schema", {})) for kind, media in content.items())


def documented() -> list[Documented]:
    """Every operation of the document."""
    items = document()["paths"].items()
    return [Documented(path, method.upper(), facts) for path, item in items for method, facts in item.items()]


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without references and with its `allOf` merged."""
    if "$ref" in schema:
        return resolved(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    merged = {key: value for key, value in schema.items() if key != "allOf"}
    for part in map(resolved, schema.get("allOf", ())):
        properties = {**merged.get("properties", {}), **part.get("properties", {})}
        required = [*merged.get("required", ()), *part.get("required", ())]
        merged = {**merged, **part, "properties": properties, "required": required}
        if not properties:
            del merged["properties"], merged["required"]
    return merged


def sample(schema: dict[str, Any], full: bool) -> Any:
    """A valid value: the smallest one, or one with everything that is documented."""
    schema = resolved(schema)
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            common = {name: sample(part, full) for name, part in schema.get("properties", {}).items()}
            chosen = sample(schema[choice][-1 if full else 0], full)
            return common | chosen if common else chosen
    if "enum" in schema:
        return schema["enum"][-1 if full else 0]
    kind = schema["type"]
    if "additionalProperties" in schema:
        return {"SOL": sample(schema["additionalProperties"], full)} if full else {}
    if kind == "object":
        names = schema["properties"] if full else schema.get("required", ())
        return {name: sample(schema["properties"][name], full) for name in names}
    if kind == "array":
        return [sample(schema["items"], full) for _ in range(schema.get("minLength", 1))]
    if kind == "string":
        form = schema.get("format")
        return REPLY_TEXTS[form] if form else str(COUNTS["milliseconds"]) if "x-unit" in schema else "text"
    return {"boolean": True, "number": 0.5, "integer": COUNTS.get(schema.get("x-unit", ""), 7)}[kind]

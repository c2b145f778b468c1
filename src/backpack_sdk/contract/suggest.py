"""Findings as corrections to review, in the form of `spec/overlays/fixes.toml`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from .findings import Finding, Kind, Outcome

_DECIMAL = re.compile(r"-?\d+(\.\d+)?")
_ABSENT = "absent"
_LONGEST_TEXT = 40


def suggestions(outcome: Outcome, today: date) -> str:
    """Write what the findings of a run would correct. What no correction can say stands there as a remark."""
    lines = [
        f"# Suggested by `backpack contract` on {today.isoformat()}, from what {outcome.server} sent.",
        "# Review each entry: keep what the exchange means, and move it to spec/overlays/fixes.toml.",
    ]
    seen: set[tuple[str, str]] = set()
    for finding in outcome.findings:
        target = finding.departure.target
        key = (finding.kind.value, target or finding.text)
        if key in seen:
            continue
        seen.add(key)
        alike = [each for each in outcome.findings if each.departure.target == target and each.kind is finding.kind]
        change = _change(finding, alike) if target is not None else None
        if target is None or change is None:
            lines += ["", *_remark(f"{finding.operation}: {finding.text} ({finding.example})")]
            continue
        expect, value = change
        operations = ", ".join(sorted({each.operation for each in alike}))
        lines += [
            "",
            "[[correction]]",
            f"target = {_toml(target)}",
            f"expect = {_toml(expect)}",
            f"value = {_toml(value)}",
            f"why = {_toml(f'{operations}: {finding.text}.')}",
            'evidence = "seen"',
        ]
    return "\n".join(lines) + "\n"


def _remark(text: str) -> Iterator[str]:
    yield f"# Not to be said as a correction: {' '.join(text.encode(errors='replace').decode().split())}"


def _change(finding: Finding, alike: list[Finding]) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """What must stand there now, and what should; None when no correction can say it."""
    departure = finding.departure
    schema: Mapping[str, Any] = departure.expect or {}
    if finding.kind is Kind.MISSING_FIELD:
        return {"required": True}, {"required": False}
    if finding.kind is Kind.NULL:
        return {"nullable": _ABSENT}, {"nullable": True}
    if finding.kind is Kind.UNKNOWN_FIELD:
        value = _schema_of(departure.value)
        return None if value is None else ({"property": _ABSENT}, value)
    if finding.kind is Kind.UNKNOWN_MEMBER and "enum" in schema:
        new = sorted({each.departure.value for each in alike} - set(schema["enum"]))
        return {"type": "string", "enum": [*schema["enum"]]}, {"enum": [*schema["enum"], *new]}
    if finding.kind is Kind.WRONG_TYPE and "type" in schema and "properties" not in schema:
        return _retyped(schema, departure.value)
    return None


def _retyped(schema: Mapping[str, Any], value: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
    expect = {"type": schema["type"], "format": schema.get("format", _ABSENT)}
    if isinstance(value, str) and schema["type"] == "string":
        if len(value) > _LONGEST_TEXT:
            return expect, {"format": _ABSENT}
        known = {name: expect[name] for name in ("type", "format") if expect[name] != _ABSENT}
        return expect, {"type": _ABSENT, "format": _ABSENT, "anyOf": [known, {"type": "string", "enum": [value]}]}
    new = _schema_of(value)
    return None if new is None else (expect, {"format": _ABSENT} | new)


def _schema_of(value: Any) -> dict[str, Any] | None:
    """The schema that a single value suggests; None for lists, objects and null, which tell too little."""
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int):
        return {"type": "integer", "format": "int64"}
    if isinstance(value, float):
        return {"type": "number", "format": "double"}
    if not isinstance(value, str):
        return None
    if _DECIMAL.fullmatch(value):
        return {"type": "string", "format": "decimal"}
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return {"type": "string"}
    return {"type": "string", "format": "naive-date-time" if moment.tzinfo is None else "date-time"}


def _toml(value: Any) -> str:
    """A value in TOML, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value.encode(errors="replace").decode()).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{name} = {_toml(each)}' for name, each in value.items())} }}"
    return f"[{', '.join(map(_toml, value))}]" if isinstance(value, list) else str(value)

"""Holds the committed document, overlays and code to each other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .build import files, understand
from .problems import Problem
from .source import read

if TYPE_CHECKING:
    from pathlib import Path

    from .overlay import Overlays


def check(spec: Path, lock: Path, out: Path, overlays: Overlays) -> list[Problem]:
    """Everything that is not as it should be; empty when all is well."""
    built = understand(read(str(spec)).document, overlays)
    problems = [*built.stale, *built.remarks]
    problems += _unused_docs(built.api, overlays)
    problems += _lock(spec, lock, len(built.api.operations))
    expected = files(built)
    found = {
        path.relative_to(out).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(out.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    for name in sorted(set(expected) | set(found)):
        if name not in found:
            problems.append(Problem(str(out / name), "is missing; run `nox -s regen`"))
        elif name not in expected:
            problems.append(Problem(str(out / name), "is not generated any more; run `nox -s regen`"))
        elif expected[name] != found[name]:
            problems.append(Problem(str(out / name), "is not what the document yields; run `nox -s regen`"))
    return problems


def _lock(spec: Path, lock: Path, operations: int) -> list[Problem]:
    """The lock must speak of the committed document."""
    import hashlib

    told = json.loads(lock.read_text(encoding="utf-8"))
    digest = hashlib.sha256(spec.read_bytes()).hexdigest()
    if told.get("spec_sha256") != digest:
        return [Problem(str(lock), f"speaks of another {spec.name}; run `python -m codegen import` again")]
    if told.get("operations") != operations:
        return [Problem(str(lock), f"counts {told.get('operations')} operations, the document has {operations}")]
    return []


def _unused_docs(api: object, overlays: Overlays) -> list[Problem]:
    """Documentation of things that are gone, unless it says which older document has them."""
    from .ir import Api

    assert isinstance(api, Api)
    schemas = {model.schema: {field.wire for field in model.fields} for model in api.models}
    enums = {enum.schema: {member.value for member in enum.members} for enum in api.enums}
    operations = {operation.wire_name: {field.wire for field in operation.arguments} for operation in api.operations}
    problems: list[Problem] = []
    for kind, known, inner in (
        ("operations", operations, "parameters"),
        ("models", schemas, "fields"),
        ("enums", enums, "members"),
    ):
        for name, entry in overlays.docs[kind].items():
            if entry.get("until"):
                continue
            if name not in known:
                if kind != "enums" or name not in overlays.names.open_text:
                    problems.append(Problem(f"docs {kind}.{name}", "documents something the document does not have"))
                continue
            problems += [
                Problem(f"docs {kind}.{name}.{part}", "documents something the document does not have")
                for part in entry.get(inner, {})
                if part not in known[name] and not (kind == "operations" and part in ("orders", "items"))
            ]
    return problems

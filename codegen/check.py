"""Holds the committed document, overlays and code to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .build import files, understand
from .importer import facts
from .lock import check_lock
from .output import generated, json_text
from .problems import Problem
from .source import read

if TYPE_CHECKING:
    from pathlib import Path

    from .ir import Api
    from .overlay import Overlays

_REGENERATE = "run `nox -s regen`"


def check(
    spec: Path, lock: Path, out: Path, overlays: Overlays, streams: dict[str, Any] | None = None
) -> list[Problem]:
    """Everything that is not as it should be; empty when all is well. Raises CodegenError when it can't tell."""
    document = read(str(spec)).document
    built = understand(document, overlays, streams)
    problems = [*built.stale, *built.remarks]
    problems += unused_docs(built.api, overlays)
    problems += _facts_only(spec, document, overlays)
    problems += check_lock(lock, spec, document, built.api)
    problems += _code(out, files(built))
    return problems


def _facts_only(spec: Path, document: dict[str, Any], overlays: Overlays) -> list[Problem]:
    if spec.read_text(encoding="utf-8") == json_text(facts(document, overlays.assumed)):
        return []
    return [Problem(str(spec), f"is not what an import yields: run `python -m codegen import {spec}`")]


def _code(out: Path, expected: dict[str, str]) -> list[Problem]:
    found = {path.relative_to(out).as_posix(): path.read_bytes() for path in generated(out)}
    problems: list[Problem] = []
    for name in sorted(set(expected) | set(found)):
        if name not in found:
            problems.append(Problem(str(out / name), f"is missing; {_REGENERATE}"))
        elif name not in expected:
            problems.append(Problem(str(out / name), f"is not generated any more; {_REGENERATE}"))
        elif expected[name].encode() != found[name]:
            problems.append(Problem(str(out / name), f"is not what the document yields; {_REGENERATE}"))
    return problems


def unused_docs(api: Api, overlays: Overlays) -> list[Problem]:
    """Documentation of things that are gone, unless it says which older document has them."""
    schemas = {model.schema: {field.wire for field in model.fields} for model in api.models}
    enums = {enum.schema: {member.value for member in enum.members} for enum in api.enums}
    operations = {
        operation.wire_name: {field.wire or field.python for field in operation.arguments}
        for operation in api.operations
    }
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
                if part not in known[name]
            ]
    return problems

"""A copy of the project with another document, in which it is generated again, type-checked and tested."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import overlay
from .build import OUT, SPEC, STREAMS, files, understand
from .corrections import apply
from .drift import Trial
from .importer import facts
from .lock import LOCK, lock_text
from .output import json_text, write_folder
from .source import read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .corrections import Correction
    from .overlay import Overlays
    from .source import Source

COPIED = ("src", "codegen", "spec", "tests", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "noxfile.py")
VERSION = Path("src/backpack_sdk/_version.py")
CONTRACT = (
    "test_requests.py",
    "test_replies.py",
    "test_errors.py",
    "test_server_compare.py::test_a_reply_that_is_as_documented_is_none",
    "test_stream_frames.py",
)
"""The contract tests that know nothing but the document."""
_SECONDS = 900
_CORRECTED = ("fixes", "units")
_SHOWN = 5
"""Failures that are named."""


def make(source: Source, folder: Path, overlays: Overlays) -> None:
    """Copy the project, import the document there and generate the code.

    Corrections that do not apply are left out of the copy. Raises CodegenError when the document can't be understood.
    """
    for name in COPIED:
        if Path(name).is_dir():
            left_out = shutil.ignore_patterns("__pycache__", ".*_cache", ".hypothesis")
            shutil.copytree(name, folder / name, ignore=left_out, dirs_exist_ok=True)
        else:
            shutil.copy(name, folder / name)
    document = facts(source.document, overlays.assumed)
    for name in _CORRECTED:
        mine = [one for one in overlays.corrections if one.source == f"{name}.toml"]
        (folder / overlay.OVERLAYS / f"{name}.toml").write_text(standing(mine, document), encoding="utf-8")
    streams = read(str(STREAMS)).document if STREAMS.exists() else None
    built = understand(document, overlays, streams)
    write_folder(folder / OUT, files(built))
    today = datetime.now(UTC).date().isoformat()
    (folder / SPEC).write_text(json_text(document), encoding="utf-8")
    lock = lock_text(source.name, source.sha256, today, document, built.api)
    (folder / SPEC).with_name(LOCK).write_text(lock, encoding="utf-8")


def standing(corrections: Iterable[Correction], document: dict[str, Any]) -> str:
    """The corrections that still apply to a document, as an overlay."""
    given = tuple(corrections)
    gone = {problem.place for problem in apply(document, given)[1]}
    lines: list[str] = []
    for one in given:
        if f"{one.source} {one.target}" in gone:
            continue
        lines += ["[[correction]]", f"target = {json.dumps(one.target)}"]
        if one.exclude:
            lines.append(f"except = {json.dumps(list(one.exclude))}")
        lines += [f"expect = {_inline(one.expect)}", f"value = {_inline(one.value)}"]
        lines += [f"why = {json.dumps(one.why)}", f"evidence = {json.dumps(one.evidence)}", ""]
    return "\n".join(lines) or "correction = []\n"


def _inline(value: Any) -> str:
    """A value in TOML on one line."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{json.dumps(name)} = {_inline(each)}' for name, each in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    return json.dumps(value)


def trials(folder: Path) -> list[Trial]:
    """Type-check the copy, and run the contract tests that know nothing but the document."""
    tests = [f"tests/contract/{name}" for name in CONTRACT]
    pytest = ["pytest", "-q", "--tb=line", "-p", "no:cacheprovider", "-p", "no:schemathesis", "-o", "addopts="]
    return [
        _run("type checker", folder, "mypy", "src"),
        _run("contract tests", folder, *pytest, "--import-mode=importlib", *tests),
    ]


def _run(name: str, folder: Path, *command: str) -> Trial:
    paths = os.pathsep.join((str(folder / "src"), str(folder)))
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=folder, env=environment, capture_output=True, text=True,
            check=False, timeout=_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Trial(name, False, f"not done after {_SECONDS} s")
    lines = (done.stdout + done.stderr).strip().splitlines()
    failed = [line for line in lines if line.startswith(("FAILED ", "ERROR ")) or ": error: " in line][:_SHOWN]
    last = lines[-1].strip("= ") if lines else f"exit code {done.returncode}"
    return Trial(name, done.returncode == 0, "; ".join([last, *failed]))


def version() -> str:
    """The version of the project."""
    return VERSION.read_text(encoding="utf-8").rpartition("=")[2].strip().strip('"')

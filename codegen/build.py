"""From a document to the text of every generated file: the whole pipeline."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .analyse import Analyst
from .corrections import apply
from .importer import facts
from .normalise import TIDYING, normalise
from .output import MARK, write_tree
from .problems import CodegenError, Problem, fail
from .render import render
from .schemas import operations
from .streams.analyse import read_streams
from .streams.render import render_streams
from .validate import validate

if TYPE_CHECKING:
    from .ir import Api
    from .overlay import Overlays
    from .streams.ir import Streams

OUT = Path("src/backpack_sdk/_generated")
SPEC = Path("spec/backpack.json")
STREAMS = Path("spec/streams.json")
CONTRACT = "contract.json"
"""The corrected document beside the code, for whoever holds a server to it. Nothing reads it on import."""


@dataclass(frozen=True, slots=True)
class Built:
    """What the pipeline makes of one document, and what it noticed on the way."""

    api: Api
    stale: tuple[Problem, ...]
    """Corrections that no longer apply."""
    remarks: tuple[Problem, ...]
    """What is undocumented, unpinned or without a unit."""
    passes: dict[str, int]
    """Places each normalising pass changed."""
    contract: dict[str, Any]
    """The document with our corrections, tidied, with every schema where it was."""
    streams: Streams | None = None
    """The streams, when there is a document of them."""


def understand(document: dict[str, Any], overlays: Overlays, streams: dict[str, Any] | None = None) -> Built:
    """Read a document, upstream or imported, into the intermediate representation. Raises CodegenError.

    `streams` is the AsyncAPI document of the streams beside it.
    """
    problems = validate(document)
    if problems:
        raise CodegenError(problems)
    plain = facts(document, overlays.assumed)
    corrected, stale = apply(plain, overlays.corrections)
    stale += _stale_guesses(plain, overlays.assumed)
    contract = copy.deepcopy(corrected)
    for tidy in TIDYING:
        tidy(contract, overlays.names)
    normal, passes = normalise(corrected, overlays.names)
    remarks: list[Problem] = []
    api = Analyst(normal, overlays, remarks).api()
    read = None
    if streams is not None:
        read, more = read_streams(streams, api)
        remarks += more
    return Built(api, tuple(stale), tuple(sorted(set(remarks))), passes, contract, read)


def _stale_guesses(document: dict[str, Any], assumed: dict[str, str]) -> list[Problem]:
    """Assumed instructions that the document has no need of."""
    found = {operation["operationId"]: operation for operation in operations(document)}
    stale: list[Problem] = []
    for name in assumed:
        place = f"auth.toml {name}"
        if name not in found:
            stale.append(Problem(place, "no longer applies: there is no such operation"))
        elif not found[name].get("x-instruction-assumed"):
            told = found[name]["x-instruction"]
            stale.append(Problem(place, f"no longer applies: the document itself names `{told}`"))
    return stale


def files(built: Built) -> dict[str, str]:
    """Text of every generated file, formatted, by path below the output folder."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "_generated"
        write_tree(root, render(built.api))
        if built.streams is not None:
            write_tree(root, render_streams(built.streams))
        _format(root)
        made = {
            str(path.relative_to(root).as_posix()): path.read_text(encoding="utf-8")
            for path in sorted(root.rglob("*.py"))
        }
    contract = {"x-origin": f"{MARK}. Do not edit.", **built.contract}
    return made | {CONTRACT: json.dumps(contract, indent=1, sort_keys=True) + "\n"}


_RUFF = ("--isolated", "--no-cache", "--line-length=120", "--target-version=py311", "--quiet")
_SORT = (
    "--fix",
    "--exit-zero",
    "--select=I001,F401,TC",
    "--config=lint.isort.combine-as-imports=true",
    "--config=lint.isort.known-first-party=['backpack_sdk']",
)


def _format(root: Path) -> None:
    """Lay the code out with ruff: sorted imports, no unused ones, one style, whatever folder this runs in."""
    for command in (["check", *_RUFF, *_SORT], ["format", *_RUFF]):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "ruff", *command, root.name],
            cwd=root.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise fail("ruff", done.stderr.strip() or done.stdout.strip())

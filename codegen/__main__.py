"""The generator's command line: import, build, check, diff, drift."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import overlay
from .build import OUT, SPEC, STREAMS, files, understand
from .check import check
from .importer import facts
from .lock import LOCK, lock_text
from .output import json_text, write_files, write_folder
from .problems import CodegenError, fail
from .source import read
from .validate import validate

CUSTOMER_SOURCE = Path("api-doc/backpack.json")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it went well, 1 when it found something, 2 when it could not work."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except CodegenError as error:
        for problem in error.problems:
            print(f"error: {problem}", file=sys.stderr)
        print(f"{len(error.problems)} problem(s); nothing was written.", file=sys.stderr)
        return 2
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m codegen", description="Generates the SDK from the API document.")
    parser.add_argument("--overlays", type=Path, default=overlay.OVERLAYS, help="folder of our corrections")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser("import", help="reduce a document to its facts and commit to it")
    one.add_argument("source", nargs="?", help=f"path or address; {CUSTOMER_SOURCE} when it exists and none is named")
    one.add_argument("--out", type=Path, default=SPEC)
    one.set_defaults(run=_import)
    one = commands.add_parser("build", help="write models, operations and resources")
    one.add_argument("--spec", default=str(SPEC), help="document to build from, imported or not")
    one.add_argument("--streams", help=f"AsyncAPI document of the streams; {STREAMS} when it exists and none is named")
    one.add_argument("--out", type=Path, default=OUT)
    one.set_defaults(run=_build)
    one = commands.add_parser("check", help="fail when document, overlays and code do not fit together")
    one.set_defaults(run=_check)
    one = commands.add_parser("diff", help="what changed between two documents, in the SDK's terms")
    one.add_argument("old")
    one.add_argument("new")
    one.add_argument("--format", choices=["json", "markdown", "text"], default="text")
    one.set_defaults(run=_diff)
    one = commands.add_parser("drift", help="what a newer document means: try it in a scratch folder")
    one.add_argument("source", help="path or address of the newer document")
    one.add_argument("--old", default=str(SPEC), help="document to start from (default: the committed one)")
    one.add_argument("--scratch", type=Path, help="folder for the changed project; a temporary one when none is named")
    one.add_argument("--untried", action="store_true", help="leave the type checker and the tests out")
    one.set_defaults(run=_drift)
    return parser


def _import(options: argparse.Namespace) -> int:
    location = options.source
    if location is None:
        if not CUSTOMER_SOURCE.exists():
            print(f"error: name a document; {CUSTOMER_SOURCE} does not exist", file=sys.stderr)
            return 2
        location = str(CUSTOMER_SOURCE)
    lock = options.out.with_name(LOCK)
    if lock == options.out:
        raise fail(str(options.out), "is the name of the lock; the document needs another")
    source = read(location)
    problems = validate(source.document)
    if problems:
        raise CodegenError(problems)
    overlays = overlay.load(options.overlays)
    document = facts(source.document, overlays.assumed)
    built = understand(document, overlays)
    today = datetime.now(UTC).date().isoformat()
    locked = lock_text(source.name, source.sha256, today, document, built.api)
    write_files({options.out: json_text(document), lock: locked})
    _tell(built.stale, "stale corrections")
    _tell(built.remarks, "remarks")
    print(f"{options.out}: {len(built.api.operations)} operations, {len(document['components']['schemas'])} schemas")
    return 0


def _build(options: argparse.Namespace) -> int:
    overlays, streams = overlay.load(options.overlays), _streams(options.streams)
    built = understand(read(options.spec).document, overlays, streams)
    content = files(built)
    write_folder(options.out, content)
    _tell(built.stale, "stale corrections")
    _tell(built.remarks, "remarks")
    told = f"{len(content)} files, {len(built.api.operations)} operations, {len(built.api.models)} models"
    if built.streams is not None:
        told += f", {len(built.streams.channels)} kinds of stream"
    print(f"{options.out}: {told}")
    return 0


def _streams(location: str | None = None) -> dict[str, Any] | None:
    if location is None and not STREAMS.exists():
        return None
    return read(location or str(STREAMS)).document


def _check(options: argparse.Namespace) -> int:
    problems = check(SPEC, SPEC.with_name(LOCK), OUT, overlay.load(options.overlays), _streams())
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problem(s)" if problems else "document, overlays and code fit together")
    return 1 if problems else 0


def _diff(options: argparse.Namespace) -> int:
    from .diff import compare
    from .report import REPORTS
    from .streams.analyse import read_streams
    from .streams.diff import WHAT, compare_streams

    old, new = (read(location).document for location in (options.old, options.new))
    overlays = overlay.load(options.overlays)
    if "asyncapi" in old and "asyncapi" in new:
        changes, what = compare_streams(*(read_streams(one)[0] for one in (old, new))), WHAT
    else:
        changes, what = compare(*(understand(one, overlays).api for one in (old, new))), "operation"
    print(REPORTS[options.format](changes, what))
    return 1 if any(change.breaks for change in changes) else 0


def _drift(options: argparse.Namespace) -> int:
    from . import scratch
    from .drift import drift, report

    overlays, source = overlay.load(options.overlays), read(options.source)
    found = drift(read(options.old).document, source.document, overlays)
    with contextlib.ExitStack() as stack:
        folder = options.scratch or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="drift-")))
        scratch.make(source, folder, overlays)
        trials = () if options.untried else scratch.trials(folder)
    print(report(found, scratch.version(), source.name, trials), end="")
    return 0 if found.is_ready and all(trial.passed for trial in trials) else 1


def _tell(problems: tuple[object, ...], what: str) -> None:
    for problem in problems:
        print(f"note: {problem}", file=sys.stderr)
    if problems:
        print(f"{len(problems)} {what}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())

"""The generator's command line: import, build, check, diff."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from . import overlay
from .build import OUT, SPEC, files, understand
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
    one.add_argument("--out", type=Path, default=OUT)
    one.set_defaults(run=_build)
    one = commands.add_parser("check", help="fail when document, overlays and code do not fit together")
    one.set_defaults(run=_check)
    one = commands.add_parser("diff", help="what changed between two documents, in the SDK's terms")
    one.add_argument("old")
    one.add_argument("new")
    one.add_argument("--format", choices=["json", "markdown", "text"], default="text")
    one.set_defaults(run=_diff)
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
    built = understand(read(options.spec).document, overlay.load(options.overlays))
    content = files(built)
    write_folder(options.out, content)
    _tell(built.stale, "stale corrections")
    _tell(built.remarks, "remarks")
    print(
        f"{options.out}: {len(content)} files, {len(built.api.operations)} operations, {len(built.api.models)} models"
    )
    return 0


def _check(options: argparse.Namespace) -> int:
    problems = check(SPEC, SPEC.with_name(LOCK), OUT, overlay.load(options.overlays))
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problem(s)" if problems else "document, overlays and code fit together")
    return 1 if problems else 0


def _diff(options: argparse.Namespace) -> int:
    from .diff import compare
    from .report import REPORTS

    overlays = overlay.load(options.overlays)
    old, new = (understand(read(location).document, overlays).api for location in (options.old, options.new))
    changes = compare(old, new)
    print(REPORTS[options.format](changes))
    return 1 if any(change.breaks for change in changes) else 0


def _tell(problems: tuple[object, ...], what: str) -> None:
    for problem in problems:
        print(f"note: {problem}", file=sys.stderr)
    if problems:
        print(f"{len(problems)} {what}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())

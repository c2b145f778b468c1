"""`backpack contract`: holds a server to the exchange's document."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..contract.findings import Outcome

HELP = "hold a server to the exchange's API document"
CLEAN, FOUND, NOT_RUN = 0, 1, 2
"""Exit codes."""
_INSTALL = "this needs schemathesis: python -m pip install 'backpack-sdk[contract]'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what may be given."""
    parser.description = (
        "Send generated requests to a server and hold every reply to the API document. Without an address an embedded "
        "exchange is started. Exit code 0: the server keeps to the document, 1: findings, 2: could not run."
    )
    parser.add_argument("--base-url", metavar="URL", help="server to try; its key is read from the environment")
    parser.add_argument("--read-only", action="store_true", help="public operations only, for a server that is in use")
    parser.add_argument("--report", choices=["text", "junit", "html", "markdown"], help="form of the report")
    parser.add_argument("--out", metavar="FILE", help="write the report there; .html .xml .md decide its form, too")
    parser.add_argument("--rate", type=float, help="requests per second (default: 2; no limit on this machine)")
    parser.add_argument("--suggest", type=Path, metavar="FILE", help="write the findings as corrections to review")
    parser.add_argument("--operations", nargs="+", default=[], metavar="NAME", help="operations to try (default: all)")
    parser.add_argument("--examples", type=int, metavar="N", help="cases per operation (default: 20; reading only: 3)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="decides the cases (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Hold the server to the document."""
    try:
        from ..contract import run as runner
        from ..contract.options import NotRun, Options
    except ModuleNotFoundError as problem:
        if problem.name is not None and problem.name.startswith("backpack_sdk"):
            raise
        print(f"backpack contract: {_INSTALL} ({problem.name} is missing)", file=sys.stderr)
        return NOT_RUN
    try:
        options = Options(
            base_url=arguments.base_url,
            read_only=arguments.read_only,
            rate=arguments.rate,
            operations=arguments.operations,
            examples=arguments.examples,
            seed=arguments.seed,
        )
        told = _told if sys.stderr.isatty() else lambda _name: None
        outcome = runner.hold(options, told)
        told("")
        _write(outcome, arguments)
    except (NotRun, OSError) as problem:
        print(f"backpack contract: {problem}", file=sys.stderr)
        return NOT_RUN
    return CLEAN if outcome.is_clean else FOUND


def _write(outcome: Outcome, arguments: argparse.Namespace) -> None:
    from ..contract.reports import REPORTS, form_of
    from ..contract.suggest import suggestions

    report = REPORTS[arguments.report or form_of(arguments.out)](outcome)
    if arguments.out is None:
        sys.stdout.write(report.encode(errors="replace").decode())
    else:
        Path(arguments.out).write_bytes(report.encode(errors="replace"))
        print(f"{len(outcome.findings) + len(outcome.failed_stories)} finding(s): {arguments.out}", file=sys.stderr)
    if arguments.suggest is not None:
        text = suggestions(outcome, datetime.now(UTC).date())
        arguments.suggest.write_bytes(text.encode(errors="replace"))


def _told(name: str) -> None:
    """Show on a terminal how far the run is; with an empty name, that it is over."""
    print(f"\r\x1b[K{name}", end="", file=sys.stderr, flush=True)

"""Says at the end of a thorough run how many cases ran, for each operation and direction."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from .surface import ASKED, THOROUGH, ran

# Walking the whole generated surface has a session of its own, `nox -s contract`. A file that is named is run anyway.
collect_ignore = (
    [] if ASKED else [f"test_{name}.py" for name in ("errors", "refused", "replies", "requests", "sockets")]
)
_KINDS = ("requests", "refused", "odd", "replies", "misfits", "errors", "sockets")
_whole: Counter[tuple[str, str]] = Counter()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand a worker's counts to the process that reports."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["contract"] = [[*key, count] for key, count in ran.items()]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the counts of a worker that has finished."""
    for operation, kind, count in getattr(node, "workeroutput", {}).get("contract", ()):
        _whole[operation, kind] += count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One row per operation."""
    counts = _whole + ran
    if not THOROUGH or not counts:
        return
    terminalreporter.section("cases by operation")
    terminalreporter.write_line(f"{'':44}" + "".join(f"{kind:>10}" for kind in _KINDS))
    for operation in sorted({operation for operation, _ in counts}):
        row = "".join(f"{counts[operation, kind]:>10}" for kind in _KINDS)
        terminalreporter.write_line(f"{operation:44}{row}")
    total = "".join(f"{sum(count for (_, one), count in counts.items() if one == kind):>10}" for kind in _KINDS)
    terminalreporter.write_line(f"{'all':44}{total}")

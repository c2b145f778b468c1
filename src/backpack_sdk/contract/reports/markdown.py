"""A page of Markdown: a table with a row per operation, then the findings."""

from __future__ import annotations

from ..findings import Outcome
from .words import ending, headline, statuses


def markdown(outcome: Outcome) -> str:
    """Write the page."""
    lines = ["# Server and document", "", headline(outcome), ""]
    lines += ["| Operation | Request | Cases | Statuses | Findings |", "|---|---|---:|---|---:|"]
    lines += [
        f"| `{row.name}` | {row.method} `{row.path}` | {row.cases} | {statuses(row)} | {len(row.findings) or ''} |"
        for row in outcome.rows
    ]
    if outcome.stories:
        lines += ["", "| Sequence | Steps | Ended |", "|---|---:|---|"]
        lines += [f"| {_cell(story.name)} | {len(story.steps)} | {_cell(ending(story))} |" for story in outcome.stories]
    if outcome.findings:
        lines += ["", "## Findings"]
    for finding in outcome.findings:
        place = f" (`{finding.departure.target}`)" if finding.departure.target else ""
        lines += ["", f"- **`{finding.operation}`** {_cell(finding.text)}{place}, {finding.count} time(s)"]
        lines += [f"  `{finding.example.replace('`', chr(39))}`"]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())

"""For a terminal: what was found, and nothing about what is well."""

from __future__ import annotations

from ..findings import Outcome
from .words import headline, statuses


def text(outcome: Outcome) -> str:
    """Write the findings, then one line about the run."""
    lines: list[str] = []
    for row in outcome.rows:
        if row.findings:
            lines.append(f"{row.name}  {row.method} {row.path}  ({statuses(row)})")
            for finding in row.findings.values():
                lines.append(f"  {finding.text}{f'  ×{finding.count}' if finding.count > 1 else ''}")
                lines.append(f"    {finding.example}")
    for story in outcome.stories:
        if story.problem:
            lines.append(f"sequence: {story.name}: {story.problem}")
            lines.append(f"    {' > '.join(story.steps)}")
        elif story.skipped:
            lines.append(f"sequence not told: {story.name}: {story.skipped}")
    return "\n".join([*lines, headline(outcome)]) + "\n"

"""What every report says in the same words."""

from __future__ import annotations

from ..findings import Outcome, Row, Story


def statuses(row: Row) -> str:
    """How often each status came: `200 ×12, 400 ×3`."""
    told = [f"{status} ×{count}" for status, count in sorted(row.statuses.items())]
    return ", ".join(told) or ("not sent" if row.unsent else "none")


def headline(outcome: Outcome) -> str:
    """One line about the whole run."""
    found = len(outcome.findings) + len(outcome.failed_stories)
    verdict = "keeps to the document" if outcome.is_clean else f"{found} finding{'s' if found > 1 else ''}"
    told = f"{outcome.server}: {verdict}. {len(outcome.rows)} operations, {outcome.carried_out} of them carried out"
    told += f", {outcome.cases} requests"
    if outcome.stories:
        told += f", {len(outcome.stories)} sequences"
    return f"{told}, {outcome.seconds:.0f} s, seed {outcome.seed}{', reading only' if outcome.read_only else ''}."


def ending(story: Story) -> str:
    """How a sequence ended."""
    return story.problem or (f"not told: {story.skipped}" if story.skipped else "as it should")

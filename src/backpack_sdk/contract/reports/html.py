"""One HTML file that needs nothing else: a row per operation, what was found in it and how to see it again."""

from __future__ import annotations

from html import escape

from ..findings import Finding, Outcome, Row, Story
from .words import ending, headline, statuses

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --bad: #c62828; --good: #2e7d32; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 78rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .6rem; text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
ul { margin: 0; padding-left: 1.1rem; } .bad { color: var(--bad); } .good { color: var(--good); }
.path, .quiet { opacity: .7; } summary { cursor: pointer; }
"""


def html(outcome: Outcome) -> str:
    """Write the page."""
    rows = "\n".join(map(_row, outcome.rows))
    stories = ""
    if outcome.stories:
        told = "\n".join(map(_story, outcome.stories))
        stories = f"<h2>Sequences</h2>\n<table><tr><th>Sequence<th>Steps<th>Ended</tr>\n{told}\n</table>"
    verdict = "good" if outcome.is_clean else "bad"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Server and document</title><style>{_STYLE}</style></head><body>
<h1>Server and document</h1>
<p class="{verdict}">{_safe(headline(outcome))}</p>
<h2>Operations</h2>
<table><tr><th>Operation<th class="number">Cases<th>Statuses<th>Findings<th>Example</tr>
{rows}
</table>
{stories}
</body></html>
"""


def _row(row: Row) -> str:
    found = '<span class="good">none</span>' if row.cases else '<span class="quiet">nothing was sent</span>'
    if row.findings:
        found = f"<ul>{''.join(map(_finding, row.findings.values()))}</ul>"
    example = f"<details><summary>request</summary><code>{_safe(row.example)}</code></details>" if row.example else ""
    return (
        f'<tr><td><code>{_safe(row.name)}</code><br><span class="path">{row.method} {_safe(row.path)}</span>'
        f'<td class="number">{row.cases}<td>{_safe(statuses(row))}<td>{found}<td>{example}</tr>'
    )


def _finding(finding: Finding) -> str:
    often = f' <span class="quiet">×{finding.count}</span>' if finding.count > 1 else ""
    target = finding.departure.target
    place = f"<br>place: <code>{_safe(target)}</code>" if target is not None else ""
    how = f"<details><summary>how to see it</summary><code>{_safe(finding.example)}</code>{place}</details>"
    return f'<li><span class="bad">{_safe(finding.text)}</span>{often}{how}'


def _story(story: Story) -> str:
    kind = "bad" if story.problem else "quiet" if story.skipped else "good"
    steps = "".join(f"<li><code>{_safe(step)}</code>" for step in story.steps)
    return (
        f"<tr><td>{_safe(story.name)}<td><details><summary>{len(story.steps)}</summary><ol>{steps}</ol></details>"
        f'<td class="{kind}">{_safe(ending(story))}</tr>'
    )


def _safe(text: str) -> str:
    """Text that can stand in the page, also when half a surrogate pair came."""
    return escape(text.encode(errors="replace").decode())

"""Changes between two documents as text for a terminal, as Markdown for a changelog, and as JSON."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol

from .change import Change, code

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SHOWN = 4
"""Methods named of those that use a changed class; JSON has all."""
_WIDTH = 110


def text(changes: Sequence[Change], what: str = "operation") -> str:
    """For reading in a terminal."""
    lines: list[str] = []
    for title, found in _sections(changes):
        lines += [title, ""]
        for head, items in _entries(found, plain=True):
            joined = len(items) == 1 and len(head) + len(items[0]) < _WIDTH - 4
            lines += [_wrap(f"{head}: {items[0]}", "  ")] if joined else [_wrap(head, "  ")]
            lines += [] if joined else [_wrap(item, "      - ") for item in items]
        lines.append("")
    return "\n".join([*lines, summary(changes, what)])


def markdown(changes: Sequence[Change], what: str = "operation") -> str:
    """A changelog entry, to be pasted below its heading."""
    lines: list[str] = []
    for title, found in _sections(changes):
        lines += [f"### {title}", ""]
        for head, items in _entries(found, plain=False):
            lines += [f"- {head}: {items[0]}"] if len(items) == 1 else [f"- {head}:", *(f"  - {one}" for one in items)]
        lines.append("")
    return "\n".join([*lines, summary(changes, what)])


def as_json(changes: Sequence[Change], what: str = "operation") -> str:
    """For programs: every change with all that is known about it, and the counts."""
    rows = [{"action": change.action, **asdict(change)} for change in changes]
    counts = {**_counts(changes, what), "breaking": any(change.breaks for change in changes)}
    return json.dumps({"summary": counts, "changes": rows}, indent=1, ensure_ascii=False)


class Report(Protocol):
    """Writes changes down."""

    def __call__(self, changes: Sequence[Change], what: str = "operation") -> str:
        """The report; `what` is `operation` or `channel`."""
        ...


REPORTS: dict[str, Report] = {"text": text, "markdown": markdown, "json": as_json}
"""Reports by the name of their format. Each takes the changes and what they are about, `operation` or `channel`."""


def summary(changes: Sequence[Change], what: str = "operation") -> str:
    """How much changed, in a line, and whether it breaks."""
    count = _counts(changes, what)
    breaking = sum(change.breaks for change in changes)
    verdict = f"breaking ({breaking} of {len(changes)} changes)" if breaking else "not breaking"
    return (
        f"{_counted(count[f'{what}s_added'], what)} added, {count[f'{what}s_removed']} removed,"
        f" {count[f'{what}s_changed']} changed, {count[f'{what}s_affected']} more affected through their models;"
        f" {verdict}."
    )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _counts(changes: Sequence[Change], what: str) -> dict[str, int]:
    added = {change.method for change in changes if change.kind == f"{what}.added"}
    removed = {change.method for change in changes if change.kind == f"{what}.removed"}
    changed = {one for change in changes if change.about_method for one in change.affects} - added - removed
    # A class that is merely there makes no difference to any method; its use by one is a change of its own.
    inner = [
        change for change in changes if not change.about_method and change.kind not in ("model.added", "enum.added")
    ]
    affected = {one for change in inner for one in change.affects} - added - removed - changed
    return {
        f"{what}s_added": len(added),
        f"{what}s_removed": len(removed),
        f"{what}s_changed": len(changed),
        f"{what}s_affected": len(affected),
    }


_LISTED = {
    "model.added": "New models",
    "enum.added": "New enums",
    "model.removed": "Removed models",
    "enum.removed": "Removed enums",
}
"""Changes of whole classes, which are told in one list each."""


def _sections(changes: Sequence[Change]) -> Iterator[tuple[str, list[Change]]]:
    """Each change once: what breaks first, whatever it is."""
    for title, wanted in (("Breaking", None), ("Added", "added"), ("Changed", "changed"), ("Removed", "removed")):
        found = [one for one in changes if (one.breaks if wanted is None else one.action == wanted and not one.breaks)]
        if found:
            yield title, found


def _entries(changes: list[Change], *, plain: bool) -> Iterator[tuple[str, list[str]]]:
    """Heads, a method or a class and who uses it, with what there is to say below each."""
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(_LISTED.get(change.kind, change.owner), []).append(change)
    for owner, group in sorted(groups.items(), key=lambda one: one[0] in _LISTED.values()):
        first = group[0]
        if owner in _LISTED.values():
            why = f"; {first.why}" if first.breaks else ""
            yield owner, [f"{', '.join(code(change.method) for change in group)}{why}."]
        else:
            name = owner if plain else code(owner)
            yield name + (_users(first, plain) if not first.about_method else ""), list(_items(group))


def _users(change: Change, plain: bool) -> str:
    if not change.affects:
        return ""
    shown = [one if plain else code(one) for one in change.affects[:_SHOWN]]
    # Naming all is shorter than counting a single one.
    rest = len(change.affects) - len(shown)
    if rest == 1:
        shown.append(change.affects[-1] if plain else code(change.affects[-1]))
    return f" (in {', '.join(shown)}{f' and {rest} more' if rest > 1 else ''})"


def _items(group: list[Change]) -> Iterator[str]:
    """What changed, with the reason where there may be doubt; members of an enum share a line."""
    merged: dict[tuple[str, str], list[Change]] = {}
    for change in group:
        alone = change.text if not change.kind.startswith("member.") or change.kind == "member.renamed" else ""
        merged.setdefault((change.kind, alone), []).append(change)
    for (kind, _), several in merged.items():
        what = several[0].text
        if len(several) > 1:
            action = kind.rpartition(".")[2]
            what = f"members {', '.join(code(change.member) for change in several)} {action}"
        doubt = several[0].breaks or several[0].action != "added"
        yield f"{what}; {several[0].why}." if doubt else f"{what}."


def _wrap(line: str, start: str) -> str:
    return textwrap.fill(
        line,
        _WIDTH,
        initial_indent=start,
        subsequent_indent=" " * len(start) + ("" if start.endswith("- ") else "    "),
        break_on_hyphens=False,
        break_long_words=False,
    )

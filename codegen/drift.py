"""What a newer document means for the project: what changed, what it leaves to do, and which version that takes.

Pure: documents in, words out. `scratch` makes the folder in which the changed project is tried.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .build import understand
from .check import unused_docs
from .diff import compare
from .problems import Problem, fail
from .report import markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .build import Built
    from .change import Change
    from .overlay import Overlays

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Trial:
    """How one check of the changed project ended."""

    name: str
    passed: bool
    words: str
    """Its last words."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What lies between the document that the project has and another."""

    old: Built
    new: Built
    changes: tuple[Change, ...]
    unused: tuple[Problem, ...]
    """Our words about what the new document does not have."""

    @property
    def breaks(self) -> int:
        """Changes that break somebody's code."""
        return sum(change.breaks for change in self.changes)

    @property
    def stale(self) -> tuple[Problem, ...]:
        """Overlay entries that no longer apply."""
        return self.new.stale

    @property
    def missing(self) -> tuple[Problem, ...]:
        """What the overlays would have to say: documentation, units, namespaces."""
        return self.new.remarks

    @property
    def is_ready(self) -> bool:
        """Whether regenerating is all that there is to do."""
        return not (self.breaks or self.stale or self.missing or self.unused)


def drift(old: dict[str, Any], new: dict[str, Any], overlays: Overlays) -> Drift:
    """Compare two documents, each with the same overlays. Raises CodegenError for one that can't be understood."""
    before, after = understand(old, overlays), understand(new, overlays)
    return Drift(before, after, compare(before.api, after.api), tuple(unused_docs(after.api, overlays)))


def next_version(version: str, changes: Sequence[Change]) -> str:
    """The version of a release with these changes; the same one without any.

    What breaks raises the minor version before 1.0 and the major one after; what does not, the patch before 1.0 and the
    minor one after. Raises CodegenError for a version that is not three numbers.
    """
    found = _VERSION.fullmatch(version)
    if found is None:
        raise fail("version", f"{version!r} is not MAJOR.MINOR.PATCH")
    if not changes:
        return version
    major, minor, patch = map(int, found.groups())
    if any(change.breaks for change in changes):
        return f"{major + 1}.0.0" if major else f"0.{minor + 1}.0"
    return f"{major}.{minor + 1}.0" if major else f"0.{minor}.{patch + 1}"


def report(found: Drift, version: str, source: str, trials: Sequence[Trial] = ()) -> str:
    """The whole of it as Markdown."""
    old, new = found.old.api, found.new.api
    counts = (
        f"{len(old.operations)} operations and {len(old.models) + len(old.enums)} classes become "
        f"{len(new.operations)} and {len(new.models) + len(new.enums)}"
    )
    lines = [f"# Drift to {source}", "", f"{counts}.", "", markdown(found.changes), "", "## A release needs", ""]
    lines += [f"- {line}" for line in _needs(found, version)]
    for title, problems in (
        ("Overlay entries that no longer apply", found.stale),
        ("To be said in the overlays", found.missing),
        ("Documentation of what is gone", found.unused),
    ):
        if problems:
            lines += ["", f"### {title}", "", *(f"- {problem}" for problem in problems)]
    if trials:
        lines += ["", "## Tried", "", *(_tried(trial) for trial in trials)]
    return "\n".join(lines) + "\n"


def _needs(found: Drift, version: str) -> list[str]:
    """What to do, in order."""
    if not found.changes and found.is_ready:
        return ["nothing: the SDK would be the same"]
    raised = next_version(version, found.changes)
    why = f"{found.breaks} of {len(found.changes)} changes break code" if found.breaks else "nothing breaks code"
    told = [f"version {version} becomes {raised}: {why}" if raised != version else f"version {version} stays: {why}"]
    if found.stale:
        told.append(f"{len(found.stale)} overlay entries to drop or to mend")
    if found.missing:
        told.append(f"{len(found.missing)} things to be said in the overlays: documentation, units, namespaces")
    if found.unused:
        told.append(f"{len(found.unused)} entries of documentation to drop, or to mark with `until`")
    if found.changes:
        told.append("the changes above as entries of CHANGELOG.md")
    return told


def _tried(trial: Trial) -> str:
    return f"- {trial.name}: {'passed' if trial.passed else 'FAILED'} ({trial.words})"

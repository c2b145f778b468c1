"""What a run found, as plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

_FAILED = 400


class Kind(StrEnum):
    """How a server leaves the document."""

    UNKNOWN_FIELD = "unknown field"
    UNKNOWN_MEMBER = "unknown member"
    MISSING_FIELD = "missing field"
    NULL = "unexpected null"
    WRONG_TYPE = "wrong type"
    STATUS = "undocumented status"
    CONTENT = "wrong content"
    SCHEMA = "does not fit the schema"
    SERVER_ERROR = "server error"
    UNREADABLE = "not readable by the SDK"
    NO_REPLY = "no reply"
    SEQUENCE = "sequence"


@dataclass(frozen=True, slots=True)
class Departure:
    """One place at which a value leaves its schema."""

    kind: Kind
    path: str
    """Where in the reply: `[].fills[].price`."""
    detail: str
    target: str | None = None
    """The place in the words of the overlays, `schemas.NAME.FIELD`; None when they have none for it."""
    expect: Any = None
    """What the document has there: a schema, or nothing."""
    value: Any = None
    """What came."""


@dataclass(slots=True)
class Finding:
    """A departure of one operation, with an example."""

    operation: str
    departure: Departure
    example: str
    count: int = 1

    @property
    def kind(self) -> Kind:
        """How the document was left."""
        return self.departure.kind

    @property
    def text(self) -> str:
        """One line."""
        where = f"{self.departure.path}: " if self.departure.path else ""
        return f"{self.kind}: {where}{self.departure.detail}"


@dataclass(slots=True)
class Row:
    """What one operation showed."""

    name: str
    method: str
    path: str
    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter[int])
    findings: dict[tuple[str, str, str], Finding] = field(default_factory=dict[tuple[str, str, str], Finding])
    example: str = ""
    """A request that succeeded, or the last one."""
    unsent: int = 0
    """Cases that the SDK itself refuses to send."""
    skipped: str = ""
    """Why nothing ran, when nothing did."""

    def add(self, departures: Iterable[Departure], example: str) -> None:
        """Keep findings: each once, with its first example and a count."""
        for departure in departures:
            key = (departure.kind.value, departure.path, departure.target or departure.detail)
            if departure.kind is Kind.UNKNOWN_MEMBER:
                key = (*key[:2], f"{key[2]} {departure.detail}")
            known = self.findings.get(key)
            if known is None:
                self.findings[key] = Finding(self.name, departure, example)
            else:
                known.count += 1


@dataclass(slots=True)
class Story:
    """One sequence of calls that belong together."""

    name: str
    steps: tuple[str, ...]
    """What was done, in order."""
    problem: str = ""
    """What went wrong; empty when nothing did."""
    skipped: str = ""
    """Why it did not run; empty when it did."""


@dataclass(slots=True)
class Outcome:
    """A whole run."""

    server: str
    seconds: float
    read_only: bool
    seed: int
    rows: list[Row]
    stories: list[Story] = field(default_factory=list[Story])

    @property
    def findings(self) -> list[Finding]:
        """Every finding, by operation."""
        return [finding for row in self.rows for finding in row.findings.values()]

    @property
    def cases(self) -> int:
        """Requests that were answered or should have been."""
        return sum(row.cases for row in self.rows)

    @property
    def carried_out(self) -> int:
        """Operations that succeeded at least once."""
        return sum(any(status < _FAILED for status in row.statuses) for row in self.rows)

    @property
    def failed_stories(self) -> list[Story]:
        """Sequences that went wrong."""
        return [story for story in self.stories if story.problem]

    @property
    def is_clean(self) -> bool:
        """Whether the server kept to the document."""
        return not self.findings and not self.failed_stories

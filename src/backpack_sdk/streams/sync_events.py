"""What a book synchroniser says: its states, what it asks for, what it passes on, what it counts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class SyncState(StrEnum):
    """What a consumer gets of a book."""

    WAITING = "waiting"
    """No connection and no book."""
    ALIGNING = "aligning"
    """Deltas arrive, and there is no book yet."""
    LIVE = "live"
    """The book is right and up to date."""
    POLLED = "polled"
    """The socket is down, and the book is a snapshot from REST, some seconds old at most."""
    STALE = "stale"
    """The book is right as of its own update id, and has been overtaken: deltas or the connection are missing."""


class SnapshotReason(StrEnum):
    """Why a snapshot is needed."""

    CONNECTED = "connected"
    """The subscription is new."""
    BEHIND = "behind"
    """The snapshot that came is older than the first delta received."""
    GAP = "gap"
    """A delta is missing, or one overlaps with what was applied."""
    RESTARTED = "restarted"
    """Nothing but old update ids has come for long: the exchange seems to number from the start again."""
    CROSSED = "crossed"
    """The best bid reached the best ask."""
    MALFORMED = "malformed"
    """A price or quantity is negative or no number, or a price is zero."""
    CHECK = "check"
    """The book is to be compared with REST. It stays live."""
    MISMATCH = "mismatch"
    """The comparison with REST found a difference."""


@dataclass(frozen=True, slots=True)
class NeedSnapshot:
    """Fetch the market's depth over REST and pass it to `on_snapshot`."""

    symbol: str
    reason: SnapshotReason
    attempt: int
    """1 for the first snapshot since the book was last live, then 2, 3 ...: what a pause may grow with."""


@dataclass(frozen=True, slots=True)
class BookChanged:
    """The book is live and at a new update id."""

    symbol: str


Action: TypeAlias = NeedSnapshot | BookChanged


@dataclass(slots=True)
class SyncCounters:
    """What happened to one book so far."""

    applied: int = 0
    """Deltas applied."""
    late: int = 0
    """Deltas dropped because the book or its snapshot contained them, or because their connection had ended."""
    overflowed: int = 0
    """Deltas pushed out of a full buffer."""
    snapshots: int = 0
    """Snapshots received."""
    behind: int = 0
    """Snapshots that were too old to align."""
    gaps: int = 0
    """Times the book stopped being live, or failed to become so, because of a missing delta."""
    restarts: int = 0
    """Times nothing but old update ids came."""
    crossed: int = 0
    """Books found crossed."""
    malformed: int = 0
    """Deltas and snapshots with a level that can't be."""
    checks: int = 0
    """Comparisons with REST that were completed."""
    mismatches: int = 0
    """Comparisons that found a difference."""

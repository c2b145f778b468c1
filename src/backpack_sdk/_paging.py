"""How to walk a list by limit and offset while it moves. Pure: rows are told apart by text keys, nothing is sent.

The walk is asked for the next page (`ask`) and given what came (`take`), by turns, until `ask` gives None.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._core.errors import BackpackError

if TYPE_CHECKING:
    from collections.abc import Sequence

SLACK = 8
"""Rows read again beyond those that must be, so that a few vanished rows are noticed without a search."""
MEMORY = 4096
"""Rows already handed out that are remembered, at least, to tell how many of the last ones name a unique place."""
PATIENCE = 100
"""Requests in a row that may bring nothing new before paging gives up."""


class PagingError(BackpackError):
    """The place in a list was lost and could not be found again, so that going on might skip or repeat rows.

    Every row handed out before is right, and the pager's `cursor` stands after the last of them.
    """


@dataclass(frozen=True, slots=True)
class Ask:
    """One page of a list."""

    limit: int
    offset: int
    probe: bool = False
    """Whether only the end of the list is looked for; the rows are not used."""


def unique_tail(keys: Sequence[str]) -> int:
    """How many of the last keys it takes for a sequence that occurs only once; 0 when there are none."""
    if not keys:
        return 0
    last, length = len(keys) - 1, 1
    elsewhere = [index for index in range(last) if keys[index] == keys[last]]
    while elsewhere:
        wanted = keys[last - length]
        elsewhere = [index for index in elsewhere if index >= length and keys[index - length] == wanted]
        length += 1
    return length


def find(keys: Sequence[str], part: Sequence[str]) -> int | None:
    """Index of the first place where `part` stands in `keys`."""
    first, length = part[0], len(part)
    for index in range(len(keys) - length + 1):
        if keys[index] == first and list(keys[index : index + length]) == list(part):
            return index
    return None


class OffsetWalk:
    """Pages of a list by limit and offset, each overlapping the last rows handed out (the anchor).

    The anchor is long enough to stand only once among the rows handed out. Wherever it is found, the row after it is
    the next one: that is what makes rows inserted before it harmless. Where it is not found, the walk looks on towards
    higher offsets, because arrivals push rows there, then towards lower ones, and gives up with PagingError.
    """

    def __init__(self, what: str, limit: int, most: int, *, offset: int = 0, anchor: Sequence[str] = ()) -> None:
        """`what` names the list in errors, `limit` is the page size, `most` the largest limit the exchange takes."""
        self._what = what
        self._limit = limit
        self._most = max(limit, most)
        self._next = offset
        self._known = list(anchor)
        self._anchor = len(self._known)
        self._resumed = bool(self._known)
        self._fresh = 0
        self._largest = 0
        self._short = False
        self._stalled = self._repeats = 0
        self._probed = False
        self._asked = Ask(limit, offset)
        self._search: Ask | None = None
        self._origin: int | None = None
        self._backwards = False
        self.done = False
        self.shift = 0
        """By how many places rows have moved since paging began, as far as noticed."""

    def ask(self, wanted: int | None = None) -> Ask | None:
        """The page to ask for; None at the end. `wanted` is how many more rows are of use. Asking again is safe."""
        if self.done or wanted == 0:
            return None
        if self._stalled > PATIENCE:
            raise PagingError(
                f"{self._what}: {PATIENCE} requests brought no further row, because rows arrive faster than they can "
                f"be read or because the exchange ignores offset. {_GO_ON}"
            )
        self._asked = self._choose(wanted)
        return self._asked

    def _choose(self, wanted: int | None) -> Ask:
        if self._search is not None:
            return self._search
        anchor = self._anchor
        if anchor == 0:
            return Ask(self._limit if wanted is None else min(self._limit, wanted), self._next)
        if anchor >= self._most:
            raise self._too_narrow(self._most)
        ceiling = self._largest if self._short else None
        if ceiling is not None and anchor >= ceiling:
            if self._stalled > 5:
                raise self._too_narrow(ceiling)
            if not self._probed:
                return Ask(self._limit, self._next, probe=True)
        limit = max(self._limit, anchor + 1)
        if self._repeats:
            # Windows of different lengths tell a full reply of a server with a low maximum from the end of the list.
            back = anchor if self._repeats % 2 else anchor + SLACK * self._repeats
        else:
            back = min(anchor + SLACK, limit // (2 if self._resumed else 8))
            back = back if ceiling is None else min(back, ceiling - 1)
        back = min(max(back, anchor), limit - 1, self._next)
        return Ask(limit if wanted is None else min(limit, back + wanted), self._next - back)

    def take(self, keys: Sequence[str], total: int | None = None) -> int:
        """Take the rows that came for the last `ask`; gives how many leading ones were handed out before.

        `total` is the length of the list, where the exchange tells. Raises PagingError.
        """
        asked, came = self._asked, len(keys)
        short = came < asked.limit
        # A reply shorter than asked for may only show the server's own maximum; one shorter than an earlier one can't.
        ended = short and (came < self._largest or (total is not None and asked.offset + came == total))
        if came >= self._largest:
            self._short = short or (self._short and came == self._largest)
            self._largest = came
        self._fresh = 0
        self._probed = asked.probe
        if asked.probe:
            self.done = came == 0
            self._stalled += 1
            return came
        if self._anchor == 0:
            self._hand_out(keys, 0, ended or came == 0)
            return 0
        at = find(keys, self._known[-self._anchor :])
        if at is None:
            self._look_elsewhere(asked, came, ended or came == 0)
            return came
        self._search = self._origin = None
        seen = at + self._anchor
        self.shift += asked.offset + seen - self._next
        self._next = asked.offset + seen
        if self._resumed:
            self._known[:0] = keys[:at]
        self._resumed = self._backwards = False
        self._hand_out(keys, seen, ended)
        return seen

    def _hand_out(self, keys: Sequence[str], skip: int, ended: bool) -> None:
        fresh = keys[skip:]
        self._fresh = len(fresh)
        self._stalled, self._repeats = (0, 0) if fresh else (self._stalled + 1, self._repeats + 1)
        self._next += len(fresh)
        self._known = [*self._known[-MEMORY:], *fresh]
        if fresh:
            self._anchor = unique_tail(self._known)
        self.done = ended

    def _look_elsewhere(self, asked: Ask, came: int, ended: bool) -> None:
        self._stalled += 1
        if came < min(asked.limit, self._anchor) and not ended:
            raise self._too_narrow(came)
        if self._origin is None:
            self._origin = asked.offset
        overlap = self._anchor - 1
        if not self._backwards and not ended:
            self._search = Ask(self._most, asked.offset + came - overlap)
            return
        top = asked.offset if self._backwards else self._origin
        self._backwards = True
        if top == 0:
            raise PagingError(
                f"{self._what}: the row handed out last is no longer in the list, so the next one can't be told. "
                f"{_GO_ON}"
            )
        width = self._largest if self._short else self._most
        offset = max(0, top + overlap - max(width, self._anchor))
        self._search = Ask(top + overlap - offset, offset)

    def _too_narrow(self, rows: int) -> PagingError:
        return PagingError(
            f"{self._what}: it takes the last {self._anchor} rows to find the place again, for fewer look like earlier "
            f"ones, and one request gives no more than {rows}. {_GO_ON}"
        )

    def place(self, handed: int) -> tuple[int, tuple[str, ...]]:
        """Offset and anchor from which to go on after so many rows of the last page."""
        left = self._fresh - handed
        known = self._known[: len(self._known) - left]
        anchor = unique_tail(known) if self._fresh else self._anchor
        return self._next - left, tuple(known[len(known) - anchor :])


_GO_ON = (
    "What was handed out so far is right. Start again and drop the rows you have, or page a list that stands still: "
    "give sort_direction='Asc' or a time range (from_, to) where the operation has them, or a larger limit."
)

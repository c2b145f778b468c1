"""Keeps the book of one market in step with the depth stream: a pure state machine, without I/O and without a clock.

The stream carries changes only, so a book starts from a REST snapshot with update id L:

1. Deltas are buffered while the snapshot is fetched. Those with `u <= L` are part of it and dropped.
2. The first one kept has `U <= L + 1 <= u`. If it starts later, the snapshot is too old, and another one is needed. If
   there is none yet, REST is ahead of the socket, and the delta is awaited.
3. From then on each delta has `U == last u + 1`. Anything later is a gap, and the book starts anew.

Tell the machine what happens; what it answers is what to do: nothing (None), fetch a snapshot (`NeedSnapshot`), or pass
the book on (`BookChanged`). One snapshot is asked for at a time. When a fetch fails, try again; when the connection is
lost, give it up.

`book` is the book while it is right and up to date, and None at any other time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from math import isnan, nan
from typing import TYPE_CHECKING

from .._core.arguments import TimeLike
from .._core.errors import InvalidArgument
from .book import LevelLike, OrderBook
from .check import Check, Delta, Reach, id_of, reach_of
from .sync_events import Action, BookChanged, NeedSnapshot, SnapshotReason, SyncCounters, SyncState

if TYPE_CHECKING:
    from .._generated.markets.models import Depth

__all__ = ["Action", "BookChanged", "BookSynchroniser", "NeedSnapshot", "SnapshotReason", "SyncCounters", "SyncState"]


_LATE_RUN = 1000
"""So many old deltas in a row are no accident: more than REST is ever ahead by, and soon reached when all are old."""


class BookSynchroniser:
    """The book of one market and how far it is in step. See the module's text for the rules."""

    def __init__(self, symbol: str, *, buffer_size: int = 4096, snapshot_levels: int | None = 1000) -> None:
        """`buffer_size` deltas are kept at most while a snapshot is awaited, the newest ones.

        `snapshot_levels` is the number of levels a side that snapshots are asked for, None when they are complete: what
        lies beyond is left out of comparisons.
        """
        self.symbol = symbol
        self._buffer_size = buffer_size
        self._snapshot_levels = snapshot_levels
        self._book = OrderBook(symbol)
        self._connected = False
        self._buffer: deque[Delta] = deque(maxlen=buffer_size)
        self._seed: OrderBook | None = None
        """A snapshot that waits for its first delta."""
        self._awaiting = False
        self._attempt = 0
        self._next: float = nan
        """The update id that has to come next while the book is live, else nan, which equals nothing."""
        self._changed = BookChanged(symbol)
        self._applied = 0
        self._counters = SyncCounters()
        self._late_run = 0
        self._late_at: int | None = None
        self._reach: Reach = (None, None)
        self._check: Check | None = None
        self._polled = False

    @property
    def book(self) -> OrderBook | None:
        """The book, right as of its `last_update_id` and up to date. None while it is not: wait for `BookChanged`.

        While the state is POLLED, up to date means as of the last poll.
        """
        live = self._next == self._next  # as `_is_live`, without two calls: this is read after every update
        return self._book if live or self._polled else None

    @property
    def stale_book(self) -> OrderBook | None:
        """The book of old while the state is STALE: right as of its `last_update_id`, and overtaken. Else None."""
        return self._book if self.state is SyncState.STALE else None

    @property
    def state(self) -> SyncState:
        """What `book` and `stale_book` give at the moment."""
        if self._is_live:
            return SyncState.LIVE
        if self._polled:
            return SyncState.POLLED
        if self._book.last_update_id is not None:
            return SyncState.STALE
        return SyncState.ALIGNING if self._connected else SyncState.WAITING

    @property
    def counters(self) -> SyncCounters:
        """What happened so far; a copy."""
        return replace(self._counters, applied=self._applied)

    @property
    def _is_live(self) -> bool:
        return not isnan(self._next)

    @property
    def awaits_delta(self) -> bool:
        """Whether a snapshot is there and waits for the first delta that joins it: see `accept_quiet`."""
        return self._seed is not None

    @property
    def buffered(self) -> int:
        """Deltas that wait for a snapshot."""
        return len(self._buffer)

    def on_connected(self) -> Action | None:
        """The market was subscribed to on a new connection. Any delta from before is void."""
        self.on_disconnected()
        self._connected = True
        return self._ask(SnapshotReason.CONNECTED)

    def on_disconnected(self) -> None:
        """The connection is lost. The book goes stale; a snapshot still under way is ignored, better give it up."""
        self._leave()
        self._connected = self._awaiting = self._polled = False
        self._seed = None
        self._buffer.clear()

    def on_delta(
        self,
        bids: Sequence[LevelLike],
        asks: Sequence[LevelLike],
        first_update_id: int,
        last_update_id: int,
        *,
        engine_time: int | None = None,
    ) -> Action | None:
        """A message of the depth stream came. Parameters as in `OrderBook.apply_delta`; levels are kept, not copied."""
        if first_update_id == self._next <= last_update_id:
            book = self._book
            try:
                if book._advance(bids, asks, last_update_id, engine_time):
                    return self._fault(SnapshotReason.CROSSED)
            except InvalidArgument:
                return self._fault(SnapshotReason.MALFORMED)
            self._next = last_update_id + 1
            self._applied += 1
            if self._check is not None:
                return self._record(self._check, Delta(bids, asks, first_update_id, last_update_id, engine_time))
            return self._changed
        return self._on_other(Delta(bids, asks, first_update_id, last_update_id, engine_time))

    def on_snapshot(
        self,
        bids: Sequence[LevelLike],
        asks: Sequence[LevelLike],
        last_update_id: int | str,
        *,
        engine_time: TimeLike | None = None,
    ) -> Action | None:
        """The snapshot came that was asked for. Parameters as in `OrderBook.apply_snapshot`.

        One that nobody waits for is ignored.
        """
        check = self._check if self._check is not None and self._check.witness is None else None
        if not self._awaiting and check is None:
            return None
        self._counters.snapshots += 1
        seed = OrderBook(self.symbol)
        try:
            seed.apply_snapshot(bids, asks, last_update_id, engine_time=engine_time)
        except InvalidArgument:
            return self._refuse(SnapshotReason.MALFORMED)
        if seed.is_crossed:
            return self._refuse(SnapshotReason.CROSSED)
        if check is not None:
            check.witness = seed
            return self._compare()
        self._awaiting = False
        self._seed = seed
        return self._align()

    def on_polled(
        self, bids: Sequence[LevelLike], asks: Sequence[LevelLike], last_update_id: int, *, engine_time: int
    ) -> Action | None:
        """A snapshot came from REST while there is no connection: it is the book until there is one again.

        One older than the book, by its update id and by its time, is ignored, and so is one that can't be right.
        """
        known, made = self._book.last_update_id, self._book.engine_time_us
        if self._connected:
            return None
        if known is not None and last_update_id < known and (made is None or engine_time <= made):
            return None
        self._counters.snapshots += 1
        seed = OrderBook(self.symbol)
        try:
            seed.apply_snapshot(bids, asks, last_update_id, engine_time=engine_time)
        except InvalidArgument:
            self._tally(SnapshotReason.MALFORMED)
            return None
        if seed.is_crossed:
            self._tally(SnapshotReason.CROSSED)
            return None
        self._book._adopt(seed)
        self._polled = True
        return self._changed

    def on_poll_missed(self) -> None:
        """No snapshot has come for long in place of the connection: the book goes stale."""
        self._polled = False

    def on_depth(self, depth: Depth) -> Action | None:
        """`on_snapshot` with what `get_depth` returns."""
        return self.on_snapshot(depth.bids, depth.asks, depth.last_update_id, engine_time=depth.timestamp)

    def accept_quiet(self) -> Action | None:
        """No delta has come for a while since the snapshot, so the market is quiet: take the snapshot for the book.

        It is safe at any time: should deltas have been missed, the next one shows the gap. Before that the book is
        right as of its update id, though it may have been overtaken. So ask for this only when the snapshot was fetched
        after the subscription is known to work. Without a snapshot that waits, nothing happens.
        """
        return None if self._seed is None else self._go_live()

    def start_check(self) -> Action | None:
        """Compare the live book with REST: asks for a snapshot, holds it against the book, and resyncs on a difference.

        Nothing happens while the book is not live. A check still under way is given up.
        """
        if not self._is_live:
            return None
        self._check = Check(id_of(self._book))
        return NeedSnapshot(self.symbol, SnapshotReason.CHECK, 1)

    def _on_other(self, delta: Delta) -> Action | None:
        """A delta that is not simply the next one of a live book."""
        if not self._connected:
            self._counters.late += 1
            return None
        if self._is_live:
            if delta.last < self._next:
                return self._drop_late(self._book, delta)
            self._counters.gaps += 1
            self._leave()
            self._buffer.append(delta)
            return self._ask(SnapshotReason.GAP)
        if self._seed is not None:
            if delta.last < id_of(self._seed):
                return self._drop_late(self._seed, delta)
            self._buffer.append(delta)
            return self._align()
        if len(self._buffer) == self._buffer.maxlen:
            self._counters.overflowed += 1
        self._buffer.append(delta)
        return None

    def _align(self) -> Action | None:
        """Find the place of the waiting snapshot among the buffered deltas."""
        if self._seed is None:
            return None
        last, buffer, reached = id_of(self._seed), self._buffer, False
        while buffer and buffer[0].last <= last:
            self._counters.late += 1
            reached = buffer.popleft().last == last or reached
        if buffer and buffer[0].first > last + 1:
            self._counters.behind += 1
            self._seed = None
            return self._ask(SnapshotReason.BEHIND)
        return self._go_live() if buffer or reached else None

    def _go_live(self) -> Action | None:
        """Make the waiting snapshot the book, and apply what is buffered."""
        if self._seed is None:
            return None
        last = id_of(self._seed)
        self._reach = reach_of(self._seed, self._snapshot_levels)
        self._book._adopt(self._seed)
        self._seed, self._next = None, last + 1
        waiting = list(self._buffer)
        self._buffer.clear()
        if waiting:
            # It may start within the snapshot. Quantities are absolute, so nothing is counted twice.
            waiting[0] = waiting[0]._replace(first=last + 1)
        request: NeedSnapshot | None = None
        for bids, asks, first, last, engine_time in waiting:
            action = self.on_delta(bids, asks, first, last, engine_time=engine_time)
            request = action if isinstance(action, NeedSnapshot) else request
        if not self._is_live:
            return request
        self._attempt = 0
        return self._changed

    def _drop_late(self, book: OrderBook, delta: Delta) -> Action | None:
        """Drop what a book contains already, unless that goes on and on."""
        last = id_of(book)
        self._counters.late += 1
        self._late_run = self._late_run + 1 if last == self._late_at else 1
        self._late_at = last
        if self._late_run < _LATE_RUN:
            return None
        self._late_run = 0
        self._counters.restarts += 1
        self._leave()
        self._seed = None
        self._buffer.append(delta)
        return self._ask(SnapshotReason.RESTARTED)

    def _fault(self, reason: SnapshotReason) -> Action | None:
        """The book is wrong: nobody may see it again."""
        self._tally(reason)
        self._leave()
        self._book.clear()
        return self._ask(reason)

    def _refuse(self, reason: SnapshotReason) -> Action | None:
        """A snapshot is of no use. A live book is not to blame for that."""
        self._tally(reason)
        self._check = None
        if self._is_live:
            return None
        self._awaiting = False
        return self._ask(reason)

    def _tally(self, reason: SnapshotReason) -> None:
        if reason is SnapshotReason.CROSSED:
            self._counters.crossed += 1
        elif reason is SnapshotReason.MALFORMED:
            self._counters.malformed += 1

    def _leave(self) -> None:
        """Stop being live, and give up a check."""
        self._next = nan
        self._check = None

    def _ask(self, reason: SnapshotReason) -> Action | None:
        if self._awaiting:
            return None
        self._awaiting = True
        self._attempt += 1
        return NeedSnapshot(self.symbol, reason, self._attempt)

    def _record(self, check: Check, delta: Delta) -> Action | None:
        """Keep an applied delta for the check under way."""
        check.deltas.append(delta)
        if len(check.deltas) > self._buffer_size:
            self._check = None
        return self._compare() or self._changed

    def _compare(self) -> Action | None:
        """Once the book is as far as the check's snapshot, bring the snapshot as far as the book and compare."""
        check = self._check
        if check is None or check.witness is None or id_of(check.witness) > id_of(self._book):
            return None
        self._check = None
        if id_of(check.witness) < check.start:
            return None
        self._counters.checks += 1
        if check.confirms(self._book, self._reach, self._snapshot_levels):
            return None
        self._counters.mismatches += 1
        return self._fault(SnapshotReason.MISMATCH)

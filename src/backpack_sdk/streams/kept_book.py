"""One market of `OrderBooks`: the way of an event into its book, and how its stream is doing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .events import DepthUpdate
from .polling import DepthSnapshot
from .sync import BookSynchroniser
from .sync_events import BookChanged, SnapshotReason, SyncState

if TYPE_CHECKING:
    from .._core.errors import BackpackError
    from .book import OrderBook
    from .book_updates import Audience
    from .seeding import WireDepth
    from .sync_events import Action, NeedSnapshot

_POLL_VALID = 30.0
"""Seconds that a book from REST counts as up to date while the socket is down; many markets are asked for in turn."""


class KeptBook(BookSynchroniser):
    """A book kept in step, who hears of it, and what is known of its stream."""

    def __init__(
        self, symbol: str, stream: str, audience: Audience, need: Callable[[KeptBook, NeedSnapshot], object],
        *, show_stale: bool, quiet_after: float,
    ) -> None:  # fmt: skip
        super().__init__(symbol)
        self.stream = stream
        self.unconfirmed = False
        """Whether the stream was subscribed to and the server has not shown yet that it has read that."""
        self.held: NeedSnapshot | None = None
        """A request that waits for this."""
        self.error: BackpackError | None = None
        """Why the stream was refused."""
        self.gone = False
        """Whether it is kept no longer. A callback can bring that about in the midst of anything here."""
        self._audience, self._need = audience, need
        self._show_stale, self._quiet_after = show_stale, quiet_after
        self._timer: asyncio.TimerHandle | None = None

    @property
    def shown(self) -> OrderBook | None:
        """The book that consumers get, None when there is none for them."""
        book = self.book
        return self.stale_book if book is None and self._show_stale else book

    def take(self, event: Any) -> None:
        """An event of the stream came. This is the hot path: tens of thousands of calls per second."""
        if type(event) is DepthUpdate:
            last, bids, asks = event.update_id_last, event.wire_bids, event.wire_asks
            if event.update_id_first != self._next or last < self._next or self._check is not None:
                self._take_slowly(event)
                return
            # what `on_delta` does with the next delta of a live book, without the calls
            book = self._book
            bid_keys, ask_keys = book._bid_keys, book._ask_keys
            try:
                if bids:
                    book._put(bid_keys, book._bid_rows, bids, 1)
                if asks:
                    book._put(ask_keys, book._ask_rows, asks, -1)
            except (TypeError, ValueError):
                self._take_slowly(event)  # to apply some of its levels twice changes nothing
                return
            if bid_keys and ask_keys and bid_keys[-1] + ask_keys[-1] >= 0:
                self.act(self._fault(SnapshotReason.CROSSED))
                return
            book._last, book._engine_time_us, self._next = last, event.engine_time_us, last + 1
            self._applied += 1
            audience = self._audience
            for changes in audience.consumers:
                changes.dirty[self.symbol] = None
                if changes.asleep:
                    changes.wake()
            if audience.callbacks:
                audience.call(book)
        elif isinstance(event, DepthSnapshot) and not self.gone:
            made = event.engine_time_us
            self.act(self.on_polled(event.bids, event.asks, event.last_update_id, engine_time=made))
            self._later(_POLL_VALID, self._on_poll_missed)

    def _take_slowly(self, event: DepthUpdate) -> None:
        """The same for a delta of any kind."""
        first, last, made = event.update_id_first, event.update_id_last, event.engine_time_us
        self.act(self.on_delta(event.wire_bids, event.wire_asks, first, last, engine_time=made))

    def on_seed(self, depth: WireDepth) -> None:
        """The snapshot came that was asked for."""
        self.act(self.on_snapshot(depth.bids, depth.asks, depth.last_update_id, engine_time=depth.timestamp))
        if self.awaits_delta:
            self._later(self._quiet_after, self._on_quiet)

    def act(self, action: Action | None) -> None:
        """Do what the synchroniser says."""
        if isinstance(action, BookChanged):
            self.tell()
        elif action is not None:
            self._need(self, action)

    def tell(self) -> None:
        """Let everybody have the book."""
        self._audience.tell(self.symbol, self.shown)

    def tell_if_stale(self) -> None:
        """Let those have the book who want it though it has been overtaken."""
        if self._show_stale and self.stale_book is not None:
            self.tell()

    def leave(self) -> None:
        """It is kept no longer: whatever still comes does nothing."""
        self.gone = True
        self.on_disconnected()
        self._cancel_timer()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something after a while, in place of what was to be done before."""
        self._cancel_timer()
        if not self.gone:
            self._timer = asyncio.get_running_loop().call_later(seconds, act)

    def _on_quiet(self) -> None:
        """No delta has come since the snapshot: the market is quiet."""
        self.act(self.accept_quiet())

    def _on_poll_missed(self) -> None:
        """REST, which stands in for the socket, has not answered for long."""
        if self.state is SyncState.POLLED:
            self.on_poll_missed()
            self.tell_if_stale()

"""Order books of any number of markets, kept in step with the exchange."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .._core import arguments as _to
from .._core.errors import BackpackError, InvalidArgument
from .._generated.streams.channels import DEPTH
from .book_updates import BookUnavailable as BookUnavailable
from .book_updates import BookUpdates, Changes
from .events import DepthUpdate
from .polling import DepthSnapshot
from .seeding import Seeder, WireDepth
from .status import ConnectionState
from .sync import BookSynchroniser
from .sync_events import BookChanged, NeedSnapshot, SnapshotReason, SyncCounters, SyncState

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Literal, Self

    from .._core.arguments import SymbolLike
    from .book import OrderBook
    from .options import StreamSender
    from .session import StreamSession
    from .sync_events import Action

logger = logging.getLogger("backpack_sdk")
_POLL_VALID = 30.0
"""Seconds that a book from REST counts as up to date while the socket is down; many markets are asked for in turn."""
_LOOK_EVERY = 0.05
"""Seconds between two comparisons with REST, so that those of many markets are spread."""


class OrderBooks:
    """Books of some markets. Made by `order_books()`; use it in an `async with` block.

        async with bp.order_books("SOL-USDC", "BTC-USDC") as books:
            async for book in books:
                print(book.symbol, book.best_bid, book.best_ask)

    Iterating gives each book that has changed since you last had it, in its newest state: a slow consumer skips states
    and never gets a wrong one. The book is the live one, right until your next `await`; `book.snapshot()` is a copy
    that lasts.

    A book that has lost its place (a gap, a reconnection, a level that can't be) is withheld until it is right again,
    and the others go on. With `show_stale` it is given once more when that happens, and `get` goes on giving it:
    `state(symbol)` then says that it is stale.
    """

    def __init__(
        self,
        session: StreamSession,
        sender: StreamSender,
        symbols: Iterable[SymbolLike],
        *,
        owns_session: bool,
        window: Literal["200ms", "600ms", "1000ms"] | None = None,
        snapshot_interval: float | None = None,
        show_stale: bool = False,
        quiet_after: float = 1.0,
    ) -> None:
        if snapshot_interval is not None and not snapshot_interval > 0:
            raise InvalidArgument("snapshot_interval", f"expected seconds above 0, or None, got {snapshot_interval!r}")
        self._session, self._owns_session = session, owns_session
        self._wanted = [_market(symbol) for symbol in symbols]
        self._window, self._interval, self._show_stale = window, snapshot_interval, show_stale
        self._quiet_after = quiet_after
        self._syncs: dict[str, BookSynchroniser] = {}
        self._streams: dict[str, str] = {}
        self._unconfirmed: set[str] = set()
        self._held: dict[str, NeedSnapshot] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._errors: dict[str, BackpackError] = {}
        self._ended_by: BackpackError | None = None
        self._consumers: list[Changes] = []
        self._callbacks: list[Callable[[OrderBook], object]] = []
        self._seeder = Seeder(sender, self._on_snapshot)
        self._checks: asyncio.Task[None] | None = None
        self._own: BookUpdates | None = None
        self._closed = False

    # Life

    async def __aenter__(self) -> Self:
        try:
            if self._owns_session:
                await self._session.open()
            await self.add(*self._wanted)
        except BaseException:
            await self.aclose()
            raise
        if self._interval is not None:
            self._checks = asyncio.create_task(self._check_all(self._interval), name="backpack-book-checks")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Unsubscribe from every market and end every loop over the books."""
        self._closed = True
        self._session.unfollow(self, self._streams.values(), self._push)
        for timer in self._timers.values():
            timer.cancel()
        for sync in self._syncs.values():
            sync.on_disconnected()
        for changes in self._consumers:
            changes.end()
        try:
            if self._checks is not None:
                self._checks.cancel()
                await asyncio.gather(self._checks, return_exceptions=True)
            await self._seeder.cancel()
        finally:
            if self._owns_session:
                await self._session.aclose()

    async def add(self, *symbols: SymbolLike) -> None:
        """Keep the books of more markets. Raises StreamError for one that does not exist or is closed."""
        if self._closed:
            raise BackpackError("these order books are closed; make new ones with order_books()")
        fresh = {
            DEPTH.stream(market, window=self._window): market
            for market in map(_market, symbols)
            if market not in self._syncs
        }
        self._syncs.update({market: BookSynchroniser(market) for market in fresh.values()})
        self._streams.update({market: name for name, market in fresh.items()})
        try:
            await self._session.follow(self, DEPTH, fresh, self._push, bare=True)
        except BaseException:
            for market in fresh.values():
                self._syncs.pop(market, None)
                self._streams.pop(market, None)
            raise
        gone = [name for name, market in fresh.items() if self._closed or market not in self._syncs]
        self._session.unfollow(self, gone, self._push)  # removed while they were looked up

    def remove(self, *symbols: SymbolLike) -> None:
        """Keep the books of these markets no longer."""
        for market in map(_market, symbols):
            name = self._streams.pop(market, None)
            if name is not None:
                del self._syncs[market]
                self._held.pop(market, None)
                self._errors.pop(market, None)
                self._unconfirmed.discard(market)
                self._seeder.drop(market)
                self._session.unfollow(self, (name,), self._push)

    # Reading

    @property
    def symbols(self) -> tuple[str, ...]:
        """Markets whose books are kept."""
        return tuple(self._syncs)

    @property
    def session(self) -> StreamSession:
        """The connection that the books are kept from."""
        return self._session

    def __getitem__(self, symbol: SymbolLike) -> OrderBook:
        """The book of a market. Raises BookUnavailable while it is not right."""
        book = self.get(symbol)
        if book is None:
            raise BookUnavailable(_market(symbol), self.state(symbol))
        return book

    def get(self, symbol: SymbolLike) -> OrderBook | None:
        """The book of a market, None while it is not right. Raises InvalidArgument for a market that is not kept."""
        self._sync(symbol)
        return self._book(_market(symbol))

    def state(self, symbol: SymbolLike) -> SyncState:
        """How far the book of a market is in step."""
        return self._sync(symbol).state

    def counters(self, symbol: SymbolLike) -> SyncCounters:
        """What happened to the book of a market so far."""
        return self._sync(symbol).counters

    def __aiter__(self) -> BookUpdates:
        return self.updates()

    async def __anext__(self) -> OrderBook:
        if self._own is None:
            self._own = self.updates()
        return await anext(self._own)

    def updates(self) -> BookUpdates:
        """A loop of its own over the books, for a second consumer. It begins with every book there is."""
        changes = Changes()
        changes.ended = self._closed or self._ended_by is not None
        if self._ended_by is not None:
            changes.fail(self._ended_by)
        changes.dirty.update((symbol, None) for symbol, sync in self._syncs.items() if sync.book is not None)
        self._consumers.append(changes)
        return BookUpdates(changes, self._book, self._consumers.remove)

    def on_update(self, callback: Callable[[OrderBook], object]) -> None:
        """Call `callback` with a book after every single update of it. It runs between two frames and must be quick.

        What it raises is raised by loops over the books.
        """
        self._callbacks.append(callback)

    async def wait_live(self, *symbols: SymbolLike, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Wait until the books of these markets, or of all, are there. Raises TimeoutError after `timeout` seconds.

        Raises StreamError when the exchange refused one of them.
        """
        waiting = [_market(symbol) for symbol in symbols] or list(self._syncs)
        updates = self.updates()
        try:
            async with asyncio.timeout(timeout):
                while any(self._sync(symbol).book is None for symbol in waiting):
                    for symbol in waiting:
                        if symbol in self._errors:
                            raise self._errors[symbol]
                    with suppress(BackpackError):  # it may be about another market
                        await anext(updates)
        except StopAsyncIteration:
            raise BackpackError("the order books were closed") from None
        finally:
            updates.close()

    def __repr__(self) -> str:
        live = sum(sync.book is not None for sync in self._syncs.values())
        return f"<OrderBooks of {len(self._syncs)} markets, {live} up to date>"

    # What the connection says

    def on_sent(self, names: frozenset[str]) -> None:
        """Depth streams were subscribed to: deltas may come from now on."""
        for symbol in self._markets(names):
            self._errors.pop(symbol, None)
            self._unconfirmed.add(symbol)
            self._act(self._syncs[symbol].on_connected())

    def on_confirmed(self, names: frozenset[str]) -> None:
        """The server has read the subscriptions: no snapshot from now on is older than the first delta to come."""
        for symbol in self._markets(names):
            self._unconfirmed.discard(symbol)
            need = self._held.pop(symbol, None)
            if need is not None:
                self._seeder.request(need)

    def on_lost(self) -> None:
        """The connection is gone: so is every claim of being up to date."""
        self._seeder.forget()
        self._held.clear()
        for symbol, sync in self._syncs.items():
            sync.on_disconnected()
            if self._show_stale and sync.stale_book is not None:
                self._tell(symbol)

    def on_refused(self, names: frozenset[str], error: BackpackError) -> None:
        """Some were refused, or the connection is closed for good."""
        self._errors.update(dict.fromkeys(self._markets(names), error))
        for changes in self._consumers:
            changes.fail(error)
        if self._session.state is ConnectionState.CLOSED:
            self._ended_by = error
            for changes in self._consumers:
                changes.end()

    def _push(self, event: Any) -> None:
        """An event of a depth stream."""
        if type(event) is DepthUpdate:
            symbol = event.symbol
            sync = self._syncs.get(symbol)
            if sync is None:
                return
            action = sync.on_update(event)
            if action is not None:
                if type(action) is BookChanged:
                    for changes in self._consumers:
                        changes.changed(symbol)
                    if self._callbacks:
                        self._call(sync.book)
                else:
                    self._act(action)
        elif isinstance(event, DepthSnapshot) and event.symbol in self._syncs:
            self._act(
                self._syncs[event.symbol].on_polled(
                    event.bids, event.asks, event.last_update_id, engine_time=event.engine_time_us
                )
            )
            self._later(event.symbol, _POLL_VALID, self._on_poll_missed)

    # Inside

    def _act(self, action: Action | None) -> None:
        if isinstance(action, BookChanged):
            self._tell(action.symbol)
        elif isinstance(action, NeedSnapshot):
            if action.reason is SnapshotReason.GAP:
                self._session.counters.gaps += 1
            if action.reason not in (SnapshotReason.CONNECTED, SnapshotReason.CHECK):
                logger.warning("%s: a new snapshot is needed (%s)", action.symbol, action.reason.value)
                if self._show_stale and self._syncs[action.symbol].stale_book is not None:
                    self._tell(action.symbol)
            if action.symbol in self._unconfirmed:
                self._held[action.symbol] = action
            else:
                self._seeder.request(action)

    def _on_snapshot(self, symbol: str, depth: WireDepth) -> None:
        sync = self._syncs.get(symbol)
        if sync is None:
            return
        self._act(sync.on_snapshot(depth.bids, depth.asks, depth.last_update_id, engine_time=depth.timestamp))
        if sync.awaits_delta:
            self._later(symbol, self._quiet_after, self._on_quiet)

    def _later(self, symbol: str, seconds: float, act: Callable[[BookSynchroniser], None]) -> None:
        """Do something to a book after a while, in place of what was to be done before."""
        old = self._timers.pop(symbol, None)
        if old is not None:
            old.cancel()
        sync = self._syncs[symbol]
        self._timers[symbol] = asyncio.get_running_loop().call_later(seconds, act, sync)

    def _on_quiet(self, sync: BookSynchroniser) -> None:
        """No delta has come since the snapshot: the market is quiet."""
        if self._syncs.get(sync.symbol) is sync:
            self._act(sync.accept_quiet())

    def _on_poll_missed(self, sync: BookSynchroniser) -> None:
        """REST, which stands in for the socket, has not answered for long."""
        if sync.state is SyncState.POLLED:
            sync.on_poll_missed()
            if self._show_stale:
                self._tell(sync.symbol)

    async def _check_all(self, interval: float) -> None:
        """Compare one book after the other with REST, each once an interval."""
        loop = asyncio.get_running_loop()
        due: dict[str, float] = {}
        while True:
            await asyncio.sleep(min(_LOOK_EVERY, interval))
            now = loop.time()
            idle = [symbol for symbol in self._syncs if symbol not in self._seeder]
            first = min(idle, key=lambda symbol: due.setdefault(symbol, now + interval), default=None)
            if first is not None and due[first] <= now:
                due[first] = now + interval
                self._act(self._syncs[first].start_check())

    def _tell(self, symbol: str) -> None:
        for changes in self._consumers:
            changes.changed(symbol)
        if self._callbacks:
            self._call(self._book(symbol))

    def _book(self, symbol: str) -> OrderBook | None:
        sync = self._syncs.get(symbol)
        if sync is None:
            return None
        book = sync.book
        return sync.stale_book if book is None and self._show_stale else book

    def _call(self, book: OrderBook | None) -> None:
        if book is None:
            return
        for callback in self._callbacks:
            try:
                callback(book)
            except Exception as error:
                logger.exception("a callback of the order books raised")
                for changes in self._consumers:
                    changes.fail(error)

    def _markets(self, names: Iterable[str]) -> list[str]:
        by_name = {name: symbol for symbol, name in self._streams.items()}
        return [by_name[name] for name in names if name in by_name]

    def _sync(self, symbol: SymbolLike) -> BookSynchroniser:
        market = _market(symbol)
        sync = self._syncs.get(market)
        if sync is None:
            raise InvalidArgument("symbol", f"the book of {market} is not kept; add() it first")
        return sync


def _market(symbol: SymbolLike) -> str:
    market = _to.symbol(symbol, "symbol")
    if market is None:
        raise InvalidArgument("symbol", "expected a market symbol or a Pair, got None")
    return market

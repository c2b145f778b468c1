"""Order books of any number of markets, kept in step with the exchange."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from .._core import arguments as _to
from .._core.errors import BackpackError, InvalidArgument
from .._generated.streams.channels import DEPTH
from .book_updates import Audience, BookUpdates, Changes
from .book_updates import BookUnavailable as BookUnavailable
from .kept_book import KeptBook
from .seeding import Seeder, WireDepth
from .status import ConnectionState
from .sync_events import NeedSnapshot, SnapshotReason, SyncCounters, SyncState

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Literal, Self

    from .._core.arguments import SymbolLike
    from .book import OrderBook
    from .options import StreamSender
    from .session import StreamSession

logger = logging.getLogger("backpack_sdk")
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
        self._kept: dict[str, KeptBook] = {}
        self._ended_by: BackpackError | None = None
        self._audience = Audience()
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
        self._leave(self._kept.values())
        self._audience.end()
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
        fresh = [self._keep(market) for market in dict.fromkeys(map(_market, symbols)) if market not in self._kept]
        self._kept.update({kept.symbol: kept for kept in fresh})
        try:
            names, sinks = {kept.stream: kept.symbol for kept in fresh}, {kept.stream: kept.take for kept in fresh}
            await self._session.follow(self, DEPTH, names, sinks, bare=True)
        except BaseException:
            for kept in fresh:
                if self._kept.get(kept.symbol) is kept:
                    del self._kept[kept.symbol]
            raise
        # some may have been removed while they were looked up
        self._leave([kept for kept in fresh if self._closed or self._kept.get(kept.symbol) is not kept])

    def remove(self, *symbols: SymbolLike) -> None:
        """Keep the books of these markets no longer."""
        for market in map(_market, symbols):
            kept = self._kept.pop(market, None)
            if kept is not None:
                self._seeder.drop(market)
                self._leave([kept])

    # Reading

    @property
    def symbols(self) -> tuple[str, ...]:
        """Markets whose books are kept."""
        return tuple(self._kept)

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
        return self._find(symbol).shown

    def state(self, symbol: SymbolLike) -> SyncState:
        """How far the book of a market is in step."""
        return self._find(symbol).state

    def counters(self, symbol: SymbolLike) -> SyncCounters:
        """What happened to the book of a market so far."""
        return self._find(symbol).counters

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
        changes.dirty.update((kept.symbol, None) for kept in self._kept.values() if kept.book is not None)
        self._audience.consumers.append(changes)
        return BookUpdates(changes, self._shown, self._audience.consumers.remove)

    def on_update(self, callback: Callable[[OrderBook], object]) -> None:
        """Call `callback` with a book after every single update of it. It runs between two frames and must be quick.

        What it raises is raised by loops over the books.
        """
        self._audience.callbacks.append(callback)

    async def wait_live(self, *symbols: SymbolLike, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Wait until the books of these markets, or of all, are there. Raises TimeoutError after `timeout` seconds.

        Raises StreamError when the exchange refused one of them.
        """
        waiting = [_market(symbol) for symbol in symbols] or list(self._kept)
        updates = self.updates()
        try:
            async with asyncio.timeout(timeout):
                while missing := [kept for kept in map(self._find, waiting) if kept.book is None]:
                    for kept in missing:
                        if kept.error is not None:
                            raise kept.error
                    with suppress(BackpackError):  # it may be about another market
                        await anext(updates)
        except StopAsyncIteration:
            raise BackpackError("the order books were closed") from None
        finally:
            updates.close()

    def __repr__(self) -> str:
        live = sum(kept.book is not None for kept in self._kept.values())
        return f"<OrderBooks of {len(self._kept)} markets, {live} up to date>"

    # What the connection says

    def on_sent(self, names: frozenset[str]) -> None:
        """Depth streams were subscribed to: deltas may come from now on."""
        for kept in self._of(names):
            kept.error, kept.unconfirmed = None, True
            kept.act(kept.on_connected())

    def on_confirmed(self, names: frozenset[str]) -> None:
        """The server has read the subscriptions: no snapshot from now on is older than the first delta to come."""
        for kept in self._of(names):
            kept.unconfirmed = False
            held, kept.held = kept.held, None
            if held is not None:
                self._seeder.request(held)

    def on_lost(self) -> None:
        """The connection is gone: so is every claim of being up to date."""
        self._seeder.forget()
        kept_before = tuple(self._kept.values())
        for kept in kept_before:
            kept.held = None
            kept.on_disconnected()
        for kept in kept_before:  # once none is served any more: a callback may look at others, or remove some
            kept.tell_if_stale()

    def on_refused(self, names: frozenset[str], error: BackpackError) -> None:
        """Some were refused, or the connection is closed for good."""
        for kept in self._of(names):
            kept.error = error
        self._audience.fail(error)
        if self._session.state is ConnectionState.CLOSED:
            self._ended_by = error
            for kept in self._kept.values():
                kept.on_disconnected()
            self._audience.end()

    # Inside

    def _keep(self, market: str) -> KeptBook:
        stream = DEPTH.stream(market, window=self._window)
        return KeptBook(
            market, stream, self._audience, self._need, show_stale=self._show_stale, quiet_after=self._quiet_after
        )

    def _leave(self, gone: Collection[KeptBook]) -> None:
        """Do not listen for these markets any more."""
        for kept in gone:
            kept.leave()
        sinks = {kept.stream: kept.take for kept in gone}
        followed = {kept.stream for kept in self._kept.values()} if not self._closed else set[str]()
        self._session.unfollow(self, sinks.keys() - followed, sinks)

    def _need(self, kept: KeptBook, request: NeedSnapshot) -> None:
        """A snapshot is needed; it is fetched as soon as it can be of use."""
        if request.reason is SnapshotReason.GAP:
            self._session.counters.gaps += 1
        if request.reason not in (SnapshotReason.CONNECTED, SnapshotReason.CHECK):
            logger.warning("%s: a new snapshot is needed (%s)", request.symbol, request.reason.value)
            kept.tell_if_stale()
        if kept.unconfirmed:
            kept.held = request
        elif not kept.gone:
            self._seeder.request(request)

    def _on_snapshot(self, symbol: str, depth: WireDepth) -> None:
        kept = self._kept.get(symbol)
        if kept is not None:
            kept.on_seed(depth)

    async def _check_all(self, interval: float) -> None:
        """Compare one book after the other with REST, each once an interval."""
        loop = asyncio.get_running_loop()
        due: dict[str, float] = {}
        while True:
            await asyncio.sleep(min(_LOOK_EVERY, interval))
            now = loop.time()
            idle = [symbol for symbol in self._kept if symbol not in self._seeder]
            first = min(idle, key=lambda symbol: due.setdefault(symbol, now + interval), default=None)
            if first is not None and due[first] <= now:
                due[first] = now + interval
                self._kept[first].act(self._kept[first].start_check())

    def _of(self, names: Iterable[str]) -> list[KeptBook]:
        by_stream = {kept.stream: kept for kept in self._kept.values()}
        return [by_stream[name] for name in names if name in by_stream]

    def _shown(self, symbol: str) -> OrderBook | None:
        kept = self._kept.get(symbol)
        return None if kept is None else kept.shown

    def _find(self, symbol: SymbolLike) -> KeptBook:
        market = _market(symbol)
        kept = self._kept.get(market)
        if kept is None:
            raise InvalidArgument("symbol", f"the book of {market} is not kept; add() it first")
        return kept


def _market(symbol: SymbolLike) -> str:
    market = _to.symbol(symbol, "symbol")
    if market is None:
        raise InvalidArgument("symbol", "expected a market symbol or a Pair, got None")
    return market

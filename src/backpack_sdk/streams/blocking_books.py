"""Order books for scripts that block: kept on a thread of their own, handed over as snapshots."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from .._core.errors import BackpackError
from .loop_thread import LoopThread, NotRunning, OnThread

if TYPE_CHECKING:
    from .._core.arguments import SymbolLike
    from .book import BookSnapshot
    from .book_updates import BookUpdates
    from .order_books import OrderBooks
    from .status import StreamCounters
    from .sync_events import SyncCounters, SyncState


class BlockingOrderBooks(OnThread):
    """Books of some markets, for plain loops. Made by `Backpack.order_books()`; use it in a `with` block.

        with bp.order_books("SOL-USDC", "BTC-USDC") as books:
            for book in books:
                print(book.symbol, book.best_bid, book.best_ask)

    Each book is a BookSnapshot: immutable, and right as of its `last_update_id`. `levels` limits how many levels a side
    are copied for each.
    """

    def __init__(self, make: Callable[[], OrderBooks], *, levels: int | None, thread: LoopThread | None = None) -> None:
        not_open = "the order books are not open: use `with bp.order_books(...) as books`"
        super().__init__("order books", not_open, thread)
        self._make, self._levels = make, levels
        self._books: OrderBooks | None = None
        self._updates: BookUpdates | None = None

    async def _open(self) -> None:
        self._books = self._make()
        self._updates, self._turn = self._books.updates(), asyncio.Lock()
        await self._books.__aenter__()

    async def _aclose(self) -> None:
        if self._books is not None:
            await self._books.aclose()

    def __iter__(self) -> Iterator[BookSnapshot]:
        return self

    def __next__(self) -> BookSnapshot:
        try:
            return self._thread.run(self._next())
        except StopAsyncIteration:
            raise StopIteration from None
        except NotRunning:
            if self._updates is None:
                raise
            raise StopIteration from None

    async def _next(self) -> BookSnapshot:
        if self._updates is None:
            raise BackpackError(self._not_open)
        async with self._turn:  # of one thread after the other
            book = await anext(self._updates)
        return book.snapshot(self._levels)

    def get(self, symbol: SymbolLike) -> BookSnapshot | None:
        """The book of a market, None while it is not right."""

        def read() -> BookSnapshot | None:
            book = self._inner.get(symbol)
            return None if book is None else book.snapshot(self._levels)

        return self._thread.read(read)

    def __getitem__(self, symbol: SymbolLike) -> BookSnapshot:
        """The book of a market. Raises BookUnavailable while it is not right."""
        return self._thread.read(lambda: self._inner[symbol].snapshot(self._levels))

    def add(self, *symbols: SymbolLike) -> None:
        """Keep the books of more markets. Raises StreamError for one that does not exist or is closed."""
        self._thread.run(self._inner.add(*symbols))

    def remove(self, *symbols: SymbolLike) -> None:
        """Keep the books of these markets no longer."""
        self._thread.read(lambda: self._inner.remove(*symbols))

    def wait_live(self, *symbols: SymbolLike, timeout: float | None = None) -> None:
        """Wait until the books of these markets, or of all, are there. Raises TimeoutError after `timeout` seconds."""
        self._thread.run(self._inner.wait_live(*symbols, timeout=timeout))

    @property
    def symbols(self) -> tuple[str, ...]:
        """Markets whose books are kept."""
        return self._inner.symbols

    def state(self, symbol: SymbolLike) -> SyncState:
        """How far the book of a market is in step."""
        return self._thread.read(lambda: self._inner.state(symbol))

    def counters(self, symbol: SymbolLike) -> SyncCounters:
        """What happened to the book of a market so far."""
        return self._thread.read(lambda: self._inner.counters(symbol))

    @property
    def connection_counters(self) -> StreamCounters:
        """What the connection has seen; live, it goes on counting."""
        return self._inner.session.counters

    @property
    def _inner(self) -> OrderBooks:
        if self._books is None:
            raise BackpackError(self._not_open)
        return self._books

    def __repr__(self) -> str:
        return f"<BlockingOrderBooks of {self._books!r}>"

"""Order books for scripts that block: kept on a thread of their own, handed over as snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

from .._core.errors import BackpackError
from .client import Streams
from .loop_thread import OnThread
from .order_books import OrderBooks

if TYPE_CHECKING:
    from .._core.arguments import SymbolLike
    from .book import BookSnapshot
    from .book_updates import BookUpdates
    from .options import StreamOptions, StreamSetup
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

    def __init__(
        self, setup: StreamSetup, options: StreamOptions, symbols: Iterable[SymbolLike],
        *, levels: int | None, **choices: Any,
    ) -> None:  # fmt: skip
        super().__init__("order books")
        self._levels = levels

        def make() -> OrderBooks:
            return OrderBooks(Streams(setup, options), setup.sender, symbols, owns_session=True, **choices)

        self._make = make
        self._books: OrderBooks | None = None
        self._updates: BookUpdates | None = None

    async def _open(self) -> None:
        books = await self._make().__aenter__()
        self._books, self._updates = books, books.updates()

    async def _aclose(self) -> None:
        await self._inner.aclose()

    def __iter__(self) -> Iterator[BookSnapshot]:
        return self

    def __next__(self) -> BookSnapshot:
        try:
            return self._thread.run(self._next())
        except (StopAsyncIteration, CancelledError):
            raise StopIteration from None

    async def _next(self) -> BookSnapshot:
        assert self._updates is not None
        book = await anext(self._updates)
        return book.snapshot(self._levels)

    def get(self, symbol: SymbolLike) -> BookSnapshot | None:
        """The book of a market, None while it is not right."""

        def read() -> BookSnapshot | None:
            book = self._inner.get(symbol)
            return None if book is None else book.snapshot(self._levels)

        return self._thread.call(read)

    def __getitem__(self, symbol: SymbolLike) -> BookSnapshot:
        """The book of a market. Raises BookUnavailable while it is not right."""
        return self._thread.call(lambda: self._inner[symbol].snapshot(self._levels))

    def add(self, *symbols: SymbolLike) -> None:
        """Keep the books of more markets. Raises StreamError for one that does not exist or is closed."""
        self._thread.run(self._inner.add(*symbols))

    def remove(self, *symbols: SymbolLike) -> None:
        """Keep the books of these markets no longer."""
        self._thread.call(lambda: self._inner.remove(*symbols))

    def wait_live(self, *symbols: SymbolLike, timeout: float | None = None) -> None:
        """Wait until the books of these markets, or of all, are there. Raises TimeoutError after `timeout` seconds."""
        self._thread.run(self._inner.wait_live(*symbols, timeout=timeout))

    @property
    def symbols(self) -> tuple[str, ...]:
        """Markets whose books are kept."""
        return self._inner.symbols

    def state(self, symbol: SymbolLike) -> SyncState:
        """How far the book of a market is in step."""
        return self._thread.call(lambda: self._inner.state(symbol))

    def counters(self, symbol: SymbolLike) -> SyncCounters:
        """What happened to the book of a market so far."""
        return self._thread.call(lambda: self._inner.counters(symbol))

    @property
    def connection_counters(self) -> StreamCounters:
        """What the connection has seen; live, it goes on counting."""
        return self._inner.session.counters

    @property
    def _inner(self) -> OrderBooks:
        if self._books is None:
            raise BackpackError("the order books are not open: use `with bp.order_books(...) as books`")
        return self._books

    def __repr__(self) -> str:
        return f"<BlockingOrderBooks of {self._books!r}>"

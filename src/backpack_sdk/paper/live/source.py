"""The real exchange, or any other, as the source of an embedded one: its public books, trades and mark prices."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterable
from typing import TYPE_CHECKING, Any, Self

from ...streams.sync_events import SyncState
from ..engine import MarketType, Side
from .mirror import Mirror
from .options import LEVELS, Live

if TYPE_CHECKING:
    from ... import AsyncBackpack
    from ...streams.client import Streams
    from ...streams.options import StreamOptions
    from ...streams.order_books import OrderBooks
    from ..server import PaperExchange

logger = logging.getLogger(__name__)

_UP_TO_DATE = (SyncState.LIVE, SyncState.POLLED)


class LiveMirror:
    """Lets markets of an embedded exchange follow those of a source. Use it in an `async with` block.

    The markets must be listed at the exchange, by the rules of the source. `levels` are mirrored on each side of a
    book; `options` are those of the connection. While the book of a market is out of step with the source, that market
    takes cancels only.
    """

    def __init__(
        self,
        exchange: PaperExchange,
        source: AsyncBackpack,
        symbols: Iterable[str],
        *,
        levels: int = LEVELS,
        options: StreamOptions | None = None,
    ) -> None:
        if levels < 1:
            raise ValueError(f"levels is {levels}, it must be 1 at least")
        self.mirror = Mirror(
            exchange.engine, symbols, exchange.lock, lambda: exchange.clock(), accounts=exchange.api_keys
        )
        self._source, self._levels, self._options = source, levels, options
        self._perpetuals = [
            symbol for symbol in self.mirror.symbols if exchange.engine.market(symbol).market_type is MarketType.PERP
        ]
        self._stack = contextlib.AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self._seen = asyncio.Event()
        self._missing = set(self.mirror.symbols)

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self.mirror.close)
            ws = await stack.enter_async_context(self._source.streams(self._options))
            books = await stack.enter_async_context(ws.order_books(*self.mirror.symbols, show_stale=True))
            stack.push_async_callback(self._end_tasks)
            self._tasks = [asyncio.create_task(work) for work in self._work(ws, books)]
            for task in self._tasks:
                task.add_done_callback(self._on_done)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.aclose()

    async def wait_live(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Wait until every market has been seen. Raises TimeoutError after `timeout` seconds."""
        async with asyncio.timeout(timeout):
            await self._seen.wait()

    def _on_done(self, task: asyncio.Task[None]) -> None:
        """Close the markets to new orders when nothing brings them up to date any more."""
        if not task.cancelled():
            logger.error("an embedded exchange follows %s no longer", self._source.ws_url, exc_info=task.exception())
            for symbol in self.mirror.symbols:
                self.mirror.stale(symbol)

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _work(self, ws: Streams, books: OrderBooks) -> list[Coroutine[Any, Any, None]]:
        symbols = self.mirror.symbols
        work: list[Coroutine[Any, Any, None]] = [
            self._follow_books(books),
            self._follow_trades(ws.trades(*symbols)),
        ]
        if self._perpetuals:
            work.append(self._follow_marks(ws.mark_prices(*self._perpetuals)))
        return work

    async def _follow_books(self, books: OrderBooks) -> None:
        async for book in books:
            if books.state(book.symbol) in _UP_TO_DATE:
                bids, asks = book.bids(self._levels), book.asks(self._levels)
                whole = max(len(bids), len(asks)) < self._levels
                self.mirror.book(book.symbol, bids, asks, whole=whole)
                self._missing.discard(book.symbol)
                if not self._missing:
                    self._seen.set()
            else:
                self.mirror.stale(book.symbol)

    async def _follow_trades(self, trades: AsyncIterator[Any]) -> None:
        async for trade in trades:
            taker = Side.ASK if trade.is_buyer_maker else Side.BID
            self.mirror.trade(trade.symbol, taker, trade.price, trade.quantity)

    async def _follow_marks(self, marks: AsyncIterator[Any]) -> None:
        async for price in marks:
            self.mirror.mark(price.symbol, price.mark_price, price.index_price)


@contextlib.asynccontextmanager
async def following(live: Live, exchange: PaperExchange, patience: float) -> AsyncGenerator[LiveMirror]:
    """Mirror a source, with a client of its own, once every book is there.

    Raises:
        TimeoutError: that took longer than `patience` seconds.
    """
    async with live.client() as client, LiveMirror(exchange, client, live.symbols, levels=live.levels) as mirror:
        try:
            await mirror.wait_live(patience)
        except TimeoutError:
            raise TimeoutError(f"the books of {client.ws_url} did not come within {patience:.0f} seconds") from None
        yield mirror

"""Records another exchange: `backpack record` in the form of a class."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Coroutine, Iterable
from typing import IO, TYPE_CHECKING, Any, Self

from ..._core.events import StreamEvent
from ..._generated.streams.models import Trade
from ...pairs import Pair
from ...streams.sync_events import SyncState
from ..clock import system_clock
from ..engine import MarketType
from .markets import market_specs
from .recording import book_line, event_line, market_line

if TYPE_CHECKING:
    from ... import AsyncBackpack
    from ...streams.book import OrderBook
    from ...streams.client import Streams
    from ...streams.order_books import OrderBooks

_QUEUE = 100_000
"""Events that may wait to be written."""


class Recorder:
    """Writes rules, books, trades and mark prices of some markets into a binary file. Use it in an `async with` block.

    Leaving the block flushes the file and leaves it open, and raises what made the recording incomplete, if anything.

    Raises:
        ValueError: on entering, for a market that the source does not have or that can't be mirrored.
    """

    def __init__(self, source: AsyncBackpack, symbols: Iterable[str | Pair], file: IO[bytes]) -> None:
        found = [symbol if isinstance(symbol, Pair) else Pair.parse(symbol) for symbol in symbols]
        self.symbols = tuple(dict.fromkeys(pair.backpack for pair in found))
        self.lines = 0
        """Lines written so far."""
        self._source, self._file = source, file
        self._snapshots: dict[str, int] = {}
        self._stack = contextlib.AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        perpetuals = await self._write_markets()
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self._file.flush)
            ws = await stack.enter_async_context(self._source.streams())
            depth = ws.depth(*self.symbols, max_queue=_QUEUE)
            books = ws.order_books(*self.symbols)
            books.on_update(lambda book: self._note_book(books, book))
            await stack.enter_async_context(books)
            stack.push_async_callback(self._end_tasks)
            self._tasks = [asyncio.create_task(work) for work in self._work(ws, depth, perpetuals)]
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.aclose()

    async def _write_markets(self) -> list[str]:
        """Write the rules of the markets down, and return which are perpetuals."""
        from ... import operations

        reply = await self._source.send_raw(operations.markets.get_markets())
        reply.parse()
        markets = json.loads(reply.content)
        specs = market_specs(markets, self.symbols)
        for market in markets:
            if market["symbol"] in self.symbols:
                self._write(market_line(system_clock(), market))
        return [spec.symbol for spec in specs if spec.market_type is MarketType.PERP]

    def _work(
        self, ws: Streams, depth: AsyncIterator[StreamEvent], perpetuals: list[str]
    ) -> list[Coroutine[Any, Any, None]]:
        work: list[Coroutine[Any, Any, None]] = [
            self._write_events(depth),
            self._write_events(ws.trades(*self.symbols, max_queue=_QUEUE)),
        ]
        if perpetuals:
            work.append(self._write_events(ws.mark_prices(*perpetuals)))
        return work

    def _note_book(self, books: OrderBooks, book: OrderBook) -> None:
        """Write a book down when it becomes right: at first, and after each snapshot.

        This runs as soon as the book changes, so that frames that go on from it are written after it.
        """
        snapshots = books.counters(book.symbol).snapshots
        if books.state(book.symbol) is SyncState.LIVE and self._snapshots.get(book.symbol) != snapshots:
            self._snapshots[book.symbol] = snapshots
            self._write(book_line(system_clock(), book.snapshot()))

    async def _write_events(self, events: AsyncIterator[StreamEvent]) -> None:
        async for event in events:
            name = event.stream
            if name is None and isinstance(event, Trade):
                name = f"trade.{event.symbol}"  # one that was missed, as REST told it afterwards
            if name is not None:
                self._write(event_line(system_clock(), name, event))

    def _write(self, line: bytes) -> None:
        self._file.write(line)
        self.lines += 1

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        for ended in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended

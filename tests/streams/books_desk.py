"""Order books kept from a scripted exchange."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from backpack_sdk.streams.book import OrderBook
from backpack_sdk.streams.order_books import OrderBooks
from tests.streams.desk import client_of, left_over, options
from tests.streams.reference import Exchange
from tests.streams.stream_server import Peer, Reply, StreamServer, until

A, B, C = "SOL_USDC", "BTC_USDC", "SOL_USDC_PERP"


class Slow:
    """Depth replies that wait."""

    def __init__(self, exchange: Exchange, server: StreamServer) -> None:
        self.failing: Reply | None = (500, b"wait")
        self._exchange = exchange
        server.rest = self.rest

    def rest(self, path: str, query: dict[str, str]) -> Reply | None:
        if path == "/api/v1/depth" and self.failing is not None:
            return self.failing
        return self._exchange.rest(path, query)


@asynccontextmanager
async def keeping(
    *symbols: str, quiet_after: float = 0.01, settings: dict[str, Any] | None = None, **choices: Any
) -> AsyncIterator[tuple[Exchange, StreamServer, OrderBooks]]:
    """A server with an exchange, and books kept from it; proof that nothing is left behind."""
    async with StreamServer(A, B, C) as server:
        exchange = Exchange(server)
        before = asyncio.all_tasks()
        async with client_of(server) as bp:
            books = bp.order_books(*(symbols or (A, B)), options=options(**(settings or {})), **choices)
            books._quiet_after = quiet_after
            async with books:
                yield exchange, server, books
            assert left_over(before) == set()


async def peer_of(server: StreamServer, *symbols: str, number: int = 1) -> Peer:
    peer = await server.peer(number)
    await peer.subscribed(*(f"depth.{symbol}" for symbol in symbols or (A, B)))
    return peer


async def caught_up(exchange: Exchange, books: OrderBooks, *symbols: str) -> None:
    """Wait until books are where their references are, and compare."""
    for symbol in symbols or books.symbols:
        await until(partial(is_at, books, symbol, exchange.books[symbol].last))
        exchange.assert_right(books[symbol])


def is_at(books: OrderBooks, symbol: str, last: int) -> bool:
    book = books.get(symbol)
    return book is not None and book.last_update_id == last


async def all_of(loop: Any) -> list[OrderBook]:
    return [book async for book in loop]

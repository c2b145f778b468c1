"""What consumers do in the midst of things, and replies that can't be read: the other books must not suffer."""

from __future__ import annotations

import asyncio

import pytest

from backpack_sdk.streams import kept_book
from backpack_sdk.streams.book import OrderBook
from backpack_sdk.streams.status import ConnectionState
from backpack_sdk.streams.sync_events import SyncState
from tests.streams.books_desk import A, B, caught_up, keeping, peer_of
from tests.streams.desk import client_of, options
from tests.streams.reference import Exchange
from tests.streams.stream_server import Reply, StreamServer, until


async def test_a_market_is_removed_while_the_loss_of_the_connection_is_told() -> None:
    async with keeping(show_stale=True) as (exchange, server, books):
        peer = await peer_of(server)
        await books.wait_live(timeout=5)
        seen: list[tuple[str, dict[str, SyncState]]] = []

        def remove(book: OrderBook) -> None:
            if book.symbol in books.symbols and books.state(book.symbol) is SyncState.STALE:
                seen.append((book.symbol, {symbol: books.state(symbol) for symbol in books.symbols}))
                books.remove(book.symbol)

        books.on_update(remove)
        peer.abort()
        await until(lambda: len(seen) == 2)
        assert [set(states.values()) for _, states in seen] == [{SyncState.STALE}, {SyncState.STALE}]
        assert books.symbols == ()
        await books.add(A)
        peer = await peer_of(server, A, number=2)
        await books.wait_live(timeout=5)
        exchange.tell(peer, A)
        await caught_up(exchange, books)
        assert books.session.state is ConnectionState.LIVE


async def test_a_market_removed_from_other_books_is_not_told_of_the_same_event() -> None:
    async with StreamServer(A, B) as server, client_of(server) as bp, bp.streams(options=options()) as ws:
        exchange = Exchange(server)
        async with ws.order_books(A) as one, ws.order_books(A) as other:
            peer = await peer_of(server, A)
            await one.wait_live(timeout=5)
            await other.wait_live(timeout=5)
            told: list[str] = []

            def remove(_book: OrderBook) -> None:
                if A in other.symbols:
                    other.remove(A)
                told.append("one")

            one.on_update(remove)
            other.on_update(lambda _book: told.append("other"))
            for count in (1, 2):
                exchange.tell(peer, A)
                await until(lambda count=count: told.count("one") == count)  # type: ignore[misc]
            assert "other" not in told


async def test_a_market_removed_when_its_polled_book_comes_is_not_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_book, "_POLL_VALID", 0.05)
    async with keeping(settings={"mode": "rest", "poll_interval": 0.02}, show_stale=True) as (_, _server, books):
        told: list[str] = []

        def remove(book: OrderBook) -> None:
            told.append(book.symbol)
            if book.symbol == A and A in books.symbols:
                books.remove(A)

        books.on_update(remove)
        await until(lambda: told.count(B) >= 10)
        await asyncio.sleep(0.1)
        assert told.count(A) == 1


async def test_books_added_anew_while_they_were_looked_up_before_stay() -> None:
    async with keeping(B) as (exchange, server, books):
        await books.wait_live(timeout=5)
        symbols = books.session._symbols
        look_up, go_on, waits = symbols.require, asyncio.Event(), [True]

        async def require(names: list[str]) -> None:
            if waits.pop() if waits else False:
                await go_on.wait()
            await look_up(names)

        symbols.require = require  # type: ignore[assignment,method-assign]
        first = asyncio.create_task(books.add(A))
        await asyncio.sleep(0)
        books.remove(A)
        await books.add(A)
        go_on.set()
        await first
        peer = await peer_of(server)
        await books.wait_live(A, timeout=5)
        exchange.tell(peer, A)
        await caught_up(exchange, books)


@pytest.mark.parametrize(
    "content",
    [
        b'{"bids":[["\xff1","1"]],"asks":[],"lastUpdateId":"5","timestamp":7}',
        b'{"bids":' + b"[" * 100_000 + b"]" * 100_000 + b',"asks":[],"lastUpdateId":"5","timestamp":7}',
        b'{"bids":[["1","1","1"]],"asks":[],"lastUpdateId":"5","timestamp":7}',
        b"{}",
    ],
    ids=["no UTF-8", "deep", "three numbers", "empty"],
)
async def test_a_snapshot_that_can_not_be_read_is_asked_for_again(content: bytes) -> None:
    async with StreamServer(A, B) as server:
        exchange = Exchange(server)
        asked = 0

        def rest(path: str, query: dict[str, str]) -> Reply | None:
            nonlocal asked
            if path == "/api/v1/depth":
                asked += 1
                if asked == 1:
                    return 200, content
            return exchange.rest(path, query)

        server.rest = rest
        async with client_of(server) as bp:
            books = bp.order_books(A, options=options())
            books._quiet_after = 0.01
            async with books:
                peer = await peer_of(server, A)
                await books.wait_live(timeout=5)
                exchange.tell(peer, A)
                await caught_up(exchange, books)
                assert asked >= 2

"""Loops and callbacks over order books, and books that share a connection."""

from __future__ import annotations

import asyncio
import gc

import pytest

from backpack_sdk import BackpackError, InvalidArgument
from backpack_sdk._core.errors import StreamError
from backpack_sdk.streams.book import OrderBook
from tests.streams.books_desk import A, B, Slow, all_of, caught_up, keeping, peer_of
from tests.streams.desk import client_of, options, streaming
from tests.streams.reference import Exchange
from tests.streams.stream_server import StreamServer, refusing, until

pytestmark = pytest.mark.usefixtures("quick_seeds")


async def test_loops_get_the_newest_state_of_each_changed_book() -> None:
    async with keeping() as (exchange, server, books):
        peer = await peer_of(server)
        await books.wait_live(timeout=5)
        one, two = books.updates(), books.updates()
        assert {(await anext(one)).symbol, (await anext(one)).symbol} == {A, B}
        for _ in range(30):
            exchange.tell(peer, A)
        await until(lambda: books.counters(A).applied == 30)
        async with asyncio.timeout(5):
            book = await anext(one)
            exchange.assert_right(book)
            exchange.tell(peer, B)
            assert (await anext(one)).symbol == B
            assert {(await anext(two)).symbol for _ in range(2)} == {A, B}
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(two), 0.005)
            exchange.tell(peer, A)
            assert (await anext(two)).symbol == A


async def test_breaking_out_of_a_loop_leaves_nothing_behind() -> None:
    async with keeping() as (exchange, server, books):
        peer = await peer_of(server)
        for _ in range(3):
            async for book in books:
                exchange.assert_right(book)
                break
        gc.collect()
        await asyncio.sleep(0)
        assert books._audience.consumers == []
        exchange.tell(peer, A)
        await caught_up(exchange, books, A)


async def test_anext_works_on_the_books_themselves() -> None:
    async with keeping(A) as (exchange, server, books):
        peer = await peer_of(server, A)
        exchange.assert_right(await anext(books))
        exchange.tell(peer, A)
        exchange.assert_right(await anext(books))


async def test_every_update_is_seen_by_a_callback_and_its_error_by_the_loops() -> None:
    async with keeping(A) as (exchange, server, books):
        peer = await peer_of(server, A)
        await books.wait_live(timeout=5)
        seen: list[int | None] = []
        books.on_update(lambda book: seen.append(book.last_update_id))
        start = exchange.books[A].last
        for _ in range(10):
            exchange.tell(peer, A)
        await caught_up(exchange, books)
        assert seen == list(range(start + 1, start + 11))
        loop = books.updates()
        await anext(loop)

        def fail(book: OrderBook) -> None:
            raise ZeroDivisionError(book.symbol)

        books.on_update(fail)
        exchange.tell(peer, A)
        with pytest.raises(ZeroDivisionError):
            await anext(loop)
        exchange.assert_right(await anext(loop))


async def test_two_tasks_in_one_loop_are_an_error() -> None:
    async with keeping(A) as (_, _server, books):
        await books.wait_live(timeout=5)
        loop = books.updates()
        await anext(loop)
        waiting = asyncio.create_task(anext(loop))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="two tasks"):
            await anext(loop)
        waiting.cancel()


async def test_what_is_not_kept_is_refused() -> None:
    async with keeping(A) as (_, _server, books):
        for ask in (lambda: books[B], lambda: books.get(B), lambda: books.state(B), lambda: books.counters(B)):
            with pytest.raises(InvalidArgument, match="add"):
                ask()
        with pytest.raises(InvalidArgument):
            await books.wait_live(B, timeout=1)


@pytest.mark.parametrize("interval", [0, -1, float("nan")])
async def test_an_interval_that_can_not_be_is_refused(interval: float) -> None:
    async with StreamServer() as server, client_of(server) as bp:
        with pytest.raises(InvalidArgument):
            bp.order_books(A, snapshot_interval=interval)


# Adding and removing


async def test_markets_are_added_and_removed_while_others_flow() -> None:
    async with keeping(A) as (exchange, server, books):
        peer = await peer_of(server, A)
        await books.add(B, A, "SOL-USDC-PERP", B)
        await peer.subscribed(f"depth.{B}", "depth.SOL_USDC_PERP")
        await books.wait_live(timeout=5)
        assert list(books.symbols) == [A, B, "SOL_USDC_PERP"]
        books.remove(B)
        await until(lambda: f"depth.{B}" not in peer.names)
        assert list(books.symbols) == [A, "SOL_USDC_PERP"]
        exchange.tell(peer, B)
        exchange.tell(peer, A)
        await caught_up(exchange, books)
        books.remove(B)
        await books.add(B)
        await peer.subscribed(f"depth.{B}")
        await books.wait_live(timeout=5)
        await caught_up(exchange, books)


async def test_a_market_that_can_not_be_added_leaves_the_others_alone() -> None:
    async with keeping(A) as (exchange, _server, books):
        with pytest.raises(StreamError, match="no market"):
            await books.add(B, "NO_SUCH")
        assert books.symbols == (A,)
        await books.add(B)
        await books.wait_live(timeout=5)
        await caught_up(exchange, books)


async def test_removing_a_market_while_it_is_being_added_leaves_nothing() -> None:
    async with keeping(A) as (_, server, books):
        await books.wait_live(timeout=5)
        books.session._symbols._listed = False
        adding = asyncio.create_task(books.add(B))
        await asyncio.sleep(0)
        books.remove(B)
        await adding
        assert books.symbols == (A,)
        await asyncio.sleep(0.01)
        assert list(server.peers[0].names) == [f"depth.{A}"]


async def test_books_share_a_connection_with_streams_and_with_other_books() -> None:
    async with StreamServer(A, B) as server:
        exchange = Exchange(server)
        async with streaming(server) as ws:
            raw = ws.depth(A)
            async with ws.order_books(A, B) as first:
                peer = await peer_of(server)
                exchange.tell(peer, A)
                exchange.tell(peer, B)
                await caught_up(exchange, first)
                async with ws.order_books(A) as second:
                    exchange.tell(peer, A)
                    await caught_up(exchange, second)
                    await caught_up(exchange, first)
                assert len(server.peers) == 1
                exchange.tell(peer, A)
                await caught_up(exchange, first)
            await until(lambda: list(peer.names) == [f"depth.{A}"])
            assert raw.waiting >= 3
            with pytest.raises(BackpackError, match="closed"):
                await first.add(B)
            assert [book.symbol async for book in first] == []
            assert first.get(A) is None, "nobody keeps it any more"


async def test_loops_end_when_the_connection_is_closed_under_them() -> None:
    async with StreamServer(A) as server:
        Exchange(server)
        async with streaming(server) as ws, ws.order_books(A) as books:
            loop = books.updates()
            waiting = asyncio.create_task(anext(loop))
            await peer_of(server, A)
            await ws.aclose()
            with pytest.raises(BackpackError, match="closed"):
                await waiting
            with pytest.raises(StopAsyncIteration):
                await anext(loop)
            with pytest.raises(BackpackError, match="closed"):
                await anext(books.updates())
            with pytest.raises(BackpackError, match="closed"):
                await books.wait_live(timeout=1)
            assert books.get(A) is None


async def test_loops_end_when_the_books_are_closed() -> None:
    async with keeping(A) as (_, _server, books):
        await books.wait_live(timeout=5)
        loop = books.updates()
        await anext(loop)
        waiting = asyncio.create_task(all_of(loop))
        wait = asyncio.create_task(books.wait_live(A, timeout=5))
        await wait
        await books.aclose()
        assert await waiting == []


async def test_a_refused_depth_stream_is_told_and_does_not_concern_the_others() -> None:
    async with StreamServer(A, B) as server:
        exchange = Exchange(server)
        server.on_command = refusing(B, 4008)
        async with streaming(server) as ws, ws.order_books(A) as books:
            peer = await peer_of(server, A)
            exchange.tell(peer, A)
            await books.wait_live(timeout=5)
            await books.add(B)
            with pytest.raises(StreamError, match="Invalid stream"):
                await books.wait_live(B, timeout=5)
            await books.wait_live(A, timeout=5)
            exchange.tell(peer, A)
            await caught_up(exchange, books, A)


async def test_windows_are_asked_for_by_name() -> None:
    async with StreamServer(A) as server:
        Exchange(server)
        async with client_of(server) as bp, bp.order_books(A, window="200ms", options=options()):
            await (await server.peer()).subscribed(f"depth.200ms.{A}")


async def test_waiting_for_one_market_does_not_end_with_the_refusal_of_another() -> None:
    async with StreamServer(A, B) as server:
        exchange = Exchange(server)
        server.on_command = refusing(B, 4008)
        slow = Slow(exchange, server)
        async with streaming(server) as ws, ws.order_books(A) as books:
            await peer_of(server, A)
            waiting = asyncio.create_task(books.wait_live(A, timeout=10))
            await books.add(B)
            await until(lambda: ws.counters.errors)
            await asyncio.sleep(0.005)
            assert not waiting.done()
            slow.failing = None
            exchange.tell(server.peers[0], A)
            await waiting


async def test_a_refusal_is_forgotten_once_the_stream_is_subscribed_to_again() -> None:
    async with StreamServer(A, B) as server:
        exchange = Exchange(server)
        server.on_command = refusing(B, 4008)
        async with streaming(server) as ws, ws.order_books(A) as books:
            await books.add(B)
            with pytest.raises(StreamError, match="Invalid stream"):
                await books.wait_live(B, timeout=10)
            server.on_command = None
            server.peers[0].abort()
            peer = await peer_of(server, A, B, number=2)
            exchange.tell(peer, B)
            await books.wait_live(B, timeout=10)
            slow = Slow(exchange, server)
            exchange.change(B)
            exchange.tell(peer, B)
            await until(lambda: books.get(B) is None)
            with pytest.raises(TimeoutError):
                await books.wait_live(B, timeout=0.01)
            slow.failing = None
            await caught_up(exchange, books, B)

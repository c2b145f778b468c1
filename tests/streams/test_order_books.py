"""Order books over a socket: in step or withheld, each market by itself."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest

from backpack_sdk import AsyncBackpack
from backpack_sdk.streams import kept_book
from backpack_sdk.streams.order_books import BookUnavailable, OrderBooks
from backpack_sdk.streams.status import ConnectionState
from backpack_sdk.streams.sync import SyncState
from tests.streams.books_desk import A, B, Slow, caught_up, keeping, peer_of
from tests.streams.desk import client_of, options
from tests.streams.reference import Exchange, state_of
from tests.streams.stream_server import Reply, StreamServer, refusal, until

pytestmark = pytest.mark.usefixtures("quick_seeds")


async def test_books_start_and_follow() -> None:
    async with keeping() as (exchange, server, books):
        peer = await peer_of(server)
        assert books.symbols == (A, B)
        assert repr(books) == "<OrderBooks of 2 markets, 0 up to date>"
        await books.wait_live(timeout=5)
        for _ in range(50):
            exchange.tell(peer, A)
            exchange.tell(peer, B, 3)
        await caught_up(exchange, books)
        assert repr(books) == "<OrderBooks of 2 markets, 2 up to date>"
        assert {books.state(symbol) for symbol in (A, B)} == {SyncState.LIVE}
        assert books.counters(A).applied == 50
        assert books["SOL/USDC"].symbol == A
        assert books.session.state is ConnectionState.LIVE


async def test_a_quiet_market_becomes_live_without_a_single_delta() -> None:
    async with keeping(A) as (exchange, _, books):
        await books.wait_live(A, timeout=5)
        exchange.assert_right(books[A])
        assert books.counters(A).applied == 0


async def test_a_snapshot_is_fetched_only_when_the_subscription_was_read() -> None:
    async with StreamServer(A) as server:
        exchange = Exchange(server)
        server.answer_pings = False
        async with client_of(server) as bp, bp.order_books(A, options=options()) as books:
            peer = await peer_of(server, A)
            for _ in range(10):
                exchange.tell(peer, A)
                await asyncio.sleep(0.001)
            assert not any("/depth" in request for request in server.requests)
            with pytest.raises(BookUnavailable, match="aligning"):
                books[A]


async def test_a_gap_resyncs_that_market_alone() -> None:
    async with keeping() as (exchange, server, books):
        peer = await peer_of(server)
        await books.wait_live(timeout=5)
        exchange.change(A)
        server.requests.clear()
        exchange.tell(peer, A)
        await until(lambda: books.state(A) is not SyncState.LIVE or books.counters(A).gaps)
        seen: list[tuple[str, int | None]] = []
        books.on_update(lambda book: seen.append((book.symbol, book.last_update_id)))
        for _ in range(20):
            exchange.tell(peer, B)
        await caught_up(exchange, books, A, B)
        assert [symbol for symbol, _ in seen].count(B) == 20
        assert {request for request in server.requests if "/depth" in request} == {
            "/api/v1/depth?limit=1000&symbol=SOL_USDC"
        }
        assert (books.counters(A).gaps, books.counters(B).gaps) == (1, 0)
        assert books.session.counters.gaps == 1


async def test_a_book_out_of_step_is_withheld() -> None:
    async with keeping() as (exchange, server, books):
        peer = await peer_of(server)
        await books.wait_live(timeout=5)
        slow = Slow(exchange, server)
        exchange.change(A)
        exchange.tell(peer, A)
        await until(lambda: books.counters(A).gaps)
        assert books.get(A) is None
        assert books.state(A) is SyncState.STALE
        with pytest.raises(BookUnavailable) as caught:
            books[A]
        assert pickle.loads(pickle.dumps(caught.value)).state is SyncState.STALE
        assert isinstance(caught.value, LookupError)
        with pytest.raises(TimeoutError):
            await books.wait_live(A, timeout=0.01)
        await books.wait_live(B, timeout=1)
        slow.failing = None
        await books.wait_live(A, timeout=5)
        await caught_up(exchange, books)


class Late:
    """A client whose replies take their time."""

    def __init__(self, client: AsyncBackpack) -> None:
        self._client = client

    async def send(self, request: Any, *, timeout: float | None = None) -> Any:  # noqa: ASYNC109
        return await self._client.send(request, timeout=timeout)

    async def send_raw(self, request: Any, *, timeout: float | None = None) -> Any:  # noqa: ASYNC109
        await asyncio.sleep(0.03)
        return await self._client.send_raw(request, timeout=timeout)


async def test_comparisons_that_take_longer_than_their_interval_are_completed() -> None:
    async with StreamServer(A, B) as server:
        Exchange(server)
        async with client_of(server) as bp, bp.streams(options()) as ws:
            books = OrderBooks(ws, Late(bp), [A, B], owns_session=False, snapshot_interval=0.01, quiet_after=0.01)
            async with books:
                await until(lambda: min(books.counters(symbol).checks for symbol in books.symbols) >= 2)


async def test_a_stale_book_is_shown_and_marked_on_choice() -> None:
    async with keeping(show_stale=True) as (exchange, server, books):
        peer = await peer_of(server)
        await books.wait_live(timeout=5)
        before = state_of(books[A])
        slow = Slow(exchange, server)
        loop = books.updates()
        for _ in range(2):
            await anext(loop)
        exchange.change(A)
        exchange.tell(peer, A)
        async with asyncio.timeout(5):
            shown = await anext(loop)
        assert shown.symbol == A
        assert books.state(A) is SyncState.STALE
        assert state_of(shown) == state_of(books[A]) == before
        slow.failing = None
        await caught_up(exchange, books)
        assert books.state(A) is SyncState.LIVE


@pytest.mark.parametrize("stale", [False, True])
async def test_books_are_not_up_to_date_while_the_connection_is_lost(stale: bool) -> None:
    async with keeping(show_stale=stale) as (exchange, server, books):
        peer = await peer_of(server)
        await books.wait_live(timeout=5)
        server.refuse_always = refusal(503)
        peer.abort()
        await until(lambda: books.state(A) is SyncState.STALE)
        assert (books.get(A) is not None) is stale
        exchange.change(A)
        server.refuse_always = None
        second = await peer_of(server, number=2)
        exchange.tell(second, A)
        exchange.tell(second, B)
        await books.wait_live(timeout=5)
        await caught_up(exchange, books)


async def test_a_book_corrupted_in_silence_is_found_by_comparison() -> None:
    async with keeping(snapshot_interval=0.02) as (exchange, server, books):
        peer = await peer_of(server)
        await books.wait_live(timeout=5)
        await until(lambda: books.counters(A).checks and books.counters(B).checks)
        assert books.counters(A).mismatches == 0
        reference = exchange.books[A]
        reference.bids[reference.mid - 1] = 12345  # which no delta tells
        await until(lambda: books.counters(A).mismatches)
        await caught_up(exchange, books)
        exchange.tell(peer, A)
        await caught_up(exchange, books)
        assert books.counters(B).mismatches == 0


@pytest.mark.parametrize(
    "answer",
    [
        (429, {"code": "TOO_MANY_REQUESTS", "message": "slow down"}), (500, b"oops"), (0, b""), (200, b"<html>"),
        (200, {"bids": [["x", "1"]], "asks": [], "lastUpdateId": "1", "timestamp": 1}),
        (200, {"bids": [["3", "1"]], "asks": [["2", "1"]], "lastUpdateId": "1", "timestamp": 1}),
        (404, b"not found"),
    ],
)  # fmt: skip
async def test_a_snapshot_that_fails_is_fetched_again(answer: Reply) -> None:
    async with StreamServer(A) as server:
        exchange = Exchange(server)
        slow = Slow(exchange, server)
        slow.failing = answer
        async with client_of(server) as bp:
            books = bp.order_books(A, options=options())
            books._quiet_after = 0.01
            async with books:
                peer = await peer_of(server, A)
                await until(lambda: sum("/depth" in request for request in server.requests) >= 3)
                exchange.tell(peer, A)
                assert books.get(A) is None
                slow.failing = None
                await books.wait_live(timeout=5)
                await caught_up(exchange, books)


async def test_a_snapshot_that_never_comes_runs_into_its_timeout_and_is_fetched_again() -> None:
    async with StreamServer(A) as server:
        exchange = Exchange(server)
        hung = asyncio.Event()

        class Hanging:
            def __init__(self, sender: Any) -> None:
                self._sender, self.calls = sender, 0

            async def send(self, request: Any, *, timeout: float | None = None) -> Any:  # noqa: ASYNC109
                return await self._sender.send(request, timeout=timeout)

            async def send_raw(self, request: Any, *, timeout: float | None = None) -> Any:  # noqa: ASYNC109
                self.calls += 1
                if self.calls == 1:
                    hung.set()
                    return await self._sender.send_raw(request, timeout=0.000001)
                return await self._sender.send_raw(request, timeout=timeout)

        async with client_of(server) as bp, bp.streams(options()) as ws:
            sender = Hanging(bp)
            books = OrderBooks(ws, sender, [A], owns_session=False, quiet_after=0.01)
            async with books:
                await books.wait_live(timeout=5)
                assert sender.calls >= 2
                exchange.assert_right(books[A])


@pytest.mark.parametrize("fault", ["negative", "crossed", "text"])
async def test_an_impossible_level_resyncs_and_is_counted(fault: str) -> None:
    async with keeping() as (exchange, server, books):
        peer = await peer_of(server)
        await books.wait_live(timeout=5)
        reference = exchange.books[A]
        payload = reference.change()
        payload["b"] = {
            "negative": [["5", "-1"]], "crossed": [[str(reference.mid + 500), "1"]], "text": [["5", "many"]],
        }[fault]  # fmt: skip
        peer.send(f"depth.{A}", payload)
        await until(lambda: books.counters(A).crossed + books.counters(A).malformed)
        exchange.tell(peer, B)
        exchange.tell(peer, A)
        await caught_up(exchange, books)


# REST in place of the socket


async def test_books_come_from_rest_while_the_socket_fails_and_go_stale_when_that_fails_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with keeping(settings={"poll_after_failures": 1}) as (exchange, server, books):
        peer = await peer_of(server)
        await books.wait_live(timeout=5)
        server.refuse_always = refusal(503)
        peer.abort()
        await until(lambda: books.state(A) is SyncState.POLLED)
        exchange.change(A)
        await caught_up(exchange, books)
        monkeypatch.setattr(kept_book, "_POLL_VALID", 0.05)
        await asyncio.sleep(0.03)
        slow = Slow(exchange, server)
        await until(lambda: books.state(A) is SyncState.STALE)
        assert books.get(A) is None
        slow.failing = None
        await until(lambda: books.state(A) is SyncState.POLLED)
        server.refuse_always = None
        second = await peer_of(server, number=2)
        exchange.tell(second, A)
        await until(lambda: books.state(A) is SyncState.LIVE)
        await caught_up(exchange, books)


async def test_books_without_a_socket_at_all() -> None:
    async with keeping(settings={"mode": "rest"}) as (exchange, server, books):
        await books.wait_live(timeout=5)
        assert books.state(A) is SyncState.POLLED
        exchange.change(A)
        await caught_up(exchange, books)
        assert not server.peers

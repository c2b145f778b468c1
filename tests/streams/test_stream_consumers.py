"""Slow consumers, callbacks and cancellation: what is stated happens, and nobody else is touched."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backpack_sdk.streams.queue import EventQueue, Overflow, SlowConsumer
from backpack_sdk.streams.status import ConnectionState
from tests.streams.desk import streaming, take
from tests.streams.stream_server import StreamServer, trade, until

S, NAME = "SOL_USDC", "trade.SOL_USDC"


def ticker(number: int, symbol: str = S) -> dict[str, Any]:
    return {
        "e": "bookTicker", "E": number, "s": symbol, "a": "2", "A": "1", "b": "1", "B": "1", "u": number, "T": number,
    }  # fmt: skip


def queue_of(size: int, overflow: Overflow, on_drop: Callable[[], None] = lambda: None) -> EventQueue[int]:
    return EventQueue("numbers", size, overflow, lambda number: number % 3, on_drop)


async def drain(queue: EventQueue[int]) -> list[Any]:
    """Everything that waits, errors included; the queue has ended."""
    got: list[Any] = []
    while True:
        try:
            got.append(await queue.get())
        except StopAsyncIteration:
            return got
        except SlowConsumer as slow:
            got.append(slow)


# Queues


@settings(deadline=None)
@given(count=st.integers(0, 40), size=st.integers(1, 12))
def test_dropping_the_oldest_keeps_the_latest(count: int, size: int) -> None:
    async def run() -> None:
        drops: list[None] = []
        queue = queue_of(size, Overflow.DROP_OLDEST, lambda: drops.append(None))
        for number in range(count):
            queue.push(number)
        queue.end()
        assert len(queue) == min(size, count)
        assert queue.dropped == len(drops) == max(0, count - size)
        assert await drain(queue) == list(range(max(0, count - size), count))

    asyncio.run(run())


@settings(deadline=None)
@given(st.lists(st.integers(0, 50)))
def test_conflating_keeps_the_latest_of_each(numbers: list[int]) -> None:
    async def run() -> None:
        queue = queue_of(1, Overflow.CONFLATE)
        for number in numbers:
            queue.push(number)
        queue.end()
        latest = {number % 3: number for number in numbers}
        got = await drain(queue)
        assert sorted(got) == sorted(latest.values())
        assert queue.dropped == len(numbers) - len(got)

    asyncio.run(run())


@settings(deadline=None)
@given(count=st.integers(0, 40), size=st.integers(1, 12), more=st.integers(0, 5))
def test_raising_comes_after_what_waited_and_tells_how_many_were_lost(count: int, size: int, more: int) -> None:
    async def run() -> None:
        queue = queue_of(size, Overflow.RAISE)
        for number in range(count):
            queue.push(number)
        kept = min(size, count)
        assert [await queue.get() for _ in range(kept)] == list(range(kept))
        if count > size:
            with pytest.raises(SlowConsumer) as caught:
                await queue.get()
            assert (caught.value.dropped, caught.value.max_queue) == (count - size, size)
        for number in range(min(more, size)):
            queue.push(100 + number)
        queue.end()
        assert await drain(queue) == [100 + number for number in range(min(more, size))]

    asyncio.run(run())


async def test_nothing_is_slipped_in_between_what_was_lost_and_the_error() -> None:
    queue = queue_of(2, Overflow.RAISE)
    for number in range(5):
        queue.push(number)
    assert await queue.get() == 0
    queue.push(5)
    queue.end()
    got = await drain(queue)
    assert got[0] == 1
    assert got[1].dropped == 4
    assert len(got) == 2


async def test_a_waiter_that_is_cancelled_loses_no_event() -> None:
    queue = queue_of(5, Overflow.RAISE)
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.push(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await queue.get() == 1


async def test_two_waiters_of_one_queue_are_an_error() -> None:
    queue = queue_of(5, Overflow.RAISE)
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="two tasks"):
        await queue.get()
    queue.push(1)
    assert await waiting == 1


async def test_a_consumer_that_never_waits_lets_others_run() -> None:
    queue = queue_of(1000, Overflow.DROP_OLDEST)
    for number in range(1000):
        queue.push(number)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    for _ in range(1000):
        await queue.get()
    task.cancel()
    assert turns >= 10


def test_a_slow_consumer_can_be_pickled_and_says_what_to_do() -> None:
    error = SlowConsumer("trade.SOL_USDC", 7, 10)
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.dropped, copy.max_queue) == (str(error), 7, 10)
    assert "max_queue" in str(error)


# Over a socket


async def test_a_slow_consumer_stalls_nobody_and_gets_what_was_agreed() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        policies = {
            "oldest": ws.book_tickers(S, max_queue=10),
            "latest": ws.book_tickers(S, "BTC_USDC", overflow="conflate"),
            "strict": ws.book_tickers(S, max_queue=10, overflow="raise"),
        }
        quick = ws.book_tickers(S)
        await asyncio.gather(*(stream.ready() for stream in (*policies.values(), quick)))
        peer = server.peers[0]
        for number in range(1, 101):
            peer.send("bookTicker.SOL_USDC", ticker(number))
            assert [event.update_id for event in await take(quick, 1)] == [number]
        peer.send("bookTicker.BTC_USDC", ticker(7, "BTC_USDC"))
        await until(lambda: policies["latest"].waiting == 2)
        assert [event.update_id for event in await take(policies["oldest"], 10)] == list(range(91, 101))
        assert [event.update_id for event in await take(policies["latest"], 2)] == [100, 7]
        assert [event.update_id for event in await take(policies["strict"], 10)] == list(range(1, 11))
        with pytest.raises(SlowConsumer) as caught:
            await anext(policies["strict"])
        assert caught.value.dropped == 90
        peer.send("bookTicker.SOL_USDC", ticker(200))
        assert [event.update_id for event in await take(policies["strict"], 1)] == [200]
        assert {name: stream.dropped for name, stream in policies.items()} == {"oldest": 90, "latest": 99, "strict": 90}
        assert ws.counters.dropped == 279
        assert quick.dropped == 0


async def test_the_socket_is_read_on_while_nobody_consumes() -> None:
    async with StreamServer() as server, streaming(server, max_queue=5) as ws:
        stream = ws.trades(S)
        await stream.ready()
        for number in range(1, 5001):
            server.peers[0].send(NAME, trade(number))
        await until(lambda: ws.counters.frames == 5000)
        assert (stream.waiting, stream.dropped) == (5, 4995)
        assert repr(stream) == "<Subscription trade.SOL_USDC: 5 waiting, 4995 dropped>"
        assert ws.state is ConnectionState.LIVE


async def test_private_streams_never_lose_an_event_in_silence() -> None:
    async with StreamServer() as server, streaming(server, max_queue=2) as ws:
        stream = ws.balance_updates()
        await stream.ready()
        for number in range(4):
            server.peers[0].send("account.balanceUpdate", {"n": number})
        await until(lambda: ws.counters.frames == 4)
        assert [event.wire["n"] for event in await take(stream, 2)] == [0, 1]
        with pytest.raises(SlowConsumer):
            await anext(stream)


# Callbacks


async def test_callbacks_plain_and_async_get_every_event_in_order() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        plain: list[int] = []
        slow: list[int] = []

        async def later(event: Any) -> None:
            await asyncio.sleep(0)
            slow.append(event.trade_id)

        ws.trades(S).listen(lambda event: plain.append(event.trade_id))
        ws.trades(S).listen(later)
        peer = await server.peer()
        await peer.subscribed(NAME)
        await until(lambda: peer.pings)
        for number in range(1, 21):
            peer.send(NAME, trade(number))
        await until(lambda: len(slow) == 20)
        assert plain == slow == list(range(1, 21))


async def test_what_a_callback_raises_surfaces_in_wait_closed() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        ws.trades(S).listen(lambda event: dict[int, int]()[event.trade_id])
        peer = await server.peer()
        await peer.subscribed(NAME)
        peer.send(NAME, trade(77))
        with pytest.raises(KeyError, match="77"):
            await ws.wait_closed()
        await until(lambda: not peer.names)


async def test_a_refused_stream_surfaces_in_wait_closed() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        task = ws.trades("SOL_USDX").listen(print)
        with pytest.raises(Exception, match="did you mean"):
            await ws.wait_closed()
        assert task.done()


async def test_a_cancelled_listener_ends_its_subscription_without_an_error() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        task = ws.trades(S).listen(print)
        peer = await server.peer()
        await peer.subscribed(NAME)
        task.cancel()
        await until(lambda: not peer.names)
        assert task.cancelled()
        waiting = asyncio.create_task(ws.wait_closed())
        await asyncio.sleep(0)
        assert not waiting.done()
        await ws.aclose()
        await waiting


async def test_closing_from_within_a_callback_works() -> None:
    async with StreamServer() as server:
        async with streaming(server) as ws:

            async def stop(_event: Any) -> None:
                await ws.aclose()

            task = ws.trades(S).listen(stop)
            peer = await server.peer()
            await peer.subscribed(NAME)
            peer.send(NAME, trade(1))
            await ws.wait_closed()
            await task
        await until(lambda: not server.open_sockets)

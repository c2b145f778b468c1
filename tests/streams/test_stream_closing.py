"""Closing a stream connection at any moment leaves no task, no socket and no loop that waits."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backpack_sdk import BackpackError
from backpack_sdk.streams import connection as connection_module
from backpack_sdk.streams.options import StreamSetup
from backpack_sdk.streams.status import ConnectionState
from backpack_sdk.streams.subscription import Source
from tests.streams.desk import all_of, client_of, left_over, live, options, streaming, watch
from tests.streams.stream_server import StreamServer, refusal, until

TRADES = "trade.SOL_USDC"
CONNECTING, LIVE, CLOSED = ConnectionState.CONNECTING, ConnectionState.LIVE, ConnectionState.CLOSED
RECONNECTING, STALE = ConnectionState.RECONNECTING, ConnectionState.STALE


async def test_nothing_is_possible_before_and_after_the_block() -> None:
    async with StreamServer() as server, client_of(server) as bp:
        ws = bp.streams()
        with pytest.raises(BackpackError, match="async with"):
            ws.trades("SOL_USDC")
        with pytest.raises(BackpackError, match="async with"):
            await ws.wait_closed()
        async with ws:
            pass
        with pytest.raises(BackpackError):
            ws.trades("SOL_USDC")
        with pytest.raises(BackpackError):
            await ws.open()
        await ws.aclose()
        await ws.wait_closed()


async def test_closing_says_goodbye_and_leaves_no_socket() -> None:
    async with StreamServer() as server:
        async with streaming(server) as ws:
            await live(ws)
        await until(lambda: not server.open_sockets)
        assert server.peers[0].closed_with == b"\x03\xe8"


async def test_closing_ends_every_loop_and_every_wait() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        await live(ws)
        server.answer_pings = False
        stream = ws.trades("SOL_USDC")
        await server.peers[0].subscribed(TRADES)
        loop = asyncio.create_task(all_of(stream))
        ready = asyncio.create_task(stream.ready())
        await asyncio.sleep(0)
        await ws.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        with pytest.raises(BackpackError, match="closed"):
            await ready
        assert await loop == []
        assert stream.source is Source.NONE


@pytest.mark.parametrize("stage", ["connecting", "backing off", "polling", "handshake", "dead peer"])
async def test_closing_at_any_stage_leaves_nothing(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backpack_sdk.streams.opening.CLOSE_TIMEOUT", 0.02)
    async with StreamServer() as server:
        if stage in ("connecting", "handshake"):
            server.refusals.append(b"")
        elif stage != "dead peer":
            server.refuse_always = refusal(503)
        changes: dict[str, Any] = {
            "first_delay": 10.0,
            "longest_delay": 10.0,
            "poll_after_failures": 1 if stage == "polling" else 5,
        }
        before = asyncio.all_tasks()
        async with streaming(server, **changes) as ws:
            stream = ws.trades("SOL_USDC")
            if stage == "handshake":
                await until(lambda: server._writers)
                await asyncio.sleep(0.01)
            elif stage == "backing off":
                await until(lambda: ws.counters.failures == 1)
            elif stage == "polling":
                await until(lambda: any("/trades" in request for request in server.requests))
            elif stage == "dead peer":
                await live(ws)
                server.answer_close = False
        assert left_over(before) == set()
        assert await all_of(stream) == []


async def test_being_cancelled_while_closing_is_not_swallowed() -> None:
    async with StreamServer() as server, client_of(server) as bp:
        before = asyncio.all_tasks()
        ws = bp.streams(options())
        await ws.open()
        await live(ws)
        stream = ws.trades("SOL_USDC")
        server.answer_close = False
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await ws.aclose()
        assert ws.state is CLOSED
        await asyncio.sleep(0)
        assert left_over(before) == set()
        await ws.aclose()
        await until(lambda: not server.open_sockets)
        assert await all_of(stream) == []


async def test_a_block_left_by_cancellation_leaves_nothing() -> None:
    async with StreamServer() as server, client_of(server) as bp:
        before = asyncio.all_tasks()

        async def work() -> None:
            async with bp.streams(options()) as ws:
                async for _ in ws.trades("SOL_USDC"):
                    pass

        task = asyncio.create_task(work())
        await (await server.peer()).subscribed(TRADES)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert left_over(before) == set()
        await until(lambda: not server.open_sockets)


async def test_a_fault_of_the_sdk_ends_the_connection_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(connection_module, "subscribe_frames", broken)
    async with StreamServer() as server, streaming(server) as ws:
        with pytest.raises(BackpackError, match="fault of the SDK"):
            await anext(ws.liquidations())
        assert ws.state is CLOSED


async def test_a_callback_for_states_that_raises_does_no_harm() -> None:
    async with StreamServer() as server, client_of(server) as bp:
        ws = bp.streams(options())
        ws.on_state_change(lambda _change: 1 / 0)
        seen = watch(ws)
        async with ws:
            await live(ws)
        assert [change.new for change in seen] == [CONNECTING, LIVE, CLOSED]


def test_setup_shows_no_secret() -> None:
    setup = StreamSetup(sender=None, urls=("ws://x",), credentials=None, clock=float, proxy="http://u:hunter2@x")  # type: ignore[arg-type]
    assert "hunter2" not in repr(setup)

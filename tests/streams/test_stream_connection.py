"""The life of a stream connection: opening, breaking, coming back, being refused, being closed at any moment."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from backpack_sdk.streams import connection as connection_module
from backpack_sdk.streams import session as session_module
from backpack_sdk.streams.client import Streams
from backpack_sdk.streams.socket import LARGEST_FRAME
from backpack_sdk.streams.status import ConnectionState
from tests.streams.desk import client_of, live, options, streaming, take, watch
from tests.streams.stream_server import PONG, StreamServer, frame, trade, until

TRADES = "trade.SOL_USDC"
CONNECTING, LIVE, CLOSED = ConnectionState.CONNECTING, ConnectionState.LIVE, ConnectionState.CLOSED
RECONNECTING, STALE = ConnectionState.RECONNECTING, ConnectionState.STALE


def has_connected(ws: Streams, times: int) -> bool:
    return ws.counters.connections >= times


# Coming back


async def test_states_are_told_in_order_with_their_reasons() -> None:
    async with StreamServer() as server:
        async with client_of(server) as bp:
            ws = bp.streams(options())
            seen = watch(ws)
            assert ws.state is CONNECTING
            async with ws:
                (await server.peer(1)).abort()
                await server.peer(2)
                await until(lambda: ws.counters.connections == 2)
        assert [change.new for change in seen] == [CONNECTING, LIVE, RECONNECTING, LIVE, CLOSED]
        assert [change.old for change in seen[1:]] == [change.new for change in seen[:-1]]
        assert seen[2].reason == "the connection broke"
        assert [change.attempt for change in seen] == [0, 0, 1, 1, 1]
        counters = ws.counters
        assert (counters.connections, counters.reconnects, counters.failures) == (2, 1, 1)
        assert counters.states == {"connecting": 1, "live": 2, "reconnecting": 1, "closed": 1}
        assert repr(ws) == f"<Streams {server.ws_url}: closed, 0 frames>"


async def test_every_subscription_is_restored_in_frames_of_a_hundred() -> None:
    async with StreamServer(*(f"M{number}_USDC" for number in range(230))) as server, streaming(server) as ws:
        subscription = ws.book_tickers(*server.symbols)
        await subscription.ready()
        first = await server.peer(1)
        assert [len(names) for names in first.subscriptions] == [100, 100, 30]
        first.abort()
        second = await server.peer(2)
        await second.subscribed(*first.names)
        assert [len(names) for names in second.subscriptions] == [100, 100, 30]
        assert list(second.names) == list(first.names)


async def test_events_flow_on_after_a_reconnection() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        stream = ws.book_tickers("SOL_USDC")
        for number in (1, 2, 3):
            peer = await server.peer(number)
            await peer.subscribed("bookTicker.SOL_USDC")
            peer.send("bookTicker.SOL_USDC", ticker(number))
            assert [event.update_id for event in await take(stream, 1)] == [number]
            peer.abort()


def ticker(number: int) -> dict[str, Any]:
    payload = {"e": "bookTicker", "E": number, "s": "SOL_USDC", "a": "2", "A": "1", "b": "1", "B": "1", "u": number}
    return {**payload, "T": number}


async def test_a_close_frame_leads_to_another_socket_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "_GRACEFUL_LIFE", 0.0)
    async with StreamServer() as server, streaming(server, first_delay=0.001, longest_delay=100.0) as ws:
        seen = watch(ws)
        peer = await server.peer(1)
        await live(ws)
        peer.close(1001, "deploy")
        await server.peer(2)
        await until(lambda: ws.counters.connections == 2)
        assert seen[-2].reason == "the server closed the connection with 1001 (going away): deploy"
        assert ws.counters.failures == 0, "a goodbye is no failure"


async def test_a_server_that_says_goodbye_again_and_again_is_not_asked_without_pause() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        for number in (1, 2, 3):
            peer = await server.peer(number)
            await until(partial(has_connected, ws, number))
            peer.close(1001)
        await until(lambda: ws.counters.failures == 3)


@pytest.mark.parametrize(
    ("bytes_sent", "reason"),
    [
        (frame("x", mask=True), "broke"),
        (frame("x", rsv1=True), "broke"),
        (frame("x", 5), "broke"),
        (bytes((0x81, 127)) + (LARGEST_FRAME + 1).to_bytes(8, "big"), "broke"),
    ],
)
async def test_a_server_that_breaks_the_protocol_costs_the_socket_and_nothing_else(
    bytes_sent: bytes, reason: str
) -> None:
    async with StreamServer() as server, streaming(server) as ws:
        seen = watch(ws)
        stream = ws.trades("SOL_USDC")
        peer = await server.peer(1)
        await peer.subscribed(TRADES)
        peer.raw(bytes_sent)
        second = await server.peer(2)
        await second.subscribed(TRADES)
        second.send(TRADES, trade(1))
        assert len(await take(stream, 1)) == 1
        assert any(reason in change.reason for change in seen)
        assert peer.closed_with is not None
        assert peer.closed_with[:2] in (b"\x03\xea", b"\x03\xf1")


# Staleness


async def test_a_socket_that_brings_nothing_is_stale_and_replaced() -> None:
    async with StreamServer() as server, streaming(server, stale_after=0.06, ping_interval=0.02) as ws:
        seen = watch(ws)
        server.answer_pings = False
        await server.peer(2)
        await until(lambda: len(seen) >= 5)
        assert [change.new for change in seen[:5]] == [CONNECTING, LIVE, STALE, RECONNECTING, LIVE]
        assert "not even an answer to a ping" in seen[2].reason
        assert ws.counters.stale >= 1
        assert server.peers[0].pings >= 1


async def test_answers_to_pings_keep_a_quiet_socket() -> None:
    async with StreamServer() as server, streaming(server, stale_after=0.8, ping_interval=60.0) as ws:
        peer = await server.peer()
        await until(lambda: peer.pings >= 3)
        assert ws.counters.stale == 0
        assert ws.counters.connections == 1
        assert ws.latency is not None
        assert 0 <= ws.latency < 5


async def test_pongs_that_nobody_asked_for_are_signs_of_life() -> None:
    async with StreamServer() as server, streaming(server, stale_after=0.8, ping_interval=0.4) as ws:
        server.answer_pings = False
        peer = await server.peer()
        for _ in range(30):
            peer.raw(frame(b"unasked", PONG))
            await asyncio.sleep(0.04)
        assert ws.counters.connections == 1


async def test_a_mark_price_that_falls_silent_is_subscribed_to_again_then_the_socket_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session_module, "_LOOK_EVERY", 0.005)
    async with StreamServer() as server, client_of(server) as bp:
        ws = bp.streams(options(silence_factor=0.001))
        ws._silence._shortest = 0.03
        async with ws:
            stream = ws.mark_prices("SOL_USDC_PERP")
            peer = await server.peer(1)
            await peer.subscribed("markPrice.SOL_USDC_PERP")
            peer.send(
                "markPrice.SOL_USDC_PERP",
                {"e": "markPrice", "E": 1, "s": "SOL_USDC_PERP", "p": "1", "f": "0", "i": "1", "n": 1, "T": 1},
            )
            await take(stream, 1)
            await until(lambda: len(peer.subscriptions) == 2)
            await server.peer(2)
            assert ws.counters.silent >= 2
            second = server.peers[1]
            await until(lambda: len(second.subscriptions) == 2)
            await asyncio.sleep(0.05)
            assert len(server.peers) == 2, "a stream that may have ended does not cost one socket after the other"


# Compression


async def test_compression_is_offered_on_choice_and_keeps_the_order() -> None:
    from tests.streams.stream_server import deflated, envelope

    async with StreamServer() as server:
        server.deflate = True
        async with streaming(server) as ws:
            await live(ws)
        assert "sec-websocket-extensions" not in server.peers[0].headers
        async with streaming(server, compression=True) as ws:
            stream = ws.trades("SOL_USDC")
            peer = await server.peer(2)
            assert "permessage-deflate" in peer.headers["sec-websocket-extensions"]
            await peer.subscribed(TRADES)
            frames = [envelope(TRADES, trade(number)) for number in range(1, 101)]
            peer.raw(b"".join(deflated(text) if number % 3 == 2 else frame(text) for number, text in enumerate(frames)))
            assert [event.trade_id for event in await take(stream, 100)] == list(range(1, 101))

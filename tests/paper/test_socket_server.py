"""Connections: keepalive, slow clients, compression, stopping; and the clockwork behind them."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading

import aiohttp
import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

from backpack_sdk.paper import PaperExchange, SocketOptions
from backpack_sdk.paper.sockets.framing import Message, frame
from backpack_sdk.paper.sockets.timers import Metronome, Timers

from .app_desk import API_KEY
from .socket_desk import STILL, SYMBOL, client, place

DEPTH = f"depth.{SYMBOL}"
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


async def raw(exchange: PaperExchange) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that has just been upgraded."""
    reader, writer = await asyncio.open_connection(*httpx.URL(exchange.base_url).netloc.decode().split(":"))
    writer.write(UPGRADE)
    assert b"101" in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def test_a_client_that_leaves_while_it_is_let_in_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async with PaperExchange(sockets=STILL) as exchange:
        address = httpx.URL(exchange.base_url)
        for _ in range(10):
            with socket.create_connection((address.host, address.port or 0)) as leaving:
                leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                leaving.sendall(UPGRADE)
        _, writer = await raw(exchange)
        writer.close()
        await writer.wait_closed()
    assert [record.getMessage() for record in caplog.records] == []


async def test_rest_and_socket_share_a_port_and_any_path_will_do() -> None:
    async with PaperExchange(sockets=STILL) as exchange:
        assert exchange.ws_url == exchange.base_url.replace("http://", "ws://")
        async with connect(f"{exchange.ws_url}/some/path", proxy=None) as socket:
            await (await socket.ping())
        async with httpx.AsyncClient(trust_env=False, verify=False) as http:
            assert (await http.get(f"{exchange.base_url}/api/v1/ping")).text == "pong"
        assert [request.path for request in exchange.requests] == ["/api/v1/ping"]
    with pytest.raises(RuntimeError, match="not running"):
        _ = exchange.ws_url
    with pytest.raises(RuntimeError, match="not running"):
        exchange.skip(1)


async def test_the_exchange_pings_and_cuts_who_does_not_answer() -> None:
    async with PaperExchange(sockets=STILL) as exchange, aiohttp.ClientSession() as session:
        dead = await session.ws_connect(exchange.ws_url, autoping=False, autoclose=False)
        async with client(exchange) as live:
            await live.settle()
            for _ in range(3):
                exchange.skip(60)
                await live.settle()
            kinds = [(await dead.receive()).type for _ in range(3)]
            assert kinds == [*[aiohttp.WSMsgType.PING] * 2, aiohttp.WSMsgType.CLOSE]
            await live.settle()
        await dead.close()


async def test_a_slow_client_is_cut_off_while_others_go_on() -> None:
    options = SocketOptions(speed=0, max_backlog=50_000)
    async with PaperExchange(sockets=options) as exchange:
        exchange.add_account(API_KEY)
        _reader, writer = await raw(exchange)
        payload = json.dumps({"method": "SUBSCRIBE", "params": [DEPTH]}).encode()
        writer.write(Frame(Opcode.TEXT, payload).serialize(mask=True))
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        async with client(exchange) as quick:
            await quick.subscribe(DEPTH)
            hub = exchange._sockets._hub  # type: ignore[union-attr]
            for _ in range(2_000):
                hub.send("", DEPTH, b"{}" + b" " * 20_000)
                hub.delivery.flush()
                await quick.data(DEPTH)
                if len(hub.delivery.connections) == 1:
                    break
            else:
                raise AssertionError("the slow client is still there")
            place(exchange, "Bid", "100")
            assert (await quick.data(DEPTH))["b"] == [["100.00", "1.00"]]
        writer.close()


@pytest.mark.parametrize("payload", [b"", b"\x03\xe8", b"\x03\xf3bye"])
async def test_a_close_frame_is_answered_with_its_code(payload: bytes) -> None:
    async with PaperExchange(sockets=SocketOptions(speed=0, grace=30)) as exchange:
        reader, writer = await raw(exchange)
        writer.write(Frame(Opcode.CLOSE, payload).serialize(mask=True))
        code = payload[:2]
        assert await reader.read() == b"\x88" + bytes([len(code)]) + code
        writer.close()


async def test_stopping_sends_a_close_frame_and_waits_for_the_answer() -> None:
    exchange = PaperExchange(sockets=SocketOptions(speed=0, grace=30))
    async with exchange:
        socket = await connect(exchange.ws_url, proxy=None)
    with pytest.raises(ConnectionClosed) as caught:
        await socket.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1001
    assert caught.value.rcvd_then_sent


async def test_stopping_does_not_wait_longer_than_the_grace_and_takes_no_new_clients() -> None:
    async with aiohttp.ClientSession() as session:
        exchange = PaperExchange(sockets=SocketOptions(speed=0, grace=0.1))
        await exchange.__aenter__()
        url = exchange.ws_url
        stuck = await session.ws_connect(url, autoping=False, autoclose=False)
        stopping = asyncio.create_task(exchange.__aexit__(None, None, None))
        assert (await stuck.receive()).type is aiohttp.WSMsgType.CLOSE
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await session.ws_connect(url)
        await stopping
        await stuck.close()


def test_a_thread_of_its_own_leaves_nothing_behind() -> None:
    with PaperExchange(sockets=STILL) as exchange:
        exchange.add_account(API_KEY)

        async def use() -> None:
            async with client(exchange) as ws:
                await ws.subscribe(DEPTH, f"ticker.{SYMBOL}")
                await asyncio.to_thread(place, exchange, "Bid", "140.01")
                assert await ws.data(DEPTH)
                exchange.skip(1)
                assert await ws.data(f"ticker.{SYMBOL}")

        asyncio.run(use())
    assert "paper-exchange" not in {thread.name for thread in threading.enumerate()}
    place(exchange, "Bid", "100")


async def test_an_exchange_entered_again_serves_sockets_again() -> None:
    exchange = PaperExchange(sockets=STILL)
    exchange.add_account(API_KEY)
    for size in ("1.00", "2.00"):
        async with exchange, client(exchange) as ws:
            await ws.subscribe(DEPTH)
            place(exchange, "Bid", "100")
            assert (await ws.data(DEPTH))["b"] == [["100.00", size]]


@pytest.mark.parametrize("offered", [True, False])
async def test_compression_is_offered_only_when_asked_for(offered: bool) -> None:
    async with PaperExchange(sockets=SocketOptions(speed=0, compress=offered)) as exchange, client(exchange) as ws:
        exchange.add_account(API_KEY)
        assert [extension.name for extension in ws.socket.protocol.extensions] == (
            ["permessage-deflate"] if offered else []
        )
        await ws.subscribe(DEPTH)
        exchange.socket_faults.fragment(DEPTH)
        for size in ("1.00", "2.00", "3.00"):
            place(exchange, "Bid", "100")
            assert (await ws.data(DEPTH))["b"] == [["100.00", size]]
        await ws.send("nonsense")
        assert (await ws.message())["error"]["code"] == 4002


@pytest.mark.parametrize("options", [{"speed": -1}, {"grace": -1}, {"max_backlog": 0}])
def test_options_out_of_range(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        SocketOptions(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_a_frame_is_read_by_another_library(length: int) -> None:
    from websockets.client import ClientProtocol
    from websockets.uri import parse_uri

    reader = ClientProtocol(parse_uri("ws://x"), state=State.OPEN, max_size=None)
    reader.receive_data(Message(b"x" * length).wire(0) + frame(b"end", 0x9))
    received = [event for event in reader.events_received() if not isinstance(event, Request)]
    assert [(event.opcode, len(event.data)) for event in received if isinstance(event, Frame)] == [
        (Opcode.TEXT, length),
        (Opcode.PING, 3),
    ]


# Time


def test_a_timer_runs_once_however_often_it_was_missed() -> None:
    timers, ran = Timers(), []
    timers.every(2, lambda: ran.append("two"), start=10)
    timers.every(3, lambda: ran.append("three"), start=10)
    assert timers.next_due() == 12
    timers.run(11.9)
    assert ran == []
    timers.run(12)
    timers.run(13)
    assert ran == ["two", "three"]
    timers.run(21)
    assert ran == ["two", "three", "two", "three"]
    assert timers.next_due() == 22


def test_timers_without_actions_are_never_due() -> None:
    assert Timers().next_due() is None


async def test_a_metronome_runs_by_itself_at_any_speed() -> None:
    ran = asyncio.Event()
    metronome = Metronome(speed=10_000)
    metronome.every(60, ran.set)
    await asyncio.wait_for(ran.wait(), 10)
    metronome.stop()


async def test_a_metronome_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        Metronome(-1)

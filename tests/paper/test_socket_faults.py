"""Misbehaving sockets, scripted and by chance."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from backpack_sdk.paper import FaultRates, PaperExchange
from backpack_sdk.paper.sockets.faults import SocketFaults, SocketHarm
from backpack_sdk.paper.sockets.framing import fragments

from .app_desk import API_KEY
from .socket_desk import STILL, SYMBOL, Client, Mirror, client, place

DEPTH = f"depth.{SYMBOL}"


@pytest.fixture
async def exchange() -> Any:
    async with PaperExchange(sockets=STILL) as running:
        running.add_account(API_KEY)
        yield running


async def sizes(exchange: PaperExchange, ws: Client, orders: int) -> list[str]:
    """Place orders of one at one price, and return the sizes that arrive."""
    for _ in range(orders):
        place(exchange, "Bid", "100")
    return [message["data"]["b"][0][1] for message in await ws.waiting()]


async def test_dropped_messages_are_missing(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.subscribe(DEPTH)
        exchange.socket_faults.drop(DEPTH, times=2)
        mirror = Mirror(exchange)
        place(exchange, "Bid", "100")
        place(exchange, "Bid", "100")
        place(exchange, "Bid", "100")
        data = await ws.data(DEPTH)
        with pytest.raises(AssertionError, match="does not join"):
            mirror.apply(data)
        assert len(exchange.socket_faults) == 0
        assert await sizes(exchange, ws, 1) == ["4.00"]


async def test_duplicated_messages_come_twice(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.subscribe(DEPTH)
        exchange.socket_faults.duplicate(DEPTH)
        assert await sizes(exchange, ws, 2) == ["1.00", "1.00", "2.00"]


async def test_swapped_messages_change_places(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.subscribe(DEPTH)
        exchange.socket_faults.swap(DEPTH)
        assert await sizes(exchange, ws, 3) == ["2.00", "1.00", "3.00"]


async def test_a_delayed_message_holds_back_what_follows_on_its_stream(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.subscribe(DEPTH, f"bookTicker.{SYMBOL}")
        exchange.socket_faults.delay(DEPTH, 0.03)
        place(exchange, "Bid", "140")
        place(exchange, "Bid", "140")
        assert [message["stream"] for message in [await ws.message() for _ in range(4)]] == [
            f"bookTicker.{SYMBOL}", f"bookTicker.{SYMBOL}", DEPTH, DEPTH,
        ]  # fmt: skip


async def test_a_delayed_message_is_forgotten_when_the_exchange_stops() -> None:
    async with PaperExchange(sockets=STILL) as exchange, client(exchange) as ws:
        exchange.add_account(API_KEY)
        await ws.subscribe(DEPTH)
        exchange.socket_faults.delay(DEPTH, 60)
        place(exchange, "Bid", "100")


async def test_garbage_is_no_json(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.subscribe(DEPTH)
        exchange.socket_faults.garble(DEPTH)
        place(exchange, "Bid", "100")
        with pytest.raises(json.JSONDecodeError):
            json.loads(await ws.text())
        assert await sizes(exchange, ws, 1) == ["2.00"]


async def test_a_message_in_several_frames(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.subscribe(DEPTH)
        exchange.socket_faults.fragment(DEPTH)
        place(exchange, "Bid", "100")
        pieces = [piece async for piece in ws.socket.recv_streaming()]
        assert len(pieces) == 3
        assert json.loads("".join(str(piece) for piece in pieces))["data"]["b"] == [["100.00", "1.00"]]


@pytest.mark.parametrize("length", [0, 1, 2, 3, 200, 70_000])
def test_fragments_join_to_the_message(length: int) -> None:
    assert 1 <= len(list(fragments(b"x" * length, 3))) <= 3


async def test_a_pattern_covers_many_streams_and_spares_the_others(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.subscribe(DEPTH, f"trade.{SYMBOL}")
        exchange.socket_faults.drop("depth.*", times=5)
        place(exchange, "Bid", "140.01")
        assert [message["stream"] for message in await ws.waiting()] == [f"trade.{SYMBOL}"]
        assert len(exchange.socket_faults) == 4
        exchange.socket_faults.clear()
        assert await sizes(exchange, ws, 1) == ["1.00"]


async def test_silence_until_release(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.subscribe(DEPTH)
        exchange.socket_faults.silence()
        place(exchange, "Bid", "100")
        await ws.socket.send("hello")
        pong = await ws.socket.ping()
        exchange.skip(60)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(pong), 0.03)
        exchange.socket_faults.release()
        assert await sizes(exchange, ws, 1) == ["2.00"]


async def test_silence_of_one_stream(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.subscribe(DEPTH, f"trade.{SYMBOL}")
        exchange.socket_faults.silence(DEPTH)
        place(exchange, "Bid", "140.01")
        assert [message["stream"] for message in await ws.waiting()] == [f"trade.{SYMBOL}"]


async def test_every_connection_ends_without_a_word(exchange: PaperExchange) -> None:
    async with client(exchange) as one, client(exchange) as two:
        await one.settle()
        await two.settle()
        exchange.socket_faults.abort()
        for ws in (one, two):
            with pytest.raises(ConnectionClosed) as caught:
                await ws.text()
            assert caught.value.rcvd is None
    async with client(exchange) as ws:
        await ws.settle()


async def test_every_connection_is_closed_with_a_code(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.settle()
        exchange.socket_faults.close(1012, "restarting")
        with pytest.raises(ConnectionClosed) as caught:
            await ws.text()
        assert caught.value.rcvd is not None
        assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1012, "restarting")


async def test_the_next_message_of_a_stream_ends_the_connections_that_listen(exchange: PaperExchange) -> None:
    async with client(exchange) as one, client(exchange) as two, client(exchange) as three:
        await one.subscribe(DEPTH)
        await two.subscribe(f"trade.{SYMBOL}")
        await three.subscribe("depth.BTC_USDC")
        exchange.socket_faults.abort(DEPTH)
        exchange.socket_faults.close(1013, stream=f"trade.{SYMBOL}")
        place(exchange, "Bid", "140.01")
        with pytest.raises(ConnectionClosed) as caught:
            await one.text()
        assert caught.value.rcvd is None
        with pytest.raises(ConnectionClosed) as caught:
            await two.text()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1013
        await three.settle()


async def test_faults_of_no_connection_do_nothing() -> None:
    exchange = PaperExchange()
    exchange.socket_faults.abort()
    exchange.socket_faults.close()
    async with exchange:
        pass
    exchange.socket_faults.abort()


@pytest.mark.parametrize("status", [429, 451, 503])
async def test_an_upgrade_is_refused(exchange: PaperExchange, status: int) -> None:
    exchange.socket_faults.refuse(status, times=2)
    for _ in range(2):
        with pytest.raises(InvalidStatus) as caught:
            await connect(exchange.ws_url, proxy=None)
        assert caught.value.response.status_code == status
    async with client(exchange) as ws:
        await ws.settle()


async def test_chance_strikes_the_same_messages_with_the_same_seed() -> None:
    async def run(seed: int) -> list[str]:
        async with PaperExchange(sockets=STILL) as exchange, client(exchange) as ws:
            exchange.add_account(API_KEY)
            await ws.subscribe(DEPTH)
            exchange.socket_faults.random(FaultRates(drop=0.2, duplicate=0.2, swap=0.2), seed=seed)
            return await sizes(exchange, ws, 40)

    first, again, other = await run(1), await run(1), await run(2)
    assert first == again != other
    assert first != [f"{size}.00" for size in range(1, 41)]


def test_every_rate_picks_its_harm() -> None:
    rates = FaultRates(drop=0.1, duplicate=0.1, swap=0.1, garble=0.1, fragment=0.1, abort=0.1)
    picked = [rates.pick(0.05 + step / 10) for step in range(7)]
    assert [fault.harm if fault is not None else None for fault in picked] == [
        SocketHarm.DROP, SocketHarm.DUPLICATE, SocketHarm.SWAP, SocketHarm.GARBLE, SocketHarm.FRAGMENT,
        SocketHarm.ABORT, None,
    ]  # fmt: skip


@pytest.mark.parametrize("rates", [{"drop": -0.1}, {"drop": 0.6, "swap": 0.6}])
def test_rates_that_are_none(rates: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must not be negative nor exceed 1"):
        FaultRates(**rates)


def test_no_times_is_refused() -> None:
    with pytest.raises(ValueError, match="times is 0"):
        SocketFaults().drop(times=0)

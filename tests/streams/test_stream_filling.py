"""Live trades do not wait for ever for the ones that were missed, nor are they given up because many markets wait."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from backpack_sdk.streams import filling, turns
from backpack_sdk.streams.client import Streams
from backpack_sdk.streams.trades import TradeGate
from tests.streams.desk import streaming, take
from tests.streams.stream_server import Peer, StreamServer, answering, rest_trade, trade, until

S = "SOL_USDC"
NAME = f"trade.{S}"
MANY = [f"M{number}_USDC" for number in range(16)]


def gate_of(ws: Streams, name: str = NAME) -> TradeGate:
    route = ws._routes.get(name)
    assert route is not None
    assert route.gate is not None
    return route.gate


async def cut(server: StreamServer, names: Sequence[str]) -> Peer:
    """Break the socket; gives the next one, with the streams subscribed to."""
    count = len(server.peers)
    server.peers[-1].abort()
    peer = await server.peer(count + 1)
    await peer.subscribed(*names)
    return peer


async def test_trades_go_on_when_rest_hangs(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(filling, "_PATIENCE", 0.2)
    async with StreamServer() as server, streaming(server) as ws:
        stream = ws.trades(S)
        await (await server.peer()).subscribed(NAME)
        server.peers[0].send(NAME, trade(1))
        await take(stream, 1)
        server.silent_rest = True
        caplog.clear()
        peer = await cut(server, [NAME])
        for number in (5, 6):
            peer.send(NAME, trade(number))
        assert [event.trade_id for event in await take(stream, 2)] == [5, 6]
        assert gate_of(ws).missed == 3
        peer.send(NAME, trade(7))
        await take(stream, 1)
        told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
        [warning] = [text for text in told if NAME in text]
        assert "the 2 that were held" in warning
        assert "3 are known to be missing" in warning


async def test_answers_that_are_slow_and_no_use_are_not_waited_for_one_after_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(filling, "_PATIENCE", 0.5)
    monkeypatch.setattr(filling, "_PAUSE", 0.001)
    async with StreamServer() as server, streaming(server) as ws:
        server.rest = answering("/api/v1/trades", lambda: (500, b"no"))
        stream = ws.trades(S)
        await (await server.peer()).subscribed(NAME)
        server.pause = 0.2
        for number in (1, 5):
            server.peers[0].send(NAME, trade(number))
        assert [event.trade_id for event in await take(stream, 2)] == [1, 5]
        assert sum("/trades" in request for request in server.requests) <= 3


async def test_the_longest_time_holds_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "_LONGEST", 0.2)
    monkeypatch.setattr(filling, "_PATIENCE", 60.0)
    async with StreamServer() as server, streaming(server) as ws:
        stream = ws.trades(S)
        await (await server.peer()).subscribed(NAME)
        server.silent_rest = True
        for number in (1, 5):
            server.peers[0].send(NAME, trade(number))
        assert [event.trade_id for event in await take(stream, 2)] == [1, 5]


async def test_a_trade_that_follows_on_the_last_one_does_not_wait_for_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "_PATIENCE", 60.0)
    monkeypatch.setattr(filling, "_LONGEST", 60.0)
    async with StreamServer() as server, streaming(server) as ws:
        stream = ws.trades(S)
        await (await server.peer()).subscribed(NAME)
        server.peers[0].send(NAME, trade(1))
        await take(stream, 1)
        server.silent_rest = True
        peer = await cut(server, [NAME])
        await until(lambda: gate_of(ws).wants_history)
        for number in (2, 3):
            peer.send(NAME, trade(number))
        assert [event.trade_id for event in await take(stream, 2)] == [2, 3]
        assert gate_of(ws).missed == 0


async def test_what_rest_has_not_got_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async with StreamServer() as server, streaming(server) as ws:
        server.rest = answering("/api/v1/trades", lambda: (200, [rest_trade(number) for number in range(50, 61)]))
        stream = ws.trades(S)
        await (await server.peer()).subscribed(NAME)
        for number in (1, 60):
            server.peers[0].send(NAME, trade(number))
        await take(stream, 12)
        await until(lambda: "trade.SOL_USDC: 48 trades are missing" in caplog.text)


async def test_a_market_whose_turn_comes_late_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen markets, two at once, a quarter of a second each: the last ones wait for longer than the patience."""
    monkeypatch.setattr(turns, "_AT_ONCE", 2)
    monkeypatch.setattr(filling, "_PATIENCE", 1.5)
    names = [f"trade.{market}" for market in MANY]
    async with StreamServer(*MANY) as server, streaming(server) as ws:
        server.rest = answering("/api/v1/trades", lambda: (200, [rest_trade(number) for number in range(1, 6)]))
        stream = ws.trades(*MANY)
        await (await server.peer()).subscribed(*names)
        for name, market in zip(names, MANY, strict=True):
            server.peers[0].send(name, trade(1, market))
        await take(stream, len(MANY))
        server.pause = 0.25
        peer = await cut(server, names)
        for name, market in zip(names, MANY, strict=True):
            peer.send(name, trade(5, market))
        got = await take(stream, 4 * len(MANY), 30.0)
        assert {(event.symbol, event.trade_id) for event in got} == {(one, at) for one in MANY for at in (2, 3, 4, 5)}
        assert [gate_of(ws, name).missed for name in names] == [0] * len(MANY)


async def test_markets_that_wait_for_their_turn_are_given_up_when_rest_answers_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "_AT_ONCE", 1)
    monkeypatch.setattr(turns, "_HANGS", 60.0)
    monkeypatch.setattr(filling, "_PATIENCE", 1.0)
    names = [f"trade.{market}" for market in MANY]
    async with StreamServer(*MANY) as server, streaming(server) as ws:
        stream = ws.trades(*MANY)
        await (await server.peer()).subscribed(*names)
        for name, market in zip(names, MANY, strict=True):
            server.peers[0].send(name, trade(1, market))
        await take(stream, len(MANY))
        server.silent_rest = True
        peer = await cut(server, names)
        for name, market in zip(names, MANY, strict=True):
            peer.send(name, trade(3, market))
        got = await take(stream, len(MANY))
        assert {(event.symbol, event.trade_id) for event in got} == {(market, 3) for market in MANY}
        await until(lambda: [gate_of(ws, name).missed for name in names] == [1] * len(MANY))

"""Polling over REST: each stream on its own, whatever the others' requests do, and nothing after it has ended."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from backpack_sdk._generated.streams.channels import TICKER
from backpack_sdk.streams import requests, turns
from backpack_sdk.streams.events import Trade
from backpack_sdk.streams.fallback import Fallback
from backpack_sdk.streams.routes import Routes
from backpack_sdk.streams.status import ConnectionState, StreamCounters
from backpack_sdk.streams.subscription import Source
from tests.streams.desk import client_of, left_over, options, streaming, take
from tests.streams.stream_server import Reply, StreamServer, answering, refusal, rest_trade, trade, until

S = "SOL_USDC"
NAME = f"trade.{S}"
MANY = [f"M{number:02}_USDC" for number in range(20)]
TICKER_NOW = {
    "symbol": S, "firstPrice": "1", "lastPrice": "2", "high": "3", "low": "0.5", "volume": "7", "quoteVolume": "9",
    "trades": "4", "priceChange": "1", "priceChangePercent": "1",
}  # fmt: skip


def asked(server: StreamServer, path: str, market: str = "") -> int:
    return sum(path in request and f"symbol={market}" in request for request in server.requests)


def running() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks()}


async def test_a_request_that_hangs_holds_up_its_own_stream_only_and_is_not_made_twice() -> None:
    async with StreamServer() as server:
        server.hangs = lambda target: "/depth" in target
        async with streaming(server, mode="rest") as ws:
            hung, well = ws.depth("BTC_USDC"), ws.trades(S)
            await until(lambda: asked(server, "/trades") >= 20)
            assert asked(server, "/depth") == 1
            assert hung.source is well.source is Source.REST


async def test_requests_that_hang_do_not_hold_up_other_markets_of_the_same_kind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "_HANGS", 0.02)
    async with StreamServer(S, *MANY) as server:
        server.hangs = lambda target: "symbol=M" in target
        async with streaming(server, mode="rest") as ws:
            _hung, _well = ws.depth(*MANY), ws.depth(S)
            await until(lambda: asked(server, "/depth", S) >= 5)
            assert all(asked(server, "/depth", name) == 1 for name in MANY)


async def test_few_requests_of_one_kind_are_under_way_at_once() -> None:
    async with StreamServer(*MANY) as server:
        server.hangs = lambda target: "/depth" in target
        async with streaming(server, mode="rest") as ws:
            _hung, other = ws.depth(*MANY), ws.trades(MANY[0])
            await until(lambda: asked(server, "/trades") >= 5)
            assert asked(server, "/depth") == 8
            assert other.source is Source.REST


async def test_who_waits_for_the_rate_limit_of_one_kind_does_not_hold_up_another_kind() -> None:
    async with StreamServer(*MANY) as server:
        slow = {"rate_limit": {"markets.get_depth": 0.1, "trades.get_recent_trades": None}}
        async with streaming(server, client=slow, mode="rest") as ws:
            _slow, _quick = ws.depth(*MANY), ws.trades(MANY[0])
            await until(lambda: asked(server, "/trades") >= 20)
            assert asked(server, "/depth") < 20


async def test_streams_are_polled_while_somebody_wants_them() -> None:
    async with StreamServer() as server, streaming(server, mode="rest") as ws:
        first = ws.depth(S)
        await until(lambda: asked(server, "/depth") >= 2)
        second = ws.trades(S)
        await until(lambda: asked(server, "/trades") >= 2)
        await first.aclose()
        await until(lambda: "backpack-streams-poll-depth.SOL_USDC" not in running())
        depths, trades = asked(server, "/depth"), asked(server, "/trades")
        await until(lambda: asked(server, "/trades") >= trades + 5)
        assert asked(server, "/depth") <= depths + 1  # one may have been on its way
        assert second.source is Source.REST


async def test_a_request_that_hangs_ends_when_nobody_wants_its_stream_any_more() -> None:
    async with StreamServer() as server:
        server.hangs = lambda target: "/depth" in target
        async with streaming(server, mode="rest") as ws:
            stream = ws.depth(S)
            await until(lambda: asked(server, "/depth") == 1)
            assert "backpack-streams-poll-depth.SOL_USDC" in running()
            await stream.aclose()
            await until(lambda: "backpack-streams-poll-depth.SOL_USDC" not in running(), 5.0)
            server.hangs = lambda _target: False
            again = ws.depth(S)
            await take(again, 1)


async def test_polls_that_hang_end_when_the_socket_is_back() -> None:
    async with StreamServer() as server:
        server.refuse_always = refusal(503)
        server.hangs = lambda target: "/depth" in target
        before = asyncio.all_tasks()
        async with streaming(server, poll_after_failures=1) as ws:
            stream = ws.depth(S)
            await until(lambda: asked(server, "/depth") == 1)
            server.refuse_always = None
            await until(lambda: ws.state is ConnectionState.LIVE)
            await until(lambda: not any("poll" in name for name in left_over(before)))
            assert stream.source is Source.SOCKET


async def test_each_poll_that_was_answered_is_told_and_a_fault_ends_no_polling(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers: list[Reply] = [(500, b"no"), (200, TICKER_NOW), (200, TICKER_NOW)]
    told: list[tuple[str, int]] = []
    events: list[Any] = []

    def on_polled(name: str) -> None:
        told.append((name, len(events)))
        raise RuntimeError("a fault")

    async with StreamServer() as server, client_of(server) as bp:
        server.rest = answering("/api/v1/ticker", lambda: answers.pop(0) if answers else (404, b"gone"))
        routes = Routes(lambda _kind: None)
        routes.add({"ticker.SOL_USDC": S}, TICKER, events.append)
        fallback = Fallback(bp, options(), routes, StreamCounters(), lambda: 1.0, on_polled)
        with caplog.at_level(logging.ERROR, "backpack_sdk"):
            fallback.start()
            await until(lambda: asked(server, "/ticker") >= 5)
            await fallback.stop()
        assert told == [("ticker.SOL_USDC", 1), ("ticker.SOL_USDC", 2)]
        assert sum("a fault of the SDK" in record.getMessage() for record in caplog.records) == 2


# Streams by name


async def test_a_stream_asked_for_by_its_name_is_polled_too() -> None:
    made = [1]
    async with StreamServer() as server:
        server.rest = answering("/api/v1/trades", lambda: (200, [rest_trade(number) for number in made]))
        async with streaming(server, mode="rest") as ws:
            stream: Any = ws.raw(NAME)
            await until(lambda: ws.counters.polls >= 2)
            made.append(2)
            [event] = await take(stream, 1)
            assert (type(event), event.trade_id, event.polled) == (Trade, 2, True)
            assert stream.source is Source.REST
            assert not any("/market" in request for request in server.requests), "its market is not looked up"


async def test_a_stream_asked_for_by_its_name_is_polled_during_an_outage() -> None:
    async with StreamServer() as server, streaming(server, poll_after_failures=1) as ws:
        stream: Any = ws.raw(NAME)
        peer = await server.peer()
        await peer.subscribed(NAME)
        peer.send(NAME, trade(1))
        await take(stream, 1)
        server.refuse_always = refusal(503)
        peer.abort()
        await until(lambda: ws.state is ConnectionState.POLLING)
        assert stream.source is Source.REST
        await until(lambda: asked(server, "/trades"))


@pytest.mark.parametrize(
    ("name", "market"),
    [
        ("trade.BTC_USDC", "BTC_USDC"), ("bookTicker.kPEPE_USDC_PERP", "kPEPE_USDC_PERP"), ("depth.SOL_USDC", S),
        ("depth.200ms.SOL_USDC", S), ("kline.1month.SOL_USDC", S), ("account.orderUpdate.SOL_USDC", S),
        ("kline.7m.SOL_USDC", None), ("kline.1m", None), ("kline", None), ("trade.", None), ("trade", None),
        ("trade.SOL-USDC", None), ("trade.no market", None), ("depth.5s.SOL_USDC", None), ("liquidation", None),
        ("account.orderUpdate", None), ("stockPrice.AAPL", None), ("whatever.SOL_USDC", None),
    ],
)  # fmt: skip
def test_the_market_of_a_stream_is_found_in_its_name(name: str, market: str | None) -> None:
    asked_for = requests.by_name((name,), None, None)
    assert asked_for.names == {name: market}
    assert not asked_for.check

"""REST in place of the socket: when, for which streams, how the consumer is told, and trades without a hole."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from backpack_sdk import InvalidArgument
from backpack_sdk.streams import filling
from backpack_sdk.streams.events import BookTicker, MarkPrice, OpenInterest, Ticker, Trade
from backpack_sdk.streams.polling import DepthSnapshot
from backpack_sdk.streams.status import ConnectionState
from backpack_sdk.streams.subscription import Source, Subscription
from tests.streams.desk import streaming, take
from tests.streams.stream_server import Reply, StreamServer, answering, depth, refusal, rest_trade, trade, until

S, P, NAME = "SOL_USDC", "SOL_USDC_PERP", "trade.SOL_USDC"
DOWN = refusal(503)
MARKS = {
    "symbol": P, "markPrice": "10", "indexPrice": "11", "fundingRate": "0.0001",
    "nextFundingTimestamp": 1_700_000_000_000,
}  # fmt: skip
TICKER = {
    "symbol": S, "firstPrice": "1", "lastPrice": "2", "high": "3", "low": "0.5", "volume": "7", "quoteVolume": "9",
    "trades": "4", "priceChange": "1", "priceChangePercent": "1",
}  # fmt: skip


def figures(path: str, query: dict[str, str]) -> Reply | None:
    match path:
        case "/api/v1/depth":
            return 200, depth(5, [("98", "1"), ("99", "2")], [("101", "3"), ("102", "4")])
        case "/api/v1/ticker":
            return 200, TICKER
        case "/api/v1/markPrices":
            return 200, [MARKS]
        case "/api/v1/openInterest":
            return 200, [{"symbol": P, "openInterest": "8", "timestamp": 1_700_000_000_000}]
    return None


async def test_rest_only_gives_each_kind_in_the_shape_of_its_stream() -> None:
    async with StreamServer() as server:
        server.rest = figures
        async with streaming(server, mode="rest") as ws:
            streams: list[Subscription[Any]] = [
                ws.depth(S), ws.book_tickers(S), ws.tickers(S), ws.mark_prices(P), ws.open_interest(P),
            ]  # fmt: skip
            await asyncio.gather(*(stream.ready() for stream in streams))
            assert ws.state is ConnectionState.POLLING
            assert {stream.source for stream in streams} == {Source.REST}
            got = [(await take(stream, 1))[0] for stream in streams]
            assert [type(event) for event in got] == [DepthSnapshot, BookTicker, Ticker, MarkPrice, OpenInterest]
            assert all(event.polled and event.stream is None for event in got)
            book, best, day, mark, interest = got
            assert [level.price for level in book.bids] == [99, 98]
            assert [level.price for level in book.asks] == [101, 102]
            assert book.last_update_id == 5
            assert book.engine_time.year == 2023
            assert (best.bid_price, best.bid_quantity, best.ask_price, best.ask_quantity) == (99, 2, 101, 3)
            assert (best.update_id, day.last_price, day.trades) == (5, 2, 4)
            assert (mark.mark_price, mark.next_funding_time_ms) == (10, 1_700_000_000_000)
            assert interest.open_interest == Decimal(8)
            assert not server.peers, "no socket is opened"
            assert ws.counters.polls >= 5


async def test_rest_only_refuses_what_rest_does_not_have() -> None:
    async with StreamServer() as server, streaming(server, mode="rest") as ws:
        for ask in (
            lambda: ws.klines(S),
            lambda: ws.liquidations(),
            lambda: ws.raw("liquidation", "trade.SOL_USDC"),
            lambda: ws.order_updates(),
            lambda: ws.external_tickers(S),
        ):
            with pytest.raises(InvalidArgument) as caught:
                ask()
            assert caught.value.argument == "mode"


async def test_polled_trades_come_once_and_in_order() -> None:
    made = list(range(1, 4))
    async with StreamServer() as server:
        server.rest = answering("/api/v1/trades", lambda: (200, [rest_trade(number) for number in reversed(made)]))
        async with streaming(server, mode="rest") as ws:
            stream = ws.trades(S)
            await until(lambda: ws.counters.polls >= 2)
            made += [4, 5]
            await until(lambda: stream.waiting == 2)
            made += [6]
            got = await take(stream, 3)
            assert [event.trade_id for event in got] == [4, 5, 6]
            assert all(type(event) is Trade and event.polled for event in got)
            assert got[0].buyer_order_id is None


async def test_auto_polls_after_n_failures_and_goes_back_to_the_socket() -> None:
    made = [1, 2]
    async with StreamServer() as server:
        trades = answering("/api/v1/trades", lambda: (200, [rest_trade(number) for number in made]))
        server.rest = lambda path, query: trades(path, query) or figures(path, query)
        async with streaming(server, poll_after_failures=3) as ws:
            states: list[ConnectionState] = []
            ws.on_state_change(lambda change: states.append(change.new))
            stream, candles, books = ws.trades(S), ws.klines(S), ws.depth(S)
            peer = await server.peer()
            await peer.subscribed(NAME)
            peer.send(NAME, trade(2))
            assert [event.polled for event in await take(stream, 1)] == [False]
            server.refuse_always = DOWN
            peer.abort()
            await until(lambda: ws.state is ConnectionState.POLLING)
            assert ws.counters.failures >= 3
            assert (stream.source, candles.source) == (Source.REST, Source.NONE)
            made.append(3)
            [event] = await take(stream, 1)
            assert (event.trade_id, event.polled) == (3, True)
            assert type((await take(books, 1))[0]) is DepthSnapshot
            late = ws.trades(S)
            await late.ready()
            server.refuse_always = None
            await until(lambda: ws.state is ConnectionState.LIVE)
            second = server.peers[1]
            await second.subscribed(NAME, "kline.1m.SOL_USDC")
            made += [4, 5]
            second.send(NAME, trade(5))
            second.send(NAME, trade(6))
            assert [event.trade_id for event in await take(stream, 3)] == [4, 5, 6]
            assert stream.source is candles.source is Source.SOCKET
            polls = ws.counters.polls
            await asyncio.sleep(0.04)
            assert ws.counters.polls == polls, "polling has stopped"
            assert [state.value for state in states] == ["connecting", "live", "reconnecting", "polling", "live"]


async def test_socket_only_never_polls() -> None:
    async with StreamServer() as server:
        server.refuse_always = DOWN
        async with streaming(server, mode="socket", poll_after_failures=1) as ws:
            stream = ws.trades(S)
            await until(lambda: ws.counters.failures >= 4)
            assert ws.state is ConnectionState.RECONNECTING
            assert ws.counters.polls == 0
            assert stream.source is Source.NONE


@pytest.mark.parametrize(
    "answer",
    [(429, {"code": "TOO_MANY_REQUESTS", "message": "slow"}), (500, b"no"), (0, b""), (200, b"<html>"), (200, {})],
)
async def test_polls_that_fail_are_made_again(answer: Reply) -> None:
    bad = [4]

    def rest(path: str, query: dict[str, str]) -> Reply | None:
        if path == "/api/v1/depth" and bad[0]:
            bad[0] -= 1
            return answer
        return figures(path, query)

    async with StreamServer() as server:
        server.rest = rest
        async with streaming(server, mode="rest") as ws:
            assert type((await take(ws.depth(S), 1))[0]) is DepthSnapshot
            assert bad == [0]


async def test_a_market_without_figures_is_no_event() -> None:
    async with StreamServer() as server:
        server.rest = lambda path, _query: (200, [] if path == "/api/v1/markPrices" else depth(1))
        async with streaming(server, mode="rest", check_symbols=False) as ws:
            streams: tuple[Subscription[Any], ...] = ws.book_tickers(S), ws.mark_prices(P)
            await until(lambda: ws.counters.polls >= 6)
            assert [stream.waiting for stream in streams] == [0, 0]


# Trades across reconnections


async def test_trades_are_complete_and_each_once_whatever_happens_to_the_socket() -> None:
    """The server trades on while sockets break, and loses, repeats and skips frames."""
    chance = Random(7)
    happened: list[int] = []
    async with StreamServer() as server:
        server.rest = answering("/api/v1/trades", lambda: (200, [rest_trade(number) for number in happened[-1000:]]))
        async with streaming(server) as ws:
            stream = ws.trades(S)
            await stream.ready()
            for number in range(1, 1501):
                happened.append(number)
                peer = server.peers[-1]
                draw = chance.random()
                if number == 1 or draw > 0.05:
                    if NAME in peer.names:
                        peer.send(NAME, trade(number))
                elif draw > 0.04:
                    peer.send(NAME, trade(number))
                    peer.send(NAME, trade(number))
                elif draw < 0.01:
                    peer.abort()
                if number % 10 == 0:
                    await asyncio.sleep(0.001)
            await until(lambda: NAME in server.peers[-1].names and not server.peers[-1].gone)
            happened.append(1501)
            server.peers[-1].send(NAME, trade(1501))
            got = [event.trade_id for event in await take(stream, 1501)]
            assert got == list(range(1, 1502))
            assert ws.counters.reconnects >= 3
            assert stream.waiting == 0


async def test_trades_missed_during_a_reconnection_come_without_waiting_for_the_next_one() -> None:
    happened = [1]
    async with StreamServer() as server:
        server.rest = answering("/api/v1/trades", lambda: (200, [rest_trade(number) for number in happened]))
        async with streaming(server) as ws:
            stream = ws.trades(S)
            peer = await server.peer()
            await peer.subscribed(NAME)
            peer.send(NAME, trade(1))
            await take(stream, 1)
            happened += [2, 3]
            peer.abort()
            got = await take(stream, 2)
            assert [(event.trade_id, event.polled) for event in got] == [(2, True), (3, True)]


async def test_trades_missed_between_the_last_poll_and_the_socket_come_without_waiting_for_the_next_one() -> None:
    happened, answers = [1], [True]
    async with StreamServer() as server:
        server.rest = answering(
            "/api/v1/trades",
            lambda: (200, [rest_trade(number) for number in happened]) if answers[0] else (500, b"no"),
        )
        async with streaming(server, poll_after_failures=1) as ws:
            stream = ws.trades(S)
            peer = await server.peer()
            await peer.subscribed(NAME)
            peer.send(NAME, trade(1))
            await take(stream, 1)
            server.refuse_always = DOWN
            peer.abort()
            await until(lambda: ws.state is ConnectionState.POLLING)
            happened.append(2)
            assert [event.trade_id for event in await take(stream, 1)] == [2]
            answers[0] = False
            await asyncio.sleep(0.02)
            happened.append(3)
            server.on_command = lambda _peer, _command: answers.insert(0, True)
            server.refuse_always = None
            assert [event.trade_id for event in await take(stream, 1)] == [3]


async def test_trades_go_on_when_their_history_can_not_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "_PAUSE", 0.001)
    async with StreamServer() as server:
        server.rest = answering("/api/v1/trades", lambda: (500, b"no"))
        async with streaming(server) as ws:
            stream = ws.trades(S)
            peer = await server.peer()
            await peer.subscribed(NAME)
            for number in (1, 5, 6):
                peer.send(NAME, trade(number))
            assert [event.trade_id for event in await take(stream, 3)] == [1, 5, 6]
            assert sum("/trades" in request for request in server.requests) == 5


async def test_a_consumer_of_raw_trades_shares_the_gate_with_one_who_asked_properly() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        raw: Any = ws.raw(NAME, "liquidation")
        await raw.ready()
        proper = ws.trades(S)
        await proper.ready()
        for number in (1, 2, 2):
            server.peers[0].send(NAME, trade(number))
        assert [event.trade_id for event in await take(proper, 2)] == [1, 2]
        assert [event.trade_id for event in await take(raw, 2)] == [1, 2]

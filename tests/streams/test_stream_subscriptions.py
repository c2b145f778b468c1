"""What each method asks for and brings, how refusals find their stream, and when streams are given back."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from nacl.signing import VerifyKey

from backpack_sdk import BackpackError
from backpack_sdk._core.errors import StreamError
from backpack_sdk.pairs import Pair
from backpack_sdk.streams import connection as connection_module
from backpack_sdk.streams import events
from backpack_sdk.streams.client import Streams
from backpack_sdk.streams.status import ConnectionState
from backpack_sdk.streams.subscription import Source, Subscription
from tests.loopback import CREDENTIALS
from tests.streams.desk import streaming, take
from tests.streams.stream_server import Peer, StreamServer, answering, delta, refusing, trade, until

P, S = "SOL_USDC_PERP", "SOL_USDC"
ORDER: dict[str, Any] = {
    "e": "orderFill", "E": 1, "s": S, "c": 7, "S": "Bid", "o": "LIMIT", "f": "GTC", "q": "2", "p": "1", "X": "Filled",
    "i": "11", "t": 9, "l": "2", "z": "2", "Z": "2", "L": "1", "m": True, "n": "0.1", "N": "USDC", "V": "RejectTaker",
    "T": 1, "O": "USER",
}  # fmt: skip
POSITION: dict[str, Any] = {
    "E": 1, "s": P, "b": "1", "B": "1", "l": "0", "f": "0.1", "M": "1", "m": "0.05", "q": "5", "Q": "5", "n": "5",
    "i": 1_111_343_026_172_067, "p": "0", "P": "0", "T": 1,
}  # fmt: skip
RFQ: dict[str, Any] = {"e": "rfqActive", "E": 1, "s": "SOL_USDC_RFQ", "S": "Bid", "q": "1", "X": "New", "R": 3, "T": 1}
TICKER: dict[str, Any] = {
    "e": "ticker", "E": 1, "s": S, "o": "1", "c": "2", "h": "3", "l": "1", "v": "9", "V": "9", "n": 4,
}  # fmt: skip
KLINE: dict[str, Any] = {
    "e": "kline", "E": 1, "s": S, "t": "2025-07-19T13:09:00", "T": "2025-07-19T13:10:00", "o": "1", "c": "1", "h": "1",
    "l": "1", "v": "1", "n": 1, "X": False,
}  # fmt: skip
BOOK_TICKER = {"e": "bookTicker", "E": 1, "s": S, "a": "2", "A": "1", "b": "1", "B": "1", "u": 5, "T": 1}
LIQUIDATION = {"e": "liquidation", "E": 1, "q": "1", "p": "2", "S": "Ask", "s": P, "T": 1}
MARK = {"e": "markPrice", "E": 1, "s": P, "p": "1", "f": "0.1", "i": "1", "n": 1, "T": 1}
INTEREST = {"e": "openInterest", "E": 1, "s": P, "o": "7"}

Ask = Callable[[Streams], Subscription[Any]]
METHODS: list[tuple[Ask, list[str], type[events.StreamEvent], dict[str, Any]]] = [
    (lambda ws: ws.book_tickers("SOL-USDC"), ["bookTicker.SOL_USDC"], events.BookTicker, BOOK_TICKER),
    (lambda ws: ws.depth("SOL/USDC"), ["depth.SOL_USDC"], events.DepthUpdate, delta(1, 2, [("1", "2")])),
    (lambda ws: ws.depth(S, window="600ms"), ["depth.600ms.SOL_USDC"], events.DepthUpdate, delta(1, 2)),
    (lambda ws: ws.klines(S), ["kline.1m.SOL_USDC"], events.Kline, KLINE),
    (lambda ws: ws.klines(S, interval="1month"), ["kline.1month.SOL_USDC"], events.Kline, KLINE),
    (lambda ws: ws.liquidations(), ["liquidation"], events.Liquidation, LIQUIDATION),
    (lambda ws: ws.mark_prices("SOL/USDC:USDC"), ["markPrice.SOL_USDC_PERP"], events.MarkPrice, MARK),
    (lambda ws: ws.open_interest("SOL-USDC-PERP"), ["openInterest.SOL_USDC_PERP"], events.OpenInterest, INTEREST),
    (lambda ws: ws.tickers(Pair.parse(S)), ["ticker.SOL_USDC"], events.Ticker, TICKER),
    (lambda ws: ws.trades(S, "BTC-USDC"), ["trade.SOL_USDC", "trade.BTC_USDC"], events.Trade, trade(5)),
    (lambda ws: ws.order_updates(), ["account.orderUpdate"], events.OrderUpdate, ORDER),
    (lambda ws: ws.order_updates(S), ["account.orderUpdate.SOL_USDC"], events.OrderUpdate, ORDER),
    (lambda ws: ws.position_updates(), ["account.positionUpdate"], events.PositionUpdate, POSITION),
    (lambda ws: ws.position_updates(P), [f"account.positionUpdate.{P}"], events.PositionUpdate, POSITION),
    (lambda ws: ws.rfq_updates(), ["account.rfqUpdate"], events.RfqUpdate, RFQ),
    (lambda ws: ws.balance_updates(), ["account.balanceUpdate"], events.BalanceUpdate, {"any": 1}),
    (lambda ws: ws.external_tickers(S), ["externalTicker.SOL_USDC"], events.ExternalTicker, {"s": S, "p": "1"}),
    (lambda ws: ws.stock_prices("AAPL"), ["stockPrice.AAPL"], events.StockPrice, {"s": "AAPL", "p": "1"}),
    (lambda ws: ws.raw("newKind.X"), ["newKind.X"], events.UnknownEvent, {"x": [1]}),
    (lambda ws: ws.raw("trade.SOL_USDC"), ["trade.SOL_USDC"], events.Trade, trade(5)),
]


@pytest.mark.parametrize(("ask", "names", "kind", "payload"), METHODS)
async def test_each_method_asks_for_its_stream_and_brings_its_events(
    ask: Ask, names: list[str], kind: type[events.StreamEvent], payload: dict[str, Any]
) -> None:
    async with StreamServer() as server, streaming(server) as ws:
        stream = ask(ws)
        peer = await server.peer()
        await peer.subscribed(*names)
        assert stream.names == tuple(names)
        [command] = peer.commands
        assert (command["method"], command["params"]) == ("SUBSCRIBE", names)
        assert ("signature" in command) == names[0].startswith("account.")
        peer.send(names[0], payload)
        [event] = await take(stream, 1)
        assert type(event) is kind
        assert event.stream == names[0]
        assert event.wire == payload
        assert stream.source is Source.SOCKET


def verified(command: dict[str, Any]) -> int:
    """Check the signature of a private frame by other means than the SDK's; gives its timestamp."""
    key, signed, timestamp, window = command["signature"]
    assert key == CREDENTIALS.api_key
    message = f"instruction=subscribe&timestamp={timestamp}&window={window}".encode()
    VerifyKey(base64.b64decode(key)).verify(message, base64.b64decode(signed))
    return int(timestamp)


async def test_private_frames_are_signed_and_signed_anew_after_a_reconnection() -> None:
    async with StreamServer() as server, streaming(server, client={"window": 7000}) as ws:
        kept: list[Subscription[Any]] = [ws.order_updates(), ws.position_updates(P), ws.trades(S)]
        wanted = [name for stream in kept for name in stream.names]
        first = await server.peer(1)
        await first.subscribed(*wanted)
        await asyncio.sleep(0.002)
        first.abort()
        second = await server.peer(2)
        await second.subscribed(*wanted)
        before, after = ([command for command in peer.commands if "signature" in command] for peer in (first, second))
        assert [name for command in after for name in command["params"]] == wanted[:2]
        stamps = [verified(command) for command in (*before, *after)]
        assert max(stamps[: len(before)]) < min(stamps[len(before) :])
        assert abs(stamps[-1] / 1000 - time.time()) < 60
        assert all(command["signature"][3] == "7000" for command in (*before, *after))
        for command in first.commands + second.commands:
            private = [name.startswith("account.") for name in command["params"]]
            assert all(private) == any(private) == ("signature" in command)


async def test_a_signature_refused_sets_the_clock_right_and_is_tried_once_more() -> None:
    async with StreamServer() as server:
        server.rest = answering("/api/v1/time", lambda: (200, str(int(time.time() * 1000) + 3_600_000).encode()))

        def check(peer: Peer, command: dict[str, Any]) -> None:
            if "signature" in command and abs(verified(command) / 1000 - time.time() - 3600) > 60:
                peer.error(4003, "Invalid signature")

        server.on_command = check
        async with streaming(server) as ws:
            stream, other = ws.order_updates(), ws.liquidations()
            peer = await server.peer()
            async with asyncio.timeout(5):
                await stream.ready()
            signed = [command for command in peer.commands if "signature" in command]
            assert len(signed) == 2
            assert ws.counters.errors == 1
            peer.send("account.orderUpdate", ORDER)
            peer.send("liquidation", LIQUIDATION)
            assert [type(event) for event in (*await take(stream, 1), *await take(other, 1))] == [
                events.OrderUpdate, events.Liquidation,
            ]  # fmt: skip


async def test_a_signature_that_is_refused_again_ends_that_stream_alone() -> None:
    async with StreamServer() as server:
        server.on_command = lambda peer, command: (
            peer.error(4003, "Invalid signature") if "signature" in command else None
        )
        async with streaming(server) as ws:
            trades = ws.trades(S)
            await trades.ready()
            orders = ws.order_updates()
            with pytest.raises(StreamError) as caught:
                await anext(orders)
            assert (caught.value.code, caught.value.message) == (4003, "Invalid signature")
            assert caught.value.stream == "account.orderUpdate"
            with pytest.raises(StreamError):
                await orders.ready()
            with pytest.raises(StopAsyncIteration):
                await anext(orders)
            peer = server.peers[0]
            assert sum("signature" in command for command in peer.commands) == 2
            peer.send("trade.SOL_USDC", trade(1))
            assert len(await take(trades, 1)) == 1
            assert ws.state is ConnectionState.LIVE
            peer.abort()
            second = await server.peer(2)
            await second.subscribed("trade.SOL_USDC")
            assert "account.orderUpdate" not in second.names, "what was refused is not asked for again"


async def test_a_stream_that_does_not_exist_ends_alone_and_one_frame_tells_which() -> None:
    async with StreamServer() as server:
        server.on_command = refusing("foo", 4006)
        async with streaming(server) as ws:
            good, bad = ws.liquidations(), ws.raw("foo.SOL_USDC")
            with pytest.raises(StreamError, match=r"foo.SOL_USDC: Invalid stream: foo.SOL_USDC \(code 4006\)"):
                await bad.ready()
            await good.ready()
            server.peers[0].send("liquidation", LIQUIDATION)
            assert len(await take(good, 1)) == 1


async def test_an_error_that_is_about_nothing_outstanding_is_counted_only() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        stream = ws.liquidations()
        await stream.ready()
        peer = server.peers[0]
        peer.error(4002, "what?")
        peer.text('{"error":"text","id":null}')
        peer.send("liquidation", LIQUIDATION)
        assert len(await take(stream, 1)) == 1
        assert ws.counters.errors == 2


async def test_frames_that_mean_nothing_are_counted_and_do_no_harm() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        stream = ws.liquidations()
        trades = ws.trades(S)
        await asyncio.gather(stream.ready(), trades.ready())
        peer = server.peers[0]
        for text in ("no json", "[]", "1", "", '{"id":1,"result":null}', '{"stream":5,"data":{}}', "{" * 5000):
            peer.text(text)
        peer.raw(b"\x81\x02\xff\xfe")
        peer.send("trade.BTC_USDC", trade(1, "BTC_USDC"))
        peer.send("trade.SOL_USDC", {"e": "trade", "odd": 1})
        peer.send("trade.SOL_USDC", trade(1))
        peer.send("liquidation", LIQUIDATION)
        assert type((await take(stream, 1))[0]) is events.Liquidation
        (good,) = await take(trades, 1)
        assert good.trade_id == 1
        counters = ws.counters
        assert counters.undecodable == 6
        assert counters.unknown == 1
        assert counters.unrouted == 3
        assert counters.frames == 12
        assert counters.bytes > 0


async def test_lag_is_told_by_the_exchanges_clock() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        stream = ws.liquidations()
        await stream.ready()
        assert ws.counters.lag_us is None
        for _ in range(16):
            server.peers[0].send("liquidation", {**LIQUIDATION, "E": int(time.time() * 1e6) - 5_000_000})
        await take(stream, 16)
        assert ws.counters.lag_us is not None
        assert 5_000_000 <= ws.counters.lag_us < 60_000_000


# Giving streams back


async def test_a_stream_is_given_back_when_nobody_uses_it_any_more() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        one, two = ws.trades(S), ws.trades(S, "BTC_USDC")
        await asyncio.gather(one.ready(), two.ready())
        peer = server.peers[0]
        assert sorted(name for names in peer.subscriptions for name in names) == ["trade.BTC_USDC", "trade.SOL_USDC"]
        await two.aclose()
        await until(lambda: "trade.BTC_USDC" not in peer.names)
        assert "trade.SOL_USDC" in peer.names
        peer.send("trade.SOL_USDC", trade(1))
        assert len(await take(one, 1)) == 1
        with pytest.raises(StopAsyncIteration):
            await anext(two)
        await one.aclose()
        await until(lambda: not peer.names)
        assert [command["params"] for command in peer.commands if command["method"] == "UNSUBSCRIBE"] == [
            ["trade.BTC_USDC"], ["trade.SOL_USDC"],
        ]  # fmt: skip
        peer.send("trade.SOL_USDC", trade(2))
        await until(lambda: ws.counters.unrouted == 1)


async def test_a_stream_is_given_back_when_its_subscription_is_forgotten() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        stream = ws.trades(S)
        await stream.ready()
        assert server.peers[0].names
        del stream
        gc.collect()
        await until(lambda: not server.peers[0].names)


async def test_a_loop_over_a_subscription_without_a_name_keeps_it() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        got: list[int] = []

        async def read() -> None:
            async for event in ws.trades(S):
                got.append(event.trade_id)
                if len(got) == 3:
                    break

        task = asyncio.create_task(read())
        peer = await server.peer()
        await peer.subscribed("trade.SOL_USDC")
        for number in (1, 2, 3):
            gc.collect()
            peer.send("trade.SOL_USDC", trade(number))
            await asyncio.sleep(0)
        await task
        assert got == [1, 2, 3]
        await until(lambda: not peer.names)


async def test_what_waits_can_be_read_after_closing_and_ready_says_that_it_is_closed() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        stream = ws.trades(S)
        await stream.ready()
        server.peers[0].send("trade.SOL_USDC", trade(1))
        await until(lambda: stream.waiting == 1)
        await stream.aclose()
        assert [event.trade_id async for event in stream] == [1]
        server.answer_pings = False
        other = ws.trades("BTC_USDC")
        waiting = asyncio.create_task(other.ready())
        await asyncio.sleep(0)
        await other.aclose()
        with pytest.raises(BackpackError, match="closed"):
            await waiting


async def test_a_subscription_made_and_closed_at_once_sends_nothing() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        await ws.trades(S).aclose()
        stream = ws.liquidations()
        await stream.ready()
        assert server.peers[0].subscriptions == [["liquidation"]]


async def test_async_with_waits_until_the_server_has_read_it_and_gives_it_back() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        async with ws.trades(S) as stream:
            peer = server.peers[0]
            assert list(peer.names) == ["trade.SOL_USDC"]
            assert peer.pings == 1
            assert repr(stream) == "<Subscription trade.SOL_USDC: 0 waiting, 0 dropped>"
        await until(lambda: not peer.names)


async def test_ready_gives_up_after_its_timeout() -> None:
    async with StreamServer() as server:
        server.answer_pings = False
        async with streaming(server) as ws:
            with pytest.raises(TimeoutError):
                await ws.trades(S).ready(timeout=0.02)


async def test_async_with_that_is_given_up_gives_its_stream_back() -> None:
    async with StreamServer() as server:
        server.answer_pings = False
        async with streaming(server) as ws:
            stream = ws.trades(S)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02), stream:
                    pass
            assert not ws._routes.names()


async def test_a_second_consumer_is_ready_no_sooner_than_the_first() -> None:
    async with StreamServer() as server:
        server.answer_pings = False
        async with streaming(server) as ws:
            first = ws.trades(S)
            await (await server.peer()).subscribed("trade.SOL_USDC")
            second = ws.trades(S)
            with pytest.raises(TimeoutError):
                await second.ready(timeout=0.03)
            await until(lambda: server.peers[0].pings)
            assert first.waiting == 0


async def test_a_server_that_answers_no_ping_is_trusted_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "_CONFIRM_WITHIN", 0.02)
    async with StreamServer() as server:
        server.answer_pings = False
        async with streaming(server) as ws:
            await ws.trades(S).ready()
            await ws.trades("BTC_USDC").ready()


async def test_two_consumers_of_one_stream_get_the_same_events() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        one, two = ws.trades(S), ws.trades(S)
        await asyncio.gather(one.ready(), two.ready())
        for number in range(1, 6):
            server.peers[0].send("trade.SOL_USDC", trade(number))
        first, second = await take(one, 5), await take(two, 5)
        assert first == second
        assert [event.price for event in first] == [Decimal("100.5")] * 5
        late = ws.trades(S)
        await late.ready()
        assert server.peers[0].subscriptions == [["trade.SOL_USDC"]]


def test_the_frames_on_the_wire_are_compact() -> None:
    from backpack_sdk.streams.names import subscribe_frames

    [frame] = subscribe_frames(["trade.SOL_USDC"], list)
    assert frame.text == '{"method":"SUBSCRIBE","params":["trade.SOL_USDC"]}'
    assert json.loads(frame.text)

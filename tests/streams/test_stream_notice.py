"""What must not go unnoticed: errors of callbacks, refusals of one of many, events of no class, holes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backpack_sdk._core.errors import StreamError
from backpack_sdk.streams import events
from backpack_sdk.streams.queue import SlowConsumer
from backpack_sdk.streams.status import ConnectionState, StateChange
from backpack_sdk.streams.subscription import Subscription
from backpack_sdk.streams.symbols import SymbolCheck
from tests.streams.desk import live, streaming, take, watch
from tests.streams.reference import Exchange
from tests.streams.stream_server import Peer, Reply, StreamServer, delta, frame, trade, until
from tests.streams.test_stream_subscriptions import ORDER, POSITION, P, S

BTC = "BTC_USDC"


def fail(_event: object) -> None:
    raise LookupError("of no use")


async def test_a_callback_that_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with StreamServer() as server, streaming(server) as ws:
        task = ws.trades(S).listen(fail)
        peer = await server.peer()
        await peer.subscribed(f"trade.{S}")
        peer.send(f"trade.{S}", trade(1))
        await asyncio.wait([task])
        assert "of no use" in caplog.text
        assert isinstance(task.exception(), LookupError)


async def test_a_callback_of_a_market_that_does_not_exist_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with StreamServer() as server, streaming(server) as ws:
        await asyncio.wait([ws.trades("NOPE_USDC").listen(print)])
        assert "NOPE_USDC" in caplog.text


async def test_a_slow_callback_for_orders_is_logged_when_it_loses_some(caplog: pytest.LogCaptureFixture) -> None:
    async with StreamServer() as server, streaming(server) as ws:
        go_on = asyncio.Event()

        async def slow(_event: object) -> None:
            await go_on.wait()

        task = ws.order_updates(max_queue=1).listen(slow)
        peer = await server.peer()
        await peer.subscribed("account.orderUpdate")
        for _ in range(5):
            peer.send("account.orderUpdate", ORDER)
        await until(lambda: ws.counters.frames == 5)
        go_on.set()
        await asyncio.wait([task])
        assert isinstance(task.exception(), SlowConsumer)
        assert "events were lost" in caplog.text


@pytest.mark.parametrize("refused", [{"stockPrice.AAPL"}, {"stockPrice.AAPL", "foo.X"}, {f"trade.{S}"}])
async def test_a_refusal_that_names_nothing_ends_what_was_refused_alone(refused: set[str]) -> None:
    async with StreamServer() as server, streaming(server) as ws:
        streams: list[Subscription[Any]] = [
            ws.trades(S),
            ws.tickers(BTC),
            ws.depth(S),
            ws.raw("stockPrice.AAPL"),
            ws.raw("foo.X"),
        ]
        await asyncio.gather(*(stream.ready() for stream in streams))

        def refuse(peer: Peer, command: dict[str, Any]) -> None:
            found = refused.intersection(command["params"])
            if command["method"] == "SUBSCRIBE" and found:
                for name in command["params"]:
                    peer.names.pop(name, None)  # the server takes all of a frame, or nothing
                peer.error(4006, "Invalid stream type")

        server.on_command = refuse
        server.peers[0].abort()
        peer = await server.peer(2)
        names = {name for stream in streams for name in stream.names}
        await until(lambda: set(peer.names) == names - refused and ws.counters.errors >= 1)
        for stream in streams:
            if refused.isdisjoint(stream.names):
                assert stream.names[0] in peer.names
            else:
                with pytest.raises(StreamError, match="Invalid stream type"):
                    await take(stream, 1)
        await asyncio.sleep(0.05)
        assert set(peer.names) == names - refused


async def test_markets_that_can_not_be_looked_up_for_any_reason_are_subscribed_to(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken:
        async def send(self, _request: object, *, timeout: float | None = None) -> Any:  # noqa: ASYNC109
            raise ImportError("a package is missing")

        send_raw = send

    await SymbolCheck(Broken()).require([S])
    assert "a package is missing" in caplog.text


async def test_an_event_of_no_class_goes_to_who_asked_by_name_and_to_callbacks() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        typed, raw = ws.trades(S), ws.raw(f"trade.{S}")
        seen: list[events.UnknownEvent] = []
        ws.on_unknown(seen.append)
        await asyncio.gather(typed.ready(), raw.ready())
        peer = server.peers[0]
        peer.send(f"trade.{S}", {"e": "trade", "odd": 1})
        peer.send(f"trade.{S}", trade(1))
        (good,), (odd, same) = await take(typed, 1), await take(raw, 2)
        assert (good.trade_id, same) == (1, good)
        assert type(odd) is events.UnknownEvent
        assert odd.problem is not None
        assert odd.wire == {"e": "trade", "odd": 1}
        assert seen == [odd]
        assert ws.counters.unknown == 1


async def test_a_later_subscriber_gets_the_open_positions_too() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        first = ws.position_updates()
        await first.ready()
        peer, name = server.peers[0], "account.positionUpdate"
        peer.send(name, POSITION)
        peer.send(name, {**POSITION, "s": "BTC_USDC_PERP", "i": 2})
        peer.send(name, {**POSITION, "e": "positionAdjusted", "q": "7"})
        peer.send(name, {**POSITION, "e": "positionClosed", "s": "BTC_USDC_PERP", "i": 2, "q": "0"})
        await take(first, 4)
        second = ws.position_updates()
        await second.ready()
        (position,) = await take(second, 1)
        assert (position.symbol, position.net_quantity, position.event, position.stream) == (P, 7, None, name)
        assert (first.waiting, second.waiting) == (0, 0)
        peer.abort()
        peer = await server.peer(2)
        await peer.subscribed(name)
        third = ws.position_updates()
        await third.ready()
        assert third.waiting == 0, "the exchange tells them anew on a new connection"


@pytest.mark.parametrize("kind", ["function", "coroutine function"])
async def test_state_changes_go_to_any_kind_of_callback(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    async with StreamServer() as server, streaming(server) as ws:
        seen: list[ConnectionState] = []

        def note(change: StateChange) -> None:
            seen.append(change.new)
            raise LookupError("of no use")

        async def wait_and_note(change: StateChange) -> None:
            await asyncio.sleep(0)
            note(change)

        ws.on_state_change(note if kind == "function" else wait_and_note)
        await until(lambda: ConnectionState.LIVE in seen)
        await until(lambda: "of no use" in caplog.text)
        assert ws.state is ConnectionState.LIVE


async def test_holes_in_depth_updates_are_counted() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        changes = ws.depth(S)
        await changes.ready()
        for first, last in ((5, 6), (7, 7), (9, 9), (10, 12)):
            server.peers[0].send(f"depth.{S}", delta(first, last))
        await take(changes, 4)
        assert ws.counters.gaps == 1
        server.peers[0].abort()
        peer = await server.peer(2)
        await peer.subscribed(f"depth.{S}")
        peer.send(f"depth.{S}", delta(50, 50))
        await take(changes, 1)
        assert ws.counters.gaps == 1, "after a new subscription nothing can be missing"


async def test_a_server_that_breaks_the_protocol_is_told_apart_from_a_broken_line() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        changes = watch(ws)
        await live(ws)
        (await server.peer()).raw(frame("x", mask=True))
        await until(lambda: any(change.new is ConnectionState.RECONNECTING for change in changes))
        [reason] = {change.reason for change in changes if change.new is ConnectionState.RECONNECTING}
        assert "broke the protocol" in reason


async def test_a_polled_stream_is_ready_when_rest_has_answered() -> None:
    failing = True

    def rest(path: str, _query: dict[str, str]) -> Reply | None:
        return (503, b"later") if failing and path.endswith("/depth") else None

    async with StreamServer() as server:
        server.rest = rest
        async with streaming(server, mode="rest") as ws:
            stream = ws.depth(S)
            with pytest.raises(TimeoutError):
                await stream.ready(0.1)
            failing = False
            await stream.ready(5)


async def test_books_that_were_refused_do_not_come_live_for_the_next_who_wants_them() -> None:
    async with StreamServer(S) as server, streaming(server) as ws:
        exchange = Exchange(server)
        refusing = True

        def refuse(peer: Peer, command: dict[str, Any]) -> None:
            if refusing and command["method"] == "SUBSCRIBE" and f"depth.{S}" in command["params"]:
                peer.names.pop(f"depth.{S}", None)
                peer.error(4006, f"Invalid stream depth.{S}")

        server.on_command = refuse
        async with ws.order_books(S) as first:
            with pytest.raises(StreamError):
                await first.wait_live(timeout=5)
            async with ws.order_books(S) as second:
                with pytest.raises(StreamError):
                    await second.wait_live(timeout=5)
                with pytest.raises(StreamError):
                    await ws.depth(S).ready(5)
                first.remove(S)
                await first.add(S)
                with pytest.raises(StreamError):
                    await first.wait_live(timeout=5)
                refusing = False
                first.remove(S)
                await first.add(S)
                peer = await server.peer()
                await peer.subscribed(f"depth.{S}")
                exchange.tell(peer, S)
                await first.wait_live(timeout=5)
                exchange.assert_right(first[S])


async def test_a_stream_closed_while_it_is_under_suspicion_is_given_back() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        streams: list[Subscription[Any]] = [ws.raw(f"new.{number}") for number in range(5)]

        def refuse(peer: Peer, command: dict[str, Any]) -> None:
            if command["method"] == "SUBSCRIBE" and "new.4" in command["params"]:
                del peer.names["new.4"]  # the others of the frame are taken
                peer.error(4006, "Invalid stream type")

        server.on_command = refuse
        await until(lambda: ws.counters.errors >= 1)
        await streams[0].aclose()
        with pytest.raises(StreamError):
            await take(streams[4], 1)
        peer = await server.peer()
        await until(lambda: set(peer.names) == {"new.1", "new.2", "new.3"})


async def test_a_coroutine_hears_that_the_connection_is_closed() -> None:
    heard: list[ConnectionState] = []
    mine: list[asyncio.Task[None]] = []

    async def note(change: StateChange) -> None:
        await asyncio.sleep(0.01)
        heard.append(change.new)

    async with StreamServer() as server, streaming(server) as ws:
        ws.on_state_change(note)
        ws.on_state_change(lambda change: mine.append(asyncio.create_task(note(change))))
        await live(ws)
    assert heard.count(ConnectionState.CLOSED) >= 1
    await asyncio.gather(*mine)
    assert heard.count(ConnectionState.CLOSED) == 2, "a task that is the user's own is left alone"


async def test_positions_go_to_who_subscribes_before_the_first_answer() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        name = "account.positionUpdate"
        server.on_command = lambda peer, _command: peer.send(name, POSITION)
        first = ws.position_updates()
        (told,) = await take(first, 1)
        second = ws.position_updates()
        (same,) = await take(second, 1)
        assert (told.symbol, same.symbol) == (P, P)
        server.peers[0].send(name, {"e": "positionClosed", "odd": 1})
        await until(lambda: ws.counters.unknown == 1)
        third = ws.position_updates()
        await third.ready()
        assert third.waiting == 0, "the unreadable event may have been about it"


async def test_no_hole_is_seen_when_books_leave_a_stream_that_is_read_on() -> None:
    async with StreamServer(S) as server, streaming(server) as ws:
        exchange = Exchange(server)
        changes = ws.depth(S)
        peer = await server.peer()
        async with ws.order_books(S) as books:
            await peer.subscribed(f"depth.{S}")
            await books.wait_live(timeout=5)
            for _ in range(3):
                exchange.tell(peer, S)
            await take(changes, 3)
        exchange.tell(peer, S)
        await take(changes, 1)
        assert ws.counters.gaps == 0


async def test_streams_of_several_kinds_by_name_are_polled_too() -> None:
    async with StreamServer() as server, streaming(server, mode="rest") as ws:
        mixed = ws.raw(f"depth.{S}", f"bookTicker.{S}")
        await mixed.ready(5)
        kinds = {type(event).__name__ for event in await take(mixed, 6)}
        assert "DepthSnapshot" in kinds

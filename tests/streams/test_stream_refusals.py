"""What it means when a socket can't be opened, and what follows from it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backpack_sdk import BackpackError, InvalidArgument, RegionRestricted
from backpack_sdk._core.errors import ConnectionFailed, RateLimited, RequestTimeout, ServerError
from backpack_sdk.streams.backoff import Backoff
from backpack_sdk.streams.opening import open_socket
from backpack_sdk.streams.options import StreamOptions
from backpack_sdk.streams.status import ConnectionState
from tests.streams.desk import client_of, closed_port, live, options, streaming
from tests.streams.stream_server import StreamServer, refusal, until

TRADES = "trade.SOL_USDC"
CONNECTING, LIVE, CLOSED = ConnectionState.CONNECTING, ConnectionState.LIVE, ConnectionState.CLOSED
RECONNECTING, STALE = ConnectionState.RECONNECTING, ConnectionState.STALE


async def opening(server: StreamServer, **choices: Any) -> None:
    async with client_of(server) as bp:
        setup = bp._stream_setup(bp, bp.sync_clock)
        connection = await open_socket(choices.pop("url", server.ws_url), setup, StreamOptions(**choices))
        await connection.close()


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refusal(429, "retry-after: 7"), RateLimited),
        (refusal(451), RegionRestricted),
        (refusal(403, body="blocked"), RegionRestricted),
        (refusal(503), ServerError),
        (refusal(404), ConnectionFailed),
        (refusal(302, "location: https://login.example/portal"), ConnectionFailed),
        (b"\x00\xff garbage \r\n\r\n", ConnectionFailed),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", ConnectionFailed),
        (b"HTTP/1.1 101 Switching", ConnectionFailed),
    ],
)
async def test_what_a_refusal_means(reply: bytes, kind: type[BackpackError]) -> None:
    async with StreamServer() as server:
        server.refusals.append(reply)
        with pytest.raises(kind) as caught:
            await opening(server)
        if isinstance(caught.value, RateLimited):
            assert caught.value.retry_after == 7.0
        if isinstance(caught.value, RegionRestricted):
            assert "alternate_ws_urls" in str(caught.value)


async def test_a_server_that_never_answers_the_handshake_is_given_up() -> None:
    async with StreamServer() as server:
        server.refusals.append(b"")
        with pytest.raises(RequestTimeout):
            await opening(server, open_timeout=0.03)


async def test_an_address_where_nobody_listens() -> None:
    async with StreamServer() as server:
        with pytest.raises(ConnectionFailed):
            await opening(server, url=closed_port())


async def test_a_proxy_that_can_not_be_one_is_refused_without_being_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "gopher://user:hunter2@127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    async with StreamServer() as server:
        with pytest.raises(InvalidArgument) as caught:
            await opening(server, url="ws://stream.example")
        assert caught.value.argument == "proxy"
        assert "hunter2" not in str(caught.value)


async def test_the_socket_goes_through_the_proxy() -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with proxy, StreamServer() as server:
        address = f"http://user:hunter2@127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        async with client_of(server, proxy=address) as bp:
            with pytest.raises(ConnectionFailed) as caught:
                await open_socket("ws://stream.example", bp._stream_setup(bp, bp.sync_clock), StreamOptions())
        assert seen[0].startswith(b"CONNECT stream.example:80 HTTP/1.1")
        assert "hunter2" not in str(caught.value)


async def test_retry_after_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float | None] = []
    plain = Backoff.next_delay

    def next_delay(self: Backoff, seconds: float | None = None) -> float:
        asked.append(seconds)
        return min(plain(self, seconds), 0.01)

    monkeypatch.setattr(Backoff, "next_delay", next_delay)
    async with StreamServer() as server:
        server.refusals += [refusal(429, "retry-after: 7"), refusal(503, "retry-after: 3"), refusal(503), None]
        async with streaming(server) as ws:
            server.refusals.pop()
            await live(ws)
        assert asked == [7.0, 3.0, None]


async def test_other_hosts_are_tried_when_one_refuses_or_is_not_there() -> None:
    async with StreamServer() as blocked, StreamServer() as server:
        blocked.refuse_always = refusal(451)
        client = {"ws_url": blocked.ws_url, "alternate_ws_urls": [closed_port(), server.ws_url]}
        async with streaming(server, client=client) as ws:
            await live(ws)
            assert ws.url == server.ws_url
            assert ws.counters.failures == 2


async def test_a_host_that_is_away_for_a_while_is_no_refusal() -> None:
    async with StreamServer() as blocked, StreamServer() as server:
        blocked.refuse_always = refusal(403)
        server.refusals += [refusal(503)] * 4
        client = {"ws_url": blocked.ws_url, "alternate_ws_urls": [server.ws_url]}
        async with streaming(server, client=client) as ws:
            await live(ws)
            assert ws.url == server.ws_url


async def test_region_restricted_reaches_every_consumer_when_every_host_refuses() -> None:
    async with StreamServer() as first, StreamServer() as second:
        first.refuse_always, second.refuse_always = refusal(451), refusal(403)
        client = {"alternate_ws_urls": [second.ws_url]}
        async with streaming(first, client=client) as ws:
            stream, other = ws.liquidations(), ws.raw("some.stream")
            with pytest.raises(RegionRestricted):
                await anext(stream)
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
            with pytest.raises(RegionRestricted):
                await other.ready()
            with pytest.raises(RegionRestricted):
                await ws.wait_closed()
            assert ws.state is CLOSED
            with pytest.raises(RegionRestricted):
                ws.trades("SOL_USDC")


async def test_order_books_learn_that_every_host_refuses_whenever_they_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    async with StreamServer() as server:
        server.refuse_always = refusal(451)
        async with client_of(server) as bp:
            with pytest.raises(RegionRestricted):
                async with bp.order_books("SOL_USDC", options=options()) as books:
                    await books.wait_live()
            async with bp.streams(options()) as ws:
                await until(lambda: ws.state is CLOSED)
                with pytest.raises(RegionRestricted):
                    async with ws.order_books("SOL_USDC"):
                        pass
            async with bp.streams(options()) as ws:

                async def look_up(_symbols: Any) -> None:
                    await until(lambda: ws.state is CLOSED)

                monkeypatch.setattr(ws._symbols, "require", look_up)
                with pytest.raises(RegionRestricted):
                    async with ws.order_books("SOL_USDC"):
                        pass

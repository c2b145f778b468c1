"""Alternate hosts, and a clock that differs from the exchange's."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from typing import Any

import pytest

from backpack_sdk import (
    AuthenticationError,
    Backpack,
    BackpackError,
    ConnectionFailed,
    Credentials,
    InvalidArgument,
    InvalidResponse,
    OutcomeUnknown,
    RegionRestricted,
    Request,
    RequestTimeout,
    ServerError,
    operations,
)

from . import loopback
from .loopback import (
    CREDENTIALS,
    SHORT,
    Action,
    Desk,
    Seen,
    both,
    closed_port,
    desk,
    error,
    hang_up,
    reply,
    serving,
    signed_by,
    unresponsive,
)

READ = operations.order.get_open_orders(symbol="SOL_USDC")
CANCEL = operations.order.cancel_order("SOL_USDC", client_id=7)
PING = operations.system.ping()
requests = pytest.mark.parametrize("request_", [READ, CANCEL, PING], ids=["read", "command", "public"])
BLOCKED: dict[str, Action] = {
    "451": reply(451, b""),
    "451 with a page": reply(451, b"<html>"),
    "403 from the edge": reply(403, b"<html>"),
}


def good(seen: Seen) -> Action:
    if seen.method == "DELETE":
        return reply(202, b"")
    return reply(200, b"pong" if seen.path.endswith("ping") else b"[]")


# Hosts


@both
@requests
@pytest.mark.parametrize("action", BLOCKED.values(), ids=list(BLOCKED))
async def test_refused_region_moves_on_and_stays(flavour: str, request_: Request[Any], action: Action) -> None:
    with serving(action) as blocked, serving(action) as also_blocked, serving() as free:
        free.answer = good
        hosts = [also_blocked.url, free.url + "/"]
        async with desk(flavour, blocked.url, alternate_urls=hosts) as bench:
            assert bench.client.base_url == blocked.url
            for _ in range(3):
                await bench.send(request_)
            assert bench.client.base_url == free.url
            assert bench.time.pauses == []
        assert [len(server.requests) for server in (blocked, also_blocked, free)] == [1, 1, 3]
        assert free.requests[0].headers["host"] == free.url.removeprefix("http://")
        if request_.operation.instruction is not None:
            signed_by(free.requests[0], request_.operation.instruction)


@both
@requests
async def test_refused_connection_moves_on(flavour: str, request_: Request[Any]) -> None:
    with serving() as free:
        free.answer = good
        async with desk(flavour, closed_port(), alternate_urls=[free.url]) as bench:
            await bench.send(request_)
            assert bench.time.pauses == []
        assert len(free.requests) == 1


@both
async def test_silent_host_moves_on(flavour: str) -> None:
    with unresponsive() as silent, serving() as free:
        free.answer = good
        async with desk(flavour, silent, alternate_urls=[free.url]) as bench:
            await bench.send(CANCEL, timeout=SHORT)
        assert len(free.requests) == 1


@both
@requests
async def test_every_region_refused(flavour: str, request_: Request[Any]) -> None:
    with serving(reply(451, b"")) as first, serving(reply(451, b"")) as second:
        async with desk(flavour, first.url, alternate_urls=[second.url]) as bench:
            with pytest.raises(RegionRestricted, match="alternate_urls"):
                await bench.send(request_)
        assert [len(server.requests) for server in (first, second)] == [1, 1]


@both
async def test_every_host_down(flavour: str) -> None:
    async with desk(flavour, closed_port(), alternate_urls=[closed_port()], max_retries=1) as bench:
        with pytest.raises(ConnectionFailed):
            await bench.send(CANCEL)
        assert bench.time.pauses == [0.5]


@both
@pytest.mark.parametrize("action", [reply(500, b""), hang_up, loopback.TRUNCATED], ids=["500", "hangs up", "truncated"])
async def test_command_does_not_move_on_once_it_was_sent(flavour: str, action: Action) -> None:
    with serving(action) as first, serving() as second:
        async with desk(flavour, first.url, alternate_urls=[second.url]) as bench:
            with pytest.raises(OutcomeUnknown):
                await bench.send(CANCEL)
        assert (len(first.requests), second.requests) == (1, [])


@both
async def test_refusal_with_a_code_does_not_move_on(flavour: str) -> None:
    with serving(error(403, "FORBIDDEN")) as first, serving() as second:
        async with desk(flavour, first.url, alternate_urls=[second.url]) as bench:
            with pytest.raises(BackpackError, match="FORBIDDEN"):
                await bench.send(CANCEL)
        assert (len(first.requests), second.requests) == (1, [])


@both
async def test_calls_at_once_move_on_together(flavour: str) -> None:
    """Several calls find the first host blocked at the same time: none of them goes back to it."""
    with serving(reply(451, b"")) as blocked, serving() as free:
        free.answer = good
        async with desk(flavour, blocked.url, alternate_urls=[free.url], rate_limit=None) as bench:
            await asyncio.gather(*(bench.send(CANCEL) for _ in range(8)))
            assert bench.client.base_url == free.url
        assert len(free.requests) == 8


@both
async def test_full_pool_is_no_reason_to_move_on(flavour: str) -> None:
    taken, release = threading.Event(), threading.Event()

    def occupy(connection: socket.socket) -> bool:
        taken.set()
        release.wait(5)
        return reply(200, b"[]")(connection)

    with serving(occupy) as busy, serving() as other:
        async with desk(flavour, busy.url, alternate_urls=[other.url], max_connections=1, max_retries=0) as bench:
            first = asyncio.create_task(bench.send(READ))
            await asyncio.to_thread(taken.wait, 5)
            with pytest.raises(RequestTimeout, match="every connection stayed in use"):
                await bench.send(CANCEL, timeout=0.05)
            assert bench.client.base_url == busy.url
            release.set()
            assert await first == []
        assert other.requests == []


async def test_moving_on_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    address = closed_port()
    with serving() as free, caplog.at_level(logging.WARNING, "backpack_sdk"):
        free.answer = good
        async with desk("sync", address, alternate_urls=[free.url]) as bench:
            await bench.send(PING)
    (record,) = caplog.records
    assert address in record.getMessage()
    assert free.url in record.getMessage()


BAD_ADDRESSES = [
    "", "api.backpack.exchange", "ftp://host", "http://", "https://host?a=b", "https://host#x", " https://host", "http://[",
    "http://ho st", "http://host:port", "https://user:hunter2@host", "http://host/\nx", "https://h\u00f6st", None, 5,
]  # fmt: skip


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_bad_addresses(address: Any) -> None:
    with pytest.raises(InvalidArgument, match="base_url") as caught:
        Backpack(base_url=address)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(InvalidArgument, match="alternate_urls"):
        Backpack(alternate_urls=[address])
    with pytest.raises(InvalidArgument, match="alternate_urls"):
        Backpack(alternate_urls="https://one.address")


@both
async def test_address_with_a_path(flavour: str) -> None:
    with serving() as server:
        server.answer = good
        async with desk(flavour, server.url + "/proxied/") as bench:
            await bench.send(READ)
            await bench.send(PING)
        assert [seen.path for seen in server.requests] == ["/proxied/api/v1/orders", "/proxied/api/v1/ping"]
        signed_by(server.requests[0], "orderQueryAll")


# Clock


class Exchange:
    """Accepts a signature only within its window, by a clock of its own."""

    def __init__(self, bench: Desk, ahead: float, api_key: str = CREDENTIALS.api_key) -> None:
        self._bench = bench
        self.ahead = ahead
        self._api_key = api_key
        self.time_reply: Action | None = None

    def __call__(self, seen: Seen) -> Action:
        now = (self._bench.time.now + self.ahead) * 1000
        if seen.path == "/api/v1/time":
            return self.time_reply or reply(200, str(int(now)))
        instruction = {"GET": "orderQueryAll", "DELETE": "orderCancel"}[seen.method]
        if signed_by(seen, instruction) != self._api_key:
            return error(400, "INVALID_SIGNATURE")
        behind = now - int(seen.headers["x-timestamp"])
        return good(seen) if -1000 <= behind <= int(seen.headers["x-window"]) else error(400, "INVALID_SIGNATURE")


def paths(server: loopback.Server) -> list[str]:
    return [seen.path.rpartition("/")[2] for seen in server.requests]


@both
@pytest.mark.parametrize("request_", [READ, CANCEL], ids=["read", "command"])
@pytest.mark.parametrize("ahead", [600, -600, 86_400])
async def test_wrong_clock_is_set_right_once(flavour: str, request_: Request[Any], ahead: float) -> None:
    name = request_.operation.path.rpartition("/")[2]
    with serving() as server:
        async with desk(flavour, server.url, max_retries=0) as bench:
            server.answer = Exchange(bench, ahead)
            assert bench.client.clock_offset == 0
            for _ in range(2):
                await bench.send(request_)
            assert bench.client.clock_offset == pytest.approx(ahead, abs=0.01)
            assert bench.time.pauses == []
        assert paths(server) == [name, "time", name, name]


@both
async def test_clock_that_drifts_again(flavour: str) -> None:
    with serving() as server:
        async with desk(flavour, server.url) as bench:
            server.answer = exchange = Exchange(bench, 600)
            await bench.send(CANCEL)
            bench.time.now += 60
            exchange.ahead = -30
            await bench.send(CANCEL)
            assert bench.client.clock_offset == pytest.approx(-30, abs=0.01)
        assert paths(server) == ["order", "time", "order", "order", "time", "order"]


@both
async def test_calls_at_once_with_a_wrong_clock(flavour: str) -> None:
    """One measures; the others, refused because they were signed before, go by its result."""
    with serving() as server:
        async with desk(flavour, server.url, rate_limit=None) as bench:
            server.answer = Exchange(bench, 600)
            await asyncio.gather(*(bench.send(CANCEL) for _ in range(8)))
        accepted = [seen for seen in server.requests if seen.method == "DELETE"]
        assert 8 <= len(accepted) <= 16


@both
@pytest.mark.parametrize("request_", [READ, CANCEL], ids=["read", "command"])
async def test_wrong_key(flavour: str, request_: Request[Any]) -> None:
    name = request_.operation.path.rpartition("/")[2]
    with serving() as server:
        async with desk(flavour, server.url) as bench:
            server.answer = Exchange(bench, 0, Credentials.generate().api_key)
            for _ in range(2):
                with pytest.raises(AuthenticationError, match="INVALID_SIGNATURE"):
                    await bench.send(request_)
            assert bench.time.pauses == []
        assert paths(server) == [name, "time", name]


@both
async def test_wrong_key_and_wrong_clock(flavour: str) -> None:
    with serving() as server:
        async with desk(flavour, server.url) as bench:
            server.answer = Exchange(bench, 600, Credentials.generate().api_key)
            with pytest.raises(AuthenticationError):
                await bench.send(CANCEL)
        assert paths(server) == ["order", "time", "order"]


@both
async def test_no_permission_is_no_matter_of_the_clock(flavour: str) -> None:
    with serving(error(401, "UNAUTHORIZED")) as server:
        async with desk(flavour, server.url) as bench:
            with pytest.raises(AuthenticationError):
                await bench.send(CANCEL)
        assert paths(server) == ["order"]


@both
@pytest.mark.parametrize("request_", [READ, CANCEL, PING, operations.system.get_time()], ids=str)
async def test_refusal_of_everything_ends(flavour: str, request_: Request[Any]) -> None:
    """Something in between wants a login for every path, the clock's too."""
    with serving(reply(401, b"log in")) as server:
        async with desk(flavour, server.url) as bench:
            with pytest.raises(AuthenticationError) as caught:
                await bench.send(request_)
            assert caught.value.request is request_
        assert len(server.requests) == (1 if request_.operation.instruction is None else 2)


@both
@pytest.mark.parametrize("answer", [reply(500, b""), reply(200, b"noon"), hang_up], ids=["500", "nonsense", "hangs up"])
async def test_clock_that_can_not_be_measured(flavour: str, answer: Action) -> None:
    with serving() as server:
        async with desk(flavour, server.url, max_retries=0) as bench:
            server.answer = exchange = Exchange(bench, 600)
            exchange.time_reply = answer
            with pytest.raises(AuthenticationError):
                await bench.send(CANCEL)
            assert bench.client.clock_offset == 0
        assert paths(server) == ["order", "time"]


@both
async def test_sync_clock(flavour: str) -> None:
    with serving() as server:
        async with desk(flavour, server.url) as bench:
            server.answer = Exchange(bench, 600.25)
            assert await bench.sync_clock() == pytest.approx(600.25, abs=0.01)
            assert bench.client.clock_offset == pytest.approx(600.25, abs=0.01)
            await bench.send(CANCEL)
        assert paths(server) == ["time", "order"]


@both
async def test_clock_is_measured_by_the_attempt_that_was_answered(flavour: str) -> None:
    """Pauses before it do not count as travelling time."""
    with serving() as server:
        async with desk(flavour, server.url) as bench:
            exchange = Exchange(bench, 10)
            answers = iter([reply(503, b"", retry_after="20"), hang_up])
            server.answer = lambda seen: next(answers, None) or exchange(seen)
            assert await bench.sync_clock() == pytest.approx(10, abs=0.01)
            assert bench.time.pauses == [20, 1.0]


@both
@pytest.mark.parametrize("text", ["", "noon", "1e3", "9" * 400, "9" * 5000, "<html>"])
async def test_sync_clock_with_nonsense(flavour: str, text: str) -> None:
    with serving(reply(200, text)) as server:
        async with desk(flavour, server.url) as bench:
            with pytest.raises(InvalidResponse) as caught:
                await bench.sync_clock()
            assert caught.value.content == text.encode()
            assert bench.client.clock_offset == 0


@both
async def test_sync_clock_fails_as_reads_do(flavour: str) -> None:
    with serving(reply(500, b"")) as server:
        async with desk(flavour, server.url, max_retries=1) as bench:
            with pytest.raises(ServerError):
                await bench.sync_clock()
        assert len(server.requests) == 2


@both
async def test_window(flavour: str) -> None:
    with serving() as server:
        server.answer = good
        async with desk(flavour, server.url, window=60_000) as bench:
            await bench.send(CANCEL)
        assert server.requests[0].headers["x-window"] == "60000"
        signed_by(server.requests[0], "orderCancel")


@pytest.mark.parametrize("window", [0, -1, 60_001, 5000.0, "5000", True, None])
def test_bad_windows(window: Any) -> None:
    with pytest.raises(InvalidArgument, match="window"):
        Backpack(window=window)

"""A client of the user's own: used as it is, never closed. Timeouts, proxies and closing for both kinds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from backpack_sdk import (
    Accepted,
    AsyncBackpack,
    Backpack,
    BackpackError,
    ConnectionFailed,
    InvalidArgument,
    OutcomeUnknown,
    RateLimited,
    RegionRestricted,
    RequestTimeout,
    operations,
)

from .loopback import CREDENTIALS, SHORT, both, desk, hang_up, reply, serving, signed_by, silence

CANCEL = operations.order.cancel_order("SOL_USDC", client_id=7)
PING = operations.system.ping()
OwnClient = httpx.Client | httpx.AsyncClient


def own(flavour: str, handler: Callable[[httpx.Request], httpx.Response] | None = None, **options: Any) -> OwnClient:
    """An httpx client of the fitting kind, over a function when one is given."""
    if handler is not None:
        options["transport"] = httpx.MockTransport(handler)
    return (httpx.Client if flavour == "sync" else httpx.AsyncClient)(**options)


async def shut(client: OwnClient) -> None:
    if isinstance(client, httpx.AsyncClient):
        await client.aclose()
    else:
        client.close()


@both
async def test_own_client_is_used_and_left_open(flavour: str) -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(202)

    client = own(flavour, handle, headers={"x-mine": "1", "accept": "text/html"}, cookies={"a": "b"}, params={"q": "1"})
    for _ in range(2):
        async with desk(flavour, "https://api.example", http_client=client) as bench:
            assert await bench.send(CANCEL) == Accepted()
        assert not client.is_closed
    assert str(seen[0].url) == "https://api.example/api/v1/order"
    assert seen[0].headers["host"] == "api.example"
    assert seen[0].content == b'{"clientId":7,"symbol":"SOL_USDC"}'
    assert {"x-mine", "cookie"} & set(seen[0].headers) == set()
    assert seen[0].headers["accept"] == "application/json, text/plain"
    await shut(client)


@both
async def test_own_client_over_a_socket(flavour: str) -> None:
    client = own(flavour)
    with serving(reply(202, b"")) as server:
        async with desk(flavour, server.url, http_client=client) as bench:
            await bench.send(CANCEL)
        signed_by(server.requests[0], "orderCancel")
        assert set(server.requests[0].headers) == {
            "host", "accept", "accept-encoding", "user-agent", "content-type", "content-length",
            "x-api-key", "x-signature", "x-timestamp", "x-window",
        }  # fmt: skip
    await shut(client)


@both
async def test_own_client_that_follows_redirects_does_not_here(flavour: str) -> None:
    client = own(flavour, follow_redirects=True)
    with serving(reply(307, b"", location="/elsewhere")) as server:
        async with desk(flavour, server.url, http_client=client) as bench:
            with pytest.raises(BackpackError, match="HTTP 307"):
                await bench.send(CANCEL)
        assert len(server.requests) == 1
    await shut(client)


FAILURES: list[tuple[Exception, type[Exception], int]] = [
    (httpx.ConnectError("refused"), ConnectionFailed, 4),
    (httpx.ConnectTimeout("late"), RequestTimeout, 4),
    (httpx.PoolTimeout("full"), RequestTimeout, 4),
    (httpx.ProxyError("407"), ConnectionFailed, 4),
    (httpx.UnsupportedProtocol("gopher"), ConnectionFailed, 4),
    (httpx.ReadError("reset"), OutcomeUnknown, 1),
    (httpx.WriteError("reset"), OutcomeUnknown, 1),
    (httpx.CloseError("reset"), OutcomeUnknown, 1),
    (httpx.ReadTimeout("late"), OutcomeUnknown, 1),
    (httpx.WriteTimeout("late"), OutcomeUnknown, 1),
    (httpx.RemoteProtocolError("garbage"), OutcomeUnknown, 1),
    (httpx.LocalProtocolError("garbage"), OutcomeUnknown, 1),
    (httpx.DecodingError("gzip"), OutcomeUnknown, 1),
]


@both
@pytest.mark.parametrize(("failure", "kind", "attempts"), FAILURES, ids=[type(each[0]).__name__ for each in FAILURES])
async def test_failures_of_own_client(flavour: str, failure: Exception, kind: type[Exception], attempts: int) -> None:
    made = []

    def handle(request: httpx.Request) -> httpx.Response:
        made.append(request)
        raise failure

    client = own(flavour, handle)
    async with desk(flavour, "https://api.example", http_client=client) as bench:
        with pytest.raises(kind) as caught:
            await bench.send(CANCEL)
    assert type(caught.value) is kind
    assert len(made) == attempts
    assert caught.value.__cause__ is failure
    await shut(client)


@both
async def test_statuses_of_own_client(flavour: str) -> None:
    answers = iter([451, 429])

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(next(answers), headers={"Retry-After": "2"})

    client = own(flavour, handle)
    async with desk(flavour, "https://api.example", http_client=client) as bench:
        with pytest.raises(RegionRestricted):
            await bench.send(CANCEL)
        with pytest.raises(RateLimited) as caught:
            await bench.send(CANCEL)
    assert caught.value.retry_after == 2
    await shut(client)


def test_client_of_the_other_kind_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(InvalidArgument, match=r"http_client: expected an httpx\.AsyncClient, got Client"):
        AsyncBackpack(http_client=httpx.Client())  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match=r"http_client: expected an httpx\.Client, got AsyncClient"):
        Backpack(http_client=httpx.AsyncClient())  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="http_client"):
        Backpack(http_client=httpx.HTTPTransport())  # type: ignore[arg-type]


@both
async def test_own_client_that_is_closed(flavour: str) -> None:
    client = own(flavour)
    await shut(client)
    with serving() as server:
        async with desk(flavour, server.url, http_client=client) as bench:
            with pytest.raises(RuntimeError, match="closed"):
                await bench.send(CANCEL)
        assert server.requests == []


# Proxies


@both
async def test_proxy_of_own_client(flavour: str) -> None:
    with serving(reply(202, b"")) as proxy:
        client = own(flavour, proxy=proxy.url)
        async with desk(flavour, "http://target.invalid", http_client=client) as bench:
            await bench.send(CANCEL)
        assert proxy.requests[0].target == "http://target.invalid/api/v1/order"
        await shut(client)


@both
async def test_proxy(flavour: str) -> None:
    with serving(reply(202, b"")) as proxy:
        async with desk(flavour, "http://target.invalid", proxy=proxy.url) as bench:
            await bench.send(CANCEL)
        assert proxy.requests[0].target == "http://target.invalid/api/v1/order"
        assert proxy.requests[0].headers["host"] == "target.invalid"


@both
async def test_proxy_of_the_environment(flavour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(reply(202, b"")) as proxy, serving(reply(202, b"")) as server:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        async with desk(flavour, server.url, trust_env=False) as bench:
            await bench.send(CANCEL)
        assert (len(server.requests), len(proxy.requests)) == (1, 0)
        async with desk(flavour, "http://target.invalid", trust_env=True) as bench:
            await bench.send(CANCEL)
        assert len(proxy.requests) == 1


@pytest.mark.parametrize("kind", [Backpack, AsyncBackpack])
@pytest.mark.parametrize("proxy", ["localhost:8080", "", "ftp://host", 5])
def test_bad_proxies(kind: Any, proxy: Any) -> None:
    with pytest.raises(InvalidArgument, match="proxy"):
        kind(proxy=proxy)


# Timeouts


@both
@pytest.mark.parametrize("mine", [False, True], ids=["default", "own client"])
async def test_timeout_of_one_call(flavour: str, mine: bool) -> None:
    client = own(flavour, timeout=30) if mine else None
    with serving(silence) as server:
        async with desk(flavour, server.url, timeout=30, max_retries=0, http_client=client) as bench:
            with pytest.raises(RequestTimeout):
                await bench.call("system.ping", timeout=SHORT)
            with pytest.raises(OutcomeUnknown):
                await bench.call("order.cancel_order", "SOL_USDC", client_id=7, timeout=SHORT)
    if client is not None:
        await shut(client)


@both
async def test_timeouts_of_a_client(flavour: str) -> None:
    seen: list[Any] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return httpx.Response(200, text="pong")

    client = own(flavour, handle, timeout=99)
    phases = {"connect": 1.0, "read": 2.0, "write": 3.0, "pool": None}
    async with desk(flavour, "https://api.example", http_client=client, timeout=httpx.Timeout(**phases)) as bench:
        await bench.send(PING)
        await bench.send(PING, timeout=4)
    assert seen == [phases, dict.fromkeys(phases, 4.0)]
    async with desk(flavour, "https://api.example", http_client=client, timeout=httpx.Timeout(None)) as bench:
        await bench.send(PING)
    assert seen[2] == dict.fromkeys(phases)
    await shut(client)


BAD_TIMEOUTS = [0, -1, float("nan"), float("inf"), 1e10, "5", True, httpx.Timeout(float("inf")), httpx.Timeout(0)]


@both
@pytest.mark.parametrize("timeout", [*BAD_TIMEOUTS, None])
def test_bad_timeouts(flavour: str, timeout: Any) -> None:
    with pytest.raises(InvalidArgument, match="timeout"):
        (Backpack if flavour == "sync" else AsyncBackpack)(timeout=timeout)


@both
@pytest.mark.parametrize("seconds", BAD_TIMEOUTS)
async def test_bad_timeout_of_one_call(flavour: str, seconds: Any) -> None:
    with serving() as server:
        async with desk(flavour, server.url) as bench:
            with pytest.raises(InvalidArgument, match="timeout"):
                await bench.send(CANCEL, timeout=seconds)
        assert server.requests == []


@pytest.mark.parametrize("number", [0, -1, 1.5, "3", True, None])
def test_bad_max_connections(number: Any) -> None:
    with pytest.raises(InvalidArgument, match="max_connections"):
        Backpack(max_connections=number)


@pytest.mark.parametrize("number", [-1, 65_536, "7", True])
def test_bad_broker_ids(number: Any) -> None:
    with pytest.raises(InvalidArgument, match="broker_id"):
        Backpack(broker_id=number)


@both
async def test_broker_headers(flavour: str) -> None:
    order = {"symbol": "SOL_USDC", "side": "Bid", "order_type": "Market"}
    with serving(reply(400, b"no")) as server:
        async with desk(flavour, server.url, broker_id=0, broker_key="key") as bench:
            for name, arguments in (
                ("order.execute_order", order),
                ("order.execute_order", {**order, "x_broker_id": 5, "x_broker_key": "other"}),
                ("order.execute_order_batch", {"orders": [order]}),
                ("order.cancel_order", {"symbol": "SOL_USDC"}),
            ):
                with pytest.raises(BackpackError):
                    await bench.call(name, **arguments)
        found = [(seen.headers.get("x-broker-id"), seen.headers.get("x-broker-key")) for seen in server.requests]
        assert found == [("0", "key"), ("5", "other"), ("0", None), (None, None)]


# Closing


@both
@pytest.mark.parametrize("used", [False, True])
async def test_closed_client_refuses_clearly(flavour: str, used: bool) -> None:
    with serving(reply(202, b"")) as server:
        async with desk(flavour, server.url) as bench:
            if used:
                await bench.send(CANCEL)
            for _ in range(2):
                await bench.close()
            assert bench.client.is_closed
            assert "closed" in repr(bench.client)
            for work in (bench.send(CANCEL), bench.send_raw(CANCEL), bench.sync_clock(), bench.call("system.ping")):
                with pytest.raises(BackpackError, match="this client is closed; make a new one"):
                    await work
        assert len(server.requests) == used


def test_closed_client_can_not_be_entered() -> None:
    client = Backpack()
    with client as same:
        assert same is client
    with pytest.raises(BackpackError, match="closed"), client:
        pass


async def test_closed_async_client_can_not_be_entered() -> None:
    client = AsyncBackpack()
    async with client as same:
        assert same is client
    with pytest.raises(BackpackError, match="closed"):
        async with client:
            pass


@both
async def test_closing_during_a_pause_opens_no_new_connection(flavour: str) -> None:
    with serving(hang_up, reply(200, b"pong")) as server:
        async with desk(flavour, server.url) as bench:
            client = bench.client
            bench.time.meanwhile = client.aclose if isinstance(client, AsyncBackpack) else client.close
            with pytest.raises(BackpackError, match="closed"):
                await bench.send(PING)
        assert len(server.requests) == 1


@both
async def test_closing_while_a_command_is_under_way(flavour: str) -> None:
    taken = threading.Event()

    def occupy(connection: Any) -> bool:
        taken.set()
        return silence(connection)

    with serving(occupy) as server:
        async with desk(flavour, server.url, timeout=0.3) as bench:
            order = asyncio.create_task(bench.send(CANCEL))
            await asyncio.to_thread(taken.wait, 5)
            await bench.close()
            with pytest.raises(OutcomeUnknown):
                await order
        assert len(server.requests) == 1


async def test_cancelled_task_leaves_the_client_usable() -> None:
    taken = threading.Event()

    def occupy(connection: Any) -> bool:
        taken.set()
        return silence(connection)

    with serving(occupy, reply(202, b"")) as server:
        async with desk("async", server.url, max_connections=1) as bench:
            order = asyncio.create_task(bench.send(CANCEL))
            await asyncio.to_thread(taken.wait, 5)
            order.cancel()
            with pytest.raises(asyncio.CancelledError):
                await order
            assert await bench.send(CANCEL) == Accepted()
        assert len(server.requests) == 2


def test_second_event_loop_is_refused_clearly() -> None:
    with serving(reply(202, b"")) as server:
        client = AsyncBackpack(CREDENTIALS, base_url=server.url, trust_env=False)

        async def first() -> None:
            await client.send(CANCEL)
            await client.aclose()

        async def unclosed() -> AsyncBackpack:
            other = AsyncBackpack(CREDENTIALS, base_url=server.url, trust_env=False)
            await other.send(CANCEL)
            return other

        asyncio.run(first())
        with pytest.raises(BackpackError, match="closed"):
            asyncio.run(first())
        with asyncio.Runner() as one, asyncio.Runner() as two:
            other = one.run(unclosed())
            with pytest.raises(RuntimeError, match="another event loop"):
                two.run(other.send(CANCEL))
            one.run(other.aclose())


def test_blocking_client_is_shared_between_threads() -> None:
    with serving(reply(202, b"")) as server:
        with Backpack(CREDENTIALS, base_url=server.url, trust_env=False, rate_limit=None) as client:
            results: list[object] = []
            threads = [
                threading.Thread(target=lambda: results.extend(client.send(CANCEL) for _ in range(10)))
                for _ in range(4)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert results == [Accepted()] * 40
        assert len(server.requests) == 40

"""A command reaches the exchange once, whatever becomes of it; reads are repeated, each time signed anew."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from backpack_sdk import (
    Accepted,
    AuthenticationError,
    BadRequest,
    ConnectionFailed,
    InsufficientFunds,
    InvalidResponse,
    Maintenance,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    RegionRestricted,
    Request,
    RequestTimeout,
    ServerError,
    StatusError,
    operations,
)

from . import loopback
from .loopback import (
    Action,
    Seen,
    Server,
    both,
    closed_port,
    desk,
    error,
    hang_up,
    raw,
    reply,
    reset,
    serving,
    signed_by,
    silence,
    unresponsive,
)

ORDER = operations.order.execute_order("SOL_USDC", "Bid", "Limit", price="141.2", quantity="0.5", client_id=77)
BATCH = operations.order.execute_order_batch(
    [{"symbol": "SOL-USDC", "side": "Bid", "order_type": "Limit", "price": "1", "quantity": "1", "client_id": 78}]
)
COMMANDS: dict[str, tuple[Request[Any], int | str | None]] = {
    "order": (ORDER, 77),
    "order without id": (operations.order.execute_order("SOL_USDC", "Ask", "Market", quantity="1"), None),
    "batch": (BATCH, None),
    "cancel": (operations.order.cancel_order("SOL_USDC", client_id=77), 77),
    "cancel all": (operations.order.cancel_open_orders("SOL_USDC"), None),
    "strategy": (operations.strategy.cancel_strategy("SOL_USDC", client_strategy_id=5), 5),
    "withdrawal": (operations.capital.request_withdrawal("SOL", "1", "abc", "Solana", client_id="w-1"), "w-1"),
    "patch": (operations.withdrawal_delays.update_withdrawal_delay("123456", 48), None),
}
commands = pytest.mark.parametrize(("request_", "client_id"), COMMANDS.values(), ids=list(COMMANDS))
READ = operations.order.get_open_orders(symbol="SOL_USDC")
HTML = b"<html><title>Bad gateway</title></html>"

# What the server does, the body that must be kept, and the status.
UNDECIDED: dict[str, tuple[Action, bytes, int | None]] = {
    "hangs up": (hang_up, b"", None),
    "resets": (reset, b"", None),
    "no HTTP": (loopback.NO_HTTP, b"", None),
    "truncated": (loopback.TRUNCATED, b"", None),
    "truncated chunks": (loopback.TRUNCATED_CHUNKS, b"", None),
    "truncated head": (loopback.TRUNCATED_HEAD, b"", None),
    "bad gzip": (loopback.BAD_GZIP, b"", None),
    "half of the JSON": (reply(200, b'{"id":'), b'{"id":', 200),
    "HTML with 200": (reply(200, HTML), HTML, 200),
    "no UTF-8": (reply(200, b"\xff\xfe\x00"), b"\xff\xfe\x00", 200),
    "JSON of another kind": (reply(200, b'"surprise"'), b'"surprise"', 200),
    "null": (reply(200, b"null"), b"null", 200),
    "deep nesting": (reply(200, b"[" * 5000), b"[" * 5000, 200),
    "unknown success": (reply(207, b"{}"), b"{}", 207),
    "408": (reply(408, b"late"), b"late", 408),
    "500": (reply(500, b""), b"", 500),
    "500 in JSON": (reply(500, b'{"message":"oops"}'), b'{"message":"oops"}', 500),
    "500 SERVER_ERROR": (error(500, "SERVER_ERROR"), b'{"code": "SERVER_ERROR", "message": "no"}', 500),
    "500 of a new code": (error(500, "BRAND_NEW"), b'{"code": "BRAND_NEW", "message": "no"}', 500),
    "502 from the edge": (reply(502, HTML), HTML, 502),
    "503": (reply(503, b"", retry_after="1"), b"", 503),
    "504": (reply(504, HTML), HTML, 504),
    "504 TIMEOUT": (error(504, "TIMEOUT"), b'{"code": "TIMEOUT", "message": "no"}', 504),
    "400 TIMEOUT": (error(400, "TIMEOUT"), b'{"code": "TIMEOUT", "message": "no"}', 400),
    "522 from the edge": (reply(522, b""), b"", 522),
}
REFUSED: dict[str, tuple[Action, type[StatusError]]] = {
    "400 with a code": (error(400, "INSUFFICIENT_FUNDS"), InsufficientFunds),
    "400 in plain text": (reply(400, b"parse error"), BadRequest),
    "401": (error(401, "UNAUTHORIZED"), AuthenticationError),
    "403 with a code": (error(403, "FORBIDDEN"), PermissionDenied),
    "403 from the edge": (reply(403, HTML), RegionRestricted),
    "429": (error(429, "TOO_MANY_REQUESTS"), RateLimited),
    "429 with a pause": (reply(429, b"", retry_after="0"), RateLimited),
    "451": (reply(451, b""), RegionRestricted),
    "503 in maintenance": (error(503, "MAINTENANCE"), Maintenance),
    "503 that declines": (error(503, "TRADING_PAUSED"), ServerError),
    "501": (error(501, "NOT_IMPLEMENTED"), ServerError),
    "redirect": (reply(307, b"", location="/api/v1/order"), StatusError),
    "permanent redirect": (reply(301, b"", location="/"), StatusError),
}


@both
@pytest.mark.parametrize(("action", "content", "status"), UNDECIDED.values(), ids=list(UNDECIDED))
@commands
async def test_unclear_outcome(
    flavour: str, request_: Request[Any], client_id: object, action: Action, content: bytes, status: int | None
) -> None:
    with serving(action, reply(200, b"{}")) as server:
        async with desk(flavour, server.url) as bench:
            with pytest.raises(OutcomeUnknown) as caught:
                await bench.send(request_)
            assert len(server.requests) == 1
            assert bench.time.pauses == []
    unknown = caught.value
    assert (unknown.request, unknown.client_id, unknown.status, unknown.content) == (
        request_, client_id, status, content,
    )  # fmt: skip
    text = str(unknown)
    assert str(request_.operation) in text
    assert "may or may not have taken effect" in text
    assert "not sent again" in text


@both
@pytest.mark.parametrize(
    "name", [name for name, (_, _, status) in UNDECIDED.items() if status != 200] + ["HTML with 200"]
)
async def test_unclear_outcome_of_a_command_with_an_empty_reply(flavour: str, name: str) -> None:
    with serving(UNDECIDED[name][0], reply(200, b"")) as server:
        async with desk(flavour, server.url) as bench:
            with pytest.raises(OutcomeUnknown) as caught:
                await bench.call("account.update_account_settings", auto_lend=True)
            assert caught.value.content == UNDECIDED[name][1]
            assert len(server.requests) == 1


@both
@pytest.mark.parametrize(("action", "kind"), REFUSED.values(), ids=list(REFUSED))
@commands
async def test_refusal(
    flavour: str, request_: Request[Any], client_id: object, action: Action, kind: type[StatusError]
) -> None:
    with serving(action, reply(200, b"{}")) as server:
        async with desk(flavour, server.url) as bench:
            with pytest.raises(StatusError) as caught:
                await bench.send(request_)
            assert type(caught.value) is kind
            assert caught.value.request is request_
            assert [seen for seen in server.requests if seen.method != "GET"] == server.requests
            assert len(server.requests) == 1
            assert bench.time.pauses == []


@both
@commands
async def test_read_timeout_of_a_command(flavour: str, request_: Request[Any], client_id: object) -> None:
    with serving(silence) as server:
        async with desk(flavour, server.url) as bench:
            with pytest.raises(OutcomeUnknown, match="no answer in time") as caught:
                await bench.send(request_, timeout=loopback.SHORT)
            assert len(server.requests) == 1
    assert caught.value.client_id == client_id


@both
async def test_reply_that_stalls_halfway(flavour: str) -> None:
    def half(connection: Any) -> bool:
        connection.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{"id":')
        return silence(connection)

    with serving(half) as server:
        async with desk(flavour, server.url) as bench:
            with pytest.raises(OutcomeUnknown):
                await bench.send(ORDER, timeout=loopback.SHORT)
            assert len(server.requests) == 1


@both
@pytest.mark.parametrize("name", ["order", "batch", "cancel", "patch"])
async def test_kept_connection_that_breaks(flavour: str, name: str) -> None:
    """The second request travels on the first one's connection, which is where HTTP libraries like to resend."""
    with serving(reply(200, b"[]"), hang_up, reply(200, b"{}")) as server:
        async with desk(flavour, server.url) as bench:
            await bench.send(READ)
            with pytest.raises(OutcomeUnknown):
                await bench.send(COMMANDS[name][0])
            assert len(server.requests) == 2


LOOKUPS = {
    "order": ("client_id 77", "order.get_order", "order.get_fills"),
    "order without id": ("order.get_open_orders", "order.get_fills", "client_id"),
    "batch": ("order.get_open_orders", "order.get_order_history"),
    "cancel": ("order.get_open_orders", "order.get_order_history"),
    "strategy": ("strategy.get_open_strategies", "strategy.get_strategies_history"),
    "withdrawal": ("capital.get_balances", "histories of `capital`"),
    "patch": ("withdrawal_delays.get_withdrawal_delay",),
}


@pytest.mark.parametrize("name", LOOKUPS)
async def test_unclear_outcome_says_how_to_look_it_up(name: str) -> None:
    with serving(hang_up) as server:
        async with desk("sync", server.url) as bench:
            with pytest.raises(OutcomeUnknown) as caught:
                await bench.send(COMMANDS[name][0])
    assert [words for words in LOOKUPS[name] if words not in str(caught.value)] == []
    for method in [words for words in LOOKUPS[name] if words.count(".") == 1 and " " not in words]:
        namespace, _, operation = method.partition(".")
        assert hasattr(getattr(operations, namespace), operation)


@both
@commands
async def test_send_raw_keeps_an_unclear_reply(flavour: str, request_: Request[Any], client_id: object) -> None:
    with serving(reply(500, HTML), reply(200, b"{}")) as server:
        async with desk(flavour, server.url) as bench:
            answer = await bench.send_raw(request_)
            assert (answer.status_code, answer.content, answer.is_success) == (500, HTML, False)
            assert len(server.requests) == 1
    with pytest.raises(OutcomeUnknown):
        answer.parse()


# What never left this machine


@both
@pytest.mark.parametrize("request_", [ORDER, READ], ids=["command", "read"])
async def test_connection_refused(flavour: str, request_: Request[Any]) -> None:
    async with desk(flavour, closed_port()) as bench:
        with pytest.raises(ConnectionFailed, match="nothing left this machine") as caught:
            await bench.send(request_)
        assert type(caught.value) is ConnectionFailed
        assert bench.time.pauses == [0.5, 1.0, 2.0]
    assert caught.value.request is request_


@both
@pytest.mark.parametrize("request_", [ORDER, READ], ids=["command", "read"])
async def test_connect_timeout(flavour: str, request_: Request[Any]) -> None:
    with unresponsive() as address:
        async with desk(flavour, address, max_retries=2) as bench:
            with pytest.raises(RequestTimeout, match="no connection in time") as caught:
                await bench.send(request_, timeout=loopback.SHORT)
            assert isinstance(caught.value, TimeoutError)
            assert bench.time.pauses == [0.5, 1.0]


@both
async def test_command_is_carried_out_once_the_server_is_back(flavour: str) -> None:
    address = closed_port()
    with contextlib.ExitStack() as stack:
        async with desk(flavour, address) as bench:
            servers: list[Server] = []
            port = int(address.rpartition(":")[2])
            bench.time.meanwhile = lambda: servers.append(stack.enter_context(serving(reply(202, b""), port=port)))
            assert await bench.send(COMMANDS["cancel"][0]) == Accepted()
            assert bench.time.pauses == [0.5]
        assert len(servers[0].requests) == 1


# Reads


def timestamps(requests: list[Seen]) -> list[int]:
    return [int(seen.headers["x-timestamp"]) for seen in requests]


REPEATED: dict[str, Action] = {
    "429": error(429, "TOO_MANY_REQUESTS"),
    "500": reply(500, b""),
    "502": reply(502, HTML),
    "503": error(503, "MAINTENANCE"),
    "504": error(504, "TIMEOUT"),
    "hangs up": hang_up,
    "resets": reset,
    "truncated": loopback.TRUNCATED,
    "no HTTP": loopback.NO_HTTP,
    "bad gzip": loopback.BAD_GZIP,
}


@both
@pytest.mark.parametrize("action", REPEATED.values(), ids=list(REPEATED))
async def test_read_is_repeated_and_signed_anew(flavour: str, action: Action) -> None:
    with serving(action, action, reply(200, b"[]")) as server:
        async with desk(flavour, server.url, rate_limit=None) as bench:
            started = bench.time.now
            assert await bench.send(READ) == []
            assert bench.time.pauses == [0.5, 1.0]
        assert timestamps(server.requests) == [int((started + moved) * 1000) for moved in (0, 0.5, 1.5)]
        assert len({seen.headers["x-signature"] for seen in server.requests}) == 3
        for seen in server.requests:
            signed_by(seen, "orderQueryAll")


LASTING: dict[str, tuple[Action, type[Exception]]] = {
    "429": (error(429, "TOO_MANY_REQUESTS"), RateLimited),
    "503": (error(503, "MAINTENANCE"), Maintenance),
    "502": (reply(502, HTML), ServerError),
    "hangs up": (hang_up, ConnectionFailed),
}


@both
@pytest.mark.parametrize(("action", "kind"), LASTING.values(), ids=list(LASTING))
@pytest.mark.parametrize("max_retries", [0, 2])
async def test_reads_give_up(flavour: str, action: Action, kind: type[Exception], max_retries: int) -> None:
    with serving(action) as server:
        async with desk(flavour, server.url, rate_limit=None, max_retries=max_retries) as bench:
            with pytest.raises(kind) as caught:
                await bench.send(READ)
        assert type(caught.value) is kind
        assert len(server.requests) == 1 + max_retries


@both
async def test_read_timeout_is_repeated(flavour: str) -> None:
    with serving(silence) as server:
        async with desk(flavour, server.url, max_retries=1) as bench:
            with pytest.raises(RequestTimeout, match="no answer in time") as caught:
                await bench.send(READ, timeout=loopback.SHORT)
        assert isinstance(caught.value, ConnectionFailed)
        assert len(server.requests) == 2


NOT_REPEATED: dict[str, tuple[Action, type[Exception]]] = {
    "400": (error(400, "INVALID_SYMBOL"), BadRequest),
    "401": (error(401, "UNAUTHORIZED"), AuthenticationError),
    "403": (error(403, "FORBIDDEN"), PermissionDenied),
    "408": (reply(408, b""), BadRequest),
    "302": (reply(302, b"", location="/"), StatusError),
    "misfit": (reply(200, b"{}"), InvalidResponse),
}


@both
@pytest.mark.parametrize(("action", "kind"), NOT_REPEATED.values(), ids=list(NOT_REPEATED))
async def test_reads_that_are_not_repeated(flavour: str, action: Action, kind: type[Exception]) -> None:
    with serving(action) as server:
        async with desk(flavour, server.url) as bench:
            with pytest.raises(kind) as caught:
                await bench.send(READ)
        assert type(caught.value) is kind
        assert len(server.requests) == 1


DATE = "Wed, 21 Oct 2026 07:28:00 GMT"
ASKED: dict[str, tuple[dict[str, str], list[float]]] = {
    "seconds": ({"retry_after": "7"}, [7.0]),
    "a fraction": ({"retry_after": "0.25"}, [0.25]),
    "nothing": ({"retry_after": "0"}, [0.0]),
    "a date": ({"retry_after": "Wed, 21 Oct 2026 07:28:09 GMT", "date": DATE}, [9.0]),
    "a date gone by": ({"retry_after": "Wed, 21 Oct 2026 07:27:00 GMT", "date": DATE}, [0.5]),
    "a date without now": ({"retry_after": "Wed, 21 Oct 2026 07:28:09 GMT"}, [0.5]),
    "nonsense": ({"retry_after": "soon"}, [0.5]),
    "a negative number": ({"retry_after": "-5"}, [0.5]),
    "not a number": ({"retry_after": "nan"}, [0.5]),
    "an endless date": ({"retry_after": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "date": DATE}, [0.5]),
}


@both
@pytest.mark.parametrize(("headers", "pauses"), ASKED.values(), ids=list(ASKED))
@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after(flavour: str, headers: dict[str, str], pauses: list[float], status: int) -> None:
    with serving(reply(status, b"", **headers), reply(200, b"[]")) as server:
        async with desk(flavour, server.url, rate_limit=None) as bench:
            assert await bench.send(READ) == []
            assert bench.time.pauses == pauses
        assert len(server.requests) == 2


@both
async def test_a_pause_too_long_is_left_to_the_caller(flavour: str) -> None:
    with serving(reply(429, b"", retry_after="3600")) as server:
        async with desk(flavour, server.url) as bench:
            with pytest.raises(RateLimited) as caught:
                await bench.send(READ)
            assert caught.value.retry_after == 3600
            assert bench.time.pauses == []
        assert len(server.requests) == 1


@both
async def test_early_hints_are_no_answer(flavour: str) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
    with serving(raw(hints + b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n", keep=True)) as server:
        async with desk(flavour, server.url) as bench:
            await bench.send(COMMANDS["cancel"][0])
        assert len(server.requests) == 1


@both
async def test_requests_at_once_each_arrive_once(flavour: str) -> None:
    with serving() as server:
        server.answer = lambda seen: hang_up if seen.json["clientId"] % 3 == 0 else reply(202, b"")
        async with desk(flavour, server.url, rate_limit=None) as bench:
            sent = [operations.order.cancel_order("SOL_USDC", client_id=number) for number in range(40)]
            results = await asyncio.gather(*(bench.send(each) for each in sent), return_exceptions=True)
    assert sorted(seen.json["clientId"] for seen in server.requests) == list(range(40))
    lost = [result.client_id for result in results if isinstance(result, OutcomeUnknown)]
    assert lost == list(range(0, 40, 3))

"""Which error a reply becomes, what it keeps, and how it reads."""

from __future__ import annotations

import copy
import gzip
import pickle
from typing import Any

import httpx
import pytest

import backpack_sdk
from backpack_sdk import (
    AuthenticationError,
    BackpackError,
    BadRequest,
    Conflict,
    ConnectionFailed,
    CredentialsError,
    InsufficientFunds,
    InsufficientMargin,
    InvalidArgument,
    InvalidResponse,
    Maintenance,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    RawResponse,
    RegionRestricted,
    Request,
    RequestTimeout,
    ServerError,
    StatusError,
    operations,
    types,
)
from backpack_sdk._core import errors
from backpack_sdk._core.reply import Reply

from .document import document
from .loopback import CREDENTIALS, both, closed_port, desk, error, hang_up, raw, reply, serving

READ = operations.order.get_order("SOL_USDC", client_id=7)
COMMAND = operations.order.execute_order("SOL_USDC", "Bid", "Market", quantity="1", client_id=7)
HTML = b"<html><title>Attention Required</title>" + b"x" * 5000 + b"</html>"


def refused(status: int, content: bytes, request: Request[Any] = READ, **headers: str) -> Exception:
    answer: RawResponse[Any] = RawResponse(request, status, httpx.Headers(headers), content)
    with pytest.raises(BackpackError) as caught:
        answer.parse()
    return caught.value


def in_json(code: str | None, message: str = "because") -> bytes:
    return f'{{"code":"{code}","message":"{message}"}}'.encode() if code else b""


# status, code: the class for a read, and for a command.
TABLE: list[tuple[int, str | None, type[Exception], type[Exception]]] = [
    (302, None, StatusError, StatusError),
    (400, None, BadRequest, BadRequest),
    (400, "INVALID_CLIENT_REQUEST", BadRequest, BadRequest),
    (400, "INVALID_ORDER", BadRequest, BadRequest),
    (400, "A_CODE_OF_NEXT_YEAR", BadRequest, BadRequest),
    (400, "INSUFFICIENT_FUNDS", InsufficientFunds, InsufficientFunds),
    (400, "INSUFFICIENT_MARGIN", InsufficientMargin, InsufficientMargin),
    (400, "INVALID_SIGNATURE", AuthenticationError, AuthenticationError),
    (400, "RESOURCE_NOT_FOUND", NotFound, NotFound),
    (400, "TOO_MANY_REQUESTS", RateLimited, RateLimited),
    (400, "TIMEOUT", BadRequest, OutcomeUnknown),
    (401, None, AuthenticationError, AuthenticationError),
    (401, "UNAUTHORIZED", AuthenticationError, AuthenticationError),
    (403, None, RegionRestricted, RegionRestricted),
    (403, "FORBIDDEN", PermissionDenied, PermissionDenied),
    (403, "ACCOUNT_DEACTIVATED", PermissionDenied, PermissionDenied),
    (404, None, NotFound, NotFound),
    (404, "RESOURCE_NOT_FOUND", NotFound, NotFound),
    (408, None, BadRequest, OutcomeUnknown),
    (409, None, Conflict, Conflict),
    (412, "PRECONDITION_FAILED", BadRequest, BadRequest),
    (418, None, BadRequest, BadRequest),
    (429, None, RateLimited, RateLimited),
    (429, "TOO_MANY_REQUESTS", RateLimited, RateLimited),
    (451, None, RegionRestricted, RegionRestricted),
    (500, None, ServerError, OutcomeUnknown),
    (500, "SERVER_ERROR", ServerError, OutcomeUnknown),
    (500, "A_CODE_OF_NEXT_YEAR", ServerError, OutcomeUnknown),
    (500, "INSUFFICIENT_FUNDS", InsufficientFunds, InsufficientFunds),
    (501, "NOT_IMPLEMENTED", ServerError, ServerError),
    (502, None, ServerError, OutcomeUnknown),
    (503, None, ServerError, OutcomeUnknown),
    (503, "MAINTENANCE", Maintenance, Maintenance),
    (503, "TRADING_PAUSED", ServerError, ServerError),
    (504, None, ServerError, OutcomeUnknown),
    (504, "TIMEOUT", ServerError, OutcomeUnknown),
    (530, None, ServerError, OutcomeUnknown),
]


@pytest.mark.parametrize(("status", "code", "for_read", "for_command"), TABLE)
def test_class_by_status_and_code(
    status: int, code: str | None, for_read: type[Exception], for_command: type[Exception]
) -> None:
    content = in_json(code)
    for request, kind in ((READ, for_read), (COMMAND, for_command)):
        found = refused(status, content, request)
        assert type(found) is kind
        assert isinstance(found, errors._ReplyError)
        assert (found.status, found.code, found.content, found.request) == (status, code, content, request)
        assert f"HTTP {status}" in str(found)
        assert code is None or code in str(found)
        assert code is None or "because" in str(found)


def test_every_documented_code_has_a_class() -> None:
    codes = document()["components"]["schemas"]["ApiErrorCode"]["enum"]
    assert {str(code) for code in types.ApiErrorCode} == set(codes)
    for code in codes:
        for request in (READ, COMMAND):
            assert isinstance(refused(400, in_json(code), request), (BadRequest, StatusError, OutcomeUnknown))


def test_tree() -> None:
    """What a caller may rely on in an `except`."""
    parents = {
        InvalidArgument: (BackpackError, ValueError),
        CredentialsError: (BackpackError, ValueError),
        RequestTimeout: (ConnectionFailed, TimeoutError),
        InsufficientMargin: (InsufficientFunds, BadRequest, StatusError),
        Conflict: (BadRequest,),
        RegionRestricted: (PermissionDenied,),
        Maintenance: (ServerError, StatusError),
        OutcomeUnknown: (BackpackError,),
        InvalidResponse: (BackpackError,),
    }
    for kind, above in parents.items():
        assert issubclass(kind, above)
    assert not issubclass(OutcomeUnknown, (ConnectionFailed, StatusError))
    made_here = [each for each in vars(errors).values() if getattr(each, "__module__", None) == errors.__name__]
    for kind in [each for each in made_here if not each.__name__.startswith("_")]:
        assert issubclass(kind, BackpackError)
        assert getattr(backpack_sdk, kind.__name__) is kind
        assert kind.__name__ in (errors.__doc__ or "")


# Bodies of every kind


BODIES: dict[str, tuple[bytes, str | None, str, str]] = {
    "plain text": (
        b"Parse error: invalid symbol\n",
        None,
        "Parse error: invalid symbol",
        "Parse error: invalid symbol",
    ),
    "nothing": (b"", None, "", "no explanation"),
    "spaces": (b"  \r\n", None, "", "no explanation"),
    "a JSON list": (b"[1, 2]", None, "", "[1, 2]"),
    "a JSON text": (b'"broken"', None, "broken", "broken"),
    "JSON null": (b"null", None, "", "null"),
    "a code that is a number": (b'{"code":4001,"message":"m"}', None, "m", "m"),
    "an empty code": (b'{"code":"","message":"m"}', None, "m", "m"),
    "a message that is no text": (b'{"code":"INVALID_ORDER","message":{"a":1}}', "INVALID_ORDER", "", '{"code"'),
    "only a code": (b'{"code":"INVALID_ORDER"}', "INVALID_ORDER", "", "INVALID_ORDER"),
    "a null message": (b'{"code":"INVALID_ORDER","message":null}', "INVALID_ORDER", "", "INVALID_ORDER"),
    "HTML": (b"<h1>No</h1>", None, "", "<h1>No</h1>"),
    "no UTF-8": (b"caf\xe9 \xff\xfe", None, "caf\ufffd \ufffd\ufffd", "caf\ufffd"),
    "a byte order mark": (b'\xef\xbb\xbf{"code":"INVALID_ORDER","message":"m"}', "INVALID_ORDER", "m", "m"),
    "UTF-16": ('{"code":"INVALID_ORDER","message":"m"}'.encode("utf-16"), "INVALID_ORDER", "m", "m"),
    "deep nesting": (b"[" * 100_000, None, "[" * 100_000, "[[["),
    "a number of many digits": (b"1" * 5000, None, "1" * 5000, "111"),
}


@pytest.mark.parametrize(("content", "code", "message", "in_text"), BODIES.values(), ids=list(BODIES))
def test_bodies(content: bytes, code: str | None, message: str, in_text: str) -> None:
    found = refused(400, content)
    assert isinstance(found, BadRequest)
    assert (found.code, found.message, found.content) == (code, message, content)
    assert in_text in str(found)
    assert len(str(found)) < 500
    assert found.text == content.decode("utf-8", "replace")


@both
@pytest.mark.parametrize(("status", "kind"), [(403, RegionRestricted), (502, ServerError), (404, NotFound)])
async def test_web_page_of_the_edge(flavour: str, status: int, kind: type[StatusError]) -> None:
    with serving(reply(status, HTML, content_type="text/html")) as server:
        async with desk(flavour, server.url, max_retries=0) as bench:
            with pytest.raises(kind) as caught:
                await bench.send(READ)
    assert caught.value.content == HTML
    assert caught.value.headers["Content-Type"] == "text/html"
    assert "Attention Required" in str(caught.value)
    assert len(str(caught.value)) < 600


def test_region_error_names_the_setting() -> None:
    assert "alternate_urls" in str(refused(451, b""))
    assert "alternate_urls" not in str(refused(403, in_json("FORBIDDEN")))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({}, None), ({"retry-after": "3"}, 3.0), ({"Retry-After": "0.5"}, 0.5), ({"retry-after": "x"}, None)],
)
def test_retry_after_is_kept(headers: dict[str, str], seconds: float | None) -> None:
    found = refused(429, b"", READ, **headers)
    assert isinstance(found, RateLimited)
    assert found.retry_after == seconds


# Replies that do not fit


MISFITS: dict[str, bytes] = {
    "not JSON": b"<html>",
    "half of it": b'[{"id":"1",',
    "an object for a list": b"{}",
    "a missing field": b'[{"orderType":"Limit"}]',
    "an impossible number": b'[{"executedQuantity":"1e999999999999999999"}]',
    "no UTF-8": b'["\xff"]',
}


@both
@pytest.mark.parametrize("content", MISFITS.values(), ids=list(MISFITS))
async def test_invalid_response_keeps_the_reply(flavour: str, content: bytes) -> None:
    with serving(reply(200, content, x_extra="1")) as server:
        async with desk(flavour, server.url) as bench:
            with pytest.raises(InvalidResponse) as caught:
                await bench.call("order.get_open_orders")
    found = caught.value
    assert (found.status, found.content) == (200, content)
    assert found.headers["x-extra"] == "1"
    assert found.request is not None
    assert found.request.operation.name == "get_open_orders"
    assert found.__cause__ is not None
    assert "get_open_orders" in str(found)


OUT_OF_RANGE = [
    ("markets.get_depth", b'{"asks":[],"bids":[],"lastUpdateId":"1","timestamp":%s}' % (b"9" * 30)),
    ("order.get_fills", b'[{"timestamp":"0001-01-01T00:00:00+14:00"}]'),
    ("system.get_time", b"9" * 5000),
    ("system.get_time", b"\xff"),
]


@pytest.mark.parametrize(("operation", "content"), OUT_OF_RANGE)
async def test_values_beyond_every_range(operation: str, content: bytes) -> None:
    arguments = ["SOL_USDC"] if operation == "markets.get_depth" else []
    with serving(reply(200, content)) as server:
        async with desk("sync", server.url) as bench:
            with pytest.raises(InvalidResponse) as caught:
                await bench.call(operation, *arguments)
    assert caught.value.content == content


def give_up(content: bytes) -> Any:
    raise ArithmeticError("no decoder should do this")


def test_whatever_a_decoder_raises() -> None:
    for request, kind in ((READ, InvalidResponse), (COMMAND, OutcomeUnknown)):
        strange: Request[Any] = Request(request.operation, Reply({200: give_up}), body=request.body)
        found = refused(200, b"{}", strange)
        assert type(found) is kind
        assert isinstance(found.__cause__, ArithmeticError)


@both
async def test_strange_headers_do_not_hide_the_reply(flavour: str) -> None:
    payload = b"HTTP/1.1 400 \xff\xe9\r\nx-a: \xff\xe9\r\nset-cookie: ;;=\xff\r\ncontent-length: 2\r\n\r\nno"
    with serving(raw(payload)) as server:
        async with desk(flavour, server.url) as bench:
            with pytest.raises((BadRequest, ConnectionFailed)):
                await bench.send(READ)


@both
async def test_compressed_refusal_with_strange_headers(flavour: str) -> None:
    content = gzip.compress(in_json("INVALID_ORDER"))
    head = b"HTTP/1.1 400 Bad\r\nx-a: \xff\xe9\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(content)
    with serving(raw(head + content)) as server:
        async with desk(flavour, server.url) as bench:
            with pytest.raises(BadRequest, match="INVALID_ORDER: because"):
                await bench.send(COMMAND)


# Copies


async def raised(flavour: str) -> list[Exception]:
    """One error of every kind that a client makes, as a client makes it."""
    found: list[Exception] = []
    actions = [
        *(reply(status, in_json(code), retry_after="99") for status, code, _, _ in TABLE),
        reply(200, b"?"), hang_up,
    ]  # fmt: skip
    for request in (
        READ,
        COMMAND,
        operations.system.get_time(),
        operations.system.ping(),
        operations.markets.get_markets(),
    ):
        with serving(*actions) as server:
            async with desk(flavour, server.url, max_retries=0, rate_limit=None) as bench:
                for _ in actions:
                    try:
                        await bench.send(request)
                    except BackpackError as problem:
                        found.append(problem)
    for problem_of in (operations.order.get_order, operations.system.ping):
        async with desk(flavour, closed_port(), max_retries=0, credentials=None) as bench:
            with pytest.raises(BackpackError) as caught:
                await bench.send(problem_of(*(["SOL_USDC"] if problem_of is operations.order.get_order else [])))
            found.append(caught.value)
    found += [InvalidArgument("price", "no"), RequestTimeout("late", request=READ)]
    return found


@both
async def test_errors_can_be_pickled_and_copied(flavour: str) -> None:
    problems = await raised(flavour)
    assert {type(each) for each in problems} >= {
        StatusError, BadRequest, InsufficientFunds, InsufficientMargin, Conflict, AuthenticationError, PermissionDenied,
        RegionRestricted, NotFound, RateLimited, ServerError, Maintenance, OutcomeUnknown, InvalidResponse,
        ConnectionFailed, RequestTimeout, CredentialsError, InvalidArgument,
    }  # fmt: skip
    for problem in problems:
        twins: list[Any] = [pickle.loads(pickle.dumps(problem)), copy.copy(problem), copy.deepcopy(problem)]
        for twin in twins:
            assert (type(twin), str(twin)) == (type(problem), str(problem))
            assert repr(twin) == repr(problem)
            for name in ("status", "code", "content", "message", "client_id", "retry_after", "argument", "text"):
                assert getattr(twin, name, None) == getattr(problem, name, None)
            if isinstance(problem, errors._CallError) and problem.request is not None:
                assert parts(twin.request) == parts(problem.request)
            if isinstance(problem, errors._ReplyError) and "retry-after" in problem.headers:
                assert twin.headers["retry-after"] == "99"


def parts(request: Request[Any]) -> tuple[object, ...]:
    return request.operation, request.query, request.body, request.headers


async def test_a_pickled_reply_can_still_be_read() -> None:
    with serving(reply(200, b"1777636800125")) as server:
        async with desk("sync", server.url) as bench:
            answer = await bench.send_raw(operations.system.get_time())
    again = pickle.loads(pickle.dumps(answer.request))
    assert again.reply.decode(200, answer.content) == answer.parse()


def test_repr_is_short() -> None:
    for found in (refused(400, HTML), refused(500, HTML, COMMAND), refused(200, HTML), refused(200, HTML, COMMAND)):
        assert len(repr(found)) < 800
        assert type(found).__name__ in repr(found)


def test_no_reply_needed() -> None:
    """Errors can be made by hand, as tests of a user's own code do."""
    bare = OutcomeUnknown("lost", client_id=5)
    assert (bare.client_id, bare.status, bare.code, bare.content, bare.text, dict(bare.headers)) == (
        5,
        None,
        None,
        b"",
        "",
        {},
    )
    assert RateLimited("slow", retry_after=2).retry_after == 2
    assert BadRequest("no", message="m", code="C").message == "m"


@both
async def test_private_call_without_credentials(flavour: str) -> None:
    with serving() as server:
        async with desk(flavour, server.url, credentials=None) as bench:
            with pytest.raises(CredentialsError, match=r"order\.get_order is private"):
                await bench.send(READ)
            assert server.requests == []
    assert CREDENTIALS.api_key


@both
async def test_error_code_on_a_kept_connection(flavour: str) -> None:
    """A refusal does not cost the connection, and the next call is not mixed up with it."""
    with serving(error(400, "INVALID_ORDER"), reply(202, b"")) as server:
        async with desk(flavour, server.url) as bench:
            with pytest.raises(BadRequest):
                await bench.send(COMMAND)
            assert await bench.call("order.cancel_order", "SOL_USDC", client_id=7)
        assert len(server.requests) == 2

"""Who is let in: keys, clocks, windows and signatures, over a socket and by the check values of the API's docs."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest
from nacl.signing import SigningKey

from backpack_sdk.paper import PaperExchange
from backpack_sdk.paper.auth import authenticate, check_api_key
from backpack_sdk.paper.errors import ApiError, MalformedRequest
from backpack_sdk.paper.operations import BY_NAME, Operation
from backpack_sdk.paper.reading import parse_query

from .app_desk import API_KEY, ORDER, Trader, headers, message, now_ms, ok, operations, refused, signature, unreadable

DOCUMENTED = {
    "X-API-Key": API_KEY,
    "X-Timestamp": "1614550000000",
    "X-Window": "5000",
}
CANCEL = "nr1Afd4ZC93Num6Y7mHeLhQDpy92WXJUdKBSKuetLxYoq3th7Ndn+A8TM7fqCCwYdgGofyPQYELYAMFvYK3uAg=="
SUBSCRIBE = "yv53JMmBCjtwWqVwaX8IpZgb974YXk4DjB6gx95Hzb7KWu7y8k3EGZZJbc3vOmN/upvzXnSx1SKqDIj6Rx/7Bg=="


def check(operation: Operation, body: Any, signed: str, **changes: str) -> str:
    sent = {**DOCUMENTED, "X-Signature": signed, **changes}
    lower = {name.lower(): value for name, value in sent.items()}
    return authenticate(operation, (), body, lower, keys={API_KEY}, now_ms=1614550000000)


def test_the_documented_signature_of_a_cancel_is_accepted() -> None:
    body = {"symbol": "BTC_USDT", "orderId": "28"}
    assert check(BY_NAME["cancel_order"], body, CANCEL) == API_KEY


def test_the_documented_signature_of_a_subscription_is_accepted() -> None:
    assert check(Operation("subscribe", "GET", "", "subscribe"), None, SUBSCRIBE) == API_KEY


@pytest.mark.parametrize(
    "body",
    [
        {"symbol": "BTC_USDT", "orderId": "29"},
        {"symbol": "BTC_USDT"},
        {"symbol": "BTC_USDT", "orderId": "28", "clientId": 1},
        [{"symbol": "BTC_USDT", "orderId": "28"}, {}],
        {},
        "BTC_USDT",
    ],
)
def test_the_documented_signature_fits_no_other_body(body: Any) -> None:
    with pytest.raises(ApiError, match="INVALID_SIGNATURE"):
        check(BY_NAME["cancel_order"], body, CANCEL)


def test_the_documented_signature_fits_no_other_operation() -> None:
    with pytest.raises(ApiError, match="instruction=orderExecute&orderId=28"):
        check(BY_NAME["execute_order"], {"symbol": "BTC_USDT", "orderId": "28"}, CANCEL)


def test_null_is_absent_and_so_not_signed() -> None:
    body = {"symbol": "BTC_USDT", "orderId": "28", "clientId": None}
    assert check(BY_NAME["cancel_order"], body, CANCEL) == API_KEY


def test_members_stand_raw_and_booleans_in_lower_case() -> None:
    body = {"b": True, "a": "x&y=1 %20", "n": 7, "nested": {"k": ["é", 1]}, "many": ["p", "q"], "off": False}
    text = (
        'instruction=withdraw&a=x&y=1 %20&b=true&many=p&many=q&n=7&nested={"k":["é",1]}&off=false'
        "&timestamp=1614550000000&window=5000"
    )
    assert check(BY_NAME["request_withdrawal"], body, signature(text)) == API_KEY


def test_a_two_factor_token_is_never_repeated() -> None:
    with pytest.raises(ApiError) as caught:
        check(BY_NAME["request_withdrawal"], {"twoFactorToken": "123456"}, CANCEL)
    assert "123456" not in caught.value.message
    assert "twoFactorToken=***" in caught.value.message


@pytest.mark.parametrize("key", ["", "abc", "é", API_KEY[:-1], API_KEY + "=", " " + API_KEY, "A" * 88])
def test_an_api_key_must_be_32_bytes_of_base64(key: str) -> None:
    with pytest.raises(ValueError, match="32-byte"):
        check_api_key(key)


# Over a socket


def ask(trader: Trader, sent: dict[str, str]) -> httpx.Response:
    return trader.http.get("/api/v1/capital", headers=sent)


def good(timestamp: int | None = None, window: int = 5000) -> dict[str, str]:
    at = now_ms() if timestamp is None else timestamp
    return headers(message("balanceQuery", {}, at, window), at, window)


def test_a_right_signature_is_let_in(trader: Trader) -> None:
    assert "USDC" in ok(ask(trader, good()))


def test_the_window_is_5000_when_none_is_sent(trader: Trader) -> None:
    sent = good()
    del sent["X-Window"]
    ok(ask(trader, sent))


def test_a_request_without_a_key_is_unauthorized(trader: Trader) -> None:
    assert "X-API-Key is missing" in refused(ask(trader, {}), "UNAUTHORIZED", 401)


def test_a_key_without_an_account_is_unauthorized(trader: Trader) -> None:
    at = now_ms()
    stranger = headers(message("balanceQuery", {}, at, 5000), at, 5000, secret=base64.b64encode(bytes(32)).decode())
    assert stranger["X-API-Key"] in refused(ask(trader, stranger), "UNAUTHORIZED", 401)


def test_a_signature_by_another_key_is_refused(trader: Trader) -> None:
    at = now_ms()
    forged = good(at) | {
        "X-Signature": signature(message("balanceQuery", {}, at, 5000), base64.b64encode(bytes(32)).decode())
    }
    assert f"instruction=balanceQuery&timestamp={at}&window=5000" in refused(ask(trader, forged), "INVALID_SIGNATURE")


@pytest.mark.parametrize(
    ("changes", "code", "hint"),
    [
        ({"X-Window": "60001"}, "INVALID_CLIENT_REQUEST", "1 to 60000"),
        ({"X-Window": "0"}, "INVALID_CLIENT_REQUEST", "1 to 60000"),
        ({"X-Window": "5s"}, "INVALID_CLIENT_REQUEST", "whole milliseconds"),
        ({"X-Window": "-5000"}, "INVALID_CLIENT_REQUEST", "whole milliseconds"),
        ({"X-Window": "9" * 5000}, "INVALID_CLIENT_REQUEST", "whole milliseconds"),
        ({"X-Timestamp": "now"}, "INVALID_CLIENT_REQUEST", "whole milliseconds"),
        ({"X-Timestamp": ""}, "INVALID_CLIENT_REQUEST", "whole milliseconds"),
        ({"X-Window": "4999"}, "INVALID_SIGNATURE", "window=4999"),
        ({"X-Signature": "not base64"}, "INVALID_SIGNATURE", "not base64"),
        ({"X-Signature": ""}, "INVALID_SIGNATURE", "0 bytes"),
        ({"X-Signature": base64.b64encode(bytes(64)).decode()}, "INVALID_SIGNATURE", "not one of this API key"),
    ],
)
def test_a_bad_header_is_refused(trader: Trader, changes: dict[str, str], code: str, hint: str) -> None:
    assert hint in refused(ask(trader, good() | changes), code)


@pytest.mark.parametrize("missing", ["X-Timestamp", "X-Signature"])
def test_a_missing_header_is_named(trader: Trader, missing: str) -> None:
    sent = good()
    del sent[missing]
    code = "INVALID_SIGNATURE" if missing == "X-Signature" else "INVALID_CLIENT_REQUEST"
    assert f"{missing} is missing" in refused(ask(trader, sent), code)


@pytest.mark.parametrize(("offset", "words"), [(-5001, "5001 ms behind"), (5001, "5001 ms ahead of")])
def test_a_clock_that_is_off_by_more_than_the_window_is_refused(
    exchange: PaperExchange, trader: Trader, offset: int, words: str
) -> None:
    now = 1_700_000_000_000
    exchange.clock = lambda: now * 1000
    assert words in refused(ask(trader, good(now + offset)), "INVALID_SIGNATURE")


@pytest.mark.parametrize(("offset", "window"), [(-5000, 5000), (5000, 5000), (-60_000, 60_000)])
def test_a_clock_may_be_off_by_the_window(exchange: PaperExchange, trader: Trader, offset: int, window: int) -> None:
    now = 1_700_000_000_000
    exchange.clock = lambda: now * 1000
    ok(ask(trader, good(now + offset, window)))


def test_query_values_are_signed_decoded(trader: Trader) -> None:
    params = {"symbol": "no such+market&é=1"}
    assert "no such+market&é=1" in refused(trader.get("/api/v1/orders", "orderQueryAll", **params), "INVALID_SYMBOL")


def test_a_query_must_be_percent_encoded() -> None:
    assert parse_query("a=%C3%A9&b=x+y&b=&c") == (("a", "é"), ("b", "x y"), ("b", ""), ("c", ""))
    for raw in ("a=é", "a=%C3", "&".join(["a=1"] * 1001)):
        with pytest.raises(MalformedRequest, match="failed to parse the query"):
            parse_query(raw)


def test_values_signed_encoded_are_refused(trader: Trader) -> None:
    at = now_ms()
    text = message("orderQueryAll", {"symbol": "a%20b"}, at, 5000)
    response = trader.http.get("/api/v1/orders", params={"symbol": "a b"}, headers=headers(text, at, 5000))
    assert "symbol=a b" in refused(response, "INVALID_SIGNATURE")


def test_values_of_a_repeated_parameter_are_signed_in_the_order_of_their_arrival(trader: Trader) -> None:
    at = now_ms()
    text = f"instruction=fillHistoryQueryAll&limit=1&marketType=SPOT&marketType=PERP&timestamp={at}&window=5000"
    query = {"marketType": ["SPOT", "PERP"], "limit": "1"}
    assert ok(trader.http.get("/wapi/v1/history/fills", params=query, headers=headers(text, at, 5000))) == []


def test_a_body_changed_after_signing_is_refused_and_not_carried_out(exchange: PaperExchange, trader: Trader) -> None:
    at = now_ms()
    signed = headers(message("orderExecute", ORDER, at, 5000), at, 5000)
    response = trader.http.post("/api/v1/order", json={**ORDER, "quantity": "2"}, headers=signed)
    assert "quantity=2" in refused(response, "INVALID_SIGNATURE")
    assert exchange.engine.order_history(API_KEY) == ()


def test_a_batch_repeats_the_instruction(trader: Trader) -> None:
    placed = ok(trader.batch([ORDER, {**ORDER, "price": "101", "postOnly": True}]))
    assert [item["operation"] for item in placed] == ["Ok", "Ok"]


def test_a_batch_signed_with_one_instruction_is_refused(trader: Trader) -> None:
    at = now_ms()
    pairs = "&".join(f"{name}={ORDER[name]}" for name in sorted(ORDER))
    text = f"instruction=orderExecute&{pairs}&{pairs}&timestamp={at}&window=5000"
    response = trader.http.post("/api/v1/orders", json=[ORDER, ORDER], headers=headers(text, at, 5000))
    refused(response, "INVALID_SIGNATURE")


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (b"", "failed to parse the request body"),
        (b"{", "failed to parse the request body"),
        (b'{"symbol":"A","symbol":"B"}', "twice"),
        (b'{"quantity":NaN}', "NaN"),
        (b"[" * 100_000, "failed to parse the request body"),
        (b'{"n":' + b"1" * 5000 + b"}", "failed to parse the request body"),
        (b"\xff", "failed to parse the request body"),
        (b'{"symbol":"\\ud800"}', "not valid Unicode"),
    ],
)
def test_a_body_that_cannot_be_read_is_answered_in_plain_text(trader: Trader, body: bytes, hint: str) -> None:
    sent = {**good(), "Content-Type": "application/json"}
    assert hint in unreadable(trader.http.post("/api/v1/order", content=body, headers=sent))


def test_a_body_of_another_type_is_answered_with_415(trader: Trader) -> None:
    response = trader.http.post("/api/v1/order", content=json.dumps(ORDER), headers=good())
    assert "application/json" in unreadable(response, 415)


SIGNED = [operation for operation in BY_NAME.values() if operation.instruction is not None]


@pytest.mark.parametrize("operation", SIGNED, ids=lambda operation: operation.name)
def test_every_private_operation_wants_its_own_instruction(trader: Trader, operation: Operation) -> None:
    body: dict[str, Any] = {"json": {}} if operation.has_body else {}
    at = now_ms()
    wrong = headers(message("somethingElse", {}, at, 5000), at, 5000)
    response = trader.http.request(operation.method, operation.path, headers=wrong, **body)
    expected = operations()[operation.name][2]["x-instruction"]
    assert f"instruction={expected}&timestamp" in refused(response, "INVALID_SIGNATURE")


def test_the_verifying_key_of_the_documented_seed_is_the_documented_one() -> None:
    seed = base64.b64decode("sKmC5939f6W9/viyhwyaNHa0f7j5wSMvZsysW5BB9L4=")
    assert base64.b64encode(bytes(SigningKey(seed).verify_key)).decode() == API_KEY

"""Replies: which decoder a status finds, and the types that stand for a reply without a body."""

from __future__ import annotations

import copy
import gc
import pickle
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import backpack_sdk
from backpack_sdk import OPERATIONS, Accepted, Acknowledged, NoContent, TextReply, operations, types
from backpack_sdk._core.reply import Reply, empty_reply, json_reply, parsed_text_reply, text_reply
from backpack_sdk._core.scalars import from_millis

EMPTY: list[type[Any]] = [Accepted, Acknowledged, NoContent]


@pytest.mark.parametrize("kind", EMPTY)
def test_an_empty_reply_is_its_status(kind: type[Any]) -> None:
    reply = kind()
    assert reply.content == b""
    assert reply.status == {"Accepted": 202, "Acknowledged": 200, "NoContent": 204}[kind.__name__]
    assert reply == kind(b"said something all the same")
    assert hash(reply) == hash(kind())
    assert repr(reply) == f"{kind.__name__}()"
    assert bool(reply)
    for twin in (copy.copy(reply), copy.deepcopy(kind(b"x")), pickle.loads(pickle.dumps(reply))):
        assert twin == reply
        assert type(twin) is kind
    assert copy.deepcopy(kind(b"x")).content == b"x"
    assert [reply == other() for other in EMPTY].count(True) == 1
    assert reply != reply.status


def test_done_and_taken_are_told_apart() -> None:
    assert Accepted() != Acknowledged()
    match operations.order.cancel_order("SOL_USDC", order_id="1").reply.decode(202, b""):
        case Accepted():
            pass
        case other:
            pytest.fail(f"{other} is not Accepted")
    assert "not done it yet" in (Accepted.__doc__ or "")


@given(st.text(st.characters(codec="utf-8")))
def test_text_is_kept_as_it_came(text: str) -> None:
    reply = text_reply().decode(200, text.encode())
    assert isinstance(reply, TextReply)
    assert reply == text


def test_text_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        text_reply().decode(200, b"\xff")


def test_text_can_mean_a_value() -> None:
    reply = parsed_text_reply(from_millis)
    assert reply.decode(200, b" 1752930540123\n") == datetime(2025, 7, 19, 13, 9, 0, 123000, tzinfo=UTC)
    for wrong in (b"", b"soon", b"<html>", b"\xff", b"99999999999999999999"):
        with pytest.raises(ValueError, match=r"."):
            reply.decode(200, wrong)


def test_a_status_that_is_not_documented_is_refused() -> None:
    reply: Reply[Any] = json_reply(list[int])
    for status in (201, 202, 204, 299, 0, 404):
        with pytest.raises(ValueError, match=f"HTTP {status} is not a documented reply"):
            reply.decode(status, b"[]")


def test_also_leaves_the_first_reply_as_it_was() -> None:
    first = json_reply(list[int])
    both = first.also(202, Accepted)
    assert first.statuses() == (200,)
    assert both.statuses() == (200, 202)
    assert both.decode(200, b"[1]") == [1]
    assert both.decode(202, b"[1]") == Accepted()
    late = both.decode(202, b"late")
    assert isinstance(late, Accepted)
    assert late.content == b"late"
    with pytest.raises(ValueError, match="not a documented reply"):
        first.decode(202, b"")


@pytest.mark.parametrize(
    "body",
    [b"", b"   ", b"null", b"{", b"[1", b'"text"', b"{}", b"<html></html>", b"\xff\xfe", b'["x"]', b"[" * 10_000],
)
def test_a_body_that_does_not_fit_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        json_reply(list[int]).decode(200, body)


@pytest.mark.parametrize("constant", [b"NaN", b"Infinity", b"-Infinity"])
def test_json_that_is_none_is_no_price(constant: bytes) -> None:
    body = b'[{"symbol": "SOL_USDC", "price": %s}]' % constant
    with pytest.raises(ValueError, match="price"):
        json_reply(list[types.OrderExecutePayload]).decode(200, body)


def test_empty_replies_take_any_body() -> None:
    assert empty_reply(Acknowledged).decode(200, b"") == Acknowledged()
    assert empty_reply(NoContent, 204).statuses() == (204,)


def _request(name: str) -> Any:
    """Any request of an operation: the reply does not depend on the arguments."""
    calls: dict[str, Any] = {
        "order.cancel_order": lambda: operations.order.cancel_order("SOL_USDC", order_id="1"),
        "order.cancel_open_orders": lambda: operations.order.cancel_open_orders("SOL_USDC"),
        "strategy.cancel_strategy": lambda: operations.strategy.cancel_strategy("SOL_USDC", strategy_id="1"),
        "strategy.cancel_open_strategies": lambda: operations.strategy.cancel_open_strategies("SOL_USDC"),
        "markets.get_ticker": lambda: operations.markets.get_ticker("SOL_USDC"),
        "withdrawal_delays.get_withdrawal_delay": operations.withdrawal_delays.get_withdrawal_delay,
        "account.update_account_settings": lambda: operations.account.update_account_settings(auto_lend=True),
        "capital.convert_dust": operations.capital.convert_dust,
        "system.ping": operations.system.ping,
        "system.get_time": operations.system.get_time,
    }
    return calls[name]()


@pytest.mark.parametrize(
    ("name", "status", "body", "expected"),
    [
        # The four cancels answer an empty 202, or what they cancelled.
        ("order.cancel_order", 202, b"", Accepted()),
        ("order.cancel_open_orders", 202, b"", Accepted()),
        ("order.cancel_open_orders", 200, b"[]", []),
        ("strategy.cancel_strategy", 202, b"", Accepted()),
        ("strategy.cancel_open_strategies", 202, b"", Accepted()),
        # 204: nothing there.
        ("markets.get_ticker", 204, b"", NoContent()),
        ("withdrawal_delays.get_withdrawal_delay", 204, b"", NoContent()),
        # An empty 200.
        ("account.update_account_settings", 200, b"", Acknowledged()),
        ("capital.convert_dust", 200, b"", Acknowledged()),
        # Text.
        ("system.ping", 200, b"pong", "pong"),
        ("system.get_time", 200, b"1752930540123", datetime(2025, 7, 19, 13, 9, 0, 123000, tzinfo=UTC)),
    ],
)
def test_replies_of_the_operations(name: str, status: int, body: bytes, expected: Any) -> None:
    request = _request(name)
    assert f"{request.operation}" == name
    assert request.operation in OPERATIONS
    reply = request.reply.decode(status, body)
    assert reply == expected
    assert type(reply) is (TextReply if isinstance(expected, str) else type(expected)) or isinstance(reply, datetime)


def test_models_can_be_used_first_by_many_threads_at_once() -> None:
    """Models are completed when they are first used, and a client may be shared between threads."""
    code = """
import sys, threading
from backpack_sdk import operations
sys.setswitchinterval(1e-6)
body = b'[{"operation": "Err", "code": "X", "message": ""}]'
start, done = threading.Barrier(12), []
def work():
    start.wait()
    row = {"symbol": "SOL_USDC", "side": "Bid", "orderType": "Limit"}
    done.append(operations.order.execute_order_batch([row]).reply.decode(200, body)[0].error.code)
threads = [threading.Thread(target=work) for _ in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(done.count("X"))
"""
    script = f"import sys; sys.path.insert(0, {str(Path(backpack_sdk.__file__).parents[1])!r})\n{code}"
    ran = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, check=True, text=True)
    assert (ran.stdout, ran.stderr) == ("12\n", "")


def test_a_request_can_be_pickled_with_its_reply() -> None:
    for request in (
        operations.order.cancel_order("SOL_USDC", order_id="1"),
        operations.markets.get_markets(),
        operations.system.ping(),
        operations.system.get_time(),
    ):
        twin = pickle.loads(pickle.dumps(request))
        assert twin.operation == request.operation
        assert twin.body == request.body
        assert twin.reply.statuses() == request.reply.statuses()
    assert pickle.loads(pickle.dumps(operations.system.ping())).reply.decode(200, b"pong") == "pong"


@pytest.mark.parametrize("wanted", [True, False])
def test_a_long_reply_leaves_the_garbage_collector_as_it_was(wanted: bool) -> None:
    decode = operations.markets.get_markets().reply.decode
    row = b'{"symbol":"' + b"S" * 200 + b'"}'
    long = b"[" + b",".join([row] * 400) + b"]"
    was = gc.isenabled()
    try:
        (gc.enable if wanted else gc.disable)()
        with pytest.raises(ValueError, match="validation error"):
            decode(200, long)
        assert gc.isenabled() is wanted
        assert decode(200, b"[" + b" " * 40_000 + b"]") == []
        assert gc.isenabled() is wanted
    finally:
        (gc.enable if was else gc.disable)()

"""Scripted faults: what goes over the wire, and whether the order was carried out."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from backpack_sdk.paper import Fault, FaultDesk, PaperExchange

from .app_desk import API_KEY, Trader, ok


def placed(exchange: PaperExchange) -> int:
    with exchange.lock:
        return len(exchange.engine.order_history(API_KEY))


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


@pytest.mark.parametrize("takes_effect", [False, True])
def test_a_dropped_connection(exchange: PaperExchange, trader: Trader, takes_effect: bool) -> None:
    exchange.faults.add("execute_order", Fault.drop(takes_effect=takes_effect))
    with pytest.raises(httpx.RemoteProtocolError):
        trader.order()
    assert placed(exchange) == takes_effect
    assert len(exchange.requests) == 1
    ok(trader.order())


@pytest.mark.parametrize("takes_effect", [False, True])
@pytest.mark.parametrize("status", [429, 500, 503, 504])
def test_a_status_with_a_code(exchange: PaperExchange, trader: Trader, status: int, takes_effect: bool) -> None:
    fault = Fault.status(status, "SERVER_ERROR", "busy", takes_effect=takes_effect, headers={"Retry-After": "2"})
    exchange.faults.add("execute_order", fault)
    response = trader.order()
    assert response.status_code == status
    assert response.json() == {"code": "SERVER_ERROR", "message": "busy"}
    assert response.headers["retry-after"] == "2"
    assert placed(exchange) == takes_effect


def test_a_status_without_a_code_is_plain_text(exchange: PaperExchange, trader: Trader) -> None:
    exchange.faults.add("execute_order", Fault.status(503, message="upstream is away"))
    response = trader.order()
    assert (response.status_code, response.text) == (503, "upstream is away")
    assert response.headers["content-type"].startswith("text/plain")
    assert placed(exchange) == 0


@pytest.mark.parametrize("operation", ["execute_order", "ping"])
def test_a_truncated_reply_announces_more_than_it_sends(
    exchange: PaperExchange, trader: Trader, operation: str
) -> None:
    exchange.faults.add(operation, Fault.truncate())
    ask: Callable[[], httpx.Response] = trader.order
    if operation == "ping":
        ask = partial(trader.get, "/api/v1/ping")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        ask()
    assert placed(exchange) == (operation == "execute_order")


def test_a_truncated_reply_without_a_body_is_dropped(exchange: PaperExchange, trader: Trader) -> None:
    exchange.faults.add("get_ticker", Fault.truncate())
    with pytest.raises(httpx.RemoteProtocolError):
        trader.get("/api/v1/ticker", symbol="SOL_USDC")


def test_garbage(exchange: PaperExchange, trader: Trader) -> None:
    exchange.faults.add("execute_order", Fault.garbage(), Fault.garbage(b"{}", takes_effect=False))
    first, second = trader.order(), trader.order()
    assert (first.status_code, second.status_code) == (200, 200)
    with pytest.raises(ValueError, match="decode"):
        first.json()
    assert second.content == b"{}"
    assert placed(exchange) == 1


def test_a_delay_before_the_order_takes_effect_outlasts_the_client(exchange: PaperExchange, trader: Trader) -> None:
    exchange.faults.add("execute_order", Fault.delay(60))
    trader.http.timeout = httpx.Timeout(5, read=0.05)
    with pytest.raises(httpx.ReadTimeout):
        trader.order()
    assert placed(exchange) == 0


def test_a_delay_after_the_order_took_effect(exchange: PaperExchange, trader: Trader) -> None:
    exchange.faults.add("execute_order", Fault.delay(60, after=True), Fault.delay(0.01))
    trader.http.timeout = httpx.Timeout(5, read=0.05)
    with pytest.raises(httpx.ReadTimeout):
        trader.order()
    wait_until(lambda: placed(exchange) == 1)
    trader.http.timeout = httpx.Timeout(5)
    ok(trader.order())


def test_faults_wait_for_their_operation_and_happen_once_in_order(exchange: PaperExchange, trader: Trader) -> None:
    exchange.faults.add("get_time", Fault.status(500), Fault.status(503))
    exchange.faults.add("get_status", Fault.status(504))
    assert len(exchange.faults) == 3
    assert trader.get("/api/v1/ping").status_code == 200
    assert [trader.get("/api/v1/time").status_code for _ in range(3)] == [500, 503, 200]
    assert len(exchange.faults) == 1
    exchange.faults.clear()
    assert trader.get("/api/v1/status").status_code == 200


def test_a_fault_of_no_operation_is_refused(exchange: PaperExchange) -> None:
    with pytest.raises(ValueError, match=r"order\.execute_order"):
        exchange.faults.add("order.execute_order", Fault.truncate())


def test_an_exchange_that_stops_does_not_wait_for_a_delay() -> None:
    with ThreadPoolExecutor(1) as pool:
        with PaperExchange() as exchange:
            exchange.faults.add("ping", Fault.delay(3600))
            asking = pool.submit(httpx.get, f"{exchange.base_url}/api/v1/ping", timeout=60, trust_env=False)
            wait_until(lambda: len(exchange.requests) == 1)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            asking.result()


def test_chance_strikes_a_share_of_the_requests(exchange: PaperExchange, trader: Trader) -> None:
    def struck() -> list[bool]:
        exchange.faults.clear()
        exchange.faults.random(0.5, Fault.status(503), Fault.status(500), seed=1, operation="get_t*")
        return [trader.get("/api/v1/time").status_code != 200 for _ in range(30)]

    first = struck()
    assert 5 < sum(first) < 25
    assert struck() == first
    assert trader.get("/api/v1/ping").status_code == 200
    exchange.faults.add("get_time", Fault.status(429))
    assert trader.get("/api/v1/time").status_code == 429
    assert len(exchange.faults) == 0


def test_each_fault_is_one_line(exchange: PaperExchange, trader: Trader) -> None:
    faults, clock = FaultDesk(exchange), exchange.clock
    faults.status("get_time", 451, times=2)
    faults.rate_limit("get_time", retry_after=3)
    faults.rate_limit("get_time")
    faults.garbage("get_time")
    faults.delay("get_time", 0.001, after=True)
    faults.add("get_time", Fault.status(500), Fault.status(502), times=2)
    statuses = [trader.get("/api/v1/time").status_code for _ in range(10)]
    assert statuses == [451, 451, 429, 429, 200, 200, 500, 502, 500, 502]
    for fail in (partial(faults.drop, takes_effect=False), faults.truncate):
        fail("get_time")
        with pytest.raises(httpx.TransportError):
            trader.get("/api/v1/time")
    faults.skew_clock(-60)
    assert -61 < (exchange.clock() - clock()) / 1_000_000 < -59
    faults.random(1, Fault.status(503), seed=0)
    faults.sockets.refuse()
    faults.clear()
    assert (exchange.clock, len(exchange.faults), len(exchange.socket_faults)) == (clock, 0, 0)
    assert trader.get("/api/v1/time").status_code == 200


def test_a_senseless_chance_is_refused(exchange: PaperExchange) -> None:
    for rate, faults, operation in ((1.5, (Fault.truncate(),), "*"), (0.5, (), "*"), (0.5, (Fault.truncate(),), "go*")):
        with pytest.raises(ValueError, match=r"needed|no operation"):
            exchange.faults.random(rate, *faults, seed=0, operation=operation)

"""Starting, stopping, setting up, and the log of requests."""

from __future__ import annotations

import asyncio
import base64
import logging
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import httpx
import pytest

from backpack_sdk.paper import PaperExchange, PaperMarket
from backpack_sdk.paper.engine import FeeRates, Ladder, MarketSpec

from .app_desk import API_KEY, ORDER, Trader, ok, refused

JUP = MarketSpec(
    symbol="JUP_USDC", base="JUP", quote="USDC", tick_size=Decimal("0.0001"), step_size=Decimal("0.1"),
    min_price=Decimal("0.0001"), min_quantity=Decimal("0.1"), max_price=Decimal("1000"), max_quantity=Decimal("1E+6"),
)  # fmt: skip


def get(url: str) -> httpx.Response:
    return httpx.get(url, trust_env=False)


def test_the_address_exists_only_while_it_runs() -> None:
    exchange = PaperExchange()
    with pytest.raises(RuntimeError, match="not running"):
        _ = exchange.base_url
    with exchange as running:
        assert running is exchange
        url = exchange.base_url
        assert get(f"{url}/api/v1/ping").text == "pong"
    with pytest.raises(RuntimeError, match="not running"):
        _ = exchange.base_url
    with pytest.raises(httpx.ConnectError):
        get(f"{url}/api/v1/ping")
    assert "paper-exchange" not in {thread.name for thread in threading.enumerate()}


def test_an_exchange_keeps_its_state_when_entered_again() -> None:
    exchange = PaperExchange()
    exchange.add_account(API_KEY)
    with exchange:
        trader = Trader(exchange.base_url)
        with trader.http:
            order = ok(trader.order())
    with exchange:
        trader = Trader(exchange.base_url)
        with trader.http:
            assert trader.open_orders() == [order]


def test_an_exchange_cannot_be_entered_twice_at_once(exchange: PaperExchange) -> None:
    with pytest.raises(RuntimeError, match="running already"), exchange:
        pass
    assert get(f"{exchange.base_url}/api/v1/ping").text == "pong"


def test_a_taken_port_is_reported_and_leaves_nothing_behind() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        exchange = PaperExchange(port=taken.getsockname()[1])
        with pytest.raises(OSError, match="address already in use"), exchange:
            pass
    with exchange:
        assert get(f"{exchange.base_url}/api/v1/ping").text == "pong"
    assert "paper-exchange" not in {thread.name for thread in threading.enumerate()}


def test_an_error_inside_the_block_stops_the_exchange() -> None:
    exchange = PaperExchange()
    with pytest.raises(KeyError), exchange:
        raise KeyError
    assert "paper-exchange" not in {thread.name for thread in threading.enumerate()}


async def test_it_serves_from_the_running_loop() -> None:
    threads = threading.active_count()
    async with PaperExchange() as exchange, httpx.AsyncClient(trust_env=False, verify=False) as http:
        assert threading.active_count() == threads
        replies = await asyncio.gather(*(http.get(f"{exchange.base_url}/api/v1/ping") for _ in range(20)))
        assert {reply.text for reply in replies} == {"pong"}
    with pytest.raises(RuntimeError, match="not running"):
        _ = exchange.base_url


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_no_reason_to_warn(host: str, caplog: pytest.LogCaptureFixture) -> None:
    with PaperExchange(host=host) as exchange:
        assert get(f"{exchange.base_url}/api/v1/ping").text == "pong"
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_another_address_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with PaperExchange(host="0.0.0.0") as exchange:
        assert exchange.base_url.startswith("http://127.0.0.1:")
        assert get(f"{exchange.base_url}/api/v1/ping").text == "pong"
    (warning,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "0.0.0.0" in warning.getMessage()


# Set-up


def test_own_markets_and_balances() -> None:
    ladder = Ladder(mid=Decimal("0.5"), quantity=Decimal(100), levels=3)
    with PaperExchange(markets=[PaperMarket(JUP, (ladder,))], balances={"JUP": 5, "USDC": "0.50"}) as exchange:
        exchange.add_account(API_KEY)
        trader = Trader(exchange.base_url)
        with trader.http:
            (market,) = ok(trader.get("/api/v1/markets"))
            assert market["filters"] == {
                "price": {"minPrice": "0.0001", "maxPrice": "1000", "tickSize": "0.0001"},
                "quantity": {"minQuantity": "0.1", "maxQuantity": "1000000", "stepSize": "0.1"},
            }
            book = ok(trader.get("/api/v1/depth", symbol="JUP_USDC"))
            assert (book["bids"][-1], book["asks"][0]) == (["0.4999", "100"], ["0.5001", "100"])
            assert {asset: row["available"] for asset, row in trader.balances().items()} == {"JUP": "5", "USDC": "0.5"}
            assert [asset["symbol"] for asset in ok(trader.get("/api/v1/assets"))] == ["JUP", "USDC"]


def test_a_plain_market_starts_empty_and_default_balances_are_those_that_are_traded() -> None:
    with PaperExchange(markets=[JUP]) as exchange:
        exchange.add_account(API_KEY)
        assert ok(get(f"{exchange.base_url}/api/v1/depth?symbol=JUP_USDC"))["asks"] == []
        assert exchange.engine.balances(API_KEY).keys() == {"USDC"}


def test_the_seed_decides_the_books() -> None:
    def books(seed: int) -> list[Any]:
        exchange = PaperExchange(seed=seed, clock=lambda: 0)
        return [exchange.engine.depth(spec.symbol) for spec in exchange.engine.markets()]

    assert books(1) == books(1)
    assert books(1) != books(2)


def test_an_account_has_its_own_balances_and_fees(exchange: PaperExchange) -> None:
    key = base64.b64encode(bytes(32)).decode()
    exchange.add_account(key, {"USDC": 10, "SOL": 0}, fees=FeeRates(Decimal(0), Decimal(1)))
    assert {asset: row.available for asset, row in exchange.engine.balances(key).items()} == {"USDC": Decimal(10)}
    assert exchange.engine.fees(key).spot_taker_bps == 1


@pytest.mark.parametrize(
    ("balances", "error", "hint"),
    [
        ({"DOGE": 1}, ValueError, "no market trades DOGE"),
        ({"USDC": -1}, ValueError, "above zero"),
        ({"USDC": "ten"}, ValueError, "no number"),
        ({"USDC": "NaN"}, ValueError, "above zero"),
        ({"USDC": "1E-19"}, ValueError, "18 decimals"),
        ({"USDC": 1.5}, TypeError, "float"),
    ],
)
def test_a_senseless_balance_opens_no_account(
    exchange: PaperExchange, balances: Any, error: type[Exception], hint: str
) -> None:
    key = base64.b64encode(bytes(32)).decode()
    with pytest.raises(error, match=hint):
        exchange.add_account(key, balances)
    exchange.add_account(key)


def test_an_api_key_is_checked_and_opens_one_account(exchange: PaperExchange) -> None:
    with pytest.raises(ValueError, match="32-byte"):
        exchange.add_account("market-maker")
    with pytest.raises(ValueError, match="exists already"):
        exchange.add_account(API_KEY)


def test_many_clients_at_once_keep_the_books_straight(exchange: PaperExchange) -> None:
    def work(price: int) -> str:
        trader = Trader(exchange.base_url)
        with trader.http:
            order = ok(trader.order(price=str(price)))
            exchange.deposit(API_KEY, "USDC", 1)
            ok(trader.cancel(symbol="SOL_USDC", orderId=order["id"]))
            return str(order["id"])

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(work, range(50, 98)))
    assert len(ids) == 48
    with exchange.lock:
        balance = exchange.engine.balances(API_KEY)["USDC"]
    assert (balance.available, balance.locked) == (Decimal(100_048), Decimal(0))


def test_a_fault_of_the_exchange_itself_is_a_500_with_a_log(
    exchange: PaperExchange, trader: Trader, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> int:
        raise RuntimeError("the clock is broken")

    exchange.clock = broken
    refused(trader.get("/api/v1/time"), "SERVER_ERROR", 500)
    assert "the clock is broken" in caplog.text


# The log


def test_the_log_holds_requests_as_they_arrived_without_secrets(exchange: PaperExchange, trader: Trader) -> None:
    trader.get("/api/v1/depth", symbol="SOL_USDC", limit=5)
    trader.http.headers["X-Broker-Key"] = "a secret"
    trader.order()
    trader.http.get("/nowhere?a=%20b")
    depth, order, unknown = exchange.requests
    assert (depth.method, depth.path, depth.query) == ("GET", "/api/v1/depth", "symbol=SOL_USDC&limit=5")
    assert (depth.operation, depth.params, depth.body) == ("get_depth", [("symbol", "SOL_USDC"), ("limit", "5")], b"")
    assert (order.operation, order.json()) == ("execute_order", ORDER)
    assert (order.headers["x-api-key"], order.headers["x-window"]) == (API_KEY, "5000")
    assert order.headers["x-signature"] == order.headers["x-broker-key"] == "***"
    assert "a secret" not in repr(exchange.requests)
    assert (unknown.operation, unknown.params) == (None, [("a", " b")])
    exchange.clear_requests()
    assert exchange.requests == []


def test_the_name_is_imported_lazily() -> None:
    code = (
        "import sys, backpack_sdk.paper as paper; assert 'PaperExchange' in dir(paper);"
        "assert 'aiohttp' not in sys.modules;"
        "from backpack_sdk.paper import PaperExchange; assert 'aiohttp' in sys.modules;"
        "assert 'backpack_sdk.auth' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_no_attribute() -> None:
    import backpack_sdk.paper

    with pytest.raises(AttributeError, match="Nothing"):
        _ = backpack_sdk.paper.Nothing

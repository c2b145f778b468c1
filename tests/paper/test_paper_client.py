"""`Backpack.paper()` and `AsyncBackpack.paper()`: a client with an exchange and money of its own."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal
from typing import Any

import httpx
import pytest

from backpack_sdk import AsyncBackpack, Backpack, BackpackError, Credentials
from backpack_sdk._core.errors import InvalidArgument
from backpack_sdk.paper import Flow, PaperExchange
from tests.loopback import CREDENTIALS


def serving() -> bool:
    return "paper-exchange" in {thread.name for thread in threading.enumerate()}


def test_one_line_gives_a_client_that_trades() -> None:
    with Backpack.paper() as bp:
        order = bp.order.execute_order("SOL-USDC", "Bid", "Limit", price="100", quantity="1")
        assert [row.id for row in bp.order.get_open_orders(symbol="SOL-USDC")] == [order.id]
        assert bp.capital.get_balances()["USDC"].locked == 100
        assert bp.paper_exchange.requests[0].operation == "execute_order"
    assert not bp.paper_exchange.is_running
    assert not serving()


async def test_one_line_gives_an_async_client_that_trades() -> None:
    async with AsyncBackpack.paper(balances={"USDC": "12.5"}) as bp:
        assert (await bp.capital.get_balances())["USDC"].available == Decimal("12.5")
        await bp.order.execute_order("SOL-USDC", "Bid", "Limit", price="100", quantity="0.1")
    assert not bp.paper_exchange.is_running
    assert not serving()


async def test_streams_and_books_work_through_it() -> None:
    async with AsyncBackpack.paper() as bp, bp.streams() as ws, ws.order_books("SOL-USDC") as books:
        await books.wait_live(timeout=10)
        trades = await ws.trades("SOL-USDC").ready(10)
        updates = await ws.order_updates("SOL-USDC").ready(10)
        order = await bp.order.execute_order("SOL-USDC", "Bid", "Limit", price="150", quantity="1")
        async with asyncio.timeout(10):
            assert (await anext(trades)).buyer_order_id == order.id
            assert (await anext(updates)).order_id == order.id


def test_order_books_work_without_asyncio() -> None:
    with Backpack.paper() as bp, bp.order_books("SOL-USDC") as books:
        books.wait_live(timeout=10)
        best = books["SOL-USDC"].best_bid
        assert best is not None
        assert best.price == bp.markets.get_depth("SOL-USDC").bids[-1][0]


def test_the_exchange_may_be_one_that_was_made_for_it() -> None:
    exchange = PaperExchange(seed=5, balances={"USDC": 7})
    with Backpack.paper(exchange, credentials=CREDENTIALS) as bp:
        assert bp.paper_exchange is exchange
        assert bp.capital.get_balances()["USDC"].available == 7
    with Backpack.paper(exchange, credentials=CREDENTIALS) as bp:
        assert bp.capital.get_balances()["USDC"].available == 7, "the account is used as it is"
    assert not exchange.is_running


def test_an_exchange_that_runs_is_left_running() -> None:
    with PaperExchange() as exchange:
        with Backpack.paper(exchange) as one, Backpack.paper(exchange) as other:
            assert one.credentials != other.credentials
            assert other.capital.get_balances()["SOL"].available == 1_000
        assert httpx.get(f"{exchange.base_url}/api/v1/ping", trust_env=False).text == "pong"


def test_seed_markets_and_flow_are_those_of_the_exchange() -> None:
    with Backpack.paper(seed=3, flow=Flow(rate=0)) as bp:
        before = bp.markets.get_depth("SOL-USDC")
        bp.paper_exchange.flow.advance(50)
        assert bp.markets.get_depth("SOL-USDC") != before
    exchange = PaperExchange()
    changes: list[dict[str, Any]] = [{"seed": 1}, {"markets": []}, {"flow": Flow()}]
    for change in changes:
        with pytest.raises(ValueError, match="belong to the exchange"):
            Backpack.paper(exchange, **change)
    assert not exchange.is_running


@pytest.mark.parametrize(
    ("arguments", "error"),
    [({"balances": {"DOGE": 1}}, ValueError), ({"timeout": -1}, InvalidArgument), ({"nonsense": 1}, TypeError)],
)
def test_a_client_that_cannot_be_made_leaves_no_exchange_running(
    arguments: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        Backpack.paper(**arguments)
    assert not serving()


def test_balances_for_an_account_that_exists_are_refused() -> None:
    exchange = PaperExchange()
    exchange.add_account(CREDENTIALS.api_key)
    with pytest.raises(ValueError, match="exists already"):
        Backpack.paper(exchange, credentials=CREDENTIALS, balances={"USDC": 1})
    assert not exchange.is_running


def test_options_of_the_client_are_passed_on() -> None:
    with Backpack.paper(window=1234) as bp:
        bp.capital.get_balances()
        assert bp.paper_exchange.requests[-1].headers["x-window"] == "1234"


def test_any_other_client_has_no_exchange() -> None:
    with Backpack(Credentials.generate()) as bp, pytest.raises(BackpackError, match=r"Backpack\.paper\(\)"):
        _ = bp.paper_exchange

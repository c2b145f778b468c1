"""The stream client against the embedded exchange: both sides of the protocol, written by different hands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from backpack_sdk import AsyncBackpack
from backpack_sdk._core.errors import StreamError
from backpack_sdk.paper import FaultRates, PaperExchange
from backpack_sdk.streams.client import Streams
from backpack_sdk.streams.events import OrderUpdate, Trade
from backpack_sdk.streams.status import ConnectionState
from tests.loopback import CREDENTIALS
from tests.streams.desk import left_over, options, take
from tests.streams.reference import state_of
from tests.streams.stream_server import until

S = "SOL_USDC"


@asynccontextmanager
async def trading() -> AsyncIterator[tuple[PaperExchange, AsyncBackpack, Streams]]:
    """An exchange, a client with an account there, and its streams."""
    before = asyncio.all_tasks()
    with PaperExchange() as exchange:
        exchange.add_account(CREDENTIALS.api_key)
        client = AsyncBackpack(CREDENTIALS, base_url=exchange.base_url, ws_url=exchange.ws_url, rate_limit=None)
        async with client as bp, bp.streams(options()) as ws:
            yield exchange, bp, ws
    assert left_over(before) == set()


async def buy(bp: AsyncBackpack, quantity: str = "1", price: str = "200") -> None:
    await bp.order.execute_order(
        symbol=S, side="Bid", order_type="Limit", price=price, quantity=Decimal(quantity), time_in_force="IOC"
    )


async def test_what_an_order_does_comes_on_every_stream_that_is_about_it() -> None:
    async with trading() as (_, bp, ws):
        trades, orders = ws.trades("SOL-USDC"), ws.order_updates()
        async with ws.order_books(S) as books:
            await asyncio.gather(trades.ready(), orders.ready(), books.wait_live(timeout=10))
            ask = books[S].best_ask
            await buy(bp)
            [trade] = await take(trades, 1)
            assert type(trade) is Trade
            assert ask is not None
            assert trade.price == ask.price
            updates = await take(orders, 2)
            assert {type(update) for update in updates} == {OrderUpdate}
            assert any(update.trade_id == trade.trade_id for update in updates)
            depth = await bp.markets.get_depth(S, limit=1000)
            async with asyncio.timeout(10):
                while books[S].last_update_id != int(depth.last_update_id):
                    await anext(books)
            assert state_of(books[S])[0] == tuple((price, size) for price, size in reversed(depth.bids))
            assert state_of(books[S])[1] == tuple((price, size) for price, size in depth.asks)


async def test_unknown_kinds_are_refused_by_the_exchange() -> None:
    async with trading() as (_, _bp, ws):
        stream = ws.raw("noSuchKind.SOL_USDC")
        with pytest.raises(StreamError) as caught:
            await stream.ready(timeout=10)
        assert caught.value.stream == "noSuchKind.SOL_USDC"


async def test_books_and_trades_stay_right_while_the_exchange_misbehaves() -> None:
    async with trading() as (exchange, bp, ws):
        trades = ws.trades(S)
        async with ws.order_books(S) as books:
            await asyncio.gather(trades.ready(), books.wait_live(timeout=10))
            await buy(bp, "0.1")
            first = (await take(trades, 1))[0].trade_id
            rates = FaultRates(drop=0.1, duplicate=0.1, swap=0.1, garble=0.05, fragment=0.1, abort=0.03)
            exchange.socket_faults.random(rates, seed=5)
            for _ in range(60):
                await buy(bp, "0.1")
            exchange.socket_faults.clear()
            await until(lambda: ws.state is ConnectionState.LIVE)
            await buy(bp, "0.1")
            got = [trade.trade_id for trade in await take(trades, 61)]
            assert got == list(range(first + 1, first + 62))
            depth = await bp.markets.get_depth(S, limit=1000)
            last = int(depth.last_update_id)
            await until(lambda: (book := books.get(S)) is not None and book.last_update_id == last)
            assert state_of(books[S])[1] == tuple((price, size) for price, size in depth.asks)
            assert sum((ws.counters.gaps, ws.counters.reconnects)) > 0

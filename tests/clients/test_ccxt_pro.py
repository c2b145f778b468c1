"""ccxt.pro's client, which keeps books and trades from the socket, at the embedded exchange."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import ccxt.pro
import pytest

from backpack_sdk import Backpack, Credentials
from backpack_sdk.paper import PaperExchange

from .conftest import SECRET

MARKETS = ("SOL/USDC", "SOL/USDC:USDC")
markets = pytest.mark.parametrize("symbol", MARKETS)
SECONDS = 10


@pytest.fixture
async def client(exchange: PaperExchange) -> AsyncIterator[Any]:
    """ccxt.pro's client, whose only change is where it connects to."""
    made = ccxt.pro.backpack({"apiKey": Credentials(SECRET).api_key, "secret": SECRET, "enableRateLimit": False})
    made.urls["api"] = {
        "public": exchange.base_url,
        "private": exchange.base_url,
        "ws": {"public": exchange.ws_url, "private": exchange.ws_url},
    }
    yield made
    await made.close()


async def act(stranger: Backpack, symbol: str, stop: asyncio.Event) -> None:
    """Trade a little, over and over: deltas are what the client learns its books from."""
    while not stop.is_set():
        await asyncio.to_thread(stranger.order.execute_order, symbol, "Bid", "Market", quantity="0.1")
        await asyncio.sleep(0.05)


@markets
async def test_it_watches_a_book(client: Any, exchange: PaperExchange, stranger: Backpack, symbol: str) -> None:
    await client.load_markets()
    market, stop = client.market_id(symbol), asyncio.Event()
    acting = asyncio.create_task(act(stranger, market, stop))
    try:
        for _ in range(5):
            await asyncio.wait_for(client.watch_order_book(symbol), SECONDS)
    finally:
        stop.set()
        await acting
    await asyncio.to_thread(stranger.order.execute_order, market, "Bid", "Market", quantity="0.1")
    depth = exchange.engine.depth(market)
    async with asyncio.timeout(SECONDS):
        book = client.orderbooks[symbol]
        while book["nonce"] != depth.last_update_id:
            book = await client.watch_order_book(symbol)
    assert [[Decimal(str(value)) for value in level] for level in book["bids"]] == [
        list(level) for level in reversed(depth.bids)
    ]
    assert [[Decimal(str(value)) for value in level] for level in book["asks"]] == [list(level) for level in depth.asks]


@markets
async def test_it_watches_trades_and_tickers(client: Any, stranger: Backpack, symbol: str) -> None:
    await client.load_markets()
    stop = asyncio.Event()
    acting = asyncio.create_task(act(stranger, client.market_id(symbol), stop))
    try:
        trades = await asyncio.wait_for(client.watch_trades(symbol), SECONDS)
        ticker = await asyncio.wait_for(client.watch_ticker(symbol), SECONDS)
        best = await asyncio.wait_for(client.watch_bids_asks([symbol]), SECONDS)
    finally:
        stop.set()
        await acting
    assert (trades[-1]["symbol"], trades[-1]["amount"]) == (symbol, 0.1)
    assert ticker["last"] == pytest.approx(trades[-1]["price"], rel=0.01)
    assert best[symbol]["bid"] < best[symbol]["ask"]


async def test_it_watches_its_own_orders(client: Any) -> None:
    await client.load_markets()
    stop = asyncio.Event()

    async def order_until_seen() -> None:
        while not stop.is_set():
            placed = await client.create_order("SOL/USDC", "limit", "buy", 0.5, 100.0)
            await client.cancel_order(placed["id"], "SOL/USDC")
            await asyncio.sleep(0.05)

    acting = asyncio.create_task(order_until_seen())
    try:
        orders = await asyncio.wait_for(client.watch_orders("SOL/USDC"), SECONDS)
    finally:
        stop.set()
        await acting
    assert (orders[-1]["symbol"], orders[-1]["amount"], orders[-1]["price"]) == ("SOL/USDC", 0.5, 100.0)


async def test_it_watches_its_positions(client: Any, exchange: PaperExchange) -> None:
    await client.load_markets()
    stop = asyncio.Event()

    async def trade_until_seen() -> None:
        # It passes over the message that tells of positions there are, which has no `e`: only a change is seen.
        while not stop.is_set():
            await client.create_order("SOL/USDC:USDC", "market", "buy", 0.5)
            await asyncio.sleep(0.05)

    acting = asyncio.create_task(trade_until_seen())
    try:
        positions = await asyncio.wait_for(client.watch_positions(["SOL/USDC:USDC"]), SECONDS)
    finally:
        stop.set()
        await acting
    assert (positions[-1]["symbol"], positions[-1]["side"]) == ("SOL/USDC:USDC", "long")

"""bpx-py, the exchange's own client for Python, at the embedded exchange: spot and perpetual."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from bpx.account import Account
from bpx.async_.account import Account as AsyncAccount
from bpx.exceptions import EmptyOrderQuantityError
from bpx.public import Public

from backpack_sdk import Credentials
from backpack_sdk.paper import PaperExchange

from .conftest import PERPETUAL, SECRET, SPOT

markets = pytest.mark.parametrize("symbol", [SPOT, PERPETUAL])


@pytest.fixture
def public(exchange: PaperExchange, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The client of public operations."""
    monkeypatch.setenv("NO_PROXY", "*")
    client = Public()
    client.BASE_URL = f"{exchange.base_url}/"
    return client


@pytest.fixture
def account(exchange: PaperExchange, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The client of signed operations."""
    monkeypatch.setenv("NO_PROXY", "*")
    client = Account(Credentials(SECRET).api_key, SECRET)
    client.BPX_API_URL = f"{exchange.base_url}/"
    return client


def test_it_lists_markets_assets_and_status(public: Any) -> None:
    listed = {market["symbol"]: market for market in public.get_markets()}
    assert (listed[SPOT]["marketType"], listed[PERPETUAL]["marketType"]) == ("SPOT", "PERP")
    assert {"SOL", "USDC"} <= {asset["symbol"] for asset in public.get_assets()}
    assert public.get_status()["status"] == "Ok"
    assert public.get_ping() == "pong"
    assert int(public.get_time()) > 1_600_000_000_000


@markets
def test_it_reads_a_book(public: Any, symbol: str) -> None:
    book = public.get_depth(symbol)
    bids = [float(price) for price, _ in book["bids"]]
    asks = [float(price) for price, _ in book["asks"]]
    assert bids == sorted(bids)
    assert asks == sorted(asks)
    assert bids[-1] < asks[0]
    assert isinstance(book["lastUpdateId"], str)


@markets
def test_it_places_sees_and_cancels_an_order(account: Any, symbol: str) -> None:
    placed = account.execute_order(symbol, "Bid", "Limit", quantity="0.5", price="100.25", client_id=77, post_only=True)
    assert (placed["status"], placed["price"], placed["clientId"]) == ("New", "100.25", 77)
    (seen,) = account.get_open_orders(symbol=symbol)
    assert seen["id"] == placed["id"]
    assert account.get_open_order(symbol, order_id=placed["id"])["id"] == placed["id"]
    assert account.cancel_order(symbol, order_id=placed["id"])["status"] == "Cancelled"
    assert account.get_open_orders(symbol=symbol) == []
    (past,) = account.get_order_history(symbol)
    assert (past["id"], past["status"]) == (placed["id"], "Cancelled")


@markets
def test_it_cancels_all_orders(account: Any, symbol: str) -> None:
    placed = [
        account.execute_order(symbol, "Bid", "Limit", quantity="0.5", price=price)["id"] for price in ("99", "98")
    ]
    cancelled = account.cancel_all_orders(symbol)
    assert {order["id"] for order in cancelled} == set(placed)


@markets
def test_it_trades_and_sees_the_fill(account: Any, public: Any, symbol: str) -> None:
    placed = account.execute_order(symbol, "Bid", "Market", quantity="0.5")
    assert (placed["status"], placed["executedQuantity"]) == ("Filled", "0.5")
    (fill,) = account.get_fill_history(symbol)
    assert (fill["orderId"], fill["quantity"], fill["isMaker"]) == (placed["id"], "0.5", False)
    (trade,) = public.get_recent_trades(symbol)
    assert (trade["id"], trade["price"]) == (fill["tradeId"], fill["price"])


def test_it_reads_balances_and_collateral(account: Any) -> None:
    account.execute_order(SPOT, "Bid", "Limit", quantity="0.5", price="100")
    assert account.get_balances()["USDC"] == {"available": "9950", "locked": "50", "staked": "0"}
    assert float(account.get_collateral()["assetsValue"]) > 0
    assert account.get_account()["spotTakerFee"] == "10"


@pytest.mark.parametrize(("side", "quantity"), [("Bid", "1.5"), ("Ask", "-1.5")])
def test_it_reads_positions(account: Any, side: str, quantity: str) -> None:
    assert account.get_open_positions() == []
    account.execute_order(PERPETUAL, side, "Market", quantity="1.5")
    (position,) = account.get_open_positions()
    assert (position["symbol"], position["netQuantity"]) == (PERPETUAL, quantity)


def test_it_can_not_place_a_conditional_order(account: Any) -> None:
    # It insists on a quantity, sends it along with `triggerQuantity`, and the exchange takes one of them.
    with pytest.raises(EmptyOrderQuantityError):
        account.execute_order(SPOT, "Ask", "Market", trigger_price="90", trigger_quantity="0.5")
    answer = account.execute_order(SPOT, "Ask", "Market", quantity="0.5", trigger_price="90", trigger_quantity="0.5")
    assert answer["code"] == "INVALID_ORDER"


@markets
def test_it_reads_tickers_candles_and_marks(account: Any, public: Any, symbol: str) -> None:
    account.execute_order(symbol, "Bid", "Market", quantity="0.5")
    assert public.get_ticker(symbol)["volume"] == "0.5"
    assert symbol in {ticker["symbol"] for ticker in public.get_tickers()}
    start = int(public.get_time()) // 1_000 - 60
    assert public.get_klines(symbol, "1m", start)[-1]["volume"] == "0.5"


async def test_it_reads_mark_prices(public: Any) -> None:
    # A coroutine in a blocking client, whose result is the answer all the same.
    reading = public.get_all_mark_prices(PERPETUAL)
    assert asyncio.iscoroutine(reading)
    ((price,),) = (await reading,)
    assert price["symbol"] == PERPETUAL


def test_errors_come_as_the_exchange_words_them(account: Any, public: Any) -> None:
    assert account.execute_order(SPOT, "Bid", "Limit", quantity="5000", price="100")["code"] == "INSUFFICIENT_FUNDS"
    assert account.cancel_order(SPOT, order_id="123456")["code"] == "RESOURCE_NOT_FOUND"
    assert public.get_depth("NOPE_USDC")["code"] == "INVALID_CLIENT_REQUEST"


async def test_its_async_client_trades_too(exchange: PaperExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    client = AsyncAccount(Credentials(SECRET).api_key, SECRET)
    client.BPX_API_URL = f"{exchange.base_url}/"
    placed = await client.execute_order(SPOT, "Bid", "Limit", quantity="0.5", price="100")
    (seen,) = await client.get_open_orders(symbol=SPOT)
    cancelled = await client.cancel_order(SPOT, order_id=placed["id"])
    assert (seen["id"], cancelled["status"]) == (placed["id"], "Cancelled")

"""ccxt's client, with its unified methods, at the embedded exchange: spot and perpetual."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from backpack_sdk import Backpack, Credentials
from backpack_sdk.paper import PaperExchange

from .conftest import SECRET

MARKETS = ("SOL/USDC", "SOL/USDC:USDC")
markets = pytest.mark.parametrize("symbol", MARKETS)


@pytest.fixture
def client(exchange: PaperExchange) -> Iterator[Any]:
    """ccxt's client, whose only change is where its requests go."""
    made = ccxt.backpack({"apiKey": Credentials(SECRET).api_key, "secret": SECRET, "enableRateLimit": False})
    made.urls["api"] = {"public": exchange.base_url, "private": exchange.base_url}
    made.session.trust_env = False
    yield made
    made.session.close()


def test_it_lists_markets_and_currencies(client: Any) -> None:
    listed = client.load_markets()
    assert {market["id"] for market in listed.values()} == {
        f"{base}_USDC{kind}" for base in ("SOL", "BTC", "ETH") for kind in ("", "_PERP")
    }
    spot, perpetual = (listed[symbol] for symbol in MARKETS)
    assert (spot["type"], spot["precision"]["price"], spot["precision"]["amount"]) == ("spot", 0.01, 0.01)
    assert (perpetual["type"], perpetual["linear"], perpetual["settle"]) == ("swap", True, "USDC")
    assert "USDC" in client.currencies


def test_it_knows_the_status_and_takes_one_digit_for_the_time(client: Any, exchange: PaperExchange) -> None:
    assert client.fetch_status()["status"] == "ok"
    # The exchange answers in text. It looks for the first element of a list, and gets the first digit.
    assert client.fetch_time() == int(str(exchange.clock())[0])
    assert abs(int(client.publicGetApiV1Time()) - exchange.clock() // 1_000) < 60_000


@markets
def test_it_reads_a_book(client: Any, exchange: PaperExchange, symbol: str) -> None:
    book = client.fetch_order_book(symbol)
    depth = exchange.engine.depth(client.market_id(symbol))
    assert [[Decimal(str(value)) for value in level] for level in book["bids"]] == [
        list(level) for level in reversed(depth.bids)
    ]
    assert [[Decimal(str(value)) for value in level] for level in book["asks"]] == [list(level) for level in depth.asks]


@markets
def test_it_places_sees_and_cancels_an_order(client: Any, symbol: str) -> None:
    client.load_markets()
    placed = client.create_order(symbol, "limit", "buy", 0.5, 100.25, {"clientOrderId": 77})
    assert (placed["status"], placed["symbol"], placed["side"]) == ("open", symbol, "buy")
    assert (placed["price"], placed["amount"], placed["filled"]) == (100.25, 0.5, 0.0)
    (seen,) = client.fetch_open_orders(symbol)
    assert (seen["id"], seen["clientOrderId"]) == (placed["id"], "77")
    assert client.fetch_open_order(placed["id"], symbol)["id"] == placed["id"]
    client.cancel_order(placed["id"], symbol)
    assert client.fetch_open_orders(symbol) == []
    (past,) = client.fetch_orders(symbol)
    assert (past["id"], past["status"]) == (placed["id"], "canceled")


@markets
def test_it_places_several_at_once_and_cancels_all(client: Any, symbol: str) -> None:
    client.load_markets()
    orders = [
        {"symbol": symbol, "type": "limit", "side": "buy", "amount": 0.5, "price": price} for price in (99.0, 98.5)
    ]
    placed = client.create_orders(orders)
    assert {order["id"] for order in client.fetch_open_orders(symbol)} == {order["id"] for order in placed}
    client.cancel_all_orders(symbol)
    assert client.fetch_open_orders(symbol) == []


@markets
def test_it_trades_and_sees_the_fill(client: Any, symbol: str) -> None:
    client.load_markets()
    best_ask = client.fetch_order_book(symbol)["asks"][0][0]
    placed = client.create_order(symbol, "market", "buy", 0.5)
    assert (placed["status"], placed["filled"], placed["average"]) == ("closed", 0.5, best_ask)
    (fill,) = client.fetch_my_trades(symbol)
    assert (fill["order"], fill["amount"], fill["price"], fill["side"]) == (placed["id"], 0.5, best_ask, "buy")
    assert fill["takerOrMaker"] == "taker"
    public = client.fetch_trades(symbol)[-1]
    assert (public["id"], public["amount"]) == (fill["id"], 0.5)


def test_an_order_that_rests_is_filled_by_somebody_else(client: Any, stranger: Backpack) -> None:
    client.load_markets()
    best_bid = client.fetch_order_book("SOL/USDC")["bids"][0][0]
    price = round(best_bid + 0.01, 2)
    placed = client.create_order("SOL/USDC", "limit", "buy", 0.5, price, {"postOnly": True})
    assert placed["status"] == "open"
    stranger.order.execute_order("SOL_USDC", "Ask", "Market", quantity="0.2")
    (seen,) = client.fetch_open_orders("SOL/USDC")
    assert (seen["filled"], seen["remaining"]) == (0.2, 0.3)
    (fill,) = client.fetch_my_trades("SOL/USDC")
    assert (fill["takerOrMaker"], fill["price"], fill["amount"]) == ("maker", price, 0.2)


def test_it_reads_balances(client: Any) -> None:
    client.load_markets()
    client.create_order("SOL/USDC", "limit", "buy", 0.5, 100.0)
    balance = client.fetch_balance()
    assert (balance["USDC"]["free"], balance["USDC"]["used"], balance["USDC"]["total"]) == (9950.0, 50.0, 10_000.0)
    assert balance["SOL"]["total"] == 50.0


@pytest.mark.parametrize(("side", "named"), [("buy", "long"), ("sell", "short")])
def test_it_reads_positions(client: Any, side: str, named: str) -> None:
    client.load_markets()
    assert client.fetch_positions() == []
    placed = client.create_order("SOL/USDC:USDC", "market", side, 1.5)
    (position,) = client.fetch_positions()
    # It leaves quantity and price as the text of the reply, where figures should be numbers.
    assert (position["symbol"], position["side"], position["contracts"]) == ("SOL/USDC:USDC", named, "1.5")
    assert float(position["entryPrice"]) == pytest.approx(placed["average"])


def test_it_places_a_stop(client: Any) -> None:
    client.load_markets()
    placed = client.create_order("SOL/USDC", "market", "sell", 0.5, None, {"triggerPrice": 90.0})
    (seen,) = client.fetch_open_orders("SOL/USDC")
    assert (seen["id"], seen["triggerPrice"]) == (placed["id"], 90.0)


@markets
def test_it_reads_tickers_and_candles(client: Any, symbol: str) -> None:
    client.load_markets()
    traded = client.create_order(symbol, "market", "buy", 0.5)
    assert client.fetch_ticker(symbol)["last"] == traded["average"]
    assert client.fetch_tickers()[symbol]["baseVolume"] == 0.5
    *_, candle = client.fetch_ohlcv(symbol, "1m", limit=3)
    assert (candle[4], candle[5]) == (traded["average"], 0.5)


def test_it_reads_funding_and_open_interest(client: Any) -> None:
    client.load_markets()
    client.create_order("SOL/USDC:USDC", "market", "buy", 1.5)
    # It takes the quantity, in SOL, for the value.
    interest = client.fetch_open_interest("SOL/USDC:USDC")
    assert (interest["openInterestAmount"], interest["openInterestValue"]) == (None, 1.5)
    rate = client.fetch_funding_rate("SOL/USDC:USDC")
    assert rate["markPrice"] > 0
    assert rate["interval"] == "1h"


def test_its_errors_tell_what_is_wrong(client: Any) -> None:
    client.load_markets()
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order("SOL/USDC", "limit", "buy", 5_000.0, 100.0)
    with pytest.raises(ccxt.ExchangeNotAvailable, match="RESOURCE_NOT_FOUND"):  # what it makes of an unknown order
        client.cancel_order("123456", "SOL/USDC")
    client.secret = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
    with pytest.raises(ccxt.AuthenticationError):
        client.fetch_balance()

"""What everyone may see: system, assets, markets, books, trades, tickers and candles."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter

from backpack_sdk import types
from backpack_sdk.paper import PaperExchange
from backpack_sdk.paper.engine import BookState, NewOrder, OrderType, Side

from .app_desk import Trader, assert_fits, ok, refused, unreadable

NOON_US = 1_752_930_549_123_456  # 2025-07-19 13:09:09.123456
CANDLE_NULLS = frozenset({"open", "high", "low", "close"})


@pytest.fixture
def clocked(exchange: PaperExchange) -> PaperExchange:
    exchange.clock = lambda: NOON_US
    return exchange


def buy(exchange: PaperExchange, quantity: str, at_us: int) -> None:
    """Let an account that needs no signature take from the book of SOL_USDC."""
    with exchange.lock:
        if not exchange.engine.has_account("taker"):
            exchange.engine.open_account("taker")
            exchange.engine.deposit("taker", "USDC", Decimal(1_000_000), now_us=at_us)
        order = NewOrder(symbol="SOL_USDC", side=Side.BID, order_type=OrderType.MARKET, quantity=Decimal(quantity))
        exchange.engine.execute("taker", order, now_us=at_us)


def test_ping_answers_text(trader: Trader) -> None:
    response = trader.get("/api/v1/ping")
    assert (response.text, response.headers["content-type"]) == ("pong", "text/plain; charset=utf-8")


def test_time_is_milliseconds_as_text(clocked: PaperExchange, trader: Trader) -> None:
    assert trader.get("/api/v1/time").text == "1752930549123"


def test_the_status_is_ok(trader: Trader) -> None:
    status = ok(trader.get("/api/v1/status"))
    assert_fits("get_status", status)
    assert status["status"] == "Ok"


def test_assets_are_those_of_the_markets(trader: Trader) -> None:
    response = trader.get("/api/v1/assets")
    assert_fits("get_assets", ok(response))
    assert {asset.symbol for asset in TypeAdapter(list[types.MarketAsset]).validate_json(response.content)} == {
        "SOL", "BTC", "ETH", "USDC",
    }  # fmt: skip


def test_markets_have_realistic_filters(trader: Trader) -> None:
    response = trader.get("/api/v1/markets")
    assert_fits("get_markets", ok(response))
    markets = {market.symbol: market for market in TypeAdapter(list[types.Market]).validate_json(response.content)}
    spot = ["SOL_USDC", "BTC_USDC", "ETH_USDC"]
    assert list(markets) == [*spot, *(f"{symbol}_PERP" for symbol in spot)]
    assert markets["BTC_USDC"].filters.price.tick_size == Decimal("0.1")
    assert markets["BTC_USDC"].filters.quantity.step_size == Decimal("0.00001")


@pytest.mark.parametrize(("kinds", "count"), [(["SPOT"], 3), (["PERP"], 3), (["PERP", "SPOT"], 6), (["DATED"], 0)])
def test_markets_can_be_chosen_by_kind(trader: Trader, kinds: list[str], count: int) -> None:
    assert len(ok(trader.http.get("/api/v1/markets", params={"marketType": kinds}))) == count


def test_one_market(trader: Trader) -> None:
    market = ok(trader.get("/api/v1/market", symbol="SOL_USDC"))
    assert_fits("get_market", market)
    assert (market["baseSymbol"], market["quoteSymbol"], market["orderBookState"]) == ("SOL", "USDC", "Open")
    refused(trader.get("/api/v1/market", symbol="sol_usdc"), "INVALID_SYMBOL")


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/api/v1/market", {}),
        ("/api/v1/depth", {}),
        ("/api/v1/depth", {"symbol": "SOL_USDC", "limit": "7"}),
        ("/api/v1/depth", {"symbol": "SOL_USDC", "limit": "5.0"}),
        ("/api/v1/depth", {"symbol": ["SOL_USDC", "BTC_USDC"]}),
        ("/api/v1/trades", {"symbol": "SOL_USDC", "limit": "65536"}),
        ("/api/v1/trades", {"symbol": "SOL_USDC", "limit": "-1"}),
        ("/api/v1/trades/history", {"symbol": "SOL_USDC", "offset": "x"}),
        ("/api/v1/ticker", {"symbol": "SOL_USDC", "interval": "2d"}),
        ("/api/v1/markets", {"marketType": "SPORT"}),
        ("/api/v1/klines", {"symbol": "SOL_USDC", "interval": "1m"}),
        ("/api/v1/klines", {"symbol": "SOL_USDC", "startTime": "1"}),
        ("/api/v1/klines", {"symbol": "SOL_USDC", "startTime": "1", "interval": "7m"}),
    ],
)
def test_a_parameter_that_cannot_be_read_is_answered_in_plain_text(
    trader: Trader, path: str, params: dict[str, Any]
) -> None:
    assert "failed to parse" in unreadable(trader.http.get(path, params=params))


def test_a_query_with_broken_escapes_is_answered_in_plain_text(trader: Trader) -> None:
    assert "failed to parse the query" in unreadable(trader.http.get("/api/v1/depth?symbol=%ff"))


@pytest.mark.parametrize("limit", [5, 10, 20, 50, 100])
def test_a_book_is_ascending_on_both_sides_and_cut_to_its_best(trader: Trader, limit: int) -> None:
    response = trader.get("/api/v1/depth", symbol="SOL_USDC", limit=limit)
    book = ok(response)
    assert_fits("get_depth", book)
    bids, asks = ([Decimal(price) for price, _ in book[side]] for side in ("bids", "asks"))
    assert bids == sorted(bids)
    assert asks == sorted(asks)
    assert (bids[-1], asks[0]) == (Decimal("139.99"), Decimal("140.01"))
    assert len(bids) == len(asks) == min(limit, 52)
    assert types.Depth.model_validate_json(response.content).timestamp.year >= 2024


def test_a_book_without_limit_is_whole_and_dated_in_microseconds(exchange: PaperExchange, trader: Trader) -> None:
    buy(exchange, "0.01", at_us := exchange.clock() + 1_000_000)
    book = ok(trader.get("/api/v1/depth", symbol="SOL_USDC"))
    assert len(book["bids"]) == len({price for price, _ in book["bids"]}) == 52
    assert book["timestamp"] == at_us
    assert book["lastUpdateId"] == "121"


def test_an_unknown_and_a_closed_market_have_no_book(exchange: PaperExchange, trader: Trader) -> None:
    refused(trader.get("/api/v1/depth", symbol="SOL_EUR"), "INVALID_CLIENT_REQUEST", 400)
    with exchange.lock:
        exchange.engine.set_book_state("SOL_USDC", BookState.CLOSED, now_us=exchange.clock())
    assert "closed" in refused(trader.get("/api/v1/depth", symbol="SOL_USDC"), "RESOURCE_NOT_FOUND", 404)
    assert ok(trader.get("/api/v1/market", symbol="SOL_USDC"))["orderBookState"] == "Closed"


def test_trades_are_newest_first_in_milliseconds(exchange: PaperExchange, trader: Trader) -> None:
    later = exchange.clock() + 1_000_000
    buy(exchange, "0.5", later)
    buy(exchange, "0.25", later + 1_000)
    response = trader.get("/api/v1/trades", symbol="SOL_USDC")
    trades = ok(response)
    assert_fits("get_recent_trades", trades)
    assert trades[1] == {
        "id": 1, "price": "140.01", "quantity": "0.5", "quoteQuantity": "70.005",
        "timestamp": later // 1_000, "isBuyerMaker": False,
    }  # fmt: skip
    assert [trade.quantity for trade in TypeAdapter(list[types.Trade]).validate_json(response.content)] == [
        Decimal("0.25"), Decimal("0.5"),
    ]  # fmt: skip


def test_trades_are_paged(exchange: PaperExchange, trader: Trader) -> None:
    for _ in range(5):
        buy(exchange, "0.1", exchange.clock())
    pages = [ok(trader.get("/api/v1/trades/history", symbol="SOL_USDC", limit=2, offset=at)) for at in (0, 2, 4, 6)]
    assert [[trade["id"] for trade in page] for page in pages] == [[5, 4], [3, 2], [1], []]
    assert [trade["id"] for trade in ok(trader.get("/api/v1/trades", symbol="SOL_USDC", limit=3))] == [5, 4, 3]
    refused(trader.get("/api/v1/trades", symbol="SOL_USDC", limit=1001), "INVALID_CLIENT_REQUEST")


def test_a_ticker_without_trades_has_no_content(trader: Trader) -> None:
    response = trader.get("/api/v1/ticker", symbol="SOL_USDC")
    assert (response.status_code, response.content) == (204, b"")
    assert ok(trader.get("/api/v1/tickers")) == []


def test_a_ticker_covers_a_day_or_a_week(exchange: PaperExchange, trader: Trader) -> None:
    now = exchange.clock()
    buy(exchange, "24", now)
    response = trader.get("/api/v1/ticker", symbol="SOL_USDC")
    ticker = ok(response)
    assert_fits("get_ticker", ticker)
    assert (ticker["volume"], ticker["trades"], ticker["firstPrice"]) == ("24", str(trade_count(trader)), "140.01")
    assert types.Ticker.model_validate_json(response.content).high > Decimal("140.01")
    exchange.clock = lambda: now + 2 * 86_400_000_000
    assert trader.get("/api/v1/ticker", symbol="SOL_USDC", interval="1d").status_code == 204
    week = ok(trader.get("/api/v1/tickers", interval="1w"))
    assert_fits("get_tickers", week)
    assert week == [ticker]


def trade_count(trader: Trader) -> int:
    return len(ok(trader.get("/api/v1/trades", symbol="SOL_USDC")))


def test_candles_count_seconds_and_are_null_where_nothing_traded(exchange: PaperExchange, trader: Trader) -> None:
    start = exchange.clock() // 60_000_000 * 60 + 600
    buy(exchange, "2", (start + 61) * 1_000_000)
    response = trader.get("/api/v1/klines", symbol="SOL_USDC", interval="1m", startTime=start, endTime=start + 119)
    candles = ok(response)
    assert_fits("get_klines", candles, nullable=CANDLE_NULLS)
    assert [candle["open"] for candle in candles] == [None, "140.01"]
    assert (candles[1]["volume"], candles[1]["trades"]) == ("2", "1")
    read = TypeAdapter(list[types.Kline]).validate_json(response.content)
    assert [int(candle.start.timestamp()) for candle in read] == [start, start + 60]


def test_the_bounds_of_a_candle_are_spaced_texts(trader: Trader) -> None:
    candles = ok(
        trader.get("/api/v1/klines", symbol="SOL_USDC", interval="1h", startTime=1752930549, endTime=1752930549)
    )
    assert [(candle["start"], candle["end"]) for candle in candles] == [("2025-07-19 13:00:00", "2025-07-19 14:00:00")]


def test_candles_end_now_by_default(clocked: PaperExchange, trader: Trader) -> None:
    candles = ok(trader.get("/api/v1/klines", symbol="SOL_USDC", interval="1m", startTime=NOON_US // 1_000_000 - 60))
    assert [candle["start"] for candle in candles] == ["2025-07-19 13:08:00", "2025-07-19 13:09:00"]


@pytest.mark.parametrize(
    ("times", "hint"),
    [
        ({"startTime": 1752930549123}, "seconds, not milliseconds"),
        ({"startTime": 0, "endTime": 1752930549123}, "seconds, not milliseconds"),
        ({"startTime": 10, "endTime": 9}, "empty or negative"),
        ({"startTime": -10, "endTime": 9}, "empty or negative"),
        ({"startTime": 0, "endTime": 10_000}, "shorten it"),
    ],
)
def test_a_senseless_range_of_candles_is_refused(trader: Trader, times: dict[str, int], hint: str) -> None:
    response = trader.get("/api/v1/klines", symbol="SOL_USDC", interval="1s", **times)
    assert hint in refused(response, "INVALID_RANGE")


@pytest.mark.parametrize("kind", ["Mark", "Index"])
def test_candles_of_mark_and_index_have_no_volume(exchange: PaperExchange, trader: Trader, kind: str) -> None:
    symbol, now_us = "SOL_USDC_PERP", exchange.clock()
    for mark, index in (("141", "142"), ("139", "138")):
        with exchange.lock:
            exchange.engine.set_mark_price(symbol, Decimal(mark), Decimal(index), now_us=now_us)
    now_s = now_us // 1_000_000
    ask = {"symbol": symbol, "interval": "1d", "startTime": now_s - 60, "endTime": now_s + 60, "priceType": kind}
    candles = ok(trader.get("/api/v1/klines", **ask))
    assert_fits("get_klines", candles, nullable=CANDLE_NULLS)
    assert (candles[-1]["high"], candles[-1]["close"]) == (("141", "139") if kind == "Mark" else ("142", "138"))
    assert candles[-1]["volume"] == "0"

"""The story of a market's own figures: what one operation says of it, the others say too."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from decimal import Decimal

from .tale import Tale

_HOUR = 3_600


def open_market(tale: Tale, kind: str) -> str | None:
    """An open market of a kind, one of SOL before others."""
    for symbol, row in sorted(tale.known.markets.items(), key=lambda pair: not pair[0].startswith("SOL")):
        if row.get("marketType") == kind and row.get("orderBookState") == "Open" and not symbol.endswith("_RFQ"):
            return symbol
    return None


def _figures(tale: Tale) -> str | None:
    symbol = open_market(tale, "SPOT")
    if symbol is None:
        return "there is no open spot market"
    name = {"symbol": symbol}
    row, listed = tale.must("get_market", name), tale.known.markets[symbol]
    tale.expect(row == listed, f"{symbol} is {row} alone and {listed} in the list")
    rules = row["filters"]["quantity"]
    tale.must("execute_order", body={**name, "side": "Bid", "orderType": "Market", "quantity": rules["minQuantity"]})
    latest = tale.must("get_recent_trades", {**name, "limit": 1})
    tale.expect(len(latest) == 1, f"the latest trade was asked for and {len(latest)} came")
    price = Decimal(latest[0]["price"])
    ticker = tale.must("get_ticker", name)
    tale.expect(Decimal(ticker["lastPrice"]) == price, f"the last trade was at {price} and the ticker has {ticker}")
    count = sum(each["symbol"] == symbol for each in tale.must("get_tickers"))
    tale.expect(count == 1, f"{symbol} stands {count} times among the tickers")
    past = tale.must("get_historical_trades", {**name, "limit": 1})
    tale.expect(past and Decimal(past[0]["price"]) > 0, "a trade does not show in the history of trades")
    candles = tale.must("get_klines", {**name, "interval": "1h", "startTime": int(time.time()) - 2 * _HOUR})
    closes = [Decimal(each["close"]) for each in candles if each["close"] is not None]
    tale.expect(closes[-1:] == [price], f"the last trade was at {price}, and the candles closed at {closes}")
    most = tale.must("get_max_order_quantity", {**name, "side": "Bid"})
    tale.expect(Decimal(most["maxOrderQuantity"]) > 0, f"nothing can be bought: {most}")
    return None


def _perpetual(tale: Tale) -> str | None:
    symbol = open_market(tale, "PERP")
    if symbol is None:
        return "there is no open perpetual market"
    marks = [row for row in tale.must("get_mark_prices") if row["symbol"] == symbol]
    tale.expect(len(marks) == 1, f"{symbol} has {len(marks)} mark prices")
    tale.must("get_funding_interval_rates", {"symbol": symbol})
    interest = tale.must("get_open_interest", {"symbol": symbol})
    tale.expect([row["symbol"] for row in interest] == [symbol], f"open interest of {symbol} was asked for: {interest}")
    return None


Play = Callable[[Tale], str | None]
MARKET: Mapping[str, tuple[frozenset[str], Play]] = {
    "a market and its figures": (
        frozenset(
            {"get_market", "get_recent_trades", "get_ticker", "get_tickers", "get_historical_trades", "get_klines",
             "get_max_order_quantity"}
        ),
        _figures,
    ),
    "a perpetual and its figures": (
        frozenset({"get_mark_prices", "get_funding_interval_rates", "get_open_interest"}),
        _perpetual,
    ),
}  # fmt: skip
"""These stories, with the operations that each is about."""

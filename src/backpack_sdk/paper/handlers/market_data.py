"""Markets, books, trades, tickers and candles: what everyone may see."""

from __future__ import annotations

from enum import StrEnum

from .. import wire
from ..call import AnyMarketType, Call, Handler
from ..engine import KlineInterval, TickerInterval
from ..errors import ApiError, ApiErrorCode, MalformedRequest
from ..reading import INT64_MAX, UINT16_MAX, Query, needed
from ..replies import Reply, json_reply

DEPTH_LIMITS = (5, 10, 20, 50, 100, 500, 1000)
_DEFAULT_LIMIT = 100
_SECOND_US = 1_000_000
_YEAR_2200 = 7_258_118_400


class TickerWindow(StrEnum):
    """Windows of a ticker."""

    DAY = "1d"
    WEEK = "1w"


class PriceType(StrEnum):
    """Prices that candles can be built from."""

    LAST = "Last"
    INDEX = "Index"
    MARK = "Mark"


_WINDOWS = {TickerWindow.DAY: TickerInterval.DAY, TickerWindow.WEEK: TickerInterval.WEEK}


def get_markets(call: Call) -> Reply:
    """List the markets, of some kinds or of all."""
    kinds = call.query.choices("marketType", AnyMarketType)
    specs = [spec for spec in call.engine.markets() if kinds is None or spec.market_type.value in kinds]
    return json_reply([wire.market(spec, call.listed_us) for spec in specs])


def get_market(call: Call) -> Reply:
    """Show one market."""
    return json_reply(wire.market(call.engine.market(_symbol(call.query)), call.listed_us))


def get_depth(call: Call) -> Reply:
    """Show a book, whole when no limit is given."""
    limit = call.query.whole("limit")
    if limit is not None and limit not in DEPTH_LIMITS:
        raise MalformedRequest(f"failed to parse limit: {limit} is not one of {', '.join(map(str, DEPTH_LIMITS))}")
    return json_reply(wire.depth(call.engine.depth(_symbol(call.query), limit)))


def get_recent_trades(call: Call) -> Reply:
    """Show the latest public trades, newest first."""
    limit = call.query.whole("limit", high=UINT16_MAX)
    trades = call.engine.trades(_symbol(call.query), limit=_DEFAULT_LIMIT if limit is None else limit)
    return json_reply([wire.trade(trade) for trade in trades])


def get_historical_trades(call: Call) -> Reply:
    """Page through the public trades, newest first."""
    limit, offset = call.query.whole("limit"), call.query.whole("offset")
    trades = call.engine.trades(
        _symbol(call.query), limit=_DEFAULT_LIMIT if limit is None else limit, offset=0 if offset is None else offset
    )
    return json_reply([wire.trade(trade) for trade in trades])


def get_ticker(call: Call) -> Reply:
    """Show the figures of one market; 204 when nothing traded."""
    found = call.engine.ticker(_symbol(call.query), now_us=call.now_us, interval=_window(call.query))
    return json_reply(wire.ticker(found)) if found is not None else Reply(204)


def get_tickers(call: Call) -> Reply:
    """Show the figures of every market that traded."""
    window = _window(call.query)
    found = [call.engine.ticker(spec.symbol, now_us=call.now_us, interval=window) for spec in call.engine.markets()]
    return json_reply([wire.ticker(figures) for figures in found if figures is not None])


def get_klines(call: Call) -> Reply:
    """Show candles. Start and end are in seconds."""
    query = call.query
    symbol = _symbol(query)
    interval = needed(query.choice("interval", KlineInterval), "interval")
    start = needed(query.whole("startTime", low=-INT64_MAX), "startTime")
    end = query.whole("endTime", low=-INT64_MAX)
    end_us = call.now_us if end is None else end * _SECOND_US
    kind = query.choice("priceType", PriceType)
    for name, seconds in (("startTime", start), ("endTime", end)):
        if seconds is not None and seconds >= _YEAR_2200:
            raise ApiError(
                ApiErrorCode.INVALID_RANGE, f"{name} {seconds} is in a far year: it counts seconds, not milliseconds"
            )
    first_us = start * _SECOND_US
    if kind in (None, PriceType.LAST):
        klines = call.engine.klines(symbol, interval, start_us=first_us, end_us=end_us)
    else:
        by_index = kind is PriceType.INDEX
        klines = call.engine.price_klines(symbol, interval, start_us=first_us, end_us=end_us, index=by_index)
    return json_reply([wire.kline(candle) for candle in klines])


def _symbol(query: Query) -> str:
    return needed(query.text("symbol"), "symbol")


def _window(query: Query) -> TickerInterval:
    window = query.choice("interval", TickerWindow)
    return _WINDOWS[window] if window is not None else TickerInterval.DAY


HANDLERS: dict[str, Handler] = {
    "get_depth": get_depth,
    "get_historical_trades": get_historical_trades,
    "get_klines": get_klines,
    "get_market": get_market,
    "get_markets": get_markets,
    "get_recent_trades": get_recent_trades,
    "get_ticker": get_ticker,
    "get_tickers": get_tickers,
}

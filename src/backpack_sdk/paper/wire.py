"""The engine's objects as the JSON of the REST API: decimals as texts without exponents, each time in its own form.

Open orders, trades and the clock count milliseconds, books microseconds; histories carry ISO 8601 texts in UTC without
a zone, candles the same with a space. Optional fields are left out, except those of the order history and of empty
candles, where the exchange writes null.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from .engine import Balance, Depth, Fill, Kline, MarketSpec, Order, OrderType, Ticker, Trade

Json = dict[str, object]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZERO = Decimal(0)


def number(value: Decimal) -> str:
    """Write a decimal without exponent, trailing zeros or a minus before zero."""
    if value == _ZERO:
        return "0"
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def maybe(value: Decimal | None) -> str | None:
    """Write a decimal or null."""
    return None if value is None else number(value)


def milliseconds(time_us: int) -> int:
    """Turn microseconds into whole milliseconds."""
    return time_us // 1_000


def iso(time_us: int) -> str:
    """Write `2025-07-19T13:09:00.123456`, with as many groups of three fraction digits as needed."""
    moment = (_EPOCH + timedelta(microseconds=time_us)).replace(tzinfo=None)
    return moment.isoformat(timespec="auto" if time_us % 1_000 or time_us % 1_000_000 == 0 else "milliseconds")


def spaced(time_us: int) -> str:
    """Write `2025-07-19 13:09:00`."""
    return f"{_EPOCH + timedelta(microseconds=time_us):%Y-%m-%d %H:%M:%S}"


def market(spec: MarketSpec, listed_us: int) -> Json:
    """Write a market."""
    price: Json = {"minPrice": number(spec.min_price), "tickSize": number(spec.tick_size)}
    if spec.max_price is not None:
        price["maxPrice"] = number(spec.max_price)
    quantity: Json = {"minQuantity": number(spec.min_quantity), "stepSize": number(spec.step_size)}
    if spec.max_quantity is not None:
        quantity["maxQuantity"] = number(spec.max_quantity)
    return {
        "symbol": spec.symbol,
        "baseSymbol": spec.base,
        "quoteSymbol": spec.quote,
        "marketType": spec.market_type,
        "filters": {"price": price, "quantity": quantity},
        "orderBookState": spec.state,
        "createdAt": iso(listed_us),
        "visible": True,
    }


def depth(book: Depth) -> Json:
    """Write a book: both sides ascending, so the best bid is last."""
    return {
        "asks": [[number(price), number(quantity)] for price, quantity in book.asks],
        "bids": [[number(price), number(quantity)] for price, quantity in book.bids],
        "lastUpdateId": str(book.last_update_id),
        "timestamp": book.time_us,
    }


def trade(trade: Trade) -> Json:
    """Write a public trade."""
    return {
        "id": trade.id,
        "price": number(trade.price),
        "quantity": number(trade.quantity),
        "quoteQuantity": number(trade.quote_quantity),
        "timestamp": milliseconds(trade.time_us),
        "isBuyerMaker": trade.is_buyer_maker,
    }


def ticker(figures: Ticker) -> Json:
    """Write a ticker."""
    return {
        "symbol": figures.symbol,
        "firstPrice": number(figures.first_price),
        "lastPrice": number(figures.last_price),
        "priceChange": number(figures.price_change),
        "priceChangePercent": number(figures.price_change_ratio),
        "high": number(figures.high),
        "low": number(figures.low),
        "volume": number(figures.volume),
        "quoteVolume": number(figures.quote_volume),
        "trades": str(figures.trades),
    }


def kline(candle: Kline) -> Json:
    """Write a candle."""
    return {
        "start": spaced(candle.start_us),
        "end": spaced(candle.end_us),
        "open": maybe(candle.open),
        "high": maybe(candle.high),
        "low": maybe(candle.low),
        "close": maybe(candle.close),
        "volume": number(candle.volume),
        "quoteVolume": number(candle.quote_volume),
        "trades": str(candle.trades),
    }


def order(order: Order) -> Json:
    """Write an order as the order operations show it."""
    found: Json = {
        "orderType": order.order_type,
        "id": str(order.id),
        "symbol": order.symbol,
        "side": order.side,
        "status": order.status,
        "timeInForce": order.time_in_force,
        "selfTradePrevention": order.self_trade_prevention,
        "createdAt": milliseconds(order.created_us),
        "executedQuantity": number(order.executed_quantity),
        "executedQuoteQuantity": number(order.executed_quote_quantity),
    }
    if order.order_type is OrderType.LIMIT:
        found["postOnly"] = order.post_only
    if order.client_id is not None:
        found["clientId"] = order.client_id
    for name, value in (
        ("price", order.price),
        ("quantity", order.quantity),
        ("quoteQuantity", order.quote_quantity),
    ):
        if value is not None:
            found[name] = number(value)
    return found


def past_order(order: Order) -> Json:
    """Write an order as the order history shows it."""
    found: Json = {
        "id": str(order.id),
        "createdAt": iso(order.created_us),
        "executedQuantity": number(order.executed_quantity),
        "executedQuoteQuantity": number(order.executed_quote_quantity),
        "orderType": order.order_type,
        "postOnly": order.post_only,
        "price": maybe(order.price),
        "quantity": maybe(order.quantity),
        "quoteQuantity": maybe(order.quote_quantity),
        "clientId": order.client_id,
        "selfTradePrevention": order.self_trade_prevention,
        "side": order.side,
        "status": order.status,
        "symbol": order.symbol,
        "timeInForce": order.time_in_force,
    }
    if order.expiry_reason is not None:
        found["expiryReason"] = order.expiry_reason
    return found


def fill(fill: Fill) -> Json:
    """Write a fill. The client id is a text here and a number in orders."""
    found: Json = {
        "tradeId": fill.trade_id,
        "orderId": str(fill.order_id),
        "symbol": fill.symbol,
        "side": fill.side,
        "price": number(fill.price),
        "quantity": number(fill.quantity),
        "fee": number(fill.fee),
        "feeSymbol": fill.fee_asset,
        "isMaker": fill.is_maker,
        "timestamp": iso(fill.time_us),
    }
    if fill.client_id is not None:
        found["clientId"] = str(fill.client_id)
    return found


def balance(balance: Balance) -> Json:
    """Write a balance. Nothing is ever staked here."""
    return {"available": number(balance.available), "locked": number(balance.locked), "staked": "0"}

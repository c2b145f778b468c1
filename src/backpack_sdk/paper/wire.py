"""The engine's objects as the JSON of the REST API: decimals as texts without exponents, each time in its own form.

Open orders, trades and the clock count milliseconds, books microseconds; histories carry ISO 8601 texts in UTC without
a zone, candles the same with a space. Optional fields are left out, except those of the order history and of empty
candles, where the exchange writes null.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from .engine import (
    Balance,
    Depth,
    Fill,
    FuturesSpec,
    Kline,
    MarginFunction,
    MarketSpec,
    Order,
    OrderType,
    PriceBands,
    Ticker,
    Trade,
    Trigger,
)

Json = dict[str, object]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZERO = Decimal(0)
_BASIS_POINTS = 10_000


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
    if spec.bands is not None:
        price |= _bands(spec.bands)
    found: Json = {
        "symbol": spec.symbol,
        "baseSymbol": spec.base,
        "quoteSymbol": spec.quote,
        "marketType": spec.market_type,
        "filters": {"price": price, "quantity": quantity},
        "orderBookState": spec.state,
        "createdAt": iso(listed_us),
        "visible": True,
    }
    if spec.futures is not None:
        found |= _futures(spec.futures)
    return found


def margin_function(function: MarginFunction) -> Json:
    """Write how a margin fraction depends on size."""
    return {"type": "sqrt", "base": number(function.base), "factor": number(function.factor)}


def _futures(futures: FuturesSpec) -> Json:
    cap = futures.funding_cap * _BASIS_POINTS
    found: Json = {
        "imfFunction": margin_function(futures.imf),
        "mmfFunction": margin_function(futures.mmf),
        "fundingInterval": milliseconds(futures.funding_interval_us),
        "fundingRateUpperBound": number(cap),
        "fundingRateLowerBound": number(-cap),
    }
    if futures.open_interest_limit is not None:
        found["openInterestLimit"] = number(futures.open_interest_limit)
    return found


def _bands(bands: PriceBands) -> Json:
    figures = {
        "minMultiplier": bands.min_multiplier,
        "maxMultiplier": bands.max_multiplier,
        "minImpactMultiplier": bands.min_impact_multiplier,
        "maxImpactMultiplier": bands.max_impact_multiplier,
    }
    found: Json = {name: number(value) for name, value in figures.items() if value is not None}
    if bands.min_mark_multiplier is not None and bands.max_mark_multiplier is not None:
        found["meanMarkPriceBand"] = {
            "minMultiplier": number(bands.min_mark_multiplier),
            "maxMultiplier": number(bands.max_mark_multiplier),
        }
    return found


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
    if order.reduce_only:
        found["reduceOnly"] = True
    if order.triggered_us is not None:
        found["triggeredAt"] = milliseconds(order.triggered_us)
    quantity = order.quantity
    if quantity is None and order.trigger is not None and order.order_type is OrderType.LIMIT:
        # The document requires a quantity of every limit order: that of a waiting one is its trigger's.
        quantity = order.trigger.quantity if order.trigger.quantity is not None else _ZERO
    for name, value in (("price", order.price), ("quantity", quantity), ("quoteQuantity", order.quote_quantity)):
        if value is not None:
            found[name] = number(value)
    return found | _conditions(order)


def _conditions(order: Order) -> Json:
    """Write what an order carries besides price and size, and what it belongs to."""
    found: Json = {}
    if order.related_order_id is not None:
        found["relatedOrderId"] = str(order.related_order_id)
    if order.strategy_id is not None:
        found["strategyId"] = str(order.strategy_id)
    trigger = order.trigger
    if trigger is not None:
        found["triggerPrice"] = number(trigger.price)
        found["triggerBy"] = trigger.by
        found["triggerQuantity"] = trigger_quantity(trigger)
    for name, leg in (("stopLoss", order.stop_loss), ("takeProfit", order.take_profit)):
        if leg is not None:
            found[f"{name}TriggerPrice"] = number(leg.trigger_price)
            found[f"{name}TriggerBy"] = leg.by
            if leg.limit_price is not None:
                found[f"{name}LimitPrice"] = number(leg.limit_price)
    if order.slippage is not None:
        found["slippageTolerance"] = number(order.slippage.tolerance)
        found["slippageToleranceType"] = order.slippage.unit
    return found


def trigger_quantity(trigger: Trigger) -> str:
    """Write the size of a conditional order: an amount, or a share such as `80%`."""
    if trigger.percent is not None:
        return f"{number(trigger.percent)}%"
    return number(trigger.quantity if trigger.quantity is not None else _ZERO)


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
    if order.system_order_type is not None:
        found["systemOrderType"] = order.system_order_type
    conditions = _conditions(order)
    conditions.pop("relatedOrderId", None)  # the document has it for orders of the order operations only
    return found | conditions


def fill(fill: Fill) -> Json:
    """Write a fill. The client id is a text here and a number in orders."""
    found: Json = {
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
    if fill.trade_id != 0:
        found["tradeId"] = fill.trade_id
    if fill.client_id is not None:
        found["clientId"] = str(fill.client_id)
    if fill.system_order_type is not None:
        found["systemOrderType"] = fill.system_order_type
    return found


def balance(balance: Balance) -> Json:
    """Write a balance. Nothing is ever staked here."""
    return {"available": number(balance.available), "locked": number(balance.locked), "staked": "0"}

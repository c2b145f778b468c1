"""Scheduled strategies: started, shown, stopped, and those of the past."""

from __future__ import annotations

from enum import StrEnum

from .. import wire_futures
from ..call import AnyMarketType, Call, Handler
from ..engine import NewStrategy, SelfTradePrevention, Side, Strategy, TimeInForce
from ..errors import ApiError, ApiErrorCode
from ..reading import INT64_MAX, UINT16_MAX, UINT32_MAX, Fields, needed
from ..replies import Reply, json_reply
from .listing import listing, number_id
from .order_reading import read_slippage, refuse_flags


class StrategyType(StrEnum):
    """Kinds of strategies."""

    SCHEDULED = "Scheduled"


def strategy_create(call: Call) -> Reply:
    """Start a strategy."""
    fields = Fields(call.body)
    needed(fields.choice("strategyType", StrategyType), "strategyType")
    symbol, side = needed(fields.text("symbol"), "symbol"), needed(fields.choice("side", Side), "side")
    quantity = fields.decimal("quantity")
    duration, interval = fields.whole("duration", high=INT64_MAX), fields.whole("interval", high=INT64_MAX)
    price, in_force = fields.decimal("price"), fields.choice("timeInForce", TimeInForce)
    prevention = fields.choice("selfTradePrevention", SelfTradePrevention)
    fields.whole("brokerId", high=UINT16_MAX)
    randomized, reduce_only = fields.flag("randomizedIntervalQuantity"), fields.flag("reduceOnly")
    client_id, slippage = fields.whole("clientStrategyId", high=UINT32_MAX), read_slippage(fields)
    post_only = fields.flag("postOnly")
    refuse_flags(fields)
    if quantity is None or duration is None or interval is None:
        raise ApiError(ApiErrorCode.INVALID_ORDER, "a scheduled strategy needs a quantity, a duration and an interval")
    if post_only:
        raise ApiError(ApiErrorCode.INVALID_ORDER, "the slices of a strategy trade at once, so it can't be post-only")
    strategy = NewStrategy(
        symbol=symbol,
        side=side,
        quantity=quantity,
        duration_ms=duration,
        interval_ms=interval,
        price=price,
        time_in_force=in_force if in_force is not None else TimeInForce.IOC,
        randomized=randomized,
        reduce_only=reduce_only,
        self_trade_prevention=prevention if prevention is not None else SelfTradePrevention.REJECT_TAKER,
        slippage=slippage,
        client_id=client_id,
    )
    started = call.engine.create_strategy(call.account, strategy, now_us=call.now_us)
    return json_reply(wire_futures.strategy(started.value))


def get_strategy(call: Call) -> Reply:
    """Show one running strategy."""
    found = call.engine.strategy(
        call.account,
        needed(call.query.text("symbol"), "symbol"),
        strategy_id=number_id(call.query.text("strategyId"), "strategyId"),
        client_id=call.query.whole("clientStrategyId", high=UINT32_MAX),
    )
    return json_reply(wire_futures.strategy(found))


def get_open_strategies(call: Call) -> Reply:
    """Show the running strategies of one market or of all."""
    kind = call.query.choice("marketType", AnyMarketType)
    call.query.choice("strategyType", StrategyType)
    found = call.engine.open_strategies(call.account, call.query.text("symbol"))
    return json_reply(
        [
            wire_futures.strategy(strategy)
            for strategy in found
            if kind is None or call.engine.market(strategy.request.symbol).market_type.value == kind
        ]
    )


def cancel_strategy(call: Call) -> Reply:
    """Stop one strategy and show it."""
    fields = Fields(call.body)
    stopped = call.engine.cancel_strategy(
        call.account,
        needed(fields.text("symbol"), "symbol"),
        strategy_id=number_id(fields.text("strategyId"), "strategyId"),
        client_id=fields.whole("clientStrategyId", high=UINT32_MAX),
        now_us=call.now_us,
    )
    return json_reply(wire_futures.strategy(stopped.value))


def cancel_open_strategies(call: Call) -> Reply:
    """Stop the strategies of a market and show them."""
    fields = Fields(call.body)
    symbol = needed(fields.text("symbol"), "symbol")
    fields.choice("strategyType", StrategyType)
    stopped = call.engine.cancel_strategies(call.account, symbol, now_us=call.now_us)
    return json_reply([wire_futures.strategy(strategy) for strategy in stopped.value])


def get_strategies_history(call: Call) -> Reply:
    """Page through strategies, running ones included."""
    query = call.query
    kinds = query.choices("marketType", AnyMarketType)
    symbol, wanted = query.text("symbol"), number_id(query.text("strategyId"), "strategyId")

    def keep(strategy: Strategy) -> bool:
        if kinds is not None and call.engine.market(strategy.request.symbol).market_type.value not in kinds:
            return False
        return symbol in (None, strategy.request.symbol) and wanted in (None, strategy.id)

    return listing(query, call.engine.all_strategies(call.account), wire_futures.past_strategy, keep)


HANDLERS: dict[str, Handler] = {
    "cancel_open_strategies": cancel_open_strategies,
    "cancel_strategy": cancel_strategy,
    "get_open_strategies": get_open_strategies,
    "get_strategies_history": get_strategies_history,
    "get_strategy": get_strategy,
    "strategy_create": strategy_create,
}

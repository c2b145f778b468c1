"""Placing, finding and cancelling orders."""

from __future__ import annotations

from .. import wire
from ..call import AnyMarketType, Call, Handler
from ..engine import (
    CancelScope,
    ExpiryReason,
    NewOrder,
    Order,
    OrderType,
    Refused,
    SelfTradePrevention,
    Side,
    TimeInForce,
    expiry_refusal,
)
from ..errors import ApiError, ApiErrorCode
from ..reading import UINT16_MAX, UINT32_MAX, Fields, needed, order_id
from ..replies import Reply, json_reply

_NOT_SIMULATED = (
    "slippageTolerance",
    "slippageToleranceType",
    "stopLossLimitPrice",
    "stopLossTriggerBy",
    "stopLossTriggerPrice",
    "takeProfitLimitPrice",
    "takeProfitTriggerBy",
    "takeProfitTriggerPrice",
    "triggerBy",
    "triggerPrice",
    "triggerQuantity",
)
_HARMLESS_FLAGS = ("autoBorrowRepay", "autoLendRedeem")  # nothing is ever borrowed or lent, so they have no effect
_BORROWING_FLAGS = ("autoBorrow", "autoLend")


def execute_order(call: Call) -> Reply:
    """Place an order."""
    return json_reply(wire.order(_execute(call, _read_order(Fields(call.body)))))


def execute_order_batch(call: Call) -> Reply:
    """Place orders one after the other. Each succeeds or fails on its own; one that can't be read fails them all."""
    read = [_read_order(fields) for fields in Fields.each(call.body)]
    if not read:
        raise ApiError(ApiErrorCode.INVALID_CLIENT_REQUEST, "the batch holds no order")
    return json_reply([_execute_item(call, order) for order in read])


def get_order(call: Call) -> Reply:
    """Show one open order."""
    query = call.query
    found = call.engine.open_order(
        call.account,
        needed(query.text("symbol"), "symbol"),
        order_id=order_id(query.text("orderId")),
        client_id=query.whole("clientId", high=UINT32_MAX),
    )
    return json_reply(wire.order(found))


def get_open_orders(call: Call) -> Reply:
    """Show the open orders of one market or of all, oldest first."""
    kind = call.query.choice("marketType", AnyMarketType)
    found = call.engine.open_orders(call.account, call.query.text("symbol"))
    if kind is not None and kind is not AnyMarketType.SPOT:
        found = ()
    return json_reply([wire.order(order) for order in found])


def cancel_order(call: Call) -> Reply:
    """Cancel one order at once and show it."""
    fields = Fields(call.body)
    outcome = call.engine.cancel(
        call.account,
        needed(fields.text("symbol"), "symbol"),
        order_id=order_id(fields.text("orderId")),
        client_id=fields.whole("clientId", high=UINT32_MAX),
        now_us=call.now_us,
    )
    return json_reply(wire.order(outcome.value))


def cancel_open_orders(call: Call) -> Reply:
    """Cancel the open orders of a market at once and show them."""
    fields = Fields(call.body)
    symbol, scope = needed(fields.text("symbol"), "symbol"), fields.choice("orderType", CancelScope)
    outcome = call.engine.cancel_all(call.account, symbol, scope=scope, now_us=call.now_us)
    return json_reply([wire.order(order) for order in outcome.value])


def _read_order(fields: Fields) -> NewOrder | ApiError:
    """Return the order, or the refusal of one that asks for what is not simulated."""
    in_force = fields.choice("timeInForce", TimeInForce)
    prevention = fields.choice("selfTradePrevention", SelfTradePrevention)
    order = NewOrder(
        symbol=needed(fields.text("symbol"), "symbol"),
        side=needed(fields.choice("side", Side), "side"),
        order_type=needed(fields.choice("orderType", OrderType), "orderType"),
        price=fields.decimal("price"),
        quantity=fields.decimal("quantity"),
        quote_quantity=fields.decimal("quoteQuantity"),
        time_in_force=in_force if in_force is not None else TimeInForce.GTC,
        post_only=fields.flag("postOnly"),
        self_trade_prevention=prevention if prevention is not None else SelfTradePrevention.REJECT_TAKER,
        client_id=fields.whole("clientId", high=UINT32_MAX),
    )
    fields.whole("brokerId", high=UINT16_MAX)
    reduce_only = fields.flag("reduceOnly")
    flags = {name: fields.flag(name) for name in (*_HARMLESS_FLAGS, *_BORROWING_FLAGS)}
    asked_for = fields.given(_NOT_SIMULATED) + [name for name in _BORROWING_FLAGS if flags[name]]
    if asked_for:
        return ApiError(
            ApiErrorCode.NOT_IMPLEMENTED, f"the embedded exchange does not simulate {', '.join(asked_for)} yet"
        )
    if reduce_only:
        return ApiError(ApiErrorCode.INVALID_ORDER, f"reduceOnly needs a position, and {order.symbol} is a spot market")
    return order


def _execute(call: Call, order: NewOrder | ApiError) -> Order:
    if isinstance(order, ApiError):
        raise order
    placed = call.engine.execute(call.account, order, now_us=call.now_us).value
    if (
        placed.post_only
        or placed.time_in_force is TimeInForce.FOK
        or placed.expiry_reason is ExpiryReason.POST_ONLY_MODE
    ):
        refusal = expiry_refusal(placed)
        if refusal is not None:
            raise refusal
    return placed


def _execute_item(call: Call, order: NewOrder | ApiError) -> wire.Json:
    try:
        return {"operation": "Ok", **wire.order(_execute(call, order))}
    except (ApiError, Refused) as refused:
        return {"operation": "Err", "code": refused.code, "message": refused.message}


HANDLERS: dict[str, Handler] = {
    "cancel_open_orders": cancel_open_orders,
    "cancel_order": cancel_order,
    "execute_order": execute_order,
    "execute_order_batch": execute_order_batch,
    "get_open_orders": get_open_orders,
    "get_order": get_order,
}

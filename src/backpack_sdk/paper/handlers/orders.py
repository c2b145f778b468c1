"""Placing, finding and cancelling orders."""

from __future__ import annotations

from .. import wire
from ..call import AnyMarketType, Call, Handler
from ..engine import CancelScope, ExpiryReason, NewOrder, Order, Refused, TimeInForce, expiry_refusal
from ..errors import ApiError, ApiErrorCode
from ..reading import UINT32_MAX, Fields, needed, order_id
from ..replies import Reply, json_reply
from .order_reading import Draws, read_order

_REFUSED = (ExpiryReason.POST_ONLY_MODE, ExpiryReason.REDUCE_ONLY_NOT_REDUCED)


def execute_order(call: Call) -> Reply:
    """Place an order."""
    fields = Fields(call.body)
    return json_reply(wire.order(_execute(call, read_order(fields), Draws.read(fields))))


def execute_order_batch(call: Call) -> Reply:
    """Place orders one after the other. Each succeeds or fails on its own; one that can't be read fails them all."""
    read = [(read_order(fields), Draws.read(fields)) for fields in Fields.each(call.body)]
    if not read:
        raise ApiError(ApiErrorCode.INVALID_CLIENT_REQUEST, "the batch holds no order")
    return json_reply([_execute_item(call, order, draws) for order, draws in read])


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
    return json_reply(
        [
            wire.order(order)
            for order in found
            if kind is None or call.engine.market(order.symbol).market_type.value == kind
        ]
    )


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


def _execute(call: Call, order: NewOrder | ApiError, draws: Draws) -> Order:
    if isinstance(order, ApiError):
        raise order
    placed = _place(call, order, draws)
    if placed.post_only or placed.time_in_force is TimeInForce.FOK or placed.expiry_reason in _REFUSED:
        refusal = expiry_refusal(placed)
        if refusal is not None:
            raise refusal
    return placed


def _place(call: Call, order: NewOrder, draws: Draws) -> Order:
    """Place an order; where funds are missing that it may draw on, get them and place it again."""
    try:
        return call.engine.execute(call.account, order, now_us=call.now_us).value
    except Refused as refused:
        if refused.short is None or not (draws.borrow or draws.redeem):
            raise
        asset, missing = refused.short
    call.engine.draw(
        call.account, asset, missing, auto_borrow=draws.borrow, auto_lend_redeem=draws.redeem, now_us=call.now_us
    )
    return call.engine.execute(call.account, order, now_us=call.now_us).value


def _execute_item(call: Call, order: NewOrder | ApiError, draws: Draws) -> wire.Json:
    try:
        return {"operation": "Ok", **wire.order(_execute(call, order, draws))}
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

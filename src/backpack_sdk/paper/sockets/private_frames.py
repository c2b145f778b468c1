"""The data of each private stream: orders, positions and requests for quotes, as their owners see them."""

from __future__ import annotations

from decimal import Decimal

from ..engine import ExitLeg, Fill, Order, Position, Trigger
from ..engine.rfq_events import RfqUpdated
from ..wire import milliseconds
from .frames import json
from .spelling import Spelling, amount

Members = dict[str, object]


def order_update(words: Spelling, event: str, order: Order, engine_us: int, now_us: int, fill: Fill | None) -> bytes:
    """Write an order. `t` is null unless it is a fill; what an order does not have is left out."""
    found: Members = {
        "e": event,
        "E": now_us,
        "s": order.symbol,
        "S": order.side,
        "o": order.order_type.upper(),
        "f": order.time_in_force,
        "X": order.status,
        "i": str(order.id),
        "t": None,
        "z": words.size(order.executed_quantity),
        "Z": amount(order.executed_quote_quantity),
        "V": order.self_trade_prevention,
        "T": engine_us,
        "O": order.origin,
        "r": order.reduce_only,
        "y": order.post_only,
    }
    optional: Members = {
        "c": order.client_id,
        "q": None if order.quantity is None else words.size(order.quantity),
        "Q": _maybe(order.quote_quantity),
        "p": None if order.price is None else words.price(order.price),
        "R": None if order.expiry_reason is None else _shouted(order.expiry_reason),
        "I": None if order.related_order_id is None else str(order.related_order_id),
        "H": None if order.strategy_id is None else str(order.strategy_id),
        **_trigger(words, order.trigger),
        **_exit(order.take_profit, price="a", limit="j", by="d"),
        **_exit(order.stop_loss, price="b", limit="k", by="g"),
    }
    found |= {name: value for name, value in optional.items() if value is not None}
    if fill is not None:
        found |= {
            "t": fill.trade_id,
            "l": words.size(fill.quantity),
            "L": words.price(fill.price),
            "m": fill.is_maker,
            "n": amount(fill.fee),
            "N": fill.fee_asset,
        }
    return json(found)


def position_update(position: Position, event: str | None, engine_us: int, now_us: int) -> bytes:
    """Write a position. The messages right after subscribing have no event."""
    found: Members = {
        "E": now_us,
        "s": position.symbol,
        "b": amount(position.break_even_price),
        "B": amount(position.entry_price),
        "l": "0",  # what was the liquidation price once
        "f": amount(position.imf),
        "M": amount(position.mark_price),
        "m": amount(position.mmf),
        "q": amount(position.quantity),
        "Q": amount(position.exposure_quantity),
        "n": amount(position.exposure_notional),
        "i": position.id,
        "p": amount(position.realized),
        "P": amount(position.unrealized),
        "T": engine_us,
    }
    if event is not None:
        found["e"] = event
    return json(found)


def rfq_update(event: RfqUpdated, now_us: int) -> bytes:
    """Write a step of a request or a quote. Side and client id of a request are for the one who asked."""
    rfq, quote = event.rfq, event.quote
    is_own = event.account == rfq.account
    is_of_quote = quote is not None and not is_own
    found: Members = {
        "e": event.kind,
        "E": now_us,
        "R": rfq.id,
        "s": rfq.symbol,
        "X": quote.status if quote is not None and is_of_quote else rfq.status,
        "T": event.time_us,
    }
    client_id = quote.client_id if quote is not None and is_of_quote else rfq.client_id if is_own else None
    optional: Members = {
        "C": None if client_id is None else str(client_id),
        "u": None if quote is None else quote.id,
        "S": rfq.side if is_own else None,
        "p": _maybe(event.price),
    }
    if not is_of_quote:
        optional |= {"q": _maybe(rfq.quantity), "Q": _maybe(rfq.quote_quantity)}
    if quote is None:
        optional |= {"w": milliseconds(rfq.submission_us), "W": milliseconds(rfq.expiry_us)}
    return json(found | {name: value for name, value in optional.items() if value is not None})


def _trigger(words: Spelling, trigger: Trigger | None) -> Members:
    """Write a trigger; its quantity is a percentage of the position with a sign, or a quantity."""
    if trigger is None:
        return {}
    percent = None if trigger.percent is None else f"{trigger.percent.normalize():f}%"
    size = percent if trigger.quantity is None else words.size(trigger.quantity)
    return {"P": amount(trigger.price), "B": trigger.by, "Y": size}


def _exit(leg: ExitLeg | None, *, price: str, limit: str, by: str) -> Members:
    if leg is None:
        return {}
    return {price: amount(leg.trigger_price), limit: _maybe(leg.limit_price), by: leg.by}


def _maybe(value: Decimal | None) -> str | None:
    return None if value is None else amount(value)


def _shouted(word: str) -> str:
    """Turn `PostOnlyTaker` into `POST_ONLY_TAKER`."""
    return "".join(f"_{letter}" if letter.isupper() and at else letter.upper() for at, letter in enumerate(word))

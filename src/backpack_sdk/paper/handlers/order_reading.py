"""From the body of an order request to an order of the engine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from ..engine import (
    ExitLeg,
    NewOrder,
    OrderType,
    SelfTradePrevention,
    Side,
    Slippage,
    SlippageType,
    TimeInForce,
    Trigger,
    TriggerBy,
)
from ..errors import ApiError, ApiErrorCode, MalformedRequest
from ..reading import UINT16_MAX, UINT32_MAX, Fields, needed

_FLAGS = ("autoBorrow", "autoBorrowRepay", "autoLend", "autoLendRedeem")
_SIZE = re.compile(r"([0-9]{1,40}(?:\.[0-9]{1,40})?)(%?)")


def read_order(fields: Fields) -> NewOrder | ApiError:
    """Return the order, or the refusal of one whose fields don't go together or ask for what is not simulated.

    Raises:
        MalformedRequest: a field can't be read.
    """
    in_force = fields.choice("timeInForce", TimeInForce)
    prevention = fields.choice("selfTradePrevention", SelfTradePrevention)
    plain = {
        "symbol": needed(fields.text("symbol"), "symbol"),
        "side": needed(fields.choice("side", Side), "side"),
        "order_type": needed(fields.choice("orderType", OrderType), "orderType"),
        "price": fields.decimal("price"),
        "quantity": fields.decimal("quantity"),
        "quote_quantity": fields.decimal("quoteQuantity"),
        "time_in_force": in_force if in_force is not None else TimeInForce.GTC,
        "post_only": fields.flag("postOnly"),
        "self_trade_prevention": prevention if prevention is not None else SelfTradePrevention.REJECT_TAKER,
        "client_id": fields.whole("clientId", high=UINT32_MAX),
        "reduce_only": fields.flag("reduceOnly"),
    }
    fields.whole("brokerId", high=UINT16_MAX)
    try:
        refuse_flags(fields, ("autoLend",))
        return NewOrder(
            **plain,  # type: ignore[arg-type]
            trigger=_read_trigger(fields),
            stop_loss=_read_leg(fields, "stopLoss"),
            take_profit=_read_leg(fields, "takeProfit"),
            slippage=read_slippage(fields),
        )
    except ApiError as refused:
        return refused


def refuse_flags(fields: Fields, refused: tuple[str, ...] = ("autoBorrow", "autoLend")) -> None:
    """Check the flags of borrowing and lending along with a trade, and refuse some of them. The others do no harm.

    Raises:
        ApiError: `NOT_IMPLEMENTED`.
    """
    flags = {name: fields.flag(name) for name in _FLAGS}
    asked_for = [name for name in refused if flags[name]]
    if asked_for:
        raise ApiError(
            ApiErrorCode.NOT_IMPLEMENTED, f"the embedded exchange does not simulate {', '.join(asked_for)} here"
        )


@dataclass(frozen=True, slots=True)
class Draws:
    """How a spot order may get funds that are not available: out of a pool that lends, or that the account lends to."""

    borrow: bool
    redeem: bool

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read the flags."""
        return cls(fields.flag("autoBorrow"), fields.flag("autoLendRedeem"))


def read_slippage(fields: Fields) -> Slippage | None:
    """Return the slippage tolerance.

    Raises:
        ApiError: `INVALID_ORDER` for a tolerance without a type or the other way round.
    """
    tolerance = fields.decimal("slippageTolerance")
    unit = fields.choice("slippageToleranceType", SlippageType)
    if tolerance is None and unit is None:
        return None
    if tolerance is None or unit is None:
        raise ApiError(
            ApiErrorCode.INVALID_ORDER, "slippageTolerance and slippageToleranceType go together: give both or none"
        )
    return Slippage(tolerance, unit)


def _read_trigger(fields: Fields) -> Trigger | None:
    price, size = fields.decimal("triggerPrice"), fields.text("triggerQuantity")
    by = fields.choice("triggerBy", TriggerBy)
    quantity, percent = _read_size(size)
    if price is None and size is None and by is None:
        return None
    if price is None or size is None:
        raise ApiError(ApiErrorCode.INVALID_ORDER, "triggerPrice and triggerQuantity go together: give both or none")
    return Trigger(price, quantity, percent, TriggerBy.LAST if by is None else by)


def _read_size(size: str | None) -> tuple[Decimal | None, Decimal | None]:
    if size is None:
        return None, None
    match = _SIZE.fullmatch(size)
    if match is None or not size.isascii():
        raise MalformedRequest(
            f'failed to parse triggerQuantity: {size!r} is neither a decimal nor a share such as "80%"'
        )
    number = Decimal(match[1])
    return (None, number) if match[2] else (number, None)


def _read_leg(fields: Fields, name: str) -> ExitLeg | None:
    price, limit = fields.decimal(f"{name}TriggerPrice"), fields.decimal(f"{name}LimitPrice")
    by = fields.choice(f"{name}TriggerBy", TriggerBy)
    if price is None:
        if limit is None and by is None:
            return None
        raise ApiError(ApiErrorCode.INVALID_ORDER, f"{name}LimitPrice and {name}TriggerBy need {name}TriggerPrice")
    return ExitLeg(price, limit, TriggerBy.LAST if by is None else by)

"""Conditional orders of one market that wait for their price."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from .enums import ExpiryReason, TriggerBy
from .errors import ErrorCode, Refused
from .orders import LiveOrder

References = Callable[[TriggerBy], Decimal | None]
"""The present price of each kind, None before there is one."""

_REASONS = {
    ErrorCode.INSUFFICIENT_FUNDS: ExpiryReason.INSUFFICIENT_FUNDS,
    ErrorCode.INSUFFICIENT_MARGIN: ExpiryReason.INSUFFICIENT_MARGIN,
    ErrorCode.INVALID_PRICE: ExpiryReason.PRICE_OUT_OF_BOUNDS,
    ErrorCode.INVALID_QUANTITY: ExpiryReason.INVALID_QUANTITY,
    ErrorCode.POSITION_LIMIT: ExpiryReason.POSITION_LIMIT,
}


def failure_reason(refused: Refused) -> ExpiryReason:
    """Return why a conditional order failed, from the refusal that an ordinary order would have got."""
    return _REASONS.get(refused.code, ExpiryReason.UNKNOWN)


class Triggers:
    """The waiting orders, oldest first, and which way the price has to go for each."""

    __slots__ = ("_rises", "waiting")

    def __init__(self) -> None:
        self.waiting: dict[int, LiveOrder] = {}
        self._rises: dict[int, bool] = {}

    def add(self, order: LiveOrder, *, rises: bool) -> None:
        """Let an order wait until its price is at the trigger price or beyond."""
        self.waiting[order.id] = order
        self._rises[order.id] = rises

    def remove(self, order: LiveOrder) -> None:
        """Forget an order."""
        del self.waiting[order.id], self._rises[order.id]

    def next_due(self, reference: References) -> LiveOrder | None:
        """Return the oldest order whose price has been reached."""
        prices = {by: reference(by) for by in TriggerBy}
        for order in self.waiting.values():
            trigger = order.request.trigger
            price = prices[trigger.by] if trigger is not None else None
            if trigger is None or price is None:
                continue
            if price >= trigger.price if self._rises[order.id] else price <= trigger.price:
                return order
        return None

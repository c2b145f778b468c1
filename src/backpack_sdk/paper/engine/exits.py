"""Stop losses and take profits attached to entry orders.

As an entry trades, each attached exit becomes a conditional order of its own that names the entry as its related order.
Its quantity is what the entry has traded, and grows with it. In a spot market the exit of a bid is smaller by the
taker fee, which was taken from what the bid received. When one exit goes off, the other is cancelled, and so is what is
left of the entry.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from decimal import Decimal

from .enums import MarketType, OrderType, Side, TimeInForce
from .numbers import multiple_below
from .orders import Cause, LiveOrder, NewOrder
from .spec import MarketSpec
from .terms import ExitLeg, Trigger

_ONE = Decimal(1)


class Exits:
    """Which entries have traded, and the exits that belong to each."""

    __slots__ = ("_entries", "_legs", "_traded")

    def __init__(self) -> None:
        self._traded: dict[int, LiveOrder] = {}
        self._entries: dict[int, LiveOrder] = {}
        self._legs: dict[int, list[LiveOrder]] = {}

    @property
    def has_news(self) -> bool:
        """Whether an entry has traded since the last `drain`."""
        return bool(self._traded)

    def note(self, entry: LiveOrder) -> None:
        """Remember that an entry has traded."""
        self._traded[entry.id] = entry

    def drain(self) -> list[LiveOrder]:
        """Return the entries that have traded since the last call."""
        entries = list(self._traded.values())
        self._traded.clear()
        return entries

    def legs(self, entry: LiveOrder) -> list[LiveOrder] | None:
        """Return the exits of an entry, None before they are placed."""
        return self._legs.get(entry.id)

    def add(self, entry: LiveOrder, legs: list[LiveOrder]) -> None:
        """Remember the exits of an entry."""
        self._legs[entry.id] = legs
        self._entries[entry.id] = entry

    def ended(self, leg: LiveOrder, waiting: Container[int]) -> None:
        """Forget an entry once it is over and none of its exits waits any more."""
        entry_id = leg.cause.related_order_id
        entry = self._entries.get(entry_id) if entry_id is not None else None
        if entry is None or entry.id in entry.account.open:
            return
        if not any(order.id in waiting for order in self._legs[entry.id]):
            del self._legs[entry.id], self._entries[entry.id]

    def companions(self, order: LiveOrder) -> list[LiveOrder]:
        """Return what ends when this exit goes off: the other exit, and the entry."""
        entry_id = order.cause.related_order_id
        if entry_id is None or entry_id not in self._legs:
            return []
        return [leg for leg in (*self._legs.pop(entry_id), self._entries.pop(entry_id)) if leg is not order]


def exit_quantity(spec: MarketSpec, entry: LiveOrder) -> Decimal:
    """Return how much the exits of an entry are to close by now, in whole steps."""
    if spec.market_type is MarketType.SPOT and entry.side is Side.BID:
        return multiple_below(entry.executed * (_ONE - entry.account.fees.spot(is_maker=False)), spec.step_size)
    return entry.executed


def exit_orders(spec: MarketSpec, entry: LiveOrder, quantity: Decimal) -> list[tuple[NewOrder, Cause, bool]]:
    """Return the exits of an entry: order, cause, and whether the price has to rise for it."""
    request = entry.request
    bought = request.side is Side.BID
    legs = ((request.stop_loss, not bought), (request.take_profit, bought))
    cause = Cause(related_order_id=entry.id)
    return [(_exit(spec, request, leg, quantity), cause, rises) for leg, rises in legs if leg is not None]


def resized(request: NewOrder, quantity: Decimal) -> NewOrder:
    """Return the same conditional order with another trigger quantity."""
    trigger = request.trigger
    return request if trigger is None else replace(request, trigger=replace(trigger, quantity=quantity))


def _exit(spec: MarketSpec, entry: NewOrder, leg: ExitLeg, quantity: Decimal) -> NewOrder:
    return NewOrder(
        symbol=entry.symbol,
        side=entry.side.opposite,
        order_type=OrderType.MARKET if leg.limit_price is None else OrderType.LIMIT,
        price=leg.limit_price,
        time_in_force=TimeInForce.GTC,
        self_trade_prevention=entry.self_trade_prevention,
        reduce_only=spec.market_type is not MarketType.SPOT,
        trigger=Trigger(leg.trigger_price, quantity=quantity, by=leg.by),
    )

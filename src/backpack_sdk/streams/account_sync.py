"""Keeps an account's open orders and positions in step: a pure state machine, without I/O and without a clock.

The streams carry changes; REST tells what is open. So after each connection:

1. Updates are buffered while REST is asked for open orders and positions, and after a reconnection also for the fills
   since the last one heard of, and for the end of every order that is open no longer.
2. The reply is the new state, and the buffered updates are applied to it in order. An update carries the whole order,
   so one that the reply contained already changes nothing; one that is older than the reply is passed over.
3. What differs from the old state is told as changes, each once. Fills are told apart by their trade's number.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from .account_changes import (
    AccountChange,
    Filled,
    OrderChanged,
    OrderClosed,
    OrderOpened,
    PositionChanged,
    PositionClosed,
    Synchronised,
)
from .account_records import (
    AccountFill,
    TrackedOrder,
    TrackedPosition,
    fill_from_update,
    order_from_update,
    position_from_update,
)
from .events import OrderUpdate, PositionUpdate

_FILLS_KNOWN = 20_000
"""Fills remembered, so that none is told twice."""
_OVER_KNOWN = 20_000
"""Closed orders remembered, so that a late word of one does not open it again."""


class AccountSync:
    """The state and how far it is in step."""

    def __init__(self) -> None:
        self._orders: dict[str, TrackedOrder] = {}
        self._positions: dict[str, TrackedPosition] = {}
        self._fills: OrderedDict[tuple[object, ...], None] = OrderedDict()
        self._over: OrderedDict[str, None] = OrderedDict()
        self._buffer: list[OrderUpdate | PositionUpdate] = []
        self.is_live = False
        """Whether the state is right and up to date."""
        self.was_live = False
        """Whether it ever was."""
        self.heard_us: int | None = None
        """When the exchange's engine made the last thing heard of, in microseconds since 1970."""

    @property
    def orders(self) -> Mapping[str, TrackedOrder]:
        """Open orders by their id."""
        return MappingProxyType(self._orders)

    @property
    def positions(self) -> Mapping[str, TrackedPosition]:
        """Open positions by their market."""
        return MappingProxyType(self._positions)

    def on_lost(self) -> None:
        """The connection is gone: what happens from now on is not heard of."""
        self.is_live = False
        self._buffer.clear()

    def on_update(self, update: OrderUpdate | PositionUpdate) -> list[AccountChange]:
        """An event of the private streams came."""
        if not self.is_live:
            self._buffer.append(update)
            return []
        return self._apply(update)

    def missing(self, open_now: Iterable[str]) -> list[str]:
        """Orders that were open when last heard of and are not in `open_now`; buffered updates may tell of some."""
        told = {update.order_id for update in self._buffer if isinstance(update, OrderUpdate)}
        return [known for known in self._orders if known not in set(open_now) and known not in told]

    def on_snapshot(
        self,
        orders: Iterable[TrackedOrder],
        positions: Iterable[TrackedPosition],
        *,
        ended: Mapping[str, TrackedOrder] | None = None,
        fills: Iterable[AccountFill] = (),
    ) -> list[AccountChange]:
        """REST told what is open, how orders ended that are not, and which fills may have been missed."""
        changes: list[AccountChange] = []
        for fill in sorted(fills, key=lambda fill: fill.time_us):
            changes += self._note_fill(fill)
        told = {update.order_id for update in self._buffer if isinstance(update, OrderUpdate)}
        fresh = {order.order_id: order for order in orders if not order.is_over and order.order_id not in self._over}
        for order_id, old in tuple(self._orders.items()):
            if order_id not in fresh and order_id not in told:
                end = (ended or {}).get(order_id)
                self._close(order_id)
                changes.append(OrderClosed(end if end is not None else old, certain=end is not None and end.is_over))
        for order in fresh.values():
            changes += self._put(order)
        changes += self._replace_positions({position.symbol: position for position in positions})
        self.is_live = self.was_live = True
        buffer, self._buffer = self._buffer, []
        for update in buffer:
            changes += self._apply(update)
        return [*changes, Synchronised()]

    def _apply(self, update: OrderUpdate | PositionUpdate) -> list[AccountChange]:
        self.heard_us = max(self.heard_us or 0, update.engine_time_us)
        if isinstance(update, PositionUpdate):
            return self._put_position(position_from_update(update))
        fill = fill_from_update(update)
        changes = [] if fill is None else self._note_fill(fill)
        order = order_from_update(update)
        if order.order_id in self._over:
            return changes
        old = self._orders.get(order.order_id)
        if old is not None and order.executed_quantity < old.executed_quantity:
            return changes  # REST was ahead of it
        if not order.is_over:
            return changes + self._put(order)
        self._close(order.order_id)
        opened: list[AccountChange] = [OrderOpened(order)] if old is None else []
        return [*opened, *changes, OrderClosed(order)]

    def _put(self, order: TrackedOrder) -> list[AccountChange]:
        old = self._orders.get(order.order_id)
        self._orders[order.order_id] = order
        if old is None:
            return [OrderOpened(order)]
        return [OrderChanged(order, old)] if order != old else []

    def _close(self, order_id: str) -> None:
        self._orders.pop(order_id, None)
        self._over[order_id] = None
        if len(self._over) > _OVER_KNOWN:
            self._over.popitem(last=False)

    def _replace_positions(self, fresh: dict[str, TrackedPosition]) -> list[AccountChange]:
        changes: list[AccountChange] = [
            PositionClosed(self._positions.pop(symbol)) for symbol in tuple(self._positions) if symbol not in fresh
        ]
        for position in fresh.values():
            changes += self._put_position(position)
        return changes

    def _put_position(self, position: TrackedPosition) -> list[AccountChange]:
        old = self._positions.get(position.symbol)
        if position.net_quantity == 0:
            self._positions.pop(position.symbol, None)
            return [] if old is None else [PositionClosed(old)]
        self._positions[position.symbol] = position
        return [PositionChanged(position, old)] if position != old else []

    def _note_fill(self, fill: AccountFill) -> list[AccountChange]:
        if fill.key in self._fills:
            return []
        self._fills[fill.key] = None
        if len(self._fills) > _FILLS_KNOWN:
            self._fills.popitem(last=False)
        self.heard_us = max(self.heard_us or 0, fill.time_us)
        return [Filled(fill)]

"""Keeps an account's open orders and positions in step: a pure state machine, without I/O and without a clock.

The streams carry changes; REST tells what is open. So after each connection:

1. Updates are buffered while REST is asked for open orders and positions, for the fills that may be news, and after a
   reconnection also for the end of every order that is open no longer.
2. The reply is the new state, and the buffered updates are applied to it. An update carries the whole order, so one
   that the reply contained already changes nothing, and one that has less executed than the reply is passed over.
3. What differs from the old state is told as changes, each once. Fills are told apart by their trade's number.

REST says nothing about the age of a position, so where it and the last buffered update differ, either may be the newer
one; likewise where an order is open in one and not in the other, or has more executed than there are fills of it.
`is_in_doubt` says so, and REST is asked again: either the update that REST was ahead of arrives, or REST catches up.
Where that does not help the update stands. For if REST was ahead, the next update is on its way and corrects it, while
nothing would correct a reply that was behind. Once live, every update stands for the same reason: right after a reply
that was ahead, a position may go through older sizes until the stream has caught up.

An update that can't be read may have been about anything: `on_unreadable`, and the reply to a question that was being
asked is not yet the whole truth.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
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
from .account_fills import FillLedger
from .account_records import (
    AccountFill,
    TrackedOrder,
    TrackedPosition,
    fill_from_update,
    order_from_update,
    position_from_update,
)
from .events import OrderUpdate, PositionUpdate

_OVER_KNOWN = 20_000
"""Closed orders remembered, so that a late word of one does not open it again."""


class AccountSync:
    """The state and how far it is in step."""

    def __init__(self) -> None:
        self._orders: dict[str, TrackedOrder] = {}
        self._positions: dict[str, TrackedPosition] = {}
        self._over: OrderedDict[str, bool] = OrderedDict()
        """Closed orders, and whether that is certain."""
        self._buffer: list[OrderUpdate | PositionUpdate] = []
        self._unreadable = False
        self._overtaken = False
        """Whether what is buffered may be overtaken by something unreadable."""
        self.fills = FillLedger()
        """Which fills are news."""
        self.is_live = False
        """Whether the state is right and up to date."""

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
        self.is_live = self._unreadable = self._overtaken = False
        self._buffer.clear()

    def on_update(self, update: OrderUpdate | PositionUpdate) -> list[AccountChange]:
        """An event of the private streams came."""
        if not self.is_live:
            self._buffer.append(update)
            return []
        return self._apply(update)

    def on_unreadable(self) -> None:
        """An event came that can't be read, so REST must be asked from now on."""
        self.is_live = False
        self._unreadable = True
        self._overtaken = bool(self._buffer)

    def on_asking(self) -> None:
        """REST is asked: its reply will contain whatever happened up to now, which what is buffered may not."""
        self._unreadable = self._overtaken

    def missing(self, open_now: Iterable[str]) -> list[str]:
        """Orders that were open when last heard of and are not in `open_now`; buffered updates may tell of some."""
        told = set(open_now).union(self._last_orders())
        return [known for known in self._orders if known not in told]

    def is_in_doubt(
        self,
        orders: Collection[TrackedOrder],
        positions: Collection[TrackedPosition],
        ended: Mapping[str, TrackedOrder],
        fills: Iterable[AccountFill],
    ) -> bool:
        """Whether what REST told and the buffered updates differ in a way that asking again may settle."""
        if self._unreadable:
            return False  # it will be asked again in any case
        listed = {order.order_id for order in orders}
        if any(order_id not in ended or not ended[order_id].is_over for order_id in self.missing(listed)):
            return True
        if any(
            not order_from_update(last).is_over and order_id not in listed and not self._over.get(order_id)
            for order_id, last in self._last_orders().items()
        ):
            return True
        if self._lacks_fills((*orders, *ended.values()), fills):
            return True
        sizes = {position.symbol: position.net_quantity for position in positions}
        return any(sizes.get(symbol, 0) != last.net_quantity for symbol, last in self._last_positions().items())

    def on_snapshot(
        self,
        orders: Iterable[TrackedOrder],
        positions: Iterable[TrackedPosition],
        *,
        ended: Mapping[str, TrackedOrder] | None = None,
        fills: Iterable[AccountFill] = (),
    ) -> list[AccountChange]:
        """REST told what is open, how orders ended that are not, and which fills may have been missed.

        The state is live afterwards, unless an update came meanwhile that can't be read.
        """
        in_order = sorted(fills, key=lambda fill: fill.time_us)
        changes: list[AccountChange] = [Filled(fill) for fill in in_order if self.fills.on_history(fill)]
        told = self._last_orders()
        fresh = {o.order_id: o for o in orders if not o.is_over and not self._over.get(o.order_id)}
        for order_id, old in tuple(self._orders.items()):
            if order_id not in fresh and order_id not in told:
                end = (ended or {}).get(order_id)
                certain = end is not None and end.is_over
                self._close(order_id, certain=certain)
                changes.append(OrderClosed(end if end is not None else old, certain=certain))
        for order in fresh.values():
            changes += self._put(order)
        held = {position.symbol: position for position in positions}
        held |= {symbol: position_from_update(last) for symbol, last in self._last_positions().items()}
        changes += self._replace_positions(held)
        buffer, self._buffer = self._buffer, []
        for update in buffer:
            if isinstance(update, OrderUpdate):
                changes += self._apply(update)
            else:
                self.fills.heard(update.engine_time_us)
        self._overtaken = False
        self.is_live = not self._unreadable
        return [*changes, Synchronised()] if self.is_live else changes

    def _lacks_fills(self, orders: Iterable[TrackedOrder], fills: Iterable[AccountFill]) -> bool:
        """Whether more of a known order was executed than the fills since say: the history lags."""
        news = {fill.key: fill for fill in fills if not self.fills.is_old(fill)}
        for update in self._buffer:
            if isinstance(update, OrderUpdate) and (fill := fill_from_update(update)) is not None:
                news[fill.key] = fill
        traded: defaultdict[str, Decimal] = defaultdict(Decimal)
        for fill in news.values():
            traded[fill.order_id] += fill.quantity
        known = ((order, self._orders.get(order.order_id)) for order in orders)
        return any(
            old is not None and order.executed_quantity - old.executed_quantity > traded[order.order_id]
            for order, old in known
        )

    def _last_orders(self) -> dict[str, OrderUpdate]:
        return {update.order_id: update for update in self._buffer if isinstance(update, OrderUpdate)}

    def _last_positions(self) -> dict[str, PositionUpdate]:
        return {update.symbol: update for update in self._buffer if isinstance(update, PositionUpdate)}

    def _apply(self, update: OrderUpdate | PositionUpdate) -> list[AccountChange]:
        self.fills.heard(update.engine_time_us)
        if isinstance(update, PositionUpdate):
            return self._put_position(position_from_update(update))
        fill = fill_from_update(update)
        changes: list[AccountChange] = [Filled(fill)] if fill is not None and self.fills.on_stream(fill) else []
        order = order_from_update(update)
        if self._over.get(order.order_id):
            return changes
        if order.is_over and order.order_id in self._over:
            self._over[order.order_id] = True  # its end was told, and now it is certain
            return changes
        old = self._orders.get(order.order_id)
        if old is not None and order.executed_quantity < old.executed_quantity:
            return changes  # REST was ahead of it
        if not order.is_over:
            return changes + self._put(order)
        self._close(order.order_id, certain=True)
        opened: list[AccountChange] = [OrderOpened(order)] if old is None else []
        return [*opened, *changes, OrderClosed(order)]

    def _put(self, order: TrackedOrder) -> list[AccountChange]:
        old = self._orders.get(order.order_id)
        self._orders[order.order_id] = order
        self._over.pop(order.order_id, None)
        if old is None:
            return [OrderOpened(order)]
        return [OrderChanged(order, old)] if order != old else []

    def _close(self, order_id: str, *, certain: bool) -> None:
        self._orders.pop(order_id, None)
        self._over[order_id] = certain
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

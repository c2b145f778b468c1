"""Carries out on an engine what the books and trades of another exchange mean for it. No I/O, no clock of its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from ..engine import (
    BookState,
    Event,
    Exchange,
    NewOrder,
    Order,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderModified,
    OrderStatus,
    OrderType,
    Refused,
    Side,
    TimeInForce,
)
from .levels import ZERO, Changes, MirroredSide
from .queue import QueueFill, Queues, Shown

MIRROR, COUNTERPARTY = "mirror", "mirror-counterparty"
"""Accounts: of what rests on the other exchange, and of those who trade there with what rests here."""

_FUNDS = Decimal(10) ** 15
_KEPT_ORDERS, _KEPT_TRADES = 100, 10_000
_RESTING = (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)

Levels = Sequence[tuple[Decimal, Decimal]]
"""Prices and quantities, best first."""


class Mirror:
    """Markets of an engine that follow another exchange.

    Every level of the other book is an order of `MIRROR` here, so orders of paper accounts trade with it by the usual
    rules. What a paper order takes stays taken until the other exchange changes that level. A paper order that rests is
    filled as `queue` tells.

    `lock` is held while the engine works; `clock` gives Unix microseconds. The markets must be listed. `accounts` are
    those whose orders rest from before; where they stand in the queues is found out anew.
    """

    def __init__(
        self,
        engine: Exchange,
        symbols: Iterable[str],
        lock: threading.RLock,
        clock: Callable[[], int],
        *,
        accounts: Iterable[str] = (),
    ) -> None:
        self._engine, self._lock, self._clock = engine, lock, clock
        self._queues = {symbol: Queues() for symbol in symbols}
        self._sides = {(symbol, side): MirroredSide() for symbol in self._queues for side in Side}
        self._stale = {symbol for symbol in self._queues if engine.market(symbol).state is BookState.CANCEL_ONLY}
        with lock:
            self._open_accounts()
            for symbol in self._queues:
                engine.keep_trades(symbol, _KEPT_TRADES)
                engine.cancel_all(MIRROR, symbol, now_us=clock())
            for account in accounts:
                self._note(engine.open_orders(account))
            self._end_listening = engine.subscribe(self._follow)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Markets that follow the other exchange."""
        return tuple(self._queues)

    def queue(self, symbol: str) -> Queues:
        """Return where the paper orders of a market stand."""
        return self._queues[symbol]

    def close(self) -> None:
        """Follow the orders of the engine no more."""
        self._end_listening()

    # What the other exchange says

    def book(self, symbol: str, bids: Levels, asks: Levels, *, whole: bool = True) -> None:
        """Take the book as it is now. `whole` says that there are no further levels.

        A market that `stale` closed to new orders opens again.
        """
        with self._lock:
            if symbol in self._stale:
                self._stale.discard(symbol)
                self._engine.set_book_state(symbol, BookState.OPEN, now_us=self._clock())
            changes: list[tuple[Side, Changes]] = []
            for side, levels in ((Side.BID, bids), (Side.ASK, asks)):
                worst = levels[-1][0] if levels and not whole else None
                self._queues[symbol].show(side, Shown(dict(levels), worst))
                mirrored = self._sides[symbol, side]
                beyond = frozenset(price for price in mirrored.sizes if _is_beyond(side, price, worst))
                changes.append((side, mirrored.update(levels, beyond)))
            for side, change in changes:
                self._cancel(symbol, side, change.cancel)
            for side, change in changes:
                self._place(symbol, side, change.place)

    def trade(self, symbol: str, taker: Side, price: Decimal, quantity: Decimal) -> None:
        """Take a trade, and fill the paper orders that it would have filled."""
        with self._lock:
            fills = self._queues[symbol].trade(taker, price, quantity)
            if fills:
                self._fill(symbol, fills)

    def mark(self, symbol: str, mark: Decimal, index: Decimal | None) -> None:
        """Take mark and index price."""
        with self._lock:
            self._engine.set_mark_price(symbol, mark, index, now_us=self._clock())

    def stale(self, symbol: str) -> None:
        """Take no new orders in a market: its book is out of date. Orders can be cancelled."""
        with self._lock:
            if self._engine.market(symbol).state is BookState.OPEN:
                self._stale.add(symbol)
                self._engine.set_book_state(symbol, BookState.CANCEL_ONLY, now_us=self._clock())

    # Inside

    def _fill(self, symbol: str, fills: list[QueueFill]) -> None:
        """Trade with the paper orders alone: what is mirrored steps aside meanwhile."""
        side, worst = fills[0].side, fills[-1].price
        mirrored = self._sides[symbol, side]
        aside = mirrored.lift([price for price in mirrored.sizes if not _is_beyond(side, price, worst)])
        self._cancel(symbol, side, aside.cancel)
        order = NewOrder(
            symbol=symbol,
            side=side.opposite,
            order_type=OrderType.LIMIT,
            price=worst,
            quantity=sum((fill.quantity for fill in fills), ZERO),
            time_in_force=TimeInForce.IOC,
        )
        with contextlib.suppress(Refused):  # the market takes no orders now
            self._engine.execute(COUNTERPARTY, order, now_us=self._clock())
        self._place(symbol, side, aside.place)

    def _cancel(self, symbol: str, side: Side, order_ids: Iterable[int]) -> None:
        for order_id in order_ids:
            with contextlib.suppress(Refused):  # the market was closed meanwhile, which cancels every order
                self._engine.cancel(MIRROR, symbol, order_id=order_id, now_us=self._clock())
            self._sides[symbol, side].cancelled(order_id)

    def _place(self, symbol: str, side: Side, levels: Iterable[tuple[Decimal, Decimal]]) -> None:
        most = self._engine.market(symbol).max_quantity
        for price, size in levels:
            quantity = size if most is None else min(size, most)
            order = NewOrder(symbol=symbol, side=side, order_type=OrderType.LIMIT, price=price, quantity=quantity)
            try:
                placed = self._engine.execute(MIRROR, order, now_us=self._clock()).value
            except Refused:
                continue  # less than the market's smallest order, as a remainder can be
            if placed.status in _RESTING:
                self._sides[symbol, side].placed(price, placed.id, quantity - placed.executed_quantity)

    def _follow(self, events: tuple[Event, ...]) -> None:
        """Keep up with the orders of the engine after each command."""
        latest: dict[int, Order] = {}
        for event in events:
            if isinstance(event, (OrderAccepted, OrderFilled, OrderModified, OrderCancelled, OrderExpired)):
                latest[event.order.id] = event.order
        self._note(latest.values())

    def _note(self, orders: Iterable[Order]) -> None:
        for order in orders:
            if order.symbol not in self._queues or order.account == COUNTERPARTY:
                continue
            remaining = ZERO if order.quantity is None else order.quantity - order.executed_quantity
            if order.account == MIRROR:
                if order.status in (OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED):
                    self._sides[order.symbol, order.side].left(order.id, remaining)
            elif order.price is not None and order.status in _RESTING:
                self._queues[order.symbol].rest(order.id, order.side, order.price, remaining)
            else:
                self._queues[order.symbol].end(order.id)

    def _open_accounts(self) -> None:
        specs = [self._engine.market(symbol) for symbol in self._queues]
        for account in (MIRROR, COUNTERPARTY):
            if not self._engine.has_account(account):
                self._engine.open_account(account, kept_orders=_KEPT_ORDERS, is_system=True)
                for asset in sorted({asset for spec in specs for asset in (spec.base, spec.quote)}):
                    self._engine.deposit(account, asset, _FUNDS, now_us=self._clock())


def _is_beyond(side: Side, price: Decimal, worst: Decimal | None) -> bool:
    """Whether a price lies behind another one on a side of a book."""
    if worst is None:
        return False
    return price < worst if side is Side.BID else price > worst

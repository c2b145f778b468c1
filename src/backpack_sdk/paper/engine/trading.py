"""Carrying out what was planned: trades, orders that end, and what is written down about them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from .account import Account
from .book import Level, OrderBook
from .clearing import Charge, Clearing
from .enums import ExpiryReason, OrderStatus, Side, SystemOrderType
from .events import (
    BestPrices,
    BestPricesChanged,
    DepthChanged,
    Event,
    Liquidated,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderModified,
    Trade,
)
from .exits import Exits
from .marks import Marks
from .matching import Match, Plan, PlanEnd
from .numbers import ZERO
from .orders import Fill, LiveOrder
from .spec import MarketSpec
from .tape import Tape
from .triggers import Triggers

_HALF = Decimal("0.5")
_Top = tuple[Decimal | None, Decimal | None, Decimal | None, Decimal | None]


class Trading:
    """The book, the tape and the prices of one market, and how trades change them.

    `events` is the exchange's list of things that happened; `order_ids` its counter.
    """

    def __init__(
        self,
        spec: MarketSpec,
        clearing: Clearing,
        marks: Marks,
        order_ids: Iterator[int],
        events: list[Event],
    ) -> None:
        self.spec = spec
        self.book = OrderBook()
        self.tape = Tape(spec.symbol)
        self.marks = marks
        self.clearing = clearing
        self.exits = Exits()
        self.triggers = Triggers()
        self._order_ids = order_ids
        self._events = events
        self._top: _Top = (None, None, None, None)
        self._reduce_only: dict[str, dict[int, LiveOrder]] = {}

    @property
    def last_price(self) -> Decimal | None:
        """Price of the last trade."""
        return self.tape.last_price

    @property
    def version(self) -> tuple[int, int]:
        """What the last price and the middle of the book depend on: it differs whenever they might."""
        return self.book.update_id, len(self.tape)

    @property
    def middle(self) -> Decimal | None:
        """Mean of best bid and best ask, None unless both rest."""
        bid, ask = self.book.bids.best(), self.book.asks.best()
        return (bid.price + ask.price) * _HALF if bid is not None and ask is not None else None

    @property
    def active_price(self) -> Decimal | None:
        """The last price, else the middle of the book."""
        last = self.tape.last_price
        return last if last is not None else self.middle

    def cancel(self, order: LiveOrder, now_us: int) -> None:
        """Take an open order off the book, or off the conditional ones, and give its funds back."""
        self._withdraw(order)
        order.close(OrderStatus.CANCELLED, now_us)
        self._events.append(OrderCancelled(order.view(), now_us))

    def expire(self, order: LiveOrder, reason: ExpiryReason, now_us: int) -> None:
        """End an open order by the rules."""
        self._withdraw(order)
        order.close(OrderStatus.EXPIRED, now_us, reason)
        self._events.append(OrderExpired(order.view(), now_us))

    def publish_book(self, now_us: int) -> None:
        """Write down how the book has changed since the last call."""
        delta = self.book.drain_delta()
        if delta is None:
            return
        self._events.append(DepthChanged(self.spec.symbol, delta, now_us))
        top = (*_top(self.book.bids.best()), *_top(self.book.asks.best()))
        if top != self._top:
            self._top = top
            best = BestPrices(*top)
            self._events.append(BestPricesChanged(self.spec.symbol, best, self.book.update_id, now_us))

    def cap_reduce_only(self, account: Account, now_us: int) -> None:
        """Shrink the account's resting reduce-only orders to its position, and end those that it leaves nothing."""
        for order in list(self._reduce_only.get(account.id, {}).values()):
            most = self.clearing.reducible(account, order.side)
            if most == ZERO:
                self.expire(order, ExpiryReason.REDUCE_ONLY_NOT_REDUCED, now_us)
            elif order.remaining > most:
                self.book.shrink(order, order.remaining - most)
                order.resize(order.executed + most, now_us)
                self._events.append(OrderModified(order.view(), now_us))

    def _end_stops(self, account: Account, now_us: int) -> None:
        """End the conditional orders that were to close a position that is gone."""
        for order in list(self.triggers.waiting.values()):
            trigger = order.request.trigger
            closes = order.request.reduce_only or (trigger is not None and trigger.percent is not None)
            if order.account is account and closes and self.clearing.reducible(account, order.side) == ZERO:
                self.expire(order, ExpiryReason.STOP_WITHOUT_POSITION, now_us)

    def _rest(self, order: LiveOrder) -> None:
        self.clearing.lock(order)
        self.book.add(order)
        order.resting = True
        if order.request.reduce_only:
            self._reduce_only.setdefault(order.account.id, {})[order.id] = order

    def _unrest(self, order: LiveOrder) -> None:
        order.resting = False
        if order.request.reduce_only:
            orders = self._reduce_only[order.account.id]
            del orders[order.id]
            if not orders:
                del self._reduce_only[order.account.id]

    def _withdraw(self, order: LiveOrder) -> None:
        """End the life of an open order."""
        if order.resting:
            self.book.remove(order)
            self.clearing.release(order)
            self._unrest(order)
        elif order.id in self.triggers.waiting:
            self.triggers.remove(order)
            self.exits.ended(order, self.triggers.waiting)
        order.account.close_order(order)

    def _carry_out(self, plan: Plan, taker: LiveOrder, now_us: int) -> None:
        for step in plan.steps:
            if isinstance(step, Match):
                last = plan.end is PlanEnd.COMPLETE and taker.executed + step.quantity == plan.filled
                self._trade(step.maker, taker, step.quantity, now_us, taker_done=last)
            elif step.maker.resting:  # a reduce-only order may have ended with the position that the taker closed
                self.expire(step.maker, ExpiryReason.SELF_TRADE_PREVENTION, now_us)

    def _trade(self, maker: LiveOrder, taker: LiveOrder, quantity: Decimal, now_us: int, *, taker_done: bool) -> None:
        price = maker.price
        quote = price * quantity
        maker_fee, taker_fee = self.clearing.settle(maker, taker, quantity, price, now_us)
        for order in (maker, taker):
            order.fill(quantity, quote, now_us)
        self.book.reduce(maker, quantity)
        if taker_done:
            taker.close(OrderStatus.FILLED, now_us)
        if maker.remaining == ZERO:
            maker.close(OrderStatus.FILLED, now_us)
            self._unrest(maker)
            maker.account.close_order(maker)

        buyer, seller = (maker, taker) if maker.side is Side.BID else (taker, maker)
        trade = Trade(
            self.spec.symbol, len(self.tape) + 1, price, quantity, quote, buyer.id, seller.id, buyer is maker, now_us
        )
        self.tape.add(trade)
        self._events.append(trade)
        self._record_fill(maker, trade, maker_fee, is_maker=True)
        self._record_fill(taker, trade, taker_fee, is_maker=False)
        for account in self.clearing.publish(now_us):
            self._end_stops(account, now_us)
        if self._reduce_only:
            self.cap_reduce_only(maker.account, now_us)
            self.cap_reduce_only(taker.account, now_us)
        for order in (maker, taker):
            if order.request.stop_loss is not None or order.request.take_profit is not None:
                self.exits.note(order)

    def _record_fill(self, order: LiveOrder, trade: Trade, fee: Charge, *, is_maker: bool) -> None:
        cause = order.cause
        fill = Fill(
            order.account.id,
            trade.id,
            order.id,
            order.request.client_id,
            trade.symbol,
            order.side,
            trade.price,
            trade.quantity,
            *fee,
            is_maker,
            trade.time_us,
            cause.strategy_id,
            cause.system_order_type,
        )
        order.account.fills.append(fill)
        self._events.append(OrderFilled(order.view(), fill, trade.time_us))
        if cause.system_order_type is SystemOrderType.LIQUIDATE_ON_BOOK:
            self._events.append(
                Liquidated(
                    fill.account,
                    fill.symbol,
                    fill.side,
                    fill.quantity,
                    fill.price,
                    fill.fee,
                    cause.system_order_type,
                    fill.time_us,
                )
            )


def _top(level: Level | None) -> tuple[Decimal | None, Decimal | None]:
    return (level.price, level.total) if level is not None else (None, None)

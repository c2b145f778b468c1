"""One market at work: takes orders, matches them, settles the trades, and writes down what happened."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from .account import Account
from .book import Level, OrderBook
from .clearing import SpotClearing
from .enums import BookState, ExpiryReason, OrderStatus, OrderType, Side, TimeInForce
from .errors import ErrorCode, Refused
from .events import (
    BestPrices,
    BestPricesChanged,
    DepthChanged,
    Event,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    Trade,
)
from .ledger import Ledger
from .matching import Match, Plan, PlanEnd, plan_match
from .numbers import ZERO
from .orders import Fill, LiveOrder, NewOrder
from .spec import MarketSpec, check_amount
from .tape import Tape


class Market:
    """The book, the tape and the settlement of one symbol.

    `events` is the exchange's list of things that happened; `order_ids` its counter.
    """

    __slots__ = ("_best", "_clearing", "_events", "_order_ids", "book", "spec", "tape")

    def __init__(self, spec: MarketSpec, ledger: Ledger, order_ids: Iterator[int], events: list[Event]) -> None:
        self.spec = spec
        self.book = OrderBook()
        self.tape = Tape(spec.symbol)
        self._clearing = SpotClearing(spec, ledger)
        self._order_ids = order_ids
        self._events = events
        self._best = BestPrices()

    def execute(self, account: Account, request: NewOrder, now_us: int) -> LiveOrder:
        """Take an order: check it, match it by price and time, rest or expire what is left.

        An order that breaks a rule before it meets the book is refused and leaves no trace. One that passes
        has an id and stands in the history for good, even when the book then ends it at once:

        - post-only that would trade: `Expired`, `PostOnlyTaker`, whoever owns the order it would meet;
        - fill-or-kill that cannot trade in full: `Expired`, `FillOrKill`, or `SelfTradePrevention` when only an
          order of its own account is in the way; nothing else on the book changes;
        - immediate-or-cancel: what did not trade is `Expired`, `ImmediateOrCancel`;
        - market orders: likewise, `InsufficientLiquidity`;
        - self-trade prevention: the order that gives way is `Expired`, `SelfTradePrevention`; trades with
          others before it stand.

        `executed_quantity` tells how much an expired order had traded. The states of a market: `Open` takes
        every order, `LimitOnly` refuses market orders, `PostOnly` expires (`PostOnlyMode`) every order that
        would trade, `CancelOnly` and `Closed` refuse every order.

        Raises:
            Refused: `INVALID_ORDER`, `INVALID_PRICE`, `INVALID_QUANTITY`, `INSUFFICIENT_FUNDS` or `TRADING_PAUSED`.
        """
        request.check_shape()
        self._require_open_to(request.order_type)
        request = self._on_grid(request)
        client_id = request.client_id
        if client_id is not None and account.open_by_client_id(request.symbol, client_id) is not None:
            raise Refused(
                ErrorCode.INVALID_ORDER, f"client id {client_id} is in use by an open order of {request.symbol}"
            )
        plan = plan_match(self.book, account, request, self.spec.step_size)
        if request.quote_quantity is not None:
            self._check_planned_quantity(request.quote_quantity, plan)
        self._clearing.require_funds(account.id, request, plan)

        order = LiveOrder(next(self._order_ids), account, request, now_us)
        account.add_order(order)
        self._events.append(OrderAccepted(order.view(), now_us))
        reason = self._reason_not_to_match(request, plan)
        if reason is None:
            self._carry_out(plan, order, now_us)
            reason = self._reason_not_to_rest(request, plan)
        if plan.end is PlanEnd.COMPLETE and reason is None:
            account.close_order(order)
        elif reason is not None:
            self._expire(order, reason, now_us)
        else:
            self._clearing.lock(order)
            self.book.add(order)
        return order

    def cancel(self, order: LiveOrder, now_us: int) -> None:
        """Take an open order off the book and give its funds back."""
        self._withdraw(order)
        order.close(OrderStatus.CANCELLED, now_us)
        self._events.append(OrderCancelled(order.view(), now_us))

    def publish_book(self, now_us: int) -> None:
        """Write down how the book has changed since the last call."""
        delta = self.book.drain_delta()
        if delta is None:
            return
        self._events.append(DepthChanged(self.spec.symbol, delta, now_us))
        best = BestPrices(*_top(self.book.bids.best()), *_top(self.book.asks.best()))
        if best != self._best:
            self._best = best
            self._events.append(BestPricesChanged(self.spec.symbol, best, self.book.update_id, now_us))

    def _require_open_to(self, order_type: OrderType) -> None:
        state = self.spec.state
        if state in (BookState.CLOSED, BookState.CANCEL_ONLY):
            raise Refused(ErrorCode.TRADING_PAUSED, f"{self.spec.symbol} takes no orders: its state is {state}")
        if state is BookState.LIMIT_ONLY and order_type is OrderType.MARKET:
            raise Refused(ErrorCode.TRADING_PAUSED, f"{self.spec.symbol} takes limit orders only: its state is {state}")

    def _on_grid(self, request: NewOrder) -> NewOrder:
        spec = self.spec
        return NewOrder(
            symbol=request.symbol,
            side=request.side,
            order_type=request.order_type,
            price=spec.check_price(request.price) if request.price is not None else None,
            quantity=spec.check_quantity(request.quantity) if request.quantity is not None else None,
            quote_quantity=(
                check_amount(request.quote_quantity, "quote quantity") if request.quote_quantity is not None else None
            ),
            time_in_force=request.time_in_force,
            post_only=request.post_only,
            self_trade_prevention=request.self_trade_prevention,
            client_id=request.client_id,
        )

    def _check_planned_quantity(self, quote_quantity: Decimal, plan: Plan) -> None:
        """Check the quantity filter for what an amount of the quote asset comes to."""
        spec = self.spec
        too_little = plan.end is PlanEnd.COMPLETE and plan.filled < spec.min_quantity
        if too_little or (spec.max_quantity is not None and plan.filled > spec.max_quantity):
            raise Refused(
                ErrorCode.INVALID_QUANTITY,
                f"{quote_quantity} {spec.quote} comes to {plan.filled} {spec.base}, outside the quantities that"
                f" {spec.symbol} takes: {spec.min_quantity} to {spec.max_quantity or 'any'}",
            )

    def _reason_not_to_match(self, request: NewOrder, plan: Plan) -> ExpiryReason | None:
        if self.spec.state is BookState.POST_ONLY and (plan.crosses or request.order_type is OrderType.MARKET):
            return ExpiryReason.POST_ONLY_MODE
        if request.post_only and plan.crosses:
            return ExpiryReason.POST_ONLY_TAKER
        if request.time_in_force is TimeInForce.FOK and plan.end is not PlanEnd.COMPLETE:
            own_order = plan.end is PlanEnd.SELF_TRADE
            return ExpiryReason.SELF_TRADE_PREVENTION if own_order else ExpiryReason.FILL_OR_KILL
        return None

    @staticmethod
    def _reason_not_to_rest(request: NewOrder, plan: Plan) -> ExpiryReason | None:
        if plan.end is PlanEnd.COMPLETE:
            return None
        if plan.end is PlanEnd.SELF_TRADE:
            return ExpiryReason.SELF_TRADE_PREVENTION
        if request.order_type is OrderType.MARKET:
            return ExpiryReason.INSUFFICIENT_LIQUIDITY
        return ExpiryReason.IMMEDIATE_OR_CANCEL if request.time_in_force is TimeInForce.IOC else None

    def _carry_out(self, plan: Plan, taker: LiveOrder, now_us: int) -> None:
        for step in plan.steps:
            if isinstance(step, Match):
                last = plan.end is PlanEnd.COMPLETE and taker.executed + step.quantity == plan.filled
                self._trade(step.maker, taker, step.quantity, now_us, taker_done=last)
            else:
                self._expire(step.maker, ExpiryReason.SELF_TRADE_PREVENTION, now_us)

    def _trade(self, maker: LiveOrder, taker: LiveOrder, quantity: Decimal, now_us: int, *, taker_done: bool) -> None:
        price = maker.price
        quote = price * quantity
        maker_pays, taker_pays = (quote, quantity) if maker.side is Side.BID else (quantity, quote)
        taker_fee = self._clearing.settle(maker, taker, maker_pays, is_maker=False)
        maker_fee = self._clearing.settle(taker, maker, taker_pays, is_maker=True)
        for order in (maker, taker):
            order.fill(quantity, quote, now_us)
        self.book.reduce(maker, quantity)
        if taker_done:
            taker.close(OrderStatus.FILLED, now_us)
        if maker.remaining == ZERO:
            maker.close(OrderStatus.FILLED, now_us)
            maker.account.close_order(maker)

        buyer, seller = (maker, taker) if maker.side is Side.BID else (taker, maker)
        trade = Trade(
            self.spec.symbol, len(self.tape) + 1, price, quantity, quote, buyer.id, seller.id, buyer is maker, now_us
        )
        self.tape.add(trade)
        self._events.append(trade)
        self._record_fill(maker, trade, maker_fee, is_maker=True)
        self._record_fill(taker, trade, taker_fee, is_maker=False)

    def _record_fill(self, order: LiveOrder, trade: Trade, fee: tuple[Decimal, str], *, is_maker: bool) -> None:
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
        )
        order.account.fills.append(fill)
        self._events.append(OrderFilled(order.view(), fill, trade.time_us))

    def _expire(self, order: LiveOrder, reason: ExpiryReason, now_us: int) -> None:
        self._withdraw(order)
        order.close(OrderStatus.EXPIRED, now_us, reason)
        self._events.append(OrderExpired(order.view(), now_us))

    def _withdraw(self, order: LiveOrder) -> None:
        """End the life of an open order. Only a resting order has something locked."""
        if order.locked != ZERO:
            self.book.remove(order)
            self._clearing.release(order)
        order.account.close_order(order)


def _top(level: Level | None) -> tuple[Decimal | None, Decimal | None]:
    return (level.price, level.total) if level is not None else (None, None)

"""One market at work: takes orders, checks them, and matches, rests or keeps them waiting."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from .account import Account
from .bands import check_bands, worst_price
from .enums import BookState, ExpiryReason, MarketType, OrderStatus, OrderType, TimeInForce, TriggerBy
from .errors import ErrorCode, Refused
from .events import OrderAccepted, OrderModified, TriggerFailed, TriggerPlaced
from .exits import exit_orders, exit_quantity, resized
from .matching import UNLIMITED, Limits, Plan, PlanEnd, plan_match
from .numbers import ZERO, multiple_below
from .orders import USER_CAUSE, Cause, LiveOrder, NewOrder
from .quick import quick
from .spec import check_amount
from .trading import Trading
from .triggers import failure_reason

_PERCENT = Decimal("0.01")


@quick
@dataclass(frozen=True, slots=True)
class _Ready:
    """An order that passed all checks: the size it may have, what it would trade, and what bounds a market order."""

    request: NewOrder
    plan: Plan
    bound: ExpiryReason
    pointless: bool = False


class Market(Trading):
    """The book, the tape and the settlement of one symbol, and the orders that come in."""

    def execute(self, account: Account, request: NewOrder, now_us: int, cause: Cause = USER_CAUSE) -> LiveOrder:
        """Take an order: check it, match it by price and time, rest or expire what is left.

        An order that breaks a rule before it meets the book is refused and leaves no trace. One that passes
        has an id and stands in the history for good, even when the book then ends it at once:

        - post-only that would trade: `Expired`, `PostOnlyTaker`, whoever owns the order it would meet;
        - fill-or-kill that cannot trade in full: `Expired`, `FillOrKill`, or `SelfTradePrevention` when only an
          order of its own account is in the way; nothing else on the book changes;
        - immediate-or-cancel: what did not trade is `Expired`, `ImmediateOrCancel`;
        - market orders: likewise, `InsufficientLiquidity`, or `SlippageToleranceExceeded` or `PriceImpact` where
          the next order of the book is beyond that bound;
        - self-trade prevention: the order that gives way is `Expired`, `SelfTradePrevention`; trades with
          others before it stand;
        - reduce-only: its quantity is cut to the position; without one to reduce it is `Expired`,
          `ReduceOnlyNotReduced`. While it rests it shrinks with the position, and so never turns it around.

        `executed_quantity` tells how much an expired order had traded. The states of a market: `Open` takes
        every order, `LimitOnly` refuses market orders, `PostOnly` expires (`PostOnlyMode`) every order that
        would trade, `CancelOnly` and `Closed` refuse every order.

        A conditional order waits (`TriggerPending`) and passes the checks of funds, margin, bands and states again
        when it goes off. One that fails them then is `TriggerFailed`; else it goes on as any other, with the same id.

        Raises:
            Refused: `INVALID_ORDER`, `INVALID_PRICE`, `INVALID_QUANTITY`, `INSUFFICIENT_FUNDS`, `TRADING_PAUSED`; in
                perpetuals also `INSUFFICIENT_MARGIN` and `POSITION_LIMIT`.
        """
        request.check_shape()
        self._require_open_to(request.order_type)
        if request.reduce_only and self.spec.market_type is MarketType.SPOT:
            raise Refused(
                ErrorCode.INVALID_ORDER, f"reduceOnly needs a position, and {request.symbol} is a spot market"
            )
        request = self._on_grid(request)
        client_id = request.client_id
        if client_id is not None and account.open_by_client_id(request.symbol, client_id) is not None:
            raise Refused(
                ErrorCode.INVALID_ORDER, f"client id {client_id} is in use by an open order of {request.symbol}"
            )
        if request.trigger is not None:
            return self._wait(account, request, now_us, cause, rises=self._must_rise(request))
        ready = self._prepare(account, request)
        order = LiveOrder(next(self._order_ids), account, ready.request, now_us, cause)
        account.add_order(order)
        self._events.append(OrderAccepted(order.view(), now_us))
        self._enter(order, ready, now_us)
        return order

    def close_out(self, account: Account, request: NewOrder, now_us: int, cause: Cause, worst: Decimal) -> LiveOrder:
        """Carry out a market order of the exchange itself, up to a worst price. Nothing is checked."""
        plan = plan_match(self.book, account, request, self.spec.step_size, self._limits(None, worst))
        order = LiveOrder(next(self._order_ids), account, request, now_us, cause)
        account.add_order(order)
        self._events.append(OrderAccepted(order.view(), now_us))
        self._enter(order, _Ready(request, plan, ExpiryReason.INSUFFICIENT_LIQUIDITY), now_us)
        return order

    @property
    def has_work(self) -> bool:
        """Whether `settle_down` might find something to do."""
        return self.exits.has_news or bool(self.triggers.waiting)

    def settle_down(self, now_us: int) -> None:
        """Place and enlarge exits of entries that traded, and set off every conditional order that is due."""
        while True:
            for entry in self.exits.drain():
                self._place_exits(entry, now_us)
            due = self.triggers.next_due(self.reference) if self.triggers.waiting else None
            if due is not None:
                self._set_off(due, now_us)
            elif not self.exits.has_news:
                return

    def reference(self, by: TriggerBy) -> Decimal | None:
        """Return the price that a conditional order watches; where a kind is missing, the last price or the middle."""
        watched = {TriggerBy.MARK: self.marks.mark, TriggerBy.INDEX: self.marks.index}.get(by)
        return watched if watched is not None else self.active_price

    # Checks

    def _require_open_to(self, order_type: OrderType) -> None:
        state = self.spec.state
        if state in (BookState.CLOSED, BookState.CANCEL_ONLY):
            raise Refused(ErrorCode.TRADING_PAUSED, f"{self.spec.symbol} takes no orders: its state is {state}")
        if state is BookState.LIMIT_ONLY and order_type is OrderType.MARKET:
            raise Refused(ErrorCode.TRADING_PAUSED, f"{self.spec.symbol} takes limit orders only: its state is {state}")

    def _on_grid(self, request: NewOrder) -> NewOrder:
        spec, trigger = self.spec, request.trigger
        if request.stop_loss is not None or request.take_profit is not None:
            self._check_exits(request)
        if trigger is not None:
            spec.check_price(trigger.price)
            if trigger.quantity is not None:
                spec.check_quantity(trigger.quantity)
            elif spec.market_type is MarketType.SPOT:
                raise Refused(
                    ErrorCode.INVALID_ORDER, f"{spec.symbol} is a spot market: there is no position to take a share of"
                )
        price, quantity, quote_quantity = request.price, request.quantity, request.quote_quantity
        fits = quote_quantity is None
        if price is not None:
            price, given = spec.check_price(price), price
            fits = fits and price.same_quantum(given)
        if quantity is not None:
            quantity, given = spec.check_quantity(quantity), quantity
            fits = fits and quantity.same_quantum(given)
        if fits:
            return request
        return NewOrder(
            symbol=request.symbol,
            side=request.side,
            order_type=request.order_type,
            price=price,
            quantity=quantity,
            quote_quantity=check_amount(quote_quantity, "quote quantity") if quote_quantity is not None else None,
            time_in_force=request.time_in_force,
            post_only=request.post_only,
            self_trade_prevention=request.self_trade_prevention,
            client_id=request.client_id,
            reduce_only=request.reduce_only,
            trigger=trigger,
            stop_loss=request.stop_loss,
            take_profit=request.take_profit,
            slippage=request.slippage,
        )

    def _check_exits(self, request: NewOrder) -> None:
        for leg in (request.stop_loss, request.take_profit):
            if leg is not None:
                self.spec.check_price(leg.trigger_price)
                if leg.limit_price is not None:
                    self.spec.check_price(leg.limit_price)

    def _prepare(self, account: Account, request: NewOrder) -> _Ready:
        """Check bands, planned quantity and funds of an order that is on the grid, and plan its match."""
        if self.spec.bands is not None:
            check_bands(self, request)
        most: Decimal | None = None
        if request.reduce_only:
            most = self.clearing.reducible(account, request.side)
            if most == ZERO:
                nothing = Plan((), ZERO, ZERO, PlanEnd.NO_LIQUIDITY)
                return _Ready(request, nothing, ExpiryReason.REDUCE_ONLY_NOT_REDUCED, pointless=True)
            if request.quantity is not None and request.quantity > most:
                request = replace(request, quantity=most)
        worst: Decimal | None = None
        bound = ExpiryReason.INSUFFICIENT_LIQUIDITY
        if request.price is None:
            worst, bound = worst_price(self, request)
        plan = plan_match(self.book, account, request, self.spec.step_size, self._limits(most, worst))
        if request.quote_quantity is not None:
            self._check_planned_quantity(request, request.quote_quantity, plan)
        self.clearing.require_funds(account, request, plan)
        return _Ready(request, plan, bound)

    def _limits(self, most: Decimal | None, worst: Decimal | None) -> Limits:
        reducible = self.clearing.reducible if self._reduce_only else None
        if most is None and worst is None and reducible is None:
            return UNLIMITED
        return Limits(most, worst, reducible)

    def _check_planned_quantity(self, request: NewOrder, quote_quantity: Decimal, plan: Plan) -> None:
        """Check the quantity filter for what an amount of the quote asset comes to."""
        spec = self.spec
        too_little = plan.end is PlanEnd.COMPLETE and plan.filled < spec.min_quantity and not request.reduce_only
        if too_little or (spec.max_quantity is not None and plan.filled > spec.max_quantity):
            raise Refused(
                ErrorCode.INVALID_QUANTITY,
                f"{quote_quantity} {spec.quote} comes to {plan.filled} {spec.base}, outside the quantities that"
                f" {spec.symbol} takes: {spec.min_quantity} to {spec.max_quantity or 'any'}",
            )

    # Matching

    def _enter(self, order: LiveOrder, ready: _Ready, now_us: int) -> None:
        request, plan = ready.request, ready.plan
        reason = ready.bound if ready.pointless else self._reason_not_to_match(request, plan)
        if reason is None:
            self._carry_out(plan, order, now_us)
            reason = self._reason_not_to_rest(request, plan, ready.bound)
        if plan.end is PlanEnd.COMPLETE and reason is None:
            order.account.close_order(order)
        elif reason is not None:
            self.expire(order, reason, now_us)
        else:
            self._rest(order)

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
    def _reason_not_to_rest(request: NewOrder, plan: Plan, bound: ExpiryReason) -> ExpiryReason | None:
        if plan.end is PlanEnd.COMPLETE:
            return None
        if plan.end is PlanEnd.SELF_TRADE:
            return ExpiryReason.SELF_TRADE_PREVENTION
        if plan.end is PlanEnd.OUT_OF_BOUNDS:
            return bound
        if request.order_type is OrderType.MARKET:
            return ExpiryReason.INSUFFICIENT_LIQUIDITY
        return ExpiryReason.IMMEDIATE_OR_CANCEL if request.time_in_force is TimeInForce.IOC else None

    # Conditional orders

    def _must_rise(self, request: NewOrder) -> bool:
        trigger = request.trigger
        present = self.reference(trigger.by) if trigger is not None else None
        if trigger is None or present is None:
            raise Refused(ErrorCode.INVALID_PRICE, f"{self.spec.symbol} has no price yet to compare a trigger with")
        return trigger.price >= present

    def _wait(self, account: Account, request: NewOrder, now_us: int, cause: Cause, *, rises: bool) -> LiveOrder:
        order = LiveOrder(next(self._order_ids), account, request, now_us, cause)
        order.status = OrderStatus.TRIGGER_PENDING
        account.add_order(order)
        self.triggers.add(order, rises=rises)
        self._events.append(TriggerPlaced(order.view(), now_us))
        return order

    def _set_off(self, order: LiveOrder, now_us: int) -> None:
        """Turn a waiting order into an ordinary one. An exit ends its companions, whatever becomes of itself."""
        account = order.account
        self.triggers.remove(order)
        order.triggered_us = now_us
        for companion in self.exits.companions(order):
            if companion.id in account.open:
                self.cancel(companion, now_us)
        try:
            self._require_open_to(order.request.order_type)
            quantity = self._triggered_quantity(order)
            if quantity == ZERO:
                self._fail(order, ExpiryReason.STOP_WITHOUT_POSITION, now_us)
                return
            ready = self._prepare(account, replace(order.request, trigger=None, quantity=quantity))
        except Refused as refused:
            self._fail(order, failure_reason(refused), now_us)
            return
        if ready.pointless:
            self._fail(order, ExpiryReason.STOP_WITHOUT_POSITION, now_us)
            return
        order.status = OrderStatus.NEW
        order.resize(ready.request.quantity if ready.request.quantity is not None else quantity, now_us)
        self._events.append(OrderAccepted(order.view(), now_us))
        self._enter(order, ready, now_us)

    def _fail(self, order: LiveOrder, reason: ExpiryReason, now_us: int) -> None:
        order.account.close_order(order)
        order.close(OrderStatus.TRIGGER_FAILED, now_us, reason)
        self._events.append(TriggerFailed(order.view(), now_us))

    def _triggered_quantity(self, order: LiveOrder) -> Decimal:
        trigger = order.request.trigger
        if trigger is None or trigger.percent is None:
            return trigger.quantity if trigger is not None and trigger.quantity is not None else ZERO
        size = self.clearing.reducible(order.account, order.side)
        quantity = (
            size if trigger.percent == 100 else multiple_below(size * trigger.percent * _PERCENT, self.spec.step_size)
        )
        if quantity == ZERO and size != ZERO:
            raise Refused(ErrorCode.INVALID_QUANTITY, f"{trigger.percent} % of {size} is less than a step")
        return quantity

    def _place_exits(self, entry: LiveOrder, now_us: int) -> None:
        quantity = exit_quantity(self.spec, entry)
        legs = self.exits.legs(entry)
        if legs is None:
            if quantity >= self.spec.min_quantity:
                legs = [
                    self._wait(entry.account, order, now_us, cause, rises=rises)
                    for order, cause, rises in exit_orders(self.spec, entry, quantity)
                ]
                self.exits.add(entry, legs)
            return
        for leg in legs:
            if leg.id in self.triggers.waiting:
                leg.request = resized(leg.request, quantity)
                self._events.append(OrderModified(leg.view(), now_us))

"""Orders as they are asked for, as the engine keeps them, and as it shows them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from .enums import (
    ExpiryReason,
    FillType,
    OrderStatus,
    OrderType,
    Origin,
    SelfTradePrevention,
    Side,
    SystemOrderType,
    TimeInForce,
)
from .errors import ErrorCode, Refused
from .numbers import ZERO
from .quick import quick
from .terms import ExitLeg, Slippage, Trigger

if TYPE_CHECKING:
    from .account import Account

MAX_CLIENT_ID = 2**32 - 1


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order as its owner asks for it.

    A limit order has `price` and `quantity`. A market order has either `quantity` (base asset) or
    `quote_quantity`: how much quote asset to spend (bid) or receive (ask) at most. The engine then trades
    the largest whole number of steps that stays within it.
    `client_id` is a uint32, unique among the open orders of the account in the market.
    A market order never rests, whatever its `time_in_force`; the exchange reports `GTC` for one without.
    An order with a `trigger` waits until that goes off, and its only size is the trigger's. `stop_loss` and
    `take_profit` become conditional orders of their own as this one trades. `slippage` is for market orders.
    """

    symbol: str
    side: Side
    order_type: OrderType
    price: Decimal | None = None
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.REJECT_TAKER
    client_id: int | None = None
    reduce_only: bool = False
    trigger: Trigger | None = None
    stop_loss: ExitLeg | None = None
    take_profit: ExitLeg | None = None
    slippage: Slippage | None = None

    def check_shape(self) -> None:
        """Check that the fields fit together. The market's own filters are not looked at.

        Raises:
            Refused: `INVALID_ORDER` with the rule that is broken.
        """
        if self.trigger is not None:
            self.trigger.check_shape()
        if self.slippage is not None:
            self.slippage.check_shape()
        fault = self._kind_fault()
        if fault is None and (self.stop_loss is not None or self.take_profit is not None):
            fault = self._exit_fault()
        if fault is not None:
            raise Refused(ErrorCode.INVALID_ORDER, fault)

    def _kind_fault(self) -> str | None:
        fault: str | None = None
        if self.client_id is not None and not 0 <= self.client_id <= MAX_CLIENT_ID:
            fault = f"client id {self.client_id} is not an unsigned 32-bit integer"
        elif self.order_type is OrderType.LIMIT:
            if self.price is None or (self.quantity is None and self.trigger is None):
                fault = "a limit order needs a price and a quantity"
            elif self.quote_quantity is not None:
                fault = "a limit order takes no quote quantity: give the quantity in the base asset"
            elif self.post_only and self.time_in_force is not TimeInForce.GTC:
                fault = f"a post-only order rests on the book, so {self.time_in_force} contradicts it: use GTC"
            elif self.slippage is not None:
                fault = "the price of a limit order is its tolerance: only market orders take a slippage tolerance"
        elif self.price is not None:
            fault = "a market order takes no price: use an IOC limit order to bound the price"
        elif self.post_only:
            fault = "a market order takes liquidity, so it cannot be post-only"
        elif (self.quantity is None) == (self.quote_quantity is None) and self.trigger is None:
            fault = "a market order needs either a quantity or a quote quantity"
        if fault is None and self.trigger is not None and (self.quantity, self.quote_quantity) != (None, None):
            fault = "the size of a conditional order is its trigger quantity: leave the other quantities out"
        return fault

    def _exit_fault(self) -> str | None:
        """Return what is wrong with the attached exits: of a bid, the stop lies lowest and the take profit highest."""
        if self.reduce_only:
            return "a reduce-only order opens nothing that a stop loss or take profit could close"
        stop = self.stop_loss.trigger_price if self.stop_loss is not None else None
        take = self.take_profit.trigger_price if self.take_profit is not None else None
        rests = self.trigger is None and self.time_in_force is TimeInForce.GTC
        ladders = ((stop, self.price, take if rests or self.price is None else None), (stop, take))
        if not all(_rises([price for price in ladder if price is not None], self.side) for ladder in ladders):
            return "a stop loss lies on the losing side of the price and of the take profit, which lies on the other"
        return None


def _rises(prices: list[Decimal], side: Side) -> bool:
    ordered = prices if side is Side.BID else prices[::-1]
    return all(low < high for low, high in pairwise(ordered))


@quick
@dataclass(frozen=True, slots=True)
class Order:
    """An order at one moment.

    `quantity` is None for a market order by quote quantity, and for a conditional order that has not gone off.
    `executed_quantity` is in the base asset, `executed_quote_quantity` in the quote asset, before fees. `created_us`
    and `updated_us` are Unix microseconds. `expiry_reason` is set exactly when the status is `EXPIRED` or
    `TRIGGER_FAILED`. `triggered_us` is when a conditional order went off. `related_order_id` is the entry order that an
    exit was attached to.
    """

    id: int
    account: str
    client_id: int | None
    symbol: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    post_only: bool
    self_trade_prevention: SelfTradePrevention
    price: Decimal | None
    quantity: Decimal | None
    quote_quantity: Decimal | None
    executed_quantity: Decimal
    executed_quote_quantity: Decimal
    status: OrderStatus
    expiry_reason: ExpiryReason | None
    created_us: int
    updated_us: int
    reduce_only: bool = False
    trigger: Trigger | None = None
    triggered_us: int | None = None
    stop_loss: ExitLeg | None = None
    take_profit: ExitLeg | None = None
    slippage: Slippage | None = None
    related_order_id: int | None = None
    strategy_id: int | None = None
    origin: Origin = Origin.USER
    system_order_type: SystemOrderType | None = None


@quick
@dataclass(frozen=True, slots=True)
class Fill:
    """One side of a trade, as the owner of that side sees it.

    `fee` is in `fee_asset`: of a spot trade, the asset this side received; of a perpetual, USDC. A rebate is a
    negative fee. `trade_id` is 0 where a position went to the backstop, which is no trade of the book.
    """

    account: str
    trade_id: int
    order_id: int
    client_id: int | None
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    is_maker: bool
    time_us: int
    strategy_id: int | None = None
    system_order_type: SystemOrderType | None = None

    @property
    def fill_type(self) -> FillType:
        """Why the fill came about."""
        return _FILL_TYPES.get(self.system_order_type, FillType.USER)


_FILL_TYPES: dict[SystemOrderType | None, FillType] = {
    SystemOrderType.LIQUIDATE_ON_BOOK: FillType.BOOK_LIQUIDATION,
    SystemOrderType.LIQUIDATE_ON_BACKSTOP: FillType.BACKSTOP,
}


@dataclass(frozen=True, slots=True)
class Cause:
    """What an order comes from, other than its owner's own request."""

    origin: Origin = Origin.USER
    system_order_type: SystemOrderType | None = None
    related_order_id: int | None = None
    strategy_id: int | None = None


USER_CAUSE = Cause()


class LiveOrder:
    """An order as the engine keeps it: the request, plus what has become of it. Never leaves the engine."""

    __slots__ = (
        "account",
        "cause",
        "created_us",
        "executed",
        "executed_quote",
        "expiry_reason",
        "id",
        "locked",
        "price",
        "quantity",
        "remaining",
        "request",
        "resting",
        "side",
        "status",
        "triggered_us",
        "updated_us",
    )

    def __init__(
        self, order_id: int, account: Account, request: NewOrder, now_us: int, cause: Cause = USER_CAUSE
    ) -> None:
        self.id = order_id
        self.cause = cause
        self.account = account
        self.request = request
        self.side = request.side
        self.price = request.price if request.price is not None else ZERO
        self.quantity = request.quantity
        self.remaining = request.quantity if request.quantity is not None else ZERO
        """Base quantity still to trade; means nothing for an order by quote quantity."""
        self.executed = ZERO
        self.executed_quote = ZERO
        self.locked = ZERO
        """What the account has locked for this order in a spot market: quote asset for a bid, base asset for an ask."""
        self.resting = False
        self.triggered_us: int | None = None
        self.status = OrderStatus.NEW
        self.expiry_reason: ExpiryReason | None = None
        self.created_us = now_us
        self.updated_us = now_us

    def fill(self, quantity: Decimal, quote: Decimal, now_us: int) -> None:
        """Count one trade of `quantity` base for `quote` quote."""
        self.executed += quantity
        self.executed_quote += quote
        if self.quantity is not None:
            self.remaining -= quantity
        self.status = OrderStatus.PARTIALLY_FILLED
        self.updated_us = now_us

    def resize(self, quantity: Decimal, now_us: int) -> None:
        """Change the quantity, what is traded already included."""
        self.quantity = quantity
        self.remaining = quantity - self.executed
        self.updated_us = now_us

    def close(self, status: OrderStatus, now_us: int, reason: ExpiryReason | None = None) -> None:
        """Put the order into its final state."""
        self.status = status
        self.expiry_reason = reason
        self.updated_us = now_us

    def view(self) -> Order:
        """Return the order as it is now."""
        request = self.request
        return Order(
            self.id,
            self.account.id,
            request.client_id,
            request.symbol,
            request.side,
            request.order_type,
            request.time_in_force,
            request.post_only,
            request.self_trade_prevention,
            request.price,
            self.quantity,
            request.quote_quantity,
            self.executed,
            self.executed_quote,
            self.status,
            self.expiry_reason,
            self.created_us,
            self.updated_us,
            request.reduce_only,
            request.trigger,
            self.triggered_us,
            request.stop_loss,
            request.take_profit,
            request.slippage,
            self.cause.related_order_id,
            self.cause.strategy_id,
            self.cause.origin,
            self.cause.system_order_type,
        )


_UNTRADED = {
    ExpiryReason.FILL_OR_KILL: "a fill-or-kill order must trade in full at once, and the book cannot do that",
    ExpiryReason.IMMEDIATE_OR_CANCEL: "the order is immediate-or-cancel, and nothing on the book meets its price",
    ExpiryReason.INSUFFICIENT_LIQUIDITY: "no opposite order rests that a market order could trade with",
    ExpiryReason.POST_ONLY_MODE: "the market accepts resting orders only for now, and this order would take",
    ExpiryReason.POST_ONLY_TAKER: "a post-only order must not take, and this one crosses the book: move its price back",
    ExpiryReason.SELF_TRADE_PREVENTION: "the order would trade with another order of the same account",
    ExpiryReason.REDUCE_ONLY_NOT_REDUCED: "a reduce-only order needs a position that it makes smaller",
    ExpiryReason.PRICE_IMPACT: "the order would move the price further than the market allows",
    ExpiryReason.SLIPPAGE_TOLERANCE_EXCEEDED: "the book has nothing within the slippage tolerance",
}


def expiry_refusal(order: Order) -> Refused | None:
    """Return the refusal that answers for an order that expired without any trade, else None.

    Clients have seen the exchange answer such an order both ways: as an order with the status `Expired`,
    and as a 400 that says why it would not rest or trade. Either way the order has an id and stands in the
    order history with its expiry reason. The engine does the first; a front end that wants the second
    raises what this returns.
    """
    if order.status is not OrderStatus.EXPIRED or order.expiry_reason is None or order.executed_quantity != ZERO:
        return None
    why = _UNTRADED.get(order.expiry_reason, order.expiry_reason)
    return Refused(ErrorCode.INVALID_ORDER, f"order {order.id} expired: {why}")

"""Orders as they are asked for, as the engine keeps them, and as it shows them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from .enums import (
    ExpiryReason,
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from .errors import ErrorCode, Refused
from .numbers import ZERO

if TYPE_CHECKING:
    from .account import Account

MAX_CLIENT_ID = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order as its owner asks for it.

    A limit order has `price` and `quantity`. A market order has either `quantity` (base asset) or
    `quote_quantity`: how much quote asset to spend (bid) or receive (ask) at most. The engine then trades
    the largest whole number of steps that stays within it.
    `client_id` is a uint32, unique among the open orders of the account in the market.
    A market order never rests, whatever its `time_in_force`; the exchange reports `GTC` for one without.
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

    def check_shape(self) -> None:
        """Check that the fields fit together. The market's own filters are not looked at.

        Raises:
            Refused: `INVALID_ORDER` with the rule that is broken.
        """
        fault: str | None = None
        if self.client_id is not None and not 0 <= self.client_id <= MAX_CLIENT_ID:
            fault = f"client id {self.client_id} is not an unsigned 32-bit integer"
        elif self.order_type is OrderType.LIMIT:
            if self.price is None or self.quantity is None:
                fault = "a limit order needs a price and a quantity"
            elif self.quote_quantity is not None:
                fault = "a limit order takes no quote quantity: give the quantity in the base asset"
            elif self.post_only and self.time_in_force is not TimeInForce.GTC:
                fault = f"a post-only order rests on the book, so {self.time_in_force} contradicts it: use GTC"
        elif self.price is not None:
            fault = "a market order takes no price: use an IOC limit order to bound the price"
        elif self.post_only:
            fault = "a market order takes liquidity, so it cannot be post-only"
        elif (self.quantity is None) == (self.quote_quantity is None):
            fault = "a market order needs either a quantity or a quote quantity"
        if fault is not None:
            raise Refused(ErrorCode.INVALID_ORDER, fault)


@dataclass(frozen=True, slots=True)
class Order:
    """An order at one moment.

    `quantity` is None for a market order by quote quantity. `executed_quantity` is in the base asset,
    `executed_quote_quantity` in the quote asset, before fees. `created_us` and `updated_us` are Unix
    microseconds. `expiry_reason` is set exactly when the status is `EXPIRED`.
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


@dataclass(frozen=True, slots=True)
class Fill:
    """One side of a trade, as the owner of that side sees it.

    `fee` is in `fee_asset`, the asset this side received; a rebate is a negative fee.
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


class LiveOrder:
    """An order as the engine keeps it: the request, plus what has become of it. Never leaves the engine."""

    __slots__ = (
        "account",
        "created_us",
        "executed",
        "executed_quote",
        "expiry_reason",
        "id",
        "locked",
        "price",
        "remaining",
        "request",
        "side",
        "status",
        "updated_us",
    )

    def __init__(self, order_id: int, account: Account, request: NewOrder, now_us: int) -> None:
        self.id = order_id
        self.account = account
        self.request = request
        self.side = request.side
        self.price = request.price if request.price is not None else ZERO
        self.remaining = request.quantity if request.quantity is not None else ZERO
        """Base quantity still to trade; means nothing for an order by quote quantity."""
        self.executed = ZERO
        self.executed_quote = ZERO
        self.locked = ZERO
        """What the account has locked for this order: quote asset for a bid, base asset for an ask."""
        self.status = OrderStatus.NEW
        self.expiry_reason: ExpiryReason | None = None
        self.created_us = now_us
        self.updated_us = now_us

    def fill(self, quantity: Decimal, quote: Decimal, now_us: int) -> None:
        """Count one trade of `quantity` base for `quote` quote."""
        self.executed += quantity
        self.executed_quote += quote
        if self.request.quantity is not None:
            self.remaining -= quantity
        self.status = OrderStatus.PARTIALLY_FILLED
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
            request.quantity,
            request.quote_quantity,
            self.executed,
            self.executed_quote,
            self.status,
            self.expiry_reason,
            self.created_us,
            self.updated_us,
        )


_UNTRADED = {
    ExpiryReason.FILL_OR_KILL: "a fill-or-kill order must trade in full at once, and the book cannot do that",
    ExpiryReason.IMMEDIATE_OR_CANCEL: "the order is immediate-or-cancel, and nothing on the book meets its price",
    ExpiryReason.INSUFFICIENT_LIQUIDITY: "no opposite order rests that a market order could trade with",
    ExpiryReason.POST_ONLY_MODE: "the market accepts resting orders only for now, and this order would take",
    ExpiryReason.POST_ONLY_TAKER: "a post-only order must not take, and this one crosses the book: move its price back",
    ExpiryReason.SELF_TRADE_PREVENTION: "the order would trade with another order of the same account",
}


def expiry_refusal(order: Order) -> Refused | None:
    """Return the refusal that answers for an order that expired without any trade, else None.

    Clients have seen the exchange answer such an order both ways: as an order with the status `Expired`,
    and as a 400 that says why it would not rest or trade. Either way the order has an id and stands in the
    order history with its expiry reason. The engine does the first; a front end that wants the second
    raises what this returns.
    """
    if order.expiry_reason is None or order.executed_quantity != ZERO:
        return None
    return Refused(ErrorCode.INVALID_ORDER, f"order {order.id} expired: {_UNTRADED[order.expiry_reason]}")

"""What is known of an account's orders, positions and fills, whether it came from the stream or from REST."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from .._core.scalars import from_micros, to_micros
from .._generated.order.models import LimitOrder, MarketOrder, OrderTypeEnum
from .._generated.shared import OrderStatus, Side, TimeInForce

if TYPE_CHECKING:
    from datetime import datetime

    from .._generated.order.models import Order, OrderFill, OrderType
    from .._generated.position.models import FuturePositionWithMargin
    from .events import OrderUpdate, PositionUpdate

_NOTHING = Decimal(0)
_OVER = frozenset({OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.FILLED, OrderStatus.TRIGGER_FAILED})


@dataclass(frozen=True, slots=True)
class TrackedOrder:
    """One order, as last heard of."""

    order_id: str
    symbol: str
    side: Side
    order_type: OrderTypeEnum
    status: OrderStatus
    client_id: int | str | None = None
    """The number you gave it."""
    price: Decimal | None = None
    """Limit price in the quote asset; None for a market order."""
    quantity: Decimal | None = None
    """Ordered, in the base asset; None for a market order by amount of the quote asset."""
    quote_quantity: Decimal | None = None
    """Ordered, in the quote asset; None for any other order."""
    executed_quantity: Decimal = _NOTHING
    """Filled so far, in the base asset."""
    executed_quote_quantity: Decimal = _NOTHING
    """Value of that in the quote asset."""
    time_in_force: TimeInForce | None = None
    post_only: bool = False
    reduce_only: bool = False
    trigger_price: Decimal | None = None
    """Price that sets it off, for a conditional order."""
    trigger_quantity: str | None = None
    """Size once it is set off: an amount, or a percentage such as `80%`."""
    related_order_id: str | None = None
    """The order that it hangs on."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in _OVER

    @property
    def remaining_quantity(self) -> Decimal | None:
        """Not filled yet, in the base asset; None where the order is by amount of the quote asset."""
        return None if self.quantity is None else self.quantity - self.executed_quantity

    @property
    def average_price(self) -> Decimal | None:
        """Average price of its fills; None before the first."""
        return self.executed_quote_quantity / self.executed_quantity if self.executed_quantity else None


@dataclass(frozen=True, slots=True)
class TrackedPosition:
    """One futures position, as last heard of."""

    symbol: str
    position_id: str
    net_quantity: Decimal
    """In the base asset; negative when short."""
    entry_price: Decimal
    break_even_price: Decimal
    mark_price: Decimal
    net_exposure_quantity: Decimal
    """Including what open orders may add."""
    net_exposure_notional: Decimal
    pnl_realized: Decimal
    pnl_unrealized: Decimal


@dataclass(frozen=True, slots=True)
class AccountFill:
    """One of the account's own trades."""

    symbol: str
    order_id: str
    trade_id: int | None
    """Number of the trade in its market; None or 0 for some fills that the system made."""
    side: Side
    price: Decimal
    quantity: Decimal
    """In the base asset."""
    fee: Decimal
    """In `fee_symbol`; negative for a rebate."""
    fee_symbol: str
    is_maker: bool
    time_us: int
    """When it happened, in microseconds since 1970."""
    client_id: int | str | None = None

    @property
    def time(self) -> datetime:
        """`time_us` as an aware datetime."""
        return from_micros(self.time_us)

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it apart from any other."""
        if self.trade_id:
            return self.symbol, self.order_id, self.trade_id
        return self.symbol, self.order_id, self.price, self.quantity, self.time_us // 1_000_000


AnyRestOrder: TypeAlias = "OrderType | Order"


def order_from_update(update: OrderUpdate) -> TrackedOrder:
    """An order as an event of the stream tells it."""
    return TrackedOrder(
        order_id=update.order_id, symbol=update.symbol, side=update.side, order_type=OrderTypeEnum(update.order_type),
        status=update.status, client_id=update.client_id, price=update.price, quantity=update.quantity,
        quote_quantity=update.quote_quantity, executed_quantity=update.executed_quantity,
        executed_quote_quantity=update.executed_quote_quantity, time_in_force=update.time_in_force,
        post_only=update.post_only is True, reduce_only=update.reduce_only is True, trigger_price=update.trigger_price,
        trigger_quantity=update.trigger_quantity, related_order_id=update.related_order_id,
    )  # fmt: skip


def order_from_rest(row: AnyRestOrder) -> TrackedOrder:
    """An order as REST tells it: open, or from the history."""
    by_limit, by_market = isinstance(row, LimitOrder), isinstance(row, MarketOrder)
    history = not hasattr(row, "triggered_at")
    return TrackedOrder(
        order_id=row.id, symbol=row.symbol, side=row.side, order_type=OrderTypeEnum(row.order_type),
        status=row.status, client_id=row.client_id,
        price=getattr(row, "price", None) if by_limit or history else None,
        quantity=getattr(row, "quantity", None),
        quote_quantity=getattr(row, "quote_quantity", None) if by_market or history else None,
        executed_quantity=row.executed_quantity if row.executed_quantity is not None else _NOTHING,
        executed_quote_quantity=row.executed_quote_quantity if row.executed_quote_quantity is not None else _NOTHING,
        time_in_force=row.time_in_force, post_only=getattr(row, "post_only", None) is True,
        reduce_only=getattr(row, "reduce_only", None) is True, trigger_price=row.trigger_price,
        trigger_quantity=row.trigger_quantity, related_order_id=getattr(row, "related_order_id", None),
    )  # fmt: skip


def position_from_update(update: PositionUpdate) -> TrackedPosition:
    """A position as an event of the stream tells it."""
    return TrackedPosition(
        symbol=update.symbol, position_id=update.position_id, net_quantity=update.net_quantity,
        entry_price=update.entry_price, break_even_price=update.break_even_price, mark_price=update.mark_price,
        net_exposure_quantity=update.net_exposure_quantity, net_exposure_notional=update.net_exposure_notional,
        pnl_realized=update.pnl_realized, pnl_unrealized=update.pnl_unrealized,
    )  # fmt: skip


def position_from_rest(row: FuturePositionWithMargin) -> TrackedPosition:
    """A position as REST tells it."""
    return TrackedPosition(
        symbol=row.symbol, position_id=row.position_id, net_quantity=row.net_quantity, entry_price=row.entry_price,
        break_even_price=row.break_even_price, mark_price=row.mark_price,
        net_exposure_quantity=row.net_exposure_quantity, net_exposure_notional=row.net_exposure_notional,
        pnl_realized=row.pnl_realized, pnl_unrealized=row.pnl_unrealized,
    )  # fmt: skip


def fill_from_update(update: OrderUpdate) -> AccountFill | None:
    """The fill in an event of the stream; None when it tells of none."""
    if update.fill_quantity is None or update.fill_price is None:
        return None
    return AccountFill(
        symbol=update.symbol, order_id=update.order_id, trade_id=update.trade_id, side=update.side,
        price=update.fill_price, quantity=update.fill_quantity,
        fee=update.fee if update.fee is not None else _NOTHING, fee_symbol=update.fee_symbol or "",
        is_maker=bool(update.is_maker), time_us=update.engine_time_us, client_id=update.client_id,
    )  # fmt: skip


def fill_from_rest(row: OrderFill) -> AccountFill:
    """A fill as the history tells it."""
    return AccountFill(
        symbol=row.symbol, order_id=row.order_id, trade_id=row.trade_id, side=row.side, price=row.price,
        quantity=row.quantity, fee=row.fee, fee_symbol=row.fee_symbol, is_maker=row.is_maker,
        time_us=int(to_micros(row.timestamp)), client_id=row.client_id,
    )  # fmt: skip

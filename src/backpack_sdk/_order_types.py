"""What the order builders and the rules of a market take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Required, TypedDict

from ._core.arguments import DecimalLike, SymbolLike
from ._generated.order.models import OrderTypeEnumLike, TriggerByLike
from ._generated.shared import SelfTradePreventionLike, SideLike, SlippageToleranceTypeLike


@dataclass(frozen=True, slots=True)
class Exit:
    """A stop loss or a take profit attached to an entry order. The exchange creates it once the entry trades."""

    trigger_price: DecimalLike
    """Price that sets it off, in the quote asset."""
    limit_price: DecimalLike | None = None
    """Price limit of the order that then goes out; a market order without one."""
    trigger_by: TriggerByLike | None = None
    """Which price sets it off. What the exchange watches unless told is not documented."""


@dataclass(frozen=True, slots=True)
class Slippage:
    """How much worse than expected a market order may trade."""

    tolerance: DecimalLike
    """How much, in ticks or percent."""
    type: SlippageToleranceTypeLike
    """`TickSize` or `Percent`."""


class Options(TypedDict, total=False):
    """What every order may have."""

    client_id: int | None
    """Your own number for the order, 0 to 4294967295. Recommended: it finds an order whose answer got lost."""
    reduce_only: bool | None
    """Futures only: whether the order may only make the position smaller."""
    self_trade_prevention: SelfTradePreventionLike | None
    """Which order gives way when two of yours meet. The exchange uses `RejectTaker` unless told."""
    auto_borrow: bool | None
    """Spot margin only: whether the order may borrow."""
    auto_borrow_repay: bool | None
    """Spot margin only: whether the order may pay back what was borrowed."""
    auto_lend: bool | None
    """Spot margin only: whether the order may lend."""
    auto_lend_redeem: bool | None
    """Spot margin only: whether the order may take back lent funds that it needs."""
    broker_id: int | None
    """Broker number, 0 to 65535."""


class EntryOptions(Options, total=False):
    """What an order that opens or enlarges a position may have besides. A plain price stands for `Exit(price)`.

    The exchange offers these exits for futures; for spot markets the API document neither allows nor forbids them.
    """

    stop_loss: Exit | DecimalLike | None
    """Exit that limits the loss."""
    take_profit: Exit | DecimalLike | None
    """Exit that takes the profit."""


class MarketView(TypedDict, total=False):
    """What is known of a market at the moment. A rule that needs what is not known is not checked."""

    reference_price: DecimalLike | None
    """The last active price, for the band of the price multipliers."""
    mark_price: DecimalLike | None
    """The mark price, for the band around the mean mark price. The mean itself is not published, so the exchange can
    judge a price at the edge otherwise.
    """
    best_bid: DecimalLike | None
    """The best bid, for post-only sales, and for the minimum notional of a market sale."""
    best_ask: DecimalLike | None
    """The best ask, for post-only buys, and for the minimum notional of a market buy."""


class OrderFields(MarketView, total=False):
    """The arguments of an order that rules apply to, as `execute_order` has them, and what is known of the market."""

    side: Required[SideLike]
    symbol: SymbolLike
    """The market of the rules unless given."""
    order_type: OrderTypeEnumLike
    """Unless given, `Limit` for an order with a price and `Market` for one without."""
    price: DecimalLike | None
    quantity: DecimalLike | None
    quote_quantity: DecimalLike | None
    post_only: bool | None
    trigger_price: DecimalLike | None
    trigger_quantity: DecimalLike | None
    stop_loss_trigger_price: DecimalLike | None
    stop_loss_limit_price: DecimalLike | None
    take_profit_trigger_price: DecimalLike | None
    take_profit_limit_price: DecimalLike | None

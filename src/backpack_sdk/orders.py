"""Orders whose arguments go together.

    order = orders.limit("SOL-USDC", "Bid", "141.20", 2, post_only=True, client_id=7)
    bp.order.execute_order(**orders.arguments(order))

    entry = orders.market("SOL_USDC_PERP", "Bid", quantity=2, take_profit=Exit("160", limit_price="159"))
    stop = orders.stop_loss("SOL_USDC_PERP", "Ask", "135")  # of the whole position, however large it is by then
    bp.order.execute_order_batch([entry, stop])

Every builder returns the model that `execute_order_batch` takes; `arguments` turns it into those of `execute_order`.
A combination that can't work raises InvalidArgument here, and nothing is sent. These are the rules. The document states
those marked (d), the exchange's own replies show those marked (s), and the rest are ours: such an order contradicts
itself, or would not do what it seems to say.

- Prices and sizes are above zero. A slippage tolerance may be zero; it is whole in ticks, and up to 100 in percent.
- A limit order has a price (d) and a quantity (d), and no quote quantity (d).
- A market order has no price (d), either a quantity or a quote quantity (d), and is never post-only.
- A post-only order is `GTC`: it may not trade at once, while `IOC` and `FOK` may do nothing else.
- A slippage tolerance has a type, and belongs to market orders: the price of a limit order is its tolerance.
- A conditional order has a trigger price and a trigger quantity; one without the other is refused (s). The trigger
  quantity is its only size (s): an amount, or a percentage of the position, above 0 and up to 100.
- Reduce-only is for futures (d). So are percentages: in a spot market there is no position.
- An attached stop loss or take profit has a trigger price. It has nothing to protect on a reduce-only order.
- The stop loss of a buy lies below its price limit, that of a sale above. The take profit lies on the other side, if
  the order is to rest in the book: the limit of an `IOC`, `FOK` or conditional order may be far from the price it
  trades at. In every case, the stop loss of a buy lies below its take profit, that of a sale above.

Whether prices and quantities suit the market is for `rules.MarketRules` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, TypeAlias, TypeVar, Unpack, overload

from ._core import arguments as _to
from ._core.arguments import DecimalLike, SymbolLike
from ._core.errors import InvalidArgument
from ._generated.order.models import OrderExecutePayload, OrderTypeEnum, TriggerBy, TriggerByLike
from ._generated.shared import (
    SelfTradePrevention,
    Side,
    SideLike,
    SlippageToleranceType,
    TimeInForce,
    TimeInForceLike,
)
from ._order_checks import NUMBERS, check, given_value, is_spot, positive, require_exit_side, require_side
from ._order_types import EntryOptions, Exit, Options, Slippage

__all__ = [
    "WHOLE_POSITION",
    "EntryOptions",
    "Exit",
    "Options",
    "Slippage",
    "arguments",
    "limit",
    "market",
    "post_only",
    "stop_loss",
    "take_profit",
    "trigger",
    "validate",
]

WHOLE_POSITION = "100%"
"""Trigger quantity of an order that closes the position, however large it is when the order is set off."""

T = TypeVar("T")
_Resting: TypeAlias = Literal[TimeInForce.GTC, "GTC"]


@overload
def limit(
    symbol: SymbolLike,
    side: SideLike,
    price: DecimalLike,
    quantity: DecimalLike,
    *,
    post_only: bool | None = None,
    time_in_force: _Resting | None = None,
    **options: Unpack[EntryOptions],
) -> OrderExecutePayload: ...
@overload
def limit(
    symbol: SymbolLike,
    side: SideLike,
    price: DecimalLike,
    quantity: DecimalLike,
    *,
    post_only: Literal[False] | None = None,
    time_in_force: TimeInForceLike | None = None,
    **options: Unpack[EntryOptions],
) -> OrderExecutePayload: ...
def limit(
    symbol: SymbolLike,
    side: SideLike,
    price: DecimalLike,
    quantity: DecimalLike,
    *,
    post_only: bool | None = None,
    time_in_force: TimeInForceLike | None = None,
    **options: Unpack[EntryOptions],
) -> OrderExecutePayload:
    """An order that trades at its price or better. What is left rests in the book, unless `time_in_force` says no.

    `price` is in the quote asset, `quantity` in the base asset. `options` are those of `EntryOptions`. Raises
    InvalidArgument when the module's rules are broken.
    """
    return _build(
        options,
        symbol=symbol,
        side=side,
        order_type=OrderTypeEnum.LIMIT,
        price=price,
        quantity=quantity,
        post_only=post_only,
        time_in_force=time_in_force,
    )


def post_only(
    symbol: SymbolLike,
    side: SideLike,
    price: DecimalLike,
    quantity: DecimalLike,
    **options: Unpack[EntryOptions],
) -> OrderExecutePayload:
    """A limit order that only adds liquidity: the exchange turns it away when it would trade at once.

    The same as `limit` with `post_only=True`. Such orders skip the 100 ms that others wait before they reach the book.
    """
    return limit(symbol, side, price, quantity, post_only=True, **options)


@overload
def market(
    symbol: SymbolLike,
    side: SideLike,
    *,
    quantity: DecimalLike,
    quote_quantity: None = None,
    slippage: Slippage | None = None,
    time_in_force: TimeInForceLike | None = None,
    reference_price: DecimalLike | None = None,
    **options: Unpack[EntryOptions],
) -> OrderExecutePayload: ...
@overload
def market(
    symbol: SymbolLike,
    side: SideLike,
    *,
    quantity: None = None,
    quote_quantity: DecimalLike,
    slippage: Slippage | None = None,
    time_in_force: TimeInForceLike | None = None,
    reference_price: DecimalLike | None = None,
    **options: Unpack[EntryOptions],
) -> OrderExecutePayload: ...
def market(
    symbol: SymbolLike,
    side: SideLike,
    *,
    quantity: DecimalLike | None = None,
    quote_quantity: DecimalLike | None = None,
    slippage: Slippage | None = None,
    time_in_force: TimeInForceLike | None = None,
    reference_price: DecimalLike | None = None,
    **options: Unpack[EntryOptions],
) -> OrderExecutePayload:
    """An order that trades at once, at the prices it finds.

    The size is either `quantity`, in the base asset, or `quote_quantity`, in the quote asset: then the exchange fills
    the amount whose value comes nearest. `slippage` bounds how bad the price may get. `options` are those of
    `EntryOptions`.

    `reference_price`, about what the order will trade at, is not sent. When it is given, exits on the wrong side of it
    are refused. Raises InvalidArgument when the module's rules are broken.
    """
    order = _build(
        options,
        symbol=symbol,
        side=side,
        order_type=OrderTypeEnum.MARKET,
        quantity=quantity,
        quote_quantity=quote_quantity,
        slippage=slippage,
        time_in_force=time_in_force,
    )
    if reference_price is not None:
        price = positive(reference_price, "reference_price")
        require_exit_side("stop_loss", order, price, "the reference price")
        require_exit_side("take_profit", order, price, "the reference price")
    return order


def trigger(
    symbol: SymbolLike,
    side: SideLike,
    trigger_price: DecimalLike,
    quantity: DecimalLike,
    *,
    limit_price: DecimalLike | None = None,
    trigger_by: TriggerByLike | None = None,
    post_only: bool | None = None,
    time_in_force: TimeInForceLike | None = None,
    slippage: Slippage | None = None,
    **options: Unpack[EntryOptions],
) -> OrderExecutePayload:
    """A conditional order: it waits until a price gets to `trigger_price`, then goes out as any other.

    It becomes a limit order when `limit_price` is given, else a market order. `quantity` is in the base asset, or a
    percentage of the position such as `80%`. `trigger_by` says which price is watched; what the exchange watches unless
    told is not documented. Nothing in a request says whether the price has to rise or to fall to get there. `options`
    are those of `EntryOptions`. Raises InvalidArgument when the module's rules are broken.
    """
    return _build(
        options,
        symbol=symbol,
        side=side,
        order_type=OrderTypeEnum.MARKET if limit_price is None else OrderTypeEnum.LIMIT,
        price=limit_price,
        trigger_price=trigger_price,
        trigger_quantity=quantity,
        trigger_by=trigger_by,
        post_only=post_only,
        time_in_force=time_in_force,
        slippage=slippage,
    )


def stop_loss(
    symbol: SymbolLike,
    side: SideLike,
    trigger_price: DecimalLike,
    *,
    quantity: DecimalLike | None = None,
    limit_price: DecimalLike | None = None,
    trigger_by: TriggerByLike | None = None,
    time_in_force: TimeInForceLike | None = None,
    slippage: Slippage | None = None,
    reference_price: DecimalLike | None = None,
    **options: Unpack[Options],
) -> OrderExecutePayload:
    """A conditional order that closes a position when the price turns against it.

    `side` is that of this order: `Ask` closes a long position, `Bid` a short one. `quantity` is an amount in the base
    asset or a percentage such as `80%`; the whole position when absent. It becomes a limit order when `limit_price` is
    given, else a market order. In futures it is reduce-only unless `reduce_only=False`, so that it never opens a
    position the other way (ours). In a spot market it sells or buys `quantity`, which then has to be given.

    On the wire, a stop loss and a take profit are the same order. `reference_price`, the present price, is not sent:
    when it is given, a trigger on the wrong side of it, which would go off at once or work as the other kind, is
    refused. Raises InvalidArgument when the module's rules are broken.
    """
    return _exit(
        "stop_loss",
        options,
        reference_price,
        symbol=symbol,
        side=side,
        trigger_price=trigger_price,
        quantity=quantity,
        price=limit_price,
        trigger_by=trigger_by,
        time_in_force=time_in_force,
        slippage=slippage,
    )


def take_profit(
    symbol: SymbolLike,
    side: SideLike,
    trigger_price: DecimalLike,
    *,
    quantity: DecimalLike | None = None,
    limit_price: DecimalLike | None = None,
    trigger_by: TriggerByLike | None = None,
    time_in_force: TimeInForceLike | None = None,
    slippage: Slippage | None = None,
    reference_price: DecimalLike | None = None,
    **options: Unpack[Options],
) -> OrderExecutePayload:
    """A conditional order that closes a position when it has earned enough. All arguments are as in `stop_loss`."""
    return _exit(
        "take_profit",
        options,
        reference_price,
        symbol=symbol,
        side=side,
        trigger_price=trigger_price,
        quantity=quantity,
        price=limit_price,
        trigger_by=trigger_by,
        time_in_force=time_in_force,
        slippage=slippage,
    )


def arguments(order: OrderExecutePayload) -> dict[str, Any]:
    """The keyword arguments of `execute_order` that place this order."""
    return order.model_dump(exclude_unset=True)


def validate(order: OrderExecutePayload | Mapping[str, Any]) -> OrderExecutePayload:
    """Check an order, made in whatever way, against the rules of this module, and return it as a model.

    A mapping may have the model's or the wire's names. Raises InvalidArgument with the first argument that is wrong.
    """
    if not isinstance(order, OrderExecutePayload):
        order = OrderExecutePayload.model_validate(_to.payload(order, "order", OrderExecutePayload))
    check(order)
    return order


_WATCHED = ("trigger_by", "stop_loss_trigger_by", "take_profit_trigger_by")
_FLAGS = ("post_only", "reduce_only", "auto_borrow", "auto_borrow_repay", "auto_lend", "auto_lend_redeem")
_READ: dict[str, Callable[[Any, str], Any]] = {
    "symbol": _to.symbol,
    "side": partial(_to.member, enum=Side),
    "order_type": partial(_to.member, enum=OrderTypeEnum),
    "time_in_force": partial(_to.member, enum=TimeInForce),
    "self_trade_prevention": partial(_to.member, enum=SelfTradePrevention),
    "slippage_tolerance_type": partial(_to.member, enum=SlippageToleranceType),
    "trigger_quantity": _to.decimal_or_percent,
    "client_id": partial(_to.integer, low=0, high=4294967295),
    "broker_id": partial(_to.integer, low=0, high=65535),
    **dict.fromkeys(NUMBERS, _to.decimal),
    **dict.fromkeys(_FLAGS, _to.boolean),
    **dict.fromkeys(_WATCHED, partial(_to.member, enum=TriggerBy)),
}
_MISPLACED = {
    "price": "a market order has no price; use limit(), or limit_price in a conditional order",
    "quote_quantity": "only a market order can be sized in the quote asset",
    "post_only": "only limit(), post_only() and trigger() make post-only orders",
    "slippage": "only market orders have a slippage tolerance; the price of a limit order is its own",
    "slippage_tolerance": "give slippage=Slippage(tolerance, type) to a market order",
    "slippage_tolerance_type": "give slippage=Slippage(tolerance, type) to a market order",
    "stop_loss": "is attached to an entry order, not to an exit",
    "take_profit": "is attached to an entry order, not to an exit",
    "trigger_price": "use trigger(), stop_loss() or take_profit() for a conditional order",
}


def _build(options: Mapping[str, Any], **own: Any) -> OrderExecutePayload:
    for name in options.keys() - EntryOptions.__annotations__.keys():
        if name in _MISPLACED:
            raise InvalidArgument(name, _MISPLACED[name])
        raise TypeError(f"unexpected keyword argument {name!r}")
    fields = {**own, **options}
    slippage: Slippage | None = fields.pop("slippage", None)
    if slippage is not None:
        if not isinstance(slippage, Slippage):
            raise InvalidArgument("slippage", f"expected Slippage(tolerance, type), got {slippage!r}")
        fields |= {"slippage_tolerance": slippage.tolerance, "slippage_tolerance_type": slippage.type}
    for leg in ("stop_loss", "take_profit"):
        out: Exit | DecimalLike | None = fields.pop(leg, None)
        if out is not None:
            out = out if isinstance(out, Exit) else Exit(out)
            fields[f"{leg}_trigger_price"] = given_value(out.trigger_price, f"{leg}_trigger_price")
            fields[f"{leg}_limit_price"] = out.limit_price
            fields[f"{leg}_trigger_by"] = out.trigger_by
    given = {name: _READ[name](value, name) for name, value in fields.items() if value is not None}
    return validate(OrderExecutePayload.model_validate(given))


def _exit(
    leg: str,
    options: Mapping[str, Any],
    reference_price: DecimalLike | None,
    *,
    symbol: SymbolLike,
    price: DecimalLike | None,
    quantity: DecimalLike | None,
    **own: Any,
) -> OrderExecutePayload:
    for name in ("stop_loss", "take_profit"):
        if name in options:
            raise InvalidArgument(name, _MISPLACED[name])
    spot = is_spot(symbol)
    if quantity is None and spot:
        raise InvalidArgument("quantity", f"{symbol} is a spot market without a position to close: say how much")
    order = _build(
        options if spot or options.get("reduce_only") is not None else {**options, "reduce_only": True},
        symbol=symbol,
        order_type=OrderTypeEnum.MARKET if price is None else OrderTypeEnum.LIMIT,
        price=price,
        trigger_quantity=WHOLE_POSITION if quantity is None else quantity,
        **own,
    )
    if reference_price is not None:
        present = positive(reference_price, "reference_price")
        require_side(leg, "trigger_price", order.trigger_price, order.side, present, "the present price")
    return order

"""Which combinations in an order make sense: the rules that `orders` lists."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

from ._core import arguments as _to
from ._core.arguments import DecimalLike, SymbolLike
from ._core.errors import InvalidArgument
from ._core.scalars import plain
from ._generated.order.models import OrderExecutePayload, OrderTypeEnum
from ._generated.shared import Side, SlippageToleranceType, TimeInForce

PRICES = (
    "price", "trigger_price", "stop_loss_trigger_price", "stop_loss_limit_price", "take_profit_trigger_price",
    "take_profit_limit_price",
)  # fmt: skip
NUMBERS = (*PRICES, "quantity", "quote_quantity", "slippage_tolerance")


T = TypeVar("T")


def check(order: OrderExecutePayload) -> None:
    """Raise InvalidArgument with the first argument that is wrong."""
    _check_numbers(order)
    _check_kind(order)
    _check_slippage(order)
    _check_trigger(order)
    _check_futures(order)
    _check_exits(order)


def _check_numbers(order: OrderExecutePayload) -> None:
    for name in NUMBERS:
        value: Decimal | None = getattr(order, name)
        if value is None:
            continue
        _to.decimal(value, name)  # refuses what is too wide for the wire
        if value < 0 or (value == 0 and name != "slippage_tolerance"):
            raise InvalidArgument(name, f"has to be above zero, got {plain(value)}")


def _check_kind(order: OrderExecutePayload) -> None:
    conditional = order.trigger_price is not None
    if order.order_type == OrderTypeEnum.LIMIT:
        given_value(order.price, "price", "a limit order needs a price; market() trades at any")
        if order.quote_quantity is not None:
            raise InvalidArgument("quote_quantity", "a limit order is sized in the base asset; use quantity")
        if not conditional:
            given_value(order.quantity, "quantity", "a limit order needs a quantity")
    elif order.order_type == OrderTypeEnum.MARKET:
        if order.price is not None:
            raise InvalidArgument("price", "a market order has no price; limit() makes an order with one")
        if order.post_only:
            raise InvalidArgument("post_only", "a market order always takes liquidity, so it can't be post-only")
        if not conditional and (order.quantity is None) == (order.quote_quantity is None):
            found = "neither" if order.quantity is None else "both"
            raise InvalidArgument("quantity", f"a market order needs either quantity or quote_quantity, got {found}")
    if order.post_only and order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
        problem = f"a post-only order may not trade at once, and {order.time_in_force} can do nothing else"
        raise InvalidArgument("time_in_force", problem)


def _check_slippage(order: OrderExecutePayload) -> None:
    tolerance, kind = order.slippage_tolerance, order.slippage_tolerance_type
    if tolerance is None and kind is None:
        return
    if tolerance is None or kind is None:
        missing = "slippage_tolerance" if tolerance is None else "slippage_tolerance_type"
        raise InvalidArgument(missing, "a slippage tolerance needs a number and its unit, TickSize or Percent")
    if order.order_type == OrderTypeEnum.LIMIT:
        raise InvalidArgument("slippage_tolerance", "the price of a limit order is its tolerance; leave this out")
    if kind == SlippageToleranceType.TICK_SIZE and tolerance.as_integer_ratio()[1] != 1:
        raise InvalidArgument("slippage_tolerance", f"a number of ticks is whole, got {plain(tolerance)}")
    if kind == SlippageToleranceType.PERCENT and tolerance > 100:
        raise InvalidArgument("slippage_tolerance", f"{plain(tolerance)} percent is more than 100")


def _check_trigger(order: OrderExecutePayload) -> None:
    size = order.trigger_quantity
    if order.trigger_price is None:
        if size is not None or order.trigger_by is not None:
            raise InvalidArgument("trigger_price", "a conditional order needs the price that sets it off")
        return
    if size is None:
        raise InvalidArgument("trigger_quantity", "a conditional order needs its size here, not in quantity")
    for name in ("quantity", "quote_quantity"):
        if getattr(order, name) is not None:
            raise InvalidArgument(name, "a conditional order has one size, trigger_quantity; leave this out")
    percent = size.endswith("%")
    number = Decimal(given_value(_to.decimal(size.removesuffix("%"), "trigger_quantity"), "trigger_quantity"))
    if number <= 0 or (percent and number > 100):
        limit = "above 0 % and up to 100 %" if percent else "above zero"
        raise InvalidArgument("trigger_quantity", f"has to be {limit}, got {size}")


def _check_futures(order: OrderExecutePayload) -> None:
    if not is_spot(order.symbol):
        return
    if order.reduce_only:
        raise InvalidArgument("reduce_only", f"is for futures, and {order.symbol} is a spot market")
    if order.trigger_quantity is not None and order.trigger_quantity.endswith("%"):
        problem = f"{order.trigger_quantity} is a share of a position, but {order.symbol} is a spot market"
        raise InvalidArgument("trigger_quantity", problem)


def _check_exits(order: OrderExecutePayload) -> None:
    stop, take = order.stop_loss_trigger_price, order.take_profit_trigger_price
    for leg, price in (("stop_loss", stop), ("take_profit", take)):
        if price is None and (
            getattr(order, f"{leg}_limit_price") is not None or getattr(order, f"{leg}_trigger_by") is not None
        ):
            raise InvalidArgument(f"{leg}_trigger_price", "an attached exit needs the price that sets it off")
        if price is not None and order.reduce_only:
            raise InvalidArgument(f"{leg}_trigger_price", "a reduce-only order opens nothing that an exit could close")
    if order.price is not None:
        require_exit_side("stop_loss", order, order.price, "the price")
        if order.trigger_price is None and order.time_in_force not in (TimeInForce.IOC, TimeInForce.FOK):
            require_exit_side("take_profit", order, order.price, "the price")
    if take is not None:
        require_exit_side("stop_loss", order, take, "the take profit")


def require_side(leg: str, argument: str, trigger_price: Decimal | None, side: Side, price: Decimal, what: str) -> None:
    """Require that an exit, an order of this side, is set off on its own side of a price."""
    if trigger_price is None or side not in (Side.BID, Side.ASK):
        return
    sells = side == Side.ASK
    below = sells == (leg == "stop_loss")
    if trigger_price >= price if below else trigger_price <= price:
        kind, act, way = leg.replace("_", " "), "sells" if sells else "buys", "below" if below else "above"
        problem = f"a {kind} that {act} has to lie {way} {what} {plain(price)}, got {plain(trigger_price)}"
        raise InvalidArgument(argument, problem)


def require_exit_side(leg: str, order: OrderExecutePayload, price: Decimal, what: str) -> None:
    trigger_price: Decimal | None = getattr(order, f"{leg}_trigger_price")
    side = {Side.BID: Side.ASK, Side.ASK: Side.BID}.get(order.side, order.side)
    require_side(leg, f"{leg}_trigger_price", trigger_price, side, price, what)


def is_spot(symbol: SymbolLike) -> bool:
    """Whether a symbol names a spot market: it has two parts. Every other kind has a suffix."""
    text = _to.symbol(symbol, "symbol")
    return text is not None and text.count("_") == 1


def positive(value: DecimalLike, name: str) -> Decimal:
    number = Decimal(given_value(_to.decimal(value, name), name))
    if number <= 0:
        raise InvalidArgument(name, f"has to be above zero, got {plain(number)}")
    return number


def given_value(value: T | None, name: str, problem: str = "is needed") -> T:
    if value is None:
        raise InvalidArgument(name, problem)
    return value

"""The trading rules of a market: which prices and quantities an order may have, and what is wrong with one.

    rules = MarketRules.from_market(bp.markets.get_market("SOL-USDC"))
    price = rules.round_price("141.2378", "Bid")  # Decimal("141.23"): a buy never gets dearer
    quantity = rules.round_quantity(0.0579)  # Decimal("0.05")
    for violation in rules.check(side="Bid", price=price, quantity=quantity, reference_price="141.2"):
        print(violation)

All arithmetic is exact, whatever the precision of the caller's decimal context. Numbers may be Decimal, text, int or
float; a float counts as its shortest text, so 0.1 is exactly 0.1.

Rules change, and the exchange's list of markets is cached for five minutes. Read the market again now and then, and
expect that the exchange can still refuse what passed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self, Unpack, overload

from ._core import arguments as _to
from ._core.arguments import DecimalLike
from ._core.errors import InvalidArgument
from ._core.scalars import plain
from ._generated.markets.models import Market, OrderBookState, PriceBandMarkPrice, PriceBandMeanPremium
from ._generated.order.models import OrderExecutePayload, OrderTypeEnum
from ._generated.shared import MarketType, Side, SideLike
from ._grid import (
    EXACT,
    Bound,
    Direction,
    Grid,
    OrderRuleError,
    Violation,
    ViolationCode,
    ceil_units,
    floor_units,
    high_bound,
    low_bound,
    round_to,
)
from ._order_types import MarketView, OrderFields

__all__ = ["Direction", "MarketRules", "MarketView", "OrderFields", "OrderRuleError", "Violation", "ViolationCode"]

_BUNDLE = re.compile(r"k[A-Z0-9]")
_LATER_PRICES = (
    "trigger_price",
    "stop_loss_trigger_price",
    "stop_loss_limit_price",
    "take_profit_trigger_price",
    "take_profit_limit_price",
)
_NUMBERS = ("price", "quantity", "quote_quantity", *_LATER_PRICES)


@dataclass(frozen=True, slots=True)
class MarketRules:
    """The rules of one market. `from_market` makes them; the constructor is for rules of your own.

    Prices are in the quote asset, quantities in the base asset. Raises InvalidArgument when the tick size or the step
    size is not above zero.
    """

    symbol: str
    """The exchange's symbol."""
    tick_size: Decimal
    """Prices are multiples of it."""
    step_size: Decimal
    """Quantities are multiples of it."""
    min_price: Decimal
    """Lowest price."""
    min_quantity: Decimal
    """Smallest quantity."""
    max_price: Decimal | None = None
    """Highest price; None when there is no limit."""
    max_quantity: Decimal | None = None
    """Largest quantity; None when there is no limit."""
    min_multiplier: Decimal | None = None
    """Lowest price as a multiple of the last active price; None when there is no limit."""
    max_multiplier: Decimal | None = None
    """Highest price as a multiple of the last active price; None when there is no limit."""
    min_impact_multiplier: Decimal | None = None
    """How far a market sell may fall through the book, as a multiple of the best bid. `impact_limit` applies it."""
    max_impact_multiplier: Decimal | None = None
    """How far a market buy may climb through the book, as a multiple of the best ask. `impact_limit` applies it."""
    mean_mark_price_band: PriceBandMarkPrice | None = None
    """Lowest and highest price as multiples of the mean mark price; None when there is no such band."""
    mean_premium_band: PriceBandMeanPremium | None = None
    """How far the premium that a price implies may be from the mean premium. For information: `check` can't apply it,
    for the exchange publishes no mean premium.
    """
    min_notional: Decimal | None = None
    """Least value of an order, in the quote asset. The exchange publishes none, so `from_market` leaves it at None. Set
    one, and it is checked.
    """
    contract_multiplier: int = 1
    """Tokens in one unit of the base asset: 1000 for futures such as `kPEPE_USDC_PERP`, else 1. Read from the name, for
    no field of the API tells it. Price and quantity both count the base asset: a quantity of 5 is then 5,000 PEPE, a
    price of 0.01 is 0.00001 for one PEPE, and the notional needs no multiplier.
    """
    order_book_state: OrderBookState = OrderBookState.OPEN
    """What the book accepted when the market was read."""

    def __post_init__(self) -> None:
        for name, size in (("tick_size", self.tick_size), ("step_size", self.step_size)):
            if not (size.is_finite() and size > 0):
                raise InvalidArgument(name, f"has to be above zero, and {self.symbol} has {size}")

    @classmethod
    def from_market(cls, market: Market) -> Self:
        """Take the rules from a market, as `get_market` and `get_markets` return it."""
        price, quantity = market.filters.price, market.filters.quantity
        # Only futures bundle tokens: a spot asset of such a name, like kHYPE, is a token of its own.
        bundle = market.market_type != MarketType.SPOT and _BUNDLE.match(market.base_symbol) is not None
        return cls(
            symbol=market.symbol,
            tick_size=price.tick_size,
            step_size=quantity.step_size,
            min_price=price.min_price,
            min_quantity=quantity.min_quantity,
            max_price=price.max_price,
            max_quantity=quantity.max_quantity,
            min_multiplier=price.min_multiplier,
            max_multiplier=price.max_multiplier,
            min_impact_multiplier=price.min_impact_multiplier,
            max_impact_multiplier=price.max_impact_multiplier,
            mean_mark_price_band=price.mean_mark_price_band,
            mean_premium_band=price.mean_premium_band,
            contract_multiplier=1000 if bundle else 1,
            order_book_state=market.order_book_state,
        )

    def round_price(
        self, price: DecimalLike, side: SideLike | None = None, *, direction: Direction | None = None
    ) -> Decimal:
        """Round a price to a multiple of the tick size.

        The side chooses the direction that is never worse than asked: a buy (`Bid`) rounds down, a sale (`Ask`) rounds
        up. `direction` chooses it yourself, and wins over the side.

        The price moves by less than one tick. Raises InvalidArgument, which names the nearest legal price, when that
        does not lead to a price within the market's limits, and when neither side nor direction is given. The bands
        around the last and the mark price are left to `check`.
        """
        if direction is None:
            if side is None:
                raise InvalidArgument("side", "give the side of the order, or a direction to round to")
            direction = "down" if _is_buy(side) else "up"
        number = _number(price, "price")
        rounded = round_to(number, self.tick_size, direction)
        if rounded > 0 and rounded >= self.min_price and (self.max_price is None or rounded <= self.max_price):
            return rounded
        return self._price_grid(number).settle(number, direction)

    def round_quantity(self, quantity: DecimalLike, direction: Direction = "down") -> Decimal:
        """Round a quantity to a multiple of the step size, down unless told otherwise.

        The quantity moves by less than one step. Raises InvalidArgument, which names the nearest legal quantity, when
        that does not lead to a quantity within the market's limits: one so small that it rounds down to nothing, say.
        """
        number = _number(quantity, "quantity")
        rounded = round_to(number, self.step_size, direction)
        largest = self.max_quantity
        if rounded > 0 and rounded >= self.min_quantity and (largest is None or rounded <= largest):
            return rounded
        return self._quantity_grid(number).settle(number, direction)

    def notional(self, price: DecimalLike, quantity: DecimalLike) -> Decimal:
        """Value of a quantity at a price, in the quote asset, exact to the last digit."""
        return EXACT.multiply(_number(price, "price"), _number(quantity, "quantity"))

    def impact_limit(self, side: SideLike, best_price: DecimalLike) -> Decimal | None:
        """Price beyond which a market order does not trade, or None when the market has no such limit.

        `best_price` is the best one on the other side of the book: the best ask for a buy, the best bid for a sale.
        """
        multiplier = self.max_impact_multiplier if _is_buy(side) else self.min_impact_multiplier
        return None if multiplier is None else EXACT.multiply(_number(best_price, "best_price"), multiplier)

    @overload
    def check(
        self, order: OrderExecutePayload | Mapping[str, Any], /, **view: Unpack[MarketView]
    ) -> tuple[Violation, ...]: ...
    @overload
    def check(self, /, **fields: Unpack[OrderFields]) -> tuple[Violation, ...]: ...
    def check(
        self, order: OrderExecutePayload | Mapping[str, Any] | None = None, /, **given: Any
    ) -> tuple[Violation, ...]:
        """List every rule of this market that an order breaks; empty when it breaks none.

        Pass the order that is to be sent (a model, or a mapping with the model's or the wire's names), or its arguments
        by name, see `OrderFields`; and what you know of the market at the moment, see `MarketView`.

        Where the document leaves a rule open, this is how it is read here. The band around the last active price binds
        buys and sales alike. Trigger prices have to fit the tick size. Bands, best prices and the states `LimitOnly`
        and `PostOnly` do not count for a conditional order, which meets them only once it is set off.

        Raises InvalidArgument for what is no order at all, such as a price that is not a number. Whether the arguments
        of an order go together is for `orders.validate` to say.
        """
        view = {name: given.pop(name, None) for name in MarketView.__annotations__}
        known = {name: _positive(value, name) for name, value in view.items() if value is not None}
        subject = self._read(order, given)
        return (*self._check_kind(subject), *self._check_prices(subject, known), *self._check_sizes(subject, known))

    @overload
    def require(self, order: OrderExecutePayload | Mapping[str, Any], /, **view: Unpack[MarketView]) -> None: ...
    @overload
    def require(self, /, **fields: Unpack[OrderFields]) -> None: ...
    def require(self, order: OrderExecutePayload | Mapping[str, Any] | None = None, /, **given: Any) -> None:
        """Raise OrderRuleError with every violation in it, when `check` with the same arguments finds any."""
        violations = self.check(**given) if order is None else self.check(order, **given)
        if violations:
            raise OrderRuleError(violations)

    def _read(
        self, order: OrderExecutePayload | Mapping[str, Any] | None, fields: dict[str, Any]
    ) -> OrderExecutePayload:
        unknown = fields if order is not None else fields.keys() - OrderFields.__annotations__.keys()
        if unknown:
            raise TypeError(f"check() got an unexpected keyword argument {min(unknown)!r}")
        if isinstance(order, OrderExecutePayload):
            return order
        if order is None:
            kind = OrderTypeEnum.MARKET if fields.get("price") is None else OrderTypeEnum.LIMIT
            fields = {"symbol": self.symbol, "order_type": kind, **fields}
            fields["symbol"] = _to.symbol(fields["symbol"], "symbol")
            fields["side"] = _to.member(fields.get("side"), "side", Side)
            fields["trigger_quantity"] = _to.decimal_or_percent(fields.get("trigger_quantity"), "trigger_quantity")
            fields |= {name: _to.decimal(fields.get(name), name) for name in _NUMBERS}
        wire = _to.payload(fields if order is None else order, "order", OrderExecutePayload)
        return OrderExecutePayload.model_validate(wire)

    def _check_kind(self, order: OrderExecutePayload) -> Iterator[Violation]:
        symbol = _to.symbol(order.symbol, "symbol")
        if symbol != self.symbol:
            yield Violation(
                ViolationCode.WRONG_MARKET, "symbol", f"the order is for {symbol}, the rules are those of {self.symbol}"
            )
        state, conditional = self.order_book_state, order.trigger_price is not None
        complaint = None
        if state in (OrderBookState.CLOSED, OrderBookState.CANCEL_ONLY):
            complaint = "symbol", f"the book of {self.symbol} takes no orders while it is {state}"
        elif state == OrderBookState.LIMIT_ONLY and order.order_type == OrderTypeEnum.MARKET and not conditional:
            complaint = "order_type", f"the book of {self.symbol} takes no market orders while it is {state}"
        elif state == OrderBookState.POST_ONLY and order.post_only is not True and not conditional:
            complaint = "post_only", f"the book of {self.symbol} takes only post-only orders while it is {state}"
        if complaint is not None:
            yield Violation(ViolationCode.ORDER_BOOK_STATE, *complaint)

    def _check_prices(self, order: OrderExecutePayload, known: Mapping[str, Decimal]) -> Iterator[Violation]:
        if order.order_type == OrderTypeEnum.LIMIT:
            if order.price is None:
                yield Violation(ViolationCode.MISSING, "price", "a limit order needs a price")
            else:
                price = _number(order.price, "price")
                grid = self._price_grid(price)
                if order.trigger_price is None:
                    grid.bounds.extend(self._band_bounds(price, known))
                    grid.bounds.extend(self._post_only_bounds(order, price, known))
                yield from grid.violations(price, "price")
        for name in _LATER_PRICES:
            value: Decimal | None = getattr(order, name)
            if value is not None:
                price = _number(value, name)
                yield from self._price_grid(price).violations(price, name)

    def _check_sizes(self, order: OrderExecutePayload, known: Mapping[str, Decimal]) -> Iterator[Violation]:
        argument = "quantity" if order.trigger_price is None else "trigger_quantity"
        size = order.quantity if order.trigger_price is None else order.trigger_quantity
        if isinstance(size, str) and size.endswith("%"):
            share = _number(size[:-1], argument)
            if not 0 < share <= 100:
                message = f"{size} is not a share of the position; it has to be above 0 % and up to 100 %"
                yield Violation(ViolationCode.PERCENTAGE, argument, message)
        elif size is not None:
            quantity = _number(size, argument)
            grid = self._quantity_grid(quantity)
            grid.bounds.extend(self._notional_bounds(order, quantity, known))
            yield from grid.violations(quantity, argument)
        elif order.quote_quantity is None or order.order_type == OrderTypeEnum.LIMIT or argument != "quantity":
            yield Violation(ViolationCode.MISSING, argument, f"an order of this kind needs a {argument}")
        if order.quote_quantity is not None:
            amount, least = _number(order.quote_quantity, "quote_quantity"), self.min_notional
            if amount <= 0 or (least is not None and amount < least):
                limit = "zero" if least is None else f"the minimum notional {plain(least)}"
                word = "above" if least is None else "at least"
                message = f"{plain(amount)} is too little: it has to be {word} {limit}"
                yield Violation(ViolationCode.MIN_NOTIONAL, "quote_quantity", message, least)

    def _price_grid(self, price: Decimal) -> Grid:
        step, highest = self.tick_size, self.max_price
        bounds = [low_bound(ViolationCode.MIN_PRICE, price, self.min_price, step, "the lowest price")]
        if highest is not None:
            bounds.append(high_bound(ViolationCode.MAX_PRICE, price, highest, step, "the highest price"))
        return Grid("price", ViolationCode.TICK_SIZE, step, bounds)

    def _quantity_grid(self, quantity: Decimal) -> Grid:
        step, largest = self.step_size, self.max_quantity
        bounds = [low_bound(ViolationCode.MIN_QUANTITY, quantity, self.min_quantity, step, "the smallest quantity")]
        if largest is not None:
            bounds.append(high_bound(ViolationCode.MAX_QUANTITY, quantity, largest, step, "the largest quantity"))
        return Grid("quantity", ViolationCode.STEP_SIZE, step, bounds)

    def _band_bounds(self, price: Decimal, known: Mapping[str, Decimal]) -> Iterator[Bound]:
        band = self.mean_mark_price_band
        lowest, highest = (None, None) if band is None else (band.min_multiplier, band.max_multiplier)
        for code, name, low, high in (
            (ViolationCode.PRICE_BAND, "reference_price", self.min_multiplier, self.max_multiplier),
            (ViolationCode.MARK_PRICE_BAND, "mark_price", lowest, highest),
        ):
            centre = known.get(name)
            if centre is None:
                continue
            words = f"times the {'mark' if name == 'mark_price' else 'last active'} price {plain(centre)}, which is"
            if low is not None and low > 0:
                limit = EXACT.multiply(centre, low)
                yield low_bound(code, price, limit, self.tick_size, f"{plain(low)} {words}")
            if high is not None:
                limit = EXACT.multiply(centre, high)
                yield high_bound(code, price, limit, self.tick_size, f"{plain(high)} {words}")

    def _post_only_bounds(
        self, order: OrderExecutePayload, price: Decimal, known: Mapping[str, Decimal]
    ) -> Iterator[Bound]:
        if order.post_only is not True:
            return
        code, why = ViolationCode.WOULD_TAKE, "would trade at once, and the order is post-only; the best"
        if order.side == Side.BID and "best_ask" in known:
            best = known["best_ask"]
            yield Bound(code, price >= best, f"{why} ask is {plain(best)}", high=ceil_units(best, self.tick_size) - 1)
        elif order.side == Side.ASK and "best_bid" in known:
            best = known["best_bid"]
            yield Bound(code, price <= best, f"{why} bid is {plain(best)}", low=floor_units(best, self.tick_size) + 1)

    def _notional_bounds(
        self, order: OrderExecutePayload, quantity: Decimal, known: Mapping[str, Decimal]
    ) -> Iterator[Bound]:
        price = order.price
        if price is None and order.trigger_price is None:
            price = known.get("best_ask" if order.side == Side.BID else "best_bid", known.get("reference_price"))
        if self.min_notional is None or price is None or price <= 0:
            return
        value = EXACT.multiply(price, quantity)
        why = f"is worth {plain(value)}, below the minimum notional {plain(self.min_notional)}"
        units = ceil_units(self.min_notional, EXACT.multiply(price, self.step_size))
        yield Bound(ViolationCode.MIN_NOTIONAL, value < self.min_notional, why, low=units)


def _number(value: DecimalLike, name: str) -> Decimal:
    text = _to.decimal(value, name)
    if text is None:
        raise InvalidArgument(name, "expected a number, got None")
    return Decimal(text)


def _positive(value: DecimalLike, name: str) -> Decimal:
    number = _number(value, name)
    if number <= 0:
        raise InvalidArgument(name, f"a price is above zero, got {plain(number)}")
    return number


def _is_buy(side: SideLike) -> bool:
    text = _to.member(side, "side", Side)
    if text not in (Side.BID, Side.ASK):
        raise InvalidArgument("side", f"{text!r} is neither Bid nor Ask")
    return text == Side.BID

"""A naive matcher to hold the engine against: one list of resting orders, sorted anew for every order, in fractions.

It shares nothing with the engine but the shape of the orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from backpack_sdk.paper.engine import (
    BookState,
    ExpiryReason,
    MarketSpec,
    NewOrder,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)


@dataclass
class Resting:
    """An order in the list. Orders stand in the order of their arrival."""

    id: int
    account: str
    side: Side
    price: Fraction
    remaining: Fraction


@dataclass
class Expected:
    """What an order should do. A trade is (id of the maker, price, quantity)."""

    trades: list[tuple[int, Fraction, Fraction]]
    pushed_aside: list[int]
    reason: ExpiryReason | None
    filled: Fraction
    quote: Fraction
    complete: bool


class Reference:
    """The resting orders of one market."""

    def __init__(self, spec: MarketSpec) -> None:
        self.spec = spec
        self.state = BookState.OPEN
        self.resting: list[Resting] = []

    def remove(self, order_id: int) -> None:
        """Forget an order."""
        self.resting = [order for order in self.resting if order.id != order_id]

    def expect(self, account: str, order: NewOrder) -> Expected:
        """Say what `order` should do to the book, without doing it."""
        expected = self.walk(account, order)
        met_something = bool(expected.trades or expected.pushed_aside) or expected.reason is not None
        untraded: ExpiryReason | None = None
        if self.state is BookState.POST_ONLY and (met_something or order.order_type is OrderType.MARKET):
            untraded = ExpiryReason.POST_ONLY_MODE
        elif order.post_only and met_something:
            untraded = ExpiryReason.POST_ONLY_TAKER
        elif order.time_in_force is TimeInForce.FOK and not expected.complete:
            untraded = expected.reason or ExpiryReason.FILL_OR_KILL
        if untraded is not None:
            return Expected([], [], untraded, expected.filled, expected.quote, complete=False)
        if expected.reason is None and not expected.complete:
            if order.order_type is OrderType.MARKET:
                expected.reason = ExpiryReason.INSUFFICIENT_LIQUIDITY
            elif order.time_in_force is TimeInForce.IOC:
                expected.reason = ExpiryReason.IMMEDIATE_OR_CANCEL
        return expected

    def apply(self, account: str, order: NewOrder, order_id: int, expected: Expected) -> None:
        """Do what was expected."""
        for maker_id, _, quantity in expected.trades:
            (maker,) = (resting for resting in self.resting if resting.id == maker_id)
            maker.remaining -= quantity
            if maker.remaining == 0:
                self.remove(maker_id)
        for maker_id in expected.pushed_aside:
            self.remove(maker_id)
        if expected.reason is None and not expected.complete:
            assert order.price is not None
            assert order.quantity is not None
            rest = Fraction(order.quantity) - expected.filled
            self.resting.append(Resting(order_id, account, order.side, Fraction(order.price), rest))

    def levels(self, side: Side) -> list[tuple[Decimal, Decimal]]:
        """Return the levels of a side, lowest price first."""
        totals: dict[Fraction, Fraction] = {}
        for order in self.resting:
            if order.side is side:
                totals[order.price] = totals.get(order.price, Fraction(0)) + order.remaining
        return [(_decimal(price), _decimal(totals[price])) for price in sorted(totals)]

    def walk(self, account: str, order: NewOrder) -> Expected:
        bid = order.side is Side.BID
        makers = [resting for resting in self.resting if resting.side is not order.side]
        makers.sort(key=lambda maker: maker.price if bid else -maker.price)
        expected = Expected([], [], None, Fraction(0), Fraction(0), complete=False)
        for maker in makers:
            limit = Fraction(order.price) if order.price is not None else maker.price
            if (maker.price > limit) if bid else (maker.price < limit):
                break
            if self._wanted(order, expected, maker.price) == 0:
                break
            if maker.account == account:
                if order.self_trade_prevention is not SelfTradePrevention.REJECT_TAKER:
                    expected.pushed_aside.append(maker.id)
                if order.self_trade_prevention is SelfTradePrevention.REJECT_MAKER:
                    continue
                expected.reason = ExpiryReason.SELF_TRADE_PREVENTION
                return expected
            quantity = min(self._wanted(order, expected, maker.price), maker.remaining)
            expected.trades.append((maker.id, maker.price, quantity))
            expected.filled += quantity
            expected.quote += quantity * maker.price
            if self._wanted(order, expected, maker.price) == 0:
                break
        else:
            return expected
        prices = [price for _, price, _ in expected.trades[-1:]]
        nothing_wanted = all(self._wanted(order, expected, price) == 0 for price in prices)
        if order.quantity is not None:
            expected.complete = expected.filled == Fraction(order.quantity)
        else:
            expected.complete = nothing_wanted or self._wanted(order, expected, maker.price) == 0
        return expected

    def _wanted(self, order: NewOrder, expected: Expected, price: Fraction) -> Fraction:
        if order.quantity is not None:
            return Fraction(order.quantity) - expected.filled
        assert order.quote_quantity is not None
        step = Fraction(self.spec.step_size)
        return (Fraction(order.quote_quantity) - expected.quote) / price // step * step


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)

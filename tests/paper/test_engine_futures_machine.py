"""Any sequence of everything about perpetuals: money is conserved, positions match, a replay gives the same state."""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from decimal import Decimal, localcontext
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from backpack_sdk.paper.engine import (
    BACKSTOP,
    BookState,
    CancelScope,
    Command,
    Event,
    Exchange,
    ExitLeg,
    FeeRates,
    FundingPaid,
    Liquidated,
    NewOrder,
    NewStrategy,
    OrderFilled,
    OrderModified,
    OrderStatus,
    OrderType,
    Outcome,
    PositionChanged,
    PriceBands,
    Refused,
    SelfTradePrevention,
    Side,
    Slippage,
    SlippageType,
    TimeInForce,
    Trade,
    Trigger,
    TriggerBy,
    TriggerFailed,
    replay,
)
from backpack_sdk.paper.engine.numbers import EXACT

from .engine_desk import SOL_USDC, dec
from .perp_desk import PERP, check_conservation, perp

ACCOUNTS = ("alice", "bob", "carol", "maker")
EVERYBODY = (*ACCOUNTS, BACKSTOP)
OTHER = "BTC_USDC_PERP"
SYMBOLS = (PERP, OTHER)
MARKETS = (
    SOL_USDC,
    perp(bands=PriceBands(max_multiplier=dec("1.5"), min_multiplier=dec("0.5"))),
    perp(symbol=OTHER, base="BTC"),
)

accounts = st.sampled_from(ACCOUNTS)
symbols = st.sampled_from([PERP, PERP, PERP, OTHER, "SOL_USDC"])
sides = st.sampled_from(Side)
prices = st.integers(97, 103).map(Decimal)
tenths = st.integers(2, 400).map(lambda count: Decimal(count) / 10)


class Futures(RuleBasedStateMachine):
    """Drives an exchange and writes down what it is told."""

    @initialize(taker=st.sampled_from(("5", "0.7")), maker=st.sampled_from(("2", "-0.3")))
    def open_the_exchange(self, taker: str, maker: str) -> None:
        self.commands: list[Command] = []
        self.events: list[Event] = []
        self.deposited: dict[str, Fraction] = defaultdict(Fraction)
        self.now_us = 1_000_000
        self.exchange = Exchange()
        self.exchange.record(lambda command: self.commands.append(json.loads(json.dumps(command))))
        for spec in MARKETS:
            self.exchange.add_market(spec)
        fees = FeeRates(futures_maker_bps=dec(maker), futures_taker_bps=dec(taker))
        for account in ACCOUNTS:
            self.exchange.open_account(account, fees, is_system=account == "maker")
            self.credit(account, "USDC", dec("900.000000000000000001"))
            self.credit(account, "SOL", dec("20"))
        self.set_prices(PERP, dec(100), dec(100))

    def tick(self) -> int:
        self.now_us += 1
        return self.now_us

    def give(self, outcome: Outcome[Any]) -> None:
        self.events += outcome.events

    @rule(account=accounts, asset=st.sampled_from(["USDC", "SOL"]), quantity=tenths)
    def credit(self, account: str, asset: str, quantity: Decimal) -> None:
        self.deposited[asset] += Fraction(quantity)
        self.give(self.exchange.deposit(account, asset, quantity, now_us=self.tick()))

    @rule(
        account=accounts,
        symbol=symbols,
        side=sides,
        price=st.none() | prices,
        quantity=tenths,
        reduce_only=st.booleans(),
        time_in_force=st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK]),
        prevention=st.sampled_from(SelfTradePrevention),
        exits=st.none() | st.tuples(st.integers(1, 4), st.integers(1, 4)),
        tolerance=st.none() | st.integers(0, 3),
    )
    def order(
        self,
        account: str,
        symbol: str,
        side: Side,
        price: Decimal | None,
        quantity: Decimal,
        reduce_only: bool,
        time_in_force: TimeInForce,
        prevention: SelfTradePrevention,
        exits: tuple[int, int] | None,
        tolerance: int | None,
    ) -> None:
        sign = 1 if side is Side.BID else -1
        middle = price if price is not None else Decimal(100)
        self.send(
            account,
            NewOrder(
                symbol=symbol,
                side=side,
                order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
                price=price,
                quantity=quantity,
                time_in_force=time_in_force,
                self_trade_prevention=prevention,
                reduce_only=reduce_only,
                stop_loss=ExitLeg(middle - sign * exits[0], by=TriggerBy.MARK) if exits is not None else None,
                take_profit=ExitLeg(middle + sign * exits[1], middle + sign) if exits is not None else None,
                slippage=(
                    Slippage(Decimal(tolerance), SlippageType.PERCENT)
                    if price is None and tolerance is not None
                    else None
                ),
            ),
        )

    @rule(account=accounts, symbol=symbols, side=sides, value=st.integers(20, 9000), reduce_only=st.booleans())
    def order_by_value(self, account: str, symbol: str, side: Side, value: int, reduce_only: bool) -> None:
        order = NewOrder(
            symbol=symbol,
            side=side,
            order_type=OrderType.MARKET,
            quote_quantity=Decimal(value),
            reduce_only=reduce_only,
            self_trade_prevention=SelfTradePrevention.REJECT_MAKER,
        )
        self.send(account, order)

    @rule(
        account=accounts,
        symbol=symbols,
        side=sides,
        price=prices,
        limit=st.none() | prices,
        size=tenths | st.sampled_from(["50", "100", "33"]),
        by=st.sampled_from(TriggerBy),
        reduce_only=st.booleans(),
    )
    def conditional_order(
        self,
        account: str,
        symbol: str,
        side: Side,
        price: Decimal,
        limit: Decimal | None,
        size: Decimal | str,
        by: TriggerBy,
        reduce_only: bool,
    ) -> None:
        order = NewOrder(
            symbol=symbol,
            side=side,
            order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            price=limit,
            reduce_only=reduce_only,
            trigger=Trigger(
                price,
                size if isinstance(size, Decimal) else None,
                Decimal(size) if isinstance(size, str) else None,
                by,
            ),
        )
        self.send(account, order)

    @rule(account=accounts, symbol=symbols, scope=st.none() | st.sampled_from(CancelScope))
    def cancel_all(self, account: str, symbol: str, scope: CancelScope | None) -> None:
        self.give(self.exchange.cancel_all(account, symbol, scope=scope, now_us=self.tick()))

    @rule(symbol=st.sampled_from(SYMBOLS), mark=st.integers(80, 120), basis=st.integers(-3, 3))
    def move_the_mark(self, symbol: str, mark: int, basis: int) -> None:
        self.set_prices(symbol, Decimal(mark), Decimal(mark + basis))

    @rule(symbol=st.sampled_from(SYMBOLS))
    def release_the_mark(self, symbol: str) -> None:
        self.set_prices(symbol, None, None)

    def set_prices(self, symbol: str, mark: Decimal | None, index: Decimal | None) -> None:
        self.give(self.exchange.set_mark_price(symbol, mark, index, now_us=self.tick()))

    @rule(minutes=st.sampled_from([1, 7, 60, 150]))
    def advance(self, minutes: int) -> None:
        self.now_us += minutes * 60_000_000
        self.give(self.exchange.advance(now_us=self.now_us))
        with localcontext(EXACT):
            assert not any(
                self.exchange.is_liquidating(account) for account in ACCOUNTS if self.exchange.positions(account)
            )

    @rule(account=accounts, side=sides, quantity=tenths, slices=st.integers(1, 6), randomized=st.booleans())
    def strategy(self, account: str, side: Side, quantity: Decimal, slices: int, randomized: bool) -> None:
        asked = NewStrategy(
            symbol=PERP,
            side=side,
            quantity=quantity,
            duration_ms=slices * 60_000,
            interval_ms=60_000,
            randomized=randomized,
        )
        self.give(self.exchange.create_strategy(account, asked, now_us=self.tick()))

    @rule(account=accounts, limit=st.integers(1, 50))
    def limit_leverage(self, account: str, limit: int) -> None:
        with contextlib.suppress(Refused):
            self.give(self.exchange.update_settings(account, leverage_limit=Decimal(limit), now_us=self.tick()))

    @rule(symbol=st.sampled_from(SYMBOLS), state=st.sampled_from([*BookState, *[BookState.OPEN] * 8]))
    def set_state(self, symbol: str, state: BookState) -> None:
        self.give(self.exchange.set_book_state(symbol, state, now_us=self.tick()))

    def send(self, account: str, order: NewOrder) -> None:
        before = self.state_of(account)
        try:
            self.give(self.exchange.execute(account, order, now_us=self.tick()))
        except Refused:
            assert self.state_of(account) == before

    def state_of(self, account: str) -> object:
        exchange = self.exchange
        return exchange.balances(account), exchange.open_orders(account), exchange.positions(account)

    # What must hold at every moment

    @invariant()
    def money_is_conserved_and_positions_match(self) -> None:
        check_conservation(self.exchange, EVERYBODY, self.deposited)

    @invariant()
    def books_are_not_crossed(self) -> None:
        for spec in self.exchange.markets():
            if spec.state is not BookState.CLOSED:
                depth = self.exchange.depth(spec.symbol)
                if depth.bids and depth.asks:
                    assert depth.bids[-1][0] < depth.asks[0][0]

    @invariant()
    def open_orders_are_what_exposure_and_books_count(self) -> None:
        resting: dict[tuple[str, Side, Decimal], Decimal] = defaultdict(Decimal)
        for account in EVERYBODY:
            bids: dict[str, Decimal] = defaultdict(Decimal)
            asks: dict[str, Decimal] = defaultdict(Decimal)
            held = {position.symbol: position for position in self.exchange.positions(account)}
            for order in self.exchange.open_orders(account):
                if order.status is OrderStatus.TRIGGER_PENDING:
                    assert order.executed_quantity == 0
                    continue
                assert order.quantity is not None
                assert order.price is not None
                rest = order.quantity - order.executed_quantity
                assert rest > 0
                resting[order.symbol, order.side, order.price] += rest
                if order.reduce_only:
                    quantity = held[order.symbol].quantity
                    assert rest <= abs(quantity)
                    assert (quantity > 0) is (order.side is Side.ASK)
                else:
                    (bids if order.side is Side.BID else asks)[order.symbol] += rest
            for symbol, position in held.items():
                quantity = position.quantity
                assert position.exposure_quantity == max(abs(quantity + bids[symbol]), abs(quantity - asks[symbol]))
        for spec in self.exchange.markets():
            if spec.state is not BookState.CLOSED:
                depth = self.exchange.depth(spec.symbol)
                for side, levels in ((Side.BID, depth.bids), (Side.ASK, depth.asks)):
                    for price, quantity in levels:
                        assert resting.pop((spec.symbol, side, price)) == quantity
        assert not resting

    def teardown(self) -> None:
        if not hasattr(self, "exchange"):
            return
        again = replay(self.commands)
        assert again.digest() == self.exchange.digest()
        fills: dict[tuple[str, int], list[OrderFilled]] = defaultdict(list)
        for event in self.events:
            if isinstance(event, OrderFilled) and event.fill.trade_id:
                fills[event.fill.symbol, event.fill.trade_id].append(event)
        trades = [event for event in self.events if isinstance(event, Trade)]
        assert fills.keys() == {(trade.symbol, trade.id) for trade in trades}
        for trade in trades:
            one, other = fills[trade.symbol, trade.id]
            assert {one.fill.side, other.fill.side} == set(Side)
            assert one.fill.account != other.fill.account
            assert (one.fill.price, one.fill.quantity) == (trade.price, trade.quantity)


Futures.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestFutures = Futures.TestCase


@pytest.mark.parametrize("seed", range(3))
def test_a_busy_session_holds_together(seed: int) -> None:
    """Denser than the machine gets by itself: every account trades all the time, and prices move far."""
    random = Random(seed)
    session = Futures()
    session.open_the_exchange(taker="5", maker="-0.3")
    for account in ACCOUNTS:
        session.credit(account, "USDC", dec("500"))
    for number in range(500):
        account, symbol, side = random.choice(ACCOUNTS), random.choice((PERP, PERP, OTHER)), random.choice(list(Side))
        price = Decimal(random.randint(97, 103))
        size = Decimal(random.randint(2, 900)) / 10
        kind = random.random()
        if kind < 0.6:
            exits = (random.randint(1, 4), random.randint(1, 4)) if random.random() < 0.3 else None
            limit = price if random.random() < 0.8 else None
            prevention = random.choice(list(SelfTradePrevention))
            in_force = random.choice([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK])
            session.order(account, symbol, side, limit, size, random.random() < 0.2, in_force, prevention, exits, None)
        elif kind < 0.7:
            session.order_by_value(account, symbol, side, random.randint(20, 5000), random.random() < 0.3)
        elif kind < 0.82:
            watched = random.choice(list(TriggerBy))
            limit = price if random.random() < 0.5 else None
            amount = random.choice([size, "50", "100"])
            session.conditional_order(account, symbol, side, price, limit, amount, watched, random.random() < 0.6)
        elif kind < 0.9:
            mark = 100 + round(random.gauss(0, 12))
            session.move_the_mark(random.choice(SYMBOLS), mark, random.randint(-3, 3))
        elif kind < 0.94:
            session.advance(random.choice([1, 7, 60, 150]))
        elif kind < 0.96:
            session.strategy(account, side, size, random.randint(1, 6), random.random() < 0.5)
        elif kind < 0.98:
            session.cancel_all(account, symbol, random.choice([None, *CancelScope]))
        else:
            session.release_the_mark(symbol)
        if number % 20 == 0:
            session.money_is_conserved_and_positions_match()
            session.books_are_not_crossed()
            session.open_orders_are_what_exposure_and_books_count()
    session.teardown()
    kinds = {type(event) for event in session.events}
    assert {Liquidated, FundingPaid, TriggerFailed, OrderModified, PositionChanged} <= kinds  # else it proves little

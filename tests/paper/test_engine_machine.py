"""Any sequence of commands: money is conserved to the last digit, books agree with a naive matcher."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from backpack_sdk.paper.engine import (
    BalanceChanged,
    BestPrices,
    BestPricesChanged,
    BookState,
    CancelScope,
    DepthChanged,
    ErrorCode,
    Event,
    Exchange,
    ExpiryReason,
    FeeRates,
    Fill,
    MarketSpec,
    NewOrder,
    Order,
    OrderAccepted,
    OrderExpired,
    OrderFilled,
    OrderStatus,
    OrderType,
    Refused,
    SelfTradePrevention,
    Side,
    TimeInForce,
    Trade,
)

from .engine_desk import dec
from .engine_reference import Expected, Reference

ACCOUNTS = ("alice", "bob", "carol")
ASSETS = ("SOL", "BTC", "USDC")
# Few prices and sizes, so that orders meet; three markets that share assets, so that funds run out.
MARKETS = tuple(
    MarketSpec(
        symbol=f"{base}_{quote}",
        base=base,
        quote=quote,
        tick_size=dec(tick),
        step_size=dec(step),
        min_price=dec(tick),
        min_quantity=dec(step),
        max_quantity=dec(step) * 20,
    )
    for base, quote, tick, step in (
        ("SOL", "USDC", "0.07", "0.3"),
        ("BTC", "USDC", "5", "0.011"),
        ("BTC", "SOL", "0.013", "1"),
    )
)
SPECS = {spec.symbol: spec for spec in MARKETS}

accounts = st.sampled_from(ACCOUNTS)
symbols = st.sampled_from(["SOL_USDC"] * 6 + sorted(SPECS))
times_in_force = st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK])


class Trading(RuleBasedStateMachine):
    """Drives the engine and the reference side by side."""

    @initialize(maker_bps=st.sampled_from(("8", "0", "-1.5")), taker_bps=st.sampled_from(("10", "0.0007")))
    def open_the_exchange(self, maker_bps: str, taker_bps: str) -> None:
        self.exchange = Exchange(MARKETS)
        self.references = {symbol: Reference(spec) for symbol, spec in SPECS.items()}
        self.deposited: dict[str, Fraction] = defaultdict(Fraction)
        self.events: list[Event] = []
        self.now_us = 0
        for account in ACCOUNTS:
            self.exchange.open_account(account, FeeRates(dec(maker_bps), dec(taker_bps)))
            for asset in ASSETS:
                self.credit(account, asset, dec("9.000000000000000001"))

    @rule(account=accounts, asset=st.sampled_from(ASSETS), units=st.integers(1, 10**6))
    def credit(self, account: str, asset: str, units: int | Decimal) -> None:
        quantity = units if isinstance(units, Decimal) else units * dec("0.00001")
        self.deposited[asset] += Fraction(quantity)
        self.events += self.exchange.deposit(account, asset, quantity, now_us=self.tick()).events

    @rule(
        account=accounts,
        symbol=symbols,
        side=st.sampled_from(Side),
        ticks=st.integers(1, 6),
        steps=st.integers(1, 9),
        time_in_force=times_in_force,
        prevention=st.sampled_from(SelfTradePrevention),
        client_id=st.none() | st.integers(0, 2),
    )
    def limit_order(
        self,
        account: str,
        symbol: str,
        side: Side,
        ticks: int,
        steps: int,
        time_in_force: TimeInForce,
        prevention: SelfTradePrevention,
        client_id: int | None,
    ) -> None:
        spec = SPECS[symbol]
        self.submit(
            account,
            NewOrder(
                symbol=symbol,
                side=side,
                order_type=OrderType.LIMIT,
                price=spec.tick_size * ticks,
                quantity=spec.step_size * steps,
                time_in_force=time_in_force,
                self_trade_prevention=prevention,
                client_id=client_id,
            ),
        )

    @rule(
        account=accounts,
        symbol=symbols,
        bids=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), max_size=5),
        asks=st.lists(st.tuples(st.integers(3, 6), st.integers(1, 3)), max_size=5),
        post_only=st.booleans(),
    )
    def quote_both_sides(
        self, account: str, symbol: str, bids: list[tuple[int, int]], asks: list[tuple[int, int]], post_only: bool
    ) -> None:
        spec = SPECS[symbol]
        for side, rungs in ((Side.BID, bids), (Side.ASK, asks)):
            for ticks, steps in rungs:
                order = NewOrder(
                    symbol=symbol,
                    side=side,
                    order_type=OrderType.LIMIT,
                    price=spec.tick_size * ticks,
                    quantity=spec.step_size * steps,
                    post_only=post_only,
                )
                self.submit(account, order)

    @rule(
        account=accounts,
        symbol=symbols,
        side=st.sampled_from(Side),
        steps=st.integers(1, 12),
        by_quote=st.booleans(),
        ticks=st.integers(1, 600),
        time_in_force=times_in_force,
        prevention=st.sampled_from(SelfTradePrevention),
    )
    def market_order(
        self,
        account: str,
        symbol: str,
        side: Side,
        steps: int,
        by_quote: bool,
        ticks: int,
        time_in_force: TimeInForce,
        prevention: SelfTradePrevention,
    ) -> None:
        spec = SPECS[symbol]
        self.submit(
            account,
            NewOrder(
                symbol=symbol,
                side=side,
                order_type=OrderType.MARKET,
                quantity=None if by_quote else spec.step_size * steps,
                quote_quantity=spec.tick_size * spec.step_size * ticks / 10 if by_quote else None,
                time_in_force=time_in_force,
                self_trade_prevention=prevention,
            ),
        )

    @precondition(lambda self: any(self.exchange.open_orders(account) for account in ACCOUNTS))
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        order = data.draw(
            st.sampled_from([order for account in ACCOUNTS for order in self.exchange.open_orders(account)])
        )
        outcome = self.exchange.cancel(order.account, order.symbol, order_id=order.id, now_us=self.tick())
        self.events += outcome.events
        self.references[order.symbol].remove(order.id)
        assert outcome.value.status is OrderStatus.CANCELLED

    @rule(account=accounts, symbol=symbols, scope=st.none() | st.sampled_from(CancelScope))
    def cancel_all(self, account: str, symbol: str, scope: CancelScope | None) -> None:
        outcome = self.exchange.cancel_all(account, symbol, scope=scope, now_us=self.tick())
        self.events += outcome.events
        for order in outcome.value:
            self.references[symbol].remove(order.id)
        if scope is not CancelScope.CONDITIONAL:
            assert self.exchange.open_orders(account, symbol) == ()

    @rule(symbol=symbols, state=st.sampled_from([*BookState, *[BookState.OPEN] * 8]))
    def set_state(self, symbol: str, state: BookState) -> None:
        self.events += self.exchange.set_book_state(symbol, state, now_us=self.tick()).events
        reference = self.references[symbol]
        reference.state = state
        if state is BookState.CLOSED:
            reference.resting.clear()

    @rule(account=accounts, maker=st.integers(-20, 20), taker=st.integers(0, 30))
    def change_fees(self, account: str, maker: int, taker: int) -> None:
        self.exchange.set_fees(account, FeeRates(Decimal(maker), Decimal(taker) / 4))

    def submit(self, account: str, order: NewOrder) -> None:
        """Send an order and hold what it does against the reference."""
        reference = self.references[order.symbol]
        expected = reference.expect(account, order)
        refusal = self.expected_refusal(account, order, expected)
        if refusal is not None:
            before = self.snapshot()
            with pytest.raises(Refused) as caught:
                self.exchange.execute(account, order, now_us=self.tick())
            assert caught.value.code == refusal
            assert self.snapshot() == before
            return
        outcome = self.exchange.execute(account, order, now_us=self.tick())
        self.events += outcome.events
        self.check_outcome(outcome.value, outcome.events, expected)
        reference.apply(account, order, outcome.value.id, expected)

    def expected_refusal(self, account: str, order: NewOrder, expected: Expected) -> ErrorCode | None:
        spec, state = SPECS[order.symbol], self.references[order.symbol].state
        if state in (BookState.CLOSED, BookState.CANCEL_ONLY):
            return ErrorCode.TRADING_PAUSED
        if state is BookState.LIMIT_ONLY and order.order_type is OrderType.MARKET:
            return ErrorCode.TRADING_PAUSED
        if order.client_id is not None and any(
            open_order.client_id == order.client_id for open_order in self.exchange.open_orders(account, order.symbol)
        ):
            return ErrorCode.INVALID_ORDER
        walked = self.references[order.symbol].walk(account, order)
        if order.quote_quantity is not None:
            assert spec.max_quantity is not None
            if (walked.complete and walked.filled == 0) or walked.filled > spec.max_quantity:
                return ErrorCode.INVALID_QUANTITY
        if order.side is Side.ASK:
            asset, needed = spec.base, Fraction(order.quantity) if order.quantity is not None else walked.filled
        elif order.price is not None and order.quantity is not None:
            asset, needed = spec.quote, Fraction(order.price) * Fraction(order.quantity)
        else:
            asset, needed = spec.quote, walked.quote
        available = Fraction(self.exchange.balances(account)[asset].available)
        assert expected.filled <= walked.filled
        return ErrorCode.INSUFFICIENT_FUNDS if needed > available else None

    def check_outcome(self, order: Order, events: tuple[Event, ...], expected: Expected) -> None:
        accepted = events[0]
        assert isinstance(accepted, OrderAccepted)
        assert accepted.order.status is OrderStatus.NEW
        trades = [event for event in events if isinstance(event, Trade)]
        makers = [trade.seller_order_id if order.side is Side.BID else trade.buyer_order_id for trade in trades]
        assert [
            (maker, Fraction(trade.price), Fraction(trade.quantity))
            for maker, trade in zip(makers, trades, strict=True)
        ] == expected.trades
        assert all(trade.is_buyer_maker is (order.side is Side.ASK) for trade in trades)
        expired = [event.order for event in events if isinstance(event, OrderExpired)]
        assert [gone.id for gone in expired if gone.id != order.id] == expected.pushed_aside
        assert all(gone.expiry_reason is ExpiryReason.SELF_TRADE_PREVENTION for gone in expired if gone.id != order.id)
        assert order.expiry_reason is expected.reason
        assert (order.status is OrderStatus.EXPIRED) is (expected.reason is not None)
        assert (order.status is OrderStatus.FILLED) is (expected.complete and expected.reason is None)
        assert Fraction(order.executed_quantity) == sum(quantity for _, _, quantity in expected.trades)
        assert Fraction(order.executed_quote_quantity) == sum(price * size for _, price, size in expected.trades)

    def snapshot(self) -> object:
        exchange = self.exchange
        return (
            [exchange.balances(account) for account in ACCOUNTS],
            [exchange.order_history(account) for account in ACCOUNTS],
            [exchange.open_orders(account) for account in ACCOUNTS],
            [exchange.fills(account) for account in ACCOUNTS],
            [exchange.trades(symbol) for symbol in SPECS],
            [self.depth(symbol) for symbol in SPECS],
        )

    def depth(self, symbol: str) -> tuple[object, ...]:
        if self.references[symbol].state is BookState.CLOSED:
            return ()
        depth = self.exchange.depth(symbol)
        return depth.bids, depth.asks, depth.last_update_id

    def tick(self) -> int:
        self.now_us += 1
        return self.now_us

    # What must hold at every moment

    @invariant()
    def money_is_conserved(self) -> None:
        fees = self.exchange.collected_fees()
        for asset in ASSETS:
            total = Fraction(fees.get(asset, Decimal(0)))
            for account in ACCOUNTS:
                balance = self.exchange.balances(account)[asset]
                total += Fraction(balance.available) + Fraction(balance.locked)
            assert total == self.deposited[asset]

    @invariant()
    def no_balance_is_negative(self) -> None:
        for account in ACCOUNTS:
            for balance in self.exchange.balances(account).values():
                assert balance.available >= 0
                assert balance.locked >= 0

    @invariant()
    def locked_is_what_open_orders_require(self) -> None:
        for account in ACCOUNTS:
            required: dict[str, Fraction] = dict.fromkeys(ASSETS, Fraction(0))
            for order in self.exchange.open_orders(account):
                assert order.price is not None
                assert order.quantity is not None
                rest = Fraction(order.quantity) - Fraction(order.executed_quantity)
                assert rest > 0
                spec = SPECS[order.symbol]
                if order.side is Side.BID:
                    required[spec.quote] += Fraction(order.price) * rest
                else:
                    required[spec.base] += rest
            balances = self.exchange.balances(account)
            assert {asset: Fraction(balances[asset].locked) for asset in ASSETS} == required

    @invariant()
    def books_agree_with_the_reference_and_are_not_crossed(self) -> None:
        for symbol, reference in self.references.items():
            if reference.state is BookState.CLOSED:
                assert reference.resting == []
                continue
            depth = self.exchange.depth(symbol)
            assert list(depth.bids) == reference.levels(Side.BID)
            assert list(depth.asks) == reference.levels(Side.ASK)
            if depth.bids and depth.asks:
                assert depth.bids[-1][0] < depth.asks[0][0]

    @invariant()
    def open_orders_are_the_resting_ones(self) -> None:
        opened = {order.id for account in ACCOUNTS for order in self.exchange.open_orders(account)}
        assert opened == {order.id for reference in self.references.values() for order in reference.resting}

    # What must hold of the whole history

    def teardown(self) -> None:
        if not hasattr(self, "exchange"):
            return
        self.every_trade_has_two_sides()
        self.deltas_rebuild_the_books()
        self.last_balance_events_are_the_balances()
        self.orders_add_up_to_their_fills()

    def every_trade_has_two_sides(self) -> None:
        for symbol in SPECS:
            sides: dict[int, list[Fill]] = defaultdict(list)
            for account in ACCOUNTS:
                for fill in self.exchange.fills(account, symbol=symbol, limit=1000):
                    sides[fill.trade_id].append(fill)
            trades = [event for event in self.events if isinstance(event, Trade) and event.symbol == symbol]
            assert [trade.id for trade in trades] == list(range(1, len(trades) + 1))
            assert set(sides) == {trade.id for trade in trades}
            for trade in trades:
                one, other = sides[trade.id]
                assert {one.side, other.side} == set(Side)
                assert {one.is_maker, other.is_maker} == {True, False}
                assert one.account != other.account
                assert (one.price, one.quantity) == (other.price, other.quantity) == (trade.price, trade.quantity)

    def deltas_rebuild_the_books(self) -> None:
        for symbol, spec in SPECS.items():
            changes = [event for event in self.events if isinstance(event, DepthChanged) and event.symbol == symbol]
            assert all(
                after.delta.first_update_id == before.delta.last_update_id + 1 for before, after in pairwise(changes)
            )
            bids: dict[Decimal, Decimal] = {}
            asks: dict[Decimal, Decimal] = {}
            for change in changes:
                for levels, changed in ((bids, change.delta.bids), (asks, change.delta.asks)):
                    levels.update(changed)
                    for price in [price for price, quantity in levels.items() if quantity == 0]:
                        del levels[price]
            if self.exchange.market(spec.symbol).state is not BookState.CLOSED:
                depth = self.exchange.depth(symbol)
                assert tuple(sorted(bids.items())) == depth.bids
                assert tuple(sorted(asks.items())) == depth.asks
                assert depth.last_update_id == (changes[-1].delta.last_update_id if changes else 0)
            tops = [
                event.best for event in self.events if isinstance(event, BestPricesChanged) and event.symbol == symbol
            ]
            bid, ask = max(bids, default=None), min(asks, default=None)
            best = BestPrices(bid, bids[bid] if bid is not None else None, ask, asks[ask] if ask is not None else None)
            assert (tops[-1] if tops else BestPrices()) == best

    def last_balance_events_are_the_balances(self) -> None:
        last = {(event.account, event.asset): event for event in self.events if isinstance(event, BalanceChanged)}
        for account in ACCOUNTS:
            for asset, balance in self.exchange.balances(account).items():
                assert last[account, asset].balance == balance

    def orders_add_up_to_their_fills(self) -> None:
        with localcontext() as context:
            context.prec = 200
            filled: dict[int, Decimal] = defaultdict(Decimal)
            for event in self.events:
                if isinstance(event, OrderFilled):
                    filled[event.order.id] += event.fill.quantity
                    assert event.order.executed_quantity == filled[event.order.id]
            for account in ACCOUNTS:
                for order in self.exchange.order_history(account, limit=1000):
                    assert order.executed_quantity == filled[order.id]
                    assert (order.status is OrderStatus.FILLED) <= (order.executed_quantity > 0)


Trading.TestCase.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
TestTrading = Trading.TestCase


@pytest.mark.parametrize("seed", range(4))
def test_a_busy_session_agrees_with_the_reference(seed: int) -> None:
    """Denser than the machine gets by itself: full books, and takers that walk through several levels."""
    random = Random(seed)
    trading = Trading()
    trading.open_the_exchange(maker_bps="8", taker_bps="10")
    for account in ACCOUNTS:
        for asset in ASSETS:
            trading.credit(account, asset, dec("100"))
    for number in range(900):
        account, side = random.choice(ACCOUNTS), random.choice(list(Side))
        prevention = random.choice(list(SelfTradePrevention))
        time_in_force = random.choice([*TimeInForce, TimeInForce.GTC, TimeInForce.GTC])
        steps = random.randint(1, 9)
        if random.random() < 0.8:
            ticks = random.randint(1, 14) if side is Side.BID else random.randint(12, 25)
            trading.limit_order(account, "SOL_USDC", side, ticks, steps, time_in_force, prevention, None)
        else:
            by_quote = random.random() < 0.5
            ticks = random.randint(1, 4000)
            trading.market_order(account, "SOL_USDC", side, 2 * steps, by_quote, ticks, time_in_force, prevention)
        if number % 30 == 0:
            for check in (
                trading.money_is_conserved,
                trading.no_balance_is_negative,
                trading.locked_is_what_open_orders_require,
                trading.books_agree_with_the_reference_and_are_not_crossed,
                trading.open_orders_are_the_resting_ones,
            ):
                check()
    trading.teardown()
    assert len(trading.exchange.trades("SOL_USDC", limit=1000)) > 200  # else the session proves little

"""The gate that keeps trades complete: each once and in order, whatever is lost, against a plain list."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from backpack_sdk._core.events import POLLED, attach
from backpack_sdk.streams.events import Trade
from backpack_sdk.streams.trades import TradeGate


def made(number: int, *, polled: bool = False, price: int = 1) -> Trade:
    trade = Trade.from_wire(
        {"e": "trade", "E": number, "T": number, "s": "SOL_USDC", "p": str(price), "q": "1", "t": number, "m": True}
    )
    if polled:
        attach(trade, POLLED, True)
    return trade


def numbers(trades: Sequence[Trade]) -> list[int]:
    return [trade.trade_id for trade in trades]


def recent(*wanted: int) -> list[Trade]:
    return [made(number, polled=True) for number in wanted]


@pytest.fixture
def gate() -> TradeGate:
    """At trade 10."""
    gate = TradeGate()
    assert numbers(gate.on_trade(made(10))) == [10]
    return gate


def test_trades_in_order_pass_at_once_and_old_ones_do_not(gate: TradeGate) -> None:
    assert numbers(gate.on_trade(made(11))) == [11]
    assert gate.on_trade(made(11)) == ()
    assert gate.on_trade(made(3)) == ()
    assert not gate.wants_history


def test_a_hole_is_filled_from_rest_in_order(gate: TradeGate) -> None:
    assert gate.on_trade(made(14)) == ()
    assert gate.wants_history
    assert gate.on_trade(made(15)) == ()
    filled = gate.on_recent(reversed(recent(9, 10, 11, 12, 13, 14)))
    assert numbers(filled) == [11, 12, 13, 14, 15]
    assert [trade.polled for trade in filled] == [True, True, True, False, False]
    assert (gate.filled, gate.missed, gate.wants_history) == (3, 0, False)
    assert numbers(gate.on_trade(made(16))) == [16]


def test_what_happened_while_the_connection_was_lost_comes_first(gate: TradeGate) -> None:
    gate.on_lost()
    assert gate.wants_history
    assert gate.on_trade(made(13)) == ()
    assert numbers(gate.on_recent(recent(8, 9, 10, 11, 12, 13))) == [11, 12, 13]


def test_history_that_is_behind_is_asked_for_again(gate: TradeGate) -> None:
    gate.on_trade(made(14))
    assert gate.on_recent(recent(9, 10)) == ()
    assert gate.wants_history
    assert numbers(gate.on_recent(recent(10, 11))) == [11]
    assert gate.wants_history
    assert numbers(gate.on_recent(recent(10, 11, 12, 13))) == [12, 13, 14]
    assert gate.missed == 0


def test_a_second_hole_that_history_has_not_reached_yet_is_no_hole_in_the_numbers(gate: TradeGate) -> None:
    gate.on_trade(made(12))
    gate.on_trade(made(15))
    assert numbers(gate.on_recent(recent(10, 11, 12))) == [11, 12]
    assert gate.wants_history
    gate.on_trade(made(17))
    assert numbers(gate.on_recent(recent(11, 12, 13, 14, 15))) == [13, 14, 15]
    assert numbers(gate.on_recent(recent(14, 15, 16, 17))) == [16, 17]
    assert (gate.missed, gate.wants_history) == (0, False)


def test_history_that_gets_on_may_be_asked_any_number_of_times(gate: TradeGate) -> None:
    gate.on_trade(made(12))
    for number in range(12, 60, 2):
        gate.on_trade(made(number + 2))
        assert numbers(gate.on_recent(recent(*range(1, number + 1)))) == [number - 1, number]
    assert gate.missed == 0


def test_what_history_does_not_reach_is_counted_as_missed(gate: TradeGate) -> None:
    gate.on_trade(made(100))
    assert numbers(gate.on_recent(recent(98, 99, 100))) == [98, 99, 100]
    assert (gate.missed, gate.filled) == (87, 2)


def test_history_that_stays_behind_does_not_hold_trades_for_ever(gate: TradeGate) -> None:
    gate.on_trade(made(14))
    assert [numbers(gate.on_recent(recent(10))) for _ in range(3)] == [[], [], [14]]
    assert gate.missed == 3


def test_giving_up_passes_on_what_is_held(gate: TradeGate) -> None:
    for number in (14, 13, 14, 9):
        gate.on_trade(made(number))
    assert numbers(gate.give_up()) == [13, 14]
    assert gate.missed == 2
    assert gate.give_up() == ()


def test_trades_are_not_held_without_limit(gate: TradeGate) -> None:
    passed = [trade for number in range(20, 10_021) for trade in gate.on_trade(made(number))]
    assert numbers(passed) == list(range(20, 10_021))
    assert not gate.wants_history


def test_trades_without_a_number_pass(gate: TradeGate) -> None:
    assert numbers(gate.on_trade(made(0))) == [0]
    gate.on_trade(made(12))
    gate.on_trade(made(0))
    assert numbers(gate.on_recent(recent(11))) == [0, 11, 12]


def test_a_market_whose_numbers_have_holes_is_not_held_up_again(gate: TradeGate) -> None:
    gate.on_trade(made(20))
    assert numbers(gate.on_recent(recent(5, 10, 20))) == [20]
    assert gate.missed == 0
    assert numbers(gate.on_trade(made(30))) == [30]


def test_the_first_history_only_says_where_to_begin() -> None:
    gate = TradeGate()
    assert gate.on_recent(recent(1, 2, 3)) == ()
    assert numbers(gate.on_recent(recent(2, 3, 4))) == [4]
    assert gate.on_recent([]) == ()


def test_nothing_is_expected_before_the_first_trade() -> None:
    gate = TradeGate()
    gate.on_lost()
    assert not gate.wants_history
    assert numbers(gate.on_trade(made(7))) == [7]


class TradeMachine(RuleBasedStateMachine):
    """A socket that loses, repeats and cuts off, and a history of limited reach that may be behind."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = TradeGate()
        self.happened = 0
        self.first: int | None = None
        self.passed: list[int] = []
        self.connected = True
        self.reach_broken = False

    def take(self, trades: Sequence[Trade]) -> None:
        self.passed += numbers(trades)
        if self.first is None and self.passed:
            self.first = self.passed[0]

    @rule(heard=st.lists(st.booleans(), min_size=1, max_size=6))
    def happen(self, heard: list[bool]) -> None:
        for arrives in heard:
            self.happened += 1
            if self.connected and arrives:
                self.take(self.gate.on_trade(made(self.happened)))

    @precondition(lambda self: self.connected and self.happened)
    @rule(back=st.integers(0, 3))
    def repeat(self, back: int) -> None:
        if not self.gate.wants_history and self.happened - back >= 1 and self.passed:
            number = self.happened - back
            if number <= self.passed[-1]:
                self.take(self.gate.on_trade(made(number)))

    @rule()
    def lose(self) -> None:
        self.connected = False
        self.gate.on_lost()

    @rule()
    def connect(self) -> None:
        self.connected = True
        self.gate.on_lost()

    @precondition(lambda self: self.gate.wants_history)
    @rule(behind=st.integers(0, 6))
    def fetch(self, behind: int) -> None:
        self.take(self.gate.on_recent(recent(*range(1, self.happened + 1 - behind))))

    @invariant()
    def each_once_and_in_order(self) -> None:
        assert self.passed == sorted(set(self.passed))

    @invariant()
    def complete_unless_counted(self) -> None:
        if self.passed and self.first is not None:
            lost = self.passed[-1] - self.first + 1 - len(self.passed)
            assert lost == self.gate.missed

    def teardown(self) -> None:
        self.happened += 1
        self.take(self.gate.on_trade(made(self.happened)))
        while self.gate.wants_history:
            self.take(self.gate.on_recent(recent(*range(1, self.happened + 1))))
        assert self.passed[-1] == self.happened
        self.each_once_and_in_order()
        self.complete_unless_counted()


TestTradeMachine = TradeMachine.TestCase
TestTradeMachine.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)

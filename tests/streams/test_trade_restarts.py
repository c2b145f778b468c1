"""Trade numbers that begin anew, told apart from repetitions and from a REST that is behind."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from backpack_sdk._core.events import POLLED, attach
from backpack_sdk.streams.events import Trade
from backpack_sdk.streams.trades import TradeGate
from tests.streams.desk import streaming, take
from tests.streams.stream_server import StreamServer, answering, rest_trade, trade, until

LATER = 60_000_000
"""A minute."""


def made(number: int, *, at: int = 0, polled: bool = False, price: int = 1) -> Trade:
    event = Trade(
        event_time_us=at + number, engine_time_us=at + number, symbol="SOL_USDC", price=Decimal(price),
        quantity=Decimal(1), trade_id=number, is_buyer_maker=True,
    )  # fmt: skip
    if polled:
        attach(event, POLLED, True)
    return event


def live(gate: TradeGate, *wanted: int, at: int = LATER) -> list[int]:
    return numbers([event for number in wanted for event in gate.on_trade(made(number, at=at))])


def recent(*wanted: int, at: int = LATER, price: int = 1) -> list[Trade]:
    return [made(number, at=at, polled=True, price=price) for number in wanted]


def numbers(trades: Sequence[Trade]) -> list[int]:
    return [event.trade_id for event in trades]


@pytest.fixture
def gate() -> TradeGate:
    """At trade 1000."""
    gate = TradeGate()
    assert live(gate, 999, 1000, at=0) == [999, 1000]
    return gate


def test_history_that_is_below_and_later_begins_anew(gate: TradeGate) -> None:
    gate.on_lost()
    assert live(gate, 3, 4) == []
    assert numbers(gate.on_recent(recent(1, 2, 3))) == [1, 2, 3, 4]
    assert (gate.restarts, gate.missed, gate.filled, gate.wants_history) == (1, 0, 2, False)
    assert live(gate, 5, 6) == [5, 6]


def test_polls_alone_show_that_numbers_began_anew(gate: TradeGate) -> None:
    gate.on_lost()
    assert numbers(gate.on_recent(recent(1, 2))) == [1, 2]
    assert numbers(gate.on_recent(recent(1, 2, 3))) == [3]
    assert gate.restarts == 1


def test_holes_after_the_beginning_are_counted(gate: TradeGate) -> None:
    gate.on_lost()
    live(gate, 3, 9)
    assert numbers(gate.on_recent(recent(5, 6))) == [3, 5, 6]
    assert numbers(gate.on_recent(recent(7, 8, 9))) == [7, 8, 9]
    assert (gate.restarts, gate.missed) == (1, 1)


def test_a_late_reply_begins_nothing(gate: TradeGate) -> None:
    gate.on_lost()
    assert gate.on_recent(recent(990, 991, at=0)) == ()
    gate.on_lost()
    live(gate, 1003, at=0)
    assert gate.on_recent(recent(990, 991, at=0)) == ()
    assert numbers(gate.on_recent(recent(1000, 1001, 1002, at=0))) == [1001, 1002, 1003]
    assert gate.restarts == 0


def test_a_late_reply_with_times_that_differ_a_little_begins_nothing(gate: TradeGate) -> None:
    gate.on_lost()
    assert gate.on_recent(recent(990, 991, at=4_000_000)) == ()
    assert gate.restarts == 0


def test_a_late_reply_while_live_trades_begin_anew_is_asked_for_again(gate: TradeGate) -> None:
    gate.on_lost()
    live(gate, 7, 8)
    assert gate.on_recent(recent(990, 991, 1000, at=0)) == ()
    assert gate.wants_history
    assert numbers(gate.on_recent(recent(6, 7))) == [6, 7, 8]
    assert (gate.restarts, gate.missed) == (1, 0)


@pytest.mark.parametrize("reply", [[], [990, 991], [990, 1000]])
def test_live_trades_that_are_below_and_later_begin_anew_without_history(gate: TradeGate, reply: list[int]) -> None:
    gate.on_lost()
    live(gate, 7, 9)
    assert [numbers(gate.on_recent(recent(*reply, at=0))) for _ in range(3)] == [[], [], [7, 9]]
    assert (gate.restarts, gate.missed, gate.wants_history) == (1, 1, False)
    gate.on_lost()
    live(gate, 3, at=2 * LATER)
    assert numbers(gate.give_up()) == [3]
    assert gate.restarts == 2


def test_live_trades_that_go_on_above_rule_a_new_beginning_out(gate: TradeGate) -> None:
    gate.on_lost()
    live(gate, 5, 1002)
    assert gate.on_recent(recent(3, 4, 5)) == ()
    assert gate.restarts == 0
    assert numbers(gate.on_recent(recent(1000, 1001, 1002))) == [1001, 1002]


def test_repetitions_after_a_reconnection_begin_nothing(gate: TradeGate) -> None:
    gate.on_lost()
    live(gate, *range(901, 1001), at=0)
    assert gate.on_recent(recent(*range(901, 991), at=0)) == ()
    assert (gate.restarts, gate.wants_history) == (0, False)
    assert live(gate, 1001) == [1001]


# A clock that began anew as well


def test_live_trades_far_below_that_history_has_too_begin_anew(gate: TradeGate) -> None:
    gate.on_lost()
    live(gate, 3, 4, at=0)
    assert gate.on_recent(recent(1, 2, at=0)) == (), "none of the live ones is among them yet"
    assert numbers(gate.on_recent(recent(1, 2, 3, 4, at=0))) == [1, 2, 3, 4]
    assert (gate.restarts, gate.missed) == (1, 0)


def test_a_late_reply_with_other_trades_under_the_same_numbers_begins_nothing(gate: TradeGate) -> None:
    gate.on_lost()
    live(gate, 3, 4, at=0)
    late = recent(*range(1, 800), at=0, price=2)
    assert [gate.on_recent(late) for _ in range(3)] == [(), (), ()]
    assert (gate.restarts, gate.wants_history) == (0, False)


def test_live_trades_that_are_not_far_below_begin_nothing(gate: TradeGate) -> None:
    """Both the socket and REST are those of a server that is behind."""
    gate.on_lost()
    live(gate, 950, 951, at=0)
    assert gate.on_recent(recent(949, 950, 951, at=0)) == ()
    assert (gate.restarts, gate.wants_history) == (0, False)


def test_after_history_far_below_one_old_trade_has_it_asked_for_again(gate: TradeGate) -> None:
    gate.on_lost()
    assert gate.on_recent(recent(1, 2, at=0)) == ()
    assert not gate.wants_history
    assert live(gate, 3, at=0) == []
    assert gate.wants_history
    assert numbers(gate.on_recent(recent(1, 2, 3, at=0))) == [1, 2, 3]


# Without a reconnection


def test_one_trade_that_is_below_and_later_has_history_asked_for(gate: TradeGate) -> None:
    assert live(gate, 1) == []
    assert gate.wants_history
    assert numbers(gate.on_recent(recent(1, 2))) == [1, 2]
    assert gate.restarts == 1


def test_so_many_old_trades_in_a_row_have_history_asked_for(gate: TradeGate) -> None:
    assert live(gate, *range(1, 100), at=0) == []
    assert not gate.wants_history
    assert live(gate, 100, at=0) == []
    assert gate.wants_history
    assert numbers(gate.on_recent(recent(*range(1, 101), at=0))) == list(range(1, 101))
    assert gate.restarts == 1


def test_repetitions_between_new_trades_are_no_run(gate: TradeGate) -> None:
    for number in range(1001, 1200):
        assert live(gate, number, number, number - 1, at=0) == [number]
    assert not gate.wants_history


def test_a_run_of_repetitions_costs_one_request(gate: TradeGate) -> None:
    live(gate, *[1000] * 100, at=0)
    assert gate.wants_history
    assert gate.on_recent(recent(999, 1000, at=0)) == ()
    assert (gate.restarts, gate.wants_history) == (0, False)


async def test_trades_go_on_after_the_server_has_lost_its_state(caplog: pytest.LogCaptureFixture) -> None:
    happened = list(range(995, 1001))
    async with StreamServer() as server:
        server.rest = answering("/api/v1/trades", lambda: (200, [rest_trade(number) for number in happened]))
        async with streaming(server) as ws:
            stream = ws.trades("SOL_USDC")
            await (await server.peer()).subscribed("trade.SOL_USDC")
            server.peers[0].send("trade.SOL_USDC", trade(1000))
            await take(stream, 1)
            happened[:] = range(1, 4)
            server.peers[0].abort()
            peer = await server.peer(2)
            await peer.subscribed("trade.SOL_USDC")
            for number in (3, 4):
                peer.send("trade.SOL_USDC", trade(number))
            assert [event.trade_id for event in await take(stream, 4)] == [1, 2, 3, 4]
            await until(lambda: "trade.SOL_USDC: the exchange began to number its trades anew" in caplog.text)


class RestartMachine(RuleBasedStateMachine):
    """A server that now and then loses its state, a socket that loses and repeats, and a REST that is behind or stale.

    Each count begins far below the one before. The price of a trade tells which count it is of.
    """

    STARTS = (100_000, 10_000, 1_000, 1)

    def __init__(self) -> None:
        super().__init__()
        self.gate = TradeGate()
        self.count = 0
        self.counts: list[list[int]] = [[]]
        """Numbers of the trades that happened, for each count."""
        self.now = 0
        self.times: dict[tuple[int, int], int] = {}
        self.connected = True
        self.passed: list[tuple[int, int]] = []
        self.first: tuple[int, int] | None = None
        """Where a first history said to begin."""

    def made(self, count: int, number: int, *, polled: bool = False) -> Trade:
        return made(number, at=self.times[count, number], polled=polled, price=count + 1)

    def take(self, trades: Sequence[Trade]) -> None:
        self.passed += [(int(event.price) - 1, event.trade_id) for event in trades]

    def trade(self) -> Trade:
        """The next trade."""
        self.now += 1_000
        number = self.STARTS[self.count] + len(self.counts[self.count])
        self.counts[self.count].append(number)
        self.times[self.count, number] = self.now
        return self.made(self.count, number)

    @rule(heard=st.lists(st.booleans(), min_size=1, max_size=6))
    def happen(self, heard: list[bool]) -> None:
        for arrives in heard:
            event = self.trade()
            if self.connected and arrives:
                self.take(self.gate.on_trade(event))

    @precondition(lambda self: self.connected and self.passed)
    @rule(back=st.integers(0, 150), run=st.integers(1, 150))
    def repeat(self, back: int, run: int) -> None:
        """The server repeats trades of the count that the gate has reached, as one that is behind does, too."""
        count, last = self.passed[-1]
        if count == self.count:
            first = max(last - back, self.STARTS[count])
            for number in range(first, min(first + run, last + 1)):
                self.take(self.gate.on_trade(self.made(count, number)))

    @rule()
    def lose(self) -> None:
        self.connected = False
        self.gate.on_lost()

    @rule()
    def connect(self) -> None:
        self.connected = True
        self.gate.on_lost()

    @precondition(lambda self: self.count < 3 and self.passed and self.passed[-1][0] == self.count)
    @rule(cuts=st.booleans())
    def restart(self, cuts: bool) -> None:
        """With a cut or, behind a proxy that keeps the socket, without; not twice before one was noticed."""
        self.count += 1
        self.counts.append([])
        self.now += LATER
        if cuts:
            self.lose()

    @rule(behind=st.integers(0, 6), stale=st.booleans(), asked=st.booleans())
    def fetch(self, behind: int, stale: bool, asked: bool) -> None:
        """REST answers a fill, or a poll; stale is what it said before the server lost its state."""
        if asked and not self.gate.wants_history:
            return
        reached = self.passed[-1][0] if self.passed else self.count
        count = min(self.count, max(0, self.count - 1, reached)) if stale else self.count
        happened = self.counts[count][: max(0, len(self.counts[count]) - behind)]
        if not self.passed and self.first is None and happened:
            self.first = count, happened[-1]
        self.take(self.gate.on_recent([self.made(count, one, polled=True) for one in happened]))

    @precondition(lambda self: self.gate.wants_history)
    @rule()
    def give_up(self) -> None:
        self.take(self.gate.give_up())

    @invariant()
    def each_once_and_in_order(self) -> None:
        assert self.passed == sorted(set(self.passed), key=lambda one: (one[0], one[1]))

    @invariant()
    def complete_unless_counted(self) -> None:
        lost = 0
        for count in range(self.count + 1):
            begun = [self.first] if self.first is not None else []
            mine = [number for of, number in (*begun, *self.passed) if of == count]
            lost += mine[-1] - mine[0] + 1 - len(mine) if mine else 0
        assert lost == self.gate.missed

    @invariant()
    def restarts_are_counted(self) -> None:
        counts = {count for count, _ in self.passed}
        assert self.gate.restarts <= self.count
        assert self.gate.restarts >= len(counts) - 1

    def teardown(self) -> None:
        self.now += LATER
        event = self.trade()
        self.take(self.gate.on_trade(event))
        while self.gate.wants_history:
            self.take(self.gate.on_recent([self.made(self.count, one, polled=True) for one in self.counts[self.count]]))
        if self.passed:
            assert self.passed[-1] == (self.count, event.trade_id)
        self.each_once_and_in_order()
        self.complete_unless_counted()


TestRestartMachine = RestartMachine.TestCase
TestRestartMachine.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)

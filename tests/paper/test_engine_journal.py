"""Commands written down as JSON and carried out again give the same exchange."""

from __future__ import annotations

import json
from inspect import signature
from typing import Any

import pytest

from backpack_sdk.paper.default_services import provide_services
from backpack_sdk.paper.engine import (
    BorrowLendSide,
    Command,
    Exchange,
    ExitLeg,
    FeeRates,
    Ladder,
    NewStrategy,
    Refused,
    Side,
    Slippage,
    SlippageType,
    TimeInForce,
    Trigger,
    TriggerBy,
    replay,
    seed_book,
)
from backpack_sdk.paper.engine.journal import COMMANDS, decode, encode

from .engine_desk import SOL_USDC, dec
from .perp_desk import PERP, PerpDesk, perp


class Recorded(PerpDesk):
    """A desk that writes everything down, from the first market on."""

    def __init__(self) -> None:
        super().__init__()
        self.commands: list[Command] = []
        self.exchange = Exchange(first_order_id=77)
        self.exchange.record(lambda command: self.commands.append(json.loads(json.dumps(command))))
        self.exchange.add_market(SOL_USDC)
        self.exchange.add_market(perp())
        for account in self.accounts:
            self.exchange.open_account(account, FeeRates(futures_taker_bps=dec("3.5")))
            self.exchange.deposit(account, "USDC", dec("10000.000000000000000001"), now_us=self.tick())

    def again(self) -> Exchange:
        """The exchange that comes of what was written down."""
        return replay(self.commands, first_order_id=77)


def busy() -> Recorded:
    """A session with a bit of everything."""
    desk = Recorded()
    seed_book(desk.exchange, PERP, Ladder(mid=dec("100"), quantity=dec("3")), now_us=desk.tick())
    desk.bid("alice", None, "5", stop_loss=ExitLeg(dec("98"), by=TriggerBy.MARK), take_profit=ExitLeg(dec("103")))
    desk.bid("bob", "99.95", "1.0", client_id=7, time_in_force=TimeInForce.GTC)
    desk.ask("carol", None, "4", slippage=Slippage(dec("1"), SlippageType.PERCENT))
    desk.ask("alice", None, None, trigger=Trigger(dec("90"), percent=dec("50")), reduce_only=True)
    with pytest.raises(Refused):
        desk.bid("alice", "100.001", "1")
    with pytest.raises(Refused):
        desk.bid("alice", "100", "100000")
    strategy = NewStrategy(symbol=PERP, side=Side.ASK, quantity=dec("5"), duration_ms=60_000, interval_ms=10_000)
    desk.exchange.create_strategy("bob", strategy, now_us=desk.tick())
    desk.mark("99.5", "99")
    desk.advance(7_500)
    desk.exchange.update_settings("alice", leverage_limit=dec(5), auto_lend=True, now_us=desk.tick())
    desk.exchange.cancel_all("alice", PERP, now_us=desk.tick())
    return desk


def test_a_replay_gives_the_same_state_and_the_same_events() -> None:
    desk = busy()
    again = desk.again()
    assert again.digest() == desk.exchange.digest()
    assert again.order_history("alice") == desk.exchange.order_history("alice")
    assert again.positions("bob") == desk.exchange.positions("bob")
    order = desk.bid("alice", "90", "1")
    assert again.apply(desk.commands[-1]).value == order
    assert again.digest() == desk.exchange.digest()


def test_every_prefix_can_be_carried_on_from() -> None:
    desk = busy()
    middle = len(desk.commands) // 2
    again = replay(desk.commands[:middle], first_order_id=77)
    for command in desk.commands[middle:]:
        try:
            again.apply(command)
        except Refused:
            continue
    assert again.digest() == desk.exchange.digest()


def test_a_digest_tells_states_apart_and_equal_numbers_alike() -> None:
    desk = busy()
    before = desk.exchange.digest()
    desk.exchange.deposit("alice", "USDC", dec("1E-18"), now_us=desk.tick())
    assert desk.exchange.digest() != before


def test_commands_within_commands_are_written_down_once() -> None:
    desk = Recorded()
    count = len(desk.commands)
    desk.advance(10)
    assert [command["kind"] for command in desk.commands[count:]] == ["advance"]


def test_recording_ends_on_request() -> None:
    desk = Recorded()
    desk.exchange.record(None)
    count = len(desk.commands)
    desk.bid("alice", "90", "1")
    assert len(desk.commands) == count


@pytest.mark.parametrize("command", [{}, {"kind": "digest"}, {"kind": "advance", "now": 5}])
def test_what_is_no_command_is_an_error(command: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no "):
        Exchange().apply(command)


def test_every_method_that_takes_the_time_and_changes_something_is_a_command() -> None:
    questions = {"ticker"}
    timed = {
        name
        for name, member in ((name, getattr(Exchange, name)) for name in dir(Exchange))
        if callable(member) and not name.startswith("_") and "now_us" in signature(member).parameters
    }
    assert timed - questions <= set(COMMANDS)


def test_values_survive_the_way_through_json() -> None:
    for value in (FeeRates(dec("-1.5")), perp(), Trigger(dec("1.50"), percent=dec("80"), by=TriggerBy.INDEX)):
        assert decode(type(value), json.loads(json.dumps(encode(value)))) == value


def test_services_are_written_down_too() -> None:
    desk = Recorded()
    provide_services(desk.exchange, now_us=desk.tick())
    exchange = desk.exchange
    exchange.deposit("alice", "SOL", dec("50"), now_us=desk.tick())
    exchange.borrow_lend("alice", "SOL", BorrowLendSide.LEND, dec("12"), now_us=desk.tick())
    exchange.borrow_lend("bob", "SOL", BorrowLendSide.BORROW, dec("1"), now_us=desk.tick())
    asked = exchange.submit_rfq("alice", "SOL_USDC_RFQ", Side.BID, quantity=dec("2"), now_us=desk.tick()).value
    exchange.cancel_rfq("alice", rfq_id=asked.id, now_us=desk.tick())
    desk.advance(7_200)
    again = desk.again()
    assert again.digest() == exchange.digest()
    assert again.total("SOL") == exchange.total("SOL")
    assert again.lending.owed("bob", "SOL") == exchange.lending.owed("bob", "SOL") > 1

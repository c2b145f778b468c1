"""Positions in perpetuals: opened, enlarged, reduced, turned around and closed, with money that adds up."""

from __future__ import annotations

import pytest

from backpack_sdk.paper.default_services import provide_services
from backpack_sdk.paper.engine import (
    BalanceChanged,
    BorrowLendSide,
    ErrorCode,
    FeeRates,
    MarketType,
    OrderFilled,
    PositionChange,
    PositionChanged,
    PositionState,
    Refused,
    Side,
)

from .engine_desk import SOL_USDC, dec
from .perp_desk import FUTURES, NO_FEES, PERP, PerpDesk, group, perp


def test_a_trade_opens_two_positions_and_moves_no_money() -> None:
    desk = PerpDesk()
    desk.trade("alice", "bob", "100", "5")
    alice, bob = desk.position("alice"), desk.position("bob")
    assert alice is not None
    assert bob is not None
    assert group(alice.quantity, alice.entry_price, alice.cost) == (5, 100, 500)
    assert group(bob.quantity, bob.entry_price, bob.cost) == (-5, 100, -500)
    assert group(alice.break_even_price, alice.realized, alice.unrealized) == (100, 0, 0)
    assert desk.usdc("alice") == desk.usdc("bob") == 10000
    changed = [(event.position.account, event.change) for event in desk.seen(PositionChanged)]
    assert changed == [("bob", PositionChange.OPENED), ("alice", PositionChange.OPENED)]
    desk.check()


def test_enlarging_a_position_averages_its_entry_price() -> None:
    desk = PerpDesk()
    desk.trade("alice", "bob", "100", "1")
    desk.trade("alice", "bob", "103", "2")
    position = desk.position("alice")
    assert position is not None
    assert group(position.quantity, position.entry_price) == (3, 102)
    assert [event.change for event in desk.seen(PositionChanged)] == [PositionChange.ADJUSTED] * 2


def test_closing_pays_the_gain_and_collects_the_loss() -> None:
    desk = PerpDesk()
    desk.trade("alice", "bob", "100", "5")
    desk.trade("bob", "alice", "110", "5")
    assert group(desk.usdc("alice"), desk.usdc("bob")) == (10050, 9950)
    assert desk.position("alice") is None
    assert [event.change for event in desk.seen(PositionChanged)] == [PositionChange.CLOSED] * 2
    (closed,) = desk.exchange.position_history("alice")
    assert group(closed.state, closed.realized, closed.closed_volume) == (PositionState.CLOSED, 50, 5)
    assert group(closed.entry_price, closed.closing_price, closed.quantity) == (100, 110, 0)
    assert {event.asset for event in desk.seen(BalanceChanged)} == {"USDC"}
    desk.check()


def test_a_third_of_an_odd_position_leaves_no_digit_behind() -> None:
    desk = PerpDesk()
    desk.trade("alice", "bob", "100", "0.1")
    desk.trade("alice", "bob", "100.01", "0.2")
    desk.trade("carol", "alice", "100.05", "0.1")
    desk.check()
    desk.trade("carol", "alice", "99.99", "0.2")
    desk.check()
    assert desk.usdc("alice") == 10000 + dec("10.005") + dec("19.998") - dec("10") - dec("20.002")


def test_an_order_beyond_the_position_turns_it_around_as_a_new_one() -> None:
    desk = PerpDesk()
    desk.trade("alice", "bob", "100", "2")
    first = desk.position("alice")
    desk.trade("carol", "alice", "90", "5")
    second = desk.position("alice")
    assert first is not None
    assert second is not None
    assert group(second.quantity, second.entry_price, second.realized) == (-3, 90, 0)
    assert second.id != first.id
    assert desk.usdc("alice") == 9980
    changes = [event.change for event in desk.seen(PositionChanged) if event.position.account == "alice"]
    assert changes == [PositionChange.CLOSED, PositionChange.OPENED]
    desk.check()


def test_fees_are_charged_in_usdc_and_move_the_break_even_price() -> None:
    desk = PerpDesk(FeeRates())
    desk.trade("alice", "bob", "100", "10")
    assert desk.usdc("alice") == dec("9999.5")  # 5 basis points of 1000
    assert desk.usdc("bob") == dec("9999.8")  # 2 basis points
    fees = [(event.fill.fee, event.fill.fee_asset) for event in desk.seen(OrderFilled)]
    assert fees == [(dec("0.2"), "USDC"), (dec("0.5"), "USDC")]
    alice, bob = desk.position("alice"), desk.position("bob")
    assert alice is not None
    assert bob is not None
    assert (alice.break_even_price, bob.break_even_price) == (dec("100.05"), dec("99.98"))
    assert (alice.fees, bob.fees) == (dec("0.5"), dec("0.2"))
    assert desk.exchange.collected_fees() == {"USDC": dec("0.7")}
    desk.check()


def test_a_maker_rebate_is_paid_out_of_the_fees() -> None:
    desk = PerpDesk(FeeRates(futures_maker_bps=dec("-1"), futures_taker_bps=dec("3")))
    desk.trade("alice", "bob", "100", "10")
    assert desk.usdc("bob") == dec("10000.1")
    assert desk.exchange.collected_fees() == {"USDC": dec("0.2")}
    desk.check()


def test_the_unrealized_gain_follows_the_mark_price() -> None:
    desk = PerpDesk()
    desk.trade("alice", "bob", "100", "5")
    desk.mark("104")
    alice, bob = desk.position("alice"), desk.position("bob")
    assert alice is not None
    assert bob is not None
    assert group(alice.unrealized, bob.unrealized) == (20, -20)
    assert alice.mark_price == 104


def test_exposure_counts_open_orders_at_their_worst() -> None:
    desk = PerpDesk()
    desk.trade("alice", "bob", "100", "5")
    desk.bid("alice", "90", "3")
    desk.ask("alice", "120", "20")
    position = desk.position("alice")
    assert position is not None
    assert position.exposure_quantity == 15
    assert position.exposure_notional == 1500


def test_open_interest_is_the_sum_of_the_longs() -> None:
    desk = PerpDesk()
    desk.trade("alice", "bob", "100", "5")
    desk.trade("alice", "carol", "100", "2")
    assert desk.exchange.open_interest(PERP) == 7
    desk.trade("bob", "alice", "100", "4")
    assert desk.exchange.open_interest(PERP) == 3
    with pytest.raises(Refused) as caught:
        desk.exchange.open_interest("SOL_USDC")
    assert caught.value.code is ErrorCode.INVALID_MARKET


def test_the_position_history_pages_and_filters() -> None:
    desk = PerpDesk()
    desk.trade("alice", "bob", "100", "1")
    desk.trade("bob", "alice", "101", "1")
    desk.trade("alice", "bob", "102", "1")
    history = desk.exchange.position_history
    newest, oldest = history("alice")
    assert (newest.state, oldest.state) == (PositionState.OPEN, PositionState.CLOSED)
    assert history("alice", state=PositionState.CLOSED) == (oldest,)
    assert history("alice", limit=1, offset=1) == (oldest,)
    assert history("alice", symbol="SOL_USDC") == ()


def test_a_debt_is_paid_from_the_next_deposit() -> None:
    desk = PerpDesk()
    exchange = desk.exchange
    exchange.open_account("dora", FeeRates(futures_taker_bps=dec(0)))
    exchange.deposit("dora", "SOL", dec("100"), now_us=desk.tick())
    exchange.set_mark_price("SOL_USDC", dec(100), dec(100), now_us=desk.tick())
    desk.ask("alice", "100", "5")
    desk.bid("dora", "100", "5")
    desk.bid("alice", "98", "5")
    desk.ask("dora", "98", "5")
    assert exchange.house.debts == {"dora": 10}
    assert desk.usdc("alice") == 10010
    exchange.deposit("dora", "USDC", dec("25"), now_us=desk.tick())
    desk.advance()
    assert exchange.house.debts == {}
    assert desk.usdc("dora") == 15


@pytest.mark.parametrize(
    "changes",
    [{"market_type": MarketType.SPOT}, {"futures": None}, {"quote": "BTC"}],
)
def test_a_perpetual_needs_futures_rules_and_settles_in_usdc(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="perpetual"):
        perp(**changes)


def test_perpetuals_and_spot_share_balances_but_not_books() -> None:
    desk = PerpDesk()
    desk.ask("bob", "100", "1")
    assert desk.exchange.depth("SOL_USDC").asks == ()
    refused = desk.refusal("alice", Side.ASK, "100", "1", symbol=SOL_USDC.symbol)
    assert refused.code is ErrorCode.INSUFFICIENT_FUNDS
    assert FUTURES.open_interest_limit is None


def test_memory_is_bounded_where_that_is_asked_for() -> None:
    desk = PerpDesk()
    exchange = desk.exchange
    exchange.keep_trades(PERP, 5)
    exchange.open_account("dora", NO_FEES, kept_orders=3)
    exchange.deposit("dora", "USDC", dec("10000"), now_us=desk.tick())
    for number in range(40):
        desk.trade("dora", "bob", "100", "1")
        desk.trade("bob", "dora", "100", "1")
        desk.mark(str(100 + number % 2))
        desk.advance(3600)
    assert len(exchange.trades(PERP)) < 10
    assert len(exchange.funding_rates(PERP)) < 11
    assert len(exchange.order_history("dora")) == len(exchange.fills("dora")) == 3
    assert len(exchange.position_history("dora")) == 3
    assert len(exchange.position_history("bob")) == 40
    assert exchange.trades(PERP)[0].id == 80


def test_collateral_lent_or_borrowed_counts() -> None:
    desk = PerpDesk()
    exchange = desk.exchange
    provide_services(exchange, now_us=desk.tick())
    exchange.borrow_lend("alice", "USDC", BorrowLendSide.LEND, dec("10000"), now_us=desk.tick())
    desk.mark("100")
    assert desk.usdc("alice") == 0
    desk.bid("alice", "100", "1000")
    refused = desk.refusal("alice", Side.BID, "100", "0.1")
    assert refused.code is ErrorCode.INSUFFICIENT_MARGIN
    with pytest.raises(Refused) as caught:
        exchange.borrow_lend("alice", "SOL", BorrowLendSide.BORROW, dec("10"), now_us=desk.tick())
    assert caught.value.code is ErrorCode.INSUFFICIENT_MARGIN

"""Scheduled strategies: slices in time, shares, what is left over, and how they end."""

from __future__ import annotations

from typing import Any

import pytest

from backpack_sdk.paper.engine import (
    ErrorCode,
    NewStrategy,
    Refused,
    Side,
    Slippage,
    SlippageType,
    Strategy,
    StrategyCancelReason,
    StrategyStatus,
)

from .engine_desk import dec
from .perp_desk import PERP, PerpDesk, group


def request(**changes: Any) -> NewStrategy:
    """Buy 10 in ten minutes, a slice per minute."""
    fields: dict[str, Any] = {
        "symbol": PERP,
        "side": Side.BID,
        "quantity": dec("10"),
        "duration_ms": 600_000,
        "interval_ms": 60_000,
    }
    return NewStrategy(**(fields | changes))


def start(desk: PerpDesk, **changes: Any) -> Strategy:
    """Start a strategy of alice."""
    return desk.done(desk.exchange.create_strategy("alice", request(**changes), now_us=desk.tick()))


def last(desk: PerpDesk) -> Strategy:
    """Alice's strategy as it is now."""
    return desk.exchange.all_strategies("alice")[-1]


@pytest.fixture
def desk() -> PerpDesk:
    """Bob asks 100 for a lot."""
    desk = PerpDesk()
    desk.mark("100")
    desk.ask("bob", "100", "500")
    return desk


def test_slices_trade_as_time_passes(desk: PerpDesk) -> None:
    started = start(desk)
    assert group(started.status, started.executed_quantity) == (StrategyStatus.RUNNING, 1)
    for minute in range(2, 11):
        desk.advance(60)
        assert last(desk).executed_quantity == minute
    done = last(desk)
    assert group(done.status, done.executed_quote_quantity) == (StrategyStatus.COMPLETED, 1000)
    assert desk.exchange.open_strategies("alice") == ()
    assert desk.quantity("alice") == 10
    orders = desk.exchange.order_history("alice", strategy_id=started.id)
    assert [order.quantity for order in orders] == [1] * 10
    assert len(desk.exchange.fills("alice", strategy_id=started.id)) == 10
    assert desk.exchange.fills("alice", strategy_id=started.id + 1) == ()


def test_slices_that_were_missed_are_made_up_for(desk: PerpDesk) -> None:
    start(desk)
    desk.advance(3600)
    assert last(desk).status is StrategyStatus.COMPLETED


def test_odd_quantities_are_spread_in_whole_steps(desk: PerpDesk) -> None:
    started = start(desk, quantity=dec("1"), duration_ms=180_000)
    desk.advance(180)
    orders = desk.exchange.order_history("alice", strategy_id=started.id)
    assert sorted(order.quantity or 0 for order in orders) == [dec("0.3"), dec("0.3"), dec("0.4")]


def test_randomized_slices_vary_but_add_up_and_are_the_same_every_time() -> None:
    def run() -> list[object]:
        desk = PerpDesk()
        desk.mark("100")
        desk.ask("bob", "100", "500")
        started = start(desk, quantity=dec("100"), randomized=True)
        desk.advance(600)
        assert last(desk).status is StrategyStatus.COMPLETED
        return [order.quantity for order in desk.exchange.order_history("alice", strategy_id=started.id)]

    slices = run()
    assert slices == run()
    assert len(set(slices)) > 3
    assert all(dec("7") < quantity < dec("13") for quantity in slices)  # type: ignore[operator]


def test_what_a_slice_could_not_trade_is_added_to_the_next() -> None:
    desk = PerpDesk()
    desk.mark("100")
    start(desk)
    assert last(desk).executed_quantity == 0
    desk.ask("bob", "100", "500")
    desk.advance(60)
    assert last(desk).executed_quantity == 2


def test_a_strategy_that_could_not_trade_everything_is_terminated() -> None:
    desk = PerpDesk()
    desk.mark("100")
    desk.ask("bob", "100", "3")
    start(desk)
    desk.advance(600)
    ended = last(desk)
    assert group(ended.status, ended.executed_quantity) == (StrategyStatus.TERMINATED, 3)
    assert ended.cancel_reason is StrategyCancelReason.INSUFFICIENT_LIQUIDITY


def test_a_slice_that_is_refused_terminates_the_strategy(desk: PerpDesk) -> None:
    desk.ask("carol", "100", "1000")
    start(desk, quantity=dec("50000"))
    assert (last(desk).status, last(desk).cancel_reason) == (
        StrategyStatus.TERMINATED,
        StrategyCancelReason.INSUFFICIENT_MARGIN,
    )


def test_a_price_and_a_tolerance_bound_the_slices(desk: PerpDesk) -> None:
    start(desk, price=dec("99"))
    start(desk, slippage=Slippage(dec("0"), SlippageType.TICK_SIZE))
    bounded, tolerant = desk.exchange.all_strategies("alice")
    assert group(bounded.executed_quantity, tolerant.executed_quantity) == (0, 1)
    desk.bid("carol", "100", "499")
    desk.ask("bob", "101", "1")
    desk.advance(600)
    bounded, tolerant = desk.exchange.all_strategies("alice")
    assert bounded.executed_quantity == 0


def test_reduce_only_slices_stop_at_the_position(desk: PerpDesk) -> None:
    desk.trade("alice", "bob", "100", "2")
    desk.bid("carol", "99", "100")
    start(desk, side=Side.ASK, reduce_only=True)
    desk.advance(600)
    ended = last(desk)
    assert group(ended.executed_quantity, ended.cancel_reason) == (2, StrategyCancelReason.REDUCE_ONLY_NOT_REDUCED)
    assert desk.position("alice") is None


def test_a_cancelled_strategy_trades_no_more(desk: PerpDesk) -> None:
    started = start(desk, client_id=7)
    other = start(desk, client_id=8)
    exchange = desk.exchange
    assert exchange.strategy("alice", PERP, client_id=7) == started
    assert exchange.open_strategies("alice") == (started, other)
    stopped = exchange.cancel_strategy("alice", PERP, strategy_id=started.id, now_us=desk.tick()).value
    assert stopped.status is StrategyStatus.CANCELLED
    (rest,) = exchange.cancel_strategies("alice", PERP, now_us=desk.tick()).value
    assert rest.id == other.id
    desk.advance(600)
    assert [found.executed_quantity for found in exchange.all_strategies("alice")] == [1, 1]
    with pytest.raises(Refused) as caught:
        exchange.strategy("alice", PERP, strategy_id=started.id)
    assert (caught.value.code, caught.value.status) == (ErrorCode.RESOURCE_NOT_FOUND, 404)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"interval_ms": 0}, ErrorCode.INVALID_ORDER),
        ({"duration_ms": 1_000}, ErrorCode.INVALID_ORDER),
        ({"interval_ms": 1}, ErrorCode.INVALID_ORDER),
        ({"client_id": -1}, ErrorCode.INVALID_ORDER),
        ({"quantity": dec("0.05")}, ErrorCode.INVALID_QUANTITY),
        ({"price": dec("99.001")}, ErrorCode.INVALID_PRICE),
        ({"price": dec("99"), "slippage": Slippage(dec("1"), SlippageType.PERCENT)}, ErrorCode.INVALID_ORDER),
        ({"symbol": "SOL_USDC", "reduce_only": True}, ErrorCode.INVALID_ORDER),
        ({"symbol": "XYZ"}, ErrorCode.INVALID_SYMBOL),
    ],
)
def test_a_strategy_that_makes_no_sense_is_refused(desk: PerpDesk, changes: dict[str, Any], code: ErrorCode) -> None:
    with pytest.raises(Refused) as caught:
        start(desk, **changes)
    assert caught.value.code is code
    assert desk.exchange.all_strategies("alice") == ()


def test_a_client_id_is_used_once_at_a_time(desk: PerpDesk) -> None:
    start(desk, client_id=7)
    with pytest.raises(Refused, match="in use"):
        start(desk, client_id=7)
    desk.advance(600)
    start(desk, client_id=7)

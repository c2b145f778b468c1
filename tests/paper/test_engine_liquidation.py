"""Accounts below their maintenance margin: orders cancelled, positions closed, debts taken over."""

from __future__ import annotations

from backpack_sdk.paper.engine import (
    BACKSTOP,
    ExpiryReason,
    FillType,
    Liquidated,
    OrderExpired,
    OrderFilled,
    Origin,
    Side,
    StrategyCancelReason,
    StrategyStatus,
    SystemOrderType,
)
from backpack_sdk.paper.engine.strategies import NewStrategy

from .engine_desk import dec
from .perp_desk import NO_FEES, PERP, PerpDesk, group


def long_alice() -> PerpDesk:
    """Alice is long 1000 at 100 with an equity of 10000: liquidated below about 94.74."""
    desk = PerpDesk()
    desk.mark("100")
    desk.trade("alice", "bob", "100", "1000")
    return desk


def test_a_position_is_closed_on_the_book_for_one_percent() -> None:
    desk = long_alice()
    desk.bid("carol", "94", "1000")
    desk.mark("94.8")
    assert desk.quantity("alice") == 1000
    desk.mark("94.7")
    assert desk.position("alice") is None
    (event,) = desk.seen(Liquidated)
    assert group(event.account, event.side, event.quantity, event.price) == ("alice", Side.ASK, 1000, 94)
    assert event.fee == 940
    assert event.system_order_type is SystemOrderType.LIQUIDATE_ON_BOOK
    assert desk.usdc("alice") == 10000 - 6000 - 940
    assert desk.usdc(BACKSTOP) == 940
    (closed,) = desk.exchange.position_history("alice")
    assert group(closed.liquidated, closed.liquidation_fees) == (1000, 940)
    desk.check()


def test_the_order_of_a_liquidation_is_marked() -> None:
    desk = long_alice()
    desk.bid("carol", "94", "1000")
    desk.mark("94.7")
    order = desk.exchange.order_history("alice", limit=1)[0]
    assert (order.origin, order.system_order_type) == (Origin.LIQUIDATION, SystemOrderType.LIQUIDATE_ON_BOOK)
    fill = desk.exchange.fills("alice", limit=1)[0]
    assert fill.fill_type is FillType.BOOK_LIQUIDATION
    assert desk.exchange.fills("carol", limit=1)[0].fill_type is FillType.USER
    assert desk.exchange.fills("alice", fill_type=FillType.BOOK_LIQUIDATION) == (fill,)


def test_only_so_much_is_closed_as_need_be_and_orders_go_first() -> None:
    desk = PerpDesk()
    desk.mark("100")
    desk.trade("alice", "bob", "100", "900")
    resting = desk.bid("alice", "60", "50")
    desk.mark("95")
    assert desk.quantity("alice") == 900
    assert desk.seen(OrderExpired) == []
    desk.bid("carol", "92", "900")
    desk.mark("93.5")
    assert [event.order.id for event in desk.seen(OrderExpired) if event.order.account == "alice"] == [resting.id]
    assert desk.exchange.order_history("alice", order_id=resting.id)[0].expiry_reason is ExpiryReason.LIQUIDATION
    assert desk.position("alice") is None
    desk.check()


def test_what_the_book_does_not_take_goes_to_the_backstop() -> None:
    desk = long_alice()
    desk.bid("carol", "94", "400")
    desk.bid("bob", "80", "1000")  # further than 5 % from the mark
    desk.mark("94.5")
    book, backstop = desk.seen(Liquidated)
    assert group(book.quantity, backstop.quantity, backstop.price) == (400, 600, dec("94.5"))
    assert backstop.system_order_type is SystemOrderType.LIQUIDATE_ON_BACKSTOP
    assert desk.position("alice") is None
    assert desk.quantity(BACKSTOP) == 600
    handed = [event for event in desk.seen(OrderFilled) if event.fill.trade_id == 0]
    assert {(event.order.account, event.order.origin) for event in handed} == {
        ("alice", Origin.LIQUIDATION),
        (BACKSTOP, Origin.BACKSTOP),
    }
    assert {event.fill.fill_type for event in handed} == {FillType.BACKSTOP}
    desk.check()


def test_a_bankrupt_account_leaves_its_debt_to_the_backstop() -> None:
    desk = long_alice()
    desk.mark("85")
    assert desk.position("alice") is None
    assert desk.usdc("alice") == 0
    assert desk.exchange.house.debts.keys() == {BACKSTOP}
    desk.trade("bob", "carol", "85", "1000")
    assert desk.usdc("bob") == 25000
    desk.check()


def test_collateral_of_a_bankrupt_account_goes_to_the_backstop() -> None:
    desk = PerpDesk()
    exchange = desk.exchange
    exchange.open_account("dora", NO_FEES)
    exchange.deposit("dora", "SOL", dec("100"), now_us=desk.tick())
    exchange.set_mark_price("SOL_USDC", dec("100"), dec("100"), now_us=desk.tick())
    desk.mark("100")
    desk.trade("dora", "bob", "100", "900")
    desk.mark("80")
    assert exchange.balances("dora")["SOL"].available == 0
    assert exchange.balances(BACKSTOP)["SOL"].available == 100
    assert desk.position("dora") is None


def test_shorts_are_liquidated_too() -> None:
    desk = long_alice()
    desk.ask("carol", "106", "1000")
    desk.mark("105")
    (event,) = desk.seen(Liquidated)
    assert group(event.account, event.side, event.price) == ("bob", Side.BID, 106)
    desk.check()


def test_a_liquidation_ends_strategies_and_can_set_triggers_off() -> None:
    desk = long_alice()
    strategy = NewStrategy(symbol=PERP, side=Side.BID, quantity=dec("1"), duration_ms=600_000, interval_ms=60_000)
    started = desk.exchange.create_strategy("alice", strategy, now_us=desk.tick()).value
    desk.mark("94")
    (stopped,) = desk.exchange.all_strategies("alice")
    assert started.status is StrategyStatus.RUNNING
    assert (stopped.status, stopped.cancel_reason) == (
        StrategyStatus.TERMINATED,
        StrategyCancelReason.LIQUIDATION,
    )


def test_a_system_account_is_never_liquidated() -> None:
    desk = PerpDesk()
    desk.exchange.open_account("maker", NO_FEES, is_system=True)
    desk.mark("100")
    desk.trade("maker", "bob", "100", "500")
    desk.mark("1")
    assert desk.quantity("maker") == 500
    assert not desk.exchange.is_liquidating("maker")
    desk.trade("bob", "maker", "1", "500")
    assert desk.exchange.house.debts == {"maker": 49500}
    assert desk.usdc("bob") == 59500

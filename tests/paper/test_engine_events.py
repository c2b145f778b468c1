"""What the commands report: the events that streams are made from."""

from __future__ import annotations

from typing import Any

from backpack_sdk.paper.engine import (
    Balance,
    BalanceChanged,
    BestPrices,
    BestPricesChanged,
    BookDelta,
    BookState,
    BookStateChanged,
    DepthChanged,
    Event,
    Exchange,
    NewOrder,
    Order,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderStatus,
    OrderType,
    Outcome,
    SelfTradePrevention,
    Side,
    TimeInForce,
    Trade,
)

from .engine_desk import NO_FEES, SOL_USDC, Desk, dec


def kinds(desk: Desk) -> list[str]:
    return [type(event).__name__ for event in desk.events]


def test_a_resting_order_reports_its_acceptance_the_book_and_the_balance() -> None:
    desk = Desk()
    order = desk.bid("alice", "99", "1")
    price, quantity = dec("99"), dec("1")
    assert desk.events == (
        OrderAccepted(order, desk.now_us),
        DepthChanged("SOL_USDC", BookDelta(1, 1, ((price, quantity),), ()), desk.now_us),
        BestPricesChanged("SOL_USDC", BestPrices(price, quantity, None, None), 1, desk.now_us),
        BalanceChanged("alice", "USDC", Balance(dec("99901"), dec("99")), desk.now_us),
    )


def test_a_trade_reports_the_public_trade_and_both_fills() -> None:
    desk = Desk(NO_FEES)
    maker = desk.ask("bob", "100", "3")
    taker = desk.bid("alice", "100", "1")
    assert kinds(desk) == [
        "OrderAccepted",
        "Trade",
        "OrderFilled",
        "OrderFilled",
        "DepthChanged",
        "BestPricesChanged",
        "BalanceChanged",
        "BalanceChanged",
        "BalanceChanged",
        "BalanceChanged",
    ]
    trade, made, took, depth = desk.events[1:5]
    assert trade == Trade(
        "SOL_USDC", 1, dec("100"), dec("1"), dec("100"), taker.id, maker.id, is_buyer_maker=False, time_us=desk.now_us
    )
    assert isinstance(made, OrderFilled)
    assert isinstance(took, OrderFilled)
    assert (made.order.id, made.order.status, made.fill.is_maker) == (maker.id, OrderStatus.PARTIALLY_FILLED, True)
    assert (took.order, took.fill.is_maker) == (taker, False)
    assert isinstance(depth, DepthChanged)
    assert depth.delta == BookDelta(2, 2, (), ((dec("100"), dec("2")),))


def test_each_fill_shows_the_order_as_it_stood_then() -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    desk.ask("bob", "101", "1")
    desk.bid("alice", "101", "2")
    mine = [event.order for event in desk.events if isinstance(event, OrderFilled) and event.order.account == "alice"]
    assert [(order.status, str(order.executed_quantity)) for order in mine] == [
        (OrderStatus.PARTIALLY_FILLED, "1.0"),
        (OrderStatus.FILLED, "2.0"),
    ]


def test_emptied_levels_are_reported_with_zero() -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    desk.ask("bob", "101", "1")
    desk.bid("alice", "101", "3")
    (depth,) = (event for event in desk.events if isinstance(event, DepthChanged))
    assert depth.delta == BookDelta(3, 5, ((dec("101"), dec("1")),), ((dec("100"), dec("0")), (dec("101"), dec("0"))))
    (best,) = (event for event in desk.events if isinstance(event, BestPricesChanged))
    assert best.best == BestPrices(dec("101"), dec("1"), None, None)


def test_a_change_behind_the_best_prices_does_not_report_them() -> None:
    desk = Desk()
    desk.bid("alice", "99", "1")
    desk.bid("alice", "98", "1")
    assert kinds(desk) == ["OrderAccepted", "DepthChanged", "BalanceChanged"]


def test_an_order_that_expires_untraded_leaves_the_book_unreported() -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    desk.bid("alice", "100", "2", time_in_force=TimeInForce.FOK)
    assert kinds(desk) == ["OrderAccepted", "OrderExpired"]


def test_the_maker_that_gives_way_is_reported_where_it_stood() -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    mine = desk.ask("alice", "100", "1")
    desk.bid("alice", "100", "1.5", self_trade_prevention=SelfTradePrevention.REJECT_MAKER)
    assert kinds(desk)[:5] == ["OrderAccepted", "Trade", "OrderFilled", "OrderFilled", "OrderExpired"]
    expired = desk.events[4]
    assert isinstance(expired, OrderExpired)
    assert expired.order.id == mine.id


def test_cancels_and_state_changes_are_reported() -> None:
    desk = Desk()
    order = desk.bid("alice", "99", "1")
    outcome = desk.exchange.set_book_state("SOL_USDC", BookState.CLOSED, now_us=desk.tick())
    assert outcome.events[0] == BookStateChanged("SOL_USDC", BookState.CLOSED, desk.now_us)
    cancelled = outcome.events[1]
    assert isinstance(cancelled, OrderCancelled)
    assert (cancelled.order.id, cancelled.order.updated_us) == (order.id, desk.now_us)
    assert outcome.value.state is desk.exchange.market("SOL_USDC").state is BookState.CLOSED
    assert desk.exchange.set_book_state("SOL_USDC", BookState.CLOSED, now_us=desk.tick()).events == ()


def test_a_deposit_reports_the_balance() -> None:
    desk = Desk()
    outcome = desk.exchange.deposit("alice", "SOL", dec("0.50"), now_us=desk.tick())
    assert outcome == Outcome(
        Balance(dec("1000.5")), (BalanceChanged("alice", "SOL", Balance(dec("1000.5")), desk.now_us),)
    )


def test_time_never_goes_back() -> None:
    desk = Desk()
    desk.now_us += 10
    first = desk.bid("alice", "99", "1")
    desk.now_us -= 5_000
    second = desk.bid("alice", "99", "1")
    assert second.created_us == first.created_us


def play() -> tuple[list[Event], Order]:
    exchange = Exchange([SOL_USDC], first_order_id=1_000)
    events: list[Event] = []
    for account in ("alice", "bob"):
        exchange.open_account(account)
        events += exchange.deposit(account, "SOL", dec("10"), now_us=1).events
        events += exchange.deposit(account, "USDC", dec("1000"), now_us=1).events
    fields: dict[str, Any] = {
        "symbol": "SOL_USDC",
        "order_type": OrderType.LIMIT,
        "price": dec("99"),
        "quantity": dec("1"),
    }
    events += exchange.execute("alice", NewOrder(side=Side.ASK, **fields), now_us=2).events
    last = exchange.execute("bob", NewOrder(side=Side.BID, **fields), now_us=3)
    return events + list(last.events), last.value


def test_the_same_commands_give_the_same_results() -> None:
    first, second = play(), play()
    assert first == second
    assert first[1].id == 1_001

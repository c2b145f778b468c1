"""Conditional orders, exits attached to entries, reduce-only orders, and bounds on the price of market orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backpack_sdk.paper.engine import (
    CancelScope,
    ErrorCode,
    ExitLeg,
    ExpiryReason,
    FeeRates,
    NewOrder,
    Order,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderModified,
    OrderStatus,
    OrderType,
    Refused,
    SelfTradePrevention,
    Side,
    TimeInForce,
    Trigger,
    TriggerBy,
    TriggerFailed,
    TriggerPlaced,
)

from .engine_desk import SOL_USDC, dec
from .perp_desk import PERP, PerpDesk, group


def stop(
    desk: PerpDesk, side: Side, price: str, size: str = "100%", by: TriggerBy = TriggerBy.MARK, **options: object
) -> Order:
    """Place a conditional order of alice; reduce-only unless told otherwise."""
    percent = dec(size[:-1]) if size.endswith("%") else None
    trigger = Trigger(dec(price), None if percent is not None else dec(size), percent, by)
    fields: dict[str, Any] = {"reduce_only": True, **options}
    return desk.order("alice", side, fields.pop("limit", None), None, trigger=trigger, **fields)


@pytest.fixture
def desk() -> PerpDesk:
    """Alice is long 5 at 100, which is the mark; bob bids 95 and asks 120."""
    desk = PerpDesk()
    desk.trade("alice", "carol", "100", "5")
    desk.mark("100")
    desk.bid("bob", "95", "50")
    desk.ask("bob", "120", "50")
    return desk


def history(desk: PerpDesk, order: Order) -> Order:
    """The order as it stands now."""
    (found,) = desk.exchange.order_history(order.account, order_id=order.id)
    return found


def test_a_stop_waits_and_closes_the_position_when_the_mark_falls_to_it(desk: PerpDesk) -> None:
    placed = stop(desk, Side.ASK, "97")
    assert placed.status is OrderStatus.TRIGGER_PENDING
    assert [event.order.id for event in desk.seen(TriggerPlaced)] == [placed.id]
    assert desk.exchange.depth(PERP).asks == ((dec("120"), dec("50")),)
    desk.mark("97.01")
    assert history(desk, placed).status is OrderStatus.TRIGGER_PENDING
    desk.mark("97")
    assert [event.order.status for event in desk.seen(OrderAccepted)] == [OrderStatus.NEW]
    done = history(desk, placed)
    assert group(done.status, done.quantity, done.executed_quantity) == (OrderStatus.FILLED, 5, 5)
    assert done.triggered_us == desk.now_us
    assert desk.position("alice") is None
    assert desk.usdc("alice") == 9975
    desk.check()


def test_a_take_profit_goes_off_above(desk: PerpDesk) -> None:
    placed = stop(desk, Side.ASK, "110", "80%")
    desk.mark("109.99")
    assert history(desk, placed).status is OrderStatus.TRIGGER_PENDING
    desk.mark("111")
    assert history(desk, placed).executed_quantity == 4
    assert desk.quantity("alice") == 1


def test_a_share_is_of_the_position_at_that_time_in_whole_steps(desk: PerpDesk) -> None:
    placed = stop(desk, Side.ASK, "97", "33%")
    desk.bid("alice", "120", "2.1")
    desk.mark("97")
    assert history(desk, placed).executed_quantity == dec("2.3")  # 33 % of 7.1


@pytest.mark.parametrize("by", list(TriggerBy))
def test_each_reference_price_is_watched(desk: PerpDesk, by: TriggerBy) -> None:
    placed = stop(desk, Side.ASK, "96", "1", by=by)
    moves: dict[TriggerBy, Callable[[], object]] = {
        TriggerBy.MARK: lambda: desk.mark("96", "100"),
        TriggerBy.INDEX: lambda: desk.mark("100", "96"),
        TriggerBy.LAST: lambda: desk.ask("carol", "95", "1"),
    }
    for other, move in moves.items():
        if other is not by:
            move() if other is not TriggerBy.LAST else None
            assert history(desk, placed).status is OrderStatus.TRIGGER_PENDING
    moves[by]()
    assert history(desk, placed).status is OrderStatus.FILLED


def test_a_triggered_limit_order_rests(desk: PerpDesk) -> None:
    placed = stop(desk, Side.ASK, "97", "2", limit="99")
    desk.mark("97")
    assert history(desk, placed).status is OrderStatus.NEW
    assert desk.exchange.depth(PERP).asks[0] == (dec("99"), dec("2"))


def test_one_trigger_can_set_off_the_next(desk: PerpDesk) -> None:
    first = stop(desk, Side.ASK, "99", "1", by=TriggerBy.LAST)
    second = stop(desk, Side.ASK, "96", "1", by=TriggerBy.LAST)
    desk.ask("carol", "95", "1")
    assert history(desk, first).status is history(desk, second).status is OrderStatus.FILLED
    assert desk.quantity("alice") == 3


def test_a_trigger_without_a_position_fails() -> None:
    desk = PerpDesk()
    desk.mark("100")
    placed = stop(desk, Side.ASK, "97")
    desk.mark("97")
    assert [event.order.id for event in desk.seen(TriggerFailed)] == [placed.id]
    failed = history(desk, placed)
    assert (failed.status, failed.expiry_reason) == (OrderStatus.TRIGGER_FAILED, ExpiryReason.STOP_WITHOUT_POSITION)
    assert desk.exchange.open_orders("alice") == ()


def test_a_trigger_without_margin_fails(desk: PerpDesk) -> None:
    placed = stop(desk, Side.BID, "105", "5000", limit="105", reduce_only=False)
    desk.mark("105")
    failed = history(desk, placed)
    assert (failed.status, failed.expiry_reason) == (OrderStatus.TRIGGER_FAILED, ExpiryReason.INSUFFICIENT_MARGIN)


def test_stops_end_with_their_position(desk: PerpDesk) -> None:
    placed = stop(desk, Side.ASK, "97")
    other = stop(desk, Side.BID, "130", "1", reduce_only=False)
    desk.ask("alice", "95", "5")
    assert [event.order.id for event in desk.seen(OrderExpired)] == [placed.id]
    assert history(desk, placed).expiry_reason is ExpiryReason.STOP_WITHOUT_POSITION
    assert history(desk, other).status is OrderStatus.TRIGGER_PENDING


def test_cancelling_by_kind_takes_only_that_kind(desk: PerpDesk) -> None:
    resting = desk.bid("alice", "90", "1")
    waiting = stop(desk, Side.ASK, "97")
    cancel = desk.exchange.cancel_all
    found = cancel("alice", PERP, scope=CancelScope.CONDITIONAL, now_us=desk.tick()).value
    assert [order.id for order in found] == [waiting.id]
    waiting = stop(desk, Side.ASK, "97")
    found = cancel("alice", PERP, scope=CancelScope.RESTING_LIMIT, now_us=desk.tick()).value
    assert [order.id for order in found] == [resting.id]
    outcome = desk.exchange.cancel("alice", PERP, order_id=waiting.id, now_us=desk.tick())
    assert outcome.value.status is OrderStatus.CANCELLED
    desk.mark("90")
    assert history(desk, waiting).status is OrderStatus.CANCELLED


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"quantity": dec("1")}, ErrorCode.INVALID_ORDER),
        ({"trigger": Trigger(dec("97"))}, ErrorCode.INVALID_ORDER),
        ({"trigger": Trigger(dec("97"), dec("1"), dec("50"))}, ErrorCode.INVALID_ORDER),
        ({"trigger": Trigger(dec("97"), percent=dec("101"))}, ErrorCode.INVALID_QUANTITY),
        ({"trigger": Trigger(dec("97.001"), dec("1"))}, ErrorCode.INVALID_PRICE),
        ({"trigger": Trigger(dec("97"), dec("0.05"))}, ErrorCode.INVALID_QUANTITY),
        ({"symbol": "SOL_USDC", "trigger": Trigger(dec("97"), percent=dec("50"))}, ErrorCode.INVALID_ORDER),
        ({"symbol": "SOL_USDC"}, ErrorCode.INVALID_PRICE),
        ({"order_type": OrderType.LIMIT}, ErrorCode.INVALID_ORDER),
    ],
)
def test_a_conditional_order_that_makes_no_sense_is_refused(
    desk: PerpDesk, fields: dict[str, object], code: ErrorCode
) -> None:
    plain: dict[str, object] = {"trigger": Trigger(dec("97"), dec("1")), "quantity": None}
    refused = desk.refusal("alice", Side.ASK, None, None, **(plain | fields))
    assert refused.code is code


# Exits


def test_exits_are_placed_as_the_entry_trades_and_grow_with_it() -> None:
    desk = PerpDesk()
    desk.mark("100")
    desk.ask("bob", "100", "2")
    exits = {"stop_loss": ExitLeg(dec("95"), by=TriggerBy.MARK), "take_profit": ExitLeg(dec("110"), dec("109"))}
    entry = desk.bid("alice", "100", "5", **exits)
    legs = [event.order for event in desk.seen(TriggerPlaced)]
    assert [(leg.side, leg.related_order_id, leg.reduce_only) for leg in legs] == [(Side.ASK, entry.id, True)] * 2
    assert [leg.trigger for leg in legs] == [
        Trigger(dec("95"), dec("2"), by=TriggerBy.MARK),
        Trigger(dec("110"), dec("2")),
    ]
    assert group(legs[0].order_type, legs[1].order_type, legs[1].price) == (OrderType.MARKET, OrderType.LIMIT, 109)
    desk.ask("bob", "100", "3")
    grown = [event.order for event in desk.seen(OrderModified)]
    assert [group(leg.id, leg.trigger.quantity if leg.trigger else None) for leg in grown] == [
        (legs[0].id, 5),
        (legs[1].id, 5),
    ]


def test_one_exit_cancels_the_other_and_the_rest_of_the_entry() -> None:
    desk = PerpDesk()
    desk.mark("100")
    desk.ask("bob", "100", "2")
    entry = desk.bid(
        "alice", "100", "5", stop_loss=ExitLeg(dec("95"), by=TriggerBy.MARK), take_profit=ExitLeg(dec("110"))
    )
    stop_leg, take_leg = (event.order for event in desk.seen(TriggerPlaced))
    desk.bid("bob", "94", "10")
    desk.mark("95")
    assert {event.order.id for event in desk.seen(OrderCancelled)} == {take_leg.id, entry.id}
    assert history(desk, stop_leg).executed_quantity == 2
    assert desk.position("alice") is None
    assert desk.exchange.open_orders("alice") == ()
    desk.check()


def test_spot_exits_sell_what_the_fee_left() -> None:
    desk = PerpDesk(FeeRates())
    exchange = desk.exchange
    exchange.deposit("bob", "SOL", dec("10"), now_us=desk.tick())
    desk.ask("bob", "100", "10", symbol="SOL_USDC")
    desk.bid("alice", "100", "10", symbol="SOL_USDC", stop_loss=ExitLeg(dec("90")))
    (leg,) = (event.order for event in desk.seen(TriggerPlaced))
    assert leg.trigger is not None
    assert leg.trigger.quantity == dec("9.9")  # 9.99 SOL, in steps of 0.1
    assert not leg.reduce_only
    desk.bid("carol", "90", "11", symbol="SOL_USDC")
    exchange.deposit("bob", "SOL", dec("1"), now_us=desk.tick())
    desk.ask("bob", "90", "1", symbol="SOL_USDC")
    assert history(desk, leg).status is OrderStatus.FILLED
    assert exchange.balances("alice")["SOL"].available == dec("0.09")


@pytest.mark.parametrize(
    "exits",
    [
        {"stop_loss": ExitLeg(dec("101"))},
        {"take_profit": ExitLeg(dec("99"))},
        {"stop_loss": ExitLeg(dec("95.001"))},
        {"stop_loss": ExitLeg(dec("95")), "reduce_only": True},
        {
            "stop_loss": ExitLeg(dec("120")),
            "take_profit": ExitLeg(dec("110")),
            "order_type": OrderType.MARKET,
            "price": None,
        },
    ],
)
def test_exits_on_the_wrong_side_are_refused(exits: dict[str, object]) -> None:
    desk = PerpDesk()
    desk.ask("bob", "100", "2")
    refused = desk.refusal("alice", Side.BID, "100", "1", **exits)
    assert refused.code in (ErrorCode.INVALID_ORDER, ErrorCode.INVALID_PRICE)


# Reduce-only


def test_a_reduce_only_order_is_cut_to_the_position(desk: PerpDesk) -> None:
    order = desk.ask("alice", "95", "50", reduce_only=True)
    assert group(order.quantity, order.status) == (5, OrderStatus.FILLED)
    assert desk.position("alice") is None


def test_a_reduce_only_market_order_by_value_stops_at_the_position(desk: PerpDesk) -> None:
    order = desk.ask("alice", None, None, quote_quantity=dec("1000000"), reduce_only=True)
    assert group(order.executed_quantity, order.status) == (5, OrderStatus.FILLED)


@pytest.mark.parametrize("side", [Side.BID, Side.ASK])
def test_a_reduce_only_order_with_nothing_to_reduce_expires(side: Side) -> None:
    desk = PerpDesk()
    desk.trade("alice", "bob", "100", "5") if side is Side.BID else None
    order = desk.order("alice", side, "100", "1", reduce_only=True)
    assert (order.status, order.expiry_reason) == (OrderStatus.EXPIRED, ExpiryReason.REDUCE_ONLY_NOT_REDUCED)


def test_resting_reduce_only_orders_shrink_and_end_with_the_position(desk: PerpDesk) -> None:
    first = desk.ask("alice", "110", "5", reduce_only=True)
    second = desk.ask("alice", "111", "3", reduce_only=True)
    desk.ask("alice", "95", "3")
    assert [group(event.order.id, event.order.quantity) for event in desk.seen(OrderModified)] == [
        (first.id, 2),
        (second.id, 2),
    ]
    assert desk.exchange.depth(PERP).asks[:2] == ((dec("110"), dec("2")), (dec("111"), dec("2")))
    desk.ask("alice", "95", "2")
    assert {event.order.id for event in desk.seen(OrderExpired)} == {first.id, second.id}
    assert desk.position("alice") is None


def test_a_taker_cannot_turn_the_maker_of_reduce_only_orders_around(desk: PerpDesk) -> None:
    desk.ask("alice", "101", "4", reduce_only=True)
    desk.ask("alice", "102", "4")
    second = desk.ask("alice", "103", "5", reduce_only=True)
    order = desk.bid("carol", "103", "20", time_in_force=TimeInForce.IOC)
    assert order.executed_quantity == 8
    assert desk.quantity("alice") == -3
    assert history(desk, second).expiry_reason is ExpiryReason.REDUCE_ONLY_NOT_REDUCED
    fok = desk.bid("carol", "103", "1", time_in_force=TimeInForce.FOK)
    assert fok.expiry_reason is ExpiryReason.FILL_OR_KILL
    desk.check()


def test_closing_with_ones_own_reduce_only_order_in_the_way(desk: PerpDesk) -> None:
    desk.ask("alice", "101", "5", reduce_only=True)
    desk.ask("bob", "100.5", "6")
    order = desk.bid("alice", "102", "10", self_trade_prevention=SelfTradePrevention.REJECT_MAKER)
    assert order.executed_quantity == 6
    desk.check()


def test_a_spot_market_has_no_reduce_only_orders() -> None:
    desk = PerpDesk()
    order = NewOrder(
        symbol=SOL_USDC.symbol,
        side=Side.BID,
        order_type=OrderType.LIMIT,
        price=dec("1"),
        quantity=dec("1"),
        reduce_only=True,
    )
    with pytest.raises(Refused, match="reduceOnly needs a position"):
        desk.exchange.execute("alice", order, now_us=desk.tick())
    assert desk.seen(OrderFilled) == []

"""How orders meet: price and time priority, time in force, post-only, self-trade prevention."""

from __future__ import annotations

import pytest

from backpack_sdk.paper.engine import (
    BookState,
    ErrorCode,
    ExpiryReason,
    Order,
    OrderStatus,
    SelfTradePrevention,
    Side,
    TimeInForce,
    expiry_refusal,
)

from .engine_desk import NO_FEES, Desk, dec, plain

IOC, FOK = TimeInForce.IOC, TimeInForce.FOK
REJECT_TAKER, REJECT_MAKER, REJECT_BOTH = SelfTradePrevention


def now(desk: Desk, order: Order) -> Order:
    (found,) = desk.exchange.order_history(order.account, order_id=order.id)
    return found


def trades(desk: Desk) -> list[tuple[str, str]]:
    """Price and quantity of all trades, oldest first."""
    return [(plain(trade.price), plain(trade.quantity)) for trade in reversed(desk.exchange.trades("SOL_USDC"))]


def test_an_order_that_meets_nothing_rests() -> None:
    desk = Desk()
    order = desk.bid("alice", "99", "1")
    desk.ask("bob", "101", "2")
    assert order.status is OrderStatus.NEW
    assert desk.bids() == [("99", "1")]
    assert desk.asks() == [("101", "2")]
    assert trades(desk) == []


def test_a_trade_takes_the_price_of_the_resting_order() -> None:
    desk = Desk()
    maker = desk.ask("bob", "100", "1")
    taker = desk.bid("alice", "105", "1")
    assert trades(desk) == [("100", "1")]
    assert now(desk, maker).status is taker.status is OrderStatus.FILLED
    assert (taker.executed_quantity, taker.executed_quote_quantity) == (dec("1"), dec("100"))
    assert desk.bids() == desk.asks() == []


def test_better_prices_trade_first_then_older_orders() -> None:
    desk = Desk()
    late = desk.ask("bob", "101", "1")
    second = desk.ask("bob", "100", "1")
    third = desk.ask("carol", "100", "1")
    desk.bid("alice", "101", "2.5")
    assert trades(desk) == [("100", "1"), ("100", "1"), ("101", "0.5")]
    sellers = [trade.seller_order_id for trade in reversed(desk.exchange.trades("SOL_USDC"))]
    assert sellers == [second.id, third.id, late.id]
    assert now(desk, late).status is OrderStatus.PARTIALLY_FILLED


def test_bids_match_from_the_highest() -> None:
    desk = Desk()
    for price in ("98", "100", "99"):
        desk.bid("bob", price, "1")
    desk.ask("alice", "99", "3")
    assert trades(desk) == [("100", "1"), ("99", "1")]
    assert desk.bids() == [("98", "1")]
    assert desk.asks() == [("99", "1")]


def test_a_partly_filled_order_keeps_its_place_in_the_queue() -> None:
    desk = Desk()
    first = desk.ask("bob", "100", "2")
    desk.ask("carol", "100", "2")
    desk.bid("alice", "100", "1")
    desk.bid("alice", "100", "1")
    assert now(desk, first).status is OrderStatus.FILLED
    assert desk.asks() == [("100", "2")]


def test_a_cancelled_order_loses_its_place() -> None:
    desk = Desk()
    first = desk.ask("bob", "100", "1")
    second = desk.ask("carol", "100", "1")
    desk.exchange.cancel("bob", "SOL_USDC", order_id=first.id, now_us=desk.tick())
    desk.ask("bob", "100", "1")
    desk.bid("alice", "100", "1")
    assert now(desk, second).status is OrderStatus.FILLED


def test_the_rest_of_a_good_till_cancelled_order_rests() -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    order = desk.bid("alice", "100.5", "3")
    assert order.status is OrderStatus.PARTIALLY_FILLED
    assert order.expiry_reason is None
    assert desk.bids() == [("100.5", "2")]
    assert desk.exchange.open_orders("alice") == (order,)


def test_the_rest_of_an_ioc_order_expires() -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    order = desk.bid("alice", "100", "3", time_in_force=IOC)
    assert (order.status, order.expiry_reason) == (OrderStatus.EXPIRED, ExpiryReason.IMMEDIATE_OR_CANCEL)
    assert order.executed_quantity == 1
    assert desk.bids() == []
    assert desk.balance("alice", "USDC").available == 99900
    assert expiry_refusal(order) is None


def test_an_ioc_order_that_fills_is_filled() -> None:
    desk = Desk()
    desk.ask("bob", "100", "3")
    order = desk.bid("alice", "100", "3", time_in_force=IOC)
    assert (order.status, order.expiry_reason) == (OrderStatus.FILLED, None)


@pytest.mark.parametrize("quantity", ["3.1", "500"])
def test_a_fok_order_beyond_the_book_changes_nothing(quantity: str) -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    desk.ask("bob", "101", "2")
    desk.ask("bob", "102", "500")
    order = desk.bid("alice", "101", quantity, time_in_force=FOK)
    assert (order.status, order.expiry_reason) == (OrderStatus.EXPIRED, ExpiryReason.FILL_OR_KILL)
    assert order.executed_quantity == 0
    assert desk.asks() == [("100", "1"), ("101", "2"), ("102", "500")]
    assert desk.balance("alice", "USDC").locked == 0


def test_a_fok_order_that_the_book_can_fill_is_filled() -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    desk.ask("bob", "101", "2")
    assert desk.bid("alice", "101", "3", time_in_force=FOK).status is OrderStatus.FILLED


def test_a_post_only_order_that_would_take_expires_untraded() -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    order = desk.bid("alice", "100", "1", post_only=True)
    assert (order.status, order.expiry_reason) == (OrderStatus.EXPIRED, ExpiryReason.POST_ONLY_TAKER)
    assert trades(desk) == []
    assert desk.exchange.order_history("alice")[0] == order
    assert desk.exchange.open_orders("alice") == ()
    refused = expiry_refusal(order)
    assert refused is not None
    assert refused.code is ErrorCode.INVALID_ORDER
    assert "post-only" in refused.message


def test_a_post_only_order_behind_the_market_rests() -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    order = desk.bid("alice", "99.99", "1", post_only=True)
    assert order.status is OrderStatus.NEW
    assert expiry_refusal(order) is None


def test_a_post_only_order_does_not_push_its_owners_orders_aside() -> None:
    desk = Desk()
    mine = desk.ask("alice", "100", "1")
    order = desk.bid("alice", "100", "1", post_only=True, self_trade_prevention=REJECT_MAKER)
    assert order.expiry_reason is ExpiryReason.POST_ONLY_TAKER
    assert now(desk, mine).status is OrderStatus.NEW


def test_a_market_order_walks_the_book() -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    desk.ask("bob", "110", "5")
    order = desk.market("alice", Side.BID, quantity=dec("3"))
    assert order.status is OrderStatus.FILLED
    assert order.executed_quote_quantity == 320
    assert order.price is None


def test_a_market_order_beyond_the_book_expires_after_taking_it() -> None:
    desk = Desk()
    desk.bid("bob", "100", "1")
    order = desk.market("alice", Side.ASK, quantity=dec("3"))
    assert (order.status, order.expiry_reason) == (OrderStatus.EXPIRED, ExpiryReason.INSUFFICIENT_LIQUIDITY)
    assert order.executed_quantity == 1
    assert desk.balance("alice", "SOL").available == 999


def test_a_market_order_on_an_empty_book_expires() -> None:
    desk = Desk()
    for options in ({"quantity": dec("3")}, {"quote_quantity": dec("3")}):
        order = desk.market("alice", Side.BID, **options)
        assert order.expiry_reason is ExpiryReason.INSUFFICIENT_LIQUIDITY
        assert expiry_refusal(order) is not None


def test_a_fok_market_order_trades_in_full_or_not_at_all() -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    assert desk.market("alice", Side.BID, quantity=dec("2"), time_in_force=FOK).expiry_reason is (
        ExpiryReason.FILL_OR_KILL
    )
    assert desk.market("alice", Side.BID, quantity=dec("1"), time_in_force=FOK).status is OrderStatus.FILLED


@pytest.mark.parametrize(
    ("quote_quantity", "executed", "spent"),
    [
        ("100", "1.0", "100"),
        ("250", "2.3", "243"),
        ("253.99", "2.3", "243"),
        ("254", "2.4", "254"),
        ("330", "3", "320"),
    ],
)
def test_a_bid_by_quote_quantity_spends_at_most_that(quote_quantity: str, executed: str, spent: str) -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    desk.ask("carol", "110", "2")
    desk.ask("carol", "200", "2")
    order = desk.market("alice", Side.BID, quote_quantity=dec(quote_quantity))
    assert order.status is OrderStatus.FILLED
    assert (order.executed_quantity, order.executed_quote_quantity) == (dec(executed), dec(spent))
    assert order.quantity is None


def test_an_ask_by_quote_quantity_receives_at_most_that() -> None:
    desk = Desk(NO_FEES)
    desk.bid("bob", "100", "1")
    desk.bid("bob", "90", "5")
    order = desk.market("alice", Side.ASK, quote_quantity=dec("200"))
    assert order.status is OrderStatus.FILLED
    assert (order.executed_quantity, order.executed_quote_quantity) == (dec("2.1"), dec("199"))
    assert desk.balance("alice", "USDC").available == 100199


def test_an_order_by_quote_quantity_that_empties_the_book_expires() -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    order = desk.market("alice", Side.BID, quote_quantity=dec("110"))
    assert (order.status, order.expiry_reason) == (OrderStatus.EXPIRED, ExpiryReason.INSUFFICIENT_LIQUIDITY)
    assert order.executed_quantity == 1


def test_reject_taker_stops_at_the_own_order() -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    mine = desk.ask("alice", "100", "1")
    desk.ask("bob", "100", "1")
    order = desk.bid("alice", "100", "3")
    assert (order.status, order.expiry_reason) == (OrderStatus.EXPIRED, ExpiryReason.SELF_TRADE_PREVENTION)
    assert order.executed_quantity == 1
    assert now(desk, mine).status is OrderStatus.NEW
    assert desk.asks() == [("100", "2")]


def test_reject_maker_expires_the_own_order_and_goes_on() -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    mine = desk.ask("alice", "100", "1")
    desk.ask("bob", "100", "1")
    order = desk.bid("alice", "100", "3", self_trade_prevention=REJECT_MAKER)
    assert order.status is OrderStatus.PARTIALLY_FILLED
    assert order.executed_quantity == 2
    assert (now(desk, mine).status, now(desk, mine).expiry_reason) == (
        OrderStatus.EXPIRED,
        ExpiryReason.SELF_TRADE_PREVENTION,
    )
    assert desk.balance("alice", "SOL").locked == 0
    assert desk.bids() == [("100", "1")]
    assert desk.asks() == []


def test_reject_both_expires_the_first_own_order_and_the_taker() -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    mine = desk.ask("alice", "100", "1")
    also_mine = desk.ask("alice", "100", "1")
    order = desk.bid("alice", "100", "3", self_trade_prevention=REJECT_BOTH)
    assert order.expiry_reason is ExpiryReason.SELF_TRADE_PREVENTION
    assert order.executed_quantity == 1
    assert now(desk, mine).expiry_reason is ExpiryReason.SELF_TRADE_PREVENTION
    assert now(desk, also_mine).status is OrderStatus.NEW


@pytest.mark.parametrize("prevention", SelfTradePrevention)
def test_an_own_order_behind_the_last_one_needed_is_left_alone(prevention: SelfTradePrevention) -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    mine = desk.ask("alice", "100", "1")
    assert desk.bid("alice", "100", "1", self_trade_prevention=prevention).status is OrderStatus.FILLED
    assert now(desk, mine).status is OrderStatus.NEW


@pytest.mark.parametrize("prevention", [REJECT_TAKER, REJECT_BOTH])
def test_a_fok_order_blocked_by_an_own_order_leaves_the_book_alone(prevention: SelfTradePrevention) -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    mine = desk.ask("alice", "100", "1")
    order = desk.bid("alice", "100", "2", time_in_force=FOK, self_trade_prevention=prevention)
    assert order.expiry_reason is ExpiryReason.SELF_TRADE_PREVENTION
    assert order.executed_quantity == 0
    assert now(desk, mine).status is OrderStatus.NEW


def test_a_fok_order_looks_past_own_orders_that_give_way() -> None:
    desk = Desk()
    mine = desk.ask("alice", "100", "1")
    desk.ask("bob", "100", "1")
    killed = desk.bid("alice", "100", "2", time_in_force=FOK, self_trade_prevention=REJECT_MAKER)
    assert killed.expiry_reason is ExpiryReason.FILL_OR_KILL
    assert now(desk, mine).status is OrderStatus.NEW
    filled = desk.bid("alice", "100", "1", time_in_force=FOK, self_trade_prevention=REJECT_MAKER)
    assert filled.status is OrderStatus.FILLED
    assert now(desk, mine).status is OrderStatus.EXPIRED


def test_a_post_only_market_expires_whatever_would_take() -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    desk.exchange.set_book_state("SOL_USDC", BookState.POST_ONLY, now_us=desk.tick())
    assert desk.bid("alice", "99", "1").status is OrderStatus.NEW
    takers = [
        desk.bid("alice", "100", "1"),
        desk.bid("alice", "100", "1", time_in_force=IOC),
        desk.bid("alice", "100", "1", post_only=True),
        desk.market("alice", Side.BID, quantity=dec("1")),
        desk.ask("alice", "99", "1", self_trade_prevention=REJECT_MAKER),
    ]
    assert {order.expiry_reason for order in takers} == {ExpiryReason.POST_ONLY_MODE}
    assert trades(desk) == []
    assert desk.bids() == [("99", "1")]


def test_markets_do_not_meet() -> None:
    desk = Desk()
    desk.ask("bob", "100", "1")
    assert desk.bid("alice", "100", "0.2", symbol="BTC_USDC").status is OrderStatus.NEW
    assert trades(desk) == []

"""Where paper orders stand in the queues of another exchange: the rules, and that they are conservative."""

from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpack_sdk.paper.engine import BookState, Exchange, NewOrder, Order, OrderType, Side
from backpack_sdk.paper.live.levels import MirroredSide
from backpack_sdk.paper.live.mirror import COUNTERPARTY, MIRROR, Mirror
from backpack_sdk.paper.live.queue import Queues, Shown

from .engine_desk import SOL_USDC

BID, ASK = Side.BID, Side.ASK


def dec(text: str | int) -> Decimal:
    return Decimal(text)


class Desk:
    """Queues of one market, with bids by default."""

    def __init__(self, bids: dict[int, int] | None = None, worst: int | None = None) -> None:
        self.queues = Queues()
        if bids is not None:
            self.bids(bids, worst)

    def bids(self, levels: dict[int, int], worst: int | None = None) -> None:
        shown = {dec(price): dec(size) for price, size in levels.items()}
        self.queues.show(BID, Shown(shown, None if worst is None else dec(worst)))

    def rest(self, order_id: int, price: int, quantity: int, side: Side = BID) -> None:
        self.queues.rest(order_id, side, dec(price), dec(quantity))

    def sale(self, price: int, quantity: int) -> dict[int, int]:
        """Somebody elsewhere sells to bids; what is filled here, by order."""
        fills = self.queues.trade(ASK, dec(price), dec(quantity))
        for fill in fills:
            order = self.queues.get(fill.order_id)
            assert order is not None
            assert (order.side, order.price) == (fill.side, fill.price)
            left = order.remaining - fill.quantity
            if left:
                self.queues.rest(fill.order_id, fill.side, fill.price, left)
            else:
                self.queues.end(fill.order_id)
        return {fill.order_id: int(fill.quantity) for fill in fills}


def test_an_order_waits_behind_what_was_there() -> None:
    desk = Desk({100: 10})
    desk.rest(1, 100, 5)
    assert desk.sale(100, 8) == {}
    assert desk.sale(100, 4) == {1: 2}
    assert desk.sale(100, 9) == {1: 3}
    assert len(desk.queues) == 0


def test_what_comes_later_is_behind() -> None:
    desk = Desk({100: 10})
    desk.rest(1, 100, 5)
    desk.bids({100: 50})
    assert desk.sale(100, 11) == {1: 1}


def test_a_price_where_nothing_was_is_filled_by_the_first_trade() -> None:
    desk = Desk({99: 10})
    desk.rest(1, 100, 5)
    assert desk.sale(100, 2) == {1: 2}


def test_trades_at_better_prices_do_not_count() -> None:
    desk = Desk({101: 3, 100: 1})
    desk.rest(1, 100, 5)
    assert desk.sale(101, 30) == {}


def test_a_trade_through_the_price_fills_whatever_the_queue() -> None:
    desk = Desk({100: 1000, 99: 5})
    desk.rest(1, 100, 5)
    assert desk.sale(99, 3) == {1: 3}
    assert desk.sale(99, 3) == {1: 2}


@pytest.mark.parametrize("trade_first", [True, False])
def test_a_trade_and_the_change_it_makes_count_once_in_either_order(trade_first: bool) -> None:
    desk = Desk({100: 10})
    desk.rest(1, 100, 5)
    if trade_first:
        assert desk.sale(100, 8) == {}
        desk.bids({100: 2})
    else:
        desk.bids({100: 2})
        assert desk.sale(100, 8) == {}
    assert desk.sale(100, 3) == {1: 1}


def test_cancels_ahead_help_only_as_far_as_they_must_have_been_ahead() -> None:
    desk = Desk({100: 10})
    desk.rest(1, 100, 5)
    desk.bids({100: 30})
    desk.bids({100: 10})
    waiting = desk.queues.get(1)
    assert waiting is not None
    assert waiting.ahead == 10, "those who left may have come later"
    desk.bids({100: 4})
    assert waiting.ahead == 4
    assert desk.sale(100, 6) == {}, "it may be that these trades made the level shrink"
    assert desk.sale(100, 5) == {1: 1}


def test_a_level_that_is_gone_leaves_no_queue() -> None:
    desk = Desk({100: 10})
    desk.rest(1, 100, 5)
    desk.bids({99: 1})
    desk.bids({100: 7})
    assert desk.sale(100, 10) == {}
    assert desk.sale(100, 2) == {1: 2}


def test_two_orders_share_what_is_traded() -> None:
    desk = Desk({100: 4})
    desk.rest(1, 100, 3)
    desk.rest(2, 100, 3)
    assert desk.sale(100, 6) == {1: 2}
    assert desk.sale(100, 2) == {1: 1, 2: 1}


def test_the_earlier_order_is_filled_first_even_when_less_is_known_of_it() -> None:
    desk = Desk({100: 10})
    desk.rest(1, 100, 3)
    desk.bids({100: 2})
    desk.rest(2, 100, 3)
    assert desk.sale(100, 5) == {}
    assert desk.sale(100, 6) == {1: 1}


def test_a_better_price_is_filled_first() -> None:
    desk = Desk({})
    desk.rest(1, 100, 3)
    desk.rest(2, 101, 3)
    assert desk.sale(100, 4) == {2: 3, 1: 1}


def test_what_is_out_of_sight_waits_until_it_is_shown() -> None:
    desk = Desk({100: 10, 99: 10}, worst=99)
    desk.rest(1, 95, 5)
    assert desk.sale(95, 1000) == {}
    desk.bids({96: 10, 95: 7}, worst=95)
    assert desk.sale(95, 8) == {1: 1}


def test_what_is_out_of_sight_is_still_filled_through() -> None:
    desk = Desk({100: 10}, worst=100)
    desk.rest(1, 95, 5)
    assert desk.sale(94, 2) == {1: 2}


def test_before_anything_is_shown_nothing_is_known() -> None:
    desk = Desk()
    desk.rest(1, 100, 5)
    assert desk.sale(100, 50) == {}
    desk.bids({100: 3})
    assert desk.sale(100, 4) == {1: 1}


def test_asks_mirror_bids() -> None:
    queues = Queues()
    queues.show(ASK, Shown({dec(100): dec(10)}))
    queues.rest(1, ASK, dec(100), dec(5))
    assert queues.trade(ASK, dec(100), dec(50)) == []
    assert queues.trade(BID, dec(99), dec(50)) == []
    (fill,) = queues.trade(BID, dec(100), dec(12))
    assert (int(fill.quantity), fill.side) == (2, ASK)
    (fill,) = queues.trade(BID, dec(101), dec(1))
    assert fill.quantity == 1


# Against a queue that knows everything

steps = st.lists(
    st.tuples(st.sampled_from(["join", "leave_front", "leave_back", "trade"]), st.integers(1, 9), st.booleans()),
    max_size=30,
)


@given(before=st.integers(0, 20), own=st.integers(1, 9), steps=steps)
def test_never_more_is_filled_than_in_the_real_queue(before: int, own: int, steps: list[tuple[str, int, bool]]) -> None:
    """The real queue: what is ahead, the order as it would have been, what is behind. Messages come in either order."""
    desk = Desk({100: before} if before else {})
    desk.rest(1, 100, own)
    ahead, mine, behind, filled = before, own, 0, 0

    def show() -> None:
        desk.bids({100: ahead + behind} if ahead + behind else {})

    for kind, amount, book_first in steps:
        if kind == "join":
            behind += amount
        elif kind == "leave_front":
            ahead -= min(ahead, amount)
        elif kind == "leave_back":
            behind -= min(behind, amount)
        else:
            # Elsewhere the order is not there, so what would have hit it hits what is behind it.
            traded = min(amount, ahead + behind)
            real = max(0, min(mine, amount - ahead))
            taken = min(ahead, traded)
            ahead -= taken
            behind -= traded - taken
            mine -= real
            if book_first:
                show()
            if traded:
                filled += sum(desk.sale(100, traded).values())
        show()
        assert filled <= own - mine


# Levels


def levels(side: MirroredSide, shown: dict[int, int], gone: set[int] | None = None) -> tuple[list[int], dict[int, int]]:
    """What is cancelled, and what is placed."""
    beyond = None if gone is None else frozenset(dec(price) for price in gone)
    changes = side.update([(dec(price), dec(size)) for price, size in shown.items()], beyond)
    for order_id in changes.cancel:
        side.cancelled(order_id)
    for price, quantity in changes.place:
        side.placed(price, int(price), quantity)
    return sorted(changes.cancel), {int(price): int(quantity) for price, quantity in changes.place}


def test_only_levels_that_differ_are_touched() -> None:
    side = MirroredSide()
    assert levels(side, {100: 5, 99: 6}) == ([], {100: 5, 99: 6})
    assert levels(side, {100: 5, 99: 7, 98: 1}) == ([99], {99: 7, 98: 1})
    assert levels(side, {98: 1}) == ([99, 100], {})


def test_what_is_taken_stays_taken_until_the_level_changes() -> None:
    side = MirroredSide()
    levels(side, {100: 5, 99: 6})
    side.left(100, dec(2))
    side.left(99, dec(0))
    assert levels(side, {100: 5, 99: 6}) == ([], {})
    assert levels(side, {100: 6, 99: 5}) == ([100], {100: 6, 99: 5})


def test_what_is_taken_stays_taken_out_of_sight() -> None:
    side = MirroredSide()
    levels(side, {100: 5, 99: 6})
    side.left(99, dec(2))
    assert levels(side, {101: 1, 100: 5}, gone={99}) == ([99], {101: 1})
    assert levels(side, {100: 5, 99: 6}) == ([101], {99: 2})
    levels(side, {101: 1, 100: 5}, gone={99})
    assert levels(side, {100: 5, 99: 7}) == ([101], {99: 7})


def test_orders_of_others_are_ignored() -> None:
    side = MirroredSide()
    side.left(7, dec(1))
    side.cancelled(7)
    assert levels(side, {100: 5}) == ([], {100: 5})


def test_levels_step_aside_and_come_back_as_they_were() -> None:
    side = MirroredSide()
    levels(side, {100: 5, 99: 6})
    side.left(100, dec(2))
    aside = side.lift([dec(100), dec(98)])
    assert (aside.cancel, aside.place) == ((100,), ((dec(100), dec(2)),))


# On an engine


def mirrored(**rules: str) -> tuple[Exchange, Mirror]:
    """An engine with one market that follows another exchange, and somebody who trades on it."""
    spec = replace(SOL_USDC, **{name: dec(value) for name, value in rules.items()})  # type: ignore[arg-type]
    engine = Exchange([spec])
    engine.open_account("alice")
    for asset in ("SOL", "USDC"):
        engine.deposit("alice", asset, dec(1_000_000), now_us=0)
    return engine, Mirror(engine, ["SOL_USDC"], threading.RLock(), lambda: 0)


def book(mirror: Mirror, bids: dict[int, str], asks: dict[int, str] | None = None) -> None:
    sides = ([(dec(price), dec(size)) for price, size in side.items()] for side in (bids, asks or {}))
    mirror.book("SOL_USDC", *sides)


def bids(engine: Exchange) -> dict[int, str]:
    return {int(price): f"{size.normalize():f}" for price, size in engine.depth("SOL_USDC").bids}


def place(engine: Exchange, side: Side, price: int, quantity: str) -> Order:
    order = NewOrder(symbol="SOL_USDC", side=side, order_type=OrderType.LIMIT, price=dec(price), quantity=dec(quantity))
    return engine.execute("alice", order, now_us=0).value


def test_a_level_beyond_the_rules_is_shown_as_far_as_they_allow() -> None:
    engine, mirror = mirrored(max_quantity="5", min_quantity="1")
    book(mirror, {100: "7", 99: "0.5", 98: "2"})
    assert bids(engine) == {100: "5", 98: "2"}


def test_a_state_that_was_chosen_stays() -> None:
    engine, mirror = mirrored()
    book(mirror, {100: "7"})
    for state in (BookState.CANCEL_ONLY, BookState.CLOSED):
        engine.set_book_state("SOL_USDC", state, now_us=0)
        mirror.stale("SOL_USDC")
        book(mirror, {100: "8"})
        assert engine.market("SOL_USDC").state is state
    engine.set_book_state("SOL_USDC", BookState.OPEN, now_us=0)
    assert bids(engine) == {}, "closing a market ends what rests there"
    book(mirror, {100: "9"})
    assert bids(engine) == {100: "9"}


def test_a_fill_that_the_market_does_not_take_is_left_out() -> None:
    engine, mirror = mirrored()
    book(mirror, {})
    place(engine, Side.BID, 100, "5")
    engine.set_book_state("SOL_USDC", BookState.CANCEL_ONLY, now_us=0)
    mirror.trade("SOL_USDC", Side.ASK, dec(100), dec(2))
    assert engine.fills("alice") == ()


def test_fills_go_to_paper_orders_past_what_is_mirrored() -> None:
    engine, mirror = mirrored()
    book(mirror, {100: "4"})
    place(engine, Side.BID, 100, "5")
    book(mirror, {100: "9"})
    mirror.trade("SOL_USDC", Side.ASK, dec(100), dec(6))
    (fill,) = engine.fills("alice")
    assert (int(fill.price), int(fill.quantity), fill.is_maker) == (100, 2, True)
    assert bids(engine) == {100: "12"}
    mirror.close()
    engine.cancel_all("alice", "SOL_USDC", now_us=0)
    assert len(mirror.queue("SOL_USDC")) == 1, "it follows no longer"


def test_what_is_owned_is_conserved() -> None:
    engine, mirror = mirrored()

    def total() -> dict[str, Decimal]:
        sums = {asset: engine.collected_fees().get(asset, dec(0)) for asset in ("SOL", "USDC")}
        with localcontext() as exact:
            exact.prec = 60
            for account in ("alice", MIRROR, COUNTERPARTY):
                for asset, balance in engine.balances(account).items():
                    sums[asset] += balance.available + balance.locked
        return sums

    before = total()
    book(mirror, {100: "4"}, {102: "3"})
    place(engine, Side.BID, 101, "5")
    place(engine, Side.ASK, 100, "1")
    mirror.trade("SOL_USDC", Side.ASK, dec(100), dec(6))
    book(mirror, {99: "1"}, {101: "2"})
    assert total() == before

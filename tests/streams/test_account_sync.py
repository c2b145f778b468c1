"""Open orders, positions and fills, in step whatever the connection does: every change once, nothing missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backpack_sdk.streams.account_changes import (
    AccountChange,
    Filled,
    OrderChanged,
    OrderClosed,
    OrderOpened,
    PositionChanged,
    PositionClosed,
    Synchronised,
)
from backpack_sdk.streams.account_records import order_from_update
from backpack_sdk.streams.account_sync import AccountSync
from backpack_sdk.streams.events import OrderUpdate, PositionUpdate

from .account_world import SYMBOL, AccountWorld

Update = OrderUpdate | PositionUpdate


def synchronise(
    sync: AccountSync, world: AccountWorld, arrive: Callable[[], object] = lambda: None
) -> list[AccountChange]:
    """Answer as REST would at this moment; again after `arrive` for as long as there is doubt."""
    sync.on_asking()
    for _ in range(100):
        orders, positions = list(world.open.values()), world.positions()
        ended = {one: world.ended[one] for one in sync.missing(world.open) if one in world.ended}
        since = sync.fills.since_us
        fills = [fill for fill in world.fills if since is None or fill.time_us >= since]
        if not sync.is_in_doubt(orders, positions, ended, fills):
            break
        arrive()
    return sync.on_snapshot(orders, positions, ended=ended, fills=fills)


def begin(sync: AccountSync, world: AccountWorld) -> None:
    """Answer as REST would when asked for the newest fills."""
    sync.fills.begin(world.fills[-50:], complete=len(world.fills) <= 50)


def test_what_is_there_at_the_start_is_told_as_opened() -> None:
    world, sync = AccountWorld(Random(1)), AccountSync()
    while len(world.open) < 3:
        world.step()
    begin(sync, world)
    changes = synchronise(sync, world)
    assert {change.order.order_id for change in changes if isinstance(change, OrderOpened)} == set(world.open)
    assert changes[-1] == Synchronised()
    assert not any(isinstance(change, Filled) for change in changes), "fills before the start are not news"


def test_nothing_is_told_before_rest_has_answered() -> None:
    world, sync = AccountWorld(Random(2)), AccountSync()
    for update in world.step():
        assert sync.on_update(update) == []
    assert not sync.is_live
    assert sync.orders == {}


def test_an_order_that_ended_while_the_connection_was_down_says_how() -> None:
    world, sync = AccountWorld(Random(3)), AccountSync()
    synchronise(sync, world)
    while not world.open:
        for update in world.step():
            sync.on_update(update)
    sync.on_lost()
    while world.open:
        order = next(iter(world.open.values()))
        world._tell(order, "orderCancelled", "Cancelled")
    closed = [change for change in synchronise(sync, world) if isinstance(change, OrderClosed)]
    assert closed
    assert all(change.certain and change.order.status == "Cancelled" for change in closed)
    assert sync.orders == {}


def test_an_order_whose_end_nobody_knows_is_closed_and_marked() -> None:
    world, sync = AccountWorld(Random(4)), AccountSync()
    synchronise(sync, world)
    for update in world._place():
        sync.on_update(update)
    before = dict(sync.orders)
    sync.on_lost()
    changes = sync.on_snapshot([], [])
    assert [(change.order, change.certain) for change in changes if isinstance(change, OrderClosed)] == [
        (order, False) for order in before.values()
    ]


def test_a_late_word_of_a_closed_order_does_not_open_it_again() -> None:
    world, sync = AccountWorld(Random(5)), AccountSync()
    synchronise(sync, world)
    (placed,) = [event for event in world._place() if isinstance(event, OrderUpdate)][:1]
    sync.on_update(placed)
    order = order_from_update(placed)
    if order.order_id in world.open:
        sync.on_update(world._tell(world.open[order.order_id], "orderCancelled", "Cancelled"))
    assert sync.on_update(placed) == []
    assert order.order_id not in sync.orders


def test_an_update_that_rest_was_ahead_of_changes_nothing() -> None:
    world, sync = AccountWorld(Random(6)), AccountSync()
    order = order_from_update(next(event for event in world._place() if isinstance(event, OrderUpdate)))
    late = world._event("orderFill", order.order_id, "Bid", "PartiallyFilled", Decimal(9), Decimal(1), Decimal(1))
    ahead = order_from_update(
        world._event("orderFill", order.order_id, "Bid", "PartiallyFilled", Decimal(9), Decimal(3), Decimal(2))
    )
    sync.on_snapshot([ahead], [])
    changes = sync.on_update(late)
    assert sync.orders[order.order_id] == ahead
    assert [type(change) for change in changes] == [Filled]


def test_positions_are_opened_changed_and_closed() -> None:
    world, sync = AccountWorld(Random(7)), AccountSync()
    synchronise(sync, world)
    world.net = Decimal(2)
    (opened,) = sync.on_update(world._position_event())
    assert isinstance(opened, PositionChanged)
    assert opened.old is None
    assert opened.position.net_quantity == 2
    world.net = Decimal(-1)
    (changed,) = sync.on_update(world._position_event())
    assert isinstance(changed, PositionChanged)
    assert changed.old == opened.position
    assert sync.positions[SYMBOL].net_quantity == -1
    world.net = Decimal(0)
    assert sync.on_update(world._position_event()) == [PositionClosed(changed.position)]
    assert sync.positions == {}


def test_the_state_can_be_read_and_not_written() -> None:
    sync = AccountSync()
    with pytest.raises(TypeError):
        sync.orders["1"] = None  # type: ignore[index]
    with pytest.raises(TypeError):
        sync.positions["1"] = None  # type: ignore[index]


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    earlier=st.integers(0, 60),
    steps=st.integers(1, 120),
    calm=st.floats(0.5, 1.0),
    garbled=st.sampled_from((0.0, 0.0, 0.1)),
)
def test_every_change_is_told_once_and_none_is_missed(
    seed: int, earlier: int, steps: int, calm: float, garbled: float
) -> None:
    random = Random(seed)
    world, sync = AccountWorld(random), AccountSync()
    told: list[AccountChange] = []
    on_the_way: list[Update] = []
    for _ in range(earlier):
        world.step()
    begin(sync, world)
    before = {fill.key for fill in world.fills}
    connected, ready = False, False

    def deliver(count: int) -> None:
        for _ in range(min(count, len(on_the_way))):
            update = on_the_way.pop(0)
            if random.random() < garbled:
                sync.on_unreadable()
            else:
                told.extend(sync.on_update(update))

    def settle() -> None:
        """REST is ahead of the stream, by whatever is on the way."""
        while not sync.is_live:
            changes = synchronise(sync, world, lambda: deliver(random.randrange(1, 4)))
            moved = [change for change in changes if isinstance(change, (PositionChanged, PositionClosed))]
            assert len(moved) <= 1, "a position does not go back and forth"
            told.extend(changes)
            if sync.is_live:
                assert {position.net_quantity for position in sync.positions.values()} == ({world.net} - {0})
                assert dict(sync.orders) == world.open

    for _ in range(steps):
        choice = random.random()
        if not connected:
            if choice < 0.5:
                connected, ready = True, False
                on_the_way.clear()
            else:
                world.step()
        elif choice > calm:
            connected = False
            on_the_way.clear()  # lost with the connection
            sync.on_lost()
        else:
            on_the_way += world.step()
            deliver(random.randrange(0, 4))
            if (not ready and random.random() < 0.4) or (ready and not sync.is_live):
                ready = True
                settle()
    if not connected:
        on_the_way.clear()
    settle()
    deliver(len(on_the_way))
    settle()

    assert dict(sync.orders) == world.open
    assert {symbol: position.net_quantity for symbol, position in sync.positions.items()} == (
        {SYMBOL: world.net} if world.net else {}
    )
    fills = Counter(change.fill.key for change in told if isinstance(change, Filled))
    assert max(fills.values(), default=1) == 1
    assert set(fills) == {fill.key for fill in world.fills} - before
    opened = Counter(change.order.order_id for change in told if isinstance(change, OrderOpened))
    closed = Counter(change.order.order_id for change in told if isinstance(change, OrderClosed))
    assert max(opened.values(), default=1) == 1
    assert max(closed.values(), default=1) == 1
    assert set(closed) <= set(world.ended)
    assert all(change.order == world.ended[change.order.order_id] for change in told if isinstance(change, OrderClosed))
    assert set(opened) - set(closed) == set(world.open)


def test_a_change_carries_what_was_before() -> None:
    world, sync = AccountWorld(Random(8)), AccountSync()
    synchronise(sync, world)
    placed = world._event("orderAccepted", "1", "Bid", "New", Decimal(5), Decimal(0))
    sync.on_update(placed)
    world._trades += 1
    filled, changed = sync.on_update(
        world._event("orderFill", "1", "Bid", "PartiallyFilled", Decimal(5), Decimal(2), Decimal(2))
    )
    assert isinstance(filled, Filled)
    assert isinstance(changed, OrderChanged)
    assert changed.old == order_from_update(placed)
    assert changed.order.remaining_quantity == 3
    assert changed.order.average_price == 100

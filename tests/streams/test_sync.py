"""The synchroniser, one rule at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from decimal import Decimal

import pytest

from backpack_sdk import types
from backpack_sdk.streams.book import OrderBook
from backpack_sdk.streams.sync import Action, BookChanged, BookSynchroniser, NeedSnapshot, SnapshotReason, SyncState

X = "SOL_USDC"
CHANGED = BookChanged(X)
BIDS, ASKS = [("99", "1"), ("100", "1")], [("101", "1"), ("102", "1")]


def need(reason: str, attempt: int = 1) -> NeedSnapshot:
    return NeedSnapshot(X, SnapshotReason(reason), attempt)


def delta(
    sync: BookSynchroniser, first: int, last: int | None = None, bid: tuple[str, str] | None = None
) -> Action | None:
    """A delta that sets the quantity of bid 100 to its last update id, or what is given."""
    last = first if last is None else last
    return sync.on_delta([("100.0", str(last)) if bid is None else bid], [], first, last)


def best(sync: BookSynchroniser) -> Decimal:
    """The quantity of the best bid of the book, which is live."""
    assert sync.book is not None
    assert sync.book.best_bid is not None
    return sync.book.best_bid.quantity


def counted(sync: BookSynchroniser) -> dict[str, int]:
    return {name: count for name, count in asdict(sync.counters).items() if count}


@pytest.fixture
def sync() -> BookSynchroniser:
    """Connected, and waiting for its first snapshot."""
    sync = BookSynchroniser(X)
    assert sync.on_connected() == need("connected")
    return sync


@pytest.fixture
def live(sync: BookSynchroniser) -> BookSynchroniser:
    """Live at update 11."""
    delta(sync, 11)
    assert sync.on_snapshot(BIDS, ASKS, 10) == CHANGED
    return sync


def test_before_the_connection() -> None:
    sync = BookSynchroniser(X)
    assert sync.state is SyncState.WAITING
    assert delta(sync, 1) is None
    assert sync.on_snapshot(BIDS, ASKS, 1) is None
    assert sync.accept_quiet() is sync.start_check() is None
    assert sync.book is sync.stale_book is None
    assert sync.buffered == 0
    assert counted(sync) == {"late": 1}


def test_deltas_are_buffered_until_the_snapshot(sync: BookSynchroniser) -> None:
    for update in range(8, 14):
        assert delta(sync, update) is None
    assert (sync.state, sync.book, sync.stale_book, sync.buffered) == (SyncState.ALIGNING, None, None, 6)
    assert sync.on_snapshot(BIDS, ASKS, 10) == CHANGED
    assert sync.state is SyncState.LIVE
    assert best(sync) == 13
    assert sync.book is not None
    assert sync.book.last_update_id == 13
    assert counted(sync) == {"late": 3, "applied": 3, "snapshots": 1}


@pytest.mark.parametrize("first", [5, 10, 11])
def test_first_delta_may_start_within_the_snapshot(sync: BookSynchroniser, first: int) -> None:
    delta(sync, first, 12)
    assert sync.on_snapshot(BIDS, ASKS, 10) == CHANGED
    assert best(sync) == 12


def test_delta_that_ends_at_the_snapshot_proves_that_nothing_is_missing(sync: BookSynchroniser) -> None:
    delta(sync, 9, 10, ("100", "55"))
    assert sync.on_snapshot(BIDS, ASKS, 10) == CHANGED
    assert best(sync) == 1
    assert delta(sync, 11) == CHANGED


def test_rest_behind_the_socket_is_asked_again(sync: BookSynchroniser) -> None:
    delta(sync, 12)
    delta(sync, 13)
    assert sync.on_snapshot(BIDS, ASKS, 10) == need("behind", 2)
    assert sync.state is SyncState.ALIGNING
    assert sync.on_snapshot(BIDS, ASKS, 9) == need("behind", 3)
    assert sync.on_snapshot(BIDS, ASKS, 12) == CHANGED
    assert best(sync) == 13
    assert counted(sync) == {"behind": 2, "late": 1, "applied": 1, "snapshots": 3}


def test_rest_ahead_of_the_socket_waits_for_its_delta(sync: BookSynchroniser) -> None:
    delta(sync, 7)
    assert sync.on_snapshot(BIDS, ASKS, 10) is None
    assert delta(sync, 8) is None
    assert delta(sync, 9) is None
    assert (sync.state, sync.book) == (SyncState.ALIGNING, None)
    assert delta(sync, 10, 11) == CHANGED
    assert best(sync) == 11
    assert counted(sync) == {"late": 3, "applied": 1, "snapshots": 1}


def test_rest_ahead_is_live_once_the_socket_is_as_far(sync: BookSynchroniser) -> None:
    assert sync.on_snapshot(BIDS, ASKS, 10) is None
    assert delta(sync, 10, bid=("100", "55")) == CHANGED
    assert best(sync) == 1


def test_first_delta_too_late_for_a_waiting_snapshot(sync: BookSynchroniser) -> None:
    assert sync.on_snapshot(BIDS, ASKS, 10) is None
    assert delta(sync, 12) == need("behind", 2)
    assert sync.on_snapshot(BIDS, ASKS, 11) == CHANGED
    assert best(sync) == 12


def test_quiet_market(sync: BookSynchroniser) -> None:
    assert sync.accept_quiet() is None
    assert sync.on_snapshot(BIDS, ASKS, 10) is None
    assert sync.book is None
    assert sync.accept_quiet() == CHANGED
    assert best(sync) == 1
    assert sync.accept_quiet() is None
    assert delta(sync, 9) is None
    assert delta(sync, 11) == CHANGED
    assert best(sync) == 11


def test_quiet_market_that_was_none(sync: BookSynchroniser) -> None:
    sync.on_snapshot(BIDS, ASKS, 10)
    sync.accept_quiet()
    assert delta(sync, 12) == need("gap")
    assert sync.book is None


def test_live_deltas_apply_one_after_the_other(live: BookSynchroniser) -> None:
    assert delta(live, 12) == CHANGED
    assert delta(live, 13, 20) == CHANGED
    assert live.on_delta([], [], 21, 25, engine_time=7) == CHANGED
    assert best(live) == 20
    assert live.book is not None
    assert live.book.last_update_id == 25
    assert live.book.engine_time_us == 7
    assert live.counters.applied == 4


def test_gap_withholds_the_book_until_it_is_mended(live: BookSynchroniser) -> None:
    book = live.book
    assert delta(live, 13) == need("gap")
    assert (live.state, live.book) == (SyncState.STALE, None)
    assert live.stale_book is book
    assert book is not None
    assert book.last_update_id == 11
    assert delta(live, 14) is None
    assert live.buffered == 2
    assert live.on_snapshot(BIDS, ASKS, 12) == CHANGED
    assert live.book is book
    assert live.stale_book is None
    assert best(live) == 14
    assert counted(live) == {"gaps": 1, "applied": 3, "snapshots": 2}


def test_overlap_of_a_live_book_is_a_gap(live: BookSynchroniser) -> None:
    assert delta(live, 11, 13) == need("gap")
    assert live.on_snapshot(BIDS, ASKS, 12) == CHANGED
    assert best(live) == 13


def test_gap_among_buffered_deltas(sync: BookSynchroniser) -> None:
    for update in (11, 12, 14, 15):
        delta(sync, update)
    assert sync.on_snapshot(BIDS, ASKS, 10) == need("gap", 2)
    assert (sync.state, sync.buffered) == (SyncState.STALE, 2)
    assert sync.stale_book is not None
    assert sync.stale_book.last_update_id == 12
    assert sync.on_snapshot(BIDS, ASKS, 14) == CHANGED
    assert best(sync) == 15


def test_late_and_repeated_deltas_are_dropped(live: BookSynchroniser) -> None:
    delta(live, 12)
    for first, last in ((12, 12), (11, 12), (3, 3)):
        assert delta(live, first, last, ("100", "55")) is None
    assert best(live) == 12
    assert live.counters.late == 3
    assert live.state is SyncState.LIVE


def test_delta_that_ends_before_it_starts_is_dropped(live: BookSynchroniser) -> None:
    assert delta(live, 12, 11, ("100", "55")) is None
    assert best(live) == 11
    assert delta(live, 12) == CHANGED


CROSSING = ("101.0", "1")
NEGATIVE = ("100", "-1")


@pytest.mark.parametrize(("bid", "reason"), [(CROSSING, "crossed"), (NEGATIVE, "malformed")])
def test_wrong_book_is_never_seen_again(live: BookSynchroniser, bid: tuple[str, str], reason: str) -> None:
    book = live.book
    assert delta(live, 12, bid=bid) == need(reason)
    assert (live.state, live.book, live.stale_book) == (SyncState.ALIGNING, None, None)
    assert book is not None
    assert (book.last_update_id, book.bids(), book.asks()) == (None, (), ())
    assert delta(live, 13) is None
    assert live.on_snapshot(BIDS, ASKS, 12) == CHANGED
    assert best(live) == 13
    assert counted(live) == {reason: 1, "applied": 2, "snapshots": 2}


@pytest.mark.parametrize(("bid", "reason"), [(CROSSING, "crossed"), (NEGATIVE, "malformed")])
def test_wrong_delta_among_the_buffered(sync: BookSynchroniser, bid: tuple[str, str], reason: str) -> None:
    for update in (11, 12, 13):
        delta(sync, update, bid=bid if update == 12 else None)
    assert sync.on_snapshot(BIDS, ASKS, 10) == need(reason, 2)
    assert (sync.book, sync.stale_book, sync.buffered) == (None, None, 1)
    assert sync.on_snapshot(BIDS, ASKS, 12) == CHANGED
    assert best(sync) == 13


@pytest.mark.parametrize(("bid", "reason"), [(CROSSING, "crossed"), (NEGATIVE, "malformed")])
def test_wrong_snapshot_is_asked_for_again(sync: BookSynchroniser, bid: tuple[str, str], reason: str) -> None:
    delta(sync, 11)
    assert sync.on_snapshot([bid], ASKS, 10) == need(reason, 2)
    assert sync.book is None
    assert sync.on_snapshot(BIDS, ASKS, 10) == CHANGED
    assert best(sync) == 11


def test_snapshot_nobody_asked_for_is_ignored(live: BookSynchroniser) -> None:
    assert live.on_snapshot([], [], 50) is None
    assert best(live) == 11
    assert live.counters.snapshots == 1


def test_lost_connection_makes_the_book_stale(live: BookSynchroniser) -> None:
    live.on_disconnected()
    assert (live.state, live.book) == (SyncState.STALE, None)
    assert live.stale_book is not None
    assert live.stale_book.last_update_id == 11
    assert delta(live, 12) is None
    assert live.on_snapshot(BIDS, ASKS, 12) is None
    assert live.buffered == 0
    assert live.on_connected() == need("connected")
    assert live.state is SyncState.STALE
    delta(live, 30)
    assert live.on_snapshot(BIDS, ASKS, 29) == CHANGED
    assert best(live) == 30


def test_reconnection_at_any_point_starts_anew(sync: BookSynchroniser) -> None:
    delta(sync, 11)
    assert sync.on_connected() == need("connected", 2)
    assert sync.buffered == 0
    assert sync.on_snapshot(BIDS, ASKS, 10) is None
    assert sync.on_connected() == need("connected", 3)
    assert sync.accept_quiet() is None
    sync.on_disconnected()
    assert sync.state is SyncState.WAITING


def test_attempts_start_anew_once_live(sync: BookSynchroniser) -> None:
    delta(sync, 12)
    sync.on_snapshot(BIDS, ASKS, 10)
    sync.on_snapshot(BIDS, ASKS, 11)
    assert delta(sync, 14) == need("gap", 1)


def test_full_buffer_keeps_the_newest() -> None:
    sync = BookSynchroniser(X, buffer_size=3)
    sync.on_connected()
    for update in range(11, 16):
        delta(sync, update)
    assert sync.buffered == 3
    assert sync.on_snapshot(BIDS, ASKS, 11) == need("behind", 2)
    assert sync.on_snapshot(BIDS, ASKS, 12) == CHANGED
    assert best(sync) == 15
    assert sync.counters.overflowed == 2


@pytest.mark.parametrize("waiting", [True, False])
def test_exchange_that_numbers_from_the_start_again(sync: BookSynchroniser, waiting: bool) -> None:
    if not waiting:
        delta(sync, 10_001)
    sync.on_snapshot(BIDS, ASKS, 10_000)
    assert all(delta(sync, update) is None for update in range(1, 1000))
    assert delta(sync, 1000) == need("restarted", 2 if waiting else 1)
    assert sync.book is None
    assert delta(sync, 1001) is None
    assert sync.on_snapshot(BIDS, ASKS, 1000) == CHANGED
    assert best(sync) == 1001
    assert sync.counters.restarts == 1


def test_old_deltas_now_and_then_are_no_restart(live: BookSynchroniser) -> None:
    for update in range(12, 1212):
        assert delta(live, 5) is None
        assert delta(live, update) == CHANGED
    assert live.counters.late == 1200
    assert live.counters.restarts == 0


def test_on_depth(sync: BookSynchroniser) -> None:
    delta(sync, 11)
    wire = {"bids": BIDS, "asks": ASKS, "lastUpdateId": "10", "timestamp": 1_700_000_000_000_000}
    assert sync.on_depth(types.Depth.model_validate(wire)) == CHANGED
    assert best(sync) == 11


def check(live: BookSynchroniser, bids: Iterable[tuple[str, str]], last: int) -> Action | None:
    assert live.start_check() == need("check")
    return live.on_snapshot([*bids], ASKS, last)


def test_check_of_a_right_book(live: BookSynchroniser) -> None:
    assert check(live, [("99.0", "1"), ("100", "11")], 11) is None
    assert best(live) == 11
    assert counted(live) == {"checks": 1, "applied": 1, "snapshots": 2}


@pytest.mark.parametrize(
    "bids",
    [[("99", "1"), ("100", "12")], [("100", "11")], [("99", "1"), ("99.5", "1"), ("100", "11")], []],
    ids=["quantity", "level too many", "level missing", "empty"],
)
def test_check_of_a_wrong_book(live: BookSynchroniser, bids: list[tuple[str, str]]) -> None:
    assert check(live, bids, 11) == need("mismatch")
    assert live.book is live.stale_book is None
    assert (live.counters.checks, live.counters.mismatches) == (1, 1)
    assert delta(live, 12) is None
    assert live.on_snapshot(bids, ASKS, 11) == CHANGED
    assert best(live) == 12


def test_check_while_the_book_moves_on(live: BookSynchroniser) -> None:
    live.start_check()
    for update in (12, 13, 14):
        assert delta(live, update) == CHANGED
    assert live.on_snapshot([("99", "1"), ("100", "12")], ASKS, 12) is None
    assert counted(live) == {"checks": 1, "applied": 4, "snapshots": 2}
    live.start_check()
    assert delta(live, 15, bid=("99", "3")) == CHANGED
    assert live.on_snapshot([("99", "2"), ("99.5", "1"), ("100", "14")], ASKS, 14) == need("mismatch")


def test_check_with_rest_ahead_waits_for_the_book(live: BookSynchroniser) -> None:
    assert check(live, [("99", "1"), ("100", "13")], 13) is None
    assert delta(live, 12) == CHANGED
    assert live.counters.checks == 0
    assert delta(live, 13, 14) == CHANGED
    assert live.counters.checks == 1
    assert check(live, [("99", "1"), ("100", "16")], 15) is None
    assert delta(live, 15) == need("mismatch")


def test_check_that_is_older_than_its_start_is_given_up(live: BookSynchroniser) -> None:
    assert check(live, [], 10) is None
    assert live.counters.checks == 0
    assert live.start_check() == need("check")


def test_check_ends_with_a_gap(live: BookSynchroniser) -> None:
    live.start_check()
    assert delta(live, 13) == need("gap")
    assert live.on_snapshot(BIDS, ASKS, 12) == CHANGED
    assert best(live) == 13
    assert live.on_snapshot([], [], 13) is None
    assert live.counters.checks == 0


def test_check_is_given_up_when_too_much_happens_meanwhile() -> None:
    sync = BookSynchroniser(X, buffer_size=3)
    sync.on_connected()
    sync.on_snapshot(BIDS, ASKS, 10)
    sync.accept_quiet()
    sync.start_check()
    assert [delta(sync, update) for update in range(11, 15)] == [CHANGED] * 4
    assert sync.on_snapshot([], [], 12) is None
    assert sync.book is not None
    assert sync.counters.checks == 0


@pytest.mark.parametrize("bid", [CROSSING, NEGATIVE])
def test_wrong_snapshot_in_a_check_is_not_the_books_fault(live: BookSynchroniser, bid: tuple[str, str]) -> None:
    assert check(live, [bid], 11) is None
    assert live.book is not None
    assert live.counters.checks == 0


@pytest.mark.parametrize(
    ("prices", "action"),
    [
        ("97 98 99", None),  # the book never heard of 97
        ("99", None),  # the snapshot, of two levels, does not reach 98
        ("", need("mismatch")),  # of two levels asked for one came, so there is no 98
        ("98.5 99", need("mismatch")),
        ("99.5", need("mismatch")),
    ],
)
def test_check_compares_as_far_as_both_snapshots_reach(prices: str, action: Action | None) -> None:
    sync = BookSynchroniser(X, snapshot_levels=2)
    sync.on_connected()
    sync.on_snapshot([("98", "1"), ("99", "1")], ASKS, 10)
    sync.accept_quiet()
    delta(sync, 11)
    assert check(sync, [*((price, "1") for price in prices.split()), ("100", "11")], 11) == action


def test_check_of_deep_levels_of_complete_snapshots() -> None:
    sync = BookSynchroniser(X, snapshot_levels=None)
    sync.on_connected()
    sync.on_snapshot(BIDS, ASKS, 10)
    sync.accept_quiet()
    assert check(sync, [("1", "1"), *BIDS], 10) == need("mismatch")


def test_two_synchronisers_share_nothing(live: BookSynchroniser) -> None:
    other = BookSynchroniser(X)
    assert counted(other) == {}
    assert isinstance(live.book, OrderBook)
    assert other.state is SyncState.WAITING


def test_counters_are_a_copy(live: BookSynchroniser) -> None:
    before = live.counters
    delta(live, 12)
    assert before.applied == 1


def polled(sync: BookSynchroniser, last: int, time: int, bids: Iterable[tuple[str, str]] = BIDS) -> Action | None:
    return sync.on_polled(list(bids), ASKS, last, engine_time=time)


def polled_at(sync: BookSynchroniser) -> Decimal:
    """The quantity of the best bid of the book, which is a polled one."""
    assert sync.state is SyncState.POLLED
    assert sync.stale_book is None
    return best(sync)


def test_polled_snapshots_are_the_book_while_there_is_no_connection(live: BookSynchroniser) -> None:
    live.on_disconnected()
    assert live.state is SyncState.STALE
    assert polled(live, 15, 1500, [("100", "15")]) == CHANGED
    assert polled_at(live) == 15
    assert polled(live, 16, 1600, [("100", "16")]) == CHANGED
    assert best(live) == 16
    assert delta(live, 17) is None, "no delta belongs to it"
    assert live.on_connected() == need("connected")
    assert (live.state, live.book) == (SyncState.STALE, None)
    assert live.stale_book is not None
    assert live.stale_book.last_update_id == 16
    delta(live, 18)
    assert live.on_snapshot(BIDS, ASKS, 17) == CHANGED
    assert live.state.value == "live"
    assert best(live) == 18


def test_polled_snapshots_are_a_first_book_too() -> None:
    sync = BookSynchroniser(X)
    assert polled(sync, 5, 500) == CHANGED
    assert sync.state is SyncState.POLLED


def test_polled_snapshots_mean_nothing_to_a_connection(live: BookSynchroniser) -> None:
    assert polled(live, 99, 9900) is None
    assert live.state is SyncState.LIVE
    assert best(live) == 11


def test_an_older_polled_snapshot_is_ignored_unless_the_exchange_numbers_anew() -> None:
    sync = BookSynchroniser(X)
    polled(sync, 10, 1000, [("100", "10")])
    assert polled(sync, 9, 900) is None
    assert polled(sync, 9, 1000) is None
    assert best(sync) == 10
    assert polled(sync, 3, 1100, [("100", "3")]) == CHANGED
    assert best(sync) == 3


def test_an_impossible_polled_snapshot_is_counted_and_changes_nothing() -> None:
    sync = BookSynchroniser(X)
    polled(sync, 10, 1000)
    assert polled(sync, 11, 1100, [("100", "-1")]) is None
    assert polled(sync, 12, 1200, [("101", "1")]) is None
    assert polled_at(sync) == 1
    assert (sync.counters.malformed, sync.counters.crossed) == (1, 1)


def test_a_polled_book_goes_stale_when_polls_fail_or_the_connection_is_lost_again() -> None:
    for forget in (BookSynchroniser.on_poll_missed, BookSynchroniser.on_disconnected):
        sync = BookSynchroniser(X)
        polled(sync, 10, 1000)
        forget(sync)
        assert (sync.state, sync.book) == (SyncState.STALE, None)
        assert polled(sync, 10, 1000) == CHANGED
        assert sync.state is SyncState.POLLED


def test_waiting_for_a_delta_is_told(sync: BookSynchroniser) -> None:
    assert not sync.awaits_delta
    sync.on_snapshot(BIDS, ASKS, 10)
    assert sync.awaits_delta
    delta(sync, 11)
    assert not sync.awaits_delta

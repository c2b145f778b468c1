"""The order book on its own: what it takes, what it refuses, what it answers."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime
from decimal import Context, Decimal, localcontext
from itertools import pairwise

import pytest

from backpack_sdk import types
from backpack_sdk._core.errors import InvalidArgument
from backpack_sdk.streams.book import BookSnapshot, BookView, DepthWithin, Level, OrderBook, SequenceGap

D = Decimal
BIDS = [("99.0", "4"), ("99.5", "1.50"), ("100.0", "2")]  # as REST sends them: best last
ASKS = [("101.0", "1"), ("101.5", "3"), ("103.0", "10")]


@pytest.fixture
def book() -> OrderBook:
    """A book of three levels a side, at update 10."""
    book = OrderBook("SOL_USDC")
    book.apply_snapshot(BIDS, ASKS, 10)
    return book


def test_reads_best_first(book: OrderBook) -> None:
    assert book.best_bid == Level(D("100.0"), D("2"))
    assert book.best_ask == (D("101"), D("1"))
    assert [level.price for level in book.bids()] == [D("100"), D("99.5"), D("99")]
    assert [level.quantity for level in book.asks()] == [1, 3, 10]
    assert book.bids(2) == book.bids()[:2]
    assert book.asks(50) == book.asks()
    assert book.asks(0) == ()
    assert book.last_update_id == 10
    assert book.symbol == "SOL_USDC"


def test_digits_are_kept_as_sent(book: OrderBook) -> None:
    assert str(book.bids()[1].quantity) == "1.50"


@pytest.mark.parametrize("order", [list, lambda side: side[::-1], lambda side: [side[1], side[2], side[0]]])
def test_snapshot_levels_come_in_any_order(order: Callable[[list[tuple[str, str]]], list[tuple[str, str]]]) -> None:
    book = OrderBook("X")
    book.apply_snapshot(order(BIDS), order(ASKS), 1)
    assert [str(level.price) for level in book.bids()] == ["100.0", "99.5", "99.0"]
    assert [str(level.price) for level in book.asks()] == ["101.0", "101.5", "103.0"]


def test_snapshot_replaces_everything(book: OrderBook) -> None:
    book.apply_snapshot([("5", "1")], [], 7)
    assert book.bids() == ((D(5), D(1)),)
    assert book.asks() == ()
    assert book.last_update_id == 7


def test_snapshot_leaves_zero_quantities_out_and_takes_the_last_of_equal_prices() -> None:
    book = OrderBook("X")
    book.apply_snapshot([("1", "1"), ("2", "0.000"), ("1.0", "7")], [("3", "0")], 1)
    assert book.bids() == ((D(1), D(7)),)
    assert book.asks() == ()


def test_delta_sets_adds_and_removes(book: OrderBook) -> None:
    bids = [("100.0", "0.00000"), ("99.7", "8"), ("99.0", "5")]
    assert book.apply_delta(bids, [("100.9", "2")], 11, 13, engine_time=1)
    assert book.bids() == ((D("99.7"), D(8)), (D("99.5"), D("1.5")), (D(99), D(5)))
    assert book.best_ask == (D("100.9"), D(2))
    assert book.last_update_id == 13


def test_levels_are_told_apart_by_value(book: OrderBook) -> None:
    book.apply_delta([("100", "7")], [("101.00", "0")], 11, 11)
    assert book.bids(1) == ((D(100), D(7)),)
    assert len(book.bids()) == 3
    assert book.best_ask == (D("101.5"), D(3))


def test_a_level_read_before_shows_its_change(book: OrderBook) -> None:
    before = book.best_bid
    book.apply_delta([("100.0", "9")], [], 11, 11)
    assert before == (D(100), D(2))
    assert book.best_bid == (D(100), D(9))


def test_removing_what_is_not_there_changes_nothing(book: OrderBook) -> None:
    before = book.bids(), book.asks()
    assert book.apply_delta([("98", "0.0")], [("200", "0")], 11, 11)
    assert (book.bids(), book.asks()) == before
    assert book.last_update_id == 11


def test_empty_delta_advances_the_update(book: OrderBook) -> None:
    assert book.apply_delta([], [], 11, 40, engine_time=5)
    assert book.last_update_id == 40
    assert book.engine_time_us == 5


def test_delta_that_overlaps_the_snapshot_applies(book: OrderBook) -> None:
    assert book.apply_delta([("100.0", "3")], [], 8, 11)
    assert book.best_bid == (D(100), D(3))


@pytest.mark.parametrize(("first", "last"), [(9, 10), (1, 1), (11, 10)])
def test_delta_the_book_contains_is_dropped(book: OrderBook, first: int, last: int) -> None:
    assert not book.apply_delta([("100.0", "3")], [], first, last)
    assert book.best_bid == (D(100), D(2))
    assert book.last_update_id == 10


def test_gap_is_refused_and_leaves_the_book_as_it_was(book: OrderBook) -> None:
    with pytest.raises(SequenceGap, match="SOL_USDC: the delta starts with update 12, but 11 should follow") as caught:
        book.apply_delta([("100.0", "3")], [], 12, 12)
    assert (caught.value.expected, caught.value.first_update_id) == (11, 12)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert book.best_bid == (D(100), D(2))
    assert book.apply_delta([], [], 11, 11)


def test_delta_before_any_snapshot_is_refused() -> None:
    with pytest.raises(SequenceGap, match="a snapshot has to come first") as caught:
        OrderBook("X").apply_delta([("1", "1")], [], 1, 1)
    assert caught.value.expected is None


MALFORMED: list[object] = [
    ("-1", "1"), ("0", "1"), ("0.000", "1"), ("1", "-1"), ("1", "-0.1"), ("nan", "1"), ("1", "nan"), ("1", "inf"),
    ("inf", "1"), ("1e400", "1"), ("1", "1e400"), ("1e-400", "1"), ("1", "1e-400"), ("x", "1"), ("1", ""), ("1",),
    ("1", "2", "3"), ("1", None), (None, "1"), None, 7, "ab", ("1", True), (D("NaN"), "1"), ("1", D("-1")),
    ("-1", "0"), ("nan", "0"), ("1", float("nan")), ("0.12345678901234567", "-1"), ("-0.12345678901234567", "1"),
    ("1", "1" * 200), ("1" * 200, "1"), ("\ud800", "1"), (10**400, "1"),
]  # fmt: skip


@pytest.mark.parametrize("side", ["bids", "asks"])
@pytest.mark.parametrize("level", MALFORMED, ids=lambda level: repr(level)[:40])
def test_what_is_no_level_is_refused_and_empties_the_book(book: OrderBook, side: str, level: object) -> None:
    levels = {"bids": [], "asks": [], side: [("90", "1") if side == "bids" else ("110", "1"), level]}
    with pytest.raises(InvalidArgument, match=rf"^{side}\[1\]"):
        book.apply_delta(**levels, first_update_id=11, last_update_id=11)  # type: ignore[arg-type]
    assert book.last_update_id is None
    assert book.best_bid is book.best_ask is None
    with pytest.raises(InvalidArgument, match=rf"^{side}\[1\]"):
        book.apply_snapshot(**levels, last_update_id=20)  # type: ignore[arg-type]
    assert book.last_update_id is None
    book.apply_snapshot(BIDS, ASKS, 10)
    assert book.best_bid == (D(100), D(2))


@pytest.mark.parametrize("levels", [5, "ab"])
def test_what_is_no_list_of_levels_is_refused(book: OrderBook, levels: object) -> None:
    with pytest.raises(InvalidArgument, match=r"^asks: expected a list of levels"):
        book.apply_delta([("100", "1")], levels, 11, 11)  # type: ignore[arg-type]
    assert book.last_update_id is None


@pytest.mark.parametrize("update_id", ["", "x", "1.5", "-1", "1_0", 1.5, True, None])
def test_what_is_no_update_id_is_refused(book: OrderBook, update_id: object) -> None:
    with pytest.raises(InvalidArgument, match="last_update_id: expected a whole number"):
        book.apply_snapshot(BIDS, ASKS, update_id)  # type: ignore[arg-type]
    assert book.last_update_id is None
    assert book.bids() == ()


def test_numbers_of_any_kind_are_taken_exactly(book: OrderBook) -> None:
    book.apply_snapshot([(D("1.10"), D("2E-8")), ("1.2e0", 3)], [(2, 0.1)], "12")
    assert book.bids() == ((D("1.2"), D(3)), (D("1.1"), D("0.00000002")))
    assert book.asks() == ((D(2), D("0.1")),)
    assert book.last_update_id == 12
    book.apply_delta([(D("1.1"), D("0E-8"))], [("2.0", 0.3), (3, D(1))], 13, 13)
    assert book.bids() == ((D("1.2"), D(3)),)
    assert book.asks() == ((D(2), D("0.3")), (D(3), D(1)))
    book.apply_delta([("1.2", "-0.0")], [], 14, 14)
    assert book.bids() == ()


# Each pair is one float.
TWINS = ("0.123456789012345677", "0.123456789012345678")
LARGE_TWINS = ("9007199254740993.1", "9007199254740993.2")


@pytest.mark.parametrize(("low", "high"), [TWINS, LARGE_TWINS, LARGE_TWINS[::-1]])
def test_prices_that_floats_confuse_are_two_levels(low: str, high: str) -> None:
    assert float(low) == float(high)
    first, second = sorted((low, high), key=D)
    book = OrderBook("X")
    book.apply_snapshot([("0.1", "1")], [], 1)
    assert book.bids(1) == ((D("0.1"), D(1)),)
    book.apply_delta([(low, "2"), (high, "3")], [(low, "4"), (high, "5")], 2, 2)
    assert [str(level.price) for level in book.bids(2)] == [second, first]
    assert [str(level.price) for level in book.asks()] == [first, second]
    assert book.is_crossed
    book.apply_delta([(second + "00", "0"), ("0.10", "6")], [(first, "0")], 3, 3)
    assert [str(level.price) for level in book.bids()] == [first, "0.10"]
    assert book.best_ask is not None
    assert str(book.best_ask.price) == second
    assert not book.is_crossed
    assert book.spread == D(second) - D(first)
    assert book.cumulative("Bid", first) == D("2" if first == low else "3")
    assert book.cumulative("Bid", second) == 0
    book.apply_delta([(second, "1")], [], 4, 4)
    assert book.is_crossed


def test_snapshot_of_prices_that_floats_confuse() -> None:
    book = OrderBook("X")
    book.apply_snapshot([("0.1", "1"), *((price, "2") for price in TWINS)], [], 1)
    assert [str(level.price) for level in book.bids()] == [*reversed(TWINS), "0.1"]
    book.apply_snapshot([("0.1", "1")], [("0.3", "1")], 2)
    book.apply_delta([("0.1000", "4")], [], 3, 3)
    assert book.bids() == ((D("0.1"), D(4)),)


def test_every_price_of_fifteen_digits_is_a_level_of_its_own() -> None:
    start = 9_007_199_254_740  # thirteen digits, close under a power of two, where floats are furthest apart
    prices = [f"{start + step // 100}.{step % 100:02}" for step in range(500)]
    assert all(float(low) < float(high) for low, high in pairwise(prices))
    book = OrderBook("X")
    book.apply_snapshot([(price, "1") for price in prices], [], 1)
    assert [str(level.price) for level in book.bids()] == prices[::-1]


def test_from_depth() -> None:
    wire = {"bids": BIDS, "asks": ASKS, "lastUpdateId": "10", "timestamp": 1_700_000_000_123_456}
    book = OrderBook.from_depth(types.Depth.model_validate(wire), "SOL_USDC")
    assert book.last_update_id == 10
    assert book.engine_time_us == 1_700_000_000_123_456
    assert book.engine_time == datetime(2023, 11, 14, 22, 13, 20, 123456, UTC)
    assert book.bids() == tuple((D(price), D(quantity)) for price, quantity in reversed(BIDS))
    assert book.apply_delta([], [("101.0", "0")], 11, 11)
    assert book.best_ask == (D("101.5"), D(3))
    assert book.engine_time is None


def test_measures(book: OrderBook) -> None:
    assert book.mid == D("100.5")
    assert book.spread == 1
    assert book.microprice == D("302") / 3  # (100 x 1 + 101 x 2) / 3
    assert book.imbalance() == D(1) / 3
    assert book.imbalance(2) == D("-0.5") / D("7.5")
    assert book.imbalance(None) == D("-6.5") / D("21.5")
    assert book.depth_within(1) == DepthWithin(D("3.5"), D(4))  # 99.495 to 101.505
    assert book.depth_within("0.4") == DepthWithin(D(0), D(0))
    assert book.depth_within(150) == DepthWithin(D("7.5"), D(14))
    assert book.cumulative("Bid") == D("7.5")
    assert book.cumulative("Bid", "99.5") == D("3.5")
    assert book.cumulative("Ask", 102) == 4
    assert book.cumulative("Ask", levels=1) == 1
    assert book.cumulative("Ask", levels=0) == 0
    assert book.vwap("Bid", 3) == D(304) / 3  # 1 at 101 and 2 at 101.5
    assert book.vwap("Ask", "2") == 100
    assert book.vwap("Bid", 14) == (101 + D("304.5") + 1030) / 14
    assert book.slippage("Bid", 3) == D(100) / 303  # 1 on 303
    assert book.slippage("Ask", "2") == 0
    assert book.slippage("Ask", "4") == D("1.25") / 4  # 0.5 x 1.5 and 1 x 0.5 on 400


def test_edges_of_depth_within_count() -> None:
    book = OrderBook("X")
    book.apply_snapshot([("99", "1"), ("98.99", "1")], [("101", "2"), ("101.01", "2")], 1)
    assert book.depth_within(1) == DepthWithin(D(1), D(2))


def test_more_than_the_book_holds_has_no_price(book: OrderBook) -> None:
    assert book.vwap("Bid", "14.0000001") is None
    assert book.slippage("Ask", 8) is None


def test_sides_may_be_enumeration_members(book: OrderBook) -> None:
    assert book.vwap(types.Side.BID, 1) == 101
    assert book.cumulative(types.Side.ASK) == 14


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda book: book.vwap("buy", 1), "side"),
        (lambda book: book.cumulative(types.Side("Both")), "side"),
        (lambda book: book.vwap("Bid", 0), "quantity"),
        (lambda book: book.slippage("Bid", "-1"), "quantity"),
        (lambda book: book.vwap("Bid", "NaN"), "quantity"),
        (lambda book: book.vwap("Bid", None), "quantity"),
        (lambda book: book.depth_within(-1), "percent"),
        (lambda book: book.bids(-1), "n"),
        (lambda book: book.asks(1.5), "n"),
        (lambda book: book.imbalance(0), "levels"),
        (lambda book: book.imbalance(1.0), "levels"),
        (lambda book: book.cumulative("Bid", levels=-1), "levels"),
        (lambda book: book.cumulative("Bid", 100, levels=1), "levels"),
        (lambda book: book.snapshot(-1), "n"),
    ],
)
def test_wrong_arguments_are_named(book: OrderBook, call: Callable[[OrderBook], object], argument: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        call(book)
    assert caught.value.argument == argument
    assert book.last_update_id == 10


def test_empty_book_answers_none() -> None:
    book = OrderBook("X")
    for view in (book, book.snapshot()):
        answers: list[object] = [view.best_bid, view.best_ask, view.mid, view.spread, view.microprice, view.imbalance()]
        answers += [view.depth_within(1), view.vwap("Bid", 1), view.slippage("Ask", 1)]
        answers += [view.last_update_id, view.engine_time_us, view.engine_time]
        assert answers == [None] * 12
        assert view.bids() == view.asks() == ()
        assert view.cumulative("Bid") == view.cumulative("Ask", 5) == 0
    assert not book.is_crossed


def test_one_sided_book() -> None:
    book = OrderBook("X")
    book.apply_snapshot(BIDS, [], 1)
    assert book.best_bid == (D(100), D(2))
    answers: list[object] = [book.best_ask, book.mid, book.spread, book.microprice, book.depth_within(1)]
    assert [*answers, book.vwap("Bid", 1)] == [None] * 6
    assert book.imbalance(3) == 1
    assert book.vwap("Ask", 2) == 100
    assert not book.is_crossed


@pytest.mark.parametrize(("bid", "crossed"), [("100.99", False), ("101", True), ("101.000", True), ("102", True)])
def test_crossed(book: OrderBook, bid: str, crossed: bool) -> None:
    book.apply_delta([(bid, "1")], [], 11, 11)
    assert book.is_crossed is crossed


def test_results_do_not_depend_on_the_callers_context(book: OrderBook) -> None:
    def read(view: BookView) -> list[object]:
        numbers = [view.mid, view.spread, view.microprice, view.imbalance(2), view.vwap("Bid", 3)]
        return [*map(str, [*numbers, view.slippage("Bid", 3), view.cumulative("Ask")]), view.depth_within("0.7")]

    def fill() -> list[object]:
        filled = OrderBook("X")
        filled.apply_snapshot([("100.123456789", "1.23456789")], [("101.123456789", "0.1"), ("102.7", "12.5")], 1)
        filled.apply_delta([(LARGE_TWINS[0], "1"), (LARGE_TWINS[0], "0")], [(TWINS[0], "3"), (TWINS[0], "0")], 2, 2)
        assert not filled.is_crossed
        return [*read(filled), repr(filled)]

    expected, filled = read(book), fill()
    strict = Context(prec=3, Emax=3, Emin=-3)
    for signal in strict.traps:
        strict.traps[signal] = True
    with localcontext(strict):
        assert read(book) == expected
        assert fill() == filled


def test_snapshot_is_immutable_and_comparable(book: OrderBook) -> None:
    held = book.snapshot()
    assert held == book.snapshot()
    assert hash(held) == hash(book.snapshot())
    assert (held.bid_levels, held.ask_levels) == (book.bids(), book.asks())
    with pytest.raises(FrozenInstanceError):
        held.symbol = "Y"  # type: ignore[misc]
    best = book.best_bid
    book.apply_delta([("100.0", "0")], [], 11, 11, engine_time=3)
    assert held.best_bid == best != book.best_bid
    assert held != book.snapshot()
    assert book.snapshot(1).bids() == book.bids(1)
    assert pickle.loads(pickle.dumps(held)) == held
    assert held.mid == D("100.5")
    assert held.vwap("Bid", 3) == D(304) / 3


def test_equal_snapshots_may_differ_in_their_time() -> None:
    late, early = (BookSnapshot("X", 1, (), (), time) for time in (1, None))
    assert late == early
    assert hash(late) == hash(early)


def test_repr(book: OrderBook) -> None:
    assert repr(book) == "<OrderBook SOL_USDC 2 @ 100.0 | 1 @ 101.0, 3+3 levels, update 10>"
    assert repr(book.snapshot(1)) == "<BookSnapshot SOL_USDC 2 @ 100.0 | 1 @ 101.0, 1+1 levels, update 10>"
    book.apply_snapshot([], [("1e-8", "1")], 3)
    assert repr(book) == "<OrderBook SOL_USDC no bids | 1 @ 0.00000001, 0+1 levels, update 3>"
    book.clear()
    assert repr(book) == "<OrderBook SOL_USDC without a snapshot>"
    assert repr(book.snapshot()) == "<BookSnapshot SOL_USDC no bids | no asks, 0+0 levels, update None>"


def test_input_may_change_afterwards() -> None:
    bids, change = [["1", "1"]], [["2", "2"]]
    book = OrderBook("X")
    book.apply_snapshot(bids, [], 1)
    book.apply_delta(change, [], 2, 2)
    bids[0][1] = change[0][1] = "9"
    assert book.bids() == ((D(2), D(2)), (D(1), D(1)))

"""Sides of a snapshot: the quick ways, from levels and from bytes, do what one level after the other does."""

from __future__ import annotations

import json
from bisect import insort
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backpack_sdk.streams.book import OrderBook
from backpack_sdk.streams.levels import Keys, Row, pair_of, put_levels
from backpack_sdk.streams.seeding import read_depth
from backpack_sdk.streams.sides import WireSide, load_side, read_side

PRICES = st.one_of(
    st.sampled_from(["1", "1.0", "2", "3.50", "10", "0.1", "123456789.123456", "0.10000000000000000555"]),
    st.sampled_from(
        ["", "0", "-1", "+1", "01", " 1", "1_0", "1e1", "1e-70", "1e70", "NaN", "1,2", "null", "]", "x", "٣"]
    ),
)
QUANTITIES = st.one_of(
    st.sampled_from(["1", "0.5", "0.00001", "12.50"]),
    st.sampled_from(
        ["", "0", "0.000", "-1", "1e-2", "1e-400", "1e70", "NaN", "1,2", "true", "9" * 200, "0." + "1" * 130, "x"]
    ),
)
PLAIN = st.lists(
    st.tuples(st.integers(1, 500), st.integers(1, 500)), min_size=1, max_size=30, unique_by=lambda row: row[0]
)


def one_by_one(keys: Keys, rows: list[Row], changes: Sequence[Any], sign: int) -> None:
    put_levels(keys, rows, changes, sign)


def result(levels: Sequence[Any], sign: int, *, quick: bool) -> tuple[list[float], list[tuple[str, str]]] | str:
    try:
        keys, rows = load_side(levels, sign) if quick else load_side(levels, sign, one_by_one)
    except (TypeError, ValueError):
        return "refused"
    return list(keys), list(map(pair_of, rows))


def levels_of(book: OrderBook) -> list[list[tuple[Any, ...]]]:
    return [[tuple(level) for level in side] for side in (book.bids(), book.asks())]


def as_json(levels: Sequence[Any]) -> bytes:
    return json.dumps(levels, separators=(",", ":"), ensure_ascii=False).encode()


@given(st.lists(st.tuples(PRICES, QUANTITIES), max_size=6), st.sampled_from([1, -1]))
@example([("1,2", "1"), ("", "1")], 1)
@example([("1", "1,2"), ("2", "")], 1)
@example([("1", "0"), ("2", "1")], -1)
@example([("1", "0." + "1" * 130), ("2", "1"), ("3", "1")], 1)
@example([("1", "1"), ("1.0", "2")], 1)
def test_any_text_gives_what_its_levels_give_one_by_one(levels: list[tuple[str, str]], sign: int) -> None:
    one_after_the_other = result(levels, sign, quick=False)
    assert result(levels, sign, quick=True) == one_after_the_other
    from_bytes = read_side(as_json(levels), sign)
    assert list(from_bytes) == levels or (isinstance(from_bytes, WireSide) and list(from_bytes)[::-1] == levels)
    assert result(from_bytes, sign, quick=True) == one_after_the_other


@given(PLAIN, st.sampled_from([1, -1]), st.sampled_from(["ascending", "descending", "mixed"]))
def test_plain_sides_are_sorted_with_the_best_last(levels: list[tuple[int, int]], sign: int, order: str) -> None:
    if order != "mixed":
        levels = sorted(levels, reverse=order == "descending")
    keys, rows = load_side([(f"{price / 100:.2f}", str(size)) for price, size in levels], sign)
    wanted: list[tuple[int, int]] = []
    for level in levels:
        insort(wanted, level, key=lambda row: sign * row[0])
    assert [(float(row[0]), float(row[1])) for row in rows] == [(price / 100, size) for price, size in wanted]
    assert list(keys) == [sign * price / 100 for price, _ in wanted]


@pytest.mark.parametrize("level", [("1",), ("1", "2", "3"), 5, None, ("1", 2), (1, "2")])
def test_what_is_no_pair_of_texts_is_refused(level: Any) -> None:
    assert result([("1", "1"), level], 1, quick=True) == "refused"


def test_bytes_of_short_sorted_text_make_no_object_of_every_number() -> None:
    levels = [(f"{price}.50", "2.00000") for price in range(100, 130)]
    side = read_side(as_json(levels), 1)
    assert isinstance(side, WireSide)
    assert (len(side), side[-1], side[:2]) == (30, levels[-1], levels[:2])
    assert list(side) == levels


@pytest.mark.parametrize(
    "text",
    [
        b'[["1","2","3"],["4"]]', b'[["1","2"],["3"]]', b'[["1"],["2"]]', b'["1","2"]', b'[[1,2]]', b'[["1",2]]',
        b'[["1","2"],[]]', b'[["1","2"]', b'{"1":"2"}', b'null', b'[["1","2"],["3","4"]],', b'',
    ],
)  # fmt: skip
def test_other_json_is_no_side(text: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        read_side(text, 1)


def test_any_spelling_of_the_json_will_do() -> None:
    levels = [("1", "2"), ("3.5", "4")]
    for text in (json.dumps(levels, indent=1), '[["1" ,"2"],["\\u0033.5","4"]]'):
        assert list(read_side(text.encode(), 1)) == levels
    assert list(read_side(b"[]", 1)) == []


def test_books_from_one_snapshot_do_not_share_levels() -> None:
    bids, asks = [("98", "1"), ("99", "2")], [("101", "3"), ("102", "4")]
    body = {"bids": bids, "asks": asks, "lastUpdateId": "7", "timestamp": 5}
    depth = read_depth(json.dumps(body, separators=(",", ":")).encode())
    one, other = OrderBook("SOL_USDC"), OrderBook("SOL_USDC")
    for book in (one, other):
        book.apply_snapshot(depth.bids, depth.asks, depth.last_update_id)
    one.apply_delta([("99", "0")], [("101", "9")], 8, 8)
    assert levels_of(one) == [[(98, 1)], [(101, 9), (102, 4)]]
    assert levels_of(other) == [[(99, 2), (98, 1)], [(101, 3), (102, 4)]]
    swapped = OrderBook("SOL_USDC")
    swapped.apply_snapshot(depth.asks, depth.bids, 7)
    assert levels_of(swapped) == [[(102, 4), (101, 3)], [(98, 1), (99, 2)]]


def test_a_price_too_long_for_a_float_makes_all_keys_exact() -> None:
    body = {"bids": [("0.1", "1")], "asks": [("0.2", "1"), ("0.3", "2")], "lastUpdateId": "7", "timestamp": 5}
    depth = read_depth(json.dumps(body, separators=(",", ":")).encode())
    book = OrderBook("SOL_USDC")
    book.apply_snapshot(depth.bids, depth.asks, depth.last_update_id)
    long = "0.1000000000000000055511151231257827"
    book.apply_delta([(long, "5")], [], 8, 8)
    bids, asks = [(Decimal(long), 5), (Decimal("0.1"), 1)], [(Decimal("0.2"), 1), (Decimal("0.3"), 2)]
    assert levels_of(book) == [bids, asks]
    body["bids"] = [("0.1", "1"), (long, "5")]
    depth = read_depth(json.dumps(body, separators=(",", ":")).encode())
    book.apply_snapshot(depth.bids, depth.asks, depth.last_update_id)
    assert levels_of(book) == [bids, asks]

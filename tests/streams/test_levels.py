"""Sides of a snapshot: the quick way does what one level after the other does."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backpack_sdk.streams.levels import Keys, Row, load_side, put_levels

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


def result(levels: Sequence[Any], sign: int, *, quick: bool) -> tuple[list[float], list[Row]] | str:
    try:
        keys, rows = load_side(levels, sign) if quick else load_side(levels, sign, one_by_one)
    except (TypeError, ValueError):
        return "refused"
    return list(keys), rows


@given(st.lists(st.tuples(PRICES, QUANTITIES), max_size=6), st.sampled_from([1, -1]))
@example([("1,2", "1"), ("", "1")], 1)
@example([("1", "1,2"), ("2", "")], 1)
@example([("1", "0"), ("2", "1")], -1)
@example([("1", "0." + "1" * 130), ("2", "1"), ("3", "1")], 1)
@example([("1", "1"), ("1.0", "2")], 1)
def test_any_text_gives_what_its_levels_give_one_by_one(levels: list[tuple[str, str]], sign: int) -> None:
    assert result(levels, sign, quick=True) == result(levels, sign, quick=False)


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

"""How numbers and times are written."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpack_sdk.paper import wire

EXTREMES = st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1E+40"), max_value=Decimal("1E+40"))
TIMES = st.integers(0, 7_258_118_400_000_000)


@given(EXTREMES)
def test_a_number_is_exact_and_has_no_exponent_or_needless_zero(value: Decimal) -> None:
    text = wire.number(value)
    assert Decimal(text) == value
    assert re.fullmatch(r"0|-?(0|[1-9][0-9]*)\.[0-9]*[1-9]|-?[1-9][0-9]*", text)


@pytest.mark.parametrize(
    ("value", "text"),
    [("1E-8", "0.00000001"), ("1E+3", "1000"), ("100.0", "100"), ("-0.00", "0"), ("0E+5", "0"), ("-1.50", "-1.5")],
)
def test_numbers_that_are_easily_written_wrong(value: str, text: str) -> None:
    assert wire.number(Decimal(value)) == text


@given(TIMES)
def test_a_time_of_a_history_is_exact(time_us: int) -> None:
    text = wire.iso(time_us)
    moment = datetime.fromisoformat(text)
    assert moment.tzinfo is None
    seconds = int(moment.replace(microsecond=0, tzinfo=UTC).timestamp())
    assert seconds * 1_000_000 + moment.microsecond == time_us


@pytest.mark.parametrize(
    ("time_us", "text"),
    [
        (1_752_930_549_123_456, "2025-07-19T13:09:09.123456"),
        (1_752_930_549_120_000, "2025-07-19T13:09:09.120"),
        (1_752_930_549_000_000, "2025-07-19T13:09:09"),
    ],
)
def test_a_time_of_a_history_has_as_many_digits_as_it_needs(time_us: int, text: str) -> None:
    assert wire.iso(time_us) == text

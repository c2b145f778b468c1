"""Every scalar type: what it reads, that it writes back the same text, and what it refuses."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from backpack_sdk._core import scalars

from .wire_values import clock_texts, counts, decimal_texts, first_second, json_values, last_second, moment_texts

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ADAPTERS: dict[str, TypeAdapter[Any]] = {
    name: TypeAdapter(getattr(scalars, name))
    for name in (
        "ClockTime", "CountText", "DecimalNumber", "DecimalText", "IsoTime", "Micros", "Millis", "RepeatedDecimal",
        "Seconds", "Secret", "SpacedTime",
    )
}  # fmt: skip
COUNTED = {"Micros": 1_000_000, "Millis": 1000, "Seconds": 1}
MOMENTS = (*COUNTED, "IsoTime", "SpacedTime")


def read(name: str, wire: Any) -> Any:
    return ADAPTERS[name].validate_json(json.dumps(wire))


def write(name: str, value: Any) -> Any:
    text = ADAPTERS[name].dump_json(value)
    assert json.dumps(ADAPTERS[name].dump_python(value, mode="json")) == json.dumps(json.loads(text))
    return json.loads(text)


def assert_exact(name: str, wire: Any) -> Any:
    value = read(name, wire)
    for twin in (value, copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert twin == value
        assert type(twin) is type(value)
        assert json.dumps(write(name, twin)) == json.dumps(wire)
    assert json.dumps(write(name, ADAPTERS[name].validate_python(value))) == json.dumps(wire)
    return value


# Points in time


@pytest.mark.parametrize("name", COUNTED)
@given(data=st.data())
def test_counts_are_exact(name: str, data: st.DataObject) -> None:
    wire = data.draw(counts(COUNTED[name]))
    moment = assert_exact(name, wire)
    assert moment - EPOCH == timedelta(seconds=int(wire) // COUNTED[name]) + timedelta(
        microseconds=int(wire) % COUNTED[name] * (1_000_000 // COUNTED[name])
    )
    assert moment.utcoffset() == timedelta(0)


@pytest.mark.parametrize("name", COUNTED)
def test_counts_reach_from_the_first_year_to_the_last(name: str) -> None:
    per_second = COUNTED[name]
    assert read(name, first_second * per_second) == datetime(1, 1, 1, tzinfo=UTC)
    assert read(name, 0) == EPOCH
    assert read(name, -1) == EPOCH - timedelta(seconds=1) / per_second
    assert read(name, last_second * per_second).year == 9999
    for beyond in (first_second * per_second - 1, (last_second + 1) * per_second, 10**40, -(10**40), str(10**40)):
        with pytest.raises(ValidationError, match="outside the years 1 to 9999"):
            read(name, beyond)


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize(
    "wrong", [True, None, 1.5, "", "-", "1.5", "+1", " 1", "1_0", "²", "٣", "x", [], {}, "9" * 5000]
)
def test_what_is_no_count_is_refused(name: str, wrong: Any) -> None:
    with pytest.raises(ValidationError):
        read(name, wrong)


@given(moment_texts())
@example("2025-07-19T13:09:00.123456789")
@example("2025-07-19T13:09:00.100000")
@example("2025-07-19T13:09:00.000")
@example("1970-01-01T00:00:00")
@example("1969-12-31T23:59:59.999999Z")
@example("0001-01-01T00:00:00")
@example("9999-12-31T23:59:59.999999999")
@example("2025-07-19")
@example("2025-07-19T13:09")
@example("2025-07-19T13")
@example("2025-07-19 13:09:00")
@example("20250719T130900Z")
@example("2025-07-19T13:09:00,5")
@example("2025-07-19T13:09:00.5+05:30:15")
def test_iso_texts_are_exact(wire: str) -> None:
    assert assert_exact("IsoTime", wire).utcoffset() == timedelta(0)


@given(moment_texts(" "))
@example("2025-07-19 13:09:00.000000001")
@example("2025-07-19T13:09:00")
def test_spaced_texts_are_exact(wire: str) -> None:
    assert assert_exact("SpacedTime", wire).utcoffset() == timedelta(0)


@given(st.datetimes(), st.sampled_from(["", "Z", "+00:00"]))
def test_iso_texts_mean_utc_unless_they_say_otherwise(moment: datetime, zone: str) -> None:
    assert read("IsoTime", moment.isoformat() + zone) == moment.replace(tzinfo=UTC)


def test_offsets_are_reckoned_to_utc() -> None:
    assert read("IsoTime", "2025-07-19T13:09:00+05:30") == datetime(2025, 7, 19, 7, 39, tzinfo=UTC)
    assert read("SpacedTime", "2025-07-19 13:09:00-01:00").hour == 14


@pytest.mark.parametrize("name", ["IsoTime", "SpacedTime"])
@pytest.mark.parametrize(
    "wrong", ["", "x", "2025-13-01T00:00:00", "2025-02-29T00:00:00", "0000-01-01T00:00:00", "10000-01-01T00:00:00",
              "2025-07-19T13:09:00+99:00", "2025-07-19T25:00:00", "2025-07-19T13:09:00 UTC", 0, 1.5, None, [], {}],
)  # fmt: skip
def test_what_is_no_moment_is_refused(name: str, wrong: Any) -> None:
    with pytest.raises(ValidationError):
        read(name, wrong)


@pytest.mark.parametrize("wire", ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"])
def test_moments_outside_the_calendar_in_utc_are_refused(wire: str) -> None:
    with pytest.raises(ValidationError, match="outside the years 1 to 9999 in UTC"):
        read("IsoTime", wire)
    with pytest.raises(ValueError, match="outside the years 1 to 9999 in UTC"):
        scalars.to_iso(datetime.fromisoformat(wire))


@pytest.mark.parametrize("name", MOMENTS)
def test_a_datetime_without_a_zone_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="time zone"):
        ADAPTERS[name].validate_python(datetime(2025, 7, 19))


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("Micros", 1752930540123456), ("Millis", 1752930540123), ("Seconds", 1752930540),
        ("IsoTime", "2025-07-19T13:09:00.123456"), ("SpacedTime", "2025-07-19 13:09:00.123456"),
    ],
)  # fmt: skip
def test_a_datetime_of_any_zone_and_any_origin_is_written_in_the_form_of_its_field(name: str, wire: Any) -> None:
    moment = datetime(2025, 7, 19, 13, 9, 0, 123456, tzinfo=UTC)
    assert write(name, moment) == wire
    assert write(name, moment.astimezone(ZoneInfo("Asia/Kolkata"))) == wire
    # Times that carry a wire form of their own: it belongs to the field they came from.
    for origin, text in (("IsoTime", "2025-07-19T13:09:00.123456789"), ("SpacedTime", "2025-07-19 13:09:00.123456999"),
                         ("Micros", "1752930540123456"), ("IsoTime", "2025-07-19T18:39:00.123456+05:30")):  # fmt: skip
        if origin != name:
            assert write(name, ADAPTERS[name].validate_python(read(origin, text))) == wire


def test_a_whole_unit_is_written_towards_the_past() -> None:
    assert write("Millis", EPOCH - timedelta(microseconds=1)) == -1
    assert write("Seconds", EPOCH + timedelta(microseconds=999_999)) == 0


def test_an_exact_time_behaves_as_a_datetime() -> None:
    exact = read("IsoTime", "2025-07-19T13:09:00.123456789")
    plain = datetime(2025, 7, 19, 13, 9, 0, 123456, tzinfo=UTC)
    assert exact == plain
    assert hash(exact) == hash(plain)
    assert repr(exact) == repr(plain)
    assert write("IsoTime", exact + timedelta(seconds=1)) == "2025-07-19T13:09:01.123456"
    assert write("IsoTime", exact.replace(microsecond=0)) == "2025-07-19T13:09:00"
    berlin = exact.astimezone(ZoneInfo("Europe/Berlin"))
    assert pickle.loads(pickle.dumps(berlin)) == berlin
    assert copy.deepcopy(berlin).utcoffset() == timedelta(hours=2)
    assert write("IsoTime", berlin) == "2025-07-19T13:09:00.123456"


# Times of day


@given(clock_texts)
@example("09:30:00")
@example("00:00")
@example("23:59:59.999999")
@example("23:59:59.999999999")
@example("09:30:00+01:00")
def test_clock_texts_are_exact(wire: str) -> None:
    clock = assert_exact("ClockTime", wire)
    assert repr(clock) == repr(time.fromisoformat(clock.isoformat()))


@pytest.mark.parametrize("wrong", ["", "25:00:00", "9:30", "noon", 930, None, True, []])
def test_what_is_no_time_of_day_is_refused(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        read("ClockTime", wrong)


def test_a_time_of_day_is_taken_as_it_is() -> None:
    assert write("ClockTime", ADAPTERS["ClockTime"].validate_python(time(9, 30))) == "09:30:00"
    shifted = read("ClockTime", "09:30").replace(hour=10)
    assert write("ClockTime", shifted) == "10:30:00"
    assert pickle.loads(pickle.dumps(shifted)) == time(10, 30)


# Decimals


@pytest.mark.parametrize("name", ["DecimalText", "RepeatedDecimal"])
@given(wire=decimal_texts)
@example(wire="0")
@example(wire="-0")
@example(wire="-0.00")
@example(wire="86700.0")
@example(wire="1234567890123456789012345678")
@example(wire="0.0000000000000000000000000001")
@example(wire="9" * 60 + "." + "9" * 60)
def test_decimal_texts_are_exact(name: str, wire: str) -> None:
    assert assert_exact(name, wire) == Decimal(wire)


@pytest.mark.parametrize("name", ["DecimalText", "RepeatedDecimal"])
@pytest.mark.parametrize(
    ("wire", "plain"), [("1E-8", "0.00000001"), ("1e+3", "1000"), ("1.50e2", "150"), ("0E-3", "0.000")]
)
def test_an_exponent_is_read_and_never_written(name: str, wire: str, plain: str) -> None:
    assert write(name, read(name, wire)) == plain


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
@example(Decimal("1E-28"))
@example(Decimal("1E+28"))
@example(Decimal("-0E+5"))
def test_json_never_shows_an_exponent(value: Decimal) -> None:
    for name in ("DecimalText", "RepeatedDecimal"):
        written = write(name, ADAPTERS[name].validate_python(value))
        assert "e" not in written.lower()
        assert Decimal(written) == value
    assert "e" not in scalars.plain(value).lower()


@pytest.mark.parametrize("name", ["DecimalText", "RepeatedDecimal", "DecimalNumber"])
@pytest.mark.parametrize(
    "wrong", ["NaN", "sNaN", "Infinity", "-Infinity", "inf", "", "abc", "1,5", "0x10", True, None, [], {}]
)
def test_what_is_no_finite_decimal_is_refused(name: str, wrong: Any) -> None:
    with pytest.raises(ValidationError):
        read(name, wrong)
    for value in (Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), float("nan"), float("inf")):
        with pytest.raises(ValidationError):
            ADAPTERS[name].validate_python(value)


@pytest.mark.parametrize("name", ["DecimalText", "RepeatedDecimal", "DecimalNumber"])
def test_a_float_is_taken_by_its_shortest_text(name: str) -> None:
    assert ADAPTERS[name].validate_python(0.1) == Decimal("0.1")
    assert ADAPTERS[name].validate_python(1e-7) == Decimal("0.0000001")


@given(st.one_of(st.integers(-(10**40), 10**40), st.floats(-1e15, 1e15)))
@example(1.0)
@example(0)
@example(-0.0)
@example(99.95)
def test_json_numbers_are_exact(wire: float) -> None:
    assert assert_exact("DecimalNumber", wire) == Decimal(repr(wire))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_json_numbers_of_any_size_keep_their_value(wire: float) -> None:
    assert float(write("DecimalNumber", read("DecimalNumber", wire))) == wire


# Digits and secrets


@given(st.one_of(st.integers().map(str), st.text("0123456789", min_size=1, max_size=30)))
@example("007")
@example("-0")
def test_digits_are_exact(wire: str) -> None:
    assert assert_exact("CountText", wire) == int(wire)


@given(st.integers())
def test_an_integer_is_written_as_digits(number: int) -> None:
    assert write("CountText", ADAPTERS["CountText"].validate_python(number)) == str(number)


@pytest.mark.parametrize("wrong", ["", "-", "1.0", "+1", "1_000", "²", "٣", True, None, 1.0, [], "9" * 5000])
def test_what_is_no_digits_is_refused(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        read("CountText", wrong)


@given(st.text(st.characters(codec="utf-8")))
def test_a_secret_is_sent_and_not_shown(text: str) -> None:
    secret = read("Secret", text)
    assert write("Secret", secret) == text
    assert str(secret) == text
    assert repr(secret) == repr([secret])[1:-1] == "'***'"
    assert repr(pickle.loads(pickle.dumps(secret))) == "'***'"


@pytest.mark.parametrize("wrong", [None, 123456, True, 1.5, [], {}])
def test_a_secret_must_be_text(wrong: Any) -> None:
    with pytest.raises(ValidationError, match="expected a text"):
        read("Secret", wrong)


# Whatever comes


READERS: list[Callable[[Any], Any]] = [
    scalars.from_clock, scalars.from_digits, scalars.from_iso, scalars.from_micros, scalars.from_millis,
    scalars.from_number, scalars.from_seconds, scalars.from_secret, scalars.from_spaced,
]  # fmt: skip


@given(st.one_of(json_values, st.binary(), st.dates(), st.datetimes(timezones=st.just(timezone(timedelta(hours=14))))))
@example("1e999999999")
@example("9" * 5000)
@example("2025-07-19T13:09:00.")
def test_a_reader_gives_a_value_or_a_value_error(wire: Any) -> None:
    for reader in READERS:
        with contextlib.suppress(ValueError):
            reader(wire)
    for adapter in ADAPTERS.values():
        with contextlib.suppress(ValidationError):
            adapter.validate_python(wire)

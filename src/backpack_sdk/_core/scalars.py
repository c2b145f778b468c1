"""Types of single values: what they are in Python, and how each goes back to the wire unchanged.

Money is `Decimal`. Every point in time is an aware UTC `datetime`, whatever its wire form; the type names the form.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, PlainSerializer, PlainValidator
from pydantic_core import core_schema

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MILLISECOND = timedelta(milliseconds=1)
_SECOND = timedelta(seconds=1)


def plain(value: Decimal) -> str:
    """Text of a decimal without an exponent; trailing zeros are kept."""
    return format(value, "f")


class ExactTime(datetime):
    """A `datetime` whose wire form says more than a `datetime` can hold, such as nanoseconds.

    `wire` is that form and `form` its kind, a unit or a separator: written in another form, the moment is spelt anew.
    What is derived from it, a shifted time or one in another zone, has neither.
    """

    wire: str
    form: timedelta | str

    def __reduce_ex__(self, _protocol: Any) -> tuple[Any, ...]:
        moment = datetime.combine(self.date(), self.timetz())
        return (_exact, (moment, self.wire, self.form)) if hasattr(self, "wire") else (_same, (moment,))

    def __repr__(self) -> str:
        return super().__repr__().replace("ExactTime(", "datetime.datetime(", 1)


def _same(moment: datetime) -> datetime:
    return moment


def _exact(moment: datetime, wire: str, form: timedelta | str) -> datetime:
    exact = ExactTime.combine(moment.date(), moment.timetz())
    exact.wire, exact.form = wire, form
    return exact


def _wire(moment: datetime, form: timedelta | str) -> str | None:
    """The text that a moment came as, when it came in this form."""
    return getattr(moment, "wire", None) if getattr(moment, "form", None) == form else None


def _require_aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a datetime needs a time zone, for instance datetime.now(timezone.utc)")
    return moment


def _from_count(value: Any, unit: timedelta) -> datetime:
    """A point in time from a count of `unit` since 1970, given as a number or as digits."""
    if type(value) is int:
        return EPOCH + value * unit
    if isinstance(value, datetime):
        return _require_aware(value)
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and value.isascii():
        return _exact(EPOCH + int(value) * unit, value, unit)
    raise ValueError("expected a whole number of units since 1970 or an aware datetime")


def _to_count(moment: datetime, unit: timedelta) -> str | int:
    wire = _wire(moment, unit)
    return wire if wire is not None else (moment - EPOCH) // unit


def _guard(value: Any, unit: timedelta) -> datetime:
    try:
        return _from_count(value, unit)
    except OverflowError:
        raise ValueError("is outside the years 1 to 9999; is it in another unit?") from None


def from_micros(value: Any) -> datetime:
    """A point in time from microseconds since 1970."""
    return _guard(value, _MICROSECOND)


def from_millis(value: Any) -> datetime:
    """A point in time from milliseconds since 1970."""
    return _guard(value, _MILLISECOND)


def from_seconds(value: Any) -> datetime:
    """A point in time from seconds since 1970."""
    return _guard(value, _SECOND)


def to_micros(moment: datetime) -> str | int:
    """Microseconds since 1970."""
    return _to_count(moment, _MICROSECOND)


def to_millis(moment: datetime) -> str | int:
    """Whole milliseconds since 1970; a finer part is cut off."""
    return _to_count(moment, _MILLISECOND)


def to_seconds(moment: datetime) -> str | int:
    """Whole seconds since 1970; a finer part is cut off."""
    return _to_count(moment, _SECOND)


def _from_other_text(value: Any, separator: str) -> datetime:
    """A point in time from text that is not the exchange's usual form, which is kept as it came."""
    if isinstance(value, datetime):
        return _require_aware(value)
    if not isinstance(value, str):
        raise ValueError("expected an ISO 8601 text or an aware datetime")
    moment = datetime.fromisoformat(value)
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else _utc(moment)
    return aware if _to_text(aware, separator) == value else _exact(aware, value, separator)


def _to_text(moment: datetime, separator: str) -> str:
    wire = _wire(moment, separator)
    return wire if wire is not None else _utc(moment).replace(tzinfo=None).isoformat(separator)


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is outside the years 1 to 9999 in UTC") from None


def from_iso(value: Any) -> datetime:
    """A point in time from `2025-07-19T13:09:00.5`; without an offset it is UTC."""
    try:
        moment = datetime.fromisoformat(value + "+00:00")
        if moment.isoformat()[:-6] == value:
            return moment
    except (TypeError, ValueError):
        pass  # not the usual form
    return _from_other_text(value, "T")


def to_iso(moment: datetime) -> str:
    """ISO 8601 in UTC without an offset, as the exchange writes it."""
    return _to_text(moment, "T")


def from_spaced(value: Any) -> datetime:
    """A point in time from `2025-07-19 13:09:00`, UTC."""
    return _from_other_text(value, " ")


def to_spaced(moment: datetime) -> str:
    """Date and time with a space between, in UTC, as candles have them."""
    return _to_text(moment, " ")


class ExactClock(time):
    """A `time` of day that remembers wire text a `time` would spell otherwise."""

    wire: str

    def __reduce_ex__(self, _protocol: Any) -> tuple[Any, ...]:
        return from_clock, (getattr(self, "wire", time.fromisoformat(self.isoformat())),)

    def __repr__(self) -> str:
        return super().__repr__().replace("ExactClock(", "datetime.time(", 1)


def from_clock(value: Any) -> time:
    """A time of day without a zone, from `09:30:00`."""
    if isinstance(value, time):
        return value
    if not isinstance(value, str):
        raise ValueError("expected a time of day such as 09:30:00")
    clock = time.fromisoformat(value)
    if clock.isoformat() == value:
        return clock
    exact = ExactClock(clock.hour, clock.minute, clock.second, clock.microsecond, clock.tzinfo)
    exact.wire = value
    return exact


def to_clock(clock: time) -> str:
    """A time of day as `09:30:00`."""
    wire: str | None = getattr(clock, "wire", None)
    return clock.isoformat() if wire is None else wire


class CountFromText(int):
    """An integer which the wire carries as digits in a text; `wire` keeps leading zeros and the like."""

    wire: str


def from_digits(value: Any) -> int:
    """An integer from a text of digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or not value.removeprefix("-").isdecimal() or not value.isascii():
        raise ValueError("expected a text of digits")
    number = int(value)
    if str(number) == value:
        return number
    exact = CountFromText(number)
    exact.wire = value
    return exact


def to_digits(number: int) -> str:
    """An integer as a text of digits."""
    wire: str | None = getattr(number, "wire", None)
    return str(number) if wire is None else wire


def from_number(value: Any) -> Decimal:
    """A decimal from a JSON number, by the number's shortest text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise ValueError("expected a number")
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        raise ValueError("expected a number") from None
    if not number.is_finite():
        raise ValueError("expected a finite number")
    return number


def to_number(value: Decimal) -> int | float:
    """A decimal as the JSON number it came from."""
    exponent = value.as_tuple().exponent
    return int(value) if isinstance(exponent, int) and exponent >= 0 else float(value)


class SecretText(str):
    """Text that never shows in a repr: a two-factor token, a broker's key. `str(value)` is the text itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def from_secret(value: Any) -> SecretText:
    """Text that hides itself."""
    if not isinstance(value, str):
        raise ValueError("expected a text")
    return SecretText(value)


@lru_cache(maxsize=4096)
def _known_decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError("expected a decimal number") from None
    if not number.is_finite():
        raise ValueError("expected a finite number")
    return number


class _OncePerText:
    """Validates text of a decimal through a cache, and everything else as a decimal is validated."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        known = core_schema.chain_schema(
            [core_schema.str_schema(), core_schema.no_info_plain_validator_function(_known_decimal)]
        )
        return core_schema.union_schema([known, handler(source)], mode="left_to_right")


DecimalText = Annotated[Decimal, PlainSerializer(plain, return_type=str, when_used="json")]
"""A decimal carried as text. Exact; written back without an exponent."""
RepeatedDecimal = Annotated[Decimal, _OncePerText(), PlainSerializer(plain, return_type=str, when_used="json")]
"""A decimal carried as text, of a kind that comes again and again: tick sizes, limits, multipliers of a market."""
DecimalNumber = Annotated[Decimal, PlainValidator(from_number), PlainSerializer(to_number, when_used="json")]
"""A decimal carried as a JSON number."""
CountText = Annotated[int, PlainValidator(from_digits), PlainSerializer(to_digits, return_type=str, when_used="json")]
"""An integer carried as a text of digits."""
Micros = Annotated[datetime, PlainValidator(from_micros), PlainSerializer(to_micros, when_used="json")]
"""A point in time carried as microseconds since 1970."""
Millis = Annotated[datetime, PlainValidator(from_millis), PlainSerializer(to_millis, when_used="json")]
"""A point in time carried as milliseconds since 1970."""
Seconds = Annotated[datetime, PlainValidator(from_seconds), PlainSerializer(to_seconds, when_used="json")]
"""A point in time carried as seconds since 1970."""
IsoTime = Annotated[datetime, PlainValidator(from_iso), PlainSerializer(to_iso, return_type=str, when_used="json")]
"""A point in time carried as ISO 8601 text in UTC without an offset."""
SpacedTime = Annotated[
    datetime, PlainValidator(from_spaced), PlainSerializer(to_spaced, return_type=str, when_used="json")
]
"""A point in time carried as `2025-07-19 13:09:00`, UTC."""
ClockTime = Annotated[time, PlainValidator(from_clock), PlainSerializer(to_clock, return_type=str, when_used="json")]
"""A time of day carried as `09:30:00`, in the zone that stands beside it."""
Secret = Annotated[str, PlainValidator(from_secret)]
"""Text that is hidden from every repr."""

"""From what a caller passes to what the wire carries.

Every function takes the value and the argument's name, gives None for None (an argument that was not given), and
raises InvalidArgument with that name when the value can't be sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeAlias

from ..pairs import Pair, PairError, to_backpack
from .enums import OpenEnum
from .errors import InvalidArgument
from .scalars import SecretText, plain, to_iso, to_micros, to_millis, to_seconds, to_spaced

if TYPE_CHECKING:
    from .model import Model

DecimalLike: TypeAlias = Decimal | str | int | float
"""A quantity or price. A float is taken by its shortest text: `0.1` is exactly 0.1."""
SymbolLike: TypeAlias = str | Pair
"""A market: the exchange's symbol, or any notation `Pair.parse` understands, or a Pair."""
TimeLike: TypeAlias = datetime | int
"""A point in time: an aware datetime, or a count in the unit that the parameter's documentation names."""

_WIDEST = 60
"""Digits on either side of the point beyond which a number is surely a mistake."""


def symbol(value: SymbolLike | None, name: str) -> str | None:
    """The exchange's symbol of a market."""
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return to_backpack(value)
        if isinstance(value, Pair):
            return value.backpack
    except PairError as problem:
        raise InvalidArgument(name, str(problem)) from None
    raise InvalidArgument(name, f"expected a market symbol or a Pair, got {type(value).__name__}")


def decimal(value: DecimalLike | None, name: str) -> str | None:
    """Decimal text without an exponent; text that is plain already goes as it is."""
    if value is None:
        return None
    number = _finite(value, name)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_WIDEST or number.adjusted() > _WIDEST:
        raise InvalidArgument(name, f"{value!r} has more digits than any price or quantity of the exchange")
    return plain(number)


def _finite(value: DecimalLike, name: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (Decimal, str, int, float)):
        raise InvalidArgument(name, f"expected a Decimal, a decimal text, an int or a float, got {value!r}")
    try:
        number = value if isinstance(value, Decimal) else Decimal(float.__repr__(value) if isinstance(value, float) else value)
    except InvalidOperation:
        raise InvalidArgument(name, f"{value!r} is not a decimal number") from None
    if not number.is_finite():
        raise InvalidArgument(name, f"{value!r} is not a finite number")
    return number


def decimal_or_percent(value: DecimalLike | None, name: str) -> str | None:
    """Decimal text, or a percentage such as `80%`."""
    if isinstance(value, str) and value.endswith("%"):
        return f"{decimal(value[:-1], name)}%"
    return decimal(value, name)


def number(value: DecimalLike | None, name: str) -> int | float | None:
    """A JSON number."""
    if value is None:
        return None
    exact = _finite(value, name)
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def integer(value: int | None, name: str, low: int | None = None, high: int | None = None) -> int | None:
    """A whole number within its documented range."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidArgument(name, f"expected an int, got {value!r}")
    if (low is not None and value < low) or (high is not None and value > high):
        raise InvalidArgument(name, f"{value} is outside {low} to {high}")
    return int(value)


def boolean(value: bool | None, name: str) -> bool | None:
    """True or False, nothing that merely looks like it."""
    if value is None or isinstance(value, bool):
        return value
    raise InvalidArgument(name, f"expected True or False, got {value!r}")


def text(value: str | None, name: str, longest: int | None = None) -> str | None:
    """Text as it is."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidArgument(name, f"expected a text, got {value!r}")
    if longest is not None and len(value) > longest:
        raise InvalidArgument(name, f"is {len(value)} characters long, at most {longest} are allowed")
    return str(value)


def secret(value: str | None, name: str) -> SecretText | None:
    """Text that is sent but never shown."""
    if value is None:
        return None
    if not isinstance(value, str):
        del value  # a traceback that shows locals must not show it
        raise InvalidArgument(name, "expected a text")
    return SecretText(value)


def member(value: OpenEnum | str | None, name: str, enum: type[OpenEnum]) -> str | None:
    """Wire text of an enumeration's member. A text that is no known member is refused, `enum(text)` is not."""
    if value is None:
        return None
    if isinstance(value, enum):
        return str(value)
    if isinstance(value, str) and value in enum._value2member_map_:
        return str(value)
    known = ", ".join(str(member) for member in enum)
    raise InvalidArgument(name, f"{value!r} is not one of {known}; {enum.__name__}(...) sends a newer one anyway")


def members(values: Iterable[OpenEnum | str] | OpenEnum | str | None, name: str, enum: type[OpenEnum]) -> Any:
    """Wire texts of several members; a single one may stand alone."""
    if values is None:
        return None
    several = [values] if isinstance(values, str) else list(values)
    return [member(value, name, enum) for value in several]


def choice(value: int | None, name: str, allowed: tuple[int, ...]) -> int | None:
    """One of a few whole numbers."""
    if value is None:
        return None
    if isinstance(value, bool) or value not in allowed:
        raise InvalidArgument(name, f"{value!r} is not one of {', '.join(map(str, allowed))}")
    return int(value)


def _moment(value: TimeLike, name: str) -> datetime | int:
    if isinstance(value, bool) or not isinstance(value, (datetime, int)):
        raise InvalidArgument(name, f"expected an aware datetime or an int, got {value!r}")
    if isinstance(value, datetime) and value.tzinfo is None:
        raise InvalidArgument(name, "the datetime has no time zone; use for instance datetime.now(timezone.utc)")
    return value


def millis(value: TimeLike | None, name: str) -> int | None:
    """Milliseconds since 1970."""
    if value is None:
        return None
    moment = _moment(value, name)
    return int(to_millis(moment)) if isinstance(moment, datetime) else moment


def seconds(value: TimeLike | None, name: str) -> int | None:
    """Seconds since 1970."""
    if value is None:
        return None
    moment = _moment(value, name)
    return int(to_seconds(moment)) if isinstance(moment, datetime) else moment


def micros(value: TimeLike | None, name: str) -> int | None:
    """Microseconds since 1970."""
    if value is None:
        return None
    moment = _moment(value, name)
    return int(to_micros(moment)) if isinstance(moment, datetime) else moment


def iso(value: TimeLike | None, name: str) -> str | None:
    """ISO 8601 text in UTC."""
    return None if value is None else to_iso(_datetime(value, name))


def spaced(value: TimeLike | None, name: str) -> str | None:
    """Date and time with a space between, in UTC."""
    return None if value is None else to_spaced(_datetime(value, name))


def _datetime(value: TimeLike, name: str) -> datetime:
    moment = _moment(value, name)
    if not isinstance(moment, datetime):
        raise InvalidArgument(name, f"expected an aware datetime, got {value!r}")
    return moment


def digits(value: int | None, name: str) -> str | None:
    """A whole number as text."""
    whole = integer(value, name)
    return None if whole is None else str(whole)


def json_value(value: Any, name: str) -> Any:
    """Anything JSON can hold, for parameters whose type the document leaves open."""
    try:
        return None if value is None else json.loads(json.dumps(value, default=_plain_json, allow_nan=False))
    except (TypeError, ValueError) as problem:
        raise InvalidArgument(name, f"can't be written as JSON: {problem}") from None


def _plain_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if hasattr(value, "to_wire"):
        return value.to_wire()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def payload(value: Model | Mapping[str, Any] | None, name: str, model: type[Model]) -> dict[str, Any] | None:
    """A nested object, from its model or from a mapping with the model's or the wire's names."""
    if value is None:
        return None
    if isinstance(value, model):
        return value.to_wire()
    if not isinstance(value, Mapping):
        raise InvalidArgument(name, f"expected {model.__name__} or a mapping, got {type(value).__name__}")
    try:
        return model.model_validate(dict(value)).to_wire()
    except ValueError as problem:
        raise InvalidArgument(name, f"does not fit {model.__name__}: {_first_line(problem)}") from problem


def payloads(
    values: Iterable[Model | Mapping[str, Any]], name: str, model: type[Model], symbols: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """A list of objects, which must not be empty. The wire fields in `symbols` may be in any pair notation."""
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        raise InvalidArgument(name, f"expected a list of {model.__name__}, got {type(values).__name__}")
    several: list[dict[str, Any]] = []
    for index, value in enumerate(values):
        wire = payload(value, f"{name}[{index}]", model)
        if wire is None:
            raise InvalidArgument(f"{name}[{index}]", f"expected {model.__name__}, got None")
        for field in symbols:
            if field in wire:
                wire[field] = symbol(wire[field], f"{name}[{index}].{field}")
        several.append(wire)
    if not several:
        raise InvalidArgument(name, f"needs at least one {model.__name__}")
    return several


def _first_line(problem: ValueError) -> str:
    lines = [line.strip() for line in str(problem).splitlines()]
    return " ".join(lines[1:3]) if len(lines) > 2 else " ".join(lines)

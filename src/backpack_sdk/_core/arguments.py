"""From what a caller passes to what the wire carries.

Every function takes the value and the argument's name, gives None for None (an argument that was not given), and
raises InvalidArgument with that name when the value can't be sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeAlias, overload

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

Converter: TypeAlias = Callable[[Any, str], Any]
"""A value and its argument's name to a wire value."""

_WIDEST = 60
"""Digits on either side of the point beyond which a number is surely a mistake."""
_LATEST = 2**63 - 1
"""Greatest count of a time: 64 bits with a sign."""
_LONGEST_QUOTE = 80
"""Characters of a refused value that a message quotes."""


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
        raise InvalidArgument(name, f"{_short(value)} has more digits than any price or quantity of the exchange")
    return plain(number)


def _finite(value: DecimalLike, name: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (Decimal, str, int, float)):
        raise InvalidArgument(name, f"expected a Decimal, a decimal text, an int or a float, got {_short(value)}")
    try:
        # A float's own repr: subclasses, such as those of numpy, write theirs with the class's name.
        exact = float.__repr__(value) if isinstance(value, float) else value
        number = exact if isinstance(exact, Decimal) else Decimal(exact)
    except InvalidOperation:
        raise InvalidArgument(name, f"{_short(value)} is not a decimal number") from None
    if not number.is_finite():
        raise InvalidArgument(name, f"{_short(value)} is not a finite number")
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
        raise InvalidArgument(name, f"expected an int, got {_short(value)}")
    if (low is not None and value < low) or (high is not None and value > high):
        raise InvalidArgument(name, f"{_short(value)} is outside {low} to {high}")
    return int(value)


def boolean(value: bool | None, name: str) -> bool | None:
    """True or False, nothing that merely looks like it."""
    if value is None or isinstance(value, bool):
        return value
    raise InvalidArgument(name, f"expected True or False, got {_short(value)}")


def text(value: str | None, name: str, longest: int | None = None) -> str | None:
    """Text as it is."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidArgument(name, f"expected a text, got {_short(value)}")
    if longest is not None and len(value) > longest:
        raise InvalidArgument(name, f"is {len(value)} characters long, at most {longest} are allowed")
    return str(_encodable(value, name))


def _encodable(value: str, name: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        value = ""  # a traceback that shows locals must not show it
        raise InvalidArgument(name, "holds half of a surrogate pair, which is no character") from None
    return value


@overload
def secret(value: str, name: str) -> SecretText: ...
@overload
def secret(value: str | None, name: str) -> SecretText | None: ...
def secret(value: str | None, name: str) -> SecretText | None:
    """Text that is sent but never shown."""
    if value is None:
        return None
    if not isinstance(value, str):
        del value  # a traceback that shows locals must not show it
        raise InvalidArgument(name, "expected a text")
    value = SecretText(value)
    return SecretText(_encodable(value, name))


def member(value: OpenEnum | str | None, name: str, enum: type[OpenEnum]) -> str | None:
    """Wire text of an enumeration's member. A text that is no known member is refused, `enum(text)` is not."""
    if value is None:
        return None
    if isinstance(value, enum):
        return str(value)
    if isinstance(value, str) and value in enum._value2member_map_:
        return str(value)
    known = ", ".join(str(member) for member in enum)
    raise InvalidArgument(name, f"{_short(value)} is not one of {known}; {enum.__name__}(...) sends a newer one anyway")


def members(values: Iterable[OpenEnum | str] | OpenEnum | str | None, name: str, enum: type[OpenEnum]) -> Any:
    """Wire texts of several members; a single one may stand alone."""
    if values is None:
        return None
    if not isinstance(values, Iterable):
        raise InvalidArgument(name, f"expected {enum.__name__} or several of them, got {_short(values)}")
    several = [values] if isinstance(values, str) else list(values)
    if not several:
        raise InvalidArgument(name, "is empty, which the exchange takes for no filter; leave it out or name some")
    wires = [member(value, name, enum) for value in several]
    if None in wires:
        raise InvalidArgument(name, "has None among its members")
    return wires


def choice(value: int | None, name: str, allowed: tuple[int, ...]) -> int | None:
    """One of a few whole numbers."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
        raise InvalidArgument(name, f"{_short(value)} is not one of {', '.join(map(str, allowed))}")
    return int(value)


def _moment(value: TimeLike, name: str) -> datetime | int:
    if isinstance(value, bool) or not isinstance(value, (datetime, int)):
        raise InvalidArgument(name, f"expected an aware datetime or an int, got {_short(value)}")
    if isinstance(value, datetime) and value.tzinfo is None:
        raise InvalidArgument(name, "the datetime has no time zone; use for instance datetime.now(timezone.utc)")
    return value


def _count(value: TimeLike | None, name: str, write: Callable[[datetime], str | int]) -> int | None:
    if value is None:
        return None
    moment = _moment(value, name)
    return integer(int(write(moment)) if isinstance(moment, datetime) else moment, name, -_LATEST - 1, _LATEST)


def millis(value: TimeLike | None, name: str) -> int | None:
    """Milliseconds since 1970."""
    return _count(value, name, to_millis)


def seconds(value: TimeLike | None, name: str) -> int | None:
    """Seconds since 1970."""
    return _count(value, name, to_seconds)


def micros(value: TimeLike | None, name: str) -> int | None:
    """Microseconds since 1970."""
    return _count(value, name, to_micros)


def iso(value: TimeLike | None, name: str) -> str | None:
    """ISO 8601 text in UTC."""
    return None if value is None else _written(to_iso, _datetime(value, name), name)


def spaced(value: TimeLike | None, name: str) -> str | None:
    """Date and time with a space between, in UTC."""
    return None if value is None else _written(to_spaced, _datetime(value, name), name)


def _written(write: Callable[[datetime], str], moment: datetime, name: str) -> str:
    try:
        return write(moment)
    except ValueError as problem:
        raise InvalidArgument(name, str(problem)) from None


def _datetime(value: TimeLike, name: str) -> datetime:
    moment = _moment(value, name)
    if not isinstance(moment, datetime):
        raise InvalidArgument(name, f"expected an aware datetime, got {_short(value)}")
    return moment


def digits(value: int | None, name: str) -> str | None:
    """A whole number as text."""
    whole = integer(value, name)
    return None if whole is None else str(whole)


def json_value(value: Any, name: str) -> Any:
    """Anything JSON can hold, for parameters whose type the document leaves open."""
    try:
        return None if value is None else json.loads(json.dumps(value, default=_plain_json, allow_nan=False))
    except (RecursionError, TypeError, ValueError) as problem:
        raise InvalidArgument(name, f"can't be written as JSON: {problem}") from None


def _plain_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is not a finite number")
        return plain(value)
    if hasattr(value, "to_wire"):
        return value.to_wire()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def payload(value: Model | Mapping[str, Any] | None, name: str, model: type[Model]) -> dict[str, Any] | None:
    """A nested object, from its model or from a mapping with the model's or the wire's names; None is left out."""
    if value is None:
        return None
    if not isinstance(value, (model, Mapping)):
        raise InvalidArgument(name, f"expected {model.__name__} or a mapping, got {type(value).__name__}")
    try:
        made = model.model_validate(dict(value)) if isinstance(value, Mapping) else value
        wire = made.to_wire()
    except ValueError as problem:
        raise InvalidArgument(name, f"does not fit {model.__name__}: {_first_line(problem)}") from problem
    for field, extra in (made.model_extra or {}).items():
        wire[field] = json_value(extra, f"{name}.{field}")
    return _given(wire)


def _given(wire: dict[str, Any]) -> dict[str, Any]:
    """What was given: unlike in a reply, a None in an argument is never sent as null."""
    return {
        field: _given(value) if isinstance(value, dict) else value for field, value in wire.items() if value is not None
    }


def payloads(
    values: Iterable[Model | Mapping[str, Any]], name: str, model: type[Model], converters: Mapping[str, Converter]
) -> list[dict[str, Any]]:
    """A list of objects, which must not be empty. Each is held to the same rules as the arguments of one request.

    `converters` has the converter of each wire field; a field the SDK does not know goes as the JSON it is.
    """
    if isinstance(values, (str, bytes, Mapping, model)) or not isinstance(values, Iterable):
        raise InvalidArgument(name, f"expected a list of {model.__name__}, got {type(values).__name__}")
    several = [_row(value, f"{name}[{index}]", model, converters) for index, value in enumerate(values)]
    if not several:
        raise InvalidArgument(name, f"needs at least one {model.__name__}")
    return several


def _row(value: Any, place: str, model: type[Model], converters: Mapping[str, Converter]) -> dict[str, Any]:
    newer: Mapping[str, Any] = {}
    if isinstance(value, model):
        newer = value.model_extra or {}
        given = {field: getattr(value, field) for field in value.model_fields_set if field not in newer}
    elif isinstance(value, Mapping):
        given = dict(value)
    else:
        raise InvalidArgument(place, f"expected {model.__name__} or a mapping, got {type(value).__name__}")
    wire: dict[str, Any] = {}
    for field, info in model.model_fields.items():
        alias = info.alias or field
        own = given.pop(field, None)
        own = given.pop(alias, own) if alias != field else own
        if own is None and info.is_required():
            raise InvalidArgument(f"{place}.{field}", "is required")
        converted = converters[alias](own, f"{place}.{field}")
        if converted is not None:
            wire[alias] = converted
    if given:
        unknown = ", ".join(map(str, given))
        raise InvalidArgument(place, f"{unknown}: no field of {model.__name__}, which can carry newer ones itself")
    return wire | {field: json_value(extra, f"{place}.{field}") for field, extra in newer.items() if extra is not None}


def _first_line(problem: ValueError) -> str:
    lines = [line.strip() for line in str(problem).splitlines()]
    return " ".join(lines[1:3]) if len(lines) > 2 else " ".join(lines)


def _short(value: object) -> str:
    """A value as a message quotes it."""
    try:
        text = repr(value)
    except ValueError:
        return f"a {type(value).__name__} of thousands of digits"
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}..."

"""One wire value in the forms in which a caller may pass it: a decimal as text, Decimal, int or float, and so on."""

from __future__ import annotations

import typing
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from backpack_sdk import types

from .surface import Argument, Json, members, python_name

PER_SECOND = {"seconds": 1, "milliseconds": 1000, "microseconds": 1_000_000}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FAR = 2 * 10**11
"""Seconds from 1970 beyond which a datetime does not reach."""


def decimal_forms(text: str) -> list[Any]:
    """Everything that means the decimal `text`, digit for digit."""
    exact = Decimal(text)
    sign, digits, exponent = exact.as_tuple()
    assert isinstance(exponent, int)
    forms: list[Any] = [text, exact, f"{'-' if sign else ''}{''.join(map(str, digits))}E{exponent}"]
    if text == str(int(exact)):
        forms.append(int(exact))
    if format(Decimal(repr(float(text))), "f") == text:
        forms.append(float(text))
    return forms


def time_forms(count: int, unit: str) -> list[Any]:
    """A count of a unit since 1970, and the moment it means in two zones."""
    seconds, rest = divmod(count, PER_SECOND[unit])
    if abs(seconds) > _FAR:
        return [count]
    try:
        moment = EPOCH + timedelta(seconds=seconds, microseconds=rest * 1_000_000 // PER_SECOND[unit])
        return [count, moment, moment.astimezone(timezone(timedelta(hours=-7)))]
    except OverflowError:
        return [count]


def symbol_forms(symbol: str) -> list[str]:
    """A market in every notation that has one for its kind."""
    base, quote, *kind = symbol.split("_")
    if not kind:
        return [symbol, f"{base}-{quote}", f"{base}/{quote}"]
    if kind == ["PERP"]:
        return [symbol, f"{base}-{quote}-PERP", f"{base}/{quote}:{quote}"]
    return [symbol, f"{base}-{quote}-{kind[0]}"]


def enum_of(hint: Any) -> type | None:
    """The enumeration in an argument's annotation, at any depth."""
    if isinstance(hint, type) and issubclass(hint, types.Side.__mro__[1]):
        return hint
    found = (enum_of(inner) for inner in typing.get_args(hint))
    return next((each for each in found if each is not None), None)


def forms(schema: Json, wire: Json, enum: type | None) -> list[Any]:
    """Python values for one wire value."""
    if schema.get("type") == "array":
        several = (
            [wire, tuple(wire)] if enum is None else [wire, tuple(wire), [enum(each) for each in wire], iter(wire)]
        )
        return [*several, wire[0]] if len(wire) == 1 else several
    if "enum" in schema:
        return [wire] if enum is None else [wire, enum(wire)]
    if schema["type"] == "integer" and schema.get("x-unit") in PER_SECOND:
        return time_forms(wire, schema["x-unit"])
    if schema.get("format") == "decimal" or (schema.get("format") == "decimal-or-percent" and "%" not in wire):
        return decimal_forms(wire)
    return symbol_forms(wire) if schema.get("format") == "market-symbol" else [wire]


def every_form(argument: Argument, wire: Json, hint: Any) -> list[Any]:
    """All forms of an argument that means `wire`."""
    if argument.place == "rows":
        return [
            wire,
            [{python_name(name): value for name, value in each.items()} for each in wire],
            [types.OrderExecutePayload.model_validate(each) for each in wire],
        ]
    if argument.schema["type"] == "object":
        return [wire, types.WithdrawalRecipientInformation.model_validate(wire)]
    return forms(argument.schema, wire, enum_of(hint))


def passed(data: st.DataObject, argument: Argument, wire: Json, hint: Any) -> Any:
    """An argument that means `wire`, in one of its forms; for a batch, each value of each row in one of its own."""
    if argument.place == "rows":
        return [row(data, argument.schema["items"], each) for each in wire]
    return data.draw(st.sampled_from(every_form(argument, wire, hint)))


def row(data: st.DataObject, schema: Json, wire: dict[str, Json]) -> Any:
    """One order of a batch: a mapping with Python's or the wire's names, or the model itself."""
    form = data.draw(st.sampled_from(["python", "wire", "model"]))
    if form == "model":
        return types.OrderExecutePayload.model_validate(wire)
    named: dict[str, Any] = {}
    for argument in members(schema, "body"):
        if argument.wire in wire:
            value = data.draw(st.sampled_from(forms(argument.schema, wire[argument.wire], None)))
            named[argument.python if form == "python" else argument.wire] = value
    return named

"""Levels of a book, and one side of it in two parallel sequences: sorted keys, and rows of wire text."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, MutableSequence, Sequence
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, Inexact, InvalidOperation
from typing import Any, TypeAlias

from .._core import arguments as _to
from .._core.arguments import DecimalLike
from .._core.errors import InvalidArgument
from .._core.level import Level as Level

EXACT = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[Inexact, InvalidOperation])
BETWEEN = '","'
"""What stands between price and quantity in a row that is one text."""
Row: TypeAlias = "tuple[str, str] | str | Level"
Keys: TypeAlias = MutableSequence[float]
Put: TypeAlias = Callable[[Keys, list[Row], Sequence[Any], int], None]

LevelLike: TypeAlias = Sequence[DecimalLike]
"""A level as it comes in: price and quantity. Text, as on the wire, is the fastest."""


# Applying levels. Floats tell any two prices apart that have up to 15 significant digits. They lie in an array, since
# what a frame costs is the memory that it touches. The first price with more digits makes all keys of its book integers
# in a list, scaled by a power of ten that leaves nothing behind the point.

FLOAT_DIGITS = 15
LONGEST = 128
_WIDEST = 50
SMALLEST, LARGEST = 1e-61, 1e61
_SCALE = 80
_NOTHING = "0"


def put_levels(keys: Keys, rows: list[Row], changes: Sequence[Any], sign: int) -> None:
    """Apply levels of wire text to one side. Raises TypeError or ValueError when they are anything else."""
    for price, quantity in changes:
        if (len(price) > FLOAT_DIGITS and _significant(price) > FLOAT_DIGITS) or len(quantity) > LONGEST:
            raise ValueError("a number has more digits than expected")
        key = float(price) * sign
        size = float(quantity)
        at = bisect_left(keys, key)
        if at < len(keys) and keys[at] == key:
            if 0.0 < size < LARGEST:
                rows[at] = (price, quantity)
            elif size == 0.0 and not quantity.strip("0."):
                del keys[at], rows[at]
            else:
                raise ValueError("a quantity is out of range")
        elif not SMALLEST < key * sign < LARGEST:
            raise ValueError("a price is out of range")
        elif 0.0 < size < LARGEST:
            keys.insert(at, key)
            rows.insert(at, (price, quantity))
        elif size != 0.0 or quantity.strip("0."):
            raise ValueError("a quantity is out of range")


def put_exactly(keys: Keys, rows: list[Row], changes: Sequence[Any], sign: int) -> None:
    """The same for prices of any length and numbers of any kind."""
    for price, quantity in spelt(changes, "levels"):
        key = sign * scaled(price)
        at = bisect_left(keys, key)
        known = at < len(keys) and keys[at] == key
        if known:
            del keys[at], rows[at]
        if quantity != _NOTHING:
            keys.insert(at, key)
            rows.insert(at, (price, quantity))


def no_keys() -> Keys:
    """Where the keys of a side begin."""
    return array("d")


def needs_exact_keys(*sides: Sequence[tuple[str, str]]) -> bool:
    return any(_significant(price) > FLOAT_DIGITS for side in sides for price, _ in side)


def _significant(text: str) -> int:
    """How many significant digits a number has; for text with an exponent, at least as many as it has."""
    return len(text.replace(".", "").strip("0"))


def scaled(price: str | Decimal) -> int:
    return int(Decimal(price).scaleb(_SCALE, EXACT))


def spelt(levels: Sequence[LevelLike], name: str) -> list[tuple[str, str]]:
    """Levels as plain text, however they were given. Raises InvalidArgument when one is no level."""
    if isinstance(levels, str) or not isinstance(levels, Iterable):
        raise InvalidArgument(name, f"expected a list of levels, got {str(levels)[:80]!r}")
    return [_level(level, f"{name}[{index}]") for index, level in enumerate(levels)]


def _level(level: LevelLike, name: str) -> tuple[str, str]:
    try:
        price, quantity = level
    except (TypeError, ValueError):
        raise InvalidArgument(name, f"expected a pair of price and quantity, got {str(level)[:80]!r}") from None
    price, quantity = number_text(price, name), number_text(quantity, name)
    if float(price) <= 0:
        raise InvalidArgument(name, f"a price is above zero, got {price}")
    size = float(quantity)
    if size < 0:
        raise InvalidArgument(name, f"a quantity is not below zero, got {quantity}")
    return price, quantity if size > 0 else _NOTHING


def number_text(value: DecimalLike, name: str) -> str:
    if type(value) is Decimal and value.is_finite() and -_WIDEST < value.adjusted() < _WIDEST:
        text = format(value, "f")
        if len(text) <= _WIDEST:
            return text
    wire = _to.decimal(value, name)
    if wire is None:
        raise InvalidArgument(name, "expected a number, got None")
    return wire


def pair_of(row: Row) -> tuple[str, str]:
    """Price and quantity of a row as text."""
    if isinstance(row, str):
        price, _, quantity = row.partition(BETWEEN)
        return price, quantity
    return str(row[0]), str(row[1])


def read_level(rows: list[Row], at: int) -> Level:
    row = rows[at]
    if type(row) is Level:
        return row
    price, quantity = pair_of(row) if isinstance(row, str) else row
    # Level(...) would go through a Python function
    level = rows[at] = tuple.__new__(Level, (Decimal(price), Decimal(quantity)))
    return level

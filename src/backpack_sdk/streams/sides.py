"""One side of a snapshot, as a book keeps it: from levels, or at once from the bytes that REST sends.

A snapshot has two thousand levels, so most of its time goes into making objects. From bytes, a level becomes one text
with both its numbers, which is taken apart when it is first read; the numbers themselves are read all together. What
makes that safe is that the bytes without digits and points must be exactly those of a list of pairs of text.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from operator import lt
from typing import Any, TypeAlias

import msgspec

from .levels import (
    FLOAT_DIGITS,
    LARGEST,
    LONGEST,
    SMALLEST,
    Keys,
    Put,
    Row,
    no_keys,
    pair_of,
    put_levels,
)  # fmt: skip

Side: TypeAlias = tuple[Keys, list[Row]]
"""Keys and rows, the best level last."""

_read_numbers = msgspec.json.Decoder(list[float]).decode
_read_pairs = msgspec.json.Decoder(list[tuple[str, str]]).decode
_NUMERALS = b"0123456789."
_AS_ZEROS = bytes.maketrans(_NUMERALS, b"0" * len(_NUMERALS))
_LONG = b"0" * (FLOAT_DIGITS + 1)
_LONG_PRICE = b'["' + _LONG
_LONG_QUANTITY = b"0" * (LONGEST + 1)


class WireSide(Sequence[tuple[str, str]]):
    """Levels of wire text that are ready to be a book's side. `sign` is 1 for bids and -1 for asks."""

    __slots__ = ("_keys", "_rows", "sign")

    def __init__(self, side: Side, sign: int) -> None:
        self._keys, self._rows = side
        self.sign = sign

    def copy(self) -> Side:
        """What a book may keep and change."""
        return self._keys[:], self._rows[:]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, at: Any) -> Any:
        rows = self._rows[at]
        return list(map(pair_of, rows)) if isinstance(at, slice) else pair_of(rows)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return map(pair_of, self._rows)


def read_side(text: bytes, sign: int) -> Sequence[tuple[str, str]]:
    """One side of a snapshot from its JSON, which has to be valid, as that in a msgspec.Raw is.

    Raises msgspec.MsgspecError for anything but a list of pairs of text.
    """
    shape = text.translate(None, _NUMERALS)
    count = len(shape) // 8  # a level leaves eight characters
    if count > 0 and shape == b"[" + b'["",""],' * (count - 1) + b'["",""]]':
        lengths = text.translate(_AS_ZEROS)
        if _LONG not in lengths or not (_LONG_PRICE in lengths or _LONG_QUANTITY in lengths):
            try:
                numbers = _read_numbers(b"[%b]" % text.translate(None, b'"[]'))
            except msgspec.MsgspecError:  # two points, none but a point, nothing at all
                return _read_pairs(text)
            side = _checked(numbers[::2], numbers[1::2], text[3:-3].decode().split('"],["'), sign)
            if side is not None:
                return WireSide(side, sign)
    return _read_pairs(text)


def load_side(levels: Sequence[Any], sign: int, put: Put = put_levels) -> Side:
    """Keys and rows of one side of a snapshot. Raises like `put`."""
    if put is put_levels:
        if isinstance(levels, WireSide) and levels.sign == sign:
            return levels.copy()
        side = _load_quickly(levels, sign) if levels else None
        if side is not None:
            return side
    keys: Keys = no_keys() if put is put_levels else []
    rows: list[Row] = []
    put(keys, rows, levels, sign)
    return keys, rows


def _load_quickly(levels: Sequence[Any], sign: int) -> Side | None:
    """The same for levels that are short wire text and sorted; None for any others."""
    prices = [price for price, _ in levels]
    quantities = [level[1] for level in levels]
    if max(map(len, prices)) > FLOAT_DIGITS or max(map(len, quantities)) > LONGEST:
        return None
    text = ",".join(quantities)
    if "-" in text:
        return None
    try:
        # JSON's own numbers are read in a third of the time that calls of float() take. "1,2" can't pass for one: the
        # count would be wrong.
        keys = _read_numbers(f"[{','.join(prices)}]")
        sizes = _read_numbers(f"[{text}]")
    except msgspec.MsgspecError:
        return None
    return _checked(keys, sizes, list(map(tuple, levels)), sign)


def _checked(prices: list[float], sizes: list[float], rows: list[Any], sign: int) -> Side | None:
    """A side of sorted levels with sizes that are not below zero.

    None when they are not sorted, or when one can't be or has to be left out.
    """
    if not len(prices) == len(sizes) == len(rows):
        return None
    keys = prices if sign > 0 else [-price for price in prices]
    if keys[0] > keys[-1]:
        keys.reverse()
        rows.reverse()
    worst, best = sorted((sign * keys[0], sign * keys[-1]))
    in_range = worst > SMALLEST and best < LARGEST and all(sizes) and sum(sizes) < LARGEST
    return (array("d", keys), rows) if in_range and all(map(lt, keys, keys[1:])) else None

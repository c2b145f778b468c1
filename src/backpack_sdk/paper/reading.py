"""From the text of a request to typed values. What can't be read is answered in plain text, as the exchange does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar, cast
from urllib.parse import parse_qsl

from .errors import ApiError, ApiErrorCode, MalformedRequest

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

INT64_MAX = 2**63 - 1
UINT16_MAX = 2**16 - 1
UINT32_MAX = 2**32 - 1
_MAX_FIELDS = 1_000
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")


class NumberText(str):
    """A JSON number with a fraction or an exponent, as it was written. Distinct from a JSON string by its type."""

    __slots__ = ()


def parse_query(raw: str) -> tuple[tuple[str, str], ...]:
    """Return names and decoded values of the text after the question mark.

    Raises:
        MalformedRequest: unescaped bytes, text that is not UTF-8, or more than 1000 parameters.
    """
    if not raw.isascii():
        raise MalformedRequest("failed to parse the query: other characters than ASCII must be percent-encoded")
    try:
        return tuple(parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS))
    except ValueError as problem:
        raise MalformedRequest(f"failed to parse the query: {problem}") from None


def parse_body(raw: bytes, content_type: str) -> object:
    """Return a JSON body; numbers that are not whole stay text (`NumberText`).

    Raises:
        MalformedRequest: 415 for another content type; not JSON, or a member that occurs twice.
    """
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise MalformedRequest(f"the content type must be application/json, not {content_type!r}", status=415)
    try:
        return json.loads(
            raw.decode(), parse_float=NumberText, parse_constant=_no_constant, object_pairs_hook=_no_duplicates
        )
    except (ValueError, RecursionError) as problem:
        raise MalformedRequest(f"failed to parse the request body: {problem}") from None


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member occurs twice")
    return members


def needed(value: T | None, name: str) -> T:
    """Return a value that must be there."""
    if value is None:
        raise MalformedRequest(f"failed to parse {name}: it is required")
    return value


class Query:
    """The parameters of a query by name. Names nobody asks for are ignored."""

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def text(self, name: str) -> str | None:
        """Return a text."""
        values = self._values.get(name)
        if values is None:
            return None
        if len(values) > 1:
            raise MalformedRequest(f"failed to parse {name}: it takes one value, not {len(values)}")
        return values[0]

    def whole(self, name: str, *, low: int = 0, high: int = INT64_MAX) -> int | None:
        """Return a whole number within bounds."""
        text = self.text(name)
        return None if text is None else _whole(name, int(text) if _INTEGER.fullmatch(text) else text, low, high)

    def decimal(self, name: str) -> Decimal | None:
        """Return a decimal without an exponent."""
        text = self.text(name)
        if text is None:
            return None
        if _DECIMAL.fullmatch(text) is None or not text.isascii():
            raise MalformedRequest(f"failed to parse {name}: {text!r} is not a decimal")
        return Decimal(text)

    def choice(self, name: str, choices: type[E]) -> E | None:
        """Return a member of an enum."""
        text = self.text(name)
        return None if text is None else _member(name, text, choices)

    def choices(self, name: str, choices: type[E]) -> frozenset[E] | None:
        """Return the members of an enum that a repeated parameter names; None when it is not there."""
        values = self._values.get(name)
        return None if values is None else frozenset(_member(name, value, choices) for value in values)


class Fields:
    """The members of a JSON object by name. Null is the same as absent; names nobody asks for are ignored."""

    __slots__ = ("_values",)

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise MalformedRequest("failed to parse the request body: an object is expected")
        members = cast("dict[str, object]", value)
        self._values = {name: member for name, member in members.items() if member is not None}

    @staticmethod
    def each(value: object) -> Sequence[Fields]:
        """Return the objects of an array."""
        if not isinstance(value, list):
            raise MalformedRequest("failed to parse the request body: an array is expected")
        return [Fields(item) for item in cast("list[object]", value)]

    def given(self, names: Iterable[str]) -> list[str]:
        """Return which of some members are there."""
        return [name for name in names if name in self._values]

    def text(self, name: str) -> str | None:
        """Return a text."""
        value = self._values.get(name)
        if value is None or type(value) is str:
            return value
        raise MalformedRequest(f"failed to parse {name}: {value!r} is not a text")

    def decimal(self, name: str) -> Decimal | None:
        """Return a decimal, which JSON carries as a text without an exponent."""
        value = self._values.get(name)
        if value is None:
            return None
        if type(value) is not str or _DECIMAL.fullmatch(value) is None:
            raise MalformedRequest(
                f'failed to parse {name}: {value!r} is not a decimal in a string, such as "0.00000001"'
            )
        return Decimal(value)

    def flag(self, name: str) -> bool:
        """Return a boolean, False when it is absent."""
        value = self._values.get(name, False)
        if isinstance(value, bool):
            return value
        raise MalformedRequest(f"failed to parse {name}: {value!r} is not true or false")

    def whole(self, name: str, *, low: int = 0, high: int) -> int | None:
        """Return a whole number within bounds, which JSON carries as a number."""
        value = self._values.get(name)
        return None if value is None else _whole(name, value, low, high)

    def choice(self, name: str, choices: type[E]) -> E | None:
        """Return a member of an enum."""
        text = self.text(name)
        return None if text is None else _member(name, text, choices)


def order_id(text: str | None) -> int | None:
    """Return the number of an order id, which the API carries as a text of digits.

    Raises:
        ApiError: `INVALID_CLIENT_REQUEST` for any other text.
    """
    if text is None:
        return None
    if _INTEGER.fullmatch(text) is None:
        raise ApiError(ApiErrorCode.INVALID_CLIENT_REQUEST, f"order id {text!r} is not a text of digits")
    return int(text)


def _whole(name: str, value: object, low: int, high: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    raise MalformedRequest(f"failed to parse {name}: {value!r} is not a whole number from {low} to {high}")


def _member(name: str, text: str, choices: type[E]) -> E:
    try:
        return choices(text)
    except ValueError:
        known = ", ".join(choices)
        raise MalformedRequest(f"failed to parse {name}: {text!r} is not one of {known}") from None

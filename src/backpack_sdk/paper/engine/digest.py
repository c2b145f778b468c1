"""A fingerprint of the state of an exchange, to tell whether two of them are the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from typing import Any

from .numbers import plain


def digest(parts: Iterable[object]) -> str:
    """Return a SHA-256 fingerprint, in hexadecimal, of values nested to any depth. Equal numbers count as equal."""
    found = sha256()
    for part in parts:
        found.update(repr(_canonical(part)).encode())
        found.update(b"\n")
    return found.hexdigest()


def _canonical(value: Any) -> object:
    if isinstance(value, Decimal):
        return str(plain(value))
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {str(key): _canonical(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_canonical(member) for member in value]
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, *(_canonical(getattr(value, field.name)) for field in fields(value))]
    return value

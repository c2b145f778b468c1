"""Reads a payload whose numbers came as text, or the other way round."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

import msgspec

from .scalars import plain

Event = TypeVar("Event", bound=msgspec.Struct)


def convert(payload: Any, event: type[Event]) -> Event:
    """An event from its payload, where numbers and text may stand for each other.

    Raises msgspec.ValidationError when a field is missing or of another kind.
    """
    if isinstance(payload, dict):
        texts = _texts(event)
        payload = {name: _as_text(value) if name in texts else value for name, value in payload.items()}
    return msgspec.convert(payload, event, strict=False)


@cache
def _texts(event: type[msgspec.Struct]) -> frozenset[str]:
    """Wire names of the fields that are text."""
    info = msgspec.inspect.type_info(event)
    fields = info.fields if isinstance(info, msgspec.inspect.StructType) else ()
    return frozenset(field.encode_name for field in fields if _is_text(field.type))


def _is_text(kind: msgspec.inspect.Type) -> bool:
    """Whether a field is text, or holds text in lists, and nothing else but null."""
    if isinstance(kind, msgspec.inspect.UnionType):
        return all(isinstance(one, msgspec.inspect.NoneType) or _is_text(one) for one in kind.types)
    if isinstance(kind, msgspec.inspect.VarTupleType):
        return _is_text(kind.item_type)
    if isinstance(kind, msgspec.inspect.TupleType):
        return all(map(_is_text, kind.item_types))
    return isinstance(kind, msgspec.inspect.StrType)


def _as_text(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_as_text(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        value = Decimal(repr(value))
    return plain(value) if isinstance(value, Decimal) else value

"""Enumerations that stay open: a member the document does not know yet is a value, not an error."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Self


class OpenEnum(StrEnum):
    """A text enumeration which the exchange may extend at any time.

    Members compare, hash, format and serialise as their wire text. A text that is no member yet becomes a value of
    the same class, equal to any other value of that text; `is_known` tells the two apart.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        unknown = str.__new__(cls, value)
        unknown._name_ = unknown._value_ = str(value)
        return unknown

    @property
    def is_known(self) -> bool:
        """Whether this value stood in the document the SDK was generated from."""
        return self._value_ in type(self)._value2member_map_

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other) if isinstance(other, str) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return str.__ne__(self, other) if isinstance(other, str) else NotImplemented

    __hash__ = str.__hash__

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}.{self._name_}" if self.is_known else f"{name}({self._value_!r})"

    def __reduce_ex__(self, _protocol: Any) -> tuple[Any, ...]:
        return type(self), (str(self._value_),)

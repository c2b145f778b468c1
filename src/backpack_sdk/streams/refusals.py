"""Which subscription an error frame is about: the exchange does not say, so what is outstanding tells. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from .names import is_private

if TYPE_CHECKING:
    from .._core.events import ErrorFrame
    from .names import Frame

_ABOUT_NAMES = frozenset({4002, 4006, 4008})
"""Codes about the form of a frame, the type of a stream and the window of a depth stream: never a signature."""


def blame(error: ErrorFrame, unconfirmed: Mapping[str, Frame]) -> tuple[str, ...]:
    """Names that the error is about; none when that can't be told: see `suspects`.

    `unconfirmed` are the names that were subscribed to since the server last proved that it had read everything. In
    turn: a name that the message quotes; private ones when the code is none of those about names, for they stand under
    one signature; the only one.
    """
    quoted = [name for name in unconfirmed if name in error.message]
    if quoted:
        return (max(quoted, key=len),)
    private = tuple(name for name in unconfirmed if is_private(name))
    if private and error.code not in _ABOUT_NAMES:
        return private
    return tuple(unconfirmed) if len(unconfirmed) == 1 else ()


def suspects(unconfirmed: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Groups of names to subscribe to again, one group after the other, when it can't be told which one was refused.

    Each group is half of what is outstanding. The refusal of one that has a single name is about that.
    """
    names = tuple(unconfirmed)
    middle = (len(names) + 1) // 2
    return tuple(group for group in (names[:middle], names[middle:]) if group)

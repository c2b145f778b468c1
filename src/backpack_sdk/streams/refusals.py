"""Which subscription an error frame is about: the exchange does not say, so what is outstanding tells. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .names import is_private

if TYPE_CHECKING:
    from .._core.events import ErrorFrame
    from .names import Frame

_ABOUT_NAMES = frozenset({4002, 4006, 4008})
"""Codes about the form of a frame, the type of a stream and the window of a depth stream: never a signature."""


def blame(error: ErrorFrame, unconfirmed: Mapping[str, Frame]) -> tuple[str, ...]:
    """Names that the error is about; none when that can't be told.

    `unconfirmed` are the names that were subscribed to since the server last proved that it had read everything. In
    turn: a name that the message quotes; private ones when the code is none of those about names; all, when they came
    in one frame.
    """
    quoted = [name for name in unconfirmed if name in error.message]
    if quoted:
        return (max(quoted, key=len),)
    private = tuple(name for name in unconfirmed if is_private(name))
    if private and error.code not in _ABOUT_NAMES:
        return private
    public = {name: frame for name, frame in unconfirmed.items() if not is_private(name)}
    frames = {frame.text for frame in public.values()}
    return tuple(public) if len(frames) == 1 else ()

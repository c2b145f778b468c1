"""Lets the event loop know when an object that somebody used is gone, from whatever thread it vanishes in."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


class WhenForgotten:
    """Calls `forget(thing)` on the running loop once `owner` is garbage, or at once when told to `now()`.

    Garbage is collected in any thread, and what `forget` changes belongs to the loop's.
    """

    __slots__ = ("_finalizer", "_forget")

    def __init__(self, owner: object, forget: Callable[[T], object], thing: T) -> None:
        loop = asyncio.get_running_loop()
        self._forget: Callable[[], object] = partial(forget, thing)
        self._finalizer: Any = weakref.finalize(owner, _call_soon, loop, forget, thing)
        self._finalizer.atexit = False

    def now(self) -> None:
        """Forget at once; a second time does nothing."""
        if self._finalizer.detach() is not None:
            self._forget()


def _call_soon(loop: asyncio.AbstractEventLoop, forget: Callable[[T], object], thing: T) -> None:
    with suppress(RuntimeError):  # the loop is closed, and everything with it
        loop.call_soon_threadsafe(forget, thing)

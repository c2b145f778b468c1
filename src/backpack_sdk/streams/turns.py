"""Turns at an endpoint: who waits for one endpoint does not hold up those who ask another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._core.request import Operation

_AT_ONCE = 8
"""Requests of one endpoint under way at once: few, for the client's rate limit queues them before the caller's own."""
_HANGS = 2.0
"""Seconds, more than eight requests wait for that limit. A request that takes longer goes on without its turn."""


class Turns:
    """Lets a few requests of each endpoint go ahead at once, in the order in which they asked."""

    def __init__(self) -> None:
        self._slots: dict[Operation, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def take(self, operation: Operation) -> AsyncGenerator[None, None]:
        """Wait for a turn. It passes on to the next one at the end, or when this request seems to hang."""
        slots = self._slots.get(operation)
        if slots is None:
            slots = self._slots[operation] = asyncio.Semaphore(_AT_ONCE)
        await slots.acquire()
        held = [slots]

        def pass_on() -> None:
            if held:
                held.pop().release()

        timer = asyncio.get_running_loop().call_later(_HANGS, pass_on)
        try:
            yield
        finally:
            timer.cancel()
            pass_on()

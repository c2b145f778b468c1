"""REST in place of the socket while that keeps failing, and for trades that were missed while it was down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from .._core.errors import BackpackError
from .polling import recent_trades

if TYPE_CHECKING:
    from .._core.events import StreamEvent
    from .options import StreamOptions, StreamSender
    from .polling import Poll
    from .routes import Route, Routes
    from .status import StreamCounters

logger = logging.getLogger("backpack_sdk")
_AT_ONCE = 8
"""Requests under way at once; the client's rate limit holds besides."""
_FILL_ATTEMPTS = 5
_FILL_PAUSE = 0.5


class Fallback:
    """Asks REST for what the routes want."""

    def __init__(
        self, sender: StreamSender, options: StreamOptions, routes: Routes, counters: StreamCounters,
        clock: Callable[[], float],
    ) -> None:  # fmt: skip
        self._sender, self._options, self._routes, self._counters, self._clock = (
            sender,
            options,
            routes,
            counters,
            clock,
        )
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to poll."""
        if self._task is None:
            self._task = asyncio.create_task(self._poll_all(), name="backpack-streams-poll")

    async def stop(self) -> None:
        """Stop polling."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _poll_all(self) -> None:
        slots = asyncio.Semaphore(_AT_ONCE)
        while True:
            due = [self._poll(route, route.poll, slots) for route in self._routes if route.poll is not None]
            await asyncio.gather(*due, asyncio.sleep(self._options.poll_interval))

    async def _poll(self, route: Route, poll: Poll, slots: asyncio.Semaphore) -> None:
        async with slots:
            events = await self._ask(route, poll)
        if events is None:
            return
        if route.gate is None:
            route.deliver_all(events)
        else:
            route.deliver_all(route.gate.on_recent(events))  # type: ignore[arg-type]

    async def fill(self, route: Route) -> None:
        """Fetch recent trades until nothing is missing any more, or give up."""
        gate = route.gate
        if gate is None:
            return
        try:
            symbol, failures = route.name.partition(".")[2], 0
            while failures < _FILL_ATTEMPTS:
                events = await self._ask(route, recent_trades(symbol))
                if events is None:
                    failures += 1
                else:
                    failures = 0
                    route.deliver_all(gate.on_recent(events))  # type: ignore[arg-type]
                if not gate.wants_history:
                    return
                await asyncio.sleep(_FILL_PAUSE)
            route.deliver_all(gate.give_up())
        finally:
            route.filling = False

    async def _ask(self, route: Route, poll: Poll) -> Iterable[StreamEvent] | None:
        self._counters.polls += 1
        try:
            reply = await self._sender.send(poll.request)
            return tuple(poll.read(reply, int(self._clock() * 1_000_000)))
        except (BackpackError, ValueError) as problem:
            logger.warning("%s could not be had over REST: %s", route.name, problem)
            return None

"""REST in place of the socket while that keeps failing. Each stream is polled on its own, so none waits for others.

Fetching trades that were missed while the socket was down is next door, in `filling`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from .filling import Filler
from .polling import POLL_PROBLEMS
from .turns import Turns

if TYPE_CHECKING:
    from .._core.events import StreamEvent
    from .options import StreamOptions, StreamSender
    from .polling import Poll
    from .routes import Route, Routes
    from .status import StreamCounters

logger = logging.getLogger("backpack_sdk")
_LOOK_EVERY = 0.1
"""Seconds between two looks for streams that are new or gone; less when polls follow faster on one another."""


def _ignore(_name: str) -> None:
    """What happens after a poll when nobody wants to know."""


class Fallback:
    """Asks REST for what the routes want."""

    def __init__(
        self, sender: StreamSender, options: StreamOptions, routes: Routes, counters: StreamCounters,
        clock: Callable[[], float], on_polled: Callable[[str], object] = _ignore,
    ) -> None:  # fmt: skip
        """`on_polled` is called with a stream's name after each poll that REST answered, and after its events."""
        self._sender, self._options, self._routes, self._counters = sender, options, routes, counters
        self._clock, self._on_polled = clock, on_polled
        self._turns = Turns()
        self._filler = Filler(self._ask, self._turns)
        self._task: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to poll."""
        if self._task is None:
            self._task = self._run(self._poll_all(), "backpack-streams-poll")

    async def stop(self) -> None:
        """Stop polling."""
        self._task = None
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def fill(self, route: Route) -> None:
        """Fetch recent trades until nothing is missing any more, or give up."""
        await self._filler.fill(route)

    def _run(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _poll_all(self) -> None:
        """Keep one loop running for each route that REST can stand in for."""
        loops: dict[Route, asyncio.Task[None]] = {}
        while True:
            polls = {route: route.poll for route in self._routes if route.poll is not None}
            for route in loops.keys() - polls.keys():
                loops.pop(route).cancel()
            for route, poll in polls.items():
                if route not in loops:
                    loops[route] = self._run(self._poll_one(route, poll), f"backpack-streams-poll-{route.name}")
            await asyncio.sleep(min(_LOOK_EVERY, self._options.poll_interval))

    async def _poll_one(self, route: Route, poll: Poll) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            async with self._turns.take(poll.request.operation):
                asked = clock()
                try:
                    await self._poll(route, poll)
                except Exception:
                    logger.exception("stream %s: a fault of the SDK", route.name)
            await asyncio.sleep(max(0.0, asked + self._options.poll_interval - clock()))

    async def _poll(self, route: Route, poll: Poll) -> None:
        try:
            events = await self._ask(poll)
        except POLL_PROBLEMS as problem:
            logger.warning("%s could not be had over REST: %s", route.name, problem)
            return
        route.deliver_all(events if route.gate is None else route.gate.on_recent(events))  # type: ignore[arg-type]
        self._on_polled(route.name)

    async def _ask(self, poll: Poll) -> tuple[StreamEvent, ...]:
        """The events in the reply to a poll. Raises what `POLL_PROBLEMS` names."""
        self._counters.polls += 1
        reply = await self._sender.send(poll.request)
        return tuple(poll.read(reply, int(self._clock() * 1_000_000)))

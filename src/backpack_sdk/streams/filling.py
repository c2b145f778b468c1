"""Fetches the trades that were missed while a connection was lost, for as long as live trades may wait for them.

While it does, live trades of that market are held, so it must not take long. A market's fill is given up

- when REST has not told what is needed within `_PATIENCE` of the market's own time, that is of requests under way and
  of the pauses between them. Waiting for a turn is not the market's own time: with 91 markets and ten requests a second
  the last one's turn comes after nine seconds, and nothing is wrong with it;
- when it waits for its turn and REST has answered nobody for `_PATIENCE`: then REST hangs, and its turn would not help;
- in any case `_LONGEST` after it began, or after it last got on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

from .polling import POLL_PROBLEMS, recent_trades

if TYPE_CHECKING:
    from .polling import Poll
    from .routes import Route
    from .trades import TradeGate
    from .turns import Turns

logger = logging.getLogger("backpack_sdk")
_PATIENCE = 5.0
"""Seconds: time for several answers of a REST server that is well; live trades that are later are of little use."""
_LONGEST = 30.0
"""Seconds: three times as long as a hundred markets take at ten requests a second."""
_ATTEMPTS = 5
"""Failures in a row after which REST is not asked again: each is what the client gave up after its own attempts."""
_PAUSE = 0.5


class Filler:
    """Fills the gates of trade streams from REST."""

    def __init__(self, ask: Callable[[Poll], Awaitable[Iterable[Any]]], turns: Turns) -> None:
        self._ask, self._turns = ask, turns
        self._queue: dict[asyncio.Timeout, float] = {}
        """Deadlines of the fills that wait for their turn, with the latest that each can be put off to."""

    async def fill(self, route: Route) -> None:
        """Fetch recent trades until nothing is missing any more, or give up and pass on what is held."""
        gate = route.gate
        if gate is None:
            return
        missed, restarts = gate.missed, gate.restarts
        try:
            problem = await self._fetch(route, gate)
            if problem is not None and gate.wants_history:
                held = gate.held
                route.deliver_all(gate.give_up())
                logger.warning(
                    "%s: the trades since the last one could not be had over REST (%s); "
                    "going on with the %d that were held, and %d are known to be missing",
                    route.name, problem, held, gate.missed - missed,
                )  # fmt: skip
            elif gate.missed > missed:
                logger.warning("%s: %d trades are missing, and REST has not got them", route.name, gate.missed - missed)
            if gate.restarts > restarts:
                logger.warning("%s: the exchange began to number its trades anew", route.name)
        finally:
            route.filling = False

    async def _fetch(self, route: Route, gate: TradeGate) -> str | None:
        """Ask until the gate is content; gives what is wrong when it is not."""
        failures, problem = 0, None
        clock = asyncio.get_running_loop().time
        poll = recent_trades(route.name.partition(".")[2])
        began = clock()
        own, latest = _PATIENCE, began + _LONGEST
        try:
            async with asyncio.timeout(_PATIENCE) as deadline:
                while route.sinks:
                    try:
                        self._queue[deadline] = latest
                        async with self._turns.take(poll.request.operation):
                            del self._queue[deadline]
                            began = clock()
                            deadline.reschedule(min(began + own, latest))
                            events = await self._ask(poll)
                    except POLL_PROBLEMS as error:
                        failures, problem = failures + 1, str(error)
                    else:
                        failures, problem = 0, None
                        self._answered(clock())
                        if gate.wants_history:  # else live trades have shown meanwhile that nothing is missing
                            passed = gate.on_recent(events)
                            route.deliver_all(passed)
                            own, latest = (_PATIENCE, clock() + _LONGEST) if passed else (own, latest)
                    finally:
                        self._queue.pop(deadline, None)
                    if not gate.wants_history:
                        return None
                    if failures == _ATTEMPTS or deadline.expired():
                        return problem
                    await asyncio.sleep(_PAUSE)
                    own -= clock() - began
                    deadline.reschedule(min(clock() + _PATIENCE, latest))
        except TimeoutError:
            return problem or "no answer in time"
        return None

    def _answered(self, now: float) -> None:
        """REST answers, so those who wait for their turn may wait on."""
        for deadline, latest in self._queue.items():
            if not deadline.expired():
                deadline.reschedule(min(now + _PATIENCE, latest))

"""What happens at regular times. `Timers` only decides; `Metronome` lets time pass on an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

Action = Callable[[], None]


class Timers:
    """Actions that repeat. Times are seconds on any clock that does not go back."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, float, Action]] = []
        self._numbers = count()

    def every(self, seconds: float, action: Action, *, start: float) -> None:
        """Repeat an action, for the first time `seconds` after `start`."""
        heappush(self._heap, (start + seconds, next(self._numbers), seconds, action))

    def next_due(self) -> float | None:
        """Return when `run` has something to do next."""
        return self._heap[0][0] if self._heap else None

    def run(self, now: float) -> None:
        """Do what is due, each action once however often it was missed."""
        due: list[tuple[float, int, float, Action]] = []
        while self._heap and self._heap[0][0] <= now:
            due.append(heappop(self._heap))
        for at, number, seconds, action in due:
            missed = (now - at) // seconds
            heappush(self._heap, (at + (missed + 1) * seconds, number, seconds, action))
            action()


class Metronome:
    """Runs timers on the running event loop, `speed` times as fast as real time; 0 stands still but for `skip`."""

    def __init__(self, speed: float) -> None:
        if speed < 0:
            raise ValueError(f"speed is {speed}, it must not be negative")
        self.timers = Timers()
        self._speed = speed
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._skipped = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """Return the seconds since the start, at the speed of this clock."""
        return (self._loop.time() - self._started) * self._speed + self._skipped

    def every(self, seconds: float, action: Action) -> None:
        """Repeat an action from now on."""
        self.timers.every(seconds, action, start=self.now())
        self._schedule()

    def skip(self, seconds: float) -> None:
        """Let time jump ahead and do what is due by then, each action once."""
        self._skipped += seconds
        self._run()

    def stop(self) -> None:
        """Do nothing any more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _run(self) -> None:
        try:
            self.timers.run(self.now())
        finally:
            self._schedule()

    def _schedule(self) -> None:
        self.stop()
        due = self.timers.next_due()
        if due is not None and self._speed > 0:
            self._handle = self._loop.call_later(max(0.0, (due - self.now()) / self._speed), self._run)

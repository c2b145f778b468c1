"""How long to wait before connecting again. Pure: chance and time are passed in."""

from __future__ import annotations

from collections.abc import Callable

FIRST_DELAY = 1.0
LONGEST_DELAY = 60.0
STABLE_AFTER = 60.0
"""Seconds a connection has to last before the next failure counts as the first again."""

LONGEST_ASKED_DELAY = 600.0
"""Seconds that a server can ask for."""


class Backoff:
    """Delays of 1 second, doubling to 60, the upper half of each left to chance.

    `jitter` gives numbers from 0 to 1. A connection that lasted `STABLE_AFTER` seconds starts the series anew; one that
    breaks sooner does not, or a server that accepts and hangs up would be asked without pause.
    """

    def __init__(
        self,
        jitter: Callable[[], float],
        *,
        first: float = FIRST_DELAY,
        longest: float = LONGEST_DELAY,
        stable_after: float = STABLE_AFTER,
    ) -> None:
        self._jitter = jitter
        self._first, self._longest, self._stable_after = first, longest, stable_after
        self.failures = 0
        """Failures in a row."""

    def next_delay(self, asked: float | None = None) -> float:
        """Count a failure and give the seconds until the next attempt, at least those that the server asked for."""
        ceiling = min(self._longest, self._first * 2.0 ** min(self.failures, 30))
        self.failures += 1
        delay = ceiling * (0.5 + 0.5 * self._jitter())
        return delay if asked is None else max(delay, min(asked, LONGEST_ASKED_DELAY))

    def connection_lasted(self, seconds: float) -> None:
        """Note how long a connection was good."""
        if seconds >= self._stable_after:
            self.failures = 0

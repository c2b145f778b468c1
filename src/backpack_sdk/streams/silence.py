"""Finds streams that can't be silent and are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .routes import Route

SHORTEST = 10.0
"""Seconds of silence that are never taken for a fault."""


class SilenceWatch:
    """Looks, now and then, which streams that repeat by themselves have said nothing since. Pure: time is passed in."""

    def __init__(self, factor: float, *, shortest: float = SHORTEST) -> None:
        self._factor, self._shortest = factor, shortest
        self._since: dict[str, float] = {}
        self._suspects: set[str] = set()
        self._spoken: set[str] = set()

    def reset(self) -> None:
        """The connection is new: everybody gets time to speak."""
        self._since.clear()
        self._suspects.clear()

    def look(self, routes: Iterable[Route], now: float) -> tuple[frozenset[str], bool]:
        """Streams to subscribe to again, and whether one was silent after that too, so that the socket has to go.

        A stream that has never spoken is asked for again once and then left alone: nothing may come on it at all, as on
        the mark price of a market that has none. One that has spoken costs the socket once, and must then speak again.
        """
        silent: set[str] = set()
        seen: dict[str, float] = {}
        for name, heard, allowed in self._allowed(routes):
            since = now if heard else self._since.get(name, now)
            if heard:
                self._suspects.discard(name)
                self._spoken.add(name)
            if now - since > allowed and (name in self._spoken or name not in self._suspects):
                silent.add(name)
                since = now
            seen[name] = since
        again = silent & self._suspects
        self._spoken -= again
        self._since, self._suspects = seen, self._suspects | silent
        return frozenset(silent), bool(again)

    def _allowed(self, routes: Iterable[Route]) -> Iterator[tuple[str, bool, float]]:
        for route in routes:
            limit = None if route.channel is None else route.channel.max_silence_s
            if limit is not None:
                heard, route.heard = route.heard, False
                yield route.name, heard, max(self._shortest, limit * self._factor)

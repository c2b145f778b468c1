"""How to walk candles by time range. Pure: nothing is sent.

The walk is asked for the next window (`ask`) and given the candles that came (`take`), by turns, until there is none.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Generic, TypeVar

from ._core.errors import InvalidArgument

T = TypeVar("T")

CANDLES = 1000
"""Candles asked for at once; the exchange documents no maximum."""

_JANUARY = 1_704_067_200
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def candle_step(interval: str) -> Callable[[int, int], int]:
    """A function that gives the Unix second so many candles after another. Raises InvalidArgument."""
    found = re.fullmatch(r"([1-9]\d*)(s|m|h|d|w|month)", interval)
    if found is None:
        raise InvalidArgument("interval", f"can't tell how long a candle of {interval!r} is, so it can't be paged")
    count, unit = int(found[1]), found[2]
    if unit == "month":
        return lambda start, candles: _months_later(start, count * candles)
    return lambda start, candles: start + count * _UNITS[unit] * candles


def _months_later(start: int, months: int) -> int:
    moment = datetime.fromtimestamp(start, UTC)
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return int(moment.replace(year=year, month=month + 1, day=day).timestamp())


class CandleWalk(Generic[T]):
    """Candles by time range, oldest first, window after window.

    Each window goes on after the last candle that came, so a server that cuts a window off at its end costs nothing.
    A window whose first candles are missing is asked for again up to the first that came: they may have been cut off.
    """

    def __init__(
        self,
        interval: str,
        start: int,
        end: int | None,
        now: int,
        width: int = CANDLES,
        *,
        resumed: bool = False,
    ) -> None:
        """`start`, `end` and `now` are Unix seconds; without an end the walk goes up to `now`."""
        self._step = candle_step(interval)
        self._next = start
        self._longest = self._step(_JANUARY, 1) - _JANUARY
        self._end = end
        self._last = now if end is None else end
        self._width = width
        self._floor = start if resumed else None
        self._top: int | None = None
        self._held: list[tuple[int, T]] = []
        self._given: list[int] = []
        self._began = self._floor
        self.done = False

    def ask(self, wanted: int | None = None) -> tuple[int, int | None] | None:
        """The range to ask for, in Unix seconds; an end of None is the present. None when all is read."""
        if self.done or wanted == 0:
            return None
        if not self._held:
            self._top = self._window_end(self._width if wanted is None else min(self._width, wanted))
        return self._next, self._top

    def _window_end(self, width: int) -> int | None:
        top = self._step(self._next, max(width, 2)) - 1
        return self._end if top >= self._last else top

    def take(self, candles: Sequence[T], starts: Sequence[int]) -> list[T]:
        """Take what came for the last `ask`, with the Unix second each candle opens; gives the ones to hand out."""
        self._given = []
        found = dict(sorted(zip(starts, candles, strict=True), key=lambda pair: pair[0]))
        rows = [(start, candle) for start, candle in found.items() if self._fits(start)]
        if rows and rows[0][0] >= self._step(self._next, 1):
            # Nothing for the first moments of the window: absent, or cut off by a server that keeps the latest?
            if self._held:
                self._width = max(1, len(self._held) - 1)
            self._held, self._top = rows, rows[0][0]
            return []
        if rows and self._held:
            self._width = max(1, len(self._held) - 1)
        elif self._held:
            rows = self._held
        self._held = []
        if rows:
            return self._hand_out(rows)
        if self._top is None or self._top >= self._last:
            self.done = True
        else:
            # A candle that the window cut in two may have been left out: the next window has it whole.
            self._next = max(self._next + 1, self._top + 1 - self._longest)
        return []

    def _fits(self, start: int) -> bool:
        if self._held and start >= self._held[0][0]:
            return False
        return (self._floor is None or start >= self._floor) and (self._top is None or start <= self._top)

    def _hand_out(self, rows: list[tuple[int, T]]) -> list[T]:
        self._began = self._floor
        self._given = [start for start, _ in rows]
        self._next = self._floor = self._step(self._given[-1], 1)
        self.done = self._next > self._last
        return [candle for _, candle in rows]

    def place(self, handed: int) -> int | None:
        """The Unix second from which to go on after so many candles of the last page; None before the first one."""
        if not self._given:
            return self._floor
        return self._step(self._given[handed - 1], 1) if handed else self._began

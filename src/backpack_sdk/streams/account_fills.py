"""Which fills of an account are news: those since the state began, each once. Pure, and without a clock.

The moment of the beginning is told by the fills that were there just before it, on the exchange's own clock: what lies
well before the newest of them is old, and what lies about it is told apart by name. So neither this machine's clock nor
a history that lags matters. An event of the stream is news in any case: the stream is followed after the beginning.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .account_records import AccountFill

OVERLAP_US = 10_000_000
"""Margin in microseconds, since the history may lag and list fills out of order."""
_KNOWN = 20_000
"""Fills remembered, so that none is told twice."""


class FillLedger:
    """What was there at the beginning, what was told since, and up to when anything was heard of."""

    def __init__(self) -> None:
        self._told: OrderedDict[tuple[object, ...], None] = OrderedDict()
        self._before: frozenset[tuple[object, ...]] = frozenset()
        self._floor_us: int | None = None
        self._heard_us: int | None = None
        self.has_begun = False
        """Whether it is known where the beginning lies."""

    def begin(self, newest: Collection[AccountFill], *, complete: bool) -> None:
        """These fills are there, and no news. Unless they are all there are, they are the newest."""
        self.has_begun = True
        times = [fill.time_us for fill in newest]
        if not times:
            return
        floor = max(times) - OVERLAP_US
        self._floor_us = floor if complete else max(floor, min(times) + 1)
        self._before = frozenset(fill.key for fill in newest if fill.time_us >= self._floor_us)

    @property
    def since_us(self) -> int | None:
        """From when on the history may have news, in microseconds since 1970; None for all of it."""
        if self._heard_us is None:
            return self._floor_us
        heard = self._heard_us - OVERLAP_US
        return heard if self._floor_us is None else max(heard, self._floor_us)

    def heard(self, time_us: int) -> None:
        """The exchange's engine made something at this time, and it was heard of in its turn."""
        self._heard_us = time_us if self._heard_us is None else max(self._heard_us, time_us)

    def on_stream(self, fill: AccountFill) -> bool:
        """Whether a fill that the stream tells is news."""
        if fill.key in self._told:
            return False
        self._told[fill.key] = None
        if len(self._told) > _KNOWN:
            self._told.popitem(last=False)
        self.heard(fill.time_us)
        return True

    def on_history(self, fill: AccountFill) -> bool:
        """Whether a fill that the history tells is news."""
        return not self.is_old(fill) and self.on_stream(fill)

    def is_old(self, fill: AccountFill) -> bool:
        """Whether a fill that the history tells was told, or was there before the beginning."""
        if self._floor_us is not None and fill.time_us < self._floor_us:
            return True
        return fill.key in self._before or fill.key in self._told

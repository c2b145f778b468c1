"""Aggregated depth: the changes of a window merged into one, the last size of each level winning."""

from __future__ import annotations

from decimal import Decimal

from ..engine import BookDelta


class DepthMerge:
    """What has changed in a book since the last `take`."""

    __slots__ = ("_asks", "_bids", "_first_id", "_last_id", "_time_us")

    def __init__(self) -> None:
        self._first_id: int | None = None
        self._last_id = 0
        self._time_us = 0
        self._bids: dict[Decimal, Decimal] = {}
        self._asks: dict[Decimal, Decimal] = {}

    def add(self, delta: BookDelta, time_us: int) -> None:
        """Count a change, the next one of its book."""
        if self._first_id is None:
            self._first_id = delta.first_update_id
        self._last_id, self._time_us = delta.last_update_id, time_us
        self._bids.update(delta.bids)
        self._asks.update(delta.asks)

    def take(self) -> tuple[BookDelta, int] | None:
        """Return the merged change and the engine's time of its last part, None when nothing changed."""
        if self._first_id is None:
            return None
        merged = BookDelta(self._first_id, self._last_id, tuple(self._bids.items()), tuple(self._asks.items()))
        self._first_id = None
        self._bids.clear()
        self._asks.clear()
        return merged, self._time_us

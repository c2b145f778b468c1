"""A comparison of a live book with a snapshot from REST."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from .book import Level, LevelLike, OrderBook


class Delta(NamedTuple):
    """One message of a depth stream."""

    bids: Sequence[LevelLike]
    asks: Sequence[LevelLike]
    first: int
    last: int
    engine_time: int | None


Reach: TypeAlias = tuple[Decimal | None, Decimal | None]
"""The worst bid and ask of a snapshot, down to which it knows every level; None where it knows all."""


def reach_of(snapshot: OrderBook, levels: int | None) -> Reach:
    """How far a snapshot of so many levels a side knows a book; None for a complete one."""
    return (None, None) if levels is None else (snapshot._edge(True, levels), snapshot._edge(False, levels))


class Check:
    """A comparison under way of a live book with REST."""

    def __init__(self, start: int) -> None:
        self.start = start
        """The update the book was at in the beginning."""
        self.deltas: list[Delta] = []
        """What it applied since."""
        self.witness: OrderBook | None = None
        """The snapshot to compare with."""

    def confirms(self, book: OrderBook, reach: Reach, levels: int | None) -> bool:
        """Whether the snapshot, brought to the book's update, has the same levels as far as both know them."""
        witness = self.witness
        if witness is None:
            return False
        bids, asks = zip(reach, reach_of(witness, levels), strict=True)
        for delta in self.deltas:
            witness.apply_delta(delta.bids, delta.asks, delta.first, delta.last)
        low, high = max(filter(None, bids), default=None), min(filter(None, asks), default=None)
        return _known(book, low, high) == _known(witness, low, high)


def _known(book: OrderBook, low: Decimal | None, high: Decimal | None) -> tuple[list[Level], list[Level]]:
    """The bids from `low` up and the asks up to `high`."""
    return (
        [level for level in book.bids() if low is None or level.price >= low],
        [level for level in book.asks() if high is None or level.price <= high],
    )


def id_of(book: OrderBook) -> int:
    """The update id of a book that has a snapshot."""
    last = book.last_update_id
    if last is None:
        raise RuntimeError(f"{book!r} was used before it had a snapshot")
    return last

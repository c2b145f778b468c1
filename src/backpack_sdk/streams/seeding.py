"""Fetches the snapshots that order books start from: a few at a time, and again after a failure."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from .._core.errors import BackpackError
from .._core.events import UNREADABLE
from .._generated.markets import operations as markets
from .polling import SNAPSHOT_LEVELS
from .sides import read_side

if TYPE_CHECKING:
    from .options import StreamSender
    from .sync_events import NeedSnapshot

logger = logging.getLogger("backpack_sdk")
_AT_ONCE = 8
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


class WireDepth(NamedTuple):
    """A snapshot as REST sends it: decimal text, bids and asks ascending."""

    bids: Sequence[tuple[str, str]]
    asks: Sequence[tuple[str, str]]
    last_update_id: str
    timestamp: int
    """When the matching engine made the last update, in microseconds since 1970."""


class _Body(msgspec.Struct):
    bids: msgspec.Raw
    asks: msgspec.Raw
    last_update_id: str = msgspec.field(name="lastUpdateId")
    timestamp: int


_read_body = msgspec.json.Decoder(_Body, strict=False).decode


def read_depth(content: bytes) -> WireDepth:
    """The snapshot in a reply. Raises one of UNREADABLE."""
    body = _read_body(content)
    bids, asks = read_side(bytes(body.bids), 1), read_side(bytes(body.asks), -1)
    return WireDepth(bids, asks, body.last_update_id, body.timestamp)


async def fetch_depth(sender: StreamSender, symbol: str) -> WireDepth:
    """The book of a market over REST, read straight into text. Raises BackpackError."""
    reply = await sender.send_raw(markets.get_depth(symbol, limit=SNAPSHOT_LEVELS))
    if reply.status_code == 200:
        try:
            return read_depth(reply.content)
        except UNREADABLE:
            pass  # the model says better what is wrong
    depth = reply.parse()
    raise BackpackError(f"{symbol}: the snapshot fits its model and can't be read as text: {depth!r}")


class Seeder:
    """Gets snapshots on request and hands them on. `cancel` forgets every request that is under way."""

    def __init__(self, sender: StreamSender, deliver: Callable[[str, WireDepth], None]) -> None:
        self._sender, self._deliver = sender, deliver
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def request(self, need: NeedSnapshot) -> None:
        """Fetch a snapshot. A request for the same market that is under way is replaced."""
        old = self._tasks.pop(need.symbol, None)
        if old is not None and old is not asyncio.current_task():
            old.cancel()
        task = asyncio.create_task(self._fetch(need), name=f"backpack-snapshot-{need.symbol}")
        self._tasks[need.symbol] = task
        task.add_done_callback(lambda done: self._done(need.symbol, done))

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._tasks

    def drop(self, symbol: str) -> None:
        """Give up the request for a market, if there is one."""
        task = self._tasks.pop(symbol, None)
        if task is not None:
            task.cancel()

    async def cancel(self) -> None:
        """Give up every request."""
        tasks = tuple(self._tasks.values())
        self.forget()
        await asyncio.gather(*tasks, return_exceptions=True)

    def forget(self) -> None:
        """Give up every request, without waiting until they are gone."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    async def _fetch(self, need: NeedSnapshot) -> None:
        attempt = need.attempt
        while True:
            if attempt > 1:
                pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(attempt - 2, 10))
                await asyncio.sleep(pause * (0.5 + 0.5 * random.random()))
            async with self._slots:
                try:
                    depth = await fetch_depth(self._sender, need.symbol)
                    break
                except Exception as problem:  # of whatever kind: without a snapshot there will be no book
                    logger.warning("%s: the snapshot (attempt %d) failed: %r", need.symbol, attempt, problem)
            attempt += 1
        self._deliver(need.symbol, depth)

    def _done(self, symbol: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(symbol) is task:
            del self._tasks[symbol]
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("%s: the snapshot failed by a fault of the SDK", symbol, exc_info=error)

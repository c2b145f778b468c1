"""Plays a recording on an embedded exchange."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Iterator
from typing import TYPE_CHECKING

from ..._generated.streams.models import DepthUpdate, MarkPrice, Trade
from ...streams.book import OrderBook, SequenceGap
from ..engine import Side
from .mirror import Mirror
from .options import Replay
from .recording import BookLine, Line, event_of, read_lines, read_markets, symbols_of

if TYPE_CHECKING:
    from ..server import PaperExchange

logger = logging.getLogger(__name__)

_TURN = 200
"""Lines after which others have the event loop, however far behind the replay is."""


class Replayer:
    """Carries the lines of a recording out, one after the other."""

    def __init__(self, lines: Iterator[Line], mirror: Mirror, levels: int) -> None:
        self._lines, self._mirror, self._levels = lines, mirror, levels
        self._books = {symbol: OrderBook(symbol) for symbol in mirror.symbols}

    def step(self) -> int | None:
        """Carry the next line out and return when it was received, in Unix microseconds; None at the end."""
        line = next(self._lines, None)
        if line is None:
            return None
        if line.book is not None:
            self._replace(line.book)
        else:
            self._play(line)
        return line.received_us

    def _replace(self, whole: BookLine) -> None:
        book = self._books.get(whole.symbol)
        if book is not None:
            book.apply_snapshot(whole.bids, whole.asks, whole.last_update_id)
            self._show(book)

    def _play(self, line: Line) -> None:
        event = event_of(line)
        if isinstance(event, DepthUpdate) and event.symbol in self._books:
            self._change(self._books[event.symbol], event)
        elif isinstance(event, Trade) and event.symbol in self._books:
            taker = Side.ASK if event.is_buyer_maker else Side.BID
            self._mirror.trade(event.symbol, taker, event.price, event.quantity)
        elif isinstance(event, MarkPrice) and event.symbol in self._books:
            self._mirror.mark(event.symbol, event.mark_price, event.index_price)

    def _change(self, book: OrderBook, event: DepthUpdate) -> None:
        try:
            if book.apply_delta(event.wire_bids, event.wire_asks, event.update_id_first, event.update_id_last):
                self._show(book)
        except SequenceGap:
            book.clear()  # the recording has the whole book again further on
            self._mirror.stale(book.symbol)

    def _show(self, book: OrderBook) -> None:
        bids, asks = book.bids(self._levels), book.asks(self._levels)
        self._mirror.book(book.symbol, bids, asks, whole=max(len(bids), len(asks)) < self._levels)


@contextlib.asynccontextmanager
async def playing(replay: Replay, exchange: PaperExchange) -> AsyncGenerator[Replayer]:
    """Play a recording once, at its speed, as long as the block lasts."""
    symbols = symbols_of(read_markets(replay.path))
    mirror = Mirror(exchange.engine, symbols, exchange.lock, lambda: exchange.clock(), accounts=exchange.api_keys)
    lines = read_lines(replay.path)
    replayer = Replayer(lines, mirror, replay.levels)
    replay.begin(replayer, exchange.lock)
    task = asyncio.create_task(_keep_pace(replay, replayer))
    task.add_done_callback(lambda task: _tell(replay, task))
    try:
        yield replayer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        replay.end()
        mirror.close()


def _tell(replay: Replay, task: asyncio.Task[None]) -> None:
    problem = None if task.cancelled() else task.exception()
    if problem is not None:
        logger.error("the replay of %s broke off", replay.path, exc_info=problem)


async def _keep_pace(replay: Replay, replayer: Replayer) -> None:
    """Carry each line out when it is due. At the speed 0, none."""
    loop = asyncio.get_running_loop()
    started, first_us = loop.time(), None
    taken = 0
    while replay.speed:
        at_us = replayer.step()
        if at_us is None:
            return
        first_us = at_us if first_us is None else first_us
        wait = (at_us - first_us) / 1_000_000 / replay.speed - (loop.time() - started)
        taken += 1
        if wait > 0 or taken % _TURN == 0:
            await asyncio.sleep(max(0.0, wait))

"""Market data over REST in the shape of stream events: what to ask for each kind of stream, and how to read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from .._core.errors import BackpackError
from .._core.events import POLLED, StreamEvent, attach
from .._core.level import Level
from .._core.reply import NoContent
from .._core.scalars import from_micros, to_micros
from .._generated.markets import operations as markets
from .._generated.trades import operations as trades
from .events import BookTicker, MarkPrice, OpenInterest, Ticker, Trade

if TYPE_CHECKING:
    from datetime import datetime

    from .._core.request import Request
    from .._generated.markets import models
    from .._generated.trades.models import Trade as RestTrade

T = TypeVar("T", bound=StreamEvent)
SNAPSHOT_LEVELS: Final = 1000
"""Levels a side of a snapshot, the most that REST gives."""
RECENT_TRADES = 1000
POLL_PROBLEMS: Final = (BackpackError, ValueError)
"""What a poll can fail with: no usable answer, or one that can't be read as events."""


class DepthSnapshot(StreamEvent, frozen=True, kw_only=True):
    """The whole book of a market, best levels first, as REST gives it. It replaces whatever was known before."""

    symbol: str
    last_update_id: int
    """The update that it contains; the next delta starts at the one after it, or before."""
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    engine_time_us: int
    """When the matching engine made that update, in microseconds since 1970."""

    @property
    def engine_time(self) -> datetime:
        """`engine_time_us` as an aware datetime."""
        return from_micros(self.engine_time_us)


@dataclass(frozen=True, slots=True)
class Poll:
    """What to ask in place of a stream, and how to read the reply as events, given the time in microseconds."""

    request: Request[Any]
    read: Callable[[Any, int], Iterable[StreamEvent]]


def poll_of(channel: str, symbol: str) -> Poll | None:
    """What REST offers in place of a stream of this kind; None when it offers nothing."""
    make = _POLLS.get(channel)
    return None if make is None else make(symbol)


def recent_trades(symbol: str) -> Poll:
    """The latest trades. REST does not tell the orders they came from."""
    return Poll(trades.get_recent_trades(symbol, limit=RECENT_TRADES), lambda reply, now: _trades(symbol, reply, now))


def _depth(symbol: str) -> Poll:
    def read(reply: models.Depth, now_us: int) -> Iterable[StreamEvent]:
        del now_us
        snapshot = DepthSnapshot(
            symbol=symbol,
            last_update_id=int(reply.last_update_id),
            bids=tuple(Level(*level) for level in reversed(reply.bids)),
            asks=tuple(Level(*level) for level in reply.asks),
            engine_time_us=int(to_micros(reply.timestamp)),
        )
        return (_polled(snapshot),)

    return Poll(markets.get_depth(symbol, limit=SNAPSHOT_LEVELS), read)


def _book_ticker(symbol: str) -> Poll:
    def read(reply: models.Depth, now_us: int) -> Iterable[StreamEvent]:
        if not reply.bids or not reply.asks:
            return ()
        (bid, bid_quantity), (ask, ask_quantity) = reply.bids[-1], reply.asks[0]
        event = BookTicker(
            event_time_us=now_us, engine_time_us=int(to_micros(reply.timestamp)), symbol=symbol,
            update_id=int(reply.last_update_id), bid_price=bid, bid_quantity=bid_quantity,
            ask_price=ask, ask_quantity=ask_quantity,
        )  # fmt: skip
        return (_polled(event),)

    return Poll(markets.get_depth(symbol, limit=5), read)


def _ticker(symbol: str) -> Poll:
    def read(reply: models.Ticker | NoContent, now_us: int) -> Iterable[StreamEvent]:
        if isinstance(reply, NoContent):
            return ()
        event = Ticker(
            event_time_us=now_us, symbol=symbol, first_price=reply.first_price, last_price=reply.last_price,
            high=reply.high, low=reply.low, volume=reply.volume, quote_volume=reply.quote_volume, trades=reply.trades,
        )  # fmt: skip
        return (_polled(event),)

    return Poll(markets.get_ticker(symbol), read)


def _mark_price(symbol: str) -> Poll:
    def read(reply: list[models.MarkPrice], now_us: int) -> Iterable[StreamEvent]:
        for row in reply:
            due = row.next_funding_timestamp
            event = MarkPrice(
                event_time_us=now_us, engine_time_us=now_us, symbol=symbol, mark_price=row.mark_price,
                funding_rate=row.funding_rate, index_price=row.index_price,
                next_funding_time_ms=None if due is None else int(to_micros(due)) // 1000,
            )  # fmt: skip
            yield _polled(event)

    return Poll(markets.get_mark_prices(symbol=symbol), read)


def _open_interest(symbol: str) -> Poll:
    def read(reply: list[models.OpenInterest], now_us: int) -> Iterable[StreamEvent]:
        for row in reply:
            if row.open_interest is not None:
                yield _polled(OpenInterest(event_time_us=now_us, symbol=symbol, open_interest=row.open_interest))

    return Poll(markets.get_open_interest(symbol=symbol), read)


def _trades(symbol: str, reply: list[RestTrade], now_us: int) -> Iterable[Trade]:
    for row in sorted((row for row in reply if row.id is not None), key=lambda row: row.id or 0):
        event = Trade(
            event_time_us=now_us, engine_time_us=int(to_micros(row.timestamp)), symbol=symbol, price=row.price,
            quantity=row.quantity, trade_id=row.id or 0, is_buyer_maker=row.is_buyer_maker,
        )  # fmt: skip
        yield _polled(event)


def _polled(event: T) -> T:
    attach(event, POLLED, True)
    return event


_POLLS: dict[str, Callable[[str], Poll]] = {
    "book_ticker": _book_ticker,
    "depth": _depth,
    "mark_price": _mark_price,
    "open_interest": _open_interest,
    "ticker": _ticker,
    "trade": recent_trades,
}

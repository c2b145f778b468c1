"""Recordings of another exchange: one JSON object a line, each with the time it was received.

- `{"received_us": ..., "market": {...}}`: the rules of a market, as `GET /markets` gives them. These come first.
- `{"received_us": ..., "book": {"symbol", "last_update_id", "bids", "asks"}}`: a whole book, best levels first. One
  comes when the recording begins, and one whenever the stream had a gap.
- `{"received_us": ..., "stream": ..., "data": {...}}`: a frame, as the exchange sends it.

Times are Unix microseconds. Whatever else a line holds is left for later versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ..._core.events import ErrorFrame, StreamEvent
from ..._generated.streams.channels import DECODER
from ...streams.book import BookSnapshot
from ..engine import MarketSpec
from .markets import market_specs


class BookLine(msgspec.Struct, frozen=True):
    """A whole book. Levels are price and quantity, as text."""

    symbol: str
    last_update_id: int
    bids: tuple[tuple[str, str], ...]
    asks: tuple[tuple[str, str], ...]


class Line(msgspec.Struct, frozen=True):
    """One line of a recording."""

    received_us: int
    market: dict[str, Any] | None = None
    book: BookLine | None = None
    stream: str | None = None
    data: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(Line).decode
_encode = msgspec.json.Encoder().encode


def market_line(received_us: int, market: Mapping[str, Any]) -> bytes:
    """Write the rules of a market down."""
    return _line({"received_us": received_us, "market": market})


def book_line(received_us: int, book: BookSnapshot) -> bytes:
    """Write a whole book down."""
    levels = {
        name: [(str(price), str(quantity)) for price, quantity in side]
        for name, side in (("bids", book.bid_levels), ("asks", book.ask_levels))
    }
    whole = {"symbol": book.symbol, "last_update_id": book.last_update_id or 0, **levels}
    return _line({"received_us": received_us, "book": whole})


def event_line(received_us: int, stream: str, event: StreamEvent) -> bytes:
    """Write a frame down."""
    return _line({"received_us": received_us, "stream": stream, "data": event.wire})


def read_lines(path: Path) -> Iterator[Line]:
    """Read a recording, line by line.

    Raises:
        OSError: the file can't be read.
        ValueError: a line is none of a recording. A last line without an end is left out: its writer was interrupted.
    """
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            if not text.endswith(b"\n"):
                return
            try:
                yield _decode(text)
            except msgspec.MsgspecError as problem:
                raise ValueError(f"{path}, line {number}: {problem}") from None


def read_markets(path: Path) -> list[MarketSpec]:
    """Read the rules of the markets that a recording is of.

    Raises:
        OSError, ValueError: as for `read_lines`; there are no markets.
    """
    markets: dict[str, dict[str, Any]] = {}
    for line in read_lines(path):
        if line.market is None:
            break
        markets[str(line.market.get("symbol"))] = line.market
    if not markets:
        raise ValueError(f"{path} is no recording: it does not begin with a market")
    return market_specs(markets.values(), markets)


def event_of(line: Line) -> StreamEvent | None:
    """Return the event of a line that holds a frame; None for one that can't be read."""
    if line.stream is None or not bytes(line.data):
        return None
    event = DECODER.decode(_encode({"stream": line.stream, "data": line.data}))
    return None if isinstance(event, ErrorFrame) else event


def symbols_of(markets: Iterable[MarketSpec]) -> tuple[str, ...]:
    """Return the symbols of some markets."""
    return tuple(spec.symbol for spec in markets)


def _line(value: Mapping[str, Any]) -> bytes:
    return _encode(value) + b"\n"

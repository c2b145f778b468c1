"""What goes by the clock: aggregated depth, candles, tickers, prices; the engine's own time; and the keepalive."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from ..engine import Refused
from . import frames
from .candles import CandleStream
from .connection import Key
from .context import HubContext
from .depth import DepthMerge
from .framing import ping
from .names import WINDOWS_MS, StreamName
from .timers import Metronome
from .translation import PUBLIC

if TYPE_CHECKING:
    from .hub import Hub

OPEN_INTEREST_SECONDS = 60.0
PING_SECONDS = 60.0
PONG_SECONDS = 120.0
_UNANSWERED = 1008


class Pulses:
    """What is sent because time has passed."""

    def __init__(self, context: HubContext, hub: Hub) -> None:
        self._context = context
        self._hub = hub
        self._clock: Metronome | None = None
        self._names: dict[Key, StreamName] = {}
        self._merges: dict[str, dict[int, DepthMerge]] = {}
        self._candles: dict[str, dict[str, CandleStream]] = {}

    def start(self, metronome: Metronome) -> None:
        """Go by a clock."""
        self._clock = metronome
        for window in WINDOWS_MS:
            metronome.every(window / 1_000, partial(self._send_depth, window))
        metronome.every(1, self._every_second)
        metronome.every(OPEN_INTEREST_SECONDS, self._send_open_interest)
        metronome.every(PING_SECONDS, self._ping)

    # Subscriptions

    def merges_of(self, symbol: str) -> Iterable[DepthMerge]:
        """Return the windows that collect a market's depth."""
        return self._merges.get(symbol, {}).values()

    def candles_of(self, symbol: str) -> Iterable[CandleStream]:
        """Return the candles that collect a market's trades."""
        return self._candles.get(symbol, {}).values()

    def begin(self, name: StreamName, account: str) -> None:
        """Start what a stream needs. The engine is locked.

        Raises:
            Refused: no market has the symbol.
        """
        key = (account, name.text)
        if key in self._names:
            return
        symbol = name.symbol
        if symbol is not None:
            self._context.engine.market(symbol)
        self._names[key] = name
        if symbol is not None and name.window_ms is not None:
            self._merges.setdefault(symbol, {})[name.window_ms] = DepthMerge()
        elif symbol is not None and name.interval is not None:
            candles = CandleStream(self._context.engine, symbol, name.interval, name.text, self._context.clock())
            self._candles.setdefault(symbol, {})[name.text] = candles

    def end(self, key: Key) -> None:
        """Stop what a stream needed, as nobody listens any more."""
        name = self._names.pop(key, None)
        if name is None or name.symbol is None:
            return
        if name.window_ms is not None:
            del self._merges[name.symbol][name.window_ms]
        elif name.interval is not None:
            del self._candles[name.symbol][name.text]

    # Pulses

    def _send_depth(self, window_ms: int) -> None:
        hub = self._hub
        hub.send_pending()
        for symbol, windows in self._merges.items():
            merge = windows.get(window_ms)
            taken = merge.take() if merge is not None else None
            if taken is None:
                continue
            delta, time_us = taken
            data = frames.depth(
                hub.words(symbol),
                delta.bids,
                delta.asks,
                first_id=delta.first_update_id,
                last_id=delta.last_update_id,
                engine_us=time_us,
                now_us=hub.now_us,
            )
            hub.send(PUBLIC, f"depth.{window_ms}ms.{symbol}", data)
        hub.delivery.flush()

    def _every_second(self) -> None:
        engine = self._context.engine
        with self._context.lock:
            engine.advance(now_us=self._context.clock())
            self._hub.send_pending()
            for key, name in self._names.items():
                if name.kind == "ticker" and name.symbol is not None:
                    self._send_ticker(key, name.symbol)
                elif name.kind == "markPrice" and name.symbol is not None:
                    price = engine.mark_price(name.symbol)
                    if price is not None:
                        self._hub.send(*key, frames.mark_price(price, self._hub.now_us))
            for symbol, streams in self._candles.items():
                for candles in streams.values():
                    self._send_candles(symbol, candles)
        self._hub.delivery.flush()
        self._cut_the_silent()

    def _send_ticker(self, key: Key, symbol: str) -> None:
        figures = self._context.engine.ticker(symbol, now_us=self._context.clock())
        if figures is not None:
            self._hub.send(*key, frames.ticker(self._hub.words(symbol), figures, self._hub.now_us))

    def _send_open_interest(self) -> None:
        with self._context.lock:
            self._hub.send_pending()
            for key, name in self._names.items():
                if name.kind == "openInterest" and name.symbol is not None:
                    with contextlib.suppress(Refused):  # silence for a market that has no positions
                        quantity = self._context.engine.open_interest(name.symbol)
                        data = frames.open_interest(
                            self._hub.words(name.symbol), name.symbol, quantity, self._hub.now_us
                        )
                        self._hub.send(*key, data)
        self._hub.delivery.flush()

    def _send_candles(self, symbol: str, candles: CandleStream) -> None:
        for candle, is_closed in candles.take(self._hub.now_us):
            data = frames.kline(self._hub.words(symbol), symbol, candle, self._hub.now_us, is_closed=is_closed)
            self._hub.send(PUBLIC, candles.stream, data)

    def _ping(self) -> None:
        if self._clock is None or self._context.faults.is_silent:
            return
        for connection in self._hub.delivery.connections:
            connection.post(ping())
            connection.flush()
            if connection.pinged_at is None:
                connection.pinged_at = self._clock.now()

    def _cut_the_silent(self) -> None:
        if self._clock is None:
            return
        oldest = self._clock.now() - PONG_SECONDS
        for connection in list(self._hub.delivery.connections):
            if connection.pinged_at is not None and connection.pinged_at <= oldest:
                connection.close(_UNANSWERED, "no pong")

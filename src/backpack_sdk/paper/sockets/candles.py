"""The candle under way of one market and interval, kept up with every trade instead of being counted again."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from ..engine import Exchange, Kline, KlineInterval, Trade

_ZERO = Decimal(0)


class CandleStream:
    """Candles of one market as they grow. `stream` is the name they go out under."""

    def __init__(self, engine: Exchange, symbol: str, interval: KlineInterval, stream: str, now_us: int) -> None:
        self.stream = stream
        self.symbol = symbol
        self._engine = engine
        self._interval = interval
        self._current = self._from_engine(now_us)
        self._finished: list[Kline] = []
        self._changed = False

    def add(self, trade: Trade) -> None:
        """Count a trade, the next one of its market."""
        self._move_to(trade.time_us)
        candle, price = self._current, trade.price
        if candle.open is None or candle.high is None or candle.low is None:
            candle = replace(candle, open=price, high=price, low=price)
        else:
            candle = replace(candle, high=max(candle.high, price), low=min(candle.low, price))
        self._current = replace(
            candle,
            close=price,
            volume=candle.volume + trade.quantity,
            quote_volume=candle.quote_volume + trade.quote_quantity,
            trades=candle.trades + 1,
        )
        self._changed = True

    def take(self, now_us: int) -> list[tuple[Kline, bool]]:
        """Return the candles that closed since the last call and the current one if it changed; whether each closed."""
        self._move_to(now_us)
        found = [(candle, True) for candle in self._finished]
        self._finished.clear()
        if self._changed:
            found.append((self._current, False))
            self._changed = False
        return found

    def _move_to(self, time_us: int) -> None:
        """Close the current candle when its time is over. Of a longer pause, only the first candle is reported."""
        if time_us >= self._current.end_us:
            self._finished.append(self._current)
            self._current = self._empty(time_us)
            self._changed = False

    def _from_engine(self, time_us: int) -> Kline:
        return self._engine.klines(self.symbol, self._interval, start_us=time_us, end_us=time_us)[0]

    def _empty(self, time_us: int) -> Kline:
        fresh = self._from_engine(time_us)
        return Kline(fresh.start_us, fresh.end_us, None, None, None, None, _ZERO, _ZERO, 0)

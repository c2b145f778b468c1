"""Candles from trades."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from operator import itemgetter

from .errors import ErrorCode, Refused
from .numbers import ZERO
from .tape import Tape, totals

MAX_KLINES = 10_000
_SECOND = 1_000_000
_WEEK_SECONDS = 604_800
_MONDAY = 4 * 86_400  # 1970-01-05 was the first Monday of Unix time


class KlineInterval(StrEnum):
    """Length of a candle. Candles start at whole multiples since 1970 (UTC), weeks on Mondays, months on the first."""

    S1 = "1s"
    M1 = "1m"
    M3 = "3m"
    M5 = "5m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    H2 = "2h"
    H4 = "4h"
    H6 = "6h"
    H8 = "8h"
    H12 = "12h"
    D1 = "1d"
    D3 = "3d"
    W1 = "1w"
    MONTH = "1month"


_SECONDS = {
    KlineInterval.S1: 1,
    KlineInterval.M1: 60,
    KlineInterval.M3: 180,
    KlineInterval.M5: 300,
    KlineInterval.M15: 900,
    KlineInterval.M30: 1_800,
    KlineInterval.H1: 3_600,
    KlineInterval.H2: 7_200,
    KlineInterval.H4: 14_400,
    KlineInterval.H6: 21_600,
    KlineInterval.H8: 28_800,
    KlineInterval.H12: 43_200,
    KlineInterval.D1: 86_400,
    KlineInterval.D3: 259_200,
    KlineInterval.W1: _WEEK_SECONDS,
}


@dataclass(frozen=True, slots=True)
class Kline:
    """One candle over `start_us` <= time < `end_us` (Unix microseconds). Prices are None when nothing traded."""

    start_us: int
    end_us: int
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    close: Decimal | None
    volume: Decimal
    quote_volume: Decimal
    trades: int


def build_klines(tape: Tape, interval: KlineInterval, start_us: int, end_us: int) -> tuple[Kline, ...]:
    """Return every candle that has a moment in [`start_us`, `end_us`], oldest first.

    Raises:
        Refused: `INVALID_RANGE` when the end is before the start, before 1970, or more than 10000 candles fit.
    """
    return tuple(_kline(tape, first, end) for first, end in _checked_spans(interval, start_us, end_us))


def build_price_klines(
    prices: Sequence[tuple[int, Decimal]], interval: KlineInterval, start_us: int, end_us: int
) -> tuple[Kline, ...]:
    """Return candles of a price that is told as (time, price from then on), oldest first. They have no volume.

    A price carries over from one candle to the next; a candle before the first price is empty.

    Raises:
        Refused: as `build_klines`.
    """
    klines: list[Kline] = []
    for first, end in _checked_spans(interval, start_us, end_us):
        low = bisect_left(prices, first, key=itemgetter(0))
        high = bisect_left(prices, end, key=itemgetter(0), lo=low)
        known = [price for _, price in prices[max(0, low - 1) : high]]
        if not known:
            klines.append(Kline(first, end, None, None, None, None, ZERO, ZERO, 0))
        else:
            klines.append(Kline(first, end, known[0], max(known), min(known), known[-1], ZERO, ZERO, 0))
    return tuple(klines)


def _checked_spans(interval: KlineInterval, start_us: int, end_us: int) -> list[tuple[int, int]]:
    if not 0 <= start_us <= end_us:
        raise Refused(
            ErrorCode.INVALID_RANGE, f"the range from {start_us} to {end_us} microseconds is empty or negative"
        )
    spans = list(islice(_spans(interval, start_us, end_us), MAX_KLINES + 1))
    if len(spans) > MAX_KLINES:
        raise Refused(ErrorCode.INVALID_RANGE, f"the range holds over {MAX_KLINES} candles of {interval}: shorten it")
    return spans


def _kline(tape: Tape, start_us: int, end_us: int) -> Kline:
    trades = tape.between(start_us, end_us)
    if not trades:
        return Kline(start_us, end_us, None, None, None, None, ZERO, ZERO, 0)
    high, low, volume, quote_volume = totals(trades)
    return Kline(start_us, end_us, trades[0].price, high, low, trades[-1].price, volume, quote_volume, len(trades))


def _spans(interval: KlineInterval, start_us: int, end_us: int) -> Iterator[tuple[int, int]]:
    if interval is KlineInterval.MONTH:
        moment = datetime.fromtimestamp(start_us // _SECOND, UTC)
        year, month = moment.year, moment.month
        first = _month_start(year, month)
        while first <= end_us:
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)
            following = _month_start(year, month)
            yield first, following
            first = following
        return
    length = _SECONDS[interval] * _SECOND
    shift = _MONDAY * _SECOND if interval is KlineInterval.W1 else 0
    first = (start_us - shift) // length * length + shift
    while first <= end_us:
        yield first, first + length
        first += length


def _month_start(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * _SECOND

"""Names of streams, as clients write them. They split at their first dots only, for a symbol may hold dots itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ..engine import KlineInterval

WINDOWS_MS = (200, 600, 1000)
"""Windows of the aggregated depth streams, in milliseconds."""

PRIVATE = "account."
BY_SYMBOL = frozenset(
    {"bookTicker", "depth", "externalTicker", "kline", "markPrice", "openInterest", "stockPrice", "ticker", "trade"}
)
WHOLE = frozenset({"liquidation"})
OF_ACCOUNT = frozenset({"balanceUpdate", "orderUpdate", "positionUpdate", "rfqUpdate"})
_INTERVALS = {interval.value: interval for interval in KlineInterval}


class SocketErrorCode(IntEnum):
    """Codes of error frames. That of a bad signature has never been shown; 4003 is a choice of this exchange."""

    UNREADABLE = 4002
    BAD_SIGNATURE = 4003
    UNKNOWN_STREAM = 4006
    BAD_WINDOW = 4008


class SocketProblem(Exception):
    """What a client sent is wrong. The socket stays open."""

    def __init__(self, code: SocketErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class StreamName:
    """A stream. `text` is the name as it was asked for, which the frames repeat.

    `symbol` is None for a stream of all markets. `window_ms` belongs to aggregated depth, `interval` to candles.
    """

    text: str
    kind: str
    symbol: str | None = None
    window_ms: int | None = None
    interval: KlineInterval | None = None

    @property
    def is_private(self) -> bool:
        """Whether the stream belongs to an account."""
        return self.kind.startswith(PRIVATE)


def parse_name(text: str) -> StreamName:
    """Read the name of a stream. Whether its symbol exists is not looked at.

    Raises:
        SocketProblem: there is no such stream.
    """
    kind, dot, rest = text.partition(".")
    if f"{kind}." == PRIVATE:
        return _private(text, rest)
    if kind in WHOLE and not dot:
        return StreamName(text, kind)
    if kind not in BY_SYMBOL or not rest:
        raise _unknown(text)
    if kind == "kline":
        word, _, symbol = rest.partition(".")
        interval = _INTERVALS.get(word)
        if interval is None or not symbol:
            raise _unknown(text)
        return StreamName(text, kind, symbol, interval=interval)
    if kind == "depth" and rest[0].isdigit():
        return _aggregated(text, rest)
    return StreamName(text, kind, rest)


def _private(text: str, rest: str) -> StreamName:
    kind, dot, symbol = rest.partition(".")
    if kind not in OF_ACCOUNT or (dot and not symbol):
        raise _unknown(text)
    return StreamName(text, PRIVATE + kind, symbol or None)


def _aggregated(text: str, rest: str) -> StreamName:
    """Read `200ms.SOL_USDC`. A symbol may start with a digit too: what is no duration is one."""
    word, _, symbol = rest.partition(".")
    digits = word.removesuffix("ms")
    if word == digits or not digits.isdigit():
        return StreamName(text, "depth", rest)
    if not symbol:
        raise _unknown(text)
    if digits not in map(str, WINDOWS_MS):
        raise SocketProblem(
            SocketErrorCode.BAD_WINDOW, f"{text}: the depth window must be one of 200ms, 600ms and 1000ms"
        )
    return StreamName(text, "depth", symbol, window_ms=int(digits))


def _unknown(text: str) -> SocketProblem:
    return SocketProblem(SocketErrorCode.UNKNOWN_STREAM, f"there is no stream {text}")

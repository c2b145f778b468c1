"""What an embedded exchange may follow: another exchange as it is now, or a recording of one."""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...pairs import Pair
from ..engine import MarketSpec
from .markets import market_specs

if TYPE_CHECKING:
    from ... import AsyncBackpack
    from ..server import PaperExchange
    from .replay import Replayer

LEVELS = 100
_PATIENCE_SECONDS = 30.0


class Source(ABC):
    """Where markets and their books come from."""

    @abstractmethod
    def specs(self) -> list[MarketSpec]:
        """Return the rules of the markets. This may block."""

    @abstractmethod
    def attend(self, exchange: PaperExchange) -> AbstractAsyncContextManager[Any]:
        """Let an exchange that serves follow the source for as long as the block lasts."""


class Live(Source):
    """Markets of the real exchange that an embedded one mirrors: `PaperExchange(live=Live(["SOL-USDC"]))`.

    Their rules are asked for when the embedded exchange is made, which waits for the answer.

    Args:
        symbols: The markets, in any notation: spot and perpetuals.
        levels: Levels that are mirrored on each side of a book.
        base_url, ws_url: Addresses of another source than the real exchange.
        options: Further arguments of the client that follows it, such as `proxy`.

    Raises:
        ValueError: there are no symbols or no levels.
        PairError: a symbol can't be read.
    """

    def __init__(self, symbols: Iterable[str | Pair], *, levels: int = LEVELS, **options: Any) -> None:
        if isinstance(symbols, str):
            symbols = [symbols]
        found = [symbol if isinstance(symbol, Pair) else Pair.parse(symbol) for symbol in symbols]
        self.symbols = tuple(dict.fromkeys(pair.backpack for pair in found))
        if not self.symbols or levels < 1:
            raise ValueError("a live exchange needs a market and a level of its book at least")
        self.levels, self.options = levels, options

    def specs(self) -> list[MarketSpec]:
        """Ask the source for the rules of the markets.

        Raises:
            ValueError: it does not have one of them.
            BackpackError: it can't be asked.
        """
        from ... import Backpack, operations

        with Backpack(**self.options) as client:
            reply = client.send_raw(operations.markets.get_markets())
            reply.parse()
        return market_specs(json.loads(reply.content), self.symbols)

    def client(self) -> AsyncBackpack:
        """Make a client of the source."""
        from ... import AsyncBackpack

        return AsyncBackpack(**self.options)

    def attend(self, exchange: PaperExchange) -> AbstractAsyncContextManager[Any]:
        """Mirror the books."""
        from .source import following

        return following(self, exchange, _PATIENCE_SECONDS)


class Replay(Source):
    """A recording of `backpack record` that an embedded exchange plays: `PaperExchange(replay=FILE, speed=10)`.

    `speed` is how many recorded seconds pass in each real one; 0 stands still but for `advance`.

    Raises:
        ValueError: the speed is negative.
    """

    def __init__(self, path: Path | str, *, speed: float = 1.0, levels: int = LEVELS) -> None:
        if speed < 0:
            raise ValueError(f"speed is {speed}, it must not be negative")
        self.path, self.speed, self.levels = Path(path), speed, levels
        self._playing: tuple[Replayer, threading.RLock] | None = None

    def advance(self, lines: int) -> int:
        """Play so many lines now, and return how many there were.

        Raises:
            RuntimeError: no exchange that runs plays the recording.
        """
        if self._playing is None:
            raise RuntimeError("the recording is not being played: enter the exchange first")
        replayer, lock = self._playing
        with lock:
            return sum(1 for _ in takewhile(bool, (replayer.step() for _ in range(lines))))

    def begin(self, replayer: Replayer, lock: threading.RLock) -> None:
        """Note that an exchange has begun to play it; `lock` is that of the exchange."""
        self._playing = (replayer, lock)

    def end(self) -> None:
        """Note that it is not played any more."""
        self._playing = None

    def specs(self) -> list[MarketSpec]:
        """Read the rules of the markets from the recording.

        Raises:
            OSError: the file can't be read.
            ValueError: it is no recording.
        """
        from .recording import read_markets

        return read_markets(self.path)

    def attend(self, exchange: PaperExchange) -> AbstractAsyncContextManager[Any]:
        """Play the recording, once, from its beginning."""
        from .replay import playing

        return playing(self, exchange)


def find_source(live: Live | None, replay: Replay | Path | str | None, speed: float) -> Source | None:
    """Return what an exchange follows; None for nothing.

    Raises:
        ValueError: it can't be both.
    """
    if live is not None and replay is not None:
        raise ValueError("an exchange is live or plays a recording: give live or replay, not both")
    if replay is None or isinstance(replay, Replay):
        return live if replay is None else replay
    return Replay(replay, speed=speed)

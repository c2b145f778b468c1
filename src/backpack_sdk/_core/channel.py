"""What a stream is called, and what comes on it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .enums import OpenEnum
from .errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .events import StreamEvent

_SYMBOL = re.compile(r"[!-~]+")
_PARAMETER = re.compile(r"\{([^}]*)\}")
_PRIVATE = "account."


@dataclass(frozen=True, slots=True)
class Channel:
    """One kind of stream."""

    name: str
    """Our name for it, such as `book_ticker`."""
    templates: tuple[str, ...]
    """How its streams are called, such as `kline.{interval}.{symbol}`; several where a part may be left out."""
    event: type[StreamEvent]
    """Class of its events."""
    private: bool = False
    """Whether a subscription must be signed."""
    sparse: bool = False
    """Whether nobody has described its payload, so that the class has only the fields that every stream has."""
    max_silence_s: float | None = None
    """Seconds after which it repeats even when nothing changed; None for a stream that may be silent for any time."""
    intervals: tuple[str, ...] = ()
    """Lengths of a candle, for candles."""
    windows: tuple[str, ...] = ()
    """Periods over which its updates can be collected."""

    @property
    def prefix(self) -> str:
        """What the names of its streams begin with, up to the first parameter."""
        return self.templates[0].split(".{", 1)[0]

    @property
    def takes_symbol(self) -> bool:
        """Whether a stream can be about one symbol."""
        return any(_symbol_in(template) for template in self.templates)

    @property
    def needs_symbol(self) -> bool:
        """Whether there is no stream without a symbol."""
        return all(_symbol_in(template) for template in self.templates)

    def stream(self, symbol: str | None = None, *, interval: str | None = None, window: str | None = None) -> str:
        """Name of a stream as the exchange spells it.

        `symbol` is one of the exchange's, as `SOL_USDC`. A text for `interval` or `window` must be a known one; a
        `KlineInterval` may be any. Raises InvalidArgument.
        """
        self._check_symbol(symbol)
        self._check("interval", interval, self.intervals, needed=True)
        self._check("window", window, self.windows, needed=False)
        given = {"symbol": symbol, "interval": interval, "window": window}
        names = {name for name, value in given.items() if value is not None}
        template = next(one for one in self.templates if set(_parameters(one)) == names)
        return _PARAMETER.sub(lambda found: str(given[_role(found[1])]), template)

    def _check_symbol(self, symbol: str | None) -> None:
        if symbol is None:
            if self.needs_symbol:
                raise InvalidArgument("symbol", f"the stream {self.name} needs a symbol, such as SOL_USDC")
        elif not self.takes_symbol:
            raise InvalidArgument("symbol", f"the stream {self.name} is about all markets; leave the symbol out")
        elif not isinstance(symbol, str) or not _SYMBOL.fullmatch(symbol):
            raise InvalidArgument("symbol", f"expected a symbol of the exchange, such as SOL_USDC, got {symbol!r}")

    def _check(self, name: str, value: str | None, known: tuple[str, ...], *, needed: bool) -> None:
        if value is None:
            if needed and known:
                raise InvalidArgument(name, f"the stream {self.name} needs one of {', '.join(known)}")
        elif not known:
            raise InvalidArgument(name, f"the stream {self.name} has none")
        elif value not in known and not (isinstance(value, OpenEnum) and _SYMBOL.fullmatch(value) and "." not in value):
            raise InvalidArgument(name, f"expected one of {', '.join(known)}, got {value!r}")


def by_prefix(channels: Iterable[Channel]) -> dict[str, Channel]:
    """Channels by what the names of their streams begin with."""
    return {channel.prefix: channel for channel in channels}


def find_channel(channels: Mapping[str, Channel], stream: str) -> Channel | None:
    """The channel of a stream's name. A symbol may hold dots, so only the first ones count."""
    parts = stream.split(".", 2)
    count = 2 if stream.startswith(_PRIVATE) else 1
    return channels.get(".".join(parts[:count]))


def _parameters(template: str) -> list[str]:
    return [_role(name) for name in _PARAMETER.findall(template)]


def _role(name: str) -> str:
    """Which argument fills a parameter: what is neither an interval nor a window is what the stream is about."""
    return name if name in ("interval", "window") else "symbol"


def _symbol_in(template: str) -> bool:
    return "symbol" in _parameters(template)

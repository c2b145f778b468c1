"""From the arguments of a stream method to the names of its streams. Pure; both kinds of client use it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .._core import arguments as _to
from .._core.errors import InvalidArgument
from .._core.events import StreamEvent
from .._generated.streams import channels

if TYPE_CHECKING:
    from .._core.arguments import SymbolLike
    from .._core.channel import Channel
    from .queue import OverflowLike

T = TypeVar("T", bound=StreamEvent)


@dataclass(frozen=True, slots=True)
class StreamRequest(Generic[T]):
    """Streams of one kind that somebody wants. The type says what comes on them."""

    channel: Channel | None
    names: dict[str, str | None]
    """Names of streams with the markets they are about."""
    check: bool
    """Whether the markets have to exist."""
    max_queue: int | None
    overflow: OverflowLike | None
    typed: bool = True
    """Whether only events of the stream's class are wanted, and none that fits no class."""

    @property
    def key(self) -> Callable[[Any], Hashable]:
        """What events are told apart by when only the latest of each waits."""
        return _symbol_of if len(self.names) > 1 or self.channel is None or not self.channel.needs_symbol else _nothing


def per_symbol(
    kind: type[T], symbols: tuple[SymbolLike, ...], max_queue: int | None, overflow: OverflowLike | None,
    *, interval: str | None = None, window: str | None = None,
) -> StreamRequest[T]:  # fmt: skip
    """One stream for each market; none is refused where the exchange has no stream of all markets."""
    channel = _CHANNELS[kind]
    markets = [_market(symbol) for symbol in symbols]
    if not markets:
        if channel.needs_symbol:
            raise InvalidArgument("symbols", f"name at least one market, such as SOL_USDC, for {channel.name}")
        return StreamRequest(channel, {channel.stream(): None}, False, max_queue, overflow)
    names: dict[str, str | None] = {
        channel.stream(market, interval=interval, window=window): market for market in markets
    }
    return StreamRequest(channel, names, not channel.sparse, max_queue, overflow)


def by_ticker(
    kind: type[T], tickers: tuple[str, ...], max_queue: int | None, overflow: OverflowLike | None
) -> StreamRequest[T]:
    """One stream for each stock, which is no market."""
    if not tickers:
        raise InvalidArgument("tickers", "name at least one stock, such as AAPL")
    channel = _CHANNELS[kind]
    return StreamRequest(channel, {channel.stream(ticker): None for ticker in tickers}, False, max_queue, overflow)


def by_name(names: tuple[str, ...], max_queue: int | None, overflow: OverflowLike | None) -> StreamRequest[StreamEvent]:
    """Streams by their names, of any kind."""
    if not names:
        raise InvalidArgument("names", "name at least one stream, such as trade.SOL_USDC")
    for name in names:
        if not isinstance(name, str) or not name or not name.isprintable():
            raise InvalidArgument("names", f"expected the name of a stream, got {name!r}")
    kinds = {channels.channel_of(name) for name in names}
    channel = kinds.pop() if len(kinds) == 1 else None
    markets = {name: _market_in(name) for name in names}
    return StreamRequest(channel, markets, False, max_queue, overflow, typed=False)


def _market_in(name: str) -> str | None:
    """The market that a stream of a known kind is about; None where there is none, or its name is spelt unusually."""
    channel = channels.channel_of(name)
    if channel is None or not any("{symbol}" in template for template in channel.templates):
        return None
    market, given = name.removeprefix(channel.prefix + "."), dict[str, str]()
    first, _, rest = market.partition(".")
    if first in channel.intervals:
        market, given = rest, {"interval": first}
    elif first in channel.windows:
        market, given = rest, {"window": first}
    elif channel.windows and rest:
        return None  # a window that is newer than the SDK
    try:
        return market if channel.stream(market, **given) == name and _market(market) == market else None
    except InvalidArgument:
        return None


def _market(symbol: SymbolLike) -> str:
    market = _to.symbol(symbol, "symbols")
    if market is None:
        raise InvalidArgument("symbols", "expected a market symbol or a Pair, got None")
    return market


def _symbol_of(event: Any) -> Hashable:
    return event.stream, getattr(event, "symbol", None)


def _nothing(_event: Any) -> Hashable:
    return None


_CHANNELS: dict[type[StreamEvent], Channel] = {channel.event: channel for channel in channels.CHANNELS}

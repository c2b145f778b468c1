"""Streams for scripts that block: the same names as the async ones, read with plain loops.

The work is done on an event loop in a thread of its own. Events are immutable, so they may go from thread to thread.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .._core.errors import BackpackError
from .._core.events import StreamEvent
from . import requests
from .client import Streams
from .events import (
    BalanceUpdate,
    BookTicker,
    DepthUpdate,
    ExternalTicker,
    Kline,
    Liquidation,
    MarkPrice,
    OpenInterest,
    OrderUpdate,
    PositionUpdate,
    RfqUpdate,
    StockPrice,
    Ticker,
    Trade,
)
from .loop_thread import LoopThread, OnThread

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Literal, Self

    from .._core.arguments import SymbolLike
    from .._generated.markets.models import KlineIntervalLike
    from .options import StreamOptions, StreamSetup
    from .polling import DepthSnapshot
    from .queue import OverflowLike
    from .requests import StreamRequest
    from .status import ConnectionState, StateChange, StreamCounters
    from .subscription import Source, Subscription

T = TypeVar("T")
E = TypeVar("E", bound=StreamEvent)


class BlockingSubscription(Generic[T]):
    """Events of one or more streams, for a plain `for` loop. It belongs to one thread."""

    def __init__(self, thread: LoopThread, subscription: Subscription[T]) -> None:
        self._thread, self._subscription = thread, subscription
        self._taken: deque[T] = deque()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the streams, as the exchange spells them."""
        return self._subscription.names

    @property
    def source(self) -> Source:
        """Whether events come from the socket or from REST at the moment."""
        return self._subscription.source

    @property
    def waiting(self) -> int:
        """Events that wait to be taken."""
        return len(self._taken) + self._subscription.waiting

    @property
    def dropped(self) -> int:
        """Events lost, or replaced by newer ones, because they were not taken in time."""
        return self._subscription.dropped

    def ready(self, timeout: float | None = None) -> Self:
        """Wait until the server has read the subscription. Raises what it was refused with, or TimeoutError."""
        self._thread.run(self._subscription.ready(timeout))
        return self

    def get(self, timeout: float | None = None) -> T:
        """The next event. Raises TimeoutError after `timeout` seconds, and BackpackError after the end."""
        if not self._taken:
            try:
                self._take(timeout)
            except StopIteration:
                raise BackpackError("the subscription has ended") from None
        return self._taken.popleft()

    def listen(self, callback: Callable[[T], Awaitable[object] | object]) -> asyncio.Task[None]:
        """Call `callback` with every event, on the connection's own thread: it must be quick and must not wait.

        Its errors are raised by `wait_closed()` of the connection.
        """
        return self._thread.call(lambda: self._subscription.listen(callback))

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if not self._taken:
            self._take(None)
        return self._taken.popleft()

    def _take(self, timeout: float | None) -> None:
        """Fetch what waits. Time runs out on the loop's own thread, where nothing can be taken and then lost."""

        async def take() -> list[T]:
            async with asyncio.timeout(timeout):
                return await self._subscription.take()

        try:
            self._taken.extend(self._thread.run(take()))
        except (StopAsyncIteration, CancelledError):
            raise StopIteration from None

    def close(self) -> None:
        """End it. Iterating stops once what waits is taken."""
        self._thread.run(self._subscription.aclose())

    def __enter__(self) -> Self:
        return self.ready()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Blocking{repr(self._subscription).removeprefix('<')}"


class BlockingStreams(OnThread):
    """Any number of streams on one connection, for plain loops. Made by `Backpack.streams()`; use it in a `with` block.

    Methods and arguments are those of `Streams`. Iterate over different subscriptions in different threads.
    """

    def __init__(self, setup: StreamSetup, options: StreamOptions) -> None:
        super().__init__("streams")
        self._setup, self._options = setup, options
        self._inner: Streams | None = None

    async def _open(self) -> None:
        self._inner = Streams(self._setup, self._options)
        await self._inner.open()

    async def _aclose(self) -> None:
        await self._streams.aclose()

    @property
    def _streams(self) -> Streams:
        if self._inner is None:
            raise BackpackError("the stream connection is not open: use `with bp.streams() as ws`")
        return self._inner

    def wait_closed(self, timeout: float | None = None) -> None:
        """Wait until the connection is closed. Raises what ended it, a callback's error, or TimeoutError."""
        self._thread.run(self._streams.wait_closed(), timeout)

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands."""
        return self._streams.state

    @property
    def counters(self) -> StreamCounters:
        """What was seen so far; live, it goes on counting."""
        return self._streams.counters

    @property
    def url(self) -> str:
        """Address in use."""
        return self._streams.url

    @property
    def latency(self) -> float | None:
        """Seconds that the last ping took to be answered; None before the first."""
        return self._streams.latency

    def on_state_change(self, callback: Callable[[StateChange], object]) -> None:
        """Call `callback` whenever the state changes, on the connection's own thread."""
        self._streams.on_state_change(callback)

    def __repr__(self) -> str:
        return f"<BlockingStreams of {self._inner!r}>"

    def _ask(self, request: StreamRequest[E]) -> BlockingSubscription[Any]:
        return BlockingSubscription(self._thread, self._thread.call(lambda: self._streams._ask(request)))

    # Public

    def book_tickers(
        self, *symbols: SymbolLike, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> BlockingSubscription[BookTicker]:
        """Best bid and ask of some markets, whenever they change."""
        return self._ask(requests.per_symbol(BookTicker, symbols, max_queue, overflow))

    def depth(
        self,
        *symbols: SymbolLike,
        window: Literal["200ms", "600ms", "1000ms"] | None = None,
        max_queue: int | None = None,
        overflow: OverflowLike | None = None,
    ) -> BlockingSubscription[DepthUpdate | DepthSnapshot]:
        """Changes of order books, as they happen or collected over a `window`.

        These are changes only: `order_books()` keeps whole books for you. A DepthSnapshot comes while the socket is
        down and REST stands in.
        """
        return self._ask(requests.per_symbol(DepthUpdate, symbols, max_queue, overflow, window=window))

    def klines(
        self,
        *symbols: SymbolLike,
        interval: KlineIntervalLike = "1m",
        max_queue: int | None = None,
        overflow: OverflowLike | None = None,
    ) -> BlockingSubscription[Kline]:
        """Candles while they form, at most once a second, and once more when they close."""
        return self._ask(requests.per_symbol(Kline, symbols, max_queue, overflow, interval=interval))

    def liquidations(
        self, *, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> BlockingSubscription[Liquidation]:
        """Liquidations of every market."""
        return self._ask(requests.per_symbol(Liquidation, (), max_queue, overflow))

    def mark_prices(
        self, *symbols: SymbolLike, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> BlockingSubscription[MarkPrice]:
        """Mark price, index price and funding rate of some markets, every second."""
        return self._ask(requests.per_symbol(MarkPrice, symbols, max_queue, overflow))

    def open_interest(
        self, *symbols: SymbolLike, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> BlockingSubscription[OpenInterest]:
        """Open interest of some futures markets, every minute."""
        return self._ask(requests.per_symbol(OpenInterest, symbols, max_queue, overflow))

    def tickers(
        self, *symbols: SymbolLike, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> BlockingSubscription[Ticker]:
        """Figures of the last 24 hours of some markets, every second."""
        return self._ask(requests.per_symbol(Ticker, symbols, max_queue, overflow))

    def trades(
        self, *symbols: SymbolLike, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> BlockingSubscription[Trade]:
        """Public trades of some markets, in order and each once.

        After a reconnection those that were missed come from REST first, marked as `polled`.
        """
        return self._ask(requests.per_symbol(Trade, symbols, max_queue, overflow))

    # Private

    def order_updates(
        self, *symbols: SymbolLike, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> BlockingSubscription[OrderUpdate]:
        """What happens to your orders, in some markets or, without any named, in all."""
        return self._ask(requests.per_symbol(OrderUpdate, symbols, max_queue, overflow))

    def position_updates(
        self, *symbols: SymbolLike, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> BlockingSubscription[PositionUpdate]:
        """What happens to your positions, in some markets or, without any named, in all.

        The open positions come first, one event each, whose `event` is None.
        """
        return self._ask(requests.per_symbol(PositionUpdate, symbols, max_queue, overflow))

    def rfq_updates(
        self, *symbols: SymbolLike, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> BlockingSubscription[RfqUpdate]:
        """Requests for quotes that you can answer, and what happens to your own and to your quotes."""
        return self._ask(requests.per_symbol(RfqUpdate, symbols, max_queue, overflow))

    # Lightly documented

    def balance_updates(
        self, *, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> BlockingSubscription[BalanceUpdate]:
        """Changes of your balances. Nobody has described the payload, and it does not work for every account."""
        return self._ask(requests.per_symbol(BalanceUpdate, (), max_queue, overflow))

    def external_tickers(
        self, *symbols: SymbolLike, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> BlockingSubscription[ExternalTicker]:
        """Prices from elsewhere. Nobody has described the payload: read it from `wire`."""
        return self._ask(requests.per_symbol(ExternalTicker, symbols, max_queue, overflow))

    def stock_prices(
        self, *tickers: str, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> BlockingSubscription[StockPrice]:
        """Prices of stocks, such as AAPL. Nobody has described the payload: read it from `wire`."""
        return self._ask(requests.by_ticker(StockPrice, tickers, max_queue, overflow))

    def raw(
        self, *names: str, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> BlockingSubscription[StreamEvent]:
        """Streams by the exchange's own names, such as `trade.SOL_USDC`: for kinds that are newer than this SDK."""
        return self._ask(requests.by_name(names, max_queue, overflow))

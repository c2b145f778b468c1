"""Streams for scripts that block: the same names as the async ones, read with plain loops.

The work is done on an event loop in a thread of its own. Events are immutable, so they may go from thread to thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from .._core.errors import BackpackError
from .._core.events import StreamEvent
from . import requests
from .blocking_subscription import BlockingSubscription
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
from .loop_thread import OnThread

if TYPE_CHECKING:
    from typing import Literal

    from .._core.arguments import SymbolLike
    from .._core.events import UnknownEvent
    from .._generated.markets.models import KlineIntervalLike
    from .blocking_account import BlockingAccountState
    from .blocking_books import BlockingOrderBooks
    from .options import StreamOptions, StreamSetup
    from .order_books import OrderBooks
    from .polling import DepthSnapshot
    from .queue import OverflowLike
    from .requests import StreamRequest
    from .status import ConnectionState, StateChange, StreamCounters

E = TypeVar("E", bound=StreamEvent)


class BlockingStreams(OnThread):
    """Any number of streams on one connection, for plain loops. Made by `Backpack.streams()`; use it in a `with` block.

    Methods and arguments are those of `Streams`. Any thread may use it, and close it.
    """

    def __init__(self, setup: StreamSetup, options: StreamOptions) -> None:
        super().__init__("streams", "the stream connection is not open: use `with bp.streams() as ws`")
        self._setup, self._options = setup, options
        self._inner: Streams | None = None

    async def _open(self) -> None:
        self._inner = Streams(self._setup, self._options)
        await self._inner.open()

    async def _aclose(self) -> None:
        if self._inner is not None:
            await self._inner.aclose()

    @property
    def _streams(self) -> Streams:
        if self._inner is None:
            raise BackpackError(self._not_open)
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

    def on_unknown(self, callback: Callable[[UnknownEvent], object]) -> None:
        """Call `callback` with every event that fits no class, on the connection's own thread.

        It may be a coroutine function. Subscriptions to streams by name (`raw`) get these events too, others don't.
        """
        self._streams.on_unknown(callback)

    def __repr__(self) -> str:
        return f"<BlockingStreams of {self._inner!r}>"

    def _ask(self, request: StreamRequest[E]) -> BlockingSubscription[Any]:
        streams = self._streams

        def ask() -> BlockingSubscription[Any]:  # in one go, so that nothing has come yet
            return BlockingSubscription(self._thread, streams._ask(request))

        return self._thread.call(ask)

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

    def order_books(
        self,
        *symbols: SymbolLike,
        window: Literal["200ms", "600ms", "1000ms"] | None = None,
        snapshot_interval: float | None = None,
        show_stale: bool = False,
        levels: int | None = None,
    ) -> BlockingOrderBooks:
        """The order books of some markets, kept from this connection, for `with`: `Backpack.order_books` tells how."""
        from .blocking_books import BlockingOrderBooks

        streams = self._streams

        def make() -> OrderBooks:
            return streams.order_books(
                *symbols, window=window, snapshot_interval=snapshot_interval, show_stale=show_stale
            )

        return BlockingOrderBooks(make, levels=levels, thread=self._thread)

    # Private

    def account_state(self) -> BlockingAccountState:
        """The account's open orders and positions, kept from this connection, for `with`."""
        from .blocking_account import BlockingAccountState

        return BlockingAccountState(self._streams.account_state, thread=self._thread)

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

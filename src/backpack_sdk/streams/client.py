"""The streams of an async client: one method for each kind of stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from .._core.events import StreamEvent
from .._generated.streams.channels import DECODER
from . import requests
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
from .session import StreamSession

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Literal, Self

    from .._core.arguments import SymbolLike
    from .._generated.markets.models import KlineIntervalLike
    from .account import AccountState
    from .options import StreamOptions, StreamSetup
    from .order_books import OrderBooks
    from .polling import DepthSnapshot
    from .queue import OverflowLike
    from .requests import StreamRequest
    from .subscription import Subscription

T = TypeVar("T", bound=StreamEvent)


class Streams(StreamSession):
    """Any number of streams on one connection. Made by `AsyncBackpack.streams()`; use it in an `async with` block.

    Each method subscribes at once and gives a Subscription to iterate over. `max_queue` events wait for a slow
    consumer; `overflow` says what happens then: `"drop_oldest"` (public streams by default), `"conflate"` to the latest
    of each market, or `"raise"` (private ones).
    """

    def __init__(self, setup: StreamSetup, options: StreamOptions) -> None:
        super().__init__(setup, options, DECODER)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<Streams {self.url}: {self.state.value}, {self.counters.frames} frames>"

    def _ask(self, request: StreamRequest[T]) -> Subscription[T]:
        return self.subscribe(
            request.channel, request.names, check=request.check,
            max_queue=request.max_queue, overflow=request.overflow, key=request.key, typed=request.typed,
        )  # fmt: skip

    # Public

    def book_tickers(
        self, *symbols: SymbolLike, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> Subscription[BookTicker]:
        """Best bid and ask of some markets, whenever they change."""
        return self._ask(requests.per_symbol(BookTicker, symbols, max_queue, overflow))

    def depth(
        self,
        *symbols: SymbolLike,
        window: Literal["200ms", "600ms", "1000ms"] | None = None,
        max_queue: int | None = None,
        overflow: OverflowLike | None = None,
    ) -> Subscription[DepthUpdate | DepthSnapshot]:
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
    ) -> Subscription[Kline]:
        """Candles while they form, at most once a second, and once more when they close."""
        return self._ask(requests.per_symbol(Kline, symbols, max_queue, overflow, interval=interval))

    def liquidations(
        self, *, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> Subscription[Liquidation]:
        """Liquidations of every market."""
        return self._ask(requests.per_symbol(Liquidation, (), max_queue, overflow))

    def mark_prices(
        self, *symbols: SymbolLike, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> Subscription[MarkPrice]:
        """Mark price, index price and funding rate of some markets, every second."""
        return self._ask(requests.per_symbol(MarkPrice, symbols, max_queue, overflow))

    def open_interest(
        self, *symbols: SymbolLike, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> Subscription[OpenInterest]:
        """Open interest of some futures markets, every minute."""
        return self._ask(requests.per_symbol(OpenInterest, symbols, max_queue, overflow))

    def tickers(
        self, *symbols: SymbolLike, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> Subscription[Ticker]:
        """Figures of the last 24 hours of some markets, every second."""
        return self._ask(requests.per_symbol(Ticker, symbols, max_queue, overflow))

    def trades(
        self, *symbols: SymbolLike, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> Subscription[Trade]:
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
    ) -> OrderBooks:
        """The order books of some markets, kept from this connection: `AsyncBackpack.order_books` tells how."""
        from .order_books import OrderBooks

        return OrderBooks(
            self, self._setup.sender, symbols, owns_session=False,
            window=window, snapshot_interval=snapshot_interval, show_stale=show_stale,
        )  # fmt: skip

    # Private

    def order_updates(
        self, *symbols: SymbolLike, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> Subscription[OrderUpdate]:
        """What happens to your orders, in some markets or, without any named, in all."""
        return self._ask(requests.per_symbol(OrderUpdate, symbols, max_queue, overflow))

    def position_updates(
        self, *symbols: SymbolLike, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> Subscription[PositionUpdate]:
        """What happens to your positions, in some markets or, without any named, in all.

        The open positions come first, one event each, whose `event` is None.
        """
        return self._ask(requests.per_symbol(PositionUpdate, symbols, max_queue, overflow))

    def rfq_updates(
        self, *symbols: SymbolLike, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> Subscription[RfqUpdate]:
        """Requests for quotes that you can answer, and what happens to your own and to your quotes."""
        return self._ask(requests.per_symbol(RfqUpdate, symbols, max_queue, overflow))

    def account_state(self) -> AccountState:
        """The account's open orders and positions, kept from this connection, for `async with`."""
        from .account import AccountState

        return AccountState(self, self._setup.sender, owns_session=False)

    # Lightly documented

    def balance_updates(
        self, *, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> Subscription[BalanceUpdate]:
        """Changes of your balances. Nobody has described the payload, and it does not work for every account."""
        return self._ask(requests.per_symbol(BalanceUpdate, (), max_queue, overflow))

    def external_tickers(
        self, *symbols: SymbolLike, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> Subscription[ExternalTicker]:
        """Prices from elsewhere. Nobody has described the payload: read it from `wire`."""
        return self._ask(requests.per_symbol(ExternalTicker, symbols, max_queue, overflow))

    def stock_prices(
        self, *tickers: str, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> Subscription[StockPrice]:
        """Prices of stocks, such as AAPL. Nobody has described the payload: read it from `wire`."""
        return self._ask(requests.by_ticker(StockPrice, tickers, max_queue, overflow))

    def raw(
        self, *names: str, max_queue: int | None = None, overflow: OverflowLike | None = None
    ) -> Subscription[StreamEvent]:
        """Streams by the exchange's own names, such as `trade.SOL_USDC`: for kinds that are newer than this SDK."""
        return self._ask(requests.by_name(names, max_queue, overflow))

"""The two clients. Both only carry out the steps of `_calls`: one waits, one awaits."""

from __future__ import annotations

import asyncio
import time
from threading import Lock
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import httpx

from ._calls import BASE_URL, WS_URL, Attempt, Broken, Pause
from ._client_base import ClientBase, broken, reply, stream_options
from ._generated.clients import AsyncNamespaces, Namespaces
from ._options import require_client
from ._ratelimit import PER_SECOND
from ._transport import default_async_transport, default_transport, exchange
from ._wire import RawResponse

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from types import TracebackType
    from typing import Literal, Self

    from ._calls import Call, Outcome
    from ._core.arguments import SymbolLike
    from ._core.request import Request
    from .auth import Credentials
    from .pages import AsyncPager, Pager
    from .streams.account import AccountState
    from .streams.blocking import BlockingStreams
    from .streams.blocking_account import BlockingAccountState
    from .streams.blocking_books import BlockingOrderBooks
    from .streams.client import Streams
    from .streams.options import StreamOptions, StreamSetup
    from .streams.order_books import OrderBooks

T = TypeVar("T")
P = ParamSpec("P")

TIMEOUT = 10.0
"""Seconds for each phase of a request: getting a connection, sending, waiting for data."""


class Backpack(ClientBase, Namespaces):
    """A client that waits for each answer. Safe to share between threads.

    Operations are grouped as the exchange groups them: `bp.markets.get_depth("SOL-USDC")`. Use it in a `with` block,
    or call `close()`.

    Args:
        credentials: Key for private operations; public ones need none.
        base_url: Address of the exchange.
        ws_url: Address of its stream server.
        alternate_urls: Addresses to try, in order, when one refuses your region or can't be reached.
        alternate_ws_urls: The same for the stream server.
        timeout: Seconds for each phase of a request, or an httpx.Timeout.
        max_retries: Further attempts after a failure. Reads are repeated on 429, 5xx and broken connections; commands
            only when they provably never left this machine.
        rate_limit: Requests per second for each endpoint, queued beyond that; None for no limit; a mapping such as
            `{"markets.get_depth": 5}` for single endpoints.
        window: Milliseconds for which a signed request is valid, at most 60000.
        broker_id: Broker id for orders and strategies.
        broker_key: Broker key for orders and strategies.
        http_client: Your own httpx.Client. It is used as it is and not closed; proxy, trust_env, verify and
            max_connections are then yours to set.
        proxy: Address of a proxy. Without one the environment decides, unless trust_env is False.
        trust_env: Whether environment variables may name proxies and certificates.
        verify: False to accept any certificate, or an ssl.SSLContext.
        max_connections: Connections open at once.
    """

    def __init__(
        self,
        credentials: Credentials | None = None,
        *,
        base_url: str = BASE_URL,
        ws_url: str = WS_URL,
        alternate_urls: Sequence[str] = (),
        alternate_ws_urls: Sequence[str] = (),
        timeout: float | httpx.Timeout = TIMEOUT,
        max_retries: int = 3,
        rate_limit: float | Mapping[str, float | None] | None = PER_SECOND,
        window: int = 5000,
        broker_id: int | None = None,
        broker_key: str | None = None,
        http_client: httpx.Client | None = None,
        proxy: str | None = None,
        trust_env: bool = True,
        verify: bool | ssl.SSLContext = True,
        max_connections: int = 100,
    ) -> None:
        super().__init__(
            credentials, base_url, ws_url, alternate_urls, alternate_ws_urls, timeout, max_retries, rate_limit, window,
            broker_id, broker_key, proxy, trust_env, verify, max_connections,
        )  # fmt: skip
        require_client(http_client, httpx.Client)
        self._resources = {}
        self._http_client = http_client
        self._transport: httpx.BaseTransport | None = None
        self._lock = Lock()

    def send(self, request: Request[T], *, timeout: float | None = None) -> T:
        """Send a request made by `backpack_sdk.operations` and give its typed result."""
        return self._run(self._caller.call(request, timeout))

    def send_raw(self, request: Request[T], *, timeout: float | None = None) -> RawResponse[T]:
        """Send a request and give the reply unread, whatever its status. Raises only when there was none."""
        return self._run(self._caller.raw(request, timeout))

    def paginate(self, method: Callable[P, list[T]], /, *args: P.args, **kwargs: P.kwargs) -> Pager[T]:
        """Every row of an operation that pages: `for fill in bp.paginate(bp.order.get_fills): ...`.

        Takes the method itself, uncalled, and its arguments; `limit` is the page size and `offset` the rows to skip.
        `backpack_sdk.pages` tells what is guaranteed when rows arrive meanwhile. Raises InvalidArgument for a method
        that does not page or belongs to another client.
        """
        from .pages import Pager, page_request

        return Pager(self, *page_request(self, method, args, kwargs))

    def sync_clock(self) -> float:
        """Measure how many seconds the exchange's clock is ahead, and stamp later requests by it."""
        return self._run(self._caller.measure_clock())

    def streams(self, options: StreamOptions | None = None) -> BlockingStreams:
        """A stream connection, for `with`. Any number of streams share it; its work is done on a thread of its own."""
        from .streams.blocking import BlockingStreams

        return BlockingStreams(self._threaded_setup(), stream_options(options))

    def order_books(
        self,
        *symbols: SymbolLike,
        window: Literal["200ms", "600ms", "1000ms"] | None = None,
        snapshot_interval: float | None = None,
        show_stale: bool = False,
        levels: int | None = None,
        options: StreamOptions | None = None,
    ) -> BlockingOrderBooks:
        """The order books of some markets, kept up to date on a connection and a thread of their own, for `with`.

        Args:
            symbols: Markets, in any notation; `add()` and `remove()` change them later.
            window: Take changes collected over 200, 600 or 1000 ms, for less traffic. Otherwise each as it happens.
            snapshot_interval: Compare each book with REST every so many seconds. A difference starts it anew.
            show_stale: Whether to go on giving a book that has been overtaken, instead of withholding it.
            levels: Best levels of each side to copy when a book is given; all when None.
            options: How the connection behaves.
        """
        from .streams.blocking_books import BlockingOrderBooks
        from .streams.client import Streams
        from .streams.order_books import OrderBooks

        setup, chosen = self._threaded_setup(), stream_options(options)
        return BlockingOrderBooks(
            lambda: OrderBooks(
                Streams(setup, chosen), setup.sender, symbols, owns_session=True,
                window=window, snapshot_interval=snapshot_interval, show_stale=show_stale,
            ),
            levels=levels,
        )  # fmt: skip

    def account_state(self, options: StreamOptions | None = None) -> BlockingAccountState:
        """The account's open orders and positions, kept up to date on a connection and a thread of their own.

        For `with`; the changes are what a loop over it gives.
        """
        from .streams.account import AccountState
        from .streams.blocking_account import BlockingAccountState
        from .streams.client import Streams

        setup, chosen = self._threaded_setup(), stream_options(options)
        return BlockingAccountState(lambda: AccountState(Streams(setup, chosen), setup.sender, owns_session=True))

    def _threaded_setup(self) -> StreamSetup:
        from .streams.loop_thread import ThreadSender

        return self._stream_setup(ThreadSender(self), lambda: asyncio.to_thread(self.sync_clock))

    def _run(self, steps: Call[T]) -> T:
        self._require_open()
        outcome: Outcome = None
        try:
            while True:
                step = steps.send(outcome)
                if isinstance(step, Pause):
                    time.sleep(step.seconds)
                    outcome = None
                else:
                    outcome = self._exchange(step)
        except StopIteration as done:
            result: T = done.value
            return result

    def _exchange(self, attempt: Attempt) -> RawResponse[Any] | Broken:
        request = self._to_http(attempt)
        try:
            if self._http_client is not None:
                response = self._http_client.send(request, follow_redirects=False)
                content = response.content
            else:
                response = self._own_transport().handle_request(request)
                try:
                    content = response.read()
                finally:
                    response.close()
        except (httpx.TransportError, httpx.DecodingError, httpx.InvalidURL) as error:
            return broken(error)
        return reply(attempt, response.status_code, response.headers, content)

    def _own_transport(self) -> httpx.BaseTransport:
        transport = self._transport
        if transport is None:
            with self._lock:
                self._require_open()
                transport = self._transport
                if transport is None:
                    transport = self._transport = default_transport(**self._transport_options)
        return transport

    def close(self) -> None:
        """Close every connection. Your own http_client stays open."""
        with self._lock:
            self._closed = True
            transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()
        if self._paper is not None:
            self._paper.close()

    def __enter__(self) -> Self:
        self._require_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncBackpack(ClientBase, AsyncNamespaces):
    """A client for asyncio; the same operations and arguments as `Backpack`, awaited.

    Use it in an `async with` block, or call `aclose()`. It belongs to the event loop of its first request.
    `http_client` is an httpx.AsyncClient here.
    """

    def __init__(
        self,
        credentials: Credentials | None = None,
        *,
        base_url: str = BASE_URL,
        ws_url: str = WS_URL,
        alternate_urls: Sequence[str] = (),
        alternate_ws_urls: Sequence[str] = (),
        timeout: float | httpx.Timeout = TIMEOUT,
        max_retries: int = 3,
        rate_limit: float | Mapping[str, float | None] | None = PER_SECOND,
        window: int = 5000,
        broker_id: int | None = None,
        broker_key: str | None = None,
        http_client: httpx.AsyncClient | None = None,
        proxy: str | None = None,
        trust_env: bool = True,
        verify: bool | ssl.SSLContext = True,
        max_connections: int = 100,
    ) -> None:
        super().__init__(
            credentials, base_url, ws_url, alternate_urls, alternate_ws_urls, timeout, max_retries, rate_limit, window,
            broker_id, broker_key, proxy, trust_env, verify, max_connections,
        )  # fmt: skip
        require_client(http_client, httpx.AsyncClient)
        self._resources = {}
        self._http_client = http_client
        self._transport: httpx.AsyncBaseTransport | None = None

    async def send(self, request: Request[T], *, timeout: float | None = None) -> T:  # noqa: ASYNC109
        """Send a request made by `backpack_sdk.operations` and give its typed result."""
        return await self._run(self._caller.call(request, timeout))

    async def send_raw(self, request: Request[T], *, timeout: float | None = None) -> RawResponse[T]:  # noqa: ASYNC109
        """Send a request and give the reply unread, whatever its status. Raises only when there was none."""
        return await self._run(self._caller.raw(request, timeout))

    def paginate(self, method: Callable[P, Awaitable[list[T]]], /, *args: P.args, **kwargs: P.kwargs) -> AsyncPager[T]:
        """Every row of an operation that pages: `async for fill in bp.paginate(bp.order.get_fills): ...`.

        Takes the method itself, uncalled, and its arguments; `limit` is the page size and `offset` the rows to skip.
        `backpack_sdk.pages` tells what is guaranteed when rows arrive meanwhile. Raises InvalidArgument for a method
        that does not page or belongs to another client.
        """
        from .pages import AsyncPager, page_request

        return AsyncPager(self, *page_request(self, method, args, kwargs))

    async def sync_clock(self) -> float:
        """Measure how many seconds the exchange's clock is ahead, and stamp later requests by it."""
        return await self._run(self._caller.measure_clock())

    def streams(self, options: StreamOptions | None = None) -> Streams:
        """A stream connection, for `async with`. Any number of streams share it; it connects when entered."""
        from .streams.client import Streams

        return Streams(self._stream_setup(self, self.sync_clock), stream_options(options))

    def order_books(
        self,
        *symbols: SymbolLike,
        window: Literal["200ms", "600ms", "1000ms"] | None = None,
        snapshot_interval: float | None = None,
        show_stale: bool = False,
        options: StreamOptions | None = None,
    ) -> OrderBooks:
        """The order books of some markets, kept up to date on a connection of their own, for `async with`.

        Args:
            symbols: Markets, in any notation; `add()` and `remove()` change them later.
            window: Take changes collected over 200, 600 or 1000 ms, for less traffic. Otherwise each as it happens.
            snapshot_interval: Compare each book with REST every so many seconds. A difference starts it anew.
            show_stale: Whether to go on giving a book that has been overtaken, instead of withholding it.
            options: How the connection behaves.
        """
        from .streams.order_books import OrderBooks

        return OrderBooks(
            self.streams(options), self, symbols, owns_session=True,
            window=window, snapshot_interval=snapshot_interval, show_stale=show_stale,
        )  # fmt: skip

    def account_state(self, options: StreamOptions | None = None) -> AccountState:
        """The account's open orders and positions, kept up to date on a connection of their own, for `async with`."""
        from .streams.account import AccountState

        return AccountState(self.streams(options), self, owns_session=True)

    async def _run(self, steps: Call[T]) -> T:
        self._require_open()
        outcome: Outcome = None
        try:
            while True:
                step = steps.send(outcome)
                if isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                    outcome = None
                else:
                    outcome = await self._exchange(step)
        except StopIteration as done:
            result: T = done.value
            return result

    async def _exchange(self, attempt: Attempt) -> RawResponse[Any] | Broken:
        prepared = attempt.prepared
        try:
            if self._http_client is not None:
                response = await self._http_client.send(self._to_http(attempt), follow_redirects=False)
                return reply(attempt, response.status_code, response.headers, response.content)
            status, headers, content = await exchange(
                self._own_transport(),
                prepared.method,
                prepared.url,
                prepared.headers,
                prepared.content,
                self._phases_of(attempt),
            )
        except (httpx.TransportError, httpx.DecodingError, httpx.InvalidURL) as error:
            return broken(error)
        return reply(attempt, status, headers, content)

    def _own_transport(self) -> httpx.AsyncBaseTransport:
        if self._transport is None:
            self._require_open()
            self._transport = default_async_transport(**self._transport_options)
        return self._transport

    async def aclose(self) -> None:
        """Close every connection. Your own http_client stays open."""
        self._closed = True
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()
        if self._paper is not None:
            await asyncio.to_thread(self._paper.close)

    async def __aenter__(self) -> Self:
        self._require_open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

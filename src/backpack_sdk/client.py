"""The two clients. Both only carry out the steps of `_calls`: one waits, one awaits."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import httpx

from ._calls import BASE_URL, WS_URL, Attempt, Broken, Caller, Pause, Settings
from ._core.arguments import integer, secret
from ._core.errors import BackpackError, InvalidArgument
from ._core.request import present
from ._generated.clients import AsyncNamespaces, Namespaces
from ._options import limiter, phases, require_client, require_connections, require_proxy
from ._ratelimit import PER_SECOND
from ._retry import Failure
from ._transport import default_async_transport, default_transport, exchange
from ._wire import RawResponse

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from ._calls import Call, Outcome
    from ._core.request import Request
    from .auth import Credentials
    from .pages import AsyncPager, Pager

T = TypeVar("T")
P = ParamSpec("P")
logger = logging.getLogger("backpack_sdk")

TIMEOUT = 10.0
"""Seconds for each phase of a request: getting a connection, sending, waiting for data."""

_NEVER_SENT = (httpx.ConnectError, httpx.ProxyError, httpx.UnsupportedProtocol)


class _Base:
    """What both clients keep."""

    def __init__(
        self,
        credentials: Credentials | None,
        base_url: str,
        ws_url: str,
        alternate_urls: Sequence[str],
        timeout: float | httpx.Timeout,
        max_retries: int,
        rate_limit: float | Mapping[str, float | None] | None,
        window: int,
        broker_id: int | None,
        broker_key: str | None,
        proxy: str | None,
        trust_env: bool,
        verify: bool | ssl.SSLContext,
        max_connections: int,
    ) -> None:
        if isinstance(alternate_urls, str):
            raise InvalidArgument("alternate_urls", "expected a list of addresses, got one text")
        broker_number = integer(broker_id, "broker_id", 0, 65_535)
        broker = present({"x-broker-id": broker_number, "x-broker-key": secret(broker_key, "broker_key")})
        settings = Settings(credentials, base_url, tuple(alternate_urls), max_retries, window, broker)
        require_proxy(proxy)
        require_connections(max_connections)
        self._caller = Caller(settings, limiter(rate_limit))
        self._timeout = phases(timeout)
        self._transport_options: dict[str, Any] = {
            "proxy": proxy,
            "trust_env": trust_env,
            "verify": verify,
            "max_connections": max_connections,
        }
        self._closed = False
        self.ws_url = ws_url
        """Address of the stream server."""

    @property
    def base_url(self) -> str:
        """Address in use; an alternate one after the first was refused."""
        return self._caller.host

    @property
    def credentials(self) -> Credentials | None:
        """The key that signs private requests."""
        return self._caller.settings.credentials

    @property
    def clock_offset(self) -> float:
        """Seconds by which the exchange's clock is ahead of ours, as last measured; 0 before."""
        return self._caller.state.clock_offset

    @property
    def is_closed(self) -> bool:
        """Whether the client was closed."""
        return self._closed

    def _phases_of(self, attempt: Attempt) -> dict[str, float | None]:
        return self._timeout if attempt.timeout is None else phases(attempt.timeout)

    def _to_http(self, attempt: Attempt) -> httpx.Request:
        prepared = attempt.prepared
        phases = self._phases_of(attempt)
        return httpx.Request(
            prepared.method,
            _url(prepared.url),
            headers=httpx.Headers([(name.encode(), value.encode()) for name, value in prepared.headers]),
            stream=httpx.ByteStream(prepared.content),
            extensions={"timeout": phases},
        )

    def _require_open(self) -> None:
        if self._closed:
            raise BackpackError("this client is closed; make a new one")

    def __repr__(self) -> str:
        key = self.credentials.api_key if self.credentials is not None else None
        state = ", closed" if self._closed else ""
        return f"<{type(self).__name__} {self.base_url}{f' as {key}' if key is not None else ''}{state}>"


class Backpack(_Base, Namespaces):
    """A client that waits for each answer. Safe to share between threads.

    Operations are grouped as the exchange groups them: `bp.markets.get_depth("SOL-USDC")`. Use it in a `with` block,
    or call `close()`.

    Args:
        credentials: Key for private operations; public ones need none.
        base_url: Address of the exchange.
        ws_url: Address of its stream server.
        alternate_urls: Addresses to try, in order, when one refuses your region or can't be reached.
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
            credentials, base_url, ws_url, alternate_urls, timeout, max_retries, rate_limit, window,
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
            return _broken(error)
        return _reply(attempt, response.status_code, response.headers, content)

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

    def __enter__(self) -> Self:
        self._require_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncBackpack(_Base, AsyncNamespaces):
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
            credentials, base_url, ws_url, alternate_urls, timeout, max_retries, rate_limit, window,
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
                return _reply(attempt, response.status_code, response.headers, response.content)
            status, headers, content = await exchange(
                self._own_transport(),
                prepared.method,
                prepared.url,
                prepared.headers,
                prepared.content,
                self._phases_of(attempt),
            )
        except (httpx.TransportError, httpx.DecodingError, httpx.InvalidURL) as error:
            return _broken(error)
        return _reply(attempt, status, headers, content)

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

    async def __aenter__(self) -> Self:
        self._require_open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


@lru_cache(maxsize=256)
def _url(text: str) -> httpx.URL:
    return httpx.URL(text)


def _broken(error: httpx.TransportError | httpx.DecodingError | httpx.InvalidURL) -> Broken:
    if isinstance(error, httpx.ConnectTimeout):
        return Broken(Failure.NEVER_SENT_TIMEOUT, error)
    if isinstance(error, httpx.PoolTimeout):
        return Broken(Failure.CROWDED, error)
    if isinstance(error, (*_NEVER_SENT, httpx.InvalidURL)):
        return Broken(Failure.NEVER_SENT, error)
    return Broken(Failure.TIMED_OUT if isinstance(error, httpx.TimeoutException) else Failure.LOST, error)


def _reply(attempt: Attempt, status: int, headers: Mapping[str, str], content: bytes) -> RawResponse[Any]:
    operation = attempt.request.operation
    logger.debug("%s %s: HTTP %d, %d bytes", operation.method, operation.path, status, len(content))
    return RawResponse(attempt.request, status, headers, content)

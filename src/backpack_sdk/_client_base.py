"""What both clients share: their settings, and the way from a step of `_calls` to an HTTP library and back."""

from __future__ import annotations

import logging
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import httpx

from ._calls import Attempt, Broken, Caller, Settings
from ._core.arguments import integer, secret
from ._core.errors import BackpackError, InvalidArgument
from ._core.request import present
from ._options import limiter, phases, require_connections, require_proxy, stream_urls
from ._retry import Failure
from ._wire import RawResponse

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from typing import Self

    from .auth import Credentials
    from .paper import Flow, PaperExchange, PaperMarket
    from .paper.amounts import Amount
    from .paper.desk import PaperDesk
    from .paper.engine import MarketSpec
    from .streams.options import StreamOptions, StreamSender, StreamSetup

logger = logging.getLogger("backpack_sdk")
_NEVER_SENT = (httpx.ConnectError, httpx.ProxyError, httpx.UnsupportedProtocol)


class ClientBase:
    """What both clients keep."""

    def __init__(
        self,
        credentials: Credentials | None,
        base_url: str,
        ws_url: str,
        alternate_urls: Sequence[str],
        alternate_ws_urls: Sequence[str],
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
        self._stream_urls = stream_urls(ws_url, alternate_ws_urls)
        self._paper: PaperDesk | None = None

    @classmethod
    def paper(
        cls,
        exchange: PaperExchange | None = None,
        *,
        credentials: Credentials | None = None,
        balances: Mapping[str, Amount] | None = None,
        markets: Iterable[PaperMarket | MarketSpec] | None = None,
        seed: int = 0,
        flow: Flow | None = None,
        **options: Any,
    ) -> Self:
        """A client of an embedded exchange in this process, with a funded account. Nothing leaves this machine.

            with Backpack.paper() as bp:
                bp.order.execute_order("SOL-USDC", "Bid", "Limit", price="100", quantity="1")

        Streams and order books work as well. The exchange is `paper_exchange`, it serves from a thread of its own, and
        closing the client stops it.

        Args:
            exchange: An exchange that you made. One that runs already is not stopped by this client, and its account
                for `credentials`, if there is one, is used as it is.
            credentials: Key of the account; a new one when None.
            balances: What the account starts with, per asset, instead of what the exchange gives.
            markets: Markets of the exchange; None for the usual ones.
            seed: Decides the books that the exchange starts with.
            flow: Synthetic makers and takers who keep the books moving.
            options: Further arguments of the client. Unless they say otherwise, there is no rate limit, and the
                environment's proxies are not used.

        Raises:
            ValueError: balances or markets make no sense, or `exchange` comes with what only a new one can have.
        """
        from .auth import Credentials
        from .paper import PaperExchange
        from .paper.desk import PaperDesk

        if exchange is None:
            exchange = PaperExchange(markets=markets, seed=seed, flow=flow)
        elif markets is not None or flow is not None or seed:
            raise ValueError("markets, seed and flow belong to the exchange: give them to PaperExchange(...)")
        credentials = Credentials.generate() if credentials is None else credentials
        desk = PaperDesk(exchange, credentials, balances)
        make: Any = cls
        try:
            urls = {"base_url": exchange.base_url, "ws_url": exchange.ws_url}
            # Plain HTTP needs no certificates, and loading them takes longer than making the exchange.
            usual = {"rate_limit": None, "trust_env": False, "verify": False}
            client: Self = make(credentials, **{**usual, **urls, **options})
        except BaseException:
            desk.close()
            raise
        client._paper = desk
        return client

    @property
    def paper_exchange(self) -> PaperExchange:
        """The embedded exchange of a client that was made with `paper()`. Raises BackpackError for any other."""
        if self._paper is None:
            raise BackpackError(f"this client has no exchange of its own: make it with {type(self).__name__}.paper()")
        return self._paper.exchange

    @property
    def base_url(self) -> str:
        """Address in use; an alternate one after the first was refused."""
        return self._caller.host

    @property
    def ws_url(self) -> str:
        """Address of the stream server."""
        return self._stream_urls[0]

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
            url(prepared.url),
            headers=httpx.Headers([(name.encode(), value.encode()) for name, value in prepared.headers]),
            stream=httpx.ByteStream(prepared.content),
            extensions={"timeout": phases},
        )

    def _stream_setup(self, sender: StreamSender, sync_clock: Callable[[], Awaitable[object]]) -> StreamSetup:
        from .streams.options import StreamSetup

        self._require_open()
        options = self._transport_options
        return StreamSetup(
            sender=sender,
            urls=self._stream_urls,
            credentials=self.credentials,
            clock=lambda: time.time() + self.clock_offset,
            sync_clock=sync_clock,
            window=self._caller.settings.window,
            proxy=options["proxy"],
            trust_env=options["trust_env"],
            verify=options["verify"],
        )

    def _require_open(self) -> None:
        if self._closed:
            raise BackpackError("this client is closed; make a new one")

    def __repr__(self) -> str:
        key = self.credentials.api_key if self.credentials is not None else None
        state = ", closed" if self._closed else ""
        return f"<{type(self).__name__} {self.base_url}{f' as {key}' if key is not None else ''}{state}>"


@lru_cache(maxsize=256)
def url(text: str) -> httpx.URL:
    """An address, parsed once."""
    return httpx.URL(text)


def broken(error: httpx.TransportError | httpx.DecodingError | httpx.InvalidURL) -> Broken:
    """What an error of the HTTP library says about the attempt."""
    if isinstance(error, httpx.ConnectTimeout):
        return Broken(Failure.NEVER_SENT_TIMEOUT, error)
    if isinstance(error, httpx.PoolTimeout):
        return Broken(Failure.CROWDED, error)
    if isinstance(error, (*_NEVER_SENT, httpx.InvalidURL)):
        return Broken(Failure.NEVER_SENT, error)
    return Broken(Failure.TIMED_OUT if isinstance(error, httpx.TimeoutException) else Failure.LOST, error)


def reply(attempt: Attempt, status: int, headers: Mapping[str, str], content: bytes) -> RawResponse[Any]:
    """The reply as steps of a call take it."""
    operation = attempt.request.operation
    logger.debug("%s %s: HTTP %d, %d bytes", operation.method, operation.path, status, len(content))
    return RawResponse(attempt.request, status, headers, content)


def stream_options(given: StreamOptions | None) -> StreamOptions:
    """The options of a stream connection, the usual ones when none are given."""
    from .streams.options import StreamOptions

    if given is not None and not isinstance(given, StreamOptions):
        raise InvalidArgument("options", f"expected StreamOptions, got {type(given).__name__}")
    return StreamOptions() if given is None else given

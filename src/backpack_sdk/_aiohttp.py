"""An httpx transport over aiohttp. What it promises is told in `backpack_sdk._transport`."""

from __future__ import annotations

import asyncio
import select
import ssl
import sys
import weakref
from functools import lru_cache
from typing import TYPE_CHECKING

import aiohttp
import httpx
import yarl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

__all__ = ["AiohttpTransport"]

# httpx has already decided on every header; aiohttp adds none of its own.
_SKIPPED_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Sends httpx requests through one aiohttp session.

    Replies come back fully read. Of httpx's four timeouts, `connect` covers name lookup, TCP, proxy and TLS together;
    `write` has no counterpart in aiohttp: a stalled upload ends in `httpx.ReadTimeout`.
    """

    def __init__(
        self, *, context: ssl.SSLContext, proxy: str | None, max_connections: int, keepalive_expiry: float
    ) -> None:
        self._context = context
        self._proxy = None if proxy is None else yarl.URL(proxy)
        self._keepalive_expiry = keepalive_expiry
        self._slots = asyncio.Semaphore(max_connections)
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            body = request.content
        except httpx.RequestNotRead:
            body = await request.aread()
        headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in request.headers.raw
            if name.lower() != b"transfer-encoding"
        ]
        timeout: dict[str, float | None] = request.extensions.get("timeout", {})
        try:
            status, raw, content = await self.exchange(request.method, str(request.url), headers, body, timeout)
        except httpx.TransportError as exc:
            exc.request = request
            raise
        return httpx.Response(status, headers=list(raw.items()), content=content, request=request)

    async def exchange(
        self,
        method: str,
        url: str,
        headers: list[tuple[str, str]],
        body: bytes,
        timeout: Mapping[str, float | None],  # noqa: ASYNC109 - httpx's four phases
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send bytes and give status, headers and body, without httpx's request and response objects in between.

        They cost a tenth of a round trip. `url` is absolute and percent-encoded.
        """
        session = self._open_session()
        await self._take_slot(timeout.get("pool"))
        try:
            async with session.request(
                method,
                _parsed(url),
                # The body is sent whole, under the Content-Length that aiohttp works out.
                headers=headers,
                data=body or None,
                timeout=_client_timeout(timeout.get("connect"), timeout.get("read")),
                proxy=self._proxy,
                allow_redirects=False,
            ) as reply:
                return reply.status, reply.headers, await reply.read()
        except aiohttp.ClientError as exc:
            raise _after_sending(exc) from exc
        finally:
            self._slots.release()

    async def aclose(self) -> None:
        self._closed = True
        if self._session is not None:
            await self._session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self._closed:
            raise RuntimeError("the client is closed; make a new one")
        if self._session is None:
            self._loop = loop
            self._session = aiohttp.ClientSession(
                connector=_Connector(limit=0, keepalive_timeout=self._keepalive_expiry, ssl=self._context),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=_SKIPPED_HEADERS,
                middlewares=(_send_once,),
            )
        elif self._loop is not loop:
            raise RuntimeError("the client was first used in another event loop; make one client for each loop")
        return self._session

    async def _take_slot(self, seconds: float | None) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
        try:
            async with asyncio.timeout(seconds):
                await self._slots.acquire()
        except TimeoutError as exc:
            raise httpx.PoolTimeout(f"all connections stayed in use for {seconds} s") from exc


class _Connector(aiohttp.TCPConnector):
    """Hands out live connections only. Whatever fails in here, the request itself has not been sent."""

    def __init__(self, *, limit: int, keepalive_timeout: float, ssl: ssl.SSLContext) -> None:
        # One optional argument that aiohttp declares is partly untyped.
        super().__init__(limit=limit, keepalive_timeout=keepalive_timeout, ssl=ssl)  # pyright: ignore[reportUnknownMemberType]
        self._used: weakref.WeakSet[ResponseHandler] = weakref.WeakSet()

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's signature
    ) -> Connection:
        try:
            while True:
                connection = await super().connect(req, traces, timeout)
                if self._is_new(connection) or not _is_readable(connection.transport):
                    return connection
                # The server hung up, and the loop has not polled since, so aiohttp does not know yet.
                connection.close()
        except TimeoutError as exc:
            raise httpx.ConnectTimeout(f"no connection to {req.url.origin()} within {timeout.connect} s") from exc
        except aiohttp.ClientHttpProxyError as exc:
            raise httpx.ProxyError(f"the proxy refused the tunnel: {exc.status} {exc.message}") from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise httpx.ConnectError(str(exc) or type(exc).__name__) from exc

    def _is_new(self, connection: Connection) -> bool:
        """Whether this connection is handed out for the first time (TLS session tickets may still be unread)."""
        protocol = connection.protocol
        if protocol is None or protocol in self._used:
            return False
        self._used.add(protocol)
        return True


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Turn a lost connection into httpx's error at once.

    aiohttp answers its own errors of this kind by sending GET, PUT and DELETE a second time, with the old signature.
    """
    try:
        return await handler(request)
    except aiohttp.ClientError as exc:
        raise _after_sending(exc) from exc


def _after_sending(exc: aiohttp.ClientError) -> httpx.TransportError:
    """The httpx error for a failure that leaves the outcome unknown."""
    message = str(exc) or type(exc).__name__
    if isinstance(exc, aiohttp.NonHttpUrlClientError | aiohttp.InvalidURL):
        return httpx.UnsupportedProtocol(message)
    if isinstance(exc, aiohttp.ServerTimeoutError):
        return httpx.ReadTimeout(message)
    if isinstance(exc, aiohttp.ClientConnectionResetError):
        return httpx.WriteError(message)
    if isinstance(exc, aiohttp.ClientOSError):
        return httpx.ReadError(message)
    return httpx.RemoteProtocolError(message)


@lru_cache(maxsize=256)
def _parsed(url: str) -> yarl.URL:
    return yarl.URL(url, encoded=True)


@lru_cache(maxsize=32)
def _client_timeout(connect: float | None, read: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, connect=connect, sock_read=read)


def _is_readable(transport: asyncio.BaseTransport | None) -> bool:
    """Whether something waits on an idle connection: a hang-up, or bytes nobody asked for."""
    sock = None if transport is None else transport.get_extra_info("socket")
    if sock is None or sock.fileno() < 0:
        return True
    if sys.platform == "win32":
        return bool(select.select([sock.fileno()], [], [], 0)[0])
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return bool(poll.poll(0))

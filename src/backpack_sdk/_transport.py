"""The HTTP transports used when the caller brings no client of their own.

Both are plain httpx transports. Blocking calls go through httpx's own transport; asynchronous calls go through
aiohttp (`backpack_sdk._aiohttp`), which is several times faster there. What both promise:

- A request is put on the wire at most once. Neither resends anything by itself, whatever the method.
- `httpx.ConnectError`, `httpx.ConnectTimeout`, `httpx.PoolTimeout` and `httpx.ProxyError` mean that no byte of the
  request left this machine. After every other `httpx.TransportError` the outcome is unknown.
- A kept connection that the server has closed meanwhile is noticed before anything is written to it, and replaced.
- A reply whose body is cut short raises `httpx.RemoteProtocolError`.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Generic, TypeVar
from urllib.request import getproxies, proxy_bypass

import httpx

from ._core.errors import InvalidArgument

__all__ = ["KEEPALIVE_EXPIRY", "default_async_transport", "default_transport", "exchange"]

KEEPALIVE_EXPIRY = 50.0
"""Seconds an idle connection is kept. Common load balancers hang up after 60; a new TLS connection costs three round
trips, so httpx's own 5 seconds would make most orders of a slow strategy pay for one."""

_Origin = tuple[str, str, int | None]
_T = TypeVar("_T")


def default_transport(
    *,
    proxy: str | None = None,
    trust_env: bool = True,
    verify: bool | ssl.SSLContext = True,
    max_connections: int = 100,
) -> httpx.BaseTransport:
    """Make the transport for blocking calls.

    `proxy` is a URL (`http`, `https`, or `socks5` with the extra `socks` installed) and may hold credentials.
    Without it, and with `trust_env`, the environment decides: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`,
    read once, here. `trust_env` also makes `SSL_CERT_FILE` and `SSL_CERT_DIR` count. `verify` is a TLS context to
    use, or False to accept any certificate. `max_connections` bounds the connections open at once, for each proxy
    and for direct ones; a request beyond it waits at most for the `pool` timeout.
    """
    context = tls_context(verify, trust_env=trust_env)
    limits = _limits(max_connections)

    def make(proxy_url: str | None) -> httpx.BaseTransport:
        with _socks_named():
            return httpx.HTTPTransport(verify=context, trust_env=trust_env, limits=limits, proxy=proxy_url)

    proxies = _environment_proxies() if trust_env and proxy is None else {}
    return _RoutedTransport(_Routes(proxies, make)) if proxies else make(proxy)


def default_async_transport(
    *,
    proxy: str | None = None,
    trust_env: bool = True,
    verify: bool | ssl.SSLContext = True,
    max_connections: int = 100,
) -> httpx.AsyncBaseTransport:
    """Make the transport for asynchronous calls; arguments as for `default_transport`.

    It belongs to the asyncio event loop of its first request. aiohttp knows no SOCKS, so a SOCKS proxy is served by
    httpx's own transport.
    """
    context = tls_context(verify, trust_env=trust_env)
    limits = _limits(max_connections)

    def make(proxy_url: str | None) -> httpx.AsyncBaseTransport:
        if proxy_url is not None and proxy_url.lower().startswith("socks"):
            with _socks_named():
                return httpx.AsyncHTTPTransport(verify=context, trust_env=trust_env, limits=limits, proxy=proxy_url)
        from ._aiohttp import AiohttpTransport

        return AiohttpTransport(
            context=context, proxy=proxy_url, max_connections=max_connections, keepalive_expiry=KEEPALIVE_EXPIRY
        )

    proxies = _environment_proxies() if trust_env and proxy is None else {}
    return _AsyncRoutedTransport(_Routes(proxies, make)) if proxies else make(proxy)


@contextmanager
def _socks_named() -> Generator[None]:
    """Say what to install when a SOCKS proxy needs it."""
    try:
        yield
    except ImportError:
        raise InvalidArgument("proxy", "a SOCKS proxy needs more: pip install 'backpack-sdk[socks]'") from None


async def exchange(
    transport: httpx.AsyncBaseTransport,
    method: str,
    url: str,
    headers: list[tuple[str, str]],
    body: bytes,
    timeout: Mapping[str, float | None],  # noqa: ASYNC109 - httpx's four phases
) -> tuple[int, Mapping[str, str], bytes]:
    """Send bytes through a transport; the ones made here need no httpx objects for that."""
    direct = getattr(transport, "exchange", None)
    if direct is not None:
        status, received, content = await direct(method, url, headers, body, timeout)
        if "content-encoding" in received:
            encoding = received["content-encoding"].encode("ascii", "ignore")
            content = httpx.Response(status, headers=[(b"content-encoding", encoding)], content=content).content
        return status, received, content
    request = httpx.Request(
        method, url, headers=headers, stream=httpx.ByteStream(body), extensions={"timeout": dict(timeout)}
    )
    response = await transport.handle_async_request(request)
    try:
        return response.status_code, response.headers, await response.aread()
    finally:
        await response.aclose()


def tls_context(verify: bool | ssl.SSLContext, *, trust_env: bool) -> ssl.SSLContext:
    """The TLS context that `verify` stands for."""
    return verify if isinstance(verify, ssl.SSLContext) else httpx.create_ssl_context(verify, trust_env=trust_env)


def _limits(max_connections: int) -> httpx.Limits:
    return httpx.Limits(
        max_connections=max_connections,
        max_keepalive_connections=max_connections,
        keepalive_expiry=KEEPALIVE_EXPIRY,
    )


def _environment_proxies() -> dict[str, str]:
    """Proxy URLs by scheme (`http`, `https`, `all`), from the environment or, where there is one, the system."""
    found = {scheme: url for scheme, url in getproxies().items() if scheme in ("http", "https", "all") and url}
    return {scheme: url if "://" in url else f"http://{url}" for scheme, url in found.items()}


class _Routes(Generic[_T]):
    """The transport for each origin: one direct, and one for every proxy in use, made when first needed."""

    def __init__(self, proxies: dict[str, str], make: Callable[[str | None], _T]) -> None:
        self._proxies = proxies
        self._make = make
        self._by_origin: dict[_Origin, _T] = {}
        self._by_proxy: dict[str | None, _T] = {}
        self._lock = threading.Lock()

    def find(self, url: httpx.URL) -> _T:
        origin = (url.scheme, url.host, url.port)
        transport = self._by_origin.get(origin)
        return self._open(origin) if transport is None else transport

    def all(self) -> list[_T]:
        return list(self._by_proxy.values())

    def _open(self, origin: _Origin) -> _T:
        scheme, host, port = origin
        proxy = self._proxies.get(scheme, self._proxies.get("all"))
        if proxy is not None and proxy_bypass(host if port is None else f"{host}:{port}"):
            proxy = None
        with self._lock:
            if proxy not in self._by_proxy:
                self._by_proxy[proxy] = self._make(proxy)
            transport = self._by_origin[origin] = self._by_proxy[proxy]
        return transport


class _RoutedTransport(httpx.BaseTransport):
    def __init__(self, routes: _Routes[httpx.BaseTransport]) -> None:
        self._routes = routes

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._routes.find(request.url).handle_request(request)

    def close(self) -> None:
        for transport in self._routes.all():
            transport.close()


class _AsyncRoutedTransport(httpx.AsyncBaseTransport):
    def __init__(self, routes: _Routes[httpx.AsyncBaseTransport]) -> None:
        self._routes = routes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._routes.find(request.url).handle_async_request(request)

    async def exchange(
        self,
        method: str,
        url: str,
        headers: list[tuple[str, str]],
        body: bytes,
        timeout: Mapping[str, float | None],  # noqa: ASYNC109 - httpx's four phases
    ) -> tuple[int, Mapping[str, str], bytes]:
        """As the transport that the address is routed to does it."""
        return await exchange(self._routes.find(httpx.URL(url)), method, url, headers, body, timeout)

    async def aclose(self) -> None:
        for transport in self._routes.all():
            await transport.aclose()

"""What a caller may choose for the HTTP side of a client, checked before anything is sent. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx

from ._core.errors import InvalidArgument
from ._ratelimit import PER_SECOND, RateLimiter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_TIMEOUT = 86_400.0
"""Seconds; sockets take no more than some years, and a longer wait is surely a mistake."""
_STREAM_ADDRESS = re.compile(r"wss?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:/[!-~]*)?", re.IGNORECASE)
_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


def phases(timeout: float | httpx.Timeout) -> dict[str, float | None]:
    """Seconds for each phase of a request, as httpx names them."""
    if isinstance(timeout, httpx.Timeout):
        chosen: dict[str, float | None] = timeout.as_dict()
    else:
        if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
            raise InvalidArgument("timeout", f"expected seconds or an httpx.Timeout, got {timeout!r}")
        chosen = dict.fromkeys(("connect", "read", "write", "pool"), float(timeout))
    for seconds in chosen.values():
        if seconds is not None and not 0 < seconds <= LONGEST_TIMEOUT:
            raise InvalidArgument("timeout", f"{seconds} seconds is not above 0 and up to {LONGEST_TIMEOUT:.0f}")
    return chosen


def require_client(given: object, kind: type[httpx.Client | httpx.AsyncClient]) -> None:
    """Refuse a client of the other kind: its answer would be lost, but the request would have been sent."""
    if given is not None and not isinstance(given, kind):
        raise InvalidArgument("http_client", f"expected an httpx.{kind.__name__}, got {type(given).__name__}")


def require_proxy(proxy: str | None) -> None:
    """Refuse what is no address of a proxy. The message never quotes it: it may hold a password."""
    known = ", ".join(f"{scheme}://" for scheme in _PROXY_SCHEMES)
    if proxy is not None and not (isinstance(proxy, str) and proxy.partition("://")[0].lower() in _PROXY_SCHEMES):
        raise InvalidArgument("proxy", f"expected an address that begins with one of {known}")


def require_connections(number: int) -> None:
    """Refuse a number of connections below 1."""
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise InvalidArgument("max_connections", f"expected a whole number of 1 or more, got {number!r}")


def stream_urls(ws_url: str, alternates: Sequence[str]) -> tuple[str, ...]:
    """Every address of the stream server, the preferred one first."""
    if isinstance(alternates, str):
        raise InvalidArgument("alternate_ws_urls", "expected a list of addresses, got one text")
    for name, url in (("ws_url", ws_url), *(("alternate_ws_urls", url) for url in alternates)):
        if not isinstance(url, str) or not _STREAM_ADDRESS.fullmatch(url):
            shown = "" if "@" in str(url) else f", got {url!r}"  # a password may stand before an @
            raise InvalidArgument(name, f"expected an address such as wss://ws.backpack.exchange{shown}")
    return (ws_url, *alternates)


def limiter(rate_limit: float | Mapping[str, float | None] | None) -> RateLimiter:
    """The rate limiter that a `rate_limit` stands for."""
    if rate_limit is None or isinstance(rate_limit, (int, float)):
        return RateLimiter(rate_limit)
    return RateLimiter(PER_SECOND, rate_limit)

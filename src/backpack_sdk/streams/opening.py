"""Opens a socket, and says what it means when that fails."""

from __future__ import annotations

import logging
import ssl
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidProxy, InvalidStatus, InvalidURI

from .._core.errors import (
    BackpackError,
    ConnectionFailed,
    InvalidArgument,
    RateLimited,
    RegionRestricted,
    RequestTimeout,
    ServerError,
)
from .._refusals import retry_after
from .._transport import tls_context
from .._version import __version__
from .socket import LARGEST_FRAME, SocketConnection

if TYPE_CHECKING:
    from .options import StreamOptions, StreamSetup

# At DEBUG the library writes down every frame, signatures of subscriptions included.
_QUIET = logging.getLogger("backpack_sdk.websocket")
_QUIET.setLevel(logging.WARNING)
_REGION_STATUSES = (403, 451)
CLOSE_TIMEOUT = 1.0
"""Seconds to wait for the server to confirm a close."""


async def open_socket(url: str, setup: StreamSetup, options: StreamOptions) -> SocketConnection:
    """Connect and shake hands.

    Raises RegionRestricted, RateLimited, ServerError, ConnectionFailed, RequestTimeout or InvalidArgument.
    """
    extra: dict[str, Any] = {}
    if url.lower().startswith("wss://"):
        extra["ssl"] = _context(setup)
    try:
        connection = await connect(
            url,
            create_connection=SocketConnection,
            compression="deflate" if options.compression else None,
            proxy=setup.proxy if setup.proxy is not None else True if setup.trust_env else None,
            user_agent_header=f"backpack-sdk-python/{__version__}",
            open_timeout=options.open_timeout,
            ping_interval=None,
            close_timeout=CLOSE_TIMEOUT,
            max_size=LARGEST_FRAME,
            logger=_QUIET,
            **extra,
        )
    except InvalidStatus as error:
        raise _refused(url, error) from None
    except InvalidURI as error:
        if error.uri == url:
            raise InvalidArgument("ws_url", str(error)) from None
        raise ConnectionFailed(f"{url} points to {error.uri}, which is no stream server") from None
    except InvalidProxy:
        raise InvalidArgument("proxy", "the proxy's address, given or from the environment, can't be used") from None
    except ImportError:
        raise InvalidArgument("proxy", "a SOCKS proxy needs more: pip install 'backpack-sdk[socks]'") from None
    except TimeoutError:
        raise RequestTimeout(f"{url}: no connection within {options.open_timeout:g} seconds") from None
    except (OSError, InvalidHandshake, EOFError) as error:
        raise ConnectionFailed(f"{url}: {type(error).__name__}: {error}") from None
    assert isinstance(connection, SocketConnection)
    return connection


def _context(setup: StreamSetup) -> ssl.SSLContext:
    return tls_context(setup.verify, trust_env=setup.trust_env)


def _refused(url: str, error: InvalidStatus) -> BackpackError:
    response = error.response
    status, content = response.status_code, bytes(response.body or b"")
    headers = {name.lower(): value for name, value in response.headers.raw_items()}
    if status in _REGION_STATUSES:
        return RegionRestricted(
            f"{url} refuses connections from here (HTTP {status}); alternate_ws_urls names other hosts to try",
            status=status, headers=headers, content=content,
        )  # fmt: skip
    if status == 429:
        return RateLimited(
            f"{url}: too many connections (HTTP 429)",
            retry_after=retry_after(headers), status=status, headers=headers, content=content,
        )  # fmt: skip
    if status >= 500:
        return ServerError(f"{url} answered HTTP {status}", status=status, headers=headers, content=content)
    return ConnectionFailed(f"{url} answered HTTP {status} instead of opening a stream")

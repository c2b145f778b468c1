"""What the tests of streams stand on: a client of a scripted server, and nothing left behind afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any

from backpack_sdk import AsyncBackpack, Credentials
from backpack_sdk.streams.client import Streams
from backpack_sdk.streams.options import StreamOptions
from backpack_sdk.streams.status import ConnectionState, StateChange
from tests.loopback import CREDENTIALS
from tests.streams.stream_server import StreamServer, until

QUICK: dict[str, Any] = {"first_delay": 0.01, "longest_delay": 0.02, "poll_interval": 0.01}
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Reading a thousand certificates for every client would be most of these tests' time."""


def options(**changes: Any) -> StreamOptions:
    """Options of a connection that does not wait."""
    return StreamOptions(**{**QUICK, **changes})


@contextlib.asynccontextmanager
async def client_of(server: StreamServer, **settings: Any) -> AsyncIterator[AsyncBackpack]:
    """A client of a server, with the check key."""
    credentials: Credentials | None = settings.pop("credentials", CREDENTIALS)
    given = {
        "verify": NO_TLS,
        "base_url": server.base_url,
        "ws_url": server.ws_url,
        "rate_limit": None,
        "max_retries": 0,
        **settings,
    }
    async with AsyncBackpack(credentials, **given) as bp:
        yield bp


@contextlib.asynccontextmanager
async def streaming(
    server: StreamServer, *, client: dict[str, Any] | None = None, **changes: Any
) -> AsyncIterator[Streams]:
    """A stream connection to a server, and proof that it leaves nothing behind."""
    before = asyncio.all_tasks()
    async with client_of(server, **(client or {})) as bp:
        async with bp.streams(options(**changes)) as ws:
            yield ws
        assert left_over(before) == set()
    gc.collect()


def left_over(before: set[asyncio.Task[Any]]) -> set[str]:
    """Names of tasks of the SDK that still run."""
    return {task.get_name() for task in asyncio.all_tasks() - before if "backpack_sdk" in repr(task.get_coro())}


async def take(stream: Any, count: int, seconds: float = 10.0) -> list[Any]:
    """The next events of a stream."""
    async with asyncio.timeout(seconds):
        return [await anext(stream) for _ in range(count)]


def watch(ws: Streams) -> list[StateChange]:
    """The changes of a connection's state from now on."""
    seen: list[StateChange] = []
    ws.on_state_change(seen.append)
    return seen


async def live(ws: Streams) -> None:
    await until(lambda: ws.state is ConnectionState.LIVE)


async def all_of(stream: Any) -> list[Any]:
    return [event async for event in stream]


def closed_port() -> str:
    """Address of a stream server where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"ws://127.0.0.1:{listener.getsockname()[1]}"

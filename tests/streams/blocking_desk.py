"""What the tests of blocking streams stand on: a scripted server in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

from backpack_sdk import Backpack
from tests.loopback import CREDENTIALS
from tests.streams.desk import NO_TLS, options
from tests.streams.stream_server import StreamServer

T = TypeVar("T")


class ServerThread:
    """A StreamServer that serves from a thread, and what a test in another one does with it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, server: StreamServer) -> None:
        self._loop, self.server = loop, server

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def send(self, *events: dict[str, Any], stream: str = "") -> None:
        """Let the first socket carry events; without a stream, each one its own kind and market."""

        async def work() -> None:
            peer = await self.server.peer()
            for event in events:
                peer.send(stream or f"{event['e']}.{event['s']}", event)

        self.run(work())


@contextlib.contextmanager
def serving(*symbols: str) -> Iterator[ServerThread]:
    """A server that is gone afterwards."""
    started = threading.Event()
    made: list[ServerThread] = []
    ends: list[asyncio.Event] = []

    async def serve() -> None:
        async with StreamServer(*symbols) as server:
            ends.append(asyncio.Event())
            made.append(ServerThread(asyncio.get_running_loop(), server))
            started.set()
            await ends[0].wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="stream-server", daemon=True)
    thread.start()
    assert started.wait(20)
    try:
        yield made[0]
    finally:
        made[0]._loop.call_soon_threadsafe(ends[0].set)
        thread.join(20)


def client_of(server: StreamServer, **settings: Any) -> Backpack:
    """A client of a server, with the check key."""
    urls = {"base_url": server.base_url, "ws_url": server.ws_url}
    return Backpack(CREDENTIALS, **{"verify": NO_TLS, "rate_limit": None, "max_retries": 0, **urls, **settings})


def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something is so; fail when it never is."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.001)


def threads() -> list[str]:
    """Names of threads of the SDK's streams."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("backpack-")]


def ticker(number: int, symbol: str = "SOL_USDC") -> dict[str, Any]:
    """A best bid and ask as the stream sends them."""
    time_us = 1_700_000_000_000_000 + number
    sides = {"b": "1", "B": "1", "a": "2", "A": "1"}
    return {"e": "bookTicker", "E": time_us, "T": time_us, "s": symbol, "u": number, **sides}


QUICK = options()

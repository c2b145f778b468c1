"""An event loop in a thread of its own, for clients that block."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .._core.errors import BackpackError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from .._core.request import Request
    from .._wire import RawResponse

T = TypeVar("T")


class RawSender(Protocol):
    """A client that blocks."""

    def send(self, request: Request[T], *, timeout: float | None = None) -> T:
        """Send a request and give its typed result."""
        ...

    def send_raw(self, request: Request[T], *, timeout: float | None = None) -> RawResponse[T]:
        """Send a request and give the reply unread."""
        ...


class LoopThread:
    """Runs coroutines and functions on its loop, and waits for what they give."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread and wait until its loop runs."""
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), name=self._name, daemon=True)
        self._thread.start()
        started.wait()

    async def _serve(self, started: threading.Event) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        started.set()
        await self._stopped.wait()

    def run(self, work: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run a coroutine to its end. When waiting is interrupted or takes too long, the coroutine is cancelled."""
        loop = self._loop
        if loop is None or loop.is_closed():
            work.close()
            raise BackpackError("the stream connection is not open: use `with bp.streams() as ws`")
        if threading.current_thread() is self._thread:
            work.close()
            raise BackpackError("a callback must not wait for its own connection: read from another thread")
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return future.result(timeout)
        except BaseException:
            future.cancel()
            raise

    def call(self, function: Callable[[], T]) -> T:
        """Call a function on the loop's thread."""

        async def work() -> T:
            return function()

        return self.run(work())

    def stop(self) -> None:
        """End the loop and wait for the thread."""
        loop, stopped, thread = self._loop, self._stopped, self._thread
        self._loop = self._stopped = self._thread = None
        if loop is not None and stopped is not None and thread is not None:
            loop.call_soon_threadsafe(stopped.set)
            thread.join()


class OnThread(ABC):
    """Something async that is used once, in a `with` block, and lives on a thread of its own meanwhile."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._thread = LoopThread(f"backpack-{what.replace(' ', '-')}")
        self._entered = self._is_open = False

    @abstractmethod
    async def _open(self) -> None:
        """Make it and open it, on the loop."""

    @abstractmethod
    async def _aclose(self) -> None:
        """Close it, on the loop."""

    def close(self) -> None:
        """Close the connection and end the thread. A second time does nothing."""
        if self._is_open:
            self._is_open = False
            try:
                self._thread.run(self._aclose())
            finally:
                self._thread.stop()

    def __enter__(self) -> Self:
        if self._entered:
            raise BackpackError(f"these {self._what} were used already; make new ones")
        self._entered = True
        self._thread.start()
        try:
            self._thread.run(self._open())
        except BaseException:
            self._thread.stop()
            raise
        self._is_open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ThreadSender:
    """Lets coroutines send requests through a client that blocks, in threads beside the loop's."""

    def __init__(self, client: RawSender) -> None:
        self._client = client

    async def send(self, request: Request[T], *, timeout: float | None = None) -> T:  # noqa: ASYNC109 - seconds for httpx
        """Send a request and give its typed result."""
        return await asyncio.to_thread(self._client.send, request, timeout=timeout)

    async def send_raw(
        self,
        request: Request[T],
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - seconds for httpx
    ) -> RawResponse[T]:
        """Send a request and give the reply unread."""
        return await asyncio.to_thread(self._client.send_raw, request, timeout=timeout)

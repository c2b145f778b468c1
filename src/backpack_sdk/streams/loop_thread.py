"""An event loop in a thread of its own, for clients that block."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .._core.errors import BackpackError
from .daemon_threads import DaemonThreads
from .handover import Handover

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from .._core.request import Request
    from .._wire import RawResponse
    from .queue import EventQueue

T = TypeVar("T")


class RawSender(Protocol):
    """A client that blocks."""

    def send(self, request: Request[T], *, timeout: float | None = None) -> T:
        """Send a request and give its typed result."""
        ...

    def send_raw(self, request: Request[T], *, timeout: float | None = None) -> RawResponse[T]:
        """Send a request and give the reply unread."""
        ...


class NotRunning(BackpackError):
    """The thread has not been started, or has ended."""


class LoopThread:
    """Runs coroutines and functions on its loop, and waits for what they give."""

    def __init__(self, name: str, not_running: str) -> None:
        self._name, self._not_running = name, not_running
        self._lock = threading.RLock()  # what is sent to the loop under it comes before the order to end
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._over = False
        self._queues: weakref.WeakSet[Handover[Any]] = weakref.WeakSet()
        self._waiting: set[SimpleQueue[Any]] = set()
        self._process = 0

    def start(self) -> None:
        """Start the thread and wait until its loop runs. Raises BackpackError when that fails."""
        started = threading.Event()
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._main, args=(started,), name=self._name, daemon=True)
        self._thread.start()
        started.wait()
        if self._loop is None:
            raise BackpackError("an event loop in a thread of its own could not be started")

    def _main(self, started: threading.Event) -> None:
        try:
            with asyncio.Runner() as runner:
                with suppress(SystemExit):  # of a callback, which `listen` has told of
                    runner.run(self._serve(started))
                with self._lock:
                    self._loop, self._over = None, True
                with suppress(SystemExit):  # let what was sent before begin, so that it is cancelled with the rest
                    runner.get_loop().run_until_complete(asyncio.sleep(0))
        finally:
            with self._lock:
                self._loop, self._over = None, True
                queues, waiting = tuple(self._queues), tuple(self._waiting)
            for queue in queues:  # whoever still waits there would do so for ever
                queue.abandon()
            for outcome in waiting:
                outcome.put(None)
            started.set()

    async def _serve(self, started: threading.Event) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(DaemonThreads(f"{self._name}-calls"))
        stopped = asyncio.Event()
        with self._lock:
            if self._over:
                return
            self._loop, self._stopped = loop, stopped
        started.set()
        await stopped.wait()

    def run(self, work: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run a coroutine to its end. When waiting is interrupted or takes too long, the coroutine is cancelled.

        Raises NotRunning when the thread has ended or ends meanwhile, and TimeoutError after `timeout` seconds.
        """
        # Neither a future nor a condition: an interrupt in the midst of one can leave its lock held for ever.
        outcome: SimpleQueue[asyncio.Task[T] | None] = SimpleQueue()
        task: asyncio.Task[T] | None = None
        given_up = False

        def begin() -> None:
            nonlocal task
            if not given_up:
                task = asyncio.get_running_loop().create_task(work)
                task.add_done_callback(outcome.put)

        def give_up() -> None:
            if task is not None:
                task.cancel()

        try:
            self.require_elsewhere()
            with self._lock:
                self._waiting.add(outcome)
                self._send(begin)
            done = outcome.get(timeout=None if timeout is None else min(timeout, threading.TIMEOUT_MAX))
        except BaseException as problem:
            given_up = True
            self.post(give_up)
            if task is None:
                work.close()
            if isinstance(problem, Empty):
                raise TimeoutError(f"{self._name}: not done within {timeout} seconds") from None
            raise
        finally:
            self._waiting.discard(outcome)
        if task is None:
            work.close()  # the loop ended before it could begin
        if done is None or done.cancelled():
            raise NotRunning(self._not_running)
        return done.result()

    def call(self, function: Callable[[], T]) -> T:
        """Call a function on the loop's thread."""

        async def work() -> T:
            return function()

        return self.run(work())

    def read(self, function: Callable[[], T]) -> T:
        """The same for what may be called from callbacks as well, since nothing has to be waited for there."""
        return function() if self._is_here() else self.call(function)

    def post(self, function: Callable[[], object]) -> None:
        """Have a function called on the loop's thread, and don't wait for it. Does nothing after the end."""
        with self._lock, suppress(NotRunning):
            self._send(function)

    def hand_over(self, queue: EventQueue[T]) -> Handover[T]:
        """Let other threads take from a queue that is filled on the loop."""
        handover = Handover(queue, self)
        with self._lock:
            self._queues.add(handover)
        return handover

    def require_elsewhere(self) -> None:
        """Raise when this is the loop's thread, which must not wait for itself."""
        if self._is_here():
            raise BackpackError("a callback must not wait for its own connection: read from another thread")

    def stop(self) -> None:
        """End the loop and wait for the thread."""
        with self._lock:
            self._over = True
            if self._stopped is not None:
                self.post(self._stopped.set)
            self._loop = None
        if self._thread is not None and self._process == os.getpid():
            with suppress(RuntimeError):  # an interrupt came before it was started
                self._thread.join()

    def _send(self, function: Callable[[], object]) -> None:
        if self._loop is None or self._process != os.getpid():  # a forked process has no such thread
            raise NotRunning(self._not_running)
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:
            raise NotRunning(self._not_running) from None

    def _is_here(self) -> bool:
        return threading.current_thread() is self._thread


class OnThread(ABC):
    """Something async that is used once, in a `with` block, and lives on a thread meanwhile: its own, or a given one.

    `what` names it, and `not_open` is what is said of its use before and after.
    """

    def __init__(self, what: str, not_open: str, thread: LoopThread | None = None) -> None:
        self._what, self._not_open = what, not_open
        self._owns_thread = thread is None
        self._thread = LoopThread(f"backpack-{what.replace(' ', '-')}", self._not_open) if thread is None else thread
        self._entered = self._is_open = self._is_closed = False
        self._state_lock = threading.Lock()

    @abstractmethod
    async def _open(self) -> None:
        """Make it and open it, on the loop."""

    @abstractmethod
    async def _aclose(self) -> None:
        """Close it, on the loop; also when it was opened in part, or not at all."""

    def close(self) -> None:
        """Close it and end its thread. A second time does nothing."""
        self._thread.require_elsewhere()
        with self._state_lock:
            was_open, self._is_open = self._is_open, False
            self._is_closed = self._entered
        if was_open:
            self._leave()

    def _leave(self) -> None:
        try:
            with suppress(NotRunning):  # then everything has ended already
                self._thread.run(self._aclose())
        finally:
            if self._owns_thread:
                self._thread.stop()

    def __enter__(self) -> Self:
        self._thread.require_elsewhere()
        with self._state_lock:
            if self._entered:
                raise BackpackError(f"{self._what}: used already; make a new object for each `with` block")
            self._entered = True
        try:
            if self._owns_thread:
                self._thread.start()
            self._thread.run(self._open())
            with self._state_lock:
                if self._is_closed:
                    raise BackpackError(self._not_open)
                self._is_open = True
        except BaseException:
            self._leave()
            raise
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

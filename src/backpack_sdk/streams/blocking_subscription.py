"""One consumer's view of one or more streams, for plain loops and from any thread."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

from .._core.errors import BackpackError
from .loop_thread import LoopThread, NotRunning

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from .subscription import Source, Subscription

T = TypeVar("T")


class Listening:
    """A callback that gets the events of a subscription, until `cancel()`, an error, or the end."""

    def __init__(self, thread: LoopThread, task: asyncio.Task[None]) -> None:
        self._thread, self._task = thread, task
        self._outcome: Future[None] = Future()
        task.add_done_callback(self._ended)

    def cancel(self) -> None:
        """Call back no more, and end the subscription. Any thread may do so, the callback itself as well.

        `wait()` returns when it has happened.
        """
        self._thread.post(self._task.cancel)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the callback gets no more events. Raises what it raised, or TimeoutError after `timeout` seconds.

        The error of a stream that was refused is raised as well.
        """
        if not self._outcome.done():
            self._thread.require_elsewhere()
        self._outcome.result(timeout)

    @property
    def done(self) -> bool:
        """Whether the callback gets no more events."""
        return self._outcome.done()

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is None:
            self._outcome.set_result(None)
        else:
            self._outcome.set_exception(error)

    def __repr__(self) -> str:
        return f"<Listening{', done' if self.done else ''}>"


class BlockingSubscription(Generic[T]):
    """Events of one or more streams, for a plain `for` loop. When several threads share it, each event goes to one."""

    def __init__(self, thread: LoopThread, subscription: Subscription[T]) -> None:
        self._thread, self._subscription = thread, subscription
        entry = subscription._entry
        self._queue = entry.queue = thread.hand_over(entry.queue)
        entry.push = self._queue.push
        self._listening = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the streams, as the exchange spells them."""
        return self._subscription.names

    @property
    def source(self) -> Source:
        """Whether events come from the socket or from REST at the moment."""
        return self._subscription.source

    @property
    def waiting(self) -> int:
        """Events that wait to be taken."""
        return self._subscription.waiting

    @property
    def dropped(self) -> int:
        """Events lost, or replaced by newer ones, because they were not taken in time."""
        return self._subscription.dropped

    def ready(self, timeout: float | None = None) -> Self:
        """Wait until the server has read the subscription. Raises what it was refused with, or TimeoutError."""
        self._thread.run(self._subscription.ready(timeout))
        return self

    def get(self, timeout: float | None = None) -> T:
        """The next event; one that waits is given at once.

        Raises TimeoutError when none comes for `timeout` seconds, and BackpackError after the end.
        """
        self._require_own()
        try:
            return self._queue.take(timeout)
        except StopIteration:
            raise BackpackError("the subscription has ended") from None

    def listen(self, callback: Callable[[T], Awaitable[object] | object]) -> Listening:
        """Call `callback` with every event, on the connection's own thread: it must be quick and must not wait.

        It may be a coroutine function. Its error ends the subscription, and is raised by `wait()` of what this gives
        and by `wait_closed()` of the connection.
        """

        def begin() -> Listening:
            self._require_own()
            self._listening = True
            self._queue.own()
            return Listening(self._thread, self._subscription.listen(callback))

        return self._thread.call(begin)

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        self._require_own()
        return self._queue.take(None)

    def _require_own(self) -> None:
        if self._listening:
            raise BackpackError("a callback gets the events of this subscription: make another one")

    def close(self) -> None:
        """End it. Iterating stops once what waits is taken."""
        with suppress(NotRunning):  # then it has ended with its connection
            self._thread.run(self._subscription.aclose())

    def __enter__(self) -> Self:
        try:
            return self.ready()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Blocking{repr(self._subscription).removeprefix('<')}"

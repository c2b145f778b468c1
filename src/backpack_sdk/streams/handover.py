"""What waits for a consumer in another thread."""

from __future__ import annotations

import threading
import time
from typing import Protocol, TypeVar

from .._core.errors import BackpackError
from .queue import EventQueue, SlowConsumer

T = TypeVar("T")


class Elsewhere(Protocol):
    """The thread of an event loop."""

    def require_elsewhere(self) -> None:
        """Raise when this is that thread, which must not wait for itself."""
        ...


class Handover(EventQueue[T]):
    """A queue that other threads take from by themselves, without a turn of the event loop.

    Nothing is taken before it is asked for. So the policy and `max_queue` hold as they do for async code.
    """

    def __init__(self, queue: EventQueue[T], thread: Elsewhere) -> None:
        vars(self).update(vars(queue))  # it takes the place of that one
        self._thread = thread
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._asleep = 0

    def push(self, item: T) -> None:
        """Let an event wait."""
        with self._lock:
            super().push(item)
            if self._asleep:
                self._changed.notify()

    def end(self) -> None:
        """Nothing more will come."""
        super().end()
        self.abandon()

    def fail(self, error: BackpackError) -> None:
        """Let the consumer have an error once it has taken what waits."""
        with self._lock:
            super().fail(error)
            self._changed.notify()

    def abandon(self) -> None:
        """The same as `end`, when the event loop is gone."""
        with self._lock:
            self._ended = True
            self._changed.notify_all()

    def take(self, timeout: float | None) -> T:
        """The next event, for any thread but the event loop's.

        Raises errors in their turn, StopIteration once all is taken after the end, and TimeoutError when nothing has
        come for `timeout` seconds.
        """
        until = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            while True:
                if self._items:
                    return self._items.popleft()
                if self._latest:
                    return self._latest.pop(next(iter(self._latest)))
                if self._lost:
                    lost, self._lost = self._lost, 0
                    raise SlowConsumer(self._what, lost, self._max)
                if self._errors:
                    raise self._errors.popleft()
                if self._ended:
                    raise StopIteration
                self._sleep(until, timeout)

    def _sleep(self, until: float | None, timeout: float | None) -> None:
        self._thread.require_elsewhere()
        left = None if until is None else min(until - time.monotonic(), threading.TIMEOUT_MAX)
        if left is not None and left <= 0:
            raise TimeoutError(f"{self._what}: nothing came within {timeout:g} seconds")
        self._asleep += 1
        try:
            self._changed.wait(left)
        finally:
            self._asleep -= 1

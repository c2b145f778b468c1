"""What waits for a consumer in another thread."""

from __future__ import annotations

import threading
import time
from queue import Empty, SimpleQueue
from typing import Protocol, TypeVar

from .._core.errors import BackpackError
from .queue import EventQueue

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
        self._sleepers: set[SimpleQueue[None]] = set()
        self._owned = False

    def push(self, item: T) -> None:
        """Let an event wait."""
        with self._lock:
            super().push(item)
            if self._sleepers:
                self._wake_all()

    def end(self) -> None:
        """Nothing more will come."""
        super().end()
        self.abandon()

    def fail(self, error: BackpackError) -> None:
        """Let the consumer have an error once it has taken what waits."""
        with self._lock:
            super().fail(error)
            self._wake_all()

    def abandon(self) -> None:
        """The same as `end`, when the event loop is gone."""
        with self._lock:
            self._ended = True
            self._wake_all()

    def own(self) -> None:
        """From now on a callback gets every event, and nobody else."""
        with self._lock:
            self._owned = True
            self._wake_all()

    def take(self, timeout: float | None) -> T:
        """The next event, for any thread but the event loop's.

        Raises errors in their turn, StopIteration once all is taken after the end, and TimeoutError when nothing has
        come for `timeout` seconds.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            with self._lock:
                if self._owned:
                    raise BackpackError("a callback gets the events of this subscription: make another one")
                item = self._next()
                if item is not None:
                    return item
                if self._ended:
                    raise StopIteration
                awake: SimpleQueue[None] = SimpleQueue()
                self._sleepers.add(awake)
            try:
                self._sleep(awake, until, timeout)
            finally:
                self._sleepers.discard(awake)

    def _sleep(self, awake: SimpleQueue[None], until: float | None, timeout: float | None) -> None:
        self._thread.require_elsewhere()
        left = None if until is None else min(until - time.monotonic(), threading.TIMEOUT_MAX)
        try:
            awake.get(timeout=None if left is None else max(left, 0.0))
        except Empty:
            if until is not None and time.monotonic() >= until:
                raise TimeoutError(f"{self._what}: nothing came within {timeout:g} seconds") from None

    def _wake_all(self) -> None:
        # Not a condition: an interrupt in the midst of waiting for one can leave it unusable, or take a wake-up along.
        for awake in tuple(self._sleepers):
            awake.put(None)

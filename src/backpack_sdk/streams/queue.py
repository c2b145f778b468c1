"""What waits between the socket and one consumer: bounded, with a stated policy for when the consumer is slow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable
from enum import StrEnum
from typing import Generic, Literal, TypeAlias, TypeVar

from .._core.errors import BackpackError

T = TypeVar("T")
_TURN = 64
"""Events after which a consumer that never waits lets others have the event loop."""


class Overflow(StrEnum):
    """What happens when a consumer is slower than its stream. The socket is read on in any case."""

    DROP_OLDEST = "drop_oldest"
    """The oldest waiting event makes room; `dropped` counts."""
    CONFLATE = "conflate"
    """Only the latest event of each market waits, always. Those it replaces are counted as `dropped`."""
    RAISE = "raise"
    """The consumer gets SlowConsumer after the events that waited; `dropped` counts those that came meanwhile."""


OverflowLike: TypeAlias = "Overflow | Literal['drop_oldest', 'conflate', 'raise']"


class SlowConsumer(BackpackError):
    """Events were lost because they were not taken in time. Iterating goes on with the next ones.

    `dropped` is how many were lost since the last such error.
    """

    def __init__(self, what: str, dropped: int, max_queue: int) -> None:
        super().__init__(
            f"{what}: {dropped} events were lost because {max_queue} were waiting already; take them faster, raise"
            " max_queue, or choose overflow='conflate' or 'drop_oldest'"
        )
        self.what, self.dropped, self.max_queue = what, dropped, max_queue

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.what, self.dropped, self.max_queue)


class EventQueue(Generic[T]):
    """Events for one consumer. Everything happens on the event loop's thread."""

    def __init__(
        self, what: str, max_queue: int, overflow: Overflow, key: Callable[[T], Hashable], on_drop: Callable[[], None]
    ) -> None:
        self._what, self._max, self._overflow, self._key, self._on_drop = what, max_queue, overflow, key, on_drop
        self._items: deque[T] = deque()
        self._latest: dict[Hashable, T] = {}
        self._errors: deque[BackpackError] = deque()
        self._lost = 0
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None
        self._taken = 0
        self.dropped = 0
        """Events lost or replaced so far."""

    def __len__(self) -> int:
        return len(self._items) + len(self._latest)

    def push(self, item: T) -> None:
        """Let an event wait."""
        if self._overflow is Overflow.CONFLATE:
            key = self._key(item)
            if key in self._latest:
                self._drop()
            self._latest[key] = item
        elif len(self._items) < self._max and not self._lost:
            self._items.append(item)
        elif self._overflow is Overflow.DROP_OLDEST:
            self._items.popleft()
            self._items.append(item)
            self._drop()
        else:
            self._lost += 1
            self._drop()
        self._wake()

    def fail(self, error: BackpackError) -> None:
        """Let the consumer have an error once it has taken what waits."""
        self._errors.append(error)
        self._wake()

    def end(self) -> None:
        """Nothing more will come."""
        self._ended = True
        self._wake()

    async def get(self) -> T:
        """The next event. Raises errors in their turn, and StopAsyncIteration once all is taken after the end."""
        self._taken += 1
        if self._taken % _TURN == 0:
            await asyncio.sleep(0)
        while True:
            item = self._next()
            if item is not None:
                return item
            if self._ended:
                raise StopAsyncIteration
            await self._wait()

    def _next(self) -> T | None:
        """What is to be given next, None when nothing waits. Raises errors in their turn."""
        if self._items:
            return self._items.popleft()
        if self._latest:
            return self._latest.pop(next(iter(self._latest)))
        if self._lost:
            lost, self._lost = self._lost, 0
            raise SlowConsumer(self._what, lost, self._max)
        if self._errors:
            raise self._errors.popleft()
        return None

    async def _wait(self) -> None:
        if self._waiter is not None:
            raise RuntimeError(f"{self._what}: two tasks wait for the same subscription; give each one its own")
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _drop(self) -> None:
        self.dropped += 1
        self._on_drop()

"""One consumer's loop over books that change, and what is raised where there is none."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._core.errors import BackpackError
from .forgetting import WhenForgotten

if TYPE_CHECKING:
    from typing import Self

    from .book import OrderBook
    from .sync_events import SyncState

logger = logging.getLogger("backpack_sdk")
_TURN = 64
"""Books after which a consumer that never waits lets others have the event loop."""


class BookUnavailable(BackpackError, LookupError):
    """The book of a market is not right at the moment. `state` says why; `wait_live` waits until it is."""

    def __init__(self, symbol: str, state: SyncState) -> None:
        super().__init__(f"{symbol} has no book at the moment: it is {state.value}; wait_live() waits for it")
        self.symbol, self.state = symbol, state

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.symbol, self.state)


class Changes:
    """What has changed since a consumer last looked. It does not know the consumer, so that one can be forgotten."""

    __slots__ = ("asleep", "dirty", "ended", "errors", "waiter")

    def __init__(self) -> None:
        self.dirty: dict[str, None] = {}
        self.errors: deque[Exception] = deque()
        self.ended = False
        self.waiter: asyncio.Future[None] | None = None
        self.asleep = False
        """Whether the waiter has to be woken."""

    def changed(self, symbol: str) -> None:
        """Note that a book has changed."""
        self.dirty[symbol] = None
        if self.asleep:
            self.wake()

    def fail(self, error: Exception) -> None:
        """Let the consumer have an error."""
        self.errors.append(error)
        self.wake()

    def end(self) -> None:
        """There will be no more changes."""
        self.ended = True
        self.wake()

    def wake(self) -> None:
        """Let the consumer look."""
        self.asleep = False
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)


class Audience:
    """All who hear of the books' changes."""

    __slots__ = ("callbacks", "consumers")

    def __init__(self) -> None:
        self.consumers: list[Changes] = []
        self.callbacks: list[Callable[[OrderBook], object]] = []

    def tell(self, symbol: str, book: OrderBook | None) -> None:
        """A book has changed, or can't be had any more."""
        for changes in self.consumers:
            changes.changed(symbol)
        if self.callbacks:
            self.call(book)

    def call(self, book: OrderBook | None) -> None:
        """Call back with a book."""
        if book is None:
            return
        for callback in self.callbacks:
            try:
                callback(book)
            except Exception as error:
                logger.exception("a callback of the order books raised")
                self.fail(error)

    def fail(self, error: Exception) -> None:
        """Let every loop raise an error."""
        for changes in self.consumers:
            changes.fail(error)

    def end(self) -> None:
        """End every loop."""
        for changes in self.consumers:
            changes.end()


class BookUpdates:
    """Gives each book that has changed since it was last given, the longest waiting one first."""

    def __init__(
        self, changes: Changes, get: Callable[[str], OrderBook | None], forget: Callable[[Changes], None]
    ) -> None:
        self._changes, self._get = changes, get
        self._forgotten = WhenForgotten(self, forget, changes)
        self._taken = 0

    def close(self) -> None:
        """Leave the loop for good."""
        self._changes.end()
        self._forgotten.now()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> OrderBook:
        changes = self._changes
        self._taken += 1
        if self._taken % _TURN == 0:
            await asyncio.sleep(0)
        while True:
            if changes.errors:
                raise changes.errors.popleft()
            while changes.dirty:
                symbol = next(iter(changes.dirty))
                del changes.dirty[symbol]
                book = self._get(symbol)
                if book is not None:
                    return book
            if changes.ended:
                raise StopAsyncIteration
            if changes.waiter is not None:
                raise RuntimeError("two tasks wait in the same loop over order books; updates() gives each its own")
            changes.waiter = asyncio.get_running_loop().create_future()
            changes.asleep = True
            try:
                await changes.waiter
            finally:
                changes.waiter, changes.asleep = None, False

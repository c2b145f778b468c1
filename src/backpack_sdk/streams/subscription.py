"""One consumer's view of one or more streams of a kind."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from .._core.errors import BackpackError
from .forgetting import WhenForgotten
from .queue import EventQueue

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from .._core.channel import Channel

T = TypeVar("T")


class Source(StrEnum):
    """Where events come from at the moment."""

    SOCKET = "socket"
    REST = "rest"
    """Polled, because the socket keeps failing or is not wanted. Coarser: what happened between two polls is lost."""
    NONE = "none"
    """Neither; a connection is being made."""


class Entry(Generic[T]):
    """What the session keeps of a subscription. It does not know the Subscription, so that one can be forgotten."""

    def __init__(self, queue: EventQueue[T], names: tuple[str, ...], channel: Channel | None) -> None:
        self.queue, self.names, self.channel = queue, names, channel
        self.push = queue.push
        self.unconfirmed = set(names)
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the server has read every subscription, or when REST serves them."""

    def confirm(self, names: frozenset[str]) -> None:
        """Note which subscriptions the server has read."""
        self.unconfirmed -= names
        if not self.unconfirmed and not self.ready.done():
            self.ready.set_result(None)

    def fail(self, error: Any, *, final: bool) -> None:
        """Let the consumer have an error, and with `final` nothing after it."""
        self.queue.fail(error)
        if final:
            self.queue.end()
        self._give_up(error)

    def end(self, reason: BackpackError) -> None:
        """Let iterating stop once what waits is taken. Whoever waits to be ready gets the reason."""
        self.queue.end()
        self._give_up(reason)

    def _give_up(self, error: Any) -> None:
        if not self.ready.done():
            self.ready.set_exception(error)
            self.ready.exception()  # nobody has to wait for it


class Session(Protocol):
    """What a subscription needs of the connection it belongs to."""

    def source_of(self, entry: Entry[Any]) -> Source: ...
    def release(self, entry: Entry[Any]) -> None: ...
    def spawn_listener(self, work: Awaitable[None]) -> asyncio.Task[None]: ...


class Subscription(Generic[T]):
    """Events of one or more streams: iterate over it with `async for`, or pass a callback to `listen`.

    It begins when it is made. What comes before you iterate waits, as far as the queue reaches. Leaving a loop does not
    end it; `aclose()`, `async with`, or letting go of the object does.
    """

    def __init__(self, session: Session, entry: Entry[T]) -> None:
        self._session, self._entry = session, entry
        self._forgotten = WhenForgotten(self, session.release, entry)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the streams, as the exchange spells them."""
        return self._entry.names

    @property
    def source(self) -> Source:
        """Whether events come from the socket or from REST at the moment."""
        return self._session.source_of(self._entry)

    @property
    def waiting(self) -> int:
        """Events that wait to be taken."""
        return len(self._entry.queue)

    @property
    def dropped(self) -> int:
        """Events lost, or replaced by newer ones, because they were not taken in time."""
        return self._entry.queue.dropped

    async def ready(self, timeout: float | None = None) -> Self:  # noqa: ASYNC109 - reads better than a context manager
        """Wait until the server has read the subscription: events of whatever happens from now on will come.

        Raises StreamError or another BackpackError when it was refused, TimeoutError after `timeout` seconds.
        """
        async with asyncio.timeout(timeout):
            await asyncio.shield(self._entry.ready)
        return self

    def listen(self, callback: Callable[[T], Awaitable[object] | object]) -> asyncio.Task[None]:
        """Call `callback`, which may be a coroutine function, with every event, one after the other.

        Gives the task that does it; cancelling it ends the subscription. When the callback or the stream raises, the
        task ends with that error, and `wait_closed()` of the connection raises it too.
        """
        return self._session.spawn_listener(_feed(self, callback))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        return await self._entry.queue.get()

    async def aclose(self) -> None:
        """End it. Iterating stops once what waits is taken."""
        self._forgotten.now()
        self._entry.end(BackpackError("the subscription was closed"))

    async def __aenter__(self) -> Self:
        try:
            return await self.ready()
        except BaseException:
            await self.aclose()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        shown = ", ".join(self.names[:3]) + (f" and {len(self.names) - 3} more" if len(self.names) > 3 else "")
        return f"<Subscription {shown}: {self.waiting} waiting, {self.dropped} dropped>"


async def _feed(subscription: Subscription[T], callback: Callable[[T], Awaitable[object] | object]) -> None:
    try:
        async for event in subscription:
            outcome = callback(event)
            if inspect.isawaitable(outcome):
                await outcome
    finally:
        await subscription.aclose()

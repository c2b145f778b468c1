"""Streams of one connection: who gets which events, what happens when the connection comes and goes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from .._core.errors import BackpackError, InvalidArgument
from .._core.events import StreamEvent, UnknownEvent
from .._generated.streams.channels import channel_of
from .connection import Connection
from .dispatch import Dispatcher
from .fallback import Fallback
from .followers import Follower
from .names import is_private
from .options import Mode
from .polling import poll_of
from .queue import EventQueue, Overflow, OverflowLike
from .silence import SilenceWatch
from .status import ConnectionState, StateChange
from .subscription import Entry, Source, Subscription
from .symbols import SymbolCheck

if TYPE_CHECKING:
    from .._core.channel import Channel
    from .._core.event_decoder import EventDecoder
    from .options import StreamOptions, StreamSetup
    from .routes import Pushes

T = TypeVar("T", bound=StreamEvent)
logger = logging.getLogger("backpack_sdk")
_LOOK_EVERY = 1.0
"""Seconds between two looks for streams that are silent."""
_CALLS_WITHIN = 1.0
"""Seconds that closing leaves to callbacks under way."""


class StreamSession(Dispatcher):
    """The working half of `Streams`: everything but the methods that name the streams."""

    def __init__(self, setup: StreamSetup, options: StreamOptions, decoder: EventDecoder) -> None:
        super().__init__(setup, options, decoder)
        self._listeners: set[asyncio.Task[None]] = set()
        self._symbols = SymbolCheck(setup.sender)
        self._silence = SilenceWatch(options.silence_factor)
        self._ended = False

    # Life

    async def open(self) -> None:
        """Begin to connect."""
        if self._connection is not None or self._ended:
            raise BackpackError("this stream connection was used already; make a new one with streams()")
        self._over = asyncio.get_running_loop().create_future()
        self._fallback = Fallback(
            self._setup.sender, self._options, self._routes, self.counters, self._setup.clock, self._note_polled
        )
        self._connection = Connection(self._setup, self._options, self, self.counters)
        self._connection.start()
        self._spawn(self._watch_silence())

    async def aclose(self) -> None:
        """Close the socket, end every subscription, and leave nothing running."""
        self._ended = True
        running: list[asyncio.Task[Any]] = []
        try:
            if self._connection is not None:
                await self._connection.aclose()
            if self._fallback is not None:
                await self._fallback.stop()
        finally:
            running += self._end_all()
        await asyncio.gather(*running, return_exceptions=True)
        calls = self._calls.difference((asyncio.current_task(),))
        if calls:
            await asyncio.wait(calls, timeout=_CALLS_WITHIN)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    def _end_all(self) -> list[asyncio.Task[Any]]:
        """End every subscription and every task; gives the tasks, which may need a moment."""
        closed = BackpackError("the stream connection was closed")
        for entry in tuple(self._entries):
            entry.end(closed)
        for follower, theirs in self._followers.of(self._routes.names()):
            follower.on_refused(theirs, closed)
        current = asyncio.current_task()
        running = [task for task in (*self._tasks, *self._listeners) if task is not current]
        for task in running:
            task.cancel()
        if self._over is not None and not self._over.done():
            self._over.set_result(None)
        return running

    async def wait_closed(self) -> None:
        """Wait until the connection is closed. Raises what ended it, or the error of a callback given to `listen`."""
        if self._over is None:
            raise BackpackError("the stream connection was not opened: use `async with`")
        await asyncio.shield(self._over)

    def source_of(self, entry: Entry[Any]) -> Source:
        """Where a subscription's events come from at the moment."""
        if self.state is ConnectionState.LIVE:
            return Source.SOCKET
        polled = self.state is ConnectionState.POLLING and self._polled(entry)
        return Source.REST if polled else Source.NONE

    @property
    def url(self) -> str:
        """Address in use; an alternate one after the first was refused."""
        return self._setup.urls[0] if self._connection is None else self._connection.url

    @property
    def latency(self) -> float | None:
        """Seconds that the last ping took to be answered; None before the first."""
        return None if self._connection is None else self._connection.latency

    def on_state_change(self, callback: Callable[[StateChange], object]) -> None:
        """Call `callback`, which may be a coroutine function, whenever the state changes. It must not block."""
        self._callbacks.append(callback)

    def on_unknown(self, callback: Callable[[UnknownEvent], object]) -> None:
        """Call `callback`, which may be a coroutine function, with every event that fits no class.

        Subscriptions to streams by name (`raw`) get these events too, others don't.
        """
        self._unknown_callbacks.append(callback)

    # Subscriptions

    def subscribe(
        self, channel: Channel | None, names: Mapping[str, str | None], *, check: bool,
        max_queue: int | None, overflow: OverflowLike | None, key: Callable[[T], Hashable], typed: bool,
    ) -> Subscription[T]:  # fmt: skip
        """Begin to receive streams of one kind, names with their symbols, which are markets when `check` says so."""
        wanted = tuple(names)
        connection = self._require_open()
        private = any(map(is_private, wanted))
        self._require_possible(private)
        self._require_polling(names, channel)
        policy = _policy(overflow, channel, private)
        size = self._options.max_queue if max_queue is None else max_queue
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise InvalidArgument("max_queue", f"expected a whole number of 1 or more, got {size!r}")
        queue: EventQueue[T] = EventQueue(", ".join(wanted[:3]), size, policy, key, self._note_drop)
        entry: Entry[T] = Entry(queue, wanted, channel)
        self._entries[entry] = None
        symbols = tuple(dict.fromkeys(symbol for symbol in names.values() if symbol is not None)) if check else ()
        self._spawn(self._begin(entry, names, symbols, connection, typed))
        return Subscription(self, entry)

    async def _begin(
        self, entry: Entry[Any], names: Mapping[str, str | None], symbols: tuple[str, ...], connection: Connection,
        typed: bool,
    ) -> None:  # fmt: skip
        if symbols and self._options.check_symbols:
            try:
                await self._symbols.require(symbols)
            except BackpackError as error:
                self._entries.pop(entry, None)
                entry.fail(error, final=True)
                return
        if entry not in self._entries:
            return
        self._routes.add(names, entry.channel, entry.push, typed=typed)
        entry.confirm(self._known(names, connection))
        self._ask_for_refused(names)
        for route in filter(None, map(self._routes.get, names)):
            for position in route.positions.values():  # which the exchange told when the stream was new
                entry.push(position)
        connection.update()

    async def follow(
        self, follower: Follower, channel: Channel, names: Mapping[str, str | None], to: Pushes, *, bare: bool = False
    ) -> None:
        """Send events of streams, names with their markets, there, and tell of the connection's fate.

        With `bare`, events may come without their frame, which is faster: `wire` then has the known fields only.
        Raises StreamError for a market that does not exist.
        """
        self._require_open()
        self._require_possible(any(map(is_private, names)))
        symbols = [symbol for symbol in names.values() if symbol is not None]
        if symbols and self._options.check_symbols:
            await self._symbols.require(symbols)
        connection = self._require_open()  # which may have changed meanwhile
        sent = frozenset(name for name in names if connection.has_sent(name)).difference(self._refused)
        known = self._known(names, connection)
        self._routes.add(names, channel, to, bare=bare)
        self._followers.add(follower, names)
        if sent:
            follower.on_sent(sent)
            follower.on_confirmed(known)
        self._ask_for_refused(names)
        connection.update()

    def _known(self, names: Iterable[str], connection: Connection) -> frozenset[str]:
        """Those streams that the server has subscribed us to, as far as is known."""
        doubtful = self._unconfirmed.keys() | self._refused
        return frozenset(name for name in names if connection.has_sent(name) and name not in doubtful)

    def _ask_for_refused(self, names: Iterable[str]) -> None:
        """Ask again for streams that were refused before, when somebody new wants them."""
        again = self._refused.intersection(names)
        if again:
            self.resubscribe(again)

    def unfollow(self, follower: Follower, names: Iterable[str], to: Pushes) -> None:
        """Stop that. With an own place for each stream, all places given are left, even of streams still followed."""
        gone = tuple(names)
        self._followers.remove(follower, gone)
        self._routes.remove(gone if callable(to) else tuple(to), to)
        self._update()

    def spawn_listener(self, work: Awaitable[None]) -> asyncio.Task[None]:
        """Run a callback's loop; its error ends `wait_closed`."""
        task = asyncio.ensure_future(work)
        self._listeners.add(task)
        task.add_done_callback(self._listener_done)
        return task

    def _listener_done(self, task: asyncio.Task[None]) -> None:
        self._listeners.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a callback given to listen() is called no more: %s", error, exc_info=error)
            self._finish(error)

    async def _watch_silence(self) -> None:
        """Subscribe again to streams that can't be silent and are; when that does not help, connect again."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            if self.state is not ConnectionState.LIVE or self._connection is None:
                self._silence.reset()
                continue
            names, again = self._silence.look(self._routes, asyncio.get_running_loop().time())
            if names:
                self.counters.silent += len(names)
                what = "connecting" if again else "subscribing"
                logger.warning("%s again, for these streams are silent: %s", what, ", ".join(sorted(names)))
                if again:
                    self._connection.abort()
                else:
                    self._connection.resubscribe(names)

    def _require_open(self) -> Connection:
        if self._connection is None or self._ended:
            raise BackpackError("the stream connection is not open: use `async with bp.streams() as ws`")
        if self._given_up is not None:
            raise self._given_up
        return self._connection

    def _require_possible(self, private: bool) -> None:
        if private and self._setup.credentials is None:
            raise InvalidArgument("credentials", "private streams need them: make the client with Credentials(...)")
        if private and self._options.mode is Mode.REST:
            raise InvalidArgument("mode", "private streams exist on the socket only; use mode 'auto' or 'socket'")

    def _require_polling(self, names: Mapping[str, str | None], channel: Channel | None) -> None:
        if self._options.mode is not Mode.REST:
            return
        for name, symbol in names.items():
            kind = channel_of(name) if channel is None else channel
            if kind is None or symbol is None or poll_of(kind.name, symbol) is None:
                problem = f"REST has nothing that stands in for {name}; use mode 'auto' or 'socket'"
                raise InvalidArgument("mode", problem)


def _policy(overflow: OverflowLike | None, channel: Channel | None, private: bool) -> Overflow:
    """The policy of a queue. Losing an order update silently would be worse than an error."""
    if overflow is None:
        return Overflow.RAISE if private else Overflow.DROP_OLDEST
    try:
        policy = Overflow(overflow)
    except ValueError:
        known = ", ".join(repr(one.value) for one in Overflow)
        raise InvalidArgument("overflow", f"expected one of {known}, got {overflow!r}") from None
    if policy is Overflow.CONFLATE and channel is not None and channel.name == "depth":
        raise InvalidArgument("overflow", "depth updates build on one another; use order_books() for the latest book")
    return policy

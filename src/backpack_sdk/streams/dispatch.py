"""Who gets what the connection brings: events, confirmations, refusals, and word of the connection's fate."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .._core.errors import BackpackError, InvalidFrame, StreamError
from .._core.events import FRAME, UNREADABLE, ErrorFrame, StreamEvent, UnknownEvent, attach
from .connection import Connection
from .fallback import Fallback
from .followers import Followers
from .names import Frame, is_private
from .refusals import blame, suspects
from .routes import Route, Routes
from .status import ConnectionState, StateChange, StreamCounters
from .subscription import Entry

if TYPE_CHECKING:
    from .._core.event_decoder import EventDecoder
    from .options import StreamOptions, StreamSetup

logger = logging.getLogger("backpack_sdk")
_LAG_EVERY = 16
"""Frames between two looks at the clock."""


class Dispatcher:
    """Stands between a connection and those who read from it. Everything happens on the event loop's thread."""

    def __init__(self, setup: StreamSetup, options: StreamOptions, decoder: EventDecoder) -> None:
        self._setup, self._options, self._decoder = setup, options, decoder
        self.counters = StreamCounters()
        """What was seen so far; live, it goes on counting."""
        self._decode = decoder.usual()
        self._routes = Routes(self._expect)
        self._entries: dict[Entry[Any], None] = {}
        self._followers = Followers()
        self._unconfirmed: dict[str, Frame] = {}
        self._refused: set[str] = set()
        """Streams refused on this connection that somebody still follows: they count as asked for, and are not had."""
        self._not_yet: set[str] = set()
        """Streams that must not be asked for until the clock is set right."""
        self._resynced = False
        self._callbacks: list[Callable[[StateChange], object]] = []
        self._unknown_callbacks: list[Callable[[UnknownEvent], object]] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._calls: set[asyncio.Future[Any]] = set()
        """Callbacks of the user's that are under way."""
        self._connection: Connection | None = None
        self._fallback: Fallback | None = None
        self._over: asyncio.Future[None] | None = None
        self._given_up: BackpackError | None = None

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands."""
        return ConnectionState.CONNECTING if self._connection is None else self._connection.state

    # What the connection says

    def wanted(self) -> Iterable[str]:
        """Streams to be subscribed to."""
        return [name for name in self._routes.names() if name not in self._not_yet]

    def on_frames(self, payloads: Sequence[bytes], size: int) -> None:
        """Frames came together, so many bytes of them. This is the hot path: tens of thousands per second."""
        decode, find = self._decode, self._routes.get
        latest: StreamEvent | None = None
        for payload in payloads:
            try:
                usual = decode(payload)
            except UNREADABLE:
                latest = self._on_unusual(payload) or latest
                continue
            route = find(usual.stream)
            if route is None:
                self.counters.unrouted += 1
                continue
            route.heard = True
            latest = event = usual.data
            push = route.only
            if push is None:
                attach(event, FRAME, payload)
                self._deliver(route, event)
                continue
            try:
                push(event)
            except Exception:
                logger.exception("stream %s: a fault of the SDK", route.name)
        counters = self.counters
        before, counters.frames = counters.frames, counters.frames + len(payloads)
        counters.bytes += size
        if latest is not None and counters.frames // _LAG_EVERY != before // _LAG_EVERY:
            self._note_lag(latest)

    def on_sent(self, frame: Frame) -> None:
        """A subscription was sent."""
        self._unconfirmed.update(dict.fromkeys(frame.names, frame))
        self._refused.difference_update(frame.names)
        for name in frame.names:
            route = self._routes.get(name)
            if route is not None:
                route.forget()
        for follower, names in self._followers.of(frame.names):
            follower.on_sent(names)

    def on_confirmed(self, names: frozenset[str]) -> None:
        """The server has read these subscriptions."""
        names = names.intersection(self._unconfirmed)  # the others were refused
        for name in names:
            del self._unconfirmed[name]
            route = self._routes.get(name)
            if route is not None and route.gate is not None and route.gate.wants_history:
                self._fill(route)
        for entry in tuple(self._entries):
            entry.confirm(names)
        for follower, theirs in self._followers.of(names):
            follower.on_confirmed(theirs)

    def on_lost(self) -> None:
        """The socket is gone."""
        self._unconfirmed.clear()
        self._refused.clear()
        self._not_yet.clear()
        self._resynced = False
        for route in self._routes:
            route.forget()
        for follower in self._followers:
            try:
                follower.on_lost()
            except Exception:  # the others must hear of it in any case
                logger.exception("stream connection: a fault of the SDK")

    def on_state(self, change: StateChange) -> None:
        """The state changed."""
        if self._fallback is not None:
            if change.new is ConnectionState.POLLING:
                self._fallback.start()
            elif change.old is ConnectionState.POLLING:
                self._spawn(self._fallback.stop())
        for callback in self._callbacks:
            self._call(callback, change)

    def on_given_up(self, error: BackpackError) -> None:
        """There will be no further attempt."""
        self._given_up = error
        for entry in tuple(self._entries):
            self._entries.pop(entry, None)
            entry.fail(error, final=True)
        for follower, theirs in self._followers.of(self._routes.names()):
            follower.on_refused(theirs, error)
        self._finish(error)

    # Inside

    def _on_unusual(self, payload: bytes) -> StreamEvent | None:
        """A frame came that is no event of an expected class as it should be. Returns the event that somebody wants."""
        counters = self.counters
        try:
            name, event = self._decoder.decode_named(payload)
        except InvalidFrame as error:
            counters.undecodable += 1
            logger.warning("stream connection: %s", error)
            return None
        if isinstance(event, ErrorFrame):
            self._on_error(event)
            return None
        route = None if name is None else self._routes.get(name)
        if route is None:
            counters.unrouted += 1
            return None
        route.heard = True
        if type(event) is UnknownEvent:
            counters.unknown += 1
            if event.problem is not None:
                logger.warning("stream %s: a payload fits no model: %s", name, event.problem)
            for callback in self._unknown_callbacks:
                self._call(callback, event)
        self._deliver(route, event)
        return event

    def _call(self, callback: Callable[[Any], object], what: object) -> None:
        """Call a user's callback, and let it finish by itself when it is a coroutine function."""
        try:
            outcome = callback(what)
        except Exception:
            logger.exception("a callback of the stream connection raised")
            return
        if inspect.iscoroutine(outcome):
            task = asyncio.ensure_future(outcome)
            self._calls.add(task)
            task.add_done_callback(self._call_done)

    def _deliver(self, route: Route, event: StreamEvent) -> None:
        if route.misses_before(event) and not route.bare:  # books count their own
            self.counters.gaps += 1
        try:
            route.deliver(event)
        except Exception:
            logger.exception("stream %s: a fault of the SDK", route.name)
            return
        if route.gate is not None and route.gate.wants_history:
            self._fill(route)

    def _expect(self, event: type[StreamEvent] | None) -> None:
        """Be ready for events of one class only, or for all."""
        self._decode = self._decoder.usual(event)

    def _on_error(self, frame: ErrorFrame) -> None:
        """Give a refusal to whom it is about, as far as that can be told."""
        self.counters.errors += 1
        names = blame(frame, self._unconfirmed)
        logger.warning(
            "stream connection: the exchange refuses (%s): %s; about: %s",
            frame.code, frame.message, ", ".join(names) or "unknown",
        )  # fmt: skip
        if any(map(is_private, names)) and not self._resynced and self._setup.sync_clock is not None:
            self._resynced = True
            self._not_yet.update(names)
            for name in names:
                del self._unconfirmed[name]
                self._forget(name)
            self._spawn(self._sign_again(names))
            return
        if names:
            # the server may have taken nothing of a frame that it refused
            doubtful = {other for name in names for other in self._unconfirmed[name].names}.difference(names)
            self._ask_again((tuple(name for name in self._unconfirmed if name in doubtful),))
        else:
            self._ask_again(suspects(self._unconfirmed))
        self._refuse(names, frame)

    def _ask_again(self, groups: Iterable[tuple[str, ...]]) -> None:
        groups = tuple(filter(None, groups))
        for group in groups:
            for name in group:
                del self._unconfirmed[name]
        if groups and self._connection is not None:
            self._connection.ask_again(groups)

    def _forget(self, name: str) -> None:
        if self._connection is not None:
            self._connection.forget(name)

    async def _sign_again(self, names: tuple[str, ...]) -> None:
        """A wrong clock is the usual reason why a good signature is refused: set it right, and try once more."""
        with suppress(BackpackError):
            await (self._setup.sync_clock or _nothing)()
        self._not_yet.difference_update(names)
        self.resubscribe(names)

    def _refuse(self, names: tuple[str, ...], frame: ErrorFrame) -> None:
        for name in names:
            self._unconfirmed.pop(name, None)
            error = StreamError(frame.message, code=frame.code, stream=name)
            for entry in [entry for entry in self._entries if name in entry.names]:
                self.release(entry)
                entry.fail(error, final=True)
            for follower, theirs in self._followers.of((name,)):
                follower.on_refused(theirs, error)
            if name in self._routes:
                self._refused.add(name)
            else:
                self._forget(name)

    def _fill(self, route: Route) -> None:
        if self._fallback is not None and not route.filling:
            route.filling = True
            self._spawn(self._fallback.fill(route))

    def release(self, entry: Entry[Any]) -> None:
        """End a subscription that nobody reads any more."""
        if entry in self._entries:
            del self._entries[entry]
            self._routes.remove(entry.names, entry.push)
            self._update()

    def resubscribe(self, names: Iterable[str]) -> None:
        """Subscribe again to streams that should have spoken."""
        if self._connection is not None:
            self._connection.resubscribe(names)

    def _polled(self, entry: Entry[Any]) -> frozenset[str]:
        """The streams of a subscription that REST stands in for."""
        routes = (self._routes.get(name) for name in entry.names)
        return frozenset(route.name for route in routes if route is not None and route.poll is not None)

    def _note_lag(self, event: StreamEvent) -> None:
        sent: int | None = getattr(event, "event_time_us", None)
        if sent is not None:
            self.counters.lag_us = int(self._setup.clock() * 1_000_000) - sent

    def _note_polled(self, name: str) -> None:
        """REST has answered in place of a stream."""
        for entry in tuple(self._entries):
            if name in entry.names:
                entry.confirm(frozenset((name,)))

    def _note_drop(self) -> None:
        self.counters.dropped += 1

    def _update(self) -> None:
        if self._connection is not None:
            self._connection.update()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("stream connection: a fault of the SDK", exc_info=error)

    def _call_done(self, task: asyncio.Future[Any]) -> None:
        self._calls.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a callback of the stream connection raised", exc_info=error)

    def _finish(self, error: BaseException) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_exception(error)
            self._over.exception()  # nobody has to wait for it


async def _nothing() -> None:
    """What happens when the clock can't be set right."""

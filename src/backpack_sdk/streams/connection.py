"""Keeps one socket open, and subscribed to what is wanted, for as long as it is needed."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from websockets.exceptions import ConnectionClosed

from .._core.errors import BackpackError, InvalidArgument, RegionRestricted, StatusError
from .._refusals import retry_after
from .backoff import Backoff
from .names import Frame, signature, subscribe_frames, unsubscribe_frames
from .opening import open_socket
from .options import Mode
from .socket import SocketConnection
from .status import ConnectionState, StateChange, StreamCounters

if TYPE_CHECKING:
    from .options import StreamOptions, StreamSetup

logger = logging.getLogger("backpack_sdk")
_GRACEFUL_LIFE = 5.0
"""Seconds. A server that closes with goodbye after such a life is only being replaced: connect again without delay."""
_CONFIRM_WITHIN = 5.0


class Owner(Protocol):
    """Who a connection works for."""

    def wanted(self) -> Iterable[str]:
        """Streams to be subscribed to."""
        ...

    def on_frames(self, payloads: Sequence[bytes], size: int) -> None:
        """Text frames came together, so many bytes of them."""
        ...

    def on_sent(self, frame: Frame) -> None:
        """A subscription was sent."""
        ...

    def on_confirmed(self, names: frozenset[str]) -> None:
        """The server has answered a ping sent after these subscriptions, so it has read them."""
        ...

    def on_lost(self) -> None:
        """The socket is gone, and every subscription with it."""
        ...

    def on_state(self, change: StateChange) -> None:
        """The state changed."""
        ...

    def on_given_up(self, error: BackpackError) -> None:
        """There will be no further attempt."""
        ...


class Connection:
    """One socket at a time, opened again whenever it breaks, until `aclose`."""

    def __init__(
        self, setup: StreamSetup, options: StreamOptions, owner: Owner, counters: StreamCounters,
        jitter: Callable[[], float] = random.random,
    ) -> None:  # fmt: skip
        self._setup, self._options, self._owner, self.counters = setup, options, owner, counters
        self._backoff = Backoff(
            jitter, first=options.first_delay, longest=options.longest_delay, stable_after=options.stable_after
        )
        self._jitter = jitter
        self._host = 0
        self._refused: set[int] = set()
        self._socket: SocketConnection | None = None
        self._sent: set[str] = set()
        self._doubtful: list[tuple[str, ...]] = []
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.state = ConnectionState.CONNECTING
        self.latency: float | None = None
        """Seconds between the last ping and its answer; None before the first."""

    @property
    def url(self) -> str:
        """Address in use."""
        return self._setup.urls[self._host]

    def start(self) -> None:
        """Begin to connect."""
        self._task = asyncio.create_task(self._run(), name="backpack-streams")

    def has_sent(self, name: str) -> bool:
        """Whether a stream is subscribed to on the present socket."""
        return name in self._sent

    def update(self) -> None:
        """What is wanted may have changed: subscribe and unsubscribe accordingly."""
        self._changed.set()

    def resubscribe(self, names: Iterable[str]) -> None:
        """Subscribe again to streams that should have spoken."""
        self._sent.difference_update(names)
        self._changed.set()

    def ask_again(self, groups: Iterable[tuple[str, ...]]) -> None:
        """Subscribe again to streams, each group in a frame of its own that is confirmed before the next one goes."""
        for group in groups:
            self._sent.difference_update(group)
            self._doubtful.append(group)
        self._changed.set()

    def forget(self, name: str) -> None:
        """Take a stream that was refused for one that is not subscribed to."""
        self._sent.discard(name)

    def abort(self) -> None:
        """Drop the socket and connect again."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def aclose(self) -> None:
        """Close the socket and stop for good."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            try:
                await asyncio.gather(task, return_exceptions=True)
            finally:
                self._enter(ConnectionState.CLOSED, "closed")
        else:
            self._enter(ConnectionState.CLOSED, "closed")

    async def _run(self) -> None:
        try:
            await self._keep_open()
        except Exception as error:
            logger.exception("stream connection: a fault of the SDK")
            self._enter(ConnectionState.CLOSED, f"a fault of the SDK: {error!r}")
            problem = BackpackError(f"the stream connection ended by a fault of the SDK: {error!r}")
            problem.__cause__ = error
            self._owner.on_given_up(problem)

    async def _keep_open(self) -> None:
        if self._options.mode is Mode.REST:
            self._enter(ConnectionState.POLLING, "mode is rest")
            return
        self._enter(ConnectionState.CONNECTING, "started")
        while True:
            try:
                socket = await open_socket(self.url, self._setup, self._options)
            except BackpackError as error:
                if self._is_final(error):
                    self._enter(ConnectionState.CLOSED, str(error))
                    self._owner.on_given_up(error)
                    return
                await self._pause(str(error), retry_after(error.headers) if isinstance(error, StatusError) else None)
                continue
            self._refused.clear()
            opened = asyncio.get_running_loop().time()
            try:
                reason = await self._live(socket)
            finally:
                self._sent.clear()
                self._doubtful.clear()
                self._socket = None
                self._owner.on_lost()
            lasted = asyncio.get_running_loop().time() - opened
            self._backoff.connection_lasted(lasted)
            if socket.close_received.done() and lasted >= _GRACEFUL_LIFE:
                self._enter(ConnectionState.RECONNECTING, reason)
                await asyncio.sleep(self._options.first_delay * self._jitter())
            else:
                await self._pause(reason)

    def _is_final(self, error: BackpackError) -> bool:
        """Whether no attempt can do better. Moves on to the next host where there is one.

        A region is refused from the start. Once a socket was open, such a refusal is a passing one of the edge.
        """
        if isinstance(error, InvalidArgument):
            return True
        if isinstance(error, RegionRestricted):
            self._refused.add(self._host)
        self._host = (self._host + 1) % len(self._setup.urls)
        return len(self._refused) == len(self._setup.urls) and self.counters.connections == 0

    async def _pause(self, reason: str, asked: float | None = None) -> None:
        """Wait before the next attempt."""
        self.counters.failures += 1
        delay = self._backoff.next_delay(asked)
        failures = self._backoff.failures
        poll = self._options.mode is Mode.AUTO and failures >= self._options.poll_after_failures
        logger.warning("stream connection: %s; next attempt in %.1f s (failure %d)", reason, delay, failures)
        self._enter(ConnectionState.POLLING if poll else ConnectionState.RECONNECTING, reason)
        await asyncio.sleep(delay)

    async def _live(self, socket: SocketConnection) -> str:
        """Use a socket until it ends; says why it did."""
        self._socket = socket
        self.counters.reconnects += self.counters.connections > 0
        self.counters.connections += 1
        socket.on_texts = self._owner.on_frames
        self._changed.set()
        self._enter(ConnectionState.LIVE, f"connected to {self.url}")
        watch = asyncio.create_task(self._watch(socket), name="backpack-streams-watch")
        works = [
            asyncio.create_task(work, name="backpack-streams") for work in (socket.pump(), self._subscribe(socket))
        ]
        try:
            done, _ = await asyncio.wait({watch, *works, socket.close_received}, return_when=asyncio.FIRST_COMPLETED)
            for task in done & {watch, *works}:
                await task  # a fault of our own is not taken for a broken connection
            return "nothing came for too long" if watch in done else socket.describe_close()
        except asyncio.CancelledError:
            await socket.close()
            raise
        finally:
            for task in (watch, *works):
                task.cancel()
            socket.transport.abort()
            await asyncio.gather(watch, *works, socket.wait_closed(), return_exceptions=True)

    async def _subscribe(self, socket: SocketConnection) -> None:
        """Send what brings the server's subscriptions in line with what is wanted, again and again."""
        with suppress(ConnectionClosed):
            while True:
                await self._changed.wait()
                self._changed.clear()
                wanted = list(self._owner.wanted())
                groups, self._doubtful = self._doubtful, []
                apart = {name for group in groups for name in group}
                gone = apart.union(self._sent.difference(wanted))  # of those in doubt the server may have taken some
                self._sent.difference_update(gone)
                for frame in unsubscribe_frames(sorted(gone)):
                    await socket.send(frame.text)
                if gone:
                    await self._ping(socket)  # should it object to that, then before anything else is asked for
                for names in ([name for name in wanted if name not in apart], *groups):
                    await self._send(socket, names)

    async def _send(self, socket: SocketConnection, names: Iterable[str]) -> None:
        """Subscribe to those of these streams that are wanted and not subscribed to, and wait until that was read."""
        wanted = set(self._owner.wanted())
        fresh = [name for name in names if name in wanted and name not in self._sent]
        for frame in subscribe_frames(fresh, self._sign):
            self._sent.update(frame.names)
            self._owner.on_sent(frame)
            await socket.send(frame.text)
        if fresh:
            await self._confirm(socket, frozenset(fresh))

    async def _confirm(self, socket: SocketConnection, names: frozenset[str]) -> None:
        """Wait until the server has read the subscriptions."""
        await self._ping(socket)
        self._owner.on_confirmed(names)

    async def _ping(self, socket: SocketConnection) -> None:
        """Wait until the server has read everything so far."""
        try:
            async with asyncio.timeout(_CONFIRM_WITHIN):
                self.latency = await (await socket.ping())
        except TimeoutError:
            logger.info("stream connection: no answer to a ping within %g s of subscribing", _CONFIRM_WITHIN)

    async def _watch(self, socket: SocketConnection) -> None:
        """Ping now and then; returns when the socket is stale."""
        loop, limit = asyncio.get_running_loop(), self._options.stale_after
        interval = min(self._options.ping_interval, limit / 2)
        next_ping = loop.time() + interval
        with suppress(ConnectionClosed):
            while (quiet_until := socket.last_received + limit) > loop.time():
                await asyncio.sleep(max(0.001, min(next_ping, quiet_until) - loop.time()))
                if loop.time() >= next_ping:
                    next_ping = loop.time() + interval
                    asyncio.ensure_future(await socket.ping()).add_done_callback(self._note_latency)
            self.counters.stale += 1
            self._enter(ConnectionState.STALE, f"nothing came for {limit:g} s, not even an answer to a ping")
            return
        await asyncio.Event().wait()  # the socket has closed, which the pump reports

    def _note_latency(self, pong: asyncio.Future[float]) -> None:
        if not pong.cancelled() and pong.exception() is None:
            self.latency = pong.result()

    def _sign(self) -> list[str]:
        credentials = self._setup.credentials
        if credentials is None:
            raise RuntimeError("a private stream was let through without credentials")
        return signature(credentials, int(self._setup.clock() * 1000), self._setup.window)

    def _enter(self, state: ConnectionState, reason: str) -> None:
        if state is self.state and self.counters.states:
            return
        change = StateChange(self.state, state, reason, self._backoff.failures)
        self.state = state
        self.counters.states[state.value] = self.counters.states.get(state.value, 0) + 1
        logger.info("stream connection is %s: %s", state.value, reason)
        self._owner.on_state(change)

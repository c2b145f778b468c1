"""Who listens to what, and how events reach them. Everything but `publish` runs on the event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable

from ..engine import DepthChanged, Event, Refused, Trade
from ..errors import ApiError, MalformedRequest
from . import frames, private_frames
from .connection import Connection, Key
from .context import HubContext
from .delivery import Delivery
from .names import SocketErrorCode, SocketProblem, StreamName, parse_name
from .pulses import Pulses
from .requests import SocketRequest, parse_request
from .spelling import Spelling
from .timers import Metronome
from .translation import PUBLIC, translate

_BATCH = 2_000
"""Events translated in one go, so that a burst does not keep the loop from reading."""


class Hub:
    """Sends the events of an exchange to its clients during one run of the server."""

    def __init__(self, context: HubContext, metronome: Metronome) -> None:
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._metronome = metronome
        self._pending: deque[Event] = deque()
        self._scheduled = False
        self._words: dict[str, Spelling] = {}
        self.delivery = Delivery(context.faults, self._loop)
        self.pulses = Pulses(context, self)
        self.now_us = context.clock()
        self._end_listening = context.engine.subscribe(self.publish)
        self.pulses.start(metronome)

    def stop(self) -> None:
        """Listen to the engine no more."""
        self._end_listening()
        self.delivery.stop()
        self._metronome.stop()

    # Events

    def publish(self, events: tuple[Event, ...]) -> None:
        """Take what happened, in any thread; it goes out from the event loop."""
        if not self.delivery.has_listeners:
            return
        self._pending.extend(events)
        if not self._scheduled:
            self._scheduled = True
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
                self._loop.call_soon_threadsafe(self._send_batch)

    def send_pending(self) -> None:
        """Send all that has happened so far."""
        self._send(len(self._pending))

    def _send_batch(self) -> None:
        self._scheduled = False
        self._send(min(_BATCH, len(self._pending)))
        if self._pending and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._send_batch)

    def _send(self, events: int) -> None:
        self.now_us = self._context.clock()
        for _ in range(events):
            translate(self._pending.popleft(), self)
        self.delivery.flush()

    # The feed of translated events

    def words(self, symbol: str) -> Spelling:
        """Return how a market spells its figures."""
        words = self._words.get(symbol)
        if words is None:
            words = self._words[symbol] = Spelling(self._context.engine.market(symbol))
        return words

    def wants(self, account: str, stream: str) -> bool:
        """Return whether anybody listens."""
        return self.delivery.wants((account, stream))

    def listens(self, account: str) -> bool:
        """Return whether anybody listens to any private stream of an account."""
        return account in self.delivery.listening

    def accounts(self, stream: str) -> Iterable[str]:
        """Return the accounts that listen to a private stream."""
        return self.delivery.accounts(stream)

    def send(self, account: str, stream: str, data: bytes) -> None:
        """Send data to those who listen."""
        self.delivery.deliver((account, stream), frames.envelope(data, stream))

    def collect_depth(self, event: DepthChanged) -> None:
        """Count a change of a book for the aggregated streams."""
        for merge in self.pulses.merges_of(event.symbol):
            merge.add(event.delta, event.time_us)

    def collect_trade(self, event: Trade) -> None:
        """Count a trade for the candles."""
        for candles in self.pulses.candles_of(event.symbol):
            candles.add(event)

    # Clients

    def receive(self, connection: Connection, text: str) -> None:
        """Do what a client asks for, or tell it what is wrong."""
        try:
            request = parse_request(text)
        except SocketProblem as problem:
            self._complain(connection, problem)
            return
        if request.subscribes:
            self._subscribe(connection, request)
        else:
            self._unsubscribe(connection, request)

    def join(self, connection: Connection) -> None:
        """Take in a client that listens to nothing yet."""
        self.delivery.connections[connection] = None

    def leave(self, connection: Connection) -> None:
        """Forget a client."""
        for key in list(connection.keys):
            self._end(connection, key)
        self.delivery.connections.pop(connection, None)

    def complain_of_binary(self, connection: Connection) -> None:
        """Tell a client that it must send text."""
        self._complain(connection, SocketProblem(SocketErrorCode.UNREADABLE, "the frame must be a text frame"))

    def _subscribe(self, connection: Connection, request: SocketRequest) -> None:
        """Subscribe to the names that are right, and complain of each other one."""
        for text in request.names:
            try:
                name = parse_name(text)
                account = self._account(request) if name.is_private else PUBLIC
            except SocketProblem as problem:
                self._complain(connection, problem)
                continue
            with self._context.lock:
                self.send_pending()  # what happened before belongs to those who listened before
                self._begin(connection, name, account)
        self.delivery.flush()

    def _begin(self, connection: Connection, name: StreamName, account: str) -> None:
        key = (account, name.text)
        if key in connection.keys:
            return
        self.delivery.add(connection, key)
        with contextlib.suppress(Refused):  # silence for a symbol that does not exist
            self.pulses.begin(name, account)
            if name.kind == "account.positionUpdate":
                self._show_positions(connection, name, account)

    def _show_positions(self, connection: Connection, name: StreamName, account: str) -> None:
        """Send one client the open positions, each in a message of its own."""
        for position in self._context.engine.positions(account, name.symbol):
            data = private_frames.position_update(position, None, position.updated_us, self.now_us)
            self.delivery.deliver_to(connection, name.text, frames.envelope(data, name.text))

    def _unsubscribe(self, connection: Connection, request: SocketRequest) -> None:
        wanted = set(request.names)
        for key in [key for key in connection.keys if key[1] in wanted]:
            self._end(connection, key)
        for text in request.names:
            try:
                parse_name(text)
            except SocketProblem as problem:
                self._complain(connection, problem)

    def _end(self, connection: Connection, key: Key) -> None:
        if self.delivery.remove(connection, key):
            self.pulses.end(key)

    def _account(self, request: SocketRequest) -> str:
        if request.signature is None:
            raise SocketProblem(SocketErrorCode.BAD_SIGNATURE, "a private stream needs a signature")
        try:
            return self._context.account_of(request.signature)
        except (ApiError, MalformedRequest) as refused:
            raise SocketProblem(SocketErrorCode.BAD_SIGNATURE, refused.message) from None

    def _complain(self, connection: Connection, problem: SocketProblem) -> None:
        if not self._context.faults.is_silent:
            connection.say(frames.error(problem.code, problem.message))

"""Takes messages to the connections that listen, through whatever faults there are."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable

from .connection import Connection, Key
from .faults import SocketFault, SocketFaults, SocketHarm
from .framing import Message, fragments, text

_GARBAGE = b'{"data":{"e":"dep\x7f'
_FRAGMENTS = 3


class Delivery:
    """Subscribers by stream, and the way to them. Messages wait in the connections until `flush`."""

    def __init__(self, faults: SocketFaults, loop: asyncio.AbstractEventLoop) -> None:
        self._faults = faults
        self._loop = loop
        self._listeners: dict[Key, dict[Connection, None]] = {}
        self.listening: Counter[str] = Counter()
        """Streams that somebody listens to, by account."""
        self._swapped: dict[Key, bytes] = {}
        self._delayed: defaultdict[Key, list[bytes]] = defaultdict(list)
        self._handles: set[asyncio.TimerHandle] = set()
        self.connections: dict[Connection, None] = {}
        """Every client, whether it listens to anything or not."""
        faults.on_cut(self._cut)

    def stop(self) -> None:
        """Forget what is delayed."""
        self._faults.on_cut(None)
        for handle in self._handles:
            handle.cancel()

    @property
    def has_listeners(self) -> bool:
        """Whether anybody listens to anything."""
        return bool(self._listeners)

    def wants(self, key: Key) -> bool:
        """Return whether anybody listens to a stream."""
        return key in self._listeners

    def accounts(self, stream: str) -> Iterable[str]:
        """Return the accounts that listen to a private stream."""
        return [account for account, known in self._listeners if known == stream and account]

    def add(self, connection: Connection, key: Key) -> None:
        """Let a connection listen."""
        connection.keys[key] = None
        if key not in self._listeners:
            self._listeners[key] = {}
            self.listening[key[0]] += 1
        self._listeners[key][connection] = None

    def remove(self, connection: Connection, key: Key) -> bool:
        """Let a connection listen no more. Return whether it was the last one."""
        connection.keys.pop(key, None)
        listeners = self._listeners.get(key)
        if listeners is None:
            return False
        listeners.pop(connection, None)
        if listeners:
            return False
        del self._listeners[key]
        self.listening[key[0]] -= 1
        if not self.listening[key[0]]:
            del self.listening[key[0]]
        self._swapped.pop(key, None)
        self._delayed.pop(key, None)
        return True

    def deliver(self, key: Key, payload: bytes) -> None:
        """Put a message on its way to all who listen."""
        if self._faults.is_idle and not self._swapped and not self._delayed:
            self._post(key, payload)
            return
        if key in self._delayed:
            self._delayed[key].append(payload)
            return
        fault = self._faults.take(key[1])
        held = self._swapped.pop(key, None)
        if fault is None:
            self._post(key, payload)
        else:
            self._strike(key, payload, fault)
        if held is not None:
            self._post(key, held)

    def deliver_to(self, connection: Connection, stream: str, payload: bytes) -> None:
        """Put a message on its way to one client only. Nothing but silence strikes it."""
        if not self._faults.is_silenced(stream):
            connection.post(Message(payload).wire(connection.window_bits))

    def flush(self) -> None:
        """Send what waits in the connections."""
        for connection in self.connections:
            connection.flush()

    def _post(self, key: Key, payload: bytes) -> None:
        message = Message(payload)
        for connection in self._listeners.get(key, ()):
            connection.post(message.wire(connection.window_bits))

    def _strike(self, key: Key, payload: bytes, fault: SocketFault) -> None:
        harm = fault.harm
        if harm is SocketHarm.DUPLICATE:
            self._post(key, payload)
            self._post(key, payload)
        elif harm is SocketHarm.SWAP:
            self._swapped[key] = payload
        elif harm is SocketHarm.DELAY:
            self._delayed[key].append(payload)
            self._later(key, fault.seconds)
        elif harm is SocketHarm.GARBLE:
            self._post_raw(key, [text(_GARBAGE)])
        elif harm is SocketHarm.FRAGMENT:
            self._post_raw(key, list(fragments(payload, _FRAGMENTS)))
        elif harm is not SocketHarm.DROP:
            for connection in list(self._listeners.get(key, ())):
                _finish(connection, fault)

    def _post_raw(self, key: Key, wires: list[bytes]) -> None:
        for connection in self._listeners.get(key, ()):
            connection.post(*wires)

    def _later(self, key: Key, seconds: float) -> None:
        def release() -> None:
            self._handles.discard(handle)
            for payload in self._delayed.pop(key, ()):
                self._post(key, payload)
            self.flush()

        handle = self._loop.call_later(seconds, release)
        self._handles.add(handle)

    def _cut(self, fault: SocketFault) -> None:
        """End every connection, from any thread."""

        def cut() -> None:
            for connection in list(self.connections):
                _finish(connection, fault)

        self._loop.call_soon_threadsafe(cut)


def _finish(connection: Connection, fault: SocketFault) -> None:
    if fault.harm is SocketHarm.ABORT:
        connection.abort()
    else:
        connection.close(fault.code, fault.reason)

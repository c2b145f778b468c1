"""Misbehaviour of the sockets, scripted or by chance: what happens to a message, or to a socket, on its way out."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import Enum
from fnmatch import fnmatchcase
from random import Random

EVERYTHING = "*"


class SocketHarm(Enum):
    """What happens to a message."""

    DROP = "it is not sent"
    DUPLICATE = "it is sent twice"
    SWAP = "it is sent after the next message of its stream"
    DELAY = "it is sent late, and what follows on its stream waits behind it"
    GARBLE = "something else that is no JSON is sent"
    FRAGMENT = "it is sent in several frames"
    ABORT = "the connections that listen to it end without a word"
    CLOSE = "the connections that listen to it are closed"


@dataclass(frozen=True, slots=True)
class SocketFault:
    """One fault: what it does, with a delay in seconds, or the code and the reason of a Close frame."""

    harm: SocketHarm
    seconds: float = 0.0
    code: int = 1000
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRates:
    """How likely each harm is for a message, from 0 to 1. Together they must not exceed 1."""

    drop: float = 0.0
    duplicate: float = 0.0
    swap: float = 0.0
    garble: float = 0.0
    fragment: float = 0.0
    abort: float = 0.0

    def __post_init__(self) -> None:
        rates = [getattr(self, field.name) for field in fields(self)]
        if min(rates) < 0 or sum(rates) > 1:
            raise ValueError(f"fault rates must not be negative nor exceed 1 together: {self}")

    def pick(self, draw: float) -> SocketFault | None:
        """Return the fault that a draw from [0, 1) hits, None for none."""
        for field in fields(self):
            draw -= getattr(self, field.name)
            if draw < 0:
                return SocketFault(SocketHarm[field.name.upper()])
        return None


class SocketFaults:
    """The faults to come. A stream is given by name or by a pattern: `depth.SOL_USDC`, `depth.*`, `*` for all.

    A fault strikes one message, for all who listen to it; where several fit, the one added first. May be used from any
    thread, also while the exchange serves.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._script: list[tuple[str, deque[SocketFault]]] = []
        self._rates: list[tuple[str, FaultRates, Random]] = []
        self._silent: set[str] = set()
        self._refusals: deque[int] = deque()
        self._cut: Callable[[SocketFault], None] | None = None

    # Messages

    def drop(self, stream: str = EVERYTHING, times: int = 1) -> None:
        """Lose the next messages of a stream."""
        self._add(stream, SocketFault(SocketHarm.DROP), times)

    def duplicate(self, stream: str = EVERYTHING, times: int = 1) -> None:
        """Send the next messages of a stream twice."""
        self._add(stream, SocketFault(SocketHarm.DUPLICATE), times)

    def swap(self, stream: str = EVERYTHING, times: int = 1) -> None:
        """Send the next message of a stream after the one that follows it."""
        self._add(stream, SocketFault(SocketHarm.SWAP), times)

    def delay(self, stream: str = EVERYTHING, seconds: float = 0.05, times: int = 1) -> None:
        """Hold the next message of a stream back, and all that follow it until then. Order is kept."""
        self._add(stream, SocketFault(SocketHarm.DELAY, seconds=seconds), times)

    def garble(self, stream: str = EVERYTHING, times: int = 1) -> None:
        """Send something that is no JSON instead of the next messages of a stream."""
        self._add(stream, SocketFault(SocketHarm.GARBLE), times)

    def fragment(self, stream: str = EVERYTHING, times: int = 1) -> None:
        """Send the next messages of a stream in several frames each."""
        self._add(stream, SocketFault(SocketHarm.FRAGMENT), times)

    def random(self, rates: FaultRates, *, seed: int, stream: str = EVERYTHING) -> None:
        """Let chance strike the messages of a stream from now on. The same seed strikes the same messages."""
        with self._lock:
            self._rates.append((stream, rates, Random(seed)))

    # Connections

    def abort(self, stream: str | None = None) -> None:
        """End every connection at once, or those that listen to a stream instead of sending its next message."""
        self._end(stream, SocketFault(SocketHarm.ABORT))

    def close(self, code: int = 1012, reason: str = "", stream: str | None = None) -> None:
        """Close every connection at once, or those that listen to a stream instead of sending its next message."""
        self._end(stream, SocketFault(SocketHarm.CLOSE, code=code, reason=reason))

    def refuse(self, status: int = 503, times: int = 1) -> None:
        """Answer the next attempts to connect with an HTTP status."""
        with self._lock:
            self._refusals.extend([status] * times)

    def silence(self, stream: str = EVERYTHING) -> None:
        """Send nothing of a stream until `release`; of `*`, nothing at all: no messages, pings, pongs or errors."""
        with self._lock:
            self._silent.add(stream)

    def release(self) -> None:
        """End every silence. What was not sent meanwhile is lost."""
        with self._lock:
            self._silent.clear()

    def clear(self) -> None:
        """Forget every fault that has not happened yet."""
        with self._lock:
            self._script.clear()
            self._rates.clear()
            self._silent.clear()
            self._refusals.clear()

    def __len__(self) -> int:
        """Count the scripted faults that have not happened yet."""
        return sum(len(faults) for _, faults in self._script) + len(self._refusals)

    # The side of the exchange

    @property
    def is_idle(self) -> bool:
        """Whether every message goes out as it is."""
        return not (self._script or self._rates or self._silent)

    @property
    def is_silent(self) -> bool:
        """Whether nothing at all may be sent."""
        return EVERYTHING in self._silent

    def is_silenced(self, stream: str) -> bool:
        """Whether nothing of a stream may be sent."""
        return any(fnmatchcase(stream, pattern) for pattern in self._silent)

    def on_cut(self, cut: Callable[[SocketFault], None] | None) -> None:
        """Let `abort` and `close` reach the connections there are."""
        self._cut = cut

    def take_refusal(self) -> int | None:
        """Return the status that an attempt to connect is answered with, None to let it pass."""
        with self._lock:
            return self._refusals.popleft() if self._refusals else None

    def take(self, stream: str) -> SocketFault | None:
        """Return what happens to the next message of a stream."""
        with self._lock:
            if self.is_silenced(stream):
                return SocketFault(SocketHarm.DROP)
            for at, (pattern, faults) in enumerate(self._script):
                if fnmatchcase(stream, pattern):
                    fault = faults.popleft()
                    if not faults:
                        del self._script[at]
                    return fault
            for pattern, rates, chance in self._rates:
                if fnmatchcase(stream, pattern):
                    return rates.pick(chance.random())
        return None

    def _add(self, stream: str, fault: SocketFault, times: int) -> None:
        if times < 1:
            raise ValueError(f"times is {times}, it must be 1 at least")
        with self._lock:
            self._script.append((stream, deque([fault] * times)))

    def _end(self, stream: str | None, fault: SocketFault) -> None:
        if stream is not None:
            self._add(stream, fault, 1)
        elif self._cut is not None:
            self._cut(fault)

"""Scripted misbehaviour: what an exchange, or the network before it, does to one request."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from random import Random
from typing import Self

from .operations import BY_NAME
from .replies import Reply, error_reply, text_reply


class Harm(Enum):
    """What happens to the reply."""

    DROPPED = "the connection closes without a reply"
    REPLACED = "another reply is sent"
    TRUNCATED = "half of the reply is sent, then the connection closes"
    LATE = "the reply is right but late"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Make it with `drop`, `status`, `garbage`, `truncate` or `delay`.

    `takes_effect` tells whether the exchange carries the request out all the same. `reply` is set exactly when the harm
    is `REPLACED`; `seconds` is how long the exchange waits before it acts, and `seconds_after` how long afterwards.
    """

    harm: Harm
    takes_effect: bool = True
    reply: Reply | None = None
    seconds: float = 0.0
    seconds_after: float = 0.0

    @classmethod
    def drop(cls, *, takes_effect: bool) -> Self:
        """Close the connection without a reply, before or after the request took effect."""
        return cls(Harm.DROPPED, takes_effect)

    @classmethod
    def status(
        cls,
        status: int,
        code: str | None = None,
        message: str = "scripted fault",
        *,
        takes_effect: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """Answer with a status: with a JSON error when there is a `code`, else with `message` as plain text."""
        reply = text_reply(message, status, headers) if code is None else error_reply(code, message, status, headers)
        return cls(Harm.REPLACED, takes_effect, reply)

    @classmethod
    def garbage(
        cls, body: bytes = b"<html>\x00\xff", *, content_type: str = "application/json", takes_effect: bool = True
    ) -> Self:
        """Answer 200 with a body that means nothing."""
        return cls(Harm.REPLACED, takes_effect, Reply(200, body, content_type))

    @classmethod
    def truncate(cls) -> Self:
        """Carry the request out, announce the whole reply, send half of its body and close the connection.

        A reply without a body is dropped.
        """
        return cls(Harm.TRUNCATED)

    @classmethod
    def delay(cls, seconds: float, *, after: bool = False) -> Self:
        """Wait before the request takes effect, or after it did and before the reply."""
        return cls(Harm.LATE, seconds_after=seconds) if after else cls(Harm.LATE, seconds=seconds)


class FaultScript:
    """The faults to come: per operation, each used once in the order of their adding; then those by chance."""

    def __init__(self) -> None:
        self._queues: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._chances: list[tuple[str, float, tuple[Fault, ...], Random]] = []

    def add(self, operation: str, *faults: Fault) -> None:
        """Let the next requests to an operation meet these faults. `operation` is an operation id: `execute_order`.

        Raises:
            ValueError: there is no such operation.
        """
        if operation not in BY_NAME:
            raise ValueError(f"there is no operation {operation!r}: use an operation id such as 'execute_order'")
        self._queues[operation].extend(faults)

    def random(self, rate: float, *faults: Fault, seed: int, operation: str = "*") -> None:
        """Let chance strike that share of the requests from now on, each with one of the faults.

        `rate` lies in 0 to 1. `operation` may be a pattern such as `get_*`. The same seed strikes the same requests.

        Raises:
            ValueError: the rate is out of range, there are no faults, or no operation fits.
        """
        if not 0 <= rate <= 1 or not faults:
            raise ValueError(f"a share of the requests from 0 to 1 and a fault at least are needed, not {rate}")
        if not any(fnmatchcase(name, operation) for name in BY_NAME):
            raise ValueError(f"there is no operation {operation!r}: use a pattern such as 'get_*'")
        self._chances.append((operation, rate, faults, Random(seed)))

    def take(self, operation: str) -> Fault | None:
        """Return the next fault of an operation and forget it."""
        queue = self._queues.get(operation)
        if queue:
            return queue.popleft()
        for pattern, rate, faults, chance in self._chances:
            if fnmatchcase(operation, pattern) and chance.random() < rate:
                return faults[chance.randrange(len(faults))]
        return None

    def clear(self) -> None:
        """Forget every fault that has not happened yet."""
        self._queues.clear()
        self._chances.clear()

    def __len__(self) -> int:
        """Count the scripted faults that have not happened yet."""
        return sum(map(len, self._queues.values()))

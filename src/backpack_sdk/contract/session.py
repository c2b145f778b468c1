"""Calls to one server, signed by the SDK, each reply judged and remembered."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from .._core.errors import BackpackError, CredentialsError, InvalidArgument
from ..client import Backpack
from .document import Json, Promise, promises
from .findings import Departure, Kind, Row
from .generate import Generator
from .judge import judge
from .known import Known

_HIDDEN = frozenset({"twoFactorToken"})
_LONGEST_EXAMPLE = 300
_FAILED = 400


class Session:
    """One run's calls. `generator` is set once it is known what the server has.

    Args:
        clients: who calls, by name; `own` is the one that does by default.
        chosen: operations that are judged and counted.
        pace: requests per second; None for no limit.
        sleep, clock: of this machine, in seconds.
    """

    def __init__(
        self,
        clients: Mapping[str, Backpack],
        chosen: Mapping[str, Promise],
        pace: float | None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clients = clients
        self.known = Known()
        self.generator = Generator(self.known, time.time())
        self.rows = {
            name: Row(name, promise.operation.method, promise.operation.path) for name, promise in chosen.items()
        }
        self._step = 0.0 if pace is None else 1 / pace
        self._next = 0.0
        self._sleep, self._clock = sleep, clock

    def call(
        self,
        name: str,
        query: Mapping[str, Json] | None = None,
        body: Json = None,
        headers: Mapping[str, Json] | None = None,
        *,
        who: str = "own",
    ) -> tuple[int | None, Json]:
        """Call an operation with wire values; its status and JSON. A status of None: nothing was sent, or came back."""
        promise = promises()[name]
        row = self.rows.get(name)
        example = _example(promise, query, body)
        self._wait()
        try:
            reply = self.clients[who].send_raw(promise.request(query, body, headers))
        except (InvalidArgument, CredentialsError, UnicodeError):
            if row is not None:
                row.unsent += 1
            return None, None
        except BackpackError as problem:
            if row is not None:
                row.cases += 1
                row.add([Departure(Kind.NO_REPLY, "", f"{type(problem).__name__}: {problem}")], example)
            return None, None
        lower = {key.lower(): value for key, value in reply.headers.items()}
        operation = self.generator.operation(promise)
        found, content = judge(promise, operation, reply.status_code, lower, reply.content)
        if row is not None:
            row.cases += 1
            row.statuses[reply.status_code] += 1
            row.add(found, example)
            if not row.example or reply.status_code < _FAILED:
                row.example = example
        if content is not None and reply.status_code < _FAILED:
            self.known.learn(name, content)
        return reply.status_code, content

    def _wait(self) -> None:
        """Keep to the pace."""
        now = self._clock()
        if self._step and now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + self._step


def _example(promise: Promise, query: Mapping[str, Json] | None, body: Json) -> str:
    """A request in one line, without its headers, and so without its signature."""
    pairs = urlencode([*(query or {}).items()], doseq=True, errors="backslashreplace")
    text = f"{promise.operation.method} {promise.operation.path}{f'?{pairs}' if pairs else ''}"
    if body is not None:
        text = f"{text} {json.dumps(without_secrets(body))}"
    return text if len(text) <= _LONGEST_EXAMPLE else f"{text[: _LONGEST_EXAMPLE - 1]}…"


def without_secrets(body: Any) -> Any:
    """A body that can be shown."""
    if isinstance(body, dict):
        return {name: "..." if name in _HIDDEN else without_secrets(each) for name, each in body.items()}
    return [without_secrets(each) for each in body] if isinstance(body, list) else body

"""Calls of the generated methods without a network: a sender that keeps the request, and the bytes that would leave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from backpack_sdk import OPERATIONS
from backpack_sdk._calls import Attempt, Caller, Settings
from backpack_sdk._generated.clients import AsyncNamespaces, Namespaces
from backpack_sdk._ratelimit import RateLimiter

from ..document import Documented
from ..loopback import CREDENTIALS, Seen, signed_by
from .surface import Argument, Json, Surface

NOW = 1_777_636_800.125
WINDOW = 7000


class Outbox(Namespaces):
    """A blocking client that keeps its last request."""

    def __init__(self) -> None:
        self._resources = {}
        self.requests: list[Any] = []

    def send(self, request: Any, *, timeout: float | None = None) -> Any:
        self.requests.append(request)


class AsyncOutbox(AsyncNamespaces):
    """An async client that keeps its last request."""

    def __init__(self) -> None:
        self._resources = {}
        self.requests: list[Any] = []

    async def send(self, request: Any, *, timeout: float | None = None) -> Any:  # noqa: ASYNC109
        self.requests.append(request)


@cache
def namespace_of(name: str) -> str:
    """Where the method of an operation stands."""
    (found,) = [each for each in OPERATIONS if each.name == name]
    return found.tag


def calls(name: str, arguments: Mapping[str, Any], flavour: str) -> list[Any]:
    """The requests that one call of a method makes: one, unless something is wrong with it."""
    outbox = Outbox() if flavour == "sync" else AsyncOutbox()
    done = getattr(getattr(outbox, namespace_of(name)), name)(**arguments)
    if flavour != "sync":
        try:
            done.send(None)
        except StopIteration:
            pass
        finally:
            done.close()
    return outbox.requests


_caller = Caller(Settings(CREDENTIALS, window=WINDOW), RateLimiter(None), clock=lambda: NOW)


def leaving(request: Any) -> Seen:
    """The bytes of the first attempt, as a server would see them."""
    step = next(_caller.raw(request))
    assert isinstance(step, Attempt)
    prepared = step.prepared
    headers = {name.lower(): value for name, value in prepared.headers}
    assert len(headers) == len(prepared.headers), "a header stands twice"
    return Seen(prepared.method, prepared.target, headers, prepared.content)


def text_of(value: Json) -> str:
    """A query value as it must stand there."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def expect(
    operation: Documented, seen: Seen, query: Mapping[str, Json], headers: Mapping[str, Json], body: Json
) -> None:
    """Compare what leaves with what was meant, and verify its signature by the tests' own implementation."""
    assert (seen.method, seen.path) == (operation.method, operation.path)
    wanted = [
        (name, text_of(each))
        for name, value in query.items()
        for each in (value if isinstance(value, list) else [value])
    ]
    assert sorted(seen.query, key=lambda pair: pair[0]) == sorted(wanted, key=lambda pair: pair[0])
    assert ("?" in seen.target) == bool(wanted)
    if body is None:
        assert seen.body == b""
    else:
        assert canonical(seen.json) == canonical(body)
        assert seen.headers["content-type"].startswith("application/json")
        assert seen.headers["content-length"] == str(len(seen.body))
    assert {name.lower(): str(value) for name, value in headers.items()} == {
        name: value for name, value in seen.headers.items() if name.startswith("x-broker")
    }
    instruction = operation.facts.get("x-instruction")
    signature = {name: value for name, value in seen.headers.items() if name.startswith("x-") and "broker" not in name}
    if instruction is None:
        assert signature == {}
        return
    assert signed_by(seen, instruction) == CREDENTIALS.api_key
    assert (signature["x-timestamp"], signature["x-window"]) == (str(int(NOW * 1000)), str(WINDOW))


def canonical(value: Json) -> str:
    """One text per JSON value: tells 1 from 1.0 and from true, and absent from null."""
    return json.dumps(value, sort_keys=True)


def sent(surface: Surface, seen: Seen) -> dict[str, Json]:
    """What a request carries, by argument: the texts of query and headers read as their schemas say."""
    values: dict[str, Json] = {}
    for argument in surface.arguments.values():
        if argument.place == "query":
            texts = [text for name, text in seen.query if name == argument.wire]
            if texts:
                values[argument.python] = _read(argument, texts)
        elif argument.place == "header" and argument.wire.lower() in seen.headers:
            values[argument.python] = _read(argument, [seen.headers[argument.wire.lower()]])
        elif argument.place == "rows":
            values[argument.python] = seen.json
        elif argument.place == "body" and argument.wire in seen.json:
            values[argument.python] = seen.json[argument.wire]
    return values


def _read(argument: Argument, texts: list[str]) -> Json:
    if argument.schema["type"] == "array":
        return texts
    (text,) = texts
    if argument.schema["type"] == "boolean":
        return {"true": True, "false": False}.get(text, text)
    return int(text) if argument.schema["type"] == "integer" and text.lstrip("-").isdecimal() else text

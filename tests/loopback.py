"""What the tests of the client stand on: a scriptable HTTP/1.1 server on loopback, a clock that never waits, and a
`Desk` that drives the blocking and the async client in the same words."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from inspect import isawaitable
from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl

import pytest
from nacl.signing import VerifyKey

from backpack_sdk import AsyncBackpack, Backpack, Credentials
from backpack_sdk import client as client_module

SEED = "sKmC5939f6W9/viyhwyaNHa0f7j5wSMvZsysW5BB9L4="
"""The published check key: it has no account."""
CREDENTIALS = Credentials(SEED)
FLAVOURS = ("sync", "async")
SHORT = 0.1
"""Seconds of a timeout that is meant to strike, and long enough for a busy machine to send a request in."""
both = pytest.mark.parametrize("flavour", FLAVOURS)
"""Run a test with the blocking and with the async client."""


@dataclass(frozen=True)
class Seen:
    """One request exactly as it arrived; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True, strict_parsing="?" in self.target)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Action = Callable[[socket.socket], bool]
"""What the server does with a connection once a request has arrived; whether to keep the connection."""
Answer = Callable[[Seen], Action]


def raw(payload: bytes, *, keep: bool = False) -> Action:
    """Send these bytes, whatever they are."""

    def act(connection: socket.socket) -> bool:
        connection.sendall(payload)
        return keep

    return act


def reply(status: int = 200, body: object = b"{}", **headers: str) -> Action:
    """A well-formed reply; `retry_after="3"` becomes the header `retry-after: 3`."""
    content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Text", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    if status != 204:
        lines.append(f"content-length: {len(content)}")
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    return raw(head + (b"" if status == 204 else content), keep=True)


def error(status: int, code: str, message: str = "no", **headers: str) -> Action:
    """A refusal in the exchange's own form."""
    return reply(status, {"code": code, "message": message}, **headers)


def hang_up(connection: socket.socket) -> bool:
    """Close in an orderly way without an answer."""
    return False


def reset(connection: socket.socket) -> bool:
    """Close with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def silence(connection: socket.socket) -> bool:
    """Answer nothing until the client hangs up."""
    with contextlib.suppress(OSError):
        connection.recv(1)
    return False


TRUNCATED = raw(b'HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"id":')
TRUNCATED_CHUNKS = raw(b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\n{"id":\r\n')
TRUNCATED_HEAD = raw(b"HTTP/1.1 200 OK\r\ncontent-le")
NO_HTTP = raw(b"\x00\xff\x13 this is no HTTP at all\r\n\r\n")
BAD_GZIP = reply(200, b"this is not gzip", content_encoding="gzip")


def in_turn(*actions: Action) -> Answer:
    """One action for each request; the last one for all that follow."""
    rest = list(actions)

    def answer(seen: Seen) -> Action:
        return rest.pop(0) if len(rest) > 1 else rest[0]

    return answer


class Server:
    """A threaded HTTP/1.1 server that records every request and takes one action for each, in turn.

    `answer` can be replaced by a function of the request.
    """

    def __init__(self, *actions: Action, port: int = 0) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._lock = threading.Lock()
        self.answer: Answer = in_turn(*actions)
        self.requests: list[Seen] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                self._threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            while (seen := _receive(connection)) is not None:
                with self._lock:
                    self.requests.append(seen)
                    action = self.answer(seen)
                if not action(connection):
                    return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)


def _receive(connection: socket.socket) -> Seen | None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (chunk := connection.recv(65536)):
            return None
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in rest)}
    assert len(headers) == len(rest), f"a header was sent twice: {rest}"
    while len(body) < int(headers.get("content-length", "0")):
        if not (chunk := connection.recv(65536)):
            return None
        body += chunk
    method, target, _ = first.split(" ")
    return Seen(method, target, headers, body)


@contextlib.contextmanager
def serving(*actions: Action, port: int = 0) -> Iterator[Server]:
    """A server for the time of a `with` block."""
    server = Server(*(actions or [reply()]), port=port)
    try:
        yield server
    finally:
        server.close()


def signed_by(seen: Seen, instruction: str) -> str:
    """The API key whose signature the request carries. Raises nacl's BadSignatureError for any other message.

    Written from what the exchange documents, not from the SDK's code: the message is rebuilt from what arrived.
    """
    rows = [sorted(seen.query, key=lambda pair: pair[0])]
    if seen.body:
        bodies = seen.json if isinstance(seen.json, list) else [seen.json]
        rows = [[(name, _signed_text(body[name])) for name in sorted(body)] for body in bodies]
    parts = ["&".join([f"instruction={instruction}", *(f"{name}={text}" for name, text in row)]) for row in rows]
    parts += [f"timestamp={seen.headers['x-timestamp']}", f"window={seen.headers['x-window']}"]
    key = seen.headers["x-api-key"]
    VerifyKey(base64.b64decode(key)).verify("&".join(parts).encode(), base64.b64decode(seen.headers["x-signature"]))
    return key


def _signed_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False) if isinstance(value, dict) else str(value)


def closed_port() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextlib.contextmanager
def unresponsive() -> Iterator[str]:
    """An address that accepts connections and then never says a word of TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"


@dataclass
class FakeTime:
    """A clock which a client's pauses move on, and nothing else. `meanwhile` is called in every pause."""

    now: float = field(default_factory=time.time)
    pauses: list[float] = field(default_factory=list)
    meanwhile: Callable[[], object] = bool

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        self.meanwhile()

    async def sleep_async(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        done = self.meanwhile()
        await (done if isawaitable(done) else asyncio.sleep(0))


@cache
def _no_tls() -> ssl.SSLContext:
    """Reading a thousand certificates for every client would be most of these tests' time."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Desk:
    """A client of either flavour that keeps fake time: its pauses are recorded, not waited for."""

    def __init__(self, flavour: str, **options: Any) -> None:
        options = {"verify": _no_tls(), "trust_env": False, "timeout": 5, **options}
        self.time = FakeTime()
        self.client: Backpack | AsyncBackpack = (Backpack if flavour == "sync" else AsyncBackpack)(**options)
        caller = self.client._caller
        caller._clock = caller._monotonic = self.time.read
        caller._jitter = lambda: 1.0

    async def call(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        """Call a namespace's method: `call("order.get_order", "SOL_USDC")`."""
        namespace, name = operation.split(".")
        return await self._run(getattr(getattr(self.client, namespace), name), *args, **kwargs)

    async def send(self, request: Any, **kwargs: Any) -> Any:
        return await self._run(self.client.send, request, **kwargs)

    async def send_raw(self, request: Any, **kwargs: Any) -> Any:
        return await self._run(self.client.send_raw, request, **kwargs)

    async def sync_clock(self) -> float:
        offset: float = await self._run(self.client.sync_clock)
        return offset

    async def close(self) -> None:
        await self._run(self.client.aclose if isinstance(self.client, AsyncBackpack) else self.client.close)

    async def _run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if isinstance(self.client, AsyncBackpack):
            return await function(*args, **kwargs)
        return await asyncio.to_thread(function, *args, **kwargs)


@contextlib.asynccontextmanager
async def desk(flavour: str, base_url: str, **options: Any) -> AsyncIterator[Desk]:
    """A desk for the time of an `async with` block."""
    made = Desk(flavour, **{"credentials": CREDENTIALS, "base_url": base_url, **options})
    blocking, asynchronous = SimpleNamespace(sleep=made.time.sleep), SimpleNamespace(sleep=made.time.sleep_async)
    with mock.patch.multiple(client_module, time=blocking, asyncio=asynchronous):
        try:
            yield made
        finally:
            await made.close()

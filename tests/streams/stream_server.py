"""A stream server on loopback that does exactly what a test says: REST and WebSocket on one port, bytes by hand."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Self

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(
    payload: bytes | str, opcode: int = TEXT, *, fin: bool = True, rsv1: bool = False, mask: bool = False
) -> bytes:
    """One WebSocket frame, legal or not."""
    body = payload.encode() if isinstance(payload, str) else payload
    first = (0x80 if fin else 0) | (0x40 if rsv1 else 0) | opcode
    masked = 0x80 if mask else 0
    if len(body) < 126:
        head = bytes((first, masked | len(body)))
    elif len(body) < 65_536:
        head = bytes((first, masked | 126)) + len(body).to_bytes(2, "big")
    else:
        head = bytes((first, masked | 127)) + len(body).to_bytes(8, "big")
    return head + (bytes(4) if mask else b"") + body


def envelope(stream: str, data: dict[str, Any]) -> str:
    return json.dumps({"stream": stream, "data": data}, separators=(",", ":"))


async def until(true: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until something is so; raise TimeoutError when it never is."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for is anything
            await asyncio.sleep(0.001)


@dataclass
class Peer:
    """One client's socket, as the server sees it."""

    server: StreamServer
    writer: asyncio.StreamWriter
    path: str
    headers: dict[str, str]
    commands: list[dict[str, Any]] = field(default_factory=list)
    """Commands received, in order."""
    names: dict[str, None] = field(default_factory=dict)
    """Streams subscribed to."""
    pings: int = 0
    closed_with: bytes | None = None
    """Payload of the client's Close frame."""
    gone: bool = False

    def raw(self, data: bytes) -> None:
        if not self.gone:
            self.writer.write(data)

    def text(self, text: str) -> None:
        self.raw(frame(text))

    def send(self, stream: str, data: dict[str, Any]) -> None:
        self.text(envelope(stream, data))

    def error(self, code: int, message: str) -> None:
        self.text(json.dumps({"id": None, "error": {"code": code, "message": message}}))

    def close(self, code: int = 1001, reason: str = "") -> None:
        self.raw(frame(code.to_bytes(2, "big") + reason.encode(), CLOSE))

    def abort(self) -> None:
        self.gone = True
        self.writer.transport.abort()

    async def subscribed(self, *names: str) -> None:
        await until(lambda: all(name in self.names for name in names))

    @property
    def subscriptions(self) -> list[list[str]]:
        return [command["params"] for command in self.commands if command["method"] == "SUBSCRIBE"]


Reply = tuple[int, object]
Rest = Callable[[str, dict[str, str]], "Reply | None"]


def refusing(part: str, code: int) -> Callable[[Peer, dict[str, Any]], None]:
    """Answers every command that names a stream with this in its name by an error frame."""

    def answer(peer: Peer, command: dict[str, Any]) -> None:
        for name in command["params"]:
            if part in name:
                peer.error(code, f"Invalid stream: {name}")

    return answer


def answering(path: str, answer: Callable[[], Reply]) -> Rest:
    """REST that has something of its own to say at one path."""

    def rest(asked: str, _query: dict[str, str]) -> Reply | None:
        return answer() if asked == path else None

    return rest


class StreamServer:
    """Answers `/api/v1/...` from `rest`, and opens sockets anywhere else.

    `refusals` holds raw replies to the next upgrades; the switches are for all sockets.
    """

    def __init__(self, *symbols: str) -> None:
        self.symbols: dict[str, str] = dict.fromkeys(symbols or ("SOL_USDC", "BTC_USDC", "SOL_USDC_PERP"), "Open")
        self.peers: list[Peer] = []
        self.refusals: deque[bytes | None] = deque()
        """Replies to the next upgrades; None lets one pass, b"" says nothing for ever."""
        self.refuse_always: bytes | None = None
        self.answer_pings = True
        self.answer_close = True
        self.after_handshake = b""
        """Bytes sent in one segment with the reply to the handshake."""
        self.deflate = False
        self.on_command: Callable[[Peer, dict[str, Any]], object] | None = None
        self.rest: Rest | None = None
        self.silent_rest = False
        """Whether REST requests are never answered."""
        self.hangs: Callable[[str], bool] = lambda _target: False
        """Whether a REST request, as path and query, is never answered."""
        self.pause = 0.0
        """Seconds before each REST reply."""
        self.requests: list[str] = []
        """REST requests as path and query."""
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def open_sockets(self) -> int:
        return sum(not peer.gone for peer in self.peers)

    async def peer(self, number: int = 1) -> Peer:
        """The socket that was opened as the `number`th."""
        await until(lambda: len(self.peers) >= number)
        return self.peers[number - 1]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 22)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, OSError):
                while await self._request(reader, writer):
                    pass
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        target = head[0].split(" ")[1]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        if headers.get("upgrade", "").lower() == "websocket":
            await self._socket(reader, writer, target, headers)
            return False
        await reader.readexactly(int(headers.get("content-length", 0)))
        self.requests.append(target)
        if self.pause:
            await asyncio.sleep(self.pause)
        if self.silent_rest or self.hangs(target):
            await reader.read(1)
            return False
        path, _, query_text = target.partition("?")
        query = dict(pair.split("=", 1) for pair in query_text.split("&") if pair)
        found = None if self.rest is None else self.rest(path, query)
        status, body = self._usual(path, query) if found is None else found
        if status == 0:
            return False
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "application/json" if content[:1] in b"[{" else "text/plain"
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(content)}\r\n\r\n".encode())
        writer.write(content)
        await writer.drain()
        return True

    def _usual(self, path: str, query: dict[str, str]) -> Reply:
        if path == "/api/v1/markets":
            return 200, [market(name, state) for name, state in self.symbols.items() if state != "Unlisted"]
        if path == "/api/v1/market":
            state = self.symbols.get(query["symbol"])
            if state is None:
                return 400, {"code": "INVALID_CLIENT_REQUEST", "message": "Market not found"}
            return 200, market(query["symbol"], "Open" if state == "Unlisted" else state)
        if path == "/api/v1/trades":
            return 200, []
        if path == "/api/v1/depth":
            return 200, {"asks": [], "bids": [], "lastUpdateId": "1", "timestamp": 1_700_000_000_000_000}
        if path == "/api/v1/time":
            return 200, b"1700000000000"
        return 404, b"not found"

    async def _socket(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: str, headers: dict[str, str]
    ) -> None:
        refusal = self.refusals.popleft() if self.refusals else self.refuse_always
        if refusal is not None:
            if not refusal:
                await reader.read(1)
            writer.write(refusal)
            return
        accept = base64.b64encode(hashlib.sha1(headers["sec-websocket-key"].encode() + _MAGIC).digest()).decode()
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        if self.deflate and "permessage-deflate" in headers.get("sec-websocket-extensions", ""):
            lines.append(
                "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover"
            )
        lines.append(f"Sec-WebSocket-Accept: {accept}")
        peer = Peer(self, writer, target, headers)
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + self.after_handshake)
        self.peers.append(peer)
        try:
            while await self._frame(reader, peer):
                pass
        finally:
            peer.gone = True

    async def _frame(self, reader: asyncio.StreamReader, peer: Peer) -> bool:
        first, second = await reader.readexactly(2)
        size = second & 0x7F
        if size >= 126:
            size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
        assert second & 0x80, "a client masks what it sends"
        mask = await reader.readexactly(4)
        body = bytes(byte ^ mask[at % 4] for at, byte in enumerate(await reader.readexactly(size)))
        opcode = first & 0x0F
        if opcode == PING:
            peer.pings += 1
            if self.answer_pings:
                peer.raw(frame(body, PONG))
        elif opcode == CLOSE:
            peer.closed_with = body
            if not self.answer_close:
                return True
            peer.raw(frame(body[:2], CLOSE))
            return False
        elif opcode == TEXT:
            self._command(peer, body if not first & 0x40 else inflated(body))
        return True

    def _command(self, peer: Peer, body: bytes) -> None:
        command = json.loads(body)
        peer.commands.append(command)
        for name in command["params"]:
            if command["method"] == "SUBSCRIBE":
                peer.names[name] = None
            else:
                peer.names.pop(name, None)
        if self.on_command is not None:
            self.on_command(peer, command)


def inflated(body: bytes) -> bytes:
    import zlib

    return zlib.decompressobj(-15).decompress(body + b"\x00\x00\xff\xff")


def deflated(text: str) -> bytes:
    """A compressed text frame."""
    import zlib

    packer = zlib.compressobj(wbits=-15)
    body = packer.compress(text.encode()) + packer.flush(zlib.Z_SYNC_FLUSH)
    return frame(body[:-4], rsv1=True)


def refusal(status: int, *headers: str, body: str = "") -> bytes:
    """An answer to an upgrade that is no upgrade."""
    lines = [f"HTTP/1.1 {status} X", *headers, f"content-length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def market(symbol: str, state: str = "Open") -> dict[str, Any]:
    """A market as `/markets` shows it."""
    base, quote = symbol.split("_")[:2]
    return {
        "symbol": symbol,
        "baseSymbol": base,
        "quoteSymbol": quote,
        "marketType": "PERP" if symbol.endswith("_PERP") else "SPOT",
        "filters": {
            "price": {"minPrice": "0.01", "tickSize": "0.01"},
            "quantity": {"minQuantity": "0.01", "stepSize": "0.01"},
        },
        "orderBookState": state,
        "createdAt": "2025-01-01T00:00:00",
        "visible": True,
    }


def trade(number: int, symbol: str = "SOL_USDC", price: str = "100.5") -> dict[str, Any]:
    """A trade as the stream sends it."""
    return {
        "e": "trade", "E": 1_700_000_000_000_000 + number, "s": symbol, "p": price, "q": "1", "b": "11", "a": "12",
        "t": number, "T": 1_700_000_000_000_000 + number, "m": True,
    }  # fmt: skip


def rest_trade(number: int, price: str = "100.5") -> dict[str, Any]:
    """The same as REST shows it."""
    return {
        "id": number, "price": price, "quantity": "1", "quoteQuantity": price, "isBuyerMaker": True,
        "timestamp": 1_700_000_000_000 + number // 1000,
    }  # fmt: skip


def delta(
    first: int, last: int, bids: Iterable[tuple[str, str]] = (), asks: Iterable[tuple[str, str]] = (),
    symbol: str = "SOL_USDC",
) -> dict[str, Any]:  # fmt: skip
    """A depth update as the stream sends it."""
    return {
        "e": "depth", "E": 1_700_000_000_000_000 + last, "s": symbol, "a": [list(level) for level in asks],
        "b": [list(level) for level in bids], "U": first, "u": last, "T": 1_700_000_000_000_000 + last,
    }  # fmt: skip


def depth(last: int, bids: Iterable[tuple[str, str]] = (), asks: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
    """A snapshot as REST sends it."""
    return {
        "asks": [list(level) for level in asks], "bids": [list(level) for level in bids],
        "lastUpdateId": str(last), "timestamp": 1_700_000_000_000_000 + last,
    }  # fmt: skip

"""The loopback exchange's socket: markets, snapshots and depth frames, in a process of its own on the last core.

Plain threads and blocking sockets: one connection at a time has to be served, as fast as it reads or at an exact pace.
A client subscribes, gets the warm-up frames, fetches snapshots, and asks for `/start?rate=...&burst=...` when its books
are live.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from _frames import ENGINE_AT, EVENT_AT, Feed, perpetuals
from _server import pin

_CHUNK = 64 * 1024
_KEY = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CLOSE, _PING, _PONG = 0x8, 0x9, 0xA


@contextlib.contextmanager
def running_stream_server(feed: Path) -> Generator[str]:
    """Start the server with a pickled Feed; gives its base URL, which is the socket's too."""
    process = subprocess.Popen([sys.executable, __file__, str(feed)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def wire(payload: bytes) -> bytes:
    """A text frame."""
    size = len(payload)
    head = bytes((0x81, size)) if size < 126 else b"\x81\x7e" + size.to_bytes(2, "big")
    return head + payload


class Server:
    """All connections share the feed, and the word when to start."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.warm_up = b"".join(map(wire, feed.warm_up))
        self.frames = [wire(frame) for frame in feed.frames]
        whole = b"".join(self.frames)
        self.chunks = [whole[at : at + _CHUNK] for at in range(0, len(whole), _CHUNK)]
        self.markets = json.dumps(perpetuals()).encode()
        self.subscribed = threading.Event()
        self.start = threading.Event()
        self.rate, self.burst = 0, 1
        """Frames per second, 0 for as fast as they are read, and how many of them go out together."""

    def serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = connection.makefile("rb")
        with contextlib.suppress(OSError), connection:
            while (request := reader.readline().decode()) and (headers := _headers(reader)) is not None:
                target = urlsplit(request.split()[1])
                if "upgrade" in headers.get("connection", "").lower():
                    self._serve_socket(connection, reader, headers["sec-websocket-key"])
                    return
                body = self._answer(target.path, {name: one[0] for name, one in parse_qs(target.query).items()})
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                connection.sendall(head.encode() + body)

    def _answer(self, path: str, query: dict[str, str]) -> bytes:
        if path.endswith("/depth"):
            return self.feed.snapshots[query["symbol"]]
        if path.endswith("/markets"):
            return self.markets
        if path == "/start":
            self.rate, self.burst = int(query["rate"]), int(query["burst"])
            self.start.set()
        return b"[]"

    def _serve_socket(self, connection: socket.socket, reader: socket.SocketIO, key: str) -> None:
        accept = base64.b64encode(hashlib.sha1(key.encode() + _KEY).digest()).decode()
        connection.sendall(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        self.start.clear()
        sender: threading.Thread | None = None
        lock = threading.Lock()
        while (head := reader.read(2)) and len(head) == 2:
            code, size = head[0] & 0x0F, head[1] & 0x7F
            if size >= 126:
                size = int.from_bytes(reader.read(2 if size == 126 else 8), "big")
            mask, payload = reader.read(4), reader.read(size)
            if code == _PING:
                with lock:
                    connection.sendall(bytes((0x80 | _PONG, size)) + _unmask(payload, mask))
            elif code == _CLOSE:
                with lock:
                    connection.sendall(bytes((0x80 | _CLOSE, size)) + _unmask(payload, mask))
                return
            elif b"SUBSCRIBE" in _unmask(payload, mask) and sender is None:
                sender = threading.Thread(target=self._send, args=(connection, lock), daemon=True)
                sender.start()

    def _send(self, connection: socket.socket, lock: threading.Lock) -> None:
        with contextlib.suppress(OSError):
            with lock:
                connection.sendall(self.warm_up)
            self.start.wait()
            if self.rate:
                self._send_paced(connection, self.rate, self.burst)
                return
            for chunk in self.chunks:
                with lock:
                    connection.sendall(chunk)

    def _send_paced(self, connection: socket.socket, rate: int, burst: int) -> None:
        """A burst of frames at its moment, with the time it is sent at in them."""
        extra = len(self.frames[0]) - len(self.feed.frames[0])
        event, engine = (slice(at.start + extra, at.stop + extra) for at in (EVENT_AT, ENGINE_AT))
        begin = time.perf_counter()
        for number in range(0, len(self.frames), burst):
            due = begin + number / rate
            stamped = [bytearray(frame) for frame in self.frames[number : number + burst]]
            while time.perf_counter() < due:
                pass
            now = b"%d" % (time.time_ns() // 1000)
            for frame in stamped:
                frame[event] = frame[engine] = now
            connection.sendall(b"".join(stamped))


def _headers(reader: socket.SocketIO) -> dict[str, str] | None:
    headers: dict[str, str] = {}
    while (line := reader.readline().decode()) not in ("\r\n", ""):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return headers


def _unmask(payload: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def _main() -> None:
    pin(-1)
    server = Server(pickle.loads(Path(sys.argv[1]).read_bytes()))
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=server.serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        _main()

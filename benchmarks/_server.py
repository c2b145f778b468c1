"""The loopback exchange: fixed replies over HTTP/1.1 keep-alive, in a process of its own on the last core."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Generator
from typing import cast

from _payloads import ORDER_REPLY, markets_reply


def pin(core: int) -> None:
    """Keep this process on one core (counted from the end when negative), where the system can do that."""
    if sys.platform == "linux" and len(cores := sorted(os.sched_getaffinity(0))) > 1:
        os.sched_setaffinity(0, {cores[core]})


@contextlib.contextmanager
def running_server() -> Generator[str]:
    """Start the server; gives its base URL."""
    process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _reply(body: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n"
        b"Date: Fri, 28 Nov 2025 08:00:00 GMT\r\nConnection: keep-alive\r\nVary: Origin\r\n\r\n%s" % (len(body), body)
    )


_ROUTES = {
    b"POST /api/v1/order": _reply(ORDER_REPLY),
    b"GET /api/v1/markets": _reply(markets_reply()),
    b"GET /api/v1/assets": _reply(b"[]"),
    b"GET /api/v1/securities": _reply(b"[]"),
}
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found"


class _Exchange(asyncio.Protocol):
    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data
        while (end := buffer.find(b"\r\n\r\n")) >= 0:
            head = buffer[:end].lower()
            length = 0
            if (at := head.find(b"content-length:")) >= 0:
                length = int(head[at + 15 :].split(b"\r\n", 1)[0])
            if len(buffer) < end + 4 + length:
                break
            route = buffer[: buffer.index(b" HTTP/")].split(b"?")[0]
            self._transport.write(_ROUTES.get(route, _NOT_FOUND))
            buffer = buffer[end + 4 + length :]
        self._buffer = buffer


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Exchange, "127.0.0.1", 0, backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    pin(-1)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve())

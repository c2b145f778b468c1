"""The default transports against loopback servers: what goes on the wire, how often, and which error comes back."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import select
import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx
import pytest

from backpack_sdk import InvalidArgument
from backpack_sdk._transport import default_async_transport, default_transport

# A throw-away certificate for `localhost` and 127.0.0.1, valid until 2126, used by nothing else.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUSXD2BTOAHPmDS9qoHMGaXzlXP5wwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTA4MTY0MVoYDzIxMjYxMDI4
MDgxNjQxWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATAjI9miRPB6wjPMZj95OSYuPeQliTfJKTvNnUZM576cwqJoz5awQri
Htw1oRXjXlxMI1taCQad4yjB7suaM5J+o28wbTAdBgNVHQ4EFgQUWlbkChzrwglI
D30Ql+FYmNSSWsswHwYDVR0jBBgwFoAUWlbkChzrwglID30Ql+FYmNSSWsswDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgX+i0PH5SE+nOLhal5KzWbcD08kk5HmV5imkg9U6r9xcCIQDu
n09++l1/MvHIFMQwzkN4MmHi9K4AsdhpDUTu6ljf2w==
-----END CERTIFICATE-----
"""
PRIVATE_KEY = """\
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEILhmW3XstTk4/H0GfiqbmH5V0SH8J/EX1kT0ccei5k/EoAoGCCqGSM49
AwEHoUQDQgAEwIyPZokTwesIzzGY/eTkmLj3kJYk3ySk7zZ1GTOe+nMKiaM+WsEK
4h7cNaEV415cTCNbWgkGneMowe7LmjOSfg==
-----END EC PRIVATE KEY-----
"""
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
METHODS = ["POST", "DELETE", "GET"]


@dataclass(frozen=True)
class Seen:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[socket.socket, Seen], bool]
"""Replies on the connection and says whether to keep it."""


class Loopback:
    """A threaded HTTP/1.1 server, so that it moves on while the client's event loop is busy."""

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        self._answer = answer
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'http' if context is None else 'https'}://localhost:{self.port}"
        self.connections = 0
        self.requests: list[Seen] = []
        self._threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            with connection:
                while (seen := self._receive(connection)) is not None:
                    self.requests.append(seen)
                    if not self._answer(connection, seen):
                        return

    def _receive(self, connection: socket.socket) -> Seen | None:
        data = b""
        while b"\r\n\r\n" not in data:
            if not (chunk := connection.recv(65536)):
                return None
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in rest)}
        while len(body) < int(headers.get("content-length", "0")):
            body += connection.recv(65536)
        method, target, _ = first.split(" ")
        return Seen(method, target, headers, body)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join(5)
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in self._threads:
            thread.join(5)


def reply(payload: bytes = OK, *, keep: bool = True) -> Answer:
    def answer(connection: socket.socket, seen: Seen) -> bool:
        connection.sendall(payload)
        return keep

    return answer


def reset(connection: socket.socket, seen: Seen) -> bool:
    """Hang up with a TCP reset instead of an orderly end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def tunnel(connection: socket.socket, seen: Seen) -> bool:
    """What a forward proxy does with CONNECT."""
    host, _, port = seen.target.rpartition(":")
    with socket.create_connection((host, int(port))) as upstream:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        pair = {connection: upstream, upstream: connection}
        while True:
            for source in select.select(list(pair), [], [])[0]:
                if not (chunk := source.recv(65536)):
                    return False
                pair[source].sendall(chunk)


def in_turn(*answers: Answer) -> Answer:
    """One answer for each request, whatever the connection."""
    rest = iter(answers)

    def answer(connection: socket.socket, seen: Seen) -> bool:
        return next(rest)(connection, seen)

    return answer


Transport = httpx.BaseTransport | httpx.AsyncBaseTransport


class Serve(Protocol):
    def __call__(self, answer: Answer, context: ssl.SSLContext | None = None) -> Loopback: ...


class Make(Protocol):
    def __call__(
        self,
        *,
        proxy: str | None = None,
        trust_env: bool = True,
        verify: bool | ssl.SSLContext = True,
        max_connections: int = 100,
    ) -> Transport: ...


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[Loopback] = []

    def start(answer: Answer, context: ssl.SSLContext | None = None) -> Loopback:
        servers.append(Loopback(answer, context))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(params=["sync", "async"])
async def make(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """Make a default transport of either kind; every test runs with both."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    made: list[Transport] = []

    def start(
        *,
        proxy: str | None = None,
        trust_env: bool = True,
        verify: bool | ssl.SSLContext = True,
        max_connections: int = 100,
    ) -> Transport:
        default = default_transport if request.param == "sync" else default_async_transport
        made.append(default(proxy=proxy, trust_env=trust_env, verify=verify, max_connections=max_connections))
        return made[-1]

    yield start
    for transport in made:
        await shut(transport)


@pytest.fixture
def server_context(tmp_path: Path) -> ssl.SSLContext:
    pem = tmp_path / "server.pem"
    pem.write_text(PRIVATE_KEY + CERTIFICATE)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    return context


def new_request(
    url: str, method: str = "POST", body: bytes = b'{"symbol":"SOL_USDC"}', **timeouts: float
) -> httpx.Request:
    """A signed-order-like request; timeouts are 5 seconds unless told."""
    timeout = {"connect": 5.0, "read": 5.0, "write": 5.0, "pool": 5.0, **timeouts}
    return httpx.Request(
        method,
        url + "/api/v1/order?a=b%20c",
        headers={"X-Signature": "abc=", "Content-Type": "application/json"},
        content=body if method != "GET" else None,
        extensions={"timeout": timeout},
    )


async def send(transport: Transport, request: httpx.Request) -> httpx.Response:
    if isinstance(transport, httpx.AsyncBaseTransport):
        response = await transport.handle_async_request(request)
        await response.aread()
        return response

    def call() -> httpx.Response:
        response = transport.handle_request(request)
        response.read()
        return response

    return await asyncio.to_thread(call)


async def shut(transport: Transport) -> None:
    if isinstance(transport, httpx.AsyncBaseTransport):
        await transport.aclose()
    else:
        transport.close()


async def test_request_and_reply_pass_through_unchanged(make: Make, serve: Serve) -> None:
    server = serve(reply(b"HTTP/1.1 400 Bad\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 4\r\n\r\noops"))
    response = await send(make(), new_request(server.url))
    assert (response.status_code, response.content) == (400, b"oops")
    assert response.headers.get_list("x-a") == ["1", "2"]
    assert server.requests == [
        Seen(
            "POST",
            "/api/v1/order?a=b%20c",
            {
                "host": f"localhost:{server.port}",
                "content-length": "21",
                "x-signature": "abc=",
                "content-type": "application/json",
            },
            b'{"symbol":"SOL_USDC"}',
        )
    ]


async def test_streamed_body_is_sent_whole(make: Make, serve: Serve) -> None:
    server = serve(reply())
    request = httpx.Request(
        "POST", server.url, headers={"Host": "localhost", "Content-Length": "3"}, stream=httpx.ByteStream(b"abc")
    )
    assert (await send(make(), request)).status_code == 200
    assert server.requests[0].body == b"abc"


async def test_compressed_and_empty_replies(make: Make, serve: Serve) -> None:
    packed = gzip.compress(b'{"a":1}')
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    no_content, accepted = b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 202 A\r\nContent-Length: 0\r\n\r\n"
    server = serve(in_turn(reply(head + packed), reply(no_content), reply(accepted)))
    transport = make()
    assert (await send(transport, new_request(server.url))).json() == {"a": 1}
    assert (await send(transport, new_request(server.url))).content == b""
    assert (await send(transport, new_request(server.url))).status_code == 202


async def test_redirects_and_cookies_are_left_to_the_caller(make: Make, serve: Serve) -> None:
    server = serve(reply(b"HTTP/1.1 307 T\r\nLocation: /\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"))
    transport = make()
    for _ in range(2):
        assert (await send(transport, new_request(server.url))).status_code == 307
    assert len(server.requests) == 2
    assert "cookie" not in server.requests[1].headers


async def test_connections_are_kept_and_bounded(make: Make, serve: Serve) -> None:
    server = serve(reply())
    transport = make(max_connections=2)
    for _ in range(3):
        await send(transport, new_request(server.url))
    assert server.connections == 1
    responses = await asyncio.gather(*(send(transport, new_request(server.url)) for _ in range(10)))
    assert [response.status_code for response in responses] == [200] * 10
    assert server.connections == 2


async def test_full_pool_is_a_pool_timeout(make: Make, serve: Serve) -> None:
    go, taken = threading.Event(), threading.Event()

    def wait(connection: socket.socket, _: Seen) -> bool:
        taken.set()
        go.wait(5)
        connection.sendall(OK)
        return True

    server = serve(wait)
    transport = make(max_connections=1)
    first = asyncio.create_task(send(transport, new_request(server.url)))
    await asyncio.to_thread(taken.wait, 5)
    with pytest.raises(httpx.PoolTimeout):
        await send(transport, new_request(server.url, pool=0.05))
    go.set()
    assert (await first).status_code == 200
    assert len(server.requests) == 1


async def test_refused_connection_is_a_connect_error(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(httpx.ConnectError):
        await send(make(), new_request(f"http://127.0.0.1:{port}"))


async def test_silent_handshake_is_a_connect_timeout(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(httpx.ConnectTimeout):
            await send(make(), new_request(url, connect=0.1))


async def test_silent_server_is_a_read_timeout(make: Make, serve: Serve) -> None:
    server = serve(reply(b""))
    with pytest.raises(httpx.ReadTimeout):
        await send(make(), new_request(server.url, read=0.1))
    assert len(server.requests) == 1


async def test_stalled_upload_times_out(make: Make) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises((httpx.WriteTimeout, httpx.ReadTimeout)):
            await send(make(), new_request(url, body=bytes(1_000_000), write=0.1, read=0.1))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("earlier", [0, 1])
@pytest.mark.parametrize(
    ("ending", "error"),
    [
        pytest.param(reply(b"", keep=False), httpx.RemoteProtocolError, id="hang-up"),
        pytest.param(reset, httpx.ReadError, id="reset"),
    ],
)
async def test_connection_lost_after_the_request_arrived(
    make: Make, serve: Serve, method: str, earlier: int, ending: Answer, error: type[httpx.TransportError]
) -> None:
    """The server took it once, and the error is not one of those that mean `never sent`."""
    server = serve(in_turn(*[reply()] * earlier, ending, reply()))
    transport = make()
    for _ in range(earlier):
        await send(transport, new_request(server.url, method))
    with pytest.raises(error):
        await send(transport, new_request(server.url, method))
    assert len(server.requests) == earlier + 1
    assert (await send(transport, new_request(server.url, method))).status_code == 200
    assert server.connections == 2


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", id="short"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", id="no last chunk"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="in the headers"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n\r\n", id="not HTTP"),
    ],
)
async def test_broken_reply_is_a_protocol_error(make: Make, serve: Serve, payload: bytes) -> None:
    server = serve(reply(payload, keep=False))
    with pytest.raises(httpx.RemoteProtocolError):
        await send(make(), new_request(server.url))
    assert len(server.requests) == 1


@pytest.mark.parametrize("stray", [b"", b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"])
async def test_idle_connection_ended_by_the_server(make: Make, serve: Serve, stray: bytes) -> None:
    """A new one is used, even when the event loop had no chance to hear of it: this test blocks it meanwhile."""
    end, ended = threading.Event(), threading.Event()

    def answer(connection: socket.socket, _: Seen) -> bool:
        connection.sendall(OK)
        if ended.is_set():
            return True
        end.wait(5)
        connection.sendall(stray)
        connection.shutdown(socket.SHUT_WR)
        ended.set()
        return True

    server = serve(answer)
    transport = make()
    await send(transport, new_request(server.url))
    end.set()
    assert ended.wait(5)
    assert (await send(transport, new_request(server.url))).status_code == 200
    assert (server.connections, len(server.requests)) == (2, 2)


async def test_certificates_are_checked(make: Make, serve: Serve, server_context: ssl.SSLContext) -> None:
    server = serve(reply(), server_context)
    with pytest.raises(httpx.ConnectError, match="certificate"):
        await send(make(), new_request(server.url))
    trusting = ssl.create_default_context(cadata=CERTIFICATE)
    for transport in (make(verify=trusting), make(verify=False)):
        for _ in range(2):
            assert (await send(transport, new_request(server.url))).status_code == 200
    assert server.connections == 3


async def test_a_socks_proxy_without_its_packages_says_what_to_install(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(InvalidArgument, match=r"backpack-sdk\[socks\]"):
        make(proxy="socks5://127.0.0.1:1")


async def test_explicit_proxy(make: Make, serve: Serve) -> None:
    proxy = serve(reply())
    transport = make(proxy=f"http://user:pass@localhost:{proxy.port}")
    assert (await send(transport, new_request("http://exchange.invalid"))).status_code == 200
    assert proxy.requests[0].target == "http://exchange.invalid/api/v1/order?a=b%20c"
    assert proxy.requests[0].headers["host"] == "exchange.invalid"
    assert proxy.requests[0].headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"


async def test_tunnel_through_a_proxy(make: Make, serve: Serve, server_context: ssl.SSLContext) -> None:
    server, proxy = serve(reply(), server_context), serve(tunnel)
    transport = make(
        proxy=f"http://user:pass@localhost:{proxy.port}", verify=ssl.create_default_context(cadata=CERTIFICATE)
    )
    for _ in range(2):
        assert (await send(transport, new_request(server.url))).status_code == 200
    assert [(seen.method, seen.target) for seen in proxy.requests] == [("CONNECT", f"localhost:{server.port}")]
    assert proxy.requests[0].headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"
    assert "proxy-authorization" not in server.requests[0].headers


async def test_refused_tunnel_is_a_proxy_error(make: Make, serve: Serve) -> None:
    proxy = serve(reply(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", keep=False))
    with pytest.raises(httpx.ProxyError, match="403"):
        await send(make(proxy=proxy.url), new_request("https://exchange.invalid"))


async def test_unreachable_proxy_is_a_connect_error(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(httpx.ConnectError):
        await send(make(proxy=f"http://127.0.0.1:{port}"), new_request("http://exchange.invalid"))


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
async def test_proxy_from_the_environment(
    make: Make, serve: Serve, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    server, proxy = serve(reply()), serve(reply())
    monkeypatch.setenv(variable, f"localhost:{proxy.port}")
    monkeypatch.setenv("NO_PROXY", f"127.0.0.1,localhost:{server.port}")
    transport = make()
    for _ in range(2):
        assert (await send(transport, new_request("http://exchange.invalid"))).status_code == 200
    assert [seen.headers["host"] for seen in proxy.requests] == ["exchange.invalid"] * 2
    assert proxy.connections == 1
    assert (await send(transport, new_request(server.url))).status_code == 200
    assert (len(proxy.requests), len(server.requests)) == (2, 1)


async def test_environment_can_be_ignored(make: Make, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server, proxy = serve(reply()), serve(reply())
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    assert (await send(make(trust_env=False), new_request(server.url))).status_code == 200
    assert (len(proxy.requests), len(server.requests)) == (0, 1)


async def test_cancelling_gives_the_connection_up(serve: Serve) -> None:
    taken, go = threading.Event(), threading.Event()

    def answer(connection: socket.socket, _: Seen) -> bool:
        if not taken.is_set():
            taken.set()
            go.wait(5)
        connection.sendall(OK)
        return True

    server = serve(answer)
    transport = default_async_transport(max_connections=1)
    task = asyncio.create_task(send(transport, new_request(server.url)))
    await asyncio.to_thread(taken.wait, 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await send(transport, new_request(server.url, pool=1.0))).status_code == 200
    go.set()
    assert (server.connections, len(server.requests)) == (2, 2)
    await transport.aclose()


async def test_errors_carry_the_request() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    request = new_request(f"http://127.0.0.1:{port}")
    transport = default_async_transport()
    with pytest.raises(httpx.ConnectError) as caught:
        await send(transport, request)
    assert caught.value.request is request
    await transport.aclose()


async def test_closed_transport_refuses(serve: Serve) -> None:
    server = serve(reply())
    transport = default_async_transport()
    await send(transport, new_request(server.url))
    await transport.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        await send(transport, new_request(server.url))
    assert len(server.requests) == 1


async def test_second_event_loop_is_refused(serve: Serve) -> None:
    server = serve(reply())
    transport = default_async_transport()
    await send(transport, new_request(server.url))
    with pytest.raises(RuntimeError, match="event loop"):
        await asyncio.to_thread(asyncio.run, send(transport, new_request(server.url)))
    await transport.aclose()


def test_blocking_transport_never_imports_aiohttp() -> None:
    code = "import sys, backpack_sdk._transport as t; t.default_transport().close(); sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

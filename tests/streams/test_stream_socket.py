"""The short way of frames: however the bytes are cut, the messages are those of the library's own path."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from backpack_sdk.streams import socket as socket_module
from backpack_sdk.streams.socket import SocketConnection
from tests.streams.stream_server import BINARY, CLOSE, PING, PONG, TEXT, StreamServer, deflated, frame, until

LARGEST = 70_000


def text(size: int, letter: str = "x") -> bytes:
    return frame((letter + f"{size}:" + letter * size)[: max(size, 0)])


TEXTS = st.builds(text, st.integers(0, 300) | st.sampled_from([125, 126, 127, 65_535, 65_536]), st.sampled_from("abcé"))
CONTROLS = st.builds(frame, st.binary(max_size=125), st.sampled_from([PING, PONG]))
FRAGMENTED = st.lists(st.binary(max_size=20), min_size=2, max_size=4).flatmap(
    lambda parts: st.lists(CONTROLS, max_size=2).map(
        lambda controls: b"".join(
            frame(part, 0 if at else TEXT, fin=at == len(parts) - 1)
            + (controls[at] if at < len(controls) and at < len(parts) - 1 else b"")
            for at, part in enumerate(parts)
        )
    )
)
LONG_FORM = st.binary(max_size=50).map(lambda body: bytes((0x81, 126)) + len(body).to_bytes(2, "big") + body)
ENDINGS = (
    b"",
    frame(b"\x03\xe9bye", CLOSE),
    frame(b"", CLOSE),
    frame(b"\x03", CLOSE),
    frame("masked", mask=True),
    frame(bytes(20), mask=True),
    frame("reserved", rsv1=True),
    frame("unknown", 3),
    frame("unknown control", 11),
    frame(b"x" * 126, PING),
    frame("unfinished ping", PING, fin=False),
    frame("continuation of nothing", 0),
    frame("x" * (LARGEST + 1)),
    bytes((0x81, 127)) + (1 << 63).to_bytes(8, "big"),
    b"\x81\x7e\xff",
)
FRAMES = st.tuples(
    st.lists(
        TEXTS | CONTROLS | FRAGMENTED | LONG_FORM | st.builds(frame, st.binary(max_size=9), st.just(BINARY)),
        max_size=12,
    ),
    st.sampled_from(ENDINGS),
    st.lists(TEXTS, max_size=3),
).map(lambda parts: b"".join((*parts[0], parts[1], *parts[2])))


@dataclass
class Outcome:
    messages: list[bytes]
    close_code: int | None
    close_reason: str | None
    close_sent: Any


async def read_by_library(connection: ClientConnection, messages: list[bytes]) -> None:
    try:
        while True:
            messages.append(await connection.recv(decode=False))
    except ConnectionClosed:
        return


async def feed(url: str, kind: type[ClientConnection], chunks: Sequence[bytes]) -> Outcome:
    """What a connection makes of bytes that come in these pieces."""
    connection = await connect(
        url,
        create_connection=kind,
        compression=None,
        proxy=None,
        ping_interval=None,
        close_timeout=0.05,
        max_size=LARGEST,
    )
    messages: list[bytes] = []
    if isinstance(connection, SocketConnection):
        connection.on_texts = lambda payloads, _size: messages.extend(payloads)
        reader = asyncio.create_task(connection.pump())
    else:
        reader = asyncio.create_task(read_by_library(connection, messages))
    await asyncio.sleep(0)
    for chunk in chunks:
        if connection.transport.is_closing():
            break  # a transport delivers nothing any more
        connection.data_received(chunk)
        for _ in range(3):
            await asyncio.sleep(0)
    for _ in range(30):
        await asyncio.sleep(0)
    outcome = Outcome(
        messages, connection.protocol.close_code, connection.protocol.close_reason, connection.protocol.close_sent
    )
    connection.transport.abort()
    await asyncio.gather(reader, connection.wait_closed(), return_exceptions=True)
    return outcome


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@pytest.fixture(autouse=True)
def smaller_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_module, "LARGEST_FRAME", LARGEST)


@settings(max_examples=200, deadline=None)
@given(data=FRAMES, places=st.lists(st.integers(0, 1 << 20), max_size=12))
def test_any_cut_of_any_frames_gives_what_the_library_gives(data: bytes, places: list[int]) -> None:
    async def compare() -> tuple[Outcome, Outcome]:
        async with StreamServer() as server:
            chunks = cut(data, places)
            return await feed(server.ws_url, SocketConnection, chunks), await feed(
                server.ws_url, ClientConnection, [data]
            )

    ours, theirs = asyncio.run(compare())
    assert ours == theirs


MIXED = (
    text(3) + frame(b"p", PING) + text(130, "b") + frame(b"", PONG) + frame("fra", fin=False) + frame(b"i", PING)
    + frame("gment", 0) + text(5, "c") + frame(b"\x03\xe8", CLOSE)
)  # fmt: skip


async def test_frames_cut_at_every_single_place() -> None:
    async with StreamServer() as server:
        whole = await feed(server.ws_url, ClientConnection, [MIXED])
        assert len(whole.messages) == 4
        for place in range(len(MIXED) + 1):
            assert await feed(server.ws_url, SocketConnection, [MIXED[:place], MIXED[place:]]) == whole
        assert await feed(server.ws_url, SocketConnection, [bytes((byte,)) for byte in MIXED]) == whole


@pytest.mark.parametrize("ending", ENDINGS)
async def test_whatever_ends_a_connection_ends_it_as_the_library_would(ending: bytes) -> None:
    data = text(3) + ending + text(4)
    async with StreamServer() as server:
        whole = await feed(server.ws_url, ClientConnection, [data])
        assert whole.messages[:1] == [text(3)[2:]]
        for chunks in ([data], [data[:6], data[6:]], [bytes((byte,)) for byte in data[:200]] + [data[200:]]):
            assert await feed(server.ws_url, SocketConnection, chunks) == whole


async def opened(server: StreamServer, received: list[bytes], **choices: Any) -> SocketConnection:
    connection = await connect(
        server.ws_url, create_connection=SocketConnection, proxy=None, ping_interval=None, close_timeout=0.05, **choices
    )
    assert isinstance(connection, SocketConnection)
    connection.on_texts = lambda payloads, _size: received.extend(payloads)
    return connection


async def test_bytes_that_come_one_by_one_over_tcp() -> None:
    received: list[bytes] = []
    async with StreamServer() as server:
        connection = await opened(server, received, compression=None)
        peer = await server.peer()
        for byte in text(3) + text(126, "b") + frame(b"p", PING) + text(2, "c"):
            peer.raw(bytes((byte,)))
            await asyncio.sleep(0)
        await until(lambda: len(received) == 3)
        assert [len(message) for message in received] == [3, 126, 2]
        assert connection.is_direct
        await connection.close()


async def test_many_frames_in_one_segment() -> None:
    received: list[bytes] = []
    async with StreamServer() as server:
        connection = await opened(server, received, compression=None)
        (await server.peer()).raw(b"".join(text(number % 200) for number in range(2000)))
        await until(lambda: len(received) == 2000)
        assert [len(message) for message in received] == [number % 200 for number in range(2000)]
        await connection.close()


@pytest.mark.parametrize("early", [text(4), text(4) + text(130)[:50], text(4) + b"\x81", frame(b"p", PING)])
async def test_frames_in_the_segment_of_the_handshake_do_not_put_later_ones_out_of_step(early: bytes) -> None:
    received: list[bytes] = []
    async with StreamServer() as server:
        server.after_handshake = early
        connection = await opened(server, received, compression=None)
        if early.endswith(b"\x81"):
            rest = text(4)[1:]
        elif len(early) > 20:
            rest = text(130)[50:]
        else:
            rest = b""
        (await server.peer()).raw(rest + text(7, "z"))
        await until(lambda: received and len(received[-1]) == 7)
        await connection.close()


@pytest.mark.parametrize("kind", ["fragmented", "compressed", "binary"])
async def test_after_the_first_frame_that_is_not_plain_the_order_is_kept(kind: str) -> None:
    received: list[bytes] = []
    async with StreamServer() as server:
        server.deflate = True
        connection = await opened(server, received)
        pump = asyncio.create_task(connection.pump())
        peer = await server.peer()
        odd = {
            "fragmented": frame("od", fin=False) + frame("d", 0),
            "compressed": deflated("odd"),
            "binary": frame("odd", BINARY),
        }[kind]
        plain = [frame(f"n{number}") for number in range(50)]
        peer.raw(b"".join([*plain[:20], odd, *plain[20:]]))
        await until(lambda: len(received) == 51)
        wanted = [f"n{number}".encode() for number in range(50)]
        assert received == [*wanted[:20], b"odd", *wanted[20:]]
        assert not connection.is_direct
        await connection.close()
        await pump


async def test_a_close_frame_is_noticed_at_once_and_told_in_words() -> None:
    async with StreamServer() as server:
        connection = await opened(server, [], compression=None)
        peer = await server.peer()
        peer.close(1001, "restart")
        await connection.close_received
        assert connection.describe_close() == "the server closed the connection with 1001 (going away): restart"
        await connection.close()


@pytest.mark.parametrize(("code", "words"), [(4999, "with 4999 (private code)"), (1012, "with 1012 (service restart)")])
async def test_any_close_code_can_be_told(code: int, words: str) -> None:
    async with StreamServer() as server:
        connection = await opened(server, [], compression=None)
        (await server.peer()).close(code)
        await connection.close_received
        assert connection.describe_close().endswith(words)
        await connection.close()


async def test_a_broken_connection_is_told_in_words() -> None:
    async with StreamServer() as server:
        connection = await opened(server, [], compression=None)
        (await server.peer()).abort()
        await connection.wait_closed()
        assert connection.describe_close() == "the connection broke"

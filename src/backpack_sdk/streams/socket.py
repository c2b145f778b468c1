"""A WebSocket connection that hands plain text frames on as they arrive, without a queue and a task switch each.

It is the library's own connection with one method overridden: whole, uncompressed text frames are cut from the bytes
that the transport delivers and passed to a callback at once, which costs a tenth of `recv()`. Everything else, that is
the handshake, control frames and whatever breaks the protocol, goes through the library. At the first fragmented or
compressed frame the connection falls back to the library's path for good: were some messages queued and others not,
they would change places.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import OPEN, Event

LARGEST_FRAME = 4 * 1024 * 1024
"""Bytes; a longer frame ends the connection."""
_HEAD_END = b"\r\n\r\n"
_TEXT, _CLOSE, _PONG = 0x81, 0x88, 0x8A
_SHORT = 126


class SocketConnection(ClientConnection):
    """One open socket. Set `on_text` before anything is sent; it is called with every text frame's payload."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.on_text: Callable[[bytes], None] = _ignore
        """Gets the payload of each text frame. It must not raise."""
        self.on_received: Callable[[int, int], None] = _count_nothing
        """Gets the number of text frames that came at once, after they were passed on, and of the bytes."""
        self.close_received = self.loop.create_future()
        """Done when the server's Close frame has come, which may be long before the connection is lost."""
        self.last_received = self.loop.time()
        """When bytes last came, by the event loop's clock."""
        self.is_direct = True
        """Whether frames still take the short way."""
        self._head: bytes | None = b""
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        """Take bytes from the transport."""
        self.last_received = self.loop.time()
        if self._head is not None:
            self._take_handshake(data)
        elif self.is_direct:
            self._take_frames(self._rest + data if self._rest else data)
        else:
            super().data_received(data)

    def _take_handshake(self, data: bytes) -> None:
        """Give the reply to the handshake to the library, and what follows it to whoever reads frames."""
        head = (self._head or b"") + data
        end = head.find(_HEAD_END)
        if end < 0:
            self._head = head
            super().data_received(data)
            return
        frames = head[end + len(_HEAD_END) :]
        self._head = None
        super().data_received(data[: len(data) - len(frames)])
        self.is_direct = self.protocol.state is OPEN
        if frames:
            (self._take_frames if self.is_direct else super().data_received)(frames)

    def _take_frames(self, data: bytes) -> None:
        """Pass on every whole text frame; keep the beginning of one that is not all there."""
        at = frames = 0
        end_of_data = len(data)
        on_text, is_open = self.on_text, self.protocol.state is OPEN
        while end_of_data - at >= 2:
            kind, size, start = data[at], data[at + 1], at + 2
            if size == _SHORT:
                start = at + 4
                if end_of_data < start:
                    break
                size = data[at + 2] << 8 | data[at + 3]
            elif size > _SHORT:
                if size > _SHORT + 1:  # masked, which a server's frame must not be
                    self._fall_back(data[at:])
                    break
                start = at + 10
                if end_of_data < start:
                    break
                size = int.from_bytes(data[at + 2 : start], "big")
            end = start + size
            if kind == _TEXT and size <= LARGEST_FRAME:
                if end > end_of_data:
                    break
                if is_open:
                    on_text(data[start:end])
                    frames += 1
            elif _CLOSE <= kind <= _PONG and size < _SHORT:
                if end > end_of_data:
                    break
                super().data_received(data[at:end])
                is_open = self.protocol.state is OPEN
            else:
                self._fall_back(data[at:])
                break
            at = end
        if self.is_direct:
            self._rest = data[at:]
        if frames:
            self.on_received(frames, at)

    def _fall_back(self, data: bytes) -> None:
        self.is_direct, self._rest = False, b""
        super().data_received(data)

    def process_event(self, event: Event) -> None:
        """Note a Close frame the moment it comes."""
        super().process_event(event)
        if isinstance(event, Frame) and event.opcode is Opcode.CLOSE and not self.close_received.done():
            self.close_received.set_result(None)

    async def pump(self) -> None:
        """Pass on what takes the library's path, until the connection is closed. Runs all the time."""
        try:
            while True:
                message = await self.recv(decode=False)
                self.on_text(message)
                self.on_received(1, len(message))
        except ConnectionClosed:
            return

    def describe_close(self) -> str:
        """Why the connection ended, in words."""
        received = self.protocol.close_rcvd
        if received is None:
            return "the connection broke"
        try:
            meaning = CloseCode(received.code).name.lower().replace("_", " ")
        except ValueError:
            meaning = "private code"
        reason = f": {received.reason}" if received.reason else ""
        return f"the server closed the connection with {received.code} ({meaning}){reason}"


def _count_nothing(_frames: int, _size: int) -> None:
    """What happens to counts before anybody has asked for them."""


def _ignore(_payload: bytes) -> None:
    """What happens to frames that come before anybody has asked for them."""

"""A WebSocket connection that hands plain text frames on as they arrive, without a queue and a task switch each.

It is the library's own connection with one method overridden: whole, uncompressed text frames are cut from the bytes
that the transport delivers, and those that came together are passed to a callback, which costs a tenth of `recv()`.
Everything else, that is the handshake, control frames and whatever breaks the protocol, goes through the library. At
the first fragmented or compressed frame the connection falls back to the library's path for good: were some messages
queued and others not, they would change places.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct
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
_BROKEN = (CloseCode.PROTOCOL_ERROR, CloseCode.INVALID_DATA, CloseCode.MESSAGE_TOO_BIG)
"""What the library says when the server's bytes make no sense."""
_MEDIUM_TEXT = _TEXT << 8 | _SHORT
"""How a text frame of 126 to 65,535 bytes begins; its length follows in two bytes."""
_read_head = Struct(">HH").unpack_from


class SocketConnection(ClientConnection):
    """One open socket. Set `on_texts` before anything is sent; it is called with the text frames that came together."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.on_texts: Callable[[Sequence[bytes], int], None] = _ignore
        """Gets the payloads of text frames and the number of bytes they came in. It must not raise."""
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
        at, end_of_data, payloads = 0, len(data), list[bytes]()
        add, is_open = payloads.append, self.protocol.state is OPEN
        while True:
            if end_of_data - at >= 4:
                head, size = _read_head(data, at)
                if head == _MEDIUM_TEXT:  # as nearly all are
                    start = at + 4
                    end = start + size
                    if end > end_of_data:
                        break
                    if is_open:
                        add(data[start:end])
                    at = end
                    continue
            end, start = self._take_rare(data, at)
            if end < 0:
                break
            if start == 0:
                is_open = self.protocol.state is OPEN
            elif is_open:
                add(data[start:end])
            at = end
        if self.is_direct:
            self._rest = data[at:]
        if payloads:
            self.on_texts(payloads, at)

    def _take_rare(self, data: bytes, at: int) -> tuple[int, int]:
        """Where a text frame of unusual length ends, and where its payload starts; 0 when it was a control frame.

        The end is -1 when the frame is not all there yet, or when the connection has fallen back.
        """
        end_of_data = len(data)
        if end_of_data - at < 2:
            return -1, 0
        kind, size, start = data[at], data[at + 1], at + 2
        if size >= _SHORT:
            if size > _SHORT + 1:  # masked, which a server's frame must not be
                self._fall_back(data[at:])
                return -1, 0
            start = at + (4 if size == _SHORT else 10)
            if end_of_data < start:
                return -1, 0
            size = int.from_bytes(data[at + 2 : start], "big")
        end = start + size
        if kind == _TEXT and size <= LARGEST_FRAME:
            return (end, start) if end <= end_of_data else (-1, 0)
        if not (_CLOSE <= kind <= _PONG and size < _SHORT):
            self._fall_back(data[at:])
            return -1, 0
        if end > end_of_data:
            return -1, 0
        super().data_received(data[at:end])
        return end, 0

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
                self.on_texts((message,), len(message))
        except ConnectionClosed:
            return

    def describe_close(self) -> str:
        """Why the connection ended, in words."""
        received = self.protocol.close_rcvd
        if received is None:
            sent = self.protocol.close_sent
            if sent is not None and sent.code in _BROKEN:
                return f"the server broke the protocol: {sent.reason or sent.code}"
            return "the connection broke"
        try:
            meaning = CloseCode(received.code).name.lower().replace("_", " ")
        except ValueError:
            meaning = "private code"
        reason = f": {received.reason}" if received.reason else ""
        return f"the server closed the connection with {received.code} ({meaning}){reason}"


def _ignore(_payloads: Sequence[bytes], _size: int) -> None:
    """What happens to frames that come before anybody has asked for them."""

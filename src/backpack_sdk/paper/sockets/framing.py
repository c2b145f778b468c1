"""WebSocket frames as bytes, from a server: unmasked (RFC 6455, section 5.2), compressed if wanted (RFC 7692)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from struct import Struct

_SHORT = Struct("!BB").pack
_MIDDLE = Struct("!BBH").pack
_LONG = Struct("!BBQ").pack
_LONGEST_SHORT = 125
_LONGEST_MIDDLE = 0xFFFF
_FINAL = 0x80
_COMPRESSED = 0x40
_CONTINUATION, _TEXT, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x8, 0x9, 0xA
_CODE = Struct("!H").pack
_FLUSH_MARK = b"\x00\x00\xff\xff"


def frame(payload: bytes, opcode: int, *, final: bool = True) -> bytes:
    """Return one frame, header and payload."""
    first = opcode | _FINAL if final else opcode
    length = len(payload)
    if length <= _LONGEST_SHORT:
        return _SHORT(first, length) + payload
    if length <= _LONGEST_MIDDLE:
        return _MIDDLE(first, 126, length) + payload
    return _LONG(first, 127, length) + payload


class Message:
    """A text message for any number of clients. `payload` is UTF-8."""

    __slots__ = ("_wires", "payload")

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self._wires: dict[int, bytes] = {}

    def wire(self, window_bits: int) -> bytes:
        """Return the message in one frame, as one client reads it.

        `window_bits` is the base-two logarithm of the client's compression window, 0 for no compression. Messages are
        compressed each on its own, so that a frame is the same for all: the client's window is just never made use of.
        """
        wire = self._wires.get(window_bits)
        if wire is None:
            wire = self._wires[window_bits] = (
                _compressed(self.payload, window_bits) if window_bits else text(self.payload)
            )
        return wire


def text(payload: bytes) -> bytes:
    """Return a text message in one frame without compression. `payload` is UTF-8."""
    return frame(payload, _TEXT)


def _compressed(payload: bytes, window_bits: int) -> bytes:
    deflate = zlib.compressobj(level=1, wbits=-window_bits)
    shrunk = deflate.compress(payload) + deflate.flush(zlib.Z_SYNC_FLUSH)
    return frame(shrunk.removesuffix(_FLUSH_MARK), _TEXT | _COMPRESSED)


def fragments(payload: bytes, parts: int) -> Iterator[bytes]:
    """Yield a text message in up to `parts` frames, which may split a character."""
    size = max(1, -(-len(payload) // parts))
    starts = range(0, max(len(payload), 1), size)
    for start in starts:
        opcode = _TEXT if start == 0 else _CONTINUATION
        yield frame(payload[start : start + size], opcode, final=start == starts[-1])


def close(code: int | None, reason: str = "") -> bytes:
    """Return a Close frame; without a code it is empty."""
    return frame(b"" if code is None else _CODE(code) + reason.encode(), _CLOSE)


def ping(payload: bytes = b"") -> bytes:
    """Return a ping."""
    return frame(payload, _PING)


def pong(payload: bytes) -> bytes:
    """Return the pong to a ping with that payload."""
    return frame(payload, _PONG)

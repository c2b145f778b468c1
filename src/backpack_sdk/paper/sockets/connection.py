"""One client: what it listens to, and what is on its way to it."""

from __future__ import annotations

import asyncio

from .framing import close, text

Key = tuple[str, str]
"""(account, stream), the account being empty for public streams."""


class Connection:
    """Writes frames of its own to the transport of a WebSocket, many at once, and never waits for the client.

    A client that lets more than `max_backlog` bytes pile up is cut off, and so is one that does not answer a Close
    frame within `grace` seconds.
    """

    def __init__(
        self, transport: asyncio.WriteTransport, *, max_backlog: int, grace: float, window_bits: int = 0
    ) -> None:
        self._transport = transport
        self._max_backlog = max_backlog
        self._grace = grace
        self._outbox: list[bytes] = []
        self._is_closing = False
        self._deadline: asyncio.TimerHandle | None = None
        self.gone = asyncio.Event()
        """Set when the connection has ended."""
        self.window_bits = window_bits
        """Size of the client's compression window as a power of two, 0 for no compression."""
        self.keys: dict[Key, None] = {}
        """What it listens to."""
        self.pinged_at: float | None = None
        """When the oldest ping without an answer went out."""

    def post(self, *wires: bytes) -> None:
        """Put whole frames behind those that wait for `flush`."""
        self._outbox += wires

    def say(self, payload: bytes) -> None:
        """Send a text message now."""
        self.post(text(payload))
        self.flush()

    def flush(self) -> None:
        """Send what waits. After a Close frame nothing is sent any more."""
        outbox, self._outbox = self._outbox, []
        if not outbox or self._is_closing or self._transport.is_closing():
            return
        self._transport.write(outbox[0] if len(outbox) == 1 else b"".join(outbox))
        if self._transport.get_write_buffer_size() > self._max_backlog:
            self.abort()

    def abort(self) -> None:
        """End the connection without a word."""
        self._outbox.clear()
        self._transport.abort()

    def close(self, code: int | None, reason: str = "") -> None:
        """Send what waits and a Close frame, and end the connection if the client does not answer in time."""
        self.post(close(code, reason))
        self.flush()
        if not self._is_closing:
            self._is_closing = True
            self._deadline = asyncio.get_running_loop().call_later(self._grace, self.abort)

    def end(self) -> None:
        """Let go of a connection that both sides are done with; what is written so far still goes out."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._transport.close()
        self.gone.set()

"""WebSockets over aiohttp: upgrades requests, reads what clients send, and closes sockets in good order."""

from __future__ import annotations

import asyncio

from aiohttp import WSMsgType, web

from .connection import Connection
from .context import HubContext, SocketOptions
from .framing import pong
from .hub import Hub
from .timers import Metronome

_LONGEST_REQUEST = 1 << 20
_GOING_AWAY = 1001
_NO_CODE = 0
"""What aiohttp says of an empty Close frame."""


class SocketServer:
    """The sockets of one run of the server."""

    def __init__(self, context: HubContext, options: SocketOptions) -> None:
        self.metronome = Metronome(options.speed)
        self._faults = context.faults
        self._hub = Hub(context, self.metronome)
        self._options = options
        self._is_stopping = False

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one client until it leaves."""
        status = 503 if self._is_stopping else self._faults.take_refusal()
        if status is not None:
            return web.Response(status=status, text="no sockets for now")
        socket = web.WebSocketResponse(
            autoping=False,
            autoclose=False,
            compress=self._options.compress,
            max_msg_size=_LONGEST_REQUEST,
            timeout=self._options.grace,
        )
        try:
            await socket.prepare(request)
        except ConnectionResetError:
            return web.Response()  # the client left while it was let in, and gets nothing
        if request.transport is None:
            return socket
        options = self._options
        connection = Connection(
            request.transport,
            max_backlog=options.max_backlog,
            grace=options.grace,
            window_bits=int(socket.compress),
        )
        self._hub.join(connection)
        try:
            async for message in socket:
                self._receive(connection, message.type, message.data)
            # The answer to a Close frame of the client; without effect if that was an answer itself.
            connection.close(socket.close_code if socket.close_code != _NO_CODE else None)
        finally:
            self._hub.leave(connection)
            connection.end()
        return socket

    async def stop(self) -> None:
        """Send every client a Close frame, and give them the time of grace to answer it. Take no new ones."""
        self._is_stopping = True
        connections = list(self._hub.delivery.connections)
        for connection in connections:
            connection.close(_GOING_AWAY)
        self._hub.stop()
        await asyncio.gather(*(connection.gone.wait() for connection in connections))

    def _receive(self, connection: Connection, kind: WSMsgType, data: object) -> None:
        if kind is WSMsgType.TEXT and isinstance(data, str):
            self._hub.receive(connection, data)
        elif kind is WSMsgType.BINARY:
            self._hub.complain_of_binary(connection)
        elif kind is WSMsgType.PONG:
            connection.pinged_at = None
        elif kind is WSMsgType.PING and not self._faults.is_silent:
            self._hub.send_pending()  # so that the pong comes after all that happened before the ping was read
            connection.post(pong(bytes(data) if isinstance(data, (bytes, bytearray)) else b""))
            connection.flush()

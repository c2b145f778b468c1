"""The aiohttp application in front of a gateway: reads requests, keeps the log, plays the faults, writes replies.

A request to upgrade to a WebSocket goes to the sockets, whatever its path.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque

from aiohttp import web

from .edge import EdgeGateway
from .faults import Fault, FaultScript, Harm
from .operations import BY_ROUTE
from .received import ReceivedRequest
from .replies import Reply
from .sockets.shell import SocketServer

MAX_LOGGED = 10_000
"""Requests that the log keeps; older ones are forgotten."""


class Front:
    """Answers over HTTP. `lock` is held while the gateway works and while the log changes."""

    def __init__(self, gateway: EdgeGateway, faults: FaultScript, lock: threading.RLock) -> None:
        self._gateway = gateway
        self._faults = faults
        self._lock = lock
        self.log: deque[ReceivedRequest] = deque(maxlen=MAX_LOGGED)

    def application(self, sockets: SocketServer) -> web.Application:
        """Return a new application. One serves one run of a server."""

        async def handle(request: web.Request) -> web.StreamResponse:
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await sockets.handle(request)
            return await self.handle(request)

        app = web.Application()
        # The gateway knows the paths, and words the refusal of unknown ones as the exchange does.
        app.router.add_route("*", "/{path:.*}", handle)
        return app

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request of the REST API."""
        received = await _receive(request)
        with self._lock:
            self.log.append(received.without_secrets())
        delay = self._gateway.delay(received)
        if delay:
            await asyncio.sleep(delay)
        fault = None if received.operation is None else self._faults.take(received.operation)
        if fault is None:
            return _response(self._answer(received))
        return await self._answer_badly(request, received, fault)

    def _answer(self, received: ReceivedRequest) -> Reply:
        with self._lock:
            return self._gateway.answer(received)

    async def _answer_badly(self, request: web.Request, received: ReceivedRequest, fault: Fault) -> web.StreamResponse:
        await asyncio.sleep(fault.seconds)
        reply = self._answer(received) if fault.takes_effect else Reply(500)
        await asyncio.sleep(fault.seconds_after)
        if fault.harm is Harm.DROPPED:
            return _hang_up(request, _response(reply))
        if fault.harm is Harm.TRUNCATED:
            return await _send_half(request, reply)
        return _response(reply if fault.reply is None else fault.reply)


async def _receive(request: web.Request) -> ReceivedRequest:
    path, _, query = request.raw_path.partition("?")
    operation = BY_ROUTE.get((request.method, path))
    return ReceivedRequest(
        method=request.method,
        path=path,
        query=query,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.read(),
        operation=operation.name if operation is not None else None,
    )


def _response(reply: Reply) -> web.Response:
    headers = dict(reply.headers)
    if reply.content_type is not None:
        headers["Content-Type"] = reply.content_type
    return web.Response(status=reply.status, body=reply.body, headers=headers)


async def _send_half(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Send half of the body; of a reply without one, nothing at all."""
    if not reply.body:
        return _hang_up(request, _response(reply))
    response = web.StreamResponse(
        status=reply.status,
        headers={"Content-Type": reply.content_type or "", "Content-Length": str(len(reply.body))},
    )
    await response.prepare(request)
    await response.write(reply.body[: len(reply.body) // 2])
    return _hang_up(request, response)


def _hang_up(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Close the connection; what is written so far still goes out. aiohttp finds it closed and sends no more."""
    if request.transport is not None:
        request.transport.close()
    return response

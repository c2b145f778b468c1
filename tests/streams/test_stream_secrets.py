"""Nothing secret is shown by streams: not in any log at any level, not in a repr, not in an error."""

from __future__ import annotations

import asyncio
import base64
import io
import logging
import traceback
from collections.abc import Iterator

import pytest

from backpack_sdk._core.errors import StreamError
from tests.loopback import CREDENTIALS, SEED
from tests.streams.desk import streaming, take
from tests.streams.stream_server import StreamServer, until


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """All that any library logs, from DEBUG up."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield out
    root.setLevel(before)
    root.removeHandler(handler)


async def test_a_private_subscription_shows_neither_secret_nor_signature(everything_logged: io.StringIO) -> None:
    shown: list[str] = []
    async with StreamServer() as server:
        server.on_command = lambda peer, command: (
            peer.error(4003, "Invalid signature") if "account.rfqUpdate" in command["params"] else None
        )
        async with streaming(server, client={"proxy": None}, check_symbols=True) as ws:
            stream, refused = ws.order_updates(), ws.rfq_updates()
            await until(lambda: server.peers and server.peers[0].commands)
            with pytest.raises(StreamError) as caught:
                await refused.ready()
            shown += [str(caught.value), repr(caught.value), "".join(traceback.format_exception(caught.value))]
            other = ws.balance_updates()
            await other.ready()
            server.peers[0].send("account.balanceUpdate", {"a": 1})
            await take(other, 1)
            server.peers[0].abort()
            await server.peer(2)
            shown += [repr(one) for one in (ws, stream, refused, other, ws._setup, ws._options, ws._connection)]
            await asyncio.sleep(0.01)
    signatures = {
        part for peer in server.peers for command in peer.commands for part in command.get("signature", [])[1:2]
    }
    assert len(signatures) >= 3
    logged = everything_logged.getvalue()
    assert "stream connection is live" in logged
    assert "failure 1" in logged
    secrets = {SEED, SEED.rstrip("="), base64.b64decode(SEED).hex(), *signatures}
    for text in (logged, *shown):
        for secret in secrets:
            assert secret not in text
    assert CREDENTIALS.api_key not in logged
    assert "SUBSCRIBE" not in logged, "the WebSocket library writes down frames, though not the whole of long ones"
    assert not any(signature[:12] in logged or signature[-12:] in logged for signature in signatures)

"""A client of the embedded exchange's sockets, on a WebSocket library of its own, and what it makes of the streams.

Nothing here shares code with the exchange or with the SDK.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from backpack_sdk.paper import PaperExchange, SocketOptions
from backpack_sdk.paper.engine import NewOrder, Order, OrderType, Side

from .app_desk import API_KEY, SECRET, now_ms, signature

STILL = SocketOptions(speed=0)
"""Timers that stand still but for `skip`."""
SYMBOL = "SOL_USDC"


class Client:
    """One socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def subscribe(self, *names: str) -> None:
        """Listen to public streams, and wait until the exchange has read that."""
        await self.send({"method": "SUBSCRIBE", "params": list(names)})

    async def unsubscribe(self, *names: str) -> None:
        """Listen no more."""
        await self.send({"method": "UNSUBSCRIBE", "params": list(names)})

    async def sign_in(self, *names: str, secret: str = SECRET, key: str = API_KEY, **changes: str) -> None:
        """Listen to private streams."""
        parts = {"timestamp": str(now_ms()), "window": "5000"} | changes
        text = f"instruction=subscribe&timestamp={parts['timestamp']}&window={parts['window']}"
        signed = parts.get("signature", signature(text, secret))
        await self.send(
            {
                "method": "SUBSCRIBE",
                "params": list(names),
                "signature": [key, signed, parts["timestamp"], parts["window"]],
            }
        )

    async def send(self, frame: object) -> None:
        """Send a frame, as JSON unless it is text or bytes, and wait until the exchange has read it."""
        await self.socket.send(frame if isinstance(frame, (str, bytes)) else json.dumps(frame))
        await self.settle()

    async def settle(self) -> None:
        """Wait until the exchange has read all that was sent: it answers pings in order."""
        await asyncio.wait_for(await self.socket.ping(), 10)

    async def text(self) -> str:
        """The next message as it stands on the wire."""
        text = await asyncio.wait_for(self.socket.recv(), 10)
        assert isinstance(text, str)
        return text

    async def message(self) -> dict[str, Any]:
        """The next message."""
        found: dict[str, Any] = json.loads(await self.text())
        return found

    async def data(self, stream: str) -> dict[str, Any]:
        """The data of the next message, which must be of that stream."""
        message = await self.message()
        assert message["stream"] == stream, message
        found: dict[str, Any] = message["data"]
        return found

    async def waiting(self) -> list[dict[str, Any]]:
        """Every message that has arrived, or is on its way from before this call."""
        await self.settle()
        found: list[dict[str, Any]] = []
        with contextlib.suppress(TimeoutError):
            while True:
                async with asyncio.timeout(0.02):
                    found.append(json.loads(await self.socket.recv()))
        return found


@contextlib.asynccontextmanager
async def client(exchange: PaperExchange) -> AsyncIterator[Client]:
    """A client that is connected."""
    async with connect(exchange.ws_url, proxy=None, ping_interval=None, max_size=None, max_queue=None) as socket:
        yield Client(socket)


def place(exchange: PaperExchange, side: str, price: str, quantity: str = "1", **options: Any) -> Order:
    """Give the engine a limit order."""
    options = {"symbol": SYMBOL, **options}
    order = NewOrder(
        side=Side(side), order_type=OrderType.LIMIT, price=Decimal(price), quantity=Decimal(quantity), **options
    )
    with exchange.lock:
        return exchange.engine.execute(API_KEY, order, now_us=exchange.clock()).value


def cancel(exchange: PaperExchange, order: Order) -> None:
    """Take an order back."""
    with exchange.lock:
        exchange.engine.cancel(API_KEY, order.symbol, order_id=order.id, now_us=exchange.clock())


class Mirror:
    """A book made of a snapshot and the changes after it. It insists that no id is missing."""

    def __init__(
        self, exchange: PaperExchange, symbol: str = SYMBOL, *, snapshot: dict[str, Any] | None = None
    ) -> None:
        """Start from the book of the engine, or from what REST has answered."""
        self.exchange, self.symbol = exchange, symbol
        self.sides: dict[str, dict[Decimal, Decimal]]
        if snapshot is None:
            with exchange.lock:
                depth = exchange.engine.depth(symbol)
            self.sides = {"b": dict(depth.bids), "a": dict(depth.asks)}
            self.last_id = depth.last_update_id
        else:
            self.sides = {
                name[0]: {Decimal(price): Decimal(size) for price, size in snapshot[name]} for name in ("bids", "asks")
            }
            self.last_id = int(snapshot["lastUpdateId"])
        self.start_id = self.last_id
        self.seen = 0

    def apply(self, data: dict[str, Any]) -> None:
        """Follow one change."""
        if data["u"] <= self.start_id:
            return
        joins = data["U"] == self.last_id + 1 if self.seen else data["U"] <= self.last_id + 1 <= data["u"]
        assert joins, f"{data['U']}..{data['u']} does not join {self.last_id}"
        for name, side in self.sides.items():
            for price, size in data[name]:
                if Decimal(size):
                    side[Decimal(price)] = Decimal(size)
                else:
                    side.pop(Decimal(price), None)
        self.last_id = data["u"]
        self.seen += 1

    def check(self) -> None:
        """Compare with the book of the engine."""
        with self.exchange.lock:
            depth = self.exchange.engine.depth(self.symbol)
        assert self.last_id == depth.last_update_id
        assert self.sides == {"b": dict(depth.bids), "a": dict(depth.asks)}

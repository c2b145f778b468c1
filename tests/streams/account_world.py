"""An account as the exchange keeps it, for tests: what happens to it, and what stream and REST tell of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from backpack_sdk.streams.account_records import (
    AccountFill,
    TrackedOrder,
    TrackedPosition,
    fill_from_update,
    order_from_update,
)
from backpack_sdk.streams.events import OrderUpdate, PositionUpdate

SYMBOL = "SOL_USDC_PERP"


@dataclass
class AccountWorld:
    """Orders are opened, filled, cancelled; every step gives the events that the streams would carry."""

    random: Random
    now_us: int = 1_700_000_000_000_000
    open: dict[str, TrackedOrder] = field(default_factory=dict[str, TrackedOrder])
    ended: dict[str, TrackedOrder] = field(default_factory=dict[str, TrackedOrder])
    fills: list[AccountFill] = field(default_factory=list[AccountFill])
    net: Decimal = Decimal(0)
    _ids: int = 0
    _trades: int = 0

    def step(self) -> list[OrderUpdate | PositionUpdate]:
        """Let one thing happen."""
        self.now_us += self.random.randrange(1, 2_000_000)
        choice = self.random.random()
        if not self.open or choice < 0.35:
            return self._place()
        order = self.random.choice(sorted(self.open.values(), key=lambda order: order.order_id))
        if choice < 0.75:
            return self._fill(order)
        return [self._tell(order, "orderCancelled", "Cancelled")]

    def positions(self) -> list[TrackedPosition]:
        """What REST tells of positions."""
        return [self._position()] if self.net else []

    def _place(self) -> list[OrderUpdate | PositionUpdate]:
        self._ids += 1
        quantity = Decimal(self.random.randrange(1, 5))
        side = self.random.choice(("Bid", "Ask"))
        update = self._event("orderAccepted", str(self._ids), side, "New", quantity, Decimal(0))
        order = order_from_update(update)
        self.open[order.order_id] = order
        if self.random.random() < 0.2:  # it meets the book at once
            return [update, *self._fill(order)]
        return [update]

    def _fill(self, order: TrackedOrder) -> list[OrderUpdate | PositionUpdate]:
        assert order.quantity is not None
        quantity = Decimal(self.random.randrange(1, int(order.quantity - order.executed_quantity) + 1))
        done = order.executed_quantity + quantity
        self._trades += 1
        status = "Filled" if done == order.quantity else "PartiallyFilled"
        update = self._event("orderFill", order.order_id, order.side, status, order.quantity, done, quantity)
        fill = fill_from_update(update)
        assert fill is not None
        self.fills.append(fill)
        self._keep(order_from_update(update))
        self.net += quantity if order.side == "Bid" else -quantity
        return [update, self._position_event()]

    def _tell(self, order: TrackedOrder, event: str, status: str) -> OrderUpdate:
        assert order.quantity is not None
        update = self._event(event, order.order_id, order.side, status, order.quantity, order.executed_quantity)
        self._keep(order_from_update(update))
        return update

    def _keep(self, order: TrackedOrder) -> None:
        if order.is_over:
            del self.open[order.order_id]
            self.ended[order.order_id] = order
        else:
            self.open[order.order_id] = order

    def _event(
        self, event: str, order_id: str, side: str, status: str, quantity: Decimal, done: Decimal,
        filled: Decimal | None = None,
    ) -> OrderUpdate:  # fmt: skip
        wire: dict[str, Any] = {
            "e": event, "E": self.now_us + 500, "T": self.now_us, "s": SYMBOL, "i": order_id, "S": str(side),
            "o": "LIMIT", "f": "GTC", "q": str(quantity), "p": "100", "X": status, "z": str(done),
            "Z": str(done * 100), "V": "RejectTaker", "O": "USER", "t": None,
        }  # fmt: skip
        if filled is not None:
            wire |= {"t": self._trades, "l": str(filled), "L": "100", "m": True, "n": "0.01", "N": "USDC"}
        return OrderUpdate.from_wire(wire)

    def _position_event(self) -> PositionUpdate:
        position = self._position()
        return PositionUpdate.from_wire({
            "e": "positionAdjusted" if self.net else "positionClosed", "E": self.now_us + 500, "T": self.now_us,
            "s": SYMBOL, "i": 7, "q": str(position.net_quantity), "Q": str(position.net_exposure_quantity),
            "n": "1", "B": "100", "b": "100", "M": "100", "f": "0.1", "m": "0.05", "p": "0", "P": "0",
        })  # fmt: skip

    def _position(self) -> TrackedPosition:
        hundred, nothing = Decimal(100), Decimal(0)
        return TrackedPosition(SYMBOL, "7", self.net, hundred, hundred, hundred, self.net, Decimal(1), nothing, nothing)

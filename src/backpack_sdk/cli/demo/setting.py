"""Where the story takes place: the exchange, who trades there, and what they watch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from ... import orders
from ..._generated.streams.models import OrderUpdate
from ...client import AsyncBackpack
from ...paper import Flow, PaperExchange
from ...paper.defaults import default_markets
from ...streams.client import Streams
from ...streams.order_books import OrderBooks
from ...streams.status import ConnectionState, StateChange
from .board import Screen, expect

SPOT, FUTURES = "SOL_USDC", "SOL_USDC_PERP"
SYMBOLS = (SPOT, "BTC_USDC", FUTURES)
START: Mapping[str, Decimal] = {"USDC": Decimal(25_000), "SOL": Decimal(20)}
PATIENCE = 20.0
"""Seconds that anything may take before the story has gone wrong."""
_RATE, _VOLATILITY = 120.0, 0.0002
_PRELUDE = 300
"""What the synthetic traders do before the curtain rises, so that every book is filled."""
_LOOK_SECONDS, _ACT_SECONDS = 0.02, 0.15

T = TypeVar("T")


@dataclass
class Stage:
    """What a chapter needs: the trader's client, somebody to trade with, the socket, and the screen."""

    screen: Screen
    exchange: PaperExchange
    bp: AsyncBackpack
    partner: AsyncBackpack
    ws: Streams
    books: OrderBooks
    updates: list[OrderUpdate] = field(default_factory=list[OrderUpdate])
    """Updates of the trader's orders, as the socket brought them."""
    states: list[ConnectionState] = field(default_factory=list[ConnectionState])
    """What the socket went through."""

    def note_state(self, change: StateChange) -> None:
        """Show what the socket went through, and remember it."""
        self.states.append(change.new)
        self.screen.board.connection = change.new.value

    async def wait_for(
        self, find: Callable[[], T | None], what: str, *, act: Callable[[], Awaitable[None]] | None = None
    ) -> T:
        """Return what `find` finds, as soon as that is neither None nor False. Meanwhile `act` is done repeatedly.

        Raises:
            WentWrong: `what` should have happened, and did not for a while.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE
        while True:
            found = find()
            if found is not None and found is not False:
                return found
            expect(loop.time() < until, f"{what}: that did not happen within {PATIENCE:.0f} seconds")
            if act is not None:
                await act()
            await asyncio.sleep(_LOOK_SECONDS if act is None else _ACT_SECONDS)

    async def sell(self, symbol: str, price: Decimal, quantity: Decimal | int) -> None:
        """Let the partner sell to whoever pays `price` or more."""
        order = orders.limit(symbol, "Ask", price, quantity, time_in_force="IOC")
        await self.partner.order.execute_order(**orders.arguments(order))


def make_exchange(seed: int) -> PaperExchange:
    """Make an exchange with two spot markets and a perpetual, all of them moved by synthetic traders."""
    markets = [market for market in default_markets(seed) if market.spec.symbol in SYMBOLS]
    flow = Flow(rate=_RATE, volatility=_VOLATILITY, seed=seed)
    exchange = PaperExchange(markets=markets, balances=START, seed=seed, flow=flow)
    exchange.flow.advance(_PRELUDE)
    return exchange


@asynccontextmanager
async def set_stage(screen: Screen, seed: int) -> AsyncGenerator[Stage]:
    """Open the exchange and everything on it, and keep the board up to date meanwhile."""
    exchange = make_exchange(seed)
    async with AsyncBackpack.paper(exchange) as bp, bp.streams() as ws, ws.order_books(*SYMBOLS) as books:
        rich = {"USDC": 100_000_000, "SOL": 1_000_000}
        async with AsyncBackpack.paper(exchange, balances=rich) as partner, asyncio.TaskGroup() as tasks:
            stage = Stage(screen, exchange, bp, partner, ws, books)
            ws.on_state_change(stage.note_state)
            screen.board.connection = ws.state.value
            await books.wait_live(timeout=PATIENCE)
            watchers = [tasks.create_task(work) for work in (_books(stage), _trades(stage), _updates(stage))]
            yield stage
            for watcher in watchers:
                watcher.cancel()


async def _books(stage: Stage) -> None:
    for symbol in SYMBOLS:
        stage.screen.board.books[symbol] = stage.books[symbol].snapshot(20)
    async for book in stage.books:
        stage.screen.board.books[book.symbol] = book.snapshot(20)


async def _trades(stage: Stage) -> None:
    async for trade in stage.ws.trades(*SYMBOLS):
        stage.screen.board.trades.append(trade)


async def _updates(stage: Stage) -> None:
    async for update in stage.ws.order_updates():
        stage.updates.append(update)

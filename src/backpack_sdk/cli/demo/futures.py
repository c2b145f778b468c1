"""The middle of the story: a position in a perpetual, its profit and loss, and a stop."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from ... import orders
from ..._generated.position.models import FuturePositionWithMargin
from ..._generated.shared import OrderStatus
from .board import expect
from .setting import FUTURES, Stage
from .spot import describe

_SIZE = Decimal(10)
_LOOKS, _LOOK_SECONDS = 5, 0.4
_STOP_BELOW = Decimal("0.05")


async def open_a_position(stage: Stage) -> None:
    """Buy a perpetual at the market."""
    stage.screen.chapter("A long position in a perpetual")
    order = orders.market(FUTURES, "Bid", quantity=_SIZE, client_id=3)
    bought = await stage.bp.order.execute_order(**orders.arguments(order))
    stage.screen.tell(f"bought     {describe(bought)}")
    position = await _position(stage)
    expect(position is not None, "there is a position")
    assert position is not None
    expect(position.net_quantity == _SIZE, f"it is long by {_SIZE}, not by {position.net_quantity}")
    stage.screen.tell(f"position   {position.net_quantity} {position.symbol}, entered at {position.entry_price}")


async def watch_the_profit(stage: Stage) -> None:
    """See the profit and loss follow the market."""
    stage.screen.chapter("Profit and loss follow the mark price")
    seen: list[Decimal] = []

    async def look() -> None:
        position = await _position(stage)
        if position is not None and position.pnl_unrealized not in seen[-1:]:
            seen.append(position.pnl_unrealized)
            stage.screen.board.profit = position.pnl_unrealized
            stage.screen.tell(f"mark price {position.mark_price:<9} unrealised {position.pnl_unrealized:+} USDC")
        await asyncio.sleep(_LOOK_SECONDS)

    await stage.wait_for(lambda: len(seen) >= _LOOKS, "profit and loss move", act=look)


async def be_stopped_out(stage: Stage) -> None:
    """Protect the position with a stop, and let the market fall onto it."""
    stage.screen.chapter("A stop loss, and a market that falls onto it")
    bid = stage.books[FUTURES].best_bid
    assert bid is not None
    stop = orders.stop_loss(FUTURES, "Ask", bid.price - _STOP_BELOW, trigger_by="LastPrice", client_id=4)
    placed = await stage.bp.order.execute_order(**orders.arguments(stop))
    expect(placed.status == OrderStatus.TRIGGER_PENDING, f"the stop waits, and is not {placed.status}")
    stage.screen.tell(f"placed     {describe(placed)}")

    def filled() -> bool:
        return any(row.client_id in (4, "4") and row.status == OrderStatus.FILLED for row in stage.updates)

    floor = bid.price - 2 * _STOP_BELOW
    await stage.wait_for(filled, "the stop goes off", act=lambda: stage.sell(FUTURES, floor, 30))
    stage.screen.tell("triggered  and sold the position at the market")
    expect(await _position(stage) is None, "the position is closed")
    stage.screen.tell("position   none")
    stage.screen.board.profit = None


async def _position(stage: Stage) -> FuturePositionWithMargin | None:
    return next(iter(await stage.bp.position.get_positions(symbol=FUTURES)), None)

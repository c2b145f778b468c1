"""A small market maker: one bid and one ask around the middle of the book, moved when the middle moves.

It is here to be tested: `test_bot.py` next to it shows how. It is no advice on how to make money.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from backpack_sdk import AsyncBackpack, InsufficientFunds, MarketRules, OutcomeUnknown, orders, types


@dataclass(frozen=True)
class Settings:
    """What the bot quotes: base `quantity` on each side, `distance` from the middle as a share of the price."""

    symbol: str
    quantity: Decimal
    distance: Decimal
    most: Decimal
    """Base asset that the bot will hold at most; it stops buying there."""


class MarketMaker:
    """Quotes one market. Call `step` whenever it should look at the book again."""

    BID_ID, ASK_ID = 1, 2

    def __init__(self, bp: AsyncBackpack, settings: Settings) -> None:
        self.bp, self.settings = bp, settings
        self.rules: MarketRules | None = None
        self.quoted: dict[int, Decimal] = {}
        """Price of each quote that should be on the book, by client id."""

    async def step(self) -> None:
        """Look at the book and move the quotes that are in the wrong place."""
        settings = self.settings
        if self.rules is None:
            self.rules = MarketRules.from_market(await self.bp.markets.get_market(settings.symbol))
        middle = await self.middle()
        held = await self.held()
        bid = self.rules.round_price(middle * (1 - settings.distance), side="Bid")
        ask = self.rules.round_price(middle * (1 + settings.distance), side="Ask")
        await self.quote(self.BID_ID, types.Side.BID, bid if held + settings.quantity <= settings.most else None)
        await self.quote(self.ASK_ID, types.Side.ASK, ask if held >= settings.quantity else None)

    async def quote(self, client_id: int, side: types.Side, price: Decimal | None) -> None:
        """Have a quote at a price, or none."""
        symbol = self.settings.symbol
        there = {row.client_id: row for row in await self.bp.order.get_open_orders(symbol=symbol)}.get(client_id)
        if isinstance(there, types.LimitOrder):
            if there.price == price:
                return
            await self.bp.order.cancel_order(symbol, client_id=client_id)
        self.quoted.pop(client_id, None)
        if price is None:
            return
        order = orders.post_only(symbol, side, price, self.settings.quantity, client_id=client_id)
        try:
            await self.bp.order.execute_order(**orders.arguments(order))
        except InsufficientFunds:
            return
        except OutcomeUnknown:
            pass  # it may or may not be there: the next step looks before it quotes again
        self.quoted[client_id] = price

    async def middle(self) -> Decimal:
        """The middle of the book, own quotes included."""
        depth = await self.bp.markets.get_depth(self.settings.symbol, limit=5)
        return (depth.bids[-1][0] + depth.asks[0][0]) / 2

    async def held(self) -> Decimal:
        """What the account has of the base asset."""
        base = self.settings.symbol.replace("-", "_").partition("_")[0]
        balance = (await self.bp.capital.get_balances()).get(base)
        return Decimal(0) if balance is None else balance.available + balance.locked

    async def stop(self) -> None:
        """Take every quote back."""
        await self.bp.order.cancel_open_orders(self.settings.symbol)
        self.quoted.clear()

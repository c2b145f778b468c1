"""A small funded exchange, and short words for the commands that the engine tests give it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from backpack_sdk.paper.engine import (
    Balance,
    Event,
    Exchange,
    FeeRates,
    MarketSpec,
    NewOrder,
    Order,
    OrderType,
    Refused,
    Side,
)

SOL_USDC = MarketSpec(
    symbol="SOL_USDC",
    base="SOL",
    quote="USDC",
    tick_size=Decimal("0.01"),
    step_size=Decimal("0.1"),
    min_price=Decimal("0.01"),
    max_price=Decimal("10000"),
    min_quantity=Decimal("0.2"),
    max_quantity=Decimal("500"),
)
BTC_USDC = MarketSpec(
    symbol="BTC_USDC",
    base="BTC",
    quote="USDC",
    tick_size=Decimal("5"),
    step_size=Decimal("0.00001"),
    min_price=Decimal("10"),
    min_quantity=Decimal("0.00001"),
)
NO_FEES = FeeRates(Decimal(0), Decimal(0))


def dec(text: str | int) -> Decimal:
    """A Decimal, said shortly."""
    return Decimal(text)


def plain(value: Decimal) -> str:
    """A figure without trailing zeros."""
    return f"{value.normalize():f}"


class Desk:
    """Two markets, and three accounts with 1000 SOL, 10 BTC and 100000 USDC each. Time moves 1 ms per command."""

    def __init__(self, fees: FeeRates | None = None) -> None:
        self.exchange = Exchange([SOL_USDC, BTC_USDC])
        self.now_us = 1_700_000_000_000_000
        self.events: tuple[Event, ...] = ()
        """What the last command brought about."""
        for account in ("alice", "bob", "carol"):
            self.exchange.open_account(account, fees)
            for asset, quantity in (("SOL", "1000"), ("BTC", "10"), ("USDC", "100000")):
                self.exchange.deposit(account, asset, dec(quantity), now_us=self.now_us)

    def tick(self) -> int:
        """Let a millisecond pass."""
        self.now_us += 1_000
        return self.now_us

    def place(self, account: str, order: NewOrder) -> Order:
        """Send an order."""
        outcome = self.exchange.execute(account, order, now_us=self.tick())
        self.events = outcome.events
        return outcome.value

    def bid(self, account: str, price: str, quantity: str, **options: Any) -> Order:
        """Send a limit bid to SOL_USDC."""
        return self._limit(account, Side.BID, price, quantity, options)

    def ask(self, account: str, price: str, quantity: str, **options: Any) -> Order:
        """Send a limit ask to SOL_USDC."""
        return self._limit(account, Side.ASK, price, quantity, options)

    def market(self, account: str, side: Side, **options: Any) -> Order:
        """Send a market order to SOL_USDC."""
        return self.place(account, NewOrder(symbol="SOL_USDC", side=side, order_type=OrderType.MARKET, **options))

    def balance(self, account: str, asset: str) -> Balance:
        """Look up one balance."""
        return self.exchange.balances(account)[asset]

    def bids(self) -> list[tuple[str, str]]:
        """Price and quantity of the bids of SOL_USDC, lowest price first."""
        return [(plain(price), plain(quantity)) for price, quantity in self.exchange.depth("SOL_USDC").bids]

    def asks(self) -> list[tuple[str, str]]:
        """Price and quantity of the asks of SOL_USDC, lowest price first."""
        return [(plain(price), plain(quantity)) for price, quantity in self.exchange.depth("SOL_USDC").asks]

    def refusal(self, account: str, order: NewOrder) -> Refused:
        """Send an order that must be refused, and check that the refusal changed nothing."""
        before = self._everything()
        try:
            self.place(account, order)
        except Refused as refused:
            assert self._everything() == before
            return refused
        raise AssertionError(f"{order} was not refused")

    def _limit(self, account: str, side: Side, price: str, quantity: str, options: dict[str, Any]) -> Order:
        options = {"symbol": "SOL_USDC", **options}
        order = NewOrder(side=side, order_type=OrderType.LIMIT, price=dec(price), quantity=dec(quantity), **options)
        return self.place(account, order)

    def _everything(self) -> object:
        exchange, accounts = self.exchange, ("alice", "bob", "carol")
        return (
            [exchange.balances(account) for account in accounts],
            [exchange.order_history(account) for account in accounts],
            [exchange.fills(account) for account in accounts],
            [exchange.trades(spec.symbol) for spec in exchange.markets()],
            [exchange.open_orders(account) for account in accounts],
            self.bids(),
            self.asks(),
        )

"""A small exchange with perpetuals, and short words for what the tests of perpetuals do with it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

from backpack_sdk.paper.engine import (
    BACKSTOP,
    Event,
    Exchange,
    FeeRates,
    FuturesSpec,
    MarginFunction,
    MarketSpec,
    MarketType,
    NewOrder,
    Order,
    OrderType,
    Outcome,
    Position,
    PriceBands,
    Refused,
    Side,
)

from .engine_desk import SOL_USDC, dec

PERP = "SOL_USDC_PERP"
FUTURES = FuturesSpec(imf=MarginFunction(dec("0.1")), mmf=MarginFunction(dec("0.05")), funding_cap=dec("0.01"))
NO_FEES = FeeRates(*[Decimal(0)] * 4)
START_US = 1_700_000_000_000_000

E = TypeVar("E", bound=Event)
T = TypeVar("T")


def perp(**changes: Any) -> MarketSpec:
    """A perpetual with a tick of 0.01 and a step of 0.1."""
    fields: dict[str, Any] = {
        "symbol": PERP,
        "base": "SOL",
        "quote": "USDC",
        "tick_size": dec("0.01"),
        "step_size": dec("0.1"),
        "min_price": dec("0.01"),
        "min_quantity": dec("0.1"),
        "market_type": MarketType.PERP,
        "futures": FUTURES,
    }
    return MarketSpec(**(fields | changes))


def group(*values: object) -> tuple[object, ...]:
    """Values to compare at once."""
    return values


class PerpDesk:
    """SOL spot and perpetual; alice, bob and carol with 10000 USDC each, without fees unless told otherwise."""

    def __init__(
        self, fees: FeeRates = NO_FEES, *, futures: FuturesSpec = FUTURES, bands: PriceBands | None = None
    ) -> None:
        self.exchange = Exchange([SOL_USDC, perp(futures=futures, bands=bands)])
        self.now_us = START_US
        self.events: tuple[Event, ...] = ()
        self.accounts = ("alice", "bob", "carol")
        for account in self.accounts:
            self.exchange.open_account(account, fees)
            self.exchange.deposit(account, "USDC", dec("10000"), now_us=self.now_us)
        self.deposited = Fraction(30000)

    def tick(self) -> int:
        """Let a millisecond pass."""
        self.now_us += 1_000
        return self.now_us

    def done(self, outcome: Outcome[T]) -> T:
        """Keep the events of a command and return its value."""
        self.events = outcome.events
        return outcome.value

    def bid(self, account: str, price: str | None, quantity: str | None, **options: Any) -> Order:
        """Send a bid: a limit order when there is a price."""
        return self.order(account, Side.BID, price, quantity, **options)

    def ask(self, account: str, price: str | None, quantity: str | None, **options: Any) -> Order:
        """Send an ask: a limit order when there is a price."""
        return self.order(account, Side.ASK, price, quantity, **options)

    def order(self, account: str, side: Side, price: str | None, quantity: str | None, /, **options: Any) -> Order:
        """Send an order to the perpetual, or to another market."""
        fields: dict[str, Any] = {
            "symbol": PERP,
            "side": side,
            "order_type": OrderType.MARKET if price is None else OrderType.LIMIT,
            "price": dec(price) if price is not None else None,
            "quantity": dec(quantity) if quantity is not None else None,
        }
        order = NewOrder(**(fields | options))
        return self.done(self.exchange.execute(account, order, now_us=self.tick()))

    def trade(self, buyer: str, seller: str, price: str, quantity: str) -> None:
        """Let two accounts trade with each other, the seller as maker."""
        self.ask(seller, price, quantity)
        self.bid(buyer, price, quantity)

    def mark(self, mark: str | None, index: str | None = None) -> None:
        """Set the mark price, and the index with it unless that is given."""
        self.done(
            self.exchange.set_mark_price(
                PERP,
                dec(mark) if mark is not None else None,
                dec(index) if index is not None else dec(mark) if mark is not None else None,
                now_us=self.tick(),
            )
        )

    def advance(self, seconds: float = 0) -> None:
        """Let time pass."""
        self.now_us += int(seconds * 1_000_000)
        self.done(self.exchange.advance(now_us=self.now_us))

    def position(self, account: str) -> Position | None:
        """The account's position."""
        found = self.exchange.positions(account, PERP)
        return found[0] if found else None

    def quantity(self, account: str) -> Decimal:
        """Net quantity of the account's position."""
        position = self.position(account)
        return position.quantity if position is not None else Decimal(0)

    def usdc(self, account: str) -> Decimal:
        """What the account has available."""
        return self.exchange.balances(account)["USDC"].available

    def seen(self, kind: type[E]) -> list[E]:
        """The events of one kind that the last command brought about."""
        return [event for event in self.events if isinstance(event, kind)]

    def refusal(self, account: str, side: Side, price: str | None, quantity: str | None, /, **options: Any) -> Refused:
        """Send an order that must be refused, and check that nothing changed."""
        before = self.exchange.digest()
        try:
            self.order(account, side, price, quantity, **options)
        except Refused as refused:
            assert self.exchange.digest() == before
            return refused
        raise AssertionError("the order was not refused")

    def check(self) -> None:
        """Money is conserved and every position has its other side."""
        check_conservation(self.exchange, (*self.accounts, BACKSTOP), {"USDC": self.deposited})


def check_conservation(exchange: Exchange, accounts: Iterable[str], deposited: dict[str, Fraction]) -> None:
    """Hold what there is of every asset against what was paid in, and positions against each other."""
    accounts = tuple(accounts)
    for asset, amount in deposited.items():
        total = Fraction(exchange.collected_fees().get(asset, Decimal(0)))
        total += Fraction(exchange.clearing_cash().get(asset, Decimal(0)))
        for account in accounts:
            balance = exchange.balances(account).get(asset)
            if balance is not None:
                assert balance.available >= 0
                assert balance.locked >= 0
                total += Fraction(balance.available) + Fraction(balance.locked)
        assert total == amount, asset
    positions = [position for account in accounts for position in exchange.positions(account)]
    for symbol in {position.symbol for position in positions}:
        held = [Fraction(position.quantity) for position in positions if position.symbol == symbol]
        assert sum(held) == 0
        assert Fraction(exchange.open_interest(symbol)) == sum(quantity for quantity in held if quantity > 0)
    cash = Fraction(exchange.clearing_cash().get("USDC", Decimal(0)))
    assert cash + sum(Fraction(p.cost) for p in positions) + sum(map(Fraction, exchange.house.debts.values())) == 0

"""The exchange: accounts and markets, and the commands that change them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from itertools import count
from typing import Generic, TypeVar

from .account import Account, FeeRates
from .enums import BookState, CancelScope
from .errors import ErrorCode, Refused
from .events import BalanceChanged, BookStateChanged, Event
from .ledger import Balance
from .market import Market
from .numbers import EXACT
from .orders import NewOrder, Order
from .spec import MarketSpec, check_amount
from .views import ExchangeView

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What a command returns, and everything that happened because of it, in order."""

    value: T
    events: tuple[Event, ...]


class Exchange(ExchangeView):
    """A complete spot exchange in memory.

    It has no clock and no randomness: every command takes the time as `now_us`, whole Unix microseconds, and
    ids come from counters, so the same commands give the same results. A time before that of an earlier
    command counts as that earlier time. A command either raises `Refused` and changes nothing, or is carried
    out in full.
    """

    def __init__(self, markets: Iterable[MarketSpec] = (), *, first_order_id: int = 1) -> None:
        super().__init__()
        self._events: list[Event] = []
        self._order_ids = count(first_order_id)
        for spec in markets:
            self.add_market(spec)

    # Set-up

    def add_market(self, spec: MarketSpec) -> None:
        """List a market.

        Raises:
            ValueError: the symbol is listed already.
        """
        if spec.symbol in self._markets:
            raise ValueError(f"market {spec.symbol} is listed already")
        self._markets[spec.symbol] = Market(spec, self._ledger, self._order_ids, self._events)

    def open_account(self, account: str, fees: FeeRates | None = None) -> None:
        """Open an empty account with the given fee rates (None: the base tier).

        Raises:
            ValueError: the account exists already.
        """
        if account in self._accounts:
            raise ValueError(f"account {account} exists already")
        self._accounts[account] = Account(account, fees if fees is not None else FeeRates())
        self._ledger.open_account(account)

    def set_fees(self, account: str, fees: FeeRates) -> None:
        """Charge an account other rates from its next trade on."""
        self._account(account).fees = fees

    # Commands

    def deposit(self, account: str, asset: str, quantity: Decimal, *, now_us: int) -> Outcome[Balance]:
        """Credit an account and return its balance of the asset.

        Raises:
            Refused: `INVALID_ASSET` for an asset of no market; `INVALID_QUANTITY` unless above zero, below
                10**18 and with at most 18 decimals.
        """
        self._account(account)
        if all(asset not in (market.spec.base, market.spec.quote) for market in self._markets.values()):
            raise Refused(ErrorCode.INVALID_ASSET, f"no market trades {asset}")
        quantity = check_amount(quantity, "deposit")
        with localcontext(EXACT):
            self._advance(now_us)
            self._ledger.deposit(account, asset, quantity)
            return self._outcome(self._ledger.balance(account, asset))

    def execute(self, account: str, order: NewOrder, *, now_us: int) -> Outcome[Order]:
        """Take an order and return how it stands afterwards. `Market.execute` tells the rules.

        Raises:
            Refused: see `Market.execute`; also `INVALID_SYMBOL`.
        """
        owner, market = self._account(account), self._market(order.symbol)
        with localcontext(EXACT):
            live = market.execute(owner, order, self._advance(now_us))
            return self._outcome(live.view(), market)

    def cancel(
        self, account: str, symbol: str, *, order_id: int | None = None, client_id: int | None = None, now_us: int
    ) -> Outcome[Order]:
        """Cancel one open order by exactly one of its ids and return it.

        Works in every state of a market.

        Raises:
            Refused: `RESOURCE_NOT_FOUND` (404) when no such order is open in that market;
                `INVALID_CLIENT_REQUEST` for none or both of the ids.
        """
        order = self._find_open(account, symbol, order_id, client_id)
        market = self._market(symbol)
        with localcontext(EXACT):
            market.cancel(order, self._advance(now_us))
            return self._outcome(order.view(), market)

    def cancel_all(
        self, account: str, symbol: str, *, scope: CancelScope | None = None, now_us: int
    ) -> Outcome[tuple[Order, ...]]:
        """Cancel the account's open orders in one market, oldest first, and return them.

        `scope` narrows it to resting limit orders or to conditional orders; spot has none of the latter yet,
        so that scope cancels nothing.
        """
        owner, market = self._account(account), self._market(symbol)
        with localcontext(EXACT):
            now_us = self._advance(now_us)
            doomed = [order for order in owner.open.values() if order.request.symbol == symbol]
            if scope is CancelScope.CONDITIONAL:
                doomed = []
            for order in doomed:
                market.cancel(order, now_us)
            return self._outcome(tuple(order.view() for order in doomed), market)

    def set_book_state(self, symbol: str, state: BookState, *, now_us: int) -> Outcome[MarketSpec]:
        """Put a market into another state. Closing it cancels every order on its book."""
        market = self._market(symbol)
        with localcontext(EXACT):
            now_us = self._advance(now_us)
            if market.spec.state is not state:
                market.spec = replace(market.spec, state=state)
                self._events.append(BookStateChanged(symbol, state, now_us))
            if state is BookState.CLOSED:
                for owner in self._accounts.values():
                    for order in [live for live in owner.open.values() if live.request.symbol == symbol]:
                        market.cancel(order, now_us)
            return self._outcome(market.spec, market)

    # Inside

    def _advance(self, now_us: int) -> int:
        self._time_us = max(self._time_us, now_us)
        return self._time_us

    def _outcome(self, value: T, market: Market | None = None) -> Outcome[T]:
        if market is not None:
            market.publish_book(self._time_us)
        for account, asset in self._ledger.drain_changes():
            balance = self._ledger.balance(account, asset)
            self._events.append(BalanceChanged(account, asset, balance, self._time_us))
        events = tuple(self._events)
        self._events.clear()
        return Outcome(value, events)

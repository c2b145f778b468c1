"""The exchange: accounts and markets, and the commands that change them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import Any, TypeVar

from .account import Account, FeeRates
from .clearing import Clearing, SpotClearing
from .enums import BookState, CancelScope, OrderStatus
from .errors import ErrorCode, Refused
from .events import BalanceChanged, BookStateChanged, Event
from .funding import Funding
from .futures_commands import FuturesCommands
from .journal import Journal, Sink, apply, journaled
from .ledger import Balance
from .liquidation import BACKSTOP
from .market import Market
from .marks import Marks
from .numbers import EXACT
from .orders import LiveOrder, NewOrder, Order
from .outcome import Outcome
from .perp import PerpClearing
from .spec import MarketSpec, check_amount
from .transfers import ADMINISTRATOR

T = TypeVar("T")


def _scope(order: LiveOrder) -> CancelScope:
    waits = order.status is OrderStatus.TRIGGER_PENDING
    return CancelScope.CONDITIONAL if waits else CancelScope.RESTING_LIMIT


@journaled
class Exchange(FuturesCommands):
    """A complete exchange in memory: spot and perpetual markets, and what goes with them.

    It has no clock and no randomness: every command takes the time as `now_us`, whole Unix microseconds, and
    ids come from counters, so the same commands give the same results. A time before that of an earlier
    command counts as that earlier time. A command either raises `Refused` and changes nothing, or is carried
    out in full.

    Every command can be written down as plain data and carried out again: see `record` and `journal`.
    """

    def __init__(self, markets: Iterable[MarketSpec] = (), *, first_order_id: int = 1) -> None:
        super().__init__(first_order_id)
        self.journal = Journal()
        self._touched: dict[str, Market] = {}
        self._listeners: tuple[Callable[[tuple[Event, ...]], None], ...] = ()
        for spec in markets:
            self.add_market(spec)

    # Set-up

    def subscribe(self, listener: Callable[[tuple[Event, ...]], None]) -> Callable[[], None]:
        """Call `listener` with the events of every command from now on, and return what ends that.

        It is called before the command returns, by whoever gave the command, and must give none itself.
        """
        self._listeners += (listener,)

        def end() -> None:
            self._listeners = tuple(known for known in self._listeners if known is not listener)

        return end

    def record(self, sink: Sink | None) -> None:
        """Write every command from now on down into `sink`, before it returns; None ends that."""
        self.journal.sink = sink

    def apply(self, command: Mapping[str, Any]) -> Any:
        """Carry out a command that was written down; see `journal.apply`."""
        return apply(self, command)

    def add_market(self, spec: MarketSpec) -> None:
        """List a market.

        Raises:
            ValueError: the symbol is listed already.
        """
        if spec.symbol in self._markets:
            raise ValueError(f"market {spec.symbol} is listed already")
        marks = Marks()
        clearing: Clearing
        if spec.futures is None:
            clearing = SpotClearing(spec, self._ledger, self.margin)
        else:
            clearing = self._perps[spec.symbol] = PerpClearing(
                spec, spec.futures, marks, self.house, self.margin, self._position_ids, self._events, BACKSTOP
            )
            self._funding[spec.symbol] = Funding(clearing, self.house, self._events)
            self._funding_due_us = 0
        self._markets[spec.symbol] = Market(spec, clearing, marks, self._order_ids, self._events)

    def keep_trades(self, symbol: str, trades: int) -> None:
        """Let a market remember its latest `trades` only, and as many of its mark prices and funding rates.

        Candles and tickers are made of what it remembers.
        """
        market = self._market(symbol)
        market.tape.kept = market.marks.kept = trades
        if symbol in self._funding:
            self._funding[symbol].kept = trades

    def open_account(
        self, account: str, fees: FeeRates | None = None, *, kept_orders: int | None = None, is_system: bool = False
    ) -> None:
        """Open an empty account with the given fee rates (None: the base tier).

        `kept_orders` is how many of its orders that ended, and of its fills, payments and closed positions, it
        remembers; None for all. A system account trades perpetuals without margin and is never liquidated.

        Raises:
            ValueError: the account exists already.
        """
        if account in self._accounts:
            raise ValueError(f"account {account} exists already")
        self._accounts[account] = Account(
            account, fees if fees is not None else FeeRates(), kept_orders, is_system=is_system
        )
        self._ledger.open_account(account)

    def set_fees(self, account: str, fees: FeeRates) -> None:
        """Charge an account other rates from its next trade on."""
        self._account(account).fees = fees

    # Commands

    def deposit(
        self, account: str, asset: str, quantity: Decimal, *, source: str = ADMINISTRATOR, sender: str = "", now_us: int
    ) -> Outcome[Balance]:
        """Credit an account and return its balance of the asset.

        `source` is the blockchain that the funds come over, and `sender` the address there; the default is the exchange
        itself.

        Raises:
            Refused: `INVALID_ASSET` for an asset of no market or not of that blockchain; `INVALID_QUANTITY` unless
                above zero, below 10**18 and with at most 18 decimals, or below the least that the blockchain takes.
        """
        self._account(account)
        if all(asset not in (market.spec.base, market.spec.quote) for market in self._markets.values()):
            raise Refused(ErrorCode.INVALID_ASSET, f"no market trades {asset}")
        quantity = check_amount(quantity, "deposit")
        if source != ADMINISTRATOR:
            self.asset(asset).token(source).check_deposit(quantity)
        with localcontext(EXACT):
            now_us = self._advance(now_us)
            self.transfers.deposit(account, asset, quantity, now_us, source=source, sender=sender)
            self._sweep(account, now_us)
            return self._outcome(self._ledger.balance(account, asset))

    def execute(self, account: str, order: NewOrder, *, now_us: int) -> Outcome[Order]:
        """Take an order and return how it stands afterwards. `Market.execute` tells the rules.

        Raises:
            Refused: see `Market.execute`; also `INVALID_SYMBOL`.
        """
        owner, market = self._account(account), self._market(order.symbol)
        with localcontext(EXACT):
            now_us = self._advance(now_us)
            live = market.execute(owner, order, now_us)
            placed = live.view()
            if market.has_work:
                market.settle_down(now_us)
            return self._outcome(placed, market)

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

        `scope` narrows it to resting limit orders or to conditional orders that wait.
        """
        owner, market = self._account(account), self._market(symbol)
        with localcontext(EXACT):
            now_us = self._advance(now_us)
            doomed = [
                order
                for order in owner.open.values()
                if order.request.symbol == symbol and scope in (None, _scope(order))
            ]
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
        self._pass_time(self._time_us)
        return self._time_us

    def _touch(self, market: Market) -> None:
        self._touched[market.spec.symbol] = market

    def _outcome(self, value: T, market: Market | None = None) -> Outcome[T]:
        if market is not None:
            if market.marks.mark is None and market.spec.futures is not None:
                self._reprice(market, self._time_us)
            market.publish_book(self._time_us)
        if self._touched:
            for touched in self._touched.values():
                touched.publish_book(self._time_us)
            self._touched.clear()
        for account, asset in self._ledger.drain_changes():
            balance = self._ledger.balance(account, asset)
            self._events.append(BalanceChanged(account, asset, balance, self._time_us))
        events = tuple(self._events)
        self._events.clear()
        if events:
            for listener in self._listeners:
                listener(events)
        return Outcome(value, events)

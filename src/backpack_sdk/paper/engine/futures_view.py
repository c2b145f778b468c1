"""What may be asked of an exchange about perpetuals, prices, margin and strategies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext
from itertools import count

from .account import Account, FeeRates
from .credit import FuturesLoad
from .digest import digest
from .enums import OrderType, PositionState, Side, SortDirection, StrategyStatus
from .errors import ErrorCode, Refused
from .funding import Funding, FundingPayment, FundingRate
from .house import ClearingHouse
from .klines import Kline, KlineInterval, build_price_klines
from .lending_pool import BorrowLendSide
from .liquidation import BACKSTOP, Liquidator
from .margin import Loans, Margin, Valuation
from .marks import MarkPrice
from .numbers import EXACT, QUOTIENT, ZERO, multiple_below
from .paging import DEFAULT_LIMIT, page
from .perp import PerpClearing, Slot
from .positions import Position
from .service_commands import ServiceCommands
from .spec import SETTLEMENT_ASSET
from .strategies import LiveStrategy, Strategy

MAX_RATES = 10_000
"""Largest page of funding rates."""


class FuturesView(ServiceCommands):
    """The perpetuals of an exchange. `margin` values accounts; `house` is the clearing house."""

    def __init__(self, first_order_id: int = 1) -> None:
        super().__init__(first_order_id)
        self.house = ClearingHouse(self._ledger)
        self.margin = Margin(
            self._ledger,
            self.house,
            Valuation(
                self.asset_price,
                lambda asset: self.asset(asset).collateral.weight,
                lambda account: self.settings(account).leverage_limit,
                self._loans,
            ),
        )
        self._perps: dict[str, PerpClearing] = {}
        self._funding: dict[str, Funding] = {}
        self._funding_due_us = 0
        self._position_ids = count(1)
        self._strategy_ids = count(1)
        self._strategies: dict[int, LiveStrategy] = {}
        backstop = Account(BACKSTOP, FeeRates(), is_system=True)
        self._accounts[BACKSTOP] = backstop
        self._ledger.open_account(BACKSTOP)
        self._liquidator = Liquidator(
            self._ledger, self.house, self.margin, self._markets, backstop, self._order_ids, self._events
        )

    def clearing_cash(self) -> Mapping[str, Decimal]:
        """Return what the clearing house holds; below zero while it has paid gains that others are yet to lose."""
        return self._ledger.pool

    def digest(self) -> str:
        """Return a fingerprint of accounts, orders, books, positions, loans, prices and strategies; not of the time."""
        with localcontext(EXACT):
            return digest(self._state())

    # Markets

    def asset_price(self, asset: str) -> Decimal:
        """Return the price of an asset in USDC: the index price set for its spot market, else that of spot trading."""
        market = self._markets.get(f"{asset}_{SETTLEMENT_ASSET}")
        fixed = market.marks.fixed_index if market is not None else None
        return fixed if fixed is not None else super().asset_price(asset)

    def mark_price(self, symbol: str) -> MarkPrice | None:
        """Return mark and index price of a market; None for a market that nothing gives a price."""
        market = self._market(symbol)
        marks = market.marks
        with localcontext(EXACT):
            if marks.mark is None or marks.index is None:
                active = market.active_price
                return None if active is None else MarkPrice(symbol, active, active, None, None, self._time_us)
            funding = self._funding.get(symbol)
            if funding is None:
                return MarkPrice(symbol, marks.mark, marks.index, None, None, self._time_us)
            rate = marks.rate(self._perp(symbol).futures, self._time_us)
            return MarkPrice(symbol, marks.mark, marks.index, rate, funding.due_us, self._time_us)

    def open_interest(self, symbol: str) -> Decimal:
        """Return the total of all long positions of a perpetual.

        Raises:
            Refused: `INVALID_MARKET` for a spot market.
        """
        with localcontext(EXACT):
            return self._perp(symbol).open_interest

    def funding_rates(self, symbol: str, *, limit: int = DEFAULT_LIMIT, offset: int = 0) -> tuple[FundingRate, ...]:
        """Return the rates of past intervals, newest first.

        Raises:
            Refused: `INVALID_MARKET` for a spot market; `INVALID_CLIENT_REQUEST` for a limit above 10000.
        """
        self._perp(symbol)
        return page(self._funding[symbol].rates, limit, offset, SortDirection.DESC, max_limit=MAX_RATES)

    def funding_rate_count(self, symbol: str) -> int:
        """Return how many rates of past intervals there are."""
        self._perp(symbol)
        return len(self._funding[symbol].rates)

    def price_klines(
        self, symbol: str, interval: KlineInterval, *, start_us: int, end_us: int, index: bool = False
    ) -> tuple[Kline, ...]:
        """Return candles of the mark price, or of the index price. They have no volume.

        Raises:
            Refused: as `klines`.
        """
        points = self._market(symbol).marks.points
        prices = [(point.time_us, point.index if index else point.mark) for point in points]
        return build_price_klines(prices, interval, start_us, end_us)

    # One account

    def positions(self, account: str, symbol: str | None = None) -> tuple[Position, ...]:
        """Return the open positions of one market or of all."""
        return tuple(self.margin.view(slot, slot.position) for slot in self._held(account, symbol) if slot.position)

    def liquidation_price(self, account: str, symbol: str) -> Decimal:
        """Return the mark price at which the account would be liquidated; zero for none, and without a position."""
        with localcontext(EXACT):
            return next((self.margin.liquidation_price(slot) for slot in self._held(account, symbol)), ZERO)

    def all_positions(self, account: str) -> tuple[Position, ...]:
        """Return closed and open positions, by the time they were opened."""
        closed = self._account(account).closed_positions
        with localcontext(EXACT):
            return tuple(sorted((*closed, *self.positions(account)), key=lambda position: position.id))

    def position_history(
        self,
        account: str,
        *,
        symbol: str | None = None,
        state: PositionState | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        direction: SortDirection = SortDirection.DESC,
    ) -> tuple[Position, ...]:
        """Return a page of closed and open positions, by the time they were opened."""

        def keep(position: Position) -> bool:
            return symbol in (None, position.symbol) and state in (None, position.state)

        return page(self.all_positions(account), limit, offset, direction, keep)

    def all_funding_payments(self, account: str) -> tuple[FundingPayment, ...]:
        """Return what the account received and paid as funding, oldest first."""
        return tuple(self._account(account).funding)

    def user_id(self, account: str) -> int:
        """Return the number of an account, by the order of their opening."""
        self._account(account)
        return list(self._accounts).index(account)

    def is_liquidating(self, account: str) -> bool:
        """Return whether the account has less equity than its maintenance margin."""
        owner = self._account(account)
        with localcontext(EXACT):
            return not owner.is_system and self.margin.equity(owner) < self.margin.maintenance(owner)

    def max_order_quantity(
        self, account: str, symbol: str, side: Side, *, price: Decimal | None = None, reduce_only: bool = False
    ) -> Decimal:
        """Return the largest quantity the account could order now, in whole steps; zero when that is none.

        Without a price, the best price of the other side of the book counts, or the last one. The largest quantity the
        market takes bounds it.
        """
        owner, market = self._account(account), self._market(symbol)
        spec = market.spec
        with localcontext(EXACT):
            perp = self._perps.get(symbol)
            if reduce_only:
                most = perp.reducible(owner, side) if perp is not None else ZERO
            elif perp is None and side is Side.ASK:
                most = self.margin.spendable(owner, spec.base)
            else:
                if price is None:
                    best = market.book.side(side.opposite).best()
                    price = best.price if best is not None else market.active_price
                if price is None or price <= ZERO:
                    return ZERO
                if perp is None:
                    most = QUOTIENT.divide(self.margin.spendable(owner, spec.quote), price)
                else:
                    most = perp.max_quantity(owner, side, price)
            if spec.max_quantity is not None:
                most = min(most, spec.max_quantity)
            return multiple_below(max(ZERO, most), spec.step_size)

    # Strategies

    def strategy(
        self, account: str, symbol: str, *, strategy_id: int | None = None, client_id: int | None = None
    ) -> Strategy:
        """Return one running strategy by exactly one of its ids.

        Raises:
            Refused: `RESOURCE_NOT_FOUND` (404) when there is none; `INVALID_CLIENT_REQUEST` for none or both ids.
        """
        return self._find_strategy(account, symbol, strategy_id, client_id).view()

    def open_strategies(self, account: str, symbol: str | None = None) -> tuple[Strategy, ...]:
        """Return the running strategies, oldest first."""
        if symbol is not None:
            self._market(symbol)
        return tuple(live.view() for live in self._running(account, symbol))

    def all_strategies(self, account: str) -> tuple[Strategy, ...]:
        """Return all strategies, running ones included, by id."""
        return tuple(live.view() for live in self._account(account).strategies.values())

    def limit_and_trigger_orders(self, account: str) -> tuple[int, int]:
        """Return how many limit orders rest and how many conditional orders wait."""
        orders = self._account(account).open.values()
        waiting = sum(1 for order in orders if order.request.trigger is not None and not order.resting)
        return sum(1 for order in orders if order.resting and order.request.order_type is OrderType.LIMIT), waiting

    # Inside

    def _state(self) -> Iterator[object]:
        yield from self._service_state()
        yield from (self._ledger.fees, self._ledger.pool, self.house.debts)
        for symbol, market in self._markets.items():
            book = market.book
            yield (market.spec, book.bids.ascending(), book.asks.ascending(), book.update_id, len(market.tape))
            yield (market.marks.points[-1:], market.marks.fixed_mark, market.marks.fixed_index)
            yield self._funding[symbol].rates if symbol in self._funding else None
        for name, account in self._accounts.items():
            yield (name, account.fees, self.settings(name), self._ledger.balances(name))
            yield [order.view() for order in account.orders.values()]
            yield (list(account.open), account.fills, account.funding, account.closed_positions)
            yield self.positions(name)
            yield [(asset, loan.side, loan.quantity) for asset, loan in self.lending.book(name).open.items()]
            yield [live.view() for live in account.strategies.values()]

    def _perp(self, symbol: str) -> PerpClearing:
        self._market(symbol)
        perp = self._perps.get(symbol)
        if perp is None:
            raise Refused(ErrorCode.INVALID_MARKET, f"{symbol} is a spot market")
        return perp

    def _held(self, account: str, symbol: str | None) -> Iterator[Slot]:
        owner = self._account(account)
        if symbol is not None:
            self._market(symbol)
        return (
            slot
            for slot in owner.slots.values()
            if slot.position is not None and symbol in (None, slot.clearing.spec.symbol)
        )

    def _futures_load(self, account: str) -> FuturesLoad:
        return self.margin.load(self._account(account))

    def _loans(self, account: str) -> Loans:
        """Return what lending and borrowing mean for the margin of an account."""
        value = initial = maintenance = ZERO
        for asset, position in self.lending.book(account).open.items():
            terms, price = self.asset(asset).collateral, self.asset_price(asset)
            notional = position.quantity * price
            if position.side is BorrowLendSide.LEND:
                value += notional * terms.weight
            else:
                value -= notional
                initial += notional * terms.initial.fraction(notional)
                maintenance += notional * terms.maintenance.fraction(notional)
        return Loans(value, initial, maintenance)

    def _running(self, account: str, symbol: str | None) -> list[LiveStrategy]:
        return [
            live
            for live in self._account(account).strategies.values()
            if live.status is StrategyStatus.RUNNING and symbol in (None, live.request.symbol)
        ]

    def _find_strategy(self, account: str, symbol: str, strategy_id: int | None, client_id: int | None) -> LiveStrategy:
        self._market(symbol)
        if (strategy_id is None) == (client_id is None):
            raise Refused(ErrorCode.INVALID_CLIENT_REQUEST, "give either the strategy id or the client strategy id")
        for live in self._running(account, symbol):
            if live.id == strategy_id or (client_id is not None and live.request.client_id == client_id):
                return live
        raise Refused(ErrorCode.RESOURCE_NOT_FOUND, f"no running strategy of {symbol} has that id", 404)

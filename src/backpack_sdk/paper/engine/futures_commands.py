"""The commands of prices, time and strategies."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import TypeVar

from .account import Account
from .enums import StrategyCancelReason, StrategyStatus
from .errors import ErrorCode, Refused
from .events import MarkPriceChanged
from .futures_view import FuturesView
from .market import Market
from .marks import MarkPrice, median
from .numbers import EXACT, ZERO
from .orders import Cause
from .outcome import Outcome
from .settings import AccountSettings
from .spec import check_amount
from .strategies import LiveStrategy, NewStrategy, Strategy

T = TypeVar("T")


class FuturesCommands(FuturesView):
    """What changes perpetuals and strategies besides orders. As all commands: refused and nothing changed, or done."""

    def set_mark_price(
        self, symbol: str, mark: Decimal | None = None, index: Decimal | None = None, *, now_us: int
    ) -> Outcome[MarkPrice | None]:
        """Fix mark and index price of a market; None lets the price follow its rule (see `marks`) again.

        Conditional orders and liquidations that this causes are carried out.

        Raises:
            Refused: `INVALID_PRICE` for a price that is not above zero, too large, or finer than 18 decimals.
        """
        market = self._market(symbol)
        try:
            mark = check_amount(mark, "mark price") if mark is not None else None
            index = check_amount(index, "index price") if index is not None else None
        except Refused as refused:
            raise Refused(ErrorCode.INVALID_PRICE, refused.message) from None
        with localcontext(EXACT):
            now_us = self._advance(now_us)
            market.marks.fixed_mark, market.marks.fixed_index = mark, index
            self._reprice(market, now_us)
            self._settle_down(now_us)
            return self._outcome(self.mark_price(symbol), market)

    def advance(self, *, now_us: int) -> Outcome[None]:
        """Let time pass: everything that is due is carried out.

        That is interest, funding, withdrawals, requests for quotes and redemptions, then the prices that follow a
        rule, conditional orders, liquidations, and the slices of strategies. Other commands carry out the first five
        only.
        """
        with localcontext(EXACT):
            now_us = self._advance(now_us)
            for market in self._markets.values():
                self._reprice(market, now_us)
            self._settle_down(now_us)
            if self._strategies:
                self._run_slices(now_us)
                self._settle_down(now_us)
            return self._outcome(None)

    def update_settings(
        self,
        account: str,
        *,
        auto_borrow_settlements: bool | None = None,
        auto_lend: bool | None = None,
        auto_repay_borrows: bool | None = None,
        leverage_limit: Decimal | None = None,
        now_us: int,
    ) -> Outcome[AccountSettings]:
        """Change the settings that are given.

        Raises:
            Refused: `INVALID_CLIENT_REQUEST` for a leverage limit outside 1 to 50; `MAX_LEVERAGE_REACHED` for one that
                the present positions and orders exceed.
        """
        owner, old = self._account(account), self.settings(account)
        if leverage_limit is not None and ZERO < leverage_limit < old.leverage_limit and owner.slots:
            with localcontext(EXACT):
                self._settings[account] = replace(old, leverage_limit=leverage_limit)
                free = self.margin.free_equity(owner)
                self._settings[account] = old
            if free < ZERO:
                raise Refused(
                    ErrorCode.MAX_LEVERAGE_REACHED, f"positions and orders exceed a leverage of {leverage_limit}"
                )
        return super().update_settings(
            account,
            auto_borrow_settlements=auto_borrow_settlements,
            auto_lend=auto_lend,
            auto_repay_borrows=auto_repay_borrows,
            leverage_limit=leverage_limit,
            now_us=now_us,
        )

    def create_strategy(self, account: str, strategy: NewStrategy, *, now_us: int) -> Outcome[Strategy]:
        """Start a strategy; its first slice is traded at once. See `strategies` for the rules.

        Raises:
            Refused: `INVALID_ORDER`, `INVALID_PRICE`, `INVALID_QUANTITY`, `INVALID_SYMBOL`.
        """
        owner, market = self._account(account), self._market(strategy.symbol)
        strategy.check_shape()
        quantity = market.spec.check_quantity(strategy.quantity)
        price = market.spec.check_price(strategy.price) if strategy.price is not None else None
        if strategy.reduce_only and strategy.symbol not in self._perps:
            raise Refused(
                ErrorCode.INVALID_ORDER, f"reduceOnly needs a position, and {strategy.symbol} is a spot market"
            )
        if strategy.client_id is not None and any(
            live.request.client_id == strategy.client_id for live in self._running(account, strategy.symbol)
        ):
            raise Refused(ErrorCode.INVALID_ORDER, f"client strategy id {strategy.client_id} is in use")
        with localcontext(EXACT):
            now_us = self._advance(now_us)
            request = replace(strategy, quantity=quantity, price=price)
            live = LiveStrategy(next(self._strategy_ids), owner, request, market.spec, now_us)
            owner.strategies[live.id] = self._strategies[live.id] = live
            self._run_slices(now_us)
            return self._outcome(live.view(), market)

    def cancel_strategy(
        self, account: str, symbol: str, *, strategy_id: int | None = None, client_id: int | None = None, now_us: int
    ) -> Outcome[Strategy]:
        """Stop one running strategy and return it.

        Raises:
            Refused: as for `strategy`.
        """
        live = self._find_strategy(account, symbol, strategy_id, client_id)
        return self._carry_out(now_us, lambda now_us: self._stop(live, now_us))

    def cancel_strategies(self, account: str, symbol: str, *, now_us: int) -> Outcome[tuple[Strategy, ...]]:
        """Stop the running strategies of a market and return them, oldest first."""
        self._market(symbol)
        running = self._running(account, symbol)
        return self._carry_out(now_us, lambda now_us: tuple(self._stop(live, now_us) for live in running))

    # Inside

    @abstractmethod
    def _outcome(self, value: T, market: Market | None = None) -> Outcome[T]:
        """Gather what has happened since the last command, the changes of the books included."""

    @abstractmethod
    def _touch(self, market: Market) -> None:
        """Remember to publish the book of a market at the end of the command."""

    def _pass_time(self, now_us: int) -> None:
        super()._pass_time(now_us)
        if now_us >= self._funding_due_us and self._funding:
            self._funding_due_us = min(funding.advance(now_us) for funding in self._funding.values())

    def _reprice(self, market: Market, now_us: int) -> None:
        """Let the prices of a market follow what is set or what the rules say."""
        marks, perp = market.marks, market.spec.futures is not None
        if not perp and marks.fixed_mark is None and marks.fixed_index is None and marks.mark is None:
            return
        spot = self._markets.get(f"{market.spec.base}_{market.spec.quote}") if perp else None
        basis = (market.version, spot.version if spot is not None else 0, marks.fixed_mark, marks.fixed_index)
        if marks.basis == basis:
            return
        marks.basis = basis
        middle, last = market.middle, market.last_price
        index = marks.fixed_index
        if index is None:
            candidates = (spot.middle, spot.last_price) if spot is not None else ()
            index = next((price for price in (*candidates, middle, last) if price is not None), None)
        mark = marks.fixed_mark if marks.fixed_mark is not None else median((middle, last, index))
        if mark is None:
            return
        if marks.move(mark, index if index is not None else mark, now_us):
            price = self.mark_price(market.spec.symbol)
            if price is not None:
                self._events.append(MarkPriceChanged(price, now_us))

    def _settle_down(self, now_us: int) -> None:
        """Set conditional orders off and liquidate, until neither finds anything to do."""
        while True:
            for market in self._markets.values():
                if market.has_work:
                    market.settle_down(now_us)
                    self._touch(market)
            if not self._liquidate(now_us):
                return

    def _liquidate(self, now_us: int) -> bool:
        """Liquidate every account that has to be. Return whether that touched any market."""
        self.house.collect_debts()
        touched: set[str] = set()
        for account in self._exposed():
            found = self._liquidator.check(account, now_us)
            if found:
                for live in self._running(account.id, None):
                    live.end(StrategyStatus.TERMINATED, now_us, StrategyCancelReason.LIQUIDATION)
                    del self._strategies[live.id]
            touched |= found
        for symbol in sorted(touched):
            self._touch(self._markets[symbol])
        return bool(touched)

    def _exposed(self) -> list[Account]:
        holders = {
            slot.account.id: slot.account
            for perp in self._perps.values()
            for slot in perp.slots.values()
            if slot.position is not None
        }
        debtors = {name: self._accounts[name] for name in self.house.debts}
        return [owner for owner in (holders | debtors).values() if not owner.is_system]

    def _run_slices(self, now_us: int) -> None:
        """Trade every slice that is due, in the order of their times."""
        while True:
            due = min(self._strategies.values(), key=lambda live: (live.due_us, live.id), default=None)
            if due is None or due.due_us > now_us:
                return
            self._run_slice(due, now_us)
            if due.status is not StrategyStatus.RUNNING:
                del self._strategies[due.id]

    def _run_slice(self, live: LiveStrategy, now_us: int) -> None:
        market = self._market(live.request.symbol)
        order = live.next_order(market.spec)
        if order is not None:
            try:
                traded = market.execute(live.account, order, now_us, Cause(strategy_id=live.id))
            except Refused as refused:
                live.refuse(refused, now_us)
                return
            live.count(traded.view(), now_us)
            self._touch(market)
        live.finish(now_us)

    def _stop(self, live: LiveStrategy, now_us: int) -> Strategy:
        live.end(StrategyStatus.CANCELLED, now_us)
        self._strategies.pop(live.id, None)
        return live.view()

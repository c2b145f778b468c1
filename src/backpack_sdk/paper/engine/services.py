"""The state of what an exchange offers besides trading, what may be asked of it, and how time changes it.

Borrowing and lending, funds in and out, dust, requests for quotes, vaults. The commands are in `service_commands`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from decimal import Decimal, localcontext
from functools import cache
from itertools import chain, count
from typing import TypeVar

from .assets import AssetSpec
from .credit import VALUATION_ASSET, Credit, FuturesLoad
from .dust import DustDesk
from .errors import ErrorCode, Refused
from .events import Event
from .foreclosure import Foreclosure
from .lending import Lending
from .lending_pool import HOUR_US, BorrowLendSide, BorrowLendSource, PoolSpec, PoolState
from .liquidation import BACKSTOP
from .market import Market
from .numbers import EXACT, ZERO, multiple_below
from .outcome import Outcome
from .rfq import Rfqs
from .settings import AccountSettings
from .shares import share_up
from .transfers import Transfers
from .vaults import Vaults, VaultSpec
from .views import ExchangeView

T = TypeVar("T")

_HALF = Decimal("0.5")
_REMEMBERED_US = 366 * 24 * HOUR_US


@cache
def _unknown(symbol: str) -> AssetSpec:
    return AssetSpec(symbol=symbol, name=symbol)


class Services(ExchangeView):
    """What the services hold.

    `credit`, `lending`, `transfers`, `dust`, `rfqs` and `vaults` answer questions; what changes them goes through the
    commands of the exchange. Their money is in accounts of the ledger that belong to nobody (`system:...`).
    """

    def __init__(self, first_order_id: int = 1) -> None:
        super().__init__()
        self._events: list[Event] = []
        self._order_ids = count(first_order_id)
        self._assets: dict[str, AssetSpec] = {}
        self._settings: dict[str, AccountSettings] = {}
        self._hour_us: int | None = None
        self._quiet_until_us = 0
        """Until when nothing is due."""
        self.credit = Credit(self._ledger, self.asset_price, self.asset, self._futures_load)
        self.lending: Lending = self.credit.lending
        self.transfers = Transfers(self._ledger)
        self.dust = DustDesk(self._ledger)
        self.rfqs = Rfqs(self._ledger, self._order_ids, self._events)
        self._foreclosure = Foreclosure(self._ledger, self.credit, BACKSTOP, self._end_orders)
        self.vaults = Vaults(self._ledger, lambda account: self.credit.worth(account).equity)

    # Set-up

    def add_asset(self, spec: AssetSpec) -> None:
        """Tell what is known of an asset; the last word counts."""
        self._assets[spec.symbol] = spec

    def add_pool(self, spec: PoolSpec, *, now_us: int) -> None:
        """Open a lending pool.

        Raises:
            ValueError: the asset has one already.
        """
        self.lending.add_pool(spec, now_us)

    def add_vault(self, spec: VaultSpec) -> None:
        """Open a vault that an existing account runs.

        Raises:
            Refused: there is no such account.
            ValueError: the id or the token is taken.
        """
        self._account(spec.account)
        self.vaults.add(spec)

    # Questions

    def asset(self, symbol: str) -> AssetSpec:
        """Return what is known of an asset, which may be nothing but its symbol."""
        known = self._assets.get(symbol)
        return known if known is not None else _unknown(symbol)

    def traded_assets(self) -> tuple[str, ...]:
        """Return the assets of all markets, in the order of listing."""
        return tuple(dict.fromkeys(asset for spec in self.markets() for asset in (spec.base, spec.quote)))

    def asset_price(self, asset: str) -> Decimal:
        """Return the price of an asset in USDC: that of the last spot trade, else the middle of the book, else zero."""
        if asset == VALUATION_ASSET:
            return Decimal(1)
        market = self._markets.get(f"{asset}_{VALUATION_ASSET}")
        if market is None:
            return ZERO
        if market.tape.trades:
            return market.tape.trades[-1].price
        bid, ask = market.book.bids.best(), market.book.asks.best()
        return (bid.price + ask.price) * _HALF if bid is not None and ask is not None else ZERO

    def settings(self, account: str) -> AccountSettings:
        """Return what the holder of an account has chosen."""
        self._account(account)
        return self._settings.get(account, AccountSettings())

    def total(self, asset: str) -> Decimal:
        """Return everything there is of an asset, in all accounts, pools and vaults, on its way out, and as fees."""
        with localcontext(EXACT):
            return self._ledger.total(asset)

    # Inside

    def _service_state(self) -> Iterator[object]:
        """Yield the state of the services, for a fingerprint."""
        for part in (self.lending, self.transfers, self.rfqs, self.vaults):
            yield from part.state()
        yield {account: self.dust.history(account) for account in self._accounts}

    @abstractmethod
    def _advance(self, now_us: int) -> int:
        """Move the clock, never back, let everything happen that is due, and return the time."""

    @abstractmethod
    def _touch(self, market: Market) -> None:
        """Remember to publish the book of a market at the end of the command."""

    def _end_orders(self, account: str, now_us: int) -> None:
        """Cancel every open order of an account."""
        for order in tuple(self._account(account).open.values()):
            market = self._market(order.request.symbol)
            market.cancel(order, now_us)
            self._touch(market)

    @abstractmethod
    def _outcome(self, value: T) -> Outcome[T]:
        """Gather what has happened since the last command."""

    def _carry_out(self, now_us: int, act: Callable[[int], T]) -> Outcome[T]:
        """Run a command at a time. Under the exact context, so that no digit is ever lost."""
        with localcontext(EXACT):
            now_us = self._advance(now_us)
            self._quiet_until_us = 0  # whatever is done now may make something due
            return self._outcome(act(now_us))

    def _futures_load(self, account: str) -> FuturesLoad:
        """Return what the futures positions of an account add to its margin."""
        self._account(account)
        return FuturesLoad()

    def _pass_time(self, now_us: int) -> None:
        """Carry out what is due: at every full hour since the last call, then at this moment."""
        if now_us < self._quiet_until_us:
            return
        last_hour = now_us // HOUR_US * HOUR_US
        hour = self._hour_us if self._hour_us is not None else last_hour
        if not self.lending.has_debts:
            # Nothing grows: only the hours that a history still shows matter.
            hour = max(hour, last_hour - _REMEMBERED_US)
        while hour < last_hour:
            hour += HOUR_US
            self._pass_moment(hour)
            self.lending.pay_interest(hour)
            for account in self._settings:
                self._sweep(account, hour)
            self._foreclosure.check(hour)
            self.vaults.crank(hour)
        self._hour_us = last_hour
        self._quiet_until_us = min(last_hour + HOUR_US, self._pass_moment(now_us))

    def _pass_moment(self, now_us: int) -> int:
        """Carry out what is due, each thing at its own time, so that it does not matter how often the clock is told.

        Return when the next thing is due, at the latest in an hour.
        """
        while True:
            later_us = now_us + HOUR_US
            due_us = min(chain(self.transfers.due(), self.rfqs.due(), self.vaults.due()), default=later_us)
            if due_us > now_us:
                return due_us
            self.transfers.advance(due_us)
            self.rfqs.advance(due_us)
            self.vaults.advance(due_us)

    def _sweep(self, account: str, now_us: int) -> None:
        """Pay debts back and lend out what is free, as far as the account wants that."""
        settings = self._settings.get(account)
        if settings is None or not (settings.auto_lend or settings.auto_repay_borrows):
            return
        for pool in self.lending.pools():
            asset, step = pool.spec.asset, pool.spec.step_size
            available, owed = self._ledger.available(account, asset), self.lending.owed(account, asset)
            amount, source = ZERO, BorrowLendSource.AUTO_LEND
            if owed > ZERO:
                source = BorrowLendSource.AUTO_BORROW_REPAY
                if settings.auto_repay_borrows and pool.spec.state is not PoolState.CLOSED:
                    amount = min(available, owed)
            elif settings.auto_lend and pool.spec.state is PoolState.OPEN:
                room = min(available, pool.spec.limit - pool.lent)
                amount = multiple_below(room, step) if room > ZERO else ZERO
            if amount > ZERO:
                self.lending.execute(account, BorrowLendSide.LEND, asset, amount, now_us, source)

    def _gather(
        self,
        account: str,
        asset: str,
        quantity: Decimal,
        now_us: int,
        source: BorrowLendSource,
        *,
        borrow: bool,
        redeem: bool,
        leaves: bool = True,
    ) -> None:
        """Make sure that a quantity is available, by redeeming or borrowing where that is allowed.

        `leaves` tells that it is about to leave the account for good, so that the rest must carry the debts.

        Raises:
            Refused: `INSUFFICIENT_FUNDS`, `INSUFFICIENT_MARGIN`, and what redeeming and borrowing may raise.
        """
        short = quantity - self._ledger.available(account, asset)
        lent = self.lending.lent(account, asset)
        redeems = redeem and short > ZERO and lent >= short
        borrows = borrow and short > ZERO and lent == ZERO
        if short > ZERO and not (redeems or borrows):
            raise Refused(ErrorCode.INSUFFICIENT_FUNDS, f"{short} {asset} is missing for {quantity} {asset}")
        debt = share_up(short, Decimal(1), Decimal(1), self.lending.pool(asset).spec.step_size) if borrows else ZERO
        if leaves and not self.credit.carries(account, asset, taken=quantity, debt=debt):
            raise Refused(
                ErrorCode.INSUFFICIENT_MARGIN, f"what would be left does not carry the debts without {quantity} {asset}"
            )
        if short > ZERO:
            self.lending.execute(account, BorrowLendSide.BORROW, asset, debt if borrows else short, now_us, source)

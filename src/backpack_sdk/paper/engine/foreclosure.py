"""What happens to an account whose collateral no longer carries its loans. Looked at every full hour.

Its orders are cancelled, what it lends is redeemed, and what it has of an asset pays its debt in that asset. If that is
not enough, the backstop takes over every debt and gets as much of the other assets as the debts are worth, and 1 %
more, as far as there is any. The pools lose nothing: the backstop owes them, and pays with whatever it comes to have.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from .credit import Credit
from .errors import Refused
from .ledger import Ledger
from .lending_pool import BorrowLendSide, BorrowLendSource
from .numbers import ZERO
from .shares import share_up

PENALTY = Decimal("0.01")
_ONE = Decimal(1)


class Foreclosure:
    """Watches the accounts that owe. `backstop` is an account of the exchange itself; it may owe whatever it takes."""

    def __init__(self, ledger: Ledger, credit: Credit, backstop: str, end_orders: Callable[[str, int], None]) -> None:
        self._ledger = ledger
        self._credit = credit
        self._lending = credit.lending
        self._backstop = backstop
        self._end_orders = end_orders

    def check(self, now_us: int) -> None:
        """Foreclose on every account that has to be. Accounts with positions are left to their liquidation first."""
        for account in self._lending.debtors():
            if account == self._backstop:
                self._pay_back(account, now_us)
                continue
            if not self._is_sound(account):
                self._end_orders(account, now_us)
                self._redeem(account, now_us)
                self._pay_back(account, now_us)
                if not self._is_sound(account):
                    self._hand_over(account, now_us)

    def _is_sound(self, account: str) -> bool:
        worth = self._credit.worth(account)
        return worth.equity >= worth.maintenance or worth.futures.exposure != ZERO

    def _redeem(self, account: str, now_us: int) -> None:
        for asset in tuple(self._lending.book(account).open):
            self._try(account, BorrowLendSide.BORROW, asset, self._lending.redeemable(account, asset), now_us)

    def _pay_back(self, account: str, now_us: int) -> None:
        for asset in tuple(self._lending.book(account).open):
            amount = min(self._lending.owed(account, asset), self._ledger.available(account, asset))
            self._try(account, BorrowLendSide.LEND, asset, amount, now_us)

    def _try(self, account: str, side: BorrowLendSide, asset: str, amount: Decimal, now_us: int) -> None:
        if amount > ZERO:
            try:
                self._lending.execute(account, side, asset, amount, now_us, BorrowLendSource.LIQUIDATION)
            except Refused:
                return  # a closed pool, or one that too much is on loan from

    def _hand_over(self, account: str, now_us: int) -> None:
        worth = self._credit.worth(account)
        claim = worth.liabilities * (_ONE + PENALTY)
        for holding in sorted(worth.holdings, key=lambda each: (-each.available * each.price, each.asset)):
            if holding.owed > ZERO:
                self._lending.hand_over(account, holding.asset, self._backstop, now_us)
            elif claim > ZERO and holding.price > ZERO:
                amount = min(holding.available, share_up(claim, _ONE, holding.price))
                claim -= amount * holding.price
                if amount > ZERO:
                    self._ledger.transfer(account, self._backstop, holding.asset, amount)

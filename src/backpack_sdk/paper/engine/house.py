"""The clearing house: pays what positions earn and collects what they lose, to the last digit.

Opening a position moves no money. Closing one pays its owner the difference to what it cost, out of the clearing
house; whoever holds the other side has paid, or will pay, the opposite into it. At every moment

    cash of the clearing house + cost of all positions + debts of all accounts = 0

An account that can't pay at once owes: a debt is no negative balance. It counts against the account's equity, and
is paid from the next money that the account gets.
"""

from __future__ import annotations

from decimal import Decimal

from .ledger import Ledger
from .numbers import ZERO
from .spec import SETTLEMENT_ASSET


class ClearingHouse:
    """Moves the settlement asset between accounts and the clearing house's own cash in the ledger."""

    __slots__ = ("_debts", "_ledger")

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._debts: dict[str, Decimal] = {}

    @property
    def debts(self) -> dict[str, Decimal]:
        """What accounts owe, without those that owe nothing."""
        return dict(self._debts)

    def debt(self, account: str) -> Decimal:
        """Return what an account owes, zero or above."""
        return self._debts.get(account, ZERO)

    def pay(self, account: str, amount: Decimal) -> None:
        """Pay an account; a negative amount is collected, and what the account lacks becomes its debt."""
        amount -= self._debts.pop(account, ZERO)
        if amount < ZERO:
            paid = min(-amount, self._ledger.available(account, SETTLEMENT_ASSET))
            if paid < -amount:
                self._debts[account] = -amount - paid
            amount = -paid
        if amount != ZERO:
            self._ledger.to_pool(account, SETTLEMENT_ASSET, -amount)

    def collect_fee(self, account: str, fee: Decimal) -> None:
        """Charge an account a fee; a negative one is a rebate."""
        self.pay(account, -fee)
        self._ledger.fee_from_pool(SETTLEMENT_ASSET, fee)

    def collect_debts(self) -> None:
        """Let every account that owes and has money again pay."""
        for account in list(self._debts):
            if self._ledger.available(account, SETTLEMENT_ASSET) > ZERO:
                self.pay(account, ZERO)

    def assume_debt(self, debtor: str, guarantor: str) -> None:
        """Let another account take over a debt."""
        debt = self._debts.pop(debtor, ZERO)
        if debt != ZERO:
            self._debts[guarantor] = self._debts.get(guarantor, ZERO) + debt
            self.pay(guarantor, ZERO)

"""What the holder of an account has chosen."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

DEFAULT_LEVERAGE = Decimal(10)
MAX_LEVERAGE = Decimal(50)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """Switches and limits of an account.

    `auto_lend` lends out what is free of every asset with a pool: when it is switched on, with every deposit, and at
    every full hour. Orders draw on what is lent only when they say so (`autoLendRedeem`). `auto_repay_borrows` pays
    debts back from what is free, at the same moments. `leverage_limit` is the most that positions may exceed the
    equity by.
    """

    auto_borrow_settlements: bool = False
    auto_lend: bool = False
    auto_repay_borrows: bool = False
    leverage_limit: Decimal = DEFAULT_LEVERAGE

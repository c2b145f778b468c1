"""Dust: balances too small to trade, which the exchange buys for USDC."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import count

from .ledger import Ledger

DESK = "system:dust"
"""The ledger account that buys dust, and pays with what was put into it."""
DUST_PRICE_ASSET = "USDC"


@dataclass(frozen=True, slots=True)
class DustConversion:
    """One conversion of one asset."""

    id: int
    asset: str
    quantity: Decimal
    received: Decimal
    time_us: int


class DustDesk:
    """Buys dust. Commands must run inside one of the exchange's commands."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._ids = count(1)
        self._history: dict[str, list[DustConversion]] = {}
        ledger.open_account(DESK)

    @property
    def funds(self) -> Decimal:
        """What is left to pay with, in USDC."""
        return self._ledger.available(DESK, DUST_PRICE_ASSET)

    def fund(self, quantity: Decimal) -> None:
        """Bring USDC in from outside."""
        self._ledger.deposit(DESK, DUST_PRICE_ASSET, quantity)

    def history(self, account: str) -> tuple[DustConversion, ...]:
        """Return the conversions of an account, oldest first."""
        return tuple(self._history.get(account, ()))

    def buy(self, account: str, asset: str, quantity: Decimal, received: Decimal, now_us: int) -> DustConversion:
        """Take an available quantity and pay for it."""
        self._ledger.transfer(account, DESK, asset, quantity)
        self._ledger.transfer(DESK, account, DUST_PRICE_ASSET, received)
        conversion = DustConversion(next(self._ids), asset, quantity, received, now_us)
        self._history.setdefault(account, []).append(conversion)
        return conversion

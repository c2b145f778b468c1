"""Who has what: the balances of all accounts and the fees taken, moved only in ways that create nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from .numbers import ZERO
from .quick import quick


@quick
@dataclass(frozen=True, slots=True)
class Balance:
    """Funds of one account in one asset: free to use, and held for open orders."""

    available: Decimal = ZERO
    locked: Decimal = ZERO


class _Funds:
    __slots__ = ("available", "locked")

    def __init__(self) -> None:
        self.available = ZERO
        self.locked = ZERO


class Ledger:
    """Balances and collected fees.

    Only `deposit` brings assets in and only `withdraw` takes them out. Every other movement keeps the sum of an
    asset over all accounts, `fees` and `pool` the same, and refuses (with a RuntimeError, a fault of the engine) to
    take a balance below zero.
    """

    def __init__(self) -> None:
        self._accounts: dict[str, dict[str, _Funds]] = {}
        self._fees: dict[str, Decimal] = {}
        self._pool: dict[str, Decimal] = {}
        self._changed: dict[tuple[str, str], None] = {}

    def open_account(self, account: str) -> None:
        """Start an empty account."""
        self._accounts[account] = {}

    @property
    def fees(self) -> Mapping[str, Decimal]:
        """Fees collected per asset, less rebates paid; negative where rebates outweigh."""
        return dict(self._fees)

    @property
    def pool(self) -> Mapping[str, Decimal]:
        """What the clearing house holds per asset. It is below zero while gains are paid before losses come in."""
        return dict(self._pool)

    def available(self, account: str, asset: str) -> Decimal:
        """Return what the account is free to use."""
        funds = self._accounts[account].get(asset)
        return funds.available if funds is not None else ZERO

    def balances(self, account: str) -> dict[str, Balance]:
        """Return the balance of every asset that the account has ever held."""
        return {asset: Balance(funds.available, funds.locked) for asset, funds in self._accounts[account].items()}

    def funds(self, account: str) -> Iterator[tuple[str, Decimal, Decimal]]:
        """Iterate over (asset, available, locked) of an account."""
        for asset, funds in self._accounts[account].items():
            yield asset, funds.available, funds.locked

    def balance(self, account: str, asset: str) -> Balance:
        """Return the balance of one asset."""
        funds = self._accounts[account].get(asset)
        return Balance(funds.available, funds.locked) if funds is not None else Balance()

    def deposit(self, account: str, asset: str, amount: Decimal) -> None:
        """Bring `amount` into an account from outside."""
        self._touch(account, asset).available += amount

    def lock(self, account: str, asset: str, amount: Decimal) -> None:
        """Hold an available amount for an order."""
        funds = self._touch(account, asset)
        funds.available = _less(funds.available, amount)
        funds.locked += amount

    def unlock(self, account: str, asset: str, amount: Decimal) -> None:
        """Give a held amount back."""
        funds = self._touch(account, asset)
        funds.locked = _less(funds.locked, amount)
        funds.available += amount

    def pay(
        self, payer: str, payee: str, asset: str, amount: Decimal, *, fee: Decimal, from_locked: bool = False
    ) -> None:
        """Move `amount` from payer to payee, who hands `fee` of it to the exchange (a negative fee is a rebate)."""
        source = self._touch(payer, asset)
        if from_locked:
            source.locked = _less(source.locked, amount)
        else:
            source.available = _less(source.available, amount)
        self._touch(payee, asset).available += _less(amount, fee)
        self._fees[asset] = self._fees.get(asset, ZERO) + fee

    def to_pool(self, account: str, asset: str, amount: Decimal) -> None:
        """Let an account pay the clearing house from what is available; a negative amount is paid to the account."""
        funds = self._touch(account, asset)
        funds.available = _less(funds.available, amount)
        self._pool[asset] = self._pool.get(asset, ZERO) + amount

    def fee_from_pool(self, asset: str, fee: Decimal) -> None:
        """Hand a fee that the clearing house has collected to the exchange."""
        self._pool[asset] = self._pool.get(asset, ZERO) - fee
        self._fees[asset] = self._fees.get(asset, ZERO) + fee

    def transfer(self, payer: str, payee: str, asset: str, amount: Decimal) -> None:
        """Move an available amount from one account to another, without a fee."""
        source = self._touch(payer, asset)
        source.available = _less(source.available, amount)
        self._touch(payee, asset).available += amount

    def withdraw(self, account: str, asset: str, amount: Decimal, *, fee: Decimal = ZERO) -> None:
        """Let an available amount leave the exchange, which keeps `fee` of it."""
        source = self._touch(account, asset)
        source.available = _less(source.available, amount)
        if fee != ZERO:
            self._fees[asset] = self._fees.get(asset, ZERO) + fee

    def total(self, asset: str) -> Decimal:
        """Return everything there is of an asset: what all accounts and the clearing house have, and the fees."""
        held = (assets[asset] for assets in self._accounts.values() if asset in assets)
        rest = self._fees.get(asset, ZERO) + self._pool.get(asset, ZERO)
        return sum((funds.available + funds.locked for funds in held), rest)

    def drain_changes(self) -> list[tuple[str, str]]:
        """Return the (account, asset) pairs moved since the last call, in the order of their first move."""
        changed = list(self._changed)
        self._changed.clear()
        return changed

    def _touch(self, account: str, asset: str) -> _Funds:
        self._changed[account, asset] = None
        assets = self._accounts[account]
        funds = assets.get(asset)
        if funds is None:
            funds = assets[asset] = _Funds()
        return funds


def _less(amount: Decimal, taken: Decimal) -> Decimal:
    left = amount - taken
    if left < ZERO:
        raise RuntimeError(f"engine fault: taking {taken} from {amount} would leave a negative balance")
    return left

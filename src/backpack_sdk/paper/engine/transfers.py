"""Funds that come in and go out: deposits, withdrawals on their way, delays, and conversions of dust."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import count

from .assets import TokenSpec
from .errors import ErrorCode, Refused
from .ledger import Ledger
from .numbers import ZERO

IN_FLIGHT = "system:withdrawals"
"""The ledger account of withdrawals that have left their account and not the exchange."""
ADMINISTRATOR = "administrator"
"""The source of deposits that come over no blockchain."""
HOUR_US = 3_600_000_000
CONFIRMATION_US = 10_000_000
"""How long a withdrawal is on its way, once nothing holds it back."""
MAX_DELAY_HOURS = 720
_HASH_DIGITS = 64


@dataclass(frozen=True, slots=True)
class Deposit:
    """Funds that came in. `source` is a blockchain or `administrator`; the addresses are empty for the latter."""

    id: int
    account: str
    asset: str
    quantity: Decimal
    source: str
    from_address: str
    to_address: str
    transaction: str
    time_us: int


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Funds on their way out. `quantity` has left the account, `quantity` - `fee` arrives.

    `trigger_us` is when a delay ends, None without one. `confirmed_us` is None while the withdrawal is pending.
    """

    id: int
    account: str
    client_id: str | None
    asset: str
    quantity: Decimal
    fee: Decimal
    blockchain: str
    address: str
    is_internal: bool
    created_us: int
    trigger_us: int | None
    confirmed_us: int | None = None

    @property
    def due_us(self) -> int:
        """When it arrives."""
        start = self.trigger_us if self.trigger_us is not None else self.created_us
        return start if self.is_internal else start + CONFIRMATION_US

    @property
    def transaction(self) -> str:
        """The hash of its transaction on the blockchain."""
        return f"{self.id:0{_HASH_DIGITS}x}"


@dataclass(frozen=True, slots=True)
class WithdrawalDelay:
    """How long withdrawals to unlisted addresses are held back, and the change that is waiting."""

    hours: int
    pending_hours: int | None = None
    pending_from_us: int | None = None


class Transfers:
    """Deposits and withdrawals of all accounts.

    Commands change the ledger and must run inside one of the exchange's commands, after `advance` to the same time.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._deposit_ids = count(1)
        self._withdrawal_ids = count(1)
        self._deposits: dict[str, list[Deposit]] = {}
        self._withdrawals: dict[str, dict[int, Withdrawal]] = {}
        self._pending: dict[int, Withdrawal] = {}
        self._delays: dict[str, WithdrawalDelay] = {}
        self._trusted: dict[str, dict[str, None]] = {}
        ledger.open_account(IN_FLIGHT)

    # Questions

    def deposits(self, account: str) -> tuple[Deposit, ...]:
        """Return the deposits of an account, oldest first."""
        return tuple(self._deposits.get(account, ()))

    def withdrawals(self, account: str) -> tuple[Withdrawal, ...]:
        """Return the withdrawals of an account, oldest first."""
        return tuple(self._withdrawals.get(account, {}).values())

    def delay(self, account: str) -> WithdrawalDelay | None:
        """Return the delay of an account, None when it has set none."""
        return self._delays.get(account)

    def trusts(self, account: str, address: str) -> bool:
        """Return whether an address stands in the account's address book."""
        return address in self._trusted.get(account, {})

    def state(self) -> Iterator[object]:
        """Yield everything there is, for a fingerprint."""
        yield from (self._deposits, self._withdrawals, self._delays, self._trusted)

    def due(self) -> Iterator[int]:
        """Yield the times at which something is due."""
        for withdrawal in self._pending.values():
            yield withdrawal.due_us
        for delay in self._delays.values():
            if delay.pending_from_us is not None:
                yield delay.pending_from_us

    # Commands

    def advance(self, now_us: int) -> None:
        """Let the withdrawals arrive that are due, and changed delays come into force."""
        due = [each for each in self._pending.values() if each.due_us <= now_us] if self._pending else []
        for withdrawal in sorted(due, key=lambda each: (each.due_us, each.id)):
            self._arrive(withdrawal)
        for account, delay in self._delays.items():
            hours, from_us = delay.pending_hours, delay.pending_from_us
            if hours is not None and from_us is not None and from_us <= now_us:
                self._delays[account] = WithdrawalDelay(hours)

    def deposit(
        self, account: str, asset: str, quantity: Decimal, now_us: int, *, source: str = ADMINISTRATOR, sender: str = ""
    ) -> Deposit:
        """Bring funds in."""
        number = next(self._deposit_ids)
        chain = source != ADMINISTRATOR
        deposit = Deposit(
            number,
            account,
            asset,
            quantity,
            source,
            sender,
            deposit_address(account, source) if chain else "",
            f"{number:0{_HASH_DIGITS}x}" if chain else "",
            now_us,
        )
        self._ledger.deposit(account, asset, quantity)
        self._deposits.setdefault(account, []).append(deposit)
        return deposit

    def trust(self, account: str, address: str) -> None:
        """Put an address into the account's address book, without a second factor and without delay."""
        self._trusted.setdefault(account, {})[address] = None

    def withdraw(
        self,
        account: str,
        asset: str,
        token: TokenSpec,
        quantity: Decimal,
        address: str,
        now_us: int,
        *,
        client_id: str | None,
        recipient: str | None,
    ) -> Withdrawal:
        """Send available funds on their way; `recipient` is the account whose deposit address it is, if any."""
        delay = self._delays.get(account)
        held_back = delay is not None and not self.trusts(account, address)
        withdrawal = Withdrawal(
            next(self._withdrawal_ids),
            account,
            client_id,
            asset,
            quantity,
            ZERO if recipient is not None else token.withdrawal_fee,
            token.blockchain,
            address,
            recipient is not None,
            now_us,
            now_us + delay.hours * HOUR_US if delay is not None and held_back else None,
        )
        self._ledger.transfer(account, IN_FLIGHT, asset, quantity)
        self._withdrawals.setdefault(account, {})[withdrawal.id] = withdrawal
        self._pending[withdrawal.id] = withdrawal
        if withdrawal.due_us <= now_us:
            self._arrive(withdrawal)
        return self._withdrawals[account][withdrawal.id]

    def create_delay(self, account: str, hours: int) -> WithdrawalDelay:
        """Set a delay for the first time.

        Raises:
            Refused: `PRECONDITION_FAILED` (409) when one is set; `INVALID_RANGE` for a senseless number of hours.
        """
        if account in self._delays:
            raise Refused(ErrorCode.PRECONDITION_FAILED, "a withdrawal delay is set already: update it instead", 409)
        self._delays[account] = WithdrawalDelay(_hours(hours))
        return self._delays[account]

    def update_delay(self, account: str, hours: int, now_us: int) -> WithdrawalDelay:
        """Change the delay, as soon as the one in force has run out.

        Raises:
            Refused: `RESOURCE_NOT_FOUND` (404) when none is set; `INVALID_RANGE` for a senseless number of hours.
        """
        delay = self._delays.get(account)
        if delay is None:
            raise Refused(ErrorCode.RESOURCE_NOT_FOUND, "no withdrawal delay is set: create one first", 404)
        from_us = now_us + delay.hours * HOUR_US
        self._delays[account] = replace(delay, pending_hours=_hours(hours), pending_from_us=from_us)
        return self._delays[account]

    def _arrive(self, withdrawal: Withdrawal) -> None:
        del self._pending[withdrawal.id]
        self._withdrawals[withdrawal.account][withdrawal.id] = replace(withdrawal, confirmed_us=withdrawal.due_us)
        recipient = account_of(withdrawal.address) if withdrawal.is_internal else None
        if recipient is None:
            self._ledger.withdraw(IN_FLIGHT, withdrawal.asset, withdrawal.quantity, fee=withdrawal.fee)
            return
        self._ledger.transfer(IN_FLIGHT, recipient, withdrawal.asset, withdrawal.quantity)
        deposit = Deposit(
            next(self._deposit_ids),
            recipient,
            withdrawal.asset,
            withdrawal.quantity,
            withdrawal.blockchain,
            deposit_address(withdrawal.account, withdrawal.blockchain),
            withdrawal.address,
            withdrawal.transaction,
            withdrawal.due_us,
        )
        self._deposits.setdefault(recipient, []).append(deposit)


def deposit_address(account: str, blockchain: str) -> str:
    """Return the address of an account on a blockchain. It is made up, and never one of a real chain."""
    return f"paper:{blockchain}:{account}"


def account_of(address: str) -> str | None:
    """Return the account whose deposit address it has the form of."""
    head, _, rest = address.partition(":")
    account = rest.partition(":")[2]
    return account if head == "paper" and account else None


def _hours(hours: int) -> int:
    if not 1 <= hours <= MAX_DELAY_HOURS:
        raise Refused(ErrorCode.INVALID_RANGE, f"{hours} hours must lie in 1 to {MAX_DELAY_HOURS}")
    return hours

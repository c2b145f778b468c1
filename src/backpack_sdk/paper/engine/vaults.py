"""Vaults: accounts that trade for many, whose tokens are shares of what they own.

A vault's money is the account that runs it, so its equity is that account's. Minting is priced at the higher of the
momentary and the averaged value per token, redeeming at the lower, each rounded in the vault's favour: whoever stays
never pays for those who come and go.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from itertools import count

from .errors import ErrorCode, Refused
from .ledger import Ledger
from .numbers import ZERO, is_multiple
from .shares import share_down

REDEEMS = "system:vault-redeems"
"""The ledger account of tokens whose redemption waits."""
_NAV_UNIT = Decimal("0.00000001")
_PAID_UNIT = Decimal("0.000001")
_AVERAGED = 24
_HISTORY = 24 * 366
_ONE = Decimal(1)

Equity = Callable[[str], Decimal]


class RedeemStatus(StrEnum):
    """What became of a redemption."""

    REQUESTED = "Requested"
    REDEEMED = "Redeemed"
    CANCELLED = "Cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultSpec:
    """The terms of a vault. `account` runs it and holds its money; `asset` is paid in and out; `token` is its share."""

    id: int
    account: str
    token: str
    asset: str = "USDC"
    min_mint_quantity: Decimal = Decimal(10)
    min_redeem_tokens: Decimal = Decimal(1)
    token_step: Decimal = Decimal("0.000001")
    max_supply: Decimal = Decimal(1_000_000_000)
    redeem_delay_us: int = 3_600_000_000
    mints_enabled: bool = True
    redeems_enabled: bool = True


@dataclass(frozen=True, slots=True)
class VaultRedeem:
    """A redemption. `quantity` and `nav` are set once it is paid, `reason` once it is cancelled."""

    id: int
    vault_id: int
    account: str
    tokens: Decimal
    status: RedeemStatus
    time_us: int
    due_us: int
    quantity: Decimal | None = None
    nav: Decimal | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class VaultFigures:
    """What a vault is worth. Values per token are rounded down to eight decimals; 1 while there is no token."""

    vault_id: int
    nav: Decimal
    average_nav: Decimal
    equity: Decimal
    supply: Decimal
    time_us: int

    @property
    def mint_nav(self) -> Decimal:
        """What a token costs."""
        return max(self.nav, self.average_nav)

    @property
    def redeem_nav(self) -> Decimal:
        """What a token brings."""
        return min(self.nav, self.average_nav)


class Vault:
    """A vault at work."""

    __slots__ = ("cranked_us", "history", "pending", "samples", "spec", "supply")

    def __init__(self, spec: VaultSpec) -> None:
        self.spec = spec
        self.supply = ZERO
        self.samples: deque[Decimal] = deque(maxlen=_AVERAGED)
        self.history: deque[VaultFigures] = deque(maxlen=_HISTORY)
        self.pending: dict[int, VaultRedeem] = {}
        self.cranked_us: int | None = None


class Vaults:
    """All vaults. Commands must run inside one of the exchange's commands, after `advance` to the same time."""

    def __init__(self, ledger: Ledger, equity: Equity) -> None:
        self._ledger = ledger
        self._equity = equity
        self._ids = count(1)
        self._vaults: dict[int, Vault] = {}
        self._redeems: list[VaultRedeem] = []
        ledger.open_account(REDEEMS)

    def add(self, spec: VaultSpec) -> None:
        """Open a vault.

        Raises:
            ValueError: its id or its token is taken.
        """
        if any(spec.id == vault.spec.id or spec.token == vault.spec.token for vault in self._vaults.values()):
            raise ValueError(f"there is a vault {spec.id} or a token {spec.token} already")
        self._vaults[spec.id] = Vault(spec)

    # Questions

    def vaults(self) -> tuple[Vault, ...]:
        """Return all vaults. Not to be changed."""
        return tuple(self._vaults.values())

    def vault(self, vault_id: int) -> Vault:
        """Return one vault. Not to be changed.

        Raises:
            Refused: `RESOURCE_NOT_FOUND` (404).
        """
        vault = self._vaults.get(vault_id)
        if vault is None:
            raise Refused(ErrorCode.RESOURCE_NOT_FOUND, f"there is no vault {vault_id}", 404)
        return vault

    def run_by(self, account: str) -> Vault:
        """Return the vault that an account runs.

        Raises:
            Refused: `UNAUTHORIZED` (401) when it runs none.
        """
        for vault in self._vaults.values():
            if vault.spec.account == account:
                return vault
        raise Refused(ErrorCode.UNAUTHORIZED, "the key does not belong to the account of a vault", 401)

    def redeems(self) -> tuple[VaultRedeem, ...]:
        """Return the redemptions that are over, in the order of their ending."""
        return tuple(self._redeems)

    def figures(self, vault: Vault, now_us: int) -> VaultFigures:
        """Return what a vault is worth now."""
        equity = max(self._equity(vault.spec.account), ZERO)
        nav = share_down(equity, _ONE, vault.supply, _NAV_UNIT) if vault.supply > ZERO else _ONE
        samples = vault.samples
        average = share_down(sum(samples, ZERO), _ONE, Decimal(len(samples)), _NAV_UNIT) if samples else nav
        return VaultFigures(vault.spec.id, nav, average, equity, vault.supply, now_us)

    def state(self) -> Iterator[object]:
        """Yield everything there is, for a fingerprint."""
        for vault in self._vaults.values():
            yield (vault.spec, vault.supply, list(vault.samples), vault.pending, list(vault.history)[-1:])
        yield self._redeems

    def due(self) -> Iterator[int]:
        """Yield the times at which something is due."""
        return (redeem.due_us for vault in self._vaults.values() for redeem in vault.pending.values())

    # Commands

    def crank(self, hour_us: int) -> None:
        """Take the hourly sample of every vault's value."""
        for vault in self._vaults.values():
            figures = self.figures(vault, hour_us)
            vault.samples.append(figures.nav)
            vault.history.append(figures)
            vault.cranked_us = hour_us

    def advance(self, now_us: int) -> None:
        """Pay the redemptions whose delay is over."""
        for vault in self._vaults.values():
            if not vault.pending:
                continue
            for redeem in [each for each in vault.pending.values() if each.due_us <= now_us]:
                self._pay(vault, redeem, now_us)

    def check_mint(self, account: str, vault_id: int, asset: str, quantity: Decimal, now_us: int) -> Decimal:
        """Return the number of tokens that a payment would buy.

        Raises:
            Refused: `RESOURCE_NOT_FOUND` (404), `INVALID_ASSET`, `INVALID_QUANTITY`, `TRADING_PAUSED` or
                `INVALID_CLIENT_REQUEST`.
        """
        vault = self.vault(vault_id)
        spec = vault.spec
        if not spec.mints_enabled:
            raise Refused(ErrorCode.TRADING_PAUSED, f"vault {vault_id} takes no deposits at present")
        if asset != spec.asset:
            raise Refused(ErrorCode.INVALID_ASSET, f"vault {vault_id} takes {spec.asset}, not {asset}")
        if account == spec.account:
            raise Refused(ErrorCode.INVALID_CLIENT_REQUEST, "the account that runs a vault can't pay into it")
        if quantity < spec.min_mint_quantity:
            raise Refused(
                ErrorCode.INVALID_QUANTITY, f"{quantity} is below the minimum {spec.min_mint_quantity} {asset}"
            )
        figures = self.figures(vault, now_us)
        nav = figures.mint_nav
        if nav == ZERO:
            raise Refused(
                ErrorCode.TRADING_PAUSED, f"the tokens of vault {vault_id} have no value: it can't be paid into"
            )
        # A value rounded down would sell too many tokens: one unit more is on the safe side.
        exact = nav * vault.supply >= figures.equity or vault.supply == ZERO
        tokens = share_down(quantity, _ONE, nav if exact else nav + _NAV_UNIT, spec.token_step)
        if vault.supply + tokens > spec.max_supply or tokens == ZERO:
            left = spec.max_supply - vault.supply
            raise Refused(ErrorCode.INVALID_QUANTITY, f"vault {vault_id} can mint {left} tokens more, not {tokens}")
        return tokens

    def mint(self, account: str, vault_id: int, quantity: Decimal, tokens: Decimal) -> None:
        """Pay an available quantity into a vault for the tokens that `check_mint` told."""
        vault = self.vault(vault_id)
        self._ledger.transfer(account, vault.spec.account, vault.spec.asset, quantity)
        self._ledger.deposit(account, vault.spec.token, tokens)
        vault.supply += tokens

    def redeem(self, account: str, vault_id: int, tokens: Decimal | None, now_us: int) -> VaultRedeem:
        """Queue the redemption of tokens, or of all that are available.

        Raises:
            Refused: `RESOURCE_NOT_FOUND` (404), `TRADING_PAUSED`, `INVALID_QUANTITY` or `INSUFFICIENT_FUNDS`.
        """
        vault = self.vault(vault_id)
        spec = vault.spec
        if not spec.redeems_enabled:
            raise Refused(ErrorCode.TRADING_PAUSED, f"vault {vault_id} redeems nothing at present")
        available = self._ledger.available(account, spec.token)
        tokens = available if tokens is None else tokens
        if tokens > available or tokens == ZERO:
            raise Refused(ErrorCode.INSUFFICIENT_FUNDS, f"{tokens} {spec.token} is wanted and {available} is available")
        if tokens < spec.min_redeem_tokens or not is_multiple(tokens, spec.token_step):
            raise Refused(
                ErrorCode.INVALID_QUANTITY,
                f"{tokens} {spec.token} must be a multiple of {spec.token_step} and at least {spec.min_redeem_tokens}",
            )
        redeem = VaultRedeem(
            next(self._ids), vault_id, account, tokens, RedeemStatus.REQUESTED, now_us, now_us + spec.redeem_delay_us
        )
        self._ledger.transfer(account, REDEEMS, spec.token, tokens)
        vault.pending[redeem.id] = redeem
        return redeem

    def cancel(self, account: str, vault_id: int, now_us: int) -> tuple[VaultRedeem, ...]:
        """Take back every redemption of the account that still waits on a vault, and return them.

        Raises:
            Refused: `RESOURCE_NOT_FOUND` (404) for an unknown vault, `INVALID_CLIENT_REQUEST` when none waits.
        """
        vault = self.vault(vault_id)
        waiting = [redeem for redeem in vault.pending.values() if redeem.account == account]
        if not waiting:
            raise Refused(ErrorCode.INVALID_CLIENT_REQUEST, f"no redemption of this account waits on vault {vault_id}")
        return tuple(self._call_off(vault, redeem, "taken back by its owner", now_us) for redeem in waiting)

    def _pay(self, vault: Vault, redeem: VaultRedeem, now_us: int) -> None:
        spec = vault.spec
        nav = self.figures(vault, now_us).redeem_nav
        quantity = share_down(redeem.tokens, nav, _ONE, _PAID_UNIT)
        if self._ledger.available(spec.account, spec.asset) < quantity:
            self._call_off(vault, redeem, f"the vault has too little {spec.asset} at hand", now_us)
            return
        del vault.pending[redeem.id]
        if quantity > ZERO:
            self._ledger.transfer(spec.account, redeem.account, spec.asset, quantity)
        self._ledger.withdraw(REDEEMS, spec.token, redeem.tokens)
        vault.supply -= redeem.tokens
        self._redeems.append(replace(redeem, status=RedeemStatus.REDEEMED, time_us=now_us, quantity=quantity, nav=nav))

    def _call_off(self, vault: Vault, redeem: VaultRedeem, reason: str, now_us: int) -> VaultRedeem:
        del vault.pending[redeem.id]
        self._ledger.transfer(REDEEMS, redeem.account, vault.spec.token, redeem.tokens)
        ended = replace(redeem, status=RedeemStatus.CANCELLED, time_us=now_us, reason=reason)
        self._redeems.append(ended)
        return ended

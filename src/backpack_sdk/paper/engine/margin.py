"""What an account is worth, and what its positions and orders demand of it. Everything is valued in USDC.

Equity is the available balances, each at its price and collateral weight, less debt, plus the unrealised profit and
loss of all positions. What spot orders hold is left out until they are done. Initial margin is asked for when something
is opened, maintenance margin at every moment: an account with less equity than that is liquidated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from .account import Account
from .credit import FuturesLoad
from .enums import PositionState
from .house import ClearingHouse
from .ledger import Ledger
from .numbers import QUOTIENT, SMALLEST, ZERO, multiple_below, plain, ratio
from .positions import LivePosition, Position

if TYPE_CHECKING:
    from .perp import Slot

_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Loans:
    """What lending and borrowing add: claims less debts after collateral weights, and the margins that debts need."""

    value: Decimal = ZERO
    initial: Decimal = ZERO
    maintenance: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Valuation:
    """Where prices, collateral weights, leverage limits and loans come from; by asset, or by the id of an account."""

    price: Callable[[str], Decimal]
    weight: Callable[[str], Decimal]
    leverage: Callable[[str], Decimal]
    loans: Callable[[str], Loans]


class Margin:
    """Values accounts. To be asked under the exact context."""

    def __init__(self, ledger: Ledger, house: ClearingHouse, valuation: Valuation) -> None:
        self._ledger = ledger
        self._house = house
        self._by = valuation

    def equity(self, account: Account) -> Decimal:
        """Return what an account is worth as collateral."""
        total = -self._house.debt(account.id)
        for asset, available, _locked in self._ledger.funds(account.id):
            if available != ZERO:
                total += available * self._by.price(asset) * self._by.weight(asset)
        for slot in account.slots.values():
            if slot.position is not None:
                total += slot.position.unrealized(self.mark(slot))
        return total + self._by.loans(account.id).value

    def mark(self, slot: Slot) -> Decimal:
        """Return the mark price of a slot's market; before there is one, the entry price."""
        mark = slot.clearing.marks.mark
        if mark is not None:
            return mark
        return slot.position.entry_price if slot.position is not None else ZERO

    def initial_fraction(self, slot: Slot, notional: Decimal) -> Decimal:
        """Return the initial margin fraction: that of the market, or of the account's leverage limit if higher."""
        least = _one_part_in(self._by.leverage(slot.account.id))
        return max(slot.clearing.futures.imf.fraction(notional), least)

    def initial_of(self, slot: Slot, exposure: Decimal, mark: Decimal) -> Decimal:
        """Return the initial margin of one market at an exposure."""
        notional = exposure * mark
        return notional * self.initial_fraction(slot, notional)

    def initial(self, account: Account, *, besides: Slot | None = None) -> Decimal:
        """Return the initial margin of all positions, open orders and debts, one market left out if wanted."""
        return self._by.loans(account.id).initial + sum(
            (
                self.initial_of(slot, slot.exposure(), self.mark(slot))
                for slot in account.slots.values()
                if slot is not besides
            ),
            ZERO,
        )

    def free_equity(self, account: Account, *, besides: Slot | None = None) -> Decimal:
        """Return the equity that initial margin does not take up."""
        return self.equity(account) - self.initial(account, besides=besides)

    def maintenance(self, account: Account) -> Decimal:
        """Return the maintenance margin of all positions and debts."""
        total = self._by.loans(account.id).maintenance
        for slot in account.slots.values():
            if slot.position is not None:
                notional = abs(slot.position.quantity) * self.mark(slot)
                total += notional * slot.clearing.futures.mmf.fraction(notional)
        return total

    def is_tied(self, account: Account) -> bool:
        """Return whether the account has anything that its collateral must stand for."""
        return self._house.debt(account.id) != ZERO or any(slot.exposure() != ZERO for slot in account.slots.values())

    def spendable(self, account: Account, asset: str) -> Decimal:
        """Return how much of an asset the account may give away: what is available and not needed as margin."""
        available = self._ledger.available(account.id, asset)
        value = self._by.price(asset) * self._by.weight(asset)
        if account.is_system or value == ZERO or not self.is_tied(account):
            return available
        free = max(ZERO, self.free_equity(account))
        return min(available, multiple_below(QUOTIENT.divide(free, value), SMALLEST))

    def view(self, slot: Slot, position: LivePosition) -> Position:
        """Return a position as it is now."""
        mark = self.mark(slot)
        exposure = slot.exposure()
        notional = exposure * mark
        closed = position.closed_volume
        return Position(
            id=position.id,
            account=slot.account.id,
            symbol=slot.clearing.spec.symbol,
            state=PositionState.CLOSED if position.quantity == ZERO else PositionState.OPEN,
            quantity=position.quantity,
            cost=position.cost,
            entry_price=position.entry_price,
            break_even_price=position.break_even_price,
            mark_price=mark,
            realized=position.realized,
            unrealized=position.unrealized(mark),
            funding=position.funding,
            fees=position.fees,
            liquidation_fees=position.liquidation_fees,
            exposure_quantity=exposure,
            exposure_notional=notional,
            imf=self.initial_fraction(slot, notional),
            mmf=slot.clearing.futures.mmf.fraction(notional),
            closed_volume=closed,
            closing_price=ratio(position.closed_value, closed) if closed != ZERO else None,
            liquidated=position.liquidated,
            opened_us=position.opened_us,
            closed_us=position.closed_us,
            updated_us=position.updated_us,
        )

    def liquidation_price(self, slot: Slot) -> Decimal:
        """Return the mark price at which the account would be liquidated if nothing else changed; zero for none.

        The maintenance fraction is taken as it is at the present price.
        """
        position = slot.position
        if position is None:
            return ZERO
        mark = self.mark(slot)
        size = abs(position.quantity)
        fraction = slot.clearing.futures.mmf.fraction(size * mark)
        spare = self.equity(slot.account) - self.maintenance(slot.account)
        slope = position.quantity - size * fraction
        if slope == ZERO:
            return ZERO
        price = mark - ratio(spare, slope)
        return max(ZERO, plain(price))

    def load(self, account: Account) -> FuturesLoad:
        """Return what the perpetuals of an account add to its margin. A debt to the clearing house counts as a loss."""
        slots = account.slots.values()
        unrealized = sum(
            (slot.position.unrealized(self.mark(slot)) for slot in slots if slot.position is not None), ZERO
        )
        loans = self._by.loans(account.id)
        return FuturesLoad(
            unrealized=unrealized - self._house.debt(account.id),
            exposure=sum((slot.exposure() * self.mark(slot) for slot in slots), ZERO),
            initial=self.initial(account) - loans.initial,
            maintenance=self.maintenance(account) - loans.maintenance,
        )


@cache
def _one_part_in(parts: Decimal) -> Decimal:
    return QUOTIENT.quantize(QUOTIENT.divide(_ONE, parts), SMALLEST)

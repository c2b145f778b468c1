"""What an account is worth, what it owes, and whether its collateral carries more.

Values are in USDC. An asset counts at its price times its collateral weight, whether it is free, locked or lent; a debt
at its price. The equity must cover the initial margin of all debts and positions before more is borrowed or taken out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from .assets import AssetSpec
from .ledger import Ledger
from .lending import Lending
from .numbers import ZERO
from .shares import ratio

VALUATION_ASSET = "USDC"
BORROW_LIMIT = Decimal(10_000_000)
"""The most that one account may owe, in USDC."""
_PRICE_UNIT = Decimal("0.00000001")
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class FuturesLoad:
    """What the futures positions of an account add: profit or loss, value at risk, and the margins they need."""

    unrealized: Decimal = ZERO
    exposure: Decimal = ZERO
    initial: Decimal = ZERO
    maintenance: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Holding:
    """One asset of an account."""

    asset: str
    price: Decimal
    weight: Decimal
    available: Decimal
    locked: Decimal
    lent: Decimal
    owed: Decimal

    @property
    def total(self) -> Decimal:
        """Everything the account owns of it."""
        return self.available + self.locked + self.lent

    @property
    def notional(self) -> Decimal:
        """What that is worth."""
        return self.total * self.price

    @property
    def collateral(self) -> Decimal:
        """What of that counts."""
        return self.notional * self.weight

    @property
    def liability(self) -> Decimal:
        """What the debt is worth."""
        return self.owed * self.price


@dataclass(frozen=True, slots=True)
class Worth:
    """An account as a whole. `equity` is after collateral discounts."""

    holdings: tuple[Holding, ...]
    assets: Decimal
    collateral: Decimal
    liabilities: Decimal
    locked: Decimal
    initial: Decimal
    maintenance: Decimal
    futures: FuturesLoad

    @property
    def equity(self) -> Decimal:
        """What counts of everything owned, less everything owed."""
        return self.collateral - self.liabilities + self.futures.unrealized

    @property
    def exposure(self) -> Decimal:
        """The value at risk: debts and futures positions."""
        return self.liabilities + self.futures.exposure


class Credit:
    """Values accounts and judges what they may do. Changes nothing. To be asked under the exact context."""

    def __init__(
        self,
        ledger: Ledger,
        price: Callable[[str], Decimal],
        terms: Callable[[str], AssetSpec],
        futures: Callable[[str], FuturesLoad],
    ) -> None:
        self._ledger = ledger
        self._price = price
        self._terms = terms
        self._futures = futures
        self.lending = Lending(ledger, lambda account, asset, quantity: self.carries(account, asset, debt=quantity))

    def worth(self, account: str) -> Worth:
        """Return what an account is worth."""
        balances = self._ledger.balances(account)
        book = self.lending.book(account)
        holdings: list[Holding] = []
        initial = maintenance = ZERO
        for asset in dict.fromkeys((*balances, *book.open)):
            balance = self._ledger.balance(account, asset)
            terms = self._terms(asset).collateral
            holding = Holding(
                asset,
                self._price(asset),
                terms.weight,
                balance.available,
                balance.locked,
                self.lending.lent(account, asset),
                self.lending.owed(account, asset),
            )
            initial += holding.liability * terms.initial.fraction(holding.liability)
            maintenance += holding.liability * terms.maintenance.fraction(holding.liability)
            holdings.append(holding)
        futures = self._futures(account)
        return Worth(
            tuple(holdings),
            sum((each.notional for each in holdings), ZERO),
            sum((each.collateral for each in holdings), ZERO),
            sum((each.liability for each in holdings), ZERO),
            sum((each.locked * each.price for each in holdings), ZERO),
            initial + futures.initial,
            maintenance + futures.maintenance,
            futures,
        )

    def carries(self, account: str, asset: str, *, taken: Decimal = ZERO, debt: Decimal = ZERO) -> bool:
        """Return whether the account could owe `debt` more, get that, and then give `taken` of the asset away."""
        worth = self.worth(account)
        terms, price = self._terms(asset).collateral, self._price(asset)
        owed = (self.lending.owed(account, asset)) * price
        more = debt * price
        initial = (
            worth.initial - owed * terms.initial.fraction(owed) + (owed + more) * terms.initial.fraction(owed + more)
        )
        if initial == ZERO and worth.liabilities + more == ZERO:
            return True
        if debt > ZERO and (price == ZERO or worth.liabilities + more > BORROW_LIMIT):
            return False
        # What orders hold is about to become something else, so it carries nothing.
        bound = sum((each.locked * each.price * each.weight for each in worth.holdings), ZERO)
        return worth.equity - bound + (debt - taken) * price * terms.weight - more >= initial

    def max_borrow(self, account: str, asset: str) -> Decimal:
        """Return the most that an account could borrow now, in whole steps of the pool."""
        step = self.lending.pool(asset).spec.step_size
        if self.lending.lent(account, asset) > ZERO:
            return ZERO
        return self._most(
            self.lending.supply(asset), step, lambda quantity: self.carries(account, asset, debt=quantity)
        )

    def max_withdrawal(self, account: str, asset: str, unit: Decimal, *, redeem: bool, borrow: bool) -> Decimal:
        """Return the most that an account could take out now, in multiples of `unit`."""
        available = self._ledger.available(account, asset)
        own = available + (self.lending.redeemable(account, asset) if redeem else ZERO)
        most = self._most(own, unit, lambda quantity: self.carries(account, asset, taken=quantity))
        if most < own or not borrow or asset not in {pool.spec.asset for pool in self.lending.pools()}:
            return most
        if self.lending.lent(account, asset) > ZERO:
            return most
        step = self.lending.pool(asset).spec.step_size
        debt = self._most(
            self.lending.supply(asset),
            step,
            lambda quantity: self.carries(account, asset, taken=available + quantity, debt=quantity),
        )
        return ratio(available + debt, _ONE, unit)

    def liquidation_price(self, account: str, asset: str, *, lent: Decimal = ZERO, owed: Decimal = ZERO) -> Decimal:
        """Return the price at which the account would fall below its maintenance margin, zero when there is none.

        Every other price stays. `lent` and `owed` come on top of what stands; what is owed counts as received.
        """
        worth = self.worth(account)
        terms, price = self._terms(asset).collateral, self._price(asset)
        now_owed = self.lending.owed(account, asset)
        total = sum((each.total for each in worth.holdings if each.asset == asset), ZERO) + owed
        debt = now_owed + owed - min(lent, now_owed)
        total -= min(lent, now_owed)
        fraction = terms.maintenance.fraction(debt * price)
        own_now = sum((each.collateral - each.liability for each in worth.holdings if each.asset == asset), ZERO)
        margin_now = now_owed * price * terms.maintenance.fraction(now_owed * price)
        # equity(p) - margin(p) = rest + p x slope
        rest = (worth.equity - own_now) - (worth.maintenance - margin_now)
        slope = total * terms.weight - debt * (_ONE + fraction)
        if slope == ZERO or (rest > ZERO) == (slope > ZERO) or rest == ZERO:
            return ZERO
        return ratio(abs(rest), abs(slope), _PRICE_UNIT)

    def _most(self, bound: Decimal, unit: Decimal, fits: Callable[[Decimal], bool]) -> Decimal:
        """Return the greatest multiple of `unit` up to `bound` that fits, given that whatever is below it fits too."""
        low, high = 0, int(bound // unit) if bound > ZERO else 0
        if fits(high * unit):
            return high * unit
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if fits(middle * unit) else (low, middle - 1)
        return low * unit

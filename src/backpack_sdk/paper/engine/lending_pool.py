"""One lending pool: what lenders put in, what is on loan, the rate that follows, and interest to the last digit.

The books of a pool always balance: its cash = lent - borrowed + reserve. Interest moves no cash. It makes debts and
claims grow: every borrower owes a little more (rounded up to 18 decimals), every lender is owed a share of it (rounded
down), and what is left over, the exchange's own share included, is the reserve.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from .numbers import ZERO
from .shares import ratio, share_down, share_up

HOUR_US = 3_600_000_000
YEAR_US = 365 * 24 * HOUR_US
_RATE_UNIT = Decimal("0.0000000001")
_ONE = Decimal(1)
MAX_UTILIZATION = Decimal("0.98")
"""The rest of a pool always covers the interest of an hour, at any rate that a curve may have."""


class BorrowLendSide(StrEnum):
    """Direction of a borrow lend position."""

    BORROW = "Borrow"
    LEND = "Lend"


class BorrowLendEventType(StrEnum):
    """Kind of change of a borrow lend position."""

    BORROW = "Borrow"
    BORROW_REPAY = "BorrowRepay"
    LEND = "Lend"
    LEND_REDEEM = "LendRedeem"


class BorrowLendSource(StrEnum):
    """What caused a change."""

    AUTO_BORROW_REPAY = "AutoBorrowRepay"
    AUTO_LEND = "AutoLend"
    BACKSTOP_PROVIDER = "BackstopProvider"
    DUST_CONVERSION = "DustConversion"
    INTEREST = "Interest"
    LIQUIDATION = "Liquidation"
    LIQUIDATION_BACKSTOP = "LiquidationBackstop"
    MANUAL = "Manual"
    RFQ = "Rfq"
    SPOT_MARGIN = "SpotMargin"
    WITHDRAWAL = "Withdrawal"


class PoolState(StrEnum):
    """What a pool accepts: everything, nothing, or repayments and redemptions alone."""

    OPEN = "Open"
    CLOSED = "Closed"
    REPAY_ONLY = "RepayOnly"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCurve:
    """Yearly rate of borrowers by utilization: straight from `base` to `optimal`, then steeper to `full` at 1.

    All are factors: 0.05 is 5 % a year. The kink is at the utilization `kink`.
    """

    base: Decimal = Decimal("0.01")
    optimal: Decimal = Decimal("0.06")
    full: Decimal = Decimal("1")
    kink: Decimal = Decimal("0.8")

    def __post_init__(self) -> None:
        if not (ZERO <= self.base <= self.optimal <= self.full <= 100 and ZERO < self.kink < _ONE):
            raise ValueError("rates must not fall along the curve and the kink must lie between 0 and 1")

    def rate(self, utilization: Decimal) -> Decimal:
        """Return the yearly rate, rounded down to ten decimals."""
        if utilization <= self.kink:
            return self.base + share_down(self.optimal - self.base, utilization, self.kink, _RATE_UNIT)
        beyond = min(utilization, _ONE) - self.kink
        return self.optimal + share_down(self.full - self.optimal, beyond, _ONE - self.kink, _RATE_UNIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSpec:
    """The terms of a pool. `fee` is the exchange's share of the interest; the limit is on each of lent and borrowed."""

    asset: str
    step_size: Decimal
    limit: Decimal
    curve: RateCurve = field(default_factory=RateCurve)
    fee: Decimal = Decimal("0.1")
    max_utilization: Decimal = Decimal("0.95")
    state: PoolState = PoolState.OPEN

    def __post_init__(self) -> None:
        if self.step_size <= ZERO or self.limit <= ZERO:
            raise ValueError(f"the step size and the limit of the {self.asset} pool must be above zero")
        if not (ZERO <= self.fee <= _ONE and ZERO < self.max_utilization <= MAX_UTILIZATION):
            raise ValueError(
                f"the fee of the {self.asset} pool must lie within 0 to 1, its utilization within 0 to 0.98"
            )


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """A pool at one moment. Rates are yearly factors; `time_us` is Unix microseconds."""

    asset: str
    lent: Decimal
    borrowed: Decimal
    utilization: Decimal
    borrow_rate: Decimal
    lend_rate: Decimal
    time_us: int


@dataclass(frozen=True, slots=True)
class InterestPayment:
    """Interest of one position over `interval_us`, which ends at `time_us`."""

    position_id: int
    asset: str
    side: BorrowLendSide
    quantity: Decimal
    rate: Decimal
    interval_us: int
    time_us: int


class LoanPosition:
    """What one account lends to a pool, or owes it. It lives until its quantity is zero."""

    __slots__ = (
        "account", "asset", "closed_us", "cumulative_interest", "id", "opened_us", "paid_until_us", "quantity",
        "rate_time", "side", "source", "unpaid",
    )  # fmt: skip

    def __init__(
        self, number: int, account: str, asset: str, side: BorrowLendSide, source: BorrowLendSource, now_us: int
    ) -> None:
        self.id = number
        self.account = account
        self.asset = asset
        self.side = side
        self.source = source
        self.quantity = ZERO
        self.cumulative_interest = ZERO
        self.unpaid = ZERO
        """Interest that counts already and that no `InterestPayment` tells yet."""
        self.rate_time = ZERO
        """Sum of rate x microseconds over the life of the position."""
        self.opened_us = now_us
        self.paid_until_us = now_us
        self.closed_us: int | None = None

    def average_rate(self, now_us: int) -> Decimal:
        """Return the mean yearly rate while the position was open."""
        until = self.closed_us if self.closed_us is not None else now_us
        return ratio(self.rate_time, Decimal(until - self.opened_us), _RATE_UNIT)

    def add_interest(self, interest: Decimal, rate_time: Decimal) -> None:
        """Let the position grow."""
        self.quantity += interest
        self.cumulative_interest += interest
        self.unpaid += interest
        self.rate_time += rate_time


class Pool:
    """The state of one pool. Its cash is in the ledger; `Lending` moves it."""

    __slots__ = ("accrued_us", "borrowed", "borrowers", "history", "lenders", "lent", "reserve", "spec")

    def __init__(self, spec: PoolSpec, now_us: int) -> None:
        self.spec = spec
        self.lent = ZERO
        self.borrowed = ZERO
        self.reserve = ZERO
        self.accrued_us = now_us
        self.lenders: dict[str, LoanPosition] = {}
        self.borrowers: dict[str, LoanPosition] = {}
        self.history: list[PoolFigures] = []

    def holders(self, side: BorrowLendSide) -> dict[str, LoanPosition]:
        """Return the open positions of a side by account."""
        return self.lenders if side is BorrowLendSide.LEND else self.borrowers

    def figures(self, now_us: int) -> PoolFigures:
        """Return how the pool stands."""
        utilization = self.utilization
        rate = self.spec.curve.rate(utilization)
        lend_rate = share_down(rate * utilization, _ONE - self.spec.fee, _ONE, _RATE_UNIT)
        return PoolFigures(self.spec.asset, self.lent, self.borrowed, utilization, rate, lend_rate, now_us)

    @property
    def utilization(self) -> Decimal:
        """The share of the lent quantity that is on loan, rounded down to ten decimals."""
        return ratio(self.borrowed, self.lent, _RATE_UNIT)

    def carries(self, lent: Decimal, borrowed: Decimal) -> bool:
        """Return whether the utilization would stay within its bound."""
        return borrowed == ZERO or borrowed <= self.spec.max_utilization * lent

    def accrue(self, now_us: int) -> None:
        """Let debts and claims grow for the time since the last call. Rates are those of the time before."""
        elapsed = Decimal(now_us - self.accrued_us)
        if elapsed <= ZERO:
            return
        figures = self.figures(now_us)
        self.accrued_us = now_us
        owed = ZERO
        for debt in self.borrowers.values():
            interest = share_up(debt.quantity, figures.borrow_rate * elapsed, Decimal(YEAR_US))
            debt.add_interest(interest, figures.borrow_rate * elapsed)
            owed += interest
        if owed == ZERO:
            return
        for_lenders = owed - share_up(owed, self.spec.fee, _ONE)
        paid = ZERO
        for claim in self.lenders.values():
            interest = share_down(for_lenders, claim.quantity, self.lent)
            claim.add_interest(interest, figures.lend_rate * elapsed)
            paid += interest
        self.borrowed += owed
        self.lent += paid
        self.reserve += owed - paid

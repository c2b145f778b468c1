"""Borrowing and lending: who may take what from a pool, and the positions that come of it.

A claim and a debt of one asset exclude each other. The opposite side undoes a position first: `Borrow` redeems what is
lent and `Lend` pays back what is owed, and neither may go past zero in one step. A rest below the pool's step size is
settled along, and less than a step too much is cut, so that the last digits of interest never stay behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import count

from .errors import ErrorCode, Refused
from .ledger import Ledger
from .lending_pool import (
    BorrowLendEventType,
    BorrowLendSide,
    BorrowLendSource,
    InterestPayment,
    LoanPosition,
    Pool,
    PoolFigures,
    PoolSpec,
    PoolState,
)
from .numbers import ZERO, is_multiple, multiple_below

POOLS = "system:lending"
"""The ledger account that holds the cash of all pools."""

CarriesDebt = Callable[[str, str, Decimal], bool]
"""Whether the margin of an account carries owing so much more of an asset."""


@dataclass(frozen=True, slots=True)
class BorrowLendMovement:
    """One change of a position; `position_quantity` is what it came to."""

    event_type: BorrowLendEventType
    position_id: int
    position_quantity: Decimal
    quantity: Decimal
    source: BorrowLendSource
    asset: str
    time_us: int


class LoanBook:
    """The positions of one account, its movements and its interest, oldest first."""

    __slots__ = ("movements", "open", "payments", "positions")

    def __init__(self) -> None:
        self.open: dict[str, LoanPosition] = {}
        self.positions: list[LoanPosition] = []
        self.movements: list[BorrowLendMovement] = []
        self.payments: list[InterestPayment] = []


class Lending:
    """All pools and all positions.

    Commands change the ledger and must run inside one of the exchange's commands, after `advance` to the same time.
    """

    def __init__(self, ledger: Ledger, carries_debt: CarriesDebt) -> None:
        self._ledger = ledger
        self._carries_debt = carries_debt
        self._ids = count(1)
        self._pools: dict[str, Pool] = {}
        self._books: dict[str, LoanBook] = {}
        ledger.open_account(POOLS)

    # Set-up and time

    def add_pool(self, spec: PoolSpec, now_us: int) -> None:
        """Open a pool.

        Raises:
            ValueError: the asset has one already.
        """
        if spec.asset in self._pools:
            raise ValueError(f"there is a pool of {spec.asset} already")
        self._pools[spec.asset] = Pool(spec, now_us)

    def pay_interest(self, hour_us: int) -> None:
        """Settle and write down the interest up to a full hour. To be called for every full hour, in order."""
        for pool in self._pools.values():
            pool.accrue(hour_us)
            if not pool.borrowers:
                continue
            figures = pool.figures(hour_us)
            pool.history.append(figures)
            for position in (*pool.borrowers.values(), *pool.lenders.values()):
                self._tell_interest(position, figures)

    @property
    def has_debts(self) -> bool:
        """Whether anybody owes anything, so that interest is due every hour."""
        return any(pool.borrowers for pool in self._pools.values())

    def _tell_interest(self, position: LoanPosition, figures: PoolFigures) -> None:
        if position.unpaid == ZERO:
            position.paid_until_us = figures.time_us
            return
        rate = figures.borrow_rate if position.side is BorrowLendSide.BORROW else figures.lend_rate
        interval_us = figures.time_us - position.paid_until_us
        self.book(position.account).payments.append(
            InterestPayment(
                position.id, position.asset, position.side, position.unpaid, rate, interval_us, figures.time_us
            )
        )
        position.unpaid = ZERO
        position.paid_until_us = figures.time_us

    # Questions

    def pools(self) -> tuple[Pool, ...]:
        """Return all pools, in the order of their opening. Not to be changed."""
        return tuple(self._pools.values())

    def pool(self, asset: str) -> Pool:
        """Return one pool. Not to be changed.

        Raises:
            Refused: `INVALID_ASSET` when the asset has none.
        """
        pool = self._pools.get(asset)
        if pool is None:
            raise Refused(ErrorCode.INVALID_ASSET, f"{asset} can be neither borrowed nor lent: it has no pool")
        return pool

    def book(self, account: str) -> LoanBook:
        """Return what an account lends and owes. Not to be changed."""
        book = self._books.get(account)
        if book is None:
            book = self._books[account] = LoanBook()
        return book

    def lent(self, account: str, asset: str) -> Decimal:
        """Return what an account lends of an asset."""
        return self._held(account, asset, BorrowLendSide.LEND)

    def owed(self, account: str, asset: str) -> Decimal:
        """Return what an account owes of an asset."""
        return self._held(account, asset, BorrowLendSide.BORROW)

    def supply(self, asset: str) -> Decimal:
        """Return how much more the pool can put on loan, in whole steps; zero where there is none or it is not open."""
        pool = self._pools.get(asset)
        if pool is None or pool.spec.state is not PoolState.OPEN:
            return ZERO
        spec = pool.spec
        free = min(spec.max_utilization * pool.lent, spec.limit) - pool.borrowed
        return multiple_below(free, spec.step_size) if free > ZERO else ZERO

    def redeemable(self, account: str, asset: str) -> Decimal:
        """Return how much of its claim an account could redeem now."""
        lent = self.lent(account, asset)
        if lent == ZERO or self.pool(asset).spec.state is PoolState.CLOSED:
            return ZERO
        pool = self.pool(asset)
        if pool.carries(pool.lent - lent, pool.borrowed):
            return lent
        # The claim is bound by those who borrow it; whole steps keep the bound exact.
        low, high = 0, int(lent // pool.spec.step_size)
        while low < high:
            middle = (low + high + 1) // 2
            fits = pool.carries(pool.lent - middle * pool.spec.step_size, pool.borrowed)
            low, high = (middle, high) if fits else (low, middle - 1)
        return low * pool.spec.step_size

    def _held(self, account: str, asset: str, side: BorrowLendSide) -> Decimal:
        book = self._books.get(account)
        position = book.open.get(asset) if book is not None else None
        return position.quantity if position is not None and position.side is side else ZERO

    def state(self) -> Iterator[object]:
        """Yield everything there is, for a fingerprint."""
        for pool in self._pools.values():
            yield (pool.spec, pool.lent, pool.borrowed, pool.reserve, pool.accrued_us)
        for account, book in sorted(self._books.items()):
            if book.positions:
                yield (account, [(each.id, each.side, each.quantity, each.unpaid) for each in book.positions])
                yield (book.movements, book.payments)

    def debtors(self) -> tuple[str, ...]:
        """Return the accounts that owe anything, in the order of their names."""
        return tuple(sorted({account for pool in self._pools.values() for account in pool.borrowers}))

    # Commands

    def hand_over(self, account: str, asset: str, taker: str, now_us: int) -> None:
        """Let another account, which lends nothing of the asset, owe what this one owes."""
        pool = self.pool(asset)
        pool.accrue(now_us)
        owed = self.owed(account, asset)
        borrow, sources = BorrowLendSide.BORROW, BorrowLendSource
        self._change(pool, account, borrow, -owed, sources.LIQUIDATION_BACKSTOP, now_us, pays=False)
        self._change(pool, taker, borrow, owed, sources.BACKSTOP_PROVIDER, now_us, pays=False)

    def execute(
        self,
        account: str,
        side: BorrowLendSide,
        asset: str,
        quantity: Decimal,
        now_us: int,
        source: BorrowLendSource = BorrowLendSource.MANUAL,
    ) -> BorrowLendMovement:
        """Borrow from a pool or lend to it, or undo the opposite position.

        Raises:
            Refused: `INVALID_ASSET`, `INVALID_QUANTITY`, `TRADING_PAUSED`, `INSUFFICIENT_FUNDS`, `INSUFFICIENT_SUPPLY`,
                `INSUFFICIENT_MARGIN`, `BORROW_LIMIT`, `LEND_LIMIT`, and `BORROW_REQUIRES_LEND_REDEEM` or
                `LEND_REQUIRES_BORROW_REPAY` for more than the opposite position holds.
        """
        pool = self.pool(asset)
        if pool.spec.state is PoolState.CLOSED:
            raise Refused(ErrorCode.TRADING_PAUSED, f"the pool of {asset} is closed")
        position = self.book(account).open.get(asset)
        if position is None or position.side is side:
            self._check_new(pool, account, side, quantity)
            pool.accrue(now_us)
            return self._change(pool, account, side, quantity, source, now_us)
        undone = self._part_to_undo(position, pool, quantity)
        if side is BorrowLendSide.BORROW:
            self._require_liquidity(pool, undone)
        else:
            self._require_funds(account, asset, undone)
        # The checks come first, for a refusal must change nothing. The interest since the last hour is far smaller than
        # the part of a pool that can't be lent, so what they allow stays possible.
        pool.accrue(now_us)
        undone = self._part_to_undo(position, pool, quantity)
        return self._change(pool, account, position.side, -undone, source, now_us)

    def _part_to_undo(self, position: LoanPosition, pool: Pool, quantity: Decimal) -> Decimal:
        over = quantity - position.quantity
        if abs(over) < pool.spec.step_size:
            available = self._ledger.available(position.account, position.asset)
            short = position.side is BorrowLendSide.BORROW and position.quantity > available
            return min(quantity, position.quantity) if short else position.quantity
        if over > ZERO:
            lent = position.side is BorrowLendSide.LEND
            code = ErrorCode.BORROW_REQUIRES_LEND_REDEEM if lent else ErrorCode.LEND_REQUIRES_BORROW_REPAY
            raise Refused(
                code,
                f"the account {'lends' if lent else 'owes'} {position.quantity} {position.asset}, which is less than"
                f" {quantity}: {'redeem' if lent else 'pay back'} that first and give the rest in a second request",
            )
        return quantity

    def _check_new(self, pool: Pool, account: str, side: BorrowLendSide, quantity: Decimal) -> None:
        spec = pool.spec
        asset = spec.asset
        if spec.state is not PoolState.OPEN:
            raise Refused(ErrorCode.TRADING_PAUSED, f"the pool of {asset} takes repayments and redemptions only")
        if not is_multiple(quantity, spec.step_size):
            raise Refused(
                ErrorCode.INVALID_QUANTITY,
                f"quantity {quantity} is not a multiple of the step {spec.step_size} {asset}",
            )
        if side is BorrowLendSide.LEND:
            self._require_funds(account, asset, quantity)
            if pool.lent + quantity > spec.limit:
                raise Refused(ErrorCode.LEND_LIMIT, f"the pool takes {spec.limit} {asset} and holds {pool.lent}")
            return
        if pool.borrowed + quantity > spec.limit:
            raise Refused(ErrorCode.BORROW_LIMIT, f"the pool lends {spec.limit} {asset} and has lent {pool.borrowed}")
        if not pool.carries(pool.lent, pool.borrowed + quantity):
            raise Refused(
                ErrorCode.INSUFFICIENT_SUPPLY, f"the pool can lend {self.supply(asset)} {asset} more, not {quantity}"
            )
        if not self._carries_debt(account, asset, quantity):
            raise Refused(
                ErrorCode.INSUFFICIENT_MARGIN,
                f"the collateral does not carry owing {quantity} {asset} more: ask for less",
            )

    def _require_funds(self, account: str, asset: str, quantity: Decimal) -> None:
        available = self._ledger.available(account, asset)
        if available < quantity:
            raise Refused(
                ErrorCode.INSUFFICIENT_FUNDS, f"{quantity} {asset} is wanted and {available} {asset} is available"
            )

    def _require_liquidity(self, pool: Pool, quantity: Decimal) -> None:
        if not pool.carries(pool.lent - quantity, pool.borrowed):
            raise Refused(
                ErrorCode.INSUFFICIENT_SUPPLY,
                f"too much of the pool is on loan to redeem {quantity} {pool.spec.asset}: ask for less or wait",
            )

    def _change(
        self,
        pool: Pool,
        account: str,
        side: BorrowLendSide,
        change: Decimal,
        source: BorrowLendSource,
        now_us: int,
        *,
        pays: bool = True,
    ) -> BorrowLendMovement:
        asset, book = pool.spec.asset, self.book(account)
        position = book.open.get(asset)
        if position is None:
            position = LoanPosition(next(self._ids), account, asset, side, source, now_us)
            book.open[asset] = pool.holders(side)[account] = position
            book.positions.append(position)
        position.quantity += change
        lending = side is BorrowLendSide.LEND
        if lending:
            pool.lent += change
        else:
            pool.borrowed += change
        payer, payee = (account, POOLS) if lending == (change > ZERO) else (POOLS, account)
        if pays:
            self._ledger.transfer(payer, payee, asset, abs(change))
        if position.quantity == ZERO:
            self._tell_interest(position, pool.figures(now_us))
            position.closed_us = now_us
            del book.open[asset], pool.holders(side)[account]
        kinds = BorrowLendEventType
        grown, shrunk = (kinds.LEND, kinds.LEND_REDEEM) if lending else (kinds.BORROW, kinds.BORROW_REPAY)
        movement = BorrowLendMovement(
            grown if change > ZERO else shrunk, position.id, position.quantity, abs(change), source, asset, now_us
        )
        book.movements.append(movement)
        return movement

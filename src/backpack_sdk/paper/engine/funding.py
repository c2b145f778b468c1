"""Funding: what longs pay to shorts, or get from them, at the end of every interval.

A payment is rate x position x mark price. Longs and shorts of a market are equally large, so what one side pays the
other gets, to the last digit. A market without a price skips its intervals until it has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from .events import Event, FundingPaid
from .house import ClearingHouse
from .numbers import ZERO
from .paging import forget
from .perp import PerpClearing


@dataclass(frozen=True, slots=True)
class FundingRate:
    """The rate of one interval that is over."""

    symbol: str
    rate: Decimal
    interval_end_us: int


@dataclass(frozen=True, slots=True)
class FundingPayment:
    """What an account received (above zero) or paid for one interval, in the settlement asset."""

    symbol: str
    quantity: Decimal
    rate: Decimal
    interval_end_us: int


class Funding:
    """The intervals of one perpetual and the rates they ended with, oldest first."""

    __slots__ = ("_clearing", "_events", "_house", "due_us", "kept", "rates")

    def __init__(self, clearing: PerpClearing, house: ClearingHouse, events: list[Event]) -> None:
        self.rates: list[FundingRate] = []
        self.due_us: int | None = None
        self._clearing = clearing
        self._house = house
        self._events = events
        self.kept: int | None = None

    def advance(self, now_us: int) -> int:
        """Pay for every interval that has ended by now, and return when the next one ends.

        Intervals end at whole multiples of their length since 1970.
        """
        marks, length = self._clearing.marks, self._clearing.futures.funding_interval_us
        if self.due_us is None or (marks.mark is None and now_us >= self.due_us):
            self.due_us = now_us // length * length + length
        if marks.mark is None:
            return self.due_us
        while self.due_us <= now_us:
            self._pay(marks.mark, self.due_us, now_us)
            marks.restart(self.due_us)
            self.due_us += length
        return self.due_us

    def _pay(self, mark: Decimal, end_us: int, now_us: int) -> None:
        symbol, rate = self._clearing.spec.symbol, self._clearing.marks.rate(self._clearing.futures, end_us)
        self.rates.append(FundingRate(symbol, rate, end_us))
        forget(self.rates, self.kept)
        if rate == ZERO:
            return
        for slot in self._clearing.slots.values():
            if slot.position is None:
                continue
            account, quantity = slot.account, -rate * slot.position.quantity * mark
            self._house.pay(account.id, quantity)
            slot.position.funding += quantity
            account.funding.append(FundingPayment(symbol, quantity, rate, end_us))
            self._events.append(FundingPaid(account.id, symbol, quantity, rate, end_us, now_us))

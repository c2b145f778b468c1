"""A part of an amount, exact or rounded in a stated direction to a stated unit; nothing is rounded by accident."""

from __future__ import annotations

from decimal import Decimal

from .numbers import EXACT, SMALLEST, ZERO


def share_down(amount: Decimal, part: Decimal, whole: Decimal, unit: Decimal = SMALLEST) -> Decimal:
    """Return `amount` x `part` / `whole`, rounded down to a multiple of `unit`. All are >= 0, `whole` is above zero."""
    product = EXACT.multiply(amount, part)
    return EXACT.multiply(EXACT.divide_int(product, EXACT.multiply(whole, unit)), unit)


def share_up(amount: Decimal, part: Decimal, whole: Decimal, unit: Decimal = SMALLEST) -> Decimal:
    """Return `amount` x `part` / `whole`, rounded up to a multiple of `unit`. All are >= 0, `whole` is above zero."""
    below = share_down(amount, part, whole, unit)
    rest = EXACT.subtract(EXACT.multiply(amount, part), EXACT.multiply(below, whole))
    return below if rest == ZERO else EXACT.add(below, unit)


def ratio(part: Decimal, whole: Decimal, unit: Decimal) -> Decimal:
    """Return `part` / `whole`, rounded down to a multiple of `unit`; zero where `whole` is zero."""
    return share_down(part, Decimal(1), whole, unit) if whole > ZERO else ZERO

"""Exact arithmetic: the decimal context of the engine and the bounds that keep every result exact.

Inputs are below 10**18 with at most 18 decimals. The longest product the engine forms is
price x quantity x fee rate, far below the 128 digits of the context, so nothing is ever rounded;
if something would be, the `Inexact` trap raises instead of losing a digit.
"""

from __future__ import annotations

from decimal import Context, Decimal, DivisionByZero, FloatOperation, Inexact, InvalidOperation, Overflow

ZERO = Decimal(0)
_ONE = Decimal(1)
MAX_INTEGER_DIGITS = 18
SMALLEST = Decimal("1E-18")

EXACT = Context(prec=128, traps=[InvalidOperation, DivisionByZero, Overflow, Inexact, FloatOperation])
"""Context of every calculation with money. Rounding raises."""

ROUNDED = Context(prec=28)
"""Context of figures that are for display only, such as a relative price change."""

QUOTIENT = Context(prec=128)
"""Context of divisions and roots whose result is then cut to a fixed number of decimals, so that it is exact again."""


def in_bounds(value: Decimal) -> bool:
    """Return whether `value` is finite, above zero and below 10**18."""
    return value.is_finite() and value > ZERO and value.adjusted() < MAX_INTEGER_DIGITS


def is_multiple(value: Decimal, unit: Decimal) -> bool:
    """Return whether `value` is a whole multiple of `unit`. `value` must be `in_bounds`."""
    try:
        return EXACT.remainder(value, unit) == ZERO
    except Inexact:  # a remainder longer than the context: certainly not zero
        return False


def plain(value: Decimal) -> Decimal:
    """Return the same number without trailing zeros and without a positive exponent: 1.50 is 1.5, 1E+3 is 1000."""
    value = EXACT.normalize(value)
    is_whole = value.is_finite() and value == value.to_integral_value()
    return EXACT.quantize(value, _ONE) if is_whole else value


def multiple_below(value: Decimal, unit: Decimal) -> Decimal:
    """Return the greatest whole multiple of `unit` that is not above `value` (for `value` >= 0)."""
    return EXACT.multiply(EXACT.divide_int(value, unit), unit)


def share(value: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """Return `value` x `part` / `whole` with 18 decimals."""
    return QUOTIENT.quantize(QUOTIENT.divide(QUOTIENT.multiply(value, part), whole), SMALLEST)


def ratio(value: Decimal, divisor: Decimal) -> Decimal:
    """Return a quotient with 28 significant digits, for display."""
    return plain(ROUNDED.divide(value, divisor))

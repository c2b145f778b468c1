"""Numbers on a grid: multiples of a step within bounds, and what is wrong with one that is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from ._core.errors import InvalidArgument
from ._core.scalars import plain

Direction: TypeAlias = Literal["down", "up", "nearest"]
"""Which way a number is rounded. `nearest` takes the lower neighbour when both are as near."""

# Wide enough for the product of any two numbers that arguments may hold. What did not fit would raise, not round.
EXACT = Context(prec=400, Emin=-9999, Emax=9999, traps=[Inexact, InvalidOperation, Overflow])


class ViolationCode(StrEnum):
    """Which rule an order breaks."""

    WRONG_MARKET = "wrong_market"
    """The order is for another market than the rules."""
    MISSING = "missing"
    """A price or size that this kind of order needs is not there."""
    ORDER_BOOK_STATE = "order_book_state"
    """The book does not take this kind of order at present."""
    TICK_SIZE = "tick_size"
    """The price is not a multiple of the tick size."""
    MIN_PRICE = "min_price"
    """The price is below the lowest price of the market, or not above zero."""
    MAX_PRICE = "max_price"
    """The price is above the highest price of the market."""
    PRICE_BAND = "price_band"
    """The price is too far from the last active price."""
    MARK_PRICE_BAND = "mark_price_band"
    """The price is too far from the mark price."""
    WOULD_TAKE = "would_take"
    """The order is post-only and would trade at once."""
    STEP_SIZE = "step_size"
    """The quantity is not a multiple of the step size."""
    MIN_QUANTITY = "min_quantity"
    """The quantity is below the smallest of the market, or not above zero."""
    MAX_QUANTITY = "max_quantity"
    """The quantity is above the largest of the market."""
    MIN_NOTIONAL = "min_notional"
    """The order is worth less than the market's minimum, or nothing."""
    PERCENTAGE = "percentage"
    """The percentage is not above 0 and up to 100."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that an order breaks."""

    code: ViolationCode
    """Which rule it is."""
    argument: str
    """The argument that breaks it, as `execute_order` spells it."""
    message: str
    """What is wrong, and the nearest legal value when there is one."""
    nearest: Decimal | None = None
    """The legal value nearest to the one given. It keeps every rule that this argument was checked against."""

    def __str__(self) -> str:
        return f"{self.argument}: {self.message}"


class OrderRuleError(InvalidArgument):
    """An order breaks rules of its market; `violations` lists all of them. Nothing has left this machine."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        first, *others = violations
        super().__init__(first.argument, "; ".join([first.message, *map(str, others)]))
        self.violations = violations

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.violations,)


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit of a number, as the first or last multiple of the step that keeps it."""

    code: ViolationCode
    broken: bool
    why: str
    low: int | None = None
    high: int | None = None


def low_bound(code: ViolationCode, value: Decimal, limit: Decimal, step: Decimal, name: str) -> Bound:
    if limit <= 0:
        return Bound(code, value <= 0, "is not above zero", low=1)
    return Bound(code, value < limit, f"is below {name} {plain(limit)}", low=ceil_units(limit, step))


def high_bound(code: ViolationCode, value: Decimal, limit: Decimal, step: Decimal, name: str) -> Bound:
    return Bound(code, value > limit, f"is above {name} {plain(limit)}", high=floor_units(limit, step))


@dataclass(frozen=True, slots=True)
class Grid:
    """The legal values of a number: multiples of a step within bounds."""

    noun: str
    code: ViolationCode
    step: Decimal
    bounds: list[Bound]

    def nearest(self, value: Decimal) -> Decimal | None:
        """The legal value nearest to one; None when no value is legal."""
        low = max(1, *(bound.low for bound in self.bounds if bound.low is not None))
        high = min((bound.high for bound in self.bounds if bound.high is not None), default=None)
        if high is not None and high < low:
            return None
        units = max(low, nearest_units(value, self.step))
        return multiple(units if high is None else min(units, high), self.step)

    def settle(self, value: Decimal, direction: Direction) -> Decimal:
        """The other neighbour of a value whose rounding was not legal, if it is legal and the direction allows it."""
        nearest = self.nearest(value)
        if direction == "nearest" and nearest is not None and EXACT.subtract(nearest, value).copy_abs() < self.step:
            return nearest
        hint = "no value is legal" if nearest is None else f"the nearest legal one is {plain(nearest)}"
        way = "to the nearest" if direction == "nearest" else direction
        raise InvalidArgument(self.noun, f"{plain(value)} does not round {way} to a legal {self.noun}; {hint}")

    def violations(self, value: Decimal, argument: str) -> Iterator[Violation]:
        """Every rule that a value breaks, the step first."""
        nearest = self.nearest(value)
        hint = f"no {self.noun} is legal" if nearest is None else f"the nearest legal {self.noun} is {plain(nearest)}"
        if floor_units(value, self.step) != ceil_units(value, self.step):
            why = f"is not a multiple of the {self.code.replace('_', ' ')} {plain(self.step)}"
            yield Violation(self.code, argument, f"{plain(value)} {why}; {hint}", nearest)
        for bound in self.bounds:
            if bound.broken:
                yield Violation(bound.code, argument, f"{plain(value)} {bound.why}; {hint}", nearest)


def round_to(value: Decimal, step: Decimal, direction: Direction) -> Decimal:
    if direction == "down":
        return multiple(floor_units(value, step), step)
    if direction == "up":
        return multiple(ceil_units(value, step), step)
    if direction == "nearest":
        return multiple(nearest_units(value, step), step)
    raise InvalidArgument("direction", f"{direction!r} is not one of down, up, nearest")


def multiple(units: int, step: Decimal) -> Decimal:
    return EXACT.multiply(Decimal(units), step)


def floor_units(value: Decimal, step: Decimal) -> int:
    """How often a step fits into a value, rounded down; exact for any number of digits."""
    (top, bottom), (step_top, step_bottom) = value.as_integer_ratio(), step.as_integer_ratio()
    return top * step_bottom // (bottom * step_top)


def ceil_units(value: Decimal, step: Decimal) -> int:
    return -floor_units(value.copy_negate(), step)


def nearest_units(value: Decimal, step: Decimal) -> int:
    """The multiple of a step nearest to a value; the lower one of two that are as near."""
    (top, bottom), (step_top, step_bottom) = value.as_integer_ratio(), step.as_integer_ratio()
    part, whole = top * step_bottom, bottom * step_top
    return -((whole - 2 * part) // (2 * whole))

"""Conditions that an order can carry besides its price and size: triggers, exits attached to it, slippage."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from .enums import SlippageType, TriggerBy
from .errors import ErrorCode, Refused
from .numbers import ZERO

_WHOLE = Decimal(100)


@dataclass(frozen=True, slots=True)
class Trigger:
    """What a conditional order waits for, and how much it then trades.

    It goes off when the watched price gets to `price`, from whichever side it stands on when the order is placed.
    The size is either `quantity`, in the base asset, or `percent` of the position at that moment.
    """

    price: Decimal
    quantity: Decimal | None = None
    percent: Decimal | None = None
    by: TriggerBy = TriggerBy.LAST

    def check_shape(self) -> None:
        """Check the size.

        Raises:
            Refused: `INVALID_ORDER` unless there is one size; `INVALID_QUANTITY` for a percentage outside 0 to 100.
        """
        if (self.quantity is None) == (self.percent is None):
            raise Refused(ErrorCode.INVALID_ORDER, "a conditional order needs one trigger quantity")
        if self.percent is not None and not ZERO < self.percent <= _WHOLE:
            raise Refused(ErrorCode.INVALID_QUANTITY, f"a trigger quantity of {self.percent} % is not above 0 to 100 %")


@dataclass(frozen=True, slots=True)
class ExitLeg:
    """A stop loss or take profit attached to an entry order: a market order, or a limit order at `limit_price`."""

    trigger_price: Decimal
    limit_price: Decimal | None = None
    by: TriggerBy = TriggerBy.LAST


@dataclass(frozen=True, slots=True)
class Slippage:
    """How far beyond the best price of the book a market order may trade. Zero: at the best price only."""

    tolerance: Decimal
    unit: SlippageType

    def check_shape(self) -> None:
        """Check the tolerance.

        Raises:
            Refused: `INVALID_ORDER` for a negative one, a fraction of a tick, or more than 100 percent.
        """
        fault: str | None = None
        if not self.tolerance.is_finite() or self.tolerance < ZERO:
            fault = "must not be negative"
        elif self.unit is SlippageType.TICK_SIZE and self.tolerance % 1 != ZERO:
            fault = "is in ticks, so it must be whole"
        elif self.unit is SlippageType.PERCENT and self.tolerance > _WHOLE:
            fault = "is more than 100 percent"
        if fault is not None:
            raise Refused(ErrorCode.INVALID_ORDER, f"the slippage tolerance {self.tolerance} {fault}")

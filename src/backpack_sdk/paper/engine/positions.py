"""Positions in perpetuals: what was paid for them, what closing them has earned, and what they show.

A position keeps the exact amount it cost. Prices per unit follow from it by division, so they are for display; money
never comes from them. When part of a position is closed, its share of the cost is cut to 18 decimals, and what was cut
stays with the rest: nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from .enums import PositionState, Side
from .numbers import ZERO, ratio, share
from .quick import quick


@quick
@dataclass(frozen=True, slots=True)
class Position:
    """A position at one moment. Money is in the settlement asset, times are Unix microseconds.

    Attributes:
        quantity: above zero for a long position, below for a short one, zero once it is closed.
        cost: quantity x entry price, with the sign of the quantity.
        break_even_price: where closing would end without gain or loss, fees and funding so far included.
        realized: what closing parts of it has earned, before fees and funding.
        funding: received less paid.
        exposure_quantity: the largest size it could have if all open orders of one side were filled.
        imf, mmf: initial and maintenance margin as fractions of the notional value.
        closed_volume, closing_price: quantity closed so far, and the mean price of that.
        liquidated: quantity that was liquidated.
    """

    id: int
    account: str
    symbol: str
    state: PositionState
    quantity: Decimal
    cost: Decimal
    entry_price: Decimal
    break_even_price: Decimal
    mark_price: Decimal
    realized: Decimal
    unrealized: Decimal
    funding: Decimal
    fees: Decimal
    liquidation_fees: Decimal
    exposure_quantity: Decimal
    exposure_notional: Decimal
    imf: Decimal
    mmf: Decimal
    closed_volume: Decimal
    closing_price: Decimal | None
    liquidated: Decimal
    opened_us: int
    closed_us: int | None
    updated_us: int


class LivePosition:
    """A position as the engine keeps it."""

    __slots__ = (
        "closed_us",
        "closed_value",
        "closed_volume",
        "cost",
        "fees",
        "funding",
        "id",
        "largest_cost",
        "largest_quantity",
        "liquidated",
        "liquidation_fees",
        "opened_us",
        "quantity",
        "realized",
        "updated_us",
    )

    def __init__(self, position_id: int, now_us: int) -> None:
        self.id = position_id
        self.quantity = self.cost = self.realized = self.fees = self.funding = ZERO
        self.liquidated = self.liquidation_fees = self.closed_volume = self.closed_value = ZERO
        self.largest_quantity = self.largest_cost = ZERO
        """Quantity and cost when the position was last enlarged: a closed one still shows its entry price."""
        self.opened_us = self.updated_us = now_us
        self.closed_us: int | None = None

    @property
    def side(self) -> Side:
        """The side whose orders enlarge the position."""
        return Side.BID if self.quantity > ZERO else Side.ASK

    @property
    def entry_price(self) -> Decimal:
        """Mean price of what is open; of a closed position, of what was open last."""
        return ratio(self.largest_cost, self.largest_quantity)

    @property
    def break_even_price(self) -> Decimal:
        """Price where what is left could be closed without gain or loss. Zero for a closed position."""
        if self.quantity == ZERO:
            return ZERO
        return max(ZERO, ratio(self.cost - self.realized - self.funding + self.fees, self.quantity))

    def enlarge(self, signed_quantity: Decimal, price: Decimal, now_us: int) -> None:
        """Add to the position."""
        self.quantity += signed_quantity
        self.cost += signed_quantity * price
        self.largest_quantity, self.largest_cost = self.quantity, self.cost
        self.updated_us = now_us

    def reduce(self, quantity: Decimal, price: Decimal, now_us: int) -> Decimal:
        """Close `quantity` (above zero, at most what is open) and return what that earned."""
        size = abs(self.quantity)
        cost = self.cost if quantity == size else share(self.cost, quantity, size)
        signed = quantity if self.quantity > ZERO else -quantity
        earned = signed * price - cost
        self.quantity -= signed
        self.cost -= cost
        self.realized += earned
        self.closed_volume += quantity
        self.closed_value += quantity * price
        self.updated_us = now_us
        if self.quantity == ZERO:
            self.closed_us = now_us
        return earned

    def unrealized(self, mark: Decimal) -> Decimal:
        """Return what closing all of it at `mark` would earn."""
        return self.quantity * mark - self.cost

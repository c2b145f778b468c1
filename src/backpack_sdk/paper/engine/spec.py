"""The trading rules of one market, and the checks that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from .enums import BookState, MarketType
from .errors import ErrorCode, Refused
from .futures import FuturesSpec, PriceBands
from .numbers import EXACT, SMALLEST, in_bounds, is_multiple, plain

SETTLEMENT_ASSET = "USDC"
"""Asset that perpetuals settle in, and that collateral is valued in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSpec:
    """Symbol, assets and filters of a market.

    `tick_size`, `min_price` and `max_price` are in the quote asset; `step_size`, `min_quantity` and
    `max_quantity` in the base asset. A maximum of None means no maximum. `futures` makes it a perpetual, which
    settles in USDC.

    Raises:
        ValueError: a figure is not above zero, has more than 18 decimals, a range is empty, or the futures rules do
            not go with the kind and quote asset of the market.
    """

    symbol: str
    base: str
    quote: str
    tick_size: Decimal
    step_size: Decimal
    min_price: Decimal
    min_quantity: Decimal
    max_price: Decimal | None = None
    max_quantity: Decimal | None = None
    state: BookState = BookState.OPEN
    market_type: MarketType = MarketType.SPOT
    futures: FuturesSpec | None = None
    bands: PriceBands | None = None

    def __post_init__(self) -> None:
        if (self.market_type is MarketType.PERP) != (self.futures is not None):
            raise ValueError(f"{self.symbol}: a perpetual has futures rules, and no other market has")
        if self.futures is not None and self.quote != SETTLEMENT_ASSET:
            raise ValueError(f"{self.symbol}: perpetuals settle in {SETTLEMENT_ASSET}, not in {self.quote}")
        if self.base == self.quote:
            raise ValueError(f"{self.symbol}: base and quote asset are both {self.base}, they must differ")
        for name in ("tick_size", "step_size", "min_price", "min_quantity", "max_price", "max_quantity"):
            value: Decimal | None = getattr(self, name)
            if value is None:
                continue
            if not in_bounds(value) or not is_multiple(value, SMALLEST):
                raise ValueError(
                    f"{self.symbol}: {name} is {value}, it must lie in [1E-18, 1E18) with 18 decimals at most"
                )
            # The exponent of tick and step becomes the one of every price and quantity.
            object.__setattr__(self, name, plain(value))
        if self.max_price is not None and self.max_price < self.min_price:
            raise ValueError(f"{self.symbol}: max_price {self.max_price} is below min_price {self.min_price}")
        if self.max_quantity is not None and self.max_quantity < self.min_quantity:
            raise ValueError(
                f"{self.symbol}: max_quantity {self.max_quantity} is below min_quantity {self.min_quantity}"
            )

    def check_price(self, price: Decimal) -> Decimal:
        """Return `price` with the decimals of the tick size.

        Raises:
            Refused: `INVALID_PRICE` off the tick grid or out of range.
        """
        if not in_bounds(price):
            raise Refused(ErrorCode.INVALID_PRICE, f"price {price} must be above zero and below 10^18")
        if not is_multiple(price, self.tick_size):
            raise Refused(
                ErrorCode.INVALID_PRICE,
                f"price {price} is not a multiple of the tick size {self.tick_size} of {self.symbol}: round it",
            )
        if price < self.min_price:
            raise Refused(
                ErrorCode.INVALID_PRICE, f"price {price} is below the minimum {self.min_price} of {self.symbol}"
            )
        if self.max_price is not None and price > self.max_price:
            raise Refused(
                ErrorCode.INVALID_PRICE, f"price {price} is above the maximum {self.max_price} of {self.symbol}"
            )
        return EXACT.quantize(price, self.tick_size)

    def check_quantity(self, quantity: Decimal) -> Decimal:
        """Return `quantity`, in the base asset, with the decimals of the step size.

        Raises:
            Refused: `INVALID_QUANTITY` off the step grid or out of range.
        """
        if not in_bounds(quantity):
            raise Refused(ErrorCode.INVALID_QUANTITY, f"quantity {quantity} must be above zero and below 10^18")
        if not is_multiple(quantity, self.step_size):
            raise Refused(
                ErrorCode.INVALID_QUANTITY,
                f"quantity {quantity} is not a multiple of the step size {self.step_size} of {self.symbol}: round it",
            )
        self.check_quantity_range(quantity)
        return EXACT.quantize(quantity, self.step_size)

    def check_quantity_range(self, quantity: Decimal) -> None:
        """Check the minimum and maximum quantity, in the base asset.

        Raises:
            Refused: `INVALID_QUANTITY` out of range.
        """
        if quantity < self.min_quantity:
            raise Refused(
                ErrorCode.INVALID_QUANTITY,
                f"quantity {quantity} {self.base} is below the minimum {self.min_quantity} of {self.symbol}",
            )
        if self.max_quantity is not None and quantity > self.max_quantity:
            raise Refused(
                ErrorCode.INVALID_QUANTITY,
                f"quantity {quantity} {self.base} is above the maximum {self.max_quantity} of {self.symbol}",
            )


def check_amount(amount: Decimal, name: str) -> Decimal:
    """Return an amount that no market's grid applies to, without trailing zeros.

    Raises:
        Refused: `INVALID_QUANTITY` not above zero, not below 10**18, or with more than 18 decimals.
    """
    if not in_bounds(amount) or not is_multiple(amount, SMALLEST):
        raise Refused(
            ErrorCode.INVALID_QUANTITY, f"{name} {amount} must be above zero, below 10^18, with at most 18 decimals"
        )
    return plain(amount)

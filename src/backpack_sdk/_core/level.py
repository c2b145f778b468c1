"""One price of an order book and what rests there."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, NamedTuple, final

if TYPE_CHECKING:
    from collections.abc import Iterable


@final
class Level(NamedTuple):
    """One price of a book and the quantity that rests there."""

    price: Decimal
    """In the quote asset per unit of the base asset."""
    quantity: Decimal
    """In the base asset. Above zero in a book; zero in an update, where it says that the level is gone."""


def read_levels(rows: Iterable[tuple[str, str]]) -> tuple[Level, ...]:
    """Levels from wire text. Raises ValueError when a row is no pair of numbers."""
    try:
        return tuple(Level(Decimal(price), Decimal(quantity)) for price, quantity in rows)
    except InvalidOperation:
        raise ValueError("a level is not a pair of decimal numbers") from None

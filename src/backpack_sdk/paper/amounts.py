"""Amounts of assets as users give them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from .engine import Refused
from .engine.spec import check_amount

Amount = Decimal | int | str


def read_amount(asset: str, amount: Amount) -> Decimal:
    """Return an amount of an asset, which may be zero.

    Raises:
        TypeError: it is a float.
        ValueError: it is no number, negative, too large, or finer than 18 decimals.
    """
    if isinstance(amount, float):
        raise TypeError(f"the amount of {asset} is a float: give a Decimal, an int or a text")
    try:
        value = Decimal(amount)
        return check_amount(value, f"the amount of {asset}") if value else value
    except InvalidOperation:
        raise ValueError(f"the amount of {asset} is {amount!r}, which is no number") from None
    except Refused as refused:
        raise ValueError(refused.message) from None

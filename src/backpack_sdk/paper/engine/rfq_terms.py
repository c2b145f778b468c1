"""What a request for quotes comes to: its spot market, its size at a price, and the fee of the asking account."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from .account import Account
from .enums import Side
from .errors import ErrorCode, Refused
from .ledger import Ledger
from .numbers import EXACT, ZERO
from .orders import MAX_CLIENT_ID
from .spec import MarketSpec

SUFFIX = "_RFQ"
_ONE = Decimal(1)


def spot_symbol(symbol: str, listed: Iterable[str]) -> str:
    """Return the spot market that an RFQ market follows.

    Raises:
        Refused: `INVALID_SYMBOL`.
    """
    spot = symbol.removesuffix(SUFFIX)
    if spot == symbol or spot not in listed:
        raise Refused(ErrorCode.INVALID_SYMBOL, f"no market for quotes has the symbol {symbol}: try SOL_USDC{SUFFIX}")
    return spot


def base_quantity(
    quantity: Decimal | None, quote_quantity: Decimal | None, price: Decimal, market: MarketSpec
) -> Decimal:
    """Return the size in the base asset: what a quote quantity buys at the price, in whole steps."""
    if quantity is not None:
        return quantity
    steps = EXACT.divide_int(quote_quantity if quote_quantity is not None else ZERO, price * market.step_size)
    market.check_quantity_range(steps * market.step_size)
    return steps * market.step_size


def taker_fee(value: Decimal, taker: Account) -> Decimal:
    """Return the fee of the asking account, in the quote asset."""
    return value * taker.fees.spot(is_maker=False)


def taker_price(side: Side, price: Decimal, taker: Account) -> Decimal:
    """Return what the asking account pays or gets per unit, its fee included."""
    rate = taker.fees.spot(is_maker=False)
    return price * (_ONE + rate) if side is Side.BID else price * (_ONE - rate)


def check_client_id(client_id: int | None) -> None:
    """Check that a client id is an unsigned 32-bit integer."""
    if client_id is not None and not 0 <= client_id <= MAX_CLIENT_ID:
        raise Refused(ErrorCode.INVALID_ORDER, f"client id {client_id} is not an unsigned 32-bit integer")


def require_funds(ledger: Ledger, account: str, asset: str, needed: Decimal) -> None:
    """Check that so much is available."""
    available = ledger.available(account, asset)
    if available < needed:
        raise Refused(ErrorCode.INSUFFICIENT_FUNDS, f"{needed} {asset} is needed and {available} {asset} is available")

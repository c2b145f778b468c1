"""An account: its fee rates, its orders and its fills. The money is in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from .numbers import EXACT
from .orders import Fill, LiveOrder

_BASIS_POINT = Decimal("0.0001")
_MAX_RATE_BPS = 10_000
_FINEST_RATE_BPS = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class FeeRates:
    """Fee rates of an account in basis points; a negative maker rate is a rebate.

    The defaults are the base tier of the exchange: 0.08 % maker and 0.10 % taker.

    Raises:
        ValueError: a rate above 10000, below -10000 or finer than 0.0001 basis points, or a negative taker rate.
    """

    spot_maker_bps: Decimal = Decimal(8)
    spot_taker_bps: Decimal = Decimal(10)

    def __post_init__(self) -> None:
        for rate in (self.spot_maker_bps, self.spot_taker_bps):
            if not rate.is_finite() or abs(rate) > _MAX_RATE_BPS or EXACT.remainder(rate, _FINEST_RATE_BPS):
                raise ValueError(f"fee rate {rate} must lie within +-10000 basis points, in steps of 0.0001")
        if self.spot_taker_bps < 0:
            raise ValueError(f"taker rate {self.spot_taker_bps} is negative: only makers earn a rebate")

    def spot(self, *, is_maker: bool) -> Decimal:
        """Return the spot rate as a factor: 0.001 for 10 basis points."""
        return (self.spot_maker_bps if is_maker else self.spot_taker_bps) * _BASIS_POINT


class Account:
    """The orders and fills of one account, oldest first."""

    __slots__ = ("_by_client_id", "fees", "fills", "id", "open", "orders")

    def __init__(self, account_id: str, fees: FeeRates) -> None:
        self.id = account_id
        self.fees = fees
        self.orders: dict[int, LiveOrder] = {}
        self.open: dict[int, LiveOrder] = {}
        self.fills: list[Fill] = []
        self._by_client_id: dict[tuple[str, int], LiveOrder] = {}

    def add_order(self, order: LiveOrder) -> None:
        """Keep a new order for ever, and as an open one until `close_order`."""
        self.orders[order.id] = order
        self.open[order.id] = order
        if order.request.client_id is not None:
            self._by_client_id[order.request.symbol, order.request.client_id] = order

    def close_order(self, order: LiveOrder) -> None:
        """Take an order off the open ones; its client id is free again."""
        del self.open[order.id]
        if order.request.client_id is not None:
            del self._by_client_id[order.request.symbol, order.request.client_id]

    def open_by_client_id(self, symbol: str, client_id: int) -> LiveOrder | None:
        """Return the open order of a market with that client id."""
        return self._by_client_id.get((symbol, client_id))

"""An account: its fee rates, its orders and fills, its positions. The money is in the ledger."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from .numbers import EXACT
from .orders import Fill, LiveOrder

if TYPE_CHECKING:
    from .funding import FundingPayment
    from .perp import Slot
    from .positions import Position
    from .strategies import LiveStrategy

_BASIS_POINT = Decimal("0.0001")
_MAX_RATE_BPS = 10_000
_FINEST_RATE_BPS = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class FeeRates:
    """Fee rates of an account in basis points; a negative maker rate is a rebate.

    The defaults are the base tier of the exchange: 0.08 % maker and 0.10 % taker on spot, 0.02 % and 0.05 % on futures.

    Raises:
        ValueError: a rate above 10000, below -10000 or finer than 0.0001 basis points, or a negative taker rate.
    """

    spot_maker_bps: Decimal = Decimal(8)
    spot_taker_bps: Decimal = Decimal(10)
    futures_maker_bps: Decimal = Decimal(2)
    futures_taker_bps: Decimal = Decimal(5)

    def __post_init__(self) -> None:
        for rate in (self.spot_maker_bps, self.spot_taker_bps, self.futures_maker_bps, self.futures_taker_bps):
            if not rate.is_finite() or abs(rate) > _MAX_RATE_BPS or EXACT.remainder(rate, _FINEST_RATE_BPS):
                raise ValueError(f"fee rate {rate} must lie within +-10000 basis points, in steps of 0.0001")
        for rate in (self.spot_taker_bps, self.futures_taker_bps):
            if rate < 0:
                raise ValueError(f"taker rate {rate} is negative: only makers earn a rebate")

    def spot(self, *, is_maker: bool) -> Decimal:
        """Return the spot rate as a factor: 0.001 for 10 basis points."""
        return (self.spot_maker_bps if is_maker else self.spot_taker_bps) * _BASIS_POINT

    def futures(self, *, is_maker: bool) -> Decimal:
        """Return the futures rate as a factor: 0.0005 for 5 basis points."""
        return (self.futures_maker_bps if is_maker else self.futures_taker_bps) * _BASIS_POINT


class Account:
    """The orders, fills and positions of one account, oldest first.

    `kept_orders` bounds what is remembered: so many closed orders, fills, payments and closed positions; None keeps
    everything. A system account trades without margin and is never liquidated.
    """

    __slots__ = (
        "_by_client_id",
        "_ended",
        "_kept",
        "closed_positions",
        "fees",
        "fills",
        "funding",
        "id",
        "is_system",
        "open",
        "orders",
        "slots",
        "strategies",
    )

    def __init__(
        self, account_id: str, fees: FeeRates, kept_orders: int | None = None, *, is_system: bool = False
    ) -> None:
        self.id = account_id
        self.fees = fees
        self.is_system = is_system
        self.orders: dict[int, LiveOrder] = {}
        self.open: dict[int, LiveOrder] = {}
        self.fills: deque[Fill] = deque(maxlen=kept_orders)
        self.slots: dict[str, Slot] = {}
        self.closed_positions: deque[Position] = deque(maxlen=kept_orders)
        self.funding: deque[FundingPayment] = deque(maxlen=kept_orders)
        self.strategies: dict[int, LiveStrategy] = {}
        self._kept = kept_orders
        self._ended: deque[int] = deque()
        self._by_client_id: dict[tuple[str, int], LiveOrder] = {}

    def add_order(self, order: LiveOrder) -> None:
        """Keep a new order, as an open one until `close_order`."""
        self.orders[order.id] = order
        self.open[order.id] = order
        if order.request.client_id is not None:
            self._by_client_id[order.request.symbol, order.request.client_id] = order

    def close_order(self, order: LiveOrder) -> None:
        """Take an order off the open ones; its client id is free again."""
        del self.open[order.id]
        if order.request.client_id is not None:
            del self._by_client_id[order.request.symbol, order.request.client_id]
        if self._kept is not None:
            self._ended.append(order.id)
            if len(self._ended) > self._kept:
                del self.orders[self._ended.popleft()]

    def open_by_client_id(self, symbol: str, client_id: int) -> LiveOrder | None:
        """Return the open order of a market with that client id."""
        return self._by_client_id.get((symbol, client_id))

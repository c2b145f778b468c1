"""Scheduled strategies: a quantity that is traded in slices at equal intervals.

A strategy of duration D and interval I has D / I slices, rounded up, the first one at once. By slice n of N, n parts in
N of the quantity are to be traded: what an earlier slice could not trade is added to the next. A slice is a market
order, or an immediate-or-cancel limit order when the strategy has a price. With randomised quantities the shares vary
by up to a fifth either way; they follow from the strategy's id, for the engine draws no random numbers. After the last
slice the strategy is `Completed`, or `Terminated` when something was left. A slice that is refused terminates it at
once.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from .account import Account
from .enums import (
    ExpiryReason,
    OrderType,
    SelfTradePrevention,
    Side,
    StrategyCancelReason,
    StrategyStatus,
    TimeInForce,
)
from .errors import ErrorCode, Refused
from .numbers import ZERO
from .orders import MAX_CLIENT_ID, NewOrder, Order
from .spec import MarketSpec
from .terms import Slippage

MAX_SLICES = 10_000
_MILLISECOND_US = 1_000
_SPREAD = 20  # percent that a randomised share may differ, either way
_MULTIPLIER, _INCREMENT, _MODULUS = 6_364_136_223_846_793_005, 1_442_695_040_888_963_407, 2**64
_REASONS = {
    ErrorCode.INSUFFICIENT_FUNDS: StrategyCancelReason.INSUFFICIENT_FUNDS,
    ErrorCode.INSUFFICIENT_MARGIN: StrategyCancelReason.INSUFFICIENT_MARGIN,
    ErrorCode.INVALID_PRICE: StrategyCancelReason.PRICE_OUT_OF_BOUNDS,
    ErrorCode.INVALID_QUANTITY: StrategyCancelReason.INVALID_QUANTITY,
}
_EXPIRIES = {
    ExpiryReason.INSUFFICIENT_LIQUIDITY: StrategyCancelReason.INSUFFICIENT_LIQUIDITY,
    ExpiryReason.IMMEDIATE_OR_CANCEL: StrategyCancelReason.INSUFFICIENT_LIQUIDITY,
    ExpiryReason.PRICE_IMPACT: StrategyCancelReason.PRICE_OUT_OF_BOUNDS,
    ExpiryReason.SLIPPAGE_TOLERANCE_EXCEEDED: StrategyCancelReason.PRICE_OUT_OF_BOUNDS,
    ExpiryReason.SELF_TRADE_PREVENTION: StrategyCancelReason.SELF_TRADE_PREVENTION,
    ExpiryReason.REDUCE_ONLY_NOT_REDUCED: StrategyCancelReason.REDUCE_ONLY_NOT_REDUCED,
    ExpiryReason.FILL_OR_KILL: StrategyCancelReason.FILL_OR_KILL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStrategy:
    """A strategy as its owner asks for it. `duration_ms` and `interval_ms` are milliseconds."""

    symbol: str
    side: Side
    quantity: Decimal
    duration_ms: int
    interval_ms: int
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.IOC
    randomized: bool = False
    reduce_only: bool = False
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.REJECT_TAKER
    slippage: Slippage | None = None
    client_id: int | None = None

    def check_shape(self) -> None:
        """Check that the fields fit together.

        Raises:
            Refused: `INVALID_ORDER` with the rule that is broken.
        """
        if self.slippage is not None:
            self.slippage.check_shape()
        fault: str | None = None
        if self.client_id is not None and not 0 <= self.client_id <= MAX_CLIENT_ID:
            fault = f"client strategy id {self.client_id} is not an unsigned 32-bit integer"
        elif self.interval_ms < 1 or self.duration_ms < self.interval_ms:
            fault = "the interval must be above zero and not longer than the duration"
        elif self.slices > MAX_SLICES:
            fault = f"{self.slices} slices are too many: {MAX_SLICES} is the limit, so make the interval longer"
        elif self.slippage is not None and self.price is not None:
            fault = "the price of a strategy is its tolerance: leave the slippage tolerance out"
        if fault is not None:
            raise Refused(ErrorCode.INVALID_ORDER, fault)

    @property
    def slices(self) -> int:
        """Number of slices."""
        return -(-self.duration_ms // self.interval_ms)


@dataclass(frozen=True, slots=True)
class Strategy:
    """A strategy at one moment. Times are Unix microseconds; `cancel_reason` is set when it was terminated."""

    id: int
    account: str
    request: NewStrategy
    status: StrategyStatus
    cancel_reason: StrategyCancelReason | None
    executed_quantity: Decimal
    executed_quote_quantity: Decimal
    created_us: int
    updated_us: int


class LiveStrategy:
    """A strategy as the engine keeps it."""

    __slots__ = ("account", "cancel_reason", "created_us", "executed", "executed_quote", "id", "last", "next_slice",
                 "request", "status", "targets", "updated_us")  # fmt: skip

    def __init__(self, strategy_id: int, account: Account, request: NewStrategy, spec: MarketSpec, now_us: int) -> None:
        self.id = strategy_id
        self.account = account
        self.request = request
        self.status = StrategyStatus.RUNNING
        self.cancel_reason: StrategyCancelReason | None = None
        self.executed = self.executed_quote = ZERO
        self.created_us = self.updated_us = now_us
        self.next_slice = 0
        self.last: ExpiryReason | None = None
        self.targets = _targets(request, strategy_id, spec)

    @property
    def due_us(self) -> int:
        """When the next slice is due."""
        return self.created_us + self.next_slice * self.request.interval_ms * _MILLISECOND_US

    def next_order(self, spec: MarketSpec) -> NewOrder | None:
        """Move on to the next slice and return its order, None when there is less than the minimum to trade."""
        target = self.targets[self.next_slice]
        is_last = self.next_slice == len(self.targets) - 1
        self.next_slice += 1
        quantity = target - self.executed
        if quantity < spec.min_quantity and not (is_last and quantity > ZERO):
            return None
        request = self.request
        return NewOrder(
            symbol=request.symbol,
            side=request.side,
            order_type=OrderType.MARKET if request.price is None else OrderType.LIMIT,
            price=request.price,
            quantity=quantity,
            time_in_force=TimeInForce.IOC,
            self_trade_prevention=request.self_trade_prevention,
            reduce_only=request.reduce_only,
            slippage=request.slippage,
        )

    def count(self, order: Order, now_us: int) -> None:
        """Count what a slice traded, and finish after the last one."""
        self.executed += order.executed_quantity
        self.executed_quote += order.executed_quote_quantity
        self.last = order.expiry_reason
        self.updated_us = now_us

    def finish(self, now_us: int) -> None:
        """End the strategy once no slice is left."""
        if self.status is StrategyStatus.RUNNING and self.next_slice == len(self.targets):
            if self.executed == self.request.quantity:
                self.end(StrategyStatus.COMPLETED, now_us)
            else:
                reason = _EXPIRIES.get(self.last, StrategyCancelReason.EXPIRED) if self.last is not None else None
                self.end(StrategyStatus.TERMINATED, now_us, reason or StrategyCancelReason.EXPIRED)

    def refuse(self, refused: Refused, now_us: int) -> None:
        """End the strategy because a slice was refused."""
        self.end(StrategyStatus.TERMINATED, now_us, _REASONS.get(refused.code, StrategyCancelReason.UNKNOWN))

    def end(self, status: StrategyStatus, now_us: int, reason: StrategyCancelReason | None = None) -> None:
        """Put the strategy into its final state."""
        self.status = status
        self.cancel_reason = reason
        self.updated_us = now_us

    def view(self) -> Strategy:
        """Return the strategy as it is now."""
        return Strategy(
            self.id,
            self.account.id,
            self.request,
            self.status,
            self.cancel_reason,
            self.executed,
            self.executed_quote,
            self.created_us,
            self.updated_us,
        )


def _targets(request: NewStrategy, seed: int, spec: MarketSpec) -> list[Decimal]:
    """Return how much is to be traded by the end of each slice, in whole steps; in the end, everything."""
    shares = [100] * request.slices
    if request.randomized:
        state = seed
        for index in range(len(shares)):
            state = (state * _MULTIPLIER + _INCREMENT) % _MODULUS
            shares[index] += (state >> 33) % (2 * _SPREAD + 1) - _SPREAD
    total, passed = sum(shares), 0
    steps = int(request.quantity / spec.step_size)
    targets: list[Decimal] = []
    for share in shares:
        passed += share
        targets.append(steps * passed // total * spec.step_size)
    targets[-1] = request.quantity
    return targets

"""What an order in a perpetual needs, and how its trades are settled.

Nothing is locked in a balance. An order needs initial margin: the account's equity, less what the order would lose at
once against the mark price and in fees, must cover the initial margin of all positions and open orders, each market at
the largest size it could get to. An order that can only make that size smaller always passes, and so does a reduce-only
order. Fees are charged in the settlement asset.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from .account import Account
from .enums import PositionChange, Side, SystemOrderType
from .errors import ErrorCode, Refused
from .events import Event, PositionChanged
from .futures import FuturesSpec
from .house import ClearingHouse
from .marks import Marks
from .matching import Plan
from .numbers import ZERO, ratio
from .orders import LiveOrder, NewOrder
from .positions import LivePosition
from .spec import SETTLEMENT_ASSET, MarketSpec

if TYPE_CHECKING:
    from .margin import Margin

LIQUIDATION_FEE = Decimal("0.01")
"""Fee of every fill of a liquidation, as a fraction of its value. It goes to the backstop."""
_MOST_STEPS = 2**62


class Slot:
    """The position and the open orders of one account in one perpetual."""

    __slots__ = ("account", "asks", "bids", "clearing", "position")

    def __init__(self, account: Account, clearing: PerpClearing) -> None:
        self.account = account
        self.clearing = clearing
        self.position: LivePosition | None = None
        self.bids = ZERO
        self.asks = ZERO

    @property
    def quantity(self) -> Decimal:
        """Net quantity of the position, zero without one."""
        return self.position.quantity if self.position is not None else ZERO

    def exposure(self, bids: Decimal = ZERO, asks: Decimal = ZERO) -> Decimal:
        """Return the largest size the position could get to, given more open orders."""
        quantity = self.quantity
        return max(abs(quantity + self.bids + bids), abs(quantity - self.asks - asks))


class PerpClearing:
    """Keeps the positions of one perpetual and settles its trades with the clearing house."""

    __slots__ = (
        "_backstop",
        "_changed",
        "_events",
        "_house",
        "_margin",
        "_position_ids",
        "futures",
        "marks",
        "slots",
        "spec",
    )

    def __init__(
        self,
        spec: MarketSpec,
        futures: FuturesSpec,
        marks: Marks,
        house: ClearingHouse,
        margin: Margin,
        position_ids: Iterator[int],
        events: list[Event],
        backstop: str,
    ) -> None:
        self.spec = spec
        self.futures = futures
        self.marks = marks
        self.slots: dict[str, Slot] = {}
        self._house = house
        self._margin = margin
        self._position_ids = position_ids
        self._events = events
        self._backstop = backstop
        self._changed: list[tuple[Slot, LivePosition, bool]] = []

    @property
    def open_interest(self) -> Decimal:
        """Total of all long positions, which is that of all short ones."""
        return sum((slot.quantity for slot in self.slots.values() if slot.quantity > ZERO), ZERO)

    def slot(self, account: Account) -> Slot:
        """Return the account's slot, a new one if need be."""
        slot = self.slots.get(account.id)
        if slot is None:
            slot = self.slots[account.id] = account.slots[self.spec.symbol] = Slot(account, self)
        return slot

    def reducible(self, account: Account, side: Side) -> Decimal:
        """Return how much an order of this side could trade before it would turn the account's position around."""
        slot = self.slots.get(account.id)
        quantity = slot.quantity if slot is not None else ZERO
        return max(ZERO, -quantity if side is Side.BID else quantity)

    def require_funds(self, account: Account, order: NewOrder, plan: Plan) -> None:
        """Check initial margin and the limit of open interest.

        Raises:
            Refused: `INSUFFICIENT_MARGIN` with the shortfall, or `POSITION_LIMIT`.
        """
        if account.is_system or order.reduce_only:
            return
        slot = self.slot(account)
        # A market order never rests: only what it would trade counts.
        quantity = order.quantity if order.price is not None and order.quantity is not None else plan.filled
        before = slot.exposure()
        after = slot.exposure(bids=quantity) if order.side is Side.BID else slot.exposure(asks=quantity)
        if after <= before:
            return
        limit = self.futures.open_interest_limit
        if limit is not None and self.open_interest + quantity > limit:
            raise Refused(ErrorCode.POSITION_LIMIT, f"the open interest of {self.spec.symbol} must not exceed {limit}")
        value = plan.quote
        if order.price is not None:
            value += (quantity - plan.filled) * order.price
        short = self._short(slot, order.side, quantity, value, self.mark(order, plan))
        if short > ZERO:
            raise Refused(
                ErrorCode.INSUFFICIENT_MARGIN,
                f"the order needs {short} {SETTLEMENT_ASSET} more equity to open"
                f" {after} {self.spec.base} of {self.spec.symbol}",
            )

    def max_quantity(self, account: Account, side: Side, price: Decimal) -> Decimal:
        """Return the largest quantity that could be ordered at a price, in whole steps."""
        slot, step = self.slot(account), self.spec.step_size
        mark = self.marks.mark if self.marks.mark is not None else price
        before = slot.exposure()

        def fits(steps: int) -> bool:
            quantity = steps * step
            after = slot.exposure(bids=quantity) if side is Side.BID else slot.exposure(asks=quantity)
            return after <= before or self._short(slot, side, quantity, quantity * price, mark) <= ZERO

        high = 1
        while fits(high) and high < _MOST_STEPS:
            high *= 2
        low = high // 2 if not fits(high) else high
        while low < high - 1:
            middle = (low + high) // 2
            low, high = (middle, high) if fits(middle) else (low, middle)
        return low * step

    def _short(self, slot: Slot, side: Side, quantity: Decimal, value: Decimal, mark: Decimal) -> Decimal:
        """Return how much equity an order of some quantity and value lacks; below zero when there is enough."""
        after = slot.exposure(bids=quantity) if side is Side.BID else slot.exposure(asks=quantity)
        worse = value - mark * quantity
        loss = max(ZERO, worse if side is Side.BID else -worse)
        fees = value * max(ZERO, slot.account.fees.futures(is_maker=False))
        free = self._margin.free_equity(slot.account, besides=slot) - self._margin.initial_of(slot, after, mark)
        return loss + fees - free

    def mark(self, order: NewOrder, plan: Plan) -> Decimal:
        """Return the mark price; before there is one, what the order itself would pay."""
        if self.marks.mark is not None:
            return self.marks.mark
        if plan.filled != ZERO:
            return ratio(plan.quote, plan.filled)
        return order.price if order.price is not None else ZERO

    def lock(self, order: LiveOrder) -> None:
        """Count an order that comes to rest in the exposure of its account."""
        if not order.request.reduce_only:
            self._count(order, order.remaining)

    def release(self, order: LiveOrder) -> None:
        """Take what is left of a resting order out of the exposure again."""
        if not order.request.reduce_only:
            self._count(order, -order.remaining)

    def settle(
        self, maker: LiveOrder, taker: LiveOrder, quantity: Decimal, price: Decimal, now_us: int
    ) -> tuple[tuple[Decimal, str], tuple[Decimal, str]]:
        """Settle a trade. Return the fees of maker and taker, each with its asset."""
        if not maker.request.reduce_only:
            self._count(maker, -quantity)
        return (
            (self._trade(maker, quantity, price, now_us, is_maker=True), SETTLEMENT_ASSET),
            (self._trade(taker, quantity, price, now_us, is_maker=False), SETTLEMENT_ASSET),
        )

    def move(self, slot: Slot, side: Side, quantity: Decimal, price: Decimal, now_us: int) -> list[LivePosition]:
        """Let an account buy or sell, pay what that earns, and return the positions it touched."""
        touched: list[LivePosition] = []
        position = slot.position
        if position is not None and position.side is not side:
            closed = min(quantity, abs(position.quantity))
            earned = position.reduce(closed, price, now_us)
            self._house.pay(slot.account.id, earned)
            quantity -= closed
            touched.append(position)
            if position.quantity == ZERO:
                slot.position = None
        if quantity != ZERO:
            if slot.position is None:
                slot.position = LivePosition(next(self._position_ids), now_us)
            slot.position.enlarge(quantity if side is Side.BID else -quantity, price, now_us)
            touched.append(slot.position)
        return touched

    def publish(self, now_us: int) -> list[Account]:
        """Write down which positions changed since the last call, and return the owners of those that closed.

        Closed ones go to the history.
        """
        closed: list[Account] = []
        for slot, position, is_new in self._changed:
            change = PositionChange.OPENED if is_new else PositionChange.ADJUSTED
            view = self._margin.view(slot, position)
            if position.quantity == ZERO:
                change = PositionChange.CLOSED
                closed.append(slot.account)
                slot.account.closed_positions.append(view)
            self._events.append(PositionChanged(view, change, now_us))
        self._changed.clear()
        return closed

    def changed(self, slot: Slot, positions: list[LivePosition], had: LivePosition | None) -> None:
        """Remember to write down positions that changed; `had` is the one the account had before."""
        self._changed += [(slot, position, position is not had) for position in positions]

    def charge_liquidation(self, account: Account, positions: list[LivePosition], value: Decimal) -> Decimal:
        """Charge the fee of a liquidation of some value, in favour of the backstop, and return it."""
        fee = value * LIQUIDATION_FEE
        self._house.pay(account.id, -fee)
        self._house.pay(self._backstop, fee)
        for position in positions[:1]:
            position.liquidation_fees += fee
        return fee

    def _trade(self, order: LiveOrder, quantity: Decimal, price: Decimal, now_us: int, *, is_maker: bool) -> Decimal:
        account, slot = order.account, self.slot(order.account)
        had = slot.position
        positions = self.move(slot, order.side, quantity, price, now_us)
        if order.cause.system_order_type is SystemOrderType.LIQUIDATE_ON_BOOK:
            fee = self.charge_liquidation(account, positions, quantity * price)
            positions[0].liquidated += quantity
        else:
            fee = quantity * price * account.fees.futures(is_maker=is_maker)
            self._house.collect_fee(account.id, fee)
            positions[-1].fees += fee
        self.changed(slot, positions, had)
        return fee

    def _count(self, order: LiveOrder, quantity: Decimal) -> None:
        slot = self.slot(order.account)
        if order.side is Side.BID:
            slot.bids += quantity
        else:
            slot.asks += quantity

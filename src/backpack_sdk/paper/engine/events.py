"""What happened, in order: the raw material of every stream. Times are Unix microseconds."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from .book import BookDelta
from .enums import BookState, PositionChange, Side, SystemOrderType
from .ledger import Balance
from .marks import MarkPrice
from .orders import Fill, Order
from .positions import Position
from .quick import quick
from .rfq_events import RfqUpdated


@quick
@dataclass(frozen=True, slots=True)
class OrderAccepted:
    """An order passed all checks and got its id, or a conditional order went off. It has not met the book yet."""

    order: Order
    time_us: int


@quick
@dataclass(frozen=True, slots=True)
class OrderFilled:
    """An order traded. `order` stands as it was right after `fill`."""

    order: Order
    fill: Fill
    time_us: int


@quick
@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """An open order was cancelled, by its owner or because its market closed."""

    order: Order
    time_us: int


@quick
@dataclass(frozen=True, slots=True)
class OrderExpired:
    """An order ended by its own rules; `order.expiry_reason` says which."""

    order: Order
    time_us: int


@dataclass(frozen=True, slots=True)
class OrderModified:
    """The quantity of an open order changed: reduce-only orders shrink with the position, exits grow with the entry."""

    order: Order
    time_us: int


@dataclass(frozen=True, slots=True)
class TriggerPlaced:
    """A conditional order was taken and waits for its price."""

    order: Order
    time_us: int


@dataclass(frozen=True, slots=True)
class TriggerFailed:
    """A conditional order went off but could not be placed; `order.expiry_reason` says why."""

    order: Order
    time_us: int


@quick
@dataclass(frozen=True, slots=True)
class Trade:
    """A trade as the public sees it. `id` counts up from 1 in each market."""

    symbol: str
    id: int
    price: Decimal
    quantity: Decimal
    quote_quantity: Decimal
    buyer_order_id: int
    seller_order_id: int
    is_buyer_maker: bool
    time_us: int


@quick
@dataclass(frozen=True, slots=True)
class DepthChanged:
    """Levels of a book changed. The ids of consecutive events of one market join without a gap."""

    symbol: str
    delta: BookDelta
    time_us: int


@quick
@dataclass(frozen=True, slots=True)
class BestPrices:
    """Best bid and ask with their quantities. All four are None-able: a side can be empty."""

    bid: Decimal | None = None
    bid_quantity: Decimal | None = None
    ask: Decimal | None = None
    ask_quantity: Decimal | None = None


@quick
@dataclass(frozen=True, slots=True)
class BestPricesChanged:
    """The best bid or ask, or the quantity there, changed."""

    symbol: str
    best: BestPrices
    update_id: int
    time_us: int


@quick
@dataclass(frozen=True, slots=True)
class BalanceChanged:
    """A balance moved; this is where it stands after the whole command."""

    account: str
    asset: str
    balance: Balance
    time_us: int


@dataclass(frozen=True, slots=True)
class BookStateChanged:
    """A market was put into another state."""

    symbol: str
    state: BookState
    time_us: int


@quick
@dataclass(frozen=True, slots=True)
class PositionChanged:
    """A position was opened, adjusted or closed by a trade or a liquidation."""

    position: Position
    change: PositionChange
    time_us: int


@quick
@dataclass(frozen=True, slots=True)
class MarkPriceChanged:
    """Mark or index price of a market moved."""

    price: MarkPrice
    time_us: int


@dataclass(frozen=True, slots=True)
class FundingPaid:
    """An account received (above zero) or paid funding of one interval for a position."""

    account: str
    symbol: str
    quantity: Decimal
    rate: Decimal
    interval_end_us: int
    time_us: int


@dataclass(frozen=True, slots=True)
class Liquidated:
    """A part of a position was closed against its owner's will. `side` is that of the closing order."""

    account: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    system_order_type: SystemOrderType
    time_us: int


Event = (
    OrderAccepted
    | OrderFilled
    | OrderCancelled
    | OrderExpired
    | OrderModified
    | TriggerPlaced
    | TriggerFailed
    | Trade
    | DepthChanged
    | BestPricesChanged
    | BalanceChanged
    | BookStateChanged
    | PositionChanged
    | MarkPriceChanged
    | FundingPaid
    | Liquidated
    | RfqUpdated
)

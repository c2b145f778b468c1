"""What happened, in order: the raw material of every stream. Times are Unix microseconds."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from .book import BookDelta
from .enums import BookState
from .ledger import Balance
from .orders import Fill, Order


@dataclass(frozen=True, slots=True)
class OrderAccepted:
    """An order passed all checks and got its id. It has not met the book yet."""

    order: Order
    time_us: int


@dataclass(frozen=True, slots=True)
class OrderFilled:
    """An order traded. `order` stands as it was right after `fill`."""

    order: Order
    fill: Fill
    time_us: int


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """An open order was cancelled, by its owner or because its market closed."""

    order: Order
    time_us: int


@dataclass(frozen=True, slots=True)
class OrderExpired:
    """An order ended by its own rules; `order.expiry_reason` says which."""

    order: Order
    time_us: int


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


@dataclass(frozen=True, slots=True)
class DepthChanged:
    """Levels of a book changed. The ids of consecutive events of one market join without a gap."""

    symbol: str
    delta: BookDelta
    time_us: int


@dataclass(frozen=True, slots=True)
class BestPrices:
    """Best bid and ask with their quantities. All four are None-able: a side can be empty."""

    bid: Decimal | None = None
    bid_quantity: Decimal | None = None
    ask: Decimal | None = None
    ask_quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class BestPricesChanged:
    """The best bid or ask, or the quantity there, changed."""

    symbol: str
    best: BestPrices
    update_id: int
    time_us: int


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


Event = (
    OrderAccepted
    | OrderFilled
    | OrderCancelled
    | OrderExpired
    | Trade
    | DepthChanged
    | BestPricesChanged
    | BalanceChanged
    | BookStateChanged
)

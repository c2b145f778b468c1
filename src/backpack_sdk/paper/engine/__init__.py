"""The engine of the paper exchange: pure, exact and deterministic.

Commands go in with the time, results and events come out. It does no I/O, reads no clock, draws no random
number, and knows nothing of HTTP or JSON. Start at `Exchange`.
"""

from .account import FeeRates
from .book import BookDelta, Depth
from .enums import (
    BookState,
    CancelScope,
    ExpiryReason,
    MarketType,
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    SortDirection,
    TimeInForce,
)
from .errors import ErrorCode, Refused
from .events import (
    BalanceChanged,
    BestPrices,
    BestPricesChanged,
    BookStateChanged,
    DepthChanged,
    Event,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    Trade,
)
from .exchange import Exchange, Outcome
from .klines import Kline, KlineInterval
from .ledger import Balance
from .orders import Fill, NewOrder, Order, expiry_refusal
from .seed import MARKET_MAKER, Ladder, seed_book
from .spec import MarketSpec
from .tape import Ticker, TickerInterval

__all__ = [
    "MARKET_MAKER",
    "Balance",
    "BalanceChanged",
    "BestPrices",
    "BestPricesChanged",
    "BookDelta",
    "BookState",
    "BookStateChanged",
    "CancelScope",
    "Depth",
    "DepthChanged",
    "ErrorCode",
    "Event",
    "Exchange",
    "ExpiryReason",
    "FeeRates",
    "Fill",
    "Kline",
    "KlineInterval",
    "Ladder",
    "MarketSpec",
    "MarketType",
    "NewOrder",
    "Order",
    "OrderAccepted",
    "OrderCancelled",
    "OrderExpired",
    "OrderFilled",
    "OrderStatus",
    "OrderType",
    "Outcome",
    "Refused",
    "SelfTradePrevention",
    "Side",
    "SortDirection",
    "Ticker",
    "TickerInterval",
    "TimeInForce",
    "Trade",
    "expiry_refusal",
    "seed_book",
]

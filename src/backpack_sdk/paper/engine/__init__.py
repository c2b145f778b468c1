"""The engine of the paper exchange: pure, exact and deterministic.

Commands go in with the time, results and events come out. It does no I/O, reads no clock, draws no random
number, and knows nothing of HTTP or JSON. Start at `Exchange`.
"""

from .account import FeeRates
from .assets import AssetSpec, CollateralTerms, TokenSpec
from .book import BookDelta, Depth
from .credit import FuturesLoad, Worth
from .enums import (
    BookState,
    CancelScope,
    ExpiryReason,
    FillType,
    MarketType,
    OrderStatus,
    OrderType,
    Origin,
    PositionChange,
    PositionState,
    SelfTradePrevention,
    Side,
    SlippageType,
    SortDirection,
    StrategyCancelReason,
    StrategyStatus,
    SystemOrderType,
    TimeInForce,
    TriggerBy,
)
from .errors import ErrorCode, Refused
from .events import (
    BalanceChanged,
    BestPrices,
    BestPricesChanged,
    BookStateChanged,
    DepthChanged,
    Event,
    FundingPaid,
    Liquidated,
    MarkPriceChanged,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderModified,
    PositionChanged,
    Trade,
    TriggerFailed,
    TriggerPlaced,
)
from .exchange import Exchange
from .funding import FundingPayment, FundingRate
from .futures import FuturesSpec, MarginFunction, PriceBands
from .journal import Command, replay
from .klines import Kline, KlineInterval
from .ledger import Balance
from .lending_pool import BorrowLendSide, PoolSpec, PoolState, RateCurve
from .liquidation import BACKSTOP
from .marks import MarkPrice
from .orders import Fill, NewOrder, Order, expiry_refusal
from .outcome import Outcome
from .positions import Position
from .rfq_events import Quote, Rfq, RfqEventKind, RfqFill, RfqMode, RfqUpdated
from .seed import MARKET_MAKER, Ladder, seed_book
from .settings import AccountSettings
from .spec import MarketSpec
from .strategies import NewStrategy, Strategy
from .tape import Ticker, TickerInterval
from .terms import ExitLeg, Slippage, Trigger
from .transfers import Deposit, Withdrawal, WithdrawalDelay
from .vaults import VaultRedeem, VaultSpec

__all__ = [
    "BACKSTOP",
    "MARKET_MAKER",
    "AccountSettings",
    "AssetSpec",
    "Balance",
    "BalanceChanged",
    "BestPrices",
    "BestPricesChanged",
    "BookDelta",
    "BookState",
    "BookStateChanged",
    "BorrowLendSide",
    "CancelScope",
    "CollateralTerms",
    "Command",
    "Deposit",
    "Depth",
    "DepthChanged",
    "ErrorCode",
    "Event",
    "Exchange",
    "ExitLeg",
    "ExpiryReason",
    "FeeRates",
    "Fill",
    "FillType",
    "FundingPaid",
    "FundingPayment",
    "FundingRate",
    "FuturesLoad",
    "FuturesSpec",
    "Kline",
    "KlineInterval",
    "Ladder",
    "Liquidated",
    "MarginFunction",
    "MarkPrice",
    "MarkPriceChanged",
    "MarketSpec",
    "MarketType",
    "NewOrder",
    "NewStrategy",
    "Order",
    "OrderAccepted",
    "OrderCancelled",
    "OrderExpired",
    "OrderFilled",
    "OrderModified",
    "OrderStatus",
    "OrderType",
    "Origin",
    "Outcome",
    "PoolSpec",
    "PoolState",
    "Position",
    "PositionChange",
    "PositionChanged",
    "PositionState",
    "PriceBands",
    "Quote",
    "RateCurve",
    "Refused",
    "Rfq",
    "RfqEventKind",
    "RfqFill",
    "RfqMode",
    "RfqUpdated",
    "SelfTradePrevention",
    "Side",
    "Slippage",
    "SlippageType",
    "SortDirection",
    "Strategy",
    "StrategyCancelReason",
    "StrategyStatus",
    "SystemOrderType",
    "Ticker",
    "TickerInterval",
    "TimeInForce",
    "TokenSpec",
    "Trade",
    "Trigger",
    "TriggerBy",
    "TriggerFailed",
    "TriggerPlaced",
    "VaultRedeem",
    "VaultSpec",
    "Withdrawal",
    "WithdrawalDelay",
    "Worth",
    "expiry_refusal",
    "replay",
    "seed_book",
]

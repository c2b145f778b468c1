"""The vocabulary of the engine. Values are the words of the exchange's own API."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """Direction of an order: `BID` buys the base asset, `ASK` sells it."""

    BID = "Bid"
    ASK = "Ask"

    @property
    def opposite(self) -> Side:
        """The side that this side trades with."""
        return Side.ASK if self is Side.BID else Side.BID


class OrderType(StrEnum):
    """Kind of an order."""

    LIMIT = "Limit"
    MARKET = "Market"


class TimeInForce(StrEnum):
    """How long an order may live: until cancelled, for one match, or for one match in full."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class SelfTradePrevention(StrEnum):
    """Which order gives way when an account would trade with itself."""

    REJECT_TAKER = "RejectTaker"
    REJECT_MAKER = "RejectMaker"
    REJECT_BOTH = "RejectBoth"


class OrderStatus(StrEnum):
    """State of an order. Only `NEW` and `PARTIALLY_FILLED` orders can rest on the book; `TRIGGER_PENDING` ones wait."""

    NEW = "New"
    PARTIALLY_FILLED = "PartiallyFilled"
    FILLED = "Filled"
    CANCELLED = "Cancelled"
    EXPIRED = "Expired"
    TRIGGER_PENDING = "TriggerPending"
    TRIGGER_FAILED = "TriggerFailed"


class ExpiryReason(StrEnum):
    """Why an order expired, or why its trigger failed."""

    FILL_OR_KILL = "FillOrKill"
    IMMEDIATE_OR_CANCEL = "ImmediateOrCancel"
    INSUFFICIENT_FUNDS = "InsufficientFunds"
    INSUFFICIENT_LIQUIDITY = "InsufficientLiquidity"
    INSUFFICIENT_MARGIN = "InsufficientMargin"
    INVALID_PRICE = "InvalidPrice"
    INVALID_QUANTITY = "InvalidQuantity"
    LIQUIDATION = "Liquidation"
    POSITION_LIMIT = "PositionLimit"
    POST_ONLY_MODE = "PostOnlyMode"
    POST_ONLY_TAKER = "PostOnlyTaker"
    PRICE_IMPACT = "PriceImpact"
    PRICE_OUT_OF_BOUNDS = "PriceOutOfBounds"
    REDUCE_ONLY_NOT_REDUCED = "ReduceOnlyNotReduced"
    SELF_TRADE_PREVENTION = "SelfTradePrevention"
    SLIPPAGE_TOLERANCE_EXCEEDED = "SlippageToleranceExceeded"
    STOP_WITHOUT_POSITION = "StopWithoutPosition"
    UNKNOWN = "Unknown"


class BookState(StrEnum):
    """What a market accepts. See `Market.execute` for the meaning of each state."""

    OPEN = "Open"
    CLOSED = "Closed"
    CANCEL_ONLY = "CancelOnly"
    LIMIT_ONLY = "LimitOnly"
    POST_ONLY = "PostOnly"


class MarketType(StrEnum):
    """Kind of a market."""

    SPOT = "SPOT"
    PERP = "PERP"


class TriggerBy(StrEnum):
    """The price that sets a conditional order off."""

    LAST = "LastPrice"
    MARK = "MarkPrice"
    INDEX = "IndexPrice"


class SlippageType(StrEnum):
    """Unit of a slippage tolerance: ticks of the market, or percent of the best price."""

    TICK_SIZE = "TickSize"
    PERCENT = "Percent"


class Origin(StrEnum):
    """Who caused an order."""

    USER = "USER"
    LIQUIDATION = "LIQUIDATION_AUTOCLOSE"
    BACKSTOP = "BACKSTOP_LIQUIDITY_PROVIDER"


class SystemOrderType(StrEnum):
    """What the exchange's own orders are for."""

    LIQUIDATE_ON_BOOK = "LiquidatePositionOnBook"
    LIQUIDATE_ON_BACKSTOP = "LiquidatePositionOnBackstop"
    BOOK_CLOSED = "OrderBookClosed"


class FillType(StrEnum):
    """Why a fill came about."""

    USER = "User"
    BOOK_LIQUIDATION = "BookLiquidation"
    ADL = "Adl"
    BACKSTOP = "Backstop"
    LIQUIDATION = "Liquidation"
    ALL_LIQUIDATION = "AllLiquidation"
    COLLATERAL_CONVERSION = "CollateralConversion"
    COLLATERAL_CONVERSION_AND_SPOT_LIQUIDATION = "CollateralConversionAndSpotLiquidation"


class PositionState(StrEnum):
    """Whether a position still has a quantity."""

    OPEN = "Open"
    CLOSED = "Closed"


class PositionChange(StrEnum):
    """How a position changed, in the words of the position stream."""

    OPENED = "positionOpened"
    ADJUSTED = "positionAdjusted"
    CLOSED = "positionClosed"


class StrategyStatus(StrEnum):
    """State of a strategy. `TERMINATED` ones could not go on; their cancel reason says why."""

    RUNNING = "Running"
    COMPLETED = "Completed"
    CANCELLED = "Cancelled"
    TERMINATED = "Terminated"


class StrategyCancelReason(StrEnum):
    """Why a strategy was terminated."""

    EXPIRED = "Expired"
    FILL_OR_KILL = "FillOrKill"
    INSUFFICIENT_FUNDS = "InsufficientFunds"
    INSUFFICIENT_LIQUIDITY = "InsufficientLiquidity"
    INSUFFICIENT_MARGIN = "InsufficientMargin"
    INVALID_PRICE = "InvalidPrice"
    INVALID_QUANTITY = "InvalidQuantity"
    LIQUIDATION = "Liquidation"
    PRICE_OUT_OF_BOUNDS = "PriceOutOfBounds"
    REDUCE_ONLY_NOT_REDUCED = "ReduceOnlyNotReduced"
    SELF_TRADE_PREVENTION = "SelfTradePrevention"
    UNKNOWN = "Unknown"


class CancelScope(StrEnum):
    """Which open orders a cancel-all takes."""

    RESTING_LIMIT = "RestingLimitOrder"
    CONDITIONAL = "ConditionalOrder"


class SortDirection(StrEnum):
    """Order of a history page by age: `ASC` oldest first, `DESC` newest first."""

    ASC = "Asc"
    DESC = "Desc"

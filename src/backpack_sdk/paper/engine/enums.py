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
    """State of an order. Only `NEW` and `PARTIALLY_FILLED` orders can still rest on the book."""

    NEW = "New"
    PARTIALLY_FILLED = "PartiallyFilled"
    FILLED = "Filled"
    CANCELLED = "Cancelled"
    EXPIRED = "Expired"


class ExpiryReason(StrEnum):
    """Why an order expired."""

    FILL_OR_KILL = "FillOrKill"
    IMMEDIATE_OR_CANCEL = "ImmediateOrCancel"
    INSUFFICIENT_LIQUIDITY = "InsufficientLiquidity"
    POST_ONLY_MODE = "PostOnlyMode"
    POST_ONLY_TAKER = "PostOnlyTaker"
    SELF_TRADE_PREVENTION = "SelfTradePrevention"


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


class CancelScope(StrEnum):
    """Which open orders a cancel-all takes."""

    RESTING_LIMIT = "RestingLimitOrder"
    CONDITIONAL = "ConditionalOrder"


class SortDirection(StrEnum):
    """Order of a history page by age: `ASC` oldest first, `DESC` newest first."""

    ASC = "Asc"
    DESC = "Desc"

"""The one exception of the engine: a command or query that the exchange refuses."""

from __future__ import annotations

from enum import StrEnum


class ErrorCode(StrEnum):
    """The exchange's error codes that the engine uses (`ApiErrorCode` of its API)."""

    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    INVALID_ASSET = "INVALID_ASSET"
    INVALID_CLIENT_REQUEST = "INVALID_CLIENT_REQUEST"
    INVALID_ORDER = "INVALID_ORDER"
    INVALID_PRICE = "INVALID_PRICE"
    INVALID_QUANTITY = "INVALID_QUANTITY"
    INVALID_RANGE = "INVALID_RANGE"
    INVALID_SYMBOL = "INVALID_SYMBOL"
    RESOURCE_NOT_FOUND = "RESOURCE_NOT_FOUND"
    TRADING_PAUSED = "TRADING_PAUSED"
    UNAUTHORIZED = "UNAUTHORIZED"


class Refused(Exception):
    """The exchange refuses: nothing has changed, no order id was used.

    Attributes:
        code: the exchange's error code.
        message: what is wrong and what to do, for a person.
        status: the HTTP status the exchange would answer with.
    """

    def __init__(self, code: ErrorCode, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status

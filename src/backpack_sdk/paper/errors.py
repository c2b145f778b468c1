"""Refusals that arise in front of the engine. The engine's own is `engine.Refused`."""

from __future__ import annotations

from enum import StrEnum


class ApiErrorCode(StrEnum):
    """Error codes of the exchange (`ApiErrorCode` of its API) that only its HTTP side uses."""

    FORBIDDEN = "FORBIDDEN"
    INVALID_ASSET = "INVALID_ASSET"
    INVALID_CLIENT_REQUEST = "INVALID_CLIENT_REQUEST"
    INVALID_ORDER = "INVALID_ORDER"
    INVALID_RANGE = "INVALID_RANGE"
    INVALID_SIGNATURE = "INVALID_SIGNATURE"
    INVALID_TWO_FACTOR_CODE = "INVALID_TWO_FACTOR_CODE"
    NOT_IMPLEMENTED = "NOT_IMPLEMENTED"
    SERVER_ERROR = "SERVER_ERROR"
    UNAUTHORIZED = "UNAUTHORIZED"


class ApiError(Exception):
    """A refusal with a code: goes out as JSON `{"code", "message"}`."""

    def __init__(self, code: ApiErrorCode, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class MalformedRequest(Exception):
    """A request that can't be read. Goes out as plain text, as the exchange does it for parameters it can't parse."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status

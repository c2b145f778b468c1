"""What a handler gets, and what it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from .engine import Exchange
from .reading import Query
from .replies import Reply


class AnyMarketType(StrEnum):
    """Kinds of markets that requests may name. Only the first two exist here."""

    SPOT = "SPOT"
    PERP = "PERP"
    IPERP = "IPERP"
    DATED = "DATED"
    PREDICTION = "PREDICTION"
    RFQ = "RFQ"


@dataclass(frozen=True, slots=True)
class Call:
    """One request to one operation: read and, where the operation is private, authenticated.

    `account` is the API key that signed it, an empty text for public operations. `now_us` is the time in Unix
    microseconds, `listed_us` that of the listing of the markets.
    """

    engine: Exchange
    account: str
    query: Query
    body: object
    now_us: int
    listed_us: int


Handler = Callable[[Call], Reply]
"""Answers one operation. May raise `Refused`, `ApiError` or `MalformedRequest`."""

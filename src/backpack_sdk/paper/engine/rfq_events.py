"""Requests for quotes as they stand, and what happens to them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from .enums import OrderStatus, Side


class RfqMode(StrEnum):
    """Who chooses the quote: the one who asked, or the exchange (the first that satisfies the price)."""

    AWAIT_ACCEPT = "AwaitAccept"
    IMMEDIATE = "Immediate"


class RfqEventKind(StrEnum):
    """What happened. The words are those of the stream."""

    ACTIVE = "rfqActive"
    ACCEPTED = "rfqAccepted"
    REFRESHED = "rfqRefreshed"
    CANCELLED = "rfqCancelled"
    CANDIDATE = "rfqCandidate"
    FILLED = "rfqFilled"
    QUOTE_ACCEPTED = "quoteAccepted"
    QUOTE_CANCELLED = "quoteCancelled"


@dataclass(frozen=True, slots=True)
class Rfq:
    """A request for quotes. Exactly one of `quantity` (base asset) and `quote_quantity` is set.

    `price` is the worst one accepted, only with `IMMEDIATE`. `submission_us` is until when makers are asked to quote,
    `expiry_us` when the request lapses. Times are Unix microseconds.
    """

    id: int
    account: str
    client_id: int | None
    symbol: str
    side: Side
    quantity: Decimal | None
    quote_quantity: Decimal | None
    price: Decimal | None
    mode: RfqMode
    status: OrderStatus
    created_us: int
    submitted_us: int
    submission_us: int
    expiry_us: int


@dataclass(frozen=True, slots=True)
class Quote:
    """A maker's bid and ask for one request."""

    id: int
    rfq_id: int
    account: str
    client_id: int | None
    bid_price: Decimal
    ask_price: Decimal
    status: OrderStatus
    created_us: int


@dataclass(frozen=True, slots=True)
class RfqFill:
    """A trade between the account that asked and a maker.

    `price` is the quote's; `taker_price` has the fee of the asking account in it, which is in the quote asset.
    `maker_fee` is in `maker_fee_asset`, the asset that the maker received.
    """

    rfq: Rfq
    quote: Quote
    quantity: Decimal
    quote_quantity: Decimal
    price: Decimal
    taker_price: Decimal
    taker_fee: Decimal
    maker_fee: Decimal
    maker_fee_asset: str
    time_us: int


@dataclass(frozen=True, slots=True)
class RfqUpdated:
    """A step in the life of a request or of a quote, told to one account.

    `account` is None for `rfqActive`, which every account but the asking one sees; side and client id of the request
    are not for them. `quote` is set for events about a quote and for `rfqCandidate` and `rfqFilled`. `price` is what
    the receiver pays or gets per unit: with the fee for the asking account, the quoted one for the maker.
    """

    kind: RfqEventKind
    account: str | None
    rfq: Rfq
    quote: Quote | None
    price: Decimal | None
    time_us: int

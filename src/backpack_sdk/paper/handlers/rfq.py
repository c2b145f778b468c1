"""Requests for quotes, and the quotes that answer them."""

from __future__ import annotations

from enum import StrEnum

from .. import wire
from ..call import Call, Handler
from ..engine import Side
from ..engine.rfq_events import Quote, Rfq, RfqFill, RfqMode
from ..reading import UINT16_MAX, UINT32_MAX, Fields, Query, needed
from ..replies import Reply, json_reply
from .listing import flag, listing, number_id


class AnyOrderStatus(StrEnum):
    """States that a filter may name. Requests and quotes have only some of them."""

    CANCELLED = "Cancelled"
    EXPIRED = "Expired"
    FILLED = "Filled"
    NEW = "New"
    PARTIALLY_FILLED = "PartiallyFilled"
    TRIGGER_PENDING = "TriggerPending"
    TRIGGER_FAILED = "TriggerFailed"


class RfqFillType(StrEnum):
    """Where a request came from. Only users ask here."""

    USER = "User"
    COLLATERAL_CONVERSION = "CollateralConversion"


_FLAGS = ("autoBorrow", "autoBorrowRepay", "autoLend", "autoLendRedeem")


def submit_rfq(call: Call) -> Reply:
    """Ask for quotes."""
    fields = Fields(call.body)
    _read_flags(fields)
    mode = fields.choice("executionMode", RfqMode)
    rfq = call.engine.submit_rfq(
        call.account,
        needed(fields.text("symbol"), "symbol"),
        needed(fields.choice("side", Side), "side"),
        quantity=fields.decimal("quantity"),
        quote_quantity=fields.decimal("quoteQuantity"),
        price=fields.decimal("price"),
        mode=mode if mode is not None else RfqMode.AWAIT_ACCEPT,
        client_id=fields.whole("clientId", high=UINT32_MAX),
        now_us=call.now_us,
    )
    return json_reply(_rfq(rfq.value))


def accept_quote(call: Call) -> Reply:
    """Trade against a quote."""
    fields = Fields(call.body)
    rfq = call.engine.accept_quote(
        call.account,
        needed(number_id(fields.text("quoteId"), "quoteId"), "quoteId"),
        rfq_id=number_id(fields.text("rfqId"), "rfqId"),
        client_id=fields.whole("clientId", high=UINT32_MAX),
        now_us=call.now_us,
    )
    return json_reply(_rfq(rfq.value))


def refresh_rfq(call: Call) -> Reply:
    """Give makers more time."""
    number = needed(number_id(Fields(call.body).text("rfqId"), "rfqId"), "rfqId")
    return json_reply(_rfq(call.engine.refresh_rfq(call.account, number, now_us=call.now_us).value))


def cancel_rfq(call: Call) -> Reply:
    """Withdraw a request."""
    fields = Fields(call.body)
    rfq = call.engine.cancel_rfq(
        call.account,
        rfq_id=number_id(fields.text("rfqId"), "rfqId"),
        client_id=fields.whole("clientId", high=UINT32_MAX),
        now_us=call.now_us,
    )
    return json_reply(_rfq(rfq.value))


def submit_quote(call: Call) -> Reply:
    """Answer a request with two prices."""
    fields = Fields(call.body)
    _read_flags(fields)
    quote = call.engine.submit_quote(
        call.account,
        needed(number_id(fields.text("rfqId"), "rfqId"), "rfqId"),
        bid=needed(fields.decimal("bidPrice"), "bidPrice"),
        ask=needed(fields.decimal("askPrice"), "askPrice"),
        client_id=fields.whole("clientId", high=UINT32_MAX),
        now_us=call.now_us,
    )
    return json_reply(_quote(quote.value))


def get_open_rfqs(call: Call) -> Reply:
    """Show the account's own open requests with their quotes."""
    query = call.query
    number, symbol = query.whole("rfqId"), query.text("symbol")
    query.whole("subaccountId", high=UINT16_MAX)
    found = [
        {"rfq": _rfq(rfq), "quotes": [_quote(quote) for quote in quotes]}
        for rfq, quotes in call.engine.rfqs.open_rfqs(call.account)
        if number in (None, rfq.id) and symbol in (None, rfq.symbol)
    ]
    return json_reply(found if _settles_at_once(query) else [])


def get_rfq_history(call: Call) -> Reply:
    """Page through the requests that are over."""
    query = call.query
    number, symbol = number_id(query.text("rfqId"), "rfqId"), query.text("symbol")
    side, status = query.choice("side", Side), query.choice("status", AnyOrderStatus)

    def keep(row: Rfq) -> bool:
        return (
            number in (None, row.id)
            and symbol in (None, row.symbol)
            and side in (None, row.side)
            and (status is None or status.value == row.status.value)
        )

    return listing(query, call.engine.rfqs.past_rfqs(call.account) if _settles_at_once(query) else (), _past_rfq, keep)


def get_quote_history(call: Call) -> Reply:
    """Page through the quotes that are over."""
    query = call.query
    number, symbol = number_id(query.text("quoteId"), "quoteId"), query.text("symbol")
    status = query.choice("status", AnyOrderStatus)

    def keep(row: tuple[Quote, Rfq]) -> bool:
        quote, rfq = row
        return (
            number in (None, quote.id)
            and symbol in (None, rfq.symbol)
            and (status is None or status.value == quote.status.value)
        )

    rows = call.engine.rfqs.past_quotes(call.account) if _settles_at_once(query) else ()
    return listing(query, rows, _past_quote, keep)


def get_rfq_fill_history(call: Call) -> Reply:
    """Page through the trades of the account's requests."""
    query = call.query
    kind = query.choice("fillType", RfqFillType)
    wanted = _settles_at_once(query) and kind in (None, RfqFillType.USER)
    return _fills(query, call.engine.rfqs.fills(call.account) if wanted else (), asked=True)


def get_quote_fill_history(call: Call) -> Reply:
    """Page through the trades of the account's quotes. The side is the maker's own."""
    return _fills(call.query, call.engine.rfqs.quote_fills(call.account), asked=False)


def _fills(query: Query, rows: tuple[RfqFill, ...], *, asked: bool) -> Reply:
    number, symbol = number_id(query.text("quoteId"), "quoteId"), query.text("symbol")
    side = query.choice("side", Side)

    def keep(row: RfqFill) -> bool:
        own = row.rfq.side if asked else row.rfq.side.opposite
        return number in (None, row.quote.id) and symbol in (None, row.rfq.symbol) and side in (None, own)

    return listing(query, rows, _rfq_fill if asked else _quote_fill, keep)


def _read_flags(fields: Fields) -> None:
    """Check the flags of borrowing and lending. Trades by quotes use what is available, whatever they say."""
    for name in _FLAGS:
        fields.flag(name)


def _settles_at_once(query: Query) -> bool:
    """Return whether anything can match: no settlement is ever deferred here."""
    return flag(query, "deferredSettlement") is not True


def _rfq(row: Rfq) -> wire.Json:
    times = {
        "createdAt": wire.milliseconds(row.created_us),
        "submissionTime": wire.milliseconds(row.submission_us),
        "expiryTime": wire.milliseconds(row.expiry_us),
    }
    return _request(row) | times


def _past_rfq(row: Rfq) -> wire.Json:
    times = {
        "createdAt": wire.iso(row.created_us),
        "submissionTime": wire.iso(row.submission_us),
        "expiryTime": wire.iso(row.expiry_us),
    }
    return _request(row) | times


def _request(row: Rfq) -> wire.Json:
    found: wire.Json = {
        "rfqId": str(row.id),
        "symbol": row.symbol,
        "side": row.side,
        "status": row.status,
        "executionMode": row.mode,
    }
    if row.client_id is not None:
        found["clientId"] = row.client_id
    amounts = (("quantity", row.quantity), ("quoteQuantity", row.quote_quantity), ("price", row.price))
    return found | {name: wire.number(amount) for name, amount in amounts if amount is not None}


def _quote(row: Quote) -> wire.Json:
    found: wire.Json = {
        "quoteId": str(row.id),
        "rfqId": str(row.rfq_id),
        "bidPrice": wire.number(row.bid_price),
        "askPrice": wire.number(row.ask_price),
        "status": row.status,
        "createdAt": wire.milliseconds(row.created_us),
    }
    return found if row.client_id is None else found | {"clientId": row.client_id}


def _past_quote(row: tuple[Quote, Rfq]) -> wire.Json:
    return _quote(row[0]) | {"createdAt": wire.iso(row[0].created_us), "deferredSettlement": False}


def _rfq_fill(row: RfqFill) -> wire.Json:
    found: wire.Json = {
        "rfqId": str(row.rfq.id),
        "quoteId": str(row.quote.id),
        "symbol": row.rfq.symbol,
        "side": row.rfq.side,
        "quantity": wire.number(row.quantity),
        "quoteQuantity": wire.number(row.quote_quantity),
        "fillPrice": wire.number(row.taker_price),
        "createdAt": wire.iso(row.rfq.created_us),
        "filledAt": wire.iso(row.time_us),
    }
    return found if row.rfq.client_id is None else found | {"clientId": row.rfq.client_id}


def _quote_fill(row: RfqFill) -> wire.Json:
    found: wire.Json = {
        "rfqId": str(row.rfq.id),
        "quoteId": str(row.quote.id),
        "symbol": row.rfq.symbol,
        "side": row.rfq.side.opposite,
        "quantity": wire.number(row.quantity),
        "fillPrice": wire.number(row.price),
        "fee": wire.number(row.maker_fee),
        "feeSymbol": row.maker_fee_asset,
        "createdAt": wire.iso(row.quote.created_us),
        "filledAt": wire.iso(row.time_us),
    }
    return found if row.quote.client_id is None else found | {"clientId": row.quote.client_id}


HANDLERS: dict[str, Handler] = {
    "accept_quote": accept_quote,
    "cancel_rfq": cancel_rfq,
    "get_open_rfqs": get_open_rfqs,
    "get_quote_fill_history": get_quote_fill_history,
    "get_quote_history": get_quote_history,
    "get_rfq_fill_history": get_rfq_fill_history,
    "get_rfq_history": get_rfq_history,
    "refresh_rfq": refresh_rfq,
    "submit_quote": submit_quote,
    "submit_rfq": submit_rfq,
}

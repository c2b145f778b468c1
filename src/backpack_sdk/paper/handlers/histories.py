"""Orders and fills of the past."""

from __future__ import annotations

from enum import StrEnum

from .. import wire
from ..call import AnyMarketType, Call, Handler
from ..engine import SortDirection
from ..reading import INT64_MAX, Query, order_id
from ..replies import Reply, json_reply

_DEFAULT_LIMIT = 100
_MILLISECOND_US = 1_000


class FillType(StrEnum):
    """Why a fill came about. Only the first happens here."""

    USER = "User"
    BOOK_LIQUIDATION = "BookLiquidation"
    ADL = "Adl"
    BACKSTOP = "Backstop"
    LIQUIDATION = "Liquidation"
    ALL_LIQUIDATION = "AllLiquidation"
    COLLATERAL_CONVERSION = "CollateralConversion"
    COLLATERAL_CONVERSION_AND_SPOT_LIQUIDATION = "CollateralConversionAndSpotLiquidation"


def get_order_history(call: Call) -> Reply:
    """Page through every order that ever got an id, open ones included."""
    query = call.query
    limit, offset, direction = _page(query)
    found = call.engine.order_history(
        call.account,
        symbol=query.text("symbol"),
        order_id=order_id(query.text("orderId")),
        limit=limit,
        offset=offset,
        direction=direction,
    )
    return json_reply([wire.past_order(order) for order in found] if _can_match(query) else [])


def get_fills(call: Call) -> Reply:
    """Page through the fills. `from` and `to` are milliseconds, and both belong to the range."""
    query = call.query
    limit, offset, direction = _page(query)
    first = query.whole("from", low=-INT64_MAX)
    last = query.whole("to", low=-INT64_MAX)
    kind = query.choice("fillType", FillType)
    found = call.engine.fills(
        call.account,
        symbol=query.text("symbol"),
        order_id=order_id(query.text("orderId")),
        from_us=None if first is None else first * _MILLISECOND_US,
        to_us=None if last is None else last * _MILLISECOND_US + _MILLISECOND_US - 1,
        limit=limit,
        offset=offset,
        direction=direction,
    )
    wanted = _can_match(query) and kind in (None, FillType.USER)
    return json_reply([wire.fill(fill) for fill in found] if wanted else [])


def _page(query: Query) -> tuple[int, int, SortDirection]:
    limit, offset = query.whole("limit"), query.whole("offset")
    direction = query.choice("sortDirection", SortDirection)
    return (
        _DEFAULT_LIMIT if limit is None else limit,
        0 if offset is None else offset,
        SortDirection.DESC if direction is None else direction,
    )


def _can_match(query: Query) -> bool:
    """Return whether anything here can match: there are spot markets only, and no strategies."""
    kinds = query.choices("marketType", AnyMarketType)
    return query.text("strategyId") is None and (kinds is None or AnyMarketType.SPOT in kinds)


HANDLERS: dict[str, Handler] = {
    "get_fills": get_fills,
    "get_order_history": get_order_history,
}

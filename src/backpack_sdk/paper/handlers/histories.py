"""Orders and fills of the past."""

from __future__ import annotations

from .. import wire
from ..call import AnyMarketType, Call, Handler
from ..engine import FillType, SortDirection
from ..reading import INT64_MAX, Query, order_id
from ..replies import Reply, json_reply
from .listing import number_id

_DEFAULT_LIMIT = 100
_MILLISECOND_US = 1_000


def get_order_history(call: Call) -> Reply:
    """Page through every order that ever got an id, open ones included."""
    query = call.query
    limit, offset, direction = _page(query)
    found = call.engine.order_history(
        call.account,
        symbol=query.text("symbol"),
        order_id=order_id(query.text("orderId")),
        strategy_id=number_id(query.text("strategyId"), "strategyId"),
        kinds=query.choices("marketType", AnyMarketType),
        limit=limit,
        offset=offset,
        direction=direction,
    )
    return json_reply([wire.past_order(order) for order in found])


def get_fills(call: Call) -> Reply:
    """Page through the fills. `from` and `to` are milliseconds, and both belong to the range."""
    query = call.query
    limit, offset, direction = _page(query)
    first = query.whole("from", low=-INT64_MAX)
    last = query.whole("to", low=-INT64_MAX)
    found = call.engine.fills(
        call.account,
        symbol=query.text("symbol"),
        order_id=order_id(query.text("orderId")),
        strategy_id=number_id(query.text("strategyId"), "strategyId"),
        kinds=query.choices("marketType", AnyMarketType),
        fill_type=query.choice("fillType", FillType),
        from_us=None if first is None else first * _MILLISECOND_US,
        to_us=None if last is None else last * _MILLISECOND_US + _MILLISECOND_US - 1,
        limit=limit,
        offset=offset,
        direction=direction,
    )
    return json_reply([wire.fill(fill) for fill in found])


def _page(query: Query) -> tuple[int, int, SortDirection]:
    limit, offset = query.whole("limit"), query.whole("offset")
    direction = query.choice("sortDirection", SortDirection)
    return (
        _DEFAULT_LIMIT if limit is None else limit,
        0 if offset is None else offset,
        SortDirection.DESC if direction is None else direction,
    )


HANDLERS: dict[str, Handler] = {
    "get_fills": get_fills,
    "get_order_history": get_order_history,
}

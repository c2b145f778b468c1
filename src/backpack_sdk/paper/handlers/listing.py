"""What handlers of lists and of exact figures share: pages, flags, bounds in time, and the exact context."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import localcontext
from enum import StrEnum
from functools import wraps
from typing import TypeVar

from .. import wire
from ..call import Call, Handler
from ..engine import SortDirection
from ..engine.numbers import EXACT
from ..engine.paging import DEFAULT_LIMIT, page
from ..errors import ApiError, ApiErrorCode
from ..reading import INT64_MAX, Query
from ..replies import Reply, json_reply

T = TypeVar("T")

_MILLISECOND_US = 1_000


class Flag(StrEnum):
    """A boolean in a query."""

    TRUE = "true"
    FALSE = "false"


def exact(handler: Handler) -> Handler:
    """Let a handler calculate without rounding."""

    @wraps(handler)
    def handle(call: Call) -> Reply:
        with localcontext(EXACT):
            return handler(call)

    return handle


def flag(query: Query, name: str) -> bool | None:
    """Return a boolean of a query, None when it is absent."""
    value = query.choice(name, Flag)
    return None if value is None else value is Flag.TRUE


def number_id(text: str | None, name: str) -> int | None:
    """Return the number of an id that the API carries as text.

    Raises:
        ApiError: `INVALID_CLIENT_REQUEST` for any other text.
    """
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(INT64_MAX))):
        raise ApiError(ApiErrorCode.INVALID_CLIENT_REQUEST, f"{name} {text!r} is not a text of digits")
    return int(text)


def between(query: Query) -> Callable[[int], bool]:
    """Return whether a time in microseconds lies within `from` and `to`, which are milliseconds and both belong."""
    first, last = query.whole("from", low=-INT64_MAX), query.whole("to", low=-INT64_MAX)

    def fits(time_us: int) -> bool:
        at = time_us // _MILLISECOND_US
        return (first is None or at >= first) and (last is None or at <= last)

    return fits


def listing(
    query: Query, oldest_first: Iterable[T], write: Callable[[T], wire.Json], keep: Callable[[T], bool] | None = None
) -> Reply:
    """Return a page of the rows that are kept, newest first unless `sortDirection` says otherwise.

    The headers `X-TOTAL` and `X-PAGE-COUNT` tell how many rows and pages there are.
    """
    limit, offset = query.whole("limit"), query.whole("offset")
    direction = query.choice("sortDirection", SortDirection)
    rows: Sequence[T] = [row for row in oldest_first if keep is None or keep(row)]
    size = DEFAULT_LIMIT if limit is None else limit
    skipped = 0 if offset is None else offset
    found = page(rows, size, skipped, SortDirection.DESC if direction is None else direction)
    pages = -(-len(rows) // size) if size else 0
    headers = {"X-TOTAL": str(len(rows)), "X-PAGE-COUNT": str(pages)}
    return json_reply([write(row) for row in found], headers=headers)

"""One pass over the rows of an operation: the requests to send, the rows to hand out, the place reached. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ._core.errors import InvalidArgument
from ._core.model import Model
from ._paging import OffsetWalk
from ._paging_candles import CANDLES, CandleWalk

if TYPE_CHECKING:
    from ._core.request import Paging, Request
    from ._wire import RawResponse

T = TypeVar("T")

_IDS = {
    "borrow_lend.get_borrow_lend_position_history": ("position_id",),
    "capital.get_deposits": ("id",),
    "capital.get_withdrawals": ("id",),
    "markets.get_prediction_events": ("slug",),
    "order.get_fills": ("trade_id", "order_id", "side"),
    "order.get_order_history": ("id",),
    "position.get_position_history": ("id",),
    "rfq.get_quote_history": ("quote_id",),
    "rfq.get_rfq_history": ("rfq_id",),
    "strategy.get_strategies_history": ("id",),
    "trades.get_historical_trades": ("id",),
}
"""Fields that together name one row. Elsewhere, or where one of them is missing, all the row says names it.

A status, a filled quantity or accrued interest may change while a list is read; what names a row may not."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list, from which `resume` goes on. Small, and as text fit to be kept anywhere."""

    operation: str
    """The operation, such as `order.get_fills`."""
    arguments: str
    """Digest of the filters; limit, offset and time range are not part of it."""
    offset: int = 0
    """Rows before this place, as last seen."""
    anchor: tuple[str, ...] = ()
    """Digests of the last rows before this place."""
    start: int | None = None
    """Candles: the Unix second from which to go on; None for the beginning."""

    def to_text(self) -> str:
        """The cursor as JSON text."""
        return json.dumps(
            {
                "operation": self.operation,
                "arguments": self.arguments,
                "offset": self.offset,
                "anchor": list(self.anchor),
                "start": self.start,
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_text(cls, text: str) -> Cursor:
        """The cursor that `to_text` wrote. Raises InvalidArgument for any other text."""
        try:
            found = json.loads(text)
            cursor = cls(
                _typed(str, found["operation"]),
                _typed(str, found["arguments"]),
                _typed(int, found["offset"]),
                tuple(_typed(str, key) for key in _typed(list, found["anchor"])),
                None if found["start"] is None else _typed(int, found["start"]),
            )
        except (ValueError, TypeError, KeyError) as error:
            raise InvalidArgument("text", f"this is no text of Cursor.to_text: {str(text)[:60]!r}") from error
        if cursor.offset < len(cursor.anchor):
            raise InvalidArgument("text", "this cursor has more anchors than rows before it")
        return cursor


def _typed(kind: type[T], value: Any) -> T:
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}")
    return value


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pager has come, given to the callback of `on_progress` after every request."""

    rows: int
    """Rows read so far, those of this page included."""
    requests: int
    """Requests made so far."""
    total: int | None
    """Length of the whole list by the header `X-TOTAL`; None where the exchange does not tell."""
    shift: int
    """Places by which rows have moved since paging began: how many arrived in front, less how many vanished there."""


@dataclass(frozen=True, slots=True)
class Plan(Generic[T]):
    """What a pager was told to do."""

    request: Request[list[T]]
    timeout: float | None
    limit: int | None = None
    up_to: int | None = None
    progress: Callable[[Progress], object] | None = None
    cursor: Cursor | None = None

    @property
    def paging(self) -> Paging:
        paging = self.request.operation.paging
        assert paging is not None
        return paging

    def start(self) -> Cursor:
        if self.cursor is not None:
            return self.cursor
        return Cursor(str(self.request.operation), _arguments(self.request), self.request.query.get("offset", 0))


class Run(Generic[T]):
    """One pass over a list: the page at hand, how much of it was handed out, and the page to ask for next."""

    def __init__(self, plan: Plan[T], now: int) -> None:
        self.plan = plan
        self.rows: list[T] = []
        self.handed = 0
        self._read = self._requests = 0
        self._start = start = plan.start()
        self._walk: _Offsets[T] | _Candles[T] = (
            _Offsets(plan, start) if plan.paging.offset else _Candles(plan, start, now)
        )

    def ask(self) -> Request[list[T]] | None:
        wanted = None if self.plan.up_to is None else self.plan.up_to - self._read
        query = self._walk.ask(wanted)
        if query is None:
            return None
        kept = {name: value for name, value in self.plan.request.query.items() if name not in _PAGE}
        return replace(self.plan.request, query=dict(sorted({**kept, **query}.items())))

    def take(self, reply: RawResponse[list[T]]) -> None:
        rows = reply.parse()
        total = reply.headers.get("x-total", "")
        count = int(total) if total.isascii() and total.isdecimal() else None
        self.rows, self.handed = self._walk.take(rows, count), 0
        if self.plan.up_to is not None:
            self.rows = self.rows[: self.plan.up_to - self._read]
        self._read += len(self.rows)
        self._requests += 1
        if self.plan.progress is not None:
            self.plan.progress(Progress(self._read, self._requests, count, self._walk.shift))

    def hand_out(self) -> T:
        self.handed += 1
        return self.rows[self.handed - 1]

    def hand_out_page(self) -> list[T]:
        rows, self.handed = self.rows[self.handed :], len(self.rows)
        return rows

    @property
    def empty(self) -> bool:
        return self.handed == len(self.rows)

    def cursor(self) -> Cursor:
        return self._walk.cursor(self._start, self.handed)


class _Offsets(Generic[T]):
    """A list by limit and offset."""

    def __init__(self, plan: Plan[T], start: Cursor) -> None:
        most = plan.paging.maximum_limit or _MOST
        limit = plan.limit if plan.limit is not None else plan.request.query.get("limit", most)
        self._name = str(plan.request.operation)
        self._walk = OffsetWalk(self._name, max(limit, 1), most, offset=start.offset, anchor=start.anchor)

    @property
    def shift(self) -> int:
        return self._walk.shift

    def ask(self, wanted: int | None) -> Mapping[str, Any] | None:
        page = self._walk.ask(wanted)
        return None if page is None else {"limit": page.limit, "offset": page.offset}

    def take(self, rows: list[T], total: int | None) -> list[T]:
        return rows[self._walk.take([row_key(row, _IDS.get(self._name, ())) for row in rows], total) :]

    def cursor(self, start: Cursor, handed: int) -> Cursor:
        offset, anchor = self._walk.place(handed)
        return replace(start, offset=offset, anchor=anchor)


class _Candles(Generic[T]):
    """Candles by time range."""

    shift = 0

    def __init__(self, plan: Plan[T], start: Cursor, now: int) -> None:
        query = plan.request.query
        resumed = start.start is not None
        self._walk: CandleWalk[T] = CandleWalk(
            query["interval"],
            query["startTime"] if start.start is None else start.start,
            query.get("endTime"),
            now,
            CANDLES if plan.limit is None else plan.limit,
            resumed=resumed,
        )

    def ask(self, wanted: int | None) -> Mapping[str, Any] | None:
        window = self._walk.ask(wanted)
        if window is None:
            return None
        return {"startTime": window[0]} if window[1] is None else {"startTime": window[0], "endTime": window[1]}

    def take(self, rows: list[T], _total: int | None) -> list[T]:
        candles: list[Any] = list(rows)
        return self._walk.take(rows, [int(candle.start.timestamp()) for candle in candles])

    def cursor(self, start: Cursor, handed: int) -> Cursor:
        return replace(start, start=self._walk.place(handed))


_MOST = 1000
_PAGE = ("limit", "offset", "startTime", "endTime")
_RANGE = ("limit", "offset", "from", "to", "startTime", "endTime")


def row_key(row: object, names: tuple[str, ...]) -> str:
    """Text by which a row is known again: digest of the fields `names`, or of the whole row where one is missing."""
    values = [getattr(row, name, None) for name in names]
    if not values or None in values:
        values = [row.to_wire()] if isinstance(row, Model) else [row]
    return _digest(values)


def _digest(value: Any) -> str:
    return blake2b(json.dumps(value, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()


def _arguments(request: Request[Any]) -> str:
    return _digest({name: value for name, value in request.query.items() if name not in _RANGE})

"""Every row of an operation that gives its rows page by page.

    for fill in bp.paginate(bp.order.get_fills, symbol="SOL_USDC"):
        ...
    async for fill in bp.paginate(bp.order.get_fills, symbol="SOL_USDC"):
        ...

**Lists by limit and offset** (histories, trades, funding rates). Rows come in the order of the operation itself: no
`sort_direction` is sent unless you give one, so that a pager begins with the rows the method itself gives, and which
end of a history that is the exchange does not document. A newest-first list moves while it is read, since every new
row pushes the others to a higher offset. So each page overlaps the rows handed out last, those are looked for, and
counting goes on from where they are found.

What is guaranteed: every row that was in the list at the first request is handed out exactly once and in order,
whatever the page size and however many rows arrive meanwhile, provided that

- the list is a history: rows are added at either end and keep their order. Rows may change without losing their id,
  and others may vanish; when the very row handed out last vanishes, PagingError is raised;
- a row that arrives meanwhile differs from those handed out before it: by its id, or in any field where rows have
  none. Rows of one instant may look alike, and all of them are handed out; a cursor keeps its place among them as long
  as they stand together.

Where the place is lost, PagingError is raised rather than a row skipped or repeated. Rows that arrive meanwhile are
handed out where the list goes oldest first (`sort_direction="Asc"`: they follow at the end, until the pager has caught
up) and are not where it goes newest first. `markets.get_prediction_events` is no history: events that change places
between two pages may be missed.

The end is a page without a new row. A page with fewer rows than asked for may only show that the exchange gives no
more at once, so one more is asked for, unless an earlier page was longer or the header `X-TOTAL` says it was all.

**Candles** (`markets.get_klines`) are read in windows from `start_time` to `end_time`, or to the present, oldest first:
every candle that opens in the range comes once, however long the range is and wherever the exchange cuts a reply off.
The last one may be unfinished, and a cursor behind it goes on with the next.
"""

from __future__ import annotations

import copy
import inspect
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from . import operations
from ._core.errors import InvalidArgument
from ._core.resource import AsyncResource, Resource
from ._generated.catalog import OPERATIONS
from ._paging import PagingError
from ._paging_run import Cursor, Plan, Progress, Run

if TYPE_CHECKING:
    from typing import Self

    from ._core.request import Operation, Request
    from ._wire import RawResponse

__all__ = ["AsyncPager", "Cursor", "Pager", "PagingError", "Progress"]

T = TypeVar("T")


def _can_page(operation: Operation) -> bool:
    paging = operation.paging
    # A time range alone tells where to go on only where rows carry a regular time: candles.
    return paging is not None and (paging.offset or (paging.window and operation.name == "get_klines"))


def page_request(
    client: object, method: Callable[..., Any], arguments: tuple[Any, ...], named: Mapping[str, Any]
) -> tuple[Request[Any], float | None]:
    """The request that a namespace's method would send, and its timeout. Raises InvalidArgument if it does not page."""
    if inspect.iscoroutine(method):
        method.close()
    owner = getattr(method, "__self__", None)
    if not isinstance(owner, (Resource, AsyncResource)) or not inspect.ismethod(method):
        raise InvalidArgument(
            "method", f"expected a method of this client, uncalled, such as bp.order.get_fills; got {_shown(method)}"
        )
    name = f"{owner._tag}.{method.__name__}"
    if owner._sender is not client:
        raise InvalidArgument("method", f"{name} belongs to another client; take the method from the one that pages")
    if not any(str(operation) == name and _can_page(operation) for operation in OPERATIONS):
        pageable = ", ".join(str(operation) for operation in OPERATIONS if _can_page(operation))
        raise InvalidArgument("method", f"{name} gives everything at once, call it directly; these page: {pageable}")
    builder = getattr(getattr(operations, owner._tag), method.__name__)
    request: Request[Any] = builder(*arguments, **{key: value for key, value in named.items() if key != "timeout"})
    if request.query.get("limit") == 0:
        raise InvalidArgument("limit", "expected at least 1 row per page, got 0")
    return request, named.get("timeout")


def _shown(value: object) -> str:
    return repr(value) if callable(value) else f"a {type(value).__name__}"


class _Sends(Protocol):
    @property
    def clock_offset(self) -> float: ...
    def send_raw(self, request: Request[T], *, timeout: float | None = None) -> RawResponse[T]: ...


class _AsyncSends(Protocol):
    @property
    def clock_offset(self) -> float: ...
    async def send_raw(
        self,
        request: Request[T],
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - seconds for httpx
    ) -> RawResponse[T]: ...


class _Settings(Generic[T]):
    """What both pagers are told and tell."""

    _plan: Plan[T]
    _run: Run[T] | None = None

    def _with(self, **changes: Any) -> Self:
        changed = copy.copy(self)
        changed._plan, changed._run = replace(self._plan, **changes), None
        return changed

    def limit(self, rows: int) -> Self:
        """This pager with pages of so many rows, at least 1. Otherwise the documented maximum, or 1000 candles.

        It is what one request asks for; a page has fewer rows than that where it overlaps the one before.
        """
        return self._with(limit=_count(rows, "rows", 1))

    def up_to(self, rows: int) -> Self:
        """This pager, stopping after so many rows in all."""
        return self._with(up_to=_count(rows, "rows", 0))

    def on_progress(self, callback: Callable[[Progress], object]) -> Self:
        """This pager, calling `callback` with a Progress after every request."""
        return self._with(progress=callback)

    def resume(self, cursor: Cursor) -> Self:
        """This pager, going on behind the last row that was handed out when `cursor` was read.

        The method and its filters have to be the same; limit and time range may differ. Raises InvalidArgument.
        """
        if not isinstance(cursor, Cursor):
            raise InvalidArgument("cursor", f"expected a Cursor, got {cursor!r}; Cursor.from_text reads one from text")
        own = replace(self._plan, cursor=None).start()
        if cursor.operation != own.operation:
            raise InvalidArgument("cursor", f"it stands in {cursor.operation}, and this pages {own.operation}")
        if cursor.arguments != own.arguments:
            raise InvalidArgument("cursor", f"it belongs to {own.operation} with other filters; give the same ones")
        return self._with(cursor=cursor)

    @property
    def cursor(self) -> Cursor:
        """The place behind the row that the latest pass over this pager handed out last. Read it whenever you like."""
        return self._plan.start() if self._run is None else self._run.cursor()

    def _begin(self, clock_offset: float) -> Run[T]:
        self._run = Run(self._plan, int(time.time() + clock_offset))
        return self._run

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._plan.request.operation}>"


class Pager(_Settings[T], Iterable[T]):
    """The rows of one operation, made by `Backpack.paginate`. Nothing is sent before the first row is wanted.

    Each `for` begins anew, at the start or at the cursor given to `resume`. Raises what the operation raises, and
    PagingError where going on might skip or repeat rows; `cursor` then stands behind the last good row.
    """

    def __init__(self, client: _Sends, request: Request[list[T]], timeout: float | None = None) -> None:
        self._client = client
        self._plan = Plan(request, timeout)

    def __iter__(self) -> Iterator[T]:
        return _Rows(self._client, self._begin(self._client.clock_offset))

    def pages(self) -> Iterator[list[T]]:
        """The rows in lists, as they come; none is empty."""
        return _Pages(self._client, self._begin(self._client.clock_offset))


class AsyncPager(_Settings[T], AsyncIterable[T]):
    """The rows of one operation, made by `AsyncBackpack.paginate`. Nothing is sent before the first row is wanted.

    Each `async for` begins anew, at the start or at the cursor given to `resume`, and may be left at any time: nothing
    runs in between. Raises what the operation raises, and PagingError where going on might skip or repeat rows.
    """

    def __init__(self, client: _AsyncSends, request: Request[list[T]], timeout: float | None = None) -> None:
        self._client = client
        self._plan = Plan(request, timeout)

    def __aiter__(self) -> AsyncIterator[T]:
        return _AsyncRows(self._client, self._begin(self._client.clock_offset))

    def pages(self) -> AsyncIterator[list[T]]:
        """The rows in lists, as they come; none is empty."""
        return _AsyncPages(self._client, self._begin(self._client.clock_offset))


class _Reader(Generic[T]):
    def __init__(self, client: _Sends, run: Run[T]) -> None:
        self._client = client
        self._run = run

    def _filled(self) -> Run[T]:
        run = self._run
        while run.empty:
            request = run.ask()
            if request is None:
                raise StopIteration
            run.take(self._client.send_raw(request, timeout=run.plan.timeout))
        return run


class _Rows(_Reader[T], Iterator[T]):
    def __next__(self) -> T:
        return self._filled().hand_out()


class _Pages(_Reader[T], Iterator[list[T]]):
    def __next__(self) -> list[T]:
        return self._filled().hand_out_page()


class _AsyncReader(Generic[T]):
    # Objects rather than async generators: one that is left early has nothing to finish, so nothing is left pending.

    def __init__(self, client: _AsyncSends, run: Run[T]) -> None:
        self._client = client
        self._run = run

    async def _filled(self) -> Run[T]:
        run = self._run
        while run.empty:
            request = run.ask()
            if request is None:
                raise StopAsyncIteration
            run.take(await self._client.send_raw(request, timeout=run.plan.timeout))
        return run


class _AsyncRows(_AsyncReader[T], AsyncIterator[T]):
    async def __anext__(self) -> T:
        return (await self._filled()).hand_out()


class _AsyncPages(_AsyncReader[T], AsyncIterator[list[T]]):
    async def __anext__(self) -> list[T]:
        return (await self._filled()).hand_out_page()


def _count(value: int, name: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidArgument(name, f"expected a whole number of {least} or more, got {value!r}")
    return value

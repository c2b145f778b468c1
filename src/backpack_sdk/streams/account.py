"""An account's open orders, positions and fills, kept in step with the exchange."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from .._core.errors import AuthenticationError, BackpackError, BadRequest, NotFound, PermissionDenied
from .._generated.order import operations as orders
from .._generated.position import operations as positions
from .._generated.streams.channels import ORDER_UPDATE, POSITION_UPDATE
from .account_records import fill_from_rest, order_from_rest, position_from_rest
from .account_sync import AccountSync
from .events import OrderUpdate, PositionUpdate
from .queue import EventQueue, Overflow

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from .._core.request import Request
    from .._generated.order.models import OrderFill
    from .account_changes import AccountChange
    from .account_records import AccountFill, TrackedOrder, TrackedPosition
    from .options import StreamSender
    from .session import StreamSession

T = TypeVar("T")
logger = logging.getLogger("backpack_sdk")
_PAGE = 1000
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0
_PATIENCE = (0.1, 0.3, 1.0)
"""Pauses before REST is asked again while it and the stream differ, before that is taken as it is."""
_BEGIN_WITHIN = 5.0
"""Seconds that entering waits for the fills that are there already."""
_QUEUE = 100_000
_FINAL = (AuthenticationError, BadRequest, NotFound, PermissionDenied)
"""Refusals that asking again does not change."""


class AccountState:
    """Open orders and positions of an account. Made by `account_state()`; use it in an `async with` block.

        async with bp.account_state() as account:
            async for change in account:  # OrderOpened, OrderChanged, OrderClosed, Filled, PositionChanged ...
                print(change, len(account.orders))

    It starts from REST and follows the private streams. After a reconnection it asks REST what was missed: every fill
    since the block was entered, and every end of an order that was told as open, is told once, none twice. While the
    connection is down `is_live` is False, and `orders` and `positions` are as last heard of.
    """

    def __init__(self, session: StreamSession, sender: StreamSender, *, owns_session: bool) -> None:
        self._session, self._sender, self._owns_session = session, sender, owns_session
        self._sync = AccountSync()
        self._queue: EventQueue[AccountChange] = EventQueue("account state", _QUEUE, Overflow.RAISE, _same, _nothing)
        self._names = {ORDER_UPDATE.stream(): ORDER_UPDATE, POSITION_UPDATE.stream(): POSITION_UPDATE}
        self._unconfirmed: set[str] = set(self._names)
        self._task: asyncio.Task[None] | None = None
        self._unreadable = 0
        self._live = asyncio.Event()
        self._error: BackpackError | None = None

    async def __aenter__(self) -> Self:
        try:
            if self._owns_session:
                await self._session.open()
            await self._try_to_begin()
            for name, channel in self._names.items():
                await self._session.follow(self, channel, {name: None}, self._push)
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop following. Iterating stops once what waits is taken."""
        self._session.unfollow(self, self._names, self._push)
        task = self._task
        self._stop()
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)
        self._queue.end()
        if self._owns_session:
            await self._session.aclose()

    @property
    def orders(self) -> Mapping[str, TrackedOrder]:
        """Open orders by their id; live, and read-only."""
        return self._sync.orders

    @property
    def positions(self) -> Mapping[str, TrackedPosition]:
        """Open futures positions by their market; live, and read-only."""
        return self._sync.positions

    @property
    def is_live(self) -> bool:
        """Whether both are right and up to date."""
        return self._sync.is_live

    @property
    def session(self) -> StreamSession:
        """The connection that it follows."""
        return self._session

    async def wait_live(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - reads better than a context manager
        """Wait until the state is right and up to date. Raises StreamError when they were refused, or TimeoutError."""
        async with asyncio.timeout(timeout):
            await self._live.wait()
        if self._error is not None:
            raise self._error

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AccountChange:
        return await self._queue.get()

    def __repr__(self) -> str:
        state = "live" if self.is_live else "not up to date"
        return f"<AccountState {len(self.orders)} open orders, {len(self.positions)} positions, {state}>"

    # What the connection says

    def on_sent(self, names: frozenset[str]) -> None:
        """The streams were subscribed to."""

    def on_confirmed(self, names: frozenset[str]) -> None:
        """The server has read the subscriptions: whatever REST does not tell from now on, the streams will."""
        self._unconfirmed -= names
        if not self._sync.is_live:
            self._start()

    def on_lost(self) -> None:
        """The connection is gone."""
        self._unconfirmed = set(self._names)
        self._stop()
        self._sync.on_lost()
        if self._error is None:
            self._live.clear()

    def on_refused(self, names: frozenset[str], error: BackpackError) -> None:
        """The streams were refused."""
        logger.warning("account state: %s refused: %s", ", ".join(sorted(names)), error)
        if self._error is None:
            self._error = error
            self._queue.fail(error)
        self._queue.end()
        self._live.set()

    def _push(self, event: Any) -> None:
        if self._error is not None:
            return
        if isinstance(event, (OrderUpdate, PositionUpdate)):
            if self._sync.is_live:
                self._unreadable = 0
            self._tell(self._sync.on_update(event))
            return
        logger.warning("an account event can't be read; asking REST instead: %r", event)
        self._sync.on_unreadable()
        self._live.clear()
        if self._task is None:
            # With nothing readable in between, REST would be asked as fast as events come.
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**self._unreadable) if self._unreadable else 0.0
            self._unreadable = min(self._unreadable + 1, 10)
            self._start(pause)

    # Reconciliation

    def _start(self, pause: float = 0.0) -> None:
        if not self._unconfirmed and self._task is None and self._error is None:
            self._task = asyncio.create_task(self._reconcile(pause), name="backpack-account")
            self._task.add_done_callback(self._reconciled)

    async def _try_to_begin(self) -> None:
        """Find out which fills are there before the streams are followed. If REST fails, it is done later."""
        try:
            async with asyncio.timeout(_BEGIN_WITHIN):
                await self._begin()
        except (BackpackError, TimeoutError) as problem:
            logger.warning("account state: the fills so far could not be asked for, again later: %s", problem)

    async def _begin(self) -> None:
        rows = await self._sender.send(orders.get_fills(limit=_PAGE, sort_direction="Desc"))
        self._sync.fills.begin([fill_from_rest(row) for row in rows], complete=len(rows) < _PAGE)

    async def _reconcile(self, before: float) -> None:
        """Ask REST for everything, again and again until it answers and nothing unreadable comes meanwhile."""
        await asyncio.sleep(before)
        pause = _FIRST_PAUSE
        while True:
            try:
                if not self._sync.fills.has_begun:
                    await self._begin()
                await self._ask()
                if self._sync.is_live:
                    return
            except _FINAL as refusal:
                self.on_refused(frozenset(self._names), refusal)
                return
            except BackpackError as problem:
                logger.warning("account state: REST could not be asked, again in %.1f s: %s", pause, problem)
            except Exception:
                logger.exception("account state: a fault of the SDK; asking REST again in %.1f s", pause)
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 2)

    async def _ask(self) -> None:
        self._sync.on_asking()
        for pause in (*_PATIENCE, None):
            open_orders = [order_from_rest(row) for row in await self._sender.send(orders.get_open_orders())]
            open_positions = [position_from_rest(row) for row in await self._sender.send(positions.get_positions())]
            ended: dict[str, TrackedOrder] = {}
            for order_id in self._sync.missing(order.order_id for order in open_orders):
                ended.update(await self._ended(order_id))
            fills = await self._fills_since(self._sync.fills.since_us)
            if pause is None or not self._sync.is_in_doubt(open_orders, open_positions, ended, fills):
                self._tell(self._sync.on_snapshot(open_orders, open_positions, ended=ended, fills=fills))
                break
            await asyncio.sleep(pause)
        if self._sync.is_live:
            self._live.set()

    async def _ended(self, order_id: str) -> dict[str, TrackedOrder]:
        """How an order ended that is open no longer."""
        try:
            rows = await self._sender.send(orders.get_order_history(order_id=order_id))
        except NotFound:
            return {}
        return {row.id: order_from_rest(row) for row in rows if row.id == order_id}

    async def _fills_since(self, time_us: int | None) -> list[AccountFill]:
        found: list[AccountFill] = []
        since = None if time_us is None else time_us // 1000
        while True:
            request: Request[list[OrderFill]] = orders.get_fills(
                from_=since, limit=_PAGE, offset=len(found), sort_direction="Asc"
            )
            rows = await self._sender.send(request)
            found += [fill_from_rest(row) for row in rows]
            if len(rows) < _PAGE:
                return found

    def _reconciled(self, task: asyncio.Task[None]) -> None:
        if self._task is not task:
            return
        self._task = None
        if not task.cancelled() and not self._sync.is_live:
            self._start()  # something unreadable came just when it had ended

    def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()

    def _tell(self, changes: list[AccountChange]) -> None:
        for change in changes:
            self._queue.push(change)


def _same(_change: object) -> Hashable:
    return None


def _nothing() -> None:
    """Drops are counted in the queue."""

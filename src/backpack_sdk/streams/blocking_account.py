"""Account state for scripts that block: kept on a thread of its own, read from any."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from .._core.errors import BackpackError
from .loop_thread import LoopThread, OnThread

if TYPE_CHECKING:
    from .account import AccountState
    from .account_changes import AccountChange
    from .account_records import TrackedOrder, TrackedPosition
    from .handover import Handover
    from .status import StreamCounters


class BlockingAccountState(OnThread):
    """Open orders and positions of an account, for plain loops. Made by `account_state()`; use it in a `with` block.

        with bp.account_state() as account:
            for change in account:  # OrderOpened, OrderChanged, OrderClosed, Filled, PositionChanged ...
                print(change, len(account.orders))

    It does what `AccountState` does. Changes wait until they are taken, and may be taken in any thread, each once.
    """

    def __init__(self, make: Callable[[], AccountState], *, thread: LoopThread | None = None) -> None:
        not_open = "the account state is not open: use `with bp.account_state() as account`"
        super().__init__("account state", not_open, thread)
        self._make = make
        self._account: AccountState | None = None
        self._changes: Handover[AccountChange] | None = None

    async def _open(self) -> None:
        account = self._make()
        account._queue = self._changes = self._thread.hand_over(account._queue)
        self._account = account
        await account.__aenter__()

    async def _aclose(self) -> None:
        if self._account is not None:
            await self._account.aclose()

    @property
    def orders(self) -> Mapping[str, TrackedOrder]:
        """Open orders by their id, as they are now: a copy, which does not change."""
        return self._thread.read(lambda: dict(self._inner.orders))

    @property
    def positions(self) -> Mapping[str, TrackedPosition]:
        """Open futures positions by their market, as they are now: a copy, which does not change."""
        return self._thread.read(lambda: dict(self._inner.positions))

    @property
    def is_live(self) -> bool:
        """Whether both are right and up to date."""
        return self._is_open and self._inner.is_live

    @property
    def connection_counters(self) -> StreamCounters:
        """What the connection has seen; live, it goes on counting."""
        return self._inner.session.counters

    def wait_live(self, timeout: float | None = None) -> None:
        """Wait until the state is right and up to date. Raises StreamError when they were refused, or TimeoutError."""
        self._thread.run(self._inner.wait_live(timeout))

    def get(self, timeout: float | None = None) -> AccountChange:
        """The next change; one that waits is given at once.

        Raises TimeoutError when none comes for `timeout` seconds, and BackpackError after the end.
        """
        try:
            return self._queue.take(timeout)
        except StopIteration:
            raise BackpackError("the account state is closed, and every change was taken") from None

    def __iter__(self) -> Iterator[AccountChange]:
        return self

    def __next__(self) -> AccountChange:
        return self._queue.take(None)

    @property
    def _inner(self) -> AccountState:
        if self._account is None:
            raise BackpackError(self._not_open)
        return self._account

    @property
    def _queue(self) -> Handover[AccountChange]:
        if self._changes is None:
            raise BackpackError(self._not_open)
        return self._changes

    def __repr__(self) -> str:
        return f"<BlockingAccountState of {self._account!r}>"

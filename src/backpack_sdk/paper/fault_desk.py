"""Everything that can go wrong with an embedded exchange, in one line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .faults import Fault

if TYPE_CHECKING:
    from .server import PaperExchange
    from .sockets.faults import SocketFaults


class FaultDesk:
    """Faults of one exchange. Those of REST strike the next `times` requests to an operation, such as `execute_order`.

    `takes_effect` says whether the exchange carries the request out all the same, which its sender cannot know.
    Faults of one operation come in the order in which they were asked for. Each method raises ValueError for an
    operation that does not exist.
    """

    def __init__(self, exchange: PaperExchange) -> None:
        self._exchange = exchange
        self._clock = exchange.clock

    @property
    def sockets(self) -> SocketFaults:
        """Faults of the WebSocket side: `sockets.abort()`, `sockets.drop("depth.SOL_USDC")` and others."""
        return self._exchange.socket_faults

    def add(self, operation: str, *faults: Fault, times: int = 1) -> None:
        """Let the next requests meet faults that `Fault` made, one each, `times` over."""
        self._exchange.faults.add(operation, *faults * times)

    def random(self, rate: float, *faults: Fault, seed: int, operation: str = "*") -> None:
        """Let chance strike a share of the requests, from 0 to 1, with one of the faults each: see `FaultScript`."""
        self._exchange.faults.random(rate, *faults, seed=seed, operation=operation)

    def drop(self, operation: str, *, takes_effect: bool, times: int = 1) -> None:
        """Close the connection without a reply."""
        self.add(operation, Fault.drop(takes_effect=takes_effect), times=times)

    def status(
        self,
        operation: str,
        status: int,
        code: str | None = None,
        message: str = "scripted fault",
        *,
        takes_effect: bool = False,
        headers: Mapping[str, str] | None = None,
        times: int = 1,
    ) -> None:
        """Answer with a status, such as 503 or 451: a JSON error when there is a `code`, else plain text."""
        fault = Fault.status(status, code, message, takes_effect=takes_effect, headers=headers)
        self.add(operation, fault, times=times)

    def rate_limit(self, operation: str, *, retry_after: int | None = None, times: int = 1) -> None:
        """Answer 429, with `retry_after` in seconds if that is given."""
        headers = None if retry_after is None else {"Retry-After": str(retry_after)}
        self.status(operation, 429, "TOO_MANY_REQUESTS", "too many requests", headers=headers, times=times)

    def garbage(self, operation: str, *, takes_effect: bool = True, times: int = 1) -> None:
        """Answer 200 with a body that means nothing."""
        self.add(operation, Fault.garbage(takes_effect=takes_effect), times=times)

    def truncate(self, operation: str, *, times: int = 1) -> None:
        """Carry the request out and send half of the reply."""
        self.add(operation, Fault.truncate(), times=times)

    def delay(self, operation: str, seconds: float, *, after: bool = False, times: int = 1) -> None:
        """Wait before the request takes effect, or after it did and before the reply."""
        self.add(operation, Fault.delay(seconds, after=after), times=times)

    def skew_clock(self, seconds: float) -> None:
        """Let the exchange's clock be ahead of the real one by so many seconds, or behind it when they are negative."""
        clock, ahead_us = self._clock, round(seconds * 1_000_000)
        self._exchange.clock = lambda: clock() + ahead_us

    def clear(self) -> None:
        """Forget every fault that has not happened yet, and set the clock right."""
        self._exchange.faults.clear()
        self._exchange.socket_faults.clear()
        self._exchange.clock = self._clock

"""What stands between the clients and the exchange, on choice: a cache, the wait of takers, cancels that say nothing.

Pure but for the clock of the gateway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from .errors import MalformedRequest
from .gateway import Gateway
from .reading import parse_body
from .received import ReceivedRequest
from .replies import Reply

CACHED_SECONDS: Mapping[str, int] = {"get_markets": 300, "get_mark_prices": 1}
"""How long the cache keeps the replies of these operations."""
STALE_SECONDS = 3_600
CANCELS = frozenset({"cancel_open_orders", "cancel_open_strategies", "cancel_order", "cancel_strategy"})
ORDERS = frozenset({"execute_order", "execute_order_batch"})
_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """How requests reach the exchange.

    Attributes:
        cdn: the market list is kept for 300 seconds and the mark prices for one; the headers `cache-control` and `age`
            tell so. What a reply says can be that old.
        taker_delay: seconds that every order waits which is not post-only. The real exchange takes 0.1.
        async_cancel: the four cancels answer with an empty 202 in place of what they cancelled.

    Raises:
        ValueError: the delay is negative.
    """

    cdn: bool = False
    taker_delay: float = 0.0
    async_cancel: bool = False

    def __post_init__(self) -> None:
        if not self.taker_delay >= 0:
            raise ValueError(f"taker_delay is {self.taker_delay}: it counts seconds and must not be negative")


class EdgeGateway:
    """A gateway behind its edge. Calls must not overlap."""

    def __init__(self, gateway: Gateway, edge: Edge) -> None:
        self._gateway = gateway
        self._edge = edge
        self._kept: dict[tuple[str, str], tuple[int, Reply]] = {}

    def delay(self, request: ReceivedRequest) -> float:
        """Return how many seconds a request waits before it is carried out."""
        if not self._edge.taker_delay or request.operation not in ORDERS or _only_posts(request):
            return 0.0
        return self._edge.taker_delay

    def answer(self, request: ReceivedRequest) -> Reply:
        """Carry out a request, or answer from the cache."""
        operation = request.operation
        seconds = CACHED_SECONDS.get(operation) if self._edge.cdn and operation is not None else None
        if seconds is not None:
            return self._cached(request, seconds)
        reply = self._gateway.answer(request)
        if self._edge.async_cancel and operation in CANCELS and reply.status == 200:
            return Reply(202)
        return reply

    def _cached(self, request: ReceivedRequest, seconds: int) -> Reply:
        key, now_us = (request.path, request.query), self._gateway.clock()
        found = self._kept.get(key)
        if found is not None and 0 <= now_us - found[0] < seconds * _SECOND_US:
            stored_us, reply = found
        else:
            stored_us, reply = now_us, self._gateway.answer(request)
            if reply.status != 200:
                return reply
            self._kept[key] = (stored_us, reply)
        headers = {
            "cache-control": f"public, s-maxage={seconds}, stale-if-error={STALE_SECONDS}",
            "age": str((now_us - stored_us) // _SECOND_US),
        }
        return replace(reply, headers={**reply.headers, **headers})


def _only_posts(request: ReceivedRequest) -> bool:
    """Return whether every order of a request is post-only; so is one that can't be read, for it will be refused."""
    try:
        body = parse_body(request.body, request.headers.get("content-type", ""))
    except MalformedRequest:
        return True
    orders = cast("list[object]", body) if isinstance(body, list) else [body]
    return all(isinstance(order, dict) and cast("dict[str, object]", order).get("postOnly") is True for order in orders)

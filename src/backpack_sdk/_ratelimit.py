"""How long a request waits so that an endpoint is not asked too often. Pure: time is passed in."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from threading import Lock

from ._core.errors import InvalidArgument

PER_SECOND = 10
"""Requests per second and endpoint by default. The exchange publishes no limit; 5 a second were never refused."""
_LONGEST_STRETCH = 8.0
_RECOVERY = 10.0


class RateLimiter:
    """At most `rate` requests in any one second for each endpoint, in the order in which they asked.

    Endpoints are named as `order.execute_order`. A rate that is no whole number is rounded down; one below 1 spaces
    requests by more than a second. A refusal with 429 stretches that time for the endpoint it came from, up to
    eightfold; each ten quiet seconds halve the stretch again. `rates` overrides the rate of single endpoints, None
    lifts a limit.
    """

    def __init__(self, rate: float | None = PER_SECOND, rates: Mapping[str, float | None] | None = None) -> None:
        if rates is not None and not isinstance(rates, Mapping):
            raise InvalidArgument("rate_limit", f"expected a number, None, or a mapping by endpoint, got {rates!r}")
        for value in (rate, *(rates or {}).values()):
            if value is not None and not (isinstance(value, (int, float)) and 0 < value < float("inf")):
                problem = f"expected requests per second above 0, or None for no limit, got {value!r}"
                raise InvalidArgument("rate_limit", problem)
        self._rate = rate
        self._rates = dict(rates or {})
        self._lanes: dict[str, _Lane] = {}
        self._lock = Lock()

    def reserve(self, key: str, now: float) -> float:
        """Take the next free place of an endpoint; gives the seconds until it comes."""
        rate = self._rates.get(key, self._rate)
        with self._lock:
            lane = self._lanes.get(key)
            if lane is None:
                if rate is None:
                    return 0.0
                lane = self._lanes[key] = _Lane(rate)
            return max(0.0, lane.take(now) - now)

    def slow_down(self, key: str, now: float, pause: float | None) -> None:
        """Note that the endpoint answered 429 and asked for `pause` seconds of silence, if it asked for any."""
        rate = self._rates.get(key, self._rate)
        with self._lock:
            lane = self._lanes.get(key)
            if lane is None:
                lane = self._lanes[key] = _Lane(rate)
            lane.refused(now, pause)


class _Lane:
    """The places of one endpoint."""

    __slots__ = ("_blocked_until", "_burst", "_places", "_rate", "_span", "_stretch", "_stretched_at")

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._burst = max(1, int(rate)) if rate is not None else 1
        self._span = max(1.0, 1.0 / rate) if rate is not None else 0.0
        self._places: deque[float] = deque(maxlen=self._burst)
        self._stretch = 1.0
        self._stretched_at = 0.0
        self._blocked_until = 0.0

    def take(self, now: float) -> float:
        place = max(now, self._blocked_until)
        if self._rate is not None:
            self._recover(now)
            if len(self._places) == self._burst:
                place = max(place, self._places[0] + self._span * self._stretch)
            if self._places:
                place = max(place, self._places[-1])
            self._places.append(place)
        return place

    def refused(self, now: float, pause: float | None) -> None:
        self._stretch = min(_LONGEST_STRETCH, self._stretch * 2)
        self._stretched_at = now
        if pause is not None:
            self._blocked_until = max(self._blocked_until, now + min(pause, 60.0))

    def _recover(self, now: float) -> None:
        while self._stretch > 1 and now - self._stretched_at >= _RECOVERY:
            self._stretch = max(1.0, self._stretch / 2)
            self._stretched_at += _RECOVERY

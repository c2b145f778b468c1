"""The rate limiter in fake time: never too many at once, in the order of asking, slower after a 429."""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpack_sdk import Backpack, InvalidArgument, RateLimited
from backpack_sdk._ratelimit import RateLimiter

from .loopback import both, desk, error, reply, serving

gaps = st.lists(st.floats(0, 3, allow_subnormal=False), min_size=1, max_size=60)
rates = st.one_of(st.integers(1, 20), st.floats(0.05, 20, allow_subnormal=False))


def places(limiter: RateLimiter, times: list[float], key: str = "a") -> list[float]:
    """When each of the requests made at `times` may go."""
    return [now + limiter.reserve(key, now) for now in times]


def moments(gaps: list[float]) -> list[float]:
    return [100.0 + sum(gaps[: index + 1]) for index in range(len(gaps))]


@given(gaps, rates)
def test_never_more_than_the_rate_in_any_second(gaps: list[float], rate: float) -> None:
    taken = places(RateLimiter(rate), moments(gaps))
    most, span = (int(rate), 1.0) if rate >= 1 else (1, 1 / rate)
    for earlier, later in zip(taken, taken[most:], strict=False):
        assert later - earlier >= span - 1e-9


@given(gaps, rates)
def test_first_come_first_served_and_not_later_than_needed(gaps: list[float], rate: float) -> None:
    asked = moments(gaps)
    taken = places(RateLimiter(rate), asked)
    assert all(earlier <= later + 1e-9 for earlier, later in pairwise(taken))
    most, span = (int(rate), 1.0) if rate >= 1 else (1, 1 / rate)
    for index, (now, place) in enumerate(zip(asked, taken, strict=True)):
        needed = max(now, taken[index - most] + span if index >= most else now, taken[index - 1] if index else now)
        assert place == pytest.approx(needed)


def test_ten_a_second_by_default() -> None:
    taken = places(RateLimiter(), [100.0] * 25)
    assert taken == [100.0] * 10 + [101.0] * 10 + [102.0] * 5


def test_a_quiet_endpoint_has_its_whole_second() -> None:
    limiter = RateLimiter(2)
    assert places(limiter, [100.0, 100.0, 150.0, 150.0, 150.0]) == [100.0, 100.0, 150.0, 150.0, 151.0]


@given(gaps, st.integers(1, 5))
def test_endpoints_do_not_wait_for_each_other(gaps: list[float], rate: int) -> None:
    alone, together = RateLimiter(rate), RateLimiter(rate)
    for now in moments(gaps):
        together.reserve("b", now)
    assert places(together, moments(gaps)) == places(alone, moments(gaps))


def test_rates_of_single_endpoints() -> None:
    limiter = RateLimiter(1, {"b": 3, "c": None})
    assert places(limiter, [100.0] * 3) == [100.0, 101.0, 102.0]
    assert places(limiter, [100.0] * 4, "b") == [100.0] * 3 + [101.0]
    assert places(limiter, [100.0] * 50, "c") == [100.0] * 50


@given(gaps)
def test_no_limit(gaps: list[float]) -> None:
    assert places(RateLimiter(None), moments(gaps)) == moments(gaps)


# After a 429


def test_each_429_halves_the_pace_down_to_an_eighth() -> None:
    limiter = RateLimiter(1)
    now = limiter.reserve("a", 100.0) + 100.0
    waits = []
    for _ in range(5):
        limiter.slow_down("a", now, None)
        wait = limiter.reserve("a", now)
        waits.append(wait)
        now += wait
    assert waits == [2, 4, 8, 8, 8]


def test_the_pace_recovers_in_steps_of_ten_seconds() -> None:
    limiter = RateLimiter(1)
    for _ in range(3):
        limiter.slow_down("a", 100.0, None)
    waits = []
    for now in (100.0, 110.0, 120.0, 130.0, 140.0):
        limiter.reserve("a", now)
        waits.append(limiter.reserve("a", now))
        limiter._lanes["a"]._places.clear()
    assert waits == [8, 4, 2, 1, 1]


@given(st.floats(0, 60), gaps, rates)
def test_silence_that_was_asked_for_is_kept(pause: float, gaps: list[float], rate: float) -> None:
    limiter = RateLimiter(rate)
    limiter.slow_down("a", 100.0, pause)
    assert min(places(limiter, moments(gaps))) >= 100.0 + pause - 1e-9
    assert limiter.reserve("b", 100.0) == 0


def test_silence_is_kept_without_a_limit_and_never_for_ever() -> None:
    limiter = RateLimiter(None)
    limiter.slow_down("a", 100.0, 5.0)
    assert limiter.reserve("a", 101.0) == 4.0
    assert limiter.reserve("a", 105.0) == 0.0
    limiter.slow_down("a", 200.0, 1e9)
    assert limiter.reserve("a", 200.0) == 60.0
    limiter.slow_down("a", 200.0, 1.0)
    assert limiter.reserve("a", 200.0) == 60.0


def test_threads_never_share_a_place() -> None:
    limiter = RateLimiter(5)
    taken: list[float] = []

    def ask() -> None:
        taken.extend(limiter.reserve("a", 100.0) for _ in range(50))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [float(index // 5) for index in range(200)]


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "10", [10], {"markets.get_depth": 0}, {"a": "5"}])
def test_bad_rates(value: Any) -> None:
    with pytest.raises(InvalidArgument, match="rate_limit"):
        Backpack(rate_limit=value)


# In the clients


@both
async def test_client_waits_its_turn_and_signs_after_waiting(flavour: str) -> None:
    with serving(reply(200, b"[]")) as server:
        async with desk(flavour, server.url, rate_limit=2) as bench:
            started = bench.time.now
            for _ in range(5):
                await bench.call("order.get_open_orders")
            assert bench.time.pauses == pytest.approx([1.0, 1.0], abs=1e-5)
            await bench.call("order.get_fills")
            assert len(bench.time.pauses) == 2
        stamps = [int(seen.headers["x-timestamp"]) for seen in server.requests]
        assert stamps == pytest.approx([started * 1000 + late for late in (0, 0, 1000, 1000, 2000, 2000)], abs=2)


@both
async def test_client_slows_down_after_429(flavour: str) -> None:
    with serving(error(429, "TOO_MANY_REQUESTS"), reply(200, b"[]")) as server:
        async with desk(flavour, server.url, rate_limit={"order.get_open_orders": 1}) as bench:
            await bench.call("order.get_open_orders")
            assert sum(bench.time.pauses) == pytest.approx(2.0)
            assert len(server.requests) == 2


@both
async def test_command_is_not_repeated_but_the_next_one_waits(flavour: str) -> None:
    with serving(reply(429, b"", retry_after="7"), reply(202, b"")) as server:
        async with desk(flavour, server.url) as bench:
            with pytest.raises(RateLimited):
                await bench.call("order.cancel_order", "SOL_USDC", client_id=1)
            assert bench.time.pauses == []
            await bench.call("order.cancel_order", "SOL_USDC", client_id=1)
            assert bench.time.pauses == pytest.approx([7.0])
        assert len(server.requests) == 2

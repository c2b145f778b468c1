"""When an attempt is repeated: the decisions alone, and the steps of a call driven by hand."""

from __future__ import annotations

import contextlib
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpack_sdk import (
    OPERATIONS,
    BackpackError,
    BadRequest,
    ConnectionFailed,
    Credentials,
    InvalidArgument,
    Maintenance,
    OutcomeUnknown,
    RateLimited,
    RawResponse,
    Request,
    ServerError,
    operations,
)
from backpack_sdk._calls import Attempt, Broken, Caller, Pause, Settings
from backpack_sdk._ratelimit import RateLimiter
from backpack_sdk._retry import LONGEST_DELAY, Failure, backoff, delay_after_failure, delay_after_refusal

READ = operations.order.get_order("SOL_USDC", client_id=7)
COMMAND = operations.order.execute_order("SOL_USDC", "Bid", "Market", quantity="1", client_id=7)
jitters = st.floats(0, 1)


@given(st.integers(0, 10_000), jitters)
def test_backoff_doubles_up_to_a_limit(attempt: int, jitter: float) -> None:
    ceiling = min(LONGEST_DELAY, 0.5 * 2 ** min(attempt, 20))
    assert ceiling / 2 <= backoff(attempt, lambda: jitter) <= ceiling


@given(st.sampled_from(OPERATIONS), st.sampled_from(Failure), st.integers(0, 5), st.integers(0, 5))
def test_after_a_failure(operation: Any, failure: Failure, attempt: int, max_retries: int) -> None:
    delay = delay_after_failure(operation, failure, attempt, max_retries, lambda: 1.0)
    if attempt >= max_retries or (operation.method != "GET" and failure in (Failure.LOST, Failure.TIMED_OUT)):
        assert delay is None
    else:
        assert delay == backoff(attempt, lambda: 1.0)


def test_commands_are_what_is_not_get() -> None:
    assert {each.method for each in OPERATIONS if not each.is_command} == {"GET"}
    assert {each.method for each in OPERATIONS if each.is_command} == {"POST", "DELETE", "PATCH"}


REFUSALS = [RateLimited("r"), ServerError("s"), Maintenance("m"), BadRequest("b"), OutcomeUnknown("o")]


@given(st.sampled_from(OPERATIONS), st.sampled_from(REFUSALS), st.integers(0, 5), st.integers(0, 5))
def test_after_a_refusal(operation: Any, error: BackpackError, attempt: int, max_retries: int) -> None:
    delay = delay_after_refusal(operation, error, attempt, max_retries, lambda: 1.0)
    if isinstance(error, (RateLimited, ServerError)) and operation.method == "GET" and attempt < max_retries:
        assert delay == backoff(attempt, lambda: 1.0)
    else:
        assert delay is None


@pytest.mark.parametrize(
    ("asked", "delay"), [("0", 0.0), ("1.5", 1.5), ("60", 60.0), ("61", None), ("inf", 0.5), ("-1", 0.5), ("", 0.5)]
)
def test_asked_for_pause(asked: str, delay: float | None) -> None:
    for kind in (RateLimited, ServerError):
        error = kind("slow", headers=httpx.Headers({"retry-after": asked}))
        assert delay_after_refusal(READ.operation, error, 0, 3, lambda: 1.0) == delay


# The steps of a call


class Driver:
    """Carries a call's steps out on a scripted exchange in fake time."""

    def __init__(self, script: list[int | Failure], **settings: Any) -> None:
        self.now = 1000.0
        self.script = script
        self.attempts: list[Attempt] = []
        self.caller = Caller(
            Settings(Credentials.generate(), **settings),
            RateLimiter(None),
            clock=lambda: self.now,
            monotonic=lambda: self.now,
            jitter=lambda: 0.0,
        )

    def run(self, request: Request[Any]) -> RawResponse[Any]:
        steps = self.caller.raw(request)
        outcome: RawResponse[Any] | Broken | None = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as done:
                answer: RawResponse[Any] = done.value
                return answer
            if isinstance(step, Pause):
                assert step.seconds >= 0
                self.now += step.seconds
                outcome = None
                continue
            self.attempts.append(step)
            self.now += 0.01
            what = self.script[min(len(self.attempts), len(self.script)) - 1]
            if isinstance(what, Failure):
                outcome = Broken(what, httpx.ReadError("broken"))
            else:
                outcome = RawResponse(step.request, what, httpx.Headers(), b"")

    @property
    def hosts(self) -> list[str]:
        return [attempt.prepared.host for attempt in self.attempts]


outcomes = st.one_of(
    st.sampled_from(Failure),
    st.sampled_from([200, 202, 204, 302, 400, 401, 403, 404, 408, 429, 451, 500, 502, 503, 504]),
)
SAFE = {Failure.NEVER_SENT, Failure.NEVER_SENT_TIMEOUT, Failure.CROWDED, 401, 403, 451}
"""After these a command may be sent again: it never left, or was turned away at the door."""


@given(st.lists(outcomes, min_size=1, max_size=12), st.integers(0, 4), st.integers(0, 3))
def test_command_is_repeated_only_while_it_was_not_taken(
    script: list[int | Failure], max_retries: int, alternates: int
) -> None:
    driver = Driver(
        script, max_retries=max_retries, alternate_urls=tuple(f"https://alternate{n}" for n in range(alternates))
    )
    with contextlib.suppress(OutcomeUnknown, ConnectionFailed):
        driver.run(COMMAND)
    commands = [attempt for attempt in driver.attempts if attempt.request is COMMAND]
    met = [script[min(n, len(script) - 1)] for n, attempt in enumerate(driver.attempts) if attempt.request is COMMAND]
    assert all(each in SAFE for each in met[:-1])
    assert len(commands) <= 1 + max_retries + alternates + 1


@given(st.lists(outcomes, min_size=1, max_size=12), st.integers(0, 4), st.integers(0, 3))
def test_read_ends(script: list[int | Failure], max_retries: int, alternates: int) -> None:
    driver = Driver(
        script, max_retries=max_retries, alternate_urls=tuple(f"https://alternate{n}" for n in range(alternates))
    )
    try:
        status = driver.run(READ).status_code
    except ConnectionFailed:
        status = 0
    reads = [attempt for attempt in driver.attempts if attempt.request is READ]
    assert len(reads) <= 1 + max_retries + alternates + 1
    last = script[min(len(driver.attempts), len(script)) - 1]
    assert status == (0 if isinstance(last, Failure) else last) or 401 in script
    stamps = [dict(attempt.prepared.headers)["x-timestamp"] for attempt in reads]
    assert len(set(stamps)) == len(stamps)


def test_moves_on_without_spending_retries() -> None:
    hosts = ("https://b", "https://c")
    driver = Driver([Failure.NEVER_SENT, 451, 200], alternate_urls=hosts, max_retries=0)
    assert driver.run(READ).status_code == 200
    assert driver.hosts == ["https://api.backpack.exchange", *hosts]
    assert driver.caller.host == "https://c"


def test_comes_round_to_the_first_host() -> None:
    driver = Driver([451, 200, 451, 200], alternate_urls=("https://b",))
    assert driver.run(READ).status_code == 200
    assert driver.run(READ).status_code == 200
    assert driver.hosts == ["https://api.backpack.exchange", "https://b", "https://b", "https://api.backpack.exchange"]


@pytest.mark.parametrize("value", [-1, 1.5, "3", True, None])
def test_bad_max_retries(value: Any) -> None:
    with pytest.raises(InvalidArgument, match="max_retries"):
        Settings(max_retries=value)


def test_broken_forgets_the_frames_of_its_error() -> None:
    try:
        try:
            raise OSError("inner")
        except OSError as inner:
            raise httpx.ReadError("outer") from inner
    except httpx.ReadError as error:
        broken = Broken(Failure.LOST, error)
    found: BaseException | None = broken.error
    while found is not None:
        assert found.__traceback__ is None
        found = found.__cause__

"""One call from first attempt to result, as a generator of steps. Pure: the clients carry the steps out.

A step is a Pause or an Attempt. After an Attempt the client sends back a RawResponse, or a Broken when there was none.
So retries, rate limits, alternate hosts and clock correction are written once for blocking and async clients.
"""

from __future__ import annotations

import logging
import random
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from . import _refusals, _retry
from ._core.errors import (
    AuthenticationError,
    BackpackError,
    ConnectionFailed,
    InvalidArgument,
    InvalidResponse,
    OutcomeUnknown,
    RateLimited,
    RegionRestricted,
    RequestTimeout,
)
from ._core.reply import text_reply
from ._core.request import Operation, Request
from ._ratelimit import PER_SECOND, RateLimiter
from ._retry import Failure
from ._wire import Prepared, RawResponse, encode, header
from .auth import LONGEST_WINDOW

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from ._core.reply import TextReply
    from .auth import Credentials

T = TypeVar("T")
logger = logging.getLogger("backpack_sdk")

BASE_URL = "https://api.backpack.exchange"
WS_URL = "wss://ws.backpack.exchange"
WINDOW = 5000
_TIME = Operation(name="get_time", tag="system", method="GET", path="/api/v1/time")
_CLOCK_FRESH = 5.0
_CLOCK_MATTERS = 0.5
_ADDRESS = re.compile(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:/[!-~]*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """Send these bytes and wait for the reply."""

    prepared: Prepared
    request: Request[Any]
    timeout: float | None


@dataclass(frozen=True, slots=True)
class Broken:
    """An attempt without a reply. Its error loses its tracebacks: their frames hold headers and bodies."""

    failure: Failure
    error: Exception

    def __post_init__(self) -> None:
        waiting: list[BaseException | None] = [self.error]
        for error in waiting:
            if error is not None:
                error.__traceback__ = None
                waiting += (each for each in (error.__cause__, error.__context__) if each not in waiting)


Step: TypeAlias = Pause | Attempt
Outcome: TypeAlias = "RawResponse[Any] | Broken | None"
Call: TypeAlias = "Generator[Step, Outcome, T]"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a caller chose for a client. Raises InvalidArgument for what can't work."""

    credentials: Credentials | None = None
    base_url: str = BASE_URL
    alternate_urls: tuple[str, ...] = ()
    max_retries: int = 3
    window: int = WINDOW
    broker: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)

    def __post_init__(self) -> None:
        for name, url in (("base_url", self.base_url), *(("alternate_urls", url) for url in self.alternate_urls)):
            if not isinstance(url, str) or not _ADDRESS.fullmatch(url) or "?" in url or "#" in url:
                shown = "" if "@" in str(url) else f", got {url!r}"  # a password may stand before an @
                raise InvalidArgument(name, f"expected an address such as {BASE_URL}{shown}")
        if isinstance(self.max_retries, bool) or not isinstance(self.max_retries, int) or self.max_retries < 0:
            raise InvalidArgument("max_retries", f"expected a whole number of 0 or more, got {self.max_retries!r}")
        if isinstance(self.window, bool) or not isinstance(self.window, int) or not 0 < self.window <= LONGEST_WINDOW:
            raise InvalidArgument("window", f"expected 1 to {LONGEST_WINDOW} milliseconds, got {self.window!r}")
        for name, value in self.broker.items():
            header(name, value)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every address, the preferred one first."""
        return tuple(url.rstrip("/") for url in (self.base_url, *self.alternate_urls))


class Caller:
    """Makes calls for one client and remembers what they taught: host in use, clock offset, endpoints' pace."""

    def __init__(
        self,
        settings: Settings,
        limiter: RateLimiter | None = None,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.settings = settings
        self.limiter = RateLimiter(PER_SECOND) if limiter is None else limiter
        self.state = _State()
        self._clock = clock
        self._monotonic = monotonic
        self._jitter = jitter

    def call(self, request: Request[T], timeout: float | None = None) -> Call[T]:
        """Steps to the typed result."""
        reply = yield from self.raw(request, timeout)
        return reply.parse()

    def raw(self, request: Request[T], timeout: float | None = None) -> Call[RawResponse[T]]:
        """Steps to the raw reply, whatever its status. Raises only when no reply came."""
        attempt = moves = 0
        synchronised = False
        while True:
            wait = self.limiter.reserve(_key(request.operation), self._monotonic())
            if wait > 0:
                yield Pause(wait)
            host, offset = self.state.host, self.state.clock_offset
            outcome = yield Attempt(self._prepare(request), request, timeout)
            if isinstance(outcome, Broken):
                logger.debug("%s %s: %s", request.operation.method, request.operation.path, outcome.failure.value)
                if outcome.failure.unreachable and moves < len(self.settings.hosts) - 1:
                    moves += 1
                    self._move_on(request, host, str(outcome.error))
                    continue
                delay = _retry.delay_after_failure(
                    request.operation, outcome.failure, attempt, self.settings.max_retries, self._jitter
                )
                if delay is None:
                    raise _broken(request, outcome) from outcome.error
                self._note(request, attempt, delay, outcome.failure.value)
            else:
                reply = _got(outcome)
                error = _refusals.refusal(request, reply.status_code, reply.headers, reply.content)
                if error is None:
                    return reply
                if isinstance(error, RateLimited):
                    self.limiter.slow_down(_key(request.operation), self._monotonic(), error.retry_after)
                if isinstance(error, RegionRestricted) and moves < len(self.settings.hosts) - 1:
                    moves += 1
                    self._move_on(request, host, "the region is restricted")
                    continue
                if isinstance(error, AuthenticationError) and request.operation.instruction and not synchronised:
                    synchronised = True
                    if (yield from self._clock_was_wrong(error, offset)):
                        continue
                delay = _retry.delay_after_refusal(
                    request.operation, error, attempt, self.settings.max_retries, self._jitter
                )
                if delay is None:
                    return reply
                self._note(request, attempt, delay, f"HTTP {reply.status_code}")
            attempt += 1
            yield Pause(delay)

    def _prepare(self, request: Request[Any]) -> Prepared:
        return encode(
            request,
            self.host,
            credentials=self.settings.credentials,
            timestamp=int((self._clock() + self.state.clock_offset) * 1000),
            window=self.settings.window,
            broker=self.settings.broker,
        )

    # Hosts

    @property
    def host(self) -> str:
        """The address in use."""
        hosts = self.settings.hosts
        return hosts[self.state.host % len(hosts)]

    def _move_on(self, request: Request[Any], tried: int, why: str) -> None:
        """Leave the host that was tried, unless another call has left it meanwhile."""
        if self.state.host == tried:
            left = self.host
            self.state.host += 1
            logger.warning("%s: %s gave nothing (%s), trying %s", request.operation, left, why, self.host)

    def _note(self, request: Request[Any], attempt: int, delay: float, why: str) -> None:
        logger.info("%s: attempt %d failed (%s), next in %.2f s", request.operation, attempt + 1, why, delay)

    # Clock

    def measure_clock(self) -> Call[float]:
        """Steps to the seconds by which the exchange's clock is ahead of ours; remembered for every later timestamp."""
        request = Request(_TIME, text_reply())
        steps = self.raw(request)
        before = after = 0.0
        outcome: Outcome = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as done:
                reply: RawResponse[TextReply] = done.value
                break
            before = self._clock()
            outcome = yield step
            after = self._clock()
        text = reply.parse()
        try:
            offset = int(text) / 1000 - (before + after) / 2
        except (ValueError, OverflowError):
            what = f"the exchange's clock reads {str(text)[:40]!r}, not milliseconds"
            raise InvalidResponse(
                what, request=request, status=reply.status_code, headers=reply.headers, content=reply.content
            ) from None
        self.state.clock_offset = offset
        self.state.clock_measured = self._monotonic()
        logger.debug("the exchange's clock is %.3f s ahead of ours", offset)
        return offset

    def _clock_was_wrong(self, error: AuthenticationError, used: float) -> Call[bool]:
        """Whether the refusal came of a wrong clock offset, the one `used`. It is set right on the way."""
        if error.code not in (None, "INVALID_SIGNATURE"):
            return False
        measured = self.state.clock_measured
        if measured is None or self._monotonic() - measured >= _CLOCK_FRESH:
            try:
                yield from self.measure_clock()
            except BackpackError as problem:
                logger.info("could not measure the exchange's clock: %s", problem)
        return abs(self.state.clock_offset - used) >= _CLOCK_MATTERS


@dataclass(slots=True)
class _State:
    """What a client's calls have learnt."""

    host: int = 0
    clock_offset: float = 0.0
    clock_measured: float | None = None


def _key(operation: Operation) -> str:
    return f"{operation.tag}.{operation.name}"


def _got(outcome: Outcome) -> RawResponse[Any]:
    assert isinstance(outcome, RawResponse)
    return outcome


def _broken(request: Request[Any], broken: Broken) -> BackpackError:
    what = f"{request.operation}: {broken.failure.value} ({_said(broken.error)})"
    if broken.failure.sent and request.operation.is_command:
        return OutcomeUnknown(_refusals.unknown_text(request, what), client_id=request.client_id, request=request)
    late = broken.failure in (Failure.TIMED_OUT, Failure.NEVER_SENT_TIMEOUT, Failure.CROWDED)
    return (RequestTimeout if late else ConnectionFailed)(what, request=request)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__

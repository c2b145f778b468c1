"""Whether a failed attempt may be repeated, and after how long. Pure."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ._core.errors import BackpackError, RateLimited, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._core.request import Operation

FIRST_DELAY = 0.5
LONGEST_DELAY = 8.0
LONGEST_ASKED_DELAY = 60.0
"""Seconds; a server that asks for a longer pause gets the error raised instead."""


class Failure(Enum):
    """What became of an attempt that brought no reply."""

    NEVER_SENT = "nothing left this machine"
    LOST = "the connection broke after the request may have left"
    TIMED_OUT = "no answer in time, and the request may have left"
    NEVER_SENT_TIMEOUT = "no connection in time; nothing left this machine"
    CROWDED = "every connection stayed in use; nothing left this machine"

    @property
    def sent(self) -> bool:
        """Whether the exchange may have seen the request."""
        return self in (Failure.LOST, Failure.TIMED_OUT)

    @property
    def unreachable(self) -> bool:
        """Whether the host could not be reached, so that another one may do better."""
        return self in (Failure.NEVER_SENT, Failure.NEVER_SENT_TIMEOUT)


def backoff(attempt: int, jitter: Callable[[], float]) -> float:
    """Seconds before the next attempt: doubling, half of it left to chance so that clients do not march in step."""
    ceiling = min(LONGEST_DELAY, FIRST_DELAY * float(2 ** min(attempt, 10)))
    return ceiling * (0.5 + 0.5 * jitter())


def delay_after_failure(
    operation: Operation, failure: Failure, attempt: int, max_retries: int, jitter: Callable[[], float]
) -> float | None:
    """Pause before the next attempt when no reply came; None to give up.

    A command is repeated only when it provably never left.
    """
    if attempt >= max_retries or (operation.is_command and failure.sent):
        return None
    return backoff(attempt, jitter)


def delay_after_refusal(
    operation: Operation, error: BackpackError, attempt: int, max_retries: int, jitter: Callable[[], float]
) -> float | None:
    """Pause before the next attempt after a refusal; None to give up. Only reads are repeated."""
    if operation.is_command or attempt >= max_retries or not isinstance(error, (RateLimited, ServerError)):
        return None
    from ._refusals import retry_after

    asked = retry_after(error.headers)
    if asked is None:
        return backoff(attempt, jitter)
    return max(asked, 0.0) if asked <= LONGEST_ASKED_DELAY else None

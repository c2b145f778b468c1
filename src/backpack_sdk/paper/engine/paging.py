"""Limit and offset over a history."""

from __future__ import annotations

from collections.abc import Callable, Reversible
from itertools import islice
from typing import TypeVar

from .enums import SortDirection
from .errors import ErrorCode, Refused

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000
_FURTHEST = 2**31
"""No history is so long, and every larger offset skips it all the same."""

T = TypeVar("T")


def page(
    oldest_first: Reversible[T],
    limit: int,
    offset: int,
    direction: SortDirection,
    keep: Callable[[T], bool] | None = None,
    *,
    max_limit: int = MAX_LIMIT,
) -> tuple[T, ...]:
    """Return up to `limit` of the kept items after skipping `offset` of them, newest or oldest first.

    Raises:
        Refused: `INVALID_CLIENT_REQUEST` for a limit outside 0 to `max_limit` or a negative offset.
    """
    if not 0 <= limit <= max_limit:
        raise Refused(ErrorCode.INVALID_CLIENT_REQUEST, f"limit {limit} must lie in 0 to {max_limit}")
    if offset < 0:
        raise Refused(ErrorCode.INVALID_CLIENT_REQUEST, f"offset {offset} must not be negative")
    ordered = reversed(oldest_first) if direction is SortDirection.DESC else iter(oldest_first)
    start = min(offset, _FURTHEST)
    return tuple(islice(filter(keep, ordered) if keep is not None else ordered, start, start + limit))


def forget(records: list[T], kept: int | None) -> None:
    """Drop the oldest records once there are twice as many as are to be kept: the cost stays constant on average."""
    if kept is not None and len(records) > 2 * kept:
        del records[: len(records) - kept]

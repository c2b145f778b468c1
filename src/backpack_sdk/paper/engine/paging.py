"""Limit and offset over a history."""

from __future__ import annotations

from collections.abc import Callable, Reversible
from itertools import islice
from typing import TypeVar

from .enums import SortDirection
from .errors import ErrorCode, Refused

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000

T = TypeVar("T")


def page(
    oldest_first: Reversible[T],
    limit: int,
    offset: int,
    direction: SortDirection,
    keep: Callable[[T], bool] | None = None,
) -> tuple[T, ...]:
    """Return up to `limit` of the kept items after skipping `offset` of them, newest or oldest first.

    Raises:
        Refused: `INVALID_CLIENT_REQUEST` for a limit outside 0 to 1000 or a negative offset.
    """
    if not 0 <= limit <= MAX_LIMIT:
        raise Refused(ErrorCode.INVALID_CLIENT_REQUEST, f"limit {limit} must lie in 0 to {MAX_LIMIT}")
    if offset < 0:
        raise Refused(ErrorCode.INVALID_CLIENT_REQUEST, f"offset {offset} must not be negative")
    ordered = reversed(oldest_first) if direction is SortDirection.DESC else iter(oldest_first)
    return tuple(islice(filter(keep, ordered) if keep is not None else ordered, offset, offset + limit))

"""The clock that an embedded exchange has unless it is given another one."""

from __future__ import annotations

import time

_MICROSECOND_NS = 1_000


def system_clock() -> int:
    """Return the time of this machine in Unix microseconds."""
    return time.time_ns() // _MICROSECOND_NS

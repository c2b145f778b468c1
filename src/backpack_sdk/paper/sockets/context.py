"""What the socket side needs of the exchange it belongs to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from ..engine import Exchange
from .faults import SocketFaults


@dataclass(frozen=True, slots=True)
class HubContext:
    """The engine, the lock around it, its clock in Unix microseconds, the check of signatures, and the faults.

    `account_of` takes verifying key, signature, timestamp and window, and raises as `Gateway.account_of` does.
    """

    engine: Exchange
    lock: threading.RLock
    clock: Callable[[], int]
    account_of: Callable[[tuple[str, str, str, str]], str]
    faults: SocketFaults


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketOptions:
    """How the sockets behave.

    Attributes:
        speed: seconds that pass for the timers of the sockets (windows, candles, pings) in each real second; 0 lets
            them stand still but for `PaperExchange.skip`.
        grace: seconds that a client has to answer a Close frame.
        max_backlog: bytes that may wait for one client; one that is slower is cut off.
        compress: whether permessage-deflate is offered.
    """

    speed: float = 1.0
    grace: float = 0.1
    max_backlog: int = 8 << 20
    compress: bool = False

    def __post_init__(self) -> None:
        if self.speed < 0 or self.grace < 0 or self.max_backlog < 1:
            raise ValueError(f"speed and grace must not be negative, max_backlog must be above zero: {self}")

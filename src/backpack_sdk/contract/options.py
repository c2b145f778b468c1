"""What a run may be asked to do, and what it refuses to."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

POLITE = 2.0
"""Requests per second for a server that is not ours."""
EXAMPLES = 20
READ_ONLY_EXAMPLES = 3
_REAL = "backpack.exchange"


class NotRun(Exception):
    """The run could not take place; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to hold which server to the document.

    Attributes:
        base_url: its address; None for an embedded exchange that is started for the run.
        read_only: public operations only.
        rate: requests per second; None for 2 to a server of somebody else, and no limit for one on this machine.
        operations: names of the operations to try; none for all.
        examples: cases of each kind for each operation; None for 20, and 3 where only reading is allowed.
        seed: decides the cases. The same seed gives the same ones.

    Raises:
        NotRun: an operation does not exist, a figure makes no sense, or the run would trade with real money.
    """

    base_url: str | None = None
    read_only: bool = False
    rate: float | None = None
    operations: Sequence[str] = ()
    examples: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.rate is not None and not self.rate > 0:
            raise NotRun(f"--rate is {self.rate}: give requests per second above zero")
        if self.examples is not None and self.examples < 0:
            raise NotRun(f"--examples is {self.examples}: give 0 or more")
        host = self.host
        if not self.read_only and (host == _REAL or host.endswith(f".{_REAL}")):
            raise NotRun(f"{host} is the real exchange, and this run would place orders: add --read-only")

    @property
    def host(self) -> str:
        """The server's host; empty for the embedded exchange."""
        if self.base_url is None:
            return ""
        return (urlsplit(self.base_url).hostname or "").rstrip(".").lower()

    @property
    def is_local(self) -> bool:
        """Whether the server runs on this machine."""
        try:
            return self.base_url is None or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def pace(self) -> float | None:
        """Requests per second; None for no limit."""
        return self.rate if self.rate is not None or self.is_local else POLITE

    @property
    def cases(self) -> int:
        """Cases of each kind for each operation."""
        if self.examples is not None:
            return self.examples
        return READ_ONLY_EXAMPLES if self.read_only else EXAMPLES

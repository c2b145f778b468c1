"""What a caller may choose for a stream connection, and what a client brings to it."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar

from .._core.errors import InvalidArgument

if TYPE_CHECKING:
    from .._core.request import Request
    from .._wire import RawResponse
    from ..auth import Credentials

T = TypeVar("T")

ModeLike: TypeAlias = "Mode | Literal['auto', 'socket', 'rest']"


class Mode(StrEnum):
    """Where market data comes from."""

    AUTO = "auto"
    """The socket; while that keeps failing, REST."""
    SOCKET = "socket"
    """The socket only, however long it fails."""
    REST = "rest"
    """REST only. Private streams do not exist there and are refused."""


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How a stream connection behaves. All times are in seconds.

    Raises InvalidArgument, which names the option, for what can't work.
    """

    mode: ModeLike = Mode.AUTO
    """`"auto"`, `"socket"` or `"rest"`."""
    compression: bool = False
    """Whether to offer `permessage-deflate`: less traffic for several times the CPU time per frame."""
    check_symbols: bool = True
    """Whether to look markets up before subscribing. The exchange answers unknown and closed ones with silence."""
    stale_after: float = 120.0
    """A socket that brought nothing for so long, not even an answer to a ping, is given up."""
    ping_interval: float = 30.0
    """How often to ping the server; twice within `stale_after` at least."""
    open_timeout: float = 10.0
    """How long opening a socket may take."""
    first_delay: float = 1.0
    """Pause before the first attempt to reconnect; it doubles with each failure, half of it left to chance."""
    longest_delay: float = 60.0
    """The longest such pause."""
    stable_after: float = 60.0
    """A socket that lasted so long starts the pauses anew."""
    poll_after_failures: int = 5
    """After so many failures in a row, mode `auto` asks over REST."""
    poll_interval: float = 1.0
    """Pause between two requests for the same stream over REST; the client's rate limit holds too."""
    silence_factor: float = 10.0
    """A stream that repeats by itself, such as mark prices, may be silent for so many of its periods, at least 10 s."""
    max_queue: int = 10_000
    """Events that wait for a slow consumer, per subscription, unless the subscription says otherwise."""

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "mode", Mode(self.mode))
        except ValueError:
            raise InvalidArgument("mode", f"expected 'auto', 'socket' or 'rest', got {self.mode!r}") from None
        for option in fields(self):
            value = getattr(self, option.name)
            if option.name in _SWITCHES:
                if not isinstance(value, bool):
                    raise InvalidArgument(option.name, f"expected True or False, got {value!r}")
            elif option.name in _COUNTS:
                if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                    raise InvalidArgument(option.name, f"expected a whole number of 1 or more, got {value!r}")
            elif option.name != "mode":
                _require_seconds(option.name, value)
        if self.longest_delay < self.first_delay:
            raise InvalidArgument("longest_delay", f"{self.longest_delay} is below first_delay, {self.first_delay}")


_SWITCHES = frozenset({"compression", "check_symbols"})
_COUNTS = frozenset({"poll_after_failures", "max_queue"})


def _require_seconds(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise InvalidArgument(name, f"expected a number above 0, got {value!r}")


class StreamSender(Protocol):
    """Sends the REST requests that streams need. An AsyncBackpack is one."""

    async def send(self, request: Request[T], *, timeout: float | None = None) -> T:  # noqa: ASYNC109 - seconds for httpx
        """Send a request and give its typed result."""
        ...

    async def send_raw(
        self,
        request: Request[T],
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - seconds for httpx
    ) -> RawResponse[T]:
        """Send a request and give the reply unread, whatever its status."""
        ...


@dataclass(frozen=True, slots=True)
class StreamSetup:
    """What a client hands to its streams. `clock` gives seconds since 1970 by the exchange's clock."""

    sender: StreamSender
    """Sends the REST requests that streams need: symbol checks, snapshots, polls."""
    urls: tuple[str, ...]
    """Addresses of the stream server, the preferred one first."""
    credentials: Credentials | None
    clock: Callable[[], float]
    sync_clock: Callable[[], Awaitable[object]] | None = None
    """Sets `clock` right; None when that can't be done."""
    window: int = 5000
    """Milliseconds for which a signed subscription is valid."""
    proxy: str | None = field(default=None, repr=False)
    trust_env: bool = True
    verify: bool | ssl.SSLContext = True

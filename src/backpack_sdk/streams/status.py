"""What can be observed of a stream connection: its state, its changes, its counters."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class ConnectionState(StrEnum):
    """Where a stream connection stands."""

    CONNECTING = "connecting"
    """The first connection is being made."""
    LIVE = "live"
    """The socket is open, and subscriptions go out: `ready()` of each says when it was read."""
    STALE = "stale"
    """Nothing has come for too long, not even an answer to a ping. The socket is being given up."""
    RECONNECTING = "reconnecting"
    """The socket is lost; another one is being made, after a pause."""
    POLLING = "polling"
    """The socket keeps failing, or is not wanted: market data is asked for over REST. Attempts to connect go on."""
    CLOSED = "closed"
    """Closed by you, or given up for good; nothing more will come."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """The connection went from one state to another."""

    old: ConnectionState
    new: ConnectionState
    reason: str
    """Why, in words."""
    attempt: int = 0
    """Failures in a row so far."""


@dataclass(slots=True)
class StreamCounters:
    """What a stream connection has seen since it was made."""

    frames: int = 0
    """Frames received."""
    bytes: int = 0
    """Bytes that they came in."""
    connections: int = 0
    """Sockets opened."""
    reconnects: int = 0
    """Sockets opened after the first."""
    failures: int = 0
    """Attempts to connect that failed, and sockets that broke."""
    stale: int = 0
    """Sockets given up because nothing came."""
    silent: int = 0
    """Streams subscribed to again because they were silent for longer than they can be."""
    undecodable: int = 0
    """Frames that were no JSON object."""
    unknown: int = 0
    """Events that fit no model; they were passed on as `UnknownEvent`."""
    unrouted: int = 0
    """Events that nobody was subscribed to, such as late ones after an unsubscription."""
    errors: int = 0
    """Error frames received."""
    dropped: int = 0
    """Events dropped because a consumer was slow, over all subscriptions."""
    polls: int = 0
    """Requests made over REST in place of the socket."""
    gaps: int = 0
    """Gaps found in depth streams by the order books of this connection."""
    lag_us: int | None = None
    """How far the last event was behind the exchange's clock when it arrived, in microseconds; None before the first.

    It compares two clocks: `sync_clock()` of the client sets the difference right.
    """
    states: dict[str, int] = field(default_factory=dict[str, int])
    """How often each state was entered."""

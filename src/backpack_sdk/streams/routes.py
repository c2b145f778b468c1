"""Who gets the events of which stream. Everything happens on the event loop's thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec.structs import replace

from .._core.events import FRAME, attach
from .._generated.streams.channels import channel_of
from .events import DepthUpdate, PositionUpdate, Trade, UnknownEvent
from .polling import poll_of
from .trades import TradeGate

if TYPE_CHECKING:
    from .._core.channel import Channel
    from .events import StreamEvent
    from .polling import Poll

Push: TypeAlias = "Callable[[Any], object]"
Pushes: TypeAlias = "Push | Mapping[str, Push]"
"""Who takes events: one for all streams, or one for each by the stream's name."""


class Route:
    """One stream by name, and those who want its events."""

    __slots__ = (
        "bare", "channel", "filling", "gate", "heard", "last_update", "name", "only", "poll", "positions", "sinks",
        "typed",
    )  # fmt: skip

    def __init__(self, name: str, symbol: str | None, channel: Channel | None) -> None:
        self.name = name
        self.channel: Channel | None = None
        """What kind of stream it is; None for one that the SDK does not know."""
        self.poll: Poll | None = None
        """What REST offers in its place."""
        self.gate: TradeGate | None = None
        """Keeps trades complete."""
        self.learn(symbol, channel)
        self.last_update: int | None = None
        """The last update id of a depth stream, for those who read the changes themselves."""
        self.positions: dict[str, PositionUpdate] = {}
        """The open positions as last heard of, for those who subscribe later than others."""
        self.filling = False
        """Whether recent trades are being fetched for the gate."""
        self.sinks: tuple[Push, ...] = ()
        self.bare: frozenset[Push] = frozenset()
        """Those of them that do without an event's frame."""
        self.typed: frozenset[Push] = frozenset()
        """Those who want events of the stream's class only."""
        self.only: Push | None = None
        """The one who gets every event as it is, when there is one only, who does without the frame."""
        self.heard = False
        """Whether an event came since somebody last looked."""

    def learn(self, symbol: str | None, channel: Channel | None) -> None:
        """Note what somebody who wants it knows of it: one who asked by its name alone knows less than others."""
        if channel is not None and self.channel is None:
            self.channel = channel
            self.gate = TradeGate() if channel.name == "trade" else None
        if channel is not None and symbol is not None and self.poll is None:
            self.poll = poll_of(channel.name, symbol)

    def settle(self) -> None:
        """Find out whether there is an `only` one."""
        alone = len(self.sinks) == 1 and self.gate is None
        self.only = self.sinks[0] if alone and self.sinks[0] in self.bare else None

    def deliver(self, event: StreamEvent) -> None:
        """Pass an event on."""
        if self.gate is not None and isinstance(event, Trade):
            self.deliver_all(self.gate.on_trade(event))
            return
        if isinstance(event, PositionUpdate):
            self._note_position(event)
        unfit = isinstance(event, UnknownEvent)
        if unfit:
            self.positions.clear()  # it may be about any of them
        for push in self.sinks:
            if not (unfit and push in self.typed):
                push(event)

    def misses_before(self, event: StreamEvent) -> bool:
        """Whether a depth update between the last one and this is missing."""
        if not isinstance(event, DepthUpdate):
            return False
        last, self.last_update = self.last_update, event.update_id_last
        return last is not None and event.update_id_first > last + 1

    def forget(self) -> None:
        """Whatever happened before will be told anew, or was not heard."""
        self.last_update = None
        self.positions.clear()
        if self.gate is not None:
            self.gate.on_lost()

    def _note_position(self, event: PositionUpdate) -> None:
        if event.net_quantity == 0:
            self.positions.pop(event.symbol, None)
        else:
            position = replace(event, event=None)
            attach(position, FRAME, event.__dict__.get(FRAME))
            self.positions[event.symbol] = position

    def deliver_all(self, events: Iterable[StreamEvent]) -> None:
        """Pass on events that need no gate."""
        for event in events:
            for push in self.sinks:
                push(event)


class Routes:
    """All streams that somebody wants."""

    def __init__(self, on_change: Callable[[type[StreamEvent] | None], object]) -> None:
        """`on_change` is told the class of all events to come when it is one and nobody needs their frames, or None."""
        self._routes: dict[str, Route] = {}
        self._on_change = on_change
        self.get = self._routes.get
        """Gives the route of a stream by name; None when nobody wants it."""

    def __iter__(self) -> Iterator[Route]:
        return iter(tuple(self._routes.values()))

    def __contains__(self, name: str) -> bool:
        return name in self._routes

    def names(self) -> list[str]:
        """Streams that somebody wants, in the order in which they were first asked for."""
        return list(self._routes)

    def add(
        self, names: Mapping[str, str | None], channel: Channel | None, to: Pushes,
        *, bare: bool = False, typed: bool = False,
    ) -> None:  # fmt: skip
        """Send events of these streams, names with their symbols, there too.

        Their frames may be left out for those who are `bare`, and events of no class are for those who are `typed`.
        """
        for name, symbol in names.items():
            push = to if callable(to) else to[name]
            kind = channel_of(name) if channel is None else channel
            route = self._routes.get(name)
            if route is None:
                route = self._routes[name] = Route(name, symbol, kind)
            else:
                route.learn(symbol, kind)
            route.sinks = (*route.sinks, push)
            if bare:
                route.bare |= {push}
            if typed:
                route.typed |= {push}
            route.settle()
        self._changed()

    def remove(self, names: Iterable[str], to: Pushes) -> None:
        """Stop sending them there."""
        for name in names:
            push = to if callable(to) else to[name]
            route = self._routes.get(name)
            if route is None:
                continue
            route.sinks = tuple(one for one in route.sinks if one != push)
            route.bare -= {push}
            route.typed -= {push}
            route.settle()
            if not route.sinks:
                del self._routes[name]
        self._changed()

    def _changed(self) -> None:
        kinds = {route.channel if route.only is not None else None for route in self._routes.values()}
        channel = kinds.pop() if len(kinds) == 1 else None
        self._on_change(None if channel is None else channel.event)

"""Those who keep state in step with streams, such as order books, and have to know of the connection's fate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .._core.errors import BackpackError


class Follower(Protocol):
    """Somebody who keeps state. Names are always those of its own streams."""

    def on_sent(self, names: frozenset[str]) -> None:
        """These were subscribed to on the present connection."""
        ...

    def on_confirmed(self, names: frozenset[str]) -> None:
        """The server has read these subscriptions."""
        ...

    def on_lost(self) -> None:
        """The connection is gone, and with it every subscription."""
        ...

    def on_refused(self, names: frozenset[str], error: BackpackError) -> None:
        """These were refused, or the connection was given up for good."""
        ...


class Followers:
    """All of them, and which streams each one follows."""

    def __init__(self) -> None:
        self._names: dict[Follower, set[str]] = {}

    def __iter__(self) -> Iterator[Follower]:
        return iter(tuple(self._names))

    def add(self, follower: Follower, names: Iterable[str]) -> None:
        """Let it follow these streams too."""
        self._names.setdefault(follower, set()).update(names)

    def remove(self, follower: Follower, names: Iterable[str]) -> None:
        """Let it follow these no longer."""
        followed = self._names.get(follower, set())
        followed.difference_update(names)
        if not followed:
            self._names.pop(follower, None)

    def of(self, names: Iterable[str]) -> Iterator[tuple[Follower, frozenset[str]]]:
        """Who follows any of these streams, and which of them."""
        wanted = frozenset(names)
        for follower, followed in tuple(self._names.items()):
            found = wanted & followed
            if found:
                yield follower, found

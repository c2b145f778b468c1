"""What the demo shows, whatever shows it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from decimal import Decimal
from types import TracebackType
from typing import Self

from ...streams.book import BookSnapshot
from ...streams.events import Trade

LEVELS = 5


class WentWrong(Exception):
    """A step of the story did not go as told."""


def expect(condition: object, what: str) -> None:
    """Raise WentWrong unless something is as it should be."""
    if not condition:
        raise WentWrong(what)


class Board:
    """The markets, the account and the story so far."""

    def __init__(self) -> None:
        self.books: dict[str, BookSnapshot] = {}
        self.trades: deque[Trade] = deque(maxlen=12)
        self.connection = "connecting"
        self.profit: Decimal | None = None
        """Profit or loss since the start, in USDC."""
        self.lines: deque[str] = deque(maxlen=200)


class Screen(ABC):
    """Shows a board. Use it in a `with` block."""

    def __init__(self) -> None:
        self.board = Board()

    @abstractmethod
    def chapter(self, title: str) -> None:
        """Begin a part of the story."""

    @abstractmethod
    def tell(self, text: str) -> None:
        """Say what happened."""

    @abstractmethod
    def look(self) -> None:
        """Show the books and the latest trades, where they are not in view all the time."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Show nothing any more."""

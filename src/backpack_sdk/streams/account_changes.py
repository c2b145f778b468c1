"""What can happen to an account's orders and positions, as `AccountState` tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .account_records import AccountFill, TrackedOrder, TrackedPosition


@dataclass(frozen=True, slots=True)
class OrderOpened:
    """An order is open that was not known before."""

    order: TrackedOrder


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """An open order was filled in part, modified or triggered."""

    order: TrackedOrder
    old: TrackedOrder


@dataclass(frozen=True, slots=True)
class OrderClosed:
    """An order is no longer open; its status says why."""

    order: TrackedOrder
    """As it ended."""
    certain: bool = True
    """False when it ended while the connection was down and REST does not say how: `order` is as last heard of."""


@dataclass(frozen=True, slots=True)
class Filled:
    """An order traded. Each fill comes once, those that happened while the connection was down included."""

    fill: AccountFill


@dataclass(frozen=True, slots=True)
class PositionChanged:
    """A position was opened, or is different."""

    position: TrackedPosition
    old: TrackedPosition | None
    """None when it was opened."""


@dataclass(frozen=True, slots=True)
class PositionClosed:
    """A position is gone."""

    position: TrackedPosition
    """As last heard of."""


@dataclass(frozen=True, slots=True)
class Synchronised:
    """Everything is right and up to date again: after the start, and after each reconnection."""


AccountChange: TypeAlias = (
    OrderOpened | OrderChanged | OrderClosed | Filled | PositionChanged | PositionClosed | Synchronised
)

"""What a command of the exchange gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from .events import Event

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What a command returns, and everything that happened because of it, in order."""

    value: T
    events: tuple[Event, ...]

"""Frames that subscribe and unsubscribe, and which streams were asked for by which. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from ..auth import signing_message

if TYPE_CHECKING:
    from ..auth import Credentials

NAMES_PER_FRAME = 100
"""Names in one frame; 91 were seen to work."""
PRIVATE = "account."
"""What the names of private streams begin with."""
INSTRUCTION = "subscribe"


def is_private(name: str) -> bool:
    """Whether a stream needs a signature."""
    return name.startswith(PRIVATE)


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame to send. Its text may hold a signature, so it has no place in a log."""

    names: tuple[str, ...]
    text: str

    def __repr__(self) -> str:
        return f"Frame({', '.join(self.names)})"


def subscribe_frames(names: Iterable[str], sign: Callable[[], list[str]]) -> Iterator[Frame]:
    """Frames that subscribe to `names`, public ones first. `sign` gives a fresh signature for each private frame."""
    wanted = list(dict.fromkeys(names))
    for group in _groups(name for name in wanted if not is_private(name)):
        yield Frame(group, _text({"method": "SUBSCRIBE", "params": list(group)}))
    for group in _groups(name for name in wanted if is_private(name)):
        yield Frame(group, _text({"method": "SUBSCRIBE", "params": list(group), "signature": sign()}))


def unsubscribe_frames(names: Iterable[str]) -> Iterator[Frame]:
    """Frames that unsubscribe from `names`."""
    for group in _groups(dict.fromkeys(names)):
        yield Frame(group, _text({"method": "UNSUBSCRIBE", "params": list(group)}))


def signature(credentials: Credentials, timestamp: int, window: int) -> list[str]:
    """What a private subscription carries: verifying key, signature, timestamp and window, the last two as text."""
    message = signing_message(INSTRUCTION, None, timestamp=timestamp, window=window)
    return [credentials.api_key, credentials.sign(message), str(timestamp), str(window)]


def _groups(names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    rest = iter(names)
    while group := tuple(islice(rest, NAMES_PER_FRAME)):
        yield group


def _text(frame: object) -> str:
    return json.dumps(frame, separators=(",", ":"), ensure_ascii=False)

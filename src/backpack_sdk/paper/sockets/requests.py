"""What clients may send: `{"method": "SUBSCRIBE" | "UNSUBSCRIBE", "params": [...], "signature": [...]}`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import msgspec

from .names import SocketErrorCode, SocketProblem

SIGNATURE_PARTS = 4


@dataclass(frozen=True, slots=True)
class SocketRequest:
    """A readable request. The names are not checked yet, nor is the signature."""

    subscribes: bool
    names: tuple[str, ...]
    signature: tuple[str, str, str, str] | None = None


def parse_request(text: str) -> SocketRequest:
    """Read a frame.

    Raises:
        SocketProblem: it is no such request.
    """
    try:
        found: object = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise _unreadable("the frame is not JSON") from None
    if not isinstance(found, dict):
        raise _unreadable("the frame must be a JSON object")
    members = cast("dict[str, object]", found)
    method, names = members.get("method"), members.get("params")
    if method not in ("SUBSCRIBE", "UNSUBSCRIBE"):
        raise _unreadable("method must be SUBSCRIBE or UNSUBSCRIBE")
    if not _is_texts(names):
        raise _unreadable("params must be an array of stream names")
    signature = members.get("signature")
    if signature is None:
        return SocketRequest(method == "SUBSCRIBE", tuple(cast("list[str]", names)))
    if not _is_texts(signature) or len(cast("list[str]", signature)) != SIGNATURE_PARTS:
        raise _unreadable("signature must be an array of four strings: verifying key, signature, timestamp, window")
    key, signed, timestamp, window = cast("list[str]", signature)
    return SocketRequest(method == "SUBSCRIBE", tuple(cast("list[str]", names)), (key, signed, timestamp, window))


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in cast("list[object]", value))


def _unreadable(message: str) -> SocketProblem:
    return SocketProblem(SocketErrorCode.UNREADABLE, message)

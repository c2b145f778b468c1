"""HTTP replies as plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, body, and the body's type; None for a reply without a body."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def json_reply(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a JSON body."""
    body = json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    return Reply(status, body, "application/json; charset=utf-8", headers or {})


def text_reply(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a plain text body."""
    return Reply(status, text.encode(errors="backslashreplace"), "text/plain; charset=utf-8", headers or {})


def error_reply(code: str, message: str, status: int, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a refusal as the exchange words it: `{"code", "message"}`."""
    return json_reply({"code": code, "message": message}, status, headers)

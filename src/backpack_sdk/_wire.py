"""A request to the bytes that are sent, and a reply's bytes to a result. Pure: no socket, no clock."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote

from pydantic import ValidationError

from . import _refusals
from ._core.errors import CredentialsError, InvalidArgument, InvalidResponse, OutcomeUnknown
from ._version import __version__
from .auth import signed_texts, signing_message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._core.request import Request
    from .auth import Credentials

T = TypeVar("T")
USER_AGENT = f"backpack-sdk/{__version__}"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What goes on the wire. `headers` holds the signature, so it is never shown."""

    method: str
    host: str
    target: str
    """Path and query, percent-encoded."""
    headers: list[tuple[str, str]]
    content: bytes

    @property
    def url(self) -> str:
        """Absolute address, percent-encoded."""
        return self.host + self.target

    def __repr__(self) -> str:
        return f"Prepared({self.method} {self.host}{self.target.partition('?')[0]})"


@dataclass(frozen=True, slots=True)
class RawResponse(Generic[T]):
    """A reply before it is understood."""

    request: Request[T]
    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 are replaced."""
        return self.content.decode("utf-8", "replace")

    @property
    def is_success(self) -> bool:
        """Whether the status is one of 2xx."""
        return 200 <= self.status_code < 300

    def parse(self) -> T:
        """The typed result. Raises what the namespace's method would have raised."""
        return read(self)

    def __repr__(self) -> str:
        return f"RawResponse({self.request.operation}, {self.status_code}, {len(self.content)} bytes)"


def encode(
    request: Request[Any],
    host: str,
    *,
    credentials: Credentials | None,
    timestamp: int,
    window: int,
    broker: Mapping[str, Any] | None = None,
) -> Prepared:
    """The bytes of one attempt. `timestamp` and `window` are milliseconds. Raises CredentialsError without a key."""
    operation = request.operation
    if operation.instruction is not None and credentials is None:
        raise CredentialsError(f"{operation} is private: give the client credentials, Backpack(Credentials(secret))")
    content = b"" if request.body is None else _json(request.body)
    headers = list(_base_headers(host, operation.method, request.body is not None))
    if content or operation.method != "GET":
        headers.append(("content-length", str(len(content))))
    if operation.instruction is not None and credentials is not None:
        headers += _signature(request, operation.instruction, credentials, timestamp, window)
    given = {name.lower(): value for name, value in request.headers.items()}
    if broker and operation.headers:
        given = {name: value for name, value in broker.items() if name in operation.headers} | given
    headers += (header(name, value) for name, value in given.items())
    query = _query(request.query)
    return Prepared(operation.method, host, f"{operation.path}?{query}" if query else operation.path, headers, content)


def header(name: str, value: Any) -> tuple[str, str]:
    """One header beside the signature's. Raises InvalidArgument for what can't stand there."""
    shown = value if isinstance(value, str) else str(value)  # a secret stays one, for tracebacks that show locals
    if not (shown.isascii() and shown.isprintable() and shown.strip() == shown != ""):
        raise InvalidArgument(name.replace("-", "_"), "expected printable ASCII text without spaces around it")
    return name, str(shown)


@lru_cache(maxsize=64)
def _base_headers(host: str, _method: str, with_body: bool) -> tuple[tuple[str, str], ...]:
    headers = [
        ("host", host.partition("://")[2].partition("/")[0]),
        ("accept", "application/json, text/plain"),
        ("accept-encoding", "gzip, deflate"),
        ("user-agent", USER_AGENT),
    ]
    if with_body:
        headers.append(("content-type", "application/json; charset=utf-8"))
    return tuple(headers)


def _signature(
    request: Request[Any],
    instruction: str,
    credentials: Credentials,
    timestamp: int,
    window: int,
) -> list[tuple[str, str]]:
    params = request.query if request.body is None else request.body
    message = signing_message(instruction, params, timestamp=timestamp, window=window)
    return [
        ("x-api-key", credentials.api_key),
        ("x-signature", credentials.sign(message)),
        ("x-timestamp", str(timestamp)),
        ("x-window", str(window)),
    ]


def _query(query: Mapping[str, Any]) -> str:
    pairs = ((name, text) for name, value in query.items() for text in signed_texts(value))
    return "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in pairs)


_encoder = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _json(body: Any) -> bytes:
    return _encoder.encode(body).encode()


def read(reply: RawResponse[T]) -> T:
    """The result of a reply. Raises a StatusError, InvalidResponse or OutcomeUnknown."""
    problem = _refusals.refusal(reply.request, reply.status_code, reply.headers, reply.content)
    if problem is not None:
        raise problem
    try:
        return reply.request.reply.decode(reply.status_code, reply.content)
    except Exception as error:  # whatever a strange body sets off: a command may have been carried out
        raise _misfit(reply, error) from error


def _misfit(reply: RawResponse[Any], error: Exception) -> Exception:
    operation = reply.request.operation
    known: dict[str, Any] = {
        "request": reply.request,
        "status": reply.status_code,
        "headers": reply.headers,
        "content": reply.content,
    }
    what = f"the reply to {operation} (HTTP {reply.status_code}) does not fit: {_short(error)}"
    if operation.is_command:
        return OutcomeUnknown(_refusals.unknown_text(reply.request, what), client_id=reply.request.client_id, **known)
    return InvalidResponse(f"{what}. The raw body is in `content`.", **known)


def _short(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        return f"{place}: {first['msg']}" if place else str(first["msg"])
    return str(error)

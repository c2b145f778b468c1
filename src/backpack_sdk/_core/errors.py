"""Every exception of the package.

BackpackError
├── InvalidArgument            an argument was refused before anything was sent (also a ValueError)
├── CredentialsError           missing or unusable credentials (also a ValueError)
├── ConnectionFailed           the exchange could not be reached, or a read was cut off
│   └── RequestTimeout         … because time ran out (also a TimeoutError)
├── PagingError                a list can't be read on without a hole (in `pages`)
├── InvalidFrame               what came over the WebSocket is not a JSON object; the frame is attached
├── StreamError                the exchange refused something over the WebSocket, with a code
├── InvalidResponse            the reply does not fit the document; the raw reply is attached
├── OutcomeUnknown             a command may or may not have taken effect
└── StatusError                the exchange refused, with a status and usually a code
    ├── BadRequest             400 and every other 4xx without a class of its own
    │   ├── InsufficientFunds
    │   │   └── InsufficientMargin
    │   └── Conflict           409
    ├── AuthenticationError    401, or a signature that was not accepted
    ├── PermissionDenied       403
    │   └── RegionRestricted   451, or 403 from the edge: the place you call from is blocked
    ├── NotFound               404
    ├── RateLimited            429
    └── ServerError            5xx
        └── Maintenance        503 with code MAINTENANCE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .request import Request

EXCERPT = 300
"""Characters of an undecodable body that an error message quotes; the attribute `content` keeps all of it."""


class BackpackError(Exception):
    """Root of every error the SDK raises on purpose."""


class InvalidArgument(BackpackError, ValueError):
    """An argument can't be sent. Nothing has left this machine.

    `argument` names the parameter as the method spells it.
    """

    def __init__(self, argument: str, problem: str) -> None:
        super().__init__(f"{argument}: {problem}")
        self.argument = argument
        self.problem = problem

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.argument, self.problem)


class CredentialsError(BackpackError, ValueError):
    """Credentials are missing, malformed or contradict each other. The secret is never part of the message."""


class InvalidFrame(BackpackError):
    """A WebSocket frame that is no JSON object. `frame` holds it as received."""

    def __init__(self, message: str, frame: bytes = b"") -> None:
        super().__init__(message)
        self.frame = frame


class StreamError(BackpackError):
    """The exchange refused something over the WebSocket; the connection stays open.

    `code` is the exchange's number, `message` its text, and `stream` the stream that it is about, as far as known.
    """

    def __init__(self, message: str, *, code: int | None = None, stream: str | None = None) -> None:
        told = f"{message} (code {code})" if code is not None else message
        super().__init__(f"{stream}: {told}" if stream is not None else told)
        self.code = code
        self.message = message
        self.stream = stream

    def __reduce__(self) -> tuple[Any, ...]:
        return _stream_error, (type(self), self.message, self.code, self.stream), self.__dict__


def _stream_error(cls: type[StreamError], message: str, code: int | None, stream: str | None) -> StreamError:
    return cls(message, code=code, stream=stream)


class _CallError(BackpackError):
    """An error of one call: keeps the request that was made."""

    def __init__(self, message: str, *, request: Request[Any] | None = None) -> None:
        super().__init__(message)
        self.request = request


class ConnectionFailed(_CallError):
    """The exchange could not be reached, or the reply to a read was cut off. Nothing was changed there."""


class RequestTimeout(ConnectionFailed, TimeoutError):
    """Time ran out before a read was answered, or before a command could be sent."""


class _ReplyError(_CallError):
    """An error that comes with an HTTP reply.

    `status` is the HTTP status, `code` the exchange's error code when it sent one (a plain string, so that new codes
    need no new release), `headers` the reply's headers and `content` the body exactly as received.
    """

    def __init__(
        self,
        message: str,
        *,
        request: Request[Any] | None = None,
        status: int | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
    ) -> None:
        super().__init__(message, request=request)
        self.status = status
        self.code = code
        self.headers: Mapping[str, str] = {} if headers is None else headers
        self.content = content

    def __reduce__(self) -> tuple[Any, ...]:
        # What HTTP libraries hold headers in can't always be pickled.
        headers = {name.lower(): value for name, value in self.headers.items()}
        return type(self), self.args, {**self.__dict__, "headers": headers}

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 are replaced."""
        return self.content.decode("utf-8", "replace")


class InvalidResponse(_ReplyError):
    """A reply that does not fit the document. `content` holds the raw body, `__cause__` what was wrong with it."""


class OutcomeUnknown(_ReplyError):
    """A command was sent and no trustworthy answer came back: it may or may not have taken effect.

    It is not sent again. Look the result up before you repeat it: `client_id` is the id you gave the order (None when
    you gave none), `request` holds what was sent.
    """

    def __init__(self, message: str, *, client_id: int | str | None = None, **reply: Any) -> None:
        super().__init__(message, **reply)
        self.client_id = client_id


class StatusError(_ReplyError):
    """The exchange answered with a refusal. `message` is the exchange's own text, when it sent one."""

    def __init__(self, summary: str, *, message: str = "", **reply: Any) -> None:
        super().__init__(summary, **reply)
        self.message = message


class BadRequest(StatusError):
    """The exchange understood the request and will not do it."""


class InsufficientFunds(BadRequest):
    """The account does not hold enough for this command."""


class InsufficientMargin(InsufficientFunds):
    """The account's margin does not cover this command."""


class Conflict(BadRequest):
    """409: what was asked for clashes with something that is there already."""


class AuthenticationError(StatusError):
    """The key, the signature or its time window was not accepted."""


class PermissionDenied(StatusError):
    """The key is known and may not do this."""


class RegionRestricted(PermissionDenied):
    """Requests from this place are refused. `Backpack(alternate_urls=[...])` names other hosts to try."""


class NotFound(StatusError):
    """404: there is no such thing, or no longer."""


class RateLimited(StatusError):
    """429: too many requests. `retry_after` is the pause the exchange asked for in seconds, or None."""

    def __init__(self, summary: str, *, retry_after: float | None = None, **reply: Any) -> None:
        super().__init__(summary, **reply)
        self.retry_after = retry_after


class ServerError(StatusError):
    """5xx in answer to a read: the fault is on the other side and a later try may work."""


class Maintenance(ServerError):
    """The exchange is under maintenance and has not carried the request out."""


BY_CODE: dict[str, type[StatusError]] = {
    "FORBIDDEN": PermissionDenied,
    "INSUFFICIENT_FUNDS": InsufficientFunds,
    "INSUFFICIENT_MARGIN": InsufficientMargin,
    "INVALID_SIGNATURE": AuthenticationError,
    "MAINTENANCE": Maintenance,
    "RESOURCE_NOT_FOUND": NotFound,
    "TOO_MANY_REQUESTS": RateLimited,
    "UNAUTHORIZED": AuthenticationError,
}
"""Error classes of the exchange's codes that have one of their own; any other code goes by the HTTP status."""

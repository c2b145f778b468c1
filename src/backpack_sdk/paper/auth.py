"""Who sent a private request, and is it theirs: keys, clock, window and signature. Pure.

Rebuilds the signed message from the request as it arrived and shares no code with the client's signing, so that a
mistake there is refused here. Two things are assumed, for the exchange has never shown them: several values of one name
stand as `k=a&k=b`, and a nested object stands as its compact JSON.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import cast

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from .errors import ApiError, ApiErrorCode, MalformedRequest
from .operations import Operation
from .received import HIDDEN

DEFAULT_WINDOW_MS = 5_000
MAX_WINDOW_MS = 60_000
KEY_BYTES = 32
_SIGNATURE_BYTES = 64
_MAX_DIGITS = 16
_SECRET_PARAMETERS = frozenset({"twoFactorToken"})
_SUBSCRIBE = Operation("subscribe", "GET", "/", "subscribe")

Pair = tuple[str, str]


def check_api_key(api_key: str) -> None:
    """Check that an API key is an ED25519 verifying key in base64.

    Raises:
        ValueError: it is not.
    """
    try:
        raw = base64.b64decode(api_key, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES or base64.b64encode(raw).decode() != api_key:
        raise ValueError(f"API key {api_key!r} is not the base64 text of a 32-byte ED25519 verifying key")


def authenticate(
    operation: Operation,
    query: Sequence[Pair],
    body: object,
    headers: Mapping[str, str],
    *,
    keys: Container[str],
    now_ms: int,
) -> str:
    """Return the API key that signed the request.

    `query` holds the decoded parameters, `body` the parsed JSON; `keys` the known keys. Header names are in lower case.
    A timestamp may differ from `now_ms` by the window either way.

    Raises:
        ApiError: `UNAUTHORIZED` (401) for a missing or unknown key; `INVALID_CLIENT_REQUEST` for a timestamp or window
            that is no number or a window above 60000 ms; `INVALID_SIGNATURE` for the rest.
        MalformedRequest: a value that is not Unicode text.
    """
    api_key = headers.get("x-api-key")
    if api_key is None:
        raise ApiError(
            ApiErrorCode.UNAUTHORIZED, f"{operation.name} is private: the header X-API-Key is missing", status=401
        )
    if api_key not in keys:
        raise ApiError(ApiErrorCode.UNAUTHORIZED, f"no account has the API key {api_key}", status=401)
    timestamp = _milliseconds(headers, "X-Timestamp", None)
    window = _milliseconds(headers, "X-Window", str(DEFAULT_WINDOW_MS))
    if not 0 < int(window) <= MAX_WINDOW_MS:
        raise ApiError(
            ApiErrorCode.INVALID_CLIENT_REQUEST, f"X-Window is {window}, it must lie in 1 to {MAX_WINDOW_MS} ms"
        )
    _check_clock(int(timestamp), int(window), now_ms)

    parameters = list(_signed_parameters(operation, query, body))
    ending = [("timestamp", timestamp), ("window", window)]
    try:
        message = _joined(parameters + ending).encode()
    except UnicodeEncodeError:
        raise MalformedRequest("failed to read the request: a text in it is not valid Unicode") from None
    # Libsodium compares in constant time. The lookup above need not: an API key is public.
    try:
        VerifyKey(base64.b64decode(api_key)).verify(message, _signature(headers))
    except BadSignatureError:
        shown = _joined([(name, HIDDEN if name in _SECRET_PARAMETERS else text) for name, text in parameters] + ending)
        raise ApiError(
            ApiErrorCode.INVALID_SIGNATURE,
            f"the signature is not one of this API key over what the request says, which is: {shown}",
        ) from None
    return api_key


def authenticate_subscription(
    api_key: str, signature: str, timestamp: str, window: str, *, keys: Container[str], now_ms: int
) -> str:
    """Return the API key that signed a subscription to private streams. The parts come in the order of the wire.

    Raises:
        ApiError: as for `authenticate`.
    """
    headers = {"x-api-key": api_key, "x-signature": signature, "x-timestamp": timestamp, "x-window": window}
    return authenticate(_SUBSCRIBE, (), None, headers, keys=keys, now_ms=now_ms)


def _milliseconds(headers: Mapping[str, str], name: str, default: str | None) -> str:
    value = headers.get(name.lower(), default)
    if value is None:
        raise ApiError(ApiErrorCode.INVALID_CLIENT_REQUEST, f"the header {name} is missing")
    if not (value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS):
        raise ApiError(ApiErrorCode.INVALID_CLIENT_REQUEST, f"{name} is {value!r}, it must be whole milliseconds")
    return value


def _check_clock(timestamp: int, window: int, now_ms: int) -> None:
    late = now_ms - timestamp
    if abs(late) > window:
        raise ApiError(
            ApiErrorCode.INVALID_SIGNATURE,
            f"request has expired: X-Timestamp {timestamp} is {abs(late)} ms {'behind' if late > 0 else 'ahead of'} the"
            f" exchange's clock and the window is {window} ms. Set the clock, or correct it by /api/v1/time",
        )


def _signature(headers: Mapping[str, str]) -> bytes:
    text = headers.get("x-signature")
    if text is None:
        raise ApiError(ApiErrorCode.INVALID_SIGNATURE, "the header X-Signature is missing")
    try:
        signature = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ApiError(ApiErrorCode.INVALID_SIGNATURE, "X-Signature is not base64") from None
    if len(signature) != _SIGNATURE_BYTES:
        raise ApiError(
            ApiErrorCode.INVALID_SIGNATURE, f"X-Signature has {len(signature)} bytes, an ED25519 signature has 64"
        )
    return signature


def _joined(pairs: Iterable[Pair]) -> str:
    return "&".join(f"{name}={text}" for name, text in pairs)


def _signed_parameters(operation: Operation, query: Sequence[Pair], body: object) -> Iterator[Pair]:
    """Yield the pairs before timestamp and window. A batch repeats the instruction before each of its items."""
    instruction = ("instruction", operation.instruction or "")
    if not operation.has_body:
        yield instruction
        yield from sorted(query, key=_name)
        return
    for item in cast("list[object]", body) if isinstance(body, list) else [body]:
        yield instruction
        members = cast("dict[str, object]", item) if isinstance(item, dict) else {}
        for name in sorted(members):
            for text in _texts(members[name]):
                yield name, text


def _name(pair: Pair) -> str:
    return pair[0]


def _texts(value: object) -> Iterator[str]:
    """Yield how a JSON value stands in the message; null stands for absent."""
    if value is None:
        return
    if isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, dict):
        yield json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _texts(item)
    else:
        yield str(value)

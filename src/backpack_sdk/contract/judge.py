"""Whether one reply keeps to the document: its status, its kind of body, every value, and whether the SDK reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import httpx
from pydantic import ValidationError
from schemathesis.core.failures import Failure, FailureGroup

from .compare import departures, shown
from .document import Json, Promise
from .findings import Departure, Kind

EDGE = frozenset({403, 429, 451, 502, 503, 504, 520, 521, 522, 523, 524})
"""Statuses of what stands in front of an exchange (blocked regions, rate limits, a server that is down): undocumented,
and no departure of the operation."""
_FAILED, _UNAUTHORIZED, _MISSING = 400, 401, 404
_BROKEN = 500


def judge(
    promise: Promise, operation: Any, status: int, headers: Mapping[str, str], content: bytes
) -> tuple[list[Departure], Json]:
    """Where a reply leaves the document, and its JSON; None when it has none.

    `operation` is the one that schemathesis holds. The exchange is known to refuse in ways that its document leaves
    out, and those are no departures: plain text in the place of an error object, and the statuses of `_is_ordinary`.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    stated = promise.response(status)
    found: list[Departure] = []
    if status >= _BROKEN and status not in EDGE:
        found.append(
            Departure(Kind.SERVER_ERROR, "", f"HTTP {status}: {shown(content[:200].decode(errors='replace'))}")
        )
    elif stated is None and not _is_ordinary(promise, status, content):
        detail = f"HTTP {status}, documented are {', '.join(promise.facts['responses'])}"
        found.append(Departure(Kind.STATUS, "", detail, value=status))
    if status >= _FAILED and kind != "application/json":
        return found, None
    documented = (stated or {}).get("content", {})
    if stated is not None and status < _FAILED and kind not in documented and (content or documented):
        wanted = ", ".join(documented) or "an empty body"
        came = f"{kind or 'no content type'} and {len(content)} bytes" if content else "an empty body"
        found.append(Departure(Kind.CONTENT, "", f"HTTP {status} came with {came} in the place of {wanted}"))
        return found, None
    if kind != "application/json" or stated is None:
        return found + list(_unread(promise, status, content, found)), None
    try:
        body = json.loads(content)
    except ValueError as problem:
        found.append(Departure(Kind.CONTENT, "", f"HTTP {status} came with what is no JSON: {problem}"))
        return found, None
    if kind in documented:
        place = f"operations.{promise.name}.{status}"
        mine = list(departures(documented[kind]["schema"], body, "", place))
        found += mine
        if all(each.kind is Kind.UNKNOWN_FIELD for each in mine):
            found += _by_schemathesis(operation, promise, status, headers, content)
    return found + list(_unread(promise, status, content, found)), body


def _is_ordinary(promise: Promise, status: int, content: bytes) -> bool:
    """Whether a status needs no mention although the document leaves it out.

    Those of the edge; the refusal of a key where one is asked for; of arguments where there are any; and 404 with the
    error code for it, which the exchange was seen to send where only 400 is documented.
    """
    takes_arguments = bool(promise.facts.get("parameters")) or promise.body is not None
    return (
        status in EDGE
        or (status == _UNAUTHORIZED and promise.operation.instruction is not None)
        or (status == _FAILED and takes_arguments)
        or (status == _MISSING and takes_arguments and b'"RESOURCE_NOT_FOUND"' in content)
    )


def _by_schemathesis(
    operation: Any, promise: Promise, status: int, headers: Mapping[str, str], content: bytes
) -> Iterator[Departure]:
    request = httpx.Request(promise.operation.method, f"http://server{promise.operation.path}")
    only = {"content-type": headers.get("content-type", "application/json")}
    response = httpx.Response(status, headers=only, content=content, request=request)
    response.elapsed = timedelta(0)
    try:
        operation.validate_response(response)
    except (Failure, FailureGroup) as problem:  # one comes alone, several in a group
        for failure in problem.exceptions if isinstance(problem, FailureGroup) else (problem,):
            lines = [line.strip() for line in str(failure).splitlines() if line.strip()]
            yield Departure(Kind.SCHEMA, "", " / ".join(lines[:3]))


def _unread(promise: Promise, status: int, content: bytes, found: list[Departure]) -> Iterator[Departure]:
    """Whether the SDK can't read a success. What is reported already needs no second line."""
    if status >= _FAILED or any(each.kind in (Kind.CONTENT, Kind.STATUS) for each in found):
        return
    try:
        promise.request().reply.decode(status, content)
    except Exception as problem:  # whatever a strange body sets off
        yield _unreadable(problem)


def _unreadable(problem: Exception) -> Departure:
    """What the SDK stumbled over, without the values: the same fault of two replies is one finding."""
    if not isinstance(problem, ValidationError):
        return Departure(Kind.UNREADABLE, "", f"{type(problem).__name__}: {shown(str(problem))}")
    first = problem.errors(include_url=False, include_input=False, include_context=False)[0]
    path = "".join("[]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    return Departure(Kind.UNREADABLE, path, first["msg"])

"""Every documented refusal, and some that nobody documented: the right error with everything that came."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import backpack_sdk as sdk
from backpack_sdk._core.errors import BackpackError

from ..document import document
from .mirror import bodies
from .surface import Surface, examples, ran, surfaces
from .test_replies import json_values, reply_to, request_of

ELSEWHERE = (301, 304, 402, 405, 408, 413, 418, 422, 429, 451, 502, 503, 504, 520)
KNOWN = frozenset(document()["components"]["schemas"]["ApiErrorCode"]["enum"])
BY_CODE: dict[str, type[BackpackError]] = {
    "FORBIDDEN": sdk.PermissionDenied, "INSUFFICIENT_FUNDS": sdk.InsufficientFunds,
    "INSUFFICIENT_MARGIN": sdk.InsufficientMargin, "INVALID_SIGNATURE": sdk.AuthenticationError,
    "MAINTENANCE": sdk.Maintenance, "RESOURCE_NOT_FOUND": sdk.NotFound, "TOO_MANY_REQUESTS": sdk.RateLimited,
    "UNAUTHORIZED": sdk.AuthenticationError,
}  # fmt: skip
BY_STATUS: dict[int, type[BackpackError]] = {
    401: sdk.AuthenticationError, 403: sdk.PermissionDenied, 404: sdk.NotFound, 409: sdk.Conflict,
    429: sdk.RateLimited, 451: sdk.RegionRestricted,
}  # fmt: skip
UNDECIDED = {"SERVER_ERROR", "TIMEOUT"}

contents = st.one_of(
    bodies("/refusal").map(lambda body: json.dumps(body).encode()),
    st.sampled_from(sorted(KNOWN)).map(lambda code: json.dumps({"code": code, "message": "no"}).encode()),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.sampled_from([b"", b"not found", b"<html><body>blocked</body></html>", b"null", b"\xff\xfe"]),
    st.sampled_from([b"[" * 100_000, b"9" * 5000]),
    st.binary(max_size=20),
)  # fmt: skip


def code_of(content: bytes) -> str | None:
    """The code in a body of the exchange's own form."""
    try:
        code = json.loads(content)["code"]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None
    return code if isinstance(code, str) and code else None


def expected(surface: Surface, status: int, code: str | None) -> type[BackpackError]:
    """The class that the error tree's description gives."""
    if surface.operation.method != "GET":
        broken = (status >= 500 or status == 408) and (code is None or code not in KNOWN)
        if broken or code in UNDECIDED:
            return sdk.OutcomeUnknown
    if code in BY_CODE:
        return BY_CODE[code]
    if status == 403 and code is None:
        return sdk.RegionRestricted
    if status >= 500:
        return sdk.ServerError
    return BY_STATUS.get(status, sdk.BadRequest if status >= 400 else sdk.StatusError)


def statuses(surface: Surface) -> st.SearchStrategy[int]:
    """Documented refusals of an operation, and others."""
    documented = [int(status) for status in surface.operation.facts["responses"] if int(status) >= 400]
    return st.sampled_from([*documented, *documented, *ELSEWHERE])


@pytest.mark.parametrize("surface", surfaces(), ids=lambda each: each.name)
@examples()
@given(data=st.data())
def test_a_refusal_is_the_right_error_and_keeps_what_came(surface: Surface, data: st.DataObject) -> None:
    ran[surface.name, "errors"] += 1
    request, status, content = request_of(data, surface), data.draw(statuses(surface)), data.draw(contents)
    with pytest.raises(BackpackError) as caught:
        reply_to(request, status, content).parse()
    problem: Any = caught.value
    code = code_of(content)
    assert (problem.status, problem.code, problem.content, problem.request) == (status, code, content, request)
    assert type(problem) is expected(surface, status, code)
    assert len(str(problem)) < 1500 + len(code or "")
    if isinstance(problem, sdk.OutcomeUnknown):
        assert problem.client_id == request.client_id

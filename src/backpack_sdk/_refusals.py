"""What a reply that is no success means: which error, and whether a command may have taken effect all the same."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from ._core.errors import (
    BY_CODE,
    EXCERPT,
    AuthenticationError,
    BackpackError,
    BadRequest,
    Conflict,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    RegionRestricted,
    ServerError,
    StatusError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._core.request import Request

_BY_STATUS: dict[int, type[StatusError]] = {
    401: AuthenticationError,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    429: RateLimited,
    451: RegionRestricted,
}
_UNDECIDED = {"SERVER_ERROR", "TIMEOUT"}
"""Codes that say something went wrong on the way, not that the exchange declined."""


def refusal(request: Request[Any], status: int, headers: Mapping[str, str], content: bytes) -> BackpackError | None:
    """The error a reply stands for; None for a success."""
    if 200 <= status < 300:
        return None
    code, message = _said(content)
    known: dict[str, Any] = {
        "request": request, "status": status, "code": code, "headers": headers, "content": content
    }  # fmt: skip
    summary = _summary(request, status, code, message, content)
    if request.operation.is_command and _may_have_acted(status, code):
        return OutcomeUnknown(unknown_text(request, summary), client_id=request.client_id, **known)
    kind = _kind(status, code)
    if kind is RegionRestricted:
        summary += ". Requests from this place are blocked: name other hosts with alternate_urls=[...]"
    if issubclass(kind, RateLimited):
        return kind(summary, message=message, retry_after=retry_after(headers), **known)
    return kind(summary, message=message, **known)


def _may_have_acted(status: int, code: str | None) -> bool:
    """A 5xx or a time-out says nothing about the command, unless it comes with a known code that declines it."""
    if status < 500 and status != 408:
        return code in _UNDECIDED
    from ._generated.shared import ApiErrorCode

    return code is None or code in _UNDECIDED or not ApiErrorCode(code).is_known


def _kind(status: int, code: str | None) -> type[StatusError]:
    if code is not None and code in BY_CODE:
        return BY_CODE[code]
    if status == 403 and code is None:
        return RegionRestricted
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return ServerError
    return BadRequest if status >= 400 else StatusError


def _said(content: bytes) -> tuple[str | None, str]:
    """Code and message of a JSON error body; plain text is a message without a code."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        text = content.decode("utf-8", "replace").strip()
        return None, "" if text.startswith("<") else text
    if not isinstance(body, dict):
        return None, str(body) if isinstance(body, str) else ""
    code, message = body.get("code"), body.get("message")
    return (code if isinstance(code, str) and code else None), (message if isinstance(message, str) else "")


def _summary(request: Request[Any], status: int, code: str | None, message: str, content: bytes) -> str:
    said = message or content.decode("utf-8", "replace").strip() or "no explanation"
    said = said if len(said) <= EXCERPT else f"{said[:EXCERPT]}..."
    return f"{request.operation} was refused with HTTP {status}{f' {code}' if code is not None else ''}: {said}"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the server asks to wait, from `Retry-After` in seconds or as a date (against the reply's own `Date`)."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            until = parsedate_to_datetime(value)
            since = parsedate_to_datetime(headers.get("date", ""))
            seconds = (until - since).total_seconds()
        except (TypeError, ValueError, OverflowError):
            return None
    return seconds if 0 <= seconds < float("inf") else None


def unknown_text(request: Request[Any], what: str) -> str:
    """The message of an OutcomeUnknown: what happened, and how to find out whether the command was carried out."""
    return (
        f"{what}. The command may or may not have taken effect, and it is not sent again. {_how_to_find_out(request)}"
    )


def _how_to_find_out(request: Request[Any]) -> str:
    operation, client_id = request.operation, request.client_id
    if operation.tag == "order" and operation.name == "execute_order":
        if client_id is not None:
            return f"Look for client_id {client_id} with order.get_order, then in order.get_fills."
        return "Compare order.get_open_orders and order.get_fills; a client_id would have named the order."
    where = {
        "order": "order.get_open_orders and order.get_order_history",
        "strategy": "strategy.get_open_strategies and strategy.get_strategies_history",
        "capital": "capital.get_balances and the histories of `capital`",
        "borrow_lend": "borrow_lend.get_borrow_lend_positions and borrow_lend.get_borrow_lend_history",
        "rfq": "rfq.get_open_rfqs and rfq.get_rfq_history",
        "vaults": "vaults.get_vault_pending_redeems and capital.get_balances",
        "account": "account.get_account",
        "withdrawal_delays": "withdrawal_delays.get_withdrawal_delay",
    }.get(operation.tag)
    return f"Compare {where}." if where is not None else "Read the state back before you repeat it."

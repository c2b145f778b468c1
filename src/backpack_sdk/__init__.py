"""Typed Python SDK for Backpack Exchange.

    from backpack_sdk import Backpack, Credentials

    with Backpack(Credentials.from_env()) as bp:
        print(bp.markets.get_depth("SOL-USDC", limit=5))

Everything below is imported when it is first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from ._version import __version__

TYPE_CHECKING = False  # what `typing` says at runtime, without the milliseconds that importing it takes
if TYPE_CHECKING:
    from typing import Any

    from . import auth, operations, orders, pages, pairs, rules, streams, types
    from ._core.enums import OpenEnum
    from ._core.errors import (
        AuthenticationError,
        BackpackError,
        BadRequest,
        Conflict,
        ConnectionFailed,
        CredentialsError,
        InsufficientFunds,
        InsufficientMargin,
        InvalidArgument,
        InvalidFrame,
        InvalidResponse,
        Maintenance,
        NotFound,
        OutcomeUnknown,
        PermissionDenied,
        RateLimited,
        RegionRestricted,
        RequestTimeout,
        ServerError,
        StatusError,
        StreamError,
    )
    from ._core.model import Model
    from ._core.reply import Accepted, Acknowledged, NoContent, TextReply
    from ._core.request import Operation, Request
    from ._generated.catalog import OPERATIONS
    from ._wire import RawResponse
    from .auth import Credentials
    from .client import AsyncBackpack, Backpack
    from .pages import AsyncPager, Cursor, Pager, PagingError, Progress
    from .pairs import Pair, PairError, PairKind
    from .rules import MarketRules
    from .streams.book import OrderBook
    from .streams.options import StreamOptions

_HOMES = {
    **dict.fromkeys(("auth", "operations", "orders", "pages", "pairs", "rules", "streams", "types"), ""),
    **dict.fromkeys(
        (
            "AuthenticationError", "BackpackError", "BadRequest", "Conflict", "ConnectionFailed", "CredentialsError",
            "InsufficientFunds", "InsufficientMargin", "InvalidArgument", "InvalidFrame", "InvalidResponse",
            "Maintenance", "NotFound", "OutcomeUnknown", "PermissionDenied", "RateLimited", "RegionRestricted",
            "RequestTimeout", "ServerError", "StatusError", "StreamError",
        ),
        "._core.errors",
    ),
    **dict.fromkeys(("Accepted", "Acknowledged", "NoContent", "TextReply"), "._core.reply"),
    **dict.fromkeys(("Operation", "Request"), "._core.request"),
    **dict.fromkeys(("AsyncBackpack", "Backpack"), ".client"),
    **dict.fromkeys(("AsyncPager", "Cursor", "Pager", "PagingError", "Progress"), ".pages"),
    **dict.fromkeys(("Pair", "PairError", "PairKind"), ".pairs"),
    "Credentials": ".auth",
    "MarketRules": ".rules",
    "Model": "._core.model",
    "OPERATIONS": "._generated.catalog",
    "OpenEnum": "._core.enums",
    "OrderBook": ".streams.book",
    "RawResponse": "._wire",
    "StreamOptions": ".streams.options",
}  # fmt: skip

__all__ = [
    "OPERATIONS",
    "Accepted",
    "Acknowledged",
    "AsyncBackpack",
    "AsyncPager",
    "AuthenticationError",
    "Backpack",
    "BackpackError",
    "BadRequest",
    "Conflict",
    "ConnectionFailed",
    "Credentials",
    "CredentialsError",
    "Cursor",
    "InsufficientFunds",
    "InsufficientMargin",
    "InvalidArgument",
    "InvalidFrame",
    "InvalidResponse",
    "Maintenance",
    "MarketRules",
    "Model",
    "NoContent",
    "NotFound",
    "OpenEnum",
    "Operation",
    "OrderBook",
    "OutcomeUnknown",
    "Pager",
    "PagingError",
    "Pair",
    "PairError",
    "PairKind",
    "PermissionDenied",
    "Progress",
    "RateLimited",
    "RawResponse",
    "RegionRestricted",
    "Request",
    "RequestTimeout",
    "ServerError",
    "StatusError",
    "StreamError",
    "StreamOptions",
    "TextReply",
    "__version__",
    "auth",
    "operations",
    "orders",
    "pages",
    "pairs",
    "rules",
    "streams",
    "types",
]


if not TYPE_CHECKING:  # a type checker would take every misspelt name for one that exists

    def __getattr__(name: str) -> Any:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = import_module(f".{name}", __name__) if not home else getattr(import_module(home, __name__), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted(__all__)

"""Live data over the WebSocket, and the order books and account state that are kept from it.

Clients make these: `streams()`, `order_books()`, `account_state()`. What they give is named here, for type annotations
and for what can be caught or chosen; `events` holds the classes of all events.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import events as events
    from .account import AccountState as AccountState
    from .account_changes import AccountChange as AccountChange
    from .account_changes import Filled as Filled
    from .account_changes import OrderChanged as OrderChanged
    from .account_changes import OrderClosed as OrderClosed
    from .account_changes import OrderOpened as OrderOpened
    from .account_changes import PositionChanged as PositionChanged
    from .account_changes import PositionClosed as PositionClosed
    from .account_changes import Synchronised as Synchronised
    from .account_records import AccountFill as AccountFill
    from .account_records import TrackedOrder as TrackedOrder
    from .account_records import TrackedPosition as TrackedPosition
    from .blocking import BlockingStreams as BlockingStreams
    from .blocking_account import BlockingAccountState as BlockingAccountState
    from .blocking_books import BlockingOrderBooks as BlockingOrderBooks
    from .blocking_subscription import BlockingSubscription as BlockingSubscription
    from .blocking_subscription import Listening as Listening
    from .book import BookSnapshot as BookSnapshot
    from .book import OrderBook as OrderBook
    from .book import SequenceGap as SequenceGap
    from .client import Streams as Streams
    from .options import Mode as Mode
    from .options import StreamOptions as StreamOptions
    from .order_books import BookUnavailable as BookUnavailable
    from .order_books import OrderBooks as OrderBooks
    from .polling import DepthSnapshot as DepthSnapshot
    from .queue import Overflow as Overflow
    from .queue import SlowConsumer as SlowConsumer
    from .status import ConnectionState as ConnectionState
    from .status import StateChange as StateChange
    from .status import StreamCounters as StreamCounters
    from .subscription import Source as Source
    from .subscription import Subscription as Subscription
    from .sync_events import SyncCounters as SyncCounters
    from .sync_events import SyncState as SyncState

_HOMES = {
    **dict.fromkeys(
        ("AccountChange", "Filled", "OrderChanged", "OrderClosed", "OrderOpened", "PositionChanged", "PositionClosed",
         "Synchronised"),
        "account_changes",
    ),
    **dict.fromkeys(("AccountFill", "TrackedOrder", "TrackedPosition"), "account_records"),
    **dict.fromkeys(("BlockingSubscription", "Listening"), "blocking_subscription"),
    **dict.fromkeys(("BookSnapshot", "OrderBook", "SequenceGap"), "book"),
    **dict.fromkeys(("BookUnavailable", "OrderBooks"), "order_books"),
    **dict.fromkeys(("ConnectionState", "StateChange", "StreamCounters"), "status"),
    **dict.fromkeys(("Mode", "StreamOptions"), "options"),
    **dict.fromkeys(("Overflow", "SlowConsumer"), "queue"),
    **dict.fromkeys(("Source", "Subscription"), "subscription"),
    **dict.fromkeys(("SyncCounters", "SyncState"), "sync_events"),
    "AccountState": "account",
    "BlockingAccountState": "blocking_account",
    "BlockingOrderBooks": "blocking_books",
    "BlockingStreams": "blocking",
    "DepthSnapshot": "polling",
    "Streams": "client",
    "events": "",
}  # fmt: skip

__all__ = sorted(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        from .._core.lazy import find

        return find(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return list(__all__)

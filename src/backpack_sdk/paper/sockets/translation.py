"""From an event of the engine to the streams it belongs to. A new kind of event is one function and one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from ..engine import (
    BestPricesChanged,
    DepthChanged,
    Event,
    Fill,
    Liquidated,
    Order,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderModified,
    PositionChanged,
    Trade,
    TriggerFailed,
    TriggerPlaced,
)
from ..engine.rfq_events import RfqUpdated
from . import frames, private_frames
from .spelling import Spelling

PUBLIC = ""
"""The account of public streams."""


class Feed(Protocol):
    """Where translated events go."""

    now_us: int

    def words(self, symbol: str) -> Spelling:
        """Return how a market spells its figures."""
        ...

    def wants(self, account: str, stream: str) -> bool:
        """Return whether anybody listens, so that nothing is written in vain."""
        ...

    def listens(self, account: str) -> bool:
        """Return whether anybody listens to any private stream of an account."""
        ...

    def accounts(self, stream: str) -> Iterable[str]:
        """Return the accounts that listen to a private stream."""
        ...

    def send(self, account: str, stream: str, data: bytes) -> None:
        """Send data to those who listen to a stream."""
        ...

    def collect_depth(self, event: DepthChanged) -> None:
        """Count a change of a book for the aggregated streams."""
        ...

    def collect_trade(self, event: Trade) -> None:
        """Count a trade for the candles."""
        ...


def translate(event: Event, feed: Feed) -> None:
    """Hand an event to every stream that carries it."""
    carry = _CARRIERS.get(type(event))
    if carry is not None:
        carry(event, feed)


def _depth(event: DepthChanged, feed: Feed) -> None:
    feed.collect_depth(event)
    stream = f"depth.{event.symbol}"
    if feed.wants(PUBLIC, stream):
        delta = event.delta
        data = frames.depth(
            feed.words(event.symbol),
            delta.bids,
            delta.asks,
            first_id=delta.first_update_id,
            last_id=delta.last_update_id,
            engine_us=event.time_us,
            now_us=feed.now_us,
        )
        feed.send(PUBLIC, stream, data)


def _best_prices(event: BestPricesChanged, feed: Feed) -> None:
    stream = f"bookTicker.{event.symbol}"
    if feed.wants(PUBLIC, stream):
        data = frames.book_ticker(feed.words(event.symbol), event, feed.now_us)
        if data is not None:
            feed.send(PUBLIC, stream, data)


def _trade(event: Trade, feed: Feed) -> None:
    feed.collect_trade(event)
    stream = f"trade.{event.symbol}"
    if feed.wants(PUBLIC, stream):
        feed.send(PUBLIC, stream, frames.trade(feed.words(event.symbol), event, feed.now_us))


def send_private(feed: Feed, account: str, kind: str, symbol: str, data: Callable[[], bytes]) -> None:
    """Send data to an account's stream of all markets and to that of one."""
    if not feed.listens(account):
        return
    streams = [stream for stream in (kind, f"{kind}.{symbol}") if feed.wants(account, stream)]
    if streams:
        written = data()
        for stream in streams:
            feed.send(account, stream, written)


def _order(feed: Feed, name: str, order: Order, time_us: int, fill: Fill | None = None) -> None:
    send_private(
        feed,
        order.account,
        "account.orderUpdate",
        order.symbol,
        lambda: private_frames.order_update(feed.words(order.symbol), name, order, time_us, feed.now_us, fill),
    )


def _order_event(name: str) -> Callable[[Any, Feed], None]:
    """Return what carries events of an order and nothing else."""

    def carry(event: Any, feed: Feed) -> None:
        _order(feed, name, event.order, event.time_us)

    return carry


def _filled(event: OrderFilled, feed: Feed) -> None:
    _order(feed, "orderFill", event.order, event.time_us, event.fill)


def _position(event: PositionChanged, feed: Feed) -> None:
    position = event.position
    send_private(
        feed,
        position.account,
        "account.positionUpdate",
        position.symbol,
        lambda: private_frames.position_update(position, event.change, event.time_us, feed.now_us),
    )


def _liquidated(event: Liquidated, feed: Feed) -> None:
    if feed.wants(PUBLIC, "liquidation"):
        feed.send(PUBLIC, "liquidation", frames.liquidation(feed.words(event.symbol), event, feed.now_us))


def _rfq(event: RfqUpdated, feed: Feed) -> None:
    """Tell one account, or all but the one that asked."""
    kind, symbol = "account.rfqUpdate", event.rfq.symbol
    accounts = {event.account} if event.account is not None else _others(feed, kind, symbol, event.rfq.account)
    for account in sorted(accounts):
        send_private(feed, account, kind, symbol, lambda: private_frames.rfq_update(event, feed.now_us))


def _others(feed: Feed, kind: str, symbol: str, account: str) -> set[str]:
    return {*feed.accounts(kind), *feed.accounts(f"{kind}.{symbol}")} - {account}


_CARRIERS: Mapping[type, Callable[[Any, Feed], None]] = {
    BestPricesChanged: _best_prices,
    DepthChanged: _depth,
    Liquidated: _liquidated,
    OrderAccepted: _order_event("orderAccepted"),
    OrderCancelled: _order_event("orderCancelled"),
    OrderExpired: _order_event("orderExpired"),
    OrderFilled: _filled,
    OrderModified: _order_event("orderModified"),
    PositionChanged: _position,
    RfqUpdated: _rfq,
    Trade: _trade,
    TriggerFailed: _order_event("triggerFailed"),
    TriggerPlaced: _order_event("triggerPlaced"),
}

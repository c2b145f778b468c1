"""A snapshot of a thousand levels a side into a live book from REST's bytes, and what 91 such books weigh."""

from __future__ import annotations

import contextlib
import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

from _books import ccxt_pro, check_ours, parse_snapshot
from _frames import Feed
from _measure import Case


def our_book(symbol: str, body: bytes) -> Any:
    """As the synchroniser does it."""
    from backpack_sdk import OrderBook
    from backpack_sdk.streams.seeding import read_depth

    book, depth = OrderBook(symbol), read_depth(body)
    book.apply_snapshot(depth.bids, depth.asks, depth.last_update_id, engine_time=depth.timestamp)
    return book


def make_ccxt_book() -> Callable[[str, bytes], Any]:
    exchange = ccxt_pro()

    def ccxt_book(symbol: str, body: bytes) -> Any:
        unified = exchange.safe_symbol(symbol)
        book = exchange.order_book()
        book.reset(parse_snapshot(exchange, body, unified))
        return book

    return ccxt_book


def makers() -> dict[str, Callable[[str, bytes], Any]]:
    """How each makes a book; ccxt only where it is installed."""
    found: dict[str, Callable[[str, bytes], Any]] = {"backpack_sdk": our_book}
    with contextlib.suppress(ImportError):
        found["ccxt.pro"] = make_ccxt_book()
    return found


def cases(feed: Feed) -> list[Case]:
    symbol, body = next(iter(feed.snapshots.items()))
    found = [Case(name, lambda make=make: make(symbol, body)) for name, make in makers().items()]
    fresh = Feed.make(0)
    check_ours("backpack_sdk", lambda one: our_book(one, fresh.snapshots[one]), fresh.finals)
    return found


def weigh(make: Callable[[str, bytes], Any], feed: Feed) -> tuple[float, float]:
    """Megabytes of all books: as they were loaded, and after every level was read once."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        books = [make(symbol, body) for symbol, body in feed.snapshots.items()]
        gc.collect()
        loaded = tracemalloc.get_traced_memory()[0] - before
        for book in books:
            if hasattr(book, "bids"):
                _ = book.bids(), book.asks()
        gc.collect()
        return loaded / 1e6, (tracemalloc.get_traced_memory()[0] - before) / 1e6
    finally:
        tracemalloc.stop()

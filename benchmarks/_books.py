"""Books fed from memory, without a network: each contender gets every frame as its own connection hands it on.

A contender is made anew for each run, with its books loaded. `take` is called with each frame and, when asked to, reads
best bid and ask of the book that it changed; `check` compares every level of both sides with what must be there.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import time
from collections.abc import Callable, Generator
from decimal import Decimal
from typing import Any

from _frames import FRAME_BYTES, Feed, Final, perpetuals

TOGETHER = 100
"""Frames that a busy socket gets at once, 18 kB: over the loopback interface, as fast as it goes, it gets 1,400."""
Levels = list[tuple[Any, Any]]


class WrongBook(Exception):
    """A book is not what the frames make it: whatever was measured is void."""


def compare(name: str, symbol: str, found: tuple[Levels, Levels], final: Final, number: Callable[[str], Any]) -> None:
    """Hold a book against what it must be, best levels first. Raises WrongBook."""
    for side, levels, wanted in zip(("bids", "asks"), found, (final.bids, final.asks), strict=True):
        right = [(number(price), number(size)) for price, size in wanted]
        if levels != right:
            raise WrongBook(f"{name}: the {side} of {symbol} are wrong: {len(levels)} levels, expected {len(right)}")


def check_ours(name: str, book_of: Callable[[str], Any], finals: dict[str, Final]) -> None:
    for symbol, final in finals.items():
        book = book_of(symbol)
        if book is None or book.last_update_id != final.last_id:
            raise WrongBook(f"{name}: {symbol} should be at update {final.last_id}: {book!r}")
        compare(name, symbol, (list(book.bids()), list(book.asks())), final, Decimal)


def check_ccxt(name: str, exchange: Any, finals: dict[str, Final]) -> None:
    for symbol, final in finals.items():
        book = exchange.orderbooks[exchange.safe_symbol(symbol)]
        if book["nonce"] != final.last_id:
            raise WrongBook(f"{name}: {symbol} is at update {book['nonce']} instead of {final.last_id}")
        sides = [(price, size) for price, size in book["bids"]], [(price, size) for price, size in book["asks"]]
        compare(name, symbol, sides, final, float)


def _as_bytes(feed: Feed) -> list[Any]:
    return list(feed.frames)


class WholePath:
    """What OrderBooks does with a frame: decoded, routed, put in sequence, applied, passed on, and counted."""

    name = "backpack_sdk OrderBooks"

    @staticmethod
    def prepare(feed: Feed) -> list[Any]:
        """Its socket hands on together what came together."""
        return [feed.frames[at : at + TOGETHER] for at in range(0, len(feed.frames), TOGETHER)]

    def __init__(self, feed: Feed, *, read: bool) -> None:
        from backpack_sdk._generated.streams.channels import DECODER, DEPTH
        from backpack_sdk.streams.options import StreamOptions, StreamSetup
        from backpack_sdk.streams.order_books import OrderBooks
        from backpack_sdk.streams.seeding import read_depth
        from backpack_sdk.streams.session import StreamSession

        sender: Any = None  # nothing is sent: the snapshots are in memory too
        session = StreamSession(StreamSetup(sender, (), None, time.time), StreamOptions(), DECODER)
        books = OrderBooks(session, sender, (), owns_session=False)
        for symbol, body in feed.snapshots.items():
            kept = books._kept[symbol] = books._keep(symbol)
            depth = read_depth(body)
            kept.on_connected()
            kept.on_snapshot(depth.bids, depth.asks, depth.last_update_id, engine_time=depth.timestamp)
            kept.accept_quiet()
        sinks = {kept.stream: kept.take for kept in books._kept.values()}
        session._routes.add(dict.fromkeys(sinks), DEPTH, sinks, bare=True)
        if read:
            books.on_update(lambda book: (book.best_bid, book.best_ask))
        size = TOGETHER * FRAME_BYTES
        self.books, self.take = books, lambda frames: session.on_frames(frames, size)

    def check(self, finals: dict[str, Final]) -> None:
        check_ours(self.name, self.books.get, finals)


class DecoderAndBook:
    """The parts without input and output, joined by hand."""

    name = "backpack_sdk decoder and OrderBook"
    prepare = staticmethod(_as_bytes)

    def __init__(self, feed: Feed, *, read: bool) -> None:
        from backpack_sdk import OrderBook
        from backpack_sdk._generated.streams.channels import DECODER, DEPTH
        from backpack_sdk.streams.seeding import read_depth

        self.books: dict[str, OrderBook] = {}
        for symbol, body in feed.snapshots.items():
            book, depth = OrderBook(symbol), read_depth(body)
            book.apply_snapshot(depth.bids, depth.asks, depth.last_update_id, engine_time=depth.timestamp)
            self.books[symbol] = book
        books, decode = self.books, DECODER.usual(DEPTH.event)

        def take(frame: bytes) -> None:
            event = decode(frame).data
            book = books[event.symbol]
            book.apply_delta(event.wire_bids, event.wire_asks, event.update_id_first, event.update_id_last)
            if read:
                _ = book.best_bid, book.best_ask

        self.take = take

    def check(self, finals: dict[str, Final]) -> None:
        check_ours(self.name, self.books.get, finals)


def ccxt_pro(base_url: str = "http://127.0.0.1") -> Any:
    """ccxt.pro's Backpack class with its own throttle off, as ours is; the markets are those of the frames."""
    exchange: Any = importlib.import_module("ccxt.pro").backpack({"enableRateLimit": False})
    exchange.urls["api"] = {
        "public": base_url,
        "private": base_url,
        "ws": dict.fromkeys(("public", "private"), base_url.replace("http", "ws", 1)),
    }
    exchange.set_markets(exchange.parse_markets(perpetuals()))
    return exchange


class Ccxt:
    """ccxt.pro's client and handler: text decoded by its own choice of library (orjson), dispatched, and applied."""

    name = "ccxt.pro"

    @staticmethod
    def prepare(feed: Feed) -> list[Any]:
        importlib.import_module("ccxt.pro")
        aiohttp: Any = importlib.import_module("aiohttp")
        return [aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, frame.decode(), None) for frame in feed.frames]

    def __init__(self, feed: Feed, *, read: bool) -> None:
        client_class: Any = importlib.import_module("ccxt.async_support.base.ws.client").Client
        exchange = self.exchange = ccxt_pro()
        for symbol, body in feed.snapshots.items():
            unified = exchange.safe_symbol(symbol)
            book = exchange.orderbooks[unified] = exchange.order_book()
            book.reset(parse_snapshot(exchange, body, unified))

        def nothing(*_: Any) -> None: ...

        client = client_class("ws://127.0.0.1", exchange.handle_message, nothing, nothing, nothing)
        hand_on, books = client.handle_message, exchange.orderbooks
        unify = {symbol: exchange.safe_symbol(symbol) for symbol in feed.snapshots}
        self._symbols = iter([unify[frame[frame.rindex(b".") + 1 : -2].decode()] for frame in feed.frames])

        def take_and_read(message: Any) -> None:
            hand_on(message)
            book = books[next(self._symbols)]
            _ = book["bids"][0], book["asks"][0]

        self.take = take_and_read if read else hand_on

    def check(self, finals: dict[str, Final]) -> None:
        check_ccxt(self.name, self.exchange, finals)


def parse_snapshot(exchange: Any, body: bytes, unified: str) -> Any:
    """What ccxt's `fetch_order_book` makes of the reply."""
    response = exchange.parse_json(body.decode())
    timestamp = exchange.parse_to_int(exchange.safe_integer(response, "timestamp") / 1000)
    book = exchange.parse_order_book(response, unified, timestamp)
    book["nonce"] = exchange.safe_integer(response, "lastUpdateId")
    return book


class Cryptofeed:
    """cryptofeed has no Backpack: its decoding and its book, used as its handler for Binance's equal messages does."""

    name = "cryptofeed"

    @staticmethod
    def prepare(feed: Feed) -> list[Any]:
        importlib.import_module("cryptofeed.types")
        return [frame.decode() for frame in feed.frames]

    def __init__(self, feed: Feed, *, read: bool) -> None:
        types: Any = importlib.import_module("cryptofeed.types")
        loads: Any = importlib.import_module("yapic.json").loads
        self.books: dict[str, Any] = {}
        self._last: dict[str, int] = {}
        for symbol, body in feed.snapshots.items():
            depth = loads(body, parse_float=Decimal)
            sides = {side: {Decimal(p): Decimal(q) for p, q in depth[side]} for side in ("bids", "asks")}
            self.books[symbol] = types.OrderBook("BACKPACK", symbol, **sides)
            self._last[symbol] = int(depth["lastUpdateId"])
        books, last = self.books, self._last

        def take(text: str) -> None:
            message = loads(text, parse_float=Decimal)["data"]
            symbol = message["s"]
            if message["U"] != last[symbol] + 1:
                raise WrongBook("a frame is missing")
            last[symbol] = message["u"]
            book = books[symbol].book
            delta: dict[str, list[Any]] = {"bid": [], "ask": []}
            for key, side in (("b", "bid"), ("a", "ask")):
                for update in message[key]:
                    price, amount = Decimal(update[0]), Decimal(update[1])
                    delta[side].append((price, amount))
                    if amount == 0:
                        if price in book[side]:
                            del book[side][price]
                    else:
                        book[side][price] = amount
            if read:
                _ = book.bids.index(0), book.asks.index(0)

        self.take = take

    def check(self, finals: dict[str, Final]) -> None:
        for symbol, final in finals.items():
            book = self.books[symbol].book
            sides = list(book.bids.to_dict().items()), list(book.asks.to_dict().items())
            compare(self.name, symbol, sides, final, Decimal)


CONTENDERS: list[Any] = [WholePath, DecoderAndBook, Ccxt, Cryptofeed]


def open_contenders(feed: Feed) -> tuple[list[tuple[Any, list[Any]]], list[str]]:
    """Every contender whose package is installed, with the frames as it takes them, and a line for each that is not."""
    found: list[tuple[Any, list[Any]]] = []
    missing: list[str] = []
    for contender in CONTENDERS:
        try:
            frames = contender.prepare(feed)
        except ImportError as error:
            missing.append(f"{contender.name} left out: {error}")
        else:
            found.append((contender, frames))
    return found, missing


def run(contender: Any, feed: Feed, frames: list[Any], *, read: bool) -> float:
    """Seconds of CPU per frame. Raises WrongBook."""
    with unburdened():
        one = contender(feed, read=read)
        take = one.take
        started = time.process_time()
        for frame in frames:
            take(frame)
        seconds = time.process_time() - started
        one.check(feed.finals)
        return seconds / len(feed.frames)


@contextlib.contextmanager
def unburdened() -> Generator[None]:
    """Keep what the benchmark itself holds out of the garbage collector's sight."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()

"""One client that keeps the books of all markets from the loopback exchange, in a process of its own on the first core.

    python benchmarks/_stream_clients.py CLIENT URL FEED RATE BURST

prints what it measured as JSON, after holding every book against what it must be. RATE is in frames per second, 0 for
as fast as the client reads, and BURST of them are sent together. CPU time counts from the start of the frames until the
last one is applied.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import logging
import pickle
import sys
import time
import urllib.request
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from _books import ccxt_pro, check_ccxt, check_ours
from _frames import Feed
from _server import pin


@dataclass
class Run:
    """What one run took. Seconds; `delays` are microseconds from sending a frame to its book's update."""

    wall: float = 0.0
    cpu: float = 0.0
    delays: list[int] = field(default_factory=list[int])

    @contextlib.contextmanager
    def timed(self) -> Generator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall, self.cpu = time.perf_counter() - wall, time.process_time() - cpu


@dataclass(frozen=True)
class Pace:
    """Frames per second, 0 for as fast as the client reads, and how many of them are sent together."""

    rate: int
    burst: int

    async def start(self, base_url: str) -> None:
        url = f"{base_url}/start?rate={self.rate}&burst={self.burst}"
        await asyncio.to_thread(lambda: urllib.request.urlopen(url).read())


def _delay_since(sent_us: int) -> int:
    return time.time_ns() // 1000 - sent_us


async def ours(base_url: str, feed: Feed, pace: Pace) -> Run:
    """The SDK, called after every frame: exact best bid and ask are read each time, or at a pace the delay is noted."""
    run, last_id = Run(), feed.last_id
    delays, done = run.delays, asyncio.get_running_loop().create_future()

    def on_update(book: Any) -> None:
        if pace.rate:
            delays.append(_delay_since(book.engine_time_us))
        else:
            _ = book.best_bid, book.best_ask
        if book.last_update_id == last_id:
            done.set_result(None)

    async with _our_books(base_url, feed) as books:
        books.on_update(on_update)
        delays.clear()
        await pace.start(base_url)
        with run.timed():
            await done
        _check_books(books, feed)
    return run


async def ours_loop(base_url: str, feed: Feed, pace: Pace) -> Run:
    """The SDK, with a loop over the books that have changed, which reads exact best bid and ask of each."""
    run, last_id = Run(), feed.last_id
    async with _our_books(base_url, feed) as books:
        updates = books.updates()
        await pace.start(base_url)
        with run.timed():
            async for book in updates:
                _ = book.best_bid, book.best_ask
                if book.last_update_id == last_id:
                    break
        _check_books(books, feed)
    return run


@contextlib.asynccontextmanager
async def _our_books(base_url: str, feed: Feed) -> AsyncGenerator[Any]:
    from backpack_sdk import AsyncBackpack

    client = AsyncBackpack(base_url=base_url, ws_url=base_url.replace("http", "ws", 1), rate_limit=None)
    async with client, client.order_books(*feed.snapshots) as books:
        await books.wait_live()
        yield books


def _check_books(books: Any, feed: Feed) -> None:
    check_ours("backpack_sdk", books.get, feed.finals)
    gaps = sum(books.counters(symbol).gaps for symbol in feed.finals)
    if gaps:
        raise RuntimeError(f"{gaps} gaps were seen, and there are none")


async def ccxt(base_url: str, feed: Feed, pace: Pace, *, at_once: bool = False) -> Run:
    """ccxt.pro, with a task for each market that watches its book, or one that watches all."""
    run = Run()
    exchange = ccxt_pro(base_url)
    unified = {symbol: exchange.safe_symbol(symbol) for symbol in feed.snapshots}
    if pace.rate:
        handle, delays = exchange.handle_book_delta, run.delays

        def handle_and_note(book: Any, delta: Any) -> None:
            handle(book, delta)
            delays.append(_delay_since(delta["T"]))

        exchange.handle_book_delta = handle_and_note
    started = asyncio.Event()
    books, wanted = exchange.orderbooks, list(unified.values())
    finals = {unified[symbol]: book.last_id for symbol, book in feed.finals.items()}
    unlive, unfinished = wanted.copy(), wanted.copy()

    def take(book: Any) -> None:
        _ = book["bids"][0], book["asks"][0]
        while unlive and books[unlive[-1]]["nonce"] is not None:
            unlive.pop()
        if not unlive:
            started.set()

    async def watch(symbol: str) -> None:
        while symbol not in books or books[symbol]["nonce"] != finals[symbol]:
            take(await exchange.watch_order_book(symbol))

    async def watch_all() -> None:
        """A race tells of one market each time, so the others' last updates have to be looked for."""
        while unfinished:
            take(await exchange.watch_order_book_for_symbols(wanted))
            while unfinished and books[unfinished[-1]]["nonce"] == finals[unfinished[-1]]:
                unfinished.pop()

    tasks = [asyncio.create_task(watch_all())] if at_once else [asyncio.create_task(watch(one)) for one in wanted]
    try:
        await asyncio.wait_for(started.wait(), 60)
        run.delays.clear()
        await pace.start(base_url)
        with run.timed():
            await asyncio.gather(*tasks)
        check_ccxt("ccxt.pro", exchange, feed.finals)
    finally:
        await exchange.close()
    return run


async def ccxt_at_once(base_url: str, feed: Feed, pace: Pace) -> Run:
    return await ccxt(base_url, feed, pace, at_once=True)


async def queued(base_url: str, feed: Feed, pace: Pace) -> Run:
    """`websockets` with `recv()`, and our decoder and book behind it."""
    from backpack_sdk import OrderBook
    from backpack_sdk._generated.streams.channels import DECODER
    from backpack_sdk.streams.seeding import read_depth

    connect: Any = importlib.import_module("websockets.asyncio.client").connect
    run, books = Run(), dict[str, OrderBook]()
    for symbol, body in feed.snapshots.items():
        book, depth = OrderBook(symbol), read_depth(body)
        book.apply_snapshot(depth.bids, depth.asks, depth.last_update_id, engine_time=depth.timestamp)
        books[symbol] = book
    decode = DECODER.decode_bare
    url = base_url.replace("http", "ws", 1)
    async with connect(url, compression=None, ping_interval=None, proxy=None) as socket:
        await socket.send(json.dumps({"method": "SUBSCRIBE", "params": [f"depth.{symbol}" for symbol in books]}))
        for _ in feed.warm_up:
            await socket.recv(decode=False)
        await pace.start(base_url)
        with run.timed():
            for _ in feed.frames:
                event: Any = decode(await socket.recv(decode=False))
                book = books[event.symbol]
                book.apply_delta(
                    event.wire_bids, event.wire_asks, event.update_id_first, event.update_id_last,
                    engine_time=event.engine_time_us,
                )  # fmt: skip
                _ = book.best_bid, book.best_ask
                if pace.rate:
                    run.delays.append(_delay_since(event.engine_time_us))
    check_ours("websockets", books.get, feed.finals)
    return run


CLIENTS: dict[str, Callable[[str, Feed, Pace], Awaitable[Run]]] = {
    "ours": ours,
    "ours_loop": ours_loop,
    "ccxt": ccxt,
    "ccxt_at_once": ccxt_at_once,
    "queued": queued,
}


async def _measure(name: str, base_url: str, feed: Feed, pace: Pace) -> Run:
    return await CLIENTS[name](base_url, feed, pace)


if __name__ == "__main__":
    pin(0)
    logging.disable(logging.CRITICAL)
    _name, _url, _feed, _rate, _burst = sys.argv[1:]
    _read = pickle.loads(Path(_feed).read_bytes())
    _run = asyncio.run(_measure(_name, _url, _read, Pace(int(_rate), int(_burst))))
    sys.stdout.write(json.dumps(asdict(_run)))

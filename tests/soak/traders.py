"""Clients who trade at random and keep a ledger of their own: what they sent, and what they were told."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any, TypeAlias

from backpack_sdk import AsyncBackpack, Backpack, BackpackError, Credentials, OutcomeUnknown, operations
from backpack_sdk._core.request import Request
from backpack_sdk.streams.options import StreamOptions
from backpack_sdk.types import Side

from .audit import Auditor, Book, require

OPTIONS = StreamOptions(first_delay=0.1, longest_delay=1.0)
_TICK = Decimal("0.01")
_CANCELLED_AT_ONCE = 40
"""Open orders of a client, about: beyond that it cancels more than it places."""

Command: TypeAlias = tuple[str, Request[Any], dict[int, str]]
"""Kind, request, and the client ids in it with their markets."""


@dataclass
class Ledger:
    """What became of each client id that was ever sent."""

    accepted: dict[int, str] = field(default_factory=dict[int, str])
    """Order ids that the exchange gave."""
    refused: set[int] = field(default_factory=set[int])
    unknown: set[int] = field(default_factory=set[int])
    counts: Counter[str] = field(default_factory=Counter[str])
    """Commands by kind and errors by class."""

    def close(self, auditor: Auditor, account: str, told: dict[int, str]) -> tuple[int, int]:
        """Hold the ledger against the exchange: from inside, and as it tells its client over REST (`told`).

        Return the number of orders there, and how many of those with an unknown outcome are among them.
        """
        orders = auditor.orders(account)
        found = {order.client_id: str(order.id) for order in orders if order.client_id is not None}
        require(len(found) == len(orders), f"{account}: an order exists twice, or has no client id")
        require(found == told, f"{account}: the exchange tells of other orders than it has")
        for client_id, order_id in self.accepted.items():
            require(found.get(client_id) == order_id, f"{account}: order {client_id} is lost")
        for client_id in self.refused:
            require(client_id not in found, f"{account}: order {client_id} was refused and exists")
        strange = found.keys() - self.accepted.keys() - self.unknown
        require(not strange, f"{account}: nobody sent {strange}")
        return len(orders), len(found.keys() & self.unknown)


class Trader:
    """Decides what a client does next, and writes down what it was told. `number` makes its ids and its chances."""

    def __init__(self, number: int, auditor: Auditor, seed: int) -> None:
        self.credentials = Credentials.generate()
        self.account = self.credentials.api_key
        self.ledger = Ledger()
        self.auditor = auditor
        self.random = Random(f"trader {seed} {number}")
        self.resting: list[tuple[str, int]] = []
        self.books_seen = self.trades_seen = 0
        self.resyncs = self.reconnects = 0
        self.failure: BaseException | None = None
        self.ready = threading.Event()
        """Set when every book is there."""
        self._next_id = number * 1_000_000
        self._last_trade: dict[str, int] = {}

    # What to do

    def next_command(self, book_of: Callable[[str], Book | None]) -> tuple[str, Request[Any], dict[int, str]] | None:
        """Return a command; None when there is no book to look at."""
        chance = self.random
        if len(self.resting) > chance.randrange(_CANCELLED_AT_ONCE):
            return self._cancel()
        symbol = self.auditor.symbols[chance.randrange(len(self.auditor.symbols))]
        book = book_of(symbol)
        if book is None or book.best_bid is None or book.best_ask is None:
            return None
        draw = chance.random()
        if draw < 0.1:
            orders = [self._order(symbol, book) for _ in range(3)]
            ids = {order["client_id"]: symbol for order in orders}
            return "batch", operations.order.execute_order_batch(orders), ids
        if draw < 0.3:
            client_id = self._new_id()
            side = chance.choice([*Side])
            quantity = self._quantity()
            request = operations.order.execute_order(symbol, side, "Market", quantity=quantity, client_id=client_id)
            return "market", request, {client_id: symbol}
        order = self._order(symbol, book)
        return "limit", operations.order.execute_order(**order), {order["client_id"]: symbol}

    def _order(self, symbol: str, book: Book) -> dict[str, Any]:
        """A limit order around the best prices: some rest, some trade."""
        bid = self.random.random() < 0.5
        best = book.best_bid if bid else book.best_ask
        assert best is not None
        away = self.random.randrange(-6, 20) * _TICK
        price = max(_TICK, best.price - away if bid else best.price + away)
        return {
            "symbol": symbol, "side": "Bid" if bid else "Ask", "order_type": "Limit", "price": price,
            "quantity": self._quantity(), "client_id": self._new_id(),
        }  # fmt: skip

    def _cancel(self) -> Command:
        symbol, client_id = self.resting.pop(self.random.randrange(len(self.resting)))
        if self.random.random() < 0.1:
            self.resting = [(market, number) for market, number in self.resting if market != symbol]
            return "cancel all", operations.order.cancel_open_orders(symbol), {}
        return "cancel", operations.order.cancel_order(symbol, client_id=client_id), {}

    def _quantity(self) -> Decimal:
        return self.random.randrange(1, 300) * _TICK

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    # What came of it

    def accepted(self, kind: str, ids: dict[int, str], answer: Any) -> None:
        """Write down an answer."""
        self.ledger.counts[kind] += 1
        if kind == "batch":
            for (client_id, symbol), row in zip(ids.items(), answer, strict=True):
                if row.ok:
                    self._placed(client_id, symbol, row.unwrap())
                else:
                    self.ledger.refused.add(client_id)
        else:
            for client_id, symbol in ids.items():
                self._placed(client_id, symbol, answer)

    def failed(self, kind: str, ids: dict[int, str], error: BackpackError) -> None:
        """Write down what went wrong. Only an unknown outcome leaves open whether the orders exist."""
        self.ledger.counts[kind] += 1
        self.ledger.counts[type(error).__name__] += 1
        if isinstance(error, OutcomeUnknown):
            self.ledger.unknown |= ids.keys()
            self.resting += [(symbol, client_id) for client_id, symbol in ids.items()]
        else:
            self.ledger.refused |= ids.keys()

    def _placed(self, client_id: int, symbol: str, order: Any) -> None:
        require(order.client_id == client_id, f"asked for {client_id} and got {order.client_id}")
        self.ledger.accepted[client_id] = order.id
        if order.status in ("New", "PartiallyFilled"):
            self.resting.append((symbol, client_id))

    def see_book(self, book: Book) -> None:
        """Hold a book that changed against the engine's."""
        self.books_seen += 1
        self.auditor.check_book(book)

    def see_trade(self, trade: Any) -> None:
        """Count a public trade: each once, in order."""
        require(trade.trade_id > self._last_trade.get(trade.symbol, 0), f"{trade.symbol}: trade {trade.trade_id} again")
        self._last_trade[trade.symbol] = trade.trade_id
        self.trades_seen += 1


class AsyncTrader(Trader):
    """A client for asyncio: commands, books, trades and the state of its account."""

    async def run(self, stop: asyncio.Event, check: asyncio.Event, pause: float) -> None:
        """Trade until `stop`; then wait for `check`, and close the ledger and everything else."""
        async with AsyncBackpack.paper(self.auditor.exchange, credentials=self.credentials, timeout=5.0) as client:
            symbols = self.auditor.symbols
            async with (
                client.order_books(*symbols, options=OPTIONS) as books,
                client.streams(OPTIONS) as streams,
                client.account_state(options=OPTIONS) as account,
            ):
                books.on_update(self.see_book)
                streams.trades(*symbols, max_queue=100_000).listen(self.see_trade)
                following = asyncio.create_task(_drain(account))
                await books.wait_live(timeout=60)
                self.ready.set()
                while not stop.is_set():
                    await self._act(client, books.get)
                    with suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), pause * self.random.uniform(0.2, 1.8))
                await check.wait()
                for symbol in symbols:
                    await self._compare(symbol, books)
                await self._compare_account(account)
                following.cancel()
                self.resyncs = sum(books.counters(symbol).snapshots for symbol in symbols) - len(symbols)
                self.reconnects = books.session.counters.reconnects + streams.counters.reconnects
                require(not streams.counters.dropped, "a stream dropped trades")
            told = {o.client_id: o.id async for o in client.paginate(client.order.get_order_history, limit=1000)}
            self.close(told)

    def close(self, told: dict[Any, str]) -> None:
        """Close the ledger."""
        self.ledger.counts["orders"], self.ledger.counts["found"] = self.ledger.close(
            self.auditor, self.account, {int(client_id): order_id for client_id, order_id in told.items()}
        )

    async def _act(self, client: AsyncBackpack, book_of: Callable[[str], Book | None]) -> None:
        command = self.next_command(book_of)
        if command is None:
            return
        kind, request, ids = command
        try:
            self.accepted(kind, ids, await client.send(request))
        except BackpackError as error:
            self.failed(kind, ids, error)

    async def _compare(self, symbol: str, books: Any) -> None:
        """The final book is the engine's, level by level."""
        update_id, bids, asks = self.auditor.levels(symbol)
        async with asyncio.timeout(60):
            while (book := books.get(symbol)) is None or book.last_update_id != update_id:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        require((tuple(reversed(book.bids())), book.asks()) == (bids, asks), f"the last book of {symbol} is wrong")

    async def _compare_account(self, account: Any) -> None:
        """Open orders and positions are the engine's."""
        engine, lock = self.auditor.engine, self.auditor.exchange.lock

        def found() -> tuple[Any, Any]:
            orders = {(order.order_id, order.executed_quantity) for order in account.orders.values()}
            return orders, {symbol: position.net_quantity for symbol, position in account.positions.items()}

        with lock:
            orders = {(str(order.id), order.executed_quantity) for order in engine.open_orders(self.account)}
            positions = {position.symbol: position.quantity for position in engine.positions(self.account)}
        try:
            async with asyncio.timeout(30):
                while not account.is_live or found() != (orders, positions):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        except TimeoutError:
            require(False, f"account state: {found()} is not {(orders, positions)}")


class SyncTrader(Trader):
    """A blocking client: one thread trades, another one reads books."""

    def run(self, stop: threading.Event, check: threading.Event, pause: float) -> None:
        """Trade until `stop`; then wait for `check`, and close the ledger and the books."""
        with Backpack.paper(self.auditor.exchange, credentials=self.credentials, timeout=5.0) as client:
            symbols = self.auditor.symbols
            with client.order_books(*symbols, options=OPTIONS) as books:
                reader = threading.Thread(target=self._read, args=(books,), daemon=True)
                reader.start()
                books.wait_live(timeout=60)
                self.ready.set()
                while not stop.is_set():
                    self._act(client, books.get)
                    stop.wait(pause * self.random.uniform(0.2, 1.8))
                check.wait()
                for symbol in symbols:
                    self._compare(symbol, books)
                self.resyncs = sum(books.counters(symbol).snapshots for symbol in symbols) - len(symbols)
                self.reconnects = books.connection_counters.reconnects
            reader.join(10)
            told = {int(o.client_id): o.id for o in client.paginate(client.order.get_order_history, limit=1000)}  # type: ignore[arg-type]
            self.ledger.counts["orders"], self.ledger.counts["found"] = self.ledger.close(
                self.auditor, self.account, told
            )

    def _read(self, books: Iterator[Book]) -> None:
        try:
            for book in books:
                self.see_book(book)
        except BaseException as failure:
            self.failure = failure

    def _act(self, client: Backpack, book_of: Callable[[str], Book | None]) -> None:
        command = self.next_command(book_of)
        if command is None:
            return
        kind, request, ids = command
        try:
            self.accepted(kind, ids, client.send(request))
        except BackpackError as error:
            self.failed(kind, ids, error)

    def _compare(self, symbol: str, books: Any) -> None:
        update_id, bids, asks = self.auditor.levels(symbol)
        deadline = time.monotonic() + 60
        while (book := books.get(symbol)) is None or book.last_update_id != update_id:
            require(time.monotonic() < deadline, f"the book of {symbol} does not catch up")
            time.sleep(0.02)
        require((tuple(reversed(book.bids())), book.asks()) == (bids, asks), f"the last book of {symbol} is wrong")


async def _drain(account: Any) -> None:
    async for _ in account:
        pass

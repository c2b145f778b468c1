"""What must hold at an exchange at every moment, looked at from inside."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from decimal import Decimal
from typing import TypeAlias

from backpack_sdk.paper import PaperExchange
from backpack_sdk.paper.engine import (
    DepthChanged,
    Event,
    MarketType,
    Order,
    OrderFilled,
    Side,
    SortDirection,
    Trade,
)
from backpack_sdk.streams.book import OrderBook
from backpack_sdk.streams.view import BookSnapshot

_PAGE = 1000
_REMEMBERED = 100
"""Fingerprints of each book, so that a client may be so many changes late."""
Book: TypeAlias = OrderBook | BookSnapshot
Levels: TypeAlias = tuple[tuple[Decimal, Decimal], ...]


class Broken(AssertionError):
    """Something that must hold does not."""


def require(holds: bool, what: str) -> None:
    """Raise Broken unless it holds."""
    if not holds:
        raise Broken(what)


class Auditor:
    """Follows an exchange from inside: fingerprints of its books, both sides of its trades, its money."""

    def __init__(self, exchange: PaperExchange) -> None:
        self.exchange = exchange
        self.engine = exchange.engine
        self.symbols = [spec.symbol for spec in self.engine.markets()]
        self.spot = {spec.symbol for spec in self.engine.markets() if spec.market_type is MarketType.SPOT}
        self.assets = self.engine.traded_assets()
        self.book_events = self.trades = self.books_compared = self.audits = 0
        self._prints: defaultdict[str, dict[int, int]] = defaultdict(dict)
        self._ids: defaultdict[str, deque[int]] = defaultdict(deque)
        self._open_sides: Counter[tuple[str, int]] = Counter()
        self._totals: dict[str, Decimal] = {}
        self._end = self.engine.subscribe(self._follow)

    def begin(self) -> None:
        """Take down what there is of each asset, once every account is open."""
        with self.exchange.lock:
            self._totals = {asset: self.engine.total(asset) for asset in self.assets}

    def stop(self) -> None:
        """Follow no more."""
        self._end()

    # Books

    def check_book(self, book: Book) -> None:
        """Hold a client's book against the engine's at the same update id.

        One that the engine has left more than 100 changes behind is let pass: it is compared again later.
        """
        update_id = book.last_update_id
        if update_id is None:
            return
        expected = self._prints[book.symbol].get(update_id)
        if expected is not None:
            found = _print(tuple(reversed(book.bids())), book.asks())
            require(found == expected, f"a client's book of {book.symbol} is wrong at {update_id}")
            self.books_compared += 1

    def levels(self, symbol: str) -> tuple[int, Levels, Levels]:
        """Update id, bids and asks of the engine's book, both ascending."""
        with self.exchange.lock:
            depth = self.engine.depth(symbol)
        return depth.last_update_id, depth.bids, depth.asks

    # Money

    def check_money(self, accounts: Iterable[str]) -> None:
        """Nothing is lost or made, nothing is below zero, and what is locked is what open orders need."""
        with self.exchange.lock:
            for asset, total in self._totals.items():
                found = self.engine.total(asset)
                require(found == total, f"{total} {asset} were paid in, and there are {found}")
            for account in accounts:
                self._check_account(account)
            for symbol in self.symbols:
                depth = self.engine.depth(symbol, 1)
                if depth.bids and depth.asks:
                    require(depth.bids[0][0] < depth.asks[0][0], f"the book of {symbol} is crossed")
            require(not self._open_sides, f"trades with one side only: {self._open_sides}")
            self.audits += 1

    def _check_account(self, account: str) -> None:
        locked: defaultdict[str, Decimal] = defaultdict(Decimal)
        for order in self.engine.open_orders(account):
            if order.symbol in self.spot and order.price is not None and order.quantity is not None:
                base, quote = order.symbol.split("_")
                rest = order.quantity - order.executed_quantity
                locked[base if order.side is Side.ASK else quote] += (
                    rest if order.side is Side.ASK else rest * order.price
                )
        for asset, balance in self.engine.balances(account).items():
            require(balance.available >= 0, f"{account} has {balance.available} {asset}")
            require(
                balance.locked == locked[asset],
                f"{account} has {balance.locked} {asset} locked, its orders need {locked[asset]}",
            )

    # Orders

    def orders(self, account: str) -> list[Order]:
        """Every order that an account ever had."""
        with self.exchange.lock:
            found: list[Order] = []
            while True:
                page = self.engine.order_history(account, limit=_PAGE, offset=len(found), direction=SortDirection.ASC)
                found += page
                if len(page) < _PAGE:
                    return found

    def check_orders(self, account: str, accepted: dict[int, str]) -> int:
        """No client id twice, and every order that the client knows of is there, with its id. Return how many."""
        orders = self.orders(account)
        by_client_id = {order.client_id: str(order.id) for order in orders}
        require(len(by_client_id) == len(orders), f"{account} has two orders with one client id")
        for client_id, order_id in accepted.items():
            require(by_client_id.get(client_id) == order_id, f"order {client_id} of {account} is lost")
        return len(orders)

    # Inside

    def _follow(self, events: tuple[Event, ...]) -> None:
        for event in events:
            if isinstance(event, DepthChanged):
                self.book_events += 1
                depth = self.engine.depth(event.symbol)
                prints, ids = self._prints[event.symbol], self._ids[event.symbol]
                prints[depth.last_update_id] = _print(depth.bids, depth.asks)
                ids.append(depth.last_update_id)
                if len(ids) > _REMEMBERED:
                    prints.pop(ids.popleft(), None)
            elif isinstance(event, Trade):
                self.trades += 1
                self._open_sides[event.symbol, event.id] += 2
            elif isinstance(event, OrderFilled):
                key = (event.fill.symbol, event.fill.trade_id)
                self._open_sides[key] -= 1
                if not self._open_sides[key]:
                    del self._open_sides[key]


def _print(bids: Iterable[tuple[Decimal, Decimal]], asks: Iterable[tuple[Decimal, Decimal]]) -> int:
    """A fingerprint of a book, both sides ascending; it is the same for equal numbers, however they are written."""
    return hash((tuple(map(tuple, bids)), tuple(map(tuple, asks))))

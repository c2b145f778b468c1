"""Plain reference books, and a server side that trades in them and sends what happened."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from random import Random
from typing import Any

from backpack_sdk.streams.book import BookView, OrderBook
from tests.streams.stream_server import Peer, Reply, StreamServer, delta, depth, frame

State = tuple[tuple[tuple[Decimal, Decimal], ...], tuple[tuple[Decimal, Decimal], ...]]


def state_of(book: BookView) -> State:
    """Both sides of a book, best level first."""
    return tuple((level.price, level.quantity) for level in book.bids()), tuple(
        (level.price, level.quantity) for level in book.asks()
    )


class ReferenceBook:
    """One market: two dictionaries and a number. Spells prices otherwise on the socket than over REST."""

    def __init__(self, symbol: str, chance: Random, levels: int = 12) -> None:
        self.symbol, self.chance = symbol, chance
        self.mid = chance.randrange(1000, 90_000)
        self.last = chance.randrange(1, 10**9)
        self.bids = {self.mid - tick: chance.randrange(1, 99) for tick in range(1, levels)}
        self.asks = {self.mid + tick: chance.randrange(1, 99) for tick in range(1, levels)}
        self.history: dict[int, State] = {}
        self.old: deque[dict[str, Any]] = deque(maxlen=6)
        self.keep = False

    def change(self, kinds: int = 1) -> dict[str, Any]:
        """Change some levels, one update id each; gives the delta."""
        first, chance = self.last + 1, self.chance
        bids: dict[int, int] = {}
        asks: dict[int, int] = {}
        for _ in range(kinds):
            self.last += 1
            if chance.random() < 0.03:
                continue  # an id that changes no level
            side, changed, sign = (self.bids, bids, -1) if chance.random() < 0.5 else (self.asks, asks, 1)
            price = self.mid + sign * chance.randrange(1, 16)
            quantity = 0 if chance.random() < 0.4 and len(side) > 1 and price in side else chance.randrange(1, 99)
            changed[price] = quantity
            if quantity:
                side[price] = quantity
            else:
                del side[price]
        if self.keep:
            self.history[self.last] = self.state()
        return delta(first, self.last, _spelt(bids), _spelt(asks), self.symbol)

    def state(self) -> State:
        """What a right book holds at `last`."""
        return (
            tuple((Decimal(price), Decimal(self.bids[price])) for price in sorted(self.bids, reverse=True)),
            tuple((Decimal(price), Decimal(self.asks[price])) for price in sorted(self.asks)),
        )

    def depth(self) -> dict[str, Any]:
        """The snapshot as REST sends it: ascending on both sides."""
        return depth(
            self.last,
            [(str(price), str(self.bids[price])) for price in sorted(self.bids)],
            [(str(price), str(self.asks[price])) for price in sorted(self.asks)],
        )


def _spelt(levels: dict[int, int]) -> list[tuple[str, str]]:
    return [
        (f"{price}.0", f"{quantity}.00000" if not quantity else f"{quantity}.0") for price, quantity in levels.items()
    ]


class Exchange:
    """All markets of a scripted server, in step with its REST side, which may lag behind or run ahead."""

    def __init__(self, server: StreamServer, seed: int = 1) -> None:
        self.server, self.chance = server, Random(seed)
        self.books = {symbol: ReferenceBook(symbol, self.chance) for symbol in server.symbols}
        self.behind = 0.0
        """How often a snapshot is an old one."""
        self.outbox: list[bytes] = []
        """Frames that REST knows of already and the socket does not."""
        server.rest = self.rest

    def rest(self, path: str, query: dict[str, str]) -> Reply | None:
        if path != "/api/v1/depth":
            return None
        book = self.books[query["symbol"]]
        if self.behind and book.old and self.chance.random() < self.behind:
            return 200, book.old[0]
        return 200, book.depth()

    def change(self, symbol: str, kinds: int = 1) -> bytes:
        """Change a market; gives the frame that tells of it."""
        book = self.books[symbol]
        if self.behind and self.chance.random() < 0.2:
            book.old.append(book.depth())
        payload = book.change(kinds)
        return text_frame(f"depth.{symbol}", payload)

    def tell(self, peer: Peer, symbol: str, kinds: int = 1) -> None:
        """Change a market, and send it."""
        peer.raw(self.change(symbol, kinds))

    def assert_right(self, book: OrderBook) -> None:
        """The book is that of the reference at present."""
        reference = self.books[book.symbol]
        assert book.last_update_id == reference.last
        assert state_of(book) == reference.state()


def text_frame(stream: str, payload: dict[str, Any]) -> bytes:
    """A frame as the exchange sends it; quicker than the general way."""
    levels = {
        side: "[" + ",".join(f'["{price}","{size}"]' for price, size in payload[side]) + "]" for side in ("a", "b")
    }
    return frame(
        f'{{"stream":"{stream}","data":{{"e":"depth","E":{payload["E"]},"s":"{payload["s"]}","a":{levels["a"]},'
        f'"b":{levels["b"]},"U":{payload["U"]},"u":{payload["u"]},"T":{payload["T"]}}}}}'
    )

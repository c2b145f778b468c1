"""Ninety-one markets over one socket that loses, repeats, reorders, merges and cuts off, at places a seed decides.

Every book that is served equals the reference at its update id.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from functools import partial
from random import Random

import pytest

from backpack_sdk.streams.book import OrderBook
from tests.streams.books_desk import is_at
from tests.streams.desk import client_of, left_over, options
from tests.streams.reference import Exchange, state_of
from tests.streams.stream_server import Peer, StreamServer, frame, until

MARKETS = tuple(f"M{number}_USDC_PERP" for number in range(91))
ROUNDS = int(os.environ.get("STORM_ROUNDS", "1000"))
"""Each brings about as many frames as there are markets. `nox -s storm` brings those of an hour."""
KEPT = 2000
"""States of each book of the sample that are remembered."""
SAMPLE = MARKETS[::13]


class Storm:
    """Sends what happens in an exchange to whoever listens, with faults."""

    def __init__(self, exchange: Exchange, server: StreamServer, seed: int) -> None:
        self.exchange, self.server, self.chance = exchange, server, Random(seed)
        self.held: bytes | None = None
        self.sent = self.cut = 0
        self.ended: Peer | None = None

    def peer(self) -> Peer | None:
        """The socket in use, unless it is about to go."""
        peer = self.server.peers[-1]
        return None if peer is self.ended else peer

    def round(self) -> None:
        """Something happens in many markets."""
        out: list[bytes] = []
        for symbol in self.chance.choices(MARKETS, k=len(MARKETS)):
            draw = self.chance.random()
            one = self.exchange.change(symbol, 1 if draw < 0.9 else 4)
            fault = self.chance.random()
            if fault < 0.001:
                continue  # lost
            out.append(one)
            if fault < 0.0015:
                out.append(one)
            elif fault < 0.002 and len(out) > 1:
                out[-1], out[-2] = out[-2], out[-1]
        self.sent += len(out)
        peer = self.peer()
        if peer is None or not peer.names:
            return
        if self.chance.random() < 0.02:
            self.held = (self.held or b"") + b"".join(out)  # REST is ahead of the socket for a while
            return
        peer.raw((self.held or b"") + b"".join(out))
        self.held = None
        ending = self.chance.random()
        if ending < 0.004:
            self.cut += 1
            self.ended, self.held = peer, None
            if ending < 0.001:
                peer.close(1001)
            elif ending < 0.002:
                peer.raw(frame("x", mask=True))
            else:
                peer.abort()


@pytest.mark.usefixtures("quick_seeds")
@pytest.mark.parametrize("seed", [3])
async def test_every_book_served_in_a_storm_equals_the_reference(seed: int) -> None:
    async with StreamServer(*MARKETS) as server:
        exchange = Exchange(server, seed)
        exchange.behind = 0.2
        for symbol in SAMPLE:
            exchange.books[symbol].keep = True
            exchange.books[symbol].history[exchange.books[symbol].last] = exchange.books[symbol].state()
        storm = Storm(exchange, server, seed)
        served = wrong = 0

        def check(book: OrderBook) -> None:
            nonlocal served, wrong
            served += 1
            history = exchange.books[book.symbol].history
            if book.symbol in SAMPLE and book.last_update_id in history:
                wrong += book.is_crossed or state_of(book) != history[book.last_update_id]

        before = asyncio.all_tasks()
        async with client_of(server, timeout=30.0) as bp:
            books = bp.order_books(*MARKETS, options=options(stale_after=30.0))
            books._quiet_after = 0.05
            async with books:
                books.on_update(check)
                first = await server.peer()
                await until(lambda: len(first.names) == len(MARKETS))
                for _ in range(ROUNDS):
                    storm.round()
                    for symbol in SAMPLE:
                        history = exchange.books[symbol].history
                        for old in [*history][:-KEPT]:
                            del history[old]
                    await asyncio.sleep(0)
                    if (peer := storm.peer()) is not None:
                        with suppress(ConnectionError):
                            await peer.writer.drain()
                exchange.behind = 0.0
                await until(lambda: (peer := storm.peer()) is not None and len(peer.names) == len(MARKETS))
                last = server.peers[-1]
                if storm.held:
                    last.raw(storm.held)
                await books.wait_live(timeout=20)
                for symbol in MARKETS:
                    exchange.tell(last, symbol)
                for symbol in MARKETS:
                    await until(partial(is_at, books, symbol, exchange.books[symbol].last))
                    exchange.assert_right(books[symbol])
                counted = [books.counters(symbol) for symbol in MARKETS]
                assert storm.cut >= 2
                assert books.session.counters.reconnects >= 2
                assert sum(one.gaps for one in counted) >= 20
                assert sum(one.late for one in counted) >= 100
                assert sum(one.behind for one in counted) >= 1
                assert sum(one.applied for one in counted) >= ROUNDS * len(MARKETS) * 0.5
                assert not any(one.crossed or one.malformed or one.mismatches for one in counted)
                assert served >= ROUNDS * len(MARKETS) * 0.5
                assert wrong == 0
                assert books.session.counters.undecodable == 0
        assert left_over(before) == set()

"""Any sequence of events: every book that is served equals a plain reference book at the same update id."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal
from fractions import Fraction
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from backpack_sdk._core.errors import InvalidArgument
from backpack_sdk._generated.shared import Side
from backpack_sdk.streams.book import BookSnapshot, BookView, Level, OrderBook, SequenceGap
from backpack_sdk.streams.sync import Action, BookChanged, BookSynchroniser, NeedSnapshot, SnapshotReason, SyncState

Wire = list[tuple[str, str]]
Levels = list[tuple[str | Decimal, str | Decimal]]
"""Levels as a book takes them."""
Rungs = tuple[tuple[Fraction, Fraction], ...]
"""Price and quantity of the levels of a side, best first."""
Contents = tuple[Rungs, Rungs]
"""Bids and asks."""


class Reference:
    """A book as two dictionaries, sorted anew whenever it is asked, in fractions."""

    def __init__(self) -> None:
        self.bids: dict[Fraction, Fraction] = {}
        self.asks: dict[Fraction, Fraction] = {}

    def change(self, bids: bool, price: Fraction, quantity: Fraction) -> None:
        side = self.bids if bids else self.asks
        side.pop(price, None)
        if quantity:
            side[price] = quantity

    def contents(self) -> Contents:
        return tuple(sorted(self.bids.items(), reverse=True)), tuple(sorted(self.asks.items()))


def fractions(levels: Iterable[Level]) -> Rungs:
    return tuple((Fraction(price), Fraction(quantity)) for price, quantity in levels)


def contents(book: BookView) -> Contents:
    return fractions(book.bids()), fractions(book.asks())


def rounded(value: Fraction) -> Decimal:
    return Context(prec=28).divide(Decimal(value.numerator), Decimal(value.denominator))


def spellings(texts: Iterable[str]) -> list[str | Decimal]:
    """The same numbers in every way that a book takes them, the wire's most often."""
    forms = [form for text in texts for form in (text, text, text, f"0{text}", f"{text}e0", Decimal(text))]
    return [*forms, *(f"{text}{'00' if '.' in text else '.00'}" for text in texts)]


SHORT = ("86700", "86700.1", "86701", "9.5", "0.00012", "123456789012.125", "100")
# Neighbours that are one and the same float, among others that are not.
LONG = ("0.123456789012345677", "0.123456789012345678", "9007199254740993.1", "9007199254740993.2", "86700", "86700.1")
QUANTITIES = ("0", "0.00000", "1", "0.5", "12.345", "1000000", "0.00000000000000000001")


randoms = st.integers(0, 2**16).map(Random)  # what it yields is not worth shrinking, which makes it ten times as fast


class Applying(RuleBasedStateMachine):
    """One book and the reference side by side. It is read now and then only, so that unread levels are common."""

    def __init__(self) -> None:
        super().__init__()
        self.book = OrderBook("X")
        self.reference: Reference | None = None
        self.last = 0
        self.held: list[tuple[BookSnapshot, Contents]] = []

    @initialize(prices=st.sampled_from([SHORT, SHORT + LONG, LONG]))
    def choose(self, prices: tuple[str, ...]) -> None:
        self.prices, self.quantities = spellings(prices), spellings(QUANTITIES)

    def levels(self, random: Random, most: int) -> Levels:
        return [(random.choice(self.prices), random.choice(self.quantities)) for _ in range(random.randint(0, most))]

    @rule(random=randoms, last=st.integers(0, 50), as_text=st.booleans())
    def load(self, random: Random, last: int, as_text: bool) -> None:
        bids, asks = self.levels(random, 6), self.levels(random, 6)
        self.book.apply_snapshot(bids, asks, str(last) if as_text else last)
        self.reference, self.last = Reference(), last
        self.follow(bids, asks)

    def follow(self, *sides: Levels) -> None:
        assert self.reference is not None
        for side, levels in zip((True, False), sides, strict=True):
            for price, quantity in levels:
                self.reference.change(side, Fraction(price), Fraction(quantity))

    @precondition(lambda self: self.reference is not None)
    @rule(random=randoms, overlap=st.integers(0, 3), width=st.integers(1, 3))
    def update(self, random: Random, overlap: int, width: int) -> None:
        bids, asks = self.levels(random, 3), self.levels(random, 3)
        first, last = self.last + 1 - overlap, self.last + width
        assert self.book.apply_delta(bids, asks, first, last)
        self.last = last
        self.follow(bids, asks)

    @precondition(lambda self: self.reference is not None)
    @rule(random=randoms, back=st.integers(0, 5))
    def repeat(self, random: Random, back: int) -> None:
        assert not self.book.apply_delta(self.levels(random, 3), [], self.last - back, self.last - back)

    @rule(random=randoms, missing=st.integers(1, 5))
    def skip(self, random: Random, missing: int) -> None:
        first = self.last + 1 + missing
        with pytest.raises(SequenceGap):
            self.book.apply_delta(self.levels(random, 3), [], first, first)

    @precondition(lambda self: self.reference is not None)
    @rule(
        random=randoms, wrong=st.sampled_from([("86700", "-1"), ("-1", "1"), ("0", "1"), ("nan", "1"), ("9.5", "inf")])
    )
    def spoil(self, random: Random, wrong: tuple[str, str]) -> None:
        bids, asks = self.levels(random, 2), [*self.levels(random, 2), wrong, *self.levels(random, 2)]
        with pytest.raises(InvalidArgument):
            self.book.apply_delta(bids, asks, self.last + 1, self.last + 1)
        self.reference = None

    @rule()
    def forget(self) -> None:
        self.book.clear()
        self.reference = None

    @rule()
    def hold(self) -> None:
        self.held.append((self.book.snapshot(), Reference().contents() if self.reference is None else self.state()))

    def state(self) -> Contents:
        assert self.reference is not None
        return self.reference.contents()

    @invariant()
    def answers_for_its_update(self) -> None:
        assert self.book.last_update_id == (None if self.reference is None else self.last)

    @precondition(lambda self: self.reference is not None)
    @rule(n=st.integers(0, 4))
    def read_some(self, n: int) -> None:
        bids, asks = self.state()
        assert (fractions(self.book.bids(n)), fractions(self.book.asks(n))) == (bids[:n], asks[:n])
        best_bid, best_ask = self.book.best_bid, self.book.best_ask
        assert fractions([] if best_bid is None else [best_bid]) == bids[:1]
        assert fractions([] if best_ask is None else [best_ask]) == asks[:1]
        assert self.book.is_crossed == bool(bids and asks and bids[0][0] >= asks[0][0])

    @precondition(lambda self: self.reference is not None)
    @rule(
        n=st.integers(1, 4),
        price=st.sampled_from(SHORT + LONG),
        percent=st.sampled_from(["0", "0.0001", "10", "250"]),
        quantity=st.sampled_from(QUANTITIES[2:]),
    )
    def measure(self, n: int, price: str, percent: str, quantity: str) -> None:
        bids, asks = self.state()
        book, limit, size = self.book, Fraction(price), Fraction(quantity)
        assert contents(book) == (bids, asks)
        resting_bids, resting_asks = total(bids[:n]), total(asks[:n])
        assert book.cumulative("Bid", levels=n) == resting_bids
        assert book.cumulative("Ask", levels=n) == resting_asks
        assert book.cumulative("Bid", price) == total(level for level in bids if level[0] >= limit)
        assert book.cumulative("Ask", price) == total(level for level in asks if level[0] <= limit)
        both = resting_bids + resting_asks
        assert book.imbalance(n) == (rounded((resting_bids - resting_asks) / both) if both else None)
        if bids and asks:
            (bid, bid_size), (ask, ask_size) = bids[0], asks[0]
            mid = (bid + ask) / 2
            reach = mid * Fraction(percent) / 100
            within = book.depth_within(percent)
            assert book.mid == mid
            assert book.spread == ask - bid
            assert book.microprice == rounded((bid * ask_size + ask * bid_size) / (bid_size + ask_size))
            assert within is not None
            assert within.bids == total(level for level in bids if level[0] >= mid - reach)
            assert within.asks == total(level for level in asks if level[0] <= mid + reach)
        self.measure_taking(Side.BID, asks, size)
        self.measure_taking(Side.ASK, bids, size)

    def measure_taking(self, side: Side, resting: Rungs, size: Fraction) -> None:
        quantity = rounded(size)
        cost = taken(resting, size)
        average = None if cost is None else rounded(cost / size)
        worse = None if cost is None else rounded(abs(cost / size / resting[0][0] - 1) * 100)
        assert (self.book.vwap(side, quantity), self.book.slippage(side, quantity)) == (average, worse)

    def teardown(self) -> None:
        if self.reference is not None:
            assert contents(self.book) == self.state()
        assert all(contents(snapshot) == expected for snapshot, expected in self.held)


def total(levels: Iterable[tuple[Fraction, Fraction]]) -> Fraction:
    return sum((quantity for _, quantity in levels), Fraction(0))


def taken(resting: Rungs, size: Fraction) -> Fraction | None:
    """What `size` units cost, None when there are fewer."""
    cost = Fraction(0)
    for price, quantity in resting:
        part = min(quantity, size)
        cost, size = cost + part * price, size - part
    return cost if not size else None


class Frame(NamedTuple):
    """A message of the depth stream."""

    bids: Wire
    asks: Wire
    first: int
    last: int


class Snapshot(NamedTuple):
    """A REST reply."""

    bids: Wire
    asks: Wire
    last: int


class Market:
    """The exchange's side: its book at every update id there was, and the frames that tell of the changes."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.reference = Reference()
        self.last = self.random.randrange(1000)
        self.history = {self.last: self.reference.contents()}

    def trade(self, changes: list[tuple[bool, int, int]], idle: int) -> Frame:
        """Make changes of (is bid, price, quantity), an update each, and `idle` more without any; tell in one frame."""
        first, touched = self.last + 1, set[tuple[bool, Fraction]]()
        for bids, price, quantity in changes:
            other = self.reference.asks if bids else self.reference.bids
            if quantity and any(level <= price if bids else level >= price for level in other):
                quantity = 0
            self.reference.change(bids, Fraction(price), Fraction(quantity))
            touched.add((bids, Fraction(price)))
            self.advance()
        for _ in range(idle):
            self.advance()
        return Frame(self.told(True, touched), self.told(False, touched), first, self.last)

    def advance(self) -> None:
        self.last += 1
        self.history[self.last] = self.reference.contents()

    def told(self, bids: bool, touched: set[tuple[bool, Fraction]]) -> Wire:
        """The touched levels of a side as they are now, in no particular order and in either spelling."""
        side = self.reference.bids if bids else self.reference.asks
        prices = sorted(price for own, price in touched if own is bids)
        self.random.shuffle(prices)
        return [(self.spelt(price), self.spelt(side.get(price, Fraction(0)))) for price in prices]

    def spelt(self, value: Fraction) -> str:
        return f"{value}{self.random.choice(('', '.0', '.00000'))}"

    def snapshot(self, age: int) -> Snapshot:
        """What REST answers: the book of `age` updates ago, bids ascending."""
        last = max(min(self.history), self.last - age)
        bids, asks = self.history[last]
        bid_levels, ask_levels = (
            [(self.spelt(price), self.spelt(size)) for price, size in side] for side in (bids, asks)
        )
        return Snapshot(bid_levels[::-1], ask_levels, last)


# Prices meet, so that sides push each other back; few of them, so that levels come, change and go.
changes = st.lists(st.tuples(st.booleans(), st.integers(1, 7), st.integers(0, 2)), max_size=4)
FATES = ("arrives", "overtaken", "repeated", "lost", "malformed", "crossing", "delayed", "in a row")
fates = st.sampled_from((*["arrives"] * 8, *["in a row"] * 3, *FATES))
MALFORMED = (("1", "-1"), ("-1", "1"), ("0", "2"), ("1", "nan"), ("", "1"))


class Synchronising(RuleBasedStateMachine):
    """A synchroniser behind a bad line. Whatever it serves is held against the market's history."""

    @initialize(seed=st.integers(0, 2**16), buffer_size=st.sampled_from([2, 5, 100]), levels=st.sampled_from([None, 2]))
    def open(self, seed: int, buffer_size: int, levels: int | None) -> None:
        self.market = Market(seed)
        self.sync = BookSynchroniser("X", buffer_size=buffer_size, snapshot_levels=levels)
        self.connected = self.asked = self.checking = False
        self.wire: list[Frame] = []
        """Sent by the exchange, not yet arrived."""
        self.arrived: list[Frame] = []
        self.replies: list[Snapshot] = []
        """Taken by REST, not yet arrived."""
        self.reconnect(down=False)

    def note(self, action: Action | None) -> None:
        """Hold an answer against the state that it speaks of."""
        if isinstance(action, BookChanged):
            assert self.sync.book is not None
        elif isinstance(action, NeedSnapshot):
            assert action.symbol == "X"
            assert action.attempt >= 1
            if action.reason is SnapshotReason.CHECK:
                assert self.sync.book is not None
                self.checking = True
            else:
                assert not self.asked, "a second snapshot was asked for"
                assert self.sync.book is None
                self.asked = True
        self.serves_nothing_wrong()

    @rule(frames=st.lists(st.tuples(changes, st.integers(0, 2), fates), min_size=1, max_size=6))
    def trade(self, frames: list[tuple[list[tuple[bool, int, int]], int, str]]) -> None:
        """The market moves and tells. Then something becomes of the next frame on the line."""
        for made, idle, fate in frames:
            frame = self.market.trade(made, idle if made else idle + 1)
            if self.connected:
                self.wire.append(frame)
            if fate == "in a row":
                while self.wire:
                    self.arrive("arrives")
            else:
                self.arrive(fate)

    def arrive(self, fate: str) -> None:
        if fate == "repeated" and self.arrived:  # maybe one of a connection that has ended
            frame = self.market.random.choice(self.arrived[-6:])
        elif self.wire and fate != "delayed":
            frame = self.wire.pop(min(1, len(self.wire) - 1) if fate == "overtaken" else 0)
            self.arrived.append(frame)
        else:
            return
        if fate == "malformed":
            bad = self.market.random.choice(MALFORMED)
            frame = frame._replace(bids=[*frame.bids, bad]) if frame.last % 2 else frame._replace(asks=[bad])
        elif fate == "crossing" and self.market.history[frame.last][1]:  # there is an ask to tell by
            frame = frame._replace(bids=[*frame.bids, ("99", "1")])
        if fate != "lost":
            self.note(self.sync.on_delta(*frame))

    @rule(down=st.sampled_from([False, False, True]))
    def reconnect(self, down: bool) -> None:
        self.wire.clear()
        self.asked = self.checking = False
        self.connected = not down
        if down:
            self.sync.on_disconnected()
            assert self.sync.book is None
        else:
            self.note(self.sync.on_connected())
            assert self.asked

    @rule(age=st.sampled_from([0, 0, 0, 1, 2, 5, 20]), at_once=st.booleans())
    def take_snapshot(self, age: int, at_once: bool) -> None:
        """REST answers. The reply is on its way for a while, or comes at once."""
        if self.asked or self.checking:
            self.replies.append(self.market.snapshot(age))
            if at_once:
                self.deliver_snapshot(newest=True)

    @rule(newest=st.booleans())
    def deliver_snapshot(self, newest: bool) -> None:
        """Maybe one that an earlier connection asked for."""
        if self.replies:
            reply = self.replies.pop() if newest else self.replies.pop(0)
            if self.asked:
                self.asked = False
            else:
                self.checking = False
            self.note(self.sync.on_snapshot(*reply))

    @rule(level=st.sampled_from([("1", "-1"), ("99", "1")]))
    def deliver_bad_snapshot(self, level: tuple[str, str]) -> None:
        asked, live = self.asked, self.sync.book
        self.asked = self.checking = False
        self.note(self.sync.on_snapshot([level], [("50", "1")], self.market.last))
        assert self.sync.book is live
        assert self.asked == asked

    @rule()
    def quiet(self) -> None:
        waiting = self.sync.awaits_delta
        assert waiting <= (self.sync.state in (SyncState.ALIGNING, SyncState.STALE))
        self.note(action := self.sync.accept_quiet())
        assert (action is not None) == waiting

    @rule(age=st.sampled_from([0, 0, 1, 5]))
    def poll(self, age: int) -> None:
        """A snapshot comes unasked, in place of the connection."""
        reply, before = self.market.snapshot(age), self.sync.state
        action = self.sync.on_polled(*reply, engine_time=reply.last)
        self.note(action)
        if self.connected:
            assert action is None
            assert self.sync.state is before
        elif action is not None:
            assert self.sync.state is SyncState.POLLED
            assert self.sync.book is not None
            assert self.sync.book.last_update_id == reply.last

    @rule()
    def miss_polls(self) -> None:
        self.sync.on_poll_missed()
        assert self.sync.state is not SyncState.POLLED

    @rule(age=st.sampled_from([0, 0, 1, 3]), at_once=st.booleans())
    def check(self, age: int, at_once: bool) -> None:
        self.note(self.sync.start_check())
        self.take_snapshot(age, at_once)

    @rule()
    def settle(self) -> None:
        """A good line for a while."""
        if not self.connected:
            self.reconnect(False)
        for _ in range(5):
            # A frame that shows what was lost before it, and an answer to what is asked for then.
            self.trade([([(True, 1, 1)], 0, "in a row")])
            if self.asked:
                self.take_snapshot(0, at_once=True)
        book = self.sync.book
        assert book is not None
        assert book.last_update_id == self.market.last
        assert contents(book) == self.market.reference.contents()
        assert self.sync.buffered == 0

    @invariant()
    def serves_nothing_wrong(self) -> None:
        book, stale, state = self.sync.book, self.sync.stale_book, self.sync.state
        assert (book is not None) == (state in (SyncState.LIVE, SyncState.POLLED))
        assert (stale is not None) == (state is SyncState.STALE)
        for served in (book, stale):
            if served is not None:
                assert served.last_update_id is not None
                assert contents(served) == self.market.history[served.last_update_id]
        assert self.sync.counters.mismatches == 0

    def teardown(self) -> None:
        if hasattr(self, "market"):
            self.settle()


def test_book_equals_the_reference() -> None:
    run_state_machine_as_test(Applying, settings=SETTINGS)


def test_synchroniser_serves_only_what_was() -> None:
    run_state_machine_as_test(Synchronising, settings=SETTINGS)


@pytest.mark.parametrize("seed", range(4))
def test_long_sessions(seed: int) -> None:
    """Longer than the machine gets by itself, and a proof that all that can go wrong does."""
    random = Random(seed)
    machine = Synchronising()
    machine.open(seed, buffer_size=8, levels=None)
    for _ in range(3000):
        odds = random.random()
        if odds < 0.02:
            machine.reconnect(random.random() < 0.3)
        elif odds < 0.05:
            machine.deliver_bad_snapshot(("99", "1"))
        elif odds < 0.15:
            machine.check(random.choice((0, 0, 1, 3)), at_once=random.random() < 0.5)
        elif odds < 0.2:
            machine.quiet()
        elif odds < 0.5:
            machine.take_snapshot(random.choice((0, 0, 1, 3)), at_once=False)
        elif odds < 0.8:
            machine.deliver_snapshot(random.random() < 0.5)
        for _ in range(random.randint(1, 3)):
            fate = random.choice(FATES) if random.random() < 0.1 else "arrives"
            machine.trade([(some_changes(random), random.choice((0, 0, 1)), fate)])
    machine.teardown()
    seen = machine.sync.counters
    rare = seen.gaps, seen.behind, seen.late, seen.overflowed, seen.crossed, seen.malformed, seen.checks
    assert min(rare) > 10, seen
    assert seen.applied > 500, seen


def some_changes(random: Random) -> list[tuple[bool, int, int]]:
    return [(random.random() < 0.5, random.randint(1, 7), random.randint(0, 2)) for _ in range(random.randint(0, 3))]


SETTINGS = settings(
    max_examples=70, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

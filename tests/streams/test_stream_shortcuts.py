"""The quick ways that order books' frames take: what they leave out, and that nothing is lost with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backpack_sdk._core.events import UNREADABLE
from backpack_sdk._generated.streams.channels import DECODER, DEPTH, MARK_PRICE
from backpack_sdk._generated.streams.models import DepthUpdate
from backpack_sdk.streams.book_updates import Audience
from backpack_sdk.streams.kept_book import KeptBook
from backpack_sdk.streams.options import StreamOptions, StreamSetup
from backpack_sdk.streams.session import StreamSession
from backpack_sdk.streams.sync import Action, BookChanged, BookSynchroniser, SyncState

NAME = "depth.SOL_USDC"


def frame(stream: str = NAME, **changes: Any) -> bytes:
    data = {"E": 1, "T": 2, "U": 3, "a": [], "b": [["1", "2"]], "e": "depth", "s": "SOL_USDC", "u": 3} | changes
    return json.dumps({"data": data, "stream": stream}).encode()


TRADE = frame("trade.SOL_USDC", e="trade", p="1", q="2", t=3, a="4", b="5", m=True)


@pytest.fixture
def session() -> StreamSession:
    sender: Any = None  # nothing is sent in these tests
    return StreamSession(StreamSetup(sender, (), None, lambda: 2.0), StreamOptions(), DECODER)


def keep(session: StreamSession, name: str = NAME, *, bare: bool) -> tuple[list[Any], Callable[[Any], object]]:
    """Receive the events of a stream in a list."""
    events: list[Any] = []

    def push(event: Any) -> None:
        events.append(event)

    session._routes.add({name: None}, DEPTH if name == NAME else MARK_PRICE, push, bare=bare)
    return events, push


def give(session: StreamSession, payload: bytes) -> None:
    session.on_frames([payload], len(payload))


def test_who_does_without_the_frame_gets_the_event_alone(session: StreamSession) -> None:
    events, _ = keep(session, bare=True)
    give(session, frame(new=5))
    assert events == [DECODER.decode(frame())]
    assert events[0].stream is None
    assert events[0].extra == {}


def test_one_who_wants_the_frame_is_enough_for_all_to_have_it(session: StreamSession) -> None:
    bare, _ = keep(session, bare=True)
    whole, push = keep(session, bare=False)
    give(session, frame(new=5))
    assert [event.extra for event in bare + whole] == [{"new": 5}, {"new": 5}]
    session._routes.remove([NAME], push)
    give(session, frame(new=5))
    assert (len(bare), bare[-1].extra, len(whole)) == (2, {}, 1)


def test_other_frames_are_told_apart_while_only_one_kind_is_expected(session: StreamSession) -> None:
    events, _ = keep(session, bare=True)
    refusal = b'{"id":null,"error":{"code":4006,"message":"Invalid stream"}}'
    together = [TRADE, frame("depth.BTC_USDC"), refusal, b"no JSON", frame(b="not a list"), frame(E="1")]
    session.on_frames(together, 500)
    counters = session.counters
    assert (counters.frames, counters.bytes) == (6, 500)
    assert (counters.unrouted, counters.errors, counters.undecodable) == (2, 1, 1)
    assert [type(event).__name__ for event in events] == ["UnknownEvent", "DepthUpdate"]


def test_a_second_kind_of_stream_is_read_beside_the_first(session: StreamSession) -> None:
    depths, _ = keep(session, bare=True)
    prices, push = keep(session, "markPrice.SOL_USDC", bare=True)
    price = frame("markPrice.SOL_USDC", e="markPrice", p="1", f="0", i="1", n=4)
    give(session, frame())
    give(session, price)
    session._routes.remove(["markPrice.SOL_USDC"], push)
    give(session, price)
    give(session, frame())
    assert (len(depths), len(prices), session.counters.unrouted) == (2, 1, 1)


def test_a_fault_in_a_consumer_stops_neither_it_nor_others(
    session: StreamSession, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_event: Any) -> None:
        raise RuntimeError("of no use")

    session._routes.add({NAME: None}, DEPTH, fail, bare=True)
    events, _ = keep(session, "markPrice.SOL_USDC", bare=True)
    give(session, frame())
    give(session, frame("markPrice.SOL_USDC", e="markPrice", p="1", f="0", i="1", n=4))
    assert len(events) == 1
    assert "a fault of the SDK" in caplog.text


def test_lag_is_looked_at_now_and_then(session: StreamSession) -> None:
    keep(session, bare=True)
    for _ in range(15):
        give(session, frame(E=1_500_000))
    assert session.counters.lag_us is None
    give(session, frame(E=1_500_000))
    assert session.counters.lag_us == 500_000


def test_the_narrow_decoder_refuses_other_kinds() -> None:
    read = DECODER.usual(DepthUpdate)
    assert read(frame()).data == DECODER.decode(frame())
    assert read(frame()).stream == NAME
    with pytest.raises(UNREADABLE):
        read(TRADE)
    assert DECODER.usual()(TRADE).stream == "trade.SOL_USDC"


PRICES = st.sampled_from(["99", "100.0", "100", "101", "0", "-1", "x", "1.00000000000000000001"])
SIDES = st.lists(st.tuples(PRICES, st.sampled_from(["1", "2.5", "0.00", "-1", "x"])), max_size=2).map(tuple)
UPDATES = st.lists(st.tuples(SIDES, SIDES, st.sampled_from([0, 0, 0, -1, 1]), st.integers(0, 2)), max_size=8)


@settings(deadline=None)
@given(UPDATES, st.booleans())
@example([((("100", "1"),), (("100.0", "1"),), 0, 0)], False)
def test_an_event_does_what_its_parts_do(updates: list[Any], checked: bool) -> None:
    said: list[Action] = []
    audience = Audience()
    audience.callbacks.append(lambda book: said.append(BookChanged(book.symbol)))
    by_event = KeptBook(
        "SOL_USDC", NAME, audience, lambda _, request: said.append(request), show_stale=False, quiet_after=1
    )
    by_parts = BookSynchroniser("SOL_USDC")
    for sync in (by_event, by_parts):
        sync.on_connected()
        sync.on_snapshot([("98", "1")], [("102", "1")], 10)
        sync.accept_quiet()
        if checked:
            sync.start_check()
    last = 10
    for bids, asks, gap, more in updates:
        first = last + 1 + gap
        last = first + more
        event = DepthUpdate(
            event_time_us=1, engine_time_us=last, symbol="SOL_USDC", wire_bids=bids, wire_asks=asks,
            update_id_first=first, update_id_last=last,
        )  # fmt: skip
        said.clear()
        by_event.take(event)
        action = by_parts.on_delta(bids, asks, first, last, engine_time=last)
        assert said == ([] if action is None else [action])
        assert (by_event.state, asdict(by_event.counters)) == (by_parts.state, asdict(by_parts.counters))
        if by_event.state is SyncState.LIVE and by_event.book is not None and by_parts.book is not None:
            assert by_event.book.snapshot() == by_parts.book.snapshot()

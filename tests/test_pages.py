"""Paging: the pure walks against model servers, then pagers over a real socket."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, assert_type
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from backpack_sdk import OPERATIONS, AsyncBackpack, Backpack, Credentials, InvalidArgument
from backpack_sdk._core.errors import ConnectionFailed
from backpack_sdk._core.request import Operation
from backpack_sdk._paging import PATIENCE, OffsetWalk, find, unique_tail
from backpack_sdk._paging_candles import CandleWalk, candle_step
from backpack_sdk._paging_run import _IDS
from backpack_sdk.pages import AsyncPager, Cursor, Pager, PagingError, Progress
from backpack_sdk.types import Kline, OrderFill

# A list by limit and offset, as a pure model


@dataclass
class Listing:
    """A server's list. Before each request but the first, the next entry of `events` changes it."""

    rows: list[str]
    newest_first: bool
    cap: int | None = None
    counts: bool = False
    events: list[Callable[[Listing], None]] = field(default_factory=list)
    requests: int = 0

    def arrive(self, rows: list[str]) -> None:
        self.rows = [*rows, *self.rows] if self.newest_first else [*self.rows, *rows]

    def page(self, limit: int, offset: int) -> tuple[list[str], int | None]:
        if self.requests and self.events:
            self.events.pop(0)(self)
        self.requests += 1
        size = limit if self.cap is None else min(limit, self.cap)
        return self.rows[offset : offset + size], len(self.rows) if self.counts else None


def read(walk: OffsetWalk, listing: Listing, up_to: int | None = None) -> tuple[list[str], tuple[int, tuple[str, ...]]]:
    """The rows a walk hands out, and the place behind the last one."""
    rows: list[str] = []
    while (ask := walk.ask(None if up_to is None else up_to - len(rows))) is not None:
        page, total = listing.page(ask.limit, ask.offset)
        fresh = page[walk.take(page, total) :]
        if up_to is not None and len(rows) + len(fresh) > up_to:
            left = up_to - len(rows)
            return rows + fresh[:left], walk.place(left)
        rows += fresh
        place = walk.place(len(fresh))
    return rows, walk.place(0) if not rows else place


def arrivals(counts: list[int], name: str = "new") -> list[Callable[[Listing], None]]:
    def event(number: int, count: int) -> Callable[[Listing], None]:
        return lambda listing: listing.arrive([f"{name} {number}.{index}" for index in range(count)])

    return [event(number, count) for number, count in enumerate(counts)]


bursts = st.lists(st.integers(0, 25), max_size=12)
unique_rows = st.integers(0, 60).map(lambda count: [str(index) for index in range(count)])
runs = st.lists(st.integers(1, 4), max_size=20).map(
    lambda lengths: [str(index) for index, length in enumerate(lengths) for _ in range(length)]
)
caps = st.none() | st.integers(2, 20)


def assert_complete(handed: list[str], original: list[str], listing: Listing) -> None:
    """Every row of the beginning once and in order; behind them, oldest first, some of those that arrived."""
    assert handed[: len(original)] == original
    later = handed[len(original) :]
    if listing.newest_first:
        assert later == []
    else:
        assert later == listing.rows[len(original) : len(original) + len(later)]


@example(["0"], True, None, 1, 2, False, [])
@example(["0", "1"], True, 2, 5, 6, False, [1, 1])
@given(unique_rows, st.booleans(), caps, st.integers(1, 30), st.integers(2, 30), st.booleans(), bursts)
def test_rows_of_the_beginning_come_once_and_in_order(
    rows: list[str], newest_first: bool, cap: int | None, limit: int, most: int, counts: bool, counts_in: list[int]
) -> None:
    listing = Listing(list(rows), newest_first, cap, counts, arrivals(counts_in))
    handed, _ = read(OffsetWalk("list", limit, most), listing)
    assert_complete(handed, rows, listing)


@given(runs, st.booleans(), st.none() | st.integers(5, 20), st.integers(1, 30), st.booleans(), bursts)
def test_rows_that_look_alike_are_all_handed_out(
    rows: list[str], newest_first: bool, cap: int | None, limit: int, counts: bool, counts_in: list[int]
) -> None:
    listing = Listing(list(rows), newest_first, cap, counts, arrivals(counts_in))
    handed, _ = read(OffsetWalk("list", limit, 20), listing)
    assert_complete(handed, rows, listing)


@settings(max_examples=150)
@given(
    st.lists(st.sampled_from("abc"), max_size=30), st.booleans(), st.none() | st.integers(1, 12), st.integers(1, 12),
    st.booleans(), bursts,
)  # fmt: skip
def test_whatever_repeats_a_walk_is_right_or_says_that_it_is_lost(
    rows: list[str], newest_first: bool, cap: int | None, limit: int, counts: bool, counts_in: list[int]
) -> None:
    listing = Listing(list(rows), newest_first, cap, counts, arrivals(counts_in))
    try:
        handed, _ = read(OffsetWalk("list", limit, 12), listing)
    except PagingError:
        assume(False)
    assert_complete(handed, rows, listing)


def vanishing(picks: list[float]) -> list[Callable[[Listing], None]]:
    def event(pick: float) -> Callable[[Listing], None]:
        def vanish(listing: Listing) -> None:
            if listing.rows:
                listing.rows.pop(int(pick * len(listing.rows)))

        return vanish

    return [event(pick) for pick in picks]


@settings(max_examples=150)
@given(
    unique_rows, st.booleans(), caps, st.integers(1, 20), st.booleans(),
    st.lists(st.floats(0, 1, exclude_max=True), max_size=8), bursts,
)  # fmt: skip
def test_rows_that_vanish_leave_no_hole(
    rows: list[str], newest_first: bool, cap: int | None, limit: int, counts: bool, gone: list[float], come: list[int]
) -> None:
    events = [event for pair in zip(vanishing(gone), arrivals(come), strict=False) for event in pair]
    listing = Listing(list(rows), newest_first, cap, counts, events)
    try:
        handed, _ = read(OffsetWalk("list", limit, 20), listing)
    except PagingError:
        assume(False)
    kept = [row for row in rows if row in listing.rows]
    old = [row for row in handed if row in rows]
    assert [row for row in old if row in kept] == kept
    assert len(set(handed)) == len(handed)


@settings(max_examples=150)
@given(
    runs, st.booleans(), st.none() | st.integers(5, 20), st.integers(1, 20), st.integers(1, 20), st.integers(1, 80),
    bursts, bursts,
)  # fmt: skip
def test_resuming_gives_exactly_the_rest(
    rows: list[str], newest_first: bool, cap: int | None, limit: int, other: int, stop: int, first: list[int],
    second: list[int],
) -> None:  # fmt: skip
    listing = Listing(list(rows), newest_first, cap, False, arrivals(first))
    handed, (offset, anchor) = read(OffsetWalk("list", limit, 20), listing, stop)
    assume(handed)  # before the first row there is no place to hold on to
    cursor = Cursor.from_text(Cursor("list", "", offset, anchor).to_text())
    assert (cursor.offset, cursor.anchor) == (offset, anchor)
    listing.events = arrivals(second, "newer")
    rest, _ = read(OffsetWalk("list", other, 20, offset=cursor.offset, anchor=cursor.anchor), listing)
    assert_complete(handed + rest, rows, listing)


def test_resuming_learns_again_what_came_before() -> None:
    """Rows of one instant that alternate: three of the last rows look like three earlier ones, two places before."""
    rows = ["x", "a", "b", "a", "b", "a", "b", "y", "z"]
    listing = Listing(list(rows), True)
    handed, (offset, anchor) = read(OffsetWalk("list", 12, 12), listing, 5)
    assert anchor == ("b", "a", "b")
    walk = OffsetWalk("list", 12, 12, offset=offset, anchor=anchor)
    for _ in range(4):
        ask = walk.ask(1)
        assert ask is not None
        page, _ = listing.page(ask.limit, ask.offset)
        handed += page[walk.take(page) :]
        listing.arrive(["new 1", "new 2"] if listing.requests == 2 else [])
    assert handed == rows


@given(unique_rows, st.booleans(), st.integers(1, 20), st.integers(0, 80), bursts)
def test_up_to_gives_the_first_rows(
    rows: list[str], newest_first: bool, limit: int, up_to: int, counts_in: list[int]
) -> None:
    listing = Listing(list(rows), newest_first, None, False, arrivals(counts_in))
    handed, _ = read(OffsetWalk("list", limit, 20), listing, up_to)
    assert len(handed) <= up_to
    assert handed[: len(rows)] == rows[:up_to]


@pytest.mark.parametrize("cap", [1, 2, 7])
def test_a_list_without_end_is_given_up(cap: int) -> None:
    """A server that always sends the first rows would otherwise be asked for ever."""
    listing = Same([str(index) for index in range(cap)], newest_first=True)
    with pytest.raises(PagingError, match=r"markets\.some_list: .*What was handed out so far is right"):
        read(OffsetWalk("markets.some_list", 7, 7), listing)
    assert listing.requests <= PATIENCE + 5


class Same(Listing):
    """A server that takes no notice of limit and offset."""

    def page(self, limit: int, offset: int) -> tuple[list[str], int | None]:
        self.requests += 1
        return self.rows, None


def test_a_row_that_vanished_under_the_reader_is_an_error() -> None:
    listing = Listing([str(index) for index in range(30)], True)
    walk = OffsetWalk("order.get_fills", 10, 10)
    ask = walk.ask()
    assert ask is not None
    assert walk.take(listing.page(ask.limit, ask.offset)[0]) == 0
    listing.rows.remove("9")
    with pytest.raises(PagingError, match=r"order\.get_fills: the row handed out last is no longer in the list"):
        read(walk, listing)
    assert walk.place(0)[0] == 10


def test_a_run_longer_than_a_page_is_an_error() -> None:
    with pytest.raises(PagingError, match=r"it takes the last 10 rows .* no more than 10"):
        read(OffsetWalk("list", 10, 10), Listing(["same"] * 30, True))


def test_more_arrivals_than_a_page_are_bridged_forwards_and_counted() -> None:
    rows = [str(index) for index in range(50)]
    listing = Listing(list(rows), True, None, False, arrivals([37]))
    walk = OffsetWalk("list", 10, 10)
    handed, _ = read(walk, listing)
    assert handed == rows
    assert walk.shift == 37


@pytest.mark.parametrize("rows", [1, 2, 5, 50])
@pytest.mark.parametrize("pace", [1, 2, 7])
def test_the_end_is_found_while_rows_arrive_without_pause(rows: int, pace: int) -> None:
    listing = Listing([str(index) for index in range(rows)], True, None, False, arrivals([pace] * 100))
    handed, _ = read(OffsetWalk("list", 100, 100), listing)
    assert handed == [str(index) for index in range(rows)]
    assert listing.requests < 10


def test_rows_cut_off_at_the_front_are_bridged_backwards() -> None:
    """The oldest rows of an oldest-first history fall out of the exchange's memory."""
    rows = [str(index) for index in range(200)]

    def cut(listing: Listing) -> None:
        del listing.rows[:35]

    listing = Listing(list(rows), False, None, False, [lambda _: None] * 4 + [cut])
    walk = OffsetWalk("list", 10, 10)
    assert read(walk, listing)[0] == rows
    assert walk.shift == -35


@pytest.mark.parametrize(
    ("rows", "limit", "cap", "counts", "requests"),
    [
        (0, 100, None, False, 1),
        (1, 100, None, False, 2),  # a short page may be a server's maximum: one more request tells
        (37, 100, None, False, 2),
        (37, 100, None, True, 1),  # the header says the same
        (250, 100, None, False, 3),  # a page shorter than one before is the end
        (250, 1000, 100, False, 3),
        (99, 100, 50, False, 3),
    ],
)
def test_requests_a_list_takes(rows: int, limit: int, cap: int | None, counts: bool, requests: int) -> None:
    listing = Listing([str(index) for index in range(rows)], True, cap, counts)
    assert len(read(OffsetWalk("list", limit, 1000), listing)[0]) == rows
    assert listing.requests == requests


def test_the_length_of_a_list_ends_it_from_any_offset() -> None:
    listing = Listing([str(index) for index in range(60)], True, None, True)
    assert len(read(OffsetWalk("list", 100, 100, offset=50), listing)[0]) == 10
    assert listing.requests == 1


def test_asking_again_after_a_failure_changes_nothing() -> None:
    walk = OffsetWalk("list", 10, 10)
    assert walk.ask() == walk.ask()
    walk.take([str(index) for index in range(10)])
    assert walk.ask() == walk.ask()


@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=12))
def test_the_unique_tail_is_the_shortest(keys: list[str]) -> None:
    length = unique_tail(keys)
    spots = [
        sum(keys[start : start + size] == keys[-size:] for start in range(len(keys) - size + 1))
        for size in range(1, len(keys) + 1)
    ]
    assert length == spots.index(1) + 1
    assert find(keys, keys[-length:]) == len(keys) - length


# Candles, as a pure model


@dataclass
class Chart:
    """A server's candles: where ranges begin and end, and what is cut off, differs by `style`."""

    starts: list[int]
    interval: str
    style: str
    cap: int | None
    keeps_latest: bool
    requests: int = 0

    def candles(self, start: int, end: int | None, cap: int | None) -> list[int]:
        self.requests += 1
        step = candle_step(self.interval)
        last = 10**12 if end is None else end
        found = {
            "inclusive": [one for one in self.starts if start <= one <= last],
            "exclusive": [one for one in self.starts if start <= one < last],
            "closed": [one for one in self.starts if start <= one and step(one, 1) <= last],
            "touching": [one for one in self.starts if start < step(one, 1) and one <= last],
        }[self.style]
        if cap is None or len(found) <= cap:
            return found
        return found[-cap:] if self.keeps_latest else found[:cap]


def walk_candles(walk: CandleWalk[int], chart: Chart, up_to: int | None = None) -> list[int]:
    handed: list[int] = []
    while (ask := walk.ask(None if up_to is None else up_to - len(handed))) is not None:
        found = chart.candles(*ask, chart.cap)
        handed += walk.take(found, found)
    return handed


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    interval = draw(st.sampled_from(["1s", "1m", "3m", "1d", "1w", "1month"]))
    step, first = candle_step(interval), 1_735_689_600
    missing = draw(st.sets(st.integers(0, 40), max_size=25))
    starts = [step(first, index) for index in range(41) if index not in missing]
    style = draw(st.sampled_from(["inclusive", "exclusive", "closed", "touching"]))
    return Chart(starts, interval, style, draw(st.none() | st.integers(2, 12)), draw(st.booleans()))


@st.composite
def ranges(draw: st.DrawFn) -> tuple[int, int]:
    """A range in candles' lengths, and how far its ends lie inside a candle, in per cent."""
    return draw(st.integers(-500, 4500)), draw(st.integers(0, 5000))


@settings(max_examples=150)
@given(charts(), ranges(), st.booleans(), st.integers(1, 20))
def test_windows_give_what_one_request_without_a_maximum_would(
    chart: Chart, span: tuple[int, int], to_present: bool, width: int
) -> None:
    step, first = candle_step(chart.interval), 1_735_689_600
    length = step(first, 1) - first
    start = first + span[0] * length // 100
    end = start + span[1] * length // 100
    now = step(first, 41) - 1
    walk: CandleWalk[int] = CandleWalk(chart.interval, start, None if to_present else end, now, width)
    expected = chart.candles(start, None if to_present else end, None)
    handed = walk_candles(walk, chart)
    assert [one for one in handed if one >= start] == [one for one in expected if one >= start]
    assert set(handed) <= set(expected)  # one that opens before the range may be cut off with no sign of it


@settings(max_examples=100)
@given(charts(), st.integers(1, 20), st.integers(1, 50))
def test_candles_resume_where_they_stopped(chart: Chart, width: int, stop: int) -> None:
    first, now = 1_735_689_600, candle_step(chart.interval)(1_735_689_600, 41) - 1
    walk: CandleWalk[int] = CandleWalk(chart.interval, first, None, now, width)
    handed: list[int] = []
    place: int | None = None
    while len(handed) < stop and (ask := walk.ask()) is not None:
        found = chart.candles(*ask, chart.cap)
        fresh = walk.take(found, found)
        taken = fresh[: stop - len(handed)]
        handed += taken
        place = walk.place(len(taken))
    rest: CandleWalk[int] = CandleWalk(
        chart.interval, first if place is None else place, None, now, width, resumed=place is not None
    )
    again = walk_candles(rest, chart)
    assert (handed + again if place is not None else again) == chart.starts


def test_a_full_chart_costs_one_request_per_window() -> None:
    chart = Chart([60 * index for index in range(10_000)], "1m", "inclusive", None, False)
    walk: CandleWalk[int] = CandleWalk("1m", 0, 60 * 9_999, 10**9)
    assert walk_candles(walk, chart) == chart.starts
    assert chart.requests == 10


@pytest.mark.parametrize(
    ("interval", "start", "candles", "then"),
    [
        ("15m", "2025-01-01T00:00", 3, "2025-01-01T00:45"),
        ("1w", "2025-01-06T00:00", 2, "2025-01-20T00:00"),
        ("1month", "2024-01-01T00:00", 1, "2024-02-01T00:00"),
        ("1month", "2024-11-01T00:00", 14, "2026-01-01T00:00"),
        ("1month", "2024-01-31T06:00", 1, "2024-02-29T06:00"),
    ],
)
def test_candles_follow_each_other(interval: str, start: str, candles: int, then: str) -> None:
    begin, end = (int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) for text in (start, then))
    assert candle_step(interval)(begin, candles) == end


@pytest.mark.parametrize("interval", ["", "0m", "5", "1y", "-1m", "1 m"])
def test_candles_of_unknown_length_are_refused(interval: str) -> None:
    with pytest.raises(InvalidArgument, match="interval"):
        candle_step(interval)


# Pagers over HTTP

KEY = Credentials.generate()
START = datetime(2026, 1, 1, tzinfo=UTC)


def moment(index: int) -> str:
    return (START + timedelta(minutes=index)).replace(tzinfo=None).isoformat()


_PRICED = {"symbol": "SOL_USDC", "side": "Bid", "price": "141.2", "quantity": "0.5"}
_RFQ = {"rfqId": "1", "quoteId": "2", "symbol": "SOL_USDC_RFQ", "side": "Bid", "createdAt": moment(0)}
_ORDER = {
    "symbol": "SOL_USDC", "side": "Bid", "orderType": "Limit", "timeInForce": "GTC",
    "selfTradePrevention": "RejectTaker",
}  # fmt: skip
SAMPLES: dict[str, Callable[[int], dict[str, Any]]] = {
    "borrow_lend.get_borrow_lend_history": lambda n: {
        "symbol": "SOL", "quantity": "1", "eventType": "Borrow", "positionId": "7", "source": "Manual",
        "timestamp": moment(n),
    },
    "borrow_lend.get_borrow_lend_position_history": lambda n: {
        "symbol": "SOL", "side": "Borrow", "quantity": "1", "avgInterestRate": "0.1", "createdAt": moment(0),
        "cumulativeInterest": "0", "positionId": str(n), "source": "Manual",
    },
    "borrow_lend.get_interest_history": lambda n: {
        "symbol": "SOL", "quantity": "1", "interestRate": "0.1", "interval": 1, "marketSymbol": "SOL",
        "paymentType": "Borrow", "positionId": "7", "timestamp": moment(n),
    },
    "capital.get_deposits": lambda n: {
        "id": n, "symbol": "SOL", "quantity": "1", "status": "pending", "createdAt": moment(0), "source": "solana",
    },
    "capital.get_dust_history": lambda n: {
        "id": 1, "symbol": "SOL", "quantity": "1", "timestamp": moment(n), "usdcReceived": "1",
    },
    "capital.get_settlement_history": lambda n: {
        "quantity": "1", "source": "TradingFees", "timestamp": moment(n), "userId": 1,
    },
    "capital.get_withdrawals": lambda n: {
        "id": n, "symbol": "SOL", "quantity": "1", "status": "pending", "blockchain": "Solana", "createdAt": moment(0),
        "fee": "0", "isInternal": False, "toAddress": "a",
    },
    "markets.get_funding_interval_rates": lambda n: {
        "symbol": "SOL_USDC_PERP", "fundingRate": "0.0001", "intervalEndTimestamp": moment(n),
    },
    "markets.get_prediction_events": lambda n: {
        "description": "", "predictionMarkets": [], "quoteVolume": "1",
        "resolution": {"resolved": False, "startDate": moment(0)},
        "resolutionDelaySecs": 1,
        "resolved": False, "series": [], "slug": f"event-{n}", "tags": [], "title": "",
    },
    "order.get_fills": lambda n: _PRICED | {
        "orderId": "1", "tradeId": n, "fee": "0", "feeSymbol": "USDC", "isMaker": True, "timestamp": moment(0),
    },
    "order.get_order_history": lambda n: _ORDER | {"id": str(n), "status": "New", "createdAt": moment(0)},
    "position.get_funding_payments": lambda n: {
        "symbol": "SOL_USDC_PERP", "quantity": "1", "fundingRate": "0.1", "intervalEndTimestamp": moment(n),
        "userId": 1,
    },
    "position.get_position_history": lambda n: {
        "id": str(n), "symbol": "SOL_USDC_PERP", "state": "Open", **dict.fromkeys((
            "closedVolume", "cumulativePnlRealized", "entryPrice", "fees", "fundingQuantity", "imf", "interest",
            "liquidated", "liquidationFees", "markPrice", "netCost", "netExposureNotional", "netExposureQuantity",
            "netQuantity", "unrealizedPnl",
        ), "0"),
    },
    "rfq.get_quote_fill_history": lambda n: _RFQ | {
        "quantity": "1", "fee": "0", "feeSymbol": "USDC", "fillPrice": "1", "filledAt": moment(n),
    },
    "rfq.get_quote_history": lambda n: {
        "rfqId": "1", "quoteId": str(n), "status": "New", "askPrice": "2", "bidPrice": "1", "createdAt": moment(0),
        "deferredSettlement": False,
    },
    "rfq.get_rfq_fill_history": lambda n: _RFQ | {"fillPrice": "1", "filledAt": moment(n)},
    "rfq.get_rfq_history": lambda n: {
        "rfqId": str(n), "symbol": "SOL_USDC_RFQ", "side": "Bid", "status": "New", "createdAt": moment(0),
        "executionMode": "AwaitAccept", "expiryTime": moment(5), "submissionTime": moment(0),
    },
    "strategy.get_strategies_history": lambda n: {
        "id": str(n), "symbol": "SOL_USDC", "side": "Bid", "strategyType": "Scheduled", "status": "Running",
        "timeInForce": "GTC", "selfTradePrevention": "RejectTaker", "createdAt": moment(0), "duration": 1,
        "interval": 1, "randomizedIntervalQuantity": False,
    },
    "trades.get_historical_trades": lambda n: {
        "id": n, "price": "1", "quantity": "1", "quoteQuantity": "1", "isBuyerMaker": True,
        "timestamp": 1_767_225_600_000,
    },
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "borrow_lend.get_borrow_lend_position_history": {"cumulativeInterest": "0.5"},
    "capital.get_deposits": {"status": "confirmed"},
    "capital.get_withdrawals": {"status": "confirmed"},
    "markets.get_prediction_events": {"quoteVolume": "2"},
    "order.get_order_history": {"status": "Filled"},
    "position.get_position_history": {"state": "Closed"},
    "rfq.get_quote_history": {"status": "Filled"},
    "rfq.get_rfq_history": {"status": "Filled"},
    "strategy.get_strategies_history": {"status": "Completed"},
}
"""What may change in rows that are listed already."""


@dataclass
class Site:
    """A server whose lists are newest first and grow, and whose rows change, between requests."""

    rows: list[dict[str, Any]]
    arriving: list[dict[str, Any]] = field(default_factory=list)
    change: dict[str, Any] = field(default_factory=dict)
    total: bool = True
    failures: int = 0
    queries: list[dict[str, str]] = field(default_factory=list)

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        self.queries.append(query)
        if self.failures:
            self.failures -= 1
            return 400, {}, b"not now"
        if path.endswith("/klines"):
            return 200, {}, json.dumps(self._candles(query)).encode()
        if len(self.queries) > 1:
            self.rows = [row | self.change for row in [*self.arriving[:1], *self.rows]]
            del self.arriving[:1]
        offset, limit = int(query["offset"]), int(query["limit"])
        headers = {"X-TOTAL": str(len(self.rows))} if self.total else {}
        return 200, headers, json.dumps(self.rows[offset : offset + limit]).encode()

    def _candles(self, query: dict[str, str]) -> list[dict[str, Any]]:
        end = int(query.get("endTime", 10**12))
        return [row for row in self.rows if int(query["startTime"]) <= _seconds(row["start"]) <= end]

    def handle(self, request: httpx.Request) -> httpx.Response:
        status, headers, body = self.answer(request.url.path, dict(request.url.params))
        return httpx.Response(status, headers=headers, content=body)


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def candle(index: int) -> dict[str, Any]:
    start, end = (moment(index).replace("T", " "), moment(index + 1).replace("T", " "))
    return {"start": start, "end": end, "trades": "0", "volume": "0", "quoteVolume": "0"}


@contextmanager
def serving(site: Site) -> Iterator[str]:
    """The site on a socket of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            status, headers, body = site.answer(parts.path, dict(parse_qsl(parts.query)))
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def fills(*numbers: int) -> list[dict[str, Any]]:
    return [SAMPLES["order.get_fills"](number) for number in numbers]


@contextmanager
def client(site: Site) -> Iterator[Backpack]:
    """A client whose requests reach the site without a socket."""
    with httpx.Client(transport=httpx.MockTransport(site.handle)) as http:
        yield Backpack(KEY, http_client=http, rate_limit=None, max_retries=0)


PAGED: list[Operation] = [
    operation for operation in OPERATIONS if operation.paging is not None and operation.paging.offset
]


def test_every_list_of_the_api_has_a_sample() -> None:
    assert {str(operation) for operation in PAGED} == set(SAMPLES)
    assert len(PAGED) == 19
    assert set(CHANGES) <= set(_IDS) <= set(SAMPLES)


@pytest.mark.parametrize("operation", PAGED, ids=str)
@pytest.mark.parametrize("total", [True, False])
def test_every_list_pages_while_rows_arrive_and_change(operation: Operation, total: bool) -> None:
    sample = SAMPLES[str(operation)]
    rows = [sample(number) for number in range(25, 0, -1)]
    site = Site(rows, [sample(number) for number in range(26, 30)], CHANGES.get(str(operation), {}), total)
    arguments = (
        {"symbol": "SOL_USDC"} if operation.name in ("get_funding_interval_rates", "get_historical_trades") else {}
    )
    with client(site) as bp:
        method = getattr(getattr(bp, operation.tag), operation.name)
        found = list(bp.paginate(method, **arguments).limit(10))
    wire = [row.to_wire() for row in found]
    changing = CHANGES.get(str(operation), {})
    assert [{**row, **changing} for row in wire] == [{**row, **changing} for row in rows]
    assert len(site.queries) > 2
    assert all("sortDirection" not in query for query in site.queries)


def test_rows_without_their_id_are_told_apart_by_content() -> None:
    """A fill the exchange made itself has no trade id; two can be all alike."""
    rows = [{**row, "tradeId": None, "timestamp": moment(row["tradeId"] // 2)} for row in fills(*range(25, 0, -1))]
    with client(Site(list(rows), fills(*range(26, 30)))) as bp:
        assert [row.to_wire() for row in bp.paginate(bp.order.get_fills).limit(10)] == rows


def test_arguments_reach_the_exchange() -> None:
    site = Site(fills(*range(30, 0, -1)))
    with client(site) as bp:
        pager = bp.paginate(
            bp.order.get_fills, symbol="SOL/USDC", from_=START, sort_direction="Asc", limit=10, offset=5, timeout=3
        )
        assert [fill.trade_id for fill in pager] == list(range(25, 0, -1))
    assert site.queries[0] == {
        "symbol": "SOL_USDC", "from": "1767225600000", "sortDirection": "Asc", "limit": "10", "offset": "5",
    }  # fmt: skip
    assert {query["symbol"] for query in site.queries} == {"SOL_USDC"}


def test_the_page_size_is_the_documented_maximum_unless_told() -> None:
    site = Site([])
    with client(site) as bp:
        list(bp.paginate(bp.order.get_fills))
        list(bp.paginate(bp.markets.get_funding_interval_rates, "SOL_USDC_PERP"))
        list(bp.paginate(bp.order.get_fills, limit=30).limit(20))
        list(bp.paginate(bp.order.get_fills).up_to(3))
        assert list(bp.paginate(bp.order.get_fills).up_to(0)) == []
    assert [query["limit"] for query in site.queries] == ["1000", "10000", "20", "3"]


def test_progress_is_reported_after_every_request() -> None:
    seen: list[Progress] = []
    with client(Site(fills(*range(20, 0, -1)), fills(21, 22))) as bp:
        pager = bp.paginate(bp.order.get_fills).limit(10).on_progress(seen.append)
        assert len(list(pager)) == 20
    assert seen[0] == Progress(rows=10, requests=1, total=20, shift=0)
    assert seen[-1] == Progress(rows=20, requests=len(seen), total=22, shift=2)


def test_a_cursor_goes_on_behind_the_row_handed_out_last() -> None:
    site = Site(fills(*range(40, 0, -1)), fills(*range(41, 60)))
    with client(site) as bp:
        pager = bp.paginate(bp.order.get_fills, symbol="SOL-USDC").limit(10)
        beginning = pager.cursor
        first = []
        for fill in pager:
            first.append(fill.trade_id)
            if len(first) == 17:
                break
        cursor = Cursor.from_text(pager.cursor.to_text())
        assert len(cursor.to_text()) < 200
        rest = bp.paginate(bp.order.get_fills, symbol="SOL_USDC", to=START).limit(7).resume(cursor)
        assert rest.cursor == cursor
        assert first + [fill.trade_id for fill in rest] == list(range(40, 0, -1))
        assert next(iter(rest.resume(beginning))).trade_id == site.rows[0]["tradeId"]


def test_a_cursor_after_whole_pages_and_at_the_end() -> None:
    with client(Site(fills(*range(25, 0, -1)))) as bp:
        pager = bp.paginate(bp.order.get_fills).limit(10)
        pages = pager.pages()
        first = next(pages)
        assert [fill.trade_id for fill in first] == list(range(25, 15, -1))
        rest = [fill.trade_id for page in pager.resume(pager.cursor).pages() for fill in page]
        assert rest == list(range(15, 0, -1))
        assert [fill.trade_id for page in pages for fill in page] == rest
        assert list(pager.resume(pager.cursor)) == []


def test_each_loop_begins_anew() -> None:
    with client(Site(fills(3, 2, 1))) as bp:
        pager = bp.paginate(bp.order.get_fills)
        assert [fill.trade_id for fill in pager] == [3, 2, 1]
        assert [fill.trade_id for fill in pager] == [3, 2, 1]


def test_a_failed_request_can_be_tried_again_from_where_it_was() -> None:
    site = Site(fills(*range(25, 0, -1)))
    with client(site) as bp:
        rows = iter(bp.paginate(bp.order.get_fills).limit(10))
        first = [next(rows).trade_id for _ in range(10)]
        site.failures = 1
        with pytest.raises(Exception, match="not now"):
            next(rows)
        assert first + [fill.trade_id for fill in rows] == list(range(25, 0, -1))


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", '{"operation":1,"arguments":"","offset":0,"anchor":[],"start":null}',
     '{"operation":"a","arguments":"","offset":true,"anchor":[],"start":null}',
     '{"operation":"a","arguments":"","offset":0,"anchor":["x"],"start":null}',
     '{"operation":"a","arguments":"","offset":0,"anchor":[1],"start":null}',
     '{"operation":"a","arguments":"","offset":0,"anchor":[],"start":"1"}'],
)  # fmt: skip
def test_text_that_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="text"):
        Cursor.from_text(text)


def test_cursors_of_other_lists_are_refused() -> None:
    with client(Site([])) as bp:
        cursor = bp.paginate(bp.order.get_fills, symbol="SOL_USDC").cursor
        with pytest.raises(InvalidArgument, match=r"stands in order\.get_fills, and this pages order\.get_order_hist"):
            bp.paginate(bp.order.get_order_history, symbol="SOL_USDC").resume(cursor)
        with pytest.raises(InvalidArgument, match="other filters"):
            bp.paginate(bp.order.get_fills, symbol="BTC_USDC").resume(cursor)
        with pytest.raises(InvalidArgument, match="expected a Cursor"):
            bp.paginate(bp.order.get_fills).resume(cursor.to_text())  # type: ignore[arg-type]


def test_methods_that_do_not_page_are_refused() -> None:
    others: list[Any] = [[1, 2], len, lambda: [1]]
    with client(Site([])) as bp, client(Site([])) as other:
        with pytest.raises(InvalidArgument, match=r"markets\.get_markets gives everything at once.*order\.get_fills"):
            bp.paginate(bp.markets.get_markets)
        with pytest.raises(InvalidArgument, match="belongs to another client"):
            bp.paginate(other.order.get_fills)
        for wrong in [*others, bp.send]:
            with pytest.raises(InvalidArgument, match="expected a method of this client, uncalled"):
                bp.paginate(wrong)
        with pytest.raises(InvalidArgument, match="symbol"):
            bp.paginate(bp.trades.get_historical_trades, "no pair at all")
        with pytest.raises(InvalidArgument, match="limit"):
            bp.paginate(bp.order.get_fills, limit=0)
        for count in (0, -1, True, 1.5):
            with pytest.raises(InvalidArgument, match="rows"):
                bp.paginate(bp.order.get_fills).limit(count)  # type: ignore[arg-type]


async def test_a_method_called_by_mistake_is_refused_without_a_warning() -> None:
    async with AsyncBackpack(KEY) as bp:
        called: Any = bp.order.get_fills()
        with pytest.raises(InvalidArgument, match="uncalled"):
            bp.paginate(called)
        with Backpack(KEY) as blocking, pytest.raises(InvalidArgument, match="another client"):
            bp.paginate(blocking.order.get_fills)  # type: ignore[arg-type]
        gc.collect()


# Over a socket


def test_blocking_over_a_socket() -> None:
    site = Site(fills(*range(95, 0, -1)), fills(*range(96, 110)))
    with serving(site) as url, Backpack(KEY, base_url=url, rate_limit=None) as bp:
        pager = bp.paginate(bp.order.get_fills, symbol="SOL-USDC").limit(20)
        assert [fill.trade_id for fill in pager] == list(range(95, 0, -1))
        assert repr(pager) == "<Pager of order.get_fills>"


async def test_async_over_a_socket() -> None:
    site = Site(fills(*range(95, 0, -1)), fills(*range(96, 110)))
    with serving(site) as url:
        async with AsyncBackpack(KEY, base_url=url, rate_limit=None) as bp:
            pager = bp.paginate(bp.order.get_fills, symbol="SOL-USDC").limit(20)
            assert [fill.trade_id async for fill in pager] == list(range(95, 0, -1))
            pages = [page async for page in pager.pages()]
            assert [fill.trade_id for page in pages for fill in page][-95:] == list(range(95, 0, -1))
            assert all(pages)


async def test_leaving_early_leaves_nothing_running() -> None:
    site = Site(fills(*range(95, 0, -1)))
    with serving(site) as url:
        async with AsyncBackpack(KEY, base_url=url, rate_limit=None) as bp:
            before = asyncio.all_tasks()
            pager = bp.paginate(bp.order.get_fills).limit(20)
            async for _ in pager:
                break
            async for _ in pager.pages():
                break
            gc.collect()
            assert asyncio.all_tasks() == before
            rest = [fill.trade_id async for fill in pager.resume(pager.cursor)]
            assert rest == list(range(75, 0, -1))
    assert len(site.queries) < 10


def test_leaving_early_asks_for_no_further_page() -> None:
    site = Site(fills(*range(95, 0, -1)))
    with serving(site) as url, Backpack(KEY, base_url=url, rate_limit=None) as bp:
        for _ in bp.paginate(bp.order.get_fills).limit(20):
            break
        assert len(site.queries) == 1


def test_candles_over_a_socket() -> None:
    site = Site([candle(index) for index in range(250)])
    with serving(site) as url, Backpack(base_url=url, rate_limit=None) as bp:
        end = START + timedelta(minutes=199)
        pager = bp.paginate(bp.markets.get_klines, "SOL-USDC", "1m", START, end_time=end).limit(60)
        starts = [one.start for one in pager]
        assert starts == [START + timedelta(minutes=index) for index in range(200)]
        assert len(site.queries) == 4
        half = []
        for one in pager:
            half.append(one.start)
            if len(half) == 77:
                break
        cursor = Cursor.from_text(pager.cursor.to_text())
        rest = bp.paginate(bp.markets.get_klines, "SOL_USDC", "1m", START, end_time=end).resume(cursor)
        assert half + [one.start for one in rest] == starts


def test_candles_up_to_the_present_leave_the_end_to_the_exchange() -> None:
    site = Site([candle(index) for index in range(5)])
    with client(site) as bp:
        begin = datetime.now(UTC) - timedelta(minutes=2)
        assert list(bp.paginate(bp.markets.get_klines, "SOL_USDC", "1m", begin)) == []
        # Milliseconds by mistake: the exchange is asked all the same, so that it can refuse.
        assert list(bp.paginate(bp.markets.get_klines, "SOL_USDC", "1m", 1_767_225_600_000)) == []
    assert len(site.queries) == 2
    assert all("endTime" not in query for query in site.queries)


def test_a_lost_connection_is_the_operations_own_error() -> None:
    with serving(Site([])) as url:
        pass
    with Backpack(KEY, base_url=url, max_retries=0) as bp, pytest.raises(ConnectionFailed):
        list(bp.paginate(bp.order.get_fills))


def typed(bp: Backpack, abp: AsyncBackpack) -> None:
    """Not run: mypy checks it."""
    assert_type(bp.paginate(bp.order.get_fills, symbol="SOL_USDC"), Pager[OrderFill])
    assert_type(abp.paginate(abp.order.get_fills, symbol="SOL_USDC"), AsyncPager[OrderFill])
    assert_type(next(iter(bp.paginate(bp.markets.get_klines, "SOL_USDC", "1m", START).limit(5))), Kline)
    assert_type(next(bp.paginate(bp.order.get_fills).pages()), list[OrderFill])
    bp.paginate(bp.order.get_fills, symbl="SOL_USDC")  # type: ignore[call-arg]
    bp.paginate(bp.order.get_fills, limit="5")  # type: ignore[arg-type]
    bp.paginate(bp.markets.get_klines, "SOL_USDC")  # type: ignore[call-arg]
    bp.paginate(bp.markets.get_depth, "SOL_USDC")  # type: ignore[arg-type]
    abp.paginate(bp.order.get_fills)  # type: ignore[arg-type]

"""Looking things up: orders, histories, depth, trades, ticker, candles, and the seeded book."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from backpack_sdk.paper.engine import (
    BookState,
    CancelScope,
    Kline,
    KlineInterval,
    Ladder,
    OrderStatus,
    Refused,
    Side,
    SortDirection,
    TickerInterval,
    seed_book,
)

from .engine_desk import NO_FEES, Desk, dec, plain

DAY_US = 86_400_000_000
ASC = SortDirection.ASC


def trade(desk: Desk, price: str, quantity: str = "1") -> None:
    """Let bob sell to alice at that price."""
    desk.ask("bob", price, quantity)
    desk.bid("alice", price, quantity)


def micros(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def test_an_open_order_is_found_by_either_id() -> None:
    desk = Desk()
    order = desk.bid("alice", "100", "1", client_id=7)
    assert desk.exchange.open_order("alice", "SOL_USDC", order_id=order.id) == order
    assert desk.exchange.open_order("alice", "SOL_USDC", client_id=7) == order


def test_an_order_that_is_not_open_there_is_not_found() -> None:
    desk = Desk()
    mine = desk.bid("alice", "100", "1", client_id=7)
    gone = desk.bid("alice", "101", "1", client_id=8)
    desk.exchange.cancel("alice", "SOL_USDC", order_id=gone.id, now_us=desk.tick())
    exchange = desk.exchange
    attempts = [
        ("alice", "SOL_USDC", {"order_id": gone.id}),
        ("alice", "SOL_USDC", {"client_id": 8}),
        ("alice", "SOL_USDC", {"order_id": 10**9}),
        ("alice", "BTC_USDC", {"order_id": mine.id}),
        ("alice", "BTC_USDC", {"client_id": 7}),
        ("bob", "SOL_USDC", {"order_id": mine.id}),
        ("bob", "SOL_USDC", {"client_id": 7}),
    ]
    for account, symbol, ids in attempts:
        with pytest.raises(Refused) as looked_up:
            exchange.open_order(account, symbol, **ids)
        with pytest.raises(Refused) as cancelled:
            exchange.cancel(account, symbol, **ids, now_us=desk.tick())
        for caught in (looked_up, cancelled):
            assert (caught.value.code, caught.value.status) == ("RESOURCE_NOT_FOUND", 404)
    assert exchange.open_orders("alice") == (mine,)


def test_exactly_one_id_must_be_given() -> None:
    desk = Desk()
    order = desk.bid("alice", "100", "1", client_id=7)
    with pytest.raises(Refused, match="INVALID_CLIENT_REQUEST"):
        desk.exchange.cancel("alice", "SOL_USDC", now_us=desk.tick())
    with pytest.raises(Refused, match="INVALID_CLIENT_REQUEST"):
        desk.exchange.open_order("alice", "SOL_USDC", order_id=order.id, client_id=7)


def test_client_id_zero_is_an_id() -> None:
    desk = Desk()
    desk.bid("alice", "100", "1", client_id=0)
    cancelled = desk.exchange.cancel("alice", "SOL_USDC", client_id=0, now_us=desk.tick()).value
    assert (cancelled.client_id, cancelled.status) == (0, OrderStatus.CANCELLED)


def test_open_orders_are_listed_by_market_and_age() -> None:
    desk = Desk()
    first = desk.bid("alice", "100", "1")
    second = desk.bid("alice", "50000", "0.1", symbol="BTC_USDC")
    third = desk.ask("alice", "101", "1")
    desk.bid("bob", "100", "1")
    assert desk.exchange.open_orders("alice") == (first, second, third)
    assert desk.exchange.open_orders("alice", "SOL_USDC") == (first, third)
    with pytest.raises(Refused, match="INVALID_SYMBOL"):
        desk.exchange.open_orders("alice", "NO_SUCH")


@pytest.mark.parametrize(
    ("scope", "expected"), [(None, 2), (CancelScope.RESTING_LIMIT, 2), (CancelScope.CONDITIONAL, 0)]
)
def test_cancel_all_takes_one_account_in_one_market(scope: CancelScope | None, expected: int) -> None:
    desk = Desk()
    orders = [desk.bid("alice", "100", "1"), desk.ask("alice", "101", "1")]
    elsewhere = desk.bid("alice", "50000", "0.1", symbol="BTC_USDC")
    others = desk.bid("bob", "100", "1")
    cancelled = desk.exchange.cancel_all("alice", "SOL_USDC", scope=scope, now_us=desk.tick()).value
    assert [order.id for order in cancelled] == [order.id for order in orders][:expected]
    assert all(order.status is OrderStatus.CANCELLED for order in cancelled)
    assert elsewhere in desk.exchange.open_orders("alice")
    assert len(desk.exchange.open_orders("alice")) == 3 - expected
    assert desk.exchange.open_orders("bob") == (others,)


def test_order_history_is_filtered_paged_and_sorted() -> None:
    desk = Desk()
    ids = [desk.bid("alice", "100", "1").id for _ in range(5)]
    btc = desk.bid("alice", "50000", "0.1", symbol="BTC_USDC").id
    history = desk.exchange.order_history
    assert [order.id for order in history("alice")] == [btc, *reversed(ids)]
    assert [order.id for order in history("alice", direction=ASC)] == [*ids, btc]
    assert [order.id for order in history("alice", symbol="SOL_USDC", limit=2, offset=1)] == [ids[3], ids[2]]
    assert [order.id for order in history("alice", order_id=ids[2])] == [ids[2]]
    assert history("alice", order_id=ids[2], symbol="BTC_USDC") == ()
    assert history("alice", order_id=10**9) == history("bob") == history("alice", offset=6) == ()
    assert history("alice", limit=0) == ()


@pytest.mark.parametrize(("limit", "offset"), [(1001, 0), (-1, 0), (1, -1)])
def test_pages_have_bounds(limit: int, offset: int) -> None:
    desk = Desk()
    for query in (desk.exchange.order_history, desk.exchange.fills):
        with pytest.raises(Refused, match="INVALID_CLIENT_REQUEST"):
            query("alice", limit=limit, offset=offset)
    with pytest.raises(Refused, match="INVALID_CLIENT_REQUEST"):
        desk.exchange.trades("SOL_USDC", limit=limit, offset=offset)


def test_fills_are_filtered_paged_and_sorted() -> None:
    desk = Desk()
    for price in ("100", "101", "102"):
        trade(desk, price)
    fills = desk.exchange.fills
    first, second, third = fills("alice", direction=ASC)
    assert [plain(fill.price) for fill in (first, second, third)] == ["100", "101", "102"]
    assert fills("alice") == (third, second, first)
    assert fills("alice", limit=1, offset=1) == (second,)
    assert fills("alice", order_id=second.order_id) == (second,)
    assert fills("alice", from_us=second.time_us, to_us=third.time_us) == (third, second)
    assert fills("alice", to_us=second.time_us - 1) == (first,)
    assert fills("alice", symbol="BTC_USDC") == fills("carol") == ()


def test_depth_is_ascending_on_both_sides_and_limited_from_the_best() -> None:
    desk = Desk()
    for price in ("97", "99", "98"):
        desk.bid("alice", price, "1")
    desk.bid("bob", "99", "2")
    for price in ("103", "101", "102"):
        desk.ask("alice", price, "1")
    assert desk.bids() == [("97", "1"), ("98", "1"), ("99", "3")]
    assert desk.asks() == [("101", "1"), ("102", "1"), ("103", "1")]
    depth = desk.exchange.depth("SOL_USDC", 2)
    assert [plain(price) for price, _ in depth.bids] == ["98", "99"]
    assert [plain(price) for price, _ in depth.asks] == ["101", "102"]
    assert depth.last_update_id == 7
    assert depth.time_us == desk.now_us


def test_depth_of_an_unknown_or_closed_market_is_refused() -> None:
    desk = Desk()
    with pytest.raises(Refused) as unknown:
        desk.exchange.depth("NO_SUCH")
    assert (unknown.value.code, unknown.value.status) == ("INVALID_CLIENT_REQUEST", 400)
    desk.exchange.set_book_state("SOL_USDC", BookState.CLOSED, now_us=desk.tick())
    with pytest.raises(Refused) as closed:
        desk.exchange.depth("SOL_USDC")
    assert (closed.value.code, closed.value.status) == ("RESOURCE_NOT_FOUND", 404)
    with pytest.raises(Refused, match="limit"):
        desk.exchange.depth("BTC_USDC", 0)


def test_public_trades_come_newest_first_and_tell_the_maker() -> None:
    desk = Desk()
    trade(desk, "100")
    desk.bid("alice", "99", "2")
    desk.ask("bob", "99", "2")
    newest, oldest = desk.exchange.trades("SOL_USDC")
    assert (newest.id, newest.is_buyer_maker) == (2, True)
    assert (oldest.id, oldest.is_buyer_maker) == (1, False)
    assert (newest.price, newest.quantity, newest.quote_quantity) == (dec("99"), dec("2"), dec("198"))
    assert desk.exchange.trades("SOL_USDC", limit=1, offset=1) == (oldest,)
    assert desk.exchange.trades("BTC_USDC") == ()


def test_the_ticker_covers_its_window() -> None:
    desk = Desk()
    exchange = desk.exchange
    assert exchange.ticker("SOL_USDC", now_us=desk.now_us) is None
    trade(desk, "50")
    desk.now_us += 2 * DAY_US
    for price, quantity in (("102.67", "1"), ("104.96", "2"), ("100.57", "1"), ("101.04", "0.5")):
        trade(desk, price, quantity)
    day = exchange.ticker("SOL_USDC", now_us=desk.now_us)
    assert day is not None
    assert [plain(figure) for figure in (day.first_price, day.last_price, day.high, day.low)] == [
        "102.67",
        "101.04",
        "104.96",
        "100.57",
    ]
    assert (day.price_change, day.price_change_ratio) == (dec("-1.63"), dec("-0.015876"))
    assert (day.volume, day.quote_volume, day.trades) == (dec("4.5"), dec("463.68"), 4)
    week = exchange.ticker("SOL_USDC", now_us=desk.now_us, interval=TickerInterval.WEEK)
    assert week is not None
    assert (week.low, week.trades) == (dec("50"), 5)
    assert exchange.ticker("SOL_USDC", now_us=desk.now_us + DAY_US) is None


def test_a_ticker_forgets_a_trade_after_exactly_one_day() -> None:
    desk = Desk()
    trade(desk, "50")
    assert desk.exchange.ticker("SOL_USDC", now_us=desk.now_us + DAY_US - 1) is not None
    assert desk.exchange.ticker("SOL_USDC", now_us=desk.now_us + DAY_US) is None


def test_candles_hold_the_trades_of_their_span() -> None:
    desk = Desk(NO_FEES)
    minute = 60_000_000
    start = micros("2025-07-19T13:09:00")
    for offset, price in ((0, "100"), (1, "103"), (2, "99"), (minute - 2_000, "101"), (2 * minute, "90")):
        desk.now_us = start + offset - 2_000
        trade(desk, price, "2")
    klines = desk.exchange.klines("SOL_USDC", KlineInterval.M1, start_us=start + 5, end_us=start + 2 * minute)
    first, empty, last = klines
    zero = dec("0")
    open_, high, low, close = dec("100"), dec("103"), dec("99"), dec("101")
    assert first == Kline(start, start + minute, open_, high, low, close, dec("8"), dec("806"), 4)
    assert empty == Kline(start + minute, start + 2 * minute, None, None, None, None, zero, zero, 0)
    assert (last.open, last.trades, last.end_us) == (dec("90"), 1, start + 3 * minute)


@pytest.mark.parametrize(
    ("interval", "moment", "start", "end"),
    [
        (KlineInterval.S1, "2024-02-29T10:37:15", "2024-02-29T10:37:15", "2024-02-29T10:37:16"),
        (KlineInterval.M15, "2024-02-29T10:37:15", "2024-02-29T10:30:00", "2024-02-29T10:45:00"),
        (KlineInterval.H8, "2024-02-29T10:37:15", "2024-02-29T08:00:00", "2024-02-29T16:00:00"),
        (KlineInterval.D1, "2024-02-29T10:37:15", "2024-02-29T00:00:00", "2024-03-01T00:00:00"),
        (KlineInterval.W1, "2024-02-29T10:37:15", "2024-02-26T00:00:00", "2024-03-04T00:00:00"),
        (KlineInterval.MONTH, "2024-02-29T10:37:15", "2024-02-01T00:00:00", "2024-03-01T00:00:00"),
        (KlineInterval.MONTH, "2023-12-31T23:59:59", "2023-12-01T00:00:00", "2024-01-01T00:00:00"),
    ],
)
def test_candles_start_where_the_calendar_says(interval: KlineInterval, moment: str, start: str, end: str) -> None:
    at = micros(moment)
    (kline,) = Desk().exchange.klines("SOL_USDC", interval, start_us=at, end_us=at)
    assert (kline.start_us, kline.end_us) == (micros(start), micros(end))


@pytest.mark.parametrize("interval", KlineInterval)
def test_candles_join_without_gaps(interval: KlineInterval) -> None:
    start = micros("2024-01-30T00:00:00")
    klines = Desk().exchange.klines("SOL_USDC", interval, start_us=start, end_us=start + 3_600_000_000)
    assert klines[0].start_us <= start < klines[0].end_us
    assert klines[-1].start_us <= start + 3_600_000_000 < klines[-1].end_us
    assert all(before.end_us == after.start_us for before, after in pairwise(klines))


@pytest.mark.parametrize(("start_us", "end_us"), [(2, 1), (-1, 1), (0, 10_000_000_000)])
def test_a_senseless_candle_range_is_refused(start_us: int, end_us: int) -> None:
    with pytest.raises(Refused, match="INVALID_RANGE"):
        Desk().exchange.klines("SOL_USDC", KlineInterval.S1, start_us=start_us, end_us=end_us)


def test_a_seeded_book_has_a_ladder_on_each_side() -> None:
    desk = Desk()
    ladder = Ladder(mid=dec("100"), quantity=dec("2"), levels=3, gap_ticks=5)
    outcome = seed_book(desk.exchange, "SOL_USDC", ladder, now_us=desk.tick())
    assert desk.bids() == [("99.85", "2"), ("99.9", "2"), ("99.95", "2")]
    assert desk.asks() == [("100.05", "2"), ("100.1", "2"), ("100.15", "2")]
    assert desk.exchange.open_orders("market-maker") == outcome.value
    balances = desk.exchange.balances("market-maker")
    assert {asset: balance.available for asset, balance in balances.items()} == {"USDC": 0, "SOL": 0}
    assert desk.market("alice", Side.BID, quantity=dec("5")).status is OrderStatus.FILLED


def test_seeding_is_the_same_every_time_and_respects_the_rules() -> None:
    ladder = Ladder(mid=dec("0.025"), quantity=dec("2"), levels=4)
    first, second = (seed_book(Desk().exchange, "SOL_USDC", ladder, now_us=5) for _ in range(2))
    assert first == second
    assert [plain(order.price) for order in first.value if order.price is not None] == [
        "0.01",
        "0.04",
        "0.05",
        "0.06",
        "0.07",
    ]


def test_seeding_again_rests_beside_what_is_there() -> None:
    desk = Desk()
    ladder = Ladder(mid=dec("100"), quantity=dec("2"), levels=1)
    for _ in range(2):
        seed_book(desk.exchange, "SOL_USDC", ladder, now_us=desk.tick())
    assert desk.bids() == [("99.99", "4")]
    moved = seed_book(desk.exchange, "SOL_USDC", Ladder(mid=dec("90"), quantity=dec("2"), levels=1), now_us=desk.tick())
    assert [order.status for order in moved.value] == [OrderStatus.NEW, OrderStatus.EXPIRED]


@pytest.mark.parametrize(
    "ladder",
    [
        Ladder(mid=dec("100"), quantity=dec("1"), levels=0),
        Ladder(mid=dec("100"), quantity=dec("1"), gap_ticks=0),
        Ladder(mid=dec("0"), quantity=dec("1")),
    ],
)
def test_a_senseless_ladder_is_an_error(ladder: Ladder) -> None:
    desk = Desk()
    with pytest.raises(ValueError, match="ladder"):
        seed_book(desk.exchange, "SOL_USDC", ladder, now_us=desk.tick())
    assert not desk.exchange.has_account("market-maker")


def test_a_ladder_of_a_wrong_quantity_is_refused_untouched() -> None:
    desk = Desk()
    with pytest.raises(Refused, match="INVALID_QUANTITY"):
        seed_book(desk.exchange, "SOL_USDC", Ladder(mid=dec("100"), quantity=dec("0.05")), now_us=desk.tick())
    assert not desk.exchange.has_account("market-maker")

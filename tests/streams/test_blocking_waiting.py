"""What waits for a blocking loop: as much as the policy says, and given as soon as it is there."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from backpack_sdk import Backpack
from backpack_sdk.streams import BlockingStreams, SlowConsumer
from tests.streams.blocking_desk import QUICK, ServerThread, client_of, serving, ticker, until
from tests.streams.stream_server import trade


@pytest.fixture
def desk() -> Iterator[ServerThread]:
    with serving() as desk:
        yield desk


@pytest.fixture
def bp(desk: ServerThread) -> Iterator[Backpack]:
    with client_of(desk.server) as client:
        yield client


@pytest.fixture
def ws(bp: Backpack) -> Iterator[BlockingStreams]:
    with bp.streams(QUICK) as streams:
        yield streams


def test_only_the_latest_of_each_market_waits(desk: ServerThread, ws: BlockingStreams) -> None:
    tickers = ws.book_tickers("SOL-USDC", "BTC-USDC", overflow="conflate").ready(20)
    desk.send(ticker(1, "SOL_USDC"), ticker(1, "BTC_USDC"))
    until(lambda: tickers.waiting == 2)
    first = tickers.get(20)
    assert (first.symbol, first.update_id) == ("SOL_USDC", 1)
    desk.send(ticker(2, "BTC_USDC"), ticker(3, "BTC_USDC"))
    until(lambda: tickers.dropped == 2)
    assert tickers.waiting == 1
    second = tickers.get(20)
    assert (second.symbol, second.update_id) == ("BTC_USDC", 3)


def test_no_more_than_the_queue_holds_waits(desk: ServerThread, ws: BlockingStreams) -> None:
    trades = ws.trades("SOL-USDC", max_queue=3).ready(20)
    desk.send(*map(trade, (1, 2, 3)))
    until(lambda: trades.waiting == 3)
    assert next(trades).trade_id == 1
    desk.send(*map(trade, (4, 5, 6)))
    until(lambda: trades.dropped == 2)
    assert trades.waiting == 3
    assert [trades.get(0).trade_id for _ in range(3)] == [4, 5, 6]
    assert trades.waiting == 0


def test_a_slow_loop_is_told_what_it_lost_after_what_waited(desk: ServerThread, ws: BlockingStreams) -> None:
    trades = ws.trades("SOL-USDC", max_queue=2, overflow="raise").ready(20)
    desk.send(*map(trade, (1, 2, 3)))
    until(lambda: trades.dropped == 1)
    assert [trades.get(0).trade_id, trades.get(0).trade_id] == [1, 2]
    with pytest.raises(SlowConsumer) as lost:
        next(trades)
    assert (lost.value.dropped, lost.value.max_queue) == (1, 2)
    desk.send(trade(4))
    assert next(trades).trade_id == 4


def test_what_waits_is_given_however_short_the_time(desk: ServerThread, ws: BlockingStreams) -> None:
    trades = ws.trades("SOL-USDC").ready(20)
    for number in range(1, 151):
        desk.send(trade(number))
        until(lambda: trades.waiting)
        assert trades.get(-1 if number % 2 else 0).trade_id == number
    with pytest.raises(TimeoutError, match=r"trade\.SOL_USDC: nothing came within 0 seconds"):
        trades.get(0)


def test_an_event_wakes_whoever_waits(desk: ServerThread, ws: BlockingStreams) -> None:
    trades = ws.trades("SOL-USDC").ready(20)
    timer = threading.Timer(0.05, desk.send, [trade(1)])
    timer.start()
    assert trades.get(float("inf")).trade_id == 1
    timer.join()


def test_threads_read_subscriptions_of_one_connection(desk: ServerThread, ws: BlockingStreams) -> None:
    seen: dict[str, list[int]] = {"SOL_USDC": [], "BTC_USDC": []}
    subscriptions = {market: ws.trades(market).ready(20) for market in seen}

    def read(market: str) -> None:
        for event in subscriptions[market]:
            seen[market].append(event.trade_id)

    readers = [threading.Thread(target=read, args=(market,)) for market in seen]
    for reader in readers:
        reader.start()
    for number in range(1, 101):
        desk.send(trade(number, "SOL_USDC"), trade(number, "BTC_USDC"))
    until(lambda: all(len(numbers) == 100 for numbers in seen.values()))
    ws.close()
    for reader in readers:
        reader.join(20)
        assert not reader.is_alive()
    assert seen == {market: list(range(1, 101)) for market in seen}


def test_threads_that_share_a_subscription_get_each_event_once(desk: ServerThread, ws: BlockingStreams) -> None:
    trades = ws.trades("SOL-USDC").ready(20)
    seen: list[int] = []

    def read() -> None:
        seen.extend(event.trade_id for event in trades)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    desk.send(*map(trade, range(1, 501)))
    until(lambda: trades.waiting == 0 and ws.counters.frames >= 500)
    ws.close()
    for reader in readers:
        reader.join(20)
        assert not reader.is_alive()
    assert sorted(seen) == list(range(1, 501))


def test_what_waits_at_the_end_is_still_given(desk: ServerThread, ws: BlockingStreams) -> None:
    trades = ws.trades("SOL-USDC").ready(20)
    desk.send(trade(1), trade(2))
    until(lambda: trades.waiting == 2)
    ws.close()
    assert [event.trade_id for event in trades] == [1, 2]

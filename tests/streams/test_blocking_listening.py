"""Callbacks of blocking code: how one stops them, waits for them, and learns what they raised."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from backpack_sdk import BackpackError, StreamError
from backpack_sdk.streams import BlockingStreams, Listening
from tests.streams.blocking_desk import QUICK, ServerThread, client_of, serving, until
from tests.streams.stream_server import trade


@pytest.fixture
def desk() -> Iterator[ServerThread]:
    with serving() as desk:
        yield desk


@pytest.fixture
def ws(desk: ServerThread) -> Iterator[BlockingStreams]:
    with client_of(desk.server) as bp, bp.streams(QUICK) as streams:
        yield streams


def test_it_is_cancelled_from_the_scripts_thread(desk: ServerThread, ws: BlockingStreams) -> None:
    seen: list[int] = []
    trades = ws.trades("SOL-USDC").ready(20)
    listening = trades.listen(lambda event: seen.append(event.trade_id))
    desk.send(trade(1))
    until(lambda: seen)
    assert not listening.done
    with pytest.raises(TimeoutError):
        listening.wait(0.01)
    assert repr(listening) == "<Listening>"
    listening.cancel()
    listening.wait(20)
    listening.cancel()
    assert listening.done
    assert repr(listening) == "<Listening, done>"
    desk.send(trade(2))
    until(lambda: ws.counters.frames == 2)
    assert seen == [1]
    ws.trades("BTC-USDC").ready(20)  # the connection goes on


def test_a_callback_cancels_itself(desk: ServerThread, ws: BlockingStreams) -> None:
    seen: list[int] = []
    handles: list[Listening] = []

    async def note(event: object) -> None:
        seen.append(1)
        handles[0].cancel()
        await asyncio.sleep(0)

    trades = ws.trades("SOL-USDC").ready(20)
    handles.append(trades.listen(note))
    desk.send(trade(1), trade(2), trade(3))
    handles[0].wait(20)
    assert seen == [1]


def test_waiting_raises_what_the_callback_raised(desk: ServerThread, ws: BlockingStreams) -> None:
    def fail(_event: object) -> None:
        raise RuntimeError("the strategy is broken")

    listening = ws.trades("SOL-USDC").ready(20).listen(fail)
    desk.send(trade(1))
    for _ in range(2):
        with pytest.raises(RuntimeError, match="the strategy is broken"):
            listening.wait(20)
    with pytest.raises(RuntimeError, match="the strategy is broken"):
        ws.wait_closed(20)


def test_waiting_raises_why_a_stream_was_refused(ws: BlockingStreams) -> None:
    with pytest.raises(StreamError, match="no market"):
        ws.trades("NO-SUCH").listen(print).wait(20)


def test_waiting_ends_with_the_connection(ws: BlockingStreams) -> None:
    listening = ws.trades("SOL-USDC").ready(20).listen(print)
    waiter = threading.Thread(target=listening.wait)
    waiter.start()
    ws.close()
    waiter.join(20)
    assert not waiter.is_alive()
    assert listening.done
    listening.wait(0)
    listening.cancel()


def test_a_callback_must_not_wait(desk: ServerThread, ws: BlockingStreams) -> None:
    """For itself, for another subscription, or for the end of its own connection."""
    other = ws.trades("BTC-USDC").ready(20)
    trades = ws.trades("SOL-USDC").ready(20)
    handles: list[Listening] = []
    told: list[str] = []

    def wait(_event: object) -> None:
        for way in (other.get, ws.close, handles[0].wait, ws.order_books("SOL_USDC").__enter__):
            try:
                way()
            except BackpackError as error:
                told.append(str(error))

    handles.append(trades.listen(wait))
    desk.send(trade(1))
    until(lambda: len(told) == 4 or handles[0].done)
    assert set(told) == {"a callback must not wait for its own connection: read from another thread"}
    assert not handles[0].done
    ws.trades("SOL-USDC").ready(20)  # nothing was closed by half


def test_events_of_a_callback_are_not_there_for_a_loop(ws: BlockingStreams) -> None:
    trades = ws.trades("SOL-USDC").ready(20)
    trades.listen(print)
    for way in (trades.get, trades.__next__, lambda: trades.listen(print)):
        with pytest.raises(BackpackError, match="a callback gets the events of this subscription"):
            way()


def test_events_that_fit_no_class_are_called_back_with(desk: ServerThread, ws: BlockingStreams) -> None:
    seen: list[str] = []
    ws.on_unknown(lambda event: seen.append(event.wire["surprise"]))
    trades = ws.trades("SOL-USDC").ready(20)
    desk.send({"e": "trade", "s": "SOL_USDC", "surprise": "yes"}, trade(1))
    assert trades.get(20).trade_id == 1
    until(lambda: seen)
    assert seen == ["yes"]

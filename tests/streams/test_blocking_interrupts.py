"""Blocking code that is interrupted, left while it is entered, forked, or read from several threads at once."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

import pytest

from backpack_sdk.streams.loop_thread import LoopThread, NotRunning, OnThread
from tests.streams.blocking_desk import QUICK, client_of, serving, until
from tests.streams.stream_server import trade

S = "SOL_USDC"


def in_thread(function: Any) -> tuple[threading.Thread, list[BaseException]]:
    caught: list[BaseException] = []

    def work() -> None:
        try:
            function()
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread, caught


def leave() -> None:
    raise SystemExit(3)


@pytest.mark.parametrize("_round", range(10))
def test_whoever_waits_is_told_when_the_loop_ends_at_once(_round: int) -> None:
    """A callback that calls sys.exit() ends the loop without another turn."""
    loop = LoopThread("test", "it is not running")
    loop.start()
    waiting = [in_thread(lambda: [loop.call(lambda: None) for _ in range(100_000)]) for _ in range(3)]
    loop.post(leave)
    for thread, caught in waiting:
        thread.join(10)
        assert not thread.is_alive()
        assert [type(error) for error in caught] == [NotRunning]
    loop.stop()


class Slow(OnThread):
    """Something that takes long to open."""

    def __init__(self) -> None:
        super().__init__("slow", "it is not open")
        self.opening, self.go_on, self.was_closed = threading.Event(), threading.Event(), False

    async def _open(self) -> None:
        self.opening.set()
        await asyncio.to_thread(self.go_on.wait)

    async def _aclose(self) -> None:
        self.was_closed = True


def test_closing_while_it_is_entered_is_not_forgotten() -> None:
    slow = Slow()
    thread, caught = in_thread(slow.__enter__)
    assert slow.opening.wait(10)
    slow.close()
    slow.go_on.set()
    thread.join(10)
    assert "not open" in str(caught[0])
    assert slow.was_closed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_has_no_such_thread() -> None:
    loop = LoopThread("test", "it is not running")
    loop.start()
    child = os.fork()
    if child == 0:
        try:
            loop.call(lambda: None)
        except NotRunning:
            loop.stop()
            os._exit(7)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    loop.stop()


def test_a_callback_gets_what_a_sleeping_reader_waited_for() -> None:
    with serving() as server, client_of(server.server) as bp, bp.streams(QUICK) as ws:
        subscription = ws.trades(S).ready()
        reader, caught = in_thread(subscription.get)
        until(lambda: subscription._queue._sleepers)
        seen: list[int] = []
        subscription.listen(lambda event: seen.append(event.trade_id))
        reader.join(10)
        assert "a callback gets the events" in str(caught[0])
        server.send(trade(1))
        until(lambda: seen == [1])

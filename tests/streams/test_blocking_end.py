"""How blocking streams end: at once whatever REST does, from any thread, and with clear words afterwards."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import backpack_sdk
from backpack_sdk import Backpack, BackpackError
from backpack_sdk.streams import BlockingStreams
from backpack_sdk.streams.daemon_threads import DaemonThreads
from tests.streams.blocking_desk import QUICK, ServerThread, client_of, serving, threads, until
from tests.streams.stream_server import delta, depth, trade

SRC = Path(backpack_sdk.__file__).resolve().parents[1]


@pytest.fixture
def desk() -> Iterator[ServerThread]:
    with serving() as desk:
        yield desk


@pytest.fixture
def bp(desk: ServerThread) -> Iterator[Backpack]:
    with client_of(desk.server, timeout=300.0) as client:
        yield client


def script(desk: ServerThread, code: str) -> str:
    """What a script prints, in an interpreter that takes every warning for an error."""
    head = f"""
import sys; sys.path.insert(0, {str(SRC)!r})
import logging, signal, threading, time
logging.disable(logging.WARNING)  # on a busy machine asyncio complains of slow steps
from backpack_sdk import Backpack, BackpackError
bp = Backpack(base_url={desk.server.base_url!r}, ws_url={desk.server.ws_url!r}, timeout=300.0, verify=False,
    rate_limit=None, max_retries=0)
"""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", head + code],
        capture_output=True, check=False, text=True, timeout=45,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_leaving_does_not_wait_for_rest(desk: ServerThread, bp: Backpack) -> None:
    desk.server.silent_rest = True
    with bp.streams(QUICK) as ws:
        ws.trades("SOL-USDC")
        until(lambda: desk.server.requests)
    assert "backpack-streams" not in threads()
    books = bp.order_books("SOL-USDC")

    def enter() -> None:
        with pytest.raises(BackpackError, match="not open"):
            books.__enter__()

    entering = threading.Thread(target=enter, daemon=True)
    entering.start()
    until(lambda: len(desk.server.requests) == 2)
    books._thread.stop()
    entering.join(20)
    assert not entering.is_alive()


def test_a_script_ends_though_rest_hangs(desk: ServerThread) -> None:
    desk.server.silent_rest = True
    code = """
with bp, bp.streams() as ws:
    trades = ws.trades("SOL-USDC")
    listening = ws.trades("BTC-USDC").listen(print)
    time.sleep(0.3)
    listening.cancel()
    listening.wait(20)
    print(listening.done)
print(list(trades))
"""
    assert script(desk, code) == "True\n[]\n"
    assert desk.server.requests


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals of POSIX")
@pytest.mark.parametrize("waiting", ["next(trades)", "trades.ready()", "time.sleep(40)", "ws.wait_closed()"])
def test_interrupting_a_script_ends_it(desk: ServerThread, waiting: str) -> None:
    desk.server.silent_rest = True
    code = f"""
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background ignores it
try:
    with bp, bp.streams() as ws:
        trades = ws.trades("SOL-USDC")
        main = threading.main_thread().ident
        threading.Timer(0.3, signal.pthread_kill, [main, signal.SIGINT]).start()
        {waiting}
except KeyboardInterrupt:
    print("left", [thread.name for thread in threading.enumerate() if not thread.daemon])
"""
    assert script(desk, code).startswith("left ['MainThread'")


def test_closing_ends_loops_in_other_threads(desk: ServerThread, bp: Backpack) -> None:
    desk.server.rest = lambda path, _query: (200, depth(1)) if path.endswith("/depth") else None
    ends: list[str] = []
    with bp.streams(QUICK) as ws, bp.order_books("SOL-USDC", options=QUICK) as books:
        trades = ws.trades("SOL-USDC").ready(20)

        def read(iterable: Any, name: str) -> None:
            for _ in iterable:
                pass
            ends.append(name)

        readers = [threading.Thread(target=read, args=args) for args in ((trades, "trades"), (books, "books"))]
        for reader in readers:
            reader.start()
        closers = [threading.Thread(target=one.close) for one in (ws, ws, books, books)]
        for thread in closers:
            thread.start()
        for thread in (*closers, *readers):
            thread.join(20)
            assert not thread.is_alive()
    assert sorted(ends) == ["books", "trades"]
    assert list(books) == []


def test_an_error_in_the_block_is_passed_on(desk: ServerThread, bp: Backpack) -> None:
    with pytest.raises(ZeroDivisionError), bp.streams(QUICK) as ws, ws.trades("SOL-USDC"):
        raise ZeroDivisionError
    until(lambda: threads() == [])
    until(lambda: desk.server.open_sockets == 0)


def test_a_subscription_that_is_let_go_of_ends(desk: ServerThread, bp: Backpack) -> None:
    with bp.streams(QUICK) as ws:
        trades = ws.trades("SOL-USDC").ready(20)
        assert list(desk.server.peers[0].names) == list(trades.names) == ["trade.SOL_USDC"]
        del trades
        until(lambda: not desk.server.peers[0].names)


def test_use_after_the_end_says_so(bp: Backpack) -> None:
    with bp.streams(QUICK) as ws:
        trades = ws.trades("SOL-USDC").ready(20)
        books, account = ws.order_books("SOL-USDC"), ws.account_state()
    for late in (
        lambda: ws.trades("SOL-USDC"), ws.wait_closed, lambda: trades.listen(print), trades.ready, books.__enter__,
        account.__enter__, lambda: next(books), lambda: next(account), lambda: books["SOL_USDC"],
        lambda: account.orders,
    ):  # fmt: skip
        with pytest.raises(BackpackError, match="not open: use `with bp"):
            late()
    with pytest.raises(BackpackError, match="has ended"):
        trades.get()
    assert list(trades) == []
    assert not account.is_live
    trades.close()
    ws.close()


@pytest.mark.parametrize("what", ["trades", "books"])
def test_parts_of_a_connection_may_be_left_after_it_was_closed(desk: ServerThread, bp: Backpack, what: str) -> None:
    with bp.streams(QUICK) as ws:
        part: Any = ws.trades("SOL-USDC") if what == "trades" else ws.order_books("SOL-USDC")
        with part:
            ws.close()
    part.close()


def test_nobody_hangs_who_asks_while_it_ends(bp: Backpack) -> None:
    for _ in range(15):
        ends: list[str] = []
        with bp.streams(QUICK) as ws:
            ws.trades("SOL-USDC").ready(20)

            def ask(ws: BlockingStreams = ws, ends: list[str] = ends) -> None:
                try:
                    while True:
                        ws.trades("SOL-USDC").ready()
                except BackpackError as error:
                    ends.append(str(error))

            askers = [threading.Thread(target=ask) for _ in range(4)]
            for asker in askers:
                asker.start()
        for asker in askers:
            asker.join(20)
            assert not asker.is_alive()
        assert len(ends) == 4


def test_a_callback_that_ends_the_loop_leaves_nobody_waiting(desk: ServerThread, bp: Backpack) -> None:
    def leave(_event: object) -> None:
        raise SystemExit

    with bp.streams(QUICK) as ws:
        other = ws.trades("BTC-USDC").ready(20)
        ws.trades("SOL-USDC").ready(20).listen(leave)
        desk.send(trade(1))
        assert list(other) == []
        with pytest.raises(BackpackError, match="not open"):
            ws.trades("SOL-USDC")
    until(lambda: threads() == [])


def test_books_share_a_connection(desk: ServerThread, bp: Backpack) -> None:
    desk.server.rest = lambda path, _query: (200, depth(1, asks=[("2", "1")])) if path.endswith("/depth") else None
    with bp.streams(QUICK) as ws:
        with ws.order_books("SOL-USDC", levels=1) as books:
            books.wait_live(timeout=20)
            tops: list[object] = []
            ws.depth("SOL-USDC").ready(20).listen(lambda _event: tops.append(books["SOL_USDC"].best_ask))
            desk.send(delta(2, 2, asks=[("1.5", "3"), ("1.8", "1")]))
            changed = next(book for book in books if book.last_update_id == 2)
            assert str(changed.best_ask) == str(books["SOL_USDC"].best_ask)
            assert len(changed.ask_levels) == 1
            until(lambda: tops)  # a callback may read books, of which nothing has to be waited for
            assert threads().count("backpack-streams") == 1
            assert "backpack-order-books" not in threads()
        ws.trades("SOL-USDC").ready(20)
        assert list(books) == []
    assert len(desk.server.peers) == 1


def test_calls_in_daemon_threads() -> None:
    executor = DaemonThreads("calls", most=2)
    hold, began = threading.Event(), threading.Semaphore(0)

    def wait() -> str:
        began.release()
        hold.wait(20)
        return "late"

    assert executor.submit(divmod, 7, 2).result(20) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        executor.submit(divmod, 7, 0).result(20)
    slow = [executor.submit(wait) for _ in range(3)]
    assert began.acquire(timeout=20)
    assert began.acquire(timeout=20)
    executor.shutdown()
    hold.set()
    assert slow[0].result(20) == "late"
    until(lambda: all(one.done() for one in slow))
    assert slow[2].cancelled()
    until(lambda: "calls" not in {thread.name for thread in threading.enumerate()})
    with pytest.raises(RuntimeError):
        executor.submit(print)

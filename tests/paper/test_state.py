"""A state file: what was acknowledged is there again, whatever happened to the process."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from backpack_sdk import Backpack, BackpackError
from backpack_sdk.paper import Flow, PaperExchange
from backpack_sdk.paper.engine import MarketSpec, NewOrder, NewStrategy, OrderType, Side
from backpack_sdk.paper.engine.lending_pool import BorrowLendSide
from backpack_sdk.paper.flow.runner import MAKER
from tests.loopback import CREDENTIALS

SYMBOL = "SOL_USDC"
SERVE = """
import sys, time
from backpack_sdk.paper import PaperExchange
with PaperExchange(state=sys.argv[1]) as exchange:
    if not exchange.has_account(sys.argv[2]):
        exchange.add_account(sys.argv[2], {"USDC": 10_000_000})
    print(exchange.base_url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "exchange.sqlite"


def place(bp: Backpack, client_id: int, price: str = "100") -> str:
    return bp.order.execute_order(SYMBOL, "Bid", "Limit", price=price, quantity="1", client_id=client_id).id


def test_another_exchange_goes_on_where_the_first_one_left_off(path: Path) -> None:
    exchange = PaperExchange(state=path, seed=3)
    with Backpack.paper(exchange, credentials=CREDENTIALS) as bp:
        place(bp, 1)
        place(bp, 2, "150")
        bp.order.cancel_order(SYMBOL, client_id=1)
        place(bp, 3)
        exchange.deposit(CREDENTIALS.api_key, "SOL", "0.5")
    again = PaperExchange(state=path)
    assert again.engine.digest() == exchange.engine.digest()
    with Backpack.paper(again, credentials=CREDENTIALS) as bp:
        assert [order.client_id for order in bp.order.get_open_orders()] == [3]
        assert int(place(bp, 4)) > int(bp.order.get_fills()[0].order_id)
    assert PaperExchange(state=path).engine.digest() == again.engine.digest()


def test_the_books_of_a_file_are_not_seeded_again(path: Path) -> None:
    first = PaperExchange(state=path, seed=1)
    assert PaperExchange(state=path, seed=2).engine.depth(SYMBOL) == first.engine.depth(SYMBOL)


def test_markets_that_a_file_does_not_have_are_added(path: Path) -> None:
    PaperExchange(state=path)
    spec = MarketSpec(
        symbol="JUP_USDC", base="JUP", quote="USDC", tick_size=Decimal("0.01"), step_size=Decimal("0.1"),
        min_price=Decimal("0.01"), min_quantity=Decimal("0.1"),
    )  # fmt: skip
    for _ in range(2):
        symbols = [spec.symbol for spec in PaperExchange(state=path, markets=[spec]).engine.markets()]
        assert symbols[-1] == "JUP_USDC"
        assert SYMBOL in symbols


def test_an_exchange_may_be_entered_again(path: Path) -> None:
    exchange = PaperExchange(state=path)
    for client_id in (1, 2):
        with Backpack.paper(exchange, credentials=CREDENTIALS) as bp:
            place(bp, client_id)
    with Backpack.paper(PaperExchange(state=path), credentials=CREDENTIALS) as bp:
        assert len(bp.order.get_open_orders()) == 2


def test_synthetic_flow_goes_on_from_the_prices_there_were(path: Path) -> None:
    flow = Flow(rate=0, seed=5)
    first = PaperExchange(state=path, flow=flow)
    first.flow.advance(300)
    with first:
        pass
    before = first.engine.depth(SYMBOL, 1)
    second = PaperExchange(state=path, flow=flow)
    assert not second.engine.open_orders(MAKER)
    second.flow.advance(300)
    after = second.engine.depth(SYMBOL, 1)
    assert abs(after.bids[0][0] - before.bids[0][0]) < 5


def test_what_nobody_asked_for_is_written_too(path: Path) -> None:
    with PaperExchange(state=path, flow=Flow(rate=500)) as exchange:
        wait = threading.Event()
        while not exchange.engine.trades(SYMBOL):
            wait.wait(0.01)
    assert PaperExchange(state=path).engine.digest() == exchange.engine.digest()


def written(path: Path) -> list[str]:
    """Kinds of the commands in a file."""
    database = sqlite3.connect(path)
    batches = database.execute("SELECT commands FROM journal ORDER BY number").fetchall()
    database.close()
    return [command["kind"] for (batch,) in batches for command in json.loads(batch)]


def written_later(path: Path, exchange: PaperExchange) -> list[str]:
    """Kinds of the commands in the file of an exchange that runs, which nobody else may read meanwhile."""
    assert exchange._state is not None
    with exchange.lock:
        exchange._state.close()
    return written(path)


def test_reads_do_not_make_the_file_longer(path: Path) -> None:
    exchange = PaperExchange(state=path)
    with Backpack.paper(exchange, credentials=CREDENTIALS) as bp:
        before = len(written_later(path, exchange))
        for client_id in range(3):
            for _ in range(20):
                bp.markets.get_depth(SYMBOL)
            place(bp, client_id)
    kinds = written(path)[before:]
    assert kinds.count("execute") == 3
    assert kinds.count("advance") < 10


def test_time_that_passed_while_nobody_traded_passes_again(path: Path) -> None:
    """Interest, funding, withdrawals and redemptions that fell due between reads are there after a restart."""
    now_us = 1_700_000_000_000_000
    exchange = PaperExchange(state=path, clock=lambda: now_us)
    key = CREDENTIALS.api_key
    exchange.add_account(key)
    engine = exchange.engine
    engine.borrow_lend(key, "SOL", BorrowLendSide.BORROW, Decimal(2_000), now_us=now_us)
    engine.trust_address(key, "elsewhere")
    engine.withdraw(key, "USDC", Decimal(50), blockchain="Solana", address="elsewhere", now_us=now_us)
    engine.mint_vault(key, 1, "USDC", Decimal(100), now_us=now_us)
    engine.redeem_vault(key, 1, now_us=now_us)
    order = NewOrder(symbol=f"{SYMBOL}_PERP", side=Side.BID, order_type=OrderType.MARKET, quantity=Decimal(3))
    engine.execute(key, order, now_us=now_us)
    for minutes in (*range(0, 60, 7), *range(60, 24 * 60, 13)):
        engine.advance(now_us=now_us + minutes * 60_000_000)
    exchange._commit()
    assert written(path).count("advance") < 100
    again = PaperExchange(state=path)
    assert again.engine.digest() == engine.digest()
    assert again.engine.balances(key) == engine.balances(key)


def test_strategies_keep_their_times(path: Path) -> None:
    now_us = 1_700_000_000_000_000
    exchange = PaperExchange(state=path, clock=lambda: now_us)
    exchange.add_account(CREDENTIALS.api_key, {"USDC": 1_000})
    strategy = NewStrategy(
        symbol=SYMBOL, side=Side.BID, quantity=Decimal(40), duration_ms=3_600_000, interval_ms=60_000
    )
    exchange.engine.create_strategy(CREDENTIALS.api_key, strategy, now_us=now_us)
    for half_minute in range(1, 60):
        if half_minute == 30:
            exchange._commit()
            exchange = PaperExchange(state=path, clock=lambda: now_us)
        exchange.engine.advance(now_us=now_us + half_minute * 30_000_000)
    exchange._commit()
    assert PaperExchange(state=path).engine.digest() == exchange.engine.digest()


def test_a_file_belongs_to_one_exchange_at_a_time(path: Path) -> None:
    with PaperExchange(state=path) as exchange:
        exchange.add_account(CREDENTIALS.api_key)
        with pytest.raises(ValueError, match="in use by another exchange"):
            PaperExchange(state=path)
    late = PaperExchange(state=path)
    with Backpack.paper(PaperExchange(state=path), credentials=CREDENTIALS) as bp:
        place(bp, 1)
    with pytest.raises(ValueError, match="changed by another exchange"):
        late.deposit(CREDENTIALS.api_key, "USDC", 1)


def test_a_file_that_holds_something_else_is_refused(path: Path) -> None:
    path.write_bytes(b"these are no orders" * 100)
    with pytest.raises(ValueError, match="can't be used as a state file"):
        PaperExchange(state=path)
    assert path.read_bytes().startswith(b"these are no orders")


def test_another_format_is_refused(path: Path) -> None:
    PaperExchange(state=path)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE about SET format = 99")
    database.close()
    with pytest.raises(ValueError, match="has the format 99"):
        PaperExchange(state=path)


def test_a_command_that_is_not_understood_is_named(path: Path) -> None:
    PaperExchange(state=path)
    with sqlite3.connect(path) as database:
        database.execute("""UPDATE journal SET commands = '[{"kind": "conjure"}]'""")
    database.close()
    with pytest.raises(ValueError, match="conjure"):
        PaperExchange(state=path)


def test_a_reply_does_not_leave_before_it_is_written(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    exchange = PaperExchange(state=path)
    with Backpack.paper(exchange, credentials=CREDENTIALS, max_retries=0) as bp:
        assert exchange._state is not None
        database = exchange._state._open()
        database.execute("PRAGMA query_only = ON")
        with pytest.raises(BackpackError):
            place(bp, 1)
        database.execute("PRAGMA query_only = OFF")
        place(bp, 2)
    assert "readonly" in caplog.text
    assert [order.client_id for order in PaperExchange(state=path).engine.open_orders(CREDENTIALS.api_key)] == [1, 2]


# Killed without a warning


@contextmanager
def served(path: Path) -> Iterator[tuple[subprocess.Popen[str], Backpack]]:
    """A server in a process of its own, and a client of it."""
    command = [sys.executable, "-c", SERVE, str(path), CREDENTIALS.api_key]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        try:
            with Backpack(CREDENTIALS, base_url=url, rate_limit=None, max_retries=0, trust_env=False) as bp:
                yield process, bp
        finally:
            process.kill()


def test_no_acknowledged_order_is_lost_when_the_process_is_killed(path: Path) -> None:
    chance = random.Random(1)
    placed: set[int] = set()
    cancelled: set[int] = set()
    doubtful: set[int] = set()
    client_id = 0
    for _ in range(3):
        with served(path) as (process, bp):
            found = {order.client_id for order in bp.order.get_open_orders() if order.client_id is not None}
            assert found >= placed - cancelled - doubtful
            assert found <= placed | doubtful
            assert not found & cancelled - doubtful
            threading.Timer(chance.uniform(0.05, 0.25), process.kill).start()
            while True:
                client_id += 1
                busy = client_id
                try:
                    place(bp, client_id)
                    placed.add(client_id)
                    if client_id % 3 == 0:
                        busy = min(placed - cancelled - doubtful)
                        bp.order.cancel_order(SYMBOL, client_id=busy)
                        cancelled.add(busy)
                except BackpackError:
                    doubtful.add(busy)
                    break
            process.wait()
    exchange = PaperExchange(state=path)
    rows = exchange.engine.open_orders(CREDENTIALS.api_key)
    found = {row.client_id for row in rows if row.client_id is not None}
    assert len(placed) > 10
    assert found >= placed - cancelled - doubtful
    assert not found & cancelled - doubtful
    balance = exchange.engine.balances(CREDENTIALS.api_key)["USDC"]
    assert balance.locked == 100 * len(found)
    assert balance.locked + balance.available == 10_000_000

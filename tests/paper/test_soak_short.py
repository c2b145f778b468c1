"""The soak in short: clients of the SDK trade while requests and streams go wrong, and nothing is lost or made."""

from __future__ import annotations

import logging
from decimal import Decimal

import pytest

from backpack_sdk import OrderBook
from backpack_sdk.paper import FaultRates, PaperExchange
from backpack_sdk.paper.engine import NewOrder, OrderType, Side
from tests.soak.audit import Auditor, Broken
from tests.soak.run import Plan, report, soak
from tests.soak.traders import Ledger

PLAN = Plan(
    seconds=4,
    markets=4,
    blocking=1,
    asynchronous=2,
    rate=40,
    pause=0.05,
    rest_faults=0.1,
    socket_faults=FaultRates(drop=0.01, duplicate=0.01, swap=0.01, garble=0.005, fragment=0.01, abort=0.001),
    audit_every=1,
)


async def test_money_orders_and_books_hold_while_everything_goes_wrong(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "backpack_sdk")
    figures = await soak(PLAN)  # raises when something does not hold
    counts = figures.counts
    assert counts["accepted"] > 0
    assert counts["audits"] >= 2
    assert counts["books compared"] > 0
    assert counts["trades"] > 0
    assert "each once" in report(PLAN, figures)


def test_the_audit_notices_money_from_nowhere() -> None:
    exchange = PaperExchange()
    auditor = Auditor(exchange)
    auditor.begin()
    auditor.check_money(["market-maker"])
    exchange.engine._ledger.deposit("market-maker", "USDC", Decimal("1e-18"))
    with pytest.raises(Broken, match="USDC were paid in"):
        auditor.check_money(["market-maker"])


def test_the_audit_notices_what_is_locked_in_vain() -> None:
    exchange = PaperExchange()
    auditor = Auditor(exchange)
    auditor.begin()
    exchange.engine._ledger.lock("market-maker", "SOL", Decimal(0))
    auditor.check_money(["market-maker"])
    exchange.engine.deposit("market-maker", "SOL", Decimal(1), now_us=0)
    auditor.begin()
    exchange.engine._ledger.lock("market-maker", "SOL", Decimal(1))
    with pytest.raises(Broken, match="locked"):
        auditor.check_money(["market-maker"])


def test_the_audit_notices_a_wrong_book() -> None:
    exchange = PaperExchange()
    auditor = Auditor(exchange)
    request = NewOrder(
        symbol="SOL_USDC", side=Side.BID, order_type=OrderType.LIMIT, price=Decimal(1), quantity=Decimal(1)
    )
    exchange.engine.deposit("market-maker", "USDC", Decimal(1_000), now_us=0)
    exchange.engine.execute("market-maker", request, now_us=0)
    update_id, bids, asks = auditor.levels("SOL_USDC")
    book = OrderBook("SOL_USDC")
    book.apply_snapshot(bids, asks, last_update_id=update_id)
    auditor.check_book(book)
    assert auditor.books_compared == 1
    book.apply_snapshot(bids, asks[:-1], last_update_id=update_id)
    with pytest.raises(Broken, match="is wrong at"):
        auditor.check_book(book)


def test_a_ledger_notices_orders_that_are_lost_or_nobodys() -> None:
    exchange = PaperExchange()
    auditor, account = Auditor(exchange), "somebody"
    exchange.engine.open_account(account)
    exchange.engine.deposit(account, "USDC", Decimal(1_000), now_us=0)
    request = NewOrder(
        symbol="SOL_USDC", side=Side.BID, order_type=OrderType.LIMIT, price=Decimal(1), quantity=Decimal(1), client_id=7
    )
    order_id = str(exchange.engine.execute(account, request, now_us=0).value.id)
    told = {7: order_id}
    assert Ledger(accepted={7: order_id}).close(auditor, account, told) == (1, 0)
    assert Ledger(unknown={7, 8}).close(auditor, account, told) == (1, 1)
    for ledger, what in (
        (Ledger(), "nobody sent"),
        (Ledger(accepted={7: order_id, 8: "1"}), "order 8 is lost"),
        (Ledger(refused={7}), "was refused and exists"),
    ):
        with pytest.raises(Broken, match=what):
            ledger.close(auditor, account, told)
    with pytest.raises(Broken, match="tells of other orders"):
        Ledger(accepted={7: order_id}).close(auditor, account, {})
    with pytest.raises(Broken, match="is lost"):
        auditor.check_orders(account, {8: "1"})
    exchange.engine.cancel(account, "SOL_USDC", client_id=7, now_us=0)
    exchange.engine.execute(account, request, now_us=0)
    with pytest.raises(Broken, match="two orders with one client id"):
        auditor.check_orders(account, {})

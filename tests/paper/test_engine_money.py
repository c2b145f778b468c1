"""What orders lock, what trades move, and what fees cost."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest

from backpack_sdk.paper.engine import Balance, FeeRates, Refused, Side, TimeInForce
from backpack_sdk.paper.engine.ledger import Ledger

from .engine_desk import NO_FEES, Desk, dec


def test_a_resting_bid_locks_its_notional_and_an_ask_its_quantity() -> None:
    desk = Desk()
    desk.bid("alice", "99.5", "2")
    desk.ask("alice", "101", "3")
    assert desk.balance("alice", "USDC") == Balance(dec("99801"), dec("199"))
    assert desk.balance("alice", "SOL") == Balance(dec("997"), dec("3"))


def test_cancelling_gives_everything_back() -> None:
    desk = Desk()
    for order in (desk.bid("alice", "99.5", "2"), desk.ask("alice", "101", "3")):
        desk.exchange.cancel("alice", "SOL_USDC", order_id=order.id, now_us=desk.tick())
    assert desk.balance("alice", "USDC") == Balance(dec("100000"), dec("0"))
    assert desk.balance("alice", "SOL") == Balance(dec("1000"), dec("0"))


def test_each_side_pays_its_fee_in_what_it_receives() -> None:
    desk = Desk()
    desk.ask("bob", "100", "2")
    desk.bid("alice", "100", "2")
    # Taker 10 basis points of 2 SOL, maker 8 basis points of 200 USDC.
    assert desk.balance("alice", "SOL").available == dec("1001.998")
    assert desk.balance("alice", "USDC").available == dec("99800")
    assert desk.balance("bob", "USDC").available == dec("100199.84")
    assert desk.balance("bob", "SOL") == Balance(dec("998"), dec("0"))
    assert desk.exchange.collected_fees() == {"SOL": dec("0.002"), "USDC": dec("0.16")}


def test_fills_name_their_fee_and_role() -> None:
    desk = Desk()
    maker = desk.bid("bob", "100", "2", client_id=5)
    taker = desk.ask("alice", "90", "1")
    (taken,) = desk.exchange.fills("alice")
    (made,) = desk.exchange.fills("bob")
    assert (taken.order_id, taken.side, taken.is_maker) == (taker.id, Side.ASK, False)
    assert (taken.fee, taken.fee_asset) == (dec("0.1"), "USDC")
    assert (made.order_id, made.side, made.is_maker, made.client_id) == (maker.id, Side.BID, True, 5)
    assert (made.fee, made.fee_asset) == (dec("0.0008"), "SOL")
    assert made.trade_id == taken.trade_id == 1
    assert made.price == taken.price == 100


def test_price_improvement_goes_to_the_taker() -> None:
    desk = Desk(NO_FEES)
    desk.ask("bob", "90", "1")
    desk.bid("alice", "100", "3")
    assert desk.balance("alice", "USDC") == Balance(dec("99710"), dec("200"))
    assert desk.balance("alice", "SOL").available == 1001


def test_a_partial_fill_frees_nothing_and_spends_the_lock() -> None:
    desk = Desk(NO_FEES)
    order = desk.bid("alice", "99.99", "3")
    desk.ask("bob", "99.99", "1.1")
    assert desk.balance("alice", "USDC") == Balance(dec("99700.03"), dec("189.981"))
    desk.exchange.cancel("alice", "SOL_USDC", order_id=order.id, now_us=desk.tick())
    assert desk.balance("alice", "USDC") == Balance(dec("99890.011"), dec("0"))


def test_fees_can_differ_by_account_and_change() -> None:
    desk = Desk()
    desk.exchange.set_fees("alice", FeeRates(dec("2"), dec("4.5")))
    assert desk.exchange.fees("alice").spot_taker_bps == dec("4.5")
    desk.ask("bob", "100", "1")
    desk.bid("alice", "100", "1")
    assert desk.exchange.fills("alice")[0].fee == dec("0.00045")
    assert desk.exchange.fills("bob")[0].fee == dec("0.08")


def test_a_maker_rebate_is_a_negative_fee() -> None:
    desk = Desk(FeeRates(dec("-1"), dec("10")))
    desk.ask("bob", "100", "1")
    desk.bid("alice", "100", "1")
    assert desk.exchange.fills("bob")[0].fee == dec("-0.01")
    assert desk.balance("bob", "USDC").available == dec("100100.01")
    assert desk.exchange.collected_fees() == {"SOL": dec("0.001"), "USDC": dec("-0.01")}


def test_a_buyer_without_the_base_asset_can_pay_its_fee() -> None:
    desk = Desk()
    desk.exchange.open_account("dave")
    desk.exchange.deposit("dave", "USDC", dec("100"), now_us=desk.tick())
    desk.ask("bob", "100", "1")
    desk.bid("dave", "100", "1")
    assert desk.exchange.balances("dave") == {"USDC": Balance(dec("0")), "SOL": Balance(dec("0.999"))}


def test_a_limit_order_needs_its_full_notional_even_when_it_would_trade_for_less() -> None:
    desk = Desk()
    desk.exchange.open_account("dave")
    desk.exchange.deposit("dave", "USDC", dec("100"), now_us=desk.tick())
    desk.ask("bob", "50", "1")
    with pytest.raises(Refused, match="INSUFFICIENT_FUNDS"):
        desk.bid("dave", "101", "1", time_in_force=TimeInForce.IOC)
    assert desk.market("dave", Side.BID, quantity=dec("1")).executed_quote_quantity == 50


def test_arithmetic_is_exact_however_long_the_figures() -> None:
    desk = Desk(FeeRates(dec("0.0001"), dec("0.0003")))
    desk.exchange.deposit("bob", "SOL", dec("0.000000000000000001"), now_us=desk.tick())
    desk.exchange.deposit("bob", "SOL", dec("999999999999999999"), now_us=desk.tick())
    desk.ask("bob", "9999.99", "0.3")
    desk.bid("alice", "9999.99", "0.3")
    assert desk.balance("bob", "SOL").available == Decimal("1000000000000000998.700000000000000001")
    assert desk.exchange.fills("bob")[0].fee == dec("0.00002999997")
    assert desk.exchange.fills("alice")[0].fee == dec("0.000000009")


def test_the_context_of_the_caller_plays_no_part() -> None:
    desk = Desk()
    with localcontext() as context:
        context.prec = 3
        desk.ask("bob", "1234.56", "1.1")
        order = desk.bid("alice", "1234.56", "1.1")
    assert order.executed_quote_quantity == dec("1358.016")


def test_the_ledger_never_goes_below_zero() -> None:
    ledger = Ledger()
    ledger.open_account("alice")
    ledger.open_account("bob")
    ledger.deposit("alice", "SOL", dec("1"))
    ledger.lock("alice", "SOL", dec("0.4"))
    with pytest.raises(RuntimeError, match="negative"):
        ledger.lock("alice", "SOL", dec("0.7"))
    with pytest.raises(RuntimeError, match="negative"):
        ledger.unlock("alice", "SOL", dec("0.5"))
    with pytest.raises(RuntimeError, match="negative"):
        ledger.pay("alice", "bob", "SOL", dec("0.7"), fee=dec("0"))
    with pytest.raises(RuntimeError, match="negative"):
        ledger.pay("alice", "bob", "SOL", dec("0.5"), fee=dec("0"), from_locked=True)

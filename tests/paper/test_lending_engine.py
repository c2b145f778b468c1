"""Loans in the engine: rates, rounding, and what happens when collateral no longer carries a debt."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpack_sdk.paper.engine import Exchange, FeeRates, NewOrder, OrderType, Refused, Side
from backpack_sdk.paper.engine.assets import AssetSpec, CollateralTerms, TokenSpec
from backpack_sdk.paper.engine.futures import MarginFunction
from backpack_sdk.paper.engine.lending_pool import BorrowLendSide, BorrowLendSource, PoolSpec, RateCurve
from backpack_sdk.paper.engine.liquidation import BACKSTOP
from backpack_sdk.paper.engine.shares import ratio, share_down, share_up
from backpack_sdk.paper.engine.vaults import VaultSpec

from .engine_desk import SOL_USDC, dec

START_US = 1_790_000_000_000_000
HOUR_US = 3_600_000_000
amounts = st.decimals(min_value=0, max_value=10**9, places=9)
FREE = FeeRates(Decimal(0), Decimal(0))


class Loans:
    """Alice owes 50 SOL, which she has sold at 100 to bob: what she has is 6000 USDC."""

    def __init__(self, sold: str = "50") -> None:
        self.exchange = Exchange([SOL_USDC])
        self.now_us = START_US
        terms = CollateralTerms(initial=MarginFunction(dec("0.1")), maintenance=MarginFunction(dec("0.05")))
        self.exchange.add_asset(AssetSpec(symbol="SOL", name="Solana", collateral=terms))
        curve = RateCurve(base=dec(0), optimal=dec(0), full=dec(0))
        self.exchange.add_pool(
            PoolSpec(asset="SOL", step_size=dec("0.1"), limit=dec(1000), curve=curve), now_us=START_US
        )
        for account, asset, quantity in (("alice", "USDC", 1000), ("bob", "USDC", 50000), ("carol", "SOL", 100)):
            self.exchange.open_account(account, FREE)
            self.exchange.deposit(account, asset, dec(quantity), now_us=START_US)
        self.exchange.borrow_lend("carol", "SOL", BorrowLendSide.LEND, dec(100), now_us=START_US)
        self.price("100")
        self.exchange.borrow_lend("alice", "SOL", BorrowLendSide.BORROW, dec(50), now_us=START_US)
        self.limit("bob", Side.BID, "100", sold)
        self.limit("alice", Side.ASK, "100", sold)

    def limit(self, account: str, side: Side, price: str, quantity: str) -> None:
        order = NewOrder(
            symbol="SOL_USDC", side=side, order_type=OrderType.LIMIT, price=dec(price), quantity=dec(quantity)
        )
        self.exchange.execute(account, order, now_us=self.now_us)

    def price(self, price: str) -> None:
        self.exchange.set_mark_price("SOL_USDC", index=dec(price), now_us=self.now_us)

    def hour(self) -> None:
        self.now_us += HOUR_US
        self.exchange.advance(now_us=self.now_us)

    def free(self, account: str, asset: str) -> Decimal:
        balances = self.exchange.balances(account)
        return balances[asset].available if asset in balances else dec(0)


def test_a_debt_that_is_carried_stays() -> None:
    loans = Loans()
    loans.price("114.28")
    loans.hour()
    assert loans.exchange.lending.owed("alice", "SOL") == 50


def test_the_backstop_takes_over_a_debt_and_what_it_is_worth() -> None:
    loans = Loans()
    loans.limit("alice", Side.BID, "50", "1")
    loans.price("118")
    totals = [loans.exchange.total(asset) for asset in ("SOL", "USDC")]
    loans.hour()
    assert loans.exchange.lending.owed("alice", "SOL") == 0
    assert loans.exchange.open_orders("alice") == ()
    assert loans.free("alice", "USDC") == dec("41")
    assert (loans.exchange.lending.owed(BACKSTOP, "SOL"), loans.free(BACKSTOP, "USDC")) == (dec(50), dec(5959))
    last = loans.exchange.lending.book("alice").movements[-1]
    assert (last.source, last.quantity) == (BorrowLendSource.LIQUIDATION_BACKSTOP, dec(50))
    assert [loans.exchange.total(asset) for asset in ("SOL", "USDC")] == totals
    loans.exchange.deposit(BACKSTOP, "SOL", dec(50), now_us=loans.now_us)
    loans.hour()
    assert loans.exchange.lending.owed(BACKSTOP, "SOL") == 0
    assert loans.exchange.borrow_lend("carol", "SOL", BorrowLendSide.BORROW, dec(100), now_us=loans.now_us)


def test_what_is_left_of_the_asset_pays_first_and_may_be_enough() -> None:
    loans = Loans(sold="40")
    loans.price("119")
    loans.hour()
    assert (loans.exchange.lending.owed("alice", "SOL"), loans.free("alice", "SOL")) == (dec(40), dec(0))
    assert loans.free("alice", "USDC") == 5000
    assert loans.exchange.lending.book("alice").movements[-1].source is BorrowLendSource.LIQUIDATION


def test_a_debt_above_everything_there_is_costs_everything_and_no_more() -> None:
    loans = Loans()
    loans.price("500")
    loans.hour()
    assert loans.free("alice", "USDC") == 0
    assert (loans.exchange.lending.owed(BACKSTOP, "SOL"), loans.free(BACKSTOP, "USDC")) == (dec(50), dec(6000))


def test_rates_rise_along_the_curve_and_have_a_kink() -> None:
    curve = RateCurve(base=dec("0.01"), optimal=dec("0.06"), full=dec("1"), kink=dec("0.8"))
    found = [curve.rate(dec(use)) for use in ("0", "0.4", "0.8", "0.9", "1")]
    assert found == [dec(rate) for rate in ("0.01", "0.035", "0.06", "0.53", "1")]


@given(amount=amounts, part=amounts, whole=amounts.filter(bool))
def test_shares_are_as_close_as_their_unit_allows(amount: Decimal, part: Decimal, whole: Decimal) -> None:
    unit = dec("0.01")
    below, above = share_down(amount, part, whole, unit), share_up(amount, part, whole, unit)
    exact = Decimal(amount) * part
    assert below * whole <= exact <= above * whole
    assert above - below in (0, unit)
    assert ratio(part, dec(0), unit) == 0


def test_margin_fractions_grow_with_the_root_of_the_value() -> None:
    assert MarginFunction(dec("0.05"), dec("0.001")).fraction(dec(10_000)) == dec("0.1")
    assert MarginFunction(dec("0.05"), dec("0.001")).fraction(dec(100)) == dec("0.05")


@pytest.mark.parametrize(
    ("build", "fields"),
    [
        (RateCurve, {"base": dec("0.1"), "optimal": dec("0.05")}),
        (RateCurve, {"kink": dec(1)}),
        (PoolSpec, {"asset": "SOL", "step_size": dec(0), "limit": dec(1)}),
        (PoolSpec, {"asset": "SOL", "step_size": dec(1), "limit": dec(1), "max_utilization": dec("0.99")}),
        (TokenSpec, {"blockchain": "X", "decimals": 6, "withdrawal_fee": dec(1), "minimum_withdrawal": dec(1)}),
    ],
)
def test_senseless_terms_are_refused(build: Any, fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        build(**fields)


def test_pools_and_vaults_are_opened_once() -> None:
    exchange = Loans().exchange
    with pytest.raises(ValueError, match="already"):
        exchange.add_pool(PoolSpec(asset="SOL", step_size=dec(1), limit=dec(1)), now_us=START_US)
    exchange.add_vault(VaultSpec(id=1, account="bob", token="vBOB"))
    for number, token in ((1, "vB"), (2, "vBOB")):
        with pytest.raises(ValueError, match="already"):
            exchange.add_vault(VaultSpec(id=number, account="bob", token=token))
    with pytest.raises(Refused, match="UNAUTHORIZED"):
        exchange.add_vault(VaultSpec(id=3, account="nobody", token="v"))

"""Any sequence of loans, transfers, quotes, dust and vault shares: nothing appears, nothing is lost."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from backpack_sdk.paper.engine import (
    Command,
    Exchange,
    FeeRates,
    Ladder,
    MarketSpec,
    NewOrder,
    OrderType,
    Refused,
    Side,
    replay,
    seed_book,
)
from backpack_sdk.paper.engine.assets import AssetSpec, CollateralTerms, TokenSpec
from backpack_sdk.paper.engine.lending_pool import BorrowLendSide, PoolSpec, PoolState, RateCurve
from backpack_sdk.paper.engine.liquidation import BACKSTOP
from backpack_sdk.paper.engine.numbers import EXACT
from backpack_sdk.paper.engine.rfq_events import RfqMode
from backpack_sdk.paper.engine.transfers import deposit_address
from backpack_sdk.paper.engine.vaults import VaultSpec

ACCOUNTS = ("alice", "bob", "carol")
OPERATOR = "operator"
ASSETS = ("SOL", "USDC")
ZERO = Decimal(0)
SPEC = MarketSpec(
    symbol="SOL_USDC",
    base="SOL",
    quote="USDC",
    tick_size=Decimal("0.01"),
    step_size=Decimal("0.1"),
    min_price=Decimal("0.01"),
    min_quantity=Decimal("0.1"),
)
START_US = 1_790_000_000_000_000

accounts = st.sampled_from(ACCOUNTS)
assets = st.sampled_from(ASSETS)
fractions = st.sampled_from([Decimal(text) for text in ("0.01", "0.1", "0.333", "0.5", "0.999", "1", "1.001")])
prices = st.sampled_from([Decimal(text) for text in ("99", "100", "100.03", "101")])


def new_exchange(commands: list[Command]) -> Exchange:
    """A market, a pool of each asset, and a vault. What it is told is written down."""
    exchange = Exchange([SPEC])
    exchange.record(commands.append)
    for asset, decimals in (("SOL", 9), ("USDC", 6)):
        token = TokenSpec(
            blockchain="Solana",
            decimals=decimals,
            withdrawal_fee=Decimal("0.003"),
            minimum_withdrawal=Decimal("0.01"),
            minimum_deposit=Decimal("0.000001"),
        )
        terms = CollateralTerms(weight=Decimal("0.9") if asset == "SOL" else Decimal(1))
        exchange.add_asset(AssetSpec(symbol=asset, name=asset, tokens=(token,), collateral=terms))
        curve = RateCurve(base=Decimal("0.07"), optimal=Decimal("0.3"), full=Decimal(90))
        spec = PoolSpec(asset=asset, step_size=Decimal("0.01"), limit=Decimal(2000), curve=curve)
        exchange.add_pool(spec, now_us=START_US)
    for account in (*ACCOUNTS, OPERATOR):
        exchange.open_account(account, FeeRates(Decimal("-1"), Decimal("7")))
    exchange.add_vault(VaultSpec(id=1, account=OPERATOR, token="vUSDC", min_mint_quantity=Decimal(1)))
    return exchange


class Banking(RuleBasedStateMachine):
    """Gives commands and remembers what came in; every command is given to a second exchange as well."""

    def __init__(self) -> None:
        super().__init__()
        self.commands: list[Command] = []
        self.exchange, self.twin = new_exchange(self.commands), new_exchange([])
        self.now_us = START_US
        self.deposited: dict[str, Decimal] = defaultdict(Decimal)

    @initialize()
    def fund(self) -> None:
        for account in ACCOUNTS:
            for asset, quantity in (("SOL", "10.000000007"), ("USDC", "1000.000001")):
                self.bring(account, asset, Decimal(quantity))
        for exchange in (self.exchange, self.twin):
            exchange.fund_dust_desk(Decimal(500), now_us=self.now_us)
            before = {asset: exchange.total(asset) for asset in ASSETS}
            seed_book(exchange, "SOL_USDC", Ladder(mid=Decimal(100), quantity=Decimal(1)), now_us=self.now_us)
        self.deposited["USDC"] += Decimal(500)
        for asset in ASSETS:
            self.deposited[asset] += self.exchange.total(asset) - before[asset]

    def do(self, command: str, *args: Any, **kwargs: Any) -> Any:
        """Give a command to both exchanges. A refusal must leave balances and pools as they were."""
        self.exchange.advance(now_us=self.now_us)
        self.twin.advance(now_us=self.now_us)
        before = self.exchange.digest()
        try:
            outcome = getattr(self.exchange, command)(*args, **kwargs, now_us=self.now_us)
        except Refused:
            assert self.exchange.digest() == before
            return None
        getattr(self.twin, command)(*args, **kwargs, now_us=self.now_us)
        return outcome.value

    def bring(self, account: str, asset: str, quantity: Decimal) -> None:
        if self.do("deposit", account, asset, quantity, source="Solana") is not None:
            self.deposited[asset] += quantity

    def part(self, quantity: Decimal, fraction: Decimal, digits: str) -> Decimal:
        return (quantity * fraction).quantize(Decimal(digits))

    @rule(account=accounts, asset=assets, units=st.integers(1, 10**7))
    def deposit(self, account: str, asset: str, units: int) -> None:
        self.bring(account, asset, units * Decimal("0.000001"))

    @rule(account=accounts, asset=assets, side=st.sampled_from(BorrowLendSide), fraction=fractions)
    def borrow_or_lend(self, account: str, asset: str, side: BorrowLendSide, fraction: Decimal) -> None:
        lending = self.exchange.lending
        undone = lending.owed(account, asset) if side is BorrowLendSide.LEND else lending.lent(account, asset)
        free = (
            self.exchange.balances(account)[asset].available if side is BorrowLendSide.LEND else lending.supply(asset)
        )
        quantity = self.part(undone if undone else free, fraction, "0.01")
        if quantity > ZERO:
            self.do("borrow_lend", account, asset, side, quantity)

    @rule(account=accounts, asset=assets)
    def borrow_the_most(self, account: str, asset: str) -> None:
        self.exchange.advance(now_us=self.now_us)
        with localcontext(EXACT):
            most = self.exchange.credit.max_borrow(account, asset)
        if most > ZERO:
            assert self.do("borrow_lend", account, asset, BorrowLendSide.BORROW, most) is not None
        if self.exchange.lending.lent(account, asset) == ZERO:
            one_more = Decimal("0.01") if most > ZERO else most + Decimal("0.01")
            assert self.do("borrow_lend", account, asset, BorrowLendSide.BORROW, one_more) is None

    @rule(account=accounts, lend=st.booleans(), repay=st.booleans())
    def automatic(self, account: str, lend: bool, repay: bool) -> None:
        self.do("update_settings", account, auto_lend=lend, auto_repay_borrows=repay)

    @rule(
        account=accounts,
        asset=assets,
        fraction=fractions,
        inside=st.booleans(),
        borrow=st.booleans(),
        redeem=st.booleans(),
    )
    def withdraw(self, account: str, asset: str, fraction: Decimal, inside: bool, borrow: bool, redeem: bool) -> None:
        quantity = self.part(self.exchange.balances(account)[asset].available, fraction, "0.000001")
        address = deposit_address("bob" if account != "bob" else "carol", "Solana") if inside else "outside"
        if quantity > ZERO:
            self.do(
                "withdraw", account, asset, quantity, blockchain="Solana", address=address, second_factor=True,
                auto_borrow=borrow, auto_lend_redeem=redeem,
            )  # fmt: skip

    @rule(account=accounts, side=st.sampled_from(Side), steps=st.integers(1, 60), borrow=st.booleans())
    def trade(self, account: str, side: Side, steps: int, borrow: bool) -> None:
        """Draw what is missing, if that may be, and trade with the book."""
        asset, needed = ("SOL", Decimal("0.1")) if side is Side.ASK else ("USDC", Decimal("10.5"))
        missing = steps * needed - self.exchange.balances(account)[asset].available
        if missing > ZERO:
            self.do("draw", account, asset, missing, auto_borrow=borrow, auto_lend_redeem=not borrow)
        order = NewOrder(symbol="SOL_USDC", side=side, order_type=OrderType.MARKET, quantity=steps * Decimal("0.1"))
        self.do("execute", account, order)

    @rule(account=accounts, asset=st.none() | assets)
    def dust(self, account: str, asset: str | None) -> None:
        self.do("convert_dust", account, asset)

    @rule(
        account=accounts,
        side=st.sampled_from(Side),
        steps=st.integers(1, 30),
        by_value=st.booleans(),
        limit=st.none() | prices,
    )
    def ask(self, account: str, side: Side, steps: int, by_value: bool, limit: Decimal | None) -> None:
        size = {"quote_quantity": steps * Decimal("10.01")} if by_value else {"quantity": steps * Decimal("0.1")}
        mode = RfqMode.AWAIT_ACCEPT if limit is None else RfqMode.IMMEDIATE
        self.do("submit_rfq", account, "SOL_USDC_RFQ", side, **size, price=limit, mode=mode)

    @rule(account=accounts, owner=accounts, price=prices, which=st.integers(0, 5))
    def quote(self, account: str, owner: str, price: Decimal, which: int) -> None:
        asked = self.exchange.rfqs.open_rfqs(owner)
        if asked:
            rfq = asked[which % len(asked)][0]
            self.do("submit_quote", account, rfq.id, bid=price, ask=price + Decimal("0.5"))

    @rule(account=accounts, which=st.integers(0, 5), change=st.sampled_from(("accept", "refresh", "cancel")))
    def decide(self, account: str, which: int, change: str) -> None:
        asked = self.exchange.rfqs.open_rfqs(account)
        if not asked:
            return
        rfq, quotes = asked[which % len(asked)]
        if change == "accept" and quotes:
            self.do("accept_quote", account, quotes[-1].id)
        elif change == "refresh":
            self.do("refresh_rfq", account, rfq.id)
        else:
            self.do("cancel_rfq", account, rfq_id=rfq.id)

    @rule(account=accounts, fraction=fractions, borrow=st.booleans(), redeem=st.booleans())
    def mint(self, account: str, fraction: Decimal, borrow: bool, redeem: bool) -> None:
        quantity = self.part(self.exchange.balances(account)["USDC"].available, fraction, "0.000001")
        if quantity > ZERO:
            self.do("mint_vault", account, 1, "USDC", quantity, auto_borrow=borrow, auto_lend_redeem=redeem)

    @rule(account=accounts, fraction=st.none() | fractions)
    def redeem(self, account: str, fraction: Decimal | None) -> None:
        held = self.exchange.balances(account).get("vUSDC")
        if held is not None and held.available > ZERO:
            tokens = None if fraction is None else self.part(held.available, fraction, "0.000001")
            if tokens is None or tokens > ZERO:
                self.do("redeem_vault", account, 1, tokens)

    @rule(account=accounts)
    def cancel_redeems(self, account: str) -> None:
        self.do("cancel_vault_redeems", account, 1)

    @rule(
        microseconds=st.sampled_from(
            (1, 999_999, 11_000_000, 121_000_000, 3_600_000_000, 7_300_000_001, 90_000_000_000)
        )
    )
    def wait(self, microseconds: int) -> None:
        """The first exchange is told at once, the second with the next command."""
        self.now_us += microseconds
        self.exchange.advance(now_us=self.now_us)

    @invariant()
    def nothing_appears_and_nothing_is_lost(self) -> None:
        with localcontext(EXACT):
            for asset in ASSETS:
                left = sum(
                    (
                        each.quantity - each.fee
                        for account in ACCOUNTS
                        for each in self.exchange.transfers.withdrawals(account)
                        if each.asset == asset and each.confirmed_us is not None and not each.is_internal
                    ),
                    ZERO,
                )
                assert self.exchange.total(asset) == self.deposited[asset] - left

    @invariant()
    def pools_balance_and_interest_is_conserved(self) -> None:
        with localcontext(EXACT):
            cash = self.exchange._ledger.balances("system:lending")
            for pool in self.exchange.lending.pools():
                asset = pool.spec.asset
                held = cash[asset].available if asset in cash else ZERO
                assert held == pool.lent - pool.borrowed + pool.reserve
                assert sum((each.quantity for each in pool.lenders.values()), ZERO) == pool.lent
                assert sum((each.quantity for each in pool.borrowers.values()), ZERO) == pool.borrowed
                books = [self.exchange.lending.book(name) for name in (*ACCOUNTS, BACKSTOP)]
                every = [each for book in books for each in book.positions if each.asset == asset]
                paid = {
                    side: sum(
                        (each.cumulative_interest for each in every if (each.side, each.asset) == (side, asset)), ZERO
                    )
                    for side in BorrowLendSide
                }
                assert paid[BorrowLendSide.BORROW] == paid[BorrowLendSide.LEND] + pool.reserve
                assert pool.reserve >= ZERO

    @invariant()
    def nobody_overdraws(self) -> None:
        for account in (*ACCOUNTS, OPERATOR):
            for balance in self.exchange.balances(account).values():
                assert balance.available >= ZERO
                assert balance.locked >= ZERO

    @invariant()
    def vault_tokens_are_those_that_were_minted(self) -> None:
        (vault,) = self.exchange.vaults.vaults()
        assert self.exchange.total("vUSDC") == vault.supply

    def teardown(self) -> None:
        """The same commands give the same state, however often the clock was told, and from what was written down."""
        self.twin.advance(now_us=self.now_us)
        self.exchange.advance(now_us=self.now_us)
        assert self.twin.digest() == self.exchange.digest()
        again = replay(json.loads(json.dumps(self.commands)), [SPEC])
        assert again.digest() == self.exchange.digest()


Banking.TestCase.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
TestBanking = Banking.TestCase


@pytest.mark.parametrize(
    ("state", "side"), [(PoolState.CLOSED, "Lend"), (PoolState.REPAY_ONLY, "Lend"), (PoolState.REPAY_ONLY, "Borrow")]
)
def test_the_state_of_a_pool_decides_what_it_takes(state: PoolState, side: str) -> None:
    exchange = Exchange([SPEC])
    exchange.open_account("alice")
    exchange.deposit("alice", "USDC", Decimal(100), now_us=START_US)
    spec = PoolSpec(asset="USDC", step_size=Decimal(1), limit=Decimal(100), state=state)
    exchange.add_pool(spec, now_us=START_US)
    with pytest.raises(Refused, match="TRADING_PAUSED"):
        exchange.borrow_lend("alice", "USDC", BorrowLendSide(side), Decimal(1), now_us=START_US)

"""Every operation of the SDK, sent by its own client to an embedded exchange that has something to tell.

What comes back has a documented status, is what the API document promises, and is read by the SDK's own models.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from backpack_sdk import OPERATIONS, Backpack, Credentials, operations
from backpack_sdk.paper import PaperExchange
from backpack_sdk.paper.engine.vaults import VaultSpec
from backpack_sdk.paper.handlers import HANDLERS

from . import app_desk
from .app_desk import assert_fits

NULLABLE = frozenset({"quantity", "quoteQuantity", "price", "clientId", "open", "high", "low", "close", "staked"})
PLAN = base64.b64encode(json.dumps({"quantity": "1", "side": "Borrow", "symbol": "SOL"}).encode()).decode()
PERP = "SOL_USDC_PERP"
DAY_S = 86_400


class Desk:
    """Two accounts with their clients: one that asks, runs a vault, lends and owes, and one that answers it."""

    def __init__(self, exchange: PaperExchange) -> None:
        self.exchange = exchange
        self.own, self.other = Credentials.generate(), Credentials.generate()
        for credentials in (self.own, self.other):
            exchange.add_account(credentials.api_key)
        exchange.engine.add_vault(VaultSpec(id=2, account=self.own.api_key, token="vOWN"))
        self.client = Backpack(self.own, base_url=exchange.base_url, max_retries=0, verify=False)
        self.maker = Backpack(self.other, base_url=exchange.base_url, max_retries=0, verify=False)

    def live(self) -> None:
        """Let something happen of everything."""
        one = self.client
        one.order.execute_order(symbol="SOL_USDC", side="Bid", order_type="Market", quantity="1")
        one.order.execute_order(symbol="SOL_USDC", side="Bid", order_type="Limit", price="100", quantity="1")
        one.borrow_lend.execute_borrow_lend(symbol="USDC", side="Lend", quantity="100")
        one.borrow_lend.execute_borrow_lend(symbol="BTC", side="Borrow", quantity="0.5")
        one.vaults.vault_mint(vault_id=1, symbol="USDC", quantity="100")
        self.maker.vaults.vault_mint(vault_id=2, symbol="USDC", quantity="100")
        one.capital.request_withdrawal(
            symbol="USDC", quantity="10", blockchain="Solana", address="somewhere", two_factor_token="1"
        )
        rfq = self.rfq(client_id=None)
        one.rfq.accept_quote(quote_id=self.quote(rfq))

    def rfq(self, client_id: int | None = 5) -> str:
        """Ask for quotes."""
        made = self.client.rfq.submit_rfq(symbol="SOL_USDC_RFQ", side="Bid", quantity="1", client_id=client_id)
        return made.rfq_id

    def quote(self, rfq_id: str) -> str:
        """Answer."""
        return self.maker.rfq.submit_quote(rfq_id=rfq_id, bid_price="139", ask_price="141").quote_id

    def resting(self) -> str:
        """Rest an order."""
        made = self.client.order.execute_order(
            symbol="SOL_USDC", side="Bid", order_type="Limit", price="90", quantity="1"
        )
        return made.id

    def delayed(self) -> None:
        """Set a withdrawal delay."""
        self.client.withdrawal_delays.create_withdrawal_delay(withdrawal_delay_hours=1, two_factor_token="1")

    def redeeming(self) -> None:
        """Let redemptions wait on both vaults."""
        self.client.vaults.vault_redeem(vault_id=1)
        self.maker.vaults.vault_redeem(vault_id=2)

    def strategy(self) -> str:
        """Start a scheduled order."""
        made: Any = self.client.strategy.strategy_create(**STRATEGY)
        return str(made.id)

    def dusty(self) -> None:
        """Leave dust."""
        key, engine = self.other.api_key, self.exchange.engine
        for asset in ("SOL", "BTC", "ETH"):
            free = engine.balances(key)[asset].available
            engine.withdraw(
                key,
                asset,
                free - engine.market(f"{asset}_USDC").min_quantity / 2,
                blockchain=engine.asset(asset).tokens[0].blockchain,
                address="somewhere",
                second_factor=True,
                now_us=self.exchange.clock(),
            )
        self.client, self.maker = self.maker, self.client


STRATEGY: dict[str, Any] = {
    "symbol": "SOL_USDC",
    "side": "Bid",
    "strategy_type": "Scheduled",
    "quantity": "1",
    "duration": 60_000,
    "interval": 5_000,
}
SYMBOL = {"symbol": "SOL_USDC"}
ORDER = {"symbol": "SOL_USDC", "side": "Bid", "order_type": "Limit", "price": "100", "quantity": "1"}


def _start(desk: Desk) -> dict[str, Any]:
    return {"symbol": "SOL_USDC", "interval": "1h", "start_time": desk.exchange.clock() // 1_000_000 - DAY_S}


def _after(prepare: Callable[[Desk], object], **arguments: Any) -> Callable[[Desk], dict[str, Any]]:
    def make(desk: Desk) -> dict[str, Any]:
        prepare(desk)
        return arguments

    return make


CALLS: dict[str, Callable[[Desk], dict[str, Any]]] = {
    "accept_quote": lambda desk: {"quote_id": desk.quote(desk.rfq())},
    "cancel_open_orders": _after(Desk.resting, **SYMBOL),
    "cancel_open_strategies": _after(Desk.strategy, **SYMBOL),
    "cancel_order": lambda desk: {**SYMBOL, "order_id": desk.resting()},
    "cancel_rfq": lambda desk: {"rfq_id": desk.rfq()},
    "cancel_strategy": lambda desk: {**SYMBOL, "strategy_id": desk.strategy()},
    "convert_dust": _after(Desk.dusty),
    "create_withdrawal_delay": lambda _desk: {"withdrawal_delay_hours": 24, "two_factor_token": "1"},
    "execute_borrow_lend": lambda _desk: {"symbol": "SOL", "side": "Lend", "quantity": "1"},
    "execute_order": lambda _desk: ORDER,
    "execute_order_batch": lambda _desk: {"orders": [ORDER, {**ORDER, "price": "0.001"}]},
    "get_borrow_lend_estimated_liquidation_price": lambda _desk: {"borrow": PLAN},
    "get_borrow_lend_markets_history": lambda _desk: {"interval": "1d"},
    "get_deposit_address": lambda _desk: {"blockchain": "Solana"},
    "get_depth": lambda _desk: SYMBOL,
    "get_funding_interval_rates": lambda _desk: {"symbol": PERP},
    "get_historical_trades": lambda _desk: SYMBOL,
    "get_klines": _start,
    "get_market": lambda _desk: SYMBOL,
    "get_max_borrow_quantity": lambda _desk: {"symbol": "SOL"},
    "get_max_order_quantity": lambda _desk: {**SYMBOL, "side": "Bid"},
    "get_max_withdrawal_quantity": lambda _desk: {"symbol": "SOL"},
    "get_order": lambda desk: {**SYMBOL, "order_id": desk.resting()},
    "get_open_rfqs": lambda desk: {"rfq_id": int(_quoted(desk))},
    "get_recent_trades": lambda _desk: SYMBOL,
    "get_strategy": lambda desk: {**SYMBOL, "strategy_id": desk.strategy()},
    "get_open_strategies": _after(Desk.strategy),
    "get_ticker": lambda _desk: SYMBOL,
    "get_vault_history": lambda _desk: {"interval": "1d"},
    "get_vault_pending_redeems": _after(Desk.redeeming, vault_id=2),
    "get_withdrawal_delay": _after(Desk.delayed),
    "refresh_rfq": lambda desk: {"rfq_id": desk.rfq()},
    "request_withdrawal": lambda _desk: {
        "symbol": "USDC",
        "quantity": "100",
        "blockchain": "Solana",
        "address": "somewhere",
        "two_factor_token": "1",
        "client_id": "mine",
    },
    "strategy_create": lambda _desk: STRATEGY,
    "submit_quote": lambda desk: {"rfq_id": _asked_by_maker(desk), "bid_price": "139", "ask_price": "141"},
    "submit_rfq": lambda _desk: {"symbol": "SOL_USDC_RFQ", "side": "Ask", "quote_quantity": "100"},
    "update_account_settings": lambda _desk: {"auto_lend": True},
    "update_withdrawal_delay": _after(Desk.delayed, withdrawal_delay_hours=24, two_factor_token="1"),
    "vault_mint": lambda _desk: {"vault_id": 1, "symbol": "USDC", "quantity": "100"},
    "vault_redeem": lambda _desk: {"vault_id": 1, "vault_token_quantity": "5"},
    "vault_redeem_cancel": _after(Desk.redeeming, vault_id=1),
}
"""The arguments of the calls that need some, made after what must be there before."""

EMPTY = frozenset(
    {
        "get_funding_payments", "get_market_sessions", "get_open_interest", "get_position_history", "get_positions",
        "get_prediction_events", "get_prediction_tags", "get_securities", "get_settlement_history",
        "get_strategies_history",
    }
)  # fmt: skip
"""Lists that have nothing in them here, or may have nothing after a short life."""

OF_MAKERS = frozenset({"get_quote_history", "get_quote_fill_history"})
"""What only the account that answers has."""


def _quoted(desk: Desk) -> str:
    rfq = desk.rfq()
    desk.quote(rfq)
    return rfq


def _asked_by_maker(desk: Desk) -> str:
    return desk.maker.rfq.submit_rfq(symbol="SOL_USDC_RFQ", side="Bid", quantity="1").rfq_id


@contextmanager
def opened() -> Iterator[Desk]:
    with PaperExchange() as exchange:
        desk = Desk(exchange)
        with desk.client, desk.maker:
            desk.live()
            # Interest, and what else takes time.
            exchange.engine.advance(now_us=exchange.clock() + 3 * 3_600_000_000)
            exchange.engine.convert_dust(_with_dust(desk), now_us=exchange.clock())
            yield desk


@pytest.fixture(scope="module")
def library() -> Iterator[Desk]:
    """An exchange that all tests read from."""
    with opened() as desk:
        yield desk


@pytest.fixture
def desk(request: pytest.FixtureRequest, name: str) -> Iterator[Desk]:
    """The shared exchange for what only reads, and one of its own for every command."""
    if name.startswith("get_") or name == "ping":
        yield request.getfixturevalue("library")
    else:
        with opened() as own:
            yield own


def _with_dust(desk: Desk) -> str:
    """Give the account that is looked at some dust."""
    engine, key = desk.exchange.engine, desk.own.api_key
    free = engine.balances(key)["ETH"].available
    engine.withdraw(
        key,
        "ETH",
        free - engine.market("ETH_USDC").min_quantity / 2,
        blockchain="Ethereum",
        address="somewhere",
        second_factor=True,
        now_us=desk.exchange.clock(),
    )
    return key


def test_the_exchange_carries_out_every_operation() -> None:
    assert HANDLERS.keys() == {operation.name for operation in OPERATIONS}


@pytest.mark.parametrize("name", sorted(operation.name for operation in OPERATIONS))
def test_it_answers(desk: Desk, name: str) -> None:
    (operation,) = [each for each in OPERATIONS if each.name == name]
    arguments = CALLS[name](desk) if name in CALLS else {}
    client = desk.maker if name in OF_MAKERS else desk.client
    raw = client.send_raw(getattr(getattr(operations, operation.tag), name)(**arguments))
    documented = app_desk.operations()[name][2]["responses"]
    assert str(raw.status_code) in documented, raw.content
    assert 200 <= raw.status_code < 300, raw.content
    read = raw.parse()
    content = documented[str(raw.status_code)].get("content", {})
    if "application/json" not in content:
        assert bool(raw.content) == ("text/plain" in content)
        return
    value = json.loads(raw.content)
    assert_fits(name, value, nullable=NULLABLE)
    if isinstance(value, list):
        assert len(value) == len(read)
        assert value or name in EMPTY, "there is nothing to check"

"""Account state for scripts that block, over a real socket, from plain loops."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from backpack_sdk import Backpack, BackpackError, Credentials, InvalidArgument, StreamOptions
from backpack_sdk.paper import PaperExchange
from backpack_sdk.streams import (
    AccountChange,
    BlockingAccountState,
    Filled,
    OrderClosed,
    OrderOpened,
    PositionChanged,
    Synchronised,
)
from tests.streams.blocking_desk import threads, until

CREDENTIALS = Credentials.generate()
QUICK = StreamOptions(first_delay=0.01, longest_delay=0.02)


@pytest.fixture
def exchange() -> Iterator[PaperExchange]:
    with PaperExchange() as exchange:
        exchange.add_account(CREDENTIALS.api_key)
        yield exchange


@pytest.fixture
def bp(exchange: PaperExchange) -> Iterator[Backpack]:
    with Backpack(CREDENTIALS, base_url=exchange.base_url, ws_url=exchange.ws_url) as client:
        yield client


def take(account: BlockingAccountState, kind: type[AccountChange]) -> list[AccountChange]:
    """Changes up to the first of a kind."""
    seen: list[AccountChange] = []
    for change in account:
        seen.append(change)
        if isinstance(change, kind):
            break
    return seen


def test_orders_positions_and_fills_are_followed(bp: Backpack) -> None:
    kept = bp.order.execute_order("SOL_USDC", "Bid", "Limit", price="100", quantity="1")
    with bp.account_state(QUICK) as account:
        account.wait_live(20)
        opened, _ = take(account, Synchronised)
        assert isinstance(opened, OrderOpened)
        assert account.is_live
        assert repr(account) == "<BlockingAccountState of <AccountState 1 open orders, 0 positions, live>>"
        with pytest.raises(TimeoutError):
            account.get(0.01)
        bp.order.execute_order("SOL_USDC_PERP", "Bid", "Market", quantity="2")
        filled = next(change for change in account if isinstance(change, Filled))
        assert filled.fill.quantity == 2
        closed = account.get(20)
        assert isinstance(closed, OrderClosed)
        take(account, PositionChanged)
        orders, positions = account.orders, account.positions
        assert list(orders) == [kept.id]
        assert positions["SOL_USDC_PERP"].net_quantity == 2
        bp.order.cancel_order("SOL_USDC", order_id=kept.id)
        take(account, OrderClosed)
        assert account.orders == {}
        assert list(orders) == [kept.id], "what was handed over does not change"
        assert account.connection_counters.connections == 1
    assert list(account) == []
    assert not account.is_live
    with pytest.raises(BackpackError, match="closed"):
        account.get()
    until(lambda: threads() == [])


def test_it_shares_a_connection_and_its_thread(bp: Backpack) -> None:
    with bp.streams(QUICK) as ws, ws.account_state() as account:
        account.wait_live(20)
        trades = ws.trades("SOL_USDC").ready(20)
        seen: list[int] = []
        ws.trades("SOL_USDC").ready(20).listen(lambda _trade: seen.append(len(account.positions)))
        bp.order.execute_order("SOL_USDC", "Bid", "Market", quantity="1")
        assert trades.get(20).quantity == 1
        assert take(account, Filled)
        until(lambda: seen)
        assert ws.counters.connections == 1
        assert account.connection_counters is ws.counters
        assert "backpack-account-state" not in threads()
        account.close()
        ws.trades("BTC_USDC").ready(20)  # which goes on without it


def test_closing_ends_a_loop_in_another_thread(bp: Backpack) -> None:
    seen: list[AccountChange] = []
    with bp.account_state(QUICK) as account:
        account.wait_live(20)
        reader = threading.Thread(target=lambda: seen.extend(account))
        reader.start()
    reader.join(20)
    assert not reader.is_alive()
    assert seen == [Synchronised()]


def test_closing_the_connection_is_told_to_a_loop_that_shares_it(bp: Backpack) -> None:
    told: list[str] = []
    with bp.streams(QUICK) as ws, ws.account_state() as account:
        account.wait_live(20)

        def read() -> None:
            with pytest.raises(BackpackError, match="the stream connection was closed") as error:
                list(account)
            told.append(str(error.value))

        reader = threading.Thread(target=read)
        reader.start()
        ws.close()
        reader.join(20)
        assert not reader.is_alive()
    assert len(told) == 1


def test_what_is_missing_or_refused_is_said(exchange: PaperExchange) -> None:
    def client(credentials: Credentials | None = None) -> Backpack:
        return Backpack(credentials, base_url=exchange.base_url, ws_url=exchange.ws_url)

    with client() as bp, pytest.raises(InvalidArgument, match="credentials"), bp.account_state(QUICK):
        pass
    until(lambda: threads() == [])
    with client(Credentials.generate()) as bp, bp.account_state(QUICK) as account:
        with pytest.raises(BackpackError):
            account.wait_live(20)
        with pytest.raises(BackpackError):
            next(account)
    with client() as bp, pytest.raises(BackpackError, match=r"is not open: use `with bp\.account_state"):
        next(bp.account_state())

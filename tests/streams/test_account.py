"""Account state over a real socket: from REST, then from the streams, and whole again after a reconnection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from backpack_sdk import AsyncBackpack, AuthenticationError, BackpackError, Credentials, InvalidArgument, StreamOptions
from backpack_sdk.paper import Fault, PaperExchange
from backpack_sdk.streams import (
    AccountChange,
    AccountState,
    Filled,
    OrderClosed,
    OrderOpened,
    PositionChanged,
    PositionClosed,
    Synchronised,
)

CREDENTIALS = Credentials.generate()
QUICK = StreamOptions(first_delay=0.01, longest_delay=0.02)


@pytest.fixture
async def exchange() -> AsyncIterator[PaperExchange]:
    async with PaperExchange() as exchange:
        exchange.add_account(CREDENTIALS.api_key)
        yield exchange


@pytest.fixture
async def bp(exchange: PaperExchange) -> AsyncIterator[AsyncBackpack]:
    async with AsyncBackpack(CREDENTIALS, base_url=exchange.base_url, ws_url=exchange.ws_url) as client:
        yield client


async def until(account: AccountState, kind: type[AccountChange]) -> list[AccountChange]:
    """Changes up to the first of a kind."""
    seen: list[AccountChange] = []
    async with asyncio.timeout(10):
        async for change in account:
            seen.append(change)
            if isinstance(change, kind):
                break
    return seen


async def test_it_starts_with_what_is_open(bp: AsyncBackpack) -> None:
    order = await bp.order.execute_order("SOL_USDC", "Bid", "Limit", price="100", quantity="1", client_id=7)
    async with bp.account_state(QUICK) as account:
        opened, synchronised = await until(account, Synchronised)
        assert isinstance(opened, OrderOpened)
        assert (opened.order.order_id, opened.order.client_id) == (order.id, 7)
        assert synchronised == Synchronised()
        assert account.is_live
        assert list(account.orders) == [order.id]
        assert repr(account) == "<AccountState 1 open orders, 0 positions, live>"


async def test_orders_and_fills_are_followed(bp: AsyncBackpack) -> None:
    async with bp.account_state(QUICK) as account:
        await account.wait_live(10)
        await until(account, Synchronised)
        await bp.order.execute_order("SOL_USDC", "Bid", "Market", quantity="2")
        opened, filled, closed = await until(account, OrderClosed)
        assert isinstance(opened, OrderOpened)
        assert isinstance(filled, Filled)
        assert isinstance(closed, OrderClosed)
        assert filled.fill.quantity == 2
        assert closed.order.status == "Filled"
        assert closed.order.average_price == filled.fill.price
        assert account.orders == {}


async def test_positions_are_followed(bp: AsyncBackpack) -> None:
    async with bp.account_state(QUICK) as account:
        await until(account, Synchronised)
        await bp.order.execute_order("SOL_USDC_PERP", "Bid", "Market", quantity="1")
        *_, changed = await until(account, PositionChanged)
        assert isinstance(changed, PositionChanged)
        assert changed.old is None
        assert account.positions["SOL_USDC_PERP"].net_quantity == 1
        (row,) = await bp.position.get_positions()
        assert row.position_id == account.positions["SOL_USDC_PERP"].position_id
        await bp.order.execute_order("SOL_USDC_PERP", "Ask", "Market", quantity="1", reduce_only=True)
        await until(account, PositionClosed)
        assert account.positions == {}


async def test_what_happened_while_the_socket_was_down_is_told_once(exchange: PaperExchange, bp: AsyncBackpack) -> None:
    async with bp.account_state(QUICK) as account:
        await until(account, Synchronised)
        kept = await bp.order.execute_order("SOL_USDC", "Bid", "Limit", price="100", quantity="1")
        gone = await bp.order.execute_order("SOL_USDC", "Bid", "Limit", price="101", quantity="1")
        await until(account, OrderOpened)
        await until(account, OrderOpened)
        lost = asyncio.Event()
        account.session.on_state_change(lambda _change: lost.set())
        exchange.socket_faults.refuse(503, times=3)
        exchange.socket_faults.abort()
        async with asyncio.timeout(10):
            await lost.wait()
        assert not account.is_live
        await bp.order.cancel_order("SOL_USDC", order_id=gone.id)
        bought = await bp.order.execute_order("SOL_USDC", "Bid", "Market", quantity="3")
        new = await bp.order.execute_order("SOL_USDC", "Bid", "Limit", price="99", quantity="1")
        changes = await until(account, Synchronised)
        assert [change.fill.order_id for change in changes if isinstance(change, Filled)] == [bought.id]
        assert [change.fill.quantity for change in changes if isinstance(change, Filled)] == [Decimal(3)]
        closed = [change for change in changes if isinstance(change, OrderClosed)]
        assert [(change.order.order_id, change.order.status, change.certain) for change in closed] == [
            (gone.id, "Cancelled", True)
        ]
        assert [change.order.order_id for change in changes if isinstance(change, OrderOpened)] == [new.id]
        assert set(account.orders) == {kept.id, new.id}
        assert len(changes) == 4, "the order that stayed as it was is no news"


async def test_it_shares_a_connection(bp: AsyncBackpack) -> None:
    async with bp.streams(QUICK) as ws, ws.account_state() as account:
        await account.wait_live(10)
        trades = await ws.trades("SOL_USDC").ready(10)
        await bp.order.execute_order("SOL_USDC", "Bid", "Market", quantity="1")
        async with asyncio.timeout(10):
            assert (await anext(trades)).quantity == 1
        await until(account, Filled)
        assert ws.counters.connections == 1


async def test_rest_that_fails_for_a_while_is_asked_again(exchange: PaperExchange, bp: AsyncBackpack) -> None:
    async with AsyncBackpack(
        CREDENTIALS, base_url=exchange.base_url, ws_url=exchange.ws_url, max_retries=0
    ) as impatient:
        exchange.faults.add("get_open_orders", Fault.status(503))
        async with impatient.account_state(QUICK) as account:
            await account.wait_live(10)
            assert account.is_live


async def test_a_key_that_is_refused_is_told(exchange: PaperExchange) -> None:
    stranger = Credentials.generate()
    client = AsyncBackpack(stranger, base_url=exchange.base_url, ws_url=exchange.ws_url)
    async with client as bp, bp.account_state(QUICK) as account:
        with pytest.raises(BackpackError):
            await account.wait_live(10)
        with pytest.raises(BackpackError):
            await anext(account)


async def test_without_credentials_it_says_what_is_missing(exchange: PaperExchange) -> None:
    async with AsyncBackpack(base_url=exchange.base_url, ws_url=exchange.ws_url) as bp:
        with pytest.raises(InvalidArgument, match="credentials"):
            async with bp.account_state(QUICK):
                pass


async def test_a_refusal_of_rest_that_asking_again_does_not_change_ends_it(
    exchange: PaperExchange, bp: AsyncBackpack
) -> None:
    for _ in range(5):
        exchange.faults.add("get_positions", Fault.status(401, "UNAUTHORIZED", "no such right"))
    async with bp.account_state(QUICK) as account:
        with pytest.raises(AuthenticationError, match="no such right"):
            await account.wait_live(10)

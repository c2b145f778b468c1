"""Tests of the market maker in `bot.py`, with the fixtures of `backpack-sdk[testing]`. No account, no network.

Run them with `pip install "backpack-sdk[testing]"` and `pytest examples/market_maker`.
"""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path

import pytest

from backpack_sdk import AsyncBackpack, Backpack, types
from backpack_sdk.paper import Flow, PaperExchange
from backpack_sdk.paper.fault_desk import FaultDesk

sys.path.insert(0, str(Path(__file__).parent))

from bot import MarketMaker, Settings

pytestmark = [pytest.mark.asyncio, pytest.mark.paper(seed=1, balances={"USDC": 10_000, "SOL": 3})]
SETTINGS = Settings("SOL-USDC", Decimal("1"), distance=Decimal("0.001"), most=Decimal("4"))


@pytest.fixture
def bot(async_backpack: AsyncBackpack) -> MarketMaker:
    """The bot under test, on an account with 3 SOL."""
    return MarketMaker(async_backpack, SETTINGS)


def prices(backpack: Backpack) -> list[Decimal]:
    """Prices of the account's open orders, lowest first."""
    resting = backpack.order.get_open_orders(symbol="SOL-USDC")
    return sorted(order.price for order in resting if isinstance(order, types.LimitOrder))


async def test_it_quotes_both_sides(bot: MarketMaker, backpack: Backpack) -> None:
    await bot.step()
    assert prices(backpack) == [Decimal("139.86"), Decimal("140.14")]
    await bot.stop()
    assert prices(backpack) == []


async def test_it_leaves_quotes_that_are_right(bot: MarketMaker, paper_exchange: PaperExchange) -> None:
    await bot.step()
    paper_exchange.clear_requests()
    await bot.step()
    assert {"execute_order", "cancel_order"}.isdisjoint(request.operation for request in paper_exchange.requests)


async def test_it_buys_no_more_than_it_may(bot: MarketMaker, backpack: Backpack, paper_exchange: PaperExchange) -> None:
    await bot.step()
    with Backpack.paper(paper_exchange, balances={"SOL": 1000}) as seller:  # who sells into the bot's bid
        seller.order.execute_order("SOL-USDC", "Ask", "Limit", price="139.86", quantity="1000", time_in_force="IOC")
    assert backpack.capital.get_balances()["SOL"].locked == 1
    (bought,) = backpack.order.get_fills(symbol="SOL-USDC")
    assert (bought.price, bought.quantity, bought.is_maker) == (Decimal("139.86"), Decimal("1"), True)
    await bot.step()
    await bot.step()
    assert len(prices(backpack)) == 1, "with 4 SOL less the fee it may hold no fifth"


async def test_an_order_whose_outcome_is_unknown_is_not_sent_twice(
    bot: MarketMaker, backpack: Backpack, faults: FaultDesk
) -> None:
    faults.drop("execute_order", takes_effect=True)
    await bot.step()
    await bot.step()
    assert len(prices(backpack)) == 2


async def test_it_survives_an_exchange_that_fails(bot: MarketMaker, backpack: Backpack, faults: FaultDesk) -> None:
    faults.status("get_depth", 503)
    faults.rate_limit("get_open_orders")
    await bot.step()
    assert len(prices(backpack)) == 2


@pytest.mark.paper(flow=Flow(rate=0, volatility=0.01, seed=4))
async def test_it_follows_the_market(bot: MarketMaker, backpack: Backpack, paper_exchange: PaperExchange) -> None:
    for _ in range(10):
        await bot.step()
        paper_exchange.flow.advance(40)
    held = backpack.capital.get_balances()["SOL"]
    assert held.available + held.locked <= SETTINGS.most
    assert len(backpack.order.get_fills(symbol="SOL-USDC")) > 0

"""Synthetic flow on a whole exchange: reproducible, bounded, and nothing is made of nothing."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal

import httpx
import pytest

from backpack_sdk.paper import Flow, PaperExchange
from backpack_sdk.paper.engine import BookState, Event, Exchange, NewOrder, OrderType, Side
from backpack_sdk.paper.flow.runner import MAKER, TAKER

from .app_desk import API_KEY
from .engine_desk import SOL_USDC
from .perp_desk import PERP, perp
from .socket_desk import STILL, Mirror, client, place

SYMBOLS = ("SOL_USDC", "BTC_USDC", "ETH_USDC")
NOW = 1_800_000_000_000_000


def made(seed: int = 0, *, clock: Callable[[], int] = lambda: NOW, **options: float) -> PaperExchange:
    flow = Flow(rate=0, seed=seed, **options)  # type: ignore[arg-type]
    return PaperExchange(clock=clock, flow=flow, sockets=STILL)


def everything(exchange: PaperExchange) -> object:
    engine = exchange.engine
    return [(engine.depth(symbol), engine.trades(symbol)) for symbol in SYMBOLS]


def test_the_same_seed_gives_the_same_books_and_trades() -> None:
    one, two, other = made(1), made(1), made(2)
    one.flow.advance(600)
    for _ in range(6):
        two.flow.advance(100)
    other.flow.advance(600)
    assert everything(one) == everything(two)
    assert everything(one) != everything(other)


def test_the_clock_changes_the_times_and_nothing_else() -> None:
    ticking = iter(range(NOW, NOW * 2, 1_000))
    one, two = made(1), made(1, clock=lambda: next(ticking))
    for exchange in (one, two):
        exchange.flow.advance(500)
    for symbol in SYMBOLS:
        assert one.engine.depth(symbol).bids == two.engine.depth(symbol).bids
        assert [trade.price for trade in one.engine.trades(symbol)] == [t.price for t in two.engine.trades(symbol)]


def test_books_are_plausible() -> None:
    exchange = made(3)
    exchange.flow.advance(3_000)
    for symbol in SYMBOLS:
        book = exchange.engine.depth(symbol)
        bid, ask = book.bids[-1][0], book.asks[0][0]
        assert bid < ask
        assert (ask - bid) / bid < Decimal("0.002")
        assert len(book.bids) > 5
        assert len(book.asks) > 5
        assert exchange.engine.trades(symbol)
        assert exchange.engine.ticker(symbol, now_us=exchange.clock()) is not None


def test_nothing_is_made_of_nothing() -> None:
    exchange = made(4, taker_share=0.3, volatility=0.01)
    exchange.add_account(API_KEY)
    assets = ("USDC", "SOL", "BTC", "ETH")

    def total() -> dict[str, Decimal]:
        sums: defaultdict[str, Decimal] = defaultdict(Decimal, exchange.engine.collected_fees())
        for account in (MAKER, TAKER, API_KEY, "market-maker"):
            for asset, balance in exchange.engine.balances(account).items():
                sums[asset] += balance.available + balance.locked
        for asset, cash in exchange.engine.clearing_cash().items():
            sums[asset] += cash
        return {asset: sums[asset] for asset in assets}

    before = total()
    for _ in range(20):
        exchange.flow.advance(100)
        place(exchange, "Bid", str(exchange.engine.depth("SOL_USDC", 1).asks[0][0]), "0.5")
    assert total() == before
    assert exchange.engine.fills(API_KEY)


def test_memory_is_bounded() -> None:
    exchange = made(5, taker_share=0.5, kept_trades=50, levels=5)
    exchange.flow.advance(6_000)
    for symbol in SYMBOLS:
        trades = exchange.engine.trades(symbol, limit=1000)
        assert 50 <= len(trades) < 100
        assert trades[0].id > 100
        assert [trade.id for trade in trades] == list(range(trades[0].id, trades[-1].id - 1, -1))
    for account in (MAKER, TAKER):
        assert exchange.engine.order_history(account, limit=1000, offset=2_100) == ()
        assert exchange.engine.fills(account, limit=1000, offset=2_001) == ()
    for symbol in SYMBOLS:
        sides = [order.side for order in exchange.engine.open_orders(MAKER, symbol)]
        assert sides.count(Side.BID) <= 5
        assert sides.count(Side.ASK) <= 5
    assert exchange.engine.open_orders(TAKER) == ()


def test_orders_of_users_are_met_by_the_flow() -> None:
    exchange = made(6, volatility=0.01)
    exchange.add_account(API_KEY)
    order = place(exchange, "Bid", str(exchange.engine.depth("SOL_USDC", 1).bids[0][0]), "1")
    exchange.flow.advance(3_000)
    assert exchange.engine.fills(API_KEY, order_id=order.id)


def test_a_market_that_is_closed_for_a_while_goes_on_afterwards() -> None:
    exchange = made(7)
    exchange.flow.advance(200)
    exchange.engine.set_book_state("SOL_USDC", BookState.CLOSED, now_us=NOW)
    exchange.flow.advance(200)
    assert exchange.engine.open_orders(MAKER, "SOL_USDC") == ()
    exchange.engine.set_book_state("SOL_USDC", BookState.OPEN, now_us=NOW)
    exchange.flow.advance(600)
    assert exchange.engine.open_orders(MAKER, "SOL_USDC")


def test_a_market_without_a_price_needs_one() -> None:
    with pytest.raises(ValueError, match=r"Flow\(prices=...\)"):
        PaperExchange(markets=[SOL_USDC], flow=Flow())
    exchange = PaperExchange(markets=[SOL_USDC], flow=Flow(prices={"SOL_USDC": Decimal(50)}))
    exchange.flow.advance(100)
    book = exchange.engine.depth("SOL_USDC")
    assert Decimal(49) < book.bids[-1][0] < book.asks[0][0] < Decimal(51)


def test_a_flow_for_some_markets() -> None:
    exchange = PaperExchange(flow=Flow(symbols=["ETH_USDC"]))
    before = exchange.engine.depth("SOL_USDC").last_update_id
    exchange.flow.advance(50)
    assert exchange.engine.depth("SOL_USDC").last_update_id == before
    with pytest.raises(ValueError, match="DOGE_USDC, which is not listed"):
        PaperExchange(flow=Flow(symbols=["DOGE_USDC"]))
    PaperExchange(flow=Flow(symbols=[])).flow.advance(1)


def test_a_perpetual_flows_too_and_its_positions_cancel_out() -> None:
    flow = Flow(rate=0, prices={PERP: Decimal(100)}, volatility=0.01, taker_share=0.3)
    exchange = PaperExchange(markets=[perp()], flow=flow)
    exchange.flow.advance(500)
    positions = [exchange.engine.positions(account, PERP)[0].quantity for account in (MAKER, TAKER)]
    assert positions[0] != 0
    assert sum(positions) == 0


def test_an_exchange_without_a_flow_says_so() -> None:
    with pytest.raises(RuntimeError, match="no synthetic flow"):
        _ = PaperExchange().flow


async def test_the_flow_goes_by_itself_and_rest_and_stream_give_the_book() -> None:
    async with PaperExchange(flow=Flow(rate=3_000, seed=8), sockets=STILL) as exchange, client(exchange) as ws:
        await ws.subscribe("depth.SOL_USDC")
        async with httpx.AsyncClient(base_url=exchange.base_url, trust_env=False, verify=False) as http:
            reply = await http.get("/api/v1/depth", params={"symbol": "SOL_USDC", "limit": "1000"})
        mirror = Mirror(exchange, snapshot=reply.json())
        while mirror.seen < 100:
            mirror.apply(await ws.data("depth.SOL_USDC"))
        exchange._flowing.cancel()  # type: ignore[union-attr]
        await asyncio.sleep(0)
        for message in await ws.waiting():
            mirror.apply(message["data"])
        mirror.check()


def test_the_flow_stops_with_the_exchange_and_starts_again() -> None:
    exchange = PaperExchange(flow=Flow(rate=5_000), sockets=STILL)

    def ids() -> int:
        return exchange.engine.depth("SOL_USDC").last_update_id

    for _ in range(2):
        before = ids()
        with exchange:
            while True:
                with exchange.lock:
                    if ids() > before + 10:
                        break
        stopped = ids()
    assert ids() == stopped


def test_a_system_account_forgets_orders_that_ended_but_not_those_that_rest() -> None:
    exchange = Exchange([SOL_USDC])
    exchange.open_account("system", kept_orders=2)
    exchange.deposit("system", "USDC", Decimal(1000), now_us=NOW)

    def bid() -> int:
        order = NewOrder(
            symbol="SOL_USDC", side=Side.BID, order_type=OrderType.LIMIT, price=Decimal(1), quantity=Decimal(1)
        )
        return exchange.execute("system", order, now_us=NOW).value.id

    rests = bid()
    for _ in range(5):
        exchange.cancel("system", "SOL_USDC", order_id=bid(), now_us=NOW)
    assert [order.id for order in exchange.order_history("system")] == [6, 5, rests]


def test_the_engine_tells_its_listeners_until_they_stop() -> None:
    exchange = Exchange([SOL_USDC])
    heard: list[Event] = []
    exchange.open_account("alice")
    stop = exchange.subscribe(heard.extend)
    told = exchange.deposit("alice", "USDC", Decimal(1), now_us=NOW).events
    assert tuple(heard) == told
    stop()
    exchange.deposit("alice", "USDC", Decimal(1), now_us=NOW)
    assert tuple(heard) == told

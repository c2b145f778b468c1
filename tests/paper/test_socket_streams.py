"""What the streams of the embedded exchange carry."""

from __future__ import annotations

import asyncio
import contextlib
import re
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from backpack_sdk.paper import PaperExchange, PaperMarket
from backpack_sdk.paper.engine import BookState, Ladder, MarketSpec, NewOrder, OrderType, Refused, Side

from .app_desk import API_KEY
from .socket_desk import STILL, SYMBOL, Mirror, cancel, client, place

NOON = 1_752_930_540_000_000  # 2025-07-19 13:09:00 UTC
FINE = MarketSpec(
    symbol="kPEPE.X_USDC", base="kPEPE.X", quote="USDC", tick_size=Decimal("0.1"), step_size=Decimal("0.00001"),
    min_price=Decimal("0.1"), min_quantity=Decimal("0.00001"),
)  # fmt: skip


@pytest.fixture
async def exchange() -> Any:
    async with PaperExchange(sockets=STILL) as running:
        running.add_account(API_KEY)
        yield running


async def test_a_depth_frame_as_it_stands_on_the_wire(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.subscribe(f"depth.{SYMBOL}")
        with exchange.lock:
            update_id = exchange.engine.depth(SYMBOL).last_update_id
        place(exchange, "Bid", "100", "2")
        text = await ws.text()
    found = re.fullmatch(
        r'\{"data":\{"E":\d{16},"T":\d{16},"U":(\d+),"a":\[\],"b":\[\["100\.00","2\.00"\]\],"e":"depth",'
        r'"s":"SOL_USDC","u":(\d+)\},"stream":"depth\.SOL_USDC"\}',
        text,
    )
    assert found is not None
    assert found.groups() == (str(update_id + 1), str(update_id + 1))


async def test_the_socket_keeps_the_zeros_that_rest_drops() -> None:
    market = PaperMarket(FINE, (Ladder(mid=Decimal(86_700), quantity=Decimal("0.5"), levels=1),))
    async with PaperExchange(markets=[market], sockets=STILL) as exchange, client(exchange) as ws:
        exchange.add_account(API_KEY, {"kPEPE.X": 3})
        await ws.subscribe(f"depth.{FINE.symbol}")
        order = place(exchange, "Ask", "86800", "2", symbol=FINE.symbol)
        assert (await ws.data(f"depth.{FINE.symbol}"))["a"] == [["86800.0", "2.00000"]]
        cancel(exchange, order)
        assert (await ws.data(f"depth.{FINE.symbol}"))["a"] == [["86800.0", "0.00000"]]


async def test_a_trade_and_the_best_prices(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.subscribe(f"trade.{SYMBOL}", f"bookTicker.{SYMBOL}")
        order = place(exchange, "Bid", "140.01", "0.5")
        trade = await ws.data(f"trade.{SYMBOL}")
        best = await ws.data(f"bookTicker.{SYMBOL}")
        book = exchange.engine.depth(SYMBOL, 1)
    assert trade["E"] >= trade["T"] == order.created_us
    assert {name: trade[name] for name in "espqbtm"} == {
        "e": "trade", "s": SYMBOL, "p": "140.01", "q": "0.50", "b": str(order.id), "t": 1, "m": False,
    }  # fmt: skip
    assert trade["a"] != trade["b"]
    (bid, bid_size), (ask, ask_size) = book.bids[0], book.asks[0]
    assert [Decimal(best[name]) for name in "bBaA"] == [bid, bid_size, ask, ask_size]
    assert best["u"] == book.last_update_id


async def test_a_book_with_an_empty_side_has_no_best_prices_to_tell() -> None:
    async with PaperExchange(markets=[FINE], sockets=STILL) as exchange, client(exchange) as ws:
        exchange.add_account(API_KEY, {"USDC": 1000, FINE.base: 1})
        await ws.subscribe(f"bookTicker.{FINE.symbol}")
        place(exchange, "Bid", "100", "1", symbol=FINE.symbol)
        assert await ws.waiting() == []
        place(exchange, "Ask", "101", "1", symbol=FINE.symbol)
        assert (await ws.data(f"bookTicker.{FINE.symbol}"))["a"] == "101.0"


async def test_rest_and_deltas_give_the_book_while_many_trade() -> None:
    """Orders come over other threads; U and u join without a gap, and the ends agree."""
    orders = 300
    with PaperExchange(sockets=STILL) as exchange:
        exchange.add_account(API_KEY)

        def trade(seed: int) -> None:
            random = Random(seed)
            for _ in range(orders):
                side = random.choice(["Bid", "Ask"])
                order = place(exchange, side, f"{random.randint(13_950, 14_050) / 100}", "0.3")
                if random.random() < 0.5:
                    with contextlib.suppress(Refused):  # it has traded
                        cancel(exchange, order)

        async with client(exchange) as ws:
            await ws.subscribe(f"depth.{SYMBOL}", "depth.200ms.SOL_USDC", f"depth.1000ms.{SYMBOL}")
            with ThreadPoolExecutor(2) as threads:
                working = [threads.submit(trade, seed) for seed in (1, 2)]
                mirrors = [Mirror(exchange) for _ in range(3)]
                streams = dict(
                    zip((f"depth.{SYMBOL}", f"depth.200ms.{SYMBOL}", f"depth.1000ms.{SYMBOL}"), mirrors, strict=True)
                )
                while not all(task.done() for task in working):
                    await asyncio.sleep(0.01)
                    exchange.skip(0.2)
                for task in working:
                    task.result()
            exchange.skip(1)
            for message in await ws.waiting():
                streams[message["stream"]].apply(message["data"])
        for mirror in mirrors:
            mirror.check()
        real, short, long = (mirror.seen for mirror in mirrors)
        assert real > short >= long >= 1


async def test_aggregated_depth_holds_the_last_size_of_each_level(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.subscribe(f"depth.600ms.{SYMBOL}")
        first = exchange.engine.depth(SYMBOL).last_update_id + 1
        gone = place(exchange, "Bid", "100", "2")
        place(exchange, "Bid", "101", "2")
        place(exchange, "Bid", "101", "3")
        cancel(exchange, gone)
        exchange.skip(0.6)
        data = await ws.data(f"depth.600ms.{SYMBOL}")
        assert (data["U"], data["u"]) == (first, first + 3)
        assert sorted(data["b"]) == [["100.00", "0.00"], ["101.00", "5.00"]]
        exchange.skip(0.6)
        place(exchange, "Ask", "200", "1")
        exchange.skip(0.6)
        data = await ws.data(f"depth.600ms.{SYMBOL}")
        assert (data["U"], data["u"], data["a"]) == (first + 4, first + 4, [["200.00", "1.00"]])


async def test_candles_are_pushed_when_they_change_and_when_they_close(exchange: PaperExchange) -> None:
    now = NOON
    exchange.clock = lambda: now
    # The default books were made at this machine's time, which is later: the engine's time never goes back.
    now = exchange.engine.depth(SYMBOL).time_us // 60_000_000 * 60_000_000 + 60_000_000
    stream = f"kline.1m.{SYMBOL}"
    async with client(exchange) as ws:
        await ws.subscribe(stream)
        place(exchange, "Bid", "140.01", "0.5")
        place(exchange, "Ask", "139.99", "0.25")
        exchange.skip(1)
        data = await ws.data(stream)
        assert {name: data[name] for name in "eochlvnX"} == {
            "e": "kline", "o": "140.01", "c": "139.99", "h": "140.01", "l": "139.99", "v": "0.75", "n": 2, "X": False,
        }  # fmt: skip
        assert data["E"] == now
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:00", data["t"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:00", data["T"])
        exchange.skip(1)
        now += 60_000_000
        exchange.skip(1)
        closed = await ws.data(stream)
        assert closed == data | {"X": True, "E": now}
        now += 60_000_000
        exchange.skip(1)
        empty = await ws.data(stream)
        assert (empty["t"], empty["X"], empty["o"], empty["n"]) == (data["T"], True, None, 0)


async def test_a_candle_counts_what_was_traded_before_somebody_listened(exchange: PaperExchange) -> None:
    stream = f"kline.1month.{SYMBOL}"
    place(exchange, "Bid", "140.01", "0.5")
    async with client(exchange) as ws:
        await ws.subscribe(stream)
        place(exchange, "Bid", "140.01", "0.5")
        exchange.skip(1)
        data = await ws.data(stream)
    assert (data["v"], data["n"]) == ("1.00", 2)


async def test_the_ticker_repeats_every_second(exchange: PaperExchange) -> None:
    stream = f"ticker.{SYMBOL}"
    async with client(exchange) as ws:
        await ws.subscribe(stream)
        exchange.skip(1)
        assert await ws.waiting() == []
        place(exchange, "Bid", "140.01", "0.5")
        for _ in range(2):
            exchange.skip(1)
            data = await ws.data(stream)
            assert {name: data[name] for name in "eochlvVn"} == {
                "e": "ticker", "o": "140.01", "c": "140.01", "h": "140.01", "l": "140.01", "v": "0.50", "V": "70.005",
                "n": 1,
            }  # fmt: skip


async def test_the_life_of_an_order(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.sign_in("account.orderUpdate")
        rests = place(exchange, "Bid", "100", "2", client_id=7)
        accepted = await ws.data("account.orderUpdate")
        assert {name: accepted[name] for name in "eScofqpXitzZVOTy"} == {
            "e": "orderAccepted", "S": "Bid", "c": 7, "o": "LIMIT", "f": "GTC", "q": "2.00", "p": "100.00", "X": "New",
            "i": str(rests.id), "t": None, "z": "0.00", "Z": "0.0", "V": "RejectTaker", "O": "USER",
            "T": rests.created_us, "y": False,
        }  # fmt: skip
        assert not accepted.keys() & set("QlLmnNRPB")
        cancel(exchange, rests)
        cancelled = await ws.data("account.orderUpdate")
        assert (cancelled["e"], cancelled["X"], cancelled["t"]) == ("orderCancelled", "Cancelled", None)

        taker = place(exchange, "Bid", "140.01", "0.5")
        assert "c" not in await ws.data("account.orderUpdate")
        fill = await ws.data("account.orderUpdate")
        assert {name: fill[name] for name in "eXtlLmnNzZi"} == {
            "e": "orderFill", "X": "Filled", "t": 1, "l": "0.50", "L": "140.01", "m": False, "n": "0.0005",
            "N": "SOL", "z": "0.50", "Z": "70.005", "i": str(taker.id),
        }  # fmt: skip

        place(exchange, "Bid", "150", "1", post_only=True)
        assert (await ws.data("account.orderUpdate"))["y"] is True
        expired = await ws.data("account.orderUpdate")
        assert (expired["e"], expired["X"], expired["R"]) == ("orderExpired", "Expired", "POST_ONLY_TAKER")


async def test_a_market_order_by_value_has_a_quote_quantity(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.sign_in(f"account.orderUpdate.{SYMBOL}")
        order = NewOrder(symbol=SYMBOL, side=Side.BID, order_type=OrderType.MARKET, quote_quantity=Decimal(1401))
        exchange.engine.execute(API_KEY, order, now_us=exchange.clock())
        data = await ws.data(f"account.orderUpdate.{SYMBOL}")
    assert (data["o"], data["Q"]) == ("MARKET", "1401.0")
    assert not data.keys() & set("qp")


async def test_orders_of_one_market_and_of_one_account_only(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.sign_in("account.orderUpdate", f"account.orderUpdate.{SYMBOL}")
        place(exchange, "Bid", "60000", "0.001", symbol="BTC_USDC")
        place(exchange, "Bid", "100", "1")
        exchange.engine.open_account("other")
        exchange.engine.deposit("other", "USDC", Decimal(1000), now_us=exchange.clock())
        order = NewOrder(
            symbol=SYMBOL, side=Side.BID, order_type=OrderType.LIMIT, price=Decimal(100), quantity=Decimal(1)
        )
        exchange.engine.execute("other", order, now_us=exchange.clock())
        found = [(message["stream"], message["data"]["s"]) for message in await ws.waiting()]
    assert found == [
        ("account.orderUpdate", "BTC_USDC"),
        ("account.orderUpdate", SYMBOL),
        (f"account.orderUpdate.{SYMBOL}", SYMBOL),
    ]


async def test_a_closed_market_is_silence_until_it_opens(exchange: PaperExchange) -> None:
    exchange.engine.set_book_state(SYMBOL, BookState.CLOSED, now_us=exchange.clock())
    async with client(exchange) as ws:
        await ws.subscribe(f"depth.{SYMBOL}", f"ticker.{SYMBOL}", "depth.NONE_USDC", "kline.1m.NONE_USDC")
        exchange.skip(1)
        assert await ws.waiting() == []
        exchange.engine.set_book_state(SYMBOL, BookState.OPEN, now_us=exchange.clock())
        place(exchange, "Bid", "100", "1")
        assert [message["stream"] for message in await ws.waiting()] == [f"depth.{SYMBOL}"]


async def test_two_clients_and_unsubscribing(exchange: PaperExchange) -> None:
    async with client(exchange) as one, client(exchange) as two:
        await one.subscribe(f"depth.{SYMBOL}", f"depth.{SYMBOL}", "depth.BTC_USDC")
        await two.subscribe(f"depth.{SYMBOL}")
        place(exchange, "Bid", "100", "1")
        assert await one.text() == await two.text()
        await one.unsubscribe(f"depth.{SYMBOL}", f"trade.{SYMBOL}")
        place(exchange, "Bid", "100", "1")
        place(exchange, "Bid", "60000", "0.001", symbol="BTC_USDC")
        assert (await one.data("depth.BTC_USDC"))["b"] == [["60000.0", "0.00100"]]
        assert (await two.data(f"depth.{SYMBOL}"))["b"] == [["100.00", "2.00"]]

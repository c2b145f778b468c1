"""Exchanges that follow another one: a second embedded exchange stands in for the real one."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest

from backpack_sdk import AsyncBackpack, Backpack, StreamOptions
from backpack_sdk.paper import Flow, PaperExchange
from backpack_sdk.paper.engine import BookState, MarketSpec, NewOrder, Order, OrderType, Side, TimeInForce
from backpack_sdk.paper.live import Live, Replay
from backpack_sdk.paper.live.markets import market_spec
from backpack_sdk.paper.live.mirror import COUNTERPARTY, MIRROR, Mirror
from backpack_sdk.paper.live.recorder import Recorder
from backpack_sdk.paper.live.source import LiveMirror
from tests.loopback import CREDENTIALS

SOL = "SOL_USDC"
SOMEBODY = "somebody"
SPEC = MarketSpec(
    symbol=SOL, base="SOL", quote="USDC", tick_size=Decimal("0.01"), step_size=Decimal("0.01"),
    min_price=Decimal("0.01"), min_quantity=Decimal("0.01"),
)  # fmt: skip
PAPER_FUNDS = {"USDC": 100_000, "SOL": 100}


class Elsewhere:
    """The exchange that is followed: one market, and somebody who trades there with himself on both sides."""

    def __init__(self, **options: Any) -> None:
        self.exchange = PaperExchange(**{"markets": [SPEC], **options})
        for account in ("somebody", "somebody else"):
            self.exchange.engine.open_account(account)
            for asset in ("SOL", "USDC"):
                self.exchange.engine.deposit(account, asset, Decimal(10**9), now_us=0)

    def order(self, side: str, price: str, quantity: str, *, taker: bool = False) -> Order:
        exchange = self.exchange
        order = NewOrder(
            symbol=SOL, side=Side(side), order_type=OrderType.LIMIT, price=Decimal(price), quantity=Decimal(quantity),
            time_in_force=TimeInForce.IOC if taker else TimeInForce.GTC,
        )  # fmt: skip
        with exchange.lock:
            return exchange.engine.execute("somebody else" if taker else SOMEBODY, order, now_us=exchange.clock()).value

    def cancel(self, order: Order) -> None:
        with self.exchange.lock:
            self.exchange.engine.cancel(SOMEBODY, SOL, order_id=order.id, now_us=self.exchange.clock())

    def live(self, *symbols: str, **options: Any) -> Live:
        urls = {"base_url": self.exchange.base_url, "ws_url": self.exchange.ws_url, "trust_env": False}
        return Live(symbols or [SOL], **{**urls, **options})

    def client(self) -> AsyncBackpack:
        return AsyncBackpack(base_url=self.exchange.base_url, ws_url=self.exchange.ws_url, trust_env=False)


def paper_book(exchange: PaperExchange, symbol: str = SOL) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Bids and asks, best first."""
    with exchange.lock:
        depth = exchange.engine.depth(symbol)
    plain = [(f"{price.normalize():f}", f"{quantity.normalize():f}") for price, quantity in (*depth.bids, *depth.asks)]
    bids = plain[: len(depth.bids)][::-1]
    return bids, plain[len(depth.bids) :]


async def until(found: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not found():  # noqa: ASYNC110 - the engine has no events for this
            await asyncio.sleep(0.01)


@asynccontextmanager
async def following(elsewhere: Elsewhere, **options: Any) -> AsyncIterator[AsyncBackpack]:
    """A paper trader on an exchange that follows the other one."""
    with elsewhere.exchange:
        paper = await asyncio.to_thread(PaperExchange, live=elsewhere.live(), balances=PAPER_FUNDS, **options)
        async with AsyncBackpack.paper(paper, credentials=CREDENTIALS) as bp:
            yield bp


async def bid(bp: AsyncBackpack, price: str, quantity: str) -> Any:
    return await bp.order.execute_order(SOL, "Bid", "Limit", price=price, quantity=quantity)


async def fills(bp: AsyncBackpack) -> list[tuple[float, float, bool]]:
    rows = await bp.order.get_fills(symbol=SOL, sort_direction="Asc")
    return [(float(row.price), float(row.quantity), row.is_maker) for row in rows]


async def test_books_are_the_same_as_elsewhere() -> None:
    flow = Flow(rate=0, seed=3, volatility=0.003, prices={SOL: Decimal(140)})
    elsewhere = Elsewhere(flow=flow)
    elsewhere.exchange.flow.advance(300)
    async with following(elsewhere) as bp:
        for _ in range(4):
            elsewhere.exchange.flow.advance(50)
            await until(lambda: paper_book(bp.paper_exchange) == paper_book(elsewhere.exchange))


async def test_trading_on_a_moving_market_creates_nothing() -> None:
    flow = Flow(rate=0, seed=11, volatility=0.004, prices={SOL: Decimal(140)})
    elsewhere = Elsewhere(flow=flow)
    elsewhere.exchange.flow.advance(300)
    async with following(elsewhere) as bp:
        exchange = bp.paper_exchange

        def owned() -> dict[str, Decimal]:
            with exchange.lock, localcontext() as exact:
                exact.prec = 60
                sums = {asset: exchange.engine.collected_fees().get(asset, Decimal(0)) for asset in PAPER_FUNDS}
                for account in (CREDENTIALS.api_key, MIRROR, COUNTERPARTY):
                    for asset, balance in exchange.engine.balances(account).items():
                        sums[asset] += balance.available + balance.locked
                return sums

        before = owned()
        for _ in range(8):
            bids, asks = paper_book(exchange)
            await bp.order.execute_order(SOL, "Bid", "Limit", price=bids[0][0], quantity="0.5")
            await bp.order.execute_order(SOL, "Ask", "Limit", price=asks[0][0], quantity="0.5")
            elsewhere.exchange.flow.advance(40)
            last = set(elsewhere.exchange.engine.depth(SOL).bids)
            await until(lambda last=last: len(last & set(exchange.engine.depth(SOL).bids)) > 3)  # type: ignore[misc]
        assert owned() == before
        assert any(fill.is_maker for fill in exchange.engine.fills(CREDENTIALS.api_key))


async def test_takers_walk_the_book_and_what_they_took_stays_taken() -> None:
    elsewhere = Elsewhere()
    elsewhere.order("Ask", "101", "5")
    elsewhere.order("Ask", "102", "5")
    async with following(elsewhere) as bp:
        await bid(bp, "102", "7")
        assert await fills(bp) == [(101, 5, False), (102, 2, False)]
        assert paper_book(bp.paper_exchange)[1] == [("102", "3")]
        elsewhere.order("Ask", "103", "1")
        await until(lambda: paper_book(bp.paper_exchange)[1] == [("102", "3"), ("103", "1")])
        elsewhere.order("Ask", "101", "2")
        await until(lambda: paper_book(bp.paper_exchange)[1] == [("101", "7"), ("102", "3"), ("103", "1")])


async def test_a_resting_order_waits_behind_everything_that_was_there() -> None:
    elsewhere = Elsewhere()
    elsewhere.order("Bid", "100", "10")
    async with following(elsewhere) as bp:
        exchange = bp.paper_exchange
        order = await bid(bp, "100", "3")
        elsewhere.order("Bid", "100", "50")
        elsewhere.order("Ask", "100", "9", taker=True)
        await until(lambda: paper_book(exchange)[0] == [("100", "54")])
        assert await fills(bp) == []
        elsewhere.order("Ask", "100", "2", taker=True)
        await until(lambda: exchange.engine.fills(CREDENTIALS.api_key))
        assert await fills(bp) == [(100, 1, True)]
        elsewhere.order("Ask", "100", "40", taker=True)
        await until(lambda: len(exchange.engine.fills(CREDENTIALS.api_key)) == 2)
        assert await fills(bp) == [(100, 1, True), (100, 2, True)]
        found = (await bp.order.get_order_history(symbol=SOL))[0]
        assert (found.id, found.status) == (order.id, "Filled")
        await until(lambda: paper_book(exchange)[0] == [("100", "9")])


async def test_a_trade_through_the_price_fills() -> None:
    elsewhere = Elsewhere()
    elsewhere.order("Bid", "100", "10")
    elsewhere.order("Bid", "99", "10")
    async with following(elsewhere) as bp:
        await bid(bp, "100", "3")
        elsewhere.order("Ask", "99", "12", taker=True)
        await until(lambda: bp.paper_exchange.engine.fills(CREDENTIALS.api_key))
        assert await fills(bp) == [(100, 2, True)]


async def test_an_offer_that_crosses_a_resting_order_trades_with_it() -> None:
    elsewhere = Elsewhere()
    elsewhere.order("Ask", "105", "1")
    async with following(elsewhere) as bp:
        await bid(bp, "103", "3")
        elsewhere.order("Ask", "102", "1")
        await until(lambda: bp.paper_exchange.engine.fills(CREDENTIALS.api_key))
        assert await fills(bp) == [(103, 1, True)]
        assert paper_book(bp.paper_exchange) == ([("103", "2")], [("105", "1")])


async def test_a_market_that_is_out_of_step_takes_cancels_only() -> None:
    elsewhere = Elsewhere()
    elsewhere.order("Bid", "100", "10")
    with elsewhere.exchange:
        paper = PaperExchange(markets=[SPEC], balances=PAPER_FUNDS)
        options = StreamOptions(mode="socket", first_delay=0.01, longest_delay=0.02)
        with paper:
            paper.add_account(CREDENTIALS.api_key)
            client = elsewhere.client()
            async with client, LiveMirror(paper, client, [SOL], options=options) as mirror:
                await mirror.wait_live(10)
                elsewhere.exchange.socket_faults.refuse(times=1000)
                elsewhere.exchange.socket_faults.abort()
                await until(lambda: paper.engine.market(SOL).state is BookState.CANCEL_ONLY)
                elsewhere.exchange.socket_faults.clear()
                await until(lambda: paper.engine.market(SOL).state is BookState.OPEN)
                elsewhere.order("Bid", "101", "1")
                await until(lambda: paper_book(paper)[0] == [("101", "1"), ("100", "10")])


async def test_a_market_that_is_followed_no_longer_takes_cancels_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("a fault of the mirror")

    elsewhere = Elsewhere()
    elsewhere.order("Bid", "100", "10")
    async with following(elsewhere) as bp:
        monkeypatch.setattr(Mirror, "trade", fail)
        elsewhere.order("Ask", "100", "1", taker=True)
        await until(lambda: bp.paper_exchange.engine.market(SOL).state is BookState.CANCEL_ONLY)
    assert "follows ws://" in caplog.text
    assert "a fault of the mirror" in caplog.text


async def test_a_recording_that_cannot_be_written_says_so() -> None:
    class Full(io.BytesIO):
        def write(self, data: Any, /) -> int:
            if b'"stream"' in data:
                raise OSError("no space left")
            return super().write(data)

    async def fill() -> None:
        async with elsewhere.client() as client, Recorder(client, [SOL], Full()) as recorder:
            await until(lambda: recorder.lines >= 2)
            elsewhere.order("Ask", "101", "4")
            await until(lambda: any(task.done() for task in recorder._tasks))

    elsewhere = Elsewhere()
    elsewhere.order("Bid", "100", "10")
    with elsewhere.exchange, pytest.raises(OSError, match="no space"):
        await fill()


async def test_a_recording_that_is_damaged_further_on_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "recording.jsonl"
    elsewhere = Elsewhere()
    elsewhere.order("Bid", "100", "10")
    await record(elsewhere, path, lambda: elsewhere.order("Ask", "101", "4"), 3)
    with path.open("ab") as file:
        file.write(b"nonsense\n")
    async with PaperExchange(replay=path, speed=1000):
        await until(lambda: "broke off" in caplog.text)


async def test_mark_prices_of_perpetuals_follow() -> None:
    source = PaperExchange()
    perpetual = "SOL_USDC_PERP"
    with source:
        live = Live(["SOL/USDC:USDC"], base_url=source.base_url, ws_url=source.ws_url, trust_env=False)
        paper = await asyncio.to_thread(PaperExchange, live=live)
        assert [spec.futures for spec in paper.engine.markets()] == [source.engine.market(perpetual).futures]
        with source.lock:
            source.engine.set_mark_price(perpetual, Decimal(123), Decimal(124), now_us=source.clock())
        async with paper:

            def followed() -> bool:
                price = paper.engine.mark_price(perpetual)
                return price is not None and (float(price.mark), float(price.index)) == (123, 124)

            source.skip(1)
            await until(followed)


async def test_orders_of_an_earlier_process_queue_again(tmp_path: Path) -> None:
    elsewhere = Elsewhere()
    elsewhere.order("Bid", "100", "10")
    state = tmp_path / "state.sqlite"
    async with following(elsewhere, state=state) as bp:
        await bid(bp, "100", "3")
    async with following(elsewhere, state=state) as bp:
        assert paper_book(bp.paper_exchange)[0] == [("100", "13")]
        elsewhere.order("Ask", "100", "5", taker=True)
        await until(lambda: paper_book(bp.paper_exchange)[0] == [("100", "8")])
        elsewhere.order("Ask", "100", "5", taker=True)
        elsewhere.order("Bid", "100", "1")
        elsewhere.order("Ask", "100", "1", taker=True)
        await until(lambda: bp.paper_exchange.engine.fills(CREDENTIALS.api_key))
        assert await fills(bp) == [(100, 1, True)]


def test_what_cannot_be_mirrored_is_refused() -> None:
    with PaperExchange(markets=[SPEC]) as source:
        urls: dict[str, Any] = {"base_url": source.base_url, "ws_url": source.ws_url, "trust_env": False}
        with pytest.raises(ValueError, match="no market BTC_USDC"):
            PaperExchange(live=Live("BTC-USDC", **urls))
        with pytest.raises(ValueError, match="live or replay, not both"):
            PaperExchange(live=Live(SOL, **urls), replay="file")
    with pytest.raises(ValueError, match="a market"):
        Live([])
    with pytest.raises(ValueError, match="only spot markets and perpetuals"):
        market_spec({"symbol": "X", "marketType": "PREDICTION"})


def test_rules_that_a_market_does_not_have_are_the_widest() -> None:
    filters = {
        "price": {"minPrice": "0", "maxPrice": None, "tickSize": "0.1"},
        "quantity": {"minQuantity": "0", "stepSize": "0.01"},
    }
    market = {
        "symbol": "X_USDC_PERP",
        "baseSymbol": "X",
        "quoteSymbol": "USDC",
        "marketType": "PERP",
        "filters": filters,
    }
    spec = market_spec(market)
    assert (str(spec.min_price), spec.max_price) == ("0.1", None)
    assert (str(spec.min_quantity), spec.max_quantity) == ("0.01", None)
    assert spec.futures is not None
    told = {
        "imfFunction": {"type": "sqrt", "base": "0.02", "factor": "0.0001"},
        "mmfFunction": {"type": "sqrt", "base": "0.01", "factor": "0.0001"},
        "fundingInterval": 3_600_000,
        "openInterestLimit": "1000",
    }
    futures = market_spec({**market, **told}).futures
    assert futures is not None
    assert (str(futures.imf.base), str(futures.mmf.base), str(futures.open_interest_limit)) == ("0.02", "0.01", "1000")
    assert futures.funding_interval_us == 3_600_000_000


# Recordings


async def record(elsewhere: Elsewhere, path: Path, act: Callable[[], object], lines: int) -> int:
    """Record until so many lines are written."""
    with elsewhere.exchange, path.open("xb") as file:
        async with elsewhere.client() as client, Recorder(client, [SOL], file) as recorder:
            await until(lambda: recorder.lines >= 2)
            act()
            await until(lambda: recorder.lines >= lines)
    return recorder.lines


async def test_a_recording_plays_what_was_recorded(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    elsewhere = Elsewhere()
    elsewhere.order("Bid", "100", "10")

    def act() -> None:
        elsewhere.order("Ask", "101", "4")
        elsewhere.order("Ask", "100", "6", taker=True)

    lines = await record(elsewhere, path, act, 5)
    replay = Replay(path, speed=0)
    with Backpack.paper(PaperExchange(replay=replay, balances=PAPER_FUNDS), credentials=CREDENTIALS) as bp:
        assert replay.advance(2) == 2
        assert paper_book(bp.paper_exchange) == ([("100", "10")], [])
        bp.order.execute_order(SOL, "Bid", "Limit", price="101", quantity="1")
        assert replay.advance(100) == lines - 2
        assert paper_book(bp.paper_exchange) == ([("100", "4")], [("101", "3")])
        assert replay.advance(1) == 0
    with pytest.raises(RuntimeError, match="not being played"):
        replay.advance(1)


async def test_a_recording_plays_at_its_speed(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    elsewhere = Elsewhere()
    elsewhere.order("Bid", "100", "10")
    await record(elsewhere, path, lambda: elsewhere.order("Ask", "101", "4"), 3)
    async with PaperExchange(replay=path, speed=1000) as exchange:
        await until(lambda: paper_book(exchange) == ([("100", "10")], [("101", "4")]))


async def test_a_gap_in_a_recording_closes_the_market_until_the_next_book(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    elsewhere = Elsewhere()
    elsewhere.order("Bid", "100", "10")

    def act() -> None:
        for price in ("101", "102", "103"):
            elsewhere.order("Ask", price, "1")

    await record(elsewhere, path, act, 5)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], *lines[4:], lines[1], b'{"received_us": 1, "str']))
    replay = Replay(path, speed=0)
    with PaperExchange(replay=replay) as exchange:
        replay.advance(4)
        assert exchange.engine.market(SOL).state is BookState.CANCEL_ONLY
        assert replay.advance(10) == 1, "what its writer did not finish is left out"
        assert exchange.engine.market(SOL).state is BookState.OPEN


@pytest.mark.parametrize(("text", "hint"), [("", "no recording"), ("nonsense\n", "line 1"), ('{"a": 1}\n', "line 1")])
def test_another_file_is_no_recording(tmp_path: Path, text: str, hint: str) -> None:
    path = tmp_path / "file"
    path.write_text(text)
    with pytest.raises(ValueError, match=hint):
        PaperExchange(replay=path)
    with pytest.raises(ValueError, match="negative"):
        PaperExchange(replay=path, speed=-1)

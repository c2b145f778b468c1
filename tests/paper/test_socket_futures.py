"""Streams of perpetuals, of conditional orders and of requests for quotes."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from nacl.signing import SigningKey

from backpack_sdk.paper import PaperExchange
from backpack_sdk.paper.engine import ExitLeg, NewOrder, Order, OrderType, Side, Trigger, TriggerBy

from .app_desk import API_KEY
from .engine_desk import SOL_USDC, dec
from .perp_desk import PERP, perp
from .service_desk import key_of, seed_of
from .socket_desk import STILL, Client, client

ORDERS, POSITIONS, RFQS = "account.orderUpdate", "account.positionUpdate", "account.rfqUpdate"
MAKER = key_of(1)


@pytest.fixture
async def exchange() -> AsyncIterator[PaperExchange]:
    """A spot market and a perpetual with empty books, at a mark price of 100."""
    async with PaperExchange(markets=[SOL_USDC, perp()], sockets=STILL) as running:
        running.add_account(API_KEY, {"USDC": 10_000})
        running.add_account(MAKER, {"USDC": 1_000_000, "SOL": 1_000})
        running.engine.set_mark_price(PERP, dec(100), dec(101), now_us=running.clock())
        yield running


def order(exchange: PaperExchange, side: Side, price: str | None, quantity: str | None, **options: Any) -> Order:
    fields: dict[str, Any] = {
        "symbol": PERP,
        "side": side,
        "order_type": OrderType.MARKET if price is None else OrderType.LIMIT,
        "price": dec(price) if price is not None else None,
        "quantity": dec(quantity) if quantity is not None else None,
    }
    account = options.pop("account", API_KEY)
    return exchange.engine.execute(account, NewOrder(**(fields | options)), now_us=exchange.clock()).value


def trade(exchange: PaperExchange, side: Side, price: str, quantity: str) -> None:
    """Let the first account trade with the maker."""
    order(exchange, side.opposite, price, quantity, account=MAKER)
    order(exchange, side, price, quantity)


async def kinds(ws: Client) -> list[str]:
    return [message["data"].get("e", "") for message in await ws.waiting()]


async def test_a_position_from_opening_to_closing(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.sign_in(POSITIONS, f"{POSITIONS}.{PERP}")
        assert await ws.waiting() == []
        trade(exchange, Side.BID, "100", "2")
        data = await ws.data(POSITIONS)
        assert data == await ws.data(f"{POSITIONS}.{PERP}")
        assert type(data["i"]) is int
        assert data["E"] >= data["T"]
        assert {name: data[name] for name in "esBlfMmqQnpP"} == {
            "e": "positionOpened", "s": PERP, "B": "100.0", "l": "0", "f": "0.1", "M": "100.0", "m": "0.05", "q": "2.0",
            "Q": "2.0", "n": "200.0", "p": "0.0", "P": "0.0",
        }  # fmt: skip
        trade(exchange, Side.ASK, "103", "0.5")
        adjusted, _ = await ws.data(POSITIONS), await ws.message()
        assert [adjusted[name] for name in "eqp"] == ["positionAdjusted", "1.5", "1.5"]
        trade(exchange, Side.ASK, "103", "1.5")
        closed = await ws.data(POSITIONS)
        assert (closed["e"], closed["q"], closed["i"]) == ("positionClosed", "0.0", data["i"])


async def test_the_open_positions_come_first_and_have_no_event(exchange: PaperExchange) -> None:
    trade(exchange, Side.ASK, "100", "2")
    async with client(exchange) as ws, client(exchange) as other:
        await other.sign_in(POSITIONS)
        await ws.sign_in(POSITIONS)
        for one in (ws, other):
            data = await one.data(POSITIONS)
            assert (data["q"], data["s"], "e" in data) == ("-2.0", PERP, False)
            assert await one.waiting() == []
        await ws.sign_in(f"{POSITIONS}.SOL_USDC", f"{POSITIONS}.NONE")
        assert await ws.waiting() == []
        exchange.socket_faults.silence(POSITIONS)
        await ws.unsubscribe(POSITIONS)
        await ws.sign_in(POSITIONS)
        assert await ws.waiting() == []


async def test_mark_prices_repeat_every_second(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.subscribe(f"markPrice.{PERP}", "markPrice.SOL_USDC")
        for _ in range(2):
            exchange.skip(1)
            data = await ws.data(f"markPrice.{PERP}")
            assert {name: data[name] for name in "espi"} == {"e": "markPrice", "s": PERP, "p": "100.0", "i": "101.0"}
            assert Decimal(data["f"]) < 0
            assert len(str(data["n"])) == 13
        order(exchange, Side.BID, "50", "1", symbol="SOL_USDC")
        order(exchange, Side.ASK, "60", "1", symbol="SOL_USDC", account=MAKER)
        exchange.skip(1)
        spot = {message["stream"]: message["data"] for message in await ws.waiting()}.get("markPrice.SOL_USDC", {})
        assert not spot.keys() & set("fn")


async def test_open_interest_comes_every_minute(exchange: PaperExchange) -> None:
    trade(exchange, Side.BID, "100", "2")
    async with client(exchange) as ws:
        await ws.subscribe(f"openInterest.{PERP}", "openInterest.SOL_USDC")
        exchange.skip(59)
        assert await ws.waiting() == []
        exchange.skip(1)
        data = await ws.data(f"openInterest.{PERP}")
        assert (data["e"], data["s"], data["o"]) == ("openInterest", PERP, "2.0")
        assert await ws.waiting() == []


async def test_a_liquidation_is_public_and_its_orders_tell_the_owner_why(exchange: PaperExchange) -> None:
    trade(exchange, Side.BID, "100", "500")
    order(exchange, Side.BID, "83", "1000", account=MAKER)
    async with client(exchange) as ws:
        await ws.subscribe("liquidation")
        await ws.sign_in(ORDERS)
        exchange.engine.set_mark_price(PERP, dec(84), dec(84), now_us=exchange.clock())
        messages = await ws.waiting()
    public = [message["data"] for message in messages if message["stream"] == "liquidation"]
    assert [(data["e"], data["s"], data["S"]) for data in public] == [("liquidation", PERP, "Ask")] * len(public)
    assert public
    assert all(data.keys() == set("eEsSqpT") for data in public)
    orders = [message["data"] for message in messages if message["stream"] == ORDERS]
    assert {data["O"] for data in orders} <= {"LIQUIDATION_AUTOCLOSE", "BACKSTOP_LIQUIDITY_PROVIDER"}
    assert orders


async def test_a_conditional_order(exchange: PaperExchange) -> None:
    trade(exchange, Side.BID, "100", "2")
    async with client(exchange) as ws:
        await ws.sign_in(ORDERS)
        trigger = Trigger(dec("90.5"), percent=dec(80), by=TriggerBy.MARK)
        order(exchange, Side.ASK, None, None, reduce_only=True, trigger=trigger)
        placed = await ws.data(ORDERS)
        assert {name: placed[name] for name in "eoXPBYr"} == {
            "e": "triggerPlaced", "o": "MARKET", "X": "TriggerPending", "P": "90.5", "B": "MarkPrice", "Y": "80%",
            "r": True,
        }  # fmt: skip
        assert not placed.keys() & set("qQpR")
        exchange.engine.set_mark_price(PERP, dec(90), dec(90), now_us=exchange.clock())
        assert (await kinds(ws))[0] == "orderAccepted"

        trigger = Trigger(dec(50), quantity=dec(1000))
        order(exchange, Side.BID, "120", None, trigger=trigger)
        assert (await ws.data(ORDERS))["Y"] == "1000.0"
        order(exchange, Side.BID, "50", "1", account=MAKER)
        order(exchange, Side.ASK, "50", "1", account=MAKER, self_trade_prevention="RejectMaker")
        trade_at(exchange, "50")
        exchange.engine.advance(now_us=exchange.clock())
        failed = [message["data"] for message in await ws.waiting()][-1]
        assert (failed["e"], failed["X"], failed["R"]) == ("triggerFailed", "TriggerFailed", "INSUFFICIENT_MARGIN")


def trade_at(exchange: PaperExchange, price: str) -> None:
    """Let the maker trade with a stranger."""
    exchange.add_account(key_of(2), {"USDC": 10_000})
    order(exchange, Side.BID, price, "0.1", account=key_of(2))
    order(exchange, Side.ASK, price, "1.2", account=MAKER)


async def test_exits_of_an_entry_and_a_reduce_only_order_that_shrinks(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.sign_in(ORDERS)
        entry = order(
            exchange, Side.BID, "100", "2",
            stop_loss=ExitLeg(dec(90), dec(89), TriggerBy.INDEX), take_profit=ExitLeg(dec(120), by=TriggerBy.MARK),
        )  # fmt: skip
        data = await ws.data(ORDERS)
        assert {name: data[name] for name in "badgk"} == {
            "b": "90.0", "a": "120.0", "d": "MarkPrice", "g": "IndexPrice", "k": "89.0",
        }  # fmt: skip
        assert "j" not in data
        order(exchange, Side.ASK, "100", "2", account=MAKER)
        exits = [message["data"] for message in await ws.waiting() if message["data"]["e"] == "triggerPlaced"]
        assert {data["I"] for data in exits} == {str(entry.id)}

        order(exchange, Side.ASK, "130", "2", reduce_only=True)
        await ws.waiting()
        trade(exchange, Side.ASK, "99", "1.5")
        changed = [data for data in [m["data"] for m in await ws.waiting()] if data["e"] == "orderModified"]
        assert {data["q"] for data in changed if data["r"]} >= {"0.5"}


async def test_a_request_for_quotes_as_either_side_sees_it() -> None:
    async with PaperExchange(sockets=STILL) as exchange:
        exchange.add_account(API_KEY)
        exchange.add_account(MAKER)
        secret = base64.b64encode(bytes(SigningKey(seed_of(1)))).decode()
        async with client(exchange) as taker, client(exchange) as maker:
            await taker.sign_in(RFQS)
            await maker.sign_in(f"{RFQS}.SOL_USDC_RFQ", secret=secret, key=MAKER)
            engine = exchange.engine
            rfq = engine.submit_rfq(
                API_KEY, "SOL_USDC_RFQ", Side.BID, quantity=dec(10), client_id=123, now_us=exchange.clock()
            ).value
            active = await maker.data(f"{RFQS}.SOL_USDC_RFQ")
            assert {name: active[name] for name in "eRsqX"} == {
                "e": "rfqActive", "R": rfq.id, "s": "SOL_USDC_RFQ", "q": "10.0", "X": "New",
            }  # fmt: skip
            assert active["W"] > active["w"] > 10**12
            assert not active.keys() & set("CSup")
            assert await taker.waiting() == []

            quote = engine.submit_quote(
                MAKER, rfq.id, bid=dec(139), ask=dec(141), client_id=9, now_us=exchange.clock()
            ).value
            candidate = await taker.data(RFQS)
            assert (candidate["e"], candidate["u"], candidate["C"]) == ("rfqCandidate", quote.id, "123")
            assert Decimal(candidate["p"]) > 141

            engine.accept_quote(API_KEY, quote_id=quote.id, now_us=exchange.clock())
            accepted, filled = [message["data"] for message in await taker.waiting()]
            assert [accepted[name] for name in "eCS"] == ["rfqAccepted", "123", "Bid"]
            assert [filled[name] for name in "eXCSpq"] == [
                "rfqFilled", "Filled", "123", "Bid", candidate["p"], "10.0",
            ]  # fmt: skip
            chosen, filled = [message["data"] for message in await maker.waiting()]
            assert [chosen[name] for name in "eCu"] == ["quoteAccepted", "9", quote.id]
            assert [filled[name] for name in "eXCp"] == ["rfqFilled", "Filled", "9", "141.0"]
            assert not filled.keys() & set("SqQ")

"""Every frame that the embedded exchange sends fits the stream document, and the SDK reads it as that says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from functools import cache
from typing import Any

import jsonschema_rs
import pytest

from backpack_sdk._generated.streams.channels import channel_of, decode
from backpack_sdk.paper import PaperExchange
from backpack_sdk.paper.engine import ExitLeg, NewOrder, Order, OrderType, Side, TimeInForce, Trigger, TriggerBy

from ..paper.app_desk import API_KEY
from ..paper.engine_desk import SOL_USDC, dec
from ..paper.perp_desk import PERP, perp
from ..paper.service_desk import key_of
from ..paper.socket_desk import STILL, Client, client
from .frames import document, resolved, streams

SPOT, MAKER, STRANGER = "SOL_USDC", key_of(1), key_of(2)
PUBLIC = [
    f"{kind}.{symbol}"
    for kind in (
        "bookTicker", "depth", "depth.200ms", "depth.600ms", "depth.1000ms", "kline.1s", "kline.1m", "kline.1month",
        "markPrice", "openInterest", "ticker", "trade",
    )
    for symbol in (SPOT, PERP)
]  # fmt: skip
ORDERS, POSITIONS, RFQS = "account.orderUpdate", "account.positionUpdate", "account.rfqUpdate"
PRIVATE = [f"{kind}{tail}" for kind in (ORDERS, POSITIONS) for tail in ("", f".{SPOT}", f".{PERP}")]


@pytest.fixture
async def exchange() -> AsyncIterator[PaperExchange]:
    async with PaperExchange(markets=[SOL_USDC, perp()], sockets=STILL) as running:
        running.add_account(API_KEY, {"USDC": 20_000, "SOL": 100})
        running.add_account(MAKER, {"USDC": 1_000_000, "SOL": 10_000})
        running.add_account(STRANGER, {"USDC": 10_000})
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


def trade(exchange: PaperExchange, side: Side, price: str, quantity: str, symbol: str = PERP) -> None:
    """Let the first account trade with the maker."""
    order(exchange, side.opposite, price, quantity, account=MAKER, symbol=symbol)
    order(exchange, side, price, quantity, symbol=symbol, client_id=7)


def live(exchange: PaperExchange) -> None:
    """A session: spot, perpetual, conditional orders, exits, requests for quotes, and a liquidation at the end."""
    engine = exchange.engine
    order(exchange, Side.BID, "90", "1", symbol=SPOT, client_id=5)
    resting = order(exchange, Side.ASK, "110", "1", symbol=SPOT, post_only=True)
    trade(exchange, Side.BID, "100", "2", SPOT)
    engine.cancel(API_KEY, SPOT, order_id=resting.id, now_us=exchange.clock())
    order(exchange, Side.BID, "10", "1", symbol=SPOT, time_in_force=TimeInForce.IOC)
    trade(exchange, Side.BID, "100", "5")
    trade(exchange, Side.ASK, "101", "2")
    order(
        exchange,
        Side.ASK,
        None,
        None,
        reduce_only=True,
        trigger=Trigger(dec("90.5"), percent=dec(80), by=TriggerBy.MARK),
    )
    order(exchange, Side.ASK, "130", None, trigger=Trigger(dec(150), quantity=dec(1)))
    order(
        exchange, Side.BID, "100", "1",
        stop_loss=ExitLeg(dec(80), dec(79), TriggerBy.INDEX), take_profit=ExitLeg(dec(120), by=TriggerBy.MARK),
    )  # fmt: skip
    order(exchange, Side.ASK, "100", "1", account=MAKER)
    rfq = engine.submit_rfq(
        API_KEY, f"{SPOT}_RFQ", Side.BID, quantity=dec(1), client_id=1, now_us=exchange.clock()
    ).value
    quote = engine.submit_quote(MAKER, rfq.id, bid=dec(99), ask=dec(101), client_id=9, now_us=exchange.clock()).value
    engine.accept_quote(API_KEY, quote_id=quote.id, now_us=exchange.clock())
    other = engine.submit_rfq(API_KEY, f"{SPOT}_RFQ", Side.ASK, quantity=dec(1), now_us=exchange.clock()).value
    engine.cancel_rfq(API_KEY, rfq_id=other.id, now_us=exchange.clock())
    exchange.skip(61)
    order(exchange, Side.ASK, "100", "500", account=MAKER)
    order(exchange, Side.BID, "100", "500", account=STRANGER)
    order(exchange, Side.BID, "83", "1000", account=MAKER)
    engine.set_mark_price(PERP, dec(84), dec(84), now_us=exchange.clock())
    exchange.skip(2)


@cache
def validator(payload: str) -> Any:
    """The document's own schema of a payload; it takes no field that it does not name."""
    components = document()["components"]
    whole = {**components["schemas"][payload], "additionalProperties": False, "components": components}
    return jsonschema_rs.Draft7Validator(whole)


def problems(message: dict[str, Any]) -> list[str]:
    """What is wrong with one message."""
    name, data = message["stream"], message["data"]
    channel = channel_of(name)
    if channel is None:
        return [f"{name}: no such channel"]
    stream = next(each for each in streams() if each.name == channel.name)
    found = [f"{name}: {error.message} in {data}" for error in validator(stream.payload).iter_errors(data)]
    for field, value in data.items():
        schema = resolved(stream.schema["properties"].get(field, {}))
        if schema.get("format") == "decimal" and isinstance(value, str):
            text = f"{Decimal(value):f}"
            if text != value:
                found.append(f"{name}: {field} is {value}, not plain")
    event = decode(json.dumps(message))
    if type(event) is not channel.event:
        found.append(f"{name}: the SDK can't read {data}: {event}")
    return found


async def collect(ws: Client, exchange: PaperExchange) -> list[dict[str, Any]]:
    await ws.subscribe(*PUBLIC, "liquidation")
    await ws.sign_in(*PRIVATE, RFQS, f"{RFQS}.{SPOT}_RFQ")
    live(exchange)
    return await ws.waiting()


async def test_every_frame_of_a_session_fits_the_document(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        messages = await collect(ws, exchange)
    assert [problem for message in messages for problem in problems(message)] == []
    kinds = {channel.name for message in messages if (channel := channel_of(message["stream"])) is not None}
    sparse = {"external_ticker", "stock_price", "balance_update"}
    assert kinds == {stream.name for stream in streams()} - sparse
    events = {message["data"].get("e") for message in messages if message["stream"].startswith("account.")}
    assert events >= {
        "orderAccepted", "orderCancelled", "orderExpired", "orderFill", "triggerPlaced", "positionOpened",
        "positionAdjusted", "rfqCandidate", "rfqAccepted", "rfqFilled", "rfqCancelled",
    }  # fmt: skip


async def test_the_open_positions_and_refusals_fit_too(exchange: PaperExchange) -> None:
    trade(exchange, Side.BID, "100", "2")
    refusal = document()["components"]["schemas"]["ErrorFrame"]
    async with client(exchange) as ws:
        await ws.sign_in(POSITIONS)
        (first,) = await ws.waiting()
        assert problems(first) == []
        assert "e" not in first["data"]
        for bad in ("not json", {"method": "SUBSCRIBE", "params": ["nothing.X"]}, {"method": "SUBSCRIBE", "params": 5}):
            await ws.send(bad)
            (answer,) = await ws.waiting()
            assert jsonschema_rs.Draft7Validator(refusal).is_valid(answer), answer

"""What clients ask for over the socket, and how they are refused. Nothing is ever acknowledged."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from nacl.signing import SigningKey

from backpack_sdk.paper import PaperExchange
from backpack_sdk.paper.sockets.names import SocketProblem, parse_name

from .app_desk import API_KEY, now_ms, signature
from .socket_desk import STILL, SYMBOL, Client, client, place

STRANGER = bytes(range(32))
ORDERS = "account.orderUpdate"


@pytest.fixture
async def exchange() -> Any:
    async with PaperExchange(sockets=STILL) as running:
        running.add_account(API_KEY)
        yield running


async def refusal(ws: Client) -> tuple[int, str]:
    """Code and message of the next message, which must be an error and the only one."""
    text = await ws.text()
    assert text.startswith('{"id":null,"error":{"code":')
    found = json.loads(text)
    assert found.keys() == {"id", "error"}
    assert await ws.waiting() == []
    return found["error"]["code"], found["error"]["message"]


@pytest.mark.parametrize(
    "frame",
    [
        "hello",
        "[]",
        '{"method":"SUBSCRIBE"}',
        '{"method":"SUBSCRIBE","params":"depth.SOL_USDC"}',
        '{"method":"SUBSCRIBE","params":[1]}',
        '{"method":"subscribe","params":["depth.SOL_USDC"]}',
        '{"params":["depth.SOL_USDC"]}',
        '{"method":"SUBSCRIBE","params":["account.orderUpdate"],"signature":["a","b","1"]}',
        '{"method":"SUBSCRIBE","params":["account.orderUpdate"],"signature":["a","b",1,5000]}',
        b'{"method":"SUBSCRIBE","params":["depth.SOL_USDC"]}',
    ],
)
async def test_an_unreadable_frame_is_4002(exchange: PaperExchange, frame: str | bytes) -> None:
    async with client(exchange) as ws:
        await ws.send(frame)
        code, message = await refusal(ws)
        assert (code, bool(message)) == (4002, True)
        await ws.subscribe(f"depth.{SYMBOL}")
        place(exchange, "Bid", "100")
        assert await ws.data(f"depth.{SYMBOL}")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "depth",
        "depth.",
        "book.SOL_USDC",
        "Depth.SOL_USDC",
        "kline.SOL_USDC",
        "kline.7m.SOL_USDC",
        "kline.1m.",
        "depth.200ms.",
        "liquidation.SOL_USDC",
        "account.fills",
        "account.orderUpdate.",
        "account.",
    ],
)
async def test_an_unknown_stream_is_4006(exchange: PaperExchange, name: str) -> None:
    async with client(exchange) as ws:
        for ask in (ws.subscribe, ws.unsubscribe):
            await ask(name)
            assert await refusal(ws) == (4006, f"there is no stream {name}")


@pytest.mark.parametrize("window", ["100ms", "0ms", "2000ms", "0200ms"])
async def test_another_window_of_depth_is_4008(exchange: PaperExchange, window: str) -> None:
    async with client(exchange) as ws:
        await ws.subscribe(f"depth.{window}.SOL_USDC")
        code, message = await refusal(ws)
        assert code == 4008
        assert message == f"depth.{window}.SOL_USDC: the depth window must be one of 200ms, 600ms and 1000ms"


async def test_the_right_names_of_a_frame_count_besides_a_wrong_one(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.subscribe(f"trade.{SYMBOL}", "nonsense", f"depth.{SYMBOL}")
        assert (await refusal(ws))[0] == 4006
        place(exchange, "Bid", "140.01")
        assert [message["stream"] for message in await ws.waiting()] == [f"trade.{SYMBOL}", f"depth.{SYMBOL}"]


async def test_streams_that_never_say_anything_are_accepted(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.subscribe(f"externalTicker.{SYMBOL}", "stockPrice.AAPL")
        exchange.skip(60)
        assert await ws.waiting() == []


@pytest.mark.parametrize(
    ("text", "kind", "symbol"),
    [
        ("depth.BRK.B.US_USDC", "depth", "BRK.B.US_USDC"),
        ("depth.200ms.BRK.B.US_USDC", "depth", "BRK.B.US_USDC"),
        ("depth.1000PEPE.X_USDC", "depth", "1000PEPE.X_USDC"),
        ("kline.1month.kPEPE_USDC_PERP", "kline", "kPEPE_USDC_PERP"),
        ("account.orderUpdate.AAPL.US_USDC_PERP", "account.orderUpdate", "AAPL.US_USDC_PERP"),
        ("account.positionUpdate", "account.positionUpdate", None),
        ("liquidation", "liquidation", None),
    ],
)
def test_a_name_splits_at_its_first_dots_only(text: str, kind: str, symbol: str | None) -> None:
    name = parse_name(text)
    assert (name.kind, name.symbol) == (kind, symbol)
    assert name.is_private == text.startswith("account.")


def test_a_problem_has_a_code_and_a_message() -> None:
    with pytest.raises(SocketProblem, match="there is no stream x") as caught:
        parse_name("x")
    assert caught.value.code == 4006


# Signatures


async def test_a_private_stream_needs_a_signature(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.subscribe(ORDERS)
        assert await refusal(ws) == (4003, "a private stream needs a signature")
        place(exchange, "Bid", "100")
        assert await ws.waiting() == []


async def test_the_signature_is_not_needed_again_to_unsubscribe(exchange: PaperExchange) -> None:
    async with client(exchange) as ws:
        await ws.sign_in(ORDERS, f"depth.{SYMBOL}")
        place(exchange, "Bid", "100")
        assert [message["stream"] for message in await ws.waiting()] == [ORDERS, f"depth.{SYMBOL}"]
        await ws.unsubscribe(ORDERS)
        place(exchange, "Bid", "100")
        assert [message["stream"] for message in await ws.waiting()] == [f"depth.{SYMBOL}"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"signature": signature("instruction=subscribe&timestamp=1&window=5000")}, "is not one of this API key"),
        ({"signature": "short"}, "is not base64"),
        ({"signature": base64.b64encode(b"short").decode()}, "64"),
        ({"window": "60001"}, "60000"),
        ({"window": "0"}, "60000"),
        ({"window": "5e3"}, "whole milliseconds"),
        ({"timestamp": "soon"}, "whole milliseconds"),
        ({"timestamp": ""}, "whole milliseconds"),
    ],
)
async def test_a_wrong_signature_subscribes_to_nothing(
    exchange: PaperExchange, changes: dict[str, str], words: str
) -> None:
    async with client(exchange) as ws:
        await ws.sign_in(ORDERS, **changes)
        code, message = await refusal(ws)
        assert code == 4003
        assert words in message
        place(exchange, "Bid", "100")
        assert await ws.waiting() == []


@pytest.mark.parametrize("late", [6_000, -6_000])
async def test_an_expired_signature(exchange: PaperExchange, late: int) -> None:
    async with client(exchange) as ws:
        await ws.sign_in(ORDERS, timestamp=str(now_ms() - late))
        code, message = await refusal(ws)
        assert code == 4003
        assert "expired" in message


async def test_a_key_of_nobody(exchange: PaperExchange) -> None:
    secret = base64.b64encode(STRANGER).decode()
    key = base64.b64encode(bytes(SigningKey(STRANGER).verify_key)).decode()
    async with client(exchange) as ws:
        await ws.sign_in(ORDERS, secret=secret, key=key)
        assert await refusal(ws) == (4003, f"no account has the API key {key}")


async def test_a_signature_of_another_instruction(exchange: PaperExchange) -> None:
    now = str(now_ms())
    signed = signature(f"instruction=orderQueryAll&timestamp={now}&window=5000")
    async with client(exchange) as ws:
        await ws.sign_in(ORDERS, timestamp=now, signature=signed)
        assert (await refusal(ws))[0] == 4003


async def test_the_known_signature_of_a_subscription() -> None:
    """A value from elsewhere, so that both sides of this test cannot be wrong in the same way."""
    signed = "yv53JMmBCjtwWqVwaX8IpZgb974YXk4DjB6gx95Hzb7KWu7y8k3EGZZJbc3vOmN/upvzXnSx1SKqDIj6Rx/7Bg=="
    async with PaperExchange(sockets=STILL, clock=lambda: 1_614_550_000_000_000) as exchange, client(exchange) as ws:
        exchange.add_account(API_KEY)
        await ws.sign_in(ORDERS, timestamp="1614550000000", window="5000", signature=signed)
        place(exchange, "Bid", "100")
        assert (await ws.data(ORDERS))["E"] == 1_614_550_000_000_000

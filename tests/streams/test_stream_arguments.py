"""What can't be asked for: wrong arguments, missing credentials, markets that do not exist or are closed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backpack_sdk import InvalidArgument
from backpack_sdk._core.errors import StreamError
from backpack_sdk.streams import symbols
from backpack_sdk.streams.subscription import Subscription
from tests.streams.desk import client_of, options, streaming
from tests.streams.stream_server import StreamServer, until

S = "SOL_USDC"


@pytest.mark.parametrize(
    ("ask", "argument"),
    [
        (lambda ws: ws.trades(), "symbols"),
        (lambda ws: ws.trades(None), "symbols"),
        (lambda ws: ws.trades(5), "symbols"),
        (lambda ws: ws.klines(S, interval="2m"), "interval"),
        (lambda ws: ws.depth(S, window="1s"), "window"),
        (lambda ws: ws.depth(S, overflow="conflate"), "overflow"),
        (lambda ws: ws.trades(S, overflow="block"), "overflow"),
        (lambda ws: ws.trades(S, max_queue=0), "max_queue"),
        (lambda ws: ws.trades(S, max_queue=True), "max_queue"),
        (lambda ws: ws.raw(), "names"),
        (lambda ws: ws.raw("a\nb"), "names"),
        (lambda ws: ws.stock_prices(), "tickers"),
    ],
)
async def test_wrong_arguments_are_refused_by_name_before_anything_is_sent(ask: Any, argument: str) -> None:
    async with StreamServer() as server, streaming(server) as ws:
        with pytest.raises(InvalidArgument) as caught:
            ask(ws)
        assert caught.value.argument == argument
        peer = await server.peer()
        assert not peer.commands


async def test_private_streams_need_credentials() -> None:
    async with StreamServer() as server, streaming(server, client={"credentials": None}) as ws:
        for ask in (ws.order_updates, ws.position_updates, ws.rfq_updates, ws.balance_updates):
            with pytest.raises(InvalidArgument, match="Credentials"):
                ask()
        with pytest.raises(InvalidArgument):
            ws.raw("account.somethingNew")
        assert ws.trades(S).names == ("trade.SOL_USDC",)


# Markets


async def test_a_market_that_does_not_exist_is_an_error_before_anything_is_sent() -> None:
    async with StreamServer(S, "BTC_USDC", "kPEPE_USDC") as server, streaming(server) as ws:
        with pytest.raises(StreamError, match=r"no market SOL_USDX; did you mean SOL_USDC\?"):
            await anext(ws.trades("SOL_USDX"))
        with pytest.raises(StreamError, match=r"did you mean kPEPE_USDC\?"):
            await ws.trades("KPEPE_USDC").ready()
        with pytest.raises(StreamError, match="get_markets"):
            async with ws.trades(S, "XYZ_ABC"):
                pass
        peer = await server.peer()
        assert not peer.commands
        assert sum(request.endswith("/markets") for request in server.requests) == 1, "the list is fetched once"


async def test_a_closed_market_is_an_error_and_one_that_is_not_listed_is_none() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        server.symbols |= {"OLD_USDC": "Closed", "WILL_IT_RAIN": "Unlisted", "SLOW_USDC": "PostOnly"}
        with pytest.raises(StreamError, match=r"OLD_USDC is closed.*check_symbols=False"):
            await anext(ws.tickers("OLD_USDC"))
        await ws.trades("WILL_IT_RAIN").ready()
        await ws.trades("SLOW_USDC").ready()
        server.symbols["OLD_USDC"] = "Open"
        await ws.trades("OLD_USDC").ready()


async def test_markets_are_not_checked_on_choice() -> None:
    async with StreamServer() as server, streaming(server, check_symbols=False) as ws:
        await ws.trades("SOL_USDX").ready()
        assert not server.requests
        assert "trade.SOL_USDX" in server.peers[0].names


async def test_streams_start_all_the_same_when_markets_can_not_be_looked_up() -> None:
    async with StreamServer() as server, streaming(server) as ws:
        server.rest = lambda _path, _query: (500, {"code": "X", "message": "down"})
        await ws.trades("SOL_USDX").ready()


async def test_streams_do_not_wait_for_ever_until_markets_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symbols, "_PATIENCE", 0.02)
    async with StreamServer() as server, streaming(server) as ws:
        server.silent_rest = True
        streams: list[Subscription[Any]] = [ws.trades(S), ws.tickers(S), ws.trades("SOL_USDX")]
        await asyncio.gather(*(stream.ready(timeout=5) for stream in streams))
        server.silent_rest = False
        with pytest.raises(StreamError):
            await ws.trades("SOL_USDX").ready()


async def test_order_books_refuse_markets_like_streams_do() -> None:
    async with StreamServer() as server, client_of(server) as bp:
        with pytest.raises(StreamError, match="did you mean SOL_USDC"):
            async with bp.order_books("SOL_USDX", S, options=options()):
                pass
        await until(lambda: not server.open_sockets)

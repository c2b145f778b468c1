"""What the libraries do themselves, without a network: both sides get the reply's bytes from memory."""

from __future__ import annotations

import json
from typing import Any

from _clients import ccxt_exchange, skipped
from _measure import Case
from _payloads import ORDER_ID, ORDER_REPLY, markets_reply


def _ccxt_in_memory(replies: dict[str, bytes]) -> Any:
    """A ccxt exchange whose HTTP layer answers at once; it still decodes and parses the bytes."""
    exchange = ccxt_exchange("ccxt", "http://127.0.0.1")

    def fetch(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        del method, headers, body
        return exchange.parse_json(replies[url.split("?")[0].rpartition("/")[2]].decode())

    exchange.fetch = fetch
    return exchange


def sdk_order() -> Case:
    """Everything the SDK does for an order except waiting for the network: build, sign, encode, decode."""
    from backpack_sdk import Backpack, Credentials, operations
    from backpack_sdk._calls import Attempt
    from backpack_sdk._wire import RawResponse

    client = Backpack(Credentials.generate(), rate_limit=None)

    def call() -> Any:
        request = operations.order.execute_order("SOL_USDC", "Bid", "Limit", price="141.2", quantity="0.5")
        steps = client._caller.call(request)
        attempt = next(steps)
        if not isinstance(attempt, Attempt):
            raise RuntimeError("the SDK paused")
        client._to_http(attempt)
        try:
            steps.send(RawResponse(request, 200, {}, ORDER_REPLY))
        except StopIteration as done:
            return done.value

    case = Case("backpack_sdk", call)
    if case.call().id != ORDER_ID:
        raise RuntimeError("the SDK did not parse the order")
    return case


def sdk_markets() -> Case:
    from backpack_sdk import operations
    from backpack_sdk._wire import RawResponse

    reply = RawResponse(operations.markets.get_markets(), 200, {}, markets_reply())
    case = Case("backpack_sdk", reply.parse)
    if case.call()[0].symbol != "SOL_USDC":
        raise RuntimeError("the SDK did not parse the markets")
    return case


def ccxt_order() -> Case:
    replies = {"markets": markets_reply(), "assets": b"[]", "securities": b"[]", "order": ORDER_REPLY}
    exchange = _ccxt_in_memory(replies)
    exchange.load_markets()
    case = Case("ccxt", lambda: exchange.create_order("SOL/USDC", "limit", "buy", 0.5, 141.2))
    if case.call()["id"] != ORDER_ID:
        raise RuntimeError("ccxt did not parse the order")
    return case


def ccxt_markets() -> Case:
    """`load_markets` with no currencies and no tokenised stocks to add, which is less than it does for real."""
    exchange = _ccxt_in_memory({"markets": markets_reply(), "assets": b"[]", "securities": b"[]"})
    case = Case("ccxt load_markets", lambda: exchange.load_markets(True))
    if "SOL/USDC" not in case.call():
        raise RuntimeError("ccxt did not parse the markets")
    return case


def json_markets() -> Case:
    data = markets_reply()
    return Case("json.loads alone", lambda: json.loads(data))


ORDER_WORK = [sdk_order, ccxt_order]
MARKETS = [sdk_markets, json_markets, ccxt_markets]


def open_cases(factories: list[Any]) -> tuple[list[Case], list[str]]:
    """Every case whose package is installed, and a line for each that is not."""
    cases: list[Case] = []
    missing: list[str] = []
    for factory in factories:
        try:
            cases.append(factory())
        except (ImportError, AttributeError) as error:
            missing.append(skipped(factory, error))
    return cases, missing

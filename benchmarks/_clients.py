"""A signed limit order through each client. Each factory raises ImportError when its package is not installed."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

from _measure import AsyncCase, Case
from _payloads import API_KEY, ORDER_BODY, ORDER_HEADERS, ORDER_ID, SEED

_ORDER_PATH = "/api/v1/order"
_SDK_ORDER = {"symbol": "SOL_USDC", "side": "Bid", "order_type": "Limit", "price": "141.2", "quantity": "0.5"}


def _import(name: str) -> Any:
    return importlib.import_module(name)


def _checked(name: str, order: Any) -> None:
    found: Any = order.id if hasattr(order, "id") else order["id"]
    if found != ORDER_ID:
        raise RuntimeError(f"{name} returned {order!r} instead of the order")


def _case(name: str, call: Any, close: Any = lambda: None, *, slow: bool = False) -> Case:
    _checked(name, call())
    return Case(name, call, slow=slow, close=close)


async def _async_case(name: str, call: Any, close: Any) -> AsyncCase:
    _checked(name, await call())
    return AsyncCase(name, call, close)


def ccxt_exchange(module: str, base_url: str) -> Any:
    """ccxt's Backpack class with its own throttle off, as ours is."""
    exchange = _import(module).backpack({"apiKey": API_KEY, "secret": SEED, "enableRateLimit": False})
    exchange.urls["api"] = {"public": base_url, "private": base_url}
    return exchange


def sdk_sync(base_url: str) -> Case:
    sdk = _import("backpack_sdk")
    client = sdk.Backpack(sdk.Credentials(SEED), base_url=base_url, rate_limit=None).__enter__()
    return _case(
        "backpack_sdk sync",
        lambda: client.order.execute_order(**_SDK_ORDER),
        lambda: client.__exit__(None, None, None),
    )


def httpx_sync(base_url: str) -> Case:
    client = _import("httpx").Client(trust_env=False)
    return _case(
        "bare httpx sync",
        lambda: client.post(base_url + _ORDER_PATH, content=ORDER_BODY, headers=ORDER_HEADERS).json(),
        client.close,
    )


def requests_sync(base_url: str) -> Case:
    session = _import("requests").Session()
    return _case(
        "bare requests",
        lambda: session.post(base_url + _ORDER_PATH, data=ORDER_BODY, headers=ORDER_HEADERS).json(),
        session.close,
    )


def bpx_py(base_url: str) -> Case:
    _import("bpx.base.base_account").BaseAccount.BPX_API_URL = base_url + "/"
    account = _import("bpx.account").Account(API_KEY, SEED)
    return _case(
        "bpx-py",
        lambda: account.execute_order("SOL_USDC", "Bid", "Limit", price="141.2", quantity="0.5"),
        slow=True,  # it opens a connection for every call
    )


def backpack_exchange_sdk(base_url: str) -> Case:
    client = _import("backpack_exchange_sdk").AuthenticationClient(API_KEY, SEED)
    client.base_url = base_url + "/"
    return _case(
        "backpack-exchange-sdk",
        lambda: client.execute_order("Limit", "Bid", "SOL_USDC", price="141.2", quantity="0.5"),
        client.session.close,
    )


def ccxt_sync(base_url: str) -> Case:
    exchange = ccxt_exchange("ccxt", base_url)
    exchange.load_markets()
    return _case(
        "ccxt sync",
        lambda: exchange.create_order("SOL/USDC", "limit", "buy", 0.5, 141.2),
        exchange.session.close,
    )


async def sdk_async(base_url: str) -> AsyncCase:
    sdk = _import("backpack_sdk")
    client = await sdk.AsyncBackpack(sdk.Credentials(SEED), base_url=base_url, rate_limit=None).__aenter__()
    return await _async_case(
        "backpack_sdk async",
        lambda: client.order.execute_order(**_SDK_ORDER),
        lambda: client.__aexit__(None, None, None),
    )


async def httpx_async(base_url: str) -> AsyncCase:
    httpx = _import("httpx")
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    client = httpx.AsyncClient(trust_env=False, limits=limits)

    async def call() -> Any:
        response = await client.post(base_url + _ORDER_PATH, content=ORDER_BODY, headers=ORDER_HEADERS)
        return response.json()

    return await _async_case("bare httpx async", call, client.aclose)


async def aiohttp_async(base_url: str) -> AsyncCase:
    session = _import("aiohttp").ClientSession()

    async def call() -> Any:
        async with session.post(base_url + _ORDER_PATH, data=ORDER_BODY, headers=ORDER_HEADERS) as response:
            return await response.json()

    return await _async_case("bare aiohttp", call, session.close)


async def ccxt_async(base_url: str) -> AsyncCase:
    exchange = ccxt_exchange("ccxt.async_support", base_url)
    await exchange.load_markets()
    return await _async_case(
        "ccxt async",
        lambda: exchange.create_order("SOL/USDC", "limit", "buy", 0.5, 141.2),
        exchange.close,
    )


SYNC = [sdk_sync, httpx_sync, requests_sync, bpx_py, backpack_exchange_sdk, ccxt_sync]
ASYNC = [sdk_async, httpx_async, aiohttp_async, ccxt_async]


def skipped(factory: Any, error: Exception) -> str:
    return f"{factory.__name__}: skipped, {type(error).__name__}: {error}"


def open_sync(base_url: str) -> tuple[list[Case], list[str]]:
    """Every blocking client that is installed, and a line for each that is not."""
    cases: list[Case] = []
    missing: list[str] = []
    for factory in SYNC:
        try:
            cases.append(factory(base_url))
        except (ImportError, AttributeError) as error:
            missing.append(skipped(factory, error))
    return cases, missing


def open_async(runner: asyncio.Runner, base_url: str) -> tuple[list[AsyncCase], list[str]]:
    """Every asynchronous client that is installed, and a line for each that is not."""
    cases: list[AsyncCase] = []
    missing: list[str] = []
    for factory in ASYNC:
        try:
            cases.append(runner.run(factory(base_url)))
        except (ImportError, AttributeError) as error:
            missing.append(skipped(factory, error))
    return cases, missing

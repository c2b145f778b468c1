"""Benchmark of the embedded exchange: `python benchmarks/paper.py [--quick]`.

Orders per second through the engine alone and over HTTP, and book events per second streamed to one client. The server
has a process and a core of its own, the client the other one. Next to rates as measured stands the CPU time that one
order or event takes: on a machine that does other things too, that is what tells how many a free core could do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
from _measure import record
from _paper_server import TICK, Served, market, running_exchange
from _server import pin

from backpack_sdk import AsyncBackpack, Backpack, Credentials
from backpack_sdk.paper.engine import Exchange, NewOrder, OrderType, Side

ENGINE_TARGET = 20_000
STREAM_TARGET = 10_000
MARKETS = 91
NAMES = tuple(market(number).spec.symbol for number in range(MARKETS))


@dataclass
class Rate:
    """How often something happened per second, turn by turn: by the clock, and by the CPU time that it took."""

    wall: list[float] = field(default_factory=list[float])
    cpu: list[float] = field(default_factory=list[float])

    def add(self, count: int, wall: float, cpu: float) -> None:
        """Count one turn."""
        self.wall.append(count / wall)
        self.cpu.append(count / cpu)

    @property
    def per_core(self) -> float:
        """What one core could do, by the best turn: others only take away from that."""
        return max(self.cpu)

    def row(self, name: str) -> str:
        """One line of a table."""
        median = statistics.median(self.wall)
        return f"  {name:44}{median:10.0f}{max(self.wall):10.0f}{self.per_core:12.0f}{1e6 / self.per_core:10.1f}"


HEAD = f"  {'':44}{'per s':>10}{'best':>10}{'per s CPU':>12}{'us each':>10}"


def say(line: str = "") -> None:
    print(line, flush=True)


# The engine alone


def engine_of(symbol: str) -> Exchange:
    """An exchange without I/O, and two accounts that can pay for everything."""
    exchange = Exchange([market(0).spec, market(1).spec])
    for account in ("maker", "taker"):
        exchange.open_account(account)
        for asset in ("USDC", exchange.market(symbol).base):
            exchange.deposit(account, asset, Decimal(10) ** 15, now_us=0)
    return exchange


def limit(symbol: str, side: Side, ticks: int, *, quantity: Decimal = Decimal("0.5")) -> NewOrder:
    """A limit order."""
    return NewOrder(symbol=symbol, side=side, order_type=OrderType.LIMIT, price=ticks * TICK, quantity=quantity)


def rest(symbol: str, orders: int) -> Callable[[], object]:
    """Orders that all rest, on two hundred levels."""
    exchange, chance = engine_of(symbol), Random(1)
    requests = [limit(symbol, Side.BID, 10_000 - chance.randrange(200)) for _ in range(orders)]
    return lambda: [exchange.execute("maker", order, now_us=1) for order in requests]


def match(symbol: str, orders: int) -> Callable[[], object]:
    """Orders that each trade with one that rests."""
    exchange = engine_of(symbol)
    for number in range(orders):
        exchange.execute("maker", limit(symbol, Side.BID, 10_000 - number % 200), now_us=1)
    requests = [limit(symbol, Side.ASK, 9_800) for _ in range(orders)]
    return lambda: [exchange.execute("taker", order, now_us=2) for order in requests]


def mixed(symbol: str, orders: int) -> Callable[[], object]:
    """Of ten commands five rest, one trades, and four cancel. What trades and what is cancelled lie at other prices."""
    exchange, chance = engine_of(symbol), Random(2)
    for _ in range(orders):
        exchange.execute("maker", limit(symbol, Side.BID, 10_000), now_us=1)
    kinds = chance.choices(("rest", "match", "cancel"), (5, 1, 4), k=orders)
    requests = [limit(symbol, Side.BID, 9_900 - chance.randrange(200)) for _ in range(orders)]
    ask = limit(symbol, Side.ASK, 10_000)
    resting: list[int] = []

    def run() -> None:
        for kind, order in zip(kinds, requests, strict=True):
            if kind == "match":
                exchange.execute("taker", ask, now_us=2)
            elif kind == "rest" or not resting:
                resting.append(exchange.execute("maker", order, now_us=2).value.id)
            else:
                number = resting.pop(chance.randrange(len(resting)))
                exchange.cancel("maker", symbol, order_id=number, now_us=2)

    return run


def engine_alone(turns: int, orders: int) -> dict[str, Rate]:
    """Time the engine. Making the orders is not counted."""
    cases = {"limit orders that rest": rest, "limit orders that trade": match, "5 rest, 1 trades, 4 cancel": mixed}
    rates: dict[str, Rate] = {}
    for _ in range(turns):
        for kind, symbol in (("spot", NAMES[0]), ("perpetual", NAMES[1])):
            for name, prepare in cases.items():
                run = prepare(symbol, orders)
                wall, cpu = time.perf_counter(), time.process_time()
                run()
                rate = rates.setdefault(f"{kind}: {name}", Rate())
                rate.add(orders, time.perf_counter() - wall, time.process_time() - cpu)
    return rates


# Over HTTP


ORDER = {"symbol": NAMES[0], "side": "Bid", "order_type": "Limit", "price": "90", "quantity": "0.5"}


def over_http(turns: int, orders: int) -> tuple[dict[str, Rate], Rate]:
    """Time orders of the SDK's clients; the second figure is the CPU time of the server per order."""
    credentials = Credentials.generate()
    rates: dict[str, Rate] = {}
    server = Rate()
    with running_exchange(keys=(credentials.api_key,)) as served:
        cases = {
            "blocking, one at a time": lambda: _blocking(served, credentials, orders, 1),
            "blocking, 50 threads": lambda: _blocking(served, credentials, orders, 50),
            "async, one at a time": lambda: asyncio.run(_async(served, credentials, orders, 1)),
            "async, 50 at once": lambda: asyncio.run(_async(served, credentials, orders, 50)),
        }
        for _ in range(turns):
            for name, run in cases.items():
                spent = served.cpu()
                wall, cpu = run()
                rates.setdefault(name, Rate()).add(orders, wall, cpu)
                server.add(orders, wall, max(served.cpu() - spent, 0.001))
    return rates, server


def _options(served: Served) -> dict[str, object]:
    return {"base_url": served.url, "rate_limit": None, "trust_env": False}


def _blocking(served: Served, credentials: Credentials, orders: int, at_once: int) -> tuple[float, float]:
    with Backpack(credentials, **_options(served)) as client, ThreadPoolExecutor(at_once) as pool:  # type: ignore[arg-type]

        def place(count: int) -> None:
            for _ in range(count):
                client.order.execute_order(**ORDER)  # type: ignore[arg-type]

        list(pool.map(place, [1] * at_once))
        wall, cpu = time.perf_counter(), time.process_time()
        list(pool.map(place, [orders // at_once] * at_once))
        return time.perf_counter() - wall, time.process_time() - cpu


async def _async(served: Served, credentials: Credentials, orders: int, at_once: int) -> tuple[float, float]:
    async with AsyncBackpack(credentials, **_options(served)) as client:  # type: ignore[arg-type]

        async def place(count: int) -> None:
            for _ in range(count):
                await client.order.execute_order(**ORDER)  # type: ignore[arg-type]

        await asyncio.gather(*(place(1) for _ in range(at_once)))
        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(place(orders // at_once) for _ in range(at_once)))
        return time.perf_counter() - wall, time.process_time() - cpu


# Streams


@dataclass(frozen=True)
class Streamed:
    """Events that one client got, and CPU time of the server and of the client, in microseconds for each."""

    per_second: float
    server_us: float
    client_us: float


async def plain(served: Served, seconds: float) -> Streamed:
    """A client that counts frames and reads no more of them."""
    frames = 0
    async with aiohttp.ClientSession() as session, session.ws_connect(served.ws_url, max_msg_size=0) as socket:
        await socket.send_str(json.dumps({"method": "SUBSCRIBE", "params": [f"depth.{name}" for name in NAMES]}))
        await socket.receive()
        started, spent, own = time.perf_counter(), served.cpu(), time.process_time()
        while time.perf_counter() - started < seconds:
            await socket.receive()
            frames += 1
        passed = time.perf_counter() - started
    return _streamed(frames, passed, served.cpu() - spent, time.process_time() - own)


async def sdk(served: Served, seconds: float) -> Streamed:
    """The SDK's order books of every market."""
    updates = 0

    def count(_book: object) -> None:
        nonlocal updates
        updates += 1

    options = {"base_url": served.url, "ws_url": served.ws_url, "rate_limit": None, "trust_env": False}
    async with AsyncBackpack(**options) as client, client.order_books(*NAMES) as books:  # type: ignore[arg-type]
        await books.wait_live(timeout=60)
        books.on_update(count)
        started, spent, own = time.perf_counter(), served.cpu(), time.process_time()
        await asyncio.sleep(seconds)
        passed = time.perf_counter() - started
        return _streamed(updates, passed, served.cpu() - spent, time.process_time() - own)


def _streamed(events: int, seconds: float, server: float, client: float) -> Streamed:
    return Streamed(events / seconds, server / events * 1e6, client / events * 1e6)


def streams(turns: int, seconds: float) -> dict[str, list[Streamed]]:
    """Stream the flow of 91 markets, at the highest rate there is, to one client at a time."""
    found: dict[str, list[Streamed]] = {}
    with running_exchange(rate=STREAM_TARGET, markets=MARKETS) as served:
        for _ in range(turns):
            for name, client in (("a client that counts frames", plain), ("the SDK's order books", sdk)):
                found.setdefault(name, []).append(asyncio.run(client(served, seconds)))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a short run, to see that it works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="add every figure to FILE")
    options = parser.parse_args()
    turns, orders, seconds = (1, 1_000, 2.0) if options.quick else (5, 5_000, 6.0)
    pin(-1)
    say(f"python {platform.python_version()}, server on one core, client on another")

    engine = engine_alone(turns, orders)
    say(f"\nThe engine alone, orders and cancels\n{HEAD}")
    for name, rate in engine.items():
        say(rate.row(name))

    http, server = over_http(turns, orders // 5)
    say(f"\nOver HTTP, orders that rest (CPU time is the client's)\n{HEAD}")
    for name, rate in http.items():
        say(rate.row(name))
    say(f"  the server takes {1e6 / server.per_core:.0f} us of CPU time for an order, in its best turn")

    streamed = streams(min(turns, 3), seconds)
    say(f"\nBook events of {MARKETS} markets to one client, flow at {STREAM_TARGET} a second")
    say(f"  {'':44}{'per s':>10}{'best':>10}{'server us':>12}{'client us':>10}{'server, free core':>20}")
    for name, runs in streamed.items():
        rates = [run.per_second for run in runs]
        server_us, client_us = (min(getattr(run, which) for run in runs) for which in ("server_us", "client_us"))
        say(
            f"  {name:44}{statistics.median(rates):10.0f}{max(rates):10.0f}"
            f"{server_us:12.1f}{client_us:10.1f}{1e6 / server_us:14.0f} per s"
        )

    met = {f"engine, {name}: {ENGINE_TARGET} per second of one core": rate.per_core >= ENGINE_TARGET
           for name, rate in engine.items() if "5 rest" in name}  # fmt: skip
    best = max(max(run.per_second for run in runs) for runs in streamed.values())
    met[f"{STREAM_TARGET} book events a second reach one client (97 % of them)"] = best >= STREAM_TARGET * 0.97
    say("\nTargets")
    for target, is_met in met.items():
        say(f"  {'met' if is_met else 'NOT MET':14}{target}")
    if options.json is not None:
        tables: dict[str, dict[str, Any]] = {"engine": engine, "http": http}
        figures: dict[str, Any] = {
            title: {name: asdict(rate) for name, rate in table.items()} for title, table in tables.items()
        }
        figures["streamed"] = {name: [asdict(run) for run in runs] for name, runs in streamed.items()}
        record(options.json, "paper", {"server": asdict(server), **figures, "targets": met})
    return 0 if all(met.values()) else 1


if __name__ == "__main__":
    sys.exit(main())

"""The soak: ten clients of the SDK, many markets, synthetic flow, faults by rate, for as long as asked.

    python tests/soak/run.py [SECONDS]         (`nox -s soak -- SECONDS`; 600 when not given)

Raises `Broken` as soon as something does not hold; prints figures otherwise.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from backpack_sdk.paper import Fault, FaultRates, Flow, PaperExchange
from backpack_sdk.paper.engine import MARKET_MAKER, NewOrder, OrderType, Side
from backpack_sdk.paper.flow.runner import MAKER, TAKER

from .audit import Auditor, require
from .markets import make_markets
from .traders import AsyncTrader, SyncTrader, Trader

MIB = 1 << 20
REST_FAULTS = (
    Fault.drop(takes_effect=False),
    Fault.drop(takes_effect=True),
    Fault.status(503),
    Fault.status(429, "TOO_MANY_REQUESTS", headers={"Retry-After": "0"}),
    Fault.status(500, takes_effect=True),
    Fault.garbage(),
    Fault.truncate(),
    Fault.delay(0.05),
    Fault.delay(0.05, after=True),
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long, how much, how bad. `pause` is the average of seconds between two commands of a client."""

    seconds: float = 600.0
    markets: int = 91
    blocking: int = 5
    asynchronous: int = 5
    rate: float = 150.0
    pause: float = 0.4
    rest_faults: float = 0.03
    socket_faults: FaultRates = field(
        default_factory=lambda: FaultRates(
            drop=0.001, duplicate=0.001, swap=0.001, garble=0.0002, fragment=0.002, abort=0.0001
        )
    )
    audit_every: float = 10.0
    seed: int = 1


@dataclass
class Figures:
    """What a soak came to."""

    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter[str])
    memory: list[int] = field(default_factory=list[int])
    """Resident bytes at each audit."""
    orders: list[int] = field(default_factory=list[int])
    """Orders that the exchange remembers of the clients, at each audit."""

    def growth(self) -> tuple[int, int]:
        """Bytes by which memory grew since a third of the time had passed, and the orders that came meanwhile."""
        start = len(self.memory) // 3
        return self.memory[-1] - self.memory[start], self.orders[-1] - self.orders[start]


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def soak(plan: Plan) -> Figures:
    """Carry a plan out. Raises Broken when something does not hold."""
    flow = Flow(rate=plan.rate, seed=plan.seed, levels=20, kept_trades=20)
    exchange = PaperExchange(markets=make_markets(plan.markets, plan.seed), flow=flow, seed=plan.seed)
    with exchange:
        auditor = Auditor(exchange)
        balances = {asset: 1_000_000 if asset == "USDC" else 5_000 for asset in auditor.assets}
        async_traders = [AsyncTrader(number, auditor, plan.seed) for number in range(1, plan.asynchronous + 1)]
        sync_traders = [
            SyncTrader(number, auditor, plan.seed)
            for number in range(plan.asynchronous + 1, plan.asynchronous + plan.blocking + 1)
        ]
        traders: list[Trader] = [*async_traders, *sync_traders]
        for trader in traders:
            exchange.add_account(trader.account, balances)
        auditor.begin()
        exchange.faults.random(plan.rest_faults, *REST_FAULTS, seed=plan.seed)
        # Private messages carry no numbers: nobody could notice that one is lost while the connection holds.
        private = replace(plan.socket_faults, drop=0.0, swap=0.0, garble=0.0)
        exchange.socket_faults.random(private, seed=plan.seed, stream="account.*")
        exchange.socket_faults.random(plan.socket_faults, seed=plan.seed)
        stop, check = asyncio.Event(), asyncio.Event()
        thread_stop, thread_check = threading.Event(), threading.Event()
        running = [asyncio.create_task(trader.run(stop, check, plan.pause)) for trader in async_traders]
        running += [
            asyncio.create_task(asyncio.to_thread(trader.run, thread_stop, thread_check, plan.pause))
            for trader in sync_traders
        ]
        try:
            figures = await _watch(plan, auditor, traders, running)
            stop.set()
            thread_stop.set()
            await asyncio.to_thread(_calm, exchange, auditor)
            check.set()
            thread_check.set()
            await asyncio.gather(*running)
        finally:
            thread_stop.set()
            thread_check.set()
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        auditor.check_money(accounts(traders))
        auditor.stop()
        _sum_up(figures, auditor, traders)
        return figures


def accounts(traders: list[Trader]) -> list[str]:
    """Every account that trades."""
    return [MAKER, TAKER, MARKET_MAKER, *(trader.account for trader in traders)]


async def _watch(plan: Plan, auditor: Auditor, traders: list[Trader], running: list[asyncio.Task[None]]) -> Figures:
    """Audit the exchange over and over until the time is up."""
    while not all(trader.ready.is_set() for trader in traders):
        done, _ = await asyncio.wait(running, timeout=0.02)
        require(not done, f"a client did not get ready: {[task.exception() for task in done]}")
    figures, started = Figures(), time.monotonic()
    while (passed := time.monotonic() - started) < plan.seconds:
        done, _ = await asyncio.wait(running, timeout=min(plan.audit_every, plan.seconds - passed))
        for task in done:
            task.result()
        require(not done, "a client has ended before its time")
        for trader in traders:
            if trader.failure is not None:
                raise trader.failure
        figures.orders.append(await asyncio.to_thread(_audit, auditor, traders))
        figures.memory.append(resident())
    figures.seconds = time.monotonic() - started
    return figures


def _audit(auditor: Auditor, traders: list[Trader]) -> int:
    auditor.exchange.clear_requests()
    auditor.check_money(accounts(traders))
    return sum(auditor.check_orders(trader.account, dict(trader.ledger.accepted)) for trader in traders)


def _calm(exchange: PaperExchange, auditor: Auditor) -> None:
    """End faults and flow, and let every book change twice, so that whoever missed something notices."""
    exchange.faults.clear()
    exchange.socket_faults.clear()
    flow = exchange.flow
    flow.options = replace(flow.options, rate=0)
    with exchange.lock:
        for symbol in auditor.symbols:
            spec = exchange.engine.market(symbol)
            bid = NewOrder(
                symbol=symbol,
                side=Side.BID,
                order_type=OrderType.LIMIT,
                price=spec.min_price,
                quantity=Decimal(1),
                post_only=True,
            )
            for _ in range(2):
                exchange.engine.execute(MAKER, bid, now_us=exchange.clock())


def _sum_up(figures: Figures, auditor: Auditor, traders: list[Trader]) -> None:
    counts = figures.counts
    for trader in traders:
        require(trader.failure is None, f"a reader of books failed: {trader.failure!r}")
        counts += trader.ledger.counts
        counts["accepted"] += len(trader.ledger.accepted)
        counts["refused"] += len(trader.ledger.refused)
        counts["unknown"] += len(trader.ledger.unknown)
        counts["book updates"] += trader.books_seen
        counts["trades seen"] += trader.trades_seen
        counts["resyncs"] += trader.resyncs
        counts["reconnects"] += trader.reconnects
    counts["book events"], counts["trades"] = auditor.book_events, auditor.trades
    counts["books compared"], counts["audits"] = auditor.books_compared, auditor.audits


def report(plan: Plan, figures: Figures) -> str:
    """The figures as text."""
    counts = figures.counts
    grown, orders = figures.growth()
    kinds = ("limit", "market", "batch", "cancel", "cancel all")
    first, warm, last = (figures.memory[at] / MIB for at in (0, len(figures.memory) // 3, -1))
    lines = [
        f"{plan.blocking} blocking and {plan.asynchronous} async clients, {plan.markets} markets,"
        f" {figures.seconds:.0f} s, seed {plan.seed}",
        f"exchange: {counts['book events']} book events, {counts['trades']} trades,"
        f" {counts['audits']} audits of all money and orders",
        "commands: " + ", ".join(f"{counts[kind]} {kind}" for kind in kinds),
        f"orders sent: {counts['accepted']} accepted, {counts['refused']} refused,"
        f" {counts['unknown']} of unknown outcome, {counts['found']} of which exist;"
        f" {counts['orders']} exist in all, each once",
        "errors: " + ", ".join(f"{number} {name}" for name, number in sorted(counts.items()) if name[0].isupper()),
        f"clients: {counts['book updates']} book updates, {counts['books compared']} of them compared with the engine's"
        f" book, {counts['resyncs']} snapshots to mend books, {counts['reconnects']} reconnections,"
        f" {counts['trades seen']} trades seen",
        "MiB over time: "
        + " ".join(f"{size / MIB:.0f}" for size in figures.memory[:: max(1, len(figures.memory) // 12)]),
        f"memory: {first:.0f} MiB at first, {warm:.0f} MiB after a third, {last:.0f} MiB at the end:"
        f" {grown / MIB:+.1f} MiB while {orders} orders came",
    ]
    return "\n".join(lines)

"""The embedded exchange in a process and on a core of its own: `_paper_server.py RATE MARKETS [API_KEY ...]`.

Prints its REST and its WebSocket address, one a line, and serves until it is terminated.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from _server import pin

from backpack_sdk.paper import Flow, PaperExchange, PaperMarket
from backpack_sdk.paper.engine import FuturesSpec, Ladder, MarginFunction, MarketSpec, MarketType

CORES = os.sched_getaffinity(0) if sys.platform == "linux" else set[int]()
TICK = Decimal("0.01")
FUTURES = FuturesSpec(
    imf=MarginFunction(Decimal("0.02"), Decimal("0.00008")), mmf=MarginFunction(Decimal("0.0125"), Decimal("0.00005"))
)


@dataclass(frozen=True)
class Served:
    """Where it serves, and how much CPU time it has taken."""

    process: subprocess.Popen[str]
    url: str
    ws_url: str

    def cpu(self) -> float:
        """Seconds of CPU time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def market(number: int) -> PaperMarket:
    """Spot and perpetual markets in turn."""
    perpetual = number % 2 == 1
    spec = MarketSpec(
        symbol=f"T{number // 2:02}_USDC_PERP" if perpetual else f"T{number // 2:02}_USDC",
        base=f"T{number // 2:02}",
        quote="USDC",
        market_type=MarketType.PERP if perpetual else MarketType.SPOT,
        futures=FUTURES if perpetual else None,
        tick_size=TICK,
        step_size=TICK,
        min_price=TICK,
        min_quantity=TICK,
    )
    return PaperMarket(spec, (Ladder(mid=Decimal(100), quantity=Decimal(5), levels=25, gap_ticks=2),))


@contextlib.contextmanager
def running_exchange(*, rate: float = 0, markets: int = 1, keys: tuple[str, ...] = ()) -> Generator[Served]:
    """Start it, and keep this process on another core from then on."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, CORES)  # which the new process inherits, to choose from
    command = [sys.executable, __file__, str(rate), str(markets), *keys]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        served = Served(process, process.stdout.readline().strip(), process.stdout.readline().strip())
        pin(-1)
        yield served
    finally:
        process.terminate()
        process.wait()


async def _serve(rate: float, markets: int, keys: list[str]) -> None:
    flow = Flow(rate=rate, kept_trades=1_000) if rate else None
    exchange = PaperExchange(markets=[market(number) for number in range(markets)], flow=flow)
    for key in keys:
        exchange.add_account(key, {"USDC": 10**12, "T00": 10**9})
    async with exchange:
        print(exchange.base_url)
        print(exchange.ws_url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    pin(0)
    asyncio.run(_serve(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))

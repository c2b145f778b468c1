"""REST benchmark: `python benchmarks/rest.py [--quick] [--json FILE]`.

Measures backpack_sdk side by side with bare HTTP libraries and with other Backpack clients, in one run, against one
server on the loopback interface, and says for each target whether it is met. What is not installed is left out.
See `benchmarks/requirements.txt` for how to set up the environment.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import _clients
import _memory
import _startup
from _measure import AsyncCase, Case, Load, Timing, interleave, record, versions
from _server import pin, running_server

AT_ONCE = 50
PACKAGES = [
    "backpack_sdk", "httpx", "aiohttp", "requests", "bpx-py", "backpack-exchange-sdk", "ccxt", "orjson", "cryptography",
    "PyNaCl", "pydantic", "msgspec",
]  # fmt: skip
REQUESTS_BASED = ["ccxt sync", "backpack-exchange-sdk", "bpx-py", "bare requests"]


def say(line: str = "") -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def show(title: str, timings: dict[str, Timing], reference: str, *, unit: float = 1e6, suffix: str = "us") -> None:
    """Print one table; ratios are of medians, to the reference's."""
    say(f"\n{title}")
    say(f"  {'':40}{'median ' + suffix:>12}{'p99':>10}{'best':>10}{'ratio':>8}")
    base = timings.get(reference)
    for name, timing in timings.items():
        ratio = f"{timing.median / base.median:8.2f}" if base is not None else f"{'-':>8}"
        figures = f"{timing.median * unit:12.1f}{timing.p99 * unit:10.1f}{timing.best * unit:10.1f}"
        say(f"  {name:40}{figures}{ratio}")


def show_load(loads: dict[str, Load]) -> None:
    say(f"\nOrder round trip, async, {AT_ONCE} at once (one process, one core)")
    say(f"  {'':40}{'req/s':>12}{'p50 us':>10}{'p99':>10}{'ratio':>8}")
    base = loads.get("ccxt async")
    for name, load in loads.items():
        ratio = f"{load.rate / base.rate:8.2f}" if base is not None else f"{'-':>8}"
        say(f"  {name:40}{load.rate:12.0f}{load.p50 * 1e6:10.0f}{load.p99 * 1e6:10.0f}{ratio}")


def round_trips(base_url: str, *, rounds: int, calls: int) -> tuple[dict[str, Timing], dict[str, Load]]:
    """Time every client's order, blocking and async ones in turn."""
    with asyncio.Runner() as runner:
        sync_cases, missing = _clients.open_sync(base_url)
        async_cases, also_missing = _clients.open_async(runner, base_url)
        for line in missing + also_missing:
            say(f"  {line}")
        _run_rounds(runner, sync_cases, async_cases, rounds=rounds, calls=calls)
        for case in sync_cases:
            case.close()
        for async_case in async_cases:
            runner.run(_close(async_case))
    cases: list[Case | AsyncCase] = [*sync_cases, *async_cases]
    return {case.name: Timing.of(case.rounds) for case in cases}, {case.name: case.load() for case in async_cases}


async def _close(case: AsyncCase) -> None:
    await case.close()


def _run_rounds(
    runner: asyncio.Runner, sync_cases: list[Case], async_cases: list[AsyncCase], *, rounds: int, calls: int
) -> None:
    for number in range(rounds + 1):
        for case in sync_cases:
            case.run(calls)
        for async_case in async_cases:
            runner.run(async_case.run(calls))
        for async_case in async_cases:
            runner.run(async_case.run_loaded(calls * 2, AT_ONCE))
        if number == 0:  # the first round only warms up
            for case in sync_cases:
                case.rounds.clear()
            for async_case in async_cases:
                for kept in (async_case.rounds, async_case.loaded, async_case.rates):
                    kept.clear()


def in_memory(factories: list[Any], *, rounds: int, calls: int) -> dict[str, Timing]:
    cases, missing = _memory.open_cases(factories)
    for line in missing:
        say(f"  {line}")
    interleave(cases, rounds=rounds, calls=calls)
    return {case.name: Timing.of(case.rounds) for case in cases}


def startup(base_url: str, *, rounds: int) -> dict[str, Timing]:
    with _startup.open_cases(base_url) as (cases, missing):
        for line in missing:
            say(f"  {line}")
        _startup.time_programs(cases, rounds=rounds)
        return {case.name: Timing.of(case.rounds) for case in cases}


def targets(
    trips: dict[str, Timing],
    loads: dict[str, Load],
    work: dict[str, Timing],
    markets: dict[str, Timing],
    start: dict[str, Timing],
) -> dict[str, bool | None]:
    """Each target and whether it is met; None where something it needs was not measured."""
    met: dict[str, bool | None] = {}

    def compare(target: str, ours: float | None, theirs: float | None, factor: float = 1.0) -> None:
        met[target] = ours <= factor * theirs if ours is not None and theirs is not None else None

    def median(table: dict[str, Timing], row: str) -> float | None:
        return table[row].median if row in table else None

    def order(target: str, ours: str, theirs: str, factor: float = 1.0) -> None:
        compare(target, median(trips, ours), median(trips, theirs), factor)

    order("async order, one at a time: median <= 0.8 of ccxt async's", "backpack_sdk async", "ccxt async", 0.8)
    ours, theirs = loads.get("backpack_sdk async"), loads.get("ccxt async")
    at_once: dict[str, bool | None] = dict.fromkeys(("more requests/s", "lower p50", "lower p99"))
    if ours is not None and theirs is not None:
        at_once = {
            "more requests/s": ours.rate > theirs.rate,
            "lower p50": ours.p50 < theirs.p50,
            "lower p99": ours.p99 < theirs.p99,
        }
    met |= {f"async order, {AT_ONCE} at once: {what} than ccxt async": result for what, result in at_once.items()}
    order("sync order: median <= 0.65 of ccxt sync's", "backpack_sdk sync", "ccxt sync", 0.65)
    for name in REQUESTS_BASED:
        order(f"sync order: median below that of {name}", "backpack_sdk sync", name)
    compare("the SDK's own work per order: < 50 us", median(work, "backpack_sdk"), 50e-6)
    compare(
        "/markets: at least 3 times as fast as load_markets",
        median(markets, "backpack_sdk"),
        median(markets, "ccxt load_markets"),
        1 / 3,
    )
    empty = median(start, "import an empty package")
    compare(
        "import backpack_sdk: within 5 ms of an empty package",
        median(start, "import backpack_sdk"),
        empty + 5e-3 if empty is not None else None,
    )
    for kind, module in (("", "ccxt"), ("async ", "ccxt.async_support")):
        compare(
            f"imports and first {kind}order: no slower than `import {module}`",
            median(start, f"import backpack_sdk + first {kind}order"),
            median(start, f"import {module}"),
        )
    return met


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: some seconds instead of a minute or two")
    parser.add_argument("--json", type=Path, metavar="FILE", help="add every figure, in seconds, to FILE")
    options = parser.parse_args()
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    logging.disable(logging.CRITICAL)  # ccxt logs every request at debug level
    sys.path.insert(0, str(_startup.SOURCE))
    pin(0)
    rounds, calls = (4, 50) if options.quick else (15, 150)
    installed = versions(PACKAGES)
    say(", ".join(f"{name} {number}" for name, number in installed.items()))

    with running_server() as base_url:
        trips, loads = round_trips(base_url, rounds=rounds, calls=calls)
        show("Order round trip, sync, one at a time", {k: v for k, v in trips.items() if k not in loads}, "ccxt sync")
        show("Order round trip, async, one at a time", {k: v for k, v in trips.items() if k in loads}, "ccxt async")
        show_load(loads)
        start = startup(base_url, rounds=rounds)
    work = in_memory(_memory.ORDER_WORK, rounds=rounds, calls=calls * 4)
    markets = in_memory(_memory.MARKETS, rounds=rounds, calls=max(5, calls // 20))
    show("Own work per order, in memory: build, sign, parse", work, "ccxt")
    show("Parsing /markets (384 markets), in memory", markets, "ccxt load_markets", unit=1e3, suffix="ms")
    show("Start-up, fresh interpreters", start, "import ccxt", unit=1e3, suffix="ms")

    met = targets(trips, loads, work, markets, start)
    say("\nTargets")
    words = {True: "met", False: "NOT MET", None: "not measured"}
    for target, result in met.items():
        say(f"  {words[result]:14}{target}")
    if options.json is not None:
        tables: dict[str, dict[str, Any]] = {
            "round_trip": trips,
            "at_once": loads,
            "order_work": work,
            "markets": markets,
            "startup": start,
        }
        figures = {title: {name: asdict(row) for name, row in table.items()} for title, table in tables.items()}
        record(options.json, "rest", {"versions": installed, **figures, "targets": met})
    return 1 if False in met.values() else 0


if __name__ == "__main__":
    sys.exit(main())

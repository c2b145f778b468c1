"""Streams benchmark: `python benchmarks/streams.py [--quick] [--json FILE]`.

Keeps the order books of 91 markets with backpack_sdk, ccxt.pro, cryptofeed's book and plain `websockets`, from the same
frames in one run, in memory and over the loopback interface, and says for each target whether it is met. Every final
book is compared with what it must be, level by level on both sides; one wrong level ends the run. Contenders take
turns, and ratios are medians over the turns. What is not installed is left out.
See `benchmarks/requirements.txt` for how to set up the environment.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import _books
import _snapshots
import _stream_clients
from _frames import LEVELS, Feed
from _measure import Timing, interleave, record, versions
from _server import pin
from _stream_server import running_stream_server

PACKAGES = [
    "backpack_sdk", "websockets", "msgspec", "ccxt", "aiohttp", "orjson", "cryptofeed", "order_book", "yapic.json",
]  # fmt: skip
RATE = 10_000
OURS, PARTS, CCXT = "backpack_sdk OrderBooks", "backpack_sdk decoder and OrderBook", "ccxt.pro"
CLIENTS = {
    "ours": "backpack_sdk OrderBooks, on_update",
    "ours_loop": "backpack_sdk OrderBooks, async for",
    "queued": "websockets, recv(), our OrderBook",
    "ccxt": "ccxt.pro, a task per market",
    "ccxt_at_once": "ccxt.pro, one task for all",
}


def say(line: str = "") -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@dataclass
class Table:
    """Figures of each contender, one per turn. Smaller is better."""

    rows: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def add(self, name: str, figure: float) -> None:
        self.rows.setdefault(name, []).append(figure)

    def median(self, name: str) -> float:
        return statistics.median(self.rows[name])

    def ratio(self, name: str, other: str) -> float | None:
        """How many times as fast `name` is as `other`: the median over the turns."""
        if name not in self.rows or other not in self.rows:
            return None
        return statistics.median(b / a for a, b in zip(self.rows[name], self.rows[other], strict=True))

    def show(self, title: str, reference: str, *, unit: float = 1e6, suffix: str = "us") -> None:
        say(f"\n{title}")
        say(f"  {'':40}{'median ' + suffix:>12}{'best':>10}{'speed':>8}")
        for name, figures in self.rows.items():
            ratio = self.ratio(name, reference)
            times = f"{ratio:8.2f}" if ratio is not None else f"{'-':>8}"
            say(f"  {name:40}{self.median(name) * unit:12.2f}{min(figures) * unit:10.2f}{times}")


@dataclass
class Paced:
    """Runs of one client at a fixed pace: share of a core that keeping up takes, delays in microseconds."""

    cpu: list[float] = field(default_factory=list[float])
    p50: list[float] = field(default_factory=list[float])
    p99: list[float] = field(default_factory=list[float])


def in_memory(feed: Feed, *, turns: int) -> tuple[Table, Table]:
    """CPU per frame: applying alone, and with best bid and ask read after every frame."""
    applied, read = Table(), Table()
    contenders, missing = _books.open_contenders(feed)
    for line in missing:
        say(f"  {line}")
    for _ in range(turns):
        for contender, frames in contenders:
            applied.add(contender.name, _books.run(contender, feed, frames, read=False))
            read.add(contender.name, _books.run(contender, feed, frames, read=True))
    return applied, read


def _run_client(name: str, url: str, feed: Path, rate: int, burst: int) -> Any:
    command = [sys.executable, _stream_clients.__file__, name, url, str(feed), str(rate), str(burst)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise RuntimeError(f"{CLIENTS[name]} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout)


def over_loopback(url: str, path: Path, feed: Feed, names: list[str], *, turns: int) -> tuple[Table, Table]:
    """Wall time and CPU time per frame, as fast as the client reads."""
    wall, cpu = Table(), Table()
    for _ in range(turns):
        for name in names:
            run = _run_client(name, url, path, 0, 1)
            wall.add(CLIENTS[name], run["wall"] / len(feed.frames))
            cpu.add(CLIENTS[name], run["cpu"] / len(feed.frames))
    return wall, cpu


def paced(url: str, path: Path, names: list[str], *, turns: int, burst: int) -> dict[str, Paced]:
    found = {name: Paced() for name in names}
    for _ in range(turns):
        for name in names:
            run = _run_client(name, url, path, RATE, burst)
            delays = sorted(run["delays"])
            found[name].cpu.append(run["cpu"] / len(delays) * RATE)
            found[name].p50.append(delays[len(delays) // 2])
            found[name].p99.append(delays[int(len(delays) * 0.99)])
    return found


def show_paced(title: str, runs: dict[str, Paced]) -> None:
    say(f"\n{title}")
    say(f"  {'':40}{'p50 us':>12}{'p99 us':>10}{'CPU':>8}{'CPU ratio':>11}")
    for name, run in runs.items():
        ratio = _paced_ratio(runs, name, "cpu")
        times = f"{ratio:11.2f}" if ratio is not None else f"{'-':>11}"
        p50, p99, cpu = map(statistics.median, (run.p50, run.p99, run.cpu))
        say(f"  {CLIENTS[name]:40}{p50:12.0f}{p99:10.0f}{cpu:8.1%}{times}")


def _paced_ratio(runs: dict[str, Paced], name: str, what: str) -> float | None:
    if "ccxt" not in runs:
        return None
    ours, theirs = getattr(runs[name], what), getattr(runs["ccxt"], what)
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def snapshots(feed: Feed, *, turns: int) -> Table:
    cases = _snapshots.cases(feed)
    with _books.unburdened():
        interleave(cases, rounds=turns, calls=20)
    table = Table()
    for case in cases:
        for samples in case.rounds:
            table.add(case.name, Timing.of([samples]).median)
    return table


def has_ccxt() -> bool:
    try:
        _books.ccxt_pro()
    except ImportError:
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer turns and frames: under a minute instead of two")
    parser.add_argument("--json", type=Path, metavar="FILE", help="add every figure, in seconds, to FILE")
    options = parser.parse_args()
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    logging.disable(logging.CRITICAL)
    pin(0)
    turns, count = (2, 20_000) if options.quick else (4, 30_000)
    installed = versions(PACKAGES)
    say(", ".join(f"{name} {number}" for name, number in installed.items()))
    feed = Feed.make(count)
    say(feed.describe())

    applied, read = in_memory(feed, turns=turns)
    applied.show("In memory, CPU per frame: decode and apply", CCXT)
    read.show("In memory, CPU per frame: decode, apply, read best bid and ask", CCXT)
    loaded = snapshots(feed, turns=turns)
    loaded.show(f"A snapshot of {LEVELS} levels a side, from REST's bytes into a book", CCXT, unit=1e3, suffix="ms")
    weights = {name: _snapshots.weigh(make, feed) for name, make in _snapshots.makers().items()}
    say(f"\nMemory of {len(feed.snapshots)} books of {2 * LEVELS} levels")
    for name, (fresh, whole) in weights.items():
        say(f"  {name:40}{fresh:9.1f} MB loaded{whole:9.1f} MB after every level was read")

    names = list(CLIENTS) if has_ccxt() else [name for name in CLIENTS if not name.startswith("ccxt")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feed.pickle"
        path.write_bytes(pickle.dumps(feed))
        with running_stream_server(path) as url:
            wall, cpu = over_loopback(url, path, feed, names, turns=turns)
            pace_turns, pace_names = (turns + 1) // 2, [name for name in ("ours", "ccxt") if name in names]
            bursts = paced(url, path, pace_names, turns=pace_turns, burst=10)
            single = paced(url, path, pace_names, turns=pace_turns, burst=1)
    cpu.show("Over the loopback interface, as fast as it goes, CPU per frame", CLIENTS["ccxt"])
    wall.show("The same, wall time per frame (what else runs on the machine is in it)", CLIENTS["ccxt"])
    show_paced(f"{RATE} frames/s, those of each millisecond together: delay from send to book updated", bursts)
    show_paced(f"{RATE} frames/s, each frame by itself", single)

    met = targets(applied, read, loaded, cpu, bursts)
    say("\nTargets")
    words = {True: "met", False: "NOT MET", None: "not measured"}
    for target, (result, figure) in met.items():
        say(f"  {words[result]:14}{target}{'' if figure is None else f' ({figure:.2f})'}")
    if options.json is not None:
        figures: dict[str, Any] = {
            "applied": applied.rows, "read": read.rows, "snapshot": loaded.rows, "memory_mb": weights,
            "loopback_cpu": cpu.rows, "loopback_wall": wall.rows,
            "paced": {name: vars(run) for name, run in bursts.items()},
            "paced_single": {name: vars(run) for name, run in single.items()},
        }  # fmt: skip
        record(options.json, "streams", {"versions": installed, **figures, "targets": met})
    return 1 if any(result is False for result, _ in met.values()) else 0


def targets(
    applied: Table, read: Table, loaded: Table, cpu: Table, pace: dict[str, Paced]
) -> dict[str, tuple[bool | None, float | None]]:
    """Each target, whether it is met, and the ratio; None where something it needs was not measured."""
    met: dict[str, tuple[bool | None, float | None]] = {}

    def at_least(target: str, factor: float, ratio: float | None) -> None:
        met[target] = (None if ratio is None else ratio >= factor, ratio)

    def at_most(target: str, factor: float, ratio: float | None) -> None:
        met[target] = (None if ratio is None else ratio <= factor, ratio)

    for ours in (PARTS, OURS):
        at_least(f"applying, {ours}: 6 times ccxt.pro's speed", 6, applied.ratio(ours, CCXT))
        at_least(f"with exact reads, {ours}: 3.5 times ccxt.pro's speed", 3.5, read.ratio(ours, CCXT))
    loop, at_once = CLIENTS["ours_loop"], CLIENTS["ccxt_at_once"]
    at_least("end to end: 6 times ccxt.pro's speed", 6, cpu.ratio(loop, at_once))
    at_least("end to end: 2.5 times websockets' with recv()", 2.5, cpu.ratio(loop, CLIENTS["queued"]))
    at_most(f"{RATE} frames/s: p50 below ccxt.pro's", 1, _paced_ratio(pace, "ours", "p50"))
    at_most(f"{RATE} frames/s: at most 0.3 of ccxt.pro's CPU", 0.3, _paced_ratio(pace, "ours", "cpu"))
    at_least("snapshot: 10 times ccxt's speed", 10, loaded.ratio("backpack_sdk", CCXT))
    return met


if __name__ == "__main__":
    sys.exit(main())

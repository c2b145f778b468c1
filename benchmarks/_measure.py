"""Interleaved timing: every case once per round, round after round, so that drift of the machine hits all alike."""

from __future__ import annotations

import asyncio
import json
import platform
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Which release of each package is installed; those that are not are left out."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def record(path: Path, script: str, figures: Mapping[str, Any]) -> None:
    """Write what a script found into a file that others may have written to, each under its own name."""
    found = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**found, script: figures}, indent=2) + "\n")


@dataclass(frozen=True)
class Timing:
    """Seconds per call over all rounds; `best` is the smallest median of one round."""

    median: float
    p99: float
    best: float
    calls: int

    @classmethod
    def of(cls, rounds: Sequence[Sequence[float]]) -> Timing:
        ordered = sorted(sample for samples in rounds for sample in samples)
        return cls(
            median=statistics.median(ordered),
            p99=ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
            best=min(statistics.median(samples) for samples in rounds),
            calls=len(ordered),
        )


@dataclass(frozen=True)
class Load:
    """Calls per second (median round) and the latency of each call while many are under way."""

    rate: float
    p50: float
    p99: float


async def _nothing() -> None:
    return None


@dataclass
class Case:
    """One thing to time. `slow` cases make a quarter of the calls."""

    name: str
    call: Callable[[], Any]
    slow: bool = False
    close: Callable[[], object] = lambda: None
    rounds: list[list[float]] = field(default_factory=list[list[float]])

    def run(self, calls: int) -> None:
        call, clock = self.call, time.perf_counter
        samples: list[float] = []
        call()  # not counted: what ran before has left the caches full of its own data
        for _ in range(max(1, calls // 4) if self.slow else calls):
            started = clock()
            call()
            samples.append(clock() - started)
        self.rounds.append(samples)


@dataclass
class AsyncCase:
    """One thing to time in an event loop, one at a time and many at once."""

    name: str
    call: Callable[[], Awaitable[Any]]
    close: Callable[[], Awaitable[object]] = _nothing
    rounds: list[list[float]] = field(default_factory=list[list[float]])
    loaded: list[list[float]] = field(default_factory=list[list[float]])
    rates: list[float] = field(default_factory=list[float])

    async def run(self, calls: int) -> None:
        samples: list[float] = []
        await self._repeat(calls, samples)
        self.rounds.append(samples)

    async def run_loaded(self, calls: int, at_once: int) -> None:
        samples: list[float] = []
        started = time.perf_counter()
        await asyncio.gather(*(self._repeat(max(2, calls // at_once), samples) for _ in range(at_once)))
        self.rates.append(len(samples) / (time.perf_counter() - started))
        self.loaded.append(samples)

    def load(self) -> Load:
        timing = Timing.of(self.loaded)
        return Load(statistics.median(self.rates), timing.median, timing.p99)

    async def _repeat(self, calls: int, samples: list[float]) -> None:
        call, clock = self.call, time.perf_counter
        for _ in range(calls):
            started = clock()
            await call()
            samples.append(clock() - started)


def interleave(cases: Iterable[Case], *, rounds: int, calls: int) -> None:
    """Time blocking cases against each other."""
    cases = list(cases)
    for case in cases:
        case.run(max(1, calls // 10))
        case.rounds.clear()
    for _ in range(rounds):
        for case in cases:
            case.run(calls)

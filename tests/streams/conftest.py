"""What tests of streams ask for by name, and a limit for those that would wait for ever."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from backpack_sdk.streams import seeding

LONGEST_TEST = float(os.environ.get("LONGEST_TEST", "60"))
"""Seconds; far beyond what any of these tests takes on a busy machine. `nox -s storm` takes longer on purpose."""


@pytest.fixture(autouse=True)
def no_hanging() -> Iterator[None]:
    """A test that waits for what never comes fails."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def give_up(_number: int, _frame: object) -> None:
        raise TimeoutError(f"the test took more than {LONGEST_TEST:g} seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, LONGEST_TEST)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def quick_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snapshots that failed are fetched again at once."""
    monkeypatch.setattr(seeding, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(seeding, "_LONGEST_PAUSE", 0.004)

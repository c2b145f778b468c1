"""Every example runs as it stands, against the embedded exchange."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("blocking_streams", "update"),
        ("books", "microprice"),
        ("private_orders", "closed  Cancelled, filled 0"),
        ("trades", "-- live: connected to ws://127.0.0.1"),
    ],
)
def test_an_example_runs(name: str, told: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert told in done.stdout
    assert done.stderr == ""

"""What a program pays before its first order, each time in a fresh interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from _measure import Case
from _payloads import SEED

SOURCE = Path(__file__).parent.parent / "src"

_TIMED = """
import sys, time
started = time.perf_counter()
{code}
sys.stdout.write(repr(time.perf_counter() - started))
"""
_ORDER = 'symbol="SOL_USDC", side="Bid", order_type="Limit", price="141.2", quantity="0.5"'
_SYNC_ORDER = f"""
from backpack_sdk import Backpack, Credentials
with Backpack(Credentials("{SEED}"), base_url="{{base_url}}") as bp:
    bp.order.execute_order({_ORDER})
"""
_ASYNC_ORDER = f"""
import asyncio
from backpack_sdk import AsyncBackpack, Credentials
async def main():
    async with AsyncBackpack(Credentials("{SEED}"), base_url="{{base_url}}") as bp:
        await bp.order.execute_order({_ORDER})
asyncio.run(main())
"""
PROGRAMS = {
    "import an empty package": "import an_empty_package",
    "import backpack_sdk": "import backpack_sdk\nif backpack_sdk.__file__ is None: raise ImportError('not installed')",
    "import backpack_sdk + first order": _SYNC_ORDER,
    "import backpack_sdk + first async order": _ASYNC_ORDER,
    "import ccxt": "import ccxt",
    "import ccxt.async_support": "import ccxt.async_support",
    "import bpx.account": "import bpx.account",
    "import backpack_exchange_sdk": "import backpack_exchange_sdk",
}


@contextmanager
def open_cases(base_url: str) -> Generator[tuple[list[Case], list[str]]]:
    """One case for each program that runs here; a case's samples are the times the programs report themselves."""
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "an_empty_package").mkdir()
        (Path(directory) / "an_empty_package" / "__init__.py").touch()
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([directory, str(SOURCE)])}
        cases: list[Case] = []
        missing: list[str] = []
        for name, code in PROGRAMS.items():
            program = _Program(code.format(base_url=base_url), environment)
            try:
                program()  # also writes the byte code
            except RuntimeError as error:
                missing.append(f"{name}: skipped, {error}")
            else:
                cases.append(Case(name, program))
        yield cases, missing


class _Program:
    def __init__(self, code: str, environment: dict[str, str]) -> None:
        self._code = _TIMED.format(code=code)
        self._environment = environment

    def __call__(self) -> float:
        """Run it once; gives the seconds it took without the interpreter's own start."""
        done = subprocess.run(
            [sys.executable, "-c", self._code], env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip().rpartition("\n")[2])
        return float(done.stdout)


def time_programs(cases: list[Case], *, rounds: int) -> None:
    for _ in range(rounds):
        for case in cases:
            case.rounds.append([case.call()])

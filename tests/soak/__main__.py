"""`python -m tests.soak [SECONDS]`: the long form."""

from __future__ import annotations

import asyncio
import logging
import sys

from .audit import require
from .run import MIB, Plan, report, soak

FLAT, PER_ORDER = 8 * MIB, 4096
"""What memory may grow by after a third of the time, and for each order that the exchange remembers since."""

if __name__ == "__main__":
    plan = Plan(seconds=float(sys.argv[1]) if sys.argv[1:] else 600.0)
    logging.getLogger("backpack_sdk").setLevel(logging.CRITICAL)  # gaps and broken connections are what this is about
    figures = asyncio.run(soak(plan))
    print(report(plan, figures))
    grown, orders = figures.growth()
    require(grown <= FLAT + PER_ORDER * orders, f"memory grew by {grown / MIB:.1f} MiB while {orders} orders came")
    print("everything holds")

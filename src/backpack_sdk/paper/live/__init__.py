"""Embedded exchanges that follow another one: its public books as they are now, or a recording of them.

    with PaperExchange(live=Live(["SOL-USDC", "BTC-USDC-PERP"])) as exchange:
        ...  # paper orders meet the books of the real exchange

`queue` and `levels` decide, and are pure; `mirror` carries their decisions out on an engine; `source` and `replay`
bring what happened elsewhere.
"""

from __future__ import annotations

from .options import Live, Replay, Source

__all__ = ["Live", "Replay", "Source"]

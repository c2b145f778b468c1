"""Builders of every request, by namespace: `operations.markets.get_depth("SOL-USDC")`.

A builder checks its arguments and gives a Request; nothing is sent. `Backpack.send` and `send_raw` take it from there.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._generated.names import TAGS

if TYPE_CHECKING:
    from ._generated.builders import *  # noqa: F403


if not TYPE_CHECKING:  # a type checker would take every misspelt name for one that exists

    def __getattr__(name: str) -> Any:
        if name not in TAGS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = import_module(f"._generated.{name}.operations", __package__)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted(TAGS)

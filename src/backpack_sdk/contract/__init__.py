"""Holds a server to the exchange's document: `backpack contract`, and `hold(Options(...))` from Python.

Needs the extra `backpack-sdk[contract]`. Importing `backpack_sdk` never loads anything of this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .findings import Finding as Finding
    from .findings import Kind as Kind
    from .findings import Outcome as Outcome
    from .findings import Row as Row
    from .options import NotRun as NotRun
    from .options import Options as Options
    from .run import hold as hold

_HOMES = {
    "Finding": "findings",
    "Kind": "findings",
    "NotRun": "options",
    "Options": "options",
    "Outcome": "findings",
    "Row": "findings",
    "hold": "run",
}


def __getattr__(name: str) -> Any:
    from .._core.lazy import find

    return find(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})

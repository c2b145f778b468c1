"""Names of a package that are imported from their modules when they are first used."""

from __future__ import annotations

import sys
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def find(package: str, homes: Mapping[str, str], name: str) -> Any:
    """What a package's `__getattr__` gives: the name from its module, or where that is empty, the module of that name.

    Import this in there and not before: packages that are loaded in every run must cost nothing.
    """
    home = homes.get(name)
    if home is None:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    found = getattr(import_module(f".{home}", package), name) if home else import_module(f".{name}", package)
    setattr(sys.modules[package], name, found)
    return found

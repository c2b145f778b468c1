"""Every model and enumeration of the API, imported from its namespace when it is first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._core.arguments import DecimalLike as DecimalLike
from ._core.arguments import SymbolLike as SymbolLike
from ._core.arguments import TimeLike as TimeLike
from ._core.enums import OpenEnum as OpenEnum
from ._core.model import Model as Model
from ._core.reply import Accepted as Accepted
from ._core.reply import Acknowledged as Acknowledged
from ._core.reply import NoContent as NoContent
from ._core.reply import TextReply as TextReply
from ._generated.names import HOMES

if TYPE_CHECKING:
    from ._generated.types import *  # noqa: F403


if not TYPE_CHECKING:  # a type checker would take every misspelt name for one that exists

    def __getattr__(name: str) -> Any:
        home = HOMES.get(name) or HOMES.get(name.removesuffix("Like"))
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = "._generated.shared" if home == "shared" else f"._generated.{home}.models"
        found = getattr(import_module(module, __package__), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *HOMES})

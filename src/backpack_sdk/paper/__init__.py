"""The embedded paper exchange: an order book engine and the servers in front of it.

    from backpack_sdk.paper import PaperExchange

    with PaperExchange() as exchange:
        exchange.add_account(credentials.api_key)
        ...  # talk to exchange.base_url

`backpack_sdk.paper.engine` is the engine alone, without any I/O.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .defaults import PaperMarket as PaperMarket
    from .faults import Fault as Fault
    from .received import ReceivedRequest as ReceivedRequest
    from .server import PaperExchange as PaperExchange

_HOMES = {"Fault": "faults", "PaperExchange": "server", "PaperMarket": "defaults", "ReceivedRequest": "received"}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(f".{home}", __package__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})

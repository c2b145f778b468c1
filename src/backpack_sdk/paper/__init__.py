"""The embedded paper exchange: an order book engine and the servers in front of it.

    from backpack_sdk.paper import PaperExchange

    with PaperExchange() as exchange:
        exchange.add_account(credentials.api_key)
        ...  # talk to exchange.base_url and exchange.ws_url

`PaperExchange(flow=Flow())` keeps its books moving, `PaperExchange(live=Live(["SOL-USDC"]))` mirrors those of the real
exchange, and `PaperExchange(state="file.sqlite")` outlives the process. `exchange.faults` and `exchange.socket_faults`
make requests and streams go wrong on purpose. `backpack_sdk.paper.engine` is the engine alone, without any I/O.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .defaults import PaperMarket as PaperMarket
    from .fault_desk import FaultDesk as FaultDesk
    from .faults import Fault as Fault
    from .flow.options import Flow as Flow
    from .live.options import Live as Live
    from .live.options import Replay as Replay
    from .live.recorder import Recorder as Recorder
    from .live.source import LiveMirror as LiveMirror
    from .received import ReceivedRequest as ReceivedRequest
    from .server import PaperExchange as PaperExchange
    from .sockets.context import SocketOptions as SocketOptions
    from .sockets.faults import FaultRates as FaultRates

_HOMES = {
    "Fault": "faults",
    "FaultDesk": "fault_desk",
    "FaultRates": "sockets.faults",
    "Flow": "flow.options",
    "Live": "live.options",
    "LiveMirror": "live.source",
    "PaperExchange": "server",
    "PaperMarket": "defaults",
    "ReceivedRequest": "received",
    "Recorder": "live.recorder",
    "Replay": "live.options",
    "SocketOptions": "sockets.context",
}


def __getattr__(name: str) -> Any:
    from .._core.lazy import find

    return find(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})

"""State and clock of the exchange."""

from __future__ import annotations

from .. import wire
from ..call import Call, Handler
from ..replies import Reply, json_reply, text_reply


def ping(_call: Call) -> Reply:
    """Answer `pong`."""
    return text_reply("pong")


def get_time(call: Call) -> Reply:
    """Tell the clock in milliseconds, as text."""
    return text_reply(str(wire.milliseconds(call.now_us)))


def get_status(_call: Call) -> Reply:
    """Tell that all is well."""
    return json_reply({"status": "Ok"})


HANDLERS: dict[str, Handler] = {
    "get_status": get_status,
    "get_time": get_time,
    "ping": ping,
}

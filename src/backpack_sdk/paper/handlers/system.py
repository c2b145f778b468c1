"""State and clock of the exchange, and its assets."""

from __future__ import annotations

from .. import wire
from ..call import Call, Handler
from ..defaults import ASSETS
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


def get_assets(call: Call) -> Reply:
    """List the assets of all markets. Nothing can be deposited or withdrawn over a blockchain."""
    symbols = dict.fromkeys(asset for spec in call.engine.markets() for asset in (spec.base, spec.quote))
    return json_reply([_asset(symbol) for symbol in symbols])


def _asset(symbol: str) -> wire.Json:
    known = ASSETS.get(symbol)
    if known is None:
        return {"symbol": symbol, "displayName": symbol, "tokens": []}
    token: wire.Json = {
        "blockchain": known.blockchain,
        "displayName": known.name,
        "depositEnabled": False,
        "withdrawEnabled": False,
        "minimumDeposit": "0",
        "minimumWithdrawal": "0",
        "withdrawalFee": "0",
        "nativeDecimals": known.decimals,
    }
    return {"symbol": symbol, "displayName": known.name, "coingeckoId": known.coingecko_id, "tokens": [token]}


HANDLERS: dict[str, Handler] = {
    "get_assets": get_assets,
    "get_status": get_status,
    "get_time": get_time,
    "ping": ping,
}

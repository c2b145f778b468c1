"""The operations that the embedded exchange carries out, by operation id."""

from __future__ import annotations

from ..call import Handler
from . import accounts, histories, market_data, orders, system

HANDLERS: dict[str, Handler] = {
    **accounts.HANDLERS,
    **histories.HANDLERS,
    **market_data.HANDLERS,
    **orders.HANDLERS,
    **system.HANDLERS,
}

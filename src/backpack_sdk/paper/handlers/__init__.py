"""The operations that the embedded exchange carries out, by operation id."""

from __future__ import annotations

from ..call import Handler
from . import (
    accounts,
    assets,
    borrow_lend,
    capital,
    futures,
    histories,
    market_data,
    orders,
    rfq,
    strategies,
    system,
    vaults,
)

HANDLERS: dict[str, Handler] = {
    **accounts.HANDLERS,
    **assets.HANDLERS,
    **borrow_lend.HANDLERS,
    **capital.HANDLERS,
    **futures.HANDLERS,
    **histories.HANDLERS,
    **market_data.HANDLERS,
    **orders.HANDLERS,
    **rfq.HANDLERS,
    **strategies.HANDLERS,
    **system.HANDLERS,
    **vaults.HANDLERS,
}

"""Checks that markets exist before their streams are subscribed to: about unknown ones the exchange says nothing."""

from __future__ import annotations

import asyncio
import logging
from difflib import get_close_matches
from typing import TYPE_CHECKING

from .._core.errors import BadRequest, NotFound, StreamError
from .._generated.markets import operations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._generated.markets.models import Market
    from .options import StreamSender

logger = logging.getLogger("backpack_sdk")
_CLOSED = "Closed"
_PATIENCE = 10.0
"""Seconds that a subscription waits for REST, which may be down while the socket is not."""


class SymbolCheck:
    """Knows the markets of the exchange, as of the first time it was asked, and looks up those it does not know."""

    def __init__(self, sender: StreamSender) -> None:
        self._sender = sender
        self._states: dict[str, str] = {}
        self._lock = asyncio.Lock()
        self._listed = False

    async def require(self, symbols: Iterable[str]) -> None:
        """Raise StreamError for the first symbol whose market does not exist or is closed.

        When the exchange can't be asked, or does not answer in time, that is logged and everything passes.
        """
        try:
            async with asyncio.timeout(_PATIENCE), self._lock:
                if not self._listed:
                    listed = await self._sender.send(operations.get_markets())
                    self._note(listed)
                    self._listed = True
                for symbol in symbols:
                    if self._states.get(symbol, _CLOSED) == _CLOSED:
                        await self._look_up(symbol)
        except StreamError:
            raise
        except Exception as problem:  # of whatever kind: the socket may well work
            logger.warning("markets could not be looked up, subscribing all the same: %r", problem)

    async def _look_up(self, symbol: str) -> None:
        """Ask for one market: the list has spot and perpetual ones only, and may be some minutes old."""
        try:
            self._note([await self._sender.send(operations.get_market(symbol))])
        except (BadRequest, NotFound):
            raise StreamError(f"the exchange has no market {symbol}{self._guess(symbol)}") from None
        if self._states.get(symbol) == _CLOSED:
            raise StreamError(f"{symbol} is closed, so its streams are silent; check_symbols=False subscribes anyway")

    def _note(self, markets: Iterable[Market]) -> None:
        self._states.update({market.symbol: str(market.order_book_state) for market in markets})

    def _guess(self, symbol: str) -> str:
        by_case = {known.casefold(): known for known in self._states}
        near = by_case.get(symbol.casefold())
        found = [near] if near is not None else get_close_matches(symbol, self._states, n=1, cutoff=0.8)
        return f"; did you mean {found[0]}?" if found else "; markets.get_markets() lists them"

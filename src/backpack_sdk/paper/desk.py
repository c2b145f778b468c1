"""An account at an embedded exchange, for a client that brings its exchange along."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

from .amounts import Amount
from .server import PaperExchange

if TYPE_CHECKING:
    from ..auth import Credentials


class PaperDesk:
    """Has a running exchange with an account for the holder of `credentials`.

    An exchange that does not run yet is started, and stopped by `close`; one that runs is left as it is. An account
    that exists already is left as it is too, unless there are `balances`.

    Raises:
        ValueError: there are balances for an account that exists already, or senseless ones.
    """

    def __init__(
        self, exchange: PaperExchange, credentials: Credentials, balances: Mapping[str, Amount] | None = None
    ) -> None:
        self.exchange = exchange
        self._running = ExitStack()
        if not exchange.is_running:
            self._running.enter_context(exchange)
        try:
            if balances is not None or not exchange.has_account(credentials.api_key):
                exchange.add_account(credentials.api_key, balances)
        except BaseException:
            self._running.close()
            raise

    def close(self) -> None:
        """Stop the exchange if this desk started it."""
        self._running.close()

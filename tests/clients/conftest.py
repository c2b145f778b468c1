"""An embedded exchange for clients that others wrote, and a second trader who moves its books.

Run by `nox -s clients` only: the clients are tools of that session.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backpack_sdk import Backpack, Credentials
from backpack_sdk.paper import PaperExchange

SECRET = "sKmC5939f6W9/viyhwyaNHa0f7j5wSMvZsysW5BB9L4="
SPOT, PERPETUAL = "SOL_USDC", "SOL_USDC_PERP"


@pytest.fixture
def exchange() -> Iterator[PaperExchange]:
    """A running exchange with an account for the client."""
    with PaperExchange(seed=3) as running:
        running.add_account(Credentials(SECRET).api_key, {"USDC": 10_000, "SOL": 50})
        yield running


@pytest.fixture
def stranger(exchange: PaperExchange) -> Iterator[Backpack]:
    """Somebody else at the same exchange."""
    with Backpack.paper(exchange) as client:
        yield client

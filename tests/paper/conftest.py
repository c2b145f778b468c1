"""An embedded exchange with two accounts, and a trader for each."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from nacl.signing import SigningKey

from backpack_sdk.paper import PaperExchange

from .app_desk import API_KEY, Trader

OTHER_SEED = bytes(range(32))


@pytest.fixture
def exchange() -> Iterator[PaperExchange]:
    """A running exchange with the default markets."""
    with PaperExchange() as running:
        running.add_account(API_KEY)
        yield running


@pytest.fixture
def trader(exchange: PaperExchange) -> Iterator[Trader]:
    """The holder of the first account."""
    trader = Trader(exchange.base_url)
    with trader.http:
        yield trader


@pytest.fixture
def other(exchange: PaperExchange) -> Iterator[Trader]:
    """The holder of a second account."""
    exchange.add_account(base64.b64encode(bytes(SigningKey(OTHER_SEED).verify_key)).decode())
    trader = Trader(exchange.base_url, base64.b64encode(OTHER_SEED).decode())
    with trader.http:
        yield trader

"""Account holders of an embedded exchange whose clock stands still until a test moves it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
from nacl.signing import SigningKey

from backpack_sdk.paper import PaperExchange

from .app_desk import API_KEY, SECRET, Trader, headers, ok

START_US = 1_790_000_000_000_000
"""A moment of 2026, 13 minutes and 20 seconds past a full hour."""
HOUR_US = 3_600_000_000


def seed_of(number: int) -> bytes:
    """The seed of one of the further accounts."""
    return bytes([number]) * 32


def key_of(number: int) -> str:
    """The API key of one of the further accounts."""
    return base64.b64encode(bytes(SigningKey(seed_of(number)).verify_key)).decode()


class Holder(Trader):
    """Signs at the exchange's own time."""

    def __init__(self, exchange: PaperExchange, secret: str = SECRET) -> None:
        super().__init__(exchange.base_url, secret)
        self.exchange = exchange
        self.key = base64.b64encode(bytes(SigningKey(base64.b64decode(secret)).verify_key)).decode()

    def post(self, path: str, instruction: str, /, **body: Any) -> httpx.Response:
        """Send a signed JSON object; members of None are left out."""
        return self.send("POST", path, instruction, {name: value for name, value in body.items() if value is not None})

    def rows(self, path: str, instruction: str, /, **params: Any) -> list[dict[str, Any]]:
        """A signed list."""
        found: list[dict[str, Any]] = ok(self.get(path, instruction, **params))
        return found

    def collateral(self) -> dict[str, Any]:
        """The margin summary."""
        found: dict[str, Any] = ok(self.get("/api/v1/capital/collateral", "collateralQuery"))
        return found

    def available(self, asset: str) -> str:
        """The free balance of an asset."""
        return self.balances().get(asset, {"available": "0"})["available"]

    def _sign(self, build: Any, instruction: str, params: Mapping[str, Any]) -> dict[str, str]:
        now = self.exchange.clock() // 1_000
        return headers(build(instruction, params, now, 5000), now, 5000, secret=self.secret)


class Bank:
    """A running exchange with holders. Time moves by `wait`."""

    def __init__(self, exchange: PaperExchange, stack: ExitStack) -> None:
        self.exchange = exchange
        self.now_us = START_US
        self._stack = stack
        exchange.clock = lambda: self.now_us
        exchange.add_account(API_KEY)
        self.alice = self._holder(SECRET)

    def wait(self, hours: float = 0, seconds: float = 0) -> None:
        """Let time pass."""
        self.now_us += int(hours * HOUR_US) + int(seconds * 1_000_000)

    def open(self, number: int = 1, **balances: str) -> Holder:
        """Open one more account, with the default balances when none are named."""
        self.exchange.add_account(key_of(number), balances or None)
        return self._holder(base64.b64encode(seed_of(number)).decode())

    def _holder(self, secret: str) -> Holder:
        holder = Holder(self.exchange, secret)
        self._stack.enter_context(holder.http)
        return holder


@contextmanager
def banking(**options: Any) -> Iterator[Bank]:
    """Serve an exchange with its first holder."""
    with ExitStack() as stack:
        exchange = PaperExchange(clock=lambda: START_US, **options)
        stack.enter_context(exchange)
        yield Bank(exchange, stack)

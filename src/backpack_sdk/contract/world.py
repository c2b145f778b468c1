"""The server of a run: an embedded exchange with two accounts, or one at an address with the key of the environment."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from .._core.errors import CredentialsError, InvalidArgument
from ..auth import SECRET_VARIABLE, Credentials
from ..client import Backpack
from ..paper import PaperExchange
from ..paper.engine.vaults import VaultSpec
from .options import NotRun, Options

_TIMEOUT = 20.0
_OWN_VAULT = 2
_RETRIES = 2
"""Of reads from a server far away: a line that broke once is not the server's fault."""


@dataclass(frozen=True, slots=True)
class World:
    """A server and who calls it: `own`, and `maker` for what takes two."""

    address: str
    clients: dict[str, Backpack]
    exchange: PaperExchange | None = None

    def deposit(self, asset: str, amount: str, blockchain: str) -> bool:
        """Let funds arrive; False where that can't be arranged."""
        credentials = self.clients["own"].credentials
        if self.exchange is None or credentials is None:
            return False
        self.exchange.deposit(credentials.api_key, asset, amount, blockchain=blockchain, sender="somebody")
        return True


@contextmanager
def opened(options: Options) -> Generator[World]:
    """Start or reach the server.

    Raises:
        NotRun: private operations are to be called and there is no key, or the address is none.
    """
    with ExitStack() as stack:
        if options.base_url is None:
            exchange = stack.enter_context(PaperExchange(seed=options.seed))
            own, maker = Credentials.generate(), Credentials.generate()
            for credentials in (own, maker):
                exchange.add_account(credentials.api_key)
            exchange.engine.add_vault(VaultSpec(id=_OWN_VAULT, account=own.api_key, token="vOWN"))
            clients = {
                name: stack.enter_context(_client(credentials, exchange.base_url, local=True))
                for name, credentials in (("own", own), ("maker", maker))
            }
            yield World("the embedded exchange", clients, exchange)
            return
        key = None if options.read_only else _from_environment(options)
        try:
            client = _client(key, options.base_url, local=options.is_local)
        except InvalidArgument as problem:
            raise NotRun(f"--base-url: {problem}") from None
        yield World(options.base_url, {"own": stack.enter_context(client)})


def _client(credentials: Credentials | None, base_url: str, *, local: bool) -> Backpack:
    retries = 0 if local or credentials is not None else _RETRIES
    return Backpack(
        credentials, base_url=base_url, max_retries=retries, rate_limit=None, timeout=_TIMEOUT, trust_env=not local
    )


def _from_environment(options: Options) -> Credentials:
    if not os.environ.get(SECRET_VARIABLE):
        raise NotRun(
            f"{options.host} is to be called with a key and {SECRET_VARIABLE} is not set: set it, or add --read-only"
        )
    try:
        return Credentials.from_env()
    except CredentialsError as problem:
        raise NotRun(str(problem)) from None

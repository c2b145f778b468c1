"""Fixtures for pytest: an embedded exchange for each test, clients of it, and faults.

pytest loads this module in every run where the package is installed, so it imports next to nothing until a test asks
for a fixture. `docs/testing.md` shows how to use it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .. import AsyncBackpack, Backpack, Credentials
    from . import PaperExchange
    from .fault_desk import FaultDesk

try:
    from pytest_asyncio import fixture as async_fixture
except ImportError:  # an extra: the rest works without it
    async_fixture = None  # type: ignore[assignment]

MARKER = "paper"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, also to those who allow no unknown ones."""
    config.addinivalue_line(
        "markers", f"{MARKER}(seed=..., balances=..., markets=..., flow=...): arguments of the test's PaperExchange"
    )


@pytest.fixture
def paper_options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Arguments of the test's PaperExchange: those of the `paper` markers, the closest one first.

    Override it to give a whole module or project others.
    """
    options: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers(MARKER))):
        if marker.args:
            raise pytest.UsageError(f"the marker {MARKER!r} takes arguments by name, such as {MARKER}(seed=1)")
        options.update(marker.kwargs)
    return options


@pytest.fixture
def paper_exchange(request: pytest.FixtureRequest, paper_options: dict[str, Any]) -> Iterator[PaperExchange]:
    """A running embedded exchange of the test's own. Parametrised indirectly, it takes a dict of arguments."""
    from . import PaperExchange

    with PaperExchange(**{**paper_options, **getattr(request, "param", {})}) as exchange:
        yield exchange


@pytest.fixture
def paper_credentials() -> Credentials:
    """The key of the account that `backpack` and `async_backpack` share."""
    from .. import Credentials

    return Credentials.generate()


@pytest.fixture
def backpack(paper_exchange: PaperExchange, paper_credentials: Credentials) -> Iterator[Backpack]:
    """A client of the test's exchange, with a funded account."""
    from .. import Backpack

    with Backpack.paper(paper_exchange, credentials=paper_credentials) as client:
        yield client


@pytest.fixture
def faults(paper_exchange: PaperExchange) -> FaultDesk:
    """What may go wrong between the clients and the test's exchange, in one line each."""
    from .fault_desk import FaultDesk

    return FaultDesk(paper_exchange)


async def _async_backpack(
    paper_exchange: PaperExchange, paper_credentials: Credentials
) -> AsyncIterator[AsyncBackpack]:
    """An async client of the test's exchange, for the same account as `backpack`. Needs pytest-asyncio."""
    from .. import AsyncBackpack

    async with AsyncBackpack.paper(paper_exchange, credentials=paper_credentials) as client:
        yield client


if async_fixture is not None:
    async_backpack = async_fixture(name="async_backpack", loop_scope="function")(_async_backpack)
else:

    @pytest.fixture(name="async_backpack")
    def async_backpack_without_asyncio() -> None:
        """Tell what is missing."""
        pytest.fail("the fixture async_backpack needs pytest-asyncio: pip install pytest-asyncio", pytrace=False)

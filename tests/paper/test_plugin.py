"""The pytest plugin, as its users have it: in test runs of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PLUGIN = "backpack_sdk.paper.pytest_plugin"
EXAMPLE = Path(__file__).parents[2] / "examples" / "market_maker"
USER_TESTS = """
import asyncio
from decimal import Decimal

import pytest

from backpack_sdk import AuthenticationError, OutcomeUnknown, StreamError
from backpack_sdk.paper import Fault, Flow

ORDER = dict(symbol="SOL-USDC", side="Bid", order_type="Limit", price="100", quantity="1")


def test_a_client_with_money(backpack, paper_exchange):
    assert backpack.base_url == paper_exchange.base_url
    assert backpack.capital.get_balances()["USDC"].available == 100_000


@pytest.mark.asyncio
async def test_both_clients_share_an_account(backpack, async_backpack):
    order = await async_backpack.order.execute_order(**ORDER)
    assert backpack.order.get_order("SOL-USDC", order_id=order.id) == order


@pytest.mark.paper(balances={"USDC": 5}, seed=1)
class TestMarkers:
    def test_a_marker_gives_arguments(self, backpack):
        assert backpack.capital.get_balances()["USDC"].available == 5

    @pytest.mark.paper(balances={"USDC": 6}, flow=Flow(rate=0))
    def test_the_closest_marker_wins(self, backpack, paper_exchange):
        assert backpack.capital.get_balances()["USDC"].available == 6
        paper_exchange.flow.advance(1)


@pytest.mark.parametrize("paper_exchange", [{"balances": {"USDC": 7}}], indirect=True)
def test_arguments_may_be_parametrised(backpack):
    assert backpack.capital.get_balances()["USDC"].available == 7


@pytest.mark.paper(1)
def test_arguments_have_names(paper_exchange):
    pass


def test_faults_strike_one_request_each(backpack, faults):
    faults.drop("execute_order", takes_effect=True)
    with pytest.raises(OutcomeUnknown):
        backpack.order.execute_order(**ORDER)
    faults.status("get_open_orders", 503)
    faults.add("get_open_orders", Fault.status(500))
    faults.truncate("get_open_orders")
    faults.delay("get_open_orders", 0.001)
    faults.garbage("get_balances")
    assert len(backpack.order.get_open_orders()) == 1
    faults.clear()
    assert backpack.capital.get_balances()["USDC"].locked == 100


def test_a_rate_limit_is_obeyed(backpack, paper_exchange, faults):
    faults.rate_limit("get_time", retry_after=0, times=2)
    backpack.system.get_time()
    assert len(paper_exchange.requests) == 3


def test_a_wrong_clock_is_corrected(backpack, paper_exchange, faults):
    faults.skew_clock(3600)
    backpack.capital.get_balances()
    assert 3599 < backpack.clock_offset < 3601
    faults.clear()
    backpack.sync_clock()
    assert abs(backpack.clock_offset) < 1


@pytest.mark.asyncio
async def test_a_cut_socket_heals(async_backpack, faults):
    async with async_backpack.order_books("SOL-USDC") as books:
        await books.wait_live(timeout=10)
        faults.sockets.abort()
        async with asyncio.timeout(10):
            while books.session.counters.reconnects == 0:
                await asyncio.sleep(0.01)
        await books.wait_live(timeout=10)
"""
WITHOUT_ASYNCIO = """
def test_the_rest_works(backpack):
    assert backpack.system.ping() == "pong"


def test_the_async_client_says_what_it_needs(async_backpack):
    pass
"""


def plug() -> list[str]:
    """Arguments that load the plugin, where its entry point is not installed."""
    installed = any(entry.value == PLUGIN for entry in entry_points(group="pytest11"))
    return ["-p", "no:cacheprovider", *([] if installed else ["-p", PLUGIN])]


def test_the_fixtures_serve_a_users_tests(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(USER_TESTS)
    result = pytester.runpytest_subprocess(*plug(), "--strict-markers", "-W", "error::ResourceWarning")
    result.assert_outcomes(passed=9, errors=1)
    result.stdout.fnmatch_lines(["*the marker 'paper' takes arguments by name*"])


def test_it_works_without_pytest_asyncio(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(WITHOUT_ASYNCIO)
    pytester.makepyfile(pytest_asyncio="raise ImportError")
    pytester.syspathinsert()
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", PLUGIN)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*needs pytest-asyncio: pip install pytest-asyncio*"])


def test_the_example_of_the_documentation_works(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess(*plug(), EXAMPLE)
    result.assert_outcomes(passed=6)


def test_it_costs_a_run_that_does_not_use_it_next_to_nothing() -> None:
    code = (
        f"import json, sys, pytest\nbefore = set(sys.modules)\nimport {PLUGIN}\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    loaded = json.loads(done.stdout)
    assert [name for name in loaded if name.startswith("backpack_sdk")] == [
        "backpack_sdk", "backpack_sdk._version", "backpack_sdk.paper", PLUGIN,
    ]  # fmt: skip
    assert not {"aiohttp", "httpx", "pydantic", "msgspec", "nacl"} & set(loaded)

"""The `backpack` command."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from backpack_sdk import AsyncBackpack, Credentials, __version__
from backpack_sdk._core.level import read_levels
from backpack_sdk.auth import KEY_VARIABLE, SECRET_VARIABLE
from backpack_sdk.cli import COMMANDS, INTERRUPTED, demo, main, paper, parser
from backpack_sdk.cli.demo import story
from backpack_sdk.cli.demo.board import Board, WentWrong
from backpack_sdk.cli.demo.setting import Stage
from backpack_sdk.paper import PaperExchange
from backpack_sdk.paper.live.recording import read_markets
from backpack_sdk.streams.book import BookSnapshot
from backpack_sdk.streams.events import Trade
from tests.loopback import CREDENTIALS


@pytest.fixture(autouse=True)
def no_key_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (KEY_VARIABLE, SECRET_VARIABLE):
        monkeypatch.delenv(name, raising=False)


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"backpack-sdk {__version__}\n"


def test_the_module_can_be_run() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "backpack_sdk.cli", "--help"], capture_output=True, check=True, text=True
    )
    assert all(command in done.stdout for command in COMMANDS)


def test_help_and_version_load_nothing_heavy() -> None:
    code = (
        "import sys\nfrom backpack_sdk.cli import parser\nparser().format_help()\n"
        "print(sorted({'aiohttp', 'httpx', 'pydantic', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "arguments", [[], ["paper"], ["keys"], ["keys", "generate"], ["record", "SOL-USDC"], ["conjure"]]
)
def test_what_is_incomplete_is_explained(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage: backpack" in capsys.readouterr().err


# Keys


def test_a_key_is_printed_and_its_secret_is_written_where_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "secret"
    assert main(["keys", "generate", "--out", str(path)]) == 0
    output = capsys.readouterr()
    credentials = Credentials.from_file(path)
    assert output.out == f"{credentials.api_key}\n"
    assert credentials.export_secret() not in output.out + output.err
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_secret_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "secret"
    path.write_text("precious")
    assert main(["keys", "generate", "--out", str(path)]) == 1
    assert path.read_text() == "precious"
    assert "choose another name" in capsys.readouterr().err


# Serving


@asynccontextmanager
async def serving(capsys: pytest.CaptureFixture[str], *arguments: str) -> AsyncIterator[dict[str, str]]:
    """A server, and what it printed about itself. It is ended by a signal."""
    parsed = parser().parse_args(["paper", "serve", "--port", "0", *arguments])
    task = asyncio.create_task(paper._serve(parsed))
    lines: list[str] = []
    async with asyncio.timeout(20):
        while not task.done() and not any(line.startswith("serving") for line in lines):
            await asyncio.sleep(0.01)
            lines += capsys.readouterr().out.splitlines()
    pairs = (line.partition("  ") for line in lines)
    try:
        yield {name: value.strip() for name, _, value in pairs}
    finally:
        if not task.done():
            os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(task, 20)


async def test_it_serves_until_it_is_told_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret, state = tmp_path / "secret", tmp_path / "state.sqlite"
    options = ("--markets", "SOL-USDC", "BTC_USDC", "--flow", "50", "--seed", "3", "--state", str(state))
    keys = ("--new-account", str(secret), "--account", CREDENTIALS.api_key)
    async with serving(capsys, *options, *keys) as told:
        assert told["markets"] == "SOL_USDC BTC_USDC"
        assert re.fullmatch(r"ws://127\.0\.0\.1:\d+", told["WebSocket"])
        credentials = Credentials.from_file(secret)
        for account in (credentials, CREDENTIALS):
            async with AsyncBackpack(account, base_url=told["REST"], trust_env=False) as bp:
                await bp.order.execute_order("SOL-USDC", "Bid", "Limit", price="100", quantity="1")
    again = PaperExchange(state=state)
    assert set(again.api_keys) == {credentials.api_key, CREDENTIALS.api_key}
    assert len(again.engine.open_orders(credentials.api_key)) == 1


async def test_the_key_of_the_environment_has_an_account(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(capsys) as told:
        assert "account" not in told
        assert any(line.startswith("no account is open") for line in told)
    monkeypatch.setenv(SECRET_VARIABLE, CREDENTIALS.export_secret())
    async with serving(capsys) as told:
        assert told["account"] == CREDENTIALS.api_key


async def test_a_recording_is_made_and_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "recording.jsonl"
    with PaperExchange() as source:
        urls = ["--source-url", source.base_url, "--source-ws-url", source.ws_url]
        arguments = ["record", "SOL-USDC", "SOL_USDC_PERP", "--out", str(path), "--seconds", "0.1", *urls]
        assert await asyncio.to_thread(main, arguments) == 0
        assert await asyncio.to_thread(main, arguments) == 1, "a recording is never overwritten"
        async with serving(capsys, "--live", "--markets", "ETH-USDC", *urls) as told:
            assert told["markets"] == "ETH_USDC"
            async with (
                AsyncBackpack(base_url=told["REST"], trust_env=False) as here,
                AsyncBackpack(base_url=source.base_url, trust_env=False) as there,
            ):
                mirrored, original = await here.markets.get_depth("ETH-USDC"), await there.markets.get_depth("ETH-USDC")
                assert mirrored.asks == original.asks
    assert [spec.symbol for spec in read_markets(path)] == ["SOL_USDC", "SOL_USDC_PERP"]
    async with serving(capsys, "--replay", str(path), "--speed", "100") as told:
        assert told["markets"] == "SOL_USDC SOL_USDC_PERP"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--markets", "DOGE-USDC"], "there is no market DOGE_USDC; there are SOL_USDC"),
        (["--live"], "--live needs --markets"),
        (["--replay", "nowhere.jsonl"], "nowhere.jsonl"),
        (["--flow", "-1"], "rate is -1"),
        (["--account", "nonsense"], "32-byte"),
        (["--speed", "-1"], "must not be negative"),
    ],
)
def test_senseless_arguments_are_explained(arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paper", "serve", "--port", "0", *arguments]) == 1
    assert hint in capsys.readouterr().err


# The demo


def test_the_demo_goes_as_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(demo, "PLAIN_PACE", 0.0)
    assert main(["demo", "--plain"]) == 0
    told = capsys.readouterr().out
    for step in ("placed", "open", "PartiallyFilled", "Filled", "unrealised", "TriggerPending", "triggered", "healed"):
        assert f"  {step}" in told or f": {step}" in told or f" {step} " in told, step
    for refusal in ("AuthenticationError", "INVALID_PRICE", "INSUFFICIENT_FUNDS"):
        assert refusal in told
    assert "Every step went as told" in told


async def _fail(_stage: Stage) -> None:
    raise WentWrong("the sky fell")


async def _take_too_long(_stage: Stage) -> None:
    raise TimeoutError("nothing came")


@pytest.mark.parametrize(("chapter", "hint"), [(_fail, "the sky fell"), (_take_too_long, "TimeoutError: nothing came")])
def test_a_demo_that_goes_wrong_says_so(
    chapter: object, hint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(story, "CHAPTERS", (chapter,))
    assert main(["demo", "--plain"]) == 1
    assert hint in capsys.readouterr().err


def test_an_interrupted_command_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "run", interrupt)
    assert main(["demo"]) == INTERRUPTED


def test_the_live_view_leaves_the_story_behind(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rich")
    with demo._live() as screen:
        screen.chapter("A chapter")
        screen.tell("what [happened]")
        screen.look()
    told = capsys.readouterr().out
    assert "A chapter" in told
    assert "what [happened]" in told


def test_without_rich_the_story_is_plain(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "backpack_sdk.cli.demo.live", None)
    with demo._live() as screen:
        screen.tell("what happened")
    told = capsys.readouterr().out
    assert "pip install 'backpack-sdk[demo]'" in told
    assert "  what happened" in told


def test_the_live_view_draws_what_is_on_the_board() -> None:
    console = pytest.importorskip("rich.console")
    from backpack_sdk.cli.demo import live

    board = Board()
    bids, asks = read_levels([("139.99", "5")]), read_levels([("140.01", "7"), ("140.05", "1")])
    board.books["SOL_USDC"] = BookSnapshot("SOL_USDC", 1, bids, asks)
    sent = {"e": "trade", "E": 1, "T": 1, "s": "SOL_USDC", "p": "140", "q": "2", "b": "1", "a": "2", "t": 1, "m": False}
    board.trades.append(Trade.from_wire(sent))
    board.lines.append("[bold]A chapter[/]")
    screen = io.StringIO()
    console.Console(file=screen, width=120, height=30).print(live._view(board, 30))
    for text in ("139.99", "140.05", "spread 0.02", "A chapter", "connecting"):
        assert text in screen.getvalue()

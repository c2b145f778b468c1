"""`backpack contract` as it is typed: exit codes, files, and what it refuses."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from backpack_sdk import contract as package
from backpack_sdk.cli import contract
from backpack_sdk.contract.options import NotRun, Options

from ..loopback import reply, serving

UNREACHABLE = "http://127.0.0.1:1"


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    contract.add_arguments(parser)
    return contract.run(parser.parse_args(words))


def test_a_clean_run_is_zero(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert command("--operations", "get_depth", "--examples", "1", "--out", str(page)) == contract.CLEAN
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert capsys.readouterr().out == ""


def test_findings_are_one_and_can_be_written_as_corrections(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "suggested.toml"
    with serving() as server:
        server.answer = lambda _seen: reply(200, {"colour": "red"}, content_type="application/json")
        words = ("--base-url", server.url, "--read-only", "--operations", "get_depth", "--suggest", str(file))
        assert command(*words) == contract.FOUND
    assert "missing field: .asks" in capsys.readouterr().out
    assert 'target = "schemas.Depth.asks"' in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("status", [451, 403, 503])
def test_a_server_that_lets_nobody_in_is_not_said_to_be_well(status: int, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(reply(status, "no", content_type="text/plain")) as server:
        assert command("--base-url", server.url, "--read-only") == contract.NOT_RUN
    assert f"HTTP {status} to a ping" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--base-url", UNREACHABLE, "--read-only"), "does not answer"),
        (("--base-url", UNREACHABLE), "BACKPACK_API_SECRET is not set"),
        (("--base-url", "https://api.backpack.exchange"), "add --read-only"),
        (("--base-url", "https://API.backpack.exchange."), "add --read-only"),
        (("--base-url", "nonsense", "--read-only"), "expected an address"),
        (("--operations", "nonsense"), "there is no operation nonsense"),
        (("--operations", "get_account", "--read-only"), "none of these operations is public"),
        (("--rate", "0"), "above zero"),
        (("--examples", "-1"), "0 or more"),
    ],
)
def test_what_can_not_run_is_two_and_says_why(
    words: tuple[str, ...], problem: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BACKPACK_API_SECRET", raising=False)
    assert command(*words) == contract.NOT_RUN
    assert problem in capsys.readouterr().err


def test_a_wrong_secret_is_refused_without_being_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKPACK_API_SECRET", "c2VjcmV0")
    assert command("--base-url", UNREACHABLE) == contract.NOT_RUN
    told = capsys.readouterr()
    assert "c2VjcmV0" not in told.out + told.err


def test_a_report_that_can_not_be_written_is_two(tmp_path: Path) -> None:
    assert command("--operations", "ping", "--out", str(tmp_path / "no" / "page.html")) == contract.NOT_RUN


def test_without_schemathesis_it_says_how_to_install_it() -> None:
    code = """if True:
        import sys
        import argparse
        sys.modules["schemathesis"] = None
        from backpack_sdk.cli import contract
        parser = argparse.ArgumentParser()
        contract.add_arguments(parser)
        sys.exit(contract.run(parser.parse_args([])))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == contract.NOT_RUN
    assert "pip install 'backpack-sdk[contract]'" in done.stderr


def test_importing_the_sdk_loads_nothing_of_it() -> None:
    code = """if True:
        import sys
        import backpack_sdk
        from backpack_sdk import Backpack, OPERATIONS, paper
        loaded = {"schemathesis", "hypothesis", "backpack_sdk.contract"} & set(sys.modules)
        sys.exit(f"loaded {loaded}" if loaded else 0)
    """
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_public_names_are_there_and_no_others() -> None:
    names = {"Finding", "Kind", "NotRun", "Options", "Outcome", "Row", "hold"}
    assert names <= set(dir(package))
    assert all(getattr(package, name) is not None for name in names)
    with pytest.raises(AttributeError, match="no attribute 'Hold'"):
        package.Hold  # noqa: B018


def test_somebody_elses_server_is_asked_politely() -> None:
    assert Options(base_url="https://api.backpack.exchange", read_only=True).pace == 2
    assert Options(base_url="https://elsewhere.example", read_only=True, rate=5).pace == 5
    assert Options(base_url="http://127.0.0.1:8787").pace is None
    assert Options(base_url="http://localhost:8787").pace is None
    assert Options().pace is None
    with pytest.raises(NotRun, match="real exchange"):
        Options(base_url="https://api.backpack.exchange/")

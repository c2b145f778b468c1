"""What a newer document means: the changes, the version, and what the overlays would have to say."""

from __future__ import annotations

import copy
import json
import tomllib
from pathlib import Path

import pytest

from codegen import __main__ as cli
from codegen import scratch
from codegen.build import understand
from codegen.change import Change
from codegen.corrections import read_corrections
from codegen.drift import Drift, Trial, drift, next_version, report
from codegen.overlay import load
from codegen.problems import CodegenError
from codegen.source import read

from .documents import Json
from .vintages import committed, unseen

ROOT = Path(__file__).parents[2]
JUNE_2025 = Path(__file__).parent / "fixtures" / "2025-06.json"
OVERLAYS = load(ROOT / "spec" / "overlays")


def june() -> Json:
    found: Json = json.loads(JUNE_2025.read_text(encoding="utf-8"))
    return found


def change(*, breaks: bool) -> Change:
    return Change("operation.added", "a.b", "added", breaks, "why")


@pytest.fixture(scope="module")
def forward() -> Drift:
    """From June 2025 to May 2026."""
    return drift(june(), committed(), OVERLAYS)


def test_from_june_2025_to_may_2026(forward: Drift) -> None:
    assert (len(forward.old.api.operations), len(forward.new.api.operations)) == (61, 81)
    assert forward.breaks > 10
    text = report(forward, "0.1.0", "may.json")
    assert "61 operations" in text
    assert "version 0.1.0 becomes 0.2.0" in text
    assert "`vaults.vault_mint`" in text
    assert "breaking (" in text
    assert (forward.stale, forward.missing, forward.unused) == ((), (), ())
    assert not forward.is_ready


def test_and_back_again(forward: Drift) -> None:
    """Towards an older document, corrections are stale; what stays undocumented is told."""
    back = drift(committed(), june(), OVERLAYS)
    assert len(back.changes) > 100
    assert back.stale
    text = report(back, "1.4.2", "june.json")
    assert "version 1.4.2 becomes 2.0.0" in text
    assert "### Overlay entries that no longer apply" in text
    assert "overlay entries to drop or to mend" in text


def test_a_document_nobody_has_seen(forward: Drift) -> None:
    found = drift(committed(), unseen(), OVERLAYS)
    text = report(found, "0.1.0", "new.json")
    assert "- operation get_rewards: is not documented" in text
    assert "- operation get_rewards: has no pinned namespace; it goes to `rewards`" in text
    assert "### Documentation of what is gone" in text
    assert "fixes.toml schemas.Kline.trades: no longer applies" in text


def test_the_same_document_needs_nothing() -> None:
    found = drift(committed(), committed(), OVERLAYS)
    assert found.is_ready
    assert "- nothing: the SDK would be the same" in report(found, "0.1.0", "same.json")


def test_what_was_tried_is_told(forward: Drift) -> None:
    text = report(
        forward, "0.1.0", "may.json", [Trial("type checker", True, "fine"), Trial("tests", False, "2 failed")]
    )
    assert "- type checker: passed (fine)" in text
    assert "- tests: FAILED (2 failed)" in text


@pytest.mark.parametrize(
    ("version", "breaks", "expected"),
    [
        ("0.1.4", True, "0.2.0"), ("0.1.4", False, "0.1.5"), ("1.2.3", True, "2.0.0"), ("1.2.3", False, "1.3.0"),
        ("1.2.3", None, "1.2.3"),
    ],
)  # fmt: skip
def test_the_next_version(version: str, breaks: bool | None, expected: str) -> None:
    assert next_version(version, [] if breaks is None else [change(breaks=breaks), change(breaks=False)]) == expected


def test_a_version_that_is_none_is_refused() -> None:
    with pytest.raises(CodegenError, match=r"MAJOR\.MINOR\.PATCH"):
        next_version("1.2", [])


def test_corrections_that_stand_are_written_as_an_overlay() -> None:
    """In a form that gives the same corrections again; the others are left out."""
    text = scratch.standing(OVERLAYS.corrections, committed())
    again = tuple(read_corrections(tomllib.loads(text)["correction"], "x.toml", "x.toml"))
    assert [(one.target, one.expect, one.value, one.exclude) for one in again] == [
        (one.target, one.expect, one.value, one.exclude) for one in OVERLAYS.corrections
    ]
    assert len(scratch.standing(OVERLAYS.corrections, june())) < len(text)
    assert tomllib.loads(scratch.standing([], committed())) == {"correction": []}


def test_a_project_is_made_again_in_a_scratch_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    newer = copy.deepcopy(committed())
    newer["components"]["schemas"]["Side"]["enum"].append("Both")
    source, folder = tmp_path / "newer.json", tmp_path / "project"
    source.write_text(json.dumps(newer), encoding="utf-8")
    assert cli.main(["drift", str(source), "--untried", "--scratch", str(folder)]) in (0, 1)
    told = capsys.readouterr().out
    assert "member `BOTH` (`Both`) added" in told
    assert "becomes 0." in told
    shared = (folder / "src/backpack_sdk/_generated/shared.py").read_text(encoding="utf-8")
    assert 'BOTH = "Both"' in shared
    assert 'BOTH = "Both"' not in (ROOT / "src/backpack_sdk/_generated/shared.py").read_text(encoding="utf-8")
    overlays = load(folder / "spec" / "overlays")
    assert understand(read(str(folder / "spec" / "backpack.json")).document, overlays).stale == ()
    assert json.loads((folder / "spec" / "lock.json").read_text(encoding="utf-8"))["source"] == "newer.json"


def test_a_check_that_fails_and_one_that_can_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed, passed = (scratch._run("x", tmp_path, *words) for words in (("no_such_module",), ("this",)))
    assert (failed.passed, passed.passed) == (False, True)
    assert "no_such_module" in failed.words
    monkeypatch.setattr(scratch, "_SECONDS", 0.001)
    assert scratch._run("x", tmp_path, "this").words == "not done after 0.001 s"
    ran: list[tuple[str, ...]] = []

    def run(name: str, _folder: Path, *words: str) -> Trial:
        ran.append(words)
        return Trial(name, True, "")

    monkeypatch.setattr(scratch, "_run", run)
    assert [trial.name for trial in scratch.trials(ROOT)] == ["type checker", "contract tests"]
    assert ran[0] == ("mypy", "src")
    assert f"tests/contract/{scratch.CONTRACT[0]}" in ran[1]


def test_every_contract_test_that_is_named_exists() -> None:
    for file, _, name in (entry.partition("::") for entry in scratch.CONTRACT):
        assert f"def {name}" in (ROOT / "tests" / "contract" / file).read_text(encoding="utf-8")

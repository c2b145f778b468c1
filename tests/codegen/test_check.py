"""`check` passes on what is committed, and sees everything that is not as it should be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from codegen.__main__ import main
from codegen.build import OUT, SPEC, files, understand
from codegen.overlay import load
from codegen.source import read

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LOCK = SPEC.with_name("lock.json")
ORDER = OUT / "order" / "models.py"


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of the golden document, in which everything fits together."""
    project = tmp_path_factory.mktemp("project")
    shutil.copytree(HERE / "golden" / "overlays", project / "spec" / "overlays")
    shutil.copy(HERE / "golden" / "spec.yaml", project / "upstream.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        assert main(["import", "upstream.yaml"]) == 0
        assert main(["build"]) == 0
    return project


@pytest.fixture(scope="module")
def generated(golden: Path) -> dict[str, str]:
    """What the golden document yields, made once: making it is what takes the time."""
    return files(understand(read(str(golden / SPEC)).document, load(golden / "spec" / "overlays")))


@pytest.fixture
def project(golden: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to break, as the working directory."""
    shutil.copytree(golden, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def problems(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What `check` prints, which must end in a count, with 1 as its exit code."""
    capsys.readouterr()
    assert main(["check"]) == 1
    *found, last = capsys.readouterr().out.splitlines()
    assert last == f"{len(found)} problem(s)"
    return found


def test_what_is_committed_fits_together(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    code = main(["check"])
    assert (code, capsys.readouterr().out) == (0, "document, overlays and code fit together\n")


def test_a_good_project_passes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert capsys.readouterr().out.endswith("document, overlays and code fit together\n")


def test_caches_do_not_matter(project: Path) -> None:
    (OUT / "__pycache__").mkdir()
    (OUT / "__pycache__" / "types.pyc").write_bytes(b"\xff")
    assert main(["check"]) == 0


@pytest.mark.parametrize(("damage", "problem"), [
    (lambda: edit(ORDER, "Limit", "Limited"), f"{ORDER}: is not what the document yields; run `nox -s regen`"),
    (lambda: ORDER.write_bytes(b"\xff\xfe"), f"{ORDER}: is not what the document yields; run `nox -s regen`"),
    (lambda: ORDER.write_bytes(ORDER.read_bytes().replace(b"\n", b"\r\n")),
     f"{ORDER}: is not what the document yields; run"),
    (ORDER.unlink, f"{ORDER}: is missing; run `nox -s regen`"),
    (lambda: (OUT / "extra.py").write_text("x = 1"),
     f"{OUT / 'extra.py'}: is not generated any more; run `nox -s regen`"),
    (lambda: (OUT / "notes.bin").write_bytes(b"\xff"),
     f"{OUT / 'notes.bin'}: is not generated any more; run `nox -s regen`"),
], ids=["edited", "no text", "line ends", "missing", "extra", "data"])  # fmt: skip
def test_code_that_is_not_generated(
    project: Path,
    generated: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[], object],
    problem: str,
) -> None:
    monkeypatch.setattr("codegen.check.files", lambda _built: generated)
    damage()
    found = problems(capsys)
    assert len(found) == 1
    assert found[0].startswith(problem)


def test_no_code_at_all(project: Path, generated: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(OUT)
    assert problems(capsys) == [f"{OUT / name}: is missing; run `nox -s regen`" for name in sorted(generated)]


OVERLAYS = Path("spec/overlays")
TINY = OVERLAYS / "docs" / "tiny.toml"


@pytest.mark.parametrize(("damage", "problem"), [
    (lambda: edit(TINY, "[operations.get_time]\nsummary = \"Return the time.\"\n", ""),
     "operation get_time: is not documented"),
    (lambda: edit(TINY, 'limit = "Levels per side."\n', ""), "operations.get_depth.limit: is not documented"),
    (lambda: edit(TINY, 'fields.code = "What went wrong."\n', ""), "schemas.ApiError.code: is not documented"),
    (lambda: edit(TINY, '[models.Depth]\ndescription = "An order book at one moment."\n', "[models.Depth]\n"),
     "model Depth: is not documented"),
    (lambda: edit(TINY, '[enums.Side]\ndescription = "Direction of an order."\n', "[enums.Side]\n"),
     "enum Side: is not documented"),
    (lambda: edit(TINY, "[models.Depth]", '[models.Gone]\ndescription = "x"\n[models.Depth]'),
     "docs models.Gone: documents something the document does not have"),
    (lambda: edit(TINY, "fields.asks =", 'fields.bids = "x"\nfields.asks ='),
     "docs models.Depth.bids: documents something the document does not have"),
    (lambda: edit(TINY, "members = { ", 'members = { Both = "x", '),
     "docs enums.Side.Both: documents something the document does not have"),
    (lambda: edit(TINY, 'orders = "The orders."', 'orders = "The orders."\nitems = "x"'),
     "docs operations.execute_orders.items: documents something the document does not have"),
    (lambda: edit(OVERLAYS / "units.toml", 'target = "schemas.Depth.timestamp"', 'target = "schemas.Depth.gone"'),
     "units.toml schemas.Depth.gone: no longer applies: nothing is there"),
    (lambda: edit(OVERLAYS / "units.toml", '"operations.getFills.from", ', ""),
     "operations.getFills.from: looks like a time and has no unit: it stays a plain number or text"),
    (lambda: edit(OVERLAYS / "fixes.toml", 'expect = { type = "string" }', 'expect = { type = "integer" }'),
     "fixes.toml operations.*.symbol: no longer applies: type is 'string', not 'integer'"),
    (lambda: edit(OVERLAYS / "auth.toml", "[cancel_order]", "[get_gone]"),
     "auth.toml get_gone: no longer applies: there is no such operation"),
    (lambda: edit(OVERLAYS / "names.toml", 'get_time = "system"\n', ""),
     "operation get_time: has no pinned namespace; it goes to"),
    (lambda: edit(LOCK, '"operations": 6', '"operations": 7'), f"{LOCK}: counts 7 operations, the document has 6"),
    (lambda: edit(LOCK, '"schemas": ', '"schemas": 1'), f"{LOCK}: counts 1"),
    (lambda: edit(LOCK, '"signed": 4', '"signed": null'), f"{LOCK}: counts None signed, the document has 4"),
    (lambda: edit(LOCK, '"spec_sha256": "', '"spec_sha256": "0'), f"{LOCK}: speaks of another backpack.json; run"),
    (lambda: LOCK.write_text("[]"), f"{LOCK}: speaks of another backpack.json; run `python -m codegen import` again"),
    (lambda: LOCK.write_text("{"), f"{LOCK}: can't be read (Expecting property name"),
    (LOCK.unlink, f"{LOCK}: can't be read ([Errno 2] No such file or directory"),
    (lambda: edit(SPEC, '"operationId": "get_time"', '"operationId": "get_time", "summary": "Prose"'),
     f"{SPEC}: is not what an import yields: run `python -m codegen import {SPEC}`"),
    (lambda: edit(SPEC, '"openapi"', ' "openapi"'), f"{SPEC}: is not what an import yields"),
])  # fmt: skip
def test_what_does_not_fit_together(
    project: Path,
    generated: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[], object],
    problem: str,
) -> None:
    monkeypatch.setattr("codegen.check.files", lambda _built: generated)
    damage()
    found = problems(capsys)
    assert any(one.startswith(problem) for one in found), found


def test_documentation_may_say_that_only_older_documents_have_it(project: Path) -> None:
    edit(TINY, "[models.Depth]", '[models.Gone]\ndescription = "x"\nuntil = "2025-06"\n[models.Depth]')
    assert main(["check"]) == 0


def test_a_new_document_without_its_code(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(SPEC.read_text(encoding="utf-8"))
    document["components"]["schemas"]["Side"]["enum"].append("Both")
    Path("newer.json").write_text(json.dumps(document), encoding="utf-8")
    assert main(["import", "newer.json"]) == 0
    assert problems(capsys) == [
        f"{path}: is not what the document yields; run `nox -s regen`" for path in (OUT / "contract.json", ORDER)
    ]
    assert main(["build"]) == 0
    assert main(["check"]) == 0


@pytest.mark.parametrize(("path", "text", "problem"), [
    (SPEC, "{", f"error: {SPEC}:1:2: is not JSON: "),
    (SPEC, '{"openapi": "3.0.0", "paths": {"x": {}}}', "error: #/paths/x: a path starts with a slash"),
    (OVERLAYS / "units.toml", "x = ", f"error: {OVERLAYS / 'units.toml'}: is not TOML"),
])  # fmt: skip
def test_what_can_not_be_checked(
    project: Path, capsys: pytest.CaptureFixture[str], path: Path, text: str, problem: str
) -> None:
    path.write_text(text, encoding="utf-8")
    capsys.readouterr()
    assert main(["check"]) == 2
    assert capsys.readouterr().err.startswith(problem)

"""The command line: what each command writes, prints and exits with, and that a failure leaves everything as it was."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from codegen import output
from codegen.__main__ import CUSTOMER_SOURCE, main
from codegen.build import OUT, SPEC

from .documents import document, get

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
GOLDEN = HERE / "golden"
BAD = document({"X": {"$ref": "#/components/schemas/Y"}}, {"/a": get("a"), "/b": get("a")})
BAD_PROBLEMS = [
    "error: #/components/schemas/X/$ref: '#/components/schemas/Y' leads nowhere",
    "error: #/paths/~1b/get/operationId: 'a' is also the name of #/paths/~1a/get",
    "2 problem(s); nothing was written.",
]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with overlays and nothing else, as the working directory."""
    shutil.copytree(GOLDEN / "overlays", tmp_path / "spec" / "overlays")
    shutil.copy(GOLDEN / "spec.yaml", tmp_path / "upstream.yaml")
    (tmp_path / "bad.json").write_text(json.dumps(BAD))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def err(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Lines of the standard error; the standard output must be empty."""
    out, error = capsys.readouterr()
    assert out == ""
    return error.splitlines()


# import


def test_import_writes_facts_and_a_lock(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "upstream.yaml"]) == 0
    assert capsys.readouterr() == ("spec/backpack.json: 6 operations, 13 schemas\n", "")
    facts = json.loads(SPEC.read_text(encoding="utf-8"))
    assert facts["paths"]["/api/v1/order"]["delete"]["x-instruction-assumed"] is True
    assert "Prose" not in SPEC.read_text(encoding="utf-8")
    assert json.loads((project / "spec" / "lock.json").read_text(encoding="utf-8")) == {
        "imported": datetime.now(UTC).date().isoformat(),
        "operations": 6,
        "schemas": 13,
        "signed": 4,
        "source": "upstream.yaml",
        "source_sha256": hashlib.sha256(Path("upstream.yaml").read_bytes()).hexdigest(),
        "spec_sha256": hashlib.sha256(SPEC.read_bytes()).hexdigest(),
    }


def test_import_somewhere_else(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "upstream.yaml", "--out", "other/name.json"]) == 0
    assert {"other/name.json", "other/lock.json"} <= set(tree(project))
    assert not SPEC.exists()


def test_an_import_of_an_import_is_the_same(project: Path) -> None:
    assert main(["import", "upstream.yaml"]) == 0
    assert main(["import", str(SPEC), "--out", "again.json"]) == 0
    assert Path("again.json").read_bytes() == SPEC.read_bytes()


def test_the_customer_s_own_place_is_the_default(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import"]) == 2
    assert err(capsys) == ["error: name a document; api-doc/backpack.json does not exist"]
    CUSTOMER_SOURCE.parent.mkdir()
    # Whatever form it has: the name says JSON, the content need not.
    shutil.copy("upstream.yaml", CUSTOMER_SOURCE)
    assert main(["import"]) == 0
    lock = json.loads((project / "spec" / "lock.json").read_text(encoding="utf-8"))
    assert lock["source"] == "backpack.json"
    assert capsys.readouterr().out == "spec/backpack.json: 6 operations, 13 schemas\n"


def test_import_tells_what_it_decided(capsys: pytest.CaptureFixture[str]) -> None:
    Path("small.json").write_text(json.dumps(document({}, {"/a": get("a", tag="Odd Things")})))
    assert main(["import", "small.json"]) == 0
    out, error = capsys.readouterr()
    assert out == "spec/backpack.json: 1 operations, 0 schemas\n"
    lines = error.splitlines()
    assert "note: auth.toml cancel_order: no longer applies: there is no such operation" in lines
    assert "8 stale corrections" in lines
    assert lines[-3:] == [
        "note: operation a: has no pinned namespace; it goes to `odd_things`", "note: operation a: is not documented",
        "2 remarks",
    ]  # fmt: skip


@pytest.mark.parametrize(("source", "problems"), [
    ("bad.json", BAD_PROBLEMS),
    ("missing.json", ["error: missing.json: could not be read: No such file or directory",
     "1 problem(s); nothing was written."]),
    ("spec/overlays/auth.toml",
     ["error: spec/overlays/auth.toml:2:1: is neither JSON, YAML nor HTML: did not find expected "
                                 "<document start>", "1 problem(s); nothing was written."]),
])  # fmt: skip
@pytest.mark.parametrize("before", [False, True], ids=["new", "over an older one"])
def test_an_import_that_fails_writes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str], source: str, problems: list[str], before: bool
) -> None:
    if before:
        assert main(["import", "upstream.yaml"]) == 0
        capsys.readouterr()
    files = tree(project)
    assert main(["import", source]) == 2
    assert err(capsys) == problems
    assert tree(project) == files


def test_an_import_that_fails_while_writing_leaves_the_older_one(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Document and lock change together or not at all."""
    assert main(["import", "upstream.yaml"]) == 0
    files = tree(project)
    capsys.readouterr()
    original = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if target.name == "lock.json" and b"schemas" in self.read_bytes():
            raise OSError(28, "No space left on device")
        return original(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    text = Path("upstream.yaml").read_text(encoding="utf-8")
    Path("upstream.yaml").write_text(text.replace("enum: [Bid, Ask]", "enum: [Bid, Ask, Both]"), encoding="utf-8")
    files["upstream.yaml"] = Path("upstream.yaml").read_bytes()
    assert main(["import", "upstream.yaml"]) == 2
    assert err(capsys)[0] == "error: spec/lock.json: could not be written: No space left on device"
    assert tree(project) == files


@pytest.mark.parametrize(("out", "problem"), [
    ("lock.json", "error: lock.json: is the name of the lock; the document needs another"),
    ("spec", "error: spec: could not be written: Is a directory"),
    ("upstream.yaml/x.json", "error: upstream.yaml/x.json: could not be written: Not a directory"),
])  # fmt: skip
def test_an_import_to_where_nothing_can_be_written(
    project: Path, capsys: pytest.CaptureFixture[str], out: str, problem: str
) -> None:
    files = tree(project)
    assert main(["import", "upstream.yaml", "--out", out]) == 2
    assert err(capsys)[0].removesuffix(": File exists").startswith(problem.removesuffix(": Not a directory"))
    assert tree(project) == files


def test_wrong_overlays(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--overlays", "nowhere", "import", "upstream.yaml"]) == 2
    assert err(capsys)[0] == "error: nowhere/auth.toml: could not be read: No such file or directory"


# build


def test_build_from_the_committed_document_and_from_its_source(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", "upstream.yaml"]) == 0
    assert main(["build"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "src/backpack_sdk/_generated: 20 files, 6 operations, 9 models"
    assert main(["build", "--spec", "upstream.yaml", "--out", "elsewhere/api"]) == 0
    assert tree(project / "elsewhere" / "api") == tree(project / OUT)


def test_a_build_that_fails_leaves_the_older_one(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["build", "--spec", "upstream.yaml"]) == 0
    files = tree(project)
    capsys.readouterr()
    assert main(["build", "--spec", "bad.json"]) == 2
    assert err(capsys) == BAD_PROBLEMS
    assert tree(project) == files

    def full(root: Path, content: dict[str, str]) -> None:
        (root / "__init__.py").write_text(next(iter(content.values())))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(output, "write_tree", full)
    assert main(["build", "--spec", "upstream.yaml"]) == 2
    assert err(capsys)[0] == f"error: {project / OUT}: could not be written: No space left on device"
    assert tree(project) == files


def test_a_folder_that_is_not_ours_is_not_overwritten(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine").mkdir()
    Path("mine/__init__.py").write_text('"""My own package."""\n')
    files = tree(project)
    assert main(["build", "--spec", "upstream.yaml", "--out", "mine"]) == 2
    assert err(capsys) == [
        f"error: {project / 'mine' / '__init__.py'}: was not written by the generator; name an empty or new folder",
        "1 problem(s); nothing was written.",
    ]
    assert tree(project) == files


def test_a_build_without_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build"]) == 2
    assert err(capsys)[0] == "error: spec/backpack.json: could not be read: No such file or directory"


def test_what_a_terminal_would_obey_is_spelled_out(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.json").write_text(json.dumps(document({"\x1b[2J\u202e": {"type": "x"}})))
    assert main(["import", "bad.json"]) == 2
    assert err(capsys)[0] == r"error: #/components/schemas/\x1b[2J\u202e/type: 'x' is no JSON schema type"


# the rest


def test_diff_of_what_can_not_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "upstream.yaml", "bad.json"]) == 2
    assert err(capsys)[:2] == BAD_PROBLEMS[:2]
    assert main(["diff", "missing.json", "upstream.yaml"]) == 2


@pytest.mark.parametrize(
    "arguments", [[], ["fetch"], ["diff", "one"], ["import", "a", "b"], ["diff", "a", "b", "--format", "x"]]
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert err(capsys)[0].startswith("usage: python -m codegen")


def test_the_module_runs_as_a_command(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "codegen", "--overlays", str(project / "spec" / "overlays"), "import",
        str(project / "bad.json"),
         "--out", str(project / "out.json")], cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr.splitlines()) == (2, "", BAD_PROBLEMS)
    assert not (project / "out.json").exists()

"""Writing leaves the new files or the old ones, never half of either, and never somebody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.output import MARK, generated, json_text, write_files, write_folder
from codegen.problems import CodegenError

CONTENT = {"__init__.py": f"# {MARK}\n", "a/__init__.py": f"# {MARK}\n", "a/models.py": f"# {MARK}\nx = 1\n"}
FULL = OSError(28, "No space left on device")
OTHER = {"__init__.py": f"# {MARK} anew\n", "b.py": f"# {MARK}\n"}


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder, hidden ones too."""
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def refusal(out: Path, content: dict[str, str]) -> str:
    with pytest.raises(CodegenError) as caught:
        write_folder(out, content)
    return str(caught.value)


def break_at(
    monkeypatch: pytest.MonkeyPatch, method: str, name: str, error: BaseException, holding: tuple[str, ...] = ()
) -> None:
    """Let a method of Path fail for files whose name begins like this and, if asked, hold one of these texts."""
    original = getattr(Path, method)

    def failing(self: Path, *args: object, **kwargs: object) -> object:
        if self.name.startswith(name) and (not holding or self.read_text() in holding):
            raise error
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Path, method, failing)


def test_a_new_folder(tmp_path: Path) -> None:
    write_folder(tmp_path / "deep" / "er" / "out", CONTENT)
    assert tree(tmp_path) == {f"deep/er/out/{name}": text for name, text in CONTENT.items()}


@pytest.mark.parametrize("name", ["_generated", "my-api", "types", "with space", "ünï", ".hidden"])
def test_any_name(tmp_path: Path, name: str) -> None:
    write_folder(tmp_path / name, CONTENT)
    assert tree(tmp_path / name) == CONTENT


def test_an_older_folder_is_replaced_whole(tmp_path: Path) -> None:
    write_folder(tmp_path / "out", CONTENT)
    caches = tmp_path / "out" / "a" / "__pycache__"
    caches.mkdir()
    (caches / "models.cpython-311.pyc").write_bytes(b"\x00")
    write_folder(tmp_path / "out", OTHER)
    assert tree(tmp_path) == {f"out/{name}": text for name, text in OTHER.items()}


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_folder(tmp_path / "out", CONTENT)
    assert tree(tmp_path / "out") == CONTENT


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write_folder(tmp_path / "link", CONTENT)
    write_folder(tmp_path / "link", OTHER)
    assert (tmp_path / "link").is_symlink()
    assert tree(tmp_path / "real") == OTHER
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]


@pytest.mark.parametrize("files", [
    {"main.py": "print('mine')"}, {"__init__.py": ""}, {"notes.txt": "mine"}, {"sub/deep/data.bin": "\udcff"},
    {**CONTENT, "a/mine.py": "x = 1"},
], ids=["code", "an empty package", "text", "data", "my file among generated ones"])  # fmt: skip
def test_a_folder_somebody_else_wrote_is_refused(tmp_path: Path, files: dict[str, str]) -> None:
    out = tmp_path / "out"
    for name, text in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode(errors="surrogateescape"))
    before = {path: path.read_bytes() for path in generated(out)}
    foreign = next(name for name in files if name not in CONTENT or files[name] != CONTENT[name])
    assert refusal(out, OTHER) == f"{out / foreign}: was not written by the generator; name an empty or new folder"
    assert {path: path.read_bytes() for path in generated(tmp_path)} == before


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    assert refusal(tmp_path / "out", CONTENT) == f"{tmp_path / 'out'}: is a file; name a folder"
    assert "could not be written: " in refusal(tmp_path / "out" / "below", CONTENT)
    assert tree(tmp_path) == {"out": "mine"}


@pytest.mark.parametrize(("method", "name"), [
    ("mkdir", "new"), ("write_text", "__init__"), ("write_text", "b.py"), ("rename", "out"), ("rename", "new"),
])  # fmt: skip
@pytest.mark.parametrize("error", [FULL, KeyboardInterrupt()], ids=["disk full", "interrupt"])
def test_a_failure_in_the_middle_leaves_the_old_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, name: str, error: BaseException
) -> None:
    out = tmp_path / "out"
    write_folder(out, CONTENT)
    with monkeypatch.context() as patch:
        break_at(patch, method, name, error)
        if error is FULL:
            assert refusal(out, OTHER) == f"{out}: could not be written: No space left on device"
        else:
            with pytest.raises(KeyboardInterrupt):
                write_folder(out, OTHER)
    assert tree(tmp_path) == {f"out/{each}": text for each, text in CONTENT.items()}


def test_a_failure_leaves_nothing_where_nothing_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_at(monkeypatch, "write_text", "models", FULL)
    refusal(tmp_path / "out", CONTENT)
    assert list(tmp_path.iterdir()) == []


def test_files_are_written_together(tmp_path: Path) -> None:
    one, two = tmp_path / "new" / "one.json", tmp_path / "two.json"
    two.write_text("old")
    write_files({one: "1\n", two: "2é\n"})
    assert tree(tmp_path) == {"new/one.json": "1\n", "two.json": "2é\n"}
    assert one.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("old", [{}, {"one": "a", "two": "b"}, {"two": "b"}], ids=["new", "old", "mixed"])
@pytest.mark.parametrize(("method", "name"), [
    ("write_text", ".one-"), ("write_text", ".two-"), ("chmod", ".two-"), ("replace", ".one-"), ("replace", ".two-"),
])  # fmt: skip
def test_a_failure_in_the_middle_leaves_the_old_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: dict[str, str], method: str, name: str
) -> None:
    for each, text in old.items():
        (tmp_path / each).write_text(text)
    with monkeypatch.context() as patch:
        break_at(patch, method, name, FULL, holding=("", "1", "2"))
        with pytest.raises(CodegenError, match=f"{name[1:4]}: could not be written: No space left on device"):
            write_files({tmp_path / "one": "1", tmp_path / "two": "2"})
    assert tree(tmp_path) == old


def test_a_folder_in_the_way_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    with pytest.raises(CodegenError, match="two: could not be written"):
        write_files({tmp_path / "one": "1", tmp_path / "two": "2"})
    assert tree(tmp_path) == {}


def test_json_is_sorted_and_ends_in_a_line() -> None:
    assert json_text({"b": "é\u2028", "a": [1]}) == '{\n "a": [\n  1\n ],\n "b": "é\u2028"\n}\n'

"""Overlays are read whole and right, or refused with the file that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.overlay import load
from codegen.problems import CodegenError

OVERLAYS = Path(__file__).parents[2] / "spec" / "overlays"
GOOD = {
    "auth.toml": '[get_a]\ninstruction = "aQuery"\nwhy = "w"\nevidence = "e"\n',
    "fixes.toml": """
        [[correction]]
        target = ["schemas.X.a", "operations.*.b"]
        except = ["get_c"]
        expect = { type = "string" }
        value = { format = "decimal" }
        why = "w"
        evidence = "e"
    """,
    "units.toml": '[[correction]]\ntarget = "schemas.Y"\nvalue = { x-unit = "seconds" }\nwhy = "w"\nevidence = "e"\n',
    "names.toml": """
        [namespaces]
        get_a = "things"
        [tags]
        "Old Name" = "things"
        [arguments]
        "X-A" = "x_a"
        [open_text]
        schemas = ["Asset"]
        from_members = 3
        [members.Interval]
        "1d" = "DAY_1"
    """,
    "docs/things.toml": """
        [operations.get_a]
        summary = "Do a."
        [operations.get_a.errors]
        404 = "Not there."
        [models.X.fields]
        a = "An a."
    """,
    "docs/more.toml": """
        [enums.Interval]
        description = "Length."
        until = "2025-06"
        [enums.Interval.members]
        1d = "A day."
    """,
}


def folder(tmp_path: Path, **changed: str | None) -> Path:
    """A folder of good overlays but for the files named here, where `docs__x` stands for `docs/x.toml`."""
    files: dict[str, str | None] = dict(GOOD)
    files |= {name.replace("__", "/") + ".toml": text for name, text in changed.items()}
    for name, text in files.items():
        if text is not None:
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return tmp_path


def refusal(path: Path) -> str:
    with pytest.raises(CodegenError) as caught:
        load(path)
    return str(caught.value).replace(f"{path}/", "")


def test_everything_is_read(tmp_path: Path) -> None:
    found = load(folder(tmp_path))
    assert found.assumed == {"get_a": "aQuery"}
    assert [(one.source, one.target, one.exclude) for one in found.corrections] == [
        ("fixes.toml", "schemas.X.a", ("get_c",)), ("fixes.toml", "operations.*.b", ("get_c",)), ("units.toml",
         "schemas.Y", ()),
    ]  # fmt: skip
    assert found.corrections[0].expect == {"type": "string"}
    assert found.names.namespaces == {"get_a": "things"}
    assert found.names.members == {"Interval": {"1d": "DAY_1"}}
    assert (found.names.open_text, found.names.open_text_from) == (("Asset",), 3)
    assert found.docs == {
        "operations": {"get_a": {"summary": "Do a.", "errors": {"404": "Not there."}}},
        "models": {"X": {"fields": {"a": "An a."}}},
        "enums": {"Interval": {"description": "Length.", "until": "2025-06", "members": {"1d": "A day."}}},
    }


def test_the_committed_overlays_are_read() -> None:
    found = load(OVERLAYS)
    assert len(found.assumed) == 4
    assert len(found.names.namespaces) == 82
    assert len(found.docs["operations"]) >= 81


def correction(**changed: str) -> str:
    told = {"target": '"schemas.X"', "value": "{}", "why": '"w"', "evidence": '"e"', **changed}
    return "[[correction]]\n" + "\n".join(f"{key} = {value}" for key, value in told.items() if value)


@pytest.mark.parametrize(("changed", "problem"), [
    ({"auth": None}, "auth.toml: could not be read: No such file or directory"),
    ({"units": "a = "}, "units.toml: is not TOML: Invalid value (at end of document)"),
    ({"auth": '[get_a]\ninstruction = "a"\n'}, "auth.toml: get_a has instruction, why and evidence, nothing else"),
    ({"auth": "get_a = 1"}, "auth.toml: get_a has instruction, why and evidence, nothing else"),
    ({"auth": '[get_a]\ninstruction = "a&b"\nwhy = "w"\nevidence = "e"'},
     "auth.toml: get_a: 'a&b' can't be the name of"),
    ({"fixes": "correction = 1"}, "fixes.toml: expected [[correction]] entries"),
    ({"fixes": correction(why="")}, "fixes.toml: a correction has target, expect, value, why and evidence, not ["),
    ({"fixes": correction(note="1")}, "fixes.toml: a correction has target, expect, value, why and evidence, not ["),
    ({"fixes": correction(why='" "')}, "fixes.toml: schemas.X: a correction says why, and what shows it"),
    ({"fixes": correction(evidence="1")}, "fixes.toml: schemas.X: a correction says why, and what shows it"),
    ({"fixes": correction(value="1")}, "fixes.toml: schemas.X: expect and value are tables"),
    ({"fixes": correction(expect='"string"')}, "fixes.toml: schemas.X: expect and value are tables"),
    ({"fixes": correction(target='"paths.X"')}, "fixes.toml: the target 'paths.X' has an unknown kind"),
    ({"units": correction(target='["schemas.X", "streams.Y"]')},
     "units.toml: the target 'streams.Y' has an unknown kind"),
    ({"fixes": correction(target="1")}, "fixes.toml: the target 1 has an unknown kind"),
    ({"fixes": correction(target='"schemas"')}, "fixes.toml: the target 'schemas' names no place"),
    ({"fixes": correction(target='"operations.get_a"')}, "fixes.toml: the target 'operations.get_a' names no place"),
    ({"fixes": correction(target='"schemas.X."')}, "fixes.toml: the target 'schemas.X.' names no place"),
    ({"names": '[colours]\na = "b"'}, "names.toml: has tables of names and [open_text], not ['colours']"),
    ({"names": "tags = 1"}, "names.toml: has tables of names and [open_text], not single values"),
    ({"names": '[namespaces]\nget_a = "../../evil"'},
     "names.toml: [namespaces] get_a: '../../evil' can't be a name in Python"),
    ({"names": '[namespaces]\nget_a = "types"'},
     "names.toml: [namespaces] get_a: 'types' means something else in the SDK"),
    ({"names": '[arguments]\nx = "from"'}, "names.toml: [arguments] x: 'from' can't be a name in Python"),
    ({"names": '[members]\nX = "A"'}, "names.toml: [members.X] is no table"),
    ({"names": '[members.X]\na = "_A"'}, "names.toml: [members.X] a: '_A' can't be a name in Python"),
    ({"names": '[open_text]\nschemas = "A"'},
     "names.toml: [open_text] has schemas, a list, and from_members, a number"),
    ({"docs__more": '[operations.get_a]\nsummary = "Again."'},
     "docs/things.toml: operations.get_a is documented twice"),
    ({"docs__more": '[streams.a]\nsummary = "x"'},
     "docs/more.toml: [streams] is unknown; operations, models, enums can be"),
    ({"docs__more": 'enums = "x"'}, "docs/more.toml: [enums] is unknown; operations, models, enums can be documented"),
    ({"docs__more": 'enums.X = "x"'}, "docs/more.toml: [enums.X] is no table"),
    ({"docs__more": '[enums.X]\nfields.a = "x"'}, "docs/more.toml: enums.X.fields is unknown or of the wrong type"),
    ({"docs__more": "[models.Z]\ndescription = 1"},
     "docs/more.toml: models.Z.description is unknown or of the wrong type"),
    ({"docs__more": "[models.Z.fields]\na = 1"}, "docs/more.toml: models.Z.fields holds something that is no text"),
])  # fmt: skip
def test_what_is_wrong_is_refused_with_its_file(tmp_path: Path, changed: dict[str, str | None], problem: str) -> None:
    assert refusal(folder(tmp_path, **changed)).startswith(problem)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = folder(tmp_path)
    (path / "names.toml").write_bytes(b"\xff\xfe")
    assert refusal(path).startswith("names.toml: is not TOML:")

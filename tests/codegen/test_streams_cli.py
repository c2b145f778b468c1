"""The command line with a streams document: build, check and diff."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from codegen.__main__ import main
from codegen.build import OUT, STREAMS
from codegen.streams.analyse import read_streams
from codegen.streams.diff import compare_streams

from .stream_documents import Json, channel, count, enum, number, payload, ref_to, streams, text

if TYPE_CHECKING:
    from codegen.change import Change

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a streams document, built."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(HERE / "golden" / "overlays", folder / "spec" / "overlays")
    shutil.copy(HERE / "golden" / "spec.yaml", folder / "upstream.yaml")
    (folder / STREAMS).write_text(json.dumps(streams()), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["import", "upstream.yaml"]) == 0
        assert main(["build"]) == 0
    return folder


@pytest.fixture
def project(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to break, as the working directory."""
    shutil.copytree(built, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def write(document: Json, path: Path = STREAMS) -> None:
    path.write_text(json.dumps(document), encoding="utf-8")


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], list[str]]:
    capsys.readouterr()
    code = main(list(arguments))
    out, err = capsys.readouterr()
    return code, out.splitlines(), err.splitlines()


# build


def test_the_default_streams_go_beside_any_document(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = output(capsys, "build", "--spec", "upstream.yaml", "--out", "elsewhere/api")
    assert (code, out[-1]) == (0, "elsewhere/api: 23 files, 6 operations, 9 models, 1 kinds of stream")
    for name in ("__init__.py", "channels.py", "models.py"):
        path = Path("streams") / name
        assert (Path("elsewhere/api") / path).read_bytes() == (OUT / path).read_bytes()


def test_other_streams_can_be_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(streams(channels={"tock": channel("tock", "Tick")}), Path("other.json"))
    code, out, _ = output(capsys, "build", "--streams", "other.json", "--out", "elsewhere/api")
    assert code == 0
    assert "TOCK = Channel(" in Path("elsewhere/api/streams/channels.py").read_text(encoding="utf-8")
    code, out, err = output(capsys, "build", "--streams", "missing.json")
    assert (code, out) == (2, [])
    assert err[0] == "error: missing.json: could not be read: No such file or directory"


def test_a_wrong_streams_document_leaves_everything_as_it_was(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (OUT / "streams" / "models.py").read_bytes()
    write(streams({"Tick": payload(p={})}))
    code, out, err = output(capsys, "build")
    assert (code, out) == (2, [])
    assert err == [
        "error: #/components/schemas/Tick/properties/p: needs a type",
        "1 problem(s); nothing was written.",
    ]
    assert (OUT / "streams" / "models.py").read_bytes() == before


def test_what_is_undocumented_is_remarked(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(streams({"Tick": payload(p=number(description=None))}))
    code, _, err = output(capsys, "build")
    assert code == 0
    assert "note: #/components/schemas/Tick/properties/p: has no description" in err


# check


def test_a_good_project_passes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert output(capsys, "check") == (0, ["document, overlays and code fit together"], [])


@pytest.mark.parametrize(("document", "problem"), [
    (streams({"Tick": payload(p=number(**{"x-name": "cost"}))}),
     f"{OUT}/streams/models.py: is not what the document yields; run `nox -s regen`"),
    (streams({"Tick": payload(p=number(description="", **{"x-name": "price"}))}),
     "#/components/schemas/Tick/properties/p: has no description"),
    (streams({"Tick": payload(E=count(**{"x-name": "event_time"}))}),
     "#/components/schemas/Tick/properties/E/x-unit: is missing: a time needs a unit, us or ms"),
])  # fmt: skip
def test_check_sees_what_does_not_fit(
    project: Path, capsys: pytest.CaptureFixture[str], document: Json, problem: str
) -> None:
    write(document)
    code, out, _ = output(capsys, "check")
    assert code == 1
    assert problem in out


def test_check_sees_streams_whose_document_is_gone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    STREAMS.unlink()
    code, out, _ = output(capsys, "check")
    assert code == 1
    assert f"{OUT}/streams/channels.py: is not generated any more; run `nox -s regen`" in out


def test_check_sees_an_edit_by_hand(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = OUT / "streams" / "channels.py"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    code, out, _ = output(capsys, "check")
    assert (code, out[:-1]) == (1, [f"{path}: is not what the document yields; run `nox -s regen`"])


# diff


OLD = streams(
    {"Side": enum("Bid", "Ask"),
     "Tick": payload(p=number(**{"x-name": "price"}), S=ref_to("Side"), i={"type": ["integer", "string"]},
                     t=text(**{"x-name": "wire_start",
                               "x-reads-as": {"name": "start", "kind": "iso", "description": "x"}}))},
    {"tick": channel("tick.{symbol}", "Tick", **{"x-silence": 1})},
)  # fmt: skip


def changed(document: Json) -> list[Change]:
    return list(compare_streams(read_streams(OLD)[0], read_streams(document)[0]))


def tick(**fields: Json | None) -> Json:
    """The old document with some fields of its event replaced, or left out where None."""
    new: Json = json.loads(json.dumps(OLD))
    properties = new["components"]["schemas"]["Tick"]["properties"]
    properties |= fields
    for name in [name for name, field in properties.items() if field is None]:
        del properties[name]
    new["components"]["schemas"]["Tick"]["required"] = [
        name for name, field in properties.items() if "null" not in field.get("type", ())
    ]
    return new


def with_channel(**channels: Json) -> Json:
    return {**OLD, "channels": channels}


START = {"name": "begin", "kind": "iso", "description": "x"}


@pytest.mark.parametrize(("document", "kind", "what", "text", "breaks"), [
    (tick(p=None), "field.removed", "Tick.price", "field `price` removed", True),
    (tick(q=number(type=["string", "number", "null"])), "field.added", "Tick.q",
     "field `q` added: `Decimal | None`", False),
    (tick(p=text(**{"x-name": "price"})), "field.type", "Tick.price", "field `price` was `Decimal`, is `str`", True),
    (tick(i=text()), "field.type", "Tick.i", "field `i` was `int | str`, is `str`", False),
    (tick(i={"type": ["integer", "string", "null"]}), "field.presence", "Tick.i",
     "field `i` may now be `None`", True),
    (tick(p=None, P=number(**{"x-name": "price"})), "field.wire", "Tick.price",
     "field `price` was `p` on the wire, is `P`", False),
    (tick(t=text(**{"x-name": "wire_start", "x-reads-as": START})), "property.removed", "Tick.start",
     "property `start` removed", True),
    (tick(t=text(**{"x-name": "wire_start", "x-reads-as": START})), "property.added", "Tick.begin",
     "property `begin` added", False),
    (tick(t=text(**{"x-name": "wire_start", "x-reads-as": START | {"name": "start", "kind": "text"}})),
     "property.type", "Tick.start", "property `start` was read as `iso`, is as `text`", True),
    (tick(e={"const": "tock"}), "model.tag", "Tick", "was told by the tag `tick`, is by `tock`", False),
    (with_channel(), "channel.removed", "tick", "removed", True),
    (with_channel(), "model.removed", "Tick", "model removed", True),
    (with_channel(), "enum.removed", "Side", "enum removed", True),
    (with_channel(**OLD["channels"], tock=channel("tock", "Tick")), "channel.added", "tock", "added", False),
    (with_channel(tick=channel("tick.{symbol}", "Tick")), "channel.silence", "tick",
     "came every 1 s, comes only on a change", False),
    (with_channel(tick=channel("account.tick.{symbol}", "Tick")), "channel.private", "tick",
     "was public, is private", True),
    (with_channel(tick=channel("account.tick.{symbol}", "Tick")), "channel.stream.removed", "tick",
     "stream `tick.{symbol}` removed", True),
    (with_channel(tick=channel("tick.{window}.{symbol}", "Tick")), "channel.window.added", "tick",
     "window `1s` added", False),
    (with_channel(tick=channel("tick.{symbol}", "Tick", **{"x-documentation": "sparse"})), "channel.documentation",
     "tick", "is hardly documented any more", False),
])  # fmt: skip
def test_a_difference_says_whether_it_breaks(document: Json, kind: str, what: str, text: str, breaks: bool) -> None:
    found = {(one.kind, one.method): one for one in changed(document)}
    one = found[kind, what]
    assert (one.text, one.breaks, one.affects) == (text, breaks, ("tock",) if what == "tock" else ("tick",))


def test_members_and_events_that_changed() -> None:
    new = tick()
    new["components"]["schemas"]["Side"] = enum("Bid", "Both")
    assert [(one.kind, one.method, one.breaks) for one in changed(new)] == [
        ("member.added", "Side.BOTH", False),
        ("member.removed", "Side.ASK", True),
    ]
    new = streams({"Tock": payload("tock")}, {"tick": channel("tick.{symbol}", "Tock")})
    event = next(one for one in changed(new) if one.kind == "channel.event")
    assert (event.text, event.breaks) == ("its events were `Tick`, are `Tock`", True)


def test_a_document_does_not_differ_from_itself_or_by_its_words() -> None:
    assert changed(OLD) == []
    assert changed(tick(p=number(**{"x-name": "price", "description": "Other words."}))) == []


def test_the_command_compares_streams(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(OLD, Path("old.json"))
    write(tick(p=None, q=number()), Path("new.json"))
    code, out, _ = output(capsys, "diff", "old.json", "new.json")
    assert code == 1
    assert out[-1] == (
        "0 channels added, 0 removed, 0 changed, 1 more affected through their models; breaking (1 of 2 changes)."
    )
    assert output(capsys, "diff", "old.json", "old.json")[0] == 0
    code, out, _ = output(capsys, "diff", "old.json", "new.json", "--format", "json")
    assert json.loads("\n".join(out))["summary"]["channels_affected"] == 1
    code, out, err = output(capsys, "diff", "old.json", "upstream.yaml")
    assert (code, out) == (2, [])
    assert err[0] == "error: #/openapi: expected an OpenAPI 3 document, found version None"

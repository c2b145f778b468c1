"""Text of a streams document never becomes code, a path, or somebody else's name."""

from __future__ import annotations

import ast
import keyword
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backpack_sdk._core.events import StreamEvent
from codegen.build import files
from codegen.output import write_tree

from .documents import thing
from .hostile import CANARY, CODE, TEXTS
from .packages import Package
from .stream_documents import Json, channel, count, enum, number, payload, ref_to, text, understood

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = (
    "self", "cls", "extra", "frame", "problem", "polled", "from_wire", "field", "property", "int",
    "str", "tuple", "datetime", "dict", "class", "import", "None", "__init__", "_received", "Decimal", "Level",
    "StreamEvent", "copy", "1st", "fooBar", CODE,
)  # fmt: skip
"""Names of fields, each of which ends as another identifier."""
SCHEMAS = (
    "StreamEvent", "UnknownEvent", "Decimal", "Level", "Any", "OpenEnum", "Literal", "Channel", "EventDecoder",
    "CHANNELS", "int", "a b", "a/b", "a~b", "class", "1st", "Side", '"', CODE,
)  # fmt: skip
"""Names of payloads."""
WIRES = [name for name in TEXTS if not set('"\\') & set(name) and min(name, default=" ") >= " "]
"""Names on the wire that msgspec can read; any other is a problem of the document."""
DOC = "\n".join(TEXTS)


@pytest.fixture(scope="module")
def content() -> dict[str, str]:
    built = understood(hostile(), {"Thing": thing(side={"$ref": "#/components/schemas/Side"}),
                                   "Side": {"type": "string", "enum": ["Bid"]}})  # fmt: skip
    return {name: made for name, made in files(built).items() if name.startswith("streams/")}


@pytest.fixture(scope="module")
def package(content: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Package]:
    folder = tmp_path_factory.mktemp("hostile") / "hostile_streams"
    write_tree(folder, {**content, "__init__.py": ""})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder.parent)
        found = Package(folder)
        assert not list(Path().rglob(CANARY))
    yield found
    found.forget()


def hostile() -> Json:
    """A valid document whose every name and text tries to break out of the place it is put in."""
    texts = enum(*TEXTS, "mro", "name", "value")
    texts["x-members"] = dict.fromkeys(texts["enum"], DOC)
    wires: Json = {f"{name}{index}": number(**{"x-name": name}) for index, name in enumerate(NAMES)}
    wires |= {name: text(**{"x-name": f"odd_{index}"}) for index, name in enumerate(WIRES)}
    wires["time"] = count(**{"x-name": "stream_us", "x-unit": "us"})
    wires["choice"] = {"anyOf": [ref_to("Texts"), {"type": "null"}], "x-name": "choice"}
    wires["kind"] = text(**{"x-name": "wire_kind", "x-reads-as": {"name": "wire", "kind": "rest:Texts"}})
    for one in wires.values():
        one["description"] = DOC
    schemas: Json = {name: payload(f"{index}{name}", p=number()) for index, name in enumerate(SCHEMAS)}
    schemas |= {"Texts": texts, "Fields": payload(DOC, **wires), "Untagged": payload(None)}
    channels = {name: channel(f"c{index}.{{symbol}}", _escaped(name)) for index, name in enumerate(SCHEMAS)}
    for index, name in enumerate(("a/b", "a~b", "a b")):
        channels[name]["x-name"] = f"{index}{name}"
    channels["fields"] = channel("fields.{window}", "Fields", **{"x-name": f"x{CODE}"})
    channels["untagged"] = channel("account.untagged", "Untagged", **{"x-name": "decode"})
    channels["fields"]["parameters"]["window"]["enum"] = list(TEXTS)
    for one in channels.values():
        one["description"] = DOC
    info = {"title": CODE, "version": CODE, "description": DOC}
    return {"asyncapi": "3.0.0", "info": info, "channels": channels, "components": {"schemas": schemas}, "x": CODE}


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def test_every_file_is_plain_code(content: dict[str, str]) -> None:
    for name, made in content.items():
        assert made.replace("\n", "").isprintable(), name
        for node in ast.walk(ast.parse(made)):
            if isinstance(node, ast.Name):
                assert node.id not in ("__import__", "eval", "exec", "Path", "pathlib"), name
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                assert not keyword.iskeyword(node.name), name


def test_nothing_is_executed_when_it_is_built_imported_and_used(package: Package) -> None:
    channels = package["streams.channels"]
    assert len(channels.CHANNELS) == len(SCHEMAS) + 2
    assert len({one.name for one in channels.CHANNELS}) == len(channels.CHANNELS)
    assert channels.CHANNELS_.name == "channels_"
    assert not list(Path(str(package.top.__file__)).parent.rglob(CANARY))
    assert not Path(CANARY).exists()


def test_every_payload_has_its_own_class(package: Package) -> None:
    events = {one.event for one in package["streams.channels"].CHANNELS}
    assert len(events) == len(SCHEMAS) + 2
    assert all(issubclass(event, StreamEvent) and event is not StreamEvent for event in events)
    names = {event.__name__ for event in events}
    assert {"StreamEvent_", "Decimal_", "Side_", "Untagged"} <= names


def test_every_field_keeps_its_wire_name_and_every_text_its_value(package: Package) -> None:
    channels = package["streams.channels"]
    fields: Any = next(one.event for one in channels.CHANNELS if one.event.__name__ == "Fields")
    wire = set(fields.__struct_encode_fields__)
    assert set(WIRES) <= wire
    assert len(WIRES) > 20
    sent: Json = {name: "1" for name in wire} | {"time": 5, "choice": CODE, "e": DOC}
    event = fields.from_wire({"stream": "fields.X", "data": sent})
    assert (event.stream, event.wire, event.extra) == ("fields.X", sent, {})
    assert event.choice == CODE
    assert event.stream_.year == 1970
    assert channels.decode(b'{"stream":"fields.X","data":{}}').problem is not None
    assert list(fields.__annotations__) == list(dict.fromkeys(fields.__annotations__))


def test_a_tag_of_any_text_still_tells_events_apart(package: Package) -> None:
    channels = package["streams.channels"]
    for index, name in enumerate(SCHEMAS):
        one = next(each for each in channels.CHANNELS if each.prefix == f"c{index}")
        event = one.event.from_wire({"e": f"{index}{name}", "p": "1"})
        assert event.wire["e"] == f"{index}{name}"

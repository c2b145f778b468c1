"""The streams document: what becomes of it, what is wrong with it, and where."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from backpack_sdk._generated.streams import channels, models
from codegen.build import STREAMS, files, understand
from codegen.overlay import load
from codegen.problems import CodegenError
from codegen.source import read
from codegen.streams.document import Document

from .documents import thing
from .stream_documents import Json, channel, count, enum, number, payload, ref_to, streams, text, understood

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
GOLDEN = HERE / "golden_streams"


@pytest.fixture(scope="module")
def committed() -> Json:
    return read(str(ROOT / STREAMS)).document


def problems(document: Any) -> list[str]:
    with pytest.raises(CodegenError) as caught:
        understood(document)
    return [str(problem) for problem in caught.value.problems]


def remarks(document: Json, schemas: Json | None = None) -> list[str]:
    return [str(problem) for problem in understood(document, schemas).remarks if "#/c" in problem.place]


# The document that is committed


def test_the_committed_document_holds_together(committed: Json) -> None:
    document = Document(committed)
    document.check_references()
    assert document.problems == []
    assert committed["asyncapi"].startswith("3.")
    assert {"title", "version"} <= committed["info"].keys()
    for operation in committed["operations"].values():
        assert operation["action"] in ("send", "receive")
        where = operation["channel"]["$ref"].removeprefix("#/channels/")
        for message in operation["messages"]:
            prefix, _, name = message["$ref"].rpartition("/")
            assert prefix == f"#/channels/{where}/messages"
            assert name in committed["channels"][where]["messages"]
    used = json.dumps(committed)
    for kind, parts in committed["components"].items():
        for name in parts:
            assert f'"#/components/{kind}/{name}"' in used or name in (
                "KlineInterval",
                "OrderExpiryReason",
                "OrderTypeEnum",
            ), name


def test_every_channel_message_and_field_is_documented(committed: Json) -> None:
    for each in committed["channels"].values():
        assert each["description"]
        for name in each["messages"]:
            assert committed["components"]["messages"][name]["title"]
    for name, schema in committed["components"]["schemas"].items():
        assert schema["description"], name
        for wire, field in schema.get("properties", {}).items():
            assert "const" in field or "$ref" in field or field["description"], (name, wire)


def test_every_field_says_what_it_is_in_its_docstring(committed: Json) -> None:
    source = Path(models.__file__).read_text(encoding="utf-8")
    for schema in committed["components"]["schemas"].values():
        for field in schema.get("properties", {}).values():
            if "x-name" in field:
                assert " ".join(field["description"].split()[:6]) in " ".join(source.split())


def test_the_commands_are_in_the_document(committed: Json) -> None:
    schemas = committed["components"]["schemas"]
    assert schemas["Subscribe"]["properties"]["method"] == {"const": "SUBSCRIBE"}
    assert schemas["Unsubscribe"]["properties"]["method"] == {"const": "UNSUBSCRIBE"}
    assert schemas["Signature"]["x-instruction"] == "subscribe"
    assert (schemas["Signature"]["minItems"], schemas["Signature"]["maxItems"]) == (4, 4)
    assert committed["servers"]["live"]["x-keepalive"]["ping-every-s"] == 60


def test_what_the_document_says_of_a_channel_is_what_the_package_says(committed: Json) -> None:
    told = [one for one in committed["channels"].values() if one["address"] is not None]
    assert {template for one in channels.CHANNELS for template in one.templates} == {one["address"] for one in told}
    for one in told:
        mine = next(each for each in channels.CHANNELS if one["address"] in each.templates)
        assert (mine.name, mine.private, mine.max_silence_s) == (one["x-name"], one["x-private"], one["x-silence"])
        assert mine.sparse == (one.get("x-documentation") == "sparse")
        assert mine.event.__name__ in one["messages"]


# What becomes of one


def test_the_golden_streams() -> None:
    built = understood(json.loads((GOLDEN / "streams.json").read_text(encoding="utf-8")), _REST)
    assert [str(problem) for problem in built.remarks if "#/c" in problem.place] == []
    content = {name: text for name, text in files(built).items() if name.startswith("streams/")}
    assert set(content) == {"streams/__init__.py", "streams/channels.py", "streams/models.py"}
    for name, made in content.items():
        expected = GOLDEN / f"{Path(name).name}.expected"
        if os.environ.get("GOLDEN") == "write":
            expected.write_text(made, encoding="utf-8")
        assert made == expected.read_text(encoding="utf-8"), name


_REST = {"Thing": thing(side={"$ref": "#/components/schemas/Side"}), "Side": {"type": "string", "enum": ["Bid", "Ask"]}}


def test_a_rest_document_without_the_enumerations_gets_them_from_the_streams(committed: Json) -> None:
    content = files(understood(committed))
    made = content["streams/models.py"]
    assert "class Side(OpenEnum):" in made
    assert "class KlineInterval(OpenEnum):" in made
    assert "from .." not in made
    assert "class Side(OpenEnum):" not in files(understood(committed, _REST))["streams/models.py"]


def test_an_enumeration_that_is_not_what_rest_says_is_remarked() -> None:
    document = streams({"Side": enum("Bid", "Both", **{"x-rest": "Side"}), "Tick": payload(S=ref_to("Side"))})
    found = remarks(document, _REST)
    assert "#/components/schemas/Side/enum: differs from Side of REST by 'Ask', 'Both'" in found


def test_order_in_the_document_is_order_in_the_package() -> None:
    document = streams(
        {"B": payload("b"), "A": payload("a")}, {"one": channel("one.{symbol}", "B"), "two": channel("two", "A")}
    )
    made = files(understood(document))["streams/channels.py"]
    assert made.index("ONE = ") < made.index("TWO = ")


# What is missing


@pytest.mark.parametrize(("document", "remark"), [
    (streams({"Tick": payload(p={"type": "string"})}),
     "#/components/schemas/Tick/properties/p: has no description"),
    (streams({"Tick": payload() | {"description": " "}}), "#/components/schemas/Tick: has no description"),
    (streams(channels={"tick": channel("tick", "Tick", description=None)}), "#/channels/tick: has no description"),
    (streams(channels={"tick": channel("tick.{symbol}", "Tick", parameters={"symbol": {}})}),
     "#/channels/tick/parameters/symbol: has no description"),
    (streams({"Tick": payload(E=count(**{"x-name": "event_time"}))}),
     "#/components/schemas/Tick/properties/E/x-unit: is missing: a time needs a unit, us or ms"),
    (streams({"Tick": payload(E=count(**{"x-name": "event_time", "x-unit": "us"}))}),
     "#/components/schemas/Tick/properties/E/x-name: must end in _us, the unit of the time"),
    (streams({"Side": enum("Bid") | {"x-members": {}}, "Tick": payload(S=ref_to("Side"))}),
     "#/components/schemas/Side/x-members/Bid: has no Bid"),
    (streams({"Tick": payload(t=text(**{"x-name": "wire_start", "x-reads-as": {"name": "start", "kind": "iso"}}))}),
     "#/components/schemas/Tick/properties/t/x-reads-as: has no description"),
])  # fmt: skip
def test_what_is_missing_is_remarked_and_no_obstacle(document: Json, remark: str) -> None:
    assert remark in remarks(document)
    assert files(understood(document))


# What is wrong


TICK = "#/components/schemas/Tick"


@pytest.mark.parametrize(("document", "problem"), [
    ({}, "#/asyncapi: is None; only AsyncAPI 3 can be read"),
    ({"asyncapi": "2.6.0"}, "#/asyncapi: is '2.6.0'; only AsyncAPI 3 can be read"),
    ({"asyncapi": 3}, "#/asyncapi: is 3; only AsyncAPI 3 can be read"),
    ({"asyncapi": "3.0.0"}, "#/channels: is missing"),
    ({"asyncapi": "3.0.0", "channels": []}, "#/channels: must be an object"),
    ({"asyncapi": "3.0.0", "channels": {"a": 5}}, "#/channels/a: must be an object"),
    (streams(channels={"a/b": channel("t", "Tick") | {"messages": {}}}),
     "#/channels/a~1b/messages: must hold one message, not 0"),
    (streams(channels={"t": channel("t", "Tick") | {"messages": {"a": {"$ref": "#/nowhere"}}}}),
     "#/channels/t/messages/a/$ref: points to nothing: '#/nowhere'"),
    (streams(channels={"t": channel("t", "Tick") | {"messages": {"a": {}}}}),
     "#/channels/t/messages/a/payload: must be an object"),
    (streams(channels={"t": channel("t", "Tick") | {"messages": {"a": {"payload": {}}}}}),
     "#/channels/t/messages/a/payload/properties: is missing"),
    (streams(channels={"t": channel("t", "Tick") | {"parameters": {"symbol": {"description": "x"}}}}),
     "#/channels/t/parameters/symbol: is not in the address"),
    (streams(channels={"t": channel("t.{symbol}", "Tick") | {"parameters": {}}}),
     "#/channels/t/parameters/symbol: is in the address but not declared"),
    (streams(channels={"t": channel("t.{window}", "Tick") | {"parameters": {"window": {"description": "x"}}}}),
     "#/channels/t/parameters/window/enum: must list the values"),
    (streams(channels={"t": channel("t.{one}.{two}", "Tick")}),
     "#/channels/t/address: has more than one parameter for what the stream is about"),
    (streams(channels={"t": channel("t", "Tick") | {"address": "{symbol}.t"}}),
     "#/channels/t/address: must be words joined by dots, then parameters: `word.{parameter}`"),
    (streams(channels={"t": channel("t", "Tick") | {"address": 5}}),
     "#/channels/t/address: must be words joined by dots, then parameters: `word.{parameter}`"),
    (streams(channels={"t": channel("a.b.{symbol}", "Tick")}),
     "#/channels/t/address: must begin with one word, or with `account.` and one more"),
    (streams(channels={"t": channel("account", "Tick", **{"x-private": True})}),
     "#/channels/t/x-private: must say whether the address begins with `account.`"),
    (streams(channels={"t": channel("t", "Tick", **{"x-silence": 0})}),
     "#/channels/t/x-silence: must be a number of seconds above zero, or null"),
    (streams(channels={"t": channel("t", "Tick", **{"x-silence": float("inf")})}),
     "#/channels/t/x-silence: must be a number of seconds above zero, or null"),
    (streams(channels={"t": channel("t", "Tick", **{"x-name": 5})}), "#/channels/t/x-name: must be a text"),
    (streams({"Tock": payload("tock")},
             {"a": channel("a", "Tick", **{"x-name": "x"}), "b": channel("b", "Tock", **{"x-name": "x"})}),
     "#/channels/b/x-name: is 'x', like another kind of stream"),
    (streams(channels={"a": channel("t", "Tick"), "b": channel("t.{symbol}", "Tick")}),
     "#/channels/b/address: begins with 't', like a channel of another name"),
    (streams(channels={"a": channel("t", "Tick", **{"x-name": "x"}), "b": channel("t", "Tick", **{"x-name": "x"})}),
     "#/channels/b/address: has the same parameters as another channel of its name"),
    (streams({"Tick": {"type": "array"}}), f"{TICK}/type: of a payload must be object"),
    (streams({"Tick": {"type": "object"}}), f"{TICK}/properties: is missing"),
    (streams({"Tick": payload() | {"required": ["zz"]}}), f"{TICK}/required: names 'zz', which is no property"),
    (streams({"Tick": payload() | {"required": "e"}}), f"{TICK}/required: must be a list of texts"),
    (streams({"Tick": payload(p=5)}), f"{TICK}/properties/p: must be an object"),  # type: ignore[arg-type]
    (streams({"Tick": payload(None, **{"q\\": number()})}),
     f"{TICK}/properties/q\\: has a quote, a backslash or a control character in its name"),
    (streams({"Tick": payload(p={})}), f"{TICK}/properties/p: needs a type"),
    (streams({"Tick": payload(p={"type": "thing"})}),
     f"{TICK}/properties/p/type: is no type that a field can have: 'thing'"),
    (streams({"Tick": payload(p={"type": ["boolean", "string"]})}),
     f"{TICK}/properties/p/type: is no type that a field can have: 'boolean', 'string'"),
    (streams({"Tick": payload(p={"type": "array", "items": {"type": "string"}})}),
     f"{TICK}/properties/p/items: must be pairs of texts: no other list is known"),
    (streams({"Tick": payload(p={"anyOf": [{"type": "string"}]})}),
     f"{TICK}/properties/p/anyOf: must be one reference to an enumeration, and null at most"),
    (streams({"Tick": payload(p=ref_to("Tick"))}),
     f"{TICK}: must be a text with an `enum`: no other component can be a field"),
    (streams({"Tick": payload(p=ref_to("None"))}),
     f"{TICK}/properties/p/$ref: points to nothing: '#/components/schemas/None'"),
    (streams({"A": ref_to("A"), "Tick": payload(p=ref_to("A"))}),
     "#/components/schemas/A: is a reference that leads in a circle"),
    (streams({"Tick": payload(p=number(**{"x-name": "price"}), q=number(**{"x-name": "price"}))}),
     f"{TICK}/properties/q: is called 'price', like another field of this payload"),
    (streams({"Tick": payload(p=number(**{"x-name": 5}))}), f"{TICK}/properties/p/x-name: must be a text"),
    (streams({"Tick": payload(E=count(**{"x-name": "at_us", "x-unit": "s"}))}),
     f"{TICK}/properties/E/x-unit: must be us or ms"),
    (streams({"Tick": payload(E=text(**{"x-name": "at_us", "x-unit": "us"}))}),
     f"{TICK}/properties/E/x-unit: is the unit of something that is no whole number"),
    (streams({"Tick": payload(p=number(**{"x-reads-as": 5}))}), f"{TICK}/properties/p/x-reads-as: must be an object"),
    (streams({"Tick": payload(p=number(**{"x-reads-as": {"name": "x", "kind": "eval"}}))}),
     f"{TICK}/properties/p/x-reads-as/kind: must be one of iso, levels, text or rest:ENUMERATION"),
    (streams({"Tick": payload(p=number(**{"x-reads-as": {"name": "x", "kind": "levels"}}))}),
     f"{TICK}/properties/p/x-reads-as/kind: does not fit the type of the field"),
    (streams({"Tick": payload(p=number(**{"x-name": "x", "x-reads-as": {"name": "x", "kind": "text"}}))}),
     f"{TICK}/properties/p: is called 'x', like another field of this payload"),
    (streams({"Tick": {**payload(), "properties": {"e": {"const": 5}}}}),
     f"{TICK}/properties/e/const: must be a text"),
    (streams({"Tock": payload()}, {"a": channel("a", "Tick"), "b": channel("b", "Tock")}),
     "#/components/schemas/Tock/properties/e/const: is 'tick', like that of another payload"),
    (streams({"Tick": payload() | {"x-parameter": {"name": 5, "type": "Side"}}, "Side": enum("Bid")}),
     f"{TICK}/x-parameter: must have a name and the type of an enumeration"),
    (streams({"Tick": payload(p=number(**{"x-name": "side"})) | {"x-parameter": {"name": "side", "type": "Side"}},
              "Side": enum("Bid")}),
     f"{TICK}/x-parameter/name: is 'side', like a field"),
    (streams({"Unused": {"items": [{"$ref": "#/x"}]}}),
     "#/components/schemas/Unused/items/0/$ref: points to nothing: '#/x'"),
])  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(document: Json, problem: str) -> None:
    assert problem in problems(document)


def test_every_problem_is_told_at_once() -> None:
    bad = streams({"Tick": payload(p={}, q={"type": "thing"})}, {"t": channel("t", "Tick", **{"x-silence": -1})})
    assert len(problems(bad)) == 3


def test_the_committed_documents_understand_each_other(committed: Json) -> None:
    rest = read(str(ROOT / "spec" / "backpack.json")).document
    built = understand(rest, load(ROOT / "spec" / "overlays"), committed)
    assert built.remarks == ()
    assert built.streams is not None
    assert len(built.streams.channels) == len(channels.CHANNELS)

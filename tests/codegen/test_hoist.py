"""What has no name gets one: stable, free, and without a number at its end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from codegen.build import understand
from codegen.hoist import hoist_enums, hoist_objects, hoist_parts
from codegen.overlay import Names

from .documents import Json, document, get, operation, overlays, post, query, ref, thing
from .documents import json as json_of

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = {"type": "string"}


def hoisted(one_pass: Callable[[Json, Names], int], schemas: Json, paths: Json | None = None) -> tuple[Json, Json, int]:
    whole = json.loads(json.dumps(document(schemas, paths)))
    count = one_pass(whole, Names())
    return whole["components"]["schemas"], whole["paths"], count


def test_inline_objects_are_called_after_where_they_stand() -> None:
    inner = thing(deep=thing(a=TEXT))
    schemas = {"X": thing(one=inner, many={"type": "array", "items": thing(b=TEXT)},
                          map={"type": "object", "additionalProperties": thing(c=TEXT)},
                          some={"anyOf": [thing(d=TEXT), thing(e=TEXT)]}, empty={"type": "object"})}  # fmt: skip
    found, _, count = hoisted(hoist_objects, schemas)
    assert count == 6
    assert found["X"]["properties"] == {
        "one": ref("XOne"), "many": {"type": "array", "items": ref("XManyEntry")},
        "map": {"type": "object", "additionalProperties": ref("XMapEntry")},
        "some": {"anyOf": [ref("XSomeOptionA"), ref("XSomeOptionB")]}, "empty": {"type": "object"},
    }  # fmt: skip
    assert found["XOne"] == thing(deep=ref("XOneDeep"))
    assert found["XOneDeep"] == thing(a=TEXT)


def test_inline_objects_of_operations() -> None:
    missing = {"404": {"content": json_of(thing(e=TEXT))}}
    rows = {"type": "array", "items": thing(c=TEXT)}
    paths = {
        "/a": post("do_it", thing(a=TEXT), thing(b=TEXT)),
        "/b": {"get": operation("get_b", None, query("filter", thing(d=TEXT))) | {"responses": missing}},
        "/c": get("get_c", rows),
    }
    found, _, count = hoisted(hoist_objects, {}, paths)
    assert set(found) == {"DoItBody", "DoItReply", "GetBFilter", "GetBReply404Body", "GetCReplyEntry"}
    assert count == 5


def test_what_a_place_says_of_its_own_value_stays_there() -> None:
    found, _, _ = hoisted(hoist_objects, {"X": thing(a={**thing(b=TEXT), "nullable": True, "deprecated": True})})
    assert found["X"]["properties"]["a"] == {**ref("XA"), "nullable": True, "deprecated": True}
    assert found["XA"] == thing(b=TEXT)


def test_names_that_are_taken_or_end_in_a_digit() -> None:
    schemas = {"X": thing(a=thing(b=TEXT), level2=thing(c=TEXT)), "XA": thing(z=TEXT), "XAItem": thing(y=TEXT)}
    found, _, count = hoisted(hoist_objects, schemas)
    assert count == 2
    assert found["X"]["properties"] == {"a": ref("XAItemItem"), "level2": ref("XLevel2Item")}
    assert found["XA"] == thing(z=TEXT)


def test_inline_enums_of_the_same_members_become_one() -> None:
    one, other = {"type": "string", "enum": ["A", "B"]}, {"enum": ["B", "A"], "nullable": True}
    schemas = {
        "X": thing(triggerBy=one, stopLossTriggerBy=other),
        "Y": thing(side={"enum": ["Bid", "Ask"]}),
        "Side": {"enum": ["Ask", "Bid"]},
    }
    paths = {"/a": get("a", None, query("triggerBy", one), query("level1", {"enum": ["x", "y"]}))}
    found, routes, count = hoisted(hoist_enums, schemas, paths)
    assert count == 5
    assert set(found) == {"X", "Y", "Side", "TriggerBy", "Level1Item"}
    assert found["X"]["properties"] == {
        "triggerBy": ref("TriggerBy"),
        "stopLossTriggerBy": {**ref("TriggerBy"), "nullable": True},
    }
    assert found["Y"]["properties"]["side"] == ref("Side")
    # Members stand as they do in the first place, by component and property.
    assert found["TriggerBy"] == {"type": "string", "enum": ["B", "A"]}
    assert routes["/a"]["get"]["parameters"][0]["schema"] == ref("TriggerBy")


def test_enums_that_are_no_open_texts_stay_where_they_are() -> None:
    schemas = {"X": thing(one={"enum": ["N/A"]}, numbers={"type": "integer", "enum": [1, 2]}, mixed={"enum": ["a", 1]},
                          odd={"type": "string", "enum": [1, 2]})}  # fmt: skip
    found, _, count = hoisted(hoist_enums, schemas)
    assert (found, count) == (schemas, 0)


def test_an_enum_does_not_take_the_name_of_something_else() -> None:
    found, _, _ = hoisted(hoist_enums, {"X": thing(kind={"enum": ["a", "b"]}), "Kind": thing()})
    assert found["X"]["properties"]["kind"] == ref("KindItem")
    assert found["Kind"] == thing()


def test_parts_are_hoisted_before_they_are_flattened() -> None:
    schemas = {"X": thing(a={"allOf": [ref("Y"), thing(b=TEXT)], "nullable": True}), "Y": thing()}
    found, _, count = hoisted(hoist_parts, schemas)
    assert count == 1
    assert found["X"]["properties"]["a"] == {**ref("XA"), "nullable": True}
    assert found["XA"] == {"allOf": [ref("Y"), thing(b=TEXT)]}


def test_no_class_ends_in_a_digit_unless_a_component_does() -> None:
    schemas = {
        "V2": thing(a1=thing(b2=thing(c3=TEXT)), e4={"enum": ["x", "y"]}),
        "Plain": {"oneOf": [thing(f=TEXT), thing(g=TEXT)]},
    }
    paths = {"/a": post("do_2", thing(a1=TEXT), thing(b=TEXT)), "/b": get("get_3", ref("V2"), query("q5",
    {"enum": ["m", "n"]})),
             "/c": get("get_4", ref("Plain"))}  # fmt: skip
    built = understand(document(schemas, paths), overlays())
    names = [model.name for model in built.api.models] + [enum.name for enum in built.api.enums]
    assert [name for name in names if name[-1].isdigit()] == ["V2"]
    assert len(set(names)) == len(names)

"""`python -m codegen diff`: what changed between two documents, and whether it breaks a user of the SDK."""

from __future__ import annotations

import dataclasses
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen import overlay
from codegen.__main__ import main
from codegen.build import understand
from codegen.change import Change
from codegen.corrections import Correction
from codegen.diff import compare
from codegen.ir import Field, Outcome, Type
from codegen.overlay import Names, Overlays
from codegen.report import REPORTS, summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from codegen.ir import Api

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "spec" / "backpack.json"
OVERLAYS = ROOT / "spec" / "overlays"
JUNE_2025 = Path(__file__).parent / "fixtures" / "2025-06.json"

TAGS = {
    "get_book": "markets",
    "get_depth": "markets",
    "get_status": "system",
    "get_time": "system",
    "execute_order": "order",
    "execute_order_batch": "order",
    "get_fills": "order",
}


# Small documents

STRING: dict[str, Any] = {"type": "string"}
INTEGER: dict[str, Any] = {"type": "integer"}
DECIMAL: dict[str, Any] = {"type": "string", "format": "decimal"}


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def record(required: str = "", **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required.split()}


def query(name: str, schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": schema}


def json_content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}, "description": ""}


def operation(name: str, reply: dict[str, Any] | None, *parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    done = json_content(reply) if reply is not None else {"description": ""}
    return {"operationId": name, "tags": ["Any"], "parameters": list(parameters), "responses": {"200": done}, **more}


TEXT_OR_LIST: dict[str, Any] = {"anyOf": [STRING, {"type": "array", "items": {**STRING, "nullable": True}}]}


def copied(value: Any) -> Any:
    """A copy without any part in common with the original or with itself."""
    return json.loads(json.dumps(value))


def base_document() -> dict[str, Any]:
    """Five operations of every shape: plain reply, flat body, list body, paged query, text reply."""
    symbol = query("symbol", {"type": "string"}, required=True)
    limit = query("limit", {"type": "integer", "format": "uint16"})
    limit["x-limit"] = {"default": 100, "maximum": 1000}
    offset = query("offset", {"type": "integer"})
    window = [query(name, {"type": "integer", "format": "int64"}) for name in ("from", "to")]
    payload = record(
        "symbol side",
        symbol=STRING,
        side=ref("Side"),
        price=DECIMAL,
        clientId={"type": "integer", "format": "uint16"},
        note={"type": "string", "nullable": True},
    )
    document = {
        "openapi": "3.0.3",
        "info": {"title": "test", "version": "1"},
        "paths": {
            "/depth": {"get": operation("get_depth", ref("Depth"), symbol, query("depth", INTEGER))},
            "/order": {
                "post": operation(
                    "execute_order",
                    ref("AnyOrder"),
                    requestBody=json_content(ref("OrderPayload")),
                    **{"x-instruction": "orderExecute"},
                )
            },
            "/orders": {
                "post": operation(
                    "execute_order_batch",
                    {"type": "array", "items": ref("AnyOrder")},
                    requestBody=json_content({"type": "array", "items": ref("OrderPayload")}),
                    **{"x-instruction": "orderExecute"},
                )
            },
            "/fills": {
                "get": operation(
                    "get_fills",
                    {"type": "array", "items": ref("Fill")},
                    *(symbol, limit, offset, *window),
                    query("side", ref("Side")),
                    **{"x-instruction": "fillHistoryQueryAll"},
                )
            },
            "/time": {"get": text_operation("get_time")},
        },
        "components": {
            "schemas": {
                "Side": {"type": "string", "enum": ["Bid", "Ask"]},
                "State": {"type": "string", "enum": ["New", "Filled"]},
                "Kind": {"type": "string", "enum": ["Limit", "Market"]},
                "Depth": record(
                    "sequence bids", sequence=STRING, bids={"type": "array", "items": DECIMAL}, asks=DECIMAL
                ),
                "Fill": record("price state", price=DECIMAL, state=ref("State"), tradeId=INTEGER, fee=DECIMAL),
                "OrderPayload": payload,
                "LimitOrder": record("id price", id=STRING, price=DECIMAL, state=ref("State")),
                "MarketOrder": record("id", id=STRING, state=ref("State")),
                "AnyOrder_LimitOrder": wrapper("LimitOrder"),
                "AnyOrder_MarketOrder": wrapper("MarketOrder"),
                "AnyOrder": {
                    "oneOf": [ref("AnyOrder_LimitOrder"), ref("AnyOrder_MarketOrder")],
                    "discriminator": {
                        "propertyName": "kind",
                        "mapping": {kind: f"#/components/schemas/AnyOrder_{kind}Order" for kind in ("Limit", "Market")},
                    },
                },
            }
        },
    }
    fresh: dict[str, Any] = copied(document)
    return fresh


def wrapper(name: str) -> dict[str, Any]:
    return {"allOf": [record("kind", kind=STRING), ref(name)]}


def text_operation(name: str) -> dict[str, Any]:
    body = {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": ""}
    return {"operationId": name, "tags": ["Any"], "responses": {"200": body}}


def overlays(*corrections: Correction, assumed: dict[str, str] | None = None, **pins: str) -> Overlays:
    docs: dict[str, dict[str, Any]] = {"operations": {}, "models": {}, "enums": {}}
    return Overlays(assumed or {}, corrections, Names(namespaces={**TAGS, **pins}), docs)


def unit(target: str, unit_: str) -> Correction:
    return Correction("units.toml", target, {}, {"x-unit": unit_}, "a unit", "the test")


def api(document: dict[str, Any], added: Overlays | None = None) -> Api:
    return understand(document, added if added is not None else overlays()).api


class Doc:
    """A base document with short ways to its parts."""

    def __init__(self) -> None:
        self.document = base_document()

    @property
    def paths(self) -> dict[str, Any]:
        paths: dict[str, Any] = self.document["paths"]
        return paths

    @property
    def schemas(self) -> dict[str, Any]:
        schemas: dict[str, Any] = self.document["components"]["schemas"]
        return schemas

    def operation(self, name: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = [one for item in self.paths.values() for one in item.values()]
        return next(one for one in found if one["operationId"] == name)

    def parameter(self, name: str, parameter: str) -> dict[str, Any]:
        parameters: list[dict[str, Any]] = self.operation(name)["parameters"]
        return next(one for one in parameters if one["name"] == parameter)

    def add(self, name: str, *parameters: dict[str, Any]) -> Doc:
        self.operation(name)["parameters"].extend(parameters)
        return self

    def drop(self, name: str, parameter: str) -> Doc:
        found = self.operation(name)["parameters"]
        found.remove(self.parameter(name, parameter))
        return self

    def set_reply(self, name: str, schema: dict[str, Any]) -> Doc:
        self.operation(name)["responses"]["200"] = json_content(schema)
        return self

    def field(self, model: str, name: str, schema: dict[str, Any]) -> Doc:
        self.schemas[model]["properties"][name] = copied(schema)
        return self

    def require(self, model: str, *names: str) -> Doc:
        self.schemas[model]["required"] += names
        return self

    def release(self, model: str, name: str) -> Doc:
        self.schemas[model]["required"].remove(name)
        return self

    def drop_field(self, model: str, name: str) -> Doc:
        del self.schemas[model]["properties"][name]
        self.schemas[model]["required"] = [one for one in self.schemas[model]["required"] if one != name]
        return self


def told(changes: tuple[Change, ...]) -> set[str]:
    """Changes in short: kind, whose, and an exclamation mark for what breaks."""
    return {
        f"{change.kind} {change.method}"
        + (f"({change.member})" if change.kind.startswith("argument.") else "")
        + "!" * change.breaks
        for change in changes
    }


class Case(NamedTuple):
    """A change of the base document, what it means, and what taking it back means."""

    name: str
    change: Callable[[Doc], object]
    forth: set[str]
    back: set[str]


def _change_wire(doc: Doc) -> None:
    doc.parameter("get_depth", "depth")["name"] = "Depth"


def _move_to_header(doc: Doc) -> None:
    doc.parameter("get_depth", "depth")["in"] = "header"


def _rename_argument(doc: Doc) -> None:
    doc.parameter("get_depth", "depth")["name"] = "levels"


def _repath(doc: Doc) -> None:
    doc.paths["/book"] = {"post": doc.paths.pop("/depth")["get"]}


def _rename_operation(doc: Doc) -> None:
    doc.operation("get_depth")["operationId"] = "get_book"


def _drop_variant_base(doc: Doc) -> None:
    doc.schemas["AnyOrder"] = record("id kind", id=STRING, kind=ref("Kind"), state=ref("State"))
    for name in ("LimitOrder", "MarketOrder"):
        del doc.schemas[f"AnyOrder_{name}"]


def _retag(doc: Doc) -> None:
    mapping = doc.schemas["AnyOrder"]["discriminator"]["mapping"]
    mapping["Instant"] = mapping.pop("Market")
    doc.schemas["Kind"]["enum"] = ["Limit", "Instant"]


def _other_tag_field(doc: Doc) -> None:
    doc.schemas["AnyOrder"]["discriminator"]["propertyName"] = "species"
    for name in ("LimitOrder", "MarketOrder"):
        doc.schemas[f"AnyOrder_{name}"]["allOf"][0] = record("species", species=STRING)


def _add_accepted(doc: Doc) -> None:
    doc.operation("get_depth")["responses"]["202"] = {"description": ""}


def _created(doc: Doc) -> None:
    responses = doc.operation("get_depth")["responses"]
    responses["201"] = responses.pop("200")


def _limits(**limits: int) -> Callable[[Doc], None]:
    def change(doc: Doc) -> None:
        doc.parameter("get_fills", "limit")["x-limit"] = limits

    return change


def _unpaged(doc: Doc) -> None:
    for name in ("offset", "from"):
        doc.drop("get_fills", name)


def _refuse(doc: Doc) -> None:
    doc.operation("get_depth")["responses"]["400"] = json_content(ref("Fill"))


def _argument_type(schema: dict[str, Any]) -> Callable[[Doc], None]:
    """`depth` of get_depth, a plain integer in the base document, gets another type."""

    def change(doc: Doc) -> None:
        doc.parameter("get_depth", "depth")["schema"] = copied(schema)

    return change


def _reply_type(schema: dict[str, Any]) -> Callable[[Doc], Doc]:
    """`sequence` of Depth, a plain text in the base document, gets another type."""
    return lambda doc: doc.field("Depth", "sequence", schema)


def _both(what: str, forth: bool, back: bool) -> tuple[set[str], set[str]]:
    """The same change there and back, with what each breaks."""
    return {what + "!" * forth}, {what + "!" * back}


OPERATION_CASES = [
    Case(
        "operation added and removed",
        lambda doc: doc.paths.update({"/status": {"get": text_operation("get_status")}}),
        {"operation.added system.get_status"},
        {"operation.removed system.get_status!"},
    ),
    Case(
        "operation renamed",
        _rename_operation,
        {"operation.added markets.get_book", "operation.removed markets.get_depth!"},
        {"operation.removed markets.get_book!", "operation.added markets.get_depth"},
    ),
    Case("path and HTTP method", _repath, *_both("operation.route markets.get_depth", False, False)),
    Case(
        "another instruction",
        lambda doc: doc.operation("get_fills").update({"x-instruction": "other"}),
        *_both("operation.instruction order.get_fills", False, False),
    ),
    Case(
        "a public operation becomes signed",
        lambda doc: doc.operation("get_depth").update({"x-instruction": "depthQuery"}),
        *_both("operation.instruction markets.get_depth", True, False),
    ),
    Case(
        "an instruction that is assumed",
        lambda doc: doc.operation("get_fills").update({"x-instruction-assumed": True}),
        *_both("operation.assumed order.get_fills", False, False),
    ),
    Case(
        "operation deprecated",
        lambda doc: doc.operation("get_fills").update({"deprecated": True}),
        *_both("operation.deprecated order.get_fills", False, False),
    ),
    Case("smaller pages", _limits(default=100, maximum=500), *_both("operation.limits order.get_fills", True, False)),
    Case("no largest page documented", _limits(default=100), *_both("operation.limits order.get_fills", False, True)),
    Case(
        "another default page",
        _limits(default=50, maximum=1000),
        *_both("operation.limits order.get_fills", False, False),
    ),
    Case(
        "no paging any more",
        _unpaged,
        {
            "argument.removed order.get_fills(offset)!",
            "argument.removed order.get_fills(from_)!",
            "operation.limits order.get_fills!",
        },
        {
            "argument.added order.get_fills(offset)",
            "argument.added order.get_fills(from_)",
            "operation.limits order.get_fills",
        },
    ),
    Case(
        "another reply",
        lambda doc: doc.set_reply("get_depth", ref("Fill")),
        *_both("operation.reply markets.get_depth", True, True),
    ),
    Case("an empty reply besides", _add_accepted, *_both("operation.reply markets.get_depth", True, False)),
    Case("another status", _created, *_both("operation.reply markets.get_depth", False, False)),
    Case(
        "one instead of a list",
        lambda doc: doc.set_reply("get_fills", ref("Fill")),
        *_both("operation.reply order.get_fills", True, True),
    ),
    Case("documented refusals", _refuse, *_both("operation.refusals markets.get_depth", False, False)),
]

ARGUMENT_CASES = [
    Case(
        "optional argument",
        lambda doc: doc.add("get_depth", query("extra", STRING)),
        {"argument.added markets.get_depth(extra)"},
        {"argument.removed markets.get_depth(extra)!"},
    ),
    Case(
        "required argument behind the others",
        lambda doc: doc.add("get_depth", query("zone", STRING, required=True)),
        {"argument.added markets.get_depth(zone)!"},
        {"argument.removed markets.get_depth(zone)!"},
    ),
    Case(
        "required argument before the others",
        lambda doc: doc.add("get_depth", query("id", STRING, required=True)),
        {"argument.added markets.get_depth(id)!", "operation.positions markets.get_depth!"},
        {"argument.removed markets.get_depth(id)!", "operation.positions markets.get_depth!"},
    ),
    Case(
        "argument renamed",
        _rename_argument,
        {"argument.added markets.get_depth(levels)", "argument.removed markets.get_depth(depth)!"},
        {"argument.removed markets.get_depth(levels)!", "argument.added markets.get_depth(depth)"},
    ),
    Case(
        "argument becomes required",
        lambda doc: doc.parameter("get_depth", "depth").update(required=True),
        # Optional arguments are keyword-only, so that the way back breaks calls that pass it by position.
        *_both("argument.presence markets.get_depth(depth)", True, True),
    ),
    Case("its wire name", _change_wire, *_both("argument.wire markets.get_depth(depth)", False, False)),
    Case("its place", _move_to_header, *_both("argument.place markets.get_depth(depth)", False, False)),
    Case(
        "argument deprecated",
        lambda doc: doc.parameter("get_depth", "depth")["schema"].update(deprecated=True),
        *_both("argument.deprecated markets.get_depth(depth)", False, False),
    ),
    Case(
        "field of a body",
        lambda doc: doc.field("OrderPayload", "extra", STRING),
        {"argument.added order.execute_order(extra)", "field.added OrderPayload.extra"},
        {"argument.removed order.execute_order(extra)!", "field.removed OrderPayload.extra!"},
    ),
    Case(
        "required field of a body",
        lambda doc: doc.field("OrderPayload", "extra", STRING).require("OrderPayload", "extra"),
        {"argument.added order.execute_order(extra)!", "field.added OrderPayload.extra!"},
        {"argument.removed order.execute_order(extra)!", "field.removed OrderPayload.extra!"},
    ),
    Case(
        "list in place of a flat body",
        lambda doc: doc.operation("execute_order").update(
            requestBody=json_content({"type": "array", "items": ref("OrderPayload")})
        ),
        {
            *{
                f"argument.removed order.execute_order({name})!"
                for name in ("symbol", "side", "price", "client_id", "note")
            },
            "argument.added order.execute_order(orders)!",
        },
        {
            *{f"argument.added order.execute_order({name})" for name in ("price", "client_id", "note")},
            *{f"argument.added order.execute_order({name})!" for name in ("symbol", "side")},
            "argument.removed order.execute_order(orders)!",
        },
    ),
]


def _argument_case(name: str, schema: dict[str, Any], forth: bool, back: bool) -> Case:
    return Case(name, _argument_type(schema), *_both("argument.type markets.get_depth(depth)", forth, back))


def _reply_case(name: str, schema: dict[str, Any], forth: bool, back: bool) -> Case:
    return Case(name, _reply_type(schema), *_both("field.type Depth.sequence", forth, back))


ARGUMENT_TYPE_CASES = [
    # (what an integer argument becomes, whether that breaks, whether the way back does)
    _argument_case("a narrower range", {"type": "integer", "format": "uint8"}, True, False),
    _argument_case("a lower bound", {"type": "integer", "minimum": 1}, True, False),
    _argument_case("a few whole numbers", {"type": "integer", "enum": [5, 10]}, True, False),
    _argument_case("a number", {"type": "number"}, False, True),
    _argument_case("a decimal", DECIMAL, False, True),
    _argument_case("a text", STRING, True, True),
    _argument_case("a boolean", {"type": "boolean"}, True, True),
    _argument_case("an enum", ref("Side"), True, True),
    _argument_case("a list", {"type": "array", "items": INTEGER}, True, True),
    _argument_case("an integer or a text", {"anyOf": [INTEGER, STRING]}, False, True),
    _argument_case("anything", {}, False, True),
    _argument_case("an object", ref("Fill"), True, True),
]

REPLY_TYPE_CASES = [
    # (what a text field of a reply becomes, whether that breaks, whether the way back does)
    _reply_case("an enum", ref("State"), False, True),
    _reply_case("one text", {"type": "string", "enum": ["A"]}, False, True),
    _reply_case("a limited text", {"type": "string", "maxLength": 3}, False, False),
    _reply_case("a text or a list with nulls", TEXT_OR_LIST, True, False),
    _reply_case("a decimal", DECIMAL, True, True),
    _reply_case("an integer", INTEGER, True, True),
    _reply_case("an integer or a text", {"anyOf": [INTEGER, STRING]}, True, False),
    _reply_case("anything", {}, True, True),
    _reply_case("a time", {"type": "string", "format": "date-time"}, True, True),
    _reply_case("a list", {"type": "array", "items": STRING}, True, True),
    _reply_case("an object", ref("Fill"), True, True),
]

MODEL_CASES = [
    Case(
        "field of a reply",
        lambda doc: doc.field("Fill", "extra", STRING).require("Fill", "extra"),
        {"field.added Fill.extra"},
        {"field.removed Fill.extra!"},
    ),
    Case(
        "field of a reply becomes optional",
        lambda doc: doc.release("Fill", "price"),
        *_both("field.presence Fill.price", True, False),
    ),
    Case(
        "field of a reply may be null",
        lambda doc: doc.field("Fill", "price", {**DECIMAL, "nullable": True}),
        *_both("field.presence Fill.price", True, False),
    ),
    Case(
        "optional field of a reply may be null",
        lambda doc: doc.field("Fill", "fee", {**DECIMAL, "nullable": True}),
        *_both("field.presence Fill.fee", False, False),
    ),
    Case(
        "field of a request becomes required",
        lambda doc: doc.require("OrderPayload", "price"),
        {"field.presence OrderPayload.price!", "argument.presence order.execute_order(price)!"},
        {"field.presence OrderPayload.price", "argument.presence order.execute_order(price)!"},
    ),
    Case(
        "field of a request may not be null",
        lambda doc: doc.field("OrderPayload", "note", STRING),
        *_both("field.presence OrderPayload.note", True, False),
    ),
    Case(
        "range of a request's field",
        lambda doc: doc.field("OrderPayload", "clientId", {"type": "integer", "format": "uint8"}),
        {"field.type OrderPayload.client_id!", "argument.type order.execute_order(client_id)!"},
        {"field.type OrderPayload.client_id", "argument.type order.execute_order(client_id)"},
    ),
    Case(
        "range of a reply's field",
        lambda doc: doc.field("Fill", "tradeId", {"type": "integer", "format": "uint8"}),
        *_both("field.type Fill.trade_id", False, False),
    ),
    Case(
        "carried as a number",
        lambda doc: doc.field("Fill", "price", {"type": "number"}),
        *_both("field.type Fill.price", False, False),
    ),
    Case(
        "items of a list",
        lambda doc: doc.field("Depth", "bids", {"type": "array", "items": STRING}),
        *_both("field.type Depth.bids", True, True),
    ),
    Case(
        "a list of fixed length",
        lambda doc: doc.field("Depth", "bids", {"type": "array", "items": DECIMAL, "minItems": 2, "maxItems": 2}),
        *_both("field.type Depth.bids", False, True),
    ),
    Case(
        "field deprecated",
        lambda doc: doc.field("Fill", "fee", {**DECIMAL, "deprecated": True}),
        *_both("field.deprecated Fill.fee", False, False),
    ),
    Case(
        "wire name of a field",
        lambda doc: doc.drop_field("Fill", "fee").field("Fill", "FEE", DECIMAL),
        *_both("field.wire Fill.fee", False, False),
    ),
    Case(
        "a model that nothing uses yet",
        lambda doc: doc.schemas.update(Vault=record("id", id=STRING)),
        {"model.added Vault"},
        {"model.removed Vault!"},
    ),
    Case(
        "field of all variants and their base",
        lambda doc: [doc.field(name, "extra", STRING) for name in ("LimitOrder", "MarketOrder")],
        {"field.added AnyOrder.extra"},
        {"field.removed AnyOrder.extra!"},
    ),
    Case(
        "field of one variant",
        lambda doc: doc.field("LimitOrder", "extra", STRING),
        {"field.added LimitOrder.extra"},
        {"field.removed LimitOrder.extra!"},
    ),
    Case(
        "a field that the base loses because one variant does",
        lambda doc: doc.drop_field("MarketOrder", "state"),
        {f"field.removed {name}.state!" for name in ("AnyOrder", "MarketOrder")},
        {f"field.added {name}.state" for name in ("AnyOrder", "MarketOrder")},
    ),
    Case(
        "variants become a plain model",
        _drop_variant_base,
        {
            "model.tag_field AnyOrder",
            *{f"model.base {name}!" for name in ("LimitOrder", "MarketOrder")},
            *{f"field.removed {name}.kind!" for name in ("LimitOrder", "MarketOrder")},
        },
        {
            "model.tag_field AnyOrder",
            *{f"model.base {name}" for name in ("LimitOrder", "MarketOrder")},
            *{f"field.added {name}.kind" for name in ("LimitOrder", "MarketOrder")},
        },
    ),
    Case(
        "another tag of a variant",
        _retag,
        {"model.tag MarketOrder", "member.added Kind.INSTANT", "member.removed Kind.MARKET!"},
        {"model.tag MarketOrder", "member.removed Kind.INSTANT!", "member.added Kind.MARKET"},
    ),
    Case(
        "another tag field",
        _other_tag_field,
        {"model.tag_field AnyOrder", "field.added AnyOrder.species", "field.removed AnyOrder.kind!"},
        {"model.tag_field AnyOrder", "field.removed AnyOrder.species!", "field.added AnyOrder.kind"},
    ),
]

ENUM_CASES = [
    Case(
        "member of an enum in arguments",
        lambda doc: doc.schemas["Side"]["enum"].append("Both"),
        {"member.added Side.BOTH"},
        {"member.removed Side.BOTH!"},
    ),
    Case(
        "member of an enum in replies",
        lambda doc: doc.schemas["State"]["enum"].append("Expired"),
        {"member.added State.EXPIRED"},
        {"member.removed State.EXPIRED!"},
    ),
    Case(
        "an enum that nothing uses yet",
        lambda doc: doc.schemas.update(Color={"type": "string", "enum": ["Red", "Blue"]}),
        {"enum.added Color"},
        {"enum.removed Color!"},
    ),
    Case(
        "an enum becomes a text",
        lambda doc: doc.schemas.update(State=STRING),
        {"enum.removed State!", "field.type Fill.state!", "field.type AnyOrder.state!"},
        {"enum.added State", "field.type Fill.state", "field.type AnyOrder.state"},
    ),
]

CASES = OPERATION_CASES + ARGUMENT_CASES + ARGUMENT_TYPE_CASES + REPLY_TYPE_CASES + MODEL_CASES + ENUM_CASES


def changed(change: Callable[[Doc], object]) -> Api:
    doc = Doc()
    change(doc)
    return api(doc.document)


def only(changes: tuple[Change, ...]) -> Change:
    (change,) = changes
    return change


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_kind_of_change_is_named_and_judged_both_ways(case: Case) -> None:
    old, new = api(base_document()), changed(case.change)
    assert told(compare(old, new)) == case.forth
    assert told(compare(new, old)) == case.back
    for change in (*compare(old, new), *compare(new, old)):
        assert change.text
        assert change.why


# What only corrections and pins can change


def test_a_unit_of_an_argument_changes_what_a_plain_count_means() -> None:
    document = base_document()
    millis = api(document, overlays(unit("operations.get_fills.from", "milliseconds")))
    seconds = api(document, overlays(unit("operations.get_fills.from", "seconds")))
    change = only(compare(millis, seconds))
    assert told((change,)) == {"argument.type order.get_fills(from_)!"}
    assert "milliseconds" in change.text
    assert "an int" in change.why
    # A parameter that becomes a time takes a datetime besides; one that stops being a time takes none.
    assert not only(compare(api(document), millis)).breaks
    assert only(compare(millis, api(document))).breaks


def test_a_unit_of_a_reply_is_no_business_of_the_caller() -> None:
    document = base_document()
    millis = api(document, overlays(unit("schemas.Fill.tradeId", "milliseconds")))
    micros = api(document, overlays(unit("schemas.Fill.tradeId", "microseconds")))
    change = only(compare(millis, micros))
    assert (change.kind, change.method, change.breaks) == ("field.type", "Fill.trade_id", False)
    assert only(compare(api(document), millis)).breaks


def test_the_unit_of_a_text_reply_turns_it_into_a_time() -> None:
    document = base_document()
    millis = api(document, overlays(unit("operations.get_time.200", "milliseconds")))
    seconds = api(document, overlays(unit("operations.get_time.200", "seconds")))
    assert told(compare(api(document), millis)) == {"operation.reply system.get_time!"}
    assert told(compare(millis, seconds)) == {"operation.reply system.get_time"}


SIDE, TEXT, WHOLE = Type("enum", name="Side"), Type("text"), Type("integer")
BASE, VARIANT = Type("model", name="AnyOrder"), Type("model", name="LimitOrder")
WORDS = Type("literal", choices=("Bid", "Ask"))


def several(item: Type) -> Type:
    return Type("list", items=(item,))


def with_type(type_: Type) -> Api:
    """The base document, with `type_` as the reply and as an optional argument of its first operation."""
    whole = api(base_document())
    first, *rest = whole.operations
    argument = Field("order", "order", type_, required=False)
    first = dataclasses.replace(first, outcomes=(Outcome(200, "json", type_),), query=(argument,))
    return dataclasses.replace(whole, operations=(first, *rest))


@pytest.mark.parametrize(
    ("old", "new", "argument", "reply"),
    [
        # Whether the change breaks as an argument and as a reply, forth and back.
        (BASE, VARIANT, (True, False), (False, True)),
        (several(BASE), several(VARIANT), (True, False), (False, True)),
        (several(TEXT), Type("tuple", items=(TEXT, TEXT)), (True, False), (True, True)),
        (Type("tuple", items=(TEXT,)), Type("tuple", items=(TEXT, TEXT)), (True, True), (True, True)),
        (Type("map", items=(TEXT,)), Type("map", items=(SIDE,)), (True, False), (False, True)),
        (several(SIDE), several(TEXT), (True, True), (True, False)),
        (SIDE, several(SIDE), (False, True), (True, True)),
        (TEXT, SIDE, (True, False), (False, True)),
        (WORDS, SIDE, (False, True), (True, True)),
        (WORDS, TEXT, (False, True), (True, False)),
        (Type("literal", choices=("Bid",)), WORDS, (False, True), (True, False)),
        (Type("literal", choices=("Both",)), SIDE, (True, True), (True, True)),
        (Type("iso"), Type("millis"), (False, True), (False, False)),
        (Type("iso"), Type("spaced"), (False, False), (False, False)),
        (Type("millis"), Type("micros"), (True, True), (False, False)),
        (WHOLE, Type("millis"), (False, True), (True, True)),
        (WHOLE, Type("digits"), (False, False), (False, False)),
        (Type("choice", choices=(5, 10)), WHOLE, (False, True), (False, False)),
        (Type("choice", choices=(5, 10)), Type("integer", low=6), (True, True), (False, False)),
        (Type("integer", low=0), Type("integer", low=1), (True, False), (False, False)),
        (Type("decimal"), Type("decimal_number"), (False, False), (False, False)),
        (Type("decimal"), Type("percent"), (False, True), (True, True)),
        (TEXT, Type("symbol"), (True, True), (False, False)),
        (TEXT, Type("secret"), (False, False), (False, False)),
        (Type("text", longest=4), Type("text", longest=3), (True, False), (False, False)),
        (TEXT, Type("union", items=(TEXT, Type("null"))), (False, True), (True, False)),
        (TEXT, Type("any"), (False, True), (True, True)),
    ],
)
def test_what_is_taken_may_widen_and_what_is_given_may_narrow(
    old: Type, new: Type, argument: tuple[bool, bool], reply: tuple[bool, bool]
) -> None:
    forth, back = compare(with_type(old), with_type(new)), compare(with_type(new), with_type(old))
    judged = [{change.kind: change.breaks for change in changes} for changes in (forth, back)]
    assert [one["argument.type"] for one in judged] == list(argument)
    assert [one["operation.reply"] for one in judged] == list(reply)


def test_an_operation_without_a_pinned_namespace_may_move() -> None:
    changes = compare(api(base_document(), overlays(get_fills="history")), api(base_document()))
    assert told(changes) == {"operation.moved history.get_fills!"}
    assert "`order.get_fills`" in only(changes).text
    assert summary(changes).startswith("0 operations added, 0 removed, 1 changed")


def test_a_renamed_operation_tells_its_new_name() -> None:
    removed = [change for change in compare(api(base_document()), changed(_rename_operation)) if change.breaks]
    assert "which is `markets.get_book` now" in removed[0].text


def test_members_are_their_wire_values_whatever_they_are_called() -> None:
    pinned = overlays()
    names = dataclasses.replace(pinned.names, members={"State": {"New": "FRESH"}})
    renamed = api(base_document(), dataclasses.replace(pinned, names=names))
    change = only(compare(api(base_document()), renamed))
    assert (change.kind, change.method, change.breaks) == ("member.renamed", "State.NEW", True)


def test_rows_of_a_batch_that_hold_other_classes() -> None:
    def batch(ok: str) -> Api:
        doc = Doc()
        doc.schemas["Done"] = record("id", id=STRING)
        doc.schemas["Row_Ok"], doc.schemas["Row_Err"] = wrapper(ok), wrapper("Depth")
        mapping = {"Ok": "#/components/schemas/Row_Ok", "Err": "#/components/schemas/Row_Err"}
        doc.schemas["Row"] = {
            "oneOf": [ref("Row_Ok"), ref("Row_Err")],
            "discriminator": {"propertyName": "kind", "mapping": mapping},
        }
        doc.set_reply("execute_order_batch", {"type": "array", "items": ref("Row")})
        return api(doc.document)

    assert told(compare(batch("Fill"), batch("Done"))) == {"model.batch Row!"}


# Who is affected


def test_a_model_of_several_methods_is_told_once_with_all_of_them() -> None:
    change = only(compare(api(base_document()), changed(lambda doc: doc.field("LimitOrder", "extra", STRING))))
    assert change.affects == ("order.execute_order", "order.execute_order_batch")


def test_methods_that_only_one_document_has_are_not_affected() -> None:
    def grow(doc: Doc) -> None:
        doc.paths["/status"] = {"get": operation("get_status", ref("Fill"))}
        doc.field("Fill", "extra", STRING)

    field = next(change for change in compare(api(base_document()), changed(grow)) if change.kind == "field.added")
    assert field.affects == ("order.get_fills",)


def test_a_body_of_refusals_affects_no_method() -> None:
    def refuse(doc: Doc) -> None:
        doc.schemas["Refusal"] = record("code", code=STRING)
        doc.operation("get_depth")["responses"]["400"] = json_content(ref("Refusal"))

    def refuse_otherwise(doc: Doc) -> None:
        refuse(doc)
        doc.field("Refusal", "code", DECIMAL)

    change = only(compare(changed(refuse), changed(refuse_otherwise)))
    assert (change.kind, change.breaks, change.affects) == ("field.type", True, ())
    assert summary((change,)).startswith("0 operations added, 0 removed, 0 changed, 0 more")


def test_a_class_that_moves_to_another_file_is_no_change() -> None:
    old = api(base_document())
    new = changed(lambda doc: doc.paths.update({"/status": {"get": operation("get_status", ref("Fill"))}}))
    assert old.homes["Fill"] == "order"
    assert new.homes["Fill"] == "shared"
    assert told(compare(old, new)) == {"operation.added system.get_status"}


def test_the_same_change_breaks_requests_or_replies_for_another_reason() -> None:
    def narrow(doc: Doc) -> None:
        doc.field("OrderPayload", "note", {"type": "string", "nullable": True, "maxLength": 3})

    def widen(doc: Doc) -> None:
        doc.field("Fill", "price", {"anyOf": [DECIMAL, INTEGER]})

    request = compare(api(base_document()), changed(narrow))
    assert [change.why for change in request] == ["values that it took are refused"] * 2
    reply = only(compare(api(base_document()), changed(widen)))
    assert reply.why == "code that reads it gets another type"


def test_a_model_in_requests_and_replies_answers_to_both() -> None:
    def echo(doc: Doc) -> None:
        doc.set_reply("get_fills", {"type": "array", "items": ref("OrderPayload")})

    def echo_wider(doc: Doc) -> None:
        echo(doc)
        doc.field("OrderPayload", "note", {"anyOf": [STRING, INTEGER], "nullable": True})

    wider = compare(changed(echo), changed(echo_wider))
    judged = {change.kind: (change.breaks, change.why) for change in wider}
    assert judged == {
        "argument.type": (False, "whatever it took it still takes"),
        "field.type": (True, "code that reads it gets another type"),
    }


def test_a_body_that_is_only_flat_arguments_is_told_as_arguments() -> None:
    def alone(doc: Doc) -> None:
        del doc.paths["/orders"]

    def alone_and_more(doc: Doc) -> None:
        alone(doc)
        doc.field("OrderPayload", "extra", STRING)

    assert told(compare(changed(alone), changed(alone_and_more))) == {"argument.added order.execute_order(extra)"}


# Properties


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """The base document with any number of the changes above, as far as they go together."""
    doc = Doc()
    for case in draw(st.lists(st.sampled_from(CASES), max_size=4, unique_by=lambda case: case.name)):
        before = copied(doc.document)
        try:
            case.change(doc)
        except (KeyError, IndexError, StopIteration, ValueError):  # an earlier one took away what it needs
            doc.document = before
    for name in draw(st.sets(st.sampled_from(sorted(TAGS)), max_size=2)):
        doc.document["paths"] = {
            path: item for path, item in doc.paths.items() if all(one["operationId"] != name for one in item.values())
        }
    return doc.document


def methods(changes: tuple[Change, ...], kind: str) -> list[str]:
    return [change.method for change in changes if change.kind == kind]


@settings(deadline=None, max_examples=25)
@given(documents())
def test_nothing_changes_between_a_document_and_itself(document: dict[str, Any]) -> None:
    assert compare(api(document), api(copied(document))) == ()


@settings(deadline=None, max_examples=25)
@given(documents(), documents())
def test_the_way_back_removes_what_the_way_there_added(old: dict[str, Any], new: dict[str, Any]) -> None:
    before, after = api(old), api(new)
    there, back = compare(before, after), compare(after, before)
    for thing in ("operation", "argument", "field", "model", "enum", "member"):
        assert methods(there, f"{thing}.added") == methods(back, f"{thing}.removed")
        assert methods(there, f"{thing}.removed") == methods(back, f"{thing}.added")
    assert bool(there) == bool(back)


@settings(deadline=None, max_examples=25)
@given(documents(), documents(), st.randoms(use_true_random=False))
def test_order_in_the_documents_does_not_matter(
    old: dict[str, Any], new: dict[str, Any], chance: random.Random
) -> None:
    before, after = api(old), api(new)
    assert compare(shuffled(before, chance), shuffled(after, chance)) == compare(before, after)


def shuffled(whole: Api, chance: random.Random) -> Api:
    def mixed(things: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(chance.sample(things, len(things)))

    operations = tuple(
        dataclasses.replace(one, query=mixed(one.query), body=mixed(one.body)) for one in whole.operations
    )
    models = tuple(dataclasses.replace(one, fields=mixed(one.fields)) for one in whole.models)
    enums = tuple(dataclasses.replace(one, members=mixed(one.members)) for one in whole.enums)
    return dataclasses.replace(whole, operations=mixed(operations), models=mixed(models), enums=mixed(enums))


@settings(deadline=None, max_examples=25)
@given(documents(), documents())
def test_every_report_tells_every_change(old: dict[str, Any], new: dict[str, Any]) -> None:
    changes = compare(api(old), api(new))
    for name in ("text", "markdown"):
        report = " ".join(REPORTS[name](changes).split())
        assert report.endswith(summary(changes))
        for change in changes:
            assert change.owner in report
            assert change.member in report
    assert len(json.loads(REPORTS["json"](changes))["changes"]) == len(changes)


# Reports


def mixed_changes() -> tuple[Change, ...]:
    def change(doc: Doc) -> None:
        doc.paths["/status"] = {"get": text_operation("get_status")}
        doc.drop("get_fills", "side")
        doc.schemas["State"]["enum"] += ["Expired", "Late"]
        doc.field("Fill", "extra", STRING)
        doc.operation("get_depth")["deprecated"] = True

    return compare(api(base_document()), changed(change))


def test_markdown_is_a_changelog_entry() -> None:
    assert (
        REPORTS["markdown"](mixed_changes())
        == """\
### Breaking

- `order.get_fills`: argument `side` removed; calls that pass it fail.

### Added

- `system.get_status`: operation added: `GET /status`, returns `TextReply`.
- `Fill` (in `order.get_fills`): field `extra` added: optional, `str`.
- `State` (in `order.execute_order`, `order.execute_order_batch`, `order.get_fills`): members `EXPIRED`, `LATE` added.

### Changed

- `markets.get_depth`: is deprecated now; it still works.

1 operation added, 0 removed, 2 changed, 2 more affected through their models; breaking (1 of 6 changes)."""
    )


def test_text_fits_a_terminal() -> None:
    report = REPORTS["text"](mixed_changes())
    assert all(len(line) <= 120 for line in report.splitlines())
    assert report.splitlines()[:3] == [
        "Breaking",
        "",
        "  order.get_fills: argument `side` removed; calls that pass it fail.",
    ]


def test_json_has_everything() -> None:
    told_all = json.loads(REPORTS["json"](mixed_changes()))
    assert told_all["summary"] == {
        "operations_added": 1,
        "operations_removed": 0,
        "operations_changed": 2,
        "operations_affected": 2,
        "breaking": True,
    }
    assert told_all["changes"][0] == {
        "action": "changed",
        "kind": "operation.deprecated",
        "method": "markets.get_depth",
        "text": "is deprecated now",
        "breaks": False,
        "why": "it still works",
        "member": "",
        "affects": ["markets.get_depth"],
    }


@pytest.mark.parametrize(("users", "shown"), [(4, 4), (5, 5), (6, 4), (40, 4)])
def test_many_affected_methods_are_counted_not_listed(users: int, shown: int) -> None:
    affects = tuple(f"order.method_{number:02}" for number in range(users))
    change = Change("field.removed", "Order.price", "field `price` removed", True, "it fails", "price", affects)
    for name in ("text", "markdown"):
        report = REPORTS[name]([change])
        assert report.count("order.method_") == shown
        assert (f"and {users - shown} more" in report) == (shown < users)
    assert json.loads(REPORTS["json"]([change]))["changes"][0]["affects"] == list(affects)


@pytest.mark.parametrize("name", ["text", "markdown"])
def test_no_change_is_one_line(name: str) -> None:
    line = "0 operations added, 0 removed, 0 changed, 0 more affected through their models; not breaking."
    assert REPORTS[name](()) == line


def test_hostile_names_stay_on_their_line() -> None:
    new = changed(lambda doc: doc.schemas["State"]["enum"].append("a`b\n### Added"))
    report = REPORTS["markdown"](compare(api(base_document()), new))
    assert report.count("\n### Added") == 0
    assert "`` a`b ### Added ``" in report


# Two vintages of the exchange's document

ADDED = [
    "borrow_lend.get_borrow_lend_estimated_liquidation_price",
    "borrow_lend_markets.get_apy_rates",
    "markets.get_market_sessions",
    "markets.get_prediction_events",
    "markets.get_prediction_tags",
    "markets.get_securities",
    "position.get_position_history",
    "rfq.get_open_rfqs",
    "rfq.get_quote_fill_history",
    "rfq.get_rfq_fill_history",
    "system.get_wallets",
    "vaults.get_vault_history",
    "vaults.get_vault_nav",
    "vaults.get_vault_pending_redeems",
    "vaults.get_vaults",
    "vaults.vault_mint",
    "vaults.vault_redeem",
    "vaults.vault_redeem_cancel",
    "withdrawal_delays.create_withdrawal_delay",
    "withdrawal_delays.get_withdrawal_delay",
    "withdrawal_delays.update_withdrawal_delay",
]


def names(document: dict[str, Any]) -> set[str]:
    return {one["operationId"] for item in document["paths"].values() for one in item.values()}


@pytest.fixture(scope="module")
def since_2025() -> tuple[Change, ...]:
    ours = overlay.load(OVERLAYS)
    old, new = (understand(json.loads(path.read_text(encoding="utf-8")), ours).api for path in (JUNE_2025, SPEC))
    return compare(old, new)


def test_operations_of_two_vintages(since_2025: tuple[Change, ...]) -> None:
    old, new = (names(json.loads(path.read_text(encoding="utf-8"))) for path in (JUNE_2025, SPEC))
    added, removed = methods(since_2025, "operation.added"), methods(since_2025, "operation.removed")
    assert {method.partition(".")[2] for method in added} == new - old
    assert {method.partition(".")[2] for method in removed} == old - new
    assert set(ADDED) <= set(added)
    assert "position.get_pnl_payments" in removed


def test_changes_of_two_vintages(since_2025: tuple[Change, ...]) -> None:
    found = {(change.kind, change.method, change.member): change.breaks for change in since_2025}
    assert found["argument.added", "markets.get_depth", "limit"] is False
    assert found["argument.type", "order.execute_order", "trigger_by"] is True
    assert found["field.presence", "MarkPrice.index_price", "index_price"] is True
    assert found["field.removed", "Deposit.confirmation_block_number", "confirmation_block_number"] is True
    assert found["member.added", "KlineInterval.SECOND_1", "SECOND_1"] is False
    assert found["model.removed", "PnlPayment", ""] is True


def test_the_reports_of_two_vintages_can_be_read(since_2025: tuple[Change, ...]) -> None:
    lines = REPORTS["text"](since_2025).splitlines()
    assert max(map(len, lines)) <= 120
    assert lines[-1].endswith(f"breaking ({sum(one.breaks for one in since_2025)} of {len(since_2025)} changes).")
    titles = [line for line in REPORTS["markdown"](since_2025).splitlines() if line.startswith("#")]
    assert titles == ["### Breaking", "### Added", "### Changed"]


# The command


def diff(old: Path, new: Path, *more: str) -> int:
    return main(["--overlays", str(OVERLAYS), "diff", str(old), str(new), *more])


def test_the_command_says_by_its_exit_code_whether_it_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    assert diff(SPEC, SPEC) == 0
    assert capsys.readouterr().out.endswith("not breaking.\n")
    assert diff(JUNE_2025, SPEC, "--format", "json") == 1
    assert json.loads(capsys.readouterr().out)["summary"]["breaking"] is True


def test_the_command_refuses_what_is_no_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"openapi": "3.0.3"', encoding="utf-8")
    assert diff(SPEC, broken) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "broken.json:1:" in captured.err

"""Every shape a value, a body or a reply can have becomes code that does what the document says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, ValidationError

from backpack_sdk._core.errors import InvalidArgument
from backpack_sdk._core.reply import Accepted, Acknowledged, NoContent, TextReply
from codegen.build import understand
from codegen.corrections import Correction
from codegen.problems import CodegenError
from codegen.types import in_argument, in_model, type_of

from .documents import Json, document, get, operation, overlays, post, query, ref, thing
from .documents import json as content
from .packages import Package, build

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = {"type": "string"}
DECIMAL = {"type": "string", "format": "decimal"}
NUMBER = {"type": "integer"}
PAIR = {"type": "array", "items": DECIMAL, "minItems": 2, "maxItems": 2}
NULLABLE = {**DECIMAL, "nullable": True}


@pytest.mark.parametrize(("schema", "annotation", "argument"), [
    (TEXT, "str", "str"),
    (DECIMAL, "DecimalText", "DecimalLike"),
    ({"type": "number"}, "DecimalNumber", "DecimalLike"),
    (NUMBER, "int", "int"),
    ({**NUMBER, "x-unit": "milliseconds"}, "Millis", "TimeLike"),
    ({**NUMBER, "x-unit": "duration-hours"}, "int", "int"),
    ({"type": "boolean"}, "bool", "bool"),
    ({"type": "string", "format": "date-time"}, "IsoTime", "TimeLike"),
    ({"type": "string", "format": "made-up"}, "str", "str"),
    ({"type": "null"}, "None", "None"),
    ({}, "Any", "Any"),
    ({"type": "object"}, "dict[str, Any]", "Mapping[str, Any]"),
    ({"type": "object", "additionalProperties": NULLABLE}, "dict[str, DecimalText | None]",
     "Mapping[str, DecimalLike | None]"),
    ({"type": "array", "items": NULLABLE}, "tuple[DecimalText | None, ...]", "Sequence[DecimalLike | None]"),
    ({"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2}, "tuple[str, str]", "tuple[str, str]"),
    ({"type": "array", "items": TEXT, "minItems": 1, "maxItems": 2}, "tuple[str, ...]", "Sequence[str]"),
    ({"type": "array", "items": ref("Kind")}, "tuple[Kind, ...]", "Sequence[KindLike] | KindLike"),
    ({"anyOf": [NULLABLE, TEXT]}, "DecimalText | str | None", "DecimalLike | str | None"),
    ({"anyOf": [TEXT, {}]}, "Any", "Any"),
    ({"anyOf": [TEXT, TEXT]}, "str", "str"),
    ({"oneOf": [{"anyOf": [TEXT, NUMBER]}, NUMBER]}, "str | int", "str | int"),
    ({"enum": ["N/A"]}, 'Literal["N/A"]', 'Literal["N/A"]'),
    ({"enum": ['a"\n']}, 'Literal["a\\"\\x0a"]', 'Literal["a\\"\\x0a"]'),
    ({"type": "integer", "enum": [5, 1, 5]}, "int", "Literal[1, 5]"),
    ({"enum": ["a", 1]}, "Any", "Any"),
    ({"enum": [True]}, "Any", "Any"),
    (ref("Kind"), "Kind", "KindLike"),
    (ref("Row"), "Row", "Row | Mapping[str, Any]"),
])  # fmt: skip
def test_types(schema: Json, annotation: str, argument: str) -> None:
    type_ = type_of(schema, {"Kind": "Kind", "Row": "Row"}, frozenset({"Kind"}))
    assert (in_model(type_), in_argument(type_)) == (annotation, argument)


@pytest.mark.parametrize(("schema", "low", "high"), [
    ({"format": "uint8"}, 0, 255), ({"format": "int64"}, -(2**63), 2**63 - 1), ({}, None, None), ({"format": "x"},
     None, None),
    ({"minimum": 1, "maximum": 9}, 1, 9), ({"minimum": 0.5, "maximum": 8.5}, 1, 8), ({"format": "uint8",
     "minimum": 5}, 5, 255),
    ({"minimum": 1, "exclusiveMinimum": True, "maximum": 9, "exclusiveMaximum": True}, 2, 8),
    ({"minimum": 1, "exclusiveMinimum": False}, 1, None), ({"minimum": 0.5, "exclusiveMinimum": True}, 1, None),
    ({"exclusiveMinimum": 0, "exclusiveMaximum": 10}, 1, 9), ({"exclusiveMinimum": -1.5, "exclusiveMaximum": 1.5}, -1,
     1),
    ({"format": "uint8", "exclusiveMaximum": 300}, 0, 255), ({"format": "uint8", "exclusiveMaximum": 100}, 0, 99),
])  # fmt: skip
def test_bounds_of_integers(schema: Json, low: int | None, high: int | None) -> None:
    type_ = type_of({**NUMBER, **schema}, {}, frozenset())
    assert (type_.low, type_.high) == (low, high)


def reply(name: str, **responses: Json | None) -> Json:
    """An operation with these replies: `s200=schema`, or None for an empty one."""
    found = {
        status[1:]: {"content": content(schema)} if schema is not None else {} for status, schema in responses.items()
    }
    return {"get": operation(name) | {"responses": found}}


def text(name: str, status: str = "200") -> Json:
    body = {"content": {"text/plain": {"schema": TEXT}}}
    return {"get": operation(name) | {"responses": {status: body}}}


SHAPES = document(
    {
        "Row": thing(id=TEXT, price=NULLABLE) | {"required": ["id"]},
        "Other": thing(code=NUMBER),
        "Kind": {"type": "string", "enum": ["A", "B"]},
        "Either": {"oneOf": [ref("Row"), ref("Other")]},
        "Node": {"type": "object", "properties": {"value": NUMBER, "next": ref("Node"), "all": {"type": "array",
        "items": ref("Node")}}},
        "Parts": {"allOf": [ref("Row"), thing(more=TEXT)]},
        "Loose": thing(json={}, map={"type": "object", "additionalProperties": {"type": "array",
        "items": ref("Row")}}, none=NULLABLE,
                       literal={"enum": ["x"]}, number={"type": "number"}, pair=PAIR, either=ref("Either"),
                       na={"anyOf": [DECIMAL, {"enum": ["N/A"]}]}, choice={"enum": [1, 2]}),
    },
    {
        "/model": get("model", ref("Row")),
        "/list": get("rows", {"type": "array", "items": ref("Row")}),
        "/map": get("map", {"type": "object", "additionalProperties": ref("Row")}),
        "/union": get("union", ref("Either")),
        "/nullable": get("nullable", {"anyOf": [ref("Row"), {"type": "null"}]}),
        "/nullables": get("nullables", {"type": "array", "items": {**DECIMAL, "nullable": True}}),
        "/any": get("anything", {}),
        "/decimal": get("decimal", DECIMAL),
        "/enum": get("enum", ref("Kind")),
        "/literal": get("literal", {"enum": ["OK"]}),
        "/number": get("number", {"type": "number"}),
        "/pair": get("pair", PAIR),
        "/inline": get("inline", {"type": "array", "items": thing(deep=thing(a=TEXT))}),
        "/tree": get("tree", ref("Node")),
        "/parts": get("parts", ref("Parts")),
        "/loose": get("loose", ref("Loose")),
        "/several": reply("several", s200=ref("Row"), s201={"type": "array", "items": ref("Other")}, s202=None,
        s204=None),
        "/created": reply("created", s201=ref("Row")),
        "/empty": reply("empty", s200=None),
        "/any2xx": reply("any_2xx", s2XX=ref("Row")),
        "/nothing": reply("nothing", s400=ref("Other")),
        "/text": text("text"),
        "/text201": text("text_201", "201"),
        "/time": text("time"),
        "/send/map": post("send_map", {"type": "object", "additionalProperties": DECIMAL}),
        "/send/union": post("send_union", ref("Either")),
        "/send/numbers": post("send_numbers", {"type": "array", "items": NUMBER}),
        "/send/rows": post("send_rows", {"type": "array", "items": ref("Row")}),
        "/send/row": post("send_row", ref("Row")),
        "/send/rows/row": get("send_rows_row", ref("Row")),
        "/send/maybe": {"post": operation("send_maybe", requestBody={"content": content({})})},
        "/send/clash": {"post": operation("send_clash", None, query("body"), query("id"),
        query("id") | {"in": "header"},
                                          requestBody={"content": content({}), "required": True})},
        "/send/text": {"post": operation("send_text", requestBody={"content": {"text/csv": {}}})},
        "/ask": get(
            "ask", None,
            query("row", ref("Row")), query("numbers", {"type": "array", "items": NUMBER}),
            query("kinds", {"type": "array", "items": ref("Kind")}), query("choice", {"enum": [5, 10]}),
            query("price", DECIMAL), query("few", {**NUMBER, "minimum": 1, "maximum": 3}), query("any", {}),
        ),
    },
)  # fmt: skip


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Package]:
    folder = tmp_path_factory.mktemp("shapes") / "shapes_api"
    unit = Correction("units.toml", "operations.time.200", {}, {"x-unit": "milliseconds"}, "why", "evidence")
    build(SHAPES, folder, overlays(corrections=(unit,)))
    found = Package(folder)
    yield found
    found.forget()


def decoded(package: Package, name: str, body: object, status: int = 200) -> Any:
    request = getattr(package["things.operations"], name)()
    return request.reply.decode(status, body if isinstance(body, bytes) else json.dumps(body).encode())


def test_every_model_can_be_used(package: Package) -> None:
    models = [each for each in package.classes() if issubclass(each, BaseModel)]
    assert sorted(model.__name__ for model in models) == [
        "InlineReplyEntry", "InlineReplyEntryDeep", "Loose", "Node", "Other", "Parts", "Row",
    ]  # fmt: skip
    for model in models:
        model.model_rebuild(force=True)


@pytest.mark.parametrize(("name", "body", "expected"), [
    ("map", {"a": {"id": "1"}}, {"a": {"id": "1"}}),
    ("rows", [{"id": "1", "price": None}], [{"id": "1", "price": None}]),
    ("model", {"id": "1", "price": "1.50"}, {"id": "1", "price": "1.50"}),
    ("tree", {"value": 1, "next": {"value": 2, "all": [{}]}}, {"value": 1, "next": {"value": 2, "all": [{}]}}),
    ("parts", {"id": "1", "more": "x"}, {"id": "1", "more": "x"}),
    ("inline", [{"deep": {"a": "b"}}], [{"deep": {"a": "b"}}]),
    ("any_2xx", {"id": "1"}, {"id": "1"}),
    ("send_rows_row", {"id": "1"}, {"id": "1"}),
])  # fmt: skip
def test_replies_of_models_come_back_as_they_were(package: Package, name: str, body: Any, expected: Any) -> None:
    def wire(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: wire(each) for key, each in value.items()}
        return [wire(each) for each in value] if isinstance(value, list) else value.to_wire()

    assert wire(decoded(package, name, body)) == expected


@pytest.mark.parametrize(("name", "body", "expected"), [
    ("nullable", None, None),
    ("nullables", ["1.5", None], [Decimal("1.5"), None]),
    ("anything", {"a": [1]}, {"a": [1]}),
    ("decimal", "1.50", Decimal("1.50")),
    ("enum", "A", "A"),
    ("enum", "NEW", "NEW"),
    ("literal", "OK", "OK"),
    ("number", 1.5, Decimal("1.5")),
    ("pair", ["1", "2"], (Decimal(1), Decimal(2))),
    ("text", b"pong", TextReply("pong")),
    ("time", b"1000\n", datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
    ("empty", b"", Acknowledged()),
    ("nothing", b"", Acknowledged()),
])  # fmt: skip
def test_replies_of_other_shapes(package: Package, name: str, body: object, expected: object) -> None:
    found = decoded(package, name, body)
    assert found == expected
    assert isinstance(found, type(expected))


def test_a_union_of_models_gives_the_one_that_fits(package: Package) -> None:
    assert type(decoded(package, "union", {"id": "1"})).__name__ == "Row"
    assert type(decoded(package, "union", {"code": 1})).__name__ == "Other"


def test_each_status_has_its_own_reply(package: Package) -> None:
    request = package["things.operations"].several()
    assert request.reply.statuses() == (200, 201, 202, 204)
    assert decoded(package, "several", {"id": "1"}).id == "1"
    assert [row.code for row in decoded(package, "several", [{"code": 7}], 201)] == [7]
    assert decoded(package, "several", b"", 202) == Accepted()
    assert decoded(package, "several", b"", 204) == NoContent()
    assert decoded(package, "created", {"id": "1"}, 201).id == "1"
    assert decoded(package, "text_201", b"made", 201) == "made"


def test_fields_of_every_shape(package: Package) -> None:
    wire: Json = {
        "json": [1, {"a": None}], "map": {"a": [{"id": "1"}]}, "none": None, "literal": "x", "number": 1.25,
        "pair": ["1.0", "2"],
        "either": {"code": 3}, "na": "N/A", "choice": 2, "unknown": True,
    }  # fmt: skip
    row = decoded(package, "loose", wire)
    assert (row.json_, row.na, row.pair, row.number) == (
        [1, {"a": None}],
        "N/A",
        (Decimal("1.0"), Decimal(2)),
        Decimal("1.25"),
    )
    assert row.to_wire() == wire
    with pytest.raises(ValidationError):
        decoded(package, "loose", {**wire, "literal": "y"})


@pytest.mark.parametrize(("name", "argument", "body"), [
    ("send_map", {"a": Decimal("1.10")}, {"a": "1.10"}),
    ("send_union", {"code": 1}, {"code": 1}),
    ("send_numbers", [1, 2], [1, 2]),
    ("send_rows", [{"id": "1"}], [{"id": "1"}]),
    ("send_maybe", None, None),
])  # fmt: skip
def test_a_body_that_is_one_argument(package: Package, name: str, argument: Any, body: Any) -> None:
    builder = getattr(package["things.operations"], name)
    request = builder(body=argument) if name == "send_maybe" else builder(argument)
    assert request.body == body


def test_a_model_is_sent_in_a_body_of_any_shape(package: Package) -> None:
    row = package["things.models"].Row(id="1")
    assert package["things.operations"].send_union(row).body == {"id": "1"}
    assert package["things.operations"].send_row("1").body == {"id": "1"}


def test_arguments_of_one_name_are_told_apart(package: Package) -> None:
    request = package["things.operations"].send_clash([1], body_="b", id_="q", id="h")
    assert (request.body, request.query, request.headers) == ([1], {"body": "b", "id": "q"}, {"id": "h"})


def test_arguments_of_every_shape(package: Package) -> None:
    ask = package["things.operations"].ask
    request = ask(row={"id": "1"}, numbers=[1], kinds="A", choice=5, price=0.1, few=3, any={"a": None})
    assert request.query == {
        "row": {"id": "1"}, "numbers": [1], "kinds": ["A"], "choice": 5, "price": "0.1", "few": 3, "any": {"a": None},
    }  # fmt: skip
    for wrong in ({"choice": 6}, {"few": 4}, {"few": 0}, {"price": "NaN"}, {"kinds": ["C"]}, {"any": object()}):
        with pytest.raises(InvalidArgument, match=next(iter(wrong))):
            ask(**wrong)


def test_what_was_decided_without_being_told_is_remarked() -> None:
    remarks = [str(remark) for remark in understand(SHAPES, overlays()).remarks]
    assert "operations.send_text: has a body that is not JSON (text/csv): it is left out" in remarks
    assert "operations.nothing: documents no success; an empty 200 is assumed" in remarks
    assert "operations.any_2xx: documents no success but `2XX`, which is taken for 200" in remarks
    assert "operation model: has no pinned namespace; it goes to `things`" in remarks
    assert "operations.send_map.body: is not documented" in remarks


@pytest.mark.parametrize("where", ["path", "cookie"])
def test_parameters_that_are_not_supported_are_refused_with_their_place(where: str) -> None:
    whole = document({}, {"/a/{id}": get("a", None, query("id", required=True) | {"in": where})})
    with pytest.raises(CodegenError) as caught:
        understand(whole, overlays())
    assert str(caught.value) == (
        "#/paths/~1a~1{id}/get/parameters: path and cookie parameters are not supported by the generator yet"
    )


def test_a_document_without_operations_or_without_anything(tmp_path: pytest.TempPathFactory) -> None:
    for schemas in ({}, {"X": thing(a=TEXT)}):
        api = understand(document(schemas), overlays()).api
        assert (len(api.operations), len(api.models)) == (0, len(schemas))


def test_a_batch_row_and_tagged_models_work(tmp_path: Any) -> None:
    folder = tmp_path / "tagged_api"
    kinds = {f"Order_{kind}": {"allOf": [thing(type=TEXT), ref(kind)]} for kind in ("Limit", "Market")}
    rows = {
        f"Row_{kind}": {"allOf": [thing(operation=TEXT), ref(target)]}
        for kind, target in (("Ok", "Order"), ("Err", "Failure"))
    }
    build(document({
        **kinds, **rows, "Limit": thing(price=DECIMAL), "Market": thing(size=DECIMAL), "Failure": thing(code=TEXT,
        message=TEXT),
        "Order": {"anyOf": [ref(name) for name in kinds], "discriminator": {"propertyName": "type", "mapping": {
            name.removeprefix("Order_"): f"#/components/schemas/{name}" for name in kinds}}},
        "Row": {"anyOf": [ref(name) for name in rows], "discriminator": {"propertyName": "operation", "mapping": {
            name.removeprefix("Row_"): f"#/components/schemas/{name}" for name in rows}}},
    }, {"/a": get("rows", {"type": "array", "items": ref("Row")}), "/b": post("send", ref("Order"))}),
    folder)  # fmt: skip
    package = Package(folder)
    try:
        ok, failed, newer = decoded(package, "rows", [
            {"operation": "Ok", "type": "Limit", "price": "1"}, {"operation": "Err", "code": "X", "message": "m"},
            {"operation": "Ok", "type": "New", "shape": "?"},
        ])  # fmt: skip
        assert (type(ok.order).__name__, ok.order.price, ok.error) == ("Limit", Decimal(1), None)
        assert (failed.order, failed.error.code) == (None, "X")
        assert (type(newer.order).__name__, newer.order.to_wire()) == ("Order", {"type": "New", "shape": "?"})
        # A tagged body is one argument: its fields depend on the tag.
        body = package["things.operations"].send({"type": "Market", "size": Decimal("0.5")}).body
        assert body == {"type": "Market", "size": "0.5"}
    finally:
        package.forget()

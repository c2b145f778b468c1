"""Unions told apart by a tag become a base with variants; unions that are something else stay unions."""

from __future__ import annotations

import json

import pytest

from codegen.build import understand
from codegen.overlay import Names
from codegen.variants import fold_variants

from .documents import Json, document, get, overlays, ref, thing

TEXT = {"type": "string"}
NUMBER = {"type": "integer"}


def union(name: str, *kinds: str, tag: str = "kind", key: str = "oneOf", of: dict[str, str] | None = None) -> Json:
    """`X = X_A | X_B` as the exchange writes it: each wrapper adds a tag to a component."""
    schemas: Json = {
        name: {
            "type": "object",
            key: [ref(f"{name}_{kind}") for kind in kinds],
            "discriminator": {
                "propertyName": tag, "mapping": {kind.lower(): f"#/components/schemas/{name}_{kind}" for kind in kinds},
            },
        }
    }  # fmt: skip
    for kind in kinds:
        tagged = thing(**{tag: {"type": "string", "enum": [kind.lower()]}})
        schemas[f"{name}_{kind}"] = {"allOf": [tagged, ref((of or {}).get(kind, kind))]}
    return schemas


def folded(schemas: Json) -> tuple[Json, int]:
    whole = json.loads(json.dumps(document(schemas)))
    count = fold_variants(whole, Names())
    return whole["components"]["schemas"], count


@pytest.mark.parametrize("key", ["anyOf", "oneOf"])
def test_wrappers_become_variants(key: str) -> None:
    schemas = {
        **union("Shape", "Round", "Square", key=key),
        "Round": thing(r=NUMBER, name=TEXT),
        "Square": thing(a=NUMBER, name=TEXT),
    }
    found, count = folded(schemas)
    assert count == 1
    assert found == {
        "Shape": {**thing(kind=TEXT, name=TEXT), "x-tag-field": "kind"},
        "Round": {**thing(kind=TEXT, name=TEXT, r=NUMBER), "x-variant-of": "Shape", "x-tag": "round"},
        "Square": {**thing(a=NUMBER, kind=TEXT, name=TEXT), "x-variant-of": "Shape", "x-tag": "square"},
    }


def test_only_what_all_variants_have_alike_is_common() -> None:
    one = {
        "type": "object",
        "properties": {"same": TEXT, "type": TEXT, "need": TEXT, "own": TEXT},
        "required": ["need", "same"],
    }
    other = {"type": "object", "properties": {"same": TEXT, "type": NUMBER, "need": TEXT}, "required": ["same"]}
    found, _ = folded({**union("U", "One", "Other"), "One": one, "Other": other})
    assert found["U"] == {**thing(kind=TEXT, same=TEXT), "x-tag-field": "kind"}


def test_the_tag_is_an_enum_when_one_has_the_same_members() -> None:
    schemas = {
        **union("U", "A", "B"),
        "A": thing(),
        "B": thing(),
        "Kind": {"enum": ["b", "a"]},
        "More": {"enum": ["a", "b", "c"]},
    }
    found, _ = folded(schemas)
    assert found["U"]["properties"]["kind"] == ref("Kind")
    assert found["A"]["properties"]["kind"] == ref("Kind")


def test_a_union_of_one_has_no_common_fields() -> None:
    found, count = folded({**union("U", "A"), "A": thing(a=TEXT)})
    assert count == 1
    assert found == {
        "U": {**thing(kind=TEXT), "x-tag-field": "kind"},
        "A": {**thing(a=TEXT, kind=TEXT), "x-variant-of": "U", "x-tag": "a"},
    }


def test_a_variant_that_is_used_elsewhere_too_stays_without_a_tag_there() -> None:
    schemas = {**union("U", "A", "B"), "A": thing(a=TEXT), "B": thing(), "Holder": thing(held=ref("A"))}
    found, _ = folded(schemas)
    assert found["A"] == thing(a=TEXT)
    assert found["U_A"] == {**thing(a=TEXT, kind=TEXT), "x-variant-of": "U", "x-tag": "a"}
    assert "U_B" not in found
    assert found["B"]["x-variant-of"] == "U"


def test_two_unions_of_the_same_components() -> None:
    schemas = {**union("U", "A", "B"), **union("V", "A", "B", tag="type"), "A": thing(a=TEXT), "B": thing(b=TEXT)}
    found, count = folded(schemas)
    assert count == 2
    families = {name: (schema.get("x-variant-of"), schema.get("x-tag")) for name, schema in found.items()}
    assert families == {
        "U": (None, None), "U_A": ("U", "a"), "U_B": ("U", "b"), "V": (None, None), "A": ("V", "a"), "B": ("V", "b"),
    }  # fmt: skip
    assert set(found["U_A"]["properties"]) == {"a", "kind"}
    assert set(found["A"]["properties"]) == {"a", "type"}


def test_a_wrapper_that_is_used_elsewhere_stays() -> None:
    found, _ = folded({**union("U", "A", "B"), "A": thing(), "B": thing(), "Holder": thing(held=ref("U_A"))})
    assert "U_A" in found


def test_a_row_of_a_batch_is_recognised() -> None:
    schemas = {
        **union("Row", "Ok", "Err", tag="operation", of={"Ok": "Order", "Err": "Failure"}),
        **union("Order", "Limit", "Market"),
        "Limit": thing(), "Market": thing(), "Failure": thing(code=TEXT),
    }  # fmt: skip
    schemas["Row"]["discriminator"]["mapping"] = {
        "Ok": "#/components/schemas/Row_Ok",
        "Err": "#/components/schemas/Row_Err",
    }
    found, count = folded(schemas)
    assert count == 2
    assert found["Row"] == {"type": "object", "x-batch": {"ok": "Order", "error": "Failure", "tag": "operation"}}
    assert "Row_Ok" not in found
    assert "Row_Err" not in found
    # The hand-written base reads `operation`.
    for item in ("Row_Ok", "Row_Err"):
        schemas[item]["allOf"][0] = thing(status=TEXT)
    schemas["Row"]["discriminator"]["propertyName"] = "status"
    remarks = understand(document(schemas, {"/a": get("a", ref("Row"))}), overlays()).remarks
    assert "model Row: is a batch's row without the field `operation`, which its base reads" in map(str, remarks)
    # Its order is a union without tags in another document: then it is a plain union, and still understood.
    schemas["Order"] = {"anyOf": [ref("Limit"), ref("Market")]}
    assert folded(schemas)[1] == 0
    built = understand(document(schemas, {"/a": get("a", ref("Row"))}), overlays())
    reply = built.api.operations[0].outcomes[0].type
    assert reply is not None
    assert (reply.kind, [one.name for one in reply.items]) == ("union", ["Row_Ok", "Row_Err"])


def change(schemas: Json, **changed: Json) -> Json:
    return {**schemas, **changed}


BASE = {**union("U", "A", "B"), "A": thing(a=TEXT), "B": thing(b=TEXT)}


@pytest.mark.parametrize("schemas", [
    change(BASE, U={"oneOf": [ref("U_A"), ref("U_B")]}),
    change(BASE, U={"oneOf": [ref("U_A"), ref("U_B")], "discriminator": {"propertyName": "kind"}}),
    change(BASE, U={**BASE["U"], "oneOf": [ref("U_A")]}),
    change(BASE, U_A=thing(kind=TEXT, a=TEXT)),
    change(BASE, U_A={"allOf": [thing(kind=TEXT, more=TEXT), ref("A")]}),
    change(BASE, U_A={"allOf": [thing(other=TEXT), ref("A")]}),
    change(BASE, U_A={"allOf": [thing(kind=TEXT), ref("A"), thing(more=TEXT)]}),
    change(BASE, U_A={"allOf": [ref("A"), ref("B")]}),
    change(BASE, A={"type": "string", "enum": ["x", "y"]}),
    change(BASE, A={"anyOf": [ref("B"), TEXT]}),
    {**BASE, **union("A", "C", "D"), "C": thing(), "D": thing()},
], ids=[
    "no discriminator", "no mapping", "a tag without option", "options without wrappers", "a wrapper that adds more",
    "a wrapper without the tag", "three parts", "two components", "an enum inside", "a union inside",
    "a tagged union inside",
])  # fmt: skip
def test_another_union_stays_a_union(schemas: Json) -> None:
    found, _ = folded(schemas)
    assert "oneOf" in found["U"]
    holder = {**schemas, "Holder": thing(u=ref("U"))}
    built = understand(document(holder, {"/a": get("a", ref("Holder"))}), overlays())
    field = next(model for model in built.api.models if model.schema == "Holder").fields[0]
    assert field.type.kind in ("union", "model")
    fields = {model.schema: {field.wire for field in model.fields} for model in built.api.models}
    # Nothing that an option adds is lost.
    for option in ("U_A", "U_B"):
        parts = schemas[option].get("allOf", [schemas[option]])
        own = {name for part in parts for name in part.get("properties", {})}
        assert option not in fields or own <= fields[option]

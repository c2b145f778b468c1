"""Whatever the document calls a thing, Python can call it too, and nothing else is called that."""

from __future__ import annotations

import ast
import keyword
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpack_sdk._core.batch import BatchResult
from backpack_sdk._core.model import Model, TaggedModel
from codegen import names, reserved

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = st.text() | st.from_regex(r"[A-Za-z0-9_ ./-]{0,20}", fullmatch=True) | st.sampled_from(keyword.kwlist)
NAMERS: tuple[Callable[[str], str], ...] = (
    names.argument, names.field, names.operation, names.tag, names.class_name, names.member_name,
)  # fmt: skip


@given(WORDS)
@pytest.mark.parametrize("namer", NAMERS, ids=lambda namer: str(namer.__name__))
def test_every_name_is_a_plain_identifier(namer: Callable[[str], str], name: str) -> None:
    found = namer(name)
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", found)
    assert not keyword.iskeyword(found)
    assert namer(name) == found


@given(WORDS)
def test_a_name_is_left_alone_by_a_second_turn(name: str) -> None:
    for namer in (names.operation, names.tag):
        assert names.snake(namer(namer(name))) == names.snake(namer(name))


@pytest.mark.parametrize(("wire", "python"), [
    ("autoLendRedeem", "auto_lend_redeem"), ("X-BROKER-ID", "x_broker_id"), ("getHTTPCode", "get_http_code"),
    ("stopLossTriggerBy", "stop_loss_trigger_by"), ("a.b/c d", "a_b_c_d"), ("__x__", "x"), ("1d", "1d"), ("é", ""),
    ("Order2Fill", "order2_fill"), ("", ""),
])  # fmt: skip
def test_snake(wire: str, python: str) -> None:
    assert names.snake(wire) == python


@pytest.mark.parametrize(("namer", "wire", "python"), [
    (names.argument, "from", "from_"), (names.argument, "timeout", "timeout_"), (names.argument, "self", "self_"),
    (names.argument, "1d", "argument_1d"), (names.argument, "", "argument"), (names.argument, "None", "none_"),
    (names.argument, "clientId", "client_id"), (names.argument, "type", "type"), (names.argument, "list", "list"),
    (names.field, "json", "json_"), (names.field, "copy", "copy_"), (names.field, "modelDump", "model_dump_"),
    (names.field, "model_anything", "model_anything_"), (names.field, "schema", "schema_"), (names.field, "int",
     "int_"),
    (names.field, "symbol", "symbol"), (names.field, "timeout", "timeout"), (names.field, "🚀", "field"),
    (names.operation, "getDepth", "get_depth"), (names.operation, "list", "list_"), (names.operation, "operations",
     "operations_"),
    (names.operation, "class", "class_"), (names.operation, "2fa", "operation_2fa"),
    (names.tag, "Borrow Lend Markets", "borrow_lend_markets"), (names.tag, "types", "types_"), (names.tag, "__init__",
     "init"),
    (names.tag, "../../evil", "evil"), (names.tag, "Import", "import_"), (names.tag, "", "tag"), (names.tag, "send",
     "send_"),
    (names.class_name, "OrderType_Limit", "OrderType_Limit"), (names.class_name, "order book-filters",
     "OrderBookFilters"),
    (names.class_name, "", "Unnamed"), (names.class_name, "1st", "Schema1st"), (names.class_name, "Model",
     "ModelSchema"),
    (names.class_name, "Exception", "ExceptionSchema"), (names.class_name, "OrderApi", "OrderApiSchema"),
    (names.class_name, "none", "NoneSchema"), (names.class_name, "Decimal", "Decimal"), (names.class_name, "_x", "X"),
    (names.member_name, "bitcoinCash", "BITCOIN_CASH"), (names.member_name, "1d", "VALUE_1D"), (names.member_name, "",
     "EMPTY"),
    (names.member_name, "name", "NAME_"), (names.member_name, "None", "NONE"), (names.member_name, "0.5%", "VALUE_0_5"),
])  # fmt: skip
def test_names(namer: Callable[[str], str], wire: str, python: str) -> None:
    assert namer(wire) == python


@pytest.mark.parametrize(("tag", "title"), [
    ("order", "OrderApi"), ("borrow_lend", "BorrowLendApi"), ("types_", "TypesApi"), ("async_order",
     "TheAsyncOrderApi"),
])  # fmt: skip
def test_titles_of_namespaces(tag: str, title: str) -> None:
    assert names.title(tag) == title


def test_no_field_hides_an_attribute_of_the_models() -> None:
    """Pydantic's attributes and our own; with a new version of either there may be more."""
    attributes = {
        name for model in (Model, TaggedModel, BatchResult) for name in dir(model) if not name.startswith("_")
    }
    fields = {"operation"}  # a batch row's own, and such a row has no generated ones
    assert {name for name in attributes - fields if names.field(name) == name} == set()


@given(st.lists(WORDS, unique=True, max_size=8))
def test_names_that_collide_are_told_apart(wires: list[str]) -> None:
    found = names.unique((wire, names.field(wire)) for wire in wires)
    assert set(found) == set(wires)
    assert len(set(found.values())) == len(wires)
    assert names.unique((wire, names.field(wire)) for wire in reversed(wires)) == found


@given(
    st.lists(WORDS | st.sampled_from(["Foo", "foo", "FooLike", "Decimal", "PING"]), unique=True, max_size=8), st.data()
)
def test_classes_that_collide_are_told_apart_from_each_other_and_from_aliases(
    wires: list[str], data: st.DataObject
) -> None:
    enums = set(data.draw(st.lists(st.sampled_from(wires), max_size=4))) if wires else set[str]()
    found = names.unique_classes(((wire, names.class_name(wire)) for wire in wires), enums, taken=["PING"])
    exported = [*found.values(), *(f"{found[wire]}Like" for wire in enums)]
    assert set(found) == set(wires)
    assert len(set(exported)) == len(exported)
    assert not {"PING", "DecimalLike", *reserved.CLASSES} & set(exported)


def test_what_a_trader_looks_for_comes_first() -> None:
    arguments = ["zeta", "limit", "quantity", "symbol", "side", "from_", "alpha", "price", "id"]
    assert sorted(arguments, key=names.order_key) == [
        "id", "symbol", "side", "price", "quantity", "from_", "limit", "alpha", "zeta",
    ]  # fmt: skip


def test_constants_of_operations_stay_apart() -> None:
    """A method that had to be renamed has a constant of its own."""
    assert names.constant(names.operation("operations")) == "OPERATIONS_"
    assert names.constant("get_depth") == "GET_DEPTH"
    assert ast.parse(names.constant(names.operation("import")))

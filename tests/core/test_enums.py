"""Open enumerations: known members, members that are new, and both as Python values."""

from __future__ import annotations

import copy
import json
import pickle
from enum import StrEnum
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from backpack_sdk import OpenEnum, types
from backpack_sdk._core.arguments import member
from backpack_sdk._generated.names import HOMES

ENUMS: list[type[OpenEnum]] = [
    found for name in sorted(HOMES) if isinstance(found := getattr(types, name), type) and issubclass(found, OpenEnum)
]
some_text = st.text(st.characters(codec="utf-8"))


def test_the_enumerations_were_found() -> None:
    assert types.Side in ENUMS
    assert types.OrderStatus in ENUMS
    assert len(ENUMS) > 30


@pytest.mark.parametrize("enum", ENUMS, ids=lambda enum: enum.__name__)
def test_members_are_their_wire_text(enum: type[OpenEnum]) -> None:
    assert len(enum) > 0
    for known in enum:
        assert enum(known.value) is known
        assert known.is_known
        assert known == known.value
        assert str(known) == f"{known}" == known.value
        assert json.dumps(known) == json.dumps(known.value)
        assert hash(known) == hash(known.value)
        assert repr(known) == f"{enum.__name__}.{known.name}"
        assert getattr(enum, known.name) is known
        assert known.name.isidentifier()
        assert pickle.loads(pickle.dumps(known)) is known
        assert copy.deepcopy(known) is known


@pytest.mark.parametrize("enum", ENUMS, ids=lambda enum: enum.__name__)
def test_arguments_accept_the_member_and_its_literal(enum: type[OpenEnum]) -> None:
    alias = getattr(types, f"{enum.__name__}Like")
    own, literal = get_args(alias)
    assert own is enum
    assert set(get_args(literal)) == {known.value for known in enum}
    for known in enum:
        assert member(known, "kind", enum) == member(known.value, "kind", enum) == known.value
        assert type(member(known, "kind", enum)) is str


@given(some_text)
def test_a_new_member_is_a_value(text: str) -> None:
    new = types.Side(text)
    assert isinstance(new, types.Side)
    assert new == text
    assert text == new
    assert (new != text) is False
    assert hash(new) == hash(text)
    assert new == types.Side(text)
    assert str(new) == f"{new}" == new.value == text
    assert type(new.value) is str
    assert json.dumps(new) == json.dumps(text)
    assert new.is_known == (text in ("Bid", "Ask"))
    assert {new: 1}[types.Side(text)] == {text: 1}[new] == 1
    for twin in (pickle.loads(pickle.dumps(new)), copy.copy(new), copy.deepcopy(new), types.Side(new)):
        assert twin == new
        assert isinstance(twin, types.Side)
        assert repr(twin) == repr(new)


def test_new_members_do_not_join_the_enumeration() -> None:
    before = list(types.Side)
    new = types.Side("Both")
    assert repr(new) == "Side('Both')"
    assert list(types.Side) == before
    assert not hasattr(types.Side, "Both")
    assert not types.Side("Both").is_known
    assert not types.Side("BID").is_known, "the name of a member is not its wire text"
    assert types.Side("BID") != types.Side.BID
    assert types.Side("bid") != types.Side.BID


def test_a_member_of_another_enumeration_is_taken_by_its_text() -> None:
    class Other(StrEnum):
        BID = "Bid"
        SIDEWAYS = "Sideways"

    assert types.Side(Other.BID) is types.Side.BID
    new = types.Side(Other.SIDEWAYS)
    assert repr(new) == "Side('Sideways')"
    assert type(new.value) is str
    assert TypeAdapter(types.Side).dump_json(new) == b'"Sideways"'


@pytest.mark.parametrize("wrong", [None, 5, True, [], object()])
def test_what_is_no_text_is_no_member(wrong: Any) -> None:
    with pytest.raises(ValueError, match="is not a valid Side"):
        types.Side(wrong)
    with pytest.raises(ValidationError):
        TypeAdapter(types.Side).validate_python(wrong)


def test_match_works_on_known_and_new_members() -> None:
    def reading(side: types.Side) -> str:
        match side:
            case types.Side.BID:
                return "buy"
            case types.Side.ASK:
                return "sell"
            case _:
                return f"new: {side}"

    assert [reading(types.Side(text)) for text in ("Bid", "Ask", "Both")] == ["buy", "sell", "new: Both"]


@given(some_text)
def test_pydantic_reads_and_writes_every_text(text: str) -> None:
    adapter = TypeAdapter(dict[types.Side, list[types.Side]])
    wire = json.dumps({text: [text]})
    read = adapter.validate_json(wire)
    assert [type(key) for key in read] == [types.Side]
    assert json.loads(adapter.dump_json(read)) == json.loads(wire)
    assert adapter.dump_python(read, mode="json") == json.loads(wire)

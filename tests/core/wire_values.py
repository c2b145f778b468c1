"""JSON as the exchange could send it, by hypothesis, from what the document says about each model."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from hypothesis import strategies as st

from codegen import overlay
from codegen.build import understand
from codegen.ir import Api, Field, Model, Type

ROOT = Path(__file__).resolve().parents[2]
Json: TypeAlias = Any

characters = st.characters(codec="utf-8")
texts = st.text(characters, max_size=12)
epoch = datetime(1970, 1, 1, tzinfo=UTC)
first_second = int((datetime(1, 1, 1, tzinfo=UTC) - epoch).total_seconds())
last_second = int((datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - epoch).total_seconds())


@cache
def api() -> Api:
    """The committed document with every correction."""
    document = json.loads((ROOT / "spec" / "backpack.json").read_text(encoding="utf-8"))
    return understand(document, overlay.load(ROOT / "spec" / "overlays")).api


def _decimal_text(sign: str, number: int, places: int) -> str:
    digits = str(number).zfill(places + 1)
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


decimal_texts = st.builds(_decimal_text, st.sampled_from(["", "", "-"]), st.integers(0, 10**28 - 1), st.integers(0, 20))
"""Plain decimal text of up to 28 digits as the exchange writes it: one zero before the point, never `.5`."""


clock_texts = st.builds(
    lambda clock, tail: clock.isoformat("minutes") + tail,
    st.times(),
    st.sampled_from(["", ":07", ":07.5", ":07.120000", ":59.000"]),
)
"""`09:30`, `09:30:00` or with a fraction."""


def moment_texts(separator: str = "T") -> st.SearchStrategy[str]:
    """Date and time with 0 to 12 digits after the second, with or without an offset."""
    return st.builds(
        lambda moment, fraction, offset: moment.isoformat(separator, "seconds") + fraction + offset,
        st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)),
        st.one_of(st.just(""), st.text("0123456789", min_size=1, max_size=12).map(lambda digits: f".{digits}")),
        st.sampled_from(["", "", "", "Z", "+00:00", "-00:00", "+05:30", "-11:00"]),
    )


def counts(per_second: int) -> st.SearchStrategy[int | str]:
    """Counts of a unit since 1970 that fall within the years 1 to 9999, now and then as text."""
    numbers = st.integers(first_second * per_second, last_second * per_second)
    return st.one_of(numbers, numbers, numbers.map(str))


json_values: st.SearchStrategy[Json] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), texts
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)

_SCALARS: dict[str, st.SearchStrategy[Json]] = {
    "any": json_values,
    "boolean": st.booleans(),
    "clock": clock_texts,
    "decimal": decimal_texts,
    "decimal_number": st.one_of(st.integers(-(2**60), 2**60), st.floats(-1e15, 1e15)),
    "digits": st.one_of(st.integers(-(2**70), 2**70).map(str), st.sampled_from(["007", "-0", "00"])),
    "iso": moment_texts(),
    "micros": counts(1_000_000),
    "millis": counts(1000),
    "percent": st.one_of(decimal_texts, decimal_texts.map(lambda text: f"{text}%")),
    "repeated": decimal_texts,
    "seconds": counts(1),
    "secret": texts,
    "spaced": moment_texts(" "),
    "symbol": st.one_of(st.sampled_from(["SOL_USDC", "BRK.B.US_USDC_PERP", "kPEPE_USDC_PERP"]), texts),
    "text": texts,
}


def values(type_: Type, depth: int = 0) -> st.SearchStrategy[Json]:
    """Wire values of one type."""
    if type_.kind in _SCALARS:
        return _SCALARS[type_.kind]
    if type_.kind == "integer":
        low = -(2**63) if type_.low is None else type_.low
        return st.integers(low, 2**64 if type_.high is None else type_.high)
    if type_.kind in ("choice", "literal"):
        return st.sampled_from(type_.choices)
    if type_.kind == "enum":
        return st.one_of(st.sampled_from(_members(type_.name)), texts)
    if type_.kind == "model":
        return objects(type_.name, depth + 1)
    if type_.kind == "union":
        return st.one_of([values(item, depth) for item in type_.items])
    if type_.kind == "tuple":
        return st.tuples(*(values(item, depth) for item in type_.items)).map(list)
    if type_.kind == "map":
        return st.dictionaries(texts, values(type_.items[0], depth), max_size=2)
    if type_.kind == "list":
        return st.lists(values(type_.items[0], depth), max_size=2)
    raise AssertionError(f"no wire values for {type_}")


def _members(name: str) -> list[str]:
    return next([member.value for member in enum.members] for enum in api().enums if enum.name == name)


@cache
def model(name: str) -> Model:
    """What the document says about one class."""
    return next(found for found in api().models if found.name == name)


@cache
def fields(name: str) -> tuple[Field, ...]:
    """Every field of a class, inherited ones too."""
    found = model(name)
    own = {field.wire: field for field in found.fields}
    inherited = () if found.base is None else fields(found.base)
    return (*(field for field in inherited if field.wire not in own), *own.values())


def variants(name: str) -> list[Model]:
    """The variants of a tagged base."""
    return [found for found in api().models if found.base == name]


@st.composite
def objects(draw: st.DrawFn, name: str, depth: int = 0, *, extras: bool = True) -> dict[str, Json]:
    """One JSON object of a class: any variant, optional fields absent or null, and fields nobody knows yet."""
    found = model(name)
    if found.batch is not None:
        ok = draw(st.booleans())
        row = draw(objects(found.batch[0 if ok else 1], depth + 1))
        return {**row, "operation": "Ok" if ok else "Err"}
    known = fields(name)
    if found.tag_field is not None:
        chosen = draw(st.sampled_from([*variants(name), None]))
        if chosen is not None:
            return draw(objects(chosen.name, depth, extras=extras))
        tags = [variant.tag for variant in variants(name)]
        made: dict[str, Json] = {found.tag_field: draw(texts.filter(lambda text: text not in tags))}
    else:
        tag_field = None if found.base is None else model(found.base).tag_field
        made = {} if tag_field is None else {tag_field: found.tag}
    for field in known:
        if field.wire in made:
            continue
        if field.required or draw(st.integers(0, 2 + depth)) == 0:
            nothing = (field.nullable or not field.required) and draw(st.integers(0, 2)) == 0
            made[field.wire] = None if nothing else draw(values(field.type, depth))
    if extras:
        taken = {part for field in known for part in (field.wire, field.python)}
        names = st.one_of(st.sampled_from(["newField", "x", "copy", "model_fields", "to_wire", "__dict__"]), texts)
        made |= draw(st.dictionaries(names.filter(lambda text: text not in taken), json_values, max_size=2))
    return made

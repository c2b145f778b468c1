"""What the stream document says can come, as hypothesis draws it: every channel and field, open as the exchange is.

Read from `spec/streams.json` alone. Optional fields are absent or null, members and fields come that nobody knows yet,
numbers and texts stand for each other, and decimals are as long as they get.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import strategies as st

from ..core.wire_values import decimal_texts, json_values, texts
from ..document import SPEC

Json = Any
SYMBOLS = ("SOL_USDC", "BRK.B.US_USDC", "kPEPE_USDC_PERP", "BTC_USDC_PERP")
_WIDE = st.sampled_from(["0", "0.00000", "-0", "86700.0", "1" + "0" * 40, "0." + "0" * 40 + "1", "-12.5"])


@cache
def document() -> dict[str, Json]:
    """The stream document."""
    found: dict[str, Json] = json.loads((SPEC / "streams.json").read_text(encoding="utf-8"))
    return found


def resolved(schema: Json) -> Json:
    """A schema without its reference; the single part of an `allOf` counts as one."""
    if "allOf" in schema:
        (part,) = schema["allOf"]
        return resolved(part) | {key: value for key, value in schema.items() if key.startswith("x-")}
    if "$ref" in schema:
        return resolved(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    return schema


@dataclass(frozen=True)
class Stream:
    """One channel of the document, with the schema of its payload."""

    key: str
    facts: Json

    @property
    def name(self) -> str:
        """Name of its channel in the SDK."""
        return str(self.facts["x-name"])

    @property
    def payload(self) -> str:
        """Name of the component that its payload is."""
        (message,) = self.facts["messages"]
        return str(message)

    @property
    def schema(self) -> Json:
        """Schema of its payload."""
        return document()["components"]["schemas"][self.payload]

    def names(self) -> st.SearchStrategy[str]:
        """Names of its streams."""
        choices = {
            name: st.sampled_from(resolved_parameter(ref).get("enum", SYMBOLS))
            for name, ref in self.facts.get("parameters", {}).items()
        }
        address: str = self.facts["address"]
        return st.fixed_dictionaries(choices).map(lambda chosen: address.format(**chosen))

    def payloads(self) -> st.SearchStrategy[dict[str, Json]]:
        """Payloads."""
        return objects(self.schema)


def resolved_parameter(ref: Json) -> Json:
    """What the document says of a part of a stream's name."""
    return document()["components"]["parameters"][ref["$ref"].rpartition("/")[2]]


@cache
def streams() -> tuple[Stream, ...]:
    """Every stream, but for the channel of commands."""
    return tuple(Stream(key, facts) for key, facts in document()["channels"].items() if facts["address"] is not None)


@st.composite
def objects(draw: st.DrawFn, schema: Json) -> dict[str, Json]:
    """A payload, its fields in any order."""
    made: dict[str, Json] = {}
    required = schema.get("required", ())
    for name, part in schema["properties"].items():
        if name in required or draw(st.booleans()):
            made[name] = draw(values(part))
    made |= draw(st.dictionaries(texts.filter(lambda name: name not in schema["properties"]), json_values, max_size=2))
    return {name: made[name] for name in draw(st.permutations(list(made)))}


def values(schema: Json) -> st.SearchStrategy[Json]:
    """Values of one field."""
    schema = resolved(schema)
    if "anyOf" in schema:
        return st.one_of(*map(values, schema["anyOf"]))
    if "const" in schema:
        return st.just(schema["const"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    options = [_of_kind(schema, kind, kinds) for kind in kinds]
    return st.one_of(*options)


def _of_kind(schema: Json, kind: str, kinds: list[str]) -> st.SearchStrategy[Json]:
    if kind == "null":
        return st.none()
    if "enum" in schema:
        return st.one_of(st.sampled_from(schema["enum"]), st.sampled_from(["NewMember", "NEW_MEMBER", "new member"]))
    if kind == "boolean":
        return st.booleans()
    if kind == "number":
        return st.one_of(st.integers(-(2**53), 2**53), st.floats(-1e15, 1e15, allow_nan=False).map(lambda x: x + 0.0))
    if kind == "integer":
        whole = st.integers(-(2**63), 2**63 - 1)
        return whole if "string" in kinds else st.one_of(whole, whole, whole.map(str))
    if kind == "array":
        inside = resolved(schema["items"])
        if isinstance(inside.get("items"), list):
            level = st.tuples(*(st.one_of(decimal_texts, _WIDE) for _ in inside["items"])).map(list)
            return st.lists(level, max_size=3)
        return st.lists(values(inside), max_size=3)
    if schema.get("format") == "decimal":
        return st.one_of(decimal_texts, _WIDE)
    return st.one_of(st.sampled_from(["SOL_USDC", "2026-05-01T12:00:00", "17", "80%", ""]), texts)


def read(schema: Json, wire: Json) -> Json:
    """What a field must give for a wire value, by the document alone."""
    schema = resolved(schema)
    if wire is None:
        return None
    for part in schema.get("anyOf", ()):
        if resolved(part).get("type") != "null":
            return read(part, wire)
    kinds = schema.get("type", "string")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if schema.get("format") == "decimal":
        return Decimal(wire) if isinstance(wire, str) else Decimal(repr(wire))
    if "array" in kinds:
        return tuple(tuple(level) for level in wire)
    if "integer" in kinds and "string" not in kinds:
        return int(wire)
    return wire


def text(stream: str, payload: dict[str, Json], *, data_first: bool = False) -> str:
    """A frame as it stands on the wire."""
    parts = {"data": payload, "stream": stream} if data_first else {"stream": stream, "data": payload}
    return json.dumps(parts, separators=(",", ":"), ensure_ascii=False)

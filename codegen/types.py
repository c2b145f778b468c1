"""Schemas to types, and types to the annotations and converters of generated code."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .ir import Type
from .references import ref_name

if TYPE_CHECKING:
    from collections.abc import Mapping

_BOUNDS = {
    "uint8": (0, 2**8 - 1),
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
    "int8": (-(2**7), 2**7 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
}
_TEXT_FORMATS = {
    "decimal": "decimal",
    "decimal-or-percent": "percent",
    "decimal-repeated": "repeated",
    "digits": "digits",
    "market-symbol": "symbol",
    "secret": "secret",
    "date-time": "iso",
    "naive-date-time": "iso",
    "spaced-date-time": "spaced",
    "naive-time": "clock",
}
UNITS = {"microseconds": "micros", "milliseconds": "millis", "seconds": "seconds"}
"""Units of `x-unit` that make a number a point in time; `duration-…` units leave it a number."""

MODEL = {
    "text": "str",
    "symbol": "str",
    "secret": "Secret",
    "decimal": "DecimalText",
    "repeated": "RepeatedDecimal",
    "decimal_number": "DecimalNumber",
    "percent": "str",
    "integer": "int",
    "boolean": "bool",
    "micros": "Micros",
    "millis": "Millis",
    "seconds": "Seconds",
    "iso": "IsoTime",
    "spaced": "SpacedTime",
    "clock": "ClockTime",
    "digits": "CountText",
    "null": "None",
    "any": "Any",
}
"""Annotations inside models by kind of type."""
SCALARS = frozenset(MODEL.values()) - {"str", "int", "bool", "None", "Any"}
"""Those of them that are types of our own."""

_ARGUMENT = {
    "text": "str",
    "symbol": "SymbolLike",
    "secret": "str",
    "decimal": "DecimalLike",
    "repeated": "DecimalLike",
    "decimal_number": "DecimalLike",
    "percent": "DecimalLike",
    "integer": "int",
    "boolean": "bool",
    "micros": "TimeLike",
    "millis": "TimeLike",
    "seconds": "TimeLike",
    "iso": "TimeLike",
    "spaced": "TimeLike",
    "clock": "str",
    "digits": "int",
    "null": "None",
    "any": "Any",
}
_CONVERTERS = {
    "text": "text",
    "symbol": "symbol",
    "secret": "secret",
    "decimal": "decimal",
    "repeated": "decimal",
    "decimal_number": "number",
    "percent": "decimal_or_percent",
    "integer": "integer",
    "boolean": "boolean",
    "micros": "micros",
    "millis": "millis",
    "seconds": "seconds",
    "iso": "iso",
    "spaced": "spaced",
    "clock": "text",
    "digits": "digits",
}


def type_of(schema: Mapping[str, Any], classes: Mapping[str, str], enums: frozenset[str]) -> Type:
    """The type of a normalised schema. `classes` gives the class of a component, `enums` those that are enums.

    Whether the value itself may be null is up to the caller, see `whole_type`; inside the type it is in the type.
    """
    name = ref_name(schema)
    if name is not None:
        return Type("enum" if name in enums else "model", name=classes[name])
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return _union([whole_type(option, classes, enums) for option in schema[key]])
    if "enum" in schema:
        return _enumerated(schema["enum"])
    kind = schema.get("type")
    if kind == "string":
        return Type(_TEXT_FORMATS.get(schema.get("format", ""), "text"), longest=_whole(schema.get("maxLength")))
    if kind == "integer":
        return _integer(schema)
    if kind == "number":
        return Type("decimal_number")
    if kind == "boolean":
        return Type("boolean")
    if kind == "array":
        item = whole_type(schema.get("items", {}), classes, enums)
        length = _whole(schema.get("minItems"))
        if length is not None and length == schema.get("maxItems") and 1 <= length <= 8:
            return Type("tuple", items=(item,) * length)
        return Type("list", items=(item,))
    if kind == "object":
        values = schema.get("additionalProperties")
        return Type("map", items=(whole_type(values, classes, enums) if isinstance(values, dict) else Type("any"),))
    return Type("null") if kind == "null" else Type("any")


def whole_type(schema: Mapping[str, Any], classes: Mapping[str, str], enums: frozenset[str]) -> Type:
    """The type of a value that stands inside another or alone, with null as one of its options where it may be null."""
    type_ = type_of(schema, classes, enums)
    return _union([type_, Type("null")]) if schema.get("nullable") else type_


def _integer(schema: Mapping[str, Any]) -> Type:
    if schema.get("x-unit") in UNITS:
        return Type(UNITS[schema["x-unit"]])
    low, high = _BOUNDS.get(schema.get("format", ""), (None, None))
    return Type(
        "integer",
        low=_bound(low, schema.get("minimum"), schema.get("exclusiveMinimum"), 1),
        high=_bound(high, schema.get("maximum"), schema.get("exclusiveMaximum"), -1),
    )


def _bound(bound: int | None, limit: float | None, exclusive: float | bool | None, inward: int) -> int | None:
    """The outermost whole number allowed. `exclusive` is a flag in OpenAPI 3.0 and the limit itself in 3.1."""
    if limit is not None:
        bound = inward * (math.floor(inward * limit) + 1 if exclusive is True else math.ceil(inward * limit))
    if exclusive is not None and not isinstance(exclusive, bool):
        inside = inward * (math.floor(inward * exclusive) + 1)
        bound = inside if bound is None else inward * max(inward * inside, inward * bound)
    return bound


def _whole(count: float | None) -> int | None:
    """A count as a whole number: a document may write 5.0."""
    return None if count is None else int(count)


def _union(options: list[Type]) -> Type:
    flat = [inner for option in options for inner in (option.items if option.kind == "union" else (option,))]
    distinct = tuple(sorted(dict.fromkeys(flat), key=lambda option: option.kind == "null"))
    if any(option.kind == "any" for option in distinct):
        return Type("any")
    return distinct[0] if len(distinct) == 1 else Type("union", items=distinct)


def _enumerated(members: list[Any]) -> Type:
    if all(isinstance(member, int) and not isinstance(member, bool) for member in members):
        return Type("choice", choices=tuple(sorted(set(members))))
    if all(isinstance(member, str) for member in members):
        return Type("literal", choices=tuple(dict.fromkeys(members)))
    return Type("any")


def in_model(type_: Type) -> str:
    """Annotation of a value that comes from the wire."""
    if type_.kind in ("enum", "model"):
        return type_.name
    if type_.kind == "literal":
        return f"Literal[{', '.join(map(quoted, type_.choices))}]"
    if type_.kind == "choice":
        return "int"
    inner = [in_model(item) for item in type_.items]
    if type_.kind == "list":
        return f"tuple[{inner[0]}, ...]"
    if type_.kind == "tuple":
        return f"tuple[{', '.join(inner)}]"
    if type_.kind == "map":
        return f"dict[str, {inner[0]}]"
    if type_.kind == "union":
        return " | ".join(dict.fromkeys(inner))
    return MODEL[type_.kind]


def in_reply(type_: Type) -> str:
    """Annotation of a whole reply: lists at the top are lists."""
    return f"list[{in_model(type_.items[0])}]" if type_.kind == "list" else in_model(type_)


def in_argument(type_: Type) -> str:
    """Annotation of a value that a caller passes."""
    if type_.kind == "enum":
        return f"{type_.name}Like"
    if type_.kind == "model":
        return f"{type_.name} | Mapping[str, Any]"
    if type_.kind in ("choice", "literal"):
        return f"Literal[{', '.join(quoted(choice) for choice in type_.choices)}]"
    inner = [in_argument(item) for item in type_.items]
    if type_.kind == "list":
        alone = f" | {inner[0]}" if type_.items[0].kind == "enum" else ""
        return f"Sequence[{inner[0]}]{alone}"
    if type_.kind == "tuple":
        return f"tuple[{', '.join(inner)}]"
    if type_.kind == "map":
        return f"Mapping[str, {inner[0]}]"
    if type_.kind == "union":
        return " | ".join(dict.fromkeys(inner))
    return _ARGUMENT[type_.kind]


def row_converter(type_: Type) -> str:
    """A function of a value and its name that gives the wire value, for one field of many objects."""
    expression = converter(type_, "value", "name")
    plain = expression.removesuffix("(value, name)")
    return plain if plain != expression else f"lambda value, name: {expression}"


def converter(type_: Type, argument: str, label: str = "") -> str:
    """The expression that turns an argument into its wire value. `label` is an expression for the argument's name."""
    label = label or quoted(argument)
    if type_.kind == "enum":
        return f"_to.member({argument}, {label}, {type_.name})"
    if type_.kind == "model":
        return f"_to.payload({argument}, {label}, {type_.name})"
    if type_.kind == "choice":
        members = ", ".join(map(str, type_.choices))
        return f"_to.choice({argument}, {label}, ({members},))"
    if type_.kind == "list" and type_.items[0].kind == "enum":
        return f"_to.members({argument}, {label}, {type_.items[0].name})"
    if type_.kind == "integer" and (type_.low is not None or type_.high is not None):
        return f"_to.integer({argument}, {label}, {type_.low}, {type_.high})"
    if type_.kind == "text" and type_.longest is not None:
        return f"_to.text({argument}, {label}, {type_.longest})"
    if type_.kind in _CONVERTERS:
        return f"_to.{_CONVERTERS[type_.kind]}({argument}, {label})"
    return f"_to.json_value({argument}, {label})"


def quoted(value: object) -> str:
    """A Python literal in double quotes, whatever is inside."""
    if not isinstance(value, str):
        return repr(value)
    return f'"{_escape(value)}"'


def _escape(value: str) -> str:
    out: list[str] = []
    for character in value:
        if character in '\\"':
            out.append("\\" + character)
        elif character.isprintable() and character.isascii():
            out.append(character)
        else:
            code = ord(character)
            out.append(f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}")
    return "".join(out)


def classes_in(type_: Type) -> set[str]:
    """Names of the enums and models a type mentions."""
    own = {type_.name} if type_.kind in ("enum", "model") else set[str]()
    return own.union(*(classes_in(item) for item in type_.items))

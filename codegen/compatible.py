"""Whether a value that was one type may be another: what the SDK takes may widen, what it gives may narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .change import code

if TYPE_CHECKING:
    from collections.abc import Callable

    from .ir import Api, Type

_READ = {
    **dict.fromkeys(("text", "symbol", "percent", "secret"), "str"),
    **dict.fromkeys(("decimal", "repeated", "decimal_number"), "Decimal"),
    **dict.fromkeys(("integer", "choice", "digits"), "int"),
    **dict.fromkeys(("micros", "millis", "seconds", "iso", "spaced"), "datetime"),
    "boolean": "bool",
    "clock": "time",
}
"""Python type of a value in a reply, by kind of type."""
_WHOLE = ("integer", "choice", "digits")
_COUNTS = ("micros", "millis", "seconds")
_WRITTEN = ("iso", "spaced")
_DECIMALS = ("decimal", "repeated", "decimal_number", "percent")
_PLAIN = ("text", "secret", "clock")
FORMS = {
    "micros": "microseconds since 1970",
    "millis": "milliseconds since 1970",
    "seconds": "seconds since 1970",
    "iso": "ISO 8601 text",
    "spaced": "date and time as text",
    "decimal": "a decimal text",
    "repeated": "a decimal text that often repeats",
    "decimal_number": "a JSON number",
    "percent": "a decimal or a percentage",
    "digits": "digits as text",
    "symbol": "a market",
}


class Types:
    """Which values one type leaves to another. Knows the new document's enums and families."""

    def __init__(self, new: Api) -> None:
        self.members = {enum.name: {member.value for member in enum.members} for enum in new.enums}
        self.bases = {model.name: model.base for model in new.models if model.base is not None}

    def reads_on(self, old: Type, new: Type) -> bool:
        """Whether code that reads the old type reads the new one: each new value is one of the old type."""
        if old == new:
            return True
        if "any" in (old.kind, new.kind):
            return False
        if new.kind == "union":
            return all(self.reads_on(old, one) for one in new.items)
        if old.kind == "union":
            return any(self.reads_on(one, new) for one in old.items)
        if _is_nest(old) or _is_nest(new):
            return self._nested(new, old, lambda inner, outer: self.reads_on(outer, inner))
        if old.kind == "model" or new.kind == "model":
            return self._same_family(new, old)
        if new.kind == "enum":  # an enum's members are texts
            return old.name == new.name if old.kind == "enum" else _READ.get(old.kind) == "str"
        if new.kind == "literal":
            return set(new.choices) <= set(old.choices) if old.kind == "literal" else _READ.get(old.kind) == "str"
        return old.kind in _READ and _READ[old.kind] == _READ.get(new.kind)

    def takes_on(self, old: Type, new: Type) -> bool:
        """Whether a parameter of the new type takes whatever one of the old type took."""
        if old == new or new.kind == "any":
            return True
        if old.kind == "any":
            return False
        if old.kind == "union":
            return all(self.takes_on(one, new) for one in old.items)
        if new.kind == "union":
            return any(self.takes_on(old, one) for one in new.items)
        if new.kind == "list" and new.items[0].kind == "enum" and not _is_nest(old):
            return self.takes_on(old, new.items[0])  # a single member may stand for a list of one,
        if old.kind == new.kind == "list" and (old.items[0].kind, new.items[0].kind) == ("enum", "text"):
            return False  # which no other list allows
        if _is_nest(old) or _is_nest(new):
            return self._nested(old, new, self.takes_on)
        if old.kind == "model" or new.kind == "model":
            return self._same_family(old, new)
        return self._takes_scalar(old, new)

    def _takes_scalar(self, old: Type, new: Type) -> bool:
        if old.kind in ("enum", "literal"):
            if new.kind == "enum":
                return old.name == new.name if old.kind == "enum" else set(old.choices) <= self.members[new.name]
            if new.kind == "literal":
                return old.kind == "literal" and set(old.choices) <= set(new.choices)
            return new.kind in _PLAIN and new.longest is None
        if old.kind in _PLAIN:
            fits = new.longest is None or (old.longest is not None and old.longest <= new.longest)
            return new.kind in _PLAIN and fits
        if old.kind in _DECIMALS:
            return new.kind in _DECIMALS and (new.kind == "percent" or old.kind != "percent")
        if old.kind in _WHOLE:
            return _whole_fits(old, new)
        if old.kind in _WRITTEN:  # takes a datetime only, the others a count as well
            return new.kind in (*_WRITTEN, *_COUNTS)
        return old.kind == new.kind

    def _nested(self, narrow: Type, wide: Type, fits: Callable[[Type, Type], bool]) -> bool:
        if narrow.kind == "tuple" and wide.kind == "tuple" and len(narrow.items) != len(wide.items):
            return False
        if narrow.kind != wide.kind and (narrow.kind, wide.kind) != ("tuple", "list"):
            return False
        outer = wide.items if wide.kind == "tuple" else wide.items * len(narrow.items)
        return all(fits(one, other) for one, other in zip(narrow.items, outer, strict=True))

    def _same_family(self, narrow: Type, wide: Type) -> bool:
        return narrow.kind == wide.kind and wide.name in (narrow.name, self.bases.get(narrow.name))


def _is_nest(type_: Type) -> bool:
    return type_.kind in ("list", "tuple", "map")


def _whole_fits(old: Type, new: Type) -> bool:
    if new.kind == "choice":
        return old.kind == "choice" and set(old.choices) <= set(new.choices)
    if new.kind != "integer":
        return new.kind in ("digits", *_DECIMALS, *_COUNTS)
    lowest, highest = old.low, old.high
    if old.kind == "choice":
        numbers = [number for number in old.choices if isinstance(number, int)]
        lowest, highest = min(numbers), max(numbers)
    above = new.low is None or (lowest is not None and lowest >= new.low)
    return above and (new.high is None or (highest is not None and highest <= new.high))


def became(old: Type, new: Type, shown: Callable[[Type], str]) -> str:
    """`int` became `str`; where the annotations agree, what else tells the two apart."""
    before, after = code(shown(old)), code(shown(new))
    if before != after:
        return f"was {before}, is {after}"
    return f"was {before} ({details(old)}), is {after} ({details(new)})"


def taken(old: Type, new: Type, fits: bool) -> str:
    if fits:
        return "whatever it took it still takes"
    if old.kind in _COUNTS and new.kind in _COUNTS:
        return "a time given as an int means another unit"
    return "values that it took are refused"


def details(type_: Type) -> str:
    parts = [details(item) for item in dict.fromkeys(type_.items)]
    if type_.kind == "choice":
        parts.append(f"one of {', '.join(map(str, type_.choices))}")
    elif type_.kind == "integer" and type_.low is not None and type_.high is not None:
        parts.append(f"{type_.low} to {type_.high}")
    elif type_.kind == "integer" and (type_.low is not None or type_.high is not None):
        parts.append(f"at least {type_.low}" if type_.low is not None else f"at most {type_.high}")
    elif type_.longest is not None:
        parts.append(f"at most {type_.longest} characters")
    elif type_.kind in FORMS:
        parts.append(FORMS[type_.kind])
    return ", ".join(part for part in parts if part != "any value") or "any value"

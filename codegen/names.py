"""Names: from what the document calls things to what Python code may call them."""

from __future__ import annotations

import builtins
import keyword
import re
from typing import TYPE_CHECKING

from pydantic.alias_generators import to_camel

from . import reserved

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_FOREIGN = re.compile(r"[^0-9A-Za-z]+")

FIRST = (
    "id", "order_id", "rfq_id", "quote_id", "vault_id", "client_id", "symbol", "side", "strategy_type", "order_type",
    "price", "quantity", "quote_quantity", "status", "time_in_force", "post_only", "reduce_only",
    "self_trade_prevention", "trigger_price", "trigger_quantity", "trigger_by",
    "stop_loss_trigger_price", "stop_loss_limit_price", "stop_loss_trigger_by",
    "take_profit_trigger_price", "take_profit_limit_price", "take_profit_trigger_by",
    "slippage_tolerance", "slippage_tolerance_type", "interval",
    "from", "to", "start_time", "end_time", "limit", "offset",
)  # fmt: skip
"""Fields and arguments that come first, in this order; the rest follow by name. Fixed, so that positions are stable."""


def snake(name: str) -> str:
    """`autoLendRedeem` -> `auto_lend_redeem`; anything foreign to an identifier becomes an underscore."""
    words = _FOREIGN.sub("_", _BOUNDARY.sub("_", _FOREIGN.sub("_", name))).strip("_").lower()
    return re.sub(r"__+", "_", words)


def identifier(name: str, fallback: str) -> str:
    """A Python identifier in snake case which is no keyword."""
    base = snake(name)
    if not base or base[0].isdigit():
        base = f"{fallback}_{base}".rstrip("_")
    return f"{base}_" if keyword.iskeyword(base) or base in ("match", "case", "none", "true", "false") else base


def argument(name: str) -> str:
    """Name of a method's parameter."""
    base = identifier(name, "argument")
    return f"{base}_" if base in reserved.OWN_ARGUMENTS else base


def field(name: str) -> str:
    """Name of a model's field."""
    base = identifier(name, "field")
    taken = base in reserved.MODEL_ATTRIBUTES or base in reserved.TYPE_NAMES or base.startswith("model_")
    return f"{base}_" if taken else base


def operation(name: str) -> str:
    """Name of a method and of its builder."""
    base = identifier(name, "operation")
    return f"{base}_" if base in reserved.OPERATION_NAMES else base


def tag(name: str) -> str:
    """Name of a namespace: a module and an attribute of the clients."""
    base = identifier(name, "tag")
    return f"{base}_" if base in reserved.TAGS else base


def stream(name: str) -> str:
    """Name of a kind of stream, whose constant stands in the module of all of them."""
    base = identifier(name, "stream")
    return f"{base}_" if base.upper() in reserved.EVENT_CLASSES else base


def title(tag: str) -> str:
    """`borrow_lend` -> `BorrowLendApi`: no model is called that."""
    words = "".join(word.capitalize() for word in tag.split("_"))
    return f"The{words}Api" if words.startswith("Async") else f"{words}Api"


def needs_alias(python: str, wire: str) -> bool:
    """Whether the models' alias generator does not give `wire` for the field `python`."""
    return to_camel(python) != wire


def class_name(name: str) -> str:
    """`order book-filters` -> `OrderBookFilters`; a good name stays as it is."""
    if name.isascii() and name.isidentifier() and name[0].isupper():
        base = name
    else:
        base = "".join(word[:1].upper() + word[1:] for word in _FOREIGN.split(name) if word) or "Unnamed"
        base = base if base[0].isalpha() else f"Schema{base}"
    # A field's annotation may be looked up before its class is defined, and would find a builtin of that name.
    taken = base in reserved.CLASSES or hasattr(builtins, base) or base.endswith("Api")
    return f"{base}Schema" if taken else base


def member_name(value: str) -> str:
    """`bitcoinCash` -> `BITCOIN_CASH`, `1d` -> `VALUE_1D`."""
    base = snake(value).upper()
    if not base:
        return "EMPTY"
    if base[0].isdigit():
        return f"VALUE_{base}"
    return f"{base}_" if base.lower() in ("mro", "name", "value") or keyword.iskeyword(base) else base


def constant(name: str) -> str:
    """`get_depth` -> `GET_DEPTH`; a method's name is an identifier already."""
    return name.upper()


def unique(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Python name by wire name; where two collide, the later one (by wire name) gets underscores behind it."""
    result: dict[str, str] = {}
    taken: set[str] = set()
    for wire, python in sorted(names):
        free = python
        while free in taken:
            free += "_"
        taken.add(free)
        result[wire] = free
    return result


def unique_classes(names: Iterable[tuple[str, str]], enums: Collection[str], taken: Iterable[str]) -> dict[str, str]:
    """Class by component. The alias `…Like` of an enumeration, and the names in `taken`, belong to nobody else."""
    result: dict[str, str] = {}
    used = set(taken) | reserved.CLASSES
    for component, python in sorted(names):
        alias = "Like" if component in enums else ""
        free = python
        while free in used or free + alias in used:
            free += "_"
        used |= {free, free + alias}
        result[component] = free
    return result


def order_key(name: str) -> tuple[int, str]:
    """Sort key that puts what a trader looks for first."""
    bare = name.rstrip("_")
    return (FIRST.index(bare) if bare in FIRST else len(FIRST), name)

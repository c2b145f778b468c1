"""Differences of models and enumerations, and the methods they reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .change import Change, code
from .compatible import Types, became, taken
from .diff_operations import deprecation, method_of
from .types import classes_in, in_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .ir import Api, Enum, Field, Model

_STATES = {
    (True, False): "required",
    (True, True): "required but may be null",
    (False, False): "optional",
    (False, True): "optional and may be null",
}
_READ_ONLY = frozenset({"reply"})


def class_changes(old: Api, new: Api, types: Types) -> Iterator[Change]:
    before, after = _reach(old), _reach(new)
    stay = {method_of(one) for one in old.operations} & {method_of(one) for one in new.operations}
    flat = {one.body_model for api in (old, new) for one in api.operations if one.body_list is None}

    def affected(name: str) -> tuple[str, ...]:
        rows = [row for reach in (before, after) for row in reach.get(name, {}).items()]
        methods = {method for method, roles in rows if roles != {"refusal"}}
        return tuple(sorted(methods & stay or methods))

    def roles(name: str) -> frozenset[str]:
        """How old code meets the class; one that no method uses may at most be read."""
        met = set[str]().union(*before.get(name, {}).values())
        return frozenset("reply" if role == "refusal" else role for role in met) or _READ_ONLY

    models, models_now = ({one.name: one for one in api.models} for api in (old, new))
    enums, enums_now = ({one.name: one for one in api.enums} for api in (old, new))
    yield from _whole("model", models, models_now, affected)
    yield from _whole("enum", enums, enums_now, affected)
    found: dict[str, list[tuple[str, str, str, bool, str]]] = {}
    for name in sorted(set(models) & set(models_now)):
        if name in before or name in after or name not in flat:  # else its fields are nothing but arguments
            found[name] = list(_model(models[name], models_now[name], roles(name), types))
    lines = {name: {one[:3] for one in changes} for name, changes in found.items()}
    bases = {name: models[name].base for name in found if models[name].base == models_now[name].base}
    for name, changes in found.items():
        base = bases.get(name)
        family = [lines[other] for other in found if base is not None and base in (other, bases.get(other))]
        known = set[tuple[str, str, str]]() if base not in found else set.intersection(*family)
        for kind, member, text, breaks, why in changes:
            if (kind, member, text) not in known:  # what a base and all its variants share is told of the base
                whole = f"{name}.{member}" if member else name
                yield Change(kind, whole, text, breaks, why, member, affected(name))
    for name in sorted(set(enums) & set(enums_now)):
        for kind, member, text, breaks, why in _enum(enums[name], enums_now[name], roles(name)):
            yield Change(kind, f"{name}.{member}", text, breaks, why, member, affected(name))


def _whole(
    kind: str, old: Iterable[str], new: Iterable[str], affected: Callable[[str], tuple[str, ...]]
) -> Iterator[Change]:
    for name in sorted(set(new) - set(old)):
        yield Change(f"{kind}.added", name, f"{kind} added", False, "nobody uses it yet", affects=affected(name))
    for name in sorted(set(old) - set(new)):
        yield Change(
            f"{kind}.removed",
            name,
            f"{kind} removed",
            True,
            "code that imports a removed class fails",
            "",
            affected(name),
        )


def _reach(api: Api) -> dict[str, dict[str, set[str]]]:
    """By class, the methods that use it, however deep, and whether in requests, replies or refusals."""
    parts: dict[str, set[str]] = {}
    for model in api.models:
        own = parts.setdefault(model.name, set())
        own.update(*(classes_in(one.type) for one in model.fields), model.batch or ())
        if model.base is not None:
            own.add(model.base)
            parts.setdefault(model.base, set()).add(model.name)
    found: dict[str, dict[str, set[str]]] = {}
    for operation in api.operations:
        for role, types in (
            ("request", [argument.type for argument in operation.arguments]),
            ("reply", [outcome.type for outcome in operation.outcomes if outcome.type is not None]),
            ("refusal", operation.refusals),
        ):
            pending = set[str]().union(*map(classes_in, types))
            seen: set[str] = set()
            while pending:
                name = pending.pop()
                if name not in seen:
                    seen.add(name)
                    pending |= parts.get(name, set())
                    found.setdefault(name, {}).setdefault(method_of(operation), set()).add(role)
    return found


def _model(old: Model, new: Model, roles: frozenset[str], types: Types) -> Iterator[tuple[str, str, str, bool, str]]:
    if old.base != new.base:
        lost = old.base is not None
        why = f"`isinstance(value, {old.base})` no longer holds" if lost else "it has all that it had"
        yield "model.base", "", f"was a variant of {_or_none(old.base)}, is one of {_or_none(new.base)}", lost, why
    elif old.tag != new.tag:
        text = f"was told by the tag {_or_none(old.tag)}, is by {_or_none(new.tag)}"
        yield "model.tag", "", text, False, "the SDK chooses the variant"
    if old.tag_field != new.tag_field:
        text = f"its variants were told apart by {_or_none(old.tag_field)}, are by {_or_none(new.tag_field)}"
        yield "model.tag_field", "", text, False, "the SDK chooses the variant"
    if old.batch != new.batch:
        rows = [_or_none(None if one.batch is None else " | ".join(one.batch)) for one in (old, new)]
        text = f"was a row of a batch of {rows[0]}, is one of {rows[1]}"
        yield "model.batch", "", text, True, "its `order` and `error` have other types"
    before, after = ({one.python: one for one in model.fields} for model in (old, new))
    for name in sorted({*before, *after}):
        if name not in after:
            users = " or ".join(verb for role, verb in (("reply", "reads"), ("request", "passes")) if role in roles)
            yield "field.removed", name, f"field {code(name)} removed", True, f"code that {users} it fails"
        elif name not in before:
            one = after[name]
            text = f"field {code(name)} added: {_state(one)}, {code(in_model(one.type))}"
            breaks = one.required and "request" in roles
            other = "existing code ignores it" if "request" not in roles else "requests may leave it out"
            yield "field.added", name, text, breaks, "every request must give it" if breaks else other
        else:
            for kind, text, breaks, why in _field(before[name], after[name], roles, types):
                yield f"field.{kind}", name, f"field {code(name)} {text}", breaks, why


def _or_none(name: str | None) -> str:
    return "nothing" if name is None else code(name)


def _state(one: Field) -> str:
    return _STATES[one.required, one.nullable]


def _field(old: Field, new: Field, roles: frozenset[str], types: Types) -> Iterator[tuple[str, str, bool, str]]:
    if old.type != new.type:
        whys = []
        if "reply" in roles and not types.reads_on(old.type, new.type):
            whys.append("code that reads it gets another type")
        if "request" in roles and not types.takes_on(old.type, new.type):
            whys.append(taken(old.type, new.type, fits=False))
        good = "every new value is one of the old type" if "request" not in roles else "whatever it took it still takes"
        yield "type", became(old.type, new.type, in_model), bool(whys), ", and ".join(whys) or good
    if (old.required, old.nullable) != (new.required, new.nullable):
        whys = []
        if "reply" in roles and _always(old) and not _always(new):
            whys.append("type-checked code must expect `None`")
        if "request" in roles and new.required and not old.required:
            whys.append("requests that leave it out are refused")
        if "request" in roles and old.nullable and not new.nullable:
            whys.append("requests that set it to `None` are refused")
        good = "code that expects `None` still works" if "reply" in roles else "requests that give it still go"
        yield "presence", f"was {_state(old)}, is {_state(new)}", bool(whys), ", and ".join(whys) or good
    if old.wire != new.wire:
        text = f"was {code(old.wire)} on the wire, is {code(new.wire)}"
        yield "wire", text, False, "its name in Python is the same"
    if old.deprecated != new.deprecated:
        yield "deprecated", deprecation(new), False, "it still works"


def _always(one: Field) -> bool:
    return one.required and not one.nullable


def _enum(old: Enum, new: Enum, roles: frozenset[str]) -> Iterator[tuple[str, str, str, bool, str]]:
    before, after = ({member.value: member.name for member in enum.members} for enum in (old, new))
    for value in sorted({*before, *after}):
        if value not in after:
            taken = "request" in roles
            why = "calls that pass a removed member are refused" if taken else "code that names a removed member fails"
            yield "member.removed", before[value], f"member {_member(before[value], value)} removed", True, why
        elif value not in before:
            why = "the enum is open: old code took it as an unknown value"
            yield "member.added", after[value], f"member {_member(after[value], value)} added", False, why
        elif before[value] != after[value]:
            text = f"was called {code(before[value])}, is {code(after[value])} (value {code(value)})"
            yield "member.renamed", before[value], text, True, "code that uses the old name fails"


def _member(name: str, value: str) -> str:
    return code(name) if name == value else f"{code(name)} ({code(value)})"

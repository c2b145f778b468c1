"""Differences of operations and their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .change import Change, code
from .compatible import FORMS, Types, became, details, taken
from .ir import Limits
from .names import order_key
from .replies import result
from .types import in_argument, in_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .ir import Api, Field, Operation, Outcome


def operation_changes(old: Api, new: Api, types: Types) -> Iterator[Change]:
    before = {method_of(one): one for one in old.operations}
    after = {method_of(one): one for one in new.operations}
    gone, fresh = [key for key in before if key not in after], [key for key in after if key not in before]
    moves = {key: _alone(before[key].name, fresh) for key in gone if _alone(before[key].name, gone) is not None}
    moved = {target for target in moves.values() if target is not None}
    routes = {(after[key].method, after[key].path): key for key in fresh}
    for key in gone:
        target = moves.get(key)
        if target is None:
            heir = routes.get((before[key].method, before[key].path))
            what = f"operation removed: {_route(before[key])}"
            what += f", which is {code(heir)} now" if heir is not None else ""
            yield Change("operation.removed", key, what, True, "calls of it fail", affects=(key,))
            continue
        what, why = f"is {code(target)} now", "calls by the old name fail"
        yield Change("operation.moved", key, what, True, why, affects=(target,))
        yield from _operation(target, before[key], after[target], types)
    for key in fresh:
        if key not in moved:
            what = f"operation added: {_route(after[key])}{_signed(after[key])}"
            what += f", returns {code(result(after[key].outcomes))}"
            yield Change("operation.added", key, what, False, "existing calls stay as they are", affects=(key,))
    for key in before:
        if key in after:
            yield from _operation(key, before[key], after[key], types)


def method_of(operation: Operation) -> str:
    return f"{operation.tag}.{operation.name}"


def _alone(name: str, keys: list[str]) -> str | None:
    """The one method of that name in whatever namespace, if there is exactly one."""
    found = [key for key in keys if key.rpartition(".")[2] == name]
    return found[0] if len(found) == 1 else None


def _route(operation: Operation) -> str:
    return code(f"{operation.method} {operation.path}")


def _signed(operation: Operation) -> str:
    assumed = " (assumed)" if operation.assumed else ""
    return f", signed with {code(operation.instruction)}{assumed}" if operation.instruction is not None else ""


def _operation(key: str, old: Operation, new: Operation, types: Types) -> Iterator[Change]:
    def change(kind: str, text: str, breaks: bool, why: str) -> Change:
        return Change(f"operation.{kind}", key, text, breaks, why, affects=(key,))

    if (old.method, old.path) != (new.method, new.path):
        yield change("route", f"was {_route(old)}, is {_route(new)}", False, "calls stay as they are")
    if (old.instruction is None) != (new.instruction is None):
        if new.instruction is not None:
            yield change("instruction", f"is now{_signed(new)[1:]}", True, "calls without credentials fail")
        else:
            yield change("instruction", "is no longer signed", False, "credentials are not needed any more")
    elif old.instruction != new.instruction:
        text = f"was{_signed(old)[1:]}, is{_signed(new)[1:]}"
        yield change("instruction", text, False, "the SDK signs; calls stay as they are")
    elif old.assumed != new.assumed:
        text = f"its instruction {code(new.instruction)} is {'assumed' if new.assumed else 'documented'} now"
        yield change("assumed", text, False, "what is signed stays the same")
    if old.deprecated != new.deprecated:
        text = "is deprecated now" if new.deprecated else "is no longer deprecated"
        yield change("deprecated", text, False, "it still works")
    for text, breaks, why in _limits(old.limits, new.limits):
        yield change("limits", text, breaks, why)
    yield from (change(*parts) for parts in _reply(old.outcomes, new.outcomes, types))
    if set(old.refusals) != set(new.refusals):
        names = [" | ".join(sorted(map(in_model, one.refusals))) or "nothing" for one in (old, new)]
        text = f"documented body of refusals: was {code(names[0])}, is {code(names[1])}"
        yield change("refusals", text, False, "refusals are raised as the same errors")
    yield from _arguments(key, old, new, types)
    before, after = _positional(old), _positional(new)
    if any(after.index(name) != before.index(name) for name in before if name in after):
        text = f"positional arguments were {code(_tuple(before))}, are {code(_tuple(after))}"
        yield change("positions", text, True, "values passed by position land in other arguments")


def _limits(old: Limits | None, new: Limits | None) -> Iterator[tuple[str, bool, str]]:
    known = old is not None and new is not None  # the document's numbers are only kept for what can be paged
    absent = Limits(None, None, offset=False, window=False)
    old, new = old if old is not None else absent, new if new is not None else absent
    before, after = old.maximum, new.maximum
    if known and before != after:
        less = after is not None and (before is None or after < before)
        why = "larger values of `limit` are refused" if less else "smaller values of `limit` still go"
        yield f"largest `limit` was {_count(before)}, is {_count(after)}", less, why
    if known and old.default != new.default:
        text = f"`limit` when left out was {_count(old.default)}, is {_count(new.default)}"
        yield text, False, "calls stay as they are; replies may have another length"
    pagings = (("`limit` and `offset`", old.offset, new.offset), ("a window of time", old.window, new.window))
    for what, had, has in pagings:
        if had and not has:
            yield f"can no longer be paged by {what}", True, "walking its pages that way fails"
        elif has and not had:
            yield f"can be paged by {what} now", False, "existing calls stay as they are"


def _count(value: int | None) -> str:
    return "not documented" if value is None else str(value)


def _reply(old: tuple[Outcome, ...], new: tuple[Outcome, ...], types: Types) -> Iterator[tuple[str, str, bool, str]]:
    if set(old) == set(new):
        return
    before, after = set(map(_annotation, old)), set(map(_annotation, new))
    text = f"returned {code(result(old))}, returns {code(result(new))}"
    if before == after:
        forms = [", ".join(sorted(map(_wire_form, outcomes))) for outcomes in (old, new)]
        text = f"its reply was {forms[0]}, is {forms[1]} on the wire"
        yield "reply", text, False, f"it still returns {code(result(new))}"
    elif after < before:
        yield "reply", text, False, "code that handled all of these still does"
    elif all(any(_reads_on(one, other, types) for one in old) for other in new):
        yield "reply", text, False, "every new reply is of the old type"
    else:
        yield "reply", text, True, "code that uses the reply gets another type"


def _reads_on(old: Outcome, new: Outcome, types: Types) -> bool:
    if _annotation(old) == _annotation(new):
        return True
    if old.type is None or new.type is None:
        return False
    # A list at the top is a list, while one inside a model is a tuple.
    return (old.type.kind == "list") == (new.type.kind == "list") and types.reads_on(old.type, new.type)


def _annotation(outcome: Outcome) -> str:
    return result((outcome,))


def _wire_form(outcome: Outcome) -> str:
    form = details(outcome.type) if outcome.type is not None else FORMS.get(outcome.kind, "")
    return f"status {outcome.status}" + (f" ({form})" if form not in ("", "any value") else "")


# Arguments


def _positional(operation: Operation) -> list[str]:
    names = [argument.python for argument in operation.arguments if argument.required]
    return sorted(names, key=order_key)


def _tuple(names: list[str]) -> str:
    return f"({', '.join(names)})"


def _placed(operation: Operation) -> dict[str, tuple[str, Field]]:
    rows = (operation.body_list,) if operation.body_list is not None else ()
    places = (("query", operation.query), ("headers", operation.headers), ("body", (*operation.body, *rows)))
    return {argument.python: (place, argument) for place, arguments in places for argument in arguments}


def _arguments(key: str, old: Operation, new: Operation, types: Types) -> Iterator[Change]:
    before, after = _placed(old), _placed(new)
    for name in sorted({*before, *after}):

        def change(kind: str, text: str, breaks: bool, why: str, name: str = name) -> Change:
            text = f"argument {code(name)} {text}"
            return Change(f"argument.{kind}", key, text, breaks, why, name, affects=(key,))

        if name not in after:
            yield change("removed", "removed", True, "calls that pass it fail")
        elif name not in before:
            argument = after[name][1]
            state = "required" if argument.required else "optional"
            why = "every call must pass it" if argument.required else "calls may leave it out"
            yield change("added", f"added: {state}, {code(in_argument(argument.type))}", argument.required, why)
        else:
            yield from (change(*parts) for parts in _argument(before[name], after[name], types))


def _argument(old: tuple[str, Field], new: tuple[str, Field], types: Types) -> Iterator[tuple[str, str, bool, str]]:
    (was_in, before), (is_in, after) = old, new
    if before.required and not after.required:
        yield "presence", "was required, is optional", True, "keyword-only now: calls that pass it by position fail"
    elif after.required and not before.required:
        yield "presence", "was optional, is required", True, "calls that leave it out fail"
    if before.type != after.type:
        fits = types.takes_on(before.type, after.type)
        yield "type", became(before.type, after.type, in_argument), not fits, taken(before.type, after.type, fits)
    if before.wire != after.wire:
        text = f"was {code(before.wire)} on the wire, is {code(after.wire)}"
        yield "wire", text, False, "its name in Python is the same"
    if was_in != is_in:
        yield "place", f"was sent in the {was_in}, goes in the {is_in}", False, "calls stay as they are"
    if before.deprecated != after.deprecated:
        yield "deprecated", deprecation(after), False, "it still works"


def deprecation(thing: Field) -> str:
    return "is deprecated now" if thing.deprecated else "is no longer deprecated"

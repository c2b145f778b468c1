"""In which module each class lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .types import classes_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .ir import Enum, Model, Operation

SHARED = "shared"


def homes(operations: tuple[Operation, ...], models: tuple[Model, ...], enums: tuple[Enum, ...]) -> dict[str, str]:
    """The namespace of each class: that of the only tag which reaches it, else `shared`.

    What no operation reaches is shared, and so is all that it needs: shared classes must not need a namespace.
    """
    parts = {model.name: _parts(model, models) for model in models}
    users: dict[str, set[str]] = {}
    for operation in operations:
        roots = operation_classes(operation).union(*(classes_in(type_) for type_ in operation.refusals))
        for name in _reached(roots, parts):
            users.setdefault(name, set()).add(operation.tag)
    classes = [*(model.name for model in models), *(enum.name for enum in enums)]
    for name in _reached({name for name in classes if name not in users}, parts):
        users.setdefault(name, set()).add(SHARED)
    return {name: next(iter(users[name])) if len(users[name]) == 1 else SHARED for name in classes}


def operation_classes(operation: Operation) -> set[str]:
    """Enums and models that an operation mentions itself."""
    types = [argument.type for argument in operation.arguments]
    types += [outcome.type for outcome in operation.outcomes if outcome.type is not None]
    named = {operation.body_model} if operation.body_model is not None else set[str]()
    return named.union(*(classes_in(type_) for type_ in types))


def _reached(roots: set[str], parts: Mapping[str, set[str]]) -> set[str]:
    pending, seen = set(roots), set[str]()
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            pending |= parts.get(name, set())
    return seen


def _parts(model: Model, models: tuple[Model, ...]) -> set[str]:
    family = {model.base} if model.base is not None else set[str]()
    family |= {other.name for other in models if other.base == model.name}
    family |= set(model.batch or ())
    return family.union(*(classes_in(field.type) for field in model.fields))

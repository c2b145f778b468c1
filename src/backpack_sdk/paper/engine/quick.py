"""Frozen dataclasses that are made as quickly as plain ones. The engine makes a dozen of them for every order.

The `__init__` of a frozen dataclass sets each field through `object.__setattr__`, which takes ten times as long as an
assignment. Here a new object is, until its fields are set, of a twin class with the same slots that is not frozen.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any, TypeVar

T = TypeVar("T")


def quick(cls: type[T]) -> type[T]:
    """Give a class, made with `@dataclass(frozen=True, slots=True)`, an `__init__` that does the same in less time.

    Raises:
        TypeError: it inherits from another class, or has a field that `__init__` does not take or whose default is made
            anew each time.
    """
    if cls.__bases__ != (object,):
        raise TypeError(f"{cls.__name__} inherits from another class")
    names = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    twin = type(cls.__name__, (), {"__slots__": names})
    scope: dict[str, Any] = {"_set": object.__setattr__, "_twin": twin, "_cls": cls}
    parameters: list[str] = []
    for field in fields(cls):  # type: ignore[arg-type]
        if not field.init or field.default_factory is not MISSING:
            raise TypeError(f"{cls.__name__}.{field.name} is no plain field")
        if field.kw_only and "*" not in parameters:
            parameters.append("*")
        if field.default is not MISSING:
            scope[f"_{field.name}"] = field.default
        parameters.append(field.name if field.default is MISSING else f"{field.name}=_{field.name}")
    lines = [f"def __init__(self, {', '.join(parameters)}):", "_set(self, '__class__', _twin)"]
    lines += [f"self.{name} = {name}" for name in names]
    lines.append("self.__class__ = _cls")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    exec("\n    ".join(lines), scope)
    made = scope["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__annotations__ = cls.__init__.__annotations__
    cls.__init__ = made  # type: ignore[method-assign]
    return cls

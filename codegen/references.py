"""References inside a document: writing them, reading them, following them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .problems import pointer

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMAS = "#/components/schemas/"
_MOST_HOPS = 20


def ref(name: str) -> dict[str, str]:
    """A reference to a component."""
    return {"$ref": pointer("components", "schemas", name)}


def ref_name(schema: Mapping[str, Any]) -> str | None:
    """Name of the component a schema refers to, if it refers to one."""
    return component(schema.get("$ref"))


def component(target: object) -> str | None:
    """Name of the component that a reference means; None when it means something else."""
    if not isinstance(target, str) or not target.startswith(SCHEMAS):
        return None
    name = target.removeprefix(SCHEMAS)
    return None if "/" in name else _unescaped(name)


def resolve(target: str, document: Mapping[str, Any]) -> Any:
    """What stands at a JSON pointer. Raises KeyError when nothing does."""
    if not target.startswith("#/"):
        raise KeyError(target)
    node: Any = document
    for part in target[2:].split("/"):
        if not isinstance(node, dict):
            raise KeyError(target)
        node = node[_unescaped(part)]
    return node


def follow(holder: Any, document: Mapping[str, Any]) -> Any:
    """A parameter, response, body or path item itself, where the document may only refer to it.

    Raises KeyError when the reference leads nowhere or in a circle.
    """
    for _ in range(_MOST_HOPS):
        target = holder.get("$ref") if isinstance(holder, dict) else None
        if not isinstance(target, str):
            return holder
        holder = resolve(target, document)
    raise KeyError("the reference leads in a circle")


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")

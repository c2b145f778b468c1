"""An AsyncAPI document with the questions one asks of it, and every complaint about it."""

from __future__ import annotations

from typing import Any

from ..problems import Problem, pointer

Node = dict[str, Any]
_DEPTH = 32


class Document:
    """Looks things up in the document, follows references, and collects problems with their place."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self.problems: list[Problem] = []
        """What makes the document unusable."""
        self.remarks: list[Problem] = []
        """What is missing, but can be done without."""

    def wrong(self, place: tuple[object, ...], message: str) -> None:
        """Note something that can't be worked with."""
        self.problems.append(Problem(pointer(*place), message))

    def lacks(self, place: tuple[object, ...], message: str) -> None:
        """Note something that ought to be there."""
        self.remarks.append(Problem(pointer(*place), message))

    def mapping(self, node: Node, key: str, place: tuple[object, ...], *, needed: bool = False) -> Node:
        """The object under `key`; an empty one when there is none."""
        value = node.get(key)
        if value is None and not needed:
            return {}
        if not isinstance(value, dict):
            self.wrong((*place, key), "must be an object" if key in node else "is missing")
            return {}
        return value

    def entries(self, node: Node, place: tuple[object, ...]) -> list[tuple[str, Node, tuple[object, ...]]]:
        """Every entry of an object of objects, references followed."""
        found: list[tuple[str, Node, tuple[object, ...]]] = []
        for key, value in node.items():
            resolved = self.follow(value, (*place, key))
            if resolved is not None:
                found.append((str(key), *resolved))
        return found

    def follow(self, node: object, place: tuple[object, ...]) -> tuple[Node, tuple[object, ...]] | None:
        """What stands at the end of a chain of references, and where; None, with a problem, when nothing does."""
        for _ in range(_DEPTH):
            if not isinstance(node, dict):
                self.wrong(place, "must be an object")
                return None
            if "$ref" not in node:
                return node, place
            target = self._target(node["$ref"])
            if target is None:
                self.wrong((*place, "$ref"), f"points to nothing: {node['$ref']!r}")
                return None
            node, place = target
        self.wrong(place, "is a reference that leads in a circle")
        return None

    def check_references(self) -> None:
        """Complain about every reference that leads nowhere, also where nobody looks."""
        pending: list[tuple[object, tuple[object, ...]]] = [(self.root, ())]
        while pending:
            node, place = pending.pop()
            if isinstance(node, dict):
                if isinstance(node.get("$ref"), str) and self._target(node["$ref"]) is None:
                    self.wrong((*place, "$ref"), f"points to nothing: {node['$ref']!r}")
                pending += [(value, (*place, key)) for key, value in node.items()]
            elif isinstance(node, list):
                pending += [(value, (*place, index)) for index, value in enumerate(node)]

    def text(self, node: Node, key: str, place: tuple[object, ...]) -> str:
        """Documentation under `key`; a remark when there is none."""
        value = node.get(key)
        if isinstance(value, str) and value.strip():
            return value
        self.lacks(place, f"has no {key}")
        return ""

    def texts(self, node: Node, key: str, place: tuple[object, ...]) -> tuple[str, ...]:
        """A list of texts; empty when there is none."""
        value = node.get(key, [])
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
        self.wrong((*place, key), "must be a list of texts")
        return ()

    def _target(self, reference: object) -> tuple[object, tuple[object, ...]] | None:
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return None
        node: object = self.root
        parts = [part.replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/")]
        for part in parts:
            if not isinstance(node, dict) or part not in node:
                return None
            node = node[part]
        return node, tuple(parts)

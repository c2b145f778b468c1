"""The engine stands alone: it reads no clock, draws no random number, does no I/O and knows nothing of the SDK."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from backpack_sdk.paper import engine

ALLOWED = {
    "__future__",
    "abc",
    "bisect",
    "collections",
    "collections.abc",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "functools",
    "hashlib",
    "inspect",
    "itertools",
    "operator",
    "types",
    "typing",
}
MODULES = sorted(Path(engine.__file__).parent.glob("*.py"))


def imports(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_imports_only_its_siblings_and_pure_parts_of_the_standard_library(path: Path) -> None:
    siblings = {f".{module.stem}" for module in MODULES}
    assert imports(ast.parse(path.read_text())) <= ALLOWED | siblings


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_never_asks_for_the_time(path: Path) -> None:
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert called.isdisjoint({"now", "utcnow", "today"})

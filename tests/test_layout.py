"""The house: imports run one way, the generator and the SDK do not know each other, and no module is too long to read.

    pairs <- _core <- _generated <- orders, pages, rules <- streams <- paper <- client <- contract <- cli

Every import counts, also those inside a function or for type checkers only.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src"
PACKAGE = "backpack_sdk"
LONGEST = 400
"""Lines of a module that somebody writes by hand."""

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"_version", "pairs"}),
    frozenset({"_core"}),
    frozenset({"_generated", "auth"}),
    # Private modules that no line below names are helpers of these.
    frozenset({"operations", "orders", "pages", "rules", "types"}),
    frozenset({"streams"}),
    frozenset({"paper"}),
    frozenset({"_client_base", "client"}),
    frozenset({"contract"}),
    frozenset({"cli"}),
)
HELPERS = 3
ONLY: dict[str, frozenset[str]] = {
    "pairs": frozenset(),
    "_version": frozenset(),
    "_core": frozenset({"pairs"}),
    "_generated": frozenset({"_core"}),
    "auth": frozenset({"_core"}),
    "_refusals": frozenset({"_core", "_generated"}),
    "_wire": frozenset({"_core", "auth", "_refusals", "_version"}),
}
"""What a part may see besides itself, where that is less than everything below it. `_refusals` is the part of `_wire`
that reads errors: it knows the exchange's error codes, and nothing else of what is generated."""


def imports(path: Path, module: str) -> Iterator[tuple[str, int]]:
    """Absolute names that a module imports, with their lines."""
    is_package = path.name == "__init__.py"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = module.split(".")
            base = parts[: len(parts) - node.level + is_package] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((f"{stem}.{alias.name}", node.lineno) for alias in node.names)


def modules(folder: Path, base: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(base).with_suffix("").parts
        yield path, ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(name: str) -> str | None:
    """The module or folder right below the package that a name belongs to; None outside of the package."""
    parts = name.split(".")
    if parts[0] != PACKAGE:
        return None
    known = {path.stem for path in (SRC / PACKAGE).iterdir() if path.suffix == ".py" or path.is_dir()}
    return parts[1] if len(parts) > 1 and parts[1] in known else "__init__"


def layer(part: str) -> int:
    for index, names in enumerate(LAYERS):
        if part in names:
            return index
    assert part.startswith("_"), f"{part} is new: say in {Path(__file__).name} on which layer it stands"
    return HELPERS


SDK = [(path, module) for path, module in modules(SRC / PACKAGE, SRC) if part_of(module) != "__init__"]


@cache
def edges() -> tuple[tuple[str, str, str], ...]:
    """(part, part it imports, where) for every import inside the package."""
    return tuple(_edges())


def _edges() -> Iterator[tuple[str, str, str]]:
    for path, module in SDK:
        own = part_of(module)
        assert own is not None
        for name, line in imports(path, module):
            other = part_of(name)
            if other is not None and other != own:
                yield own, other, f"{path.relative_to(ROOT)}:{line}: {name}"


def test_the_test_sees_the_imports() -> None:
    """A test of imports that finds none would pass for ever."""
    found = {(own, other) for own, other, _ in edges()}
    assert found >= {
        ("_core", "pairs"),
        ("_generated", "_core"),
        ("client", "_generated"),
        ("client", "streams"),
        ("orders", "_core"),
        ("_wire", "auth"),
    }


def test_imports_run_one_way() -> None:
    wrong = [where for own, other, where in edges() if other != "__init__" and layer(other) > layer(own)]
    assert wrong == []


def test_nothing_imports_the_package_itself() -> None:
    """`from . import x` of a module is fine; the public names of the package are for users."""
    wrong = [where for own, other, where in edges() if other == "__init__" and own not in ("cli", "paper")]
    assert wrong == []


@pytest.mark.parametrize("part", ONLY)
def test_parts_that_see_little(part: str) -> None:
    assert [where for own, other, where in edges() if own == part and other not in ONLY[part]] == []


def test_what_reads_errors_sees_only_the_codes_of_errors() -> None:
    seen = {where.split()[-1] for own, other, where in edges() if (own, other) == ("_refusals", "_generated")}
    assert seen <= {f"{PACKAGE}._generated.shared.ApiErrorCode"}


def test_the_engine_of_the_paper_exchange_sees_nothing() -> None:
    engine = f"{PACKAGE}.paper.engine"
    files = list(modules(SRC / PACKAGE / "paper" / "engine", SRC))
    assert len(files) > 5
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path, module in files
        for name, line in imports(path, module)
        if part_of(name) is not None and not f"{name}.".startswith(f"{engine}.")
    ]
    assert wrong == []


def test_the_sdk_and_its_generator_do_not_import_each_other() -> None:
    generator = list(modules(ROOT / "codegen", ROOT))
    assert len(generator) > 10
    of_generator = [(path, name) for path, module in generator for name, _ in imports(path, module)]
    of_sdk = [(path, name) for path, module in SDK for name, _ in imports(path, module)]
    assert [found for found in of_generator if found[1].split(".")[0] in (PACKAGE, "tests")] == []
    assert [found for found in of_sdk if found[1].split(".")[0] in ("codegen", "tests")] == []


def test_no_module_is_too_long_to_read() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for folder in (SRC / PACKAGE, ROOT / "codegen")
        for path in folder.rglob("*.py")
        if "_generated" not in path.parts
    }
    assert len(lengths) > 30
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}

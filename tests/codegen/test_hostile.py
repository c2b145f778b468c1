"""Text from a document never becomes code, a path, or somebody else's name."""

from __future__ import annotations

import ast
import json
import keyword
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from backpack_sdk._core.enums import OpenEnum
from codegen.build import files, understand
from codegen.problems import CodegenError

from .documents import document, get, overlays, query, ref, thing
from .hostile import CANARY, CLASSES, CODE, OPERATIONS, TAGS, TEXTS, hostile
from .packages import Package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.build import Built

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def built() -> Built:
    return understand(hostile(), overlays())


@pytest.fixture(scope="module")
def content(built: Built) -> dict[str, str]:
    return files(built)


@pytest.fixture(scope="module")
def package(content: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Package]:
    folder = tmp_path_factory.mktemp("hostile") / "hostile_api"
    for name, text in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder.parent)
        found = Package(folder)
        assert not list(Path().rglob(CANARY))
    yield found
    found.forget()


def test_files_stay_in_their_folder(content: dict[str, str]) -> None:
    for name in content:
        assert re.fullmatch(r"([a-z][a-z0-9_]*/)?(__init__|[a-z]+)\.py|contract\.json", name), name


def test_every_file_is_plain_code(content: dict[str, str]) -> None:
    for name, text in content.items():
        shown = text.replace("\n", "")
        assert shown.isprintable(), name
        for node in ast.walk(ast.parse("" if name.endswith(".json") else text)):
            if isinstance(node, ast.Name):
                assert node.id not in ("__import__", "eval", "exec", "Path", "pathlib"), name
            if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                assert not keyword.iskeyword(node.name), name
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert (getattr(node, "module", None) or "").split(".")[0] in (
                    "__future__", "backpack_sdk", "builders", "catalog", "collections", "datetime", "functools",
                    "models",
                    "operations", "pydantic", "resource", "shared", "typing", "",
                    *{path.split("/")[0] for path in content},
                ), name  # fmt: skip


def test_nothing_is_executed_when_it_is_built_imported_and_used(package: Package) -> None:
    """The canary would stand in the working directory."""
    for model in package.classes():
        if issubclass(model, BaseModel):
            model.model_rebuild(force=True)
    assert not list(Path(str(package.top.__file__)).parent.rglob(CANARY))
    assert not Path(CANARY).exists()


def test_every_component_has_its_own_class(built: Built, package: Package) -> None:
    everything = next(model for model in built.api.models if model.schema == "Everything")
    assert len(everything.fields) == len(CLASSES)
    classes = {field.type.name for field in everything.fields}
    assert len(classes) == len(CLASSES)
    defined = {each.__name__ for each in package.classes()}
    assert classes <= defined
    for model in built.api.models:
        assert not model.name[-1].isdigit() or re.sub(r"[^0-9A-Za-z]", "", model.schema)[-1].isdigit()


def test_every_member_keeps_its_text(built: Built, package: Package) -> None:
    enum = next(each for each in package.classes() if issubclass(each, OpenEnum) and each.__name__ == "Texts")
    assert issubclass(enum, OpenEnum)
    assert [str(member) for member in enum] == [*TEXTS, "mro", "name", "value", "_value_", "NAME"]
    assert all(enum(text) is member for text, member in zip(TEXTS, enum, strict=False))


def test_every_field_keeps_its_wire_name(package: Package) -> None:
    model = next(each for each in package.classes() if each.__name__ == "Fields")
    assert issubclass(model, BaseModel)
    wire = {field.alias for field in model.model_fields.values()}
    values = {name: f"value of {name!r}" for name in wire if name is not None}
    assert len(values) == len(model.model_fields)
    instance: Any = model.model_validate(values)
    assert instance.to_wire() == values
    assert instance.model_extra == {}
    # The attributes of the base class are still its own.
    assert callable(instance.model_dump)
    assert callable(instance.copy)
    assert instance.json_ == "value of 'json'"


def test_every_literal_keeps_its_text(package: Package) -> None:
    model = next(each for each in package.classes() if each.__name__ == "Literals")
    assert issubclass(model, BaseModel)
    values = {f"l{index}": text for index, text in enumerate(TEXTS)}
    instance: Any = model.model_validate(values)
    assert instance.to_wire() == values


def test_tags_of_variants_keep_their_text(package: Package) -> None:
    base = next(each for each in package.classes() if each.__name__ == "Shape")
    assert issubclass(base, BaseModel)
    found: Any = base.model_validate_json(json.dumps({'ki"nd': 'ro"und\n', "size": "1"}))
    assert type(found).__name__ == "Round"
    assert found.to_wire() == {'ki"nd': 'ro"und\n', "size": "1"}


def test_every_argument_reaches_its_wire_name(built: Built, package: Package) -> None:
    operation = next(one for one in built.api.operations if one.path == "/query")
    builder = getattr(package[f"{operation.tag}.operations"], operation.name)
    arguments = {field.python: f"value of {field.wire!r}" for field in operation.arguments}
    request = builder(**arguments)
    sent = {**request.query, **{f"header {name}": value for name, value in request.headers.items()}}
    assert sent == {
        **{field.wire: f"value of {field.wire!r}" for field in operation.query}, "header from": "value of 'from'",
    }  # fmt: skip


def test_paths_keep_their_text(package: Package) -> None:
    paths = {operation.path for operation in package["catalog"].OPERATIONS}
    assert set(hostile()["paths"]) == paths


def test_every_operation_and_namespace_is_there(built: Built, package: Package) -> None:
    catalog = package["catalog"].OPERATIONS
    assert len(catalog) == len({id(one) for one in catalog}) == len(built.api.operations)
    assert {one.wire_name for one in built.api.operations} >= set(OPERATIONS)
    for tag in built.api.tags:
        resource = package[f"{tag}.resource"]
        own = [name for name, value in vars(resource).items() if isinstance(value, type) and name.endswith("Api")]
        assert len(own) == 2
        for namespaces in (package["clients"].Namespaces, package["clients"].AsyncNamespaces):
            assert isinstance(vars(namespaces)[tag], property)
    assert len(built.api.tags) > len(TAGS) / 2


@pytest.mark.parametrize("extra", [
    {"minimum": f"0, {CODE}"}, {"maximum": CODE}, {"maxLength": CODE}, {"minItems": CODE}, {"multipleOf": CODE},
    {"enum": CODE},
])  # fmt: skip
def test_code_in_the_place_of_a_number_is_refused(extra: dict[str, Any]) -> None:
    whole = document(
        {"X": thing(a={"type": "string", **extra})},
        {"/a": get("a", ref("X"), query("b", {"type": "integer", **extra}))},
    )
    with pytest.raises(CodegenError, match="expected a"):
        understand(whole, overlays())


def test_the_command_executes_nothing_of_a_document(tmp_path: Path) -> None:
    """The whole way in its own process, in a folder of modules that others could fall for."""
    spec = tmp_path / "hostile.json"
    spec.write_text(json.dumps(hostile()), encoding="utf-8")
    for name in ("types.py", "ruff.py", "json.py"):
        (tmp_path / name).write_text(f"open({CANARY!r}, 'w').close()\n")
    command = ["build", "--spec", str(spec), "--out", str(tmp_path / "out")]
    added = ["--overlays", str(ROOT / "spec" / "overlays")]
    code = f"""if True:
        import sys
        sys.path.insert(0, {str(ROOT)!r})
        from codegen.__main__ import main
        sys.exit(main(sys.argv[1:]))
    """
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *added, *command], cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.rglob(CANARY))
    assert (done.stdout + done.stderr).replace("\n", "").isprintable()

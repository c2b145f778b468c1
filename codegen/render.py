"""The intermediate representation to Python files. Decides what stands where; the templates lay it out."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from .docstrings import docstring
from .homes import operation_classes
from .models import field_annotations
from .names import constant, needs_alias, order_key, title
from .problems import fail
from .rows import names_used, operation_row
from .types import SCALARS, classes_in, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .ir import Api, Field, Model, Operation

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class _Import:
    module: str
    names: tuple[str, ...]


def render(api: Api) -> dict[str, str]:
    """Text of every generated file by its path below the output folder."""
    page = _Page(api, field_annotations(api), templates())
    files = {
        "__init__.py": page.text("package.py.jinja"),
        "catalog.py": page.text("catalog.py.jinja", operations=api.operations),
        "shared.py": page.models("shared", depth=1),
        "builders.py": page.text("builders.py.jinja", tags=api.tags),
    }
    for tag in api.tags:
        operations = [operation for operation in api.operations if operation.tag == tag]
        files[f"{tag}/__init__.py"] = page.text("namespace.py.jinja", tag=tag)
        files[f"{tag}/models.py"] = page.models(tag, depth=2)
        files[f"{tag}/operations.py"] = page.operations(tag, operations)
        files[f"{tag}/resource.py"] = page.resource(tag, operations)
    files["names.py"] = page.text("names.py.jinja", homes=dict(sorted(api.homes.items())), tags=api.tags)
    files["clients.py"] = page.text("clients.py.jinja", tags=api.tags, titles={tag: title(tag) for tag in api.tags})
    files["types.py"] = page.text("types.py.jinja", groups=_groups(api))
    return compiled(files)


def templates() -> jinja2.Environment:
    """Where the templates are, and what they can use."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    filters: dict[str, Any] = {"quoted": quoted, "docstring": docstring, "constant": constant}
    environment.filters.update(filters)
    return environment


def compiled(files: dict[str, str]) -> dict[str, str]:
    """The same files, sorted, once every one is known to be Python. Raises CodegenError."""
    for path, text in files.items():
        try:
            compile(text, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            raise fail(path, f"would not be Python: {error}") from error
    return dict(sorted(files.items()))


def _groups(api: Api) -> list[tuple[str, list[str]]]:
    """(home, exported names) for the public re-export; enums bring their argument alias."""
    enums = {enum.name for enum in api.enums}
    groups: dict[str, list[str]] = {}
    for name, home in api.homes.items():
        groups.setdefault(home, []).extend([name, f"{name}Like"] if name in enums else [name])
    return [(home, sorted(names)) for home, names in sorted(groups.items())]


@dataclass(slots=True)
class _Page:
    """Renders one file at a time."""

    api: Api
    shown: dict[str, dict[str, str]]
    environment: jinja2.Environment

    def text(self, template: str, **values: object) -> str:
        """One template, filled in, ending in exactly one newline."""
        filled = self.environment.get_template(template).render(**values)
        return filled.rstrip("\n") + "\n"

    # Models

    def models(self, home: str, depth: int) -> str:
        """The file of a namespace's enums and models."""
        enums = [enum for enum in self.api.enums if self.api.homes[enum.name] == home]
        models = _bases_first([model for model in self.api.models if self.api.homes[model.name] == home])
        by_name = {model.name: model for model in self.api.models}
        rows = [self._model_row(model, by_name) for model in models]
        used = [word for row in rows for field in row["fields"] for word in _words(field["annotation"])]
        bases = {row["base"] for row in rows}
        needed = {name for model in models for name in _mentioned(model)}
        return self.text(
            "models.py.jinja",
            home=home,
            enums=enums,
            models=rows,
            scalars=sorted(set(used) & SCALARS),
            bases=sorted(bases & {"Model", "TaggedModel", "BatchResult"}),
            imports=self._imports(needed, home, depth),
            typing=sorted({word for word in ("Any", "Literal") if word in used}),
            needs_field=any(field["call"] for row in rows for field in row["fields"]),
        )

    def _model_row(self, model: Model, by_name: dict[str, Model]) -> dict[str, Any]:
        base = by_name[model.base] if model.base is not None else None
        inherited = {_shape(field) for field in base.fields} if base is not None else set()
        fields = [
            self._field_row(model, field)
            for field in sorted(model.fields, key=lambda field: (not field.required, order_key(field.python)))
            if _shape(field) not in inherited
        ]
        plain = "BatchResult" if model.batch else "TaggedModel" if model.tag_field else "Model"
        keywords = ""
        if model.tag_field is not None:
            keywords = f", tag_field={quoted(model.tag_field)}"
        elif model.tag is not None:
            keywords = f", tag={quoted(model.tag)}"
        doc = model.doc or f"`{model.schema}` of the API."
        return {
            "name": model.name,
            "base": model.base or plain,
            "keywords": keywords,
            "doc": doc,
            "fields": fields,
            "batch": model.batch,
        }

    def _field_row(self, model: Model, field: Field) -> dict[str, Any]:
        annotation = self.shown[model.name][field.python]
        optional = field.nullable or not field.required
        if optional and annotation != "Any" and not annotation.endswith("None"):
            annotation = f"{annotation} | None"
        alias = f"alias={quoted(field.wire)}" if needs_alias(field.python, field.wire) else ""
        default = "default=None" if alias and not field.required else ""
        call = ", ".join(part for part in (default, alias) if part) if alias else ""
        return {
            "name": field.python,
            "annotation": annotation,
            "call": call,
            "default": " = None" if not field.required and not alias else "",
            "doc": field.doc,
        }

    def _imports(self, names: Iterable[str], home: str, depth: int) -> list[_Import]:
        """Imports of classes that live in other generated modules."""
        groups: dict[str, set[str]] = {}
        for name in names:
            bare = name.removesuffix("Like") if name not in self.api.homes else name
            where = self.api.homes[bare]
            if where != home:
                module = f"{'.' * depth}shared" if where == "shared" else f"{'.' * depth}{where}.models"
                groups.setdefault(module, set()).add(name)
        return [_Import(module, tuple(sorted(found))) for module, found in sorted(groups.items())]

    # Operations and resources

    def operations(self, tag: str, operations: list[Operation]) -> str:
        """The file of a namespace's request builders."""
        rows = [operation_row(operation, self.api) for operation in operations]
        needed = {name for operation in operations for name in operation_classes(operation)}
        aliases = {f"{name}Like" for name in self._enum_arguments(operations)}
        local = [_Import(".models", tuple(sorted(name for name in needed | aliases if self._home(name) == tag)))]
        return self.text(
            "operations.py.jinja",
            tag=tag,
            operations=rows,
            constants=sorted(constant(operation.name) for operation in operations),
            imports=[*(one for one in local if one.names), *self._imports(needed | aliases, tag, 2)],
            **names_used(rows),
        )

    def resource(self, tag: str, operations: list[Operation]) -> str:
        """The file of a namespace's sync and async methods."""
        rows = [operation_row(operation, self.api) for operation in operations]
        needed = {name for operation in operations for name in _result_classes(operation)}
        needed |= {operation.body_model for operation in operations if operation.body_list and operation.body_model}
        needed |= {f"{name}Like" for name in self._enum_arguments(operations)}
        enums = {enum.name for enum in self.api.enums}
        needed |= {
            name for operation in operations for field in operation.arguments for name in classes_in(field.type)
            if name not in enums
        }  # fmt: skip
        local = [_Import(".models", tuple(sorted(name for name in needed if self._home(name) == tag)))]
        return self.text(
            "resource.py.jinja",
            tag=tag,
            title=title(tag),
            operations=rows,
            imports=[*(one for one in local if one.names), *self._imports(needed, tag, 2)],
            **names_used(rows),
        )

    def _home(self, name: str) -> str:
        return self.api.homes[name] if name in self.api.homes else self.api.homes[name.removesuffix("Like")]

    def _enum_arguments(self, operations: list[Operation]) -> set[str]:
        enums = {enum.name for enum in self.api.enums}
        return {
            name for operation in operations for field in operation.arguments for name in classes_in(field.type)
            if name in enums
        }  # fmt: skip


def _shape(field: Field) -> tuple[object, ...]:
    return field.wire, field.python, field.type, field.required, field.nullable


def _mentioned(model: Model) -> set[str]:
    own = set(model.batch or ()) | ({model.base} if model.base else set())
    return own.union(*(classes_in(field.type) for field in model.fields))


def _result_classes(operation: Operation) -> set[str]:
    return set[str]().union(*(classes_in(outcome.type) for outcome in operation.outcomes if outcome.type is not None))


def _bases_first(models: list[Model]) -> list[Model]:
    """Alphabetical, but a base stands before its variants, and a batch row after what it wraps."""
    ordered: list[Model] = []
    for model in sorted(models, key=lambda model: (bool(model.batch), model.name)):
        base = next((other for other in models if other.name == model.base), None)
        for one in (base, model):
            if one is not None and one not in ordered:
                ordered.append(one)
    return ordered


def _words(annotation: str) -> list[str]:
    return [node.id for node in ast.walk(ast.parse(annotation, mode="eval")) if isinstance(node, ast.Name)]

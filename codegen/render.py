"""The intermediate representation to Python files. Decides what stands where; the templates lay it out."""

from __future__ import annotations

import ast
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from . import types
from .analyse import operation_classes
from .models import field_annotations
from .names import constant, needs_alias, order_key
from .problems import fail
from .types import classes_in, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .ir import Api, Field, Model, Operation, Outcome

TEMPLATES = Path(__file__).parent / "templates"
_WIDTH = 120
_SCALARS = set(types.MODEL.values()) - {"str", "int", "bool", "Any"}


@dataclass(frozen=True, slots=True)
class _Import:
    module: str
    names: tuple[str, ...]


def render(api: Api) -> dict[str, str]:
    """Text of every generated file by its path below the output folder."""
    shown = field_annotations(api)
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
    page = _Page(api, shown, environment)
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
    for path, text in files.items():
        try:
            ast.parse(text)
        except SyntaxError as error:
            raise fail(path, f"would not be Python: {error}") from error
    return dict(sorted(files.items()))


def title(tag: str) -> str:
    """`borrow_lend` -> `BorrowLendApi`: no model is called that."""
    return "".join(word.capitalize() for word in tag.split("_")) + "Api"


def docstring(text: str, indent: int) -> str:
    """A docstring of plain text: whatever the text holds, it stays text."""
    safe = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    safe = "".join(c if c.isprintable() or c == "\n" else " " for c in safe)
    if safe.endswith('"'):
        safe = safe[:-1] + '\\"'
    pad = " " * indent
    paragraphs = [
        paragraph
        if paragraph.startswith("    ")
        else textwrap.fill(paragraph, _WIDTH - indent - 3, break_on_hyphens=False, break_long_words=False)
        for paragraph in safe.split("\n")
    ]
    body = "\n".join(paragraphs)
    if "\n" not in body:
        return f'{pad}"""{body}"""'
    lines = [f"{pad}{line}" if line.strip() else "" for line in body.split("\n")]
    return f'{pad}"""{lines[0].strip()}\n' + "\n".join(lines[1:]) + f'\n{pad}"""'


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
            core="...".replace("...", "." * (depth + 1)),
            enums=enums,
            models=rows,
            scalars=sorted(set(used) & _SCALARS),
            bases=sorted(bases & {"Model", "TaggedModel", "BatchResult"}),
            imports=self._imports(needed, home, depth),
            typing=sorted({word for word in ("Any", "Literal") if word in used}),
            needs_field=any(field["call"] for row in rows for field in row["fields"]),
        )

    def _model_row(self, model: Model, by_name: dict[str, Model]) -> dict[str, Any]:
        base = by_name[model.base] if model.base is not None else None
        inherited = {(field.wire, field.type, field.required) for field in base.fields} if base is not None else set()
        fields = [
            self._field_row(model, field)
            for field in sorted(model.fields, key=lambda field: (not field.required, order_key(field.python)))
            if (field.wire, field.type, field.required) not in inherited
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
        if optional and annotation != "Any":
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
        rows = [self._operation_row(operation) for operation in operations]
        needed = {name for operation in operations for name in operation_classes(operation)}
        aliases = {f"{name}Like" for name in self._enum_arguments(operations)}
        local = [_Import(".models", tuple(sorted(name for name in needed | aliases if self._home(name) == tag)))]
        return self.text(
            "operations.py.jinja",
            tag=tag,
            operations=rows,
            constants=sorted(constant(operation.name) for operation in operations),
            imports=[*(one for one in local if one.names), *self._imports(needed | aliases, tag, 2)],
            **_helpers(rows),
        )

    def resource(self, tag: str, operations: list[Operation]) -> str:
        """The file of a namespace's sync and async methods."""
        rows = [self._operation_row(operation) for operation in operations]
        needed = {name for operation in operations for name in _result_classes(operation)}
        needed |= {operation.body_model for operation in operations if operation.body_list and operation.body_model}
        needed |= {f"{name}Like" for name in self._enum_arguments(operations)}
        needed |= {
            name for operation in operations for field in operation.arguments if field.type.kind == "model"
            for name in classes_in(field.type)
        }  # fmt: skip
        local = [_Import(".models", tuple(sorted(name for name in needed if self._home(name) == tag)))]
        return self.text(
            "resource.py.jinja",
            tag=tag,
            title=title(tag),
            operations=rows,
            imports=[*(one for one in local if one.names), *self._imports(needed, tag, 2)],
            **_helpers(rows),
        )

    def _home(self, name: str) -> str:
        return self.api.homes[name] if name in self.api.homes else self.api.homes[name.removesuffix("Like")]

    def _enum_arguments(self, operations: list[Operation]) -> set[str]:
        enums = {enum.name for enum in self.api.enums}
        return {
            name for operation in operations for field in operation.arguments for name in classes_in(field.type)
            if name in enums
        }  # fmt: skip

    def _operation_row(self, operation: Operation) -> dict[str, Any]:
        arguments = sorted(operation.arguments, key=lambda field: order_key(field.python))
        required = [field for field in arguments if field.required]
        optional = [field for field in arguments if not field.required]
        signature = [f"{field.python}: {types.in_argument(field.type)}" for field in required]
        if optional:
            signature.append("*")
            signature += [f"{field.python}: {_or_none(types.in_argument(field.type))} = None" for field in optional]
        forwarded = [field.python for field in required] + [f"{field.python}={field.python}" for field in optional]
        return {
            "name": operation.name,
            "constant": constant(operation.name),
            "signature": signature,
            "has_optional": bool(optional),
            "forwarded": forwarded,
            "result": _result(operation.outcomes),
            "reply": _reply(operation.outcomes),
            "query": _conversions(operation.query),
            "headers": _conversions(operation.headers),
            "body": _conversions(operation.body),
            "body_list": operation.body_list,
            "body_model": operation.body_model,
            "symbols": self._symbol_fields(operation),
            "doc": _method_doc(operation, required + optional),
            "short": operation.summary,
        }

    def _symbol_fields(self, operation: Operation) -> list[str]:
        if operation.body_list is None:
            return []
        model = next(model for model in self.api.models if model.name == operation.body_model)
        return [field.wire for field in model.fields if field.type.kind == "symbol"]


def _or_none(annotation: str) -> str:
    return annotation if annotation == "Any" else f"{annotation} | None"


def _conversions(fields: Iterable[Field]) -> list[tuple[str, str]]:
    return [(field.wire, types.converter(field.type, field.python)) for field in sorted(fields, key=lambda f: f.wire)]


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


_EMPTY_TYPES = {"acknowledged": "Acknowledged", "accepted": "Accepted", "no_content": "NoContent"}
_TIME_PARSERS = {"micros": "from_micros", "millis": "from_millis", "seconds": "from_seconds"}


def _result(outcomes: tuple[Outcome, ...]) -> str:
    parts: list[str] = []
    for outcome in outcomes:
        if outcome.type is not None:
            parts.append(types.in_reply(outcome.type))
        elif outcome.kind in _TIME_PARSERS:
            parts.append("datetime")
        else:
            parts.append(_EMPTY_TYPES.get(outcome.kind, "TextReply"))
    return " | ".join(dict.fromkeys(parts))


def _reply(outcomes: tuple[Outcome, ...]) -> str:
    first, *rest = sorted(outcomes, key=lambda outcome: outcome.kind in _EMPTY_TYPES)
    status = "" if first.status == 200 else f", {first.status}"
    if first.type is not None:
        annotation = types.in_reply(first.type)
        text = f"json_reply({annotation}{status})"
    elif first.kind in _TIME_PARSERS:
        text = f"parsed_text_reply({_TIME_PARSERS[first.kind]})"
    elif first.kind in _EMPTY_TYPES:
        text = f"empty_reply({_EMPTY_TYPES[first.kind]}{status})"
    else:
        text = "text_reply()"
    for outcome in rest:
        text += f".also({outcome.status}, {_EMPTY_TYPES.get(outcome.kind, 'Acknowledged')})"
    return text


def _method_doc(operation: Operation, arguments: list[Field]) -> str:
    lines = [operation.summary]
    if operation.doc:
        lines += ["", operation.doc]
    if operation.deprecated:
        lines += ["", "Deprecated by the exchange."]
    lines += ["", f"`{operation.method} {operation.path}`"]
    if operation.instruction is not None:
        assumed = " (assumed: the exchange does not document it)" if operation.assumed else ""
        lines += ["", f"Signed with the instruction `{operation.instruction}`{assumed}."]
    told = [field for field in arguments if field.doc]
    if told:
        lines += ["", "Args:", *(_entry(field.python, field.doc) for field in told)]
    if operation.errors:
        lines += ["", "Errors:", *(_entry(code, text) for code, text in operation.errors)]
    return "\n".join(lines)


def _entry(name: str, text: str) -> str:
    return textwrap.fill(
        f"{name}: {text}",
        _WIDTH - 12,
        initial_indent="    ",
        subsequent_indent="        ",
        break_on_hyphens=False,
        break_long_words=False,
    )


def _words(annotation: str) -> list[str]:
    return [node.id for node in ast.walk(ast.parse(annotation, mode="eval")) if isinstance(node, ast.Name)]


def _helpers(rows: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Names a file needs from the core, found in what its rows mention."""
    text = " ".join(
        str(row[key]) for row in rows for key in ("signature", "result", "reply", "query", "body", "headers")
    )
    found = set(_words_in(text))
    return {
        "arguments": sorted(found & {"DecimalLike", "SymbolLike", "TimeLike"}),
        "replies": sorted(found & {"json_reply", "text_reply", "parsed_text_reply", "empty_reply"}),
        "empties": sorted(found & {"Acknowledged", "Accepted", "NoContent", "TextReply"}),
        "parsers": sorted(found & set(_TIME_PARSERS.values())),
        "abc": sorted(found & {"Mapping", "Sequence"}),
        "typing": sorted(found & {"Any", "Literal"}),
        "datetime": sorted(found & {"datetime"}),
    }


def _words_in(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in text).split()

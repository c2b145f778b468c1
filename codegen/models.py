"""Asks datamodel-code-generator for the Python types of all models. The only file that knows it.

It sees a document without any text of the source: classes, enumerations and literals go by names that mean nothing,
fields have their Python names, and scalars of our own are given as custom types. What comes back is read as a syntax
tree and must agree with our own reading of the document, field by field; only then is it laid out.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from datamodel_code_generator import generate
from datamodel_code_generator.enums import DataModelType, InputFileType
from datamodel_code_generator.format import PythonVersion

from .ir import Type
from .problems import CodegenError, Problem
from .types import MODEL, in_model

if TYPE_CHECKING:
    from .ir import Api

_SCHEMAS = "#/components/schemas/"
_NATIVE = {
    "text": {"type": "string"},
    "symbol": {"type": "string"},
    "percent": {"type": "string"},
    "integer": {"type": "integer"},
    "choice": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "null": {"type": "null"},
    "any": {"customTypePath": "typing.Any"},
}


def field_annotations(api: Api) -> dict[str, dict[str, str]]:
    """Annotation of every field of every model, by class and field name. Raises CodegenError on disagreement."""
    masks = _Masks()
    asked = {
        masks.of("model", model.name): {field.python: masks.masked(field.type) for field in model.fields}
        for model in api.models
    }
    expected = {name: {field: in_model(type_) for field, type_ in fields.items()} for name, fields in asked.items()}
    produced = _classes(_generate(asked))
    problems = [
        Problem(f"model {masks.meant(name)}", "is a class to us or to datamodel-code-generator, but not to both")
        for name in set(expected) ^ set(produced)
    ]
    for name in set(expected) & set(produced):
        for field in set(expected[name]) | set(produced[name]):
            ours, theirs = expected[name].get(field), produced[name].get(field)
            if ours != theirs:
                place = f"model {masks.meant(name)}.{field}"
                problems.append(Problem(place, f"is {ours!r} to us and {theirs!r} to datamodel-code-generator"))
    if problems:
        raise CodegenError(sorted(problems))
    return {model.name: {field.python: in_model(field.type) for field in model.fields} for model in api.models}


class _Masks:
    """Stands harmless names in the place of names and texts that could mean something to the other generator."""

    def __init__(self) -> None:
        self._masks: dict[tuple[str, str], str] = {}

    def of(self, kind: str, name: str) -> str:
        """The mask of a class or a literal."""
        return self._masks.setdefault((kind, name), f"Number{len(self._masks)}Type")

    def meant(self, mask: str) -> str:
        """What is behind a mask."""
        return next((name for (_, name), known in self._masks.items() if known == mask), mask)

    def masked(self, type_: Type) -> Type:
        """The type with every name masked. A literal becomes an enumeration: both are names to the other generator."""
        if type_.kind == "literal":
            return Type("enum", name=self.of("literal", in_model(type_)))
        name = self.of(type_.kind, type_.name) if type_.name else ""
        return replace(type_, name=name, items=tuple(map(self.masked, type_.items)))


def _generate(asked: dict[str, dict[str, Type]]) -> str:
    schemas = {
        name: {
            "type": "object",
            "required": list(fields),
            "properties": {field: _schema(type_) for field, type_ in fields.items()},
        }
        for name, fields in asked.items()
    }
    document = {
        "openapi": "3.0.3",
        "info": {"title": "models", "version": "1"},
        "paths": {},
        "components": {"schemas": schemas},
    }
    result = generate(
        document,
        input_file_type=InputFileType.OpenAPI,
        output_model_type=DataModelType.PydanticV2BaseModel,
        target_python_version=PythonVersion.PY_311,
        base_class="backpack_sdk._core.model.Model",
        use_union_operator=True,
        use_standard_collections=True,
        use_tuple_for_fixed_length_arrays=True,
        use_annotated=False,
        disable_timestamp=True,
        formatters=[],
    )
    if not isinstance(result, str):
        raise CodegenError([Problem("models", "datamodel-code-generator split its output")])
    return result


def _schema(type_: Type) -> dict[str, Any]:
    if type_.kind == "model":
        return {"$ref": _SCHEMAS + type_.name}
    if type_.kind == "enum":
        return {"type": "string", "customTypePath": f"enums.{type_.name}"}
    inner = [_schema(item) for item in type_.items]
    if type_.kind == "list":
        return {"type": "array", "items": inner[0]}
    if type_.kind == "tuple":
        return {"type": "array", "items": inner[0], "minItems": len(inner), "maxItems": len(inner)}
    if type_.kind == "map":
        return {"type": "object", "additionalProperties": inner[0]}
    if type_.kind == "union":
        return {"anyOf": inner}
    if type_.kind in _NATIVE:
        return dict(_NATIVE[type_.kind])
    return {"type": "string", "customTypePath": f"scalars.{MODEL[type_.kind]}"}


def _classes(code: str) -> dict[str, dict[str, str]]:
    result: dict[str, dict[str, str]] = {}
    for node in ast.parse(code).body:
        if isinstance(node, ast.ClassDef):
            result[node.name] = {
                statement.target.id: ast.unparse(_Immutable().visit(statement.annotation))
                for statement in node.body
                if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
            }
    return result


class _Immutable(ast.NodeTransformer):
    """Models are immutable, so a list inside one is a tuple."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id == "list":
            return ast.Subscript(ast.Name("tuple"), ast.Tuple([node.slice, ast.Constant(...)], ast.Load()), ast.Load())
        return node

"""Asks datamodel-code-generator for the Python types of all models. The only file that knows it.

It sees a document without any text of the source: classes, fields and enum members already have safe names, and
scalars of our own are given as custom types. What comes back is read as a syntax tree and must agree with our own
reading of the document, field by field; only then is it laid out.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from datamodel_code_generator import generate
from datamodel_code_generator.enums import DataModelType, InputFileType
from datamodel_code_generator.format import PythonVersion
from datamodel_code_generator.parser import LiteralType

from .problems import CodegenError, Problem
from .types import MODEL, in_model

if TYPE_CHECKING:
    from .ir import Api, Field, Type

_SCHEMAS = "#/components/schemas/"
_NATIVE = {
    "text": {"type": "string"},
    "symbol": {"type": "string"},
    "percent": {"type": "string"},
    "integer": {"type": "integer"},
    "choice": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "any": {},
}


def field_annotations(api: Api) -> dict[str, dict[str, str]]:
    """Annotation of every field of every model, by class and field name. Raises CodegenError on disagreement."""
    produced = _classes(_generate(api))
    expected = {model.name: {field.python: _expected(field) for field in model.fields} for model in api.models}
    problems = [
        Problem(f"model {name}", "datamodel-code-generator made no class of it")
        for name in set(expected) - set(produced)
    ]
    problems += [
        Problem(f"model {name}", "datamodel-code-generator made a class that no component asks for")
        for name in set(produced) - set(expected)
    ]
    for name in sorted(set(expected) & set(produced)):
        for field in sorted(set(expected[name]) | set(produced[name])):
            ours, theirs = expected[name].get(field), produced[name].get(field)
            if ours != theirs:
                problems.append(Problem(f"model {name}.{field}", f"is {ours!r} to us and {theirs!r} to the generator"))
    if problems:
        raise CodegenError(sorted(problems))
    return produced


def _expected(field: Field) -> str:
    return in_model(field.type)


def _generate(api: Api) -> str:
    schemas: dict[str, Any] = {}
    for model in api.models:
        schemas[model.name] = {
            "type": "object",
            "required": [field.python for field in model.fields],
            "properties": {field.python: _schema(field.type) for field in model.fields},
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
        enum_field_as_literal=LiteralType.All,
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
    if type_.kind == "literal":
        return {"type": "string", "enum": list(type_.choices)}
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
                statement.target.id: ast.unparse(_Immutable().visit(statement.annotation)).replace("'", '"')
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

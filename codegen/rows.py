"""An operation as the templates of builders and methods want it: expressions and annotations, ready to be laid out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import types
from .docstrings import method_doc
from .names import constant, order_key
from .replies import TIME_PARSERS, needs_annotation, reply, result
from .types import SCALARS, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .ir import Api, Field, Operation


def operation_row(operation: Operation, api: Api) -> dict[str, Any]:
    """What the templates of builders and methods need to know of an operation."""
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
        "result": result(operation.outcomes),
        "reply": reply(operation.outcomes),
        "reply_type": f"Reply[{result(operation.outcomes)}]" if needs_annotation(operation.outcomes) else "",
        "query": _conversions(operation.query),
        "headers": _conversions(operation.headers),
        "body": _conversions(operation.body),
        "body_list": operation.body_list,
        "body_model": operation.body_model,
        "whole_body": _whole_body(operation, api),
        "row": _row(operation, api),
        "row_name": _row_name(operation, api),
        "secrets": [field.python for field in arguments if field.type.kind == "secret"],
        "needed_query": _needed(operation.query),
        "needed_body": _needed(operation.body),
        "doc": method_doc(operation, required + optional),
        "short": operation.summary,
    }


def _row(operation: Operation, api: Api) -> list[tuple[str, str]]:
    """Converters of the fields of each object in a list that is the body."""
    if operation.body_list is None or operation.body_model is None:
        return []
    model = next(model for model in api.models if model.name == operation.body_model)
    return [(field.wire, types.row_converter(field.type)) for field in sorted(model.fields, key=lambda f: f.wire)]


def _whole_body(operation: Operation, api: Api) -> str:
    """The expression of a body that is one argument."""
    field = operation.body_list
    if field is None:
        return ""
    if operation.body_model is None:
        return types.converter(field.type, field.python)
    row = _row_name(operation, api)
    return f"_to.payloads({field.python}, {quoted(field.python)}, {operation.body_model}, {row})"


def _row_name(operation: Operation, api: Api) -> str:
    """Name of the converters of a list's rows; another operation's decoder may be called so."""
    taken = {f"_{constant(other.name)}" for other in api.operations}
    name = f"_{constant(operation.name)}_ROW"
    while name in taken:
        name += "_"
    return name


def _or_none(annotation: str) -> str:
    return annotation if annotation == "Any" or annotation.endswith("None") else f"{annotation} | None"


def _conversions(fields: Iterable[Field]) -> list[tuple[str, str]]:
    return [(field.wire, types.converter(field.type, field.python)) for field in sorted(fields, key=lambda f: f.wire)]


def _needed(fields: Iterable[Field]) -> list[tuple[str, str]]:
    return [(field.wire, field.python) for field in sorted(fields, key=lambda f: f.wire) if field.required]


def names_used(rows: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Names a file needs from elsewhere, found in what its rows mention; ruff takes out what only looks like one."""
    keys = ("signature", "result", "reply", "reply_type", "query", "body", "headers", "whole_body", "row")
    text = " ".join(str(row[key]) for row in rows for key in keys)
    found = set(_words_in(text))
    return {
        "arguments": sorted(found & {"DecimalLike", "SymbolLike", "TimeLike"}),
        "replies": sorted(found & {"Reply", "json_reply", "text_reply", "parsed_text_reply", "empty_reply"}),
        "empties": sorted(found & {"Acknowledged", "Accepted", "NoContent", "TextReply"}),
        "parsers": sorted(found & set(TIME_PARSERS.values())),
        "scalars": sorted(found & SCALARS),
        "abc": sorted(found & {"Mapping", "Sequence"}),
        "typing": sorted(found & {"Any", "Literal"}),
        "datetime": sorted(found & {"datetime"}),
        "renamed": sorted(found & {"_cast", "_partial"}),
    }


def _words_in(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in text).split()

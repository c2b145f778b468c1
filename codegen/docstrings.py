"""Docstrings: plain text that stays text, whatever it holds."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .ir import Field, Operation

_WIDTH = 120


def docstring(text: str, indent: int) -> str:
    """A docstring of plain text: whatever the text holds, it stays text."""
    plain = "".join(c if c.isprintable() or c == "\n" else " " for c in text).rstrip()
    inside = plain.rstrip('"')
    safe = inside.replace("\\", "\\\\").replace('"""', '\\"\\"\\"') + '\\"' * (len(plain) - len(inside))
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


def method_doc(operation: Operation, arguments: list[Field]) -> str:
    """What a method's docstring says: purpose, address, instruction, arguments, errors."""
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

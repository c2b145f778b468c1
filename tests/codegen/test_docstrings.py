"""Text inside a docstring or a string literal stays text."""

from __future__ import annotations

import ast
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.docstrings import docstring
from codegen.types import quoted

from .hostile import CODE, TEXTS

ANY_TEXT = st.text() | st.text(alphabet="\"'\\ \n\tnrxuN{}#%") | st.sampled_from(TEXTS)


@given(st.text(alphabet=st.characters(exclude_categories=[])) | ANY_TEXT)
def test_a_literal_is_what_was_quoted(text: str) -> None:
    literal = quoted(text)
    assert ast.literal_eval(literal) == text
    assert literal.isascii()
    assert literal.isprintable()
    assert literal.startswith('"')


@given(ANY_TEXT, st.sampled_from([0, 4, 8]))
def test_a_docstring_is_one_string_with_the_words_of_the_text(text: str, indent: int) -> None:
    code = docstring(text, indent)
    tree = ast.parse(textwrap.dedent(code) if indent else code)
    assert len(tree.body) == 1
    statement = tree.body[0]
    assert isinstance(statement, ast.Expr)
    value = ast.literal_eval(statement.value)
    assert isinstance(value, str)
    shown = "".join(c if c.isprintable() else " " for c in text)
    assert value.split() == shown.split()
    assert all(line.startswith(" " * indent) for line in code.split("\n") if line)
    assert not any(character in code for character in "\x00\u202e\u2028\r")


@pytest.mark.parametrize("text", [
    'ends in a "quote"', "ends in a \\", 'ends in """', '"', '""', '"""', '""""', "\\", '\\"', '"\n', '" ',
    f'"""\n{CODE}\n"""',
    "first\n\n    indented: kept\n        hanging\n\nlast", "x" * 300, "word " * 60,
])  # fmt: skip
def test_docstrings_that_are_hard_to_close(text: str) -> None:
    value = ast.literal_eval(docstring(text, 0))
    assert value.split() == text.split()


def test_long_lines_are_wrapped() -> None:
    assert max(map(len, docstring("word " * 60, 8).split("\n"))) <= 120

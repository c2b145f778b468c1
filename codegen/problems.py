"""Findings about a document: what is wrong, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding. `place` is a JSON pointer into the document, or a file name."""

    place: str
    message: str

    def __str__(self) -> str:
        """One line. What a terminal would obey rather than show is spelled out."""
        text = f"{self.place}: {self.message}"
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


class CodegenError(Exception):
    """The generator can't go on. Carries every problem that was found, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def fail(place: str, message: str) -> CodegenError:
    """A CodegenError of one problem."""
    return CodegenError([Problem(place, message)])


def pointer(*parts: object) -> str:
    """A JSON pointer from its unescaped parts; `#`, the whole document, from none."""
    return "#" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)

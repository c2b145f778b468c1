"""A run written down: for a terminal, a build server, a page of text, a browser. Plain values in, text out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath

from ..findings import Outcome
from .html import html
from .junit import junit
from .markdown import markdown
from .text import text

REPORTS: Mapping[str, Callable[[Outcome], str]] = {"text": text, "junit": junit, "markdown": markdown, "html": html}
_SUFFIXES = {".html": "html", ".htm": "html", ".xml": "junit", ".md": "markdown"}


def form_of(name: str | None) -> str:
    """The form that a file's name asks for."""
    return "text" if name is None else _SUFFIXES.get(PurePath(name).suffix.lower(), "text")

"""Reads a document from a file or an address."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .parsing import parse
from .problems import fail

LARGEST = 64 * 1024 * 1024
"""Bytes beyond which a source is refused: the real document has half a megabyte."""
_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Source:
    """A document as found, before anything was done to it."""

    name: str
    """Last part of its path or address, without a query."""
    sha256: str
    document: dict[str, Any]


def read(location: str) -> Source:
    """Fetch and parse `location`, a path or an http(s) address. Raises CodegenError."""
    remote = location.startswith(("http://", "https://"))
    content = _download(location) if remote else _open(location)
    if len(content) > LARGEST:
        raise fail(location, f"is larger than {LARGEST} bytes")
    bare = location.split("?", 1)[0].split("#", 1)[0] if remote else location
    name = bare.rstrip("/").rsplit("/", 1)[-1] or location
    return Source(name, hashlib.sha256(content).hexdigest(), parse(content, location))


def _open(location: str) -> bytes:
    try:
        with Path(location).open("rb") as stream:
            return stream.read(LARGEST + 1)
    except OSError as error:
        raise fail(location, f"could not be read: {error.strerror or error}") from error
    except ValueError as error:
        raise fail(repr(location), f"is no path: {error}") from error


def _download(location: str) -> bytes:
    import httpx

    content = bytearray()
    try:
        with httpx.stream("GET", location, follow_redirects=True, timeout=_TIMEOUT) as response:
            response.raise_for_status()
            for part in response.iter_bytes():
                content += part
                if len(content) > LARGEST:
                    break
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        reason = " ".join(str(error).split())
        raise fail(location, f"could not be fetched: {reason or type(error).__name__}") from error
    return bytes(content)

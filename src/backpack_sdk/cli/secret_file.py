"""Files that hold a secret: readable by their owner alone, and never written over another file."""

from __future__ import annotations

import os
from pathlib import Path

_OWNER_ONLY = 0o600


def write_secret(path: Path, secret: str) -> None:
    """Write a secret into a new file.

    Raises:
        FileExistsError: the file exists already; it may hold a key that is still needed.
        OSError: it can't be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except FileExistsError:
        raise FileExistsError(f"{path} exists already and may hold a key that is needed: choose another name") from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{secret}\n")

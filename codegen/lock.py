"""The lock: which source the committed document was made from, and what is in it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from .output import json_text
from .problems import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from .ir import Api

LOCK = "lock.json"


def lock_text(source: str, source_sha256: str, imported: str, document: dict[str, Any], api: Api) -> str:
    """The lock of a document. `imported` is the day, as ISO 8601."""
    told = _told(json_text(document), document, api)
    return json_text({"source": source, "source_sha256": source_sha256, "imported": imported, **told})


def _told(text: str, document: dict[str, Any], api: Api) -> dict[str, Any]:
    return {
        "spec_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "operations": len(api.operations),
        "schemas": len(document["components"]["schemas"]),
        "signed": sum(operation.instruction is not None for operation in api.operations),
    }


def check_lock(lock: Path, spec: Path, document: dict[str, Any], api: Api) -> list[Problem]:
    """Whether the lock speaks of the committed document."""
    try:
        told = json.loads(lock.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return [Problem(str(lock), f"can't be read ({error}); run `python -m codegen import` again")]
    expected = _told(spec.read_text(encoding="utf-8"), document, api)
    if not isinstance(told, dict) or told.get("spec_sha256") != expected["spec_sha256"]:
        return [Problem(str(lock), f"speaks of another {spec.name}; run `python -m codegen import` again")]
    return [
        Problem(str(lock), f"counts {told.get(name)} {name}, the document has {count}")
        for name, count in expected.items()
        if told.get(name) != count
    ]

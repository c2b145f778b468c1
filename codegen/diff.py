"""What changed between two documents, for somebody who calls the SDK, and whether it breaks their code.

Two directions decide. What the SDK gives (fields of replies) may become narrower: every new value is still one the
old code knew. What it takes (arguments, and models inside requests) may become wider: every old value still goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .change import Change
from .compatible import Types
from .diff_models import class_changes
from .diff_operations import operation_changes

if TYPE_CHECKING:
    from .ir import Api


def compare(old: Api, new: Api) -> tuple[Change, ...]:
    """Every difference between two documents that a user of the SDK can notice, sorted.

    Wording, order and the file a class lives in are no differences.
    """
    types = Types(new)
    changes = {*operation_changes(old, new, types), *class_changes(old, new, types)}
    return tuple(sorted(changes, key=lambda one: (not one.about_method, one.owner, one.kind, one.member, one.text)))

"""One row of the answer to a batch: the order, or why it was refused."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import PrivateAttr

from .errors import BY_CODE, BadRequest
from .model import Model


class BatchResult(Model):
    """One row of a batch's answer, in the order the batch had.

    `ok` says which of the two it is; `unwrap()` gives the order or raises the refusal.
    """

    operation: str
    """`Ok` for a row that was carried out, `Err` for one that was refused."""

    _order_model: ClassVar[type[Model]]
    _error_model: ClassVar[type[Model]]
    _item: Any = PrivateAttr(default=None)

    def model_post_init(self, _context: Any, /) -> None:
        """Read the rest of the row as what `operation` says it is."""
        if self.operation in ("Ok", "Err"):
            model = self._order_model if self.ok else self._error_model
            self._item = model.model_validate(dict(self.model_extra or {}))

    @property
    def ok(self) -> bool:
        """Whether this row was carried out."""
        return self.operation == "Ok"

    def unwrap(self) -> Any:
        """The order. Raises for a row that was refused what a single request would have raised, mostly BadRequest."""
        if self.ok:
            return self._item
        code, message = getattr(self._item, "code", None), getattr(self._item, "message", "")
        text = str(code) if code is not None else None
        kind = BY_CODE.get(text or "", BadRequest)
        raise kind(f"{text or self.operation}: {message}", message=str(message), code=text)

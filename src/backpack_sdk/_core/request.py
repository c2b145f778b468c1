"""An operation of the API, and one request to it: plain values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .reply import Reply

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Paging:
    """How an operation pages: the wire names it has, and the page sizes it allows."""

    default_limit: int | None
    """Rows per page when no limit is sent."""
    maximum_limit: int | None
    """Most rows one page can have; None when the document does not say."""
    offset: bool = False
    """Whether rows can be skipped by `offset`."""
    window: bool = False
    """Whether rows can be chosen by a time range, `from` and `to` or `startTime` and `endTime`."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API, as the document has it."""

    name: str
    """Method name in the SDK."""
    tag: str
    """Namespace in the SDK."""
    method: str
    """HTTP method."""
    path: str
    """Path below the host."""
    instruction: str | None = None
    """Name that is signed with a private request; None for public ones."""
    assumed: bool = False
    """Whether the instruction is not documented but the one in use elsewhere."""
    paging: Paging | None = None
    """How the rows page; None when they do not."""
    headers: tuple[str, ...] = ()
    """Optional headers, in lower case, beyond those of the signature."""

    @property
    def is_command(self) -> bool:
        """Whether the operation may change something, so that sending it twice matters."""
        return self.method != "GET"

    def __str__(self) -> str:
        return f"{self.tag}.{self.name}"


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """One request, ready to be signed and sent; `T` is the type of its result.

    `query` and `body` hold wire values. A parameter that was not given is not in them.
    """

    operation: Operation
    reply: Reply[T] = field(repr=False)
    query: Mapping[str, Any] = field(default_factory=dict[str, Any])
    body: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    headers: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def client_id(self) -> int | str | None:
        """The caller's own id inside the body, by which a command can be found again."""
        if not hasattr(self.body, "get"):
            return None
        found = None
        for name in ("clientId", "clientStrategyId"):
            value = self.body.get(name)  # type: ignore[union-attr]
            found = value if found is None else found
        return found


def present(values: dict[str, Any], needed: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The values that were given. Raises InvalidArgument for one in `needed`, arguments by wire name, that was not."""
    given = {name: value for name, value in values.items() if value is not None}
    if needed is not None:
        for name, argument in needed.items():
            if name not in given:
                raise InvalidArgument(argument, "is required")
    return given

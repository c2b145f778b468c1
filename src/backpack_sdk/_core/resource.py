"""What generated namespaces stand on: a thing that can send a request."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, TypeVar

if TYPE_CHECKING:
    from .request import Request

T = TypeVar("T")
ResourceT = TypeVar("ResourceT", bound="Resource")
AsyncResourceT = TypeVar("AsyncResourceT", bound="AsyncResource")


class Sender(ABC):
    """Sends requests and waits for the result."""

    _resources: dict[type[Resource], Resource]

    @abstractmethod
    def send(self, request: Request[T], *, timeout: float | None = None) -> T:
        """Send one request; the timeout is in seconds."""

    def _resource(self, kind: type[ResourceT]) -> ResourceT:
        found = self._resources.get(kind)
        if found is None:
            found = self._resources.setdefault(kind, kind(self))
        return found  # type: ignore[return-value]


class AsyncSender(ABC):
    """Sends requests without blocking the event loop."""

    _resources: dict[type[AsyncResource], AsyncResource]

    @abstractmethod
    async def send(self, request: Request[T], *, timeout: float | None = None) -> T:  # noqa: ASYNC109 - seconds for httpx
        """Send one request; the timeout is in seconds."""

    def _resource(self, kind: type[AsyncResourceT]) -> AsyncResourceT:
        found = self._resources.get(kind)
        if found is None:
            found = self._resources.setdefault(kind, kind(self))
        return found  # type: ignore[return-value]


class Resource:
    """One namespace of a blocking client."""

    _tag: ClassVar[str]

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def _send(self, request: Request[T], timeout: float | None) -> T:
        return self._sender.send(request, timeout=timeout)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: operations of `{self._tag}`>"


class AsyncResource:
    """One namespace of an async client."""

    _tag: ClassVar[str]

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def _send(self, request: Request[T], timeout: float | None) -> T:  # noqa: ASYNC109 - seconds for httpx
        return await self._sender.send(request, timeout=timeout)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: operations of `{self._tag}`>"

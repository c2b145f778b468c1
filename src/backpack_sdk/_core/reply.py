"""What comes back: decoders for each kind of body, and types for replies that carry none."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any, Generic, TypeVar, final

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
U = TypeVar("U")


class _Empty:
    """A reply that is its status. `content` is empty unless the exchange sent something all the same.

    Raises ValueError for a web page: that came from something between us and the exchange.
    """

    __slots__ = ("content",)
    status: int

    def __init__(self, content: bytes = b"") -> None:
        if content.lstrip().startswith(b"<"):
            raise ValueError("a web page came where an empty reply is documented")
        self.content = content

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


@final
class Acknowledged(_Empty):
    """HTTP 200 without a body: the exchange has done what was asked."""

    __slots__ = ()
    status = 200


@final
class Accepted(_Empty):
    """HTTP 202 without a body: the exchange took the command and has **not done it yet**.

    Ask again, or listen to order updates, to see it happen.
    """

    __slots__ = ()
    status = 202


@final
class NoContent(_Empty):
    """HTTP 204: the request was fine and there is nothing to show."""

    __slots__ = ()
    status = 204


@final
class TextReply(str):
    """A reply of plain text."""

    __slots__ = ()


class Reply(Generic[T]):
    """Decoders of one operation by HTTP status. Built when the module loads; type adapters only when first used."""

    __slots__ = ("_decoders",)

    def __init__(self, decoders: dict[int, Callable[[bytes], T]]) -> None:
        self._decoders = decoders

    def also(self, status: int, empty: Callable[[bytes], U]) -> Reply[T | U]:
        """The same reply, which may also come back as `empty` with `status`."""
        return Reply[Any]({**self._decoders, status: empty})

    def statuses(self) -> tuple[int, ...]:
        """The successful statuses this operation documents."""
        return tuple(self._decoders)

    def decode(self, status: int, content: bytes) -> T:
        """The typed reply. Raises ValueError when the status or the body is not a documented one."""
        decoder = self._decoders.get(status)
        if decoder is None:
            raise ValueError(f"HTTP {status} is not a documented reply of this operation")
        return decoder(content)


_LARGE = 32 * 1024
"""Bytes of a body from which on the garbage collector is paused while it is read."""


class _Json(Generic[T]):
    __slots__ = ("_adapter", "_type")

    def __init__(self, type_: type[T]) -> None:
        self._type = type_
        self._adapter: TypeAdapter[T] | None = None

    def __call__(self, content: bytes) -> T:
        if self._adapter is None:
            self._adapter = TypeAdapter(self._type)
        if len(content) < _LARGE or not gc.isenabled():
            return self._adapter.validate_json(content)
        # Everything that is built here stays: looking for garbage in it, again and again, would take half of the time.
        gc.disable()
        try:
            return self._adapter.validate_json(content)
        finally:
            gc.enable()

    def __reduce__(self) -> tuple[Any, ...]:
        return _Json, (self._type,)


def json_reply(type_: type[T], status: int = 200) -> Reply[T]:
    """A reply whose body is JSON of `type_`."""
    return Reply({status: _Json(type_)})


class _Parsed(Generic[T]):
    __slots__ = ("_parse",)

    def __init__(self, parse: Callable[[Any], T]) -> None:
        self._parse = parse

    def __call__(self, content: bytes) -> T:
        return self._parse(content.decode().strip())


def _text(content: bytes) -> TextReply:
    return TextReply(content.decode())


def text_reply() -> Reply[TextReply]:
    """A reply whose body is plain text."""
    return Reply({200: _text})


def parsed_text_reply(parse: Callable[[Any], T]) -> Reply[T]:
    """A reply whose body is plain text that means one value."""
    return Reply({200: _Parsed(parse)})


def empty_reply(empty: Callable[[bytes], T], status: int = 200) -> Reply[T]:
    """A reply without a body."""
    return Reply({status: empty})

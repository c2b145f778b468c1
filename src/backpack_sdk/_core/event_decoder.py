"""From a frame to its event: one pass for what is usual, patience for the rest."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Union

import msgspec

from .channel import Channel, by_prefix, find_channel
from .errors import InvalidFrame
from .event_fields import convert
from .events import FRAME, UNREADABLE, ErrorFrame, Frame, StreamEvent, UnknownEvent, as_bytes, attach, parse_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class _Head(msgspec.Struct):
    """A frame whose payload nobody has looked into."""

    stream: Any = None
    data: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


_head = msgspec.json.Decoder(_Head).decode
_any = msgspec.json.Decoder(float_hook=Decimal).decode


class EventDecoder:
    """Decodes frames of a set of channels. Holds no state between frames."""

    __slots__ = ("_channels", "_fast", "_narrow", "_strictly")

    def __init__(self, channels: Iterable[Channel]) -> None:
        self._channels = by_prefix(channels)
        events = {channel.event for channel in self._channels.values()}
        self._strictly = {event: msgspec.json.Decoder(event).decode for event in events}
        tagged = tuple(event for event in events if event.__struct_config__.tag is not None)
        self._fast = _envelope_decoder(tagged)
        self._narrow = {event: _envelope_of(event) for event in tagged}

    def decode(self, frame: Frame) -> StreamEvent | ErrorFrame:
        """The event in a frame, or the refusal.

        What fits no class is an UnknownEvent; its `problem` says why, when the stream is a known one. Raises
        InvalidFrame for a frame that is no JSON object, or that fits no class and can't be read.
        """
        try:
            event: StreamEvent = self._fast(frame).data
        except UNREADABLE:
            found = self._patiently(frame)
            if isinstance(found, ErrorFrame):
                return found
            event = found
        attach(event, FRAME, frame)
        return event

    def decode_named(self, frame: Frame) -> tuple[str | None, StreamEvent | ErrorFrame]:
        """Like `decode`, with the stream's name in front: None where the frame has none."""
        try:
            envelope = self._fast(frame)
        except UNREADABLE:
            found = self._patiently(frame)
            if isinstance(found, ErrorFrame):
                return None, found
            attach(found, FRAME, frame)
            return found.stream, found
        event = envelope.data
        attach(event, FRAME, frame)
        return envelope.stream, event

    def decode_bare(self, frame: Frame) -> StreamEvent | ErrorFrame:
        """Like `decode`, but the event forgets its frame: `stream` is None, and `wire` has only the known fields."""
        try:
            event: StreamEvent = self._fast(frame).data
        except UNREADABLE:
            return self._patiently(frame)
        return event

    def usual(self, event: type[StreamEvent] | None = None) -> Callable[[Frame], Any]:
        """A function that reads a usual frame into an object with `stream` and `data`, whose data forgets its frame.

        It reads events of one class only when that is given, and is then a little faster; it is for connections without
        streams of other classes, for it may take a payload that does not say what it is. Whatever else comes makes it
        raise one of UNREADABLE; pass that to `decode_named`.
        """
        return self._fast if event is None else self._narrow.get(event, self._fast)

    def _patiently(self, frame: Frame) -> StreamEvent | ErrorFrame:
        try:
            head = _head(frame)
        except UNREADABLE as error:
            raise InvalidFrame(f"the frame is no JSON object: {error}", as_bytes(frame)) from None
        if not bytes(head.data):
            refused = bytes(head.error) not in (b"", b"null")
            return _refusal(head.error) if refused else _unknown(frame)
        channel = find_channel(self._channels, head.stream) if isinstance(head.stream, str) else None
        if channel is None:
            return _unknown(frame)
        try:
            return self._of_kind(channel.event, head.data)
        except UNREADABLE as error:
            return _unknown(frame, str(error))

    def _of_kind(self, event: type[StreamEvent], payload: msgspec.Raw) -> StreamEvent:
        try:
            found: StreamEvent = self._strictly[event](payload)
        except msgspec.ValidationError:
            return convert(_any(payload), event)
        return found


def _envelope_decoder(tagged: tuple[type[StreamEvent], ...]) -> Callable[[Frame], Any]:
    if len(tagged) < 2:
        return _never  # a single class would take payloads without a tag, whatever their stream
    return _envelope_of(Union[tagged])  # noqa: UP007


def _envelope_of(payload: Any) -> Callable[[Frame], Any]:
    envelope = msgspec.defstruct("Envelope", [("data", payload), ("stream", str)], gc=False)
    return msgspec.json.Decoder(envelope).decode


def _never(_frame: Frame) -> Any:
    raise msgspec.ValidationError("nothing tells the events apart")


def _unknown(frame: Frame, problem: str | None = None) -> UnknownEvent:
    parse_frame(frame)  # nobody has looked into the payload yet, and its `wire` must work
    return UnknownEvent(frame=as_bytes(frame), problem=problem)


def _refusal(error: msgspec.Raw) -> ErrorFrame:
    try:
        told = _any(error)
    except UNREADABLE:
        told = None
    if not isinstance(told, dict):
        told = {"message": told}
    code, message = told.get("code"), told.get("message")
    return ErrorFrame(
        code=code if type(code) is int else None,
        message=message if isinstance(message, str) else "the exchange gave no reason",
    )

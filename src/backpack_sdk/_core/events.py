"""The base of every stream event: immutable, exact, and with the frame it came in at hand.

An event is decoded once, straight into its class. The rest (the stream's name, the payload as received, fields that are
new) is read from the frame only when somebody asks.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from pydantic_core import core_schema

from .errors import InvalidFrame
from .event_fields import convert
from .scalars import plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler

Frame: TypeAlias = bytes | str
FRAME = "_frame"
"""Where the decoder leaves the frame in an event's `__dict__`."""
UNREADABLE = (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError)
"""What decoding JSON can raise, whatever it is given."""
POLLED = "_polled"
"""Set in the `__dict__` of an event that was made from a REST reply."""
_WIDEST = 40

attach = msgspec.structs.force_setattr


def _exact_float(text: str) -> float | Decimal:
    """A JSON number with a point: a float where that says the same, else a Decimal."""
    exact, number = Decimal(text), float(text)
    return number if Decimal(repr(number)) == exact else exact


class _Name(msgspec.Struct):
    """The name on a frame."""

    stream: Any = None


_name = msgspec.json.Decoder(_Name).decode
_read = msgspec.json.Decoder(float_hook=_exact_float).decode
_write = msgspec.json.Encoder(decimal_format="number").encode


class StreamEvent(msgspec.Struct, frozen=True, kw_only=True, dict=True, omit_defaults=True):
    """One event of a stream.

    Immutable; equal and hashed by its fields. Times are whole numbers named by their unit (`event_time_us`), with a
    `datetime` beside each (`event_time`), which raises ValueError when the number is no time between the years 1 and
    9999.
    """

    @property
    def stream(self) -> str | None:
        """Name of the stream it came on, such as `trade.SOL_USDC`; None when it did not come from a stream."""
        frame = self._received()
        if frame is None:
            return None
        name = _name(frame).stream
        return name if isinstance(name, str) else None

    @property
    def polled(self) -> bool:
        """Whether it was made from a REST reply because the socket was down, and is no event of the stream."""
        return POLLED in self.__dict__

    @property
    def wire(self) -> dict[str, Any]:
        """The payload with every field as received, under its wire name; a new dictionary each time.

        An event that was built by hand gives its own fields. Raises InvalidFrame when a field that is new holds what
        can't be read: a number of thousands of digits, text that is not UTF-8.
        """
        frame = self._received()
        if frame is None:
            return _own_wire(self)
        whole = parse_frame(frame)
        data = whole.get("data")
        return data if isinstance(data, dict) else whole

    @property
    def extra(self) -> dict[str, Any]:
        """The fields of `wire` that this class does not know, under their wire names."""
        known = {*self.__struct_encode_fields__, self.__struct_config__.tag_field}
        return {name: value for name, value in self.wire.items() if name not in known}

    def _received(self) -> Frame | None:
        return self.__dict__.get(FRAME)

    def __repr__(self) -> str:
        shown = ((name, getattr(self, name)) for name in self.__struct_fields__)
        fields = ", ".join(f"{name}={_shown(value)}" for name, value in shown if value is not None)
        return f"{type(self).__name__}({fields})"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: Any) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return _rebuild, (type(self), fields, dict(self.__dict__))

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Self:
        """Build an event from its payload, or from a whole frame with `stream` and `data`.

        Raises ValueError when a field is missing or of the wrong kind.
        """
        whole = wire if set(wire) == {"stream", "data"} else {"data": dict(wire)}
        try:
            event = convert(whole["data"], cls)
            attach(event, FRAME, _write(whole))
        except (*UNREADABLE, TypeError) as error:
            raise ValueError(str(error)) from None
        return event

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Lets a pydantic model hold events: takes one or its payload, and writes the payload."""

        def validate(value: Any) -> StreamEvent:
            if isinstance(value, cls):
                return value
            if not isinstance(value, dict):
                raise ValueError(f"expected a {cls.__name__}, or its payload as a mapping")
            return cls.from_wire(value)

        return core_schema.no_info_plain_validator_function(
            validate, serialization=core_schema.plain_serializer_function_ser_schema(_wire_of)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "object", "title": cls.__name__}


class UnknownEvent(StreamEvent, frozen=True, kw_only=True):
    """A frame that fits no class: on a stream the SDK does not know, or with a payload it can't read.

    `stream` and `wire` give what is in it; `wire` is the whole frame when that has no payload object.
    """

    frame: bytes
    """The frame as received."""
    problem: str | None = None
    """Why the payload does not fit its stream's class; None when the SDK does not know the stream."""

    @property
    def extra(self) -> dict[str, Any]:
        """Everything: no field is known."""
        return self.wire

    def _received(self) -> Frame:
        return self.frame

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Self:
        """Build one from a payload, or from a whole frame with `stream` and `data`. Raises ValueError."""
        whole = wire if set(wire) == {"stream", "data"} else {"data": dict(wire)}
        try:
            return cls(frame=_write(whole))
        except (*UNREADABLE, TypeError) as error:
            raise ValueError(str(error)) from None


class ErrorFrame(msgspec.Struct, frozen=True, kw_only=True):
    """A refusal: a command the exchange could not read, a stream it does not have. The connection stays open."""

    code: int | None
    """The exchange's number, such as 4006; None when it sent none."""
    message: str
    """The exchange's text."""


def stream_parameter(stream: str | None) -> str | None:
    """What stands between the first two dots of a stream's name: the interval in `kline.1m.SOL_USDC`."""
    parts = stream.split(".", 2) if stream is not None else []
    return parts[1] if len(parts) == 3 else None


def spelt_as_rest(text: str) -> str:
    """A name in capitals as REST spells it: `POST_ONLY` becomes `PostOnly`. Any other stays as it is."""
    return "".join(word.capitalize() for word in text.split("_")) if text.isupper() else text


def parse_frame(frame: Frame) -> dict[str, Any]:
    """Everything in a frame. Raises InvalidFrame."""
    try:
        whole = _read(frame)
    except UNREADABLE as error:
        raise InvalidFrame(f"the frame can't be read: {error}", as_bytes(frame)) from None
    if not isinstance(whole, dict):
        raise InvalidFrame("the frame is no JSON object", as_bytes(frame))
    return whole


def as_bytes(frame: Frame) -> bytes:
    """A frame as bytes; half a surrogate pair, which is no text, becomes a question mark."""
    return frame.encode("utf-8", "replace") if isinstance(frame, str) else frame


def _own_wire(event: StreamEvent) -> dict[str, Any]:
    config = event.__struct_config__
    wire: dict[str, Any] = {} if config.tag_field is None else {config.tag_field: config.tag}
    for name, key in zip(event.__struct_fields__, event.__struct_encode_fields__, strict=True):
        value = getattr(event, name)
        if value is not None:
            wire[key] = _plain(value)
    return wire


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Enum):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _shown(value: Any) -> str:
    if isinstance(value, Decimal):
        return plain(value) if value.is_finite() and abs(value.adjusted()) < _WIDEST else str(value)
    return str(value) if isinstance(value, Enum) else repr(value)


def _wire_of(event: StreamEvent) -> dict[str, Any]:
    return event.wire


def _rebuild(cls: type[StreamEvent], fields: dict[str, Any], attached: dict[str, Any]) -> StreamEvent:
    event = cls(**fields)
    for name, value in attached.items():
        attach(event, name, value)
    return event

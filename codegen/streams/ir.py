"""What the streams document says, as the templates need it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """A property that gives a field in a more convenient form."""

    name: str
    kind: str
    """`us` `ms` `iso` `levels` `text`, or `rest` for an enumeration spelt as REST does."""
    doc: str
    enum: str = ""
    """The enumeration of kind `rest`."""


@dataclass(frozen=True, slots=True)
class EventField:
    """One field of an event."""

    wire: str
    python: str
    annotation: str
    """Without the `None` that a field may also be."""
    optional: bool
    doc: str
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part of the stream's name that an event gives as a property."""

    name: str
    enum: str
    doc: str


@dataclass(frozen=True, slots=True)
class EventModel:
    """One class of events."""

    name: str
    doc: str
    tag: str | None
    """Value of `e` which says that an event is of this class."""
    fields: tuple[EventField, ...]
    parameter: Parameter | None


@dataclass(frozen=True, slots=True)
class StreamEnum:
    """One enumeration."""

    name: str
    doc: str
    members: tuple[tuple[str, str, str], ...]
    """Python name, value, documentation."""
    rest: str | None
    """Namespace of the REST enumeration that it is, `shared` for those that several use; None when it is its own."""


@dataclass(frozen=True, slots=True)
class StreamChannel:
    """One kind of stream."""

    name: str
    templates: tuple[str, ...]
    event: str
    doc: str
    private: bool
    sparse: bool
    silence: float | None
    intervals: tuple[str, ...]
    windows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Streams:
    """Everything of one document."""

    channels: tuple[StreamChannel, ...]
    models: tuple[EventModel, ...]
    enums: tuple[StreamEnum, ...]

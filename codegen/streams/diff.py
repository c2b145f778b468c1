"""What changed between two streams documents, for somebody who reads their events, and whether it breaks their code.

An event only ever comes in: its types may become narrower, and what is new does no harm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..change import Change, code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .ir import EventField, EventModel, Reading, StreamChannel, StreamEnum, Streams

WHAT = "channel"
"""What takes the place of an operation."""


def compare_streams(old: Streams, new: Streams) -> tuple[Change, ...]:
    """Every difference that a user of the SDK can notice, sorted. Wording and order are no differences."""
    changes = [*_channels(old, new), *_models(old, new), *_enums(old, new)]
    return tuple(sorted(changes, key=lambda one: (not one.about_method, one.owner, one.kind, one.member, one.text)))


def _channels(old: Streams, new: Streams) -> Iterator[Change]:
    before, after = ({one.name: one for one in streams.channels} for streams in (old, new))
    for name in sorted({*before, *after}):
        if name not in after:
            yield Change("channel.removed", name, "removed", True, "code that subscribes to it fails", "", (name,))
        elif name not in before:
            yield Change("channel.added", name, "added", False, "nobody uses it yet", "", (name,))
        else:
            for kind, text, breaks, why in _channel(before[name], after[name]):
                yield Change(f"channel.{kind}", name, text, breaks, why, "", (name,))


def _channel(old: StreamChannel, new: StreamChannel) -> Iterator[tuple[str, str, bool, str]]:
    for kind, before, after in (
        ("stream", old.templates, new.templates),
        ("interval", old.intervals, new.intervals),
        ("window", old.windows, new.windows),
    ):
        for one in sorted(set(before) - set(after)):
            yield f"{kind}.removed", f"{kind} {code(one)} removed", True, "code that subscribes to it fails"
        for one in sorted(set(after) - set(before)):
            yield f"{kind}.added", f"{kind} {code(one)} added", False, "nobody uses it yet"
    if old.event != new.event:
        text = f"its events were {code(old.event)}, are {code(new.event)}"
        yield "event", text, True, "code gets another class"
    if old.private != new.private:
        text = "was public, is private" if new.private else "was private, is public"
        why = "a subscription must be signed" if new.private else "a signed subscription still goes"
        yield "private", text, new.private, why
    if old.silence != new.silence:
        was, now = (_seconds(one.silence) for one in (old, new))
        yield "silence", f"came {was}, comes {now}", False, "the events are the same"
    if old.sparse != new.sparse:
        text = "is hardly documented any more" if new.sparse else "is documented now"
        yield "documentation", text, False, "the events are the same"


def _seconds(silence: float | None) -> str:
    return "only on a change" if silence is None else f"every {silence:g} s"


def _models(old: Streams, new: Streams) -> Iterator[Change]:
    before, after = ({one.name: one for one in streams.models} for streams in (old, new))
    yield from _whole("model", before, after, old, new)
    for name in sorted(before.keys() & after.keys()):
        affects = tuple(sorted({one.name for one in (*old.channels, *new.channels) if one.event == name}))
        for kind, member, text, breaks, why in _model(before[name], after[name]):
            yield Change(kind, f"{name}.{member}" if member else name, text, breaks, why, member, affects)


def _model(old: EventModel, new: EventModel) -> Iterator[tuple[str, str, str, bool, str]]:
    if old.tag != new.tag:
        was, now = ("nothing" if one.tag is None else code(one.tag) for one in (old, new))
        yield "model.tag", "", f"was told by the tag {was}, is by {now}", False, "the SDK chooses the class"
    before, after = ({one.python: one for one in model.fields} for model in (old, new))
    for name in sorted({*before, *after}):
        if name not in after:
            yield "field.removed", name, f"field {code(name)} removed", True, "code that reads it fails"
        elif name not in before:
            one = after[name]
            text = f"field {code(name)} added: {code(f'{one.annotation} | None' if one.optional else one.annotation)}"
            yield "field.added", name, text, False, "existing code ignores it"
        else:
            for kind, text, breaks, why in _field(before[name], after[name]):
                yield f"field.{kind}", name, f"field {code(name)} {text}", breaks, why
    yield from _properties(old, new)


def _field(old: EventField, new: EventField) -> Iterator[tuple[str, str, bool, str]]:
    if old.annotation != new.annotation:
        narrower = set(new.annotation.split(" | ")) <= set(old.annotation.split(" | "))
        text = f"was {code(old.annotation)}, is {code(new.annotation)}"
        why = "every new value is one of the old type" if narrower else "code that reads it gets another type"
        yield "type", text, not narrower, why
    if old.optional != new.optional:
        why = "type-checked code must expect `None`" if new.optional else "code that expects `None` still works"
        yield "presence", "may now be `None`" if new.optional else "is now always there", new.optional, why
    if old.wire != new.wire:
        text = f"was {code(old.wire)} on the wire, is {code(new.wire)}"
        yield "wire", text, False, "its name in Python is the same"


def _properties(old: EventModel, new: EventModel) -> Iterator[tuple[str, str, str, bool, str]]:
    before, after = (_readings(model) for model in (old, new))
    for name in sorted({*before, *after}):
        if name not in after:
            yield "property.removed", name, f"property {code(name)} removed", True, "code that reads it fails"
        elif name not in before:
            yield "property.added", name, f"property {code(name)} added", False, "existing code ignores it"
        elif before[name] != after[name]:
            text = f"property {code(name)} was read as {code(before[name])}, is as {code(after[name])}"
            yield "property.type", name, text, True, "code that reads it gets another value"


def _readings(model: EventModel) -> dict[str, str]:
    found = {one.reading.name: _kind(one.reading) for one in model.fields if one.reading is not None}
    return found if model.parameter is None else {**found, model.parameter.name: model.parameter.enum}


def _kind(reading: Reading) -> str:
    return reading.enum or reading.kind


def _enums(old: Streams, new: Streams) -> Iterator[Change]:
    before, after = ({one.name: one for one in streams.enums} for streams in (old, new))
    yield from _whole("enum", before, after, old, new)
    for name in sorted(before.keys() & after.keys()):
        affects = _users(name, old, new)
        was, now = ({value: member for member, value, _ in one.members} for one in (before[name], after[name]))
        for value in sorted(was.keys() - now.keys()):
            text = f"member {code(value)} removed"
            why = "code that names a removed member fails"
            yield Change("member.removed", f"{name}.{was[value]}", text, True, why, was[value], affects)
        for value in sorted(now.keys() - was.keys()):
            text = f"member {code(value)} added"
            why = "the enum is open: old code took it as an unknown value"
            yield Change("member.added", f"{name}.{now[value]}", text, False, why, now[value], affects)


def _users(enum: str, *several: Streams) -> tuple[str, ...]:
    """Channels whose events have the enumeration."""
    models = {
        model.name
        for streams in several
        for model in streams.models
        if enum in {*_readings(model).values(), *(one.annotation for one in model.fields)}
    }
    return tuple(sorted({one.name for streams in several for one in streams.channels if one.event in models}))


def _whole(
    kind: str,
    before: dict[str, EventModel] | dict[str, StreamEnum],
    after: dict[str, EventModel] | dict[str, StreamEnum],
    old: Streams,
    new: Streams,
) -> Iterator[Change]:
    for name in sorted(after.keys() - before.keys()):
        yield Change(f"{kind}.added", name, f"{kind} added", False, "nobody uses it yet", "", _holders(kind, name, new))
    for name in sorted(before.keys() - after.keys()):
        why = "code that imports a removed class fails"
        yield Change(f"{kind}.removed", name, f"{kind} removed", True, why, "", _holders(kind, name, old))


def _holders(kind: str, name: str, streams: Streams) -> tuple[str, ...]:
    if kind == "enum":
        return _users(name, streams)
    return tuple(sorted(one.name for one in streams.channels if one.event == name))

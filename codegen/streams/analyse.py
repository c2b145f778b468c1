"""An AsyncAPI document to channels, events and enumerations. Raises CodegenError with everything that is wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .. import names
from ..ir import Api
from ..problems import CodegenError, Problem
from ..reserved import EVENT_CLASSES
from .document import Document
from .fields import Fields
from .ir import EventModel, Parameter, StreamChannel, StreamEnum, Streams

if TYPE_CHECKING:
    from .document import Node
    from .ir import EventField

_PARAMETER = re.compile(r"\{([^{}]*)\}")
_ADDRESS = re.compile(r"[A-Za-z][\w-]*(\.[A-Za-z][\w-]*)*(\.\{[A-Za-z]\w*\})*", re.ASCII)
_PRIVATE = "account."
_EVER = 1e9


def read_streams(document: dict[str, Any], api: Api | None = None) -> tuple[Streams, tuple[Problem, ...]]:
    """The streams of a document, and what is undocumented or without a unit in it.

    An enumeration of `api`, the REST side, is used where the document says that it is the same. Raises CodegenError.
    """
    return _Analyst(Document(document), api or Api("", (), (), ())).streams()


class _Analyst:
    def __init__(self, document: Document, api: Api) -> None:
        self._document = document
        self._api = api
        self._fields = Fields(document, self._enum)
        self._enums: dict[str, StreamEnum] = {}
        self._models: dict[str, EventModel] = {}
        self._channels: dict[str, StreamChannel] = {}
        self._classes: dict[str, str] = {}

    def streams(self) -> tuple[Streams, tuple[Problem, ...]]:
        document = self._document
        version = document.root.get("asyncapi")
        if not isinstance(version, str) or not version.startswith("3."):
            raise CodegenError([Problem("#/asyncapi", f"is {version!r}; only AsyncAPI 3 can be read")])
        document.check_references()
        for key, channel, place in document.entries(document.mapping(document.root, "channels", (), needed=True),
                                                    ("channels",)):  # fmt: skip
            if channel.get("address") is not None:
                self._channel(key, channel, place)
        if document.problems:
            raise CodegenError(sorted(set(document.problems)))
        streams = Streams(
            tuple(self._channels.values()),
            tuple(self._models.values()),
            tuple(sorted(self._enums.values(), key=lambda enum: enum.name)),
        )
        return streams, tuple(sorted(set(document.remarks)))

    # Channels

    def _channel(self, key: str, node: Node, place: tuple[object, ...]) -> None:
        document = self._document
        address = node["address"]
        if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
            document.wrong((*place, "address"), "must be words joined by dots, then parameters: `word.{parameter}`")
            return
        if len(_stem(address).split(".")) != 1 + address.startswith(_PRIVATE):
            document.wrong((*place, "address"), "must begin with one word, or with `account.` and one more")
        choices = self._parameters(address, node, place)
        event = self._event(node, place)
        silence = self._silence(node, place)
        name = node.get("x-name", key)
        if not isinstance(name, str):
            document.wrong((*place, "x-name"), "must be a text")
            name = key
        if event is None:
            return
        channel = StreamChannel(
            names.stream(name),
            (address,),
            event,
            document.text(node, "description", place),
            address.startswith(_PRIVATE),
            node.get("x-documentation") == "sparse",
            silence,
            choices.get("interval", ()),
            choices.get("window", ()),
        )
        if node.get("x-private", channel.private) != channel.private:
            document.wrong((*place, "x-private"), "must say whether the address begins with `account.`")
        self._add(channel, place)

    def _silence(self, node: Node, place: tuple[object, ...]) -> float | None:
        seconds = node.get("x-silence")
        if seconds is None or (type(seconds) in (int, float) and 0 < seconds < _EVER):
            return None if seconds is None else float(seconds)
        self._document.wrong((*place, "x-silence"), "must be a number of seconds above zero, or null")
        return None

    def _add(self, channel: StreamChannel, place: tuple[object, ...]) -> None:
        """Streams of one name belong together: they differ by which parameters they have."""
        known = self._channels.get(channel.name)
        if known is None:
            stem = _stem(channel.templates[0])
            if any(_stem(other.templates[0]) == stem for other in self._channels.values()):
                self._document.wrong((*place, "address"), f"begins with {stem!r}, like a channel of another name")
            self._channels[channel.name] = channel
            return
        sets = [frozenset(_PARAMETER.findall(template)) for template in (*known.templates, *channel.templates)]
        if known.event != channel.event or _stem(known.templates[0]) != _stem(channel.templates[0]):
            self._document.wrong((*place, "x-name"), f"is {channel.name!r}, like another kind of stream")
        elif len(set(sets)) != len(sets):
            self._document.wrong((*place, "address"), "has the same parameters as another channel of its name")
        self._channels[channel.name] = StreamChannel(
            known.name,
            (*known.templates, *channel.templates),
            known.event,
            known.doc,
            known.private,
            known.sparse or channel.sparse,
            known.silence if known.silence is not None else channel.silence,
            known.intervals or channel.intervals,
            known.windows or channel.windows,
        )

    def _parameters(self, address: str, node: Node, place: tuple[object, ...]) -> dict[str, tuple[str, ...]]:
        """Values that the parameters of an address can have, by parameter."""
        where = (*place, "parameters")
        declared = self._document.mapping(node, "parameters", place)
        inside = _PARAMETER.findall(address)
        for name in sorted(set(declared) ^ set(inside)):
            problem = "is in the address but not declared" if name in inside else "is not in the address"
            self._document.wrong((*where, name), problem)
        if len([name for name in inside if name not in ("interval", "window")]) > 1 or len(set(inside)) < len(inside):
            self._document.wrong((*place, "address"), "has more than one parameter for what the stream is about")
        choices: dict[str, tuple[str, ...]] = {}
        for name, parameter, spot in self._document.entries(declared, where):
            self._document.text(parameter, "description", spot)
            choices[name] = self._document.texts(parameter, "enum", spot)
            if name in ("interval", "window") and not choices[name]:
                self._document.wrong((*spot, "enum"), "must list the values")
        return choices

    # Events

    def _event(self, node: Node, place: tuple[object, ...]) -> str | None:
        """Class of the one message of a channel."""
        document = self._document
        messages = document.mapping(node, "messages", place, needed=True)
        if len(messages) != 1:
            document.wrong((*place, "messages"), f"must hold one message, not {len(messages)}")
            return None
        found = document.entries(messages, (*place, "messages"))
        payload = document.follow(found[0][1].get("payload"), (*found[0][2], "payload")) if found else None
        if payload is None:
            return None
        schema, where = payload
        inner = document.mapping(schema, "properties", where, needed=True).get("data")
        resolved = document.follow(inner, (*where, "properties", "data"))
        return None if resolved is None else self._model(*resolved)

    def _model(self, schema: Node, place: tuple[object, ...]) -> str | None:
        name = self._class(place)
        if name not in self._models:
            if schema.get("type") != "object":
                self._document.wrong((*place, "type"), "of a payload must be object")
                return None
            tag = self._fields.tag(schema, place)
            if tag is not None and any(model.tag == tag for model in self._models.values()):
                self._document.wrong((*place, "properties", "e", "const"), f"is {tag!r}, like that of another payload")
            doc = self._document.text(schema, "description", place)
            fields, parameter = self._fields.read(schema, place), self._parameter(schema, place)
            if parameter is not None and any(parameter.name in _attributes(field) for field in fields):
                self._document.wrong((*place, "x-parameter", "name"), f"is {parameter.name!r}, like a field")
            self._models[name] = EventModel(name, doc, tag, fields, parameter)
        return name

    def _parameter(self, schema: Node, place: tuple[object, ...]) -> Parameter | None:
        if "x-parameter" not in schema:
            return None
        where = (*place, "x-parameter")
        told = self._document.mapping(schema, "x-parameter", place, needed=True)
        name, kind = told.get("name"), told.get("type")
        resolved = self._document.follow({"$ref": f"#/components/schemas/{kind}"}, (*where, "type"))
        if not isinstance(name, str) or resolved is None:
            self._document.wrong(where, "must have a name and the type of an enumeration")
            return None
        enum = self._enum(*resolved)
        doc = self._document.text(told, "description", where)
        return None if enum is None else Parameter(names.identifier(name, "parameter"), enum, doc)

    def _class(self, place: tuple[object, ...]) -> str:
        """Class of a schema, by the component's name."""
        key = "/".join(map(str, place))
        if key not in self._classes:
            name = names.class_name(str(place[-1]))
            taken = EVENT_CLASSES | {enum.name for enum in self._api.enums} | set(self._classes.values())
            while name in taken:
                name += "_"
            self._classes[key] = name
        return self._classes[key]

    # Enumerations

    def _enum(self, schema: Node, where: tuple[object, ...]) -> str | None:
        """Class of an enumeration."""
        values = self._document.texts(schema, "enum", where)
        if not values or schema.get("type") != "string":
            self._document.wrong(where, "must be a text with an `enum`: no other component can be a field")
            return None
        rest = self._rest(schema, values, where)
        if rest is not None:
            self._enums[rest.name] = rest
            return rest.name
        name = self._class(where)
        if name not in self._enums:
            doc = self._document.text(schema, "description", where)
            told = self._document.mapping(schema, "x-members", where)

            def explain(value: str) -> str:
                shared = isinstance(schema.get("x-rest"), str)
                return "" if shared else self._document.text(told, value, (*where, "x-members", value))

            members = names.unique([(value, names.member_name(value)) for value in dict.fromkeys(values)])
            self._enums[name] = StreamEnum(
                name, doc, tuple((members[value], value, explain(value)) for value in dict.fromkeys(values)), None
            )
        return name

    def _rest(self, schema: Node, values: tuple[str, ...], place: tuple[object, ...]) -> StreamEnum | None:
        """The REST enumeration that this one is, when the REST document has it."""
        name = schema.get("x-rest")
        enum = next((one for one in self._api.enums if one.name == name), None)
        if enum is None:
            return None
        missing = ", ".join(map(repr, sorted(set(values) ^ {member.value for member in enum.members})))
        if missing:
            self._document.lacks((*place, "enum"), f"differs from {enum.name} of REST by {missing}")
        return StreamEnum(enum.name, enum.doc, (), self._api.homes[enum.name])


def _attributes(field: EventField) -> set[str]:
    return {field.python} if field.reading is None else {field.python, field.reading.name}


def _stem(address: str) -> str:
    """What the names of a channel's streams begin with."""
    return address.split(".{", 1)[0]

"""A normalised document to the intermediate representation: every decision about the SDK's shape."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import names as naming
from .homes import homes
from .ir import Api, Enum, Field, Limits, Member, Model, Operation, Outcome, Type
from .problems import Problem, fail, pointer
from .schemas import operations as raw_operations
from .types import UNITS, type_of, whole_type
from .validate import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .overlay import Overlays

_WINDOWS = ({"from", "to"}, {"startTime", "endTime"})
_Body = tuple[tuple[Field, ...], Field | None, str | None]
"""Flat arguments, or the one argument, and the model of an operation's body."""
_EMPTY = {"200": "acknowledged", "201": "acknowledged", "202": "accepted", "204": "no_content"}


class Analyst:
    """Looks at one document; `remarks` collects what it had to decide without being told."""

    def __init__(self, document: dict[str, Any], overlays: Overlays, remarks: list[Problem]) -> None:
        schemas = document["components"]["schemas"]
        pinned = overlays.names.classes
        self.document = document
        self.overlays = overlays
        self.remarks = remarks
        self.enum_names = frozenset(name for name, schema in schemas.items() if "enum" in schema)
        self.classes = naming.unique_classes(
            ((name, pinned.get(name) or naming.class_name(name)) for name in schemas),
            self.enum_names,
            taken=(naming.constant(naming.operation(raw["operationId"])) for raw in raw_operations(document)),
        )

    def api(self) -> Api:
        """The whole document as the generator understands it. Raises CodegenError."""
        schemas = self.document["components"]["schemas"]
        enums = tuple(self._enum(name, schemas[name]) for name in sorted(self.enum_names))
        models = tuple(self._model(name, schemas[name]) for name in sorted(set(schemas) - self.enum_names))
        operations = tuple(sorted(self._operations(), key=lambda operation: (operation.tag, operation.name)))
        _refuse_twins(operations)
        version = str(self.document["info"].get("version", "0"))
        return Api(version, operations, models, enums, homes(operations, models, enums))

    def _remark(self, place: str, message: str) -> None:
        self.remarks.append(Problem(place, message))

    # Components

    def _enum(self, name: str, schema: dict[str, Any]) -> Enum:
        docs = self.overlays.docs["enums"].get(name, {})
        pinned = self.overlays.names.members.get(name, {})
        values = list(dict.fromkeys(schema["enum"]))
        python = naming.unique((value, pinned.get(value) or naming.member_name(value)) for value in values)
        members = tuple(Member(python[value], value, _text(docs.get("members", {}).get(value))) for value in values)
        return Enum(name, self.classes[name], members, self._doc(docs, "enum", name))

    def _model(self, name: str, schema: dict[str, Any]) -> Model:
        docs = self.overlays.docs["models"].get(name, {})
        doc = self._doc(docs, "model", name)
        if "x-batch" in schema:
            if schema["x-batch"]["tag"] != "operation":
                self._remark(f"model {name}", "is a batch's row without the field `operation`, which its base reads")
            parts = (self.classes[schema["x-batch"]["ok"]], self.classes[schema["x-batch"]["error"]])
            return Model(name, self.classes[name], (), batch=parts, doc=doc)
        base = schema.get("x-variant-of")
        told = docs.get("fields", {})
        if "x-tag-field" in schema:
            told = {**self._variant_docs(name), **told}
        fields = self._fields(schema, told, naming.field, f"schemas.{name}")
        return Model(
            name,
            self.classes[name],
            fields,
            base=self.classes[base] if base is not None else None,
            tag=schema.get("x-tag"),
            tag_field=schema.get("x-tag-field"),
            doc=doc,
        )

    def _variant_docs(self, base: str) -> dict[str, str]:
        """What is said about a variant's field holds for the base's field of that name."""
        result: dict[str, str] = {}
        for name, schema in sorted(self.document["components"]["schemas"].items(), reverse=True):
            if schema.get("x-variant-of") == base:
                result |= self.overlays.docs["models"].get(name, {}).get("fields", {})
        return result

    def _fields(self, schema: dict[str, Any], docs: Mapping[str, Any], rename: Any, place: str) -> tuple[Field, ...]:
        properties = schema.get("properties", {})
        required = set(schema.get("required", []))
        python = naming.unique((wire, rename(wire)) for wire in properties)
        fields = [
            self._field(wire, python[wire], below, wire in required, _text(docs.get(wire)), f"{place}.{wire}")
            for wire, below in properties.items()
        ]
        return tuple(sorted(fields, key=lambda field: naming.order_key(field.python)))

    def _field(self, wire: str, python: str, schema: dict[str, Any], required: bool, doc: str, place: str) -> Field:
        if looks_like_time(wire, schema) and "x-unit" not in schema:
            self._remark(place, "looks like a time and has no unit: it stays a plain number or text")
        if not doc:
            self._remark(place, "is not documented")
        return Field(
            wire,
            python,
            type_of(schema, self.classes, self.enum_names),
            required,
            nullable=bool(schema.get("nullable", False)),
            secret=schema.get("format") == "secret",
            doc=doc,
            deprecated=bool(schema.get("deprecated", False)),
        )

    def _doc(self, docs: Mapping[str, Any], kind: str, name: str) -> str:
        text = _text(docs.get("description"))
        if not text:
            self._remark(f"{kind} {name}", "is not documented")
        return text

    # Operations

    def _operations(self) -> Iterator[Operation]:
        for path, item in sorted(self.document["paths"].items()):
            for method in METHODS:
                if method in item:
                    yield self._operation(path, method, item[method])

    def _operation(self, path: str, method: str, raw: dict[str, Any]) -> Operation:
        wire_name = raw["operationId"]
        docs = self.overlays.docs["operations"].get(wire_name, {})
        if "summary" not in docs:
            self._remark(f"operation {wire_name}", "is not documented")
        told = docs.get("parameters", {})
        place = f"operations.{wire_name}"
        parameters = raw.get("parameters", [])
        if any(parameter["in"] in ("path", "cookie") for parameter in parameters):
            where = pointer("paths", path, method, "parameters")
            raise fail(where, "path and cookie parameters are not supported by the generator yet")
        body, body_list, body_model = self._body(raw, told, place)
        arguments = self._argument_names(parameters, (*body, *([body_list] if body_list else [])))
        query = tuple(self._parameter(one, arguments, told, place) for one in parameters if one["in"] == "query")
        headers = tuple(self._parameter(one, arguments, told, place) for one in parameters if one["in"] == "header")
        return Operation(
            name=naming.operation(wire_name),
            wire_name=wire_name,
            tag=self._tag(wire_name, raw),
            method=method.upper(),
            path=path,
            query=query,
            headers=headers,
            body=body,
            body_list=body_list,
            body_model=body_model,
            outcomes=self._outcomes(raw, place),
            instruction=raw.get("x-instruction"),
            assumed=bool(raw.get("x-instruction-assumed", False)),
            limits=_limits(parameters),
            summary=_text(docs.get("summary")) or f"{method.upper()} {path}.",
            doc=_text(docs.get("description")),
            errors=tuple((str(code), _text(text)) for code, text in docs.get("errors", {}).items()),
            refusals=self._refusals(raw),
            documented="summary" in docs,
            deprecated=bool(raw.get("deprecated", False)),
        )

    def _tag(self, wire_name: str, raw: dict[str, Any]) -> str:
        pinned = self.overlays.names.namespaces.get(wire_name)
        if pinned is not None:
            return pinned
        upstream = raw["tags"][0] if raw.get("tags") else "other"
        tag = self.overlays.names.tags.get(upstream) or naming.tag(upstream)
        self._remark(f"operation {wire_name}", f"has no pinned namespace; it goes to `{tag}`")
        return tag

    def _argument_names(self, parameters: list[dict[str, Any]], body: tuple[Field, ...]) -> dict[tuple[str, str], str]:
        """Argument by place and name: a header may be called like a query parameter or a field of the body."""
        taken = {field.python for field in body}
        result: dict[tuple[str, str], str] = {}
        for parameter in parameters:
            wire = parameter["name"]
            name = self.overlays.names.arguments.get(wire) or naming.argument(wire)
            while name in taken:
                name += "_"
            taken.add(name)
            result[parameter["in"], wire] = name
        return result

    def _parameter(
        self, raw: dict[str, Any], names: dict[tuple[str, str], str], docs: Mapping[str, Any], place: str
    ) -> Field:
        wire, required = raw["name"], raw.get("required", False)
        python = names[raw["in"], wire]
        field = self._field(wire, python, raw["schema"], required, _text(docs.get(wire)), f"{place}.{wire}")
        return replace(field, deprecated=True) if raw.get("deprecated") else field

    def _body(self, raw: dict[str, Any], told: Mapping[str, Any], place: str) -> _Body:
        stated = raw.get("requestBody", {})
        schema = _json_schema(stated)
        if schema is None:
            if stated.get("content"):
                self._remark(place, f"has a body that is not JSON ({', '.join(stated['content'])}): it is left out")
            return (), None, None
        kind = type_of(schema, self.classes, self.enum_names)
        if kind.kind == "model":
            component = next(name for name, class_name in self.classes.items() if class_name == kind.name)
            target = self.document["components"]["schemas"][component]
            if "x-tag-field" not in target and "x-batch" not in target:
                docs = {**self.overlays.docs["models"].get(component, {}).get("fields", {}), **told}
                return self._fields(target, docs, naming.argument, f"schemas.{component}"), None, kind.name
        if kind.kind == "list" and kind.items[0].kind == "model":
            name = "orders" if "order" in raw["operationId"] else "items"
            doc = _text(told.get(name)) or f"The rows to send, as `{kind.items[0].name}`; at least one."
            return (), Field("", name, kind, required=True, doc=doc), kind.items[0].name
        # Neither flat arguments nor rows: the whole body is one argument.
        doc = _text(told.get("body"))
        if not doc:
            self._remark(f"{place}.body", "is not documented")
        return (), Field("", "body", kind, required=bool(stated.get("required", False)), doc=doc), None

    def _outcomes(self, raw: dict[str, Any], place: str) -> tuple[Outcome, ...]:
        found = tuple(
            self._outcome(int(status), response)
            for status, response in sorted(raw["responses"].items())
            if status.startswith("2") and status.isdecimal()
        )
        if found:
            return found
        for status in ("2XX", "default"):
            if status in raw["responses"]:
                self._remark(place, f"documents no success but `{status}`, which is taken for 200")
                return (self._outcome(200, raw["responses"][status]),)
        self._remark(place, "documents no success; an empty 200 is assumed")
        return (Outcome(200, "acknowledged"),)

    def _outcome(self, status: int, response: dict[str, Any]) -> Outcome:
        schema = _json_schema(response)
        if schema is not None:
            return Outcome(status, "json", whole_type(schema, self.classes, self.enum_names))
        if response.get("content"):
            media = next(iter(response["content"].values()))
            unit = media.get("schema", {}).get("x-unit")
            return Outcome(status, UNITS.get(unit, "text"))
        return Outcome(status, _EMPTY.get(str(status), "acknowledged"))

    def _refusals(self, raw: dict[str, Any]) -> tuple[Type, ...]:
        schemas = [
            _json_schema(body) for status, body in sorted(raw["responses"].items()) if not status.startswith("2")
        ]
        found = [type_of(schema, self.classes, self.enum_names) for schema in schemas if schema is not None]
        return tuple(dict.fromkeys(found))


def looks_like_time(wire: str, schema: Mapping[str, Any]) -> bool:
    """Whether a field's name and type suggest a time whose unit must be known."""
    if schema.get("type") not in ("integer", "string") or schema.get("format") in (
        "date-time", "naive-date-time", "naive-time", "decimal", "decimal-or-percent",
    ):  # fmt: skip
        return False
    words = naming.snake(wire).split("_")
    if schema["type"] == "string":
        return words[-1] in ("timestamp", "at") or wire in ("startTime", "endTime", "start", "end")
    return bool({"timestamp", "time", "at", "ms", "secs", "hours", "duration", "interval"} & set(words)) or wire in (
        "from", "to", "start", "end",
    )  # fmt: skip


def _limits(parameters: list[dict[str, Any]]) -> Limits | None:
    query = {parameter["name"]: parameter for parameter in parameters if parameter["in"] == "query"}
    offset = {"limit", "offset"} <= set(query)
    window = any(names <= set(query) for names in _WINDOWS)
    if not offset and not window:
        return None
    limit = query.get("limit", {}).get("x-limit", {})
    return Limits(limit.get("default"), limit.get("maximum"), offset, window)


def _json_schema(holder: Mapping[str, Any]) -> dict[str, Any] | None:
    for media, content in sorted(holder.get("content", {}).items()):
        if "json" in media and "schema" in content:
            schema: dict[str, Any] = content["schema"]
            return schema
    return None


def _text(value: Any) -> str:
    return " ".join(str(value).split()) if value is not None else ""


def _refuse_twins(operations: tuple[Operation, ...]) -> None:
    seen: dict[tuple[str, str], Operation] = {}
    for operation in operations:
        twin = seen.setdefault((operation.tag, operation.name), operation)
        if twin is not operation:
            twins = f"{operation.wire_name!r} and {twin.wire_name!r}"
            raise fail(pointer("paths", operation.path), f"{twins} would both be {operation.tag}.{operation.name}")

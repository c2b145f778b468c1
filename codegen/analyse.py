"""A normalised document to the intermediate representation: every decision about the SDK's shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import names as naming
from .ir import Api, Enum, Field, Limits, Member, Model, Operation, Outcome, Type
from .problems import Problem, fail
from .types import UNITS, classes_in, type_of
from .validate import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .overlay import Overlays

_WINDOWS = ({"from", "to"}, {"startTime", "endTime"})
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
        self.classes = naming.unique((name, pinned.get(name) or naming.class_name(name)) for name in schemas)

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
            raise fail(f"#/paths/{path}", "path and cookie parameters are not supported by the generator yet")
        body, body_list, body_model = self._body(raw, told, place)
        arguments = self._argument_names(parameters, body)
        query = tuple(self._parameter(one, arguments, told, place) for one in parameters if one["in"] == "query")
        headers = tuple(self._parameter(one, arguments, told, place) for one in parameters if one["in"] == "header")
        return Operation(
            name=naming.identifier(wire_name, "operation"),
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
        tag = self.overlays.names.tags.get(upstream) or naming.identifier(upstream, "tag")
        self._remark(f"operation {wire_name}", f"has no pinned namespace; it goes to `{tag}`")
        return tag

    def _argument_names(self, parameters: list[dict[str, Any]], body: tuple[Field, ...]) -> dict[str, str]:
        taken = {field.python for field in body}
        result: dict[str, str] = {}
        for parameter in parameters:
            wire = parameter["name"]
            name = self.overlays.names.arguments.get(wire) or naming.argument(wire)
            while name in taken:
                name += "_"
            taken.add(name)
            result[wire] = name
        return result

    def _parameter(self, raw: dict[str, Any], names: dict[str, str], docs: Mapping[str, Any], place: str) -> Field:
        wire = raw["name"]
        return self._field(
            wire, names[wire], raw["schema"], raw.get("required", False), _text(docs.get(wire)), f"{place}.{wire}"
        )

    def _body(
        self, raw: dict[str, Any], told: Mapping[str, Any], place: str
    ) -> tuple[tuple[Field, ...], Field | None, str | None]:
        schema = _json_schema(raw.get("requestBody", {}))
        if schema is None:
            return (), None, None
        kind = type_of(schema, self.classes, self.enum_names)
        if kind.kind == "model":
            component = next(name for name, class_name in self.classes.items() if class_name == kind.name)
            target = self.document["components"]["schemas"][component]
            docs = {**self.overlays.docs["models"].get(component, {}).get("fields", {}), **told}
            return self._fields(target, docs, naming.argument, f"schemas.{component}"), None, kind.name
        if kind.kind == "list" and kind.items[0].kind == "model":
            name = "orders" if "order" in raw["operationId"] else "items"
            doc = _text(told.get(name)) or f"The rows to send, as `{kind.items[0].name}`; at least one."
            return (), Field("", name, kind, required=True, doc=doc), kind.items[0].name
        raise fail(f"{place}.requestBody", "is neither an object nor a list of objects")

    def _outcomes(self, raw: dict[str, Any], place: str) -> tuple[Outcome, ...]:
        found: list[Outcome] = []
        for status, response in sorted(raw["responses"].items()):
            if not status.startswith("2") or not status.isdecimal():
                continue
            schema = _json_schema(response)
            if schema is not None:
                found.append(Outcome(int(status), "json", type_of(schema, self.classes, self.enum_names)))
            elif response.get("content"):
                media = next(iter(response["content"].values()))
                unit = media.get("schema", {}).get("x-unit")
                found.append(Outcome(int(status), UNITS.get(unit, "text")))
            else:
                found.append(Outcome(int(status), _EMPTY.get(status, "acknowledged")))
        if not found:
            self._remark(place, "documents no success; an empty 200 is assumed")
            found.append(Outcome(200, "acknowledged"))
        return tuple(found)

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


def homes(operations: tuple[Operation, ...], models: tuple[Model, ...], enums: tuple[Enum, ...]) -> dict[str, str]:
    """The namespace of each class: that of the only tag which reaches it, else `shared`."""
    parts = {model.name: _parts(model, models) for model in models}
    users: dict[str, set[str]] = {}
    for operation in operations:
        pending = operation_classes(operation).union(*(classes_in(type_) for type_ in operation.refusals))
        seen: set[str] = set()
        while pending:
            name = pending.pop()
            if name not in seen:
                seen.add(name)
                pending |= parts.get(name, set())
        for name in seen:
            users.setdefault(name, set()).add(operation.tag)
    classes = [*(model.name for model in models), *(enum.name for enum in enums)]
    return {name: next(iter(users[name])) if len(users.get(name, ())) == 1 else "shared" for name in classes}


def operation_classes(operation: Operation) -> set[str]:
    """Enums and models that an operation mentions itself."""
    types = [argument.type for argument in operation.arguments]
    types += [outcome.type for outcome in operation.outcomes if outcome.type is not None]
    named = {operation.body_model} if operation.body_model is not None else set[str]()
    return named.union(*(classes_in(type_) for type_ in types))


def _parts(model: Model, models: tuple[Model, ...]) -> set[str]:
    family = {model.base} if model.base is not None else set[str]()
    family |= {other.name for other in models if other.base == model.name}
    family |= set(model.batch or ())
    return family.union(*(classes_in(field.type) for field in model.fields))


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
            raise fail(operation.path, f"{operation} and {twin.path} would both be {operation.tag}.{operation.name}")

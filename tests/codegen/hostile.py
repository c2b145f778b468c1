"""A valid document whose every name and text tries to break out of the place it is put in."""

from __future__ import annotations

from typing import Any

from .documents import Json, document, get, json, operation, post, query, ref, thing

CANARY = "codegen-canary"
"""Name of the file that any executed text of the document would leave in the working directory."""
CODE = f"__import__('pathlib').Path('{CANARY}').touch()"

TEXTS = (
    '"', "'", '"""', "'''", "\\", '\\"', "\n", "\r\n", "\t", '\n"""\n', "{{ 7 * 7 }}", "{% raw %}", "{# #}", "#}",
    "\x00", "\x1b[2J", "\u202e", "\u2028", "é", "🚀", "", " ", "None", "True", "__class__", "1", "0G", "1.5", "# noqa",
    "# type: ignore", "${x}", "%s", "{0}", "\\N{BULLET}", "\\x41", CODE, f'"; {CODE}; "', f'"""\n{CODE}\n"""',
    f"{{{{ {CODE} }}}}", f"')\n{CODE}\n('",
)  # fmt: skip
"""What stands in enumerations, defaults, descriptions and names."""

CLASSES = (
    "Accepted", "Acknowledged", "Annotated", "Any", "AsyncResource", "BaseModel", "BatchResult", "ClassVar",
    "ClockTime", "ConfigDict", "Decimal", "DecimalLike", "DecimalText", "Dict", "Enum", "Exception", "False", "Field",
    "IsoTime", "List", "Literal", "Mapping", "Model", "Namespaces", "Operation", "Optional", "OrderApi",
    "PING", "Paging", "Reply", "Request", "Resource", "RootModel", "Secret", "Self", "Sequence", "TYPE_CHECKING",
    "TaggedModel", "ThingsApi", "TypeAlias", "Union", "_private", "a b", "a/b", "a~b", "ab",
    "bool", "class", "datetime", "dict", "import", "int", "list", "self", "str", "tuple", "types", "ünïcode", "Name1",
    "99", *TEXTS,
)  # fmt: skip
"""Names of components."""

FIELDS = (
    "self", "cls", "timeout", "to", "from", "json", "copy", "dict", "model_dump", "model_config",
    "model_fields", "schema", "validate", "construct", "int", "str", "bool", "list", "tuple", "float", "datetime",
    "type", "id", "property", "class", "def", "match", "case", "_private", "__init__", "fooBar",
    "foo_bar", "FooBar", "foo bar", "1st", "2", "$ref", "items", "properties", "ok", "order", "error", "unwrap",
    "to_wire", "Any", "Field", "_to", "_present", "Request", "Model", *TEXTS,
)  # fmt: skip
"""Names of properties, of fields of a body and of query parameters."""

OPERATIONS = (
    "ping", "operations", "json_reply", "text_reply", "from_millis", "present", "str", "int", "list", "dict", "tuple",
    "bool", "import", "class", "None", "self", "timeout", "1st", "__init__", "types", "Request", "_send", "mro",
    "say \"hi\"", "a\nb", f"x{CODE}",
)  # fmt: skip
"""Names of operations that stay apart once they are identifiers."""

TAGS = (
    "../../evil", "__init__", "__main__", "shared", "catalog", "names", "types", "clients", "builders", "import",
    "None", "property", "send", "self", "async order", "order", "", "1", "🚀", 'a"b', "{{ x }}", "..", "/etc/passwd",
    "streams", CODE,
)  # fmt: skip
"""Names of tags."""


def hostile() -> Json:
    """The document."""
    schemas: Json = {name: thing(value={"type": "string", "description": name}) for name in CLASSES}
    schemas["Decimal"] = {"type": "string", "enum": ["a", "b"], "description": '"""'}
    schemas["Symbol"] = {"type": "string", "enum": ["c", "d"]}
    schemas["Texts"] = {"type": "string", "enum": [*TEXTS, "mro", "name", "value", "_value_", "NAME"]}
    schemas["Fields"] = {
        "type": "object",
        "description": "\n".join(TEXTS),
        "properties": {name: _field(name) for name in FIELDS},
        "required": ["self", "None", "json"],
    }
    schemas["Everything"] = {
        "type": "object",
        "properties": {f"p{index}": _ref(name) for index, name in enumerate(CLASSES)},
    }
    schemas["Literals"] = thing(**{f"l{index}": {"type": "string", "enum": [text]} for index, text in enumerate(TEXTS)})
    schemas["Shape"] = {
        "oneOf": [ref("Shape_Round"), ref("Shape_Square")],
        "discriminator": {
            "propertyName": 'ki"nd',
            "mapping": {'ro"und\n': "#/components/schemas/Shape_Round", "{{ x }}": "#/components/schemas/Shape_Square"},
        },
    }
    for kind in ("Round", "Square"):
        schemas[kind] = thing(size={"type": "string", "format": "decimal"})
        schemas[f"Shape_{kind}"] = {
            "allOf": [thing(**{'ki"nd': {"type": "string"}}), ref(kind)],
        }
    paths: Json = {
        '/"quoted"': get("everything", ref("Everything"), tag="things"),
        "/it's": get("literals", ref("Literals")),
        "/{{x}}": get("shape", ref("Shape")),
        "/back\\slash": get("texts", ref("Texts"), query("texts", ref("Texts")), _header("X-T", ref("Texts"))),
        '/"""': post("fields", ref("Fields"), {"type": "array", "items": ref("Fields")}),
        "/query": get("query", None, *map(_parameter, FIELDS), _header("from", {"type": "string"})),
        "/media": {
            "get": operation("media") | {"responses": {"200": {"content": {'te"xt/plain': {}, "text/plain": {}}}}},
            "post": operation("body", ref("Fields"), requestBody={"content": json(ref("Shape"))}),
        },
        "/decimal": get("decimal", ref("Decimal"), query("decimal", ref("Decimal")), query("symbol", ref("Symbol"))),
    }
    paths |= {f"/operation/{index}": get(name, ref("Fields")) for index, name in enumerate(OPERATIONS)}
    for index, name in enumerate(TAGS):
        paths[f"/tag/{index}"] = get(f"tagged_{_letters(index)}", ref(_inline(name)), tag=name)
    schemas |= {_inline(name): thing(tag={"type": "string"}) for name in TAGS}
    for item in paths.values():
        for one in item.values():
            one["description"] = one["summary"] = "\n".join(TEXTS)
            one["externalDocs"] = {"description": CODE, "url": CODE}
    extra: Json = {"x-evil": CODE, "servers": [{"url": CODE}, {"url": "https://api.example"}]}
    return document(schemas, paths, **extra) | {"info": {"title": CODE, "version": f'1"""\n{CODE}'}}


def _field(name: str) -> Json:
    """A property whose every fact but its type is text that is code."""
    return {"type": "string", "description": name, "default": CODE, "example": CODE, "pattern": name, "format": CODE}


def _parameter(name: str) -> Json:
    return query(name, _field(name), description=name)


def _header(name: str, schema: Json) -> Json:
    return {"name": name, "in": "header", "schema": schema}


def _ref(name: str) -> dict[str, Any]:
    return ref(name.replace("~", "~0").replace("/", "~1"))


def _letters(index: int) -> str:
    return chr(97 + index // 26) + chr(97 + index % 26)


def _inline(name: str) -> str:
    return "Tagged" + "".join(character for character in name.title() if character.isascii() and character.isalnum())

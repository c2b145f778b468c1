"""Names that mean something already, so that nothing from a document may be called that."""

from __future__ import annotations

OWN_ARGUMENTS = frozenset({"self", "timeout"})
"""Arguments that every generated method has anyway."""

TYPE_NAMES = frozenset({"bool", "datetime", "dict", "float", "int", "list", "str", "tuple"})
"""Names in annotations, which a field or method of the same class would hide."""

MODEL_ATTRIBUTES = frozenset(
    [
        "construct",
        "copy",
        "dict",
        "error",
        "from_orm",
        "json",
        "model_computed_fields",
        "model_config",
        "model_construct",
        "model_copy",
        "model_dump",
        "model_dump_json",
        "model_extra",
        "model_fields",
        "model_fields_set",
        "model_json_schema",
        "model_parametrized_name",
        "model_post_init",
        "model_rebuild",
        "model_validate",
        "model_validate_json",
        "model_validate_strings",
        "ok",
        "order",
        "parse_file",
        "parse_obj",
        "parse_raw",
        "schema",
        "schema_json",
        "to_json",
        "to_wire",
        "unwrap",
        "update_forward_refs",
        "validate",
    ]
)
"""Attributes of the model base classes that a field must not hide."""

OPERATION_NAMES = TYPE_NAMES | {
    "empty_reply", "from_micros", "from_millis", "from_seconds", "json_reply", "operations", "parsed_text_reply",
    "text_reply",
}  # fmt: skip
"""What a builder's module uses by that name, and `operations`, whose constant would be the catalogue itself."""

TAGS = frozenset(
    [
        "base_url",
        "builders",
        "catalog",
        "client",
        "clients",
        "clock_offset",
        "close",
        "credentials",
        "is_closed",
        "names",
        "operations",
        "order_books",
        "paginate",
        "property",
        "send",
        "send_raw",
        "shared",
        "streams",
        "sync_clock",
        "types",
        "ws_url",
    ]
)
"""Modules of the generated package, and attributes of the clients."""

CLASSES = frozenset(
    [
        "Accepted",
        "Acknowledged",
        "Annotated",
        "Any",
        "AsyncNamespaces",
        "AsyncResource",
        "AsyncSender",
        "BatchResult",
        "ClassVar",
        "ClockTime",
        "CountText",
        "DecimalLike",
        "DecimalNumber",
        "DecimalText",
        "Enum",
        "False",
        "Field",
        "IsoTime",
        "Literal",
        "Mapping",
        "Micros",
        "Millis",
        "Model",
        "Namespaces",
        "NoContent",
        "None",
        "OpenEnum",
        "Operation",
        "Paging",
        "RepeatedDecimal",
        "Reply",
        "Request",
        "Resource",
        "Seconds",
        "Secret",
        "Sender",
        "Sequence",
        "SpacedTime",
        "SymbolLike",
        "TYPE_CHECKING",
        "TaggedModel",
        "TextReply",
        "TimeLike",
        "True",
        "TypeAdapter",
        "TypeAlias",
    ]
)
"""Names that the generated modules use for something else."""

EVENT_ATTRIBUTES = TYPE_NAMES | {
    "extra", "field", "frame", "from_wire", "polled", "problem", "property", "stream", "wire",
}  # fmt: skip
"""Attributes of the event base classes, and names in their bodies, that a field must not hide."""

EVENT_CLASSES = frozenset(
    [
        "Any",
        "CHANNELS",
        "Channel",
        "Decimal",
        "ErrorFrame",
        "EventDecoder",
        "Level",
        "Literal",
        "OpenEnum",
        "StreamEvent",
        "TypeAlias",
        "UnknownEvent",
    ]
)
"""Names that the generated stream modules use for something else."""

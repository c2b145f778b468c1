"""The base of every API model: immutable, exact, open to fields that are new."""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic_core import core_schema

from .scalars import plain, to_clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self


class _Shown:
    """Text that a repr prints without quotes."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _show(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _Shown(plain(value))
    if isinstance(value, datetime):
        return _Shown(value.isoformat().replace("+00:00", "Z"))
    if isinstance(value, time):
        return _Shown(to_clock(value))
    if isinstance(value, Enum):
        return _Shown(str(value))
    if isinstance(value, tuple):
        return tuple(_show(item) for item in value)
    return value


def _hashable(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(_hashable(item) for item in value)
    if isinstance(value, dict):
        return frozenset((key, _hashable(item)) for key, item in value.items())
    return value


class Model(BaseModel):
    """One object of the API.

    Immutable and hashable. Fields have Python names and answer to their wire names when a model is built. A field the
    SDK does not know is kept under its wire name: readable as an attribute, listed in `model_extra`, and written back.
    A field that was absent stays absent when written back, one that was null stays null.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        frozen=True,
        extra="allow",
        defer_build=True,
        protected_namespaces=(),
        hide_input_in_errors=True,  # it can be a two-factor token
    )

    def to_wire(self) -> dict[str, Any]:
        """The model as the JSON object it came from: wire names, wire forms, absent fields left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def to_json(self) -> str:
        """The model as the JSON text of `to_wire`."""
        return self.model_dump_json(by_alias=True, exclude_unset=True)

    __str__ = BaseModel.__repr__

    def __hash__(self) -> int:
        return hash((type(self), *(_hashable(value) for value in self.__dict__.values())))

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Fields that are set to something, plainly written; unset and null ones only lengthen the line."""
        for name, value in super().__repr_args__():
            if value is not None:
                yield name, _show(value)


class TaggedModel(Model):
    """A model with variants told apart by one wire field.

    Validating the base gives the variant its tag names, or the base itself, with every field kept, when the tag is
    one the SDK does not know. `isinstance` and `match` narrow to a variant.
    """

    _tag_field: ClassVar[str]
    _tag_root: ClassVar[type[TaggedModel]]
    _variants: ClassVar[dict[str, type[TaggedModel]]]

    if not TYPE_CHECKING:  # the synthesised signature of each class is better than this one

        def __init__(self, /, **data: Any) -> None:
            cls = type(self)
            if cls is cls.__dict__.get("_tag_root"):
                tag = data.get(cls._tag_name(), data.get(cls._tag_field))
                if tag in cls._variants:
                    variant = cls._variants[tag].__name__
                    raise TypeError(f"{cls.__name__} with the tag {tag!s} is a {variant}: build that")
            super().__init__(**data)

        # Validation does not go through __init__; without this mark pydantic would send it there.
        __init__.__pydantic_base_init__ = True

    def __init_subclass__(cls, *, tag_field: str | None = None, tag: str | None = None, **kwargs: Any) -> None:
        # Pydantic passes class keywords here first and to the hook below once the class is complete.
        super().__init_subclass__(**kwargs)

    @classmethod
    def __pydantic_init_subclass__(cls, *, tag_field: str | None = None, tag: str | None = None, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if tag_field is not None:
            cls._tag_field, cls._tag_root, cls._variants = tag_field, cls, {}
        if tag is not None:
            cls._variants[tag] = cls

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """The base is validated as the variant its tag names, else as itself; variants as themselves."""
        own = handler(source)
        if cls is not cls.__dict__.get("_tag_root") or not cls._variants or own["type"] == "union":
            return own
        known = core_schema.tagged_union_schema(
            {tag: handler.generate_schema(variant) for tag, variant in cls._variants.items()},
            discriminator=[[cls._tag_field], [cls._tag_name()]],
        )
        # The union takes the place of the class under its reference: a second use in one model means the union too.
        bare: Any = {key: value for key, value in own.items() if key != "ref"}
        unknown = core_schema.no_info_after_validator_function(cls._require_unknown, bare)
        return core_schema.union_schema([known, unknown], mode="left_to_right", ref=own.get("ref"))

    @classmethod
    def _require_unknown(cls, value: Self) -> Self:
        tag = getattr(value, cls._tag_name())
        if type(value) is cls and tag in cls._variants:
            raise ValueError(f"does not fit {cls._variants[tag].__name__}, which its {cls._tag_field} names")
        return value

    @classmethod
    def _tag_name(cls) -> str:
        for name, field in cls.model_fields.items():
            if field.alias == cls._tag_field:
                return name
        return cls._tag_field

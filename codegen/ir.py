"""What the SDK is made of, after every decision about types and names: the templates only lay it out."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Type:
    """The type of one value.

    `kind` is one of: text symbol secret base-decimals (decimal decimal_number percent) integer choice boolean
    (micros millis seconds iso spaced clock) digits literal enum model list tuple map union null any.
    """

    kind: str
    name: str = ""
    """Class of an enum or model."""
    items: tuple[Type, ...] = ()
    """Types inside a list (one), tuple, map (its values) or union."""
    low: int | None = None
    high: int | None = None
    longest: int | None = None
    choices: tuple[str | int, ...] = ()
    """Members of a choice of integers or a literal of texts."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a model, or a parameter of an operation."""

    wire: str
    python: str
    type: Type
    required: bool
    nullable: bool = False
    secret: bool = False
    doc: str = ""
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an enumeration."""

    name: str
    value: str
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Enum:
    """An open enumeration of texts."""

    schema: str
    name: str
    members: tuple[Member, ...]
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """An object of the API."""

    schema: str
    name: str
    fields: tuple[Field, ...]
    base: str | None = None
    """Class of the tagged base this is a variant of."""
    tag: str | None = None
    """Value of the base's tag field that means this variant."""
    tag_field: str | None = None
    """Wire name of the field that tells variants apart; set on the base."""
    batch: tuple[str, str] | None = None
    """For a row of a batch's answer: class of a success and class of an error."""
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One successful reply of an operation. `kind`: json text time acknowledged accepted no_content."""

    status: int
    kind: str
    type: Type | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Paging of an operation."""

    default: int | None
    maximum: int | None
    offset: bool
    window: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation and its method."""

    name: str
    wire_name: str
    tag: str
    method: str
    path: str
    query: tuple[Field, ...]
    headers: tuple[Field, ...]
    body: tuple[Field, ...]
    """Fields of an object body, as flat arguments."""
    body_list: Field | None
    """The one argument of a body that is a list, or of any other shape but an object."""
    body_model: str | None
    """Class of an object body, or of the rows of a list."""
    outcomes: tuple[Outcome, ...]
    instruction: str | None
    assumed: bool
    limits: Limits | None
    summary: str
    doc: str
    errors: tuple[tuple[str, str], ...] = ()
    refusals: tuple[Type, ...] = ()
    """Types of the bodies of documented refusals."""
    documented: bool = True
    deprecated: bool = False

    @property
    def arguments(self) -> tuple[Field, ...]:
        """Every argument, in no particular order."""
        return (*self.query, *self.headers, *self.body, *((self.body_list,) if self.body_list else ()))


@dataclass(frozen=True, slots=True)
class Api:
    """Everything of one document."""

    version: str
    operations: tuple[Operation, ...]
    models: tuple[Model, ...]
    enums: tuple[Enum, ...]
    homes: dict[str, str] = field(default_factory=dict[str, str])
    """Namespace in which a class lives, `shared` for those that several use."""

    @property
    def tags(self) -> tuple[str, ...]:
        """Namespaces, sorted."""
        return tuple(sorted({operation.tag for operation in self.operations}))

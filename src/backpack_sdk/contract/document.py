"""The document that a server is held to: the exchange's, with our corrections, as the generator left it here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Any

from .._core.request import Operation, Request
from .._generated.catalog import OPERATIONS

Json = Any
METHODS = ("get", "post", "put", "patch", "delete")


@cache
def document() -> dict[str, Json]:
    """The document. Nobody may change it."""
    found: dict[str, Json] = json.loads(
        resources.files("backpack_sdk._generated").joinpath("contract.json").read_text(encoding="utf-8")
    )
    return found


@dataclass(frozen=True)
class Promise:
    """One operation: what the document says of it, and the SDK's own view."""

    operation: Operation
    facts: Mapping[str, Json]

    @property
    def name(self) -> str:
        """Its name in document and SDK."""
        return self.operation.name

    @property
    def is_public(self) -> bool:
        """Whether it needs no key and changes nothing."""
        return self.operation.instruction is None and not self.operation.is_command

    @cached_property
    def body(self) -> Json:
        """Schema of its body; None without one."""
        stated = self.facts.get("requestBody")
        return None if stated is None else stated["content"]["application/json"]["schema"]

    def response(self, status: int) -> Mapping[str, Json] | None:
        """What is said of a status; None for nothing."""
        found: Mapping[str, Json] | None = self.facts["responses"].get(str(status))
        return found

    def request(
        self, query: Mapping[str, Json] | None = None, body: Json = None, headers: Mapping[str, Json] | None = None
    ) -> Request[Any]:
        """A request of wire values."""
        from importlib import import_module

        module = import_module(f"backpack_sdk._generated.{self.operation.tag}.operations")
        reply = getattr(module, f"_{self.name.upper()}")
        return Request(self.operation, reply, query or {}, body, headers or {})


@cache
def promises() -> dict[str, Promise]:
    """Every operation by name."""
    known = {(operation.method, operation.path): operation for operation in OPERATIONS}
    found = [
        Promise(known[method.upper(), path], item[method])
        for path, item in document()["paths"].items()
        for method in METHODS
        if method in item
    ]
    return {promise.name: promise for promise in sorted(found, key=lambda each: each.name)}


def resolve(schema: Json) -> tuple[Json, str | None]:
    """A schema without its reference, and the name of the component that it is."""
    name = None
    while "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = document()["components"]["schemas"][name]
    return schema, name

"""What the document says can be sent, as schemathesis generates it: every operation, its arguments and their schemas.

The schemas stand on their own (no references), say in numbers what a format says in a word, and close objects, since
a method has no place for a parameter that nobody documented.
"""

from __future__ import annotations

import copy
import os
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from ..document import Documented, document, documented, resolved

Json = Any
DEFAULT = 6
OPEN_TEXT = tuple(document()["components"]["schemas"][name]["enum"] for name in ("CustodyAsset", "FiatAsset"))
"""Enumerations that the SDK takes for open text: assets, of which there are new ones every week."""
ASKED = "CONTRACT_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", DEFAULT))
"""Cases for each operation and direction: by default few, always the same; any other number means new ones."""
THOROUGH = EXAMPLES != DEFAULT

ran: Counter[tuple[str, str]] = Counter()
"""How many cases ran, by operation and direction."""


def examples(share: float = 1.0) -> settings:
    """Settings of a contract test that takes this share of the cases, at least two."""
    return settings(
        max_examples=max(2, round(EXAMPLES * share)),
        deadline=None,
        derandomize=not THOROUGH,
        database=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


# Texts that a format describes


def decimal_text(negative: bool, digits: int, places: int) -> str:
    """Plain text of a decimal: no exponent, one zero before a bare point."""
    text = str(digits).zfill(places + 1)
    number = f"{text[:-places]}.{text[-places:]}" if places else text
    return f"-{number}" if negative else number


decimals = st.one_of(
    st.builds(decimal_text, st.just(False), st.integers(1, 10**9), st.integers(0, 9)),
    st.builds(decimal_text, st.booleans(), st.integers(0, 10**28 - 1), st.integers(0, 28)),
    st.sampled_from(["0", "0.00", "-0", "0.00000001", "1" + "0" * 50, "0." + "0" * 49 + "1", "123456789.123456789"]),
)
"""Prices and quantities from the ordinary to 50 digits on either side of the point."""

assets = st.sampled_from(["SOL", "BTC", "USDC", "kPEPE", "AAPL.US", "BRK.B.US", "A1"])
market_symbols = st.builds(
    lambda base, quote, kind: "_".join([base, quote, *kind]),
    assets,
    st.sampled_from(["USDC", "USDT"]),
    st.sampled_from([(), ("PERP",), ("RFQ",), ("260327",)]),
)
secrets = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=24)

TEXTS = {
    "decimal": decimals,
    "decimal-or-percent": st.one_of(decimals, decimals.map(lambda text: f"{text}%")),
    "market-symbol": market_symbols,
    "secret": secrets,
}
PLAIN_DECIMAL = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
CHECKS = {
    "decimal": lambda text: PLAIN_DECIMAL.fullmatch(text) is not None,
    "decimal-or-percent": lambda text: PLAIN_DECIMAL.fullmatch(text.removesuffix("%")) is not None,
    "market-symbol": lambda text: "_" in text,
    "secret": lambda _: True,
}
"""Whether a text is what its format says, for a validator of JSON schemas."""


# Schemas


def limits(form: str) -> dict[str, int]:
    """Least and greatest of an integer's format."""
    unsigned, _, bits = form.partition("int")
    if not bits.isdigit():
        return {}
    width = int(bits)
    return (
        {"minimum": 0, "maximum": 2**width - 1}
        if unsigned
        else {"minimum": -(2 ** (width - 1)), "maximum": 2 ** (width - 1) - 1}
    )


def narrowed(schema: Json) -> Json:
    """A schema of what is sent, on its own."""
    schema = {key: value for key, value in resolved(schema).items() if key not in ("default", "nullable", "x-limit")}
    if schema.get("type") == "integer" and "enum" not in schema:
        schema = {**limits(schema.get("format", "")), **schema}
        schema.pop("format", None)
    if schema.get("enum") in OPEN_TEXT:
        del schema["enum"]
    if "items" in schema:
        schema["items"] = narrowed(schema["items"])
        schema.setdefault("minItems", 1)  # an empty list can't be told from an absent one in a query
    if "properties" in schema:
        schema["properties"] = {name: narrowed(part) for name, part in schema["properties"].items()}
        schema["additionalProperties"] = False
    return schema


def whole(value: Json) -> Json:
    """The same JSON with whole numbers as integers: for a JSON schema 7.0 is one."""
    if isinstance(value, dict):
        return {name: whole(each) for name, each in value.items()}
    if isinstance(value, list):
        return [whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@dataclass(frozen=True)
class Argument:
    """One argument of a method, and where its value goes."""

    wire: str
    python: str
    place: str
    """`query`, `header`, `body` or `rows` (the one argument of a body that is a list)."""
    schema: Json
    required: bool


def python_name(wire: str) -> str:
    """The argument's name: snake case, and `from_` for a keyword."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", wire).replace("-", "_").lower()
    return f"{name}_" if name == "from" else name


def members(schema: Json, place: str) -> tuple[Argument, ...]:
    """The properties of an object as arguments."""
    required = schema.get("required", ())
    return tuple(
        Argument(name, python_name(name), place, part, name in required) for name, part in schema["properties"].items()
    )


@dataclass(frozen=True)
class Surface:
    """One operation as the document has it, and its arguments."""

    operation: Documented

    @property
    def name(self) -> str:
        return self.operation.name

    @cached_property
    def body(self) -> Json:
        """Schema of the body; None when there is none."""
        stated = self.operation.facts.get("requestBody")
        return None if stated is None else narrowed(stated["content"]["application/json"]["schema"])

    @cached_property
    def arguments(self) -> dict[str, Argument]:
        """Every argument by its Python name."""
        stated = self.operation.facts.get("parameters", ())
        found = [
            Argument(
                each["name"],
                python_name(each["name"]),
                each["in"],
                narrowed(each["schema"]),
                each.get("required", False),
            )
            for each in stated
        ]
        if self.body is not None and self.body["type"] == "array":
            found.append(Argument("orders", "orders", "rows", self.body, True))
        elif self.body is not None:
            found += members(self.body, "body")
        return {argument.python: argument for argument in found}

    def cases(self) -> st.SearchStrategy[Any]:
        """Cases of this operation by schemathesis."""
        strategy: st.SearchStrategy[Any] = requests()[self.operation.path][self.operation.method].as_strategy()
        return strategy


@cache
def surfaces() -> tuple[Surface, ...]:
    """Every operation."""
    return tuple(map(Surface, documented()))


@cache
def requests() -> Any:
    """The document of requests as schemathesis holds it."""
    for name, strategy in TEXTS.items():
        schemathesis.openapi.format(name, strategy)
    paths: dict[str, Json] = {}
    for surface in surfaces():
        operation = surface.operation
        facts: dict[str, Json] = copy.deepcopy(
            {
                key: operation.facts[key]
                for key in ("operationId", "parameters", "requestBody")
                if key in operation.facts
            }
        )
        for each in facts.get("parameters", ()):
            each["schema"] = narrowed(each["schema"])
        if surface.body is not None:
            facts["requestBody"]["content"]["application/json"]["schema"] = surface.body
        facts["responses"] = {"200": {"description": ""}}
        paths.setdefault(operation.path, {})[operation.method.lower()] = facts
    whole = {"openapi": "3.1.0", "info": document()["info"], "paths": paths}
    return schemathesis.openapi.from_dict(whole)

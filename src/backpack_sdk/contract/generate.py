"""The cases: schemathesis makes them from the document, as it stands and narrowed to what a server has.

Cases of the document as it stands are mostly refused, which shows how a server refuses. The narrowed ones speak of its
markets, assets and ids, and of amounts that somebody might trade, so that most are carried out.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from .document import METHODS, Json, Promise, document, resolve
from .known import Known
from .shapes import SHAPES

_SENSIBLE = "sensible-decimal"
_OURS = "backpack-contract-"
"""In front of the names of our formats: schemathesis keeps one list of them for the whole process."""
_TEXTS = {
    "decimal": st.decimals(-(10**12), 10**12, places=8).map(lambda value: f"{value:f}"),
    "decimal-or-percent": st.sampled_from(["1", "80%", "0.5"]),
    "digits": st.integers(0, 10**18).map(str),
    "naive-date-time": st.just("2026-01-01T00:00:00"),
    _SENSIBLE: st.sampled_from(["1", "0.1", "0.5", "2", "10", "100", "0.01", "139.5", "3000", "65000"]),
}
_BOUNDS = {
    "uint8": (0, 2**8 - 1),
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**63 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
}
_PER_SECOND = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000}
_DAYS = 3 * 86_400
_UNMINDED = (
    HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example,
)  # fmt: skip
"""What hypothesis would warn of: some operations have large bodies, and all that counts is that cases come."""
_PLANS = tuple(
    base64.b64encode(json.dumps({"quantity": "1", "side": side, "symbol": "SOL"}).encode()).decode()
    for side in ("Borrow", "Lend")
)
"""What somebody plans to borrow or lend, as the one operation that asks for it takes it."""


@dataclass(frozen=True, slots=True)
class Wire:
    """What a case sends."""

    query: Mapping[str, Json]
    body: Json
    headers: Mapping[str, Json]


class Generator:
    """Makes cases, and says whether a reply fits. `now` is in Unix seconds."""

    def __init__(self, known: Known, now: float) -> None:
        for name, strategy in _TEXTS.items():
            schemathesis.openapi.format(f"{_OURS}{name}", strategy)
        self._known, self._now = known, now
        self._loaded = schemathesis.openapi.from_dict(_rewritten(_closed(copy.deepcopy(document()))))

    def operation(self, promise: Promise) -> Any:
        """The operation as schemathesis holds it."""
        return self._loaded[promise.operation.path][promise.operation.method]

    def wild(self, promise: Promise, count: int, seed: int) -> list[Wire]:
        """Cases of the document as it stands."""
        return _drawn(self.operation(promise), count, seed)

    def sensible(self, promise: Promise, count: int, seed: int) -> list[Wire]:
        """Cases that speak of what the server has."""
        facts = copy.deepcopy(dict(promise.facts))
        for parameter in facts.get("parameters", ()):
            parameter["schema"] = self._narrowed(promise, parameter["name"], parameter["schema"])
        if promise.body is not None:
            schema = self._body(promise, promise.body)
            facts["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        facts["responses"] = {"200": {"description": ""}}
        path, method = promise.operation.path, promise.operation.method
        alone = {"openapi": "3.0.3", "info": document()["info"], "paths": {path: {method.lower(): facts}}}
        return _drawn(schemathesis.openapi.from_dict(_rewritten(alone))[path][method], count, seed)

    def _body(self, promise: Promise, schema: Json) -> Json:
        facts, _ = resolve(schema)
        if facts["type"] == "array":
            return {"type": "array", "items": self._body(promise, facts["items"]), "minItems": 1, "maxItems": 3}
        properties = {
            name: self._narrowed(promise, name, part)
            for name, part in facts["properties"].items()
            if resolve(part)[0].get("type") != "object" and "allOf" not in part
        }
        shapes = SHAPES.get(promise.name, ({name: None for name in properties},))
        needed = [*facts.get("required", ())] if promise.name not in SHAPES else None
        made = [
            {
                "type": "object",
                "additionalProperties": False,
                "properties": {name: properties[name] if each is None else each for name, each in shape.items()},
                "required": [*shape] if needed is None else needed,
            }
            for shape in shapes
        ]
        return made[0] if len(made) == 1 else {"oneOf": made}

    def _narrowed(self, promise: Promise, name: str, schema: Json) -> Json:
        """The schema of one argument, limited to what makes sense here."""
        facts, _ = resolve(schema)
        choices: list[Json] = []
        if name == "symbol":
            choices = [*self._known.symbols(promise.name)]
        elif name == "asset":
            choices = sorted(self._known.assets)
        elif name == "blockchain":
            choices = [*self._known.blockchains()]
        elif name in self._known.ids:
            choices = [*self._known.ids[name]]
        elif name == "borrow":
            choices = [*_PLANS]
        if choices:
            return {"enum": choices}
        if facts.get("enum") or facts["type"] in ("boolean", "array"):
            return {key: value for key, value in facts.items() if key != "nullable"} | _listed(facts)
        per_second = _PER_SECOND.get(facts.get("x-unit", ""))
        if per_second is not None and facts["type"] == "integer":
            last = int(self._now)
            return {"type": "integer", "minimum": (last - _DAYS) * per_second, "maximum": last * per_second}
        if facts["type"] == "integer":
            return {"type": "integer", "minimum": 0, "maximum": facts.get("x-limit", {}).get("maximum", 5)}
        if facts.get("format") == "decimal":
            return {"type": "string", "format": _SENSIBLE}
        return (
            {"type": "string", "format": facts["format"]} if facts.get("format") in _TEXTS else {"enum": ["1", "one"]}
        )


def _listed(facts: Json) -> Json:
    if facts["type"] != "array":
        return {}
    return {"items": resolve(facts["items"])[0], "minItems": 1, "maxItems": 2, "uniqueItems": True}


def _drawn(operation: Any, count: int, seed: int) -> list[Wire]:
    """The first cases of a strategy. They are not shrunk: what they show is judged afterwards."""
    found: list[Wire] = []
    if count == 0:
        return found

    @seeded(seed)
    @settings(
        max_examples=count, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=_UNMINDED,
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def collect(case: Any) -> None:
        query = {name: _boolean(value) for name, value in (case.query or {}).items()}
        body = case.body if isinstance(case.body, (dict, list)) else None
        found.append(Wire(query, _whole(body), dict(case.headers or {})))

    collect()
    return found[:count]


def _boolean(value: Json) -> Json:
    """A value of a query: schemathesis has made texts of booleans."""
    return value == "true" if value in ("true", "false") else value


def _whole(value: Json) -> Json:
    """Whole numbers as integers: for a JSON schema, 7.0 is one."""
    if isinstance(value, dict):
        return {name: _whole(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _closed(whole: dict[str, Json]) -> dict[str, Json]:
    """The document with bodies that take no other fields, and numbers within what their format holds."""
    schemas = whole["components"]["schemas"]
    for item in whole["paths"].values():
        for method in METHODS:
            content = item.get(method, {}).get("requestBody", {}).get("content", {})
            for media in content.values():
                schema = media["schema"]
                name = schema.get("items", schema).get("$ref", "").rpartition("/")[2]
                if name in schemas:
                    schemas[name]["additionalProperties"] = False
            for parameter in item.get(method, {}).get("parameters", ()):
                _bound(parameter["schema"])
    for schema in schemas.values():
        for part in schema.get("properties", {}).values():
            _bound(part)
    return whole


def _bound(schema: Json) -> None:
    if schema.get("format") in _BOUNDS:
        low, high = _BOUNDS[schema["format"]]
        schema.setdefault("minimum", low)
        schema.setdefault("maximum", high)


def _rewritten(node: Json) -> Json:
    """The same with our formats, and with references that may be null written so that a JSON schema knows it."""
    if isinstance(node, dict):
        if "$ref" in node and node.get("nullable"):
            return {"nullable": True, "allOf": [{"$ref": node["$ref"]}]}
        made = {name: _rewritten(each) for name, each in node.items()}
        form = node.get("format")
        return made | {"format": f"{_OURS}{form}"} if isinstance(form, str) and form in _TEXTS else made
    return [_rewritten(each) for each in node] if isinstance(node, list) else node

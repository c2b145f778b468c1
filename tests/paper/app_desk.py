"""A trader who talks to the embedded exchange over a socket and signs on his own, and a check of its replies.

Nothing here shares code with the exchange or with the SDK's client.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from nacl.signing import SigningKey

SECRET = "sKmC5939f6W9/viyhwyaNHa0f7j5wSMvZsysW5BB9L4="
API_KEY = "1dCOvaOfUlYl8m8gNNUUA2cs9VZyaSD9vuwNgi944uM="
ORDER = {"symbol": "SOL_USDC", "side": "Bid", "orderType": "Limit", "price": "100", "quantity": "1"}
_SPEC = Path(__file__).parents[2] / "spec" / "backpack.json"
_FORMATS = {
    "decimal": re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?"),
    "naive-date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}(\d{3})?)?"),
}


def plain(value: Any) -> str:
    """A wire value as it stands in a signed message."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def message(instruction: str, params: Mapping[str, Any], timestamp: int, window: int) -> str:
    """The signed message of one request."""
    pairs = [f"{name}={plain(params[name])}" for name in sorted(params)]
    return "&".join([f"instruction={instruction}", *pairs, f"timestamp={timestamp}", f"window={window}"])


def signature(text: str, secret: str = SECRET) -> str:
    """The base64 signature of a message."""
    return base64.b64encode(SigningKey(base64.b64decode(secret)).sign(text.encode()).signature).decode()


def headers(text: str, timestamp: int, window: int, *, secret: str = SECRET) -> dict[str, str]:
    """The four headers of a private request that signs `text`."""
    key = base64.b64encode(bytes(SigningKey(base64.b64decode(secret)).verify_key)).decode()
    return {
        "X-API-Key": key,
        "X-Signature": signature(text, secret),
        "X-Timestamp": str(timestamp),
        "X-Window": str(window),
    }


class Trader:
    """Sends public and signed requests."""

    def __init__(self, base_url: str, secret: str = SECRET) -> None:
        # Plain HTTP: without `verify=False` each client would load all certificates, which takes 15 ms.
        self.http = httpx.Client(base_url=base_url, trust_env=False, verify=False)
        self.secret = secret

    def get(self, path: str, instruction: str | None = None, /, **params: Any) -> httpx.Response:
        """Ask, signed when there is an instruction."""
        query = {name: plain(value) for name, value in params.items()}
        signed = self._sign(message, instruction, params) if instruction is not None else {}
        return self.http.get(path, params=query, headers=signed)

    def send(self, method: str, path: str, instruction: str, body: Mapping[str, Any]) -> httpx.Response:
        """Send a signed JSON object."""
        return self.http.request(method, path, json=body, headers=self._sign(message, instruction, body))

    def order(self, **changes: Any) -> httpx.Response:
        """Place an order: a bid far below the market, with changes; a field of None is left out."""
        body = {name: value for name, value in {**ORDER, **changes}.items() if value is not None}
        return self.send("POST", "/api/v1/order", "orderExecute", body)

    def batch(self, orders: Sequence[Mapping[str, Any]]) -> httpx.Response:
        """Place orders at once."""
        now = now_ms()
        parts = ["instruction=orderExecute&" + "&".join(f"{n}={plain(o[n])}" for n in sorted(o)) for o in orders]
        text = "&".join([*parts, f"timestamp={now}", "window=5000"])
        return self.http.post("/api/v1/orders", json=list(orders), headers=headers(text, now, 5000, secret=self.secret))

    def cancel(self, **body: Any) -> httpx.Response:
        """Cancel one order."""
        return self.send("DELETE", "/api/v1/order", "orderCancel", body)

    def open_orders(self) -> list[dict[str, Any]]:
        """The open orders."""
        found: list[dict[str, Any]] = ok(self.get("/api/v1/orders", "orderQueryAll"))
        return found

    def balances(self) -> dict[str, dict[str, str]]:
        """The balances."""
        found: dict[str, dict[str, str]] = ok(self.get("/api/v1/capital", "balanceQuery"))
        return found

    def _sign(self, build: Any, instruction: str, params: Mapping[str, Any]) -> dict[str, str]:
        now = now_ms()
        return headers(build(instruction, params, now, 5000), now, 5000, secret=self.secret)


def now_ms() -> int:
    """The time in milliseconds."""
    return time.time_ns() // 1_000_000


def ok(response: httpx.Response) -> Any:
    """The JSON of a success."""
    assert response.status_code == 200, response.text
    return response.json()


def refused(response: httpx.Response, code: str, status: int = 400) -> str:
    """The message of a refusal with this code."""
    body = response.json()
    assert (response.status_code, body["code"]) == (status, code), response.text
    assert body.keys() == {"code", "message"}
    return str(body["message"])


def unreadable(response: httpx.Response, status: int = 400) -> str:
    """The plain text of a request that could not be read."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("text/plain")
    return response.text


# The API's own description of a reply


@cache
def document() -> dict[str, Any]:
    """The API document."""
    found: dict[str, Any] = json.loads(_SPEC.read_text())
    return found


def operations() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every operation, by operation id."""
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    }


def assert_fits(operation: str, value: Any, *, nullable: frozenset[str] = frozenset()) -> None:
    """Check a reply of an operation: the types, the required fields, and that no field is unknown."""
    content = operations()[operation][2]["responses"]["200"]["content"]["application/json"]
    problems = list(_problems(content["schema"], value, "reply", nullable))
    assert not problems, problems


def _problems(schema: dict[str, Any], value: Any, place: str, nullable: frozenset[str]) -> list[str]:
    schema = _flat(schema, value)
    kind = schema.get("type")
    if "enum" in schema and value not in schema["enum"]:
        return [f"{place}: {value!r} is not in the enum"]
    if kind == "array":
        if not isinstance(value, list):
            return [f"{place}: {value!r} is no array"]
        return [p for i, item in enumerate(value) for p in _problems(schema["items"], item, f"{place}[{i}]", nullable)]
    if kind == "object":
        return _object_problems(schema, value, place, nullable)
    if kind == "string":
        pattern = _FORMATS.get(schema.get("format", ""))
        fits = isinstance(value, str) and (pattern is None or pattern.fullmatch(value) is not None)
    elif kind == "integer":
        fits = type(value) is int and (value >= 0 or not schema.get("format", "").startswith("u"))
    else:
        assert kind == "boolean", f"{place}: the check does not know {schema}"
        fits = isinstance(value, bool)
    return [] if fits else [f"{place}: {value!r} is no {schema.get('format', kind)}"]


def _object_problems(schema: dict[str, Any], value: Any, place: str, nullable: frozenset[str]) -> list[str]:
    if not isinstance(value, dict):
        return [f"{place}: {value!r} is no object"]
    known, rest = schema.get("properties", {}), schema.get("additionalProperties")
    found = [f"{place}: {name} is missing" for name in schema.get("required", []) if name not in value]
    for name, member in value.items():
        inner = known.get(name, rest)
        if inner is None:
            found.append(f"{place}: {name} is unknown")
        elif member is not None or name not in nullable:
            found += _problems(inner, member, f"{place}.{name}", nullable)
    return found


def _flat(schema: dict[str, Any], value: Any) -> dict[str, Any]:
    """Resolve references, choose the variant by its discriminator, and merge what must all hold."""
    if "$ref" in schema:
        return _flat(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]], value)
    if "discriminator" in schema:
        tag = schema["discriminator"]
        return _flat({"$ref": tag["mapping"][value[tag["propertyName"]]]}, value)
    if "allOf" not in schema:
        return schema
    merged: dict[str, Any] = {"properties": {}, "required": []}
    for part in (_flat(part, value) for part in schema["allOf"]):
        merged["properties"] |= part.get("properties", {})
        merged["required"] += part.get("required", [])
        merged |= {name: part[name] for name in ("type", "enum", "format") if name in part}
    return merged

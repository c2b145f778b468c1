"""What the loopback server answers and what the clients send: the same bytes for every client."""

from __future__ import annotations

import json
from typing import Any

SEED = "sKmC5939f6W9/viyhwyaNHa0f7j5wSMvZsysW5BB9L4="
API_KEY = "1dCOvaOfUlYl8m8gNNUUA2cs9VZyaSD9vuwNgi944uM="
ORDER_ID = "114575512345"

ORDER_BODY = json.dumps(
    {"orderType": "Limit", "price": "141.2", "quantity": "0.5", "side": "Bid", "symbol": "SOL_USDC"},
    separators=(",", ":"),
).encode()
"""The order as the bare clients send it."""

ORDER_HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "X-API-Key": API_KEY,
    "X-Signature": "nr1Afd4ZC93Num6Y7mHeLhQDpy92WXJUdKBSKuetLxYoq3th7Ndn+A8TM7fqCCwYdgGofyPQYELYAMFvYK3uAg==",
    "X-Timestamp": "1614550000000",
    "X-Window": "5000",
}
"""Headers of the bare clients, which do not sign: they show what the HTTP library alone costs."""

ORDER_REPLY = json.dumps(
    {
        "orderType": "Limit",
        "id": ORDER_ID,
        "clientId": 4294967295,
        "createdAt": 1756211530123,
        "executedQuantity": "0",
        "executedQuoteQuantity": "0",
        "postOnly": False,
        "price": "141.2",
        "quantity": "0.5",
        "reduceOnly": False,
        "selfTradePrevention": "RejectTaker",
        "side": "Bid",
        "status": "New",
        "symbol": "SOL_USDC",
        "timeInForce": "GTC",
        "relatedOrderId": "114575512344",
    },
    separators=(",", ":"),
).encode()
"""A resting limit order."""

# As many markets of each type as the exchange listed in September 2026.
_SPOT, _PERP, _PREDICTION = 87, 103, 194


def _market(number: int, kind: str) -> dict[str, Any]:
    base = "SOL" if number == 0 else f"{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[number % 26]}{number}{kind[:2]}"
    price: dict[str, Any] = {
        "borrowEntryFeeMaxMultiplier": None,
        "borrowEntryFeeMinMultiplier": None,
        "maxImpactMultiplier": "1.03",
        "maxMultiplier": "1.25",
        "maxPrice": None,
        "meanMarkPriceBand": None,
        "meanPremiumBand": None,
        "minImpactMultiplier": "0.97",
        "minMultiplier": "0.75",
        "minPrice": "0.01",
        "tickSize": "0.01",
    }
    market: dict[str, Any] = {
        "baseSymbol": base,
        "createdAt": f"2025-01-{1 + number % 28:02}T06:34:54.{number:06}",
        "filters": {
            "price": price,
            "quantity": {"maxQuantity": None, "minQuantity": "0.01", "stepSize": "0.01"},
        },
        "fundingInterval": None,
        "fundingRateLowerBound": None,
        "fundingRateUpperBound": None,
        "imfFunction": None,
        "marketType": kind,
        "mmfFunction": None,
        "openInterestLimit": "0",
        "orderBookState": "Open" if number % 5 else "Closed",
        "positionLimitWeight": None,
        "quoteSymbol": "USDC",
        "symbol": f"{base}_USDC",
        "visible": True,
    }
    if kind == "PERP":
        price["meanMarkPriceBand"] = {"maxMultiplier": "1.1", "minMultiplier": "0.9"}
        price["meanPremiumBand"] = {"tolerancePct": "0.01"}
        market |= {
            "fundingInterval": 3600000,
            "fundingRateLowerBound": "-100",
            "fundingRateUpperBound": "100",
            "imfFunction": {"base": "0.02", "factor": "0.000135", "type": "sqrt"},
            "mmfFunction": {"base": "0.0135", "factor": "0.000081", "type": "sqrt"},
            "openInterestLimit": "9000000",
            "positionLimitWeight": "0.25",
            "symbol": f"{base}_USDC_PERP",
        }
    elif kind == "PREDICTION":
        price |= {"maxPrice": "0.999", "minPrice": "0.001", "tickSize": "0.001"}
        market["symbol"] = f"WILL-THE-THING-HAPPEN-{number}_USDC_PREDICTION"
    return market


def markets_reply() -> bytes:
    """The body of `GET /api/v1/markets`: 384 markets, some 260 kB."""
    kinds = ["SPOT"] * _SPOT + ["PERP"] * _PERP + ["PREDICTION"] * _PREDICTION
    return json.dumps([_market(number, kind) for number, kind in enumerate(kinds)], separators=(",", ":")).encode()

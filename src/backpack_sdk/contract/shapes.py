"""Bodies with many optional fields, in the combinations that make sense. Without these nearly every order is refused.

Each shape names its fields; the value is a schema of its own, or None for the field's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .document import Json

_LIMIT: Mapping[str, Json] = {
    "symbol": None,
    "side": None,
    "orderType": {"enum": ["Limit"]},
    "price": None,
    "quantity": {"enum": ["0.1", "1", "2"]},
}
_MARKET: Mapping[str, Json] = {"symbol": None, "side": None, "orderType": {"enum": ["Market"]}}
_SMALL: Json = {"enum": ["0.1", "0.5", "1"]}
_ORDERS: Sequence[Mapping[str, Json]] = (
    _LIMIT,
    {**_LIMIT, "timeInForce": None, "clientId": None},
    {**_LIMIT, "postOnly": None, "selfTradePrevention": None, "clientId": None},
    {**_MARKET, "quantity": _SMALL},
    {**_MARKET, "quoteQuantity": {"enum": ["10", "50"]}},
    {**_MARKET, "quantity": _SMALL, "slippageTolerance": {"enum": ["1", "5"]}, "slippageToleranceType": None},
    {**_MARKET, "triggerPrice": None, "triggerQuantity": _SMALL, "triggerBy": {"enum": ["LastPrice"]}},
    {**_LIMIT, "stopLossTriggerPrice": None, "takeProfitTriggerPrice": None},
    {**_LIMIT, "autoLend": None, "autoBorrow": None, "autoBorrowRepay": None, "autoLendRedeem": None},
)
_STRATEGY: Mapping[str, Json] = {
    "symbol": None,
    "side": None,
    "strategyType": None,
    "quantity": {"enum": ["1", "2"]},
    "duration": {"enum": [60_000, 120_000]},
    "interval": {"enum": [5_000, 10_000]},
}
_RFQ: Mapping[str, Json] = {"symbol": None, "side": None}
SHAPES: Mapping[str, Sequence[Mapping[str, Json]]] = {
    "execute_order": _ORDERS,
    "execute_order_batch": _ORDERS,
    "cancel_order": ({"symbol": None, "orderId": None}, {"symbol": None, "clientId": None}),
    "strategy_create": (_STRATEGY, {**_STRATEGY, "clientStrategyId": None}, {**_STRATEGY, "price": None}),
    "cancel_strategy": ({"symbol": None, "strategyId": None}, {"symbol": None, "clientStrategyId": None}),
    "submit_rfq": (
        {**_RFQ, "quantity": _SMALL},
        {**_RFQ, "quoteQuantity": {"enum": ["10", "100"]}, "clientId": None},
        {**_RFQ, "quantity": _SMALL, "price": {"enum": ["139", "141"]}, "executionMode": None},
    ),
    "cancel_rfq": ({"rfqId": None}, {"clientId": None}),
    "accept_quote": ({"quoteId": None}, {"quoteId": None, "rfqId": None}),
    "submit_quote": ({"rfqId": None, "bidPrice": {"enum": ["139"]}, "askPrice": {"enum": ["141"]}},),
    "request_withdrawal": (
        {
            "symbol": None,
            "blockchain": None,
            "quantity": {"enum": ["10", "1"]},
            "address": {"enum": ["somewhere"]},
            "twoFactorToken": {"enum": ["123456"]},
        },
    ),
    "create_withdrawal_delay": ({"twoFactorToken": {"enum": ["123456"]}, "withdrawalDelayHours": None},),
    "update_withdrawal_delay": ({"twoFactorToken": {"enum": ["123456"]}, "withdrawalDelayHours": None},),
    "vault_mint": ({"vaultId": None, "symbol": {"enum": ["USDC"]}, "quantity": {"enum": ["1", "10", "100"]}},),
    "vault_redeem": ({"vaultId": None}, {"vaultId": None, "vaultTokenQuantity": _SMALL}),
    "convert_dust": ({}, {"symbol": None}),
}

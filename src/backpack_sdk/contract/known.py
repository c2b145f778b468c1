"""What a server was seen to have, so that generated requests can speak of it: markets, assets, ids."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from random import Random

from .document import Json

KEPT = 20
"""Ids of each kind; older ones are forgotten."""
ASSET_SYMBOLS = frozenset(
    {
        "convert_dust", "execute_borrow_lend", "get_borrow_lend_history", "get_borrow_lend_markets_history",
        "get_borrow_lend_position_history", "get_interest_history", "get_max_borrow_quantity",
        "get_max_withdrawal_quantity", "request_withdrawal", "vault_mint",
    }
)  # fmt: skip
"""Operations whose `symbol` is an asset. Elsewhere it is a market."""
_OF_PERPETUALS = frozenset({"get_funding_interval_rates", "get_open_interest"})
_IDS = frozenset({"orderId", "rfqId", "quoteId", "strategyId", "positionId"})
_ID_OF = {
    "execute_order": "orderId",
    "get_open_orders": "orderId",
    "get_order_history": "orderId",
    "strategy_create": "strategyId",
    "get_open_strategies": "strategyId",
    "get_vaults": "vaultId",
    "get_withdrawals": "withdrawalId",
}
"""What the `id` of a reply is the name of elsewhere."""


class Known:
    """Values by what they are. Every list may be empty."""

    def __init__(self) -> None:
        self.markets: dict[str, Json] = {}
        self.assets: dict[str, Json] = {}
        self.ids: dict[str, deque[Json]] = defaultdict(lambda: deque(maxlen=KEPT))

    def learn(self, operation: str, body: Json) -> None:
        """Take in a reply of an operation."""
        rows = [row for row in body if isinstance(row, dict)] if isinstance(body, list) else [body]
        if operation == "get_markets":
            self.markets = {row["symbol"]: row for row in rows if isinstance(row.get("symbol"), str)}
        elif operation == "get_assets":
            self.assets = {row["symbol"]: row for row in rows if isinstance(row.get("symbol"), str)}
        for row in rows:
            if isinstance(row, dict):
                for name, value in self._found(operation, row):
                    if value not in self.ids[name]:
                        self.ids[name].append(value)

    @staticmethod
    def _found(operation: str, row: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
        for name, value in row.items():
            kind = _ID_OF.get(operation) if name == "id" else name if name in _IDS else None
            if kind is not None and isinstance(value, (str, int)):
                yield kind, value

    def symbols(self, operation: str) -> list[str]:
        """What may stand as `symbol` of an operation."""
        if operation in ASSET_SYMBOLS:
            return sorted(self.assets)
        if operation == "submit_rfq":
            return [f"{name}_RFQ" for name, row in sorted(self.markets.items()) if row.get("marketType") == "SPOT"]
        kind = "PERP" if operation in _OF_PERPETUALS else None
        return sorted(name for name, row in self.markets.items() if kind in (None, row.get("marketType")))

    def blockchains(self) -> list[str]:
        """Blockchains that carry some asset."""
        tokens = [token for asset in self.assets.values() for token in asset.get("tokens") or ()]
        return sorted({token["blockchain"] for token in tokens if isinstance(token.get("blockchain"), str)})

    def put_ids(self, fields: Mapping[str, Json], random: Random) -> dict[str, Json]:
        """The fields, with ids that exist in the place of most invented ones."""
        return {
            name: random.choice(self.ids[name]) if self.ids.get(name) and random.random() < 0.8 else value
            for name, value in fields.items()
        }

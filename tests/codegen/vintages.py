"""A version of the exchange's document that nobody has seen: the committed one, changed as such documents change."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from .documents import Json, get, operation, query, ref, thing
from .documents import json as content

ROOT = Path(__file__).parents[2]
TEXT = {"type": "string"}
DECIMAL = {"type": "string", "format": "decimal"}


def committed() -> Json:
    """The committed document."""
    result: Json = json.loads((ROOT / "spec" / "backpack.json").read_text(encoding="utf-8"))
    return result


def unseen() -> Json:
    """The committed document, with names, operations, members, fields and shapes that came, moved and went."""
    whole = copy.deepcopy(committed())
    schemas, paths = whole["components"]["schemas"], whole["paths"]
    # Gone: operations, and with them what only they use stays behind unused; a field; a whole component.
    for path in ("/api/v1/ticker", "/api/v1/borrowLend/positions", "/api/v1/vaults/history"):
        paths.pop(path, None)
    schemas["Depth"]["properties"].pop("lastUpdateId", None)
    schemas["Depth"]["required"] = [name for name in schemas["Depth"]["required"] if name != "lastUpdateId"]
    # Moved: tags.
    for item in paths.values():
        for one in item.values():
            one["tags"] = [f"{tag} & More" for tag in one["tags"]]
    # Came: members, fields, requiredness, another type, null written the newer way.
    schemas["Side"]["enum"] = ["Ask", "Bid", "Both", "class", "1d"]
    schemas["MarketType"]["enum"].append("MONAD")
    schemas["Market"]["properties"] |= {
        "import": TEXT, "schema": TEXT, "newLimits": thing(max=DECIMAL, kind={"type": "string", "enum": ["X", "Y"]}),
        "maybe": {"anyOf": [ref("Side"), {"type": "null"}]}, "level2": {"type": "array", "items": thing(a=DECIMAL)},
        "anything": {}, "byAsset": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
    }  # fmt: skip
    schemas["Kline"]["properties"]["trades"] = {"type": "integer", "format": "uint64"}
    # Came: a union without tags, a tagged one, an alias, a component that is used nowhere.
    schemas |= {
        "Reward": {"oneOf": [ref("RewardPoints"), ref("RewardCash")]},
        "RewardPoints": thing(points={"type": "integer"}), "RewardCash": thing(amount=DECIMAL,
        asset=ref("CustodyAsset")),
        "Notice": {"oneOf": [ref("Notice_Text"), ref("Notice_Order")], "discriminator": {"propertyName": "noticeType",
        "mapping": {
            "text": "#/components/schemas/Notice_Text", "order": "#/components/schemas/Notice_Order"}}},
        "Notice_Text": {"allOf": [thing(noticeType=TEXT), ref("NoticeText")]},
        "Notice_Order": {"allOf": [thing(noticeType=TEXT), ref("LimitOrder")]},
        "NoticeText": thing(text=TEXT, at={"type": "integer", "format": "int64"}),
        "Ids": {"type": "array", "items": TEXT},
        "Unused": thing(order=ref("LimitOrder"), notice=ref("Notice")),
    }  # fmt: skip
    signed: Json = {"description": "**Instruction:** `rewardQueryAll`"}
    paths |= {
        "/api/v2/rewards": get("get_rewards", {"type": "array", "items": ref("Reward")}, query("limit",
        {"type": "integer"}), tag="Rewards", **signed),
        "/api/v2/notices": get("getNotices", {"type": "array", "items": ref("Notice")}, query("ids", ref("Ids")),
        tag="types", **signed),
        "/api/v2/reward": {
            "put": operation("claim_reward", tag="Rewards", requestBody={"required": True,
            "content": content(ref("Reward"))}),
            "patch": operation("amend_reward", ref("Reward"), tag="Rewards",
            requestBody={"content": content(thing(id=TEXT, from_=TEXT))}),
        },
        "/api/v2/fees": get("get_fees", {"type": "object", "additionalProperties": DECIMAL}, tag="Fees"),
    }  # fmt: skip
    return whole


def names(api: Any) -> set[str]:
    """Every class of an API."""
    return {one.name for one in (*api.models, *api.enums)}

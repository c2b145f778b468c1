"""Depth frames of 91 markets from a seed, as the exchange sends them, and the books that must come of them.

Every frame is made from the state of its market: sizes change, levels appear and go, the price wanders, and no book is
ever crossed. Most frames carry one level near the best price, some carry several, some none at all. `u` runs ahead of
`U` where the exchange merged updates. The keys stand in the alphabetical order in which the exchange writes them.
"""

from __future__ import annotations

import json
import random
from bisect import insort
from dataclasses import dataclass, field
from typing import Any

from _payloads import markets_reply

MARKETS = 91
LEVELS = 1000
"""Levels a side in the beginning, as many as a snapshot has."""
FRAME_BYTES = 177
TIME = 1_764_111_082_000_000
"""Microseconds; sixteen digits, so that a paced server can put its own time in their place."""
EVENT_AT, ENGINE_AT = slice(13, 29), slice(34, 50)
"""Where the two times stand in every frame."""
WARM_UP = 12
"""Empty deltas of each market before the snapshot's update: ccxt fetches a snapshot when it has eleven."""
_FIRST_ID = 1_345_937_436
_SIDES = (("bids", 1), ("asks", -1))


def perpetuals() -> list[dict[str, Any]]:
    """Markets as REST lists them: as many perpetuals as are open on the exchange."""
    found = [market for market in json.loads(markets_reply()) if market["marketType"] == "PERP"][:MARKETS]
    for market in found:
        base = market["baseSymbol"].removesuffix("PE")
        market |= {"baseSymbol": base, "symbol": f"{base}_USDC_PERP", "orderBookState": "Open"}
    return found


@dataclass
class Market:
    """One book in whole ticks, as the exchange has it. Asks are kept by negated price: so both sides sort alike."""

    symbol: str
    random: random.Random
    decimals: int
    last_id: int
    keys: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    sizes: dict[str, dict[int, str]] = field(default_factory=dict[str, dict[int, str]])

    @classmethod
    def make(cls, symbol: str, seed: int) -> Market:
        rng = random.Random(seed)
        market = cls(symbol, rng, rng.choice((1, 2, 3, 4, 5)), _FIRST_ID + rng.randrange(10**9))
        mid = rng.randrange(20_000, 900_000)
        for side, sign in _SIDES:
            price, keys = sign * mid, market.keys.setdefault(side, [])
            market.sizes[side] = {}
            for _ in range(LEVELS):
                price -= rng.choice((1, 1, 1, 2, 2, 5))
                keys.append(price)
                market.sizes[side][price] = market.new_size()
            keys.reverse()
        return market

    def new_size(self) -> str:
        return f"{self.random.expovariate(1 / 4) + 0.00001:.5f}"

    def text(self, key: int) -> str:
        return f"{abs(key) / 10**self.decimals:.{self.decimals}f}"

    def change(self, side: str) -> list[str]:
        """Change one level; mostly one near the best price."""
        rng, keys, sizes = self.random, self.keys[side], self.sizes[side]
        depth = min(int(rng.expovariate(1 / 12)) if rng.random() < 0.9 else rng.randrange(len(keys)), len(keys) - 1)
        key, kind = keys[-1 - depth], rng.random()
        if kind < 0.22 and len(keys) > LEVELS // 2:
            del keys[-1 - depth], sizes[key]
            return [self.text(key), "0.00000"]
        if kind < 0.62:
            other = self.keys["asks" if side == "bids" else "bids"][-1]
            key += rng.choice((-2, -1, 1, 2, 3))
            if key + other < 0 and key not in sizes and abs(key) > 1:
                insort(keys, key)
            elif key not in sizes:
                key = keys[-1 - depth]
        sizes[key] = self.new_size()
        return [self.text(key), sizes[key]]

    def frame(self, levels: int) -> bytes:
        """The next frame."""
        rng = self.random
        changed: dict[str, dict[str, str]] = {"bids": {}, "asks": {}}
        for _ in range(levels):
            side = rng.choice(("bids", "asks"))
            price, size = self.change(side)
            changed[side].pop(price, None)
            changed[side][price] = size
        return self._encode(changed["bids"], changed["asks"], 1 + (rng.randrange(1, 9) if rng.random() < 0.15 else 0))

    def _encode(self, bids: dict[str, str], asks: dict[str, str], updates: int) -> bytes:
        first, self.last_id = self.last_id + 1, self.last_id + updates
        data = {
            "E": TIME, "T": TIME, "U": first, "a": list(asks.items()), "b": list(bids.items()), "e": "depth",
            "s": self.symbol, "u": self.last_id,
        }  # fmt: skip
        return json.dumps({"data": data, "stream": f"depth.{self.symbol}"}, separators=(",", ":")).encode()

    def levels(self, side: str) -> list[tuple[str, str]]:
        """Price and size as text, the best one last."""
        return [(self.text(key), self.sizes[side][key]) for key in self.keys[side]]

    def snapshot(self) -> bytes:
        """The body of `GET /depth`: both sides ascending by price."""
        body = {
            "asks": self.levels("asks")[::-1], "bids": self.levels("bids"), "lastUpdateId": str(self.last_id),
            "timestamp": TIME,
        }  # fmt: skip
        return json.dumps(body, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Final:
    """A book at the end: its update id, and its levels as text, the best one first."""

    last_id: int
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


@dataclass(frozen=True)
class Feed:
    """What the exchange sends, and what must come of it."""

    warm_up: list[bytes]
    """Frames without levels, before the snapshots."""
    snapshots: dict[str, bytes]
    frames: list[bytes]
    finals: dict[str, Final]
    last_id: int
    """The last frame's update: once it is applied, all are."""

    @classmethod
    def make(cls, count: int, seed: int = 7) -> Feed:
        """A feed of `count` frames; a few markets have most of them, as on the exchange."""
        rng = random.Random(seed)
        symbols = [market["symbol"] for market in perpetuals()]
        markets = [Market.make(symbol, seed * 1000 + number) for number, symbol in enumerate(symbols)]
        warm_up = [market.frame(0) for _ in range(WARM_UP) for market in markets]
        snapshots = {market.symbol: market.snapshot() for market in markets}
        busy = [1 / (1 + number) ** 0.6 for number in range(len(markets))]
        sizes = rng.choices((0, 1, 2, 3, 8), (2, 90, 5, 2, 1), k=count)
        chosen = rng.choices(markets, busy, k=count)
        frames = [market.frame(levels) for market, levels in zip(chosen, sizes, strict=True)]
        finals = {
            market.symbol: Final(market.last_id, market.levels("bids")[::-1], market.levels("asks")[::-1])
            for market in markets
        }
        return cls(warm_up, snapshots, frames, finals, chosen[-1].last_id if chosen else 0)

    def describe(self) -> str:
        size = sum(map(len, self.frames)) / len(self.frames)
        one = sum(frame.count(b'["') == 1 for frame in self.frames) / len(self.frames)
        gone = sum(frame.count(b'"0.00000"') for frame in self.frames) / len(self.frames)
        return (
            f"{len(self.frames)} frames of {len(self.snapshots)} markets, {size:.0f} bytes on average, "
            f"{one:.0%} with one level, {gone:.2f} levels deleted per frame"
        )

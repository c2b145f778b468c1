"""What makers and takers of one market do next. Pure: chance comes from a seeded generator, the book is told to it."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from ..engine import MarketSpec, Side
from .options import Flow

_BASIS_POINT = 0.0001
_PULL = 0.0005
"""Share of its distance from the start that the price loses per event, so that it never runs away."""
_CANCEL_SHARE = 0.5
"""Of what a maker does on a side that is full. On an emptier one it cancels less, so that the book fills up."""
_SIZE_SPREAD = 0.7


@dataclass(frozen=True, slots=True)
class Quote:
    """A post-only order of the maker."""

    side: Side
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The maker takes an order back."""

    order_id: int


@dataclass(frozen=True, slots=True)
class Take:
    """An immediate-or-cancel order of the taker: `quantity` at `price` or better."""

    side: Side
    price: Decimal
    quantity: Decimal


Action = Quote | Withdraw | Take


class MarketModel:
    """One market: a fair price that wanders, a maker who quotes around it, and takers.

    Prices are counted in ticks inside. `start` is the first fair price, in the quote asset.
    """

    def __init__(self, spec: MarketSpec, start: Decimal, options: Flow, random: Random, rate: float) -> None:
        self._spec = spec
        self._options = options
        self._random = random
        self._start = math.log(start / spec.tick_size)
        self._fair = self._start
        # A variance adds up over the events of a second.
        self._sigma = options.volatility / math.sqrt(rate) if rate else options.volatility / 10
        tick, step = spec.tick_size, spec.step_size
        self._tick, self._step = float(tick), float(step)
        self._lowest = max(1, int(spec.min_price / tick))
        self._highest = None if spec.max_price is None else int(spec.max_price / tick)
        self._least = -(-spec.min_quantity // step) * step
        self._most = None if spec.max_quantity is None else spec.max_quantity // step * step
        self._own: dict[Side, list[tuple[int, int]]] = {Side.BID: [], Side.ASK: []}
        self._places: dict[int, tuple[Side, int]] = {}

    # What the runner reports

    def rested(self, order_id: int, side: Side, price: Decimal) -> None:
        """Count an order of the maker that rests."""
        ticks = int(price / self._spec.tick_size)
        self._places[order_id] = (side, ticks)
        insort(self._own[side], (ticks, order_id))

    def ended(self, order_id: int) -> None:
        """Forget an order of the maker that rests no more; others are ignored."""
        place = self._places.pop(order_id, None)
        if place is not None:
            side, ticks = place
            own = self._own[side]
            del own[bisect_left(own, (ticks, order_id))]

    # What happens next

    def next_action(self, bid: tuple[Decimal, Decimal] | None, ask: tuple[Decimal, Decimal] | None) -> Action:
        """Let the price wander and return what somebody does, given the best levels of the book."""
        chance = self._random
        self._fair += chance.gauss(0, self._sigma) + (self._start - self._fair) * _PULL
        fair = math.exp(self._fair)
        gap = max(0.5, fair * self._options.spread_bps * _BASIS_POINT / 2)
        stale = self._stale(fair, bid, ask)
        if stale is not None:
            return stale
        side = Side.BID if chance.random() < 0.5 else Side.ASK
        best = ask if side is Side.BID else bid
        if best is not None and chance.random() < self._options.taker_share:
            return Take(side, best[0], self._quantity(fair))
        own = self._own[side]
        fullness = len(own) / self._options.levels
        if fullness >= 1 or chance.random() < fullness * _CANCEL_SHARE:
            return Withdraw(own[chance.randrange(len(own))][1])
        return self._quote(side, fair, gap)

    def _stale(
        self, fair: float, bid: tuple[Decimal, Decimal] | None, ask: tuple[Decimal, Decimal] | None
    ) -> Action | None:
        """Return what becomes of an order on the wrong side of the fair price: withdrawn, or traded with."""
        tick = self._tick
        for side, best in ((Side.BID, bid), (Side.ASK, ask)):
            if best is None:
                continue
            ahead = (float(best[0]) / tick - fair) * (1 if side is Side.BID else -1)
            if ahead < 0:
                continue
            own = self._own[side]
            mine = (own[-1] if side is Side.BID else own[0]) if own else None
            if mine is not None and mine[0] == int(best[0] / self._spec.tick_size) and self._random.random() < 0.6:
                return Withdraw(mine[1])
            return Take(side.opposite, best[0], self._within(best[1]))
        return None

    def _quote(self, side: Side, fair: float, gap: float) -> Quote:
        """Quote near the fair price most of the time, and further out now and then."""
        chance = self._random
        out = gap + int(chance.expovariate(3 / self._options.levels)) * max(1.0, gap)
        ticks = math.floor(fair - out) if side is Side.BID else math.ceil(fair + out)
        ticks = max(self._lowest, ticks)
        if self._highest is not None:
            ticks = min(ticks, self._highest)
        return Quote(side, ticks * self._spec.tick_size, self._quantity(fair))

    def _quantity(self, fair: float) -> Decimal:
        usual = self._options.order_value / (fair * self._tick)
        steps = int(usual * self._random.lognormvariate(0, _SIZE_SPREAD) / self._step)
        return self._within(steps * self._spec.step_size)

    def _within(self, quantity: Decimal) -> Decimal:
        """Keep a quantity within what the market takes."""
        quantity = max(quantity, self._least)
        return quantity if self._most is None else min(quantity, self._most)

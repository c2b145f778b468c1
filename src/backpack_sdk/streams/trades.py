"""Keeps the public trades of one market complete: a pure state machine that finds holes and fills them from REST.

Trade ids count up by one within a market. After a connection was lost, or when an id is skipped, trades are held until
the recent ones have been fetched over REST; then everything is passed on in order, each trade once. When the first
trade after a lost connection is the very next one, nothing was missed, and nothing is held.

A server that lost its state counts from the start again. Its trades must not be taken for repetitions, nor repetitions
and late replies of REST for them. Since ids count up in time, an id not above the last one seen is of a new count when
its trade was made more than `_LATER_US` after that last one: what is repeated, cached or behind was made before. So

- history begins a new count when all of it lies below the last id seen, its newest trade is later in that sense, and no
  live trade that is held lies above;
- held live trades do, when none lies above, one of them is later, and history can't be had or stays what it was;
- where the clock has begun anew as well, so that it proves nothing, held live trades and history do together: all lie
  more than `_BEHIND` below the last id seen, which is further than one server is behind another, and some trade is in
  both, with the same time, price and quantity.

Then ids are expected from the lowest one of the new count on, and `restarts` is counted. What the old count still had
is not known and not counted as missed. A live trade that is old by its id and later by its time has history asked for
at once; so do `_BEHIND` old ones in a row, which are no repetition any more, or a single one after history that lay as
far below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .events import Trade

_HELD = 10_000
"""Trades held at most while history is fetched; then they go on without it."""
_ATTEMPTS = 3
_BEHIND = 100
"""Trades; no server is so many behind another for long."""
_LATER_US = 5_000_000
"""Microseconds; more than the times of one trade differ by on socket and REST, less than a server takes to start."""


class TradeGate:
    """Lets the trades of one market pass, in order and complete where REST reaches back far enough."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._newest: Trade | None = None
        """The trade with that number."""
        self._held: list[Trade] | None = None
        self._attempts = 0
        self._numbered = True
        self._late, self._late_at = 0, 0
        """Old trades in a row, and the last number seen at that time."""
        self.missed = 0
        """Trades that were lost for good: REST did not reach back to them."""
        self.filled = 0
        """Trades that came from REST."""
        self.restarts = 0
        """How often the exchange began to count anew."""

    @property
    def wants_history(self) -> bool:
        """Whether trades are held until recent ones are fetched."""
        return self._held is not None

    @property
    def held(self) -> int:
        """How many trades are held."""
        return len(self._held or ())

    def on_trade(self, trade: Trade) -> Sequence[Trade]:
        """A trade came on the socket; gives the ones to pass on."""
        number, last = trade.trade_id, self._last
        if number - 1 == last and not self._held:
            self._last, self._newest, self._held = number, trade, None
            return (trade,)
        if self._held is not None:
            self._held.append(trade)
            return self.give_up() if len(self._held) > _HELD else ()
        if number == 0:  # some trades of liquidations had no number
            return (trade,)
        if last is None or not self._numbered:
            if last is None or number > last:
                self._last, self._newest = number, trade
            return (trade,)
        if number > last or self._suspicious(trade, last):
            self._held, self._attempts = [trade], 0
        return ()

    def _suspicious(self, trade: Trade, last: int) -> bool:
        """Whether an old number may be one of a new count."""
        self._late = self._late + 1 if self._late_at == last else 1
        self._late_at = last
        if self._late < _BEHIND and not self._is_later(trade):
            return False
        self._late = 0
        return True

    def on_lost(self) -> None:
        """The connection is gone: from here on trades may be missing."""
        if self._last is not None and self._held is None:
            self._held, self._attempts = [], 0

    def on_recent(self, recent: Iterable[Trade]) -> Sequence[Trade]:
        """Recent trades came from REST, in any order; gives the ones to pass on.

        Without any trade before, they only say where to begin.
        """
        by_id = {trade.trade_id: trade for trade in recent if trade.trade_id != 0}
        if self._are_far(by_id.values()):
            self._late, self._late_at = _BEHIND - 1, self._last or 0
        if self._last is None:
            self._last = max(by_id, default=None)
            self._newest = None if self._last is None else by_id[self._last]
            return ()
        reach = max(by_id, default=self._last)
        fetched = set(by_id)
        old = self._old()
        anew = bool(by_id) and reach < self._last and self._begins_anew(by_id, old)
        if not anew and (self._are_later(old) or (reach < self._last and self._are_far(old))):
            self._attempts += 1
            return () if self._attempts < _ATTEMPTS else self.give_up()
        if anew and self._is_later(by_id[reach]):
            self._drop_repetitions()
        held, known = self._held or (), by_id.get(reach)
        by_id.update({one.trade_id: one for one in held if one.trade_id != 0 and not _overtakes(one, known)})
        if anew:
            self._begin_anew(min(by_id))
        last = self._last
        fresh = [by_id[number] for number in sorted(by_id) if number > last]
        if fetched and _holes(fresh, max(min(fetched), last + 1), reach):
            self._numbered = False  # history has got a hole itself
        ready = _joined(fresh, last, reach) if self._numbered else fresh
        later = fresh[len(ready) :]
        self._attempts = 0 if ready else self._attempts + 1
        if not later or self._attempts == _ATTEMPTS:
            return self._release(fresh, fetched)
        passed = self._release(ready, fetched)
        self._held = [*later, *(self._held or ())]
        return passed

    def give_up(self) -> Sequence[Trade]:
        """History can't be had: go on with what is held."""
        passed: list[Trade] = []
        while True:
            old = self._old()
            if self._are_later(old):
                self._drop_repetitions()
                self._begin_anew(min(trade.trade_id for trade in self._held or () if trade.trade_id != 0))
            by_id, last = {trade.trade_id: trade for trade in self._held or ()}, self._last or 0
            passed += self._release([by_id[number] for number in sorted(by_id) if number > last], set())
            if not self._held:
                return tuple(passed)

    def _release(self, fresh: list[Trade], fetched: set[int]) -> Sequence[Trade]:
        held = self._held or ()
        unnumbered = [trade for trade in held if trade.trade_id == 0]
        if fresh and self._last is not None and self._numbered:
            self.missed += _holes(fresh, self._last + 1, fresh[-1].trade_id)
        self.filled += sum(trade.trade_id in fetched and trade.polled for trade in fresh)
        if fresh:
            self._last, self._newest = fresh[-1].trade_id, fresh[-1]
        done = {0, *(trade.trade_id for trade in fresh)}
        anew = [trade for trade in held if trade.trade_id not in done and self._is_later(trade)]
        self._held = anew or None
        return (*unnumbered, *fresh)

    # Numbers that begin anew; the module's text has the rule

    def _begins_anew(self, history: Mapping[int, Trade], old: Sequence[Trade]) -> bool:
        """Whether history, which lies below the last number seen, is of a new count."""
        newest = history[max(history)]
        if not old and any(trade.trade_id != 0 for trade in self._held or ()):
            return False  # live trades go on above
        if self._is_later(newest):
            return True
        both = any(_same(trade, history.get(trade.trade_id)) for trade in old)
        return both and self._are_far((*old, newest))

    def _drop_repetitions(self) -> None:
        """Hold only what was made after the last trade seen."""
        seen = 0 if self._newest is None else self._newest.engine_time_us // 1000
        held = self._held or ()
        self._held = [trade for trade in held if trade.trade_id == 0 or trade.engine_time_us // 1000 > seen] or None

    def _begin_anew(self, first: int) -> None:
        self._last = first - 1
        self.restarts += 1

    def _old(self) -> Sequence[Trade]:
        """The trades with numbers that are held, when none of them is above the last one seen."""
        held = [trade for trade in self._held or () if trade.trade_id != 0]
        return held if self._last is not None and all(trade.trade_id <= self._last for trade in held) else ()

    def _are_later(self, trades: Sequence[Trade]) -> bool:
        return any(self._is_later(trade) for trade in trades)

    def _is_later(self, trade: Trade) -> bool:
        return _overtakes(trade, self._newest)

    def _are_far(self, trades: Iterable[Trade]) -> bool:
        numbers = [trade.trade_id for trade in trades]
        return bool(numbers) and self._last is not None and max(numbers) < self._last - _BEHIND


def _overtakes(trade: Trade, other: Trade | None) -> bool:
    """Whether it was made later although its number is not higher."""
    return (
        other is not None
        and trade.trade_id <= other.trade_id
        and trade.engine_time_us > other.engine_time_us + _LATER_US
    )


def _same(live: Trade, other: Trade | None) -> bool:
    """Whether REST has the same trade. It counts time in milliseconds."""
    return (
        other is not None
        and live.engine_time_us // 1000 == other.engine_time_us // 1000
        and (live.price, live.quantity) == (other.price, other.quantity)
    )


def _holes(trades: Sequence[Trade], first: int, last: int) -> int:
    """How many numbers from `first` to `last` have no trade."""
    return max(0, last - first + 1) - sum(first <= trade.trade_id <= last for trade in trades)


def _joined(trades: Sequence[Trade], last: int, reach: int) -> list[Trade]:
    """Those up to `reach`, which is as far as history knows, and what follows without a hole."""
    joined: list[Trade] = []
    for trade in trades:
        if trade.trade_id > reach and trade.trade_id != last + 1:
            break
        joined.append(trade)
        last = trade.trade_id
    return joined

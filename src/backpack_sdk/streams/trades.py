"""Keeps the public trades of one market complete: a pure state machine that finds holes and fills them from REST.

Trade ids count up by one within a market. After a connection was lost, or when an id is skipped, trades are held until
the recent ones have been fetched over REST; then everything is passed on in order, each trade once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .events import Trade

_HELD = 10_000
"""Trades held at most while history is fetched; then they go on without it."""
_ATTEMPTS = 3


class TradeGate:
    """Lets the trades of one market pass, in order and complete where REST reaches back far enough."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._held: list[Trade] | None = None
        self._attempts = 0
        self._numbered = True
        self.missed = 0
        """Trades that were lost for good: REST did not reach back to them."""
        self.filled = 0
        """Trades that came from REST."""

    @property
    def wants_history(self) -> bool:
        """Whether trades are held until recent ones are fetched."""
        return self._held is not None

    def on_trade(self, trade: Trade) -> Sequence[Trade]:
        """A trade came on the socket; gives the ones to pass on."""
        number, last = trade.trade_id, self._last
        if self._held is not None:
            self._held.append(trade)
            return self.give_up() if len(self._held) > _HELD else ()
        if last is None or number == last + 1 or not self._numbered:
            self._last = number if last is None else max(number, last)
            return (trade,)
        if number == 0:  # some trades of liquidations had no number
            return (trade,)
        if number <= last:
            return ()
        self._held, self._attempts = [trade], 0
        return ()

    def on_lost(self) -> None:
        """The connection is gone: from here on trades may be missing."""
        if self._last is not None and self._held is None:
            self._held, self._attempts = [], 0

    def on_recent(self, recent: Iterable[Trade]) -> Sequence[Trade]:
        """Recent trades came from REST, in any order; gives the ones to pass on.

        Without any trade before, they only say where to begin.
        """
        by_id = {trade.trade_id: trade for trade in recent if trade.trade_id != 0}
        if self._last is None:
            self._last = max(by_id, default=None)
            return ()
        last, reach = self._last, max(by_id, default=self._last)
        fetched = set(by_id)
        by_id.update({trade.trade_id: trade for trade in self._held or () if trade.trade_id != 0})
        fresh = [by_id[number] for number in sorted(by_id) if number > last]
        if fetched and _holes(fresh, max(min(fetched), last + 1), reach):
            self._numbered = False  # history has got a hole itself
        ready = _joined(fresh, last, reach) if self._numbered else fresh
        later = fresh[len(ready) :]
        self._attempts = 0 if ready else self._attempts + 1
        if not later or self._attempts == _ATTEMPTS:
            return self._release(fresh, fetched)
        passed = self._release(ready, fetched)
        self._held = later
        return passed

    def give_up(self) -> Sequence[Trade]:
        """History can't be had: go on with what is held."""
        by_id, last = {trade.trade_id: trade for trade in self._held or ()}, self._last or 0
        return self._release([by_id[number] for number in sorted(by_id) if number > last], set())

    def _release(self, fresh: list[Trade], fetched: set[int]) -> Sequence[Trade]:
        unnumbered = [trade for trade in self._held or () if trade.trade_id == 0]
        if fresh and self._last is not None and self._numbered:
            self.missed += _holes(fresh, self._last + 1, fresh[-1].trade_id)
        self.filled += sum(trade.trade_id in fetched and trade.polled for trade in fresh)
        self._last = fresh[-1].trade_id if fresh else self._last
        self._held = None
        return (*unnumbered, *fresh)


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

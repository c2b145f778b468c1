"""Carries the flow out on an engine: by hand, or by the clock on an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from decimal import Decimal
from random import Random

from ..engine import (
    Event,
    Exchange,
    MarketSpec,
    NewOrder,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderStatus,
    OrderType,
    Refused,
    TimeInForce,
)
from .model import Action, MarketModel, Quote, Withdraw
from .options import Flow

MAKER, TAKER = "flow-maker", "flow-taker"
"""Accounts of the flow."""

_FUNDS = Decimal(10) ** 15
_KEPT_ORDERS = 1_000
_TICK_SECONDS = 0.005
_LONGEST_CATCH_UP_SECONDS = 0.1
_BATCH = 100
"""Commands in one go, so that requests are not kept waiting."""


class FlowRunner:
    """The flow of one exchange. `lock` is held while the engine works; `clock` gives Unix microseconds.

    Raises:
        ValueError: a market is not listed, or has neither prices on both sides of its book nor one in the options.
    """

    def __init__(self, engine: Exchange, options: Flow, lock: threading.RLock, clock: Callable[[], int]) -> None:
        self.options = options
        self._engine, self._lock, self._clock = engine, lock, clock
        self._random = Random(options.seed)
        specs = _chosen(engine, options)
        rate = options.rate / len(specs) if specs else 0.0
        self._models = {
            spec.symbol: MarketModel(
                spec, _start(engine, spec.symbol, options), options, Random(f"{options.seed} {spec.symbol}"), rate
            )
            for spec in specs
        }
        self._symbols = list(self._models)
        for spec in specs:
            engine.keep_trades(spec.symbol, options.kept_trades)
        self._open_accounts(sorted({asset for spec in specs for asset in (spec.base, spec.quote)}))
        engine.subscribe(self._follow)

    def advance(self, events: int) -> None:
        """Let the makers and takers do that many things now."""
        for _ in range(events):
            with self._lock:
                self._do_one()

    async def run(self) -> None:
        """Go on for ever, at the rate of the options, on the running event loop.

        Where the machine is too slow for the rate, the flow falls behind rather than let everything else wait.
        """
        loop = asyncio.get_running_loop()
        last, owed = loop.time(), 0.0
        while self.options.rate:
            await asyncio.sleep(_TICK_SECONDS)
            now = loop.time()
            owed = min(owed + (now - last) * self.options.rate, self.options.rate * _LONGEST_CATCH_UP_SECONDS + 1)
            last = now
            while owed >= 1:
                events = min(int(owed), _BATCH)
                with self._lock:
                    for _ in range(events):
                        self._do_one()
                owed -= events
                await asyncio.sleep(0)

    def _do_one(self) -> None:
        if not self._symbols:
            return
        symbol = self._symbols[self._random.randrange(len(self._symbols))]
        model = self._models[symbol]
        try:
            action = model.next_action(*self._engine.best_levels(symbol))
            self._carry_out(symbol, model, action)
        except Refused:
            # The market takes nothing now, or the funds are gone: the next action may fare better.
            return

    def _carry_out(self, symbol: str, model: MarketModel, action: Action) -> None:
        now_us = self._clock()
        if isinstance(action, Withdraw):
            self._engine.cancel(MAKER, symbol, order_id=action.order_id, now_us=now_us)
            return
        is_quote = isinstance(action, Quote)
        order = NewOrder(
            symbol=symbol,
            side=action.side,
            order_type=OrderType.LIMIT,
            price=action.price,
            quantity=action.quantity,
            post_only=is_quote,
            time_in_force=TimeInForce.GTC if is_quote else TimeInForce.IOC,
        )
        placed = self._engine.execute(MAKER if is_quote else TAKER, order, now_us=now_us).value
        if is_quote and placed.status is OrderStatus.NEW:
            model.rested(placed.id, action.side, action.price)

    def _follow(self, events: tuple[Event, ...]) -> None:
        """Notice when an order of the maker has ended, whoever ended it."""
        for event in events:
            if isinstance(event, (OrderFilled, OrderCancelled, OrderExpired)):
                order = event.order
                is_over = order.status not in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)
                model = self._models.get(order.symbol)
                if is_over and order.account == MAKER and model is not None:
                    model.ended(order.id)

    def _open_accounts(self, assets: list[str]) -> None:
        for account in (MAKER, TAKER):
            if not self._engine.has_account(account):
                self._engine.open_account(account, kept_orders=_KEPT_ORDERS, is_system=True)
            for asset in assets:
                self._engine.deposit(account, asset, _FUNDS, now_us=self._clock())


def _chosen(engine: Exchange, options: Flow) -> list[MarketSpec]:
    specs = engine.markets()
    if options.symbols is None:
        return list(specs)
    unknown = set(options.symbols) - {spec.symbol for spec in specs}
    if unknown:
        raise ValueError(f"the flow is for {', '.join(sorted(unknown))}, which is not listed")
    return [spec for spec in specs if spec.symbol in options.symbols]


def _start(engine: Exchange, symbol: str, options: Flow) -> Decimal:
    price = options.prices.get(symbol)
    if price is not None:
        return price
    book = engine.depth(symbol, 1)
    if not book.bids or not book.asks:
        raise ValueError(f"the book of {symbol} has no price yet: say where the flow starts with Flow(prices=...)")
    return (book.bids[0][0] + book.asks[0][0]) / 2

"""Sequences of calls in which each depends on the ones before: place, read, cancel, read again.

Every reply is judged like any other; a story goes wrong when what one call did does not show in the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import ROUND_DOWN, Decimal

from .document import Json
from .findings import Story
from .session import Session
from .stories_market import MARKET, open_market
from .stories_services import SERVICES
from .tale import Tale, WentWrong
from .world import World


def tell(session: Session, world: World, chosen: set[str]) -> Iterator[Story]:
    """Tell every story that has one of the chosen operations in it."""
    for name, (operations, play) in {**MARKET, **TRADING, **SERVICES}.items():
        if not chosen & operations:
            continue
        tale = Tale(session, world)
        story = Story(name, ())
        try:
            story.skipped = play(tale) or ""
        except WentWrong as problem:
            story.problem = str(problem)
        except (LookupError, TypeError, ArithmeticError, AttributeError) as problem:  # a reply of another shape
            story.problem = f"a reply lacks what the story needs: {type(problem).__name__}: {problem}"
        story.steps = tuple(tale.steps)
        yield story


def _order(tale: Tale, symbol: str, side: str = "Bid", away: str = "0.9") -> dict[str, Json]:
    """A limit order that rests: its price lies a part away from the best one."""
    book = tale.must("get_depth", {"symbol": symbol})
    rules = tale.known.markets[symbol]["filters"]
    levels = book["bids"] if side == "Bid" else book["asks"]
    tale.expect(levels, f"{symbol} has no {side.lower()}s")
    best = Decimal(levels[-1][0] if side == "Bid" else levels[0][0])
    tick, step = Decimal(rules["price"]["tickSize"]), Decimal(rules["quantity"]["minQuantity"])
    price = (best * Decimal(away) / tick).quantize(Decimal(1), ROUND_DOWN) * tick
    fields = {"symbol": symbol, "side": side, "orderType": "Limit", "price": f"{price:f}"}
    return {**fields, "quantity": f"{step * 10:f}"}


def _place_and_cancel(tale: Tale) -> str | None:
    symbol = open_market(tale, "SPOT")
    if symbol is None:
        return "there is no open spot market"
    order = _order(tale, symbol)
    placed = tale.must("execute_order", body={**order, "clientId": 77})
    name = {"symbol": symbol, "orderId": placed["id"]}
    read = tale.must("get_order", name)
    tale.expect(read == placed, f"the order was placed as {placed} and is read as {read}")
    tale.expect(read["status"] == "New", f"a resting order has the status {read['status']}")
    rows = tale.must("get_open_orders", {"symbol": symbol})
    tale.expect(any(row["id"] == placed["id"] for row in rows), "the order is not among the open ones")
    tale.must("cancel_order", body=name)
    tale.refused("get_order", name, status=404)
    rows = tale.must("get_open_orders", {"symbol": symbol})
    tale.expect(all(row["id"] != placed["id"] for row in rows), "the cancelled order is still open")
    tale.refused("cancel_order", body=name)
    past = tale.must("get_order_history", {"orderId": placed["id"]})
    states = [row["status"] for row in past]
    tale.expect(states == ["Cancelled"], f"the history has the states {states} of a cancelled order")
    return None


def _cancel_all(tale: Tale) -> str | None:
    symbol = open_market(tale, "SPOT")
    if symbol is None:
        return "there is no open spot market"
    order = _order(tale, symbol)
    rows = tale.must("execute_order_batch", body=[order, {**order, "quantity": "0"}, order])
    told = [row["operation"] for row in rows]
    tale.expect(told == ["Ok", "Err", "Ok"], f"a batch whose second order is wrong answered {told}")
    tale.must("cancel_open_orders", body={"symbol": symbol})
    rows = tale.must("get_open_orders", {"symbol": symbol})
    tale.expect(not rows, f"{len(rows)} orders are open after all were cancelled")
    return None


def _trade(tale: Tale) -> str | None:
    symbol = open_market(tale, "SPOT")
    if symbol is None:
        return "there is no open spot market"
    base = tale.known.markets[symbol]["baseSymbol"]
    before = Decimal(tale.must("get_balances").get(base, {"available": "0"})["available"])
    quantity = _order(tale, symbol)["quantity"]
    body = {"symbol": symbol, "side": "Bid", "orderType": "Market", "quantity": quantity}
    done = tale.must("execute_order", body=body)
    tale.expect(done["status"] == "Filled", f"a market order ended as {done['status']}")
    fills = tale.must("get_fills", {"orderId": done["id"]})
    traded = sum((Decimal(row["quantity"]) for row in fills), Decimal(0))
    tale.expect(traded == Decimal(quantity), f"{quantity} were bought and the fills have {traded}")
    after = Decimal(tale.must("get_balances").get(base, {"available": "0"})["available"])
    tale.expect(after > before, f"{base} was bought and the balance went from {before} to {after}")
    trades = tale.must("get_recent_trades", {"symbol": symbol, "limit": 10})
    tale.expect(trades, "a trade does not show among the recent ones")
    return None


def _trigger(tale: Tale) -> str | None:
    symbol = open_market(tale, "SPOT")
    if symbol is None:
        return "there is no open spot market"
    order = _order(tale, symbol)
    body = {
        "symbol": symbol,
        "side": "Ask",
        "orderType": "Market",
        "triggerPrice": order["price"],
        "triggerQuantity": order["quantity"],
    }
    status, placed = tale.try_("execute_order", body=body)
    if status != 200:
        return f"conditional orders are refused: HTTP {status}"
    tale.expect(placed["status"] == "TriggerPending", f"a conditional order has the status {placed['status']}")
    name = {"symbol": symbol, "orderId": placed["id"]}
    tale.must("get_order", name)
    tale.must("cancel_order", body=name)
    tale.refused("get_order", name, status=404)
    return None


def _strategy(tale: Tale) -> str | None:
    symbol = open_market(tale, "SPOT")
    if symbol is None:
        return "there is no open spot market"
    body = {
        "symbol": symbol,
        "side": "Bid",
        "strategyType": "Scheduled",
        "quantity": _order(tale, symbol)["quantity"],
        "duration": 60_000,
        "interval": 5_000,
    }
    made = tale.must("strategy_create", body=body)
    name = {"symbol": symbol, "strategyId": made["id"]}
    read = tale.must("get_strategy", name)
    tale.expect(read["id"] == made["id"], "another strategy is read than was made")
    rows = tale.must("get_open_strategies", {"symbol": symbol})
    tale.expect(any(row["id"] == made["id"] for row in rows), "the strategy is not among the open ones")
    tale.must("cancel_strategy", body=name)
    rows = tale.must("get_open_strategies", {"symbol": symbol})
    tale.expect(all(row["id"] != made["id"] for row in rows), "the cancelled strategy is still open")
    tale.must("strategy_create", body=body)
    tale.must("cancel_open_strategies", body={"symbol": symbol})
    tale.expect(
        not tale.must("get_open_strategies", {"symbol": symbol}), "strategies are open after all were cancelled"
    )
    tale.must("get_strategies_history", {"symbol": symbol})
    return None


def _position(tale: Tale) -> str | None:
    symbol = open_market(tale, "PERP")
    if symbol is None:
        return "there is no open perpetual market"
    book = tale.must("get_depth", {"symbol": symbol})
    if not book["bids"] or not book["asks"]:
        return f"the book of {symbol} is empty"
    quantity = _order(tale, symbol)["quantity"]
    body = {"symbol": symbol, "orderType": "Market", "quantity": quantity}
    tale.must("execute_order", body={**body, "side": "Bid"})
    held = [row for row in tale.must("get_positions") if row["symbol"] == symbol]
    tale.expect(len(held) == 1, f"{len(held)} positions came of one order")
    tale.must("execute_order", body={**body, "side": "Ask", "reduceOnly": True})
    held = [row for row in tale.must("get_positions") if row["symbol"] == symbol]
    tale.expect(not held, "the position is there after it was closed")
    for name in ("get_position_history", "get_funding_payments", "get_settlement_history"):
        tale.must(name)
    return None


Play = Callable[[Tale], str | None]
TRADING: Mapping[str, tuple[frozenset[str], Play]] = {
    "place, read, cancel, read again": (
        frozenset({"execute_order", "get_order", "get_open_orders", "cancel_order", "get_order_history"}),
        _place_and_cancel,
    ),
    "a batch, and cancel all": (
        frozenset({"execute_order_batch", "cancel_open_orders", "get_open_orders"}),
        _cancel_all,
    ),
    "buy, and find the fill": (
        frozenset({"execute_order", "get_fills", "get_balances", "get_recent_trades"}),
        _trade,
    ),
    "a conditional order": (frozenset({"execute_order", "cancel_order", "get_order"}), _trigger),
    "a strategy, read and cancelled": (
        frozenset(
            {"strategy_create", "get_strategy", "get_open_strategies", "cancel_strategy", "cancel_open_strategies",
             "get_strategies_history"}
        ),
        _strategy,
    ),
    "open and close a position": (
        frozenset({"get_positions", "get_position_history", "get_funding_payments", "get_settlement_history"}),
        _position,
    ),
}  # fmt: skip
"""The stories of trading, with the operations that each is about."""

"""The last chapters: a socket that breaks, orders that are refused, and the balances."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal, localcontext

from ..._core.errors import AuthenticationError, BadRequest, InsufficientFunds
from ..._generated.shared import Side
from ...auth import Credentials
from ...client import AsyncBackpack
from ...rules import MarketRules
from ...streams.status import ConnectionState
from .board import WentWrong, expect
from .setting import FUTURES, SPOT, START, SYMBOLS, Stage

_DIGITS = 60


async def lose_the_socket(stage: Stage) -> None:
    """Cut the socket, and see everything heal."""
    stage.screen.chapter("The socket is cut")
    counters = stage.ws.counters
    before = counters.reconnects
    stage.states.clear()
    stage.exchange.socket_faults.abort()
    await stage.wait_for(lambda: ConnectionState.RECONNECTING in stage.states, "the loss is noticed")
    stage.screen.tell("noticed    the connection is made again")
    await stage.wait_for(lambda: counters.reconnects > before, "there is a new connection")
    await stage.books.wait_live(timeout=20)
    stage.screen.tell(f"healed     connection {counters.connections}, all subscribed again, all books from scratch")
    seen = {symbol: stage.books[symbol].last_update_id or 0 for symbol in SYMBOLS}
    await stage.wait_for(
        lambda: all((stage.books[symbol].last_update_id or 0) > seen[symbol] for symbol in SYMBOLS), "the books go on"
    )
    stage.screen.look()


async def be_refused(stage: Stage) -> None:
    """See what a wrong key, a wrong tick and too little money look like."""
    stage.screen.chapter("Refusals say why")
    order = stage.bp.order
    async with AsyncBackpack(Credentials.generate(), base_url=stage.exchange.base_url, trust_env=False) as stranger:
        try:
            await stranger.capital.get_balances()
        except AuthenticationError as error:
            stage.screen.tell(f"wrong key         {type(error).__name__}: {error}")
        else:
            raise WentWrong("a key without an account was let in")
    try:
        await order.execute_order(SPOT, "Bid", "Limit", price="100.12345", quantity="1")
    except BadRequest as error:
        stage.screen.tell(f"wrong tick        {type(error).__name__} {error.code}: {error.message}")
    else:
        raise WentWrong("a price off the tick grid was taken")
    try:
        await order.execute_order(SPOT, "Bid", "Limit", price="100", quantity="1000")
    except InsufficientFunds as error:
        stage.screen.tell(f"too little money  {type(error).__name__} {error.code}: {error.message}")
    else:
        raise WentWrong("an order that nobody can pay for was taken")
    rules = MarketRules.from_market(await stage.bp.markets.get_market(SPOT))
    wrong = {"symbol": SPOT, "side": "Bid", "order_type": "Limit", "price": "0.001", "quantity": "0.0001"}
    found = rules.check(wrong)
    expect(found, "the rules find what is wrong before anything is sent")
    stage.screen.tell("checked before sending:")
    for violation in found:
        stage.screen.tell(f"  {violation}")


async def reconcile(stage: Stage) -> None:
    """Work every balance out from the fills, and compare."""
    stage.screen.chapter("Balances, worked out from the fills and compared to the last digit")
    expected: defaultdict[str, Decimal] = defaultdict(Decimal, START)
    fills = 0
    with localcontext() as exact:
        exact.prec = _DIGITS
        async for fill in stage.bp.paginate(stage.bp.order.get_fills):
            fills += 1
            quantity = fill.quantity if fill.side is Side.BID else -fill.quantity
            expected["USDC"] -= quantity * fill.price
            if fill.symbol != FUTURES:
                expected[fill.symbol.partition("_")[0]] += quantity
            expected[fill.fee_symbol] -= fill.fee
        async for payment in stage.bp.paginate(stage.bp.position.get_funding_payments):
            expected["USDC"] += payment.quantity
    balances = await stage.bp.capital.get_balances()
    for asset, amount in sorted(expected.items()):
        balance = balances[asset]
        expect(
            balance.available == amount and balance.locked == 0,
            f"{amount} {asset} should be available, and {balance.available} are, {balance.locked} locked",
        )
        stage.screen.tell(f"{asset:<5} {START.get(asset, 0):>12} at first, {amount:>20} now: as {fills} fills have it")

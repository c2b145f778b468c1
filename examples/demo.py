"""A trading session against an embedded exchange: nothing leaves this machine, and everything else is real.

The exchange below listens on a loopback socket, keeps a price-time order book and verifies every signature. Run it with
`nox -s demo`, or with `python examples/demo.py` where the package is installed.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal

from backpack_sdk import (
    AsyncBackpack,
    AuthenticationError,
    Backpack,
    BadRequest,
    Credentials,
    InsufficientFunds,
    MarketRules,
    orders,
    types,
)
from backpack_sdk.paper import PaperExchange


def main() -> None:
    credentials = Credentials.generate()
    with PaperExchange(seed=7) as exchange:
        exchange.add_account(credentials.api_key, {"USDC": "1000", "SOL": "5"})
        print(f"An exchange of our own listens at {exchange.base_url}\n")
        with Backpack(credentials, base_url=exchange.base_url) as bp:
            trade(bp)
        refusals(credentials, exchange.base_url)
        asyncio.run(the_same_with_asyncio(credentials, exchange.base_url))
        print(f"\nThe exchange saw {len(exchange.requests)} requests and checked every signature among them.")


def trade(bp: Backpack) -> None:
    """Markets, book, order, open orders, cancel, fill, balances."""
    heading("Markets")
    for market in bp.markets.get_markets():
        filters = market.filters
        print(f"  {market.symbol:<10} tick {filters.price.tick_size:<7} step {filters.quantity.step_size}")

    heading("Order book of SOL-USDC, three levels a side")
    depth = bp.markets.get_depth("SOL-USDC", limit=5)
    for price, size in reversed(depth.asks[:3]):
        print(f"  {'':>22}{price:>10}  {size}")
    for price, size in reversed(depth.bids[-3:]):
        print(f"  {size:>12}  {price:>10}")
    best_bid, best_ask = depth.bids[-1][0], depth.asks[0][0]
    show_balances(bp)

    heading("A limit order below the market")
    rules = MarketRules.from_market(bp.markets.get_market("SOL-USDC"))
    price = rules.round_price(best_bid * Decimal("0.97"), side="Bid")
    order = bp.order.execute_order("SOL-USDC", "Bid", "Limit", price=price, quantity="2", client_id=1)
    print(f"  placed    {describe(order)}")
    for open_order in bp.order.get_open_orders(symbol="SOL-USDC"):
        print(f"  open      {describe(open_order)}")
    show_balances(bp)
    gone = bp.order.cancel_order("SOL-USDC", client_id=1)
    print(f"  cancelled {describe(gone) if isinstance(gone, types.OrderType) else gone}")
    print(f"  open      {len(bp.order.get_open_orders(symbol='SOL-USDC'))} orders")

    heading("An order that trades at once")
    entry = orders.limit("SOL-USDC", "Bid", best_ask, "1.5", time_in_force="IOC", client_id=2)
    bought = bp.order.execute_order(**orders.arguments(entry))
    print(f"  bought    {describe(bought)}")
    for fill in bp.paginate(bp.order.get_fills, symbol="SOL-USDC"):
        print(f"  fill      {fill.quantity} at {fill.price}, fee {fill.fee} {fill.fee_symbol}")
    show_balances(bp)


def refusals(credentials: Credentials, base_url: str) -> None:
    """What a wrong key, a wrong tick and too little money look like."""
    heading("Refusals say why")
    with Backpack(Credentials.generate(), base_url=base_url) as stranger:
        try:
            stranger.capital.get_balances()
        except AuthenticationError as error:
            print(f"  wrong key        {type(error).__name__}: {error}")
    with Backpack(credentials, base_url=base_url) as bp:
        try:
            bp.order.execute_order("SOL-USDC", "Bid", "Limit", price="100.12345", quantity="1")
        except BadRequest as error:
            print(f"  wrong tick       {type(error).__name__} {error.code}: {error.message}")
        try:
            bp.order.execute_order("SOL-USDC", "Bid", "Limit", price="100", quantity="1000")
        except InsufficientFunds as error:
            print(f"  too little money {type(error).__name__} {error.code}: {error.message}")
        rules = MarketRules.from_market(bp.markets.get_market("SOL-USDC"))
        print("  checked before sending:")
        bad = {"symbol": "SOL-USDC", "side": "Bid", "order_type": "Limit", "price": "0.001", "quantity": "0.0001"}
        for violation in rules.check(bad):
            print(f"    {violation}")


async def the_same_with_asyncio(credentials: Credentials, base_url: str) -> None:
    """Every book at once."""
    heading("The async client, three books at once")
    async with AsyncBackpack(credentials, base_url=base_url) as bp:
        symbols = [market.symbol for market in await bp.markets.get_markets()]
        books = await asyncio.gather(*(bp.markets.get_depth(symbol, limit=5) for symbol in symbols))
        for symbol, book in zip(symbols, books, strict=True):
            print(f"  {symbol:<10} {book.bids[-1][0]} / {book.asks[0][0]}")


def describe(order: types.OrderType) -> str:
    price = f" at {order.price}" if isinstance(order, types.LimitOrder) else ""
    side = "buy" if order.side is types.Side.BID else "sell"
    return f"#{order.id} {side} {order.quantity}{price}: {order.status}, {order.executed_quantity} executed"


def show_balances(bp: Backpack) -> None:
    print("  balances  " + ", ".join(
        f"{asset} {balance.available} free, {balance.locked} locked"
        for asset, balance in sorted(bp.capital.get_balances().items())
        if balance.available or balance.locked
    ))  # fmt: skip


def heading(text: str) -> None:
    print(f"\n{text}")


if __name__ == "__main__":
    main()

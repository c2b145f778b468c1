"""Place orders and follow them: open orders, fills and positions, kept in step across reconnections.

python examples/private_orders.py             an embedded exchange: no account, no network
BACKPACK_API_SECRET=... python examples/private_orders.py --live      only watches; places nothing
"""

from __future__ import annotations

import asyncio
import sys

from backpack_sdk import AsyncBackpack, Credentials
from backpack_sdk.streams import AccountState, Filled, OrderClosed, OrderOpened, Synchronised


async def main() -> None:
    live = "--live" in sys.argv
    client = AsyncBackpack(Credentials.from_env()) if live else AsyncBackpack.paper()
    async with client as bp, bp.account_state() as account:
        await account.wait_live(timeout=30)
        print(account)
        if live:
            await watch(account)
            return
        watching = asyncio.create_task(watch(account, until=4))
        order = await bp.order.execute_order("SOL-USDC", "Bid", "Limit", price="100", quantity="1", post_only=True)
        await bp.order.execute_order("SOL-USDC", "Bid", "Market", quantity="0.5")
        await bp.order.cancel_order("SOL-USDC", order_id=order.id)
        await watching
        print(account)


async def watch(account: AccountState, until: int | None = None) -> None:
    """Print what happens, until so many orders were opened and closed."""
    async for change in account:
        match change:
            case OrderOpened(order):
                print(f"open    {order.side.value} {order.quantity} {order.symbol} at {order.price or 'market'}")
            case Filled(fill):
                print(f"fill    {fill.quantity} {fill.symbol} at {fill.price}, fee {fill.fee} {fill.fee_symbol}")
            case OrderClosed(order):
                print(f"closed  {order.status.value}, filled {order.executed_quantity}")
            case Synchronised():
                print("        up to date")
            case _:
                print(change)
        if until is not None and isinstance(change, OrderOpened | OrderClosed):
            until -= 1
            if until == 0:
                return


if __name__ == "__main__":
    asyncio.run(main())

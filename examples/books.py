"""Keep order books and read prices for a size off them.

python examples/books.py             an embedded exchange with synthetic order flow: no account, no network
python examples/books.py --live      the real exchange; public streams need no key
"""

from __future__ import annotations

import asyncio
import sys

from backpack_sdk import AsyncBackpack
from backpack_sdk.paper import Flow


async def main(updates: int = 40) -> None:
    client = AsyncBackpack() if "--live" in sys.argv else AsyncBackpack.paper(flow=Flow(rate=200))
    async with client as bp, bp.order_books("SOL-USDC", "ETH-USDC", snapshot_interval=60) as books:
        await books.wait_live(timeout=30)
        async for book in books:
            print(book)
            print(f"    spread {book.spread}, microprice {book.microprice}, buying 10 costs {book.vwap('Bid', 10)}")
            updates -= 1
            if updates == 0:
                break
        for symbol in books.symbols:
            print(symbol, books.state(symbol).value, books.counters(symbol))


if __name__ == "__main__":
    asyncio.run(main())

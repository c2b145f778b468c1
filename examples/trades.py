"""Print public trades and best prices as they happen.

python examples/trades.py             an embedded exchange with synthetic order flow: no account, no network
python examples/trades.py --live      the real exchange; public streams need no key
"""

from __future__ import annotations

import asyncio
import sys

from backpack_sdk import AsyncBackpack
from backpack_sdk.paper import Flow


async def main(seconds: float = 3.0) -> None:
    client = AsyncBackpack() if "--live" in sys.argv else AsyncBackpack.paper(flow=Flow(rate=200))
    async with client as bp, bp.streams() as ws:
        ws.on_state_change(lambda change: print(f"-- {change.new.value}: {change.reason}"))
        tickers = ws.book_tickers("SOL-USDC", "BTC-USDC", overflow="conflate")
        tickers.listen(lambda best: print(f"{best.symbol:9} {best.bid_price} | {best.ask_price}"))
        try:
            async with asyncio.timeout(seconds):
                async for trade in ws.trades("SOL-USDC", "BTC-USDC"):
                    side = "sold" if trade.is_buyer_maker else "bought"
                    print(f"{trade.symbol:9} {side} {trade.quantity} at {trade.price}")
        except TimeoutError:
            print(ws.counters)


if __name__ == "__main__":
    asyncio.run(main())

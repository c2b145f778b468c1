"""Streams and order books in a plain script, without asyncio.

python examples/blocking_streams.py             an embedded exchange: no account, no network
python examples/blocking_streams.py --live      the real exchange; public streams need no key
"""

from __future__ import annotations

import sys

from backpack_sdk import Backpack
from backpack_sdk.paper import Flow


def main(trades_to_show: int = 10, books_to_show: int = 10) -> None:
    client = Backpack() if "--live" in sys.argv else Backpack.paper(flow=Flow(rate=200, taker_share=0.3))
    with client as bp:
        with bp.streams() as ws:
            for number, trade in enumerate(ws.trades("SOL-USDC", "BTC-USDC"), start=1):
                print(trade.symbol, trade.quantity, "at", trade.price)
                if number == trades_to_show:
                    break
        with bp.order_books("SOL-USDC", levels=10) as books:
            for number, book in enumerate(books, start=1):
                print(book.symbol, book.best_bid, book.best_ask, "update", book.last_update_id)
                if number == books_to_show:
                    break


if __name__ == "__main__":
    main()

"""The demo as lines of text, for logs and pipes."""

from __future__ import annotations

from .board import Screen


class PlainScreen(Screen):
    """Prints each line as it is told."""

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        print(f"\n{title}", flush=True)

    def tell(self, text: str) -> None:
        """Say what happened."""
        print(f"  {text}", flush=True)

    def look(self) -> None:
        """Print the best prices and the latest trades."""
        for book in self.board.books.values():
            bid, ask = book.best_bid, book.best_ask
            if bid is not None and ask is not None:
                self.tell(f"{book.symbol:<14} {bid.quantity:>10} @ {bid.price:<9}  {ask.quantity:>10} @ {ask.price:<9}")
        for trade in list(self.board.trades)[-3:]:
            side = "sold" if trade.is_buyer_maker else "bought"
            self.tell(f"{trade.symbol:<14} {trade.quantity} {side} at {trade.price}")

    def close(self) -> None:
        """There is nothing to clear away."""

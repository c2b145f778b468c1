"""The demo as a live view of the terminal, with rich."""

from __future__ import annotations

from decimal import Decimal

from rich.console import Console, Group, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ...streams.book import BookSnapshot, Level
from .board import LEVELS, Board, Screen

_PER_SECOND = 12
_BAR = 14


class LiveScreen(Screen):
    """Draws the board several times a second, and leaves the story behind when it ends."""

    def __init__(self) -> None:
        super().__init__()
        self._console = Console()
        self._live = Live(
            get_renderable=lambda: _view(self.board, self._console.height),
            console=self._console, refresh_per_second=_PER_SECOND, screen=True,
        )  # fmt: skip
        self._live.start()

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        self.board.lines.append("")
        self.board.lines.append(f"[bold cyan]{title}[/]")

    def tell(self, text: str) -> None:
        """Say what happened."""
        self.board.lines.append("  " + text.replace("[", r"\["))

    def look(self) -> None:
        """Books and trades are in view."""

    def close(self) -> None:
        """End the view, and print the story where it can be read again."""
        self._live.stop()
        for line in self.board.lines:
            self._console.print(line, highlight=False)


def _view(board: Board, height: int) -> RenderableType:
    layout = Layout()
    books = Layout(name="books", size=2 * LEVELS + 4)
    shown = [Layout(_book(book)) for book in board.books.values()]
    books.split_row(*shown or [Layout(Panel("waiting for the books"))])
    below = Layout(name="below")
    room = max(3, height - 2 * LEVELS - 8)
    below.split_row(
        Layout(Panel(_story(board, room), title="what happens", title_align="left"), ratio=3),
        Layout(Panel(_trades(board), title="trades", title_align="left"), ratio=2),
    )
    layout.split_column(Layout(_header(board), size=1), books, below)
    return layout


def _header(board: Board) -> Text:
    text = Text(" embedded exchange ", style="bold")
    text.append(f" socket {board.connection} ", style="green" if board.connection == "live" else "bold red")
    if board.profit is not None:
        text.append(f"  profit and loss {board.profit:+.4f} USDC", style=_color(board.profit))
    return text


def _book(book: BookSnapshot) -> Panel:
    table = Table.grid(padding=(0, 1))
    for _ in range(3):
        table.add_column(justify="right")
    asks, bids = book.asks(LEVELS), book.bids(LEVELS)
    most = max((level.quantity for level in (*asks, *bids)), default=Decimal(1))
    for levels, style in ((reversed(asks), "red"), (bids, "green")):
        for level in levels:
            table.add_row(Text(str(level.price), style=style), str(level.quantity), _bar(level, most, style))
    spread = f" spread {book.spread}" if book.spread is not None else ""
    return Panel(table, title=f"{book.symbol}{spread}", title_align="left")


def _bar(level: Level, most: Decimal, style: str) -> Text:
    return Text("█" * max(1, round(_BAR * float(level.quantity / most))), style=style)


def _story(board: Board, room: int) -> RenderableType:
    return Group(*(Text.from_markup(line) for line in list(board.lines)[-room:]))


def _trades(board: Board) -> Table:
    table = Table.grid(padding=(0, 1))
    for trade in reversed(board.trades):
        table.add_row(
            trade.symbol, Text(str(trade.price), style="red" if trade.is_buyer_maker else "green"), str(trade.quantity)
        )
    return table


def _color(value: Decimal) -> str:
    return "green" if value >= 0 else "red"

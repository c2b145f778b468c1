"""The data of each public stream as compact JSON, its members sorted by name, and the envelope around it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from ..engine import BestPricesChanged, Kline, Liquidated, MarkPrice, Ticker, Trade
from ..engine.book import PriceLevel
from ..wire import iso, milliseconds
from .spelling import Spelling, amount

Data = Mapping[str, object]

_encode = msgspec.json.Encoder(order="sorted").encode


def envelope(data: bytes, stream: str) -> bytes:
    """Return what goes out as one message."""
    return b'{"data":%b,"stream":%b}' % (data, msgspec.json.encode(stream))


def error(code: int, message: str) -> bytes:
    """Return an error message."""
    return msgspec.json.encode({"id": None, "error": {"code": code, "message": message}})


def json(data: Data) -> bytes:
    """Write data."""
    return _encode(data)


def depth(
    words: Spelling,
    bids: Iterable[PriceLevel],
    asks: Iterable[PriceLevel],
    *,
    first_id: int,
    last_id: int,
    engine_us: int,
    now_us: int,
) -> bytes:
    """Write a change of a book. By hand, for this is nine frames of ten."""
    price, size = words.price, words.size
    a = ",".join([f'["{price(at)}","{size(total)}"]' for at, total in asks])
    b = ",".join([f'["{price(at)}","{size(total)}"]' for at, total in bids])
    return (
        f'{{"E":{now_us},"T":{engine_us},"U":{first_id},"a":[{a}],"b":[{b}],'
        f'"e":"depth","s":{words.symbol},"u":{last_id}}}'
    ).encode()


def book_ticker(words: Spelling, event: BestPricesChanged, now_us: int) -> bytes | None:
    """Write the best prices; None for a book with an empty side, of which the exchange has never shown a message."""
    best = event.best
    if best.ask is None or best.ask_quantity is None or best.bid is None or best.bid_quantity is None:
        return None
    return json(
        {
            "e": "bookTicker",
            "E": now_us,
            "s": event.symbol,
            "a": words.price(best.ask),
            "A": words.size(best.ask_quantity),
            "b": words.price(best.bid),
            "B": words.size(best.bid_quantity),
            "u": event.update_id,
            "T": event.time_us,
        }
    )


def trade(words: Spelling, event: Trade, now_us: int) -> bytes:
    """Write a public trade."""
    return json(
        {
            "e": "trade",
            "E": now_us,
            "s": event.symbol,
            "p": words.price(event.price),
            "q": words.size(event.quantity),
            "b": str(event.buyer_order_id),
            "a": str(event.seller_order_id),
            "t": event.id,
            "T": event.time_us,
            "m": event.is_buyer_maker,
        }
    )


def ticker(words: Spelling, figures: Ticker, now_us: int) -> bytes:
    """Write the figures of the last day."""
    return json(
        {
            "e": "ticker",
            "E": now_us,
            "s": figures.symbol,
            "o": words.price(figures.first_price),
            "c": words.price(figures.last_price),
            "h": words.price(figures.high),
            "l": words.price(figures.low),
            "v": words.size(figures.volume),
            "V": amount(figures.quote_volume),
            "n": figures.trades,
        }
    )


def kline(words: Spelling, symbol: str, candle: Kline, now_us: int, *, is_closed: bool) -> bytes:
    """Write a candle; one without trades has no prices."""
    prices = {"o": candle.open, "c": candle.close, "h": candle.high, "l": candle.low}
    return json(
        {
            "e": "kline",
            "E": now_us,
            "s": symbol,
            "t": iso(candle.start_us),
            "T": iso(candle.end_us),
            **{name: None if price is None else words.price(price) for name, price in prices.items()},
            "v": words.size(candle.volume),
            "n": candle.trades,
            "X": is_closed,
        }
    )


def mark_price(price: MarkPrice, now_us: int) -> bytes:
    """Write mark and index price; a market without funding has none of its members."""
    found: dict[str, object] = {
        "e": "markPrice",
        "E": now_us,
        "s": price.symbol,
        "p": amount(price.mark),
        "i": amount(price.index),
        "T": price.time_us,
    }
    if price.funding_rate is not None and price.next_funding_us is not None:
        found |= {"f": amount(price.funding_rate), "n": milliseconds(price.next_funding_us)}
    return json(found)


def open_interest(words: Spelling, symbol: str, quantity: Decimal, now_us: int) -> bytes:
    """Write the open interest of a perpetual."""
    return json({"e": "openInterest", "E": now_us, "s": symbol, "o": words.size(quantity)})


def liquidation(words: Spelling, event: Liquidated, now_us: int) -> bytes:
    """Write a liquidation. The account stays unknown."""
    return json(
        {
            "e": "liquidation",
            "E": now_us,
            "s": event.symbol,
            "S": event.side,
            "q": words.size(event.quantity),
            "p": words.price(event.price),
            "T": event.time_us,
        }
    )

"""A realistic frame of every kind of stream."""

from __future__ import annotations

import json
from typing import Any

TIMES = {"E": 1790000000123456, "T": 1790000000120001}
ORDER: dict[str, Any] = {
    "e": "orderAccepted", **TIMES, "s": "SOL_USDC_PERP", "S": "Bid", "o": "LIMIT", "f": "GTC", "q": "32.5",
    "p": "141.20", "X": "New", "i": "111134302617206700", "z": "0", "Z": "0", "V": "RejectTaker", "t": None,
    "O": "USER", "y": True, "r": False,
}  # fmt: skip
FILL: dict[str, Any] = {
    **ORDER, "e": "orderFill", "c": 4294967295, "X": "PartiallyFilled", "t": 567, "l": "1.25", "z": "1.25",
    "Z": "176.5", "L": "141.2", "m": False, "n": "-0.0353", "N": "USDC", "y": False,
}  # fmt: skip
TRIGGER: dict[str, Any] = {
    **ORDER, "e": "triggerPlaced", "o": "MARKET", "X": "TriggerPending", "P": "130", "B": "MarkPrice", "Y": "80%",
    "a": "160", "b": "120", "j": "159", "k": "119", "d": "LastPrice", "g": "IndexPrice", "I": "111134302615613500",
    "H": "6023471188", "Q": "1000", "r": True,
}  # fmt: skip
POSITION: dict[str, Any] = {
    "e": "positionAdjusted", **TIMES, "s": "SOL_USDC_PERP", "b": "141.31", "B": "141.2", "l": "0", "f": "0.02",
    "M": "142.07", "m": "0.0125", "q": "-5", "Q": "6.25", "n": "887.9375", "i": 111134302617206700, "p": "-1.5",
    "P": "0",
}  # fmt: skip
RFQ: dict[str, Any] = {
    "e": "rfqCandidate", **TIMES, "R": 113392053149171712, "u": 113392054083780608, "C": "123", "s": "SOL_USDC_RFQ",
    "S": "Bid", "q": "10", "p": "15.50", "w": 1790000060123, "W": 1790000120123, "X": "New",
}  # fmt: skip
PAYLOADS: dict[str, tuple[str, dict[str, Any]]] = {
    "book_ticker": ("bookTicker.BTC_USDC_PERP", {
        "e": "bookTicker", **TIMES, "s": "BTC_USDC_PERP", "a": "86700.1", "A": "0.51", "b": "86700.0", "B": "1.20000",
        "u": 111063070525358080}),
    "depth": ("depth.kPEPE_USDC_PERP", {
        "e": "depth", **TIMES, "s": "kPEPE_USDC_PERP", "a": [["0.0123", "0.00000"]],
        "b": [["0.0121", "5000"], ["0.0122", "0"]], "U": 94978271, "u": 94978275}),
    "depth_window": ("depth.200ms.AAPL.US_USDC_PERP", {
        "e": "depth", **TIMES, "s": "AAPL.US_USDC_PERP", "a": [], "b": [], "U": 5, "u": 9}),
    "kline": ("kline.1m.BRK.B.US_USDC", {
        "e": "kline", "E": TIMES["E"], "s": "BRK.B.US_USDC", "t": "2026-09-11T12:00:00", "T": "2026-09-11T12:01:00",
        "o": "18.75", "c": "19.25", "h": "19.80", "l": "18.50", "v": "32123", "n": 93828, "X": False}),
    "liquidation": ("liquidation", {
        "e": "liquidation", **TIMES, "q": "10", "p": "18.70", "S": "Ask", "s": "SOL_USDC_PERP"}),
    "mark_price": ("markPrice.SOL_USDC_PERP", {
        "e": "markPrice", **TIMES, "s": "SOL_USDC_PERP", "p": "141.20", "f": "0.00001249999999999999999999",
        "i": "141.17231", "n": 1790002800000}),
    "open_interest": ("openInterest.SOL_USDC_PERP", {
        "e": "openInterest", "E": TIMES["E"], "s": "SOL_USDC_PERP", "o": "10023.45"}),
    "ticker": ("ticker.SOL_USDC", {
        "e": "ticker", "E": TIMES["E"], "s": "SOL_USDC", "o": "18.75", "c": "19.24", "h": "19.80", "l": "18.50",
        "v": "32123", "V": "928190", "n": 93828}),
    "trade": ("trade.SOL_USDC", {
        "e": "trade", **TIMES, "s": "SOL_USDC", "p": "18.68", "q": "0.122", "b": "111063114377265150",
        "a": "111063114585735170", "t": 12345, "m": True}),
    "external_ticker": ("externalTicker.SOL_USDC", {"e": "externalTicker", "s": "SOL_USDC", "mid": 1.5}),
    "stock_price": ("stockPrice.AAPL", {"s": "AAPL", "price": "231.1"}),
    "order_update": ("account.orderUpdate", ORDER),
    "order_fill": ("account.orderUpdate.SOL_USDC_PERP", FILL),
    "order_trigger": ("account.orderUpdate", TRIGGER),
    "position_update": ("account.positionUpdate", POSITION),
    "position_first": ("account.positionUpdate", {name: POSITION[name] for name in POSITION if name != "e"}),
    "rfq_update": ("account.rfqUpdate", RFQ),
    "balance_update": ("account.balanceUpdate", {"e": "balanceUpdate", "E": TIMES["E"], "asset": "SOL"}),
}  # fmt: skip
"""Stream and payload, by the channel's name or by what is special about it."""


def frame(stream: str, data: object, *, data_first: bool = False) -> bytes:
    """A frame as the exchange writes it, which is in either order."""
    parts = {"data": data, "stream": stream} if data_first else {"stream": stream, "data": data}
    return json.dumps(parts, separators=(",", ":")).encode()

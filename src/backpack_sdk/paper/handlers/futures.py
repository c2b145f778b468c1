"""Perpetuals: their prices, funding and open interest, and an account's positions and what they paid."""

from __future__ import annotations

from enum import StrEnum

from .. import wire, wire_futures
from ..call import AnyMarketType, Call, Handler
from ..engine import Position, PositionState, Side
from ..engine.futures import FuturesSpec
from ..errors import ApiError, ApiErrorCode
from ..reading import UINT16_MAX, Query, needed
from ..replies import Reply, json_reply
from .listing import exact, flag, listing

_DEFAULT_LIMIT = 100


class SettlementSource(StrEnum):
    """Sources that settlements can be chosen by. Positions settle at once here, so there are none of any."""

    BACKSTOP_LIQUIDATION = "BackstopLiquidation"
    CULLED_BORROW_INTEREST = "CulledBorrowInterest"
    CULLED_REALIZE_PNL = "CulledRealizePnl"
    CULLED_REALIZE_PNL_BOOK_UTILIZATION = "CulledRealizePnlBookUtilization"
    FUNDING_PAYMENT = "FundingPayment"
    REALIZE_PNL = "RealizePnl"
    TRADING_FEES = "TradingFees"
    TRADING_FEES_SYSTEM = "TradingFeesSystem"


def get_mark_prices(call: Call) -> Reply:
    """Show the prices of one market, or of all perpetuals that have a price."""
    symbol, kind = call.query.text("symbol"), call.query.choice("marketType", AnyMarketType)
    specs = call.engine.markets() if symbol is None else (call.engine.market(symbol),)
    wanted = {AnyMarketType.PERP} if kind is None and symbol is None else set(AnyMarketType) if kind is None else {kind}
    found = [call.engine.mark_price(spec.symbol) for spec in specs if spec.market_type.value in wanted]
    return json_reply([wire_futures.mark_price(price) for price in found if price is not None])


def get_open_interest(call: Call) -> Reply:
    """Show the open interest of one perpetual or of all."""
    symbol = call.query.text("symbol")
    symbols = (
        [spec.symbol for spec in call.engine.markets() if spec.futures is not None] if symbol is None else [symbol]
    )
    at = wire.milliseconds(call.now_us)
    return json_reply(
        [
            {"symbol": name, "openInterest": wire.number(call.engine.open_interest(name)), "timestamp": at}
            for name in symbols
        ]
    )


def get_funding_interval_rates(call: Call) -> Reply:
    """Page through past funding rates, newest first."""
    symbol = needed(call.query.text("symbol"), "symbol")
    limit, offset = call.query.whole("limit"), call.query.whole("offset")
    found = call.engine.funding_rates(
        symbol, limit=_DEFAULT_LIMIT if limit is None else limit, offset=0 if offset is None else offset
    )
    headers = {"X-TOTAL": str(call.engine.funding_rate_count(symbol))}
    return json_reply([wire_futures.funding_rate(rate) for rate in found], headers=headers)


@exact
def get_positions(call: Call) -> Reply:
    """Show the open positions of one market or of all."""
    kind = call.query.choice("marketType", AnyMarketType)
    held = call.engine.positions(call.account, call.query.text("symbol"))
    return json_reply([_position(call, position) for position in held] if kind in (None, AnyMarketType.PERP) else [])


def get_position_history(call: Call) -> Reply:
    """Page through positions, closed and open ones."""
    query = call.query
    kinds = query.choices("marketType", AnyMarketType)
    symbol, state = query.text("symbol"), query.choice("state", PositionState)
    wanted = kinds is None or AnyMarketType.PERP in kinds
    rows = call.engine.all_positions(call.account) if wanted else ()

    def keep(position: Position) -> bool:
        return symbol in (None, position.symbol) and state in (None, position.state)

    return listing(query, rows, wire_futures.past_position, keep)


def get_funding_payments(call: Call) -> Reply:
    """Page through the funding that the account received and paid."""
    _refuse_subaccount(call.query)
    symbol, user_id = call.query.text("symbol"), call.engine.user_id(call.account)
    return listing(
        call.query,
        call.engine.all_funding_payments(call.account),
        lambda payment: wire_futures.funding_payment(payment, user_id),
        lambda payment: symbol in (None, payment.symbol),
    )


def get_settlement_history(call: Call) -> Reply:
    """Page through settlements: none, for gains and losses are settled with every trade here."""
    call.query.choice("source", SettlementSource)
    return listing(call.query, (), _nothing)


@exact
def get_max_order_quantity(call: Call) -> Reply:
    """Show the largest quantity that could be ordered now. Nothing is borrowed for it."""
    query = call.query
    symbol, side = needed(query.text("symbol"), "symbol"), needed(query.choice("side", Side), "side")
    price, reduce_only = query.decimal("price"), flag(query, "reduceOnly")
    most = call.engine.max_order_quantity(call.account, symbol, side, price=price, reduce_only=reduce_only is True)
    found: wire.Json = {"symbol": symbol, "side": side, "maxOrderQuantity": wire.number(most)}
    if price is not None:
        found["price"] = wire.number(price)
    for name in ("autoBorrow", "autoBorrowRepay", "autoLendRedeem", "reduceOnly"):
        value = flag(query, name)
        if value is not None:
            found[name] = value
    return json_reply(found)


def _position(call: Call, held: Position) -> wire.Json:
    futures = _futures(call, held.symbol)
    return wire_futures.position(
        held,
        futures.imf,
        futures.mmf,
        call.engine.liquidation_price(call.account, held.symbol),
        call.engine.user_id(call.account),
    )


def _futures(call: Call, symbol: str) -> FuturesSpec:
    futures = call.engine.market(symbol).futures
    if futures is None:
        raise ApiError(ApiErrorCode.INVALID_CLIENT_REQUEST, f"{symbol} is a spot market")
    return futures


def _refuse_subaccount(query: Query) -> None:
    if query.whole("subaccountId", high=UINT16_MAX) is not None:
        raise ApiError(ApiErrorCode.NOT_IMPLEMENTED, "the embedded exchange has no subaccounts: leave subaccountId out")


def _nothing(_row: object) -> wire.Json:
    return {}


HANDLERS: dict[str, Handler] = {
    "get_funding_interval_rates": get_funding_interval_rates,
    "get_funding_payments": get_funding_payments,
    "get_mark_prices": get_mark_prices,
    "get_max_order_quantity": get_max_order_quantity,
    "get_open_interest": get_open_interest,
    "get_position_history": get_position_history,
    "get_positions": get_positions,
    "get_settlement_history": get_settlement_history,
}

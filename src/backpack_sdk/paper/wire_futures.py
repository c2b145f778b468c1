"""Positions, prices of perpetuals, funding and strategies as the JSON of the REST API."""

from __future__ import annotations

from decimal import Decimal

from .engine import FundingPayment, FundingRate, MarginFunction, MarkPrice, Position, Strategy
from .wire import Json, iso, margin_function, milliseconds, number


def position(
    held: Position, imf: MarginFunction, mmf: MarginFunction, liquidation_price: Decimal, user_id: int
) -> Json:
    """Write an open position. There is no interest on unrealised gains here."""
    return {
        "breakEvenPrice": number(held.break_even_price),
        "cumulativeFundingPayment": number(held.funding),
        "cumulativeInterest": "0",
        "entryPrice": number(held.entry_price),
        "estLiquidationPrice": number(liquidation_price),
        "imf": number(held.imf),
        "imfFunction": margin_function(imf),
        "markPrice": number(held.mark_price),
        "mmf": number(held.mmf),
        "mmfFunction": margin_function(mmf),
        "netCost": number(held.cost),
        "netExposureNotional": number(held.exposure_notional),
        "netExposureQuantity": number(held.exposure_quantity),
        "netQuantity": number(held.quantity),
        "pnlRealized": number(held.realized),
        "pnlUnrealized": number(held.unrealized),
        "positionId": str(held.id),
        "symbol": held.symbol,
        "userId": user_id,
    }


def past_position(held: Position) -> Json:
    """Write a position as its history shows it."""
    found: Json = {
        "closedVolume": number(held.closed_volume),
        "cumulativePnlRealized": number(held.realized),
        "entryPrice": number(held.entry_price),
        "fees": number(held.fees),
        "fundingQuantity": number(held.funding),
        "id": str(held.id),
        "imf": number(held.imf),
        "interest": "0",
        "liquidated": number(held.liquidated),
        "liquidationFees": number(held.liquidation_fees),
        "markPrice": number(held.mark_price),
        "netCost": number(held.cost),
        "netExposureNotional": number(held.exposure_notional),
        "netExposureQuantity": number(held.exposure_quantity),
        "netQuantity": number(held.quantity),
        "openedAt": iso(held.opened_us),
        "state": held.state,
        "symbol": held.symbol,
        "unrealizedPnl": number(held.unrealized),
    }
    if held.closing_price is not None:
        found["closingPrice"] = number(held.closing_price)
    if held.closed_us is not None:
        found["closedAt"] = iso(held.closed_us)
    return found


def mark_price(price: MarkPrice) -> Json:
    """Write the prices of a market; those of perpetuals with the funding that comes next."""
    found: Json = {"symbol": price.symbol, "markPrice": number(price.mark), "indexPrice": number(price.index)}
    if price.funding_rate is not None:
        found["fundingRate"] = number(price.funding_rate)
    if price.next_funding_us is not None:
        found["nextFundingTimestamp"] = milliseconds(price.next_funding_us)
    return found


def funding_rate(rate: FundingRate) -> Json:
    """Write the rate of a past interval."""
    return {
        "symbol": rate.symbol,
        "fundingRate": number(rate.rate),
        "intervalEndTimestamp": iso(rate.interval_end_us),
    }


def funding_payment(payment: FundingPayment, user_id: int) -> Json:
    """Write what an account received or paid."""
    return {
        "symbol": payment.symbol,
        "fundingRate": number(payment.rate),
        "intervalEndTimestamp": iso(payment.interval_end_us),
        "quantity": number(payment.quantity),
        "userId": user_id,
    }


def strategy(found: Strategy) -> Json:
    """Write a running strategy."""
    written = _strategy(found)
    written["createdAt"] = milliseconds(found.created_us)
    written["reduceOnly"] = found.request.reduce_only
    return written


def past_strategy(found: Strategy) -> Json:
    """Write a strategy as the history shows it."""
    written = _strategy(found)
    written["createdAt"] = iso(found.created_us)
    if found.cancel_reason is not None:
        written["cancelReason"] = found.cancel_reason
    return written


def _strategy(found: Strategy) -> Json:
    request = found.request
    written: Json = {
        "id": str(found.id),
        "strategyType": "Scheduled",
        "symbol": request.symbol,
        "side": request.side,
        "status": found.status,
        "quantity": number(request.quantity),
        "executedQuantity": number(found.executed_quantity),
        "executedQuoteQuantity": number(found.executed_quote_quantity),
        "duration": request.duration_ms,
        "interval": request.interval_ms,
        "randomizedIntervalQuantity": request.randomized,
        "selfTradePrevention": request.self_trade_prevention,
        "timeInForce": request.time_in_force,
    }
    if request.client_id is not None:
        written["clientStrategyId"] = request.client_id
    if request.slippage is not None:
        written["slippageTolerance"] = number(request.slippage.tolerance)
        written["slippageToleranceType"] = request.slippage.unit
    return written

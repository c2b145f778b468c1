"""Lending pools, and what accounts lend to them and owe them."""

from __future__ import annotations

import base64
import binascii
from decimal import Decimal
from enum import StrEnum

from .. import wire
from ..call import Call, Handler
from ..engine import Refused
from ..engine.credit import VALUATION_ASSET
from ..engine.lending import BorrowLendMovement
from ..engine.lending_pool import (
    HOUR_US,
    BorrowLendEventType,
    BorrowLendSide,
    BorrowLendSource,
    InterestPayment,
    LoanPosition,
    Pool,
    PoolFigures,
)
from ..engine.numbers import ZERO
from ..errors import ApiError, ApiErrorCode, MalformedRequest
from ..reading import UINT16_MAX, Fields, needed, parse_body
from ..replies import Reply, json_reply
from .listing import exact, listing, number_id

_DAY_US = 24 * HOUR_US


class HistoryInterval(StrEnum):
    """How far back a history of figures goes."""

    DAY = "1d"
    WEEK = "1w"
    MONTH = "1month"
    YEAR = "1year"


SPANS: dict[HistoryInterval, tuple[int, int]] = {
    HistoryInterval.DAY: (_DAY_US, HOUR_US),
    HistoryInterval.WEEK: (7 * _DAY_US, 6 * HOUR_US),
    HistoryInterval.MONTH: (30 * _DAY_US, _DAY_US),
    HistoryInterval.YEAR: (365 * _DAY_US, 7 * _DAY_US),
}
"""Span and spacing of the rows, in microseconds."""


class PositionState(StrEnum):
    """Whether a position is still running."""

    OPEN = "Open"
    CLOSED = "Closed"


class InterestSource(StrEnum):
    """What interest is for. Only the second is paid here."""

    UNREALIZED_PNL = "UnrealizedPnl"
    BORROW_LEND = "BorrowLend"


def execute_borrow_lend(call: Call) -> Reply:
    """Borrow, lend, pay back or redeem."""
    side, asset, quantity = _plan(Fields(call.body))
    call.engine.borrow_lend(call.account, asset, side, quantity, now_us=call.now_us)
    return Reply(200)


@exact
def get_borrow_lend_markets(call: Call) -> Reply:
    """List the pools as they are now."""
    return json_reply([_market(call, pool) for pool in call.engine.lending.pools()])


@exact
def get_borrow_lend_markets_history(call: Call) -> Reply:
    """List past figures of the pools at even steps, and the present ones last."""
    span_us, step_us = SPANS[needed(call.query.choice("interval", HistoryInterval), "interval")]
    asset = call.query.text("symbol")
    lending = call.engine.lending
    rows: list[PoolFigures] = []
    for pool in lending.pools() if asset is None else [lending.pool(asset)]:
        rows += [each for each in pool.history if each.time_us > call.now_us - span_us and each.time_us % step_us == 0]
        rows.append(pool.figures(call.now_us))
    return json_reply([_past_market(figures) for figures in rows])


@exact
def get_apy_rates(call: Call) -> Reply:
    """List the yearly rates of the pools, the same for every tier. Nothing can be staked here."""
    call.query.whole("tierId", high=2**31 - 1)
    rates: list[wire.Json] = []
    for pool in call.engine.lending.pools():
        figures = pool.figures(call.now_us)
        rates.append(
            {
                "symbol": figures.asset,
                "borrowRate": wire.number(figures.borrow_rate),
                "lendRate": wire.number(figures.lend_rate),
            }
        )
    return json_reply({"borrowLend": rates, "staking": []})


@exact
def get_borrow_lend_positions(call: Call) -> Reply:
    """List what the account lends and owes."""
    return json_reply([_open_position(call, each) for each in call.engine.lending.book(call.account).open.values()])


@exact
def get_borrow_lend_estimated_liquidation_price(call: Call) -> Reply:
    """Estimate what a planned borrow or lend would lead to."""
    if call.query.whole("subaccountId", high=UINT16_MAX) is not None:
        raise ApiError(ApiErrorCode.NOT_IMPLEMENTED, "the embedded exchange has no subaccounts: leave subaccountId out")
    text = needed(call.query.text("borrow"), "borrow")
    try:
        side, asset, quantity = _plan(Fields(parse_body(base64.b64decode(text, validate=True), "application/json")))
        call.engine.lending.pool(asset)
    except (binascii.Error, ValueError, MalformedRequest, Refused) as problem:
        raise ApiError(
            ApiErrorCode.INVALID_CLIENT_REQUEST,
            f"borrow is not the base64 text of a JSON object with quantity, side and symbol of a pool: {problem}",
        ) from None
    lent, owed = (quantity, ZERO) if side is BorrowLendSide.LEND else (ZERO, quantity)
    price = call.engine.credit.liquidation_price(call.account, asset, lent=lent, owed=owed)
    return json_reply(
        {"liquidationPrice": wire.number(price), "markPrice": wire.number(call.engine.asset_price(asset))}
    )


def get_borrow_lend_history(call: Call) -> Reply:
    """Page through the changes of positions."""
    query = call.query
    kind, asset = query.choice("type", BorrowLendEventType), query.text("symbol")
    position = number_id(query.text("positionId"), "positionId")
    names = query.text("sources")
    sources = SOURCES if names is None else [name.strip() for name in names.split(",")]
    for source in sources:
        if source not in SOURCES:
            raise ApiError(ApiErrorCode.INVALID_CLIENT_REQUEST, f"{source!r} is not one of {', '.join(SOURCES)}")

    def keep(row: BorrowLendMovement) -> bool:
        return (
            kind in (None, row.event_type)
            and asset in (None, row.asset)
            and position in (None, row.position_id)
            and row.source in sources
        )

    return listing(query, call.engine.lending.book(call.account).movements, _movement, keep)


@exact
def get_borrow_lend_position_history(call: Call) -> Reply:
    """Page through the positions, open and closed."""
    query = call.query
    asset, side = query.text("symbol"), query.choice("side", BorrowLendSide)
    state = query.choice("state", PositionState)

    def keep(row: LoanPosition) -> bool:
        open_or_not = PositionState.OPEN if row.closed_us is None else PositionState.CLOSED
        return asset in (None, row.asset) and side in (None, row.side) and state in (None, open_or_not)

    def write(row: LoanPosition) -> wire.Json:
        return {
            "positionId": str(row.id),
            "symbol": row.asset,
            "side": row.side,
            "source": row.source,
            "quantity": wire.number(row.quantity),
            "cumulativeInterest": wire.number(row.cumulative_interest),
            "avgInterestRate": wire.number(row.average_rate(call.now_us)),
            "createdAt": wire.iso(row.opened_us),
        }

    return listing(query, call.engine.lending.book(call.account).positions, write, keep)


def get_interest_history(call: Call) -> Reply:
    """Page through the interest of borrow lend positions. Rates are yearly, intervals in milliseconds."""
    query = call.query
    asset, symbol = query.text("asset"), query.text("symbol")
    position = number_id(query.text("positionId"), "positionId")
    source = query.choice("source", InterestSource)

    def keep(row: InterestPayment) -> bool:
        return (
            asset in (None, row.asset)
            and symbol in (None, _market_symbol(row.asset))
            and position in (None, row.position_id)
            and source in (None, InterestSource.BORROW_LEND)
        )

    return listing(query, call.engine.lending.book(call.account).payments, _payment, keep)


SOURCES: tuple[str, ...] = (
    *BorrowLendSource,
    "AdlProvider",
    "LiquidationAdl",
    "Reconciliation",
)
"""The sources that a filter may name. The last ones never happen here."""


def _plan(fields: Fields) -> tuple[BorrowLendSide, str, Decimal]:
    return (
        needed(fields.choice("side", BorrowLendSide), "side"),
        needed(fields.text("symbol"), "symbol"),
        needed(fields.decimal("quantity"), "quantity"),
    )


def _market(call: Call, pool: Pool) -> wire.Json:
    spec, figures = pool.spec, pool.figures(call.now_us)
    bound = wire.number(spec.max_utilization)
    return {
        "symbol": spec.asset,
        "state": spec.state,
        "assetMarkPrice": wire.number(call.engine.asset_price(spec.asset)),
        "borrowInterestRate": wire.number(figures.borrow_rate),
        "lendInterestRate": wire.number(figures.lend_rate),
        "borrowedQuantity": wire.number(figures.borrowed),
        "lentQuantity": wire.number(figures.lent),
        "utilization": wire.number(figures.utilization),
        "optimalUtilization": wire.number(spec.curve.kink),
        "maxUtilization": bound,
        "openBorrowLendLimit": wire.number(spec.limit),
        "fee": wire.number(spec.fee),
        "stepSize": wire.number(spec.step_size),
        # Nothing is throttled here: utilization may climb to its bound in one step.
        "throttleUtilizationThreshold": bound,
        "throttleUtilizationBound": bound,
        "throttleUpdateFraction": "1",
        "timestamp": f"{wire.iso(figures.time_us)}Z",
    }


def _past_market(figures: PoolFigures) -> wire.Json:
    return {
        "borrowInterestRate": wire.number(figures.borrow_rate),
        "lendInterestRate": wire.number(figures.lend_rate),
        "borrowedQuantity": wire.number(figures.borrowed),
        "lentQuantity": wire.number(figures.lent),
        "utilization": wire.number(figures.utilization),
        "timestamp": f"{wire.iso(figures.time_us)}Z",
    }


def _open_position(call: Call, position: LoanPosition) -> wire.Json:
    terms, price = call.engine.asset(position.asset).collateral, call.engine.asset_price(position.asset)
    owed = position.quantity if position.side is BorrowLendSide.BORROW else ZERO
    exposure = -owed
    return {
        "id": str(position.id),
        "symbol": position.asset,
        "netQuantity": wire.number(position.quantity if owed == ZERO else -owed),
        "cumulativeInterest": wire.number(position.cumulative_interest),
        "markPrice": wire.number(price),
        "imf": wire.number(terms.initial.fraction(owed * price)),
        "imfFunction": wire.margin_function(terms.initial),
        "mmf": wire.number(terms.maintenance.fraction(owed * price)),
        "mmfFunction": wire.margin_function(terms.maintenance),
        "netExposureQuantity": wire.number(exposure),
        "netExposureNotional": wire.number(exposure * price),
        "estLiquidationPrice": wire.number(call.engine.credit.liquidation_price(call.account, position.asset)),
    }


def _movement(row: BorrowLendMovement) -> wire.Json:
    return {
        "eventType": row.event_type,
        "positionId": str(row.position_id),
        "positionQuantity": wire.number(row.position_quantity),
        "quantity": wire.number(row.quantity),
        "source": row.source,
        "symbol": row.asset,
        "timestamp": wire.iso(row.time_us),
    }


def _payment(row: InterestPayment) -> wire.Json:
    return {
        "positionId": str(row.position_id),
        "symbol": row.asset,
        "marketSymbol": _market_symbol(row.asset),
        "paymentType": row.side,
        "quantity": wire.number(row.quantity),
        "interestRate": wire.number(row.rate),
        "interval": wire.milliseconds(row.interval_us),
        "timestamp": wire.iso(row.time_us),
    }


def _market_symbol(asset: str) -> str:
    return asset if asset == VALUATION_ASSET else f"{asset}_{VALUATION_ASSET}"


HANDLERS: dict[str, Handler] = {
    "execute_borrow_lend": execute_borrow_lend,
    "get_apy_rates": get_apy_rates,
    "get_borrow_lend_estimated_liquidation_price": get_borrow_lend_estimated_liquidation_price,
    "get_borrow_lend_history": get_borrow_lend_history,
    "get_borrow_lend_markets": get_borrow_lend_markets,
    "get_borrow_lend_markets_history": get_borrow_lend_markets_history,
    "get_borrow_lend_position_history": get_borrow_lend_position_history,
    "get_borrow_lend_positions": get_borrow_lend_positions,
    "get_interest_history": get_interest_history,
}

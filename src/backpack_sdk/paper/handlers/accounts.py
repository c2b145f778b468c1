"""Settings, balances and collateral of an account."""

from __future__ import annotations

from decimal import Decimal, localcontext

from .. import wire
from ..call import Call, Handler
from ..engine import BookState, Exchange, OrderType
from ..engine.numbers import EXACT
from ..errors import ApiError, ApiErrorCode
from ..reading import UINT16_MAX
from ..replies import Reply, json_reply

VALUATION_ASSET = "USDC"
_FUTURES_MAKER_BPS, _FUTURES_TAKER_BPS = "2", "5"
_HALF = Decimal("0.5")


def get_account(call: Call) -> Reply:
    """Show the settings and fees, in basis points. There is no borrowing, lending or leverage here."""
    fees = call.engine.fees(call.account)
    open_orders = call.engine.open_orders(call.account)
    return json_reply(
        {
            "autoBorrowSettlements": False,
            "autoLend": False,
            "autoRealizePnl": False,
            "autoRepayBorrows": False,
            "borrowLimit": "0",
            "futuresMakerFee": _FUTURES_MAKER_BPS,
            "futuresTakerFee": _FUTURES_TAKER_BPS,
            "leverageLimit": "1",
            "limitOrders": sum(order.order_type is OrderType.LIMIT for order in open_orders),
            "liquidating": False,
            "positionLimit": "0",
            "spotMakerFee": wire.number(fees.spot_maker_bps),
            "spotTakerFee": wire.number(fees.spot_taker_bps),
            "triggerOrders": 0,
        }
    )


def get_balances(call: Call) -> Reply:
    """Show the balance of every asset the account has ever held."""
    balances = call.engine.balances(call.account)
    return json_reply({asset: wire.balance(balance) for asset, balance in balances.items()})


def get_collateral(call: Call) -> Reply:
    """Show what the account is worth in USDC. Every asset counts in full; an asset without a price counts nothing."""
    if call.query.whole("subaccountId", high=UINT16_MAX) is not None:
        raise ApiError(ApiErrorCode.NOT_IMPLEMENTED, "the embedded exchange has no subaccounts: leave subaccountId out")
    rows: list[wire.Json] = []
    value = locked = Decimal(0)
    with localcontext(EXACT):
        for asset, balance in call.engine.balances(call.account).items():
            price = _price(call.engine, asset)
            total = balance.available + balance.locked
            value += total * price
            locked += balance.locked * price
            rows.append(
                {
                    "symbol": asset,
                    "assetMarkPrice": wire.number(price),
                    "totalQuantity": wire.number(total),
                    "balanceNotional": wire.number(total * price),
                    "collateralWeight": "1",
                    "collateralValue": wire.number(total * price),
                    "openOrderQuantity": wire.number(balance.locked),
                    "lendQuantity": "0",
                    "availableQuantity": wire.number(balance.available),
                }
            )
        available = value - locked
    return json_reply(
        {
            "assetsValue": wire.number(value),
            "borrowLiability": "0",
            "collateral": rows,
            "imf": "0",
            "liabilitiesValue": "0",
            "mmf": "0",
            "netEquity": wire.number(value),
            "netEquityAvailable": wire.number(available),
            "netEquityLocked": wire.number(locked),
            "netExposureFutures": "0",
            "pnlUnrealized": "0",
            "unsettledEquity": "0",
        }
    )


def _price(engine: Exchange, asset: str) -> Decimal:
    """Return the price in USDC: that of the last trade, else the middle of the book, else zero."""
    if asset == VALUATION_ASSET:
        return Decimal(1)
    for spec in engine.markets():
        if (spec.base, spec.quote) == (asset, VALUATION_ASSET):
            trades = engine.trades(spec.symbol, limit=1)
            if trades:
                return trades[0].price
            if spec.state is not BookState.CLOSED:
                book = engine.depth(spec.symbol, 1)
                if book.bids and book.asks:
                    return (book.bids[0][0] + book.asks[0][0]) * _HALF
    return Decimal(0)


HANDLERS: dict[str, Handler] = {
    "get_account": get_account,
    "get_balances": get_balances,
    "get_collateral": get_collateral,
}

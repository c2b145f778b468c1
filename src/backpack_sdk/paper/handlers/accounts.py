"""Settings, fees and limits of an account."""

from __future__ import annotations

from .. import wire
from ..call import Call, Handler
from ..engine.credit import BORROW_LIMIT
from ..reading import Fields
from ..replies import Reply, json_reply


def get_account(call: Call) -> Reply:
    """Show the settings and fees, in basis points."""
    fees = call.engine.fees(call.account)
    settings = call.engine.settings(call.account)
    limit_orders, trigger_orders = call.engine.limit_and_trigger_orders(call.account)
    return json_reply(
        {
            "autoBorrowSettlements": settings.auto_borrow_settlements,
            "autoLend": settings.auto_lend,
            "autoRealizePnl": False,
            "autoRepayBorrows": settings.auto_repay_borrows,
            "borrowLimit": wire.number(BORROW_LIMIT),
            "futuresMakerFee": wire.number(fees.futures_maker_bps),
            "futuresTakerFee": wire.number(fees.futures_taker_bps),
            "leverageLimit": wire.number(settings.leverage_limit),
            "limitOrders": limit_orders,
            "liquidating": call.engine.is_liquidating(call.account),
            "positionLimit": "0",
            "spotMakerFee": wire.number(fees.spot_maker_bps),
            "spotTakerFee": wire.number(fees.spot_taker_bps),
            "triggerOrders": trigger_orders,
        }
    )


def update_account_settings(call: Call) -> Reply:
    """Change the settings that are given."""
    fields = Fields(call.body)

    def switch(name: str) -> bool | None:
        return fields.flag(name) if fields.given([name]) else None

    call.engine.update_settings(
        call.account,
        auto_borrow_settlements=switch("autoBorrowSettlements"),
        auto_lend=switch("autoLend"),
        auto_repay_borrows=switch("autoRepayBorrows"),
        leverage_limit=fields.decimal("leverageLimit"),
        now_us=call.now_us,
    )
    return Reply(200)


HANDLERS: dict[str, Handler] = {
    "get_account": get_account,
    "update_account_settings": update_account_settings,
}

"""Balances, collateral, and funds that come in and go out."""

from __future__ import annotations

from decimal import Decimal

from .. import wire
from ..call import Call, Handler
from ..engine.credit import Holding, Worth
from ..engine.dust import DustConversion
from ..engine.numbers import SMALLEST, ZERO
from ..engine.shares import ratio
from ..engine.transfers import ADMINISTRATOR, Deposit, Withdrawal, WithdrawalDelay, deposit_address
from ..errors import ApiError, ApiErrorCode, MalformedRequest
from ..reading import INT64_MAX, UINT16_MAX, UINT32_MAX, Fields, needed
from ..replies import Reply, json_reply
from .listing import between, exact, flag, listing

_INT32_MAX = 2**31 - 1
_MAX_CLIENT_ID = 255
_FRACTION_UNIT = Decimal("0.00000001")


def get_balances(call: Call) -> Reply:
    """Show the balance of every asset the account has ever held, without what is lent."""
    balances = call.engine.balances(call.account)
    return json_reply({asset: wire.balance(balance) for asset, balance in balances.items()})


@exact
def get_collateral(call: Call) -> Reply:
    """Show what the account is worth in USDC and what of it is bound. An asset without a price counts nothing."""
    if call.query.whole("subaccountId", high=UINT16_MAX) is not None:
        raise ApiError(ApiErrorCode.NOT_IMPLEMENTED, "the embedded exchange has no subaccounts: leave subaccountId out")
    worth = call.engine.credit.worth(call.account)
    found: wire.Json = {
        "assetsValue": wire.number(worth.assets),
        "borrowLiability": wire.number(worth.liabilities),
        "collateral": [_collateral(holding) for holding in worth.holdings],
        "imf": wire.number(_fraction(worth.initial, worth)),
        "liabilitiesValue": wire.number(worth.liabilities),
        "mmf": wire.number(_fraction(worth.maintenance, worth)),
        "netEquity": wire.number(worth.equity),
        "netEquityAvailable": wire.number(max(worth.equity - worth.locked - worth.initial, ZERO)),
        "netEquityLocked": wire.number(worth.locked + worth.initial),
        "netExposureFutures": wire.number(worth.futures.exposure),
        "pnlUnrealized": wire.number(worth.futures.unrealized),
        "unsettledEquity": "0",
    }
    if worth.exposure > ZERO:
        found["marginFraction"] = wire.number(_fraction(max(worth.equity, ZERO), worth))
    return json_reply(found)


@exact
def get_max_borrow_quantity(call: Call) -> Reply:
    """Tell how much of an asset the account could borrow now."""
    asset = needed(call.query.text("symbol"), "symbol")
    found = call.engine.credit.max_borrow(call.account, asset)
    return json_reply({"symbol": asset, "maxBorrowQuantity": wire.number(found)})


@exact
def get_max_withdrawal_quantity(call: Call) -> Reply:
    """Tell how much of an asset could leave the account now."""
    asset = needed(call.query.text("symbol"), "symbol")
    borrow, redeem = flag(call.query, "autoBorrow"), flag(call.query, "autoLendRedeem")
    if asset not in call.engine.traded_assets():
        raise ApiError(ApiErrorCode.INVALID_ASSET, f"no market trades {asset}")
    tokens = call.engine.asset(asset).tokens
    unit = Decimal(1).scaleb(-max(token.decimals for token in tokens)) if tokens else SMALLEST
    quantity = call.engine.credit.max_withdrawal(
        call.account, asset, unit, redeem=redeem is True, borrow=borrow is True
    )
    found: wire.Json = {"symbol": asset, "maxWithdrawalQuantity": wire.number(quantity)}
    found |= {} if borrow is None else {"autoBorrow": borrow}
    found |= {} if redeem is None else {"autoLendRedeem": redeem}
    return json_reply(found)


def get_deposit_address(call: Call) -> Reply:
    """Tell the account's own address on a blockchain. It is made up: no real funds can reach it."""
    blockchain = needed(call.query.text("blockchain"), "blockchain")
    assets = (call.engine.asset(symbol) for symbol in call.engine.traded_assets())
    known = dict.fromkeys(token.blockchain for asset in assets for token in asset.tokens)
    if blockchain not in known:
        raise MalformedRequest(f"failed to parse blockchain: {blockchain!r} is not one of {', '.join(known)}")
    return json_reply({"address": deposit_address(call.account, blockchain)})


def get_deposits(call: Call) -> Reply:
    """Page through the deposits, newest first."""
    fits, by_others = between(call.query), flag(call.query, "excludePlatform") is True

    def keep(row: Deposit) -> bool:
        return fits(row.time_us) and not (by_others and row.source == ADMINISTRATOR)

    return listing(call.query, call.engine.transfers.deposits(call.account), _deposit, keep)


def get_withdrawals(call: Call) -> Reply:
    """Page through the withdrawals, newest first."""
    fits, client_id = between(call.query), call.query.text("clientId")
    number = call.query.whole("id", low=-_INT32_MAX, high=_INT32_MAX)

    def keep(row: Withdrawal) -> bool:
        return fits(row.created_us) and client_id in (None, row.client_id) and number in (None, row.id)

    return listing(call.query, call.engine.transfers.withdrawals(call.account), _withdrawal, keep)


def request_withdrawal(call: Call) -> Reply:
    """Send funds out. Nothing leaves this process: the withdrawal is confirmed after a while."""
    fields = Fields(call.body)
    client_id, token = fields.text("clientId"), fields.text("twoFactorToken")
    if client_id is not None and len(client_id) > _MAX_CLIENT_ID:
        raise MalformedRequest(f"failed to parse clientId: it has more than {_MAX_CLIENT_ID} characters")
    _check_second_factor(token)
    withdrawal = call.engine.withdraw(
        call.account,
        needed(fields.text("symbol"), "symbol"),
        needed(fields.decimal("quantity"), "quantity"),
        blockchain=needed(fields.text("blockchain"), "blockchain"),
        address=needed(fields.text("address"), "address"),
        client_id=client_id,
        second_factor=token is not None,
        auto_borrow=fields.flag("autoBorrow"),
        auto_lend_redeem=fields.flag("autoLendRedeem"),
        now_us=call.now_us,
    )
    return json_reply(_withdrawal(withdrawal.value))


def get_withdrawal_delay(call: Call) -> Reply:
    """Tell how long withdrawals are held back; 204 when no delay is set."""
    delay = call.engine.transfers.delay(call.account)
    return json_reply(_delay(delay)) if delay is not None else Reply(204)


def create_withdrawal_delay(call: Call) -> Reply:
    """Set a delay for the first time."""
    call.engine.create_withdrawal_delay(call.account, _hours(call), now_us=call.now_us)
    return Reply(200)


def update_withdrawal_delay(call: Call) -> Reply:
    """Change the delay; 404 without a body when none is set."""
    hours = _hours(call)
    if call.engine.transfers.delay(call.account) is None:
        return Reply(404)
    return json_reply(_delay(call.engine.update_withdrawal_delay(call.account, hours, now_us=call.now_us).value))


def convert_dust(call: Call) -> Reply:
    """Turn dust into USDC."""
    call.engine.convert_dust(call.account, Fields(call.body).text("symbol"), now_us=call.now_us)
    return Reply(200)


def get_dust_history(call: Call) -> Reply:
    """Page through the conversions of dust."""
    number, asset = call.query.whole("id", low=-INT64_MAX), call.query.text("symbol")

    def keep(row: DustConversion) -> bool:
        return number in (None, row.id) and asset in (None, row.asset)

    return listing(call.query, call.engine.dust.history(call.account), _conversion, keep)


def _check_second_factor(token: str | None) -> None:
    if token is not None and not token.strip():
        raise ApiError(ApiErrorCode.INVALID_TWO_FACTOR_CODE, "the two-factor token is empty")


def _hours(call: Call) -> int:
    fields = Fields(call.body)
    hours = needed(fields.whole("withdrawalDelayHours", high=UINT32_MAX), "withdrawalDelayHours")
    _check_second_factor(needed(fields.text("twoFactorToken"), "twoFactorToken"))
    return hours


def _fraction(part: Decimal, worth: Worth) -> Decimal:
    return ratio(part, worth.exposure, _FRACTION_UNIT)


def _collateral(holding: Holding) -> wire.Json:
    return {
        "symbol": holding.asset,
        "assetMarkPrice": wire.number(holding.price),
        "totalQuantity": wire.number(holding.total),
        "balanceNotional": wire.number(holding.notional),
        "collateralWeight": wire.number(holding.weight),
        "collateralValue": wire.number(holding.collateral),
        "openOrderQuantity": wire.number(holding.locked),
        "lendQuantity": wire.number(holding.lent),
        "availableQuantity": wire.number(holding.available),
    }


def _deposit(row: Deposit) -> wire.Json:
    found: wire.Json = {
        "id": row.id,
        "symbol": row.asset,
        "quantity": wire.number(row.quantity),
        # The API spells blockchains with a small first letter here, and with a great one everywhere else.
        "source": row.source[:1].lower() + row.source[1:],
        "status": "confirmed",
        "createdAt": wire.iso(row.time_us),
    }
    named = (("fromAddress", row.from_address), ("toAddress", row.to_address), ("transactionHash", row.transaction))
    return found | {name: text for name, text in named if text}


def _withdrawal(row: Withdrawal) -> wire.Json:
    found: wire.Json = {
        "id": row.id,
        "symbol": row.asset,
        "blockchain": row.blockchain,
        "quantity": wire.number(row.quantity),
        "fee": wire.number(row.fee),
        "toAddress": row.address,
        "isInternal": row.is_internal,
        "status": "pending" if row.confirmed_us is None else "confirmed",
        "createdAt": wire.iso(row.created_us),
    }
    if row.client_id is not None:
        found["clientId"] = row.client_id
    if row.trigger_us is not None:
        found["triggerAt"] = wire.iso(row.trigger_us)
    if row.confirmed_us is not None:
        found |= {"identifier": row.transaction, "transactionHash": row.transaction}
    return found


def _delay(delay: WithdrawalDelay) -> wire.Json:
    found: wire.Json = {"currentWithdrawalDelayHours": delay.hours}
    if delay.pending_hours is not None and delay.pending_from_us is not None:
        found["pendingWithdrawalDelayHours"] = delay.pending_hours
        found["pendingWithdrawalDelayHoursEnabledAt"] = wire.iso(delay.pending_from_us)
    return found


def _conversion(row: DustConversion) -> wire.Json:
    return {
        "id": row.id,
        "symbol": row.asset,
        "quantity": wire.number(row.quantity),
        "usdcReceived": wire.number(row.received),
        "timestamp": wire.iso(row.time_us),
    }


HANDLERS: dict[str, Handler] = {
    "convert_dust": convert_dust,
    "create_withdrawal_delay": create_withdrawal_delay,
    "get_balances": get_balances,
    "get_collateral": get_collateral,
    "get_deposit_address": get_deposit_address,
    "get_deposits": get_deposits,
    "get_dust_history": get_dust_history,
    "get_max_borrow_quantity": get_max_borrow_quantity,
    "get_max_withdrawal_quantity": get_max_withdrawal_quantity,
    "get_withdrawal_delay": get_withdrawal_delay,
    "get_withdrawals": get_withdrawals,
    "request_withdrawal": request_withdrawal,
    "update_withdrawal_delay": update_withdrawal_delay,
}

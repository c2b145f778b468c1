"""Vaults: what they are worth, paying in and redeeming."""

from __future__ import annotations

from .. import wire
from ..call import Call, Handler
from ..engine.numbers import ZERO
from ..engine.vaults import Vault, VaultFigures, VaultRedeem
from ..errors import ApiError, ApiErrorCode
from ..reading import UINT32_MAX, Fields, needed
from ..replies import Reply, json_reply
from .borrow_lend import SPANS, HistoryInterval
from .listing import exact


@exact
def get_vaults(call: Call) -> Reply:
    """List the vaults."""
    return json_reply([_vault(vault) for vault in call.engine.vaults.vaults()])


@exact
def get_vault_nav(call: Call) -> Reply:
    """Show the figures of the vault that the account runs."""
    vault = call.engine.vaults.run_by(call.account)
    figures = call.engine.vaults.figures(vault, call.now_us)
    worth = call.engine.credit.worth(call.account)
    found: wire.Json = {
        "nav": wire.number(figures.nav),
        "twapNav": wire.number(figures.average_nav),
        "mintNav": wire.number(figures.mint_nav),
        "redeemNav": wire.number(figures.redeem_nav),
        "vaultEquity": wire.number(worth.assets - worth.liabilities + worth.futures.unrealized),
        "netEquity": wire.number(worth.equity),
        "tokenCirculatingSupply": wire.number(figures.supply),
    }
    if vault.cranked_us is not None:
        found["lastCrankTimestamp"] = wire.milliseconds(vault.cranked_us)
    return json_reply(found)


@exact
def get_vault_history(call: Call) -> Reply:
    """List past figures of the vaults at even steps, and the present ones last."""
    span_us, step_us = SPANS[needed(call.query.choice("interval", HistoryInterval), "interval")]
    number = call.query.whole("vaultId", high=UINT32_MAX)
    vaults = call.engine.vaults
    rows: list[VaultFigures] = []
    for vault in vaults.vaults() if number is None else [vaults.vault(number)]:
        rows += [each for each in vault.history if each.time_us > call.now_us - span_us and each.time_us % step_us == 0]
        rows.append(vaults.figures(vault, call.now_us))
    return json_reply([_past_figures(each) for each in rows])


def get_vault_pending_redeems(call: Call) -> Reply:
    """List the redemptions that wait on a vault, for the account that runs it."""
    vault = call.engine.vaults.vault(needed(call.query.whole("vaultId", high=UINT32_MAX), "vaultId"))
    if vault.spec.account != call.account:
        raise ApiError(ApiErrorCode.FORBIDDEN, f"the key does not belong to the account of vault {vault.spec.id}", 403)
    return json_reply([_redeem(redeem) for redeem in vault.pending.values()])


def vault_mint(call: Call) -> Reply:
    """Pay into a vault."""
    fields = Fields(call.body)
    call.engine.mint_vault(
        call.account,
        _vault_id(fields),
        needed(fields.text("symbol"), "symbol"),
        needed(fields.decimal("quantity"), "quantity"),
        auto_borrow=fields.flag("autoBorrow"),
        auto_lend_redeem=fields.flag("autoLendRedeem"),
        now_us=call.now_us,
    )
    return Reply(200)


def vault_redeem(call: Call) -> Reply:
    """Queue a redemption."""
    fields = Fields(call.body)
    tokens = fields.decimal("vaultTokenQuantity")
    call.engine.redeem_vault(call.account, _vault_id(fields), tokens, now_us=call.now_us)
    return Reply(200)


def vault_redeem_cancel(call: Call) -> Reply:
    """Take waiting redemptions back."""
    call.engine.cancel_vault_redeems(call.account, _vault_id(Fields(call.body)), now_us=call.now_us)
    return Reply(200)


def _vault_id(fields: Fields) -> int:
    return needed(fields.whole("vaultId", high=UINT32_MAX), "vaultId")


def _vault(vault: Vault) -> wire.Json:
    spec = vault.spec
    return {
        "id": spec.id,
        "vaultToken": spec.token,
        "symbol": spec.asset,
        "mintsEnabled": spec.mints_enabled,
        "redeemsEnabled": spec.redeems_enabled,
        "minMintQuantity": wire.number(spec.min_mint_quantity),
        "minRedeemTokens": wire.number(spec.min_redeem_tokens),
        "redeemDelayMs": wire.milliseconds(spec.redeem_delay_us),
        "tokenStepSize": wire.number(spec.token_step),
        "remainingMintQuantity": wire.number(max(spec.max_supply - vault.supply, ZERO)),
    }


def _past_figures(figures: VaultFigures) -> wire.Json:
    return {
        "vaultId": figures.vault_id,
        "timestamp": f"{wire.iso(figures.time_us)}Z",
        "nav": wire.number(figures.nav),
        "vaultEquity": wire.number(figures.equity),
        "tokenCirculatingSupply": wire.number(figures.supply),
    }


def _redeem(redeem: VaultRedeem) -> wire.Json:
    return {
        "id": str(redeem.id),
        "vaultId": redeem.vault_id,
        "vaultTokenQuantity": wire.number(redeem.tokens),
        "status": redeem.status,
        "timestamp": wire.milliseconds(redeem.time_us),
    }


HANDLERS: dict[str, Handler] = {
    "get_vault_history": get_vault_history,
    "get_vault_nav": get_vault_nav,
    "get_vault_pending_redeems": get_vault_pending_redeems,
    "get_vaults": get_vaults,
    "vault_mint": vault_mint,
    "vault_redeem": vault_redeem,
    "vault_redeem_cancel": vault_redeem_cancel,
}

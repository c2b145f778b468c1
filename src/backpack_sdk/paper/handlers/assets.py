"""Assets, what they count as collateral, the exchange's wallets, and listings of what is not traded here."""

from __future__ import annotations

from .. import wire
from ..call import Call, Handler
from ..engine.assets import AssetSpec, TokenSpec
from ..engine.transfers import deposit_address
from ..replies import Reply, json_reply
from .listing import exact, flag, listing

EXCHANGE = "exchange"
"""Whose addresses the exchange's own wallets are."""


def get_assets(call: Call) -> Reply:
    """List the assets of all markets, with the blockchains that carry them."""
    call.query.text("country")
    return json_reply([_asset(call.engine.asset(symbol)) for symbol in call.engine.traded_assets()])


@exact
def get_collateral_parameters(call: Call) -> Reply:
    """List how the assets count as collateral. Weights do not depend on the quantity here."""
    return json_reply([_collateral(call.engine.asset(symbol)) for symbol in call.engine.traded_assets()])


def get_wallets(call: Call) -> Reply:
    """List the exchange's wallet on every blockchain that carries an asset. The addresses are made up."""
    tokens = (token for symbol in call.engine.traded_assets() for token in call.engine.asset(symbol).tokens)
    chains = dict.fromkeys(token.blockchain for token in tokens)
    return json_reply([{"address": deposit_address(EXCHANGE, chain), "blockchain": chain} for chain in chains])


def get_prediction_events(call: Call) -> Reply:
    """List the events of prediction markets: none, for the embedded exchange has no such market."""
    for name in ("eventSlug", "seriesSlug", "symbol", "tagSlug"):
        call.query.text(name)
    flag(call.query, "resolved")
    return listing(call.query, (), _nothing)


def get_nothing(_call: Call) -> Reply:
    """List what the embedded exchange has none of."""
    return json_reply([])


def _nothing(_row: object) -> wire.Json:
    return {}


def _asset(spec: AssetSpec) -> wire.Json:
    found: wire.Json = {
        "symbol": spec.symbol,
        "displayName": spec.name,
        "tokens": [_token(each) for each in spec.tokens],
    }
    if spec.coingecko_id is not None:
        found["coingeckoId"] = spec.coingecko_id
    return found


def _token(token: TokenSpec) -> wire.Json:
    found: wire.Json = {
        "blockchain": token.blockchain,
        "displayName": token.blockchain,
        "depositEnabled": token.deposits_enabled,
        "withdrawEnabled": token.withdrawals_enabled,
        "minimumDeposit": wire.number(token.minimum_deposit),
        "minimumWithdrawal": wire.number(token.minimum_withdrawal),
        "withdrawalFee": wire.number(token.withdrawal_fee),
        "nativeDecimals": token.decimals,
    }
    if token.maximum_withdrawal is not None:
        found["maximumWithdrawal"] = wire.number(token.maximum_withdrawal)
    if token.contract is not None:
        found["contractAddress"] = token.contract
    return found


def _collateral(spec: AssetSpec) -> wire.Json:
    terms = spec.collateral
    return {
        "symbol": spec.symbol,
        "haircutFunction": {"kind": {"type": "identity"}, "weight": wire.number(terms.weight)},
        "imfFunction": wire.margin_function(terms.initial),
        "mmfFunction": wire.margin_function(terms.maintenance),
    }


HANDLERS: dict[str, Handler] = {
    "get_assets": get_assets,
    "get_collateral_parameters": get_collateral_parameters,
    "get_market_sessions": get_nothing,
    "get_prediction_events": get_prediction_events,
    "get_prediction_tags": get_nothing,
    "get_securities": get_nothing,
    "get_wallets": get_wallets,
}

"""The services that an embedded exchange offers unless it is told otherwise: assets, lending pools, a vault, dust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from .engine import Exchange
from .engine.assets import AssetSpec, CollateralTerms, TokenSpec
from .engine.credit import VALUATION_ASSET
from .engine.futures import MarginFunction
from .engine.lending_pool import BorrowLendSide, PoolSpec, RateCurve
from .engine.vaults import VaultSpec

LENDER = "lender"
"""The account that lends to the pools from the start."""
VAULT_ACCOUNT = "vault"
"""The account that runs the default vault. It trades nothing by itself."""
VAULT_TOKEN = "vUSDC"
_DUST_FUNDS = Decimal(100_000)


@dataclass(frozen=True, slots=True)
class _Facts:
    """An asset: its name, its blockchain with decimals, fee and minimums, and its pool with step and supply."""

    name: str
    coingecko_id: str
    blockchain: str
    decimals: int
    withdrawal_fee: str
    minimum_withdrawal: str
    minimum_deposit: str
    pool_step: str
    supply: str


_FACTS: Mapping[str, _Facts] = {
    "BTC": _Facts("Bitcoin", "bitcoin", "Bitcoin", 8, "0.00005", "0.0005", "0.0001", "0.00001", "100"),
    "ETH": _Facts("Ethereum", "ethereum", "Ethereum", 18, "0.0005", "0.005", "0.001", "0.0001", "2000"),
    "SOL": _Facts("Solana", "solana", "Solana", 9, "0.01", "0.1", "0.01", "0.01", "50000"),
    "USDC": _Facts("USD Coin", "usd-coin", "Solana", 6, "0.5", "5", "1", "0.01", "10000000"),
}
_STABLE = CollateralTerms(
    initial=MarginFunction(Decimal("0.05")),
    maintenance=MarginFunction(Decimal("0.025")),
)


def provide_services(engine: Exchange, *, now_us: int) -> None:
    """Set up what is known of the assets that the markets trade.

    Each gets a pool that `LENDER` has filled. Where USDC is traded, there are a vault and somebody who buys dust, too.
    """
    traded = engine.traded_assets()
    known = {symbol: facts for symbol, facts in _FACTS.items() if symbol in traded}
    if known:
        engine.open_account(LENDER)
    for symbol, facts in known.items():
        engine.add_asset(_asset(symbol, facts))
        supply = Decimal(facts.supply)
        spec = PoolSpec(asset=symbol, step_size=Decimal(facts.pool_step), limit=supply * 10, curve=RateCurve())
        engine.add_pool(spec, now_us=now_us)
        engine.deposit(LENDER, symbol, supply, now_us=now_us)
        engine.borrow_lend(LENDER, symbol, BorrowLendSide.LEND, supply, now_us=now_us)
    if VALUATION_ASSET in known:
        engine.open_account(VAULT_ACCOUNT)
        engine.add_vault(VaultSpec(id=1, account=VAULT_ACCOUNT, token=VAULT_TOKEN, asset=VALUATION_ASSET))
        engine.fund_dust_desk(_DUST_FUNDS, now_us=now_us)


def _asset(symbol: str, facts: _Facts) -> AssetSpec:
    token = TokenSpec(
        blockchain=facts.blockchain,
        decimals=facts.decimals,
        withdrawal_fee=Decimal(facts.withdrawal_fee),
        minimum_withdrawal=Decimal(facts.minimum_withdrawal),
        minimum_deposit=Decimal(facts.minimum_deposit),
    )
    terms = _STABLE if symbol == VALUATION_ASSET else CollateralTerms()
    return AssetSpec(symbol=symbol, name=facts.name, coingecko_id=facts.coingecko_id, tokens=(token,), collateral=terms)

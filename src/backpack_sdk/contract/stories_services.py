"""The stories of everything besides orders: quotes, lending, funds, vaults, settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from .document import Json
from .tale import Tale

_TOKEN = "123456"
_ASSET = "USDC"
_SECOND_FACTOR = "the server wants a second factor that nobody has here"


def _quote(tale: Tale) -> str | None:
    symbols = tale.known.symbols("submit_rfq")
    if not symbols:
        return "there is no market to ask a quote for"
    symbol = next((each for each in symbols if each.startswith("SOL_")), symbols[0])
    status, asked = tale.try_("submit_rfq", body={"symbol": symbol, "side": "Bid", "quantity": "1"})
    if status != 200:
        return f"requests for quotes are refused: HTTP {status}"
    name: dict[str, Json] = {"rfqId": asked["rfqId"]}
    tale.must("refresh_rfq", body=name)
    tale.must("cancel_rfq", body=name)
    tale.refused("cancel_rfq", body=name)
    if not tale.has_maker:
        return None
    asked = tale.must("submit_rfq", body={"symbol": symbol, "side": "Bid", "quantity": "1"})
    name = {"rfqId": asked["rfqId"]}
    mid = _price(tale, symbol.removesuffix("_RFQ"))
    prices = {"bidPrice": f"{mid - 1:f}", "askPrice": f"{mid + 1:f}"}
    quote = tale.must("submit_quote", body={**name, **prices}, who="maker")
    tale.must("accept_quote", body={"quoteId": quote["quoteId"]})
    for history in ("get_rfq_history", "get_rfq_fill_history"):
        rows = tale.must(history, name if history == "get_rfq_history" else None)
        tale.expect(rows, f"an accepted quote left nothing in {history}")
    for history in ("get_quote_history", "get_quote_fill_history"):
        tale.expect(tale.must(history, who="maker"), f"an accepted quote left nothing in the maker's {history}")
    asked = tale.must("submit_rfq", body={"symbol": symbol, "side": "Ask", "quantity": "1"}, who="maker")
    tale.must("submit_quote", body={"rfqId": asked["rfqId"], **prices})
    tale.must("get_open_rfqs")
    return None


def _price(tale: Tale, symbol: str) -> Decimal:
    book = tale.must("get_depth", {"symbol": symbol, "limit": 5})
    tale.expect(book["asks"], f"{symbol} has no asks")
    return Decimal(book["asks"][0][0]).quantize(Decimal(1))


def _borrow(tale: Tale) -> str | None:
    pools = tale.must("get_borrow_lend_markets")
    symbols = [row["symbol"] for row in pools]
    if _ASSET not in symbols or len(symbols) < 2:
        return f"there are no lending pools of {_ASSET} and something else"
    other = next((each for each in symbols if each == "SOL"), next(each for each in symbols if each != _ASSET))
    tale.must("execute_borrow_lend", body={"symbol": _ASSET, "side": "Lend", "quantity": "1000"})
    most = tale.must("get_max_borrow_quantity", {"symbol": other})
    tale.expect(Decimal(most["maxBorrowQuantity"]) >= 1, f"nothing can be borrowed: {most}")
    tale.must("execute_borrow_lend", body={"symbol": other, "side": "Borrow", "quantity": "1"})
    held = {row["symbol"]: Decimal(row["netQuantity"]) for row in tale.must("get_borrow_lend_positions")}
    tale.expect(held.get(other, Decimal(0)) < 0 < held.get(_ASSET, Decimal(0)), f"lent and owed: {held}")
    tale.must("execute_borrow_lend", body={"symbol": other, "side": "Lend", "quantity": "1"})
    held = {row["symbol"]: Decimal(row["netQuantity"]) for row in tale.must("get_borrow_lend_positions")}
    tale.expect(abs(held.get(other, Decimal(0))) < Decimal("0.01"), f"repaid and still owed: {held}")
    tale.expect(tale.must("get_borrow_lend_history"), "borrowing and lending left no history")
    for name in ("get_borrow_lend_position_history", "get_interest_history", "get_collateral"):
        tale.must(name)
    return None


def _funds(tale: Tale) -> str | None:
    tokens = tale.known.assets.get(_ASSET, {}).get("tokens") or []
    if not tokens:
        return f"nothing is known of {_ASSET}"
    chain = tokens[0]["blockchain"]
    tale.must("get_deposit_address", {"blockchain": chain})
    before = Decimal(tale.must("get_balances").get(_ASSET, {"available": "0"})["available"])
    if tale.world.deposit(_ASSET, "100", chain):
        after = Decimal(tale.must("get_balances")[_ASSET]["available"])
        tale.expect(after - before == 100, f"100 {_ASSET} came in and the balance went from {before} to {after}")
        tale.expect(tale.must("get_deposits"), "a deposit does not show among the deposits")
    body = {"symbol": _ASSET, "quantity": "10", "blockchain": chain, "address": "somewhere", "twoFactorToken": _TOKEN}
    tale.must("get_max_withdrawal_quantity", {"symbol": _ASSET})
    status, sent = tale.try_("request_withdrawal", body=body)
    if status != 200:
        return f"{_SECOND_FACTOR}: HTTP {status}"
    rows = tale.must("get_withdrawals")
    tale.expect(any(row["id"] == sent["id"] for row in rows), "the withdrawal is not among the withdrawals")
    return None


def _delay(tale: Tale) -> str | None:
    body = {"withdrawalDelayHours": 1, "twoFactorToken": _TOKEN}
    status, _ = tale.try_("create_withdrawal_delay", body=body)
    if status != 200:
        return f"{_SECOND_FACTOR}: HTTP {status}"
    read = tale.must("get_withdrawal_delay")
    hours = (read.get("currentWithdrawalDelayHours"), read.get("pendingWithdrawalDelayHours"))
    tale.expect(1 in hours, f"a delay of an hour was set, and there is {read}")
    tale.must("update_withdrawal_delay", body={**body, "withdrawalDelayHours": 2})
    tale.must("get_withdrawal_delay")
    return None


def _vault(tale: Tale) -> str | None:
    vaults = [row["id"] for row in tale.must("get_vaults")]
    if not vaults:
        return "there is no vault"
    name: dict[str, Json] = {"vaultId": vaults[0]}
    tale.must("vault_mint", body={**name, "symbol": _ASSET, "quantity": "100"})
    tale.must("vault_redeem", body={**name, "vaultTokenQuantity": "10"})
    tale.must("vault_redeem_cancel", body=name)
    tale.refused("vault_redeem_cancel", body=name)
    tale.must("get_vault_history", {"interval": "1d"})
    if tale.has_maker and len(vaults) > 1:
        own = {"vaultId": vaults[1]}
        tale.must("vault_mint", body={**own, "symbol": _ASSET, "quantity": "100"}, who="maker")
        tale.must("vault_redeem", body=own, who="maker")
        tale.expect(tale.must("get_vault_pending_redeems", own), "a redemption that waits does not show")
        tale.must("get_vault_nav", own)
    return None


def _settings(tale: Tale) -> str | None:
    old = tale.must("get_account")
    wanted = not old["autoLend"]
    tale.must("update_account_settings", body={"autoLend": wanted})
    new = tale.must("get_account")
    tale.expect(new["autoLend"] is wanted, "a changed setting reads as the old one")
    tale.must("update_account_settings", body={"autoLend": old["autoLend"]})
    return None


def _dust(tale: Tale) -> str | None:
    tale.must("get_dust_history")
    if not tale.has_maker:
        status, _ = tale.try_("convert_dust", body={})
        return None if status == 200 else f"there is no dust to convert: HTTP {status}"
    asset, markets = "SOL", [row for row in tale.known.markets.values() if row["marketType"] == "SPOT"]
    least = [row["filters"]["quantity"]["minQuantity"] for row in markets if row["baseSymbol"] == asset]
    if not least:
        return f"{asset} has no spot market"
    speck = Decimal(least[0]) / 2
    free = Decimal(tale.must("get_balances", who="maker")[asset]["available"])
    chain = tale.known.assets[asset]["tokens"][0]["blockchain"]
    sent = {"symbol": asset, "quantity": f"{free - speck:f}", "blockchain": chain, "address": "somewhere"}
    tale.must("request_withdrawal", body={**sent, "twoFactorToken": _TOKEN}, who="maker")
    tale.must("convert_dust", body={"symbol": asset}, who="maker")
    tale.expect(tale.must("get_dust_history", who="maker"), "dust was converted and left no history")
    return None


Play = Callable[[Tale], str | None]
SERVICES: Mapping[str, tuple[frozenset[str], Play]] = {
    "ask for quotes, answer, accept": (
        frozenset(
            {"submit_rfq", "refresh_rfq", "cancel_rfq", "submit_quote", "accept_quote", "get_open_rfqs",
             "get_rfq_history", "get_rfq_fill_history", "get_quote_history", "get_quote_fill_history"}
        ),
        _quote,
    ),
    "lend, borrow and repay": (
        frozenset(
            {"execute_borrow_lend", "get_borrow_lend_positions", "get_borrow_lend_history", "get_max_borrow_quantity",
             "get_borrow_lend_position_history", "get_interest_history", "get_collateral"}
        ),
        _borrow,
    ),
    "deposit and withdraw": (
        frozenset(
            {"get_deposit_address", "get_deposits", "request_withdrawal", "get_withdrawals",
             "get_max_withdrawal_quantity"}
        ),
        _funds,
    ),
    "a vault: mint, redeem, cancel": (
        frozenset(
            {"vault_mint", "vault_redeem", "vault_redeem_cancel", "get_vault_pending_redeems", "get_vault_history",
             "get_vault_nav"}
        ),
        _vault,
    ),
    "settings of the account": (frozenset({"get_account", "update_account_settings"}), _settings),
    "a delay of withdrawals": (
        frozenset({"create_withdrawal_delay", "get_withdrawal_delay", "update_withdrawal_delay"}),
        _delay,
    ),
    "convert dust": (frozenset({"convert_dust", "get_dust_history"}), _dust),
}  # fmt: skip
"""These stories, with the operations that each is about."""

"""Vaults over the socket: paying in, redeeming after the delay, and what a token is worth."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from backpack_sdk.paper.engine.vaults import VaultSpec

from .app_desk import API_KEY, assert_fits, ok, refused, unreadable
from .service_desk import Bank, Holder, banking

TOKEN = "vALICE"


@pytest.fixture
def bank() -> Iterator[Bank]:
    """An exchange where the first holder runs vault 2."""
    with banking() as running:
        running.exchange.engine.add_vault(VaultSpec(id=2, account=API_KEY, token=TOKEN, min_redeem_tokens=Decimal(5)))
        yield running


def mint(holder: Holder, quantity: str, vault: int = 1, **more: Any) -> Any:
    body = {"vaultId": vault, "symbol": "USDC", "quantity": quantity, **more}
    return holder.post("/api/v1/vault/mint", "vaultMint", **body)


def redeem(holder: Holder, tokens: str | None = None, vault: int = 1) -> Any:
    return holder.post("/api/v1/vault/redeem", "vaultRedeemRequest", vaultId=vault, vaultTokenQuantity=tokens)


def cancel(holder: Holder, vault: int = 1) -> Any:
    return holder.send("DELETE", "/api/v1/vault/redeem", "vaultRedeemCancel", {"vaultId": vault})


def done(response: Any) -> None:
    assert (response.status_code, response.content) == (200, b""), response.text


def nav(holder: Holder) -> dict[str, Any]:
    found: dict[str, Any] = ok(holder.get("/api/v1/vault/nav", "vaultNavQuery"))
    assert_fits("get_vault_nav", found)
    return found


def waiting(holder: Holder, vault: int = 2) -> list[dict[str, Any]]:
    found = holder.rows("/api/v1/vault/redeems/pending", "vaultPendingRedeemsQuery", vaultId=vault)
    assert_fits("get_vault_pending_redeems", found)
    return found


def test_the_list_tells_the_terms(bank: Bank) -> None:
    first, second = ok(bank.alice.get("/api/v1/vaults"))
    assert_fits("get_vaults", [first, second])
    assert (first["id"], first["symbol"], first["redeemDelayMs"]) == (1, "USDC", 3_600_000)
    assert (second["vaultToken"], second["minRedeemTokens"]) == (TOKEN, "5")
    done(mint(bank.alice, "1000"))
    assert ok(bank.alice.get("/api/v1/vaults"))[0]["remainingMintQuantity"] == "999999000"


def test_a_vault_gives_tokens_and_pays_them_back_after_its_delay(bank: Bank) -> None:
    before = bank.exchange.engine.total("USDC")
    done(mint(bank.alice, "1000"))
    assert (bank.alice.available("USDC"), bank.alice.available("vUSDC")) == ("99000", "1000")
    done(redeem(bank.alice, "400"))
    assert bank.alice.available("vUSDC") == "600"
    bank.wait(seconds=3599)
    assert bank.alice.available("USDC") == "99000"
    bank.wait(seconds=1)
    assert (bank.alice.available("USDC"), bank.alice.available("vUSDC")) == ("99400", "600")
    done(redeem(bank.alice))
    bank.wait(hours=2)
    assert (bank.alice.available("USDC"), bank.alice.available("vUSDC")) == ("100000", "0")
    assert bank.exchange.engine.total("USDC") == before
    assert bank.exchange.engine.total("vUSDC") == 0


def test_a_waiting_redemption_can_be_taken_back(bank: Bank) -> None:
    done(mint(bank.alice, "1000"))
    refused(cancel(bank.alice), "INVALID_CLIENT_REQUEST")
    done(redeem(bank.alice, "400"))
    done(redeem(bank.alice, "100"))
    done(cancel(bank.alice))
    bank.wait(hours=2)
    assert (bank.alice.available("USDC"), bank.alice.available("vUSDC")) == ("99000", "1000")


def test_a_token_follows_the_equity_of_the_account_that_runs_the_vault(bank: Bank) -> None:
    saver = bank.open(1, USDC="1000")
    done(mint(saver, "500", vault=2))
    # The first payment buys tokens at 1; what the account owned before now belongs to them.
    assert saver.available(TOKEN) == "500"
    figures = nav(bank.alice)
    assert (figures["vaultEquity"], figures["tokenCirculatingSupply"], figures["nav"]) == ("520500", "500", "1041")
    assert (figures["mintNav"], figures["redeemNav"]) == ("1041", "1041")
    bank.wait(hours=1)
    bank.exchange.deposit(API_KEY, "USDC", "1000")
    figures = nav(bank.alice)
    assert (figures["nav"], figures["twapNav"]) == ("1043", "1041")
    assert (figures["mintNav"], figures["redeemNav"]) == ("1043", "1041")
    assert figures["lastCrankTimestamp"] == bank.now_us // 3_600_000_000 * 3_600_000
    refused(saver.get("/api/v1/vault/nav", "vaultNavQuery"), "UNAUTHORIZED", 401)


def test_only_the_account_of_a_vault_sees_who_waits(bank: Bank) -> None:
    saver = bank.open(1, USDC="1000")
    done(mint(saver, "500", vault=2))
    done(redeem(saver, "5", vault=2))
    (row,) = waiting(bank.alice)
    assert (row["status"], row["vaultTokenQuantity"], row["vaultId"]) == ("Requested", "5", 2)
    path, instruction = "/api/v1/vault/redeems/pending", "vaultPendingRedeemsQuery"
    refused(saver.get(path, instruction, vaultId=2), "FORBIDDEN", 403)
    refused(saver.get(path, instruction, vaultId=3), "RESOURCE_NOT_FOUND", 404)
    bank.wait(hours=1)
    assert waiting(bank.alice) == []
    assert saver.available("USDC") == "5705"


def test_a_vault_without_money_at_hand_gives_the_tokens_back(bank: Bank) -> None:
    saver = bank.open(1, USDC="1000")
    done(mint(saver, "500", vault=2))
    done(redeem(saver, vault=2))
    bank.wait(hours=1)
    assert (saver.available(TOKEN), saver.available("USDC")) == ("500", "500")
    (ended,) = bank.exchange.engine.vaults.redeems()
    assert ended.reason == "the vault has too little USDC at hand"


def test_history_ends_with_the_present(bank: Bank) -> None:
    done(mint(bank.alice, "1000"))
    bank.wait(hours=30)
    bank.alice.balances()
    rows = ok(bank.alice.get("/api/v1/vaults/history", interval="1d", vaultId=1))
    assert_fits("get_vault_history", rows)
    assert len(rows) == 25
    assert {(row["nav"], row["tokenCirculatingSupply"]) for row in rows} == {("1", "1000")}
    assert {row["vaultId"] for row in ok(bank.alice.get("/api/v1/vaults/history", interval="1year"))} == {1, 2}
    assert "interval" in unreadable(bank.alice.get("/api/v1/vaults/history", interval="2d"))


def test_payments_can_draw_on_lent_and_borrowed_funds(bank: Bank) -> None:
    saver = bank.open(1, USDC="1000", SOL="10")
    done(saver.post("/api/v1/borrowLend", "borrowLendExecute", side="Lend", symbol="USDC", quantity="900"))
    refused(mint(saver, "500"), "INSUFFICIENT_FUNDS")
    done(mint(saver, "500", autoLendRedeem=True))
    assert saver.available("vUSDC") == "500"
    done(saver.post("/api/v1/borrowLend", "borrowLendExecute", side="Borrow", symbol="USDC", quantity="500"))
    done(mint(saver, "600", autoBorrow=True))
    assert saver.available("vUSDC") == "1100"
    refused(mint(saver, "5000", autoBorrow=True), "INSUFFICIENT_MARGIN")


def test_what_a_vault_does_not_take_is_refused(bank: Bank) -> None:
    saver = bank.open(1, USDC="1000", SOL="10")
    refused(mint(saver, "9.99"), "INVALID_QUANTITY")
    refused(mint(saver, "1001"), "INSUFFICIENT_FUNDS")
    refused(mint(saver, "100", symbol="SOL"), "INVALID_ASSET")
    refused(mint(saver, "100", vault=9), "RESOURCE_NOT_FOUND", 404)
    refused(mint(bank.alice, "100", vault=2), "INVALID_CLIENT_REQUEST")
    refused(redeem(saver), "INSUFFICIENT_FUNDS")
    done(mint(saver, "100"))
    refused(redeem(saver, "0.5"), "INVALID_QUANTITY")
    refused(redeem(saver, "1.0000001"), "INVALID_QUANTITY")
    refused(redeem(saver, "101"), "INSUFFICIENT_FUNDS")
    assert (saver.available("USDC"), saver.available("vUSDC")) == ("900", "100")

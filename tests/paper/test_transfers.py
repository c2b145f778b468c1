"""Deposits, withdrawals with their delays, and dust, over the socket."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from backpack_sdk.paper.engine import Refused

from .app_desk import assert_fits, ok, refused, unreadable
from .service_desk import Bank, Holder, banking

DEPOSITS, WITHDRAWALS = "/wapi/v1/capital/deposits", "/wapi/v1/capital/withdrawals"
DELAY = f"{WITHDRAWALS}/delay"
OUTSIDE = "7nYB4uSgkHGGtBrpW6bNTdBdJbLqVYeaHkVf1AqBLGnG"


@pytest.fixture
def bank() -> Iterator[Bank]:
    with banking() as running:
        yield running


def withdraw(holder: Holder, **changes: Any) -> Any:
    body = {"symbol": "USDC", "blockchain": "Solana", "quantity": "100", "address": OUTSIDE, "twoFactorToken": "123456"}
    return holder.post(WITHDRAWALS, "withdraw", **{**body, **changes})


def withdrawals(holder: Holder, **params: Any) -> list[dict[str, Any]]:
    found = holder.rows(WITHDRAWALS, "withdrawalQueryAll", **params)
    assert_fits("get_withdrawals", found)
    return found


def address(holder: Holder, blockchain: str = "Solana") -> str:
    found = ok(holder.get("/wapi/v1/capital/deposit/address", "depositAddressQuery", blockchain=blockchain))
    assert_fits("get_deposit_address", found)
    return str(found["address"])


# In


def test_a_deposit_tells_where_it_came_from(bank: Bank) -> None:
    bank.wait(seconds=1)
    bank.exchange.deposit(bank.alice.key, "SOL", "2.5", blockchain="Solana", sender=OUTSIDE)
    rows = bank.alice.rows(DEPOSITS, "depositQueryAll")
    assert_fits("get_deposits", rows)
    assert len(rows) == 5
    newest = rows[0]
    assert (newest["symbol"], newest["quantity"], newest["source"], newest["status"]) == (
        "SOL", "2.5", "solana", "confirmed",
    )  # fmt: skip
    assert (newest["fromAddress"], newest["toAddress"]) == (OUTSIDE, address(bank.alice))
    assert {row["source"] for row in rows[1:]} == {"administrator"}
    assert bank.alice.rows(DEPOSITS, "depositQueryAll", excludePlatform=True) == [newest]
    assert bank.alice.rows(DEPOSITS, "depositQueryAll", limit=1, offset=1) == rows[1:2]
    assert bank.alice.rows(DEPOSITS, "depositQueryAll", **{"from": bank.now_us // 1_000}) == [newest]
    assert bank.alice.rows(DEPOSITS, "depositQueryAll", **{"to": bank.now_us // 1_000 - 1}) == rows[1:]
    assert bank.alice.available("SOL") == "1002.5"


def test_a_deposit_that_no_blockchain_could_bring_is_refused(bank: Bank) -> None:
    for blockchain, amount in (("Bitcoin", "1"), ("Solana", "0.001")):
        with pytest.raises(Refused):
            bank.exchange.deposit(bank.alice.key, "SOL", amount, blockchain=blockchain)
    assert bank.alice.available("SOL") == "1000"


def test_every_account_has_its_own_address_on_each_blockchain(bank: Bank) -> None:
    other = bank.open(1)
    assert len({address(holder, chain) for holder in (bank.alice, other) for chain in ("Solana", "Bitcoin")}) == 4
    response = bank.alice.get("/wapi/v1/capital/deposit/address", "depositAddressQuery", blockchain="Nowhere")
    assert "Solana" in unreadable(response)
    wallets = ok(bank.alice.get("/api/v1/wallets"))
    assert_fits("get_wallets", wallets)
    assert {wallet["blockchain"] for wallet in wallets} == {"Solana", "Bitcoin", "Ethereum"}


# Out


def test_a_withdrawal_is_pending_then_confirmed_and_costs_a_fee(bank: Bank) -> None:
    before = bank.exchange.engine.total("USDC")
    made = ok(withdraw(bank.alice, clientId="mine"))
    assert_fits("request_withdrawal", made)
    assert (made["status"], made["fee"], made["isInternal"], made["clientId"]) == ("pending", "0.5", False, "mine")
    assert bank.alice.available("USDC") == "99900"
    assert bank.exchange.engine.total("USDC") == before
    bank.wait(seconds=10)
    (row,) = withdrawals(bank.alice)
    assert (row["status"], row["transactionHash"]) == ("confirmed", row["identifier"])
    assert bank.exchange.engine.total("USDC") == before - Decimal("99.5")
    assert bank.exchange.engine.collected_fees()["USDC"] == Decimal("0.5")


def test_withdrawals_are_found_by_either_id_and_by_time(bank: Bank) -> None:
    first = ok(withdraw(bank.alice, clientId="a"))
    bank.wait(seconds=1)
    second = ok(withdraw(bank.alice, clientId="b"))

    def listed(**params: Any) -> list[int]:
        return [row["id"] for row in withdrawals(bank.alice, **params)]

    assert listed() == [second["id"], first["id"]]
    assert listed(id=first["id"]) == listed(clientId="a") == listed(offset=1) == [first["id"]]
    assert listed(**{"from": bank.now_us // 1_000}) == listed(limit=1) == [second["id"]]
    assert listed(clientId="c") == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantity": "4.99"}, "INVALID_QUANTITY"),
        ({"quantity": "5.0000001"}, "INVALID_QUANTITY"),
        ({"quantity": "100000.01"}, "INSUFFICIENT_FUNDS"),
        ({"blockchain": "Ethereum"}, "INVALID_ASSET"),
        ({"symbol": "DOGE"}, "INVALID_ASSET"),
        ({"address": " "}, "INVALID_CLIENT_REQUEST"),
        ({"address": "paper:Solana:nobody"}, "INVALID_CLIENT_REQUEST"),
        ({"twoFactorToken": None}, "INVALID_TWO_FACTOR_CODE"),
        ({"twoFactorToken": ""}, "INVALID_TWO_FACTOR_CODE"),
    ],
)
def test_a_withdrawal_that_can_not_be_is_refused_and_moves_nothing(
    bank: Bank, changes: dict[str, Any], code: str
) -> None:
    refused(withdraw(bank.alice, **changes), code)
    assert bank.alice.available("USDC") == "100000"
    assert withdrawals(bank.alice) == []


def test_a_withdrawal_without_an_address_or_with_a_long_id_can_not_be_read(bank: Bank) -> None:
    assert "address" in unreadable(withdraw(bank.alice, address=None))
    assert "clientId" in unreadable(withdraw(bank.alice, clientId="x" * 256))


def test_a_trusted_address_needs_no_second_factor_and_no_delay(bank: Bank) -> None:
    assert bank.alice.post(DELAY, "withdrawalDelayCreate", withdrawalDelayHours=24, twoFactorToken="1").content == b""
    delayed = ok(withdraw(bank.alice))
    assert delayed["triggerAt"] > delayed["createdAt"]
    bank.exchange.trust_address(bank.alice.key, OUTSIDE)
    at_once = ok(withdraw(bank.alice, twoFactorToken=None))
    assert "triggerAt" not in at_once
    bank.wait(hours=1)
    assert [row["status"] for row in withdrawals(bank.alice)] == ["confirmed", "pending"]
    bank.wait(hours=24)
    assert [row["status"] for row in withdrawals(bank.alice)] == ["confirmed", "confirmed"]


def test_a_transfer_inside_the_exchange_is_free_and_arrives_at_once(bank: Bank) -> None:
    other = bank.open(1, USDC="1")
    before = bank.exchange.engine.total("USDC")
    made = ok(withdraw(bank.alice, address=address(other)))
    assert (made["isInternal"], made["status"], made["fee"]) == (True, "confirmed", "0")
    assert other.available("USDC") == "101"
    newest = other.rows(DEPOSITS, "depositQueryAll")[0]
    assert_fits("get_deposits", [newest])
    assert (newest["quantity"], newest["fromAddress"]) == ("100", address(bank.alice))
    assert bank.exchange.engine.total("USDC") == before
    refused(withdraw(bank.alice, address=address(bank.alice)), "INVALID_CLIENT_REQUEST")


def test_lent_and_borrowed_funds_can_be_withdrawn_when_that_is_asked_for(bank: Bank) -> None:
    assert bank.alice.post(
        "/api/v1/borrowLend", "borrowLendExecute", side="Lend", symbol="USDC", quantity="99950"
    ).content == b""  # fmt: skip
    refused(withdraw(bank.alice), "INSUFFICIENT_FUNDS")
    ok(withdraw(bank.alice, autoLendRedeem=True))
    assert bank.alice.collateral()["netEquity"] == "519900"
    made = ok(withdraw(bank.alice, symbol="BTC", blockchain="Bitcoin", quantity="2.5", autoBorrow=True))
    assert made["quantity"] == "2.5"
    (loan,) = bank.alice.rows("/wapi/v1/history/borrowLend", "borrowHistoryQueryAll", type="Borrow")
    assert (loan["source"], loan["quantity"]) == ("Withdrawal", "0.5")


def test_the_largest_withdrawal_leaves_the_margin_of_debts(bank: Bank) -> None:
    poor = bank.open(1, USDC="1000")
    path, instruction = "/api/v1/account/limits/withdrawal", "maxWithdrawalQuantity"
    assert ok(poor.get(path, instruction, symbol="USDC"))["maxWithdrawalQuantity"] == "1000"
    poor.post("/api/v1/borrowLend", "borrowLendExecute", side="Borrow", symbol="SOL", quantity="10")
    found = ok(poor.get(path, instruction, symbol="USDC", autoBorrow=False, autoLendRedeem=True))
    assert_fits("get_max_withdrawal_quantity", found)
    # 1400 USDC are owed, of which a tenth must stay.
    assert (found["maxWithdrawalQuantity"], found["autoBorrow"], found["autoLendRedeem"]) == ("860", False, True)
    refused(withdraw(poor, quantity="860.000001"), "INSUFFICIENT_MARGIN")
    most = ok(poor.get(path, instruction, symbol="USDC", autoBorrow=True))["maxWithdrawalQuantity"]
    assert most == "860"
    ok(withdraw(poor, quantity="860"))
    refused(poor.get(path, instruction, symbol="DOGE"), "INVALID_ASSET")
    assert "autoBorrow" in unreadable(poor.get(path, instruction, symbol="USDC", autoBorrow="maybe"))


# Delays


def test_a_delay_is_set_once_and_changed_when_the_old_one_has_run_out(bank: Bank) -> None:
    assert bank.alice.get(DELAY, "withdrawalDelayQuery").status_code == 204
    change = {"withdrawalDelayHours": 5, "twoFactorToken": "t"}
    assert unreadable_empty(bank.alice.send("PATCH", DELAY, "withdrawalDelayUpdate", change)) == 404
    create = bank.alice.post(DELAY, "withdrawalDelayCreate", withdrawalDelayHours=24, twoFactorToken="t")
    assert (create.status_code, create.content) == (200, b"")
    refused(bank.alice.post(DELAY, "withdrawalDelayCreate", **change), "PRECONDITION_FAILED", 409)
    changed = ok(bank.alice.send("PATCH", DELAY, "withdrawalDelayUpdate", change))
    assert_fits("update_withdrawal_delay", changed)
    assert (changed["currentWithdrawalDelayHours"], changed["pendingWithdrawalDelayHours"]) == (24, 5)
    bank.wait(hours=23)
    assert ok(bank.alice.get(DELAY, "withdrawalDelayQuery")) == changed
    bank.wait(hours=1)
    now = ok(bank.alice.get(DELAY, "withdrawalDelayQuery"))
    assert_fits("get_withdrawal_delay", now)
    assert now == {"currentWithdrawalDelayHours": 5}
    for hours in (0, 721):
        body = {"withdrawalDelayHours": hours, "twoFactorToken": "t"}
        refused(bank.alice.send("PATCH", DELAY, "withdrawalDelayUpdate", body), "INVALID_RANGE")
    no_token = {**change, "twoFactorToken": " "}
    refused(bank.alice.send("PATCH", DELAY, "withdrawalDelayUpdate", no_token), "INVALID_TWO_FACTOR_CODE")


def unreadable_empty(response: Any) -> int:
    assert response.content == b""
    return int(response.status_code)


# Dust


def dust(holder: Holder, symbol: str | None = None) -> Any:
    return holder.post("/api/v1/account/convertDust", "convertDust", symbol=symbol)


def test_dust_is_sold_for_usdc(bank: Bank) -> None:
    small = bank.open(1, USDC="1", SOL="0.009", ETH="0.00005", BTC="1")
    before = {asset: bank.exchange.engine.total(asset) for asset in ("USDC", "SOL", "ETH")}
    response = dust(small, "SOL")
    assert (response.status_code, response.content) == (200, b"")
    assert (small.available("SOL"), small.available("USDC")) == ("0", "2.26")
    assert dust(small).content == b""
    rows = small.rows("/wapi/v1/history/dust", "dustHistoryQueryAll")
    assert_fits("get_dust_history", rows)
    assert [(row["symbol"], row["quantity"], row["usdcReceived"]) for row in rows] == [
        ("ETH", "0.00005", "0.15"),
        ("SOL", "0.009", "1.26"),
    ]
    assert small.rows("/wapi/v1/history/dust", "dustHistoryQueryAll", symbol="SOL") == rows[1:]
    assert small.rows("/wapi/v1/history/dust", "dustHistoryQueryAll", id=rows[0]["id"]) == rows[:1]
    assert {asset: bank.exchange.engine.total(asset) for asset in before} == before
    refused(dust(small), "INVALID_QUANTITY")


def test_what_is_no_dust_is_not_converted(bank: Bank) -> None:
    refused(dust(bank.alice, "SOL"), "INVALID_QUANTITY")
    refused(dust(bank.alice, "USDC"), "INVALID_ASSET")
    refused(dust(bank.alice, "DOGE"), "INVALID_ASSET")

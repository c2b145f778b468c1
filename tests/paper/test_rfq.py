"""Requests for quotes over the socket: asking, quoting, trading, lapsing, and what each side is told."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from backpack_sdk.paper.engine import Event
from backpack_sdk.paper.engine.rfq_events import RfqUpdated

from .app_desk import assert_fits, ok, refused, unreadable
from .service_desk import Bank, Holder, banking

SYMBOL = "SOL_USDC_RFQ"


@pytest.fixture
def bank() -> Iterator[Bank]:
    with banking() as running:
        yield running


@pytest.fixture
def maker(bank: Bank) -> Holder:
    return bank.open(1)


@pytest.fixture
def told(bank: Bank) -> Iterator[list[RfqUpdated]]:
    """Every step that was told to somebody."""
    steps: list[RfqUpdated] = []

    def listen(events: tuple[Event, ...]) -> None:
        steps.extend(event for event in events if isinstance(event, RfqUpdated))

    end = bank.exchange.engine.subscribe(listen)
    yield steps
    end()


def ask(holder: Holder, **changes: Any) -> Any:
    body = {"symbol": SYMBOL, "side": "Bid", "quantity": "10", **changes}
    return holder.post("/api/v1/rfq", "rfqSubmit", **body)


def quote(holder: Holder, rfq: dict[str, Any], bid: str = "139", ask: str = "141", **more: Any) -> Any:
    return holder.post("/api/v1/rfq/quote", "quoteSubmit", rfqId=rfq["rfqId"], bidPrice=bid, askPrice=ask, **more)


def accept(holder: Holder, made: dict[str, Any], **more: Any) -> Any:
    return holder.post("/api/v1/rfq/accept", "quoteAccept", quoteId=made["quoteId"], **more)


def cancel(holder: Holder, **body: Any) -> Any:
    return holder.post("/api/v1/rfq/cancel", "rfqCancel", **body)


def refresh(holder: Holder, rfq: dict[str, Any]) -> Any:
    return holder.post("/api/v1/rfq/refresh", "rfqRefresh", rfqId=rfq["rfqId"])


def open_rfqs(holder: Holder, **params: Any) -> list[dict[str, Any]]:
    found = holder.rows("/api/v1/rfqs", "rfqQuery", **params)
    assert_fits("get_open_rfqs", found)
    return found


def history(holder: Holder, kind: str, **params: Any) -> list[dict[str, Any]]:
    names = {
        "rfq": ("get_rfq_history", "rfqHistoryQueryAll"),
        "rfq/fill": ("get_rfq_fill_history", "rfqFillHistoryQueryAll"),
        "quote": ("get_quote_history", "quoteHistoryQueryAll"),
        "quote/fill": ("get_quote_fill_history", "quoteFillHistoryQueryAll"),
    }
    operation, instruction = names[kind]
    found = holder.rows(f"/wapi/v1/history/{kind}", instruction, **params)
    assert_fits(operation, found)
    return found


def steps(told: list[RfqUpdated], holder: Holder) -> list[str]:
    return [step.kind.value for step in told if step.account == holder.key]


def test_a_quote_is_taken_and_both_sides_settle_to_the_last_digit(
    bank: Bank, maker: Holder, told: list[RfqUpdated]
) -> None:
    rfq = ok(ask(bank.alice, clientId=7))
    assert_fits("submit_rfq", rfq)
    assert (rfq["status"], rfq["executionMode"], rfq["quantity"]) == ("New", "AwaitAccept", "10")
    assert rfq["submissionTime"] - rfq["createdAt"] == 60_000
    assert rfq["expiryTime"] - rfq["createdAt"] == 120_000
    made = ok(quote(maker, rfq, clientId=9))
    assert_fits("submit_quote", made)
    assert maker.balances()["SOL"] == {"available": "990", "locked": "10", "staked": "0"}
    assert open_rfqs(bank.alice) == [{"rfq": rfq, "quotes": [made]}]
    assert open_rfqs(maker) == []
    filled = ok(accept(bank.alice, made))
    assert_fits("accept_quote", filled)
    assert filled["status"] == "Filled"
    # 10 x 141, and 0.1 % on top; the maker pays 0.08 % of what it gets.
    assert (bank.alice.available("SOL"), bank.alice.available("USDC")) == ("1010", "98588.59")
    assert (maker.available("SOL"), maker.available("USDC")) == ("990", "101408.872")
    assert bank.exchange.engine.collected_fees()["USDC"] == Decimal("2.538")
    assert open_rfqs(bank.alice) == []
    assert steps(told, bank.alice) == ["rfqCandidate", "rfqAccepted", "rfqFilled"]
    assert steps(told, maker) == ["quoteAccepted", "rfqFilled"]
    assert [step.kind for step in told if step.account is None] == ["rfqActive"]
    assert [step.price for step in told if step.kind == "rfqFilled"] == [Decimal("141.141"), Decimal(141)]


def test_the_histories_tell_both_sides_of_a_trade(bank: Bank, maker: Holder) -> None:
    rfq = ok(ask(bank.alice, side="Ask", clientId=7))
    made = ok(quote(maker, rfq, clientId=9))
    bank.wait(seconds=1)
    ok(accept(bank.alice, made, rfqId=rfq["rfqId"], clientId=7))
    assert (bank.alice.available("SOL"), bank.alice.available("USDC")) == ("990", "101388.61")
    assert (maker.available("SOL"), maker.available("USDC")) == ("1009.992", "98610")
    (past,) = history(bank.alice, "rfq")
    assert (past["rfqId"], past["status"], past["clientId"], past["side"]) == (rfq["rfqId"], "Filled", 7, "Ask")
    (fill,) = history(bank.alice, "rfq/fill", quoteId=made["quoteId"], side="Ask", fillType="User")
    assert (fill["fillPrice"], fill["quantity"], fill["quoteQuantity"]) == ("138.861", "10", "1390")
    assert fill["createdAt"] < fill["filledAt"]
    (answered,) = history(maker, "quote", status="Filled", symbol=SYMBOL)
    assert (answered["quoteId"], answered["clientId"], answered["deferredSettlement"]) == (made["quoteId"], 9, False)
    (sold,) = history(maker, "quote/fill", side="Bid")
    assert (sold["fillPrice"], sold["fee"], sold["feeSymbol"]) == ("139", "0.008", "SOL")
    for kind in ("rfq", "rfq/fill", "quote"):
        holder = maker if kind == "quote" else bank.alice
        assert history(holder, kind, deferredSettlement=True) == []
        assert len(history(holder, kind, deferredSettlement=False)) == 1
        assert history(holder, kind, symbol="BTC_USDC_RFQ") == []
    assert history(bank.alice, "rfq/fill", fillType="CollateralConversion") == []
    assert history(bank.alice, "rfq", status="Expired") == history(bank.alice, "rfq", side="Bid") == []
    assert history(bank.alice, "rfq", limit=0) == history(maker, "quote/fill", offset=1) == []
    refused(bank.alice.get("/wapi/v1/history/rfq", "rfqHistoryQueryAll", rfqId="x"), "INVALID_CLIENT_REQUEST")


def test_an_immediate_request_takes_the_first_quote_that_satisfies_it(
    bank: Bank, maker: Holder, told: list[RfqUpdated]
) -> None:
    rfq = ok(ask(bank.alice, executionMode="Immediate", price="141", quantity="1"))
    assert bank.alice.balances()["USDC"]["locked"] == "141"
    # 140.9 and the fee is above the limit, 140 and the fee is not.
    dear = ok(quote(maker, rfq, ask="140.9"))
    assert dear["status"] == "New"
    refused(accept(bank.alice, dear), "INVALID_ORDER")
    fair = ok(quote(maker, rfq, ask="140"))
    assert fair["status"] == "Filled"
    assert bank.alice.balances()["USDC"] == {"available": "99859.86", "locked": "0", "staked": "0"}
    assert steps(told, maker) == ["quoteCancelled", "quoteAccepted", "rfqFilled"]
    assert [row["status"] for row in history(maker, "quote")] == ["Filled", "Cancelled"]


def test_an_amount_of_the_quote_asset_buys_whole_steps(bank: Bank, maker: Holder) -> None:
    rfq = ok(ask(bank.alice, quantity=None, quoteQuantity="1000"))
    assert rfq["quoteQuantity"] == "1000"
    ok(accept(bank.alice, ok(quote(maker, rfq))))
    (fill,) = history(bank.alice, "rfq/fill")
    assert (fill["quantity"], fill["quoteQuantity"]) == ("7.09", "999.69")
    immediate = ok(ask(bank.alice, quantity=None, quoteQuantity="1000", executionMode="Immediate", price="150"))
    assert ok(quote(maker, immediate))["status"] == "Filled"


def test_a_request_lapses_and_frees_what_it_held(bank: Bank, maker: Holder, told: list[RfqUpdated]) -> None:
    rfq = ok(ask(bank.alice, executionMode="Immediate", price="100"))
    ok(quote(maker, rfq))
    bank.wait(seconds=119)
    assert len(open_rfqs(bank.alice)) == 1
    bank.wait(seconds=1)
    assert open_rfqs(bank.alice) == []
    assert history(bank.alice, "rfq")[0]["status"] == "Expired"
    assert history(maker, "quote")[0]["status"] == "Cancelled"
    assert bank.alice.balances()["USDC"]["locked"] == maker.balances()["SOL"]["locked"] == "0"
    assert steps(told, bank.alice) == ["rfqCandidate", "rfqCancelled"]
    refused(quote(maker, rfq), "RESOURCE_NOT_FOUND", 404)


def test_a_refresh_gives_more_time_and_cancels_the_quotes(bank: Bank, maker: Holder, told: list[RfqUpdated]) -> None:
    rfq = ok(ask(bank.alice))
    made = ok(quote(maker, rfq))
    bank.wait(seconds=100)
    again = ok(refresh(bank.alice, rfq))
    assert_fits("refresh_rfq", again)
    assert (again["rfqId"], again["createdAt"]) == (rfq["rfqId"], rfq["createdAt"])
    assert again["expiryTime"] - rfq["expiryTime"] == 100_000
    refused(accept(bank.alice, made), "RESOURCE_NOT_FOUND", 404)
    assert [step.kind for step in told] == ["rfqActive", "rfqCandidate", "quoteCancelled", "rfqRefreshed", "rfqActive"]
    refused(refresh(maker, rfq), "RESOURCE_NOT_FOUND", 404)


def test_a_request_is_cancelled_by_either_id(bank: Bank, maker: Holder) -> None:
    first, second = ok(ask(bank.alice, clientId=1)), ok(ask(bank.alice))
    ok(quote(maker, first))
    refused(ask(bank.alice, clientId=1), "INVALID_ORDER")
    cancelled = ok(cancel(bank.alice, clientId=1))
    assert_fits("cancel_rfq", cancelled)
    assert (cancelled["rfqId"], cancelled["status"]) == (first["rfqId"], "Cancelled")
    assert maker.balances()["SOL"]["locked"] == "0"
    refused(cancel(maker, rfqId=second["rfqId"]), "RESOURCE_NOT_FOUND", 404)
    refused(cancel(bank.alice), "INVALID_CLIENT_REQUEST")
    ok(cancel(bank.alice, rfqId=second["rfqId"]))
    assert [row["rfqId"] for row in history(bank.alice, "rfq")] == [second["rfqId"], first["rfqId"]]


def test_only_a_better_quote_is_a_candidate(bank: Bank, maker: Holder, told: list[RfqUpdated]) -> None:
    second, third = bank.open(2), bank.open(3)
    rfq = ok(ask(bank.alice, side="Ask"))
    ok(quote(maker, rfq, bid="139"))
    ok(quote(second, rfq, bid="138"))
    ok(quote(third, rfq, bid="139.5"))
    candidates = [step for step in told if step.kind == "rfqCandidate"]
    assert [step.price for step in candidates] == [Decimal("138.861"), Decimal("139.3605")]
    assert len(open_rfqs(bank.alice, symbol=SYMBOL, rfqId=int(rfq["rfqId"]))[0]["quotes"]) == 3
    assert open_rfqs(bank.alice, symbol="BTC_USDC_RFQ") == open_rfqs(bank.alice, deferredSettlement=True) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"symbol": "SOL_USDC"}, "INVALID_SYMBOL"),
        ({"symbol": "DOGE_USDC_RFQ"}, "INVALID_SYMBOL"),
        ({"quoteQuantity": "5"}, "INVALID_ORDER"),
        ({"quantity": None}, "INVALID_ORDER"),
        ({"price": "140"}, "INVALID_ORDER"),
        ({"executionMode": "Immediate"}, "INVALID_ORDER"),
        ({"quantity": "0.001"}, "INVALID_QUANTITY"),
        ({"executionMode": "Immediate", "price": "140.001"}, "INVALID_PRICE"),
        ({"side": "Ask", "quantity": "1001"}, "INSUFFICIENT_FUNDS"),
        ({"executionMode": "Immediate", "price": "14000"}, "INSUFFICIENT_FUNDS"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(bank: Bank, changes: dict[str, Any], code: str) -> None:
    refused(ask(bank.alice, **changes), code)
    assert open_rfqs(bank.alice) == []
    assert bank.alice.balances()["USDC"]["locked"] == "0"


def test_a_quote_that_makes_no_sense_is_refused(bank: Bank, maker: Holder) -> None:
    rfq = ok(ask(bank.alice, quantity="1001"))
    refused(quote(maker, rfq), "INSUFFICIENT_FUNDS")
    refused(quote(maker, rfq, bid="142", ask="141"), "INVALID_PRICE")
    refused(quote(maker, rfq, bid="139.001"), "INVALID_PRICE")
    refused(quote(bank.alice, rfq), "INVALID_ORDER")
    refused(accept(bank.alice, {"quoteId": "1"}), "RESOURCE_NOT_FOUND", 404)
    assert "bidPrice" in unreadable(maker.post("/api/v1/rfq/quote", "quoteSubmit", rfqId=rfq["rfqId"], askPrice="1"))


def test_accepting_what_one_can_not_pay_is_refused_and_leaves_the_quote(bank: Bank, maker: Holder) -> None:
    poor = bank.open(2, USDC="100")
    rfq = ok(ask(poor, quantity="1"))
    made = ok(quote(maker, rfq))
    refused(accept(poor, made), "INSUFFICIENT_FUNDS")
    refused(accept(poor, made, clientId=3), "INVALID_CLIENT_REQUEST")
    refused(accept(bank.alice, made), "RESOURCE_NOT_FOUND", 404)
    bank.exchange.deposit(poor.key, "USDC", "41.141")
    assert ok(accept(poor, made))["status"] == "Filled"
    assert poor.available("USDC") == "0"

"""What stands in front of an embedded exchange on choice: the cache, the wait of takers, cancels that say nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backpack_sdk import Accepted, Backpack, Credentials
from backpack_sdk.paper import PaperExchange
from backpack_sdk.paper.edge import Edge, EdgeGateway
from backpack_sdk.paper.engine import BookState, Exchange
from backpack_sdk.paper.gateway import Gateway
from backpack_sdk.paper.received import ReceivedRequest

from .app_desk import ORDER, ok
from .service_desk import banking


def received(operation: str, body: Any) -> ReceivedRequest:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ReceivedRequest("POST", "/api/v1/order", "", {"content-type": "application/json"}, content, operation)


def test_without_the_cache_nothing_is_said_about_it() -> None:
    with banking() as bank:
        assert {"age", "cache-control"}.isdisjoint(bank.alice.get("/api/v1/markets").headers)


def test_the_cache_keeps_the_market_list_for_its_time_and_tells_its_age() -> None:
    with banking(cdn=True) as bank:

        def states() -> tuple[str, str]:
            response = bank.alice.get("/api/v1/markets", marketType="SPOT")
            assert response.headers["cache-control"] == "public, s-maxage=300, stale-if-error=3600"
            return response.headers["age"], ok(response)[0]["orderBookState"]

        assert states() == ("0", "Open")
        bank.exchange.engine.set_book_state("SOL_USDC", BookState.CANCEL_ONLY, now_us=bank.now_us)
        bank.wait(seconds=299)
        assert states() == ("299", "Open")
        assert ok(bank.alice.get("/api/v1/markets"))[0]["orderBookState"] == "CancelOnly"
        bank.wait(seconds=1)
        assert states() == ("0", "CancelOnly")
        refused = bank.alice.get("/api/v1/markets", marketType="CARDS")
        assert (refused.status_code, "age" in refused.headers) == (400, False)
        assert "age" not in bank.alice.get("/api/v1/depth", symbol="SOL_USDC").headers


def test_the_cache_keeps_mark_prices_for_a_second() -> None:
    with banking(cdn=True) as bank:
        assert bank.alice.get("/api/v1/markPrices").headers["age"] == "0"
        bank.wait(seconds=0.9)
        response = bank.alice.get("/api/v1/markPrices")
        assert (response.headers["age"], "s-maxage=1," in response.headers["cache-control"]) == ("0", True)


def test_every_order_waits_but_a_post_only_one() -> None:
    gateway = EdgeGateway(Gateway(Exchange(), lambda: 0), Edge(taker_delay=0.1))
    posting = {**ORDER, "postOnly": True}
    assert gateway.delay(received("execute_order", ORDER)) == 0.1
    assert gateway.delay(received("execute_order", posting)) == 0
    assert gateway.delay(received("execute_order_batch", [posting, ORDER])) == 0.1
    assert gateway.delay(received("execute_order_batch", [posting, posting])) == 0
    assert gateway.delay(received("execute_order", b"{")) == 0
    assert gateway.delay(received("cancel_order", ORDER)) == 0
    assert EdgeGateway(Gateway(Exchange(), lambda: 0), Edge()).delay(received("execute_order", ORDER)) == 0


def test_a_delayed_order_is_carried_out_all_the_same() -> None:
    with banking(taker_delay=0.01) as bank:
        assert ok(bank.alice.order())["status"] == "New"


@pytest.mark.parametrize("delay", [-0.1, float("nan")])
def test_a_negative_delay_is_refused(delay: float) -> None:
    with pytest.raises(ValueError, match="taker_delay"):
        PaperExchange(taker_delay=delay)


def test_cancels_can_answer_with_nothing() -> None:
    credentials = Credentials.generate()
    with PaperExchange(async_cancel=True) as exchange, Backpack(credentials, base_url=exchange.base_url) as client:
        exchange.add_account(credentials.api_key)
        order: dict[str, Any] = {"side": "Bid", "order_type": "Limit", "price": "100", "quantity": "1"}
        order["symbol"] = "SOL_USDC"
        placed = client.order.execute_order(**order)
        assert type(client.order.cancel_order("SOL_USDC", order_id=placed.id)) is Accepted
        client.order.execute_order(**order)
        assert type(client.order.cancel_open_orders("SOL_USDC")) is Accepted
        assert client.order.get_open_orders() == []

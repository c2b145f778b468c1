"""The answer to a batch: every row is an order or a refusal, in the order of the batch."""

from __future__ import annotations

import json
import pickle
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from backpack_sdk import BadRequest, InsufficientFunds, StatusError, operations, types

from .wire_values import objects

ORDER: dict[str, Any] = {
    "id": "113", "symbol": "SOL_USDC", "side": "Bid", "orderType": "Limit", "status": "New", "timeInForce": "GTC",
    "selfTradePrevention": "RejectTaker", "createdAt": 1752930540123, "executedQuantity": "0",
    "executedQuoteQuantity": "0", "price": "141.20", "quantity": "0.5", "postOnly": False,
}  # fmt: skip
REFUSAL = {"code": "INSUFFICIENT_FUNDS", "message": "Insufficient funds"}
ANSWER = operations.order.execute_order_batch([{"symbol": "SOL_USDC", "side": "Bid", "orderType": "Limit"}]).reply


def rows(*wire: dict[str, Any]) -> list[types.BatchCommandOrderResult]:
    return ANSWER.decode(200, json.dumps(wire).encode())


def test_an_order_that_was_taken() -> None:
    (row,) = rows({**ORDER, "operation": "Ok"})
    assert row.ok
    assert row.error is None
    order = row.order
    assert isinstance(order, types.LimitOrder)
    assert order.price == Decimal("141.2")
    assert row.unwrap() == order
    assert row.unwrap().to_wire() == ORDER


def test_an_order_that_was_refused() -> None:
    (row,) = rows({**REFUSAL, "operation": "Err"})
    assert not row.ok
    assert row.order is None
    assert row.error is not None
    assert row.error.code is types.ApiErrorCode.INSUFFICIENT_FUNDS
    with pytest.raises(InsufficientFunds, match="INSUFFICIENT_FUNDS: Insufficient funds") as caught:
        row.unwrap()
    assert isinstance(caught.value, StatusError)
    assert caught.value.code == "INSUFFICIENT_FUNDS"
    assert caught.value.message == "Insufficient funds"
    assert type(caught.value.code) is str


def test_a_code_that_is_new_is_kept() -> None:
    (row,) = rows({"code": "SUN_IN_EYES", "message": "", "operation": "Err"})
    with pytest.raises(BadRequest) as caught:
        row.unwrap()
    assert caught.value.code == "SUN_IN_EYES"


def test_rows_keep_the_order_of_the_batch() -> None:
    answer = rows(
        {**ORDER, "operation": "Ok"}, {**REFUSAL, "operation": "Err"}, {**ORDER, "id": "114", "operation": "Ok"}
    )
    assert [row.ok for row in answer] == [True, False, True]
    assert [row.order.id if row.order is not None else None for row in answer] == ["113", None, "114"]


def test_an_order_of_a_new_kind_is_an_order() -> None:
    (row,) = rows({**ORDER, "orderType": "Iceberg", "operation": "Ok", "shown": "0.1"})
    assert type(row.order) is types.OrderType
    assert row.unwrap().to_wire() == {**ORDER, "orderType": "Iceberg", "shown": "0.1"}


def test_a_row_of_a_new_kind_is_neither() -> None:
    wire = {"operation": "Deferred", "until": 5}
    (row,) = rows(wire)
    assert not row.ok
    assert row.order is None
    assert row.error is None
    assert row.to_wire() == wire
    with pytest.raises(BadRequest, match="Deferred"):
        row.unwrap()


@pytest.mark.parametrize(
    "wire",
    [
        {},
        {"operation": None},
        {"operation": "Ok"},
        {"operation": "Err"},
        {"operation": "Err", "code": "X"},
        ORDER,
        {**ORDER, "operation": "Err"},
        {**REFUSAL, "operation": "Ok"},
        {**ORDER, "price": "dear", "operation": "Ok"},
        {**ORDER, "orderType": [], "operation": "Ok"},
    ],
)
def test_a_row_that_does_not_fit_is_refused(wire: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rows({**ORDER, "operation": "Ok"}, wire)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(objects("BatchCommandOrderResult"), max_size=4))
def test_answers_are_lossless_and_behave_as_values(wire: list[dict[str, Any]]) -> None:
    answer = rows(*wire)
    assert json.dumps([row.to_wire() for row in answer], sort_keys=True) == json.dumps(wire, sort_keys=True)
    for row, sent in zip(answer, wire, strict=True):
        assert row.ok == (sent["operation"] == "Ok")
        inside = row.order if row.ok else row.error
        assert inside is not None
        without = {key: value for key, value in sent.items() if key != "operation"}
        assert json.dumps(inside.to_wire(), sort_keys=True) == json.dumps(without, sort_keys=True)
        twin = pickle.loads(pickle.dumps(row))
        assert twin == row
        assert hash(twin) == hash(row)
        assert (twin.order, twin.error) == (row.order, row.error)


def test_different_rows_are_not_equal() -> None:
    one, same, other = rows(*({**ORDER, "id": some, "operation": "Ok"} for some in ("1", "1", "2")))
    assert one == same
    assert one != other
    assert len({one, same, other}) == 2
    assert repr(one).startswith("BatchCommandOrderResult(operation='Ok', id='1', symbol='SOL_USDC'")

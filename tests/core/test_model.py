"""Models: what a field's absence means, what is kept, and how they behave as Python values."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from backpack_sdk import types
from backpack_sdk._core.model import Model, TaggedModel
from backpack_sdk._core.scalars import DecimalText, IsoTime

from .wire_values import api, objects

LIMIT_ORDER: dict[str, Any] = {
    "id": "113", "symbol": "SOL_USDC", "side": "Bid", "orderType": "Limit", "status": "New", "timeInForce": "GTC",
    "selfTradePrevention": "RejectTaker", "createdAt": 1752930540123, "executedQuantity": "0.00",
    "executedQuoteQuantity": "0", "price": "141.20", "quantity": "0.5", "postOnly": False, "clientId": 7,
}  # fmt: skip
MARKET_ORDER = {key: value for key, value in LIMIT_ORDER.items() if key not in ("price", "postOnly")} | {
    "orderType": "Market"
}
FILL: dict[str, Any] = {
    "orderId": "113", "symbol": "SOL_USDC", "side": "Ask", "price": "141.2", "quantity": "1", "fee": "-0.01",
    "feeSymbol": "USDC", "isMaker": True, "timestamp": "2025-07-19T13:09:00.123456789",
}  # fmt: skip


class Desk(Model):
    """A model that holds tagged models in every way a field can."""

    last: types.OrderType
    spare: types.OrderType | None = None
    open_orders: tuple[types.OrderType, ...] = ()
    by_market: dict[str, types.OrderType]


# Null, absent, default


def test_null_absent_and_given_are_three_things() -> None:
    absent = types.OrderFill.model_validate_json(json.dumps(FILL))
    null = types.OrderFill.model_validate_json(json.dumps({**FILL, "clientId": None}))
    given_ = types.OrderFill.model_validate_json(json.dumps({**FILL, "clientId": ""}))
    assert absent.client_id is None
    assert null.client_id is None
    assert given_.client_id == ""
    assert "clientId" not in absent.to_wire()
    assert null.to_wire()["clientId"] is None
    assert given_.to_wire()["clientId"] == ""
    assert "client_id" not in absent.model_fields_set
    assert "client_id" in null.model_fields_set


def test_false_zero_and_empty_are_kept() -> None:
    order = types.OrderExecutePayload(
        symbol="SOL_USDC", side=types.Side.BID, order_type=types.OrderTypeEnum.LIMIT, client_id=0, post_only=False,
        quantity=Decimal(0), trigger_quantity="",
    )  # fmt: skip
    assert order.to_wire() == {
        "symbol": "SOL_USDC", "side": "Bid", "orderType": "Limit", "clientId": 0, "postOnly": False, "quantity": "0",
        "triggerQuantity": "",
    }  # fmt: skip


def test_what_the_exchange_leaves_out_in_practice_is_read() -> None:
    candle = {"start": "2025-07-19 13:09:00", "end": "2025-07-19 13:10:00", "open": None, "high": None, "low": None,
              "close": None, "volume": "0", "quoteVolume": "0", "trades": "0"}  # fmt: skip
    for empty in (candle, {key: value for key, value in candle.items() if value is not None}):
        kline = types.Kline.model_validate(empty)
        assert kline.close is None
        assert kline.start == datetime(2025, 7, 19, 13, 9, tzinfo=UTC)
        assert kline.to_wire() == empty
    ticker = {"symbol": "SOL_USDC", "firstPrice": "1", "lastPrice": "1", "priceChange": "0", "high": "1", "low": "1",
              "priceChangePercent": "N/A", "volume": "0", "quoteVolume": "0", "trades": "0"}  # fmt: skip
    assert types.Ticker.model_validate(ticker).price_change_percent == "N/A"
    fallen = types.Ticker.model_validate(ticker | {"priceChangePercent": "-0.0120"})
    assert fallen.price_change_percent == Decimal("-0.012")
    assert fallen.to_wire()["priceChangePercent"] == "-0.0120"
    balance = types.Balance.model_validate({"available": "1", "locked": "0"})
    assert balance.to_wire() == {"available": "1", "locked": "0"}
    history = types.Order.model_validate(MARKET_ORDER | {"createdAt": "2025-07-19T13:09:00", "quantity": None})
    assert history.quantity is None


# What is new


@pytest.mark.parametrize(
    "name", ["brandNew", "snake_case", "copy", "to_wire", "model_config", "self", "_x", "__class__", ""]
)
def test_fields_that_are_new_are_kept_and_written_back(name: str) -> None:
    wire = {**FILL, name: {"deep": [1, 1.5, None, {"a": "1E-8"}]}}
    fill = types.OrderFill.model_validate_json(json.dumps(wire))
    assert fill.to_wire() == wire
    assert json.loads(fill.to_json()) == wire
    assert fill.model_extra == {name: wire[name]}
    assert isinstance(fill, types.OrderFill)
    assert callable(fill.to_wire)


def test_a_new_field_reads_as_an_attribute() -> None:
    fill: Any = types.OrderFill.model_validate({**FILL, "makerRebate": "0.1"})
    assert fill.makerRebate == "0.1"
    with pytest.raises(AttributeError):
        _ = fill.takerRebate


@given(st.text(st.characters(codec="utf-8")))
def test_enum_members_that_are_new_are_kept(member: str) -> None:
    fill = types.OrderFill.model_validate_json(json.dumps({**FILL, "side": member, "systemOrderType": member}))
    assert isinstance(fill.side, types.Side)
    assert fill.side == member
    assert fill.to_wire()["side"] == fill.to_wire()["systemOrderType"] == member


@pytest.mark.parametrize("wrong", [None, 5, True, [], {}])
def test_an_enum_is_text(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        types.OrderFill.model_validate_json(json.dumps({**FILL, "side": wrong}))


# Tagged models


@pytest.mark.parametrize("how", ["json", "wire", "python", "list", "nested"])
@pytest.mark.parametrize(
    ("wire", "cls"),
    [
        (LIMIT_ORDER, "LimitOrder"),
        (MARKET_ORDER, "MarketOrder"),
        (LIMIT_ORDER | {"orderType": "Iceberg", "shown": "0.1"}, "OrderType"),
        (LIMIT_ORDER | {"orderType": ""}, "OrderType"),
    ],
)
def test_a_tag_chooses_the_variant_or_the_base(how: str, wire: dict[str, Any], cls: str) -> None:
    text = json.dumps(wire)
    made: dict[str, Any] = {
        "json": lambda: types.OrderType.model_validate_json(text),
        "wire": lambda: types.OrderType.model_validate(wire),
        "python": lambda: types.OrderType.model_validate(
            {"order_type" if key == "orderType" else key: value for key, value in wire.items()}
        ),
        "list": lambda: TypeAdapter(list[types.OrderType]).validate_json(f"[{text}]")[0],
        "nested": lambda: Desk.model_validate_json(f'{{"last": {text}, "byMarket": {{}}}}').last,
    }
    order = made[how]()
    assert type(order).__name__ == cls
    assert order.to_wire() == wire
    assert order.order_type == wire["orderType"]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    last=objects("OrderType"),
    spare=st.none() | objects("OrderType"),
    some=st.lists(objects("OrderType"), max_size=2),
    more=st.dictionaries(st.text("abc"), objects("OrderType"), max_size=2),
)
def test_tagged_models_inside_others_are_lossless(last: Any, spare: Any, some: Any, more: Any) -> None:
    wire = {"last": last, "spare": spare, "openOrders": some, "byMarket": more}
    desk = Desk.model_validate_json(json.dumps(wire))
    assert json.dumps(desk.to_wire(), sort_keys=True) == json.dumps(wire, sort_keys=True)
    assert json.dumps(json.loads(desk.to_json()), sort_keys=True) == json.dumps(wire, sort_keys=True)
    built = Desk(last=desk.last, spare=desk.spare, open_orders=desk.open_orders, by_market=desk.by_market)
    assert built == desk
    assert hash(built) == hash(desk)
    assert built.to_wire() == desk.to_wire()
    assert pickle.loads(pickle.dumps(desk)) == desk


@pytest.mark.parametrize("tag", [None, 5, True, 1.5, [], {}, ["Limit"]])
def test_a_tag_that_is_no_text_is_refused(tag: Any) -> None:
    for wire in (LIMIT_ORDER | {"orderType": tag}, {"last": LIMIT_ORDER | {"orderType": tag}}):
        with pytest.raises(ValidationError):
            (Desk if "last" in wire else types.OrderType).model_validate_json(json.dumps(wire))


def test_a_missing_tag_is_refused() -> None:
    with pytest.raises(ValidationError, match="orderType"):
        types.OrderType.model_validate({key: value for key, value in LIMIT_ORDER.items() if key != "orderType"})


def test_a_variant_that_does_not_fit_is_refused_and_not_passed_as_the_base() -> None:
    with pytest.raises(ValidationError) as caught:
        types.OrderType.model_validate({key: value for key, value in LIMIT_ORDER.items() if key != "price"})
    assert caught.value.errors()[0]["loc"][-1] == "price"


def test_the_base_of_a_known_tag_can_not_be_built() -> None:
    wire = LIMIT_ORDER | {"orderType": "Limit"}
    with pytest.raises(TypeError, match="LimitOrder"):
        types.OrderType(**wire)
    assert types.LimitOrder(**wire).to_wire() == wire
    unknown = types.OrderType(**(LIMIT_ORDER | {"orderType": "Iceberg"}))
    assert unknown.to_wire()["orderType"] == "Iceberg"
    assert pickle.loads(pickle.dumps(unknown)) == unknown


@pytest.mark.parametrize("base", sorted(found.name for found in api().models if found.tag_field is not None))
def test_every_tagged_base_knows_its_variants(base: str) -> None:
    cls = getattr(types, base)
    assert issubclass(cls, TaggedModel)
    assert {tag: variant.__name__ for tag, variant in cls._variants.items()} == {
        found.tag: found.name for found in api().models if found.base == base
    }
    for found in api().models:
        if found.base == base:
            assert issubclass(getattr(types, found.name), cls)


def test_variants_of_one_base_do_not_leak_into_another() -> None:
    assert "Limit" not in types.PositionImfFunction._variants
    assert "sqrt" not in types.OrderType._variants


def test_match_narrows_to_a_variant() -> None:
    match types.OrderType.model_validate(LIMIT_ORDER):
        case types.LimitOrder(price=price, side=types.Side.BID):
            assert price == Decimal("141.2")
        case _:
            pytest.fail("a limit order is a LimitOrder")


# As Python values


def test_models_are_frozen() -> None:
    fill = types.OrderFill.model_validate(FILL)
    with pytest.raises(ValidationError, match="frozen"):
        fill.price = Decimal(1)
    with pytest.raises(ValidationError, match="frozen"):
        del fill.price
    assert fill.to_wire() == FILL


def test_equality_is_by_value_and_class() -> None:
    fill = types.OrderFill.model_validate(FILL)
    assert fill == types.OrderFill.model_validate_json(json.dumps(FILL))
    assert fill == types.OrderFill.model_validate({**FILL, "price": "141.20"})
    assert fill == types.OrderFill.model_validate({**FILL, "clientId": None})
    assert fill != types.OrderFill.model_validate({**FILL, "price": "141.21"})
    assert fill != types.OrderFill.model_validate({**FILL, "newField": 1})
    assert fill.__eq__(FILL) is NotImplemented
    unknown = types.OrderType.model_validate(LIMIT_ORDER | {"orderType": "X"})
    assert types.OrderType.model_validate(LIMIT_ORDER) != unknown


def test_equal_models_hash_alike() -> None:
    one = types.OrderFill.model_validate(FILL)
    same = types.OrderFill.model_validate(dict(reversed({**FILL, "price": "141.200", "clientId": None}.items())))
    assert hash(one) == hash(same)
    assert len({one, same, types.OrderFill.model_validate({**FILL, "price": "1"})}) == 2
    with_extra = types.OrderFill.model_validate({**FILL, "newField": {"a": [1]}})
    assert len({one, with_extra}) == 2


@pytest.mark.parametrize("name", sorted(found.name for found in api().models))
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_copies_and_pickles_are_equal_and_exact(name: str, data: st.DataObject) -> None:
    wire = data.draw(objects(name))
    read = getattr(types, name).model_validate_json(json.dumps(wire))
    for twin in (copy.copy(read), copy.deepcopy(read), pickle.loads(pickle.dumps(read)), read.model_copy()):
        assert type(twin) is type(read)
        assert twin == read
        assert hash(twin) == hash(read)
        assert repr(twin) == repr(read)
        assert json.dumps(twin.to_wire(), sort_keys=True) == json.dumps(wire, sort_keys=True)


def test_a_copy_with_changes_writes_the_changes() -> None:
    fill = types.OrderFill.model_validate(FILL).model_copy(update={"price": Decimal("1E+3"), "client_id": None})
    assert fill.to_wire() == {**FILL, "price": "1000", "clientId": None}
    assert hash(fill) == hash(types.OrderFill.model_validate({**FILL, "price": "1000"}))


def test_models_are_built_by_python_names_with_python_values() -> None:
    fill = types.OrderFill(
        order_id="113", symbol="SOL_USDC", side=types.Side.ASK, price=Decimal("141.2"), quantity=Decimal(1),
        fee=Decimal("-0.01"), fee_symbol="USDC", is_maker=True, timestamp=datetime(2025, 7, 19, 13, 9, tzinfo=UTC),
    )  # fmt: skip
    assert fill.to_wire() == {**FILL, "timestamp": "2025-07-19T13:09:00"}
    assert types.OrderFill.model_validate(fill.to_wire()) == fill
    assert types.OrderFill.model_validate(fill.model_dump()) == fill


def test_a_datetime_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="time zone"):
        types.OrderFill.model_validate({**FILL, "timestamp": datetime(2025, 7, 19)})


def test_the_reprs_are_readable() -> None:
    order = types.OrderType.model_validate({**LIMIT_ORDER, "newField": "x", "triggeredAt": None})
    assert repr(order) == str(order)
    assert repr(order) == (
        "LimitOrder(id='113', symbol='SOL_USDC', side=Bid, order_type=Limit, status=New, time_in_force=GTC, "
        "self_trade_prevention=RejectTaker, created_at=2025-07-19T13:09:00.123000Z, executed_quantity=0.00, "
        "executed_quote_quantity=0, client_id=7, price=141.20, quantity=0.5, post_only=False, newField='x')"
    )
    assert "timestamp=2025-07-19T13:09:00.123456Z" in repr(types.OrderFill.model_validate(FILL))
    offset = types.OrderFill.model_validate({**FILL, "timestamp": "2025-07-19T13:09:00+01:00"})
    assert "timestamp=2025-07-19T12:09:00Z" in repr(offset)
    depth = types.Depth.model_validate_json(
        '{"asks": [["1E-8", "2.50"]], "bids": [], "lastUpdateId": "7", "timestamp": "1752930540123456"}'
    )
    assert repr(depth) == (
        "Depth(asks=((0.00000001, 2.50),), bids=(), last_update_id='7', timestamp=2025-07-19T13:09:00.123456Z)"
    )


def test_no_repr_and_no_error_shows_a_secret() -> None:
    made = types.UpdateWithdrawalDelayRequest(two_factor_token="271828", withdrawal_delay_hours=24)
    assert "271828" not in repr(made)
    assert "271828" not in str([made])
    assert made.to_wire() == {"twoFactorToken": "271828", "withdrawalDelayHours": 24}
    wrong: list[dict[str, Any]] = [
        {"twoFactorToken": "271828"},
        {"twoFactorToken": "271828", "withdrawalDelayHours": "soon"},
        {"twoFactorToken": 271828, "withdrawalDelayHours": 1},
        {"twoFactorToken": ["271828"], "withdrawalDelayHours": 1},
    ]
    for wire in wrong:
        with pytest.raises(ValidationError) as caught:
            types.UpdateWithdrawalDelayRequest.model_validate(wire)
        assert "271828" not in str(caught.value)
        assert "271828" not in repr(caught.value)


def test_decimals_stay_exact() -> None:
    class Money(Model):
        amount: DecimalText
        when: IsoTime

    wire = '{"amount":"12345678901234567890.12345678","when":"1969-12-31T23:59:59.999999999"}'
    assert Money.model_validate_json(wire).to_json() == wire
    assert Money.model_validate_json(wire).amount == Decimal("12345678901234567890.12345678")

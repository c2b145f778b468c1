"""From what a caller passes to wire values: what each converter takes, sends and refuses, and how it says so."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backpack_sdk import InvalidArgument, Pair, operations, types
from backpack_sdk._core import arguments as to
from backpack_sdk._core.scalars import from_iso, from_millis

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENT = datetime(2025, 7, 19, 13, 9, 0, 123456, tzinfo=UTC)
Converter = Callable[[Any, str], Any]


def side(value: Any, name: str) -> Any:
    return to.member(value, name, types.Side)


def sides(value: Any, name: str) -> Any:
    return to.members(value, name, types.Side)


def depth(value: Any, name: str) -> Any:
    return to.choice(value, name, (5, 10))


def order(value: Any, name: str) -> Any:
    return to.payload(value, name, types.OrderExecutePayload)


CONVERTERS: dict[str, Converter] = {
    "boolean": to.boolean, "choice": depth, "decimal": to.decimal, "decimal_or_percent": to.decimal_or_percent,
    "digits": to.digits, "integer": to.integer, "iso": to.iso, "json_value": to.json_value, "member": side,
    "members": sides, "micros": to.micros, "millis": to.millis, "number": to.number, "payload": order,
    "seconds": to.seconds, "secret": to.secret, "spaced": to.spaced, "symbol": to.symbol, "text": to.text,
}  # fmt: skip


class Sneaky(float):
    """A float whose repr is no number, as the scalars of numpy have it."""

    def __repr__(self) -> str:
        return f"np.float64({float(self)})"


class Count(IntEnum):
    FIVE = 5


def refused(converter: Converter, value: Any) -> str:
    with pytest.raises(InvalidArgument) as caught:
        converter(value, "some_argument")
    assert caught.value.argument == "some_argument"
    assert str(caught.value) == f"some_argument: {caught.value.problem}"
    assert isinstance(caught.value, ValueError)
    assert len(str(caught.value)) < 600
    twin = copy.copy(caught.value)
    assert (twin.argument, twin.problem, str(twin)) == ("some_argument", caught.value.problem, str(caught.value))
    return caught.value.problem


@pytest.mark.parametrize("name", CONVERTERS)
def test_none_means_not_given(name: str) -> None:
    assert CONVERTERS[name](None, "x") is None


@pytest.mark.parametrize("name", sorted(set(CONVERTERS) - {"json_value"}))
def test_what_makes_no_sense_is_refused_by_name(name: str) -> None:
    for wrong in (object(), b"1", {1, 2}, range(3) if name != "members" else b"x", 1j, Ellipsis, len):
        if name == "payload":
            assert "OrderExecutePayload" in refused(CONVERTERS[name], wrong)
        else:
            assert refused(CONVERTERS[name], wrong)


@pytest.mark.parametrize("name", sorted(set(CONVERTERS) - {"boolean", "json_value"}))
def test_a_boolean_is_nothing_else(name: str) -> None:
    assert refused(CONVERTERS[name], True)
    assert refused(CONVERTERS[name], False)


# Numbers


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (Decimal("141.20"), "141.20"), ("141.20", "141.20"), (141, "141"), (0, "0"), (-5, "-5"), (Count.FIVE, "5"),
        (0.1, "0.1"), (1e-8, "0.00000001"), (1e21, "1000000000000000000000"), (0.1 + 0.2, "0.30000000000000004"),
        (-0.0, "-0.0"), (100.0, "100.0"), (Sneaky(0.1), "0.1"), ("1E-8", "0.00000001"), (Decimal("1E+3"), "1000"),
        (Decimal("0E-8"), "0.00000000"), ("12345678901234567890.12345678", "12345678901234567890.12345678"),
    ],
)  # fmt: skip
def test_decimals(value: Any, wire: str) -> None:
    for converter in (to.decimal, to.decimal_or_percent):
        assert converter(value, "price") == wire
        assert type(converter(value, "price")) is str


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1E60"), max_value=Decimal("1E60"), places=28)
)
@example(Decimal("1E-60"))
@example(Decimal("-1E+60"))
def test_decimals_keep_every_digit_and_have_no_exponent(value: Decimal) -> None:
    wire = to.decimal(value, "price")
    assert wire is not None
    assert set(wire) <= set("-0123456789.")
    assert Decimal(wire).as_tuple() == Decimal(format(value, "f")).as_tuple()
    assert to.decimal(str(value), "price") == wire
    assert to.decimal(wire, "price") == wire


@given(st.floats(-1e40, 1e40, allow_subnormal=False).filter(lambda value: value == 0 or abs(value) > 1e-40))
def test_a_float_goes_by_its_shortest_text(value: float) -> None:
    wire = to.decimal(value, "price")
    assert wire is not None
    assert float(wire) == value
    assert Decimal(wire) == Decimal(repr(value))
    assert "e" not in wire


@pytest.mark.parametrize("converter", [to.decimal, to.decimal_or_percent, to.number])
@pytest.mark.parametrize(
    "wrong", ["NaN", "nan", "sNaN", "-Infinity", "inf", Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"),
              float("nan"), float("-inf"), Sneaky("nan")],
)  # fmt: skip
def test_numbers_that_are_not_finite_are_refused(converter: Converter, wrong: Any) -> None:
    assert "not a finite number" in refused(converter, wrong)


@pytest.mark.parametrize("converter", [to.decimal, to.decimal_or_percent, to.number])
@pytest.mark.parametrize("wrong", ["", " ", "abc", "1,5", "1.2.3", "0x10", "--1", "1 2", "½", "%", "x" * 5000])
def test_texts_that_are_no_numbers_are_refused(converter: Converter, wrong: str) -> None:
    assert "is not a decimal number" in refused(converter, wrong)


def test_numbers_of_absurd_width_are_refused() -> None:
    for wrong in (10**61, "1E+61", Decimal("1E-61"), 1e-100, 10**5000, "9" * 5000, "0E+99", "1E999999999"):
        assert "more digits than any price" in refused(to.decimal, wrong)


@pytest.mark.parametrize(
    ("value", "wire"),
    [("80%", "80%"), ("0.5%", "0.5%"), ("1E-3%", "0.001%"), ("20.03", "20.03"), (0.5, "0.5"), ("100%", "100%")],
)
def test_percentages(value: Any, wire: str) -> None:
    assert to.decimal_or_percent(value, "trigger_quantity") == wire


@pytest.mark.parametrize("wrong", ["%", "80%%", "%80", "eighty%", "NaN%", "80% of it"])
def test_wrong_percentages_are_refused(wrong: str) -> None:
    assert refused(to.decimal_or_percent, wrong)


def test_a_percentage_is_no_price() -> None:
    assert "is not a decimal number" in refused(to.decimal, "80%")


@pytest.mark.parametrize(
    ("value", "wire"),
    [(5, 5), (5.0, 5), ("5", 5), (Decimal("5.00"), 5), (0.1, 0.1), ("0.1", 0.1), (Decimal("-1.5"), -1.5)],
)
def test_json_numbers(value: Any, wire: float) -> None:
    number = to.number(value, "x")
    assert number == wire
    assert type(number) is type(wire)


def test_integers() -> None:
    assert to.integer(7, "limit") == 7
    assert to.integer(0, "limit", 0, 9) == 0
    assert to.integer(9, "limit", 0, 9) == 9
    assert type(to.integer(Count.FIVE, "limit")) is int
    assert to.digits(-7, "id") == "-7"
    assert to.digits(Count.FIVE, "id") == "5"
    for wrong in (-1, 10, 10**5000):
        with pytest.raises(InvalidArgument, match=r"limit: .* is outside 0 to 9"):
            to.integer(wrong, "limit", 0, 9)


@pytest.mark.parametrize("converter", [to.integer, to.digits, depth])
@pytest.mark.parametrize("wrong", [5.0, "5", Decimal(5), [], float("nan")])
def test_only_an_int_is_an_integer(converter: Converter, wrong: Any) -> None:
    assert refused(converter, wrong)


def test_choices() -> None:
    assert depth(5, "limit") == 5
    assert type(depth(Count.FIVE, "limit")) is int
    assert refused(depth, 6) == "6 is not one of 5, 10"


def test_booleans() -> None:
    assert to.boolean(True, "post_only") is True
    assert to.boolean(False, "post_only") is False
    wrongs: list[Any] = [0, 1, "true", "", [], "False"]
    for wrong in wrongs:
        assert "expected True or False" in refused(to.boolean, wrong)


# Texts


@given(st.text(st.characters(codec="utf-8")))
def test_text_goes_as_it_is(value: str) -> None:
    assert to.text(value, "id") == value
    secret = to.secret(value, "token")
    assert secret == value
    assert repr(secret) == "'***'"


def test_text_has_a_longest_and_whole_characters() -> None:
    assert to.text("abc", "id", 3) == "abc"
    with pytest.raises(InvalidArgument, match="id: is 4 characters long, at most 3 are allowed"):
        to.text("abcd", "id", 3)
    assert "surrogate" in refused(to.text, "a\ud800")
    assert "surrogate" in refused(to.secret, "a\ud800")


def test_a_refused_secret_is_not_quoted() -> None:
    for wrong in (271828, ["271828"], b"271828", Decimal("271828")):
        assert "271828" not in refused(to.secret, wrong)


# Enumerations


def test_members() -> None:
    assert side("Bid", "side") == side(types.Side.BID, "side") == "Bid"
    assert side(types.Side("Both"), "side") == "Both", "a deliberate new member is sent"
    for wrong in ("bid", "BID", "Both", "", types.OrderTypeEnum.LIMIT):
        assert "is not one of Bid, Ask; Side(...) sends a newer one anyway" in refused(side, wrong)


def test_several_members() -> None:
    def some() -> Iterator[str]:
        yield "Bid"
        yield types.Side.ASK

    assert sides("Bid", "side") == ["Bid"]
    assert sides(types.Side.ASK, "side") == ["Ask"]
    assert sides(types.Side("Both"), "side") == ["Both"]
    for both in (some(), ["Bid", "Ask"], ("Bid", types.Side.ASK)):
        assert sides(both, "side") == ["Bid", "Ask"]
    assert "is not one of" in refused(sides, ["Bid", "x"])
    assert "expected Side" in refused(sides, 5)
    assert "None" in refused(sides, ["Bid", None])
    assert "empty" in refused(sides, [])


# Time

IN = {"seconds": to.seconds, "millis": to.millis, "micros": to.micros}


@pytest.mark.parametrize(
    ("name", "wire"), [("seconds", 1752930540), ("millis", 1752930540123), ("micros", 1752930540123456)]
)
def test_moments_in_the_unit_of_the_parameter(name: str, wire: int) -> None:
    for moment in (
        MOMENT,
        MOMENT.astimezone(ZoneInfo("Asia/Kolkata")),
        MOMENT.astimezone(timezone(timedelta(hours=-11))),
        wire,
        # Times as a reply gives them, with more in their wire text than a datetime holds.
        from_iso("2025-07-19T13:09:00.123456789"),
        from_iso("2025-07-19T18:39:00.123456789+05:30"),
    ):
        assert IN[name](moment, "from_") == wire
        assert type(IN[name](moment, "from_")) is int
    assert IN[name](EPOCH, "from_") == 0
    assert IN[name](EPOCH - timedelta(seconds=1), "from_") == -(10 ** {"seconds": 0, "millis": 3, "micros": 6}[name])


def test_a_time_from_digits_goes_back_as_a_number() -> None:
    assert to.millis(from_millis("1752930540123"), "to") == 1752930540123
    assert to.seconds(from_millis("1752930540123"), "to") == 1752930540


@given(st.datetimes(timezones=st.timezones()))
def test_any_aware_datetime_is_a_count(moment: datetime) -> None:
    assert to.micros(moment, "to") == (moment - EPOCH) // timedelta(microseconds=1)
    assert to.seconds(moment, "to") == (moment - EPOCH) // timedelta(seconds=1)


def test_moments_as_text() -> None:
    assert to.iso(MOMENT, "at") == "2025-07-19T13:09:00.123456"
    assert to.spaced(MOMENT.astimezone(ZoneInfo("Asia/Kolkata")), "at") == "2025-07-19 13:09:00.123456"
    assert to.iso(from_millis("1752930540123"), "at") == "2025-07-19T13:09:00.123000"
    assert "aware datetime" in refused(to.iso, 1752930540123)
    edge = datetime.min.replace(tzinfo=timezone(timedelta(hours=5)))
    assert "outside the years" in refused(to.iso, edge)
    assert "outside the years" in refused(to.spaced, edge)


@pytest.mark.parametrize("converter", [*IN.values(), to.iso, to.spaced])
def test_a_datetime_without_a_zone_is_refused(converter: Converter) -> None:
    assert "no time zone" in refused(converter, datetime(2025, 7, 19))
    for wrong in ("2025-07-19", 1752930540.5, "1752930540", Decimal(1), MOMENT.date(), MOMENT.timetz()):
        assert "expected an aware datetime" in refused(converter, wrong)


# Symbols


@pytest.mark.parametrize(
    ("symbol", "notations"),
    [
        ("SOL_USDC", ["SOL_USDC", "SOL-USDC", "SOL/USDC", Pair.parse("SOL-USDC")]),
        ("BTC_USDC_PERP", ["BTC_USDC_PERP", "BTC-USDC-PERP", "BTC/USDC:USDC", Pair.parse("BTC/USDC:USDC")]),
        ("kPEPE_USDC_PERP", ["kPEPE_USDC_PERP", "kPEPE-USDC-PERP", "kPEPE/USDC:USDC"]),
        ("BRK.B.US_USDC", ["BRK.B.US_USDC", "BRK.B.US-USDC", "BRK.B.US/USDC"]),
        ("SOL_USDC_RFQ", ["SOL_USDC_RFQ"]),
    ],
)
def test_symbols_in_every_notation(symbol: str, notations: list[Any]) -> None:
    for notation in notations:
        assert to.symbol(notation, "symbol") == symbol
        assert type(to.symbol(notation, "symbol")) is str
        assert operations.markets.get_depth(notation).query == {"symbol": symbol}
        assert operations.order.execute_order_batch(
            [{"symbol": notation, "side": "Bid", "orderType": "Limit"}]
        ).body == [{"symbol": symbol, "side": "Bid", "orderType": "Limit"}]


@pytest.mark.parametrize("wrong", ["", " ", "/", "SOL/USDC:", "a b c"])
def test_symbols_that_can_not_be_read_are_refused(wrong: str) -> None:
    assert refused(to.symbol, wrong)


# Objects


def test_a_payload_is_a_model_or_a_mapping_of_either_naming() -> None:
    wire = {"symbol": "SOL_USDC", "side": "Bid", "orderType": "Limit", "price": "0.1", "postOnly": False, "clientId": 0}
    model = types.OrderExecutePayload(
        symbol="SOL_USDC",
        side=types.Side.BID,
        order_type=types.OrderTypeEnum.LIMIT,
        price=Decimal("0.1"),
        post_only=False,
        client_id=0,
    )
    python = {"symbol": "SOL_USDC", "side": types.Side.BID, "order_type": "Limit", "price": 0.1, "post_only": False,
              "client_id": 0}  # fmt: skip
    for value in (wire, model, python, types.OrderExecutePayload.model_validate(wire)):
        assert order(value, "order") == wire


def test_a_payload_never_sends_null() -> None:
    given_ = types.OrderExecutePayload(
        symbol="SOL_USDC", side=types.Side.BID, order_type=types.OrderTypeEnum.LIMIT, price=None, client_id=None
    )
    wire = {"symbol": "SOL_USDC", "side": "Bid", "orderType": "Limit"}
    assert order(given_, "order") == wire
    assert order({**wire, "price": None, "client_id": None}, "order") == wire
    assert order({**wire, "newField": {"a": None, "b": 0}}, "order") == {**wire, "newField": {"b": 0}}
    assert given_.to_wire() == {**wire, "price": None, "clientId": None}, "the model itself says what it was given"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({}, "symbol"),
        ({"symbol": "SOL_USDC", "side": "Bid"}, "orderType"),
        ({"symbol": "SOL_USDC", "side": "Bid", "orderType": "Limit", "price": "NaN"}, "price"),
        ({"symbol": "SOL_USDC", "side": "Bid", "orderType": "Limit", "price": True}, "price"),
        ({"symbol": "SOL_USDC", "side": "Bid", "orderType": "Limit", "postOnly": "perhaps"}, "postOnly"),
        ({"symbol": "SOL_USDC", "side": 5, "orderType": "Limit"}, "side"),
        ({5: "SOL_USDC"}, "OrderExecutePayload"),
        (types.OrderCancelPayload(symbol="SOL_USDC"), "got OrderCancelPayload"),
        ([("symbol", "SOL_USDC")], "got list"),
        ("SOL_USDC", "got str"),
    ],
)
def test_a_payload_that_does_not_fit_is_refused(wrong: Any, says: str) -> None:
    assert says in refused(order, wrong)


def test_new_fields_of_a_payload_are_held_to_the_same_rules() -> None:
    wire = {"symbol": "SOL_USDC", "side": "Bid", "orderType": "Limit"}
    given_ = {**wire, "newPrice": Decimal("1E-8"), "newSide": types.Side.ASK, "deep": {"a": [Decimal("1E+2")]}}
    expected = {**wire, "newPrice": "0.00000001", "newSide": "Ask", "deep": {"a": ["100"]}}
    assert order(given_, "order") == expected
    assert order(types.OrderExecutePayload.model_validate(given_), "order") == expected
    for wrong in (float("nan"), Decimal("NaN"), MOMENT, object()):
        for row in ({**wire, "newPrice": wrong}, types.OrderExecutePayload.model_validate({**wire, "newPrice": wrong})):
            with pytest.raises(InvalidArgument):
                order(row, "order")


def test_a_batch_names_the_row_that_is_wrong() -> None:
    good = {"symbol": "SOL-USDC", "side": "Bid", "orderType": "Limit"}
    wrongs: list[tuple[Any, str]] = [
        ([good, {**good, "price": "x"}], "orders[1].price"),
        ([{**good, "side": "bid"}], "orders[0].side"),
        ([{**good, "client_id": -5}], "orders[0].client_id"),
        ([{**good, "clientId": True}], "orders[0].client_id"),
        ([{**good, "postOnly": "yes"}], "orders[0].post_only"),
        ([{"symbol": "SOL-USDC", "orderType": "Limit"}], "orders[0].side"),
        ([good, None], "orders[1]"),
        ([good, good, 5], "orders[2]"),
        ([good, {**good, "symbol": "?"}], "orders[1].symbol"),
        ([], "orders"),
        (good, "orders"),
        ("SOL_USDC", "orders"),
        (b"x", "orders"),
        (None, "orders"),
        (5, "orders"),
        (types.OrderExecutePayload.model_validate(good), "orders"),
    ]
    for wrong, name in wrongs:
        with pytest.raises(InvalidArgument) as caught:
            operations.order.execute_order_batch(wrong)
        assert caught.value.argument == name


def test_a_batch_takes_any_iterable_of_rows() -> None:
    good = {"symbol": "SOL/USDC:USDC", "side": "Bid", "orderType": "Limit"}
    wire = {**good, "symbol": "SOL_USDC_PERP"}
    model = types.OrderExecutePayload.model_validate(good)
    rows: Any = (row for row in (good, model))
    assert operations.order.execute_order_batch(rows).body == [wire, wire]
    assert good["symbol"] == model.symbol == "SOL/USDC:USDC", "what was passed is not changed"


def test_json_values() -> None:
    model = types.OrderCancelPayload(symbol="SOL_USDC", client_id=0)
    value = {"a": [1, 1.5, None, True, "x"], "d": Decimal("1E-8"), "m": model, "e": types.Side.BID, "t": (1, 2)}
    assert to.json_value(value, "x") == {
        "a": [1, 1.5, None, True, "x"], "d": "0.00000001", "m": {"symbol": "SOL_USDC", "clientId": 0}, "e": "Bid",
        "t": [1, 2],
    }  # fmt: skip
    circle: list[Any] = []
    circle.append(circle)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    not_finite = (float("nan"), [float("inf")], Decimal("NaN"))
    for wrong in (object(), {1, 2}, *not_finite, {(1, 2): 3}, circle, deep, MOMENT, b"x"):
        assert "can't be written as JSON" in refused(to.json_value, wrong)


@given(st.dictionaries(st.text("abc"), st.integers() | st.text("xyz") | st.none()))
def test_json_values_are_copies(value: dict[str, Any]) -> None:
    made = to.json_value(value, "x")
    assert made == json.loads(json.dumps(value))
    assert made is not value


def test_a_required_argument_can_not_be_none() -> None:
    nothing: Any = None
    calls: list[tuple[Callable[[], object], str]] = [
        (lambda: operations.order.cancel_open_orders(nothing), "symbol"),
        (lambda: operations.order.execute_order("SOL_USDC", nothing, "Limit"), "side"),
        (lambda: operations.markets.get_depth(nothing), "symbol"),
        (lambda: operations.markets.get_klines("SOL_USDC", "1m", nothing), "start_time"),
    ]
    for call, name in calls:
        with pytest.raises(InvalidArgument, match="is required") as caught:
            call()
        assert caught.value.argument == name


def test_a_batch_row_that_is_a_model_may_hold_a_member_that_is_new() -> None:
    row = types.OrderExecutePayload(symbol="SOL/USDC", side=types.Side("Both"), order_type=types.OrderTypeEnum.LIMIT)
    assert operations.order.execute_order_batch([row]).body == [
        {"symbol": "SOL_USDC", "side": "Both", "orderType": "Limit"}
    ]

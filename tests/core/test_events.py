"""Frames of the streams: decoded into their class, with nothing lost, and none that could do harm."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError, create_model

from backpack_sdk import InvalidArgument, types
from backpack_sdk._core.channel import Channel
from backpack_sdk._core.errors import InvalidFrame, StreamError
from backpack_sdk._core.event_decoder import EventDecoder
from backpack_sdk._core.events import StreamEvent
from backpack_sdk._generated.streams import channels, models
from backpack_sdk._generated.streams.channels import CHANNELS, channel_of, decode, decode_bare
from backpack_sdk.streams import events

from .stream_frames import FILL, ORDER, PAYLOADS, POSITION, RFQ, TIMES, TRIGGER, frame

SPARSE = {"external_ticker", "stock_price", "balance_update"}


def decoded(stream: str, data: object) -> Any:
    event = decode(frame(stream, data))
    assert isinstance(event, StreamEvent)
    return event


def payload(kind: str, **changes: object) -> Any:
    """The event of a kind's example with some fields changed."""
    stream, data = PAYLOADS[kind]
    return decoded(stream, {**data, **changes})


# Every kind


@pytest.mark.parametrize("data_first", [False, True])
@pytest.mark.parametrize("kind", PAYLOADS)
def test_every_kind_of_frame_becomes_its_class_and_loses_nothing(kind: str, data_first: bool) -> None:
    stream, data = PAYLOADS[kind]
    received = frame(stream, data, data_first=data_first)
    event, same = decode(received), decode(received.decode())
    channel = channel_of(stream)
    assert channel is not None
    assert isinstance(event, channel.event)
    assert (event.stream, event.wire) == (stream, data)
    assert event == same
    assert hash(event) == hash(same)
    assert isinstance(same, StreamEvent)
    assert same.wire == data
    if channel.name in SPARSE:
        assert event.extra == {name: value for name, value in data.items() if name not in ("e", "E", "s")}
    else:
        assert event.extra == {}
        assert event.symbol == data["s"]  # type: ignore[attr-defined]
        assert event.event_time_us == data["E"]  # type: ignore[attr-defined]


def test_there_is_an_example_of_every_channel() -> None:
    named = {channel.name for stream, _ in PAYLOADS.values() if (channel := channel_of(stream)) is not None}
    assert named == {channel.name for channel in CHANNELS}


@pytest.mark.parametrize("kind", PAYLOADS)
def test_an_event_without_its_frame_gives_the_fields_it_has(kind: str) -> None:
    stream, data = PAYLOADS[kind]
    event = decode_bare(frame(stream, data))
    assert isinstance(event, StreamEvent)
    assert event == decoded(stream, data)
    assert event.stream is None
    assert event.wire.items() <= data.items() | {"l": "0"}.items() if kind.startswith("position") else True
    assert decode(frame(stream, event.wire)) == event


@pytest.mark.parametrize("kind", PAYLOADS)
def test_events_can_be_copied_and_pickled(kind: str) -> None:
    event = payload(kind)
    for twin in (copy.copy(event), copy.deepcopy(event), pickle.loads(pickle.dumps(event))):
        assert (type(twin), twin, twin.stream, twin.wire) == (type(event), event, event.stream, event.wire)
    bare = decode_bare(frame(*PAYLOADS[kind]))
    assert pickle.loads(pickle.dumps(bare)) == bare


@pytest.mark.parametrize("kind", PAYLOADS)
def test_events_can_be_fields_of_a_pydantic_model(kind: str) -> None:
    event = payload(kind)
    kind_of_event: Any = type(event)
    Record = create_model("Record", event=(kind_of_event, ...))
    record: Any = Record(event=event)
    assert record.event is event
    assert record.model_dump() == {"event": event.wire}
    assert Record.model_validate_json(record.model_dump_json()) == record
    again: Any = Record.model_validate({"event": event.wire})
    assert again.event.wire == event.wire
    whole: Any = Record.model_validate({"event": {"stream": event.stream, "data": event.wire}})
    assert whole.event.stream == event.stream
    assert Record.model_json_schema()["properties"]["event"]["type"] == "object"


@pytest.mark.parametrize("value", [5, None, {"e": "trade"}, {"e": "ticker"}, {"e": "trade", "p": "x"}, {5: 6}])
def test_a_pydantic_model_refuses_what_is_no_event(value: object) -> None:
    class Record(BaseModel):
        event: events.Trade

    with pytest.raises(ValidationError, match="event"):
        Record.model_validate({"event": value})


def test_an_event_is_immutable() -> None:
    with pytest.raises(AttributeError):
        payload("trade").price = Decimal(1)


def test_a_repr_shows_what_is_set_in_plain_numbers() -> None:
    shown = repr(payload("order_update", p="0.00000001", z="1E-8"))
    assert shown.startswith("OrderUpdate(event=orderAccepted, event_time_us=1790000000123456, ")
    assert ", price=0.00000001, " in shown
    assert ", executed_quantity=0.00000001, " in shown
    assert "None" not in shown
    assert "fee" not in shown
    assert "price=1E+999999, " in repr(payload("trade", p="1e999999"))


def test_an_event_built_by_hand_has_a_payload_of_its_own() -> None:
    level = ("0.5", "1")
    event = events.DepthUpdate(
        symbol="X", event_time_us=1, engine_time_us=2, wire_bids=(level,), wire_asks=(), update_id_first=3,
        update_id_last=4,
    )  # fmt: skip
    assert event.stream is None
    assert event.wire == {"e": "depth", "E": 1, "T": 2, "s": "X", "b": [["0.5", "1"]], "a": [], "U": 3, "u": 4}
    assert event.extra == {}
    update = events.BookTicker(
        symbol="X", event_time_us=1, engine_time_us=2, bid_price=Decimal("1E-8"), bid_quantity=Decimal(1),
        ask_price=Decimal("1E+2"), ask_quantity=Decimal(1), update_id=1,
    )  # fmt: skip
    assert (update.wire["b"], update.wire["a"]) == ("0.00000001", "100")
    assert events.BookTicker.from_wire(update.wire) == update


def test_every_class_of_the_streams_is_public() -> None:
    own = {value for value in vars(models).values() if getattr(value, "__module__", "") == models.__name__}
    assert {channel.event for channel in CHANNELS} <= own
    assert all(getattr(events, value.__name__) is value for value in own if isinstance(value, type))


# What is special about each


def test_times_are_whole_numbers_with_a_datetime_beside_them() -> None:
    trade = payload("trade")
    assert (trade.event_time_us, trade.engine_time_us) == (TIMES["E"], TIMES["T"])
    assert trade.event_time == datetime(2026, 9, 21, 14, 13, 20, 123456, UTC)
    assert trade.engine_time == datetime(2026, 9, 21, 14, 13, 20, 120001, UTC)
    mark = payload("mark_price")
    assert mark.next_funding_time == datetime(2026, 9, 21, 15, tzinfo=UTC)
    assert payload("stock_price").event_time is None
    with pytest.raises(ValueError, match="outside the years"):
        _ = payload("trade", E=10**18).event_time


def test_a_candle_tells_its_start_its_end_and_its_interval() -> None:
    kline = payload("kline")
    assert (kline.start, kline.end) == (
        datetime(2026, 9, 11, 12, tzinfo=UTC),
        datetime(2026, 9, 11, 12, 1, tzinfo=UTC),
    )
    assert kline.interval is types.KlineInterval.MINUTE_1
    assert kline.symbol == "BRK.B.US_USDC"
    assert not hasattr(kline, "engine_time_us")
    bare = decode_bare(frame(*PAYLOADS["kline"]))
    assert isinstance(bare, events.Kline)
    assert bare.interval is None


@pytest.mark.parametrize("absent", [False, True])
def test_the_prices_of_an_empty_candle_are_none(absent: bool) -> None:
    stream, data = PAYLOADS["kline"]
    empty = {name: value for name, value in data.items() if name not in "ochl"}
    kline = decoded(stream, empty if absent else {**empty, **dict.fromkeys("ochl")})
    assert isinstance(kline, events.Kline)
    assert (kline.open, kline.close, kline.high, kline.low) == (None,) * 4
    assert kline.quote_volume is None
    assert ("o" in kline.wire) is not absent
    assert payload("kline", V="1.50").quote_volume == Decimal("1.50")


def test_a_prediction_market_has_a_mark_price_and_no_funding() -> None:
    stream, data = PAYLOADS["mark_price"]
    mark = decoded(stream, {name: value for name, value in data.items() if name not in "fin"})
    assert isinstance(mark, events.MarkPrice)
    assert (mark.funding_rate, mark.index_price, mark.next_funding_time_ms, mark.next_funding_time) == (None,) * 4
    assert payload("mark_price").funding_rate == Decimal("0.00001249999999999999999999")


def test_levels_are_wire_text_and_exact_decimals() -> None:
    depth = payload("depth")
    assert depth.wire_bids == (("0.0121", "5000"), ("0.0122", "0"))
    assert depth.bids == ((Decimal("0.0121"), Decimal(5000)), (Decimal("0.0122"), Decimal(0)))
    assert depth.asks[0].price == Decimal("0.0123")
    assert str(depth.asks[0].quantity) == "0.00000"
    assert (depth.update_id_first, depth.update_id_last) == (94978271, 94978275)
    with pytest.raises(ValueError, match="not a pair of decimal numbers"):
        _ = payload("depth", b=[["x", "1"]]).bids


def test_an_order_update_reads_as_rest_would_say_it() -> None:
    update = payload("order_update")
    assert (update.wire_order_type, update.order_type) == ("LIMIT", types.OrderTypeEnum.LIMIT)
    assert update.event is events.OrderEvent.ORDER_ACCEPTED
    assert update.side is types.Side.BID
    assert update.time_in_force is types.TimeInForce.GTC
    assert update.self_trade_prevention is types.SelfTradePrevention.REJECT_TAKER
    assert update.origin is events.UpdateOrigin.USER
    assert (update.client_id, update.trade_id, update.fill_quantity, update.is_maker) == (None,) * 4
    assert (update.post_only, update.reduce_only) == (True, False)
    assert payload("order_update", o="STOP_LIMIT").order_type == "StopLimit"
    assert payload("order_update", o="Limit").order_type is types.OrderTypeEnum.LIMIT
    assert payload("order_update", R="POST_ONLY_TAKER").expiry_reason is types.OrderExpiryReason.POST_ONLY_TAKER
    assert payload("order_update", R="PostOnlyTaker").expiry_reason is types.OrderExpiryReason.POST_ONLY_TAKER
    assert payload("order_update", R=None).expiry_reason is None


def test_a_fill_tells_what_was_traded_and_what_it_cost() -> None:
    fill = decoded("account.orderUpdate.SOL_USDC_PERP", FILL)
    assert isinstance(fill, events.OrderUpdate)
    assert (fill.trade_id, fill.fill_price, fill.fill_quantity) == (567, Decimal("141.2"), Decimal("1.25"))
    assert (fill.fee, fill.fee_symbol, fill.is_maker) == (Decimal("-0.0353"), "USDC", False)
    assert fill.client_id == 4294967295
    assert payload("order_update", c="mine").client_id == "mine"


def test_a_trigger_quantity_can_be_a_share() -> None:
    update = decoded("account.orderUpdate", TRIGGER)
    assert update.trigger_quantity == "80%"
    assert update.trigger_by is types.TriggerBy.MARK_PRICE
    assert update.take_profit_trigger_by is types.TriggerBy.LAST_PRICE
    assert update.stop_loss_limit_price == Decimal(119)
    assert decoded("account.orderUpdate", {**TRIGGER, "Y": "20.03"}).trigger_quantity == "20.03"


def test_the_first_position_has_no_event_and_every_id_is_text() -> None:
    first = payload("position_first")
    assert isinstance(first, events.PositionUpdate)
    assert first.event is None
    assert (first.wire_position_id, first.position_id) == (111134302617206700, "111134302617206700")
    assert payload("position_update", i="77").position_id == "77"
    assert payload("position_update").event is events.PositionEvent.POSITION_ADJUSTED
    assert (first.entry_price, first.break_even_price) == (Decimal("141.2"), Decimal("141.31"))
    assert decoded("account.positionUpdate", {**POSITION, "f": 0.02, "q": -5}).net_quantity == Decimal(-5)


def test_an_rfq_has_ids_as_rest_has_them() -> None:
    update = decoded("account.rfqUpdate.SOL_USDC_RFQ", RFQ)
    assert (update.rfq_id, update.quote_id) == ("113392053149171712", "113392054083780608")
    assert update.submission_time == datetime(2026, 9, 21, 14, 14, 20, 123000, UTC)
    plain = decoded("account.rfqUpdate", {name: RFQ[name] for name in RFQ if name not in "uSqpwWC"})
    assert isinstance(plain, events.RfqUpdate)
    assert (plain.quote_id, plain.side, plain.quantity, plain.expiry_time) == (None,) * 4


# Open to what is new, and to numbers and text in each other's place


@pytest.mark.parametrize("kind", PAYLOADS)
def test_a_field_that_is_new_is_kept(kind: str) -> None:
    new = {"zz": [1, {"deep": None}], "ü": 1.5}
    event = payload(kind, **new)
    assert not isinstance(event, events.UnknownEvent)
    assert {name: event.extra[name] for name in new} == new


def test_members_that_are_new_are_kept() -> None:
    update = decoded("account.orderUpdate", {**ORDER, "e": "orderTeleported", "X": "Odd", "S": "Both", "O": "MOON"})
    assert isinstance(update, events.OrderUpdate)
    assert (update.event, update.status, update.side, update.origin) == ("orderTeleported", "Odd", "Both", "MOON")
    assert not update.event.is_known
    assert type(update.side) is types.Side


@pytest.mark.parametrize("kind", [kind for kind in PAYLOADS if kind not in SPARSE])
def test_numbers_and_text_can_stand_for_each_other(kind: str) -> None:
    stream, data = PAYLOADS[kind]

    def turned(value: Any) -> Any:
        if isinstance(value, list):
            return [turned(one) for one in value]
        if isinstance(value, str) and value.replace(".", "").replace("-", "").isdigit():
            return int(value) if value.lstrip("-").isdigit() else float(value)
        return str(value) if type(value) is int else value

    other = decoded(stream, {name: turned(value) for name, value in data.items()})
    event = decoded(stream, data)
    assert type(other) is type(event)
    for name in event.__struct_fields__:
        if name not in ("client_id", "wire_bids", "wire_asks", "wire_position_id", "wire_rfq_id", "wire_quote_id"):
            expected = float(str(value)) if isinstance(value := getattr(event, name), Decimal) else value
            found = getattr(other, name)
            assert (float(str(found)) if isinstance(found, Decimal) else found) == expected, name
    assert type(other).from_wire(other.wire) == other


def test_numbers_are_exact_also_without_quotes() -> None:
    long = "0.1234567890123456789012345678"
    event = decode(b'{"stream":"trade.X","data":{"e":"trade","E":1,"T":2,"s":"X","p":%s,"q":1,"b":"1","a":"2",'
                   b'"t":1,"m":true,"new":%s,"short":0.5}}' % (long.encode(), long.encode()))  # fmt: skip
    assert isinstance(event, events.Trade)
    assert event.price == Decimal(long)
    assert event.wire["new"] == Decimal(long)
    assert event.wire["p"] == Decimal(long)
    assert type(event.wire["short"]) is float


# What fits nowhere


@pytest.mark.parametrize(("stream", "data", "problem"), [
    ("newThing.SOL_USDC", {"e": "newThing", "s": "SOL_USDC"}, None),
    ("newThing.SOL_USDC", {"no": "event"}, None),
    ("account", {}, None),
    ("", {}, None),
    ("trade.SOL_USDC", {"e": "newThing"}, "Invalid value 'newThing'"),
    ("trade.SOL_USDC", {"e": "trade", "E": 1}, "missing required field"),
    ("trade.SOL_USDC", {**PAYLOADS["trade"][1], "p": "cheap"}, "Invalid decimal"),
    ("depth.SOL_USDC", {**PAYLOADS["depth"][1], "b": [["1"]]}, "of length 2"),
    ("account.positionUpdate", [], "Expected `object`"),
    ("trade.SOL_USDC", None, "Expected `object`"),
    ("trade.SOL_USDC", 5, "Expected `object`"),
])  # fmt: skip
def test_what_fits_no_class_is_unknown_and_says_why(stream: str, data: object, problem: str | None) -> None:
    received = frame(stream, data)
    for event in (decode(received), decode_bare(received)):
        assert isinstance(event, events.UnknownEvent)
        assert event.stream == stream
        assert event.frame == received
        whole = {"stream": stream, "data": data}
        assert event.wire == event.extra == (data if isinstance(data, dict) else whole)
        assert (event.problem is None) if problem is None else (problem in str(event.problem))
        assert pickle.loads(pickle.dumps(event)) == event


@pytest.mark.parametrize("received", [
    b"{}", b'{"id":1,"result":null}', b'{"stream":5,"data":{}}', b'{"stream":null,"data":{"e":"trade"}}',
    b'{"stream":"trade.X"}', b'{"error":null}', b'{"data":5}',
])  # fmt: skip
def test_an_object_that_is_no_event_is_kept_whole(received: bytes) -> None:
    event = decode(received)
    assert isinstance(event, events.UnknownEvent)
    whole = json.loads(received)
    assert event.wire == (whole["data"] if isinstance(whole.get("data"), dict) else whole)
    assert event.problem is None


@pytest.mark.parametrize(("received", "code", "message"), [
    (b'{"id":null,"error":{"code":4006,"message":"Invalid stream"}}', 4006, "Invalid stream"),
    (b'{"error":{"code":"x","message":5}}', None, "the exchange gave no reason"),
    (b'{"error":"plain"}', None, "plain"),
    (b'{"error":[' + b"9" * 5000 + b"]}", None, "the exchange gave no reason"),
])  # fmt: skip
def test_a_refusal_is_no_event(received: bytes, code: int | None, message: str) -> None:
    assert decode(received) == decode_bare(received) == events.ErrorFrame(code=code, message=message)


DEEP = 100_000


@pytest.mark.parametrize("received", [
    b"", b"[]", b"1", b"null", b"{", b"\xff", b'{"stream":"\xff","data":{}}', b"[" * DEEP, b'{"a":' * DEEP,
    b'{"stream":"trade.X","data":' + b"[" * DEEP + b"]" * DEEP + b"}", "\ud800", '{"stream":"\ud800"}',
])  # fmt: skip
def test_what_is_no_json_object_is_refused_with_the_frame(received: bytes | str) -> None:
    for read in (decode, decode_bare):
        with pytest.raises(InvalidFrame, match="no JSON object") as caught:
            read(received)
        assert caught.value.frame == (received if isinstance(received, bytes) else received.encode("utf-8", "replace"))
        assert pickle.loads(pickle.dumps(caught.value)).frame == caught.value.frame


def test_a_number_that_python_can_not_hold_is_refused_when_it_is_asked_for() -> None:
    event = decode(frame(*PAYLOADS["trade"])[:-2] + b',"x":' + b"9" * 5000 + b"}}")
    assert isinstance(event, events.Trade)
    assert event.stream == "trade.SOL_USDC"
    with pytest.raises(InvalidFrame, match="can't be read"):
        _ = event.wire
    huge = decode(b'{"stream":"trade.X","data":{"e":"trade","p":"1e99999999999999999999"}}')
    assert isinstance(huge, events.UnknownEvent)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
letters = st.sampled_from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
streams = st.sampled_from(sorted(stream for stream, _ in PAYLOADS.values())) | st.text()


def _harmless(received: bytes | str) -> None:
    for read in (decode, decode_bare):
        try:
            event = read(received)
        except InvalidFrame:
            continue
        assert repr(event)
        assert pickle.loads(pickle.dumps(event)) == event
        if isinstance(event, StreamEvent):
            # A field that is new is not looked at before somebody asks for it.
            with contextlib.suppress(InvalidFrame):
                assert isinstance(event.wire, dict)
        if isinstance(event, events.UnknownEvent):
            assert isinstance(event.wire, dict)


@given(st.binary() | st.text())
@example(b'{"stream":"trade.X","data":{"e":"trade"')
def test_arbitrary_bytes_do_no_harm(received: bytes | str) -> None:
    _harmless(received)


@given(streams, st.dictionaries(letters, json_values) | json_values)
def test_arbitrary_payloads_do_no_harm(stream: str, data: object) -> None:
    _harmless(json.dumps({"stream": stream, "data": data}).encode())


@given(st.sampled_from(sorted(PAYLOADS)), st.dictionaries(letters, json_values, max_size=3))
def test_an_example_with_odd_fields_does_no_harm_and_loses_nothing(kind: str, changes: dict[str, object]) -> None:
    stream, data = PAYLOADS[kind]
    whole = {**data, **changes}
    event = decode(frame(stream, whole))
    assert isinstance(event, StreamEvent)
    assert event.wire == whole
    _harmless(frame(stream, whole))


@given(st.sampled_from(sorted(PAYLOADS)), st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_a_damaged_frame_does_no_harm(kind: str, at: int, damage: bytes) -> None:
    good = frame(*PAYLOADS[kind])
    _harmless(good[:at] + damage + good[at + len(damage) :])


# Channels


@pytest.mark.parametrize(("name", "arguments", "stream"), [
    ("BOOK_TICKER", {"symbol": "SOL_USDC"}, "bookTicker.SOL_USDC"),
    ("DEPTH", {"symbol": "AAPL.US_USDC_PERP"}, "depth.AAPL.US_USDC_PERP"),
    ("DEPTH", {"symbol": "AAPL.US_USDC_PERP", "window": "600ms"}, "depth.600ms.AAPL.US_USDC_PERP"),
    ("KLINE", {"symbol": "SOL_USDC", "interval": "1month"}, "kline.1month.SOL_USDC"),
    ("KLINE", {"symbol": "SOL_USDC", "interval": types.KlineInterval("7m")}, "kline.7m.SOL_USDC"),
    ("LIQUIDATION", {}, "liquidation"),
    ("STOCK_PRICE", {"symbol": "AAPL"}, "stockPrice.AAPL"),
    ("ORDER_UPDATE", {}, "account.orderUpdate"),
    ("ORDER_UPDATE", {"symbol": "SOL_USDC"}, "account.orderUpdate.SOL_USDC"),
    ("BALANCE_UPDATE", {}, "account.balanceUpdate"),
])  # fmt: skip
def test_a_channel_names_its_streams(name: str, arguments: dict[str, Any], stream: str) -> None:
    channel: Channel = getattr(channels, name)
    assert channel.stream(**arguments) == stream
    assert channel_of(stream) == channel
    assert channel.private == stream.startswith("account.")


@pytest.mark.parametrize(("name", "arguments", "argument", "problem"), [
    ("TRADE", {}, "symbol", "the stream trade needs a symbol, such as SOL_USDC"),
    ("TRADE", {"symbol": ""}, "symbol", "expected a symbol of the exchange"),
    ("TRADE", {"symbol": "SOL USDC"}, "symbol", "expected a symbol of the exchange"),
    ("TRADE", {"symbol": 5}, "symbol", "expected a symbol of the exchange"),
    ("LIQUIDATION", {"symbol": "SOL_USDC"}, "symbol", "is about all markets; leave the symbol out"),
    ("BALANCE_UPDATE", {"symbol": "SOL_USDC"}, "symbol", "is about all markets"),
    ("TRADE", {"symbol": "SOL_USDC", "interval": "1m"}, "interval", "the stream trade has none"),
    ("KLINE", {"symbol": "SOL_USDC"}, "interval", "the stream kline needs one of 1s, 1m, 3m"),
    ("KLINE", {"symbol": "SOL_USDC", "interval": "60m"}, "interval", "expected one of 1s, 1m"),
    ("KLINE", {"symbol": "X", "interval": types.KlineInterval("1.m")}, "interval", "expected one of 1s, 1m"),
    ("DEPTH", {"symbol": "SOL_USDC", "window": "100ms"}, "window", "expected one of 200ms, 600ms, 1000ms"),
])  # fmt: skip
def test_a_channel_refuses_what_no_stream_is_called(
    name: str, arguments: dict[str, Any], argument: str, problem: str
) -> None:
    with pytest.raises(InvalidArgument, match=problem) as caught:
        getattr(channels, name).stream(**arguments)
    assert caught.value.argument == argument


def test_channels_say_how_long_they_can_be_silent() -> None:
    told = {channel.name: channel.max_silence_s for channel in CHANNELS if channel.max_silence_s is not None}
    assert told == {"mark_price": 1, "ticker": 1, "open_interest": 60}


def test_what_is_hardly_documented_is_marked() -> None:
    assert {channel.name for channel in CHANNELS if channel.sparse} == SPARSE
    assert {channel.name for channel in CHANNELS if channel.private} == {
        "order_update", "position_update", "rfq_update", "balance_update",
    }  # fmt: skip


@pytest.mark.parametrize("stream", ["", "account", "account.", "account.x", "Trade.X", "trades.X", ".trade.X"])
def test_a_name_of_no_channel_has_none(stream: str) -> None:
    assert channel_of(stream) is None


@pytest.mark.parametrize("known", [[], [channels.ORDER_UPDATE], [channels.ORDER_UPDATE, channels.TRADE]])
def test_a_decoder_of_few_channels_knows_only_those(known: list[Channel]) -> None:
    decoder = EventDecoder(known)
    for channel, kind in ((channels.ORDER_UPDATE, "order_update"), (channels.TRADE, "trade")):
        stream, data = PAYLOADS[kind]
        expected = channel.event if channel in known else events.UnknownEvent
        assert type(decoder.decode(frame(stream, data))) is expected
        assert type(decoder.decode(frame("else.X", data))) is events.UnknownEvent


def test_a_base_event_of_a_payload_keeps_it_all() -> None:
    event = StreamEvent.from_wire({"e": "later", "n": 1})
    assert event.wire == event.extra == {"e": "later", "n": 1}
    assert msgspec.structs.replace(payload("trade"), symbol="X").wire["s"] == "X"


@pytest.mark.parametrize("cls", [StreamEvent, events.UnknownEvent])
def test_a_payload_that_is_no_json_is_refused(cls: type[StreamEvent]) -> None:
    with pytest.raises(ValueError, match="unsupported"):
        cls.from_wire({"e": object()})


def test_an_unknown_event_built_from_a_payload_or_a_frame() -> None:
    event = events.UnknownEvent.from_wire({"e": "later"})
    assert (event.stream, event.wire) == (None, {"e": "later"})
    event = events.UnknownEvent.from_wire({"stream": "later.X", "data": {"e": "later"}})
    assert (event.stream, event.wire) == ("later.X", {"e": "later"})
    with pytest.raises(InvalidFrame, match="no JSON object"):
        _ = events.UnknownEvent(frame=b"[]").wire


@pytest.mark.parametrize("kind", PAYLOADS)
def test_a_frame_can_be_decoded_with_its_name_in_front(kind: str) -> None:
    received = frame(*PAYLOADS[kind])
    assert channels.decode_named(received) == (PAYLOADS[kind][0], decode(received))


def test_a_refusal_and_a_nameless_frame_have_no_name_in_front() -> None:
    refusal = b'{"id":null,"error":{"code":4002,"message":"no"}}'
    assert channels.decode_named(refusal) == (None, events.ErrorFrame(code=4002, message="no"))
    assert channels.decode_named(b"{}") == (None, events.UnknownEvent(frame=b"{}"))


def test_a_stream_error_says_which_stream() -> None:
    error = StreamError("Invalid depth window", code=4008, stream="depth.1ms.X")
    assert str(error) == "depth.1ms.X: Invalid depth window (code 4008)"
    twin = pickle.loads(pickle.dumps(error))
    assert (twin.code, twin.message, twin.stream, str(twin)) == (
        4008, "Invalid depth window", "depth.1ms.X", str(error),
    )  # fmt: skip
    assert str(StreamError("gone")) == "gone"

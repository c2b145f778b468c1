"""Frames of every channel, as the stream document allows them: typed, equal and lossless, alone and in sequences."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpack_sdk._core.channel import Channel
from backpack_sdk._core.events import ErrorFrame, StreamEvent, UnknownEvent
from backpack_sdk._generated.streams.channels import channel_of, decode, decode_bare
from backpack_sdk.streams.status import ConnectionState

from ..core.wire_values import json_values, texts
from ..document import SPEC
from ..streams.desk import streaming, take
from ..streams.stream_server import StreamServer
from .drawing import drawn
from .frames import Json, Stream, document, read, streams, text
from .surface import examples, ran

each_stream = pytest.mark.parametrize("stream", streams(), ids=lambda each: each.key)


def channel(name: str) -> Channel:
    found = channel_of(name)
    assert found is not None, name
    return found


def check(stream: Stream, name: str, payload: dict[str, Json], event: Any) -> None:
    """Every field of an event against the document and the wire."""
    assert type(event) is channel(name).event, getattr(event, "problem", event)
    assert (event.stream, event.wire) == (name, payload)
    for wire_name, schema in stream.schema["properties"].items():
        if "const" in schema:
            continue
        value, wanted = getattr(event, schema["x-name"]), read(schema, payload.get(wire_name))
        assert value == wanted, wire_name
        if isinstance(wanted, Decimal) and (wanted or not wanted.is_signed()):  # minus zero is zero
            assert value.as_tuple() == wanted.as_tuple(), wire_name
        assert isinstance(value, type(wanted)), wire_name
    known = {*stream.schema["properties"]}
    assert event.extra == {name: value for name, value in payload.items() if name not in known}


@each_stream
@examples(1.5)
@given(data=st.data())
def test_a_frame_comes_back_typed_equal_and_lossless(stream: Stream, data: st.DataObject) -> None:
    ran[f"stream {stream.key}", "replies"] += 1
    name, payload = data.draw(stream.names()), data.draw(stream.payloads())
    made = [text(name, payload, data_first=first) for first in (False, True)]
    events = [decode(frame) for one in made for frame in (one, one.encode())]
    for event in events:
        check(stream, name, payload, event)
        assert event == events[0]
        assert isinstance(event, StreamEvent)
    assert decode_bare(made[0]) == events[0]


def test_there_is_a_frame_of_every_channel_and_no_other() -> None:
    assert {stream.name for stream in streams()} == {
        channel(stream.facts["address"].format(symbol="A_B", ticker="A", interval="1m", window="200ms")).name
        for stream in streams()
    }
    assert len(document()["components"]["messages"]) - 3 == len({stream.payload for stream in streams()})
    assert (SPEC / "streams.json").exists()


@each_stream
@examples(0.5)
@given(data=st.data())
def test_a_frame_that_lacks_a_required_field_is_unknown_and_says_why(stream: Stream, data: st.DataObject) -> None:
    required = [name for name in stream.schema.get("required", ()) if "const" not in stream.schema["properties"][name]]
    if not required:
        return
    name, payload = data.draw(stream.names()), data.draw(stream.payloads())
    left_out = data.draw(st.sampled_from(required))
    del payload[left_out]
    event = decode(text(name, payload))
    assert type(event) is UnknownEvent
    assert event.problem is not None
    assert left_out in event.problem
    assert (event.stream, event.wire) == (name, payload)


@examples(1.5)
@given(
    st.sampled_from(["new", "tradeX", "trade2", "account.newUpdate"]), st.dictionaries(texts, json_values, max_size=3)
)
def test_a_channel_that_is_new_is_kept_whole(kind: str, payload: dict[str, Json]) -> None:
    name = f"{kind}.SOL_USDC"
    event = decode(text(name, payload))
    assert type(event) is UnknownEvent
    assert (event.stream, event.wire, event.problem) == (name, payload, None)


@examples(1.5)
@given(
    st.none() | st.integers(), st.integers(-(2**63), 2**63 - 1), texts,
    st.dictionaries(texts.filter(lambda name: name not in ("code", "message")), json_values, max_size=2),
)  # fmt: skip
def test_a_refusal_comes_back_as_one(number: int | None, code: int, message: str, more: dict[str, Json]) -> None:
    received = json.dumps({"id": number, "error": {"code": code, "message": message, **more}})
    assert decode(received) == ErrorFrame(code=code, message=message)


# In sequences, over a socket

ANY = st.sampled_from(streams()).flatmap(
    lambda stream: st.tuples(st.just(stream), stream.names(), stream.payloads(), st.booleans())
)
STRANGERS = st.one_of(
    st.just('{"id":null,"error":{"code":4002,"message":"no"}}'),
    st.sampled_from(["not json", "[]", "{}", '{"stream":5,"data":{}}', '{"stream":"nobody.asked","data":{}}']),
)
SEQUENCE = st.lists(st.one_of(ANY, ANY, ANY, STRANGERS), min_size=4, max_size=12)


async def test_sequences_arrive_in_order_typed_and_lossless_over_a_socket() -> None:
    for sequence in drawn(SEQUENCE, 8):
        sent = [one for one in sequence if not isinstance(one, str)]
        names = list(dict.fromkeys(name for _, name, _, _ in sent))
        if not names:
            continue
        async with StreamServer("SOL_USDC") as server, streaming(server) as ws:
            subscription = ws.raw(*names)
            peer = await server.peer()
            await subscription.ready()  # from here on a refusal is about none of them
            for one in sequence:
                peer.text(one if isinstance(one, str) else text(one[1], one[2], data_first=one[3]))
            for (stream, name, payload, _), event in zip(sent, await take(subscription, len(sent)), strict=True):
                ran[f"stream {stream.key}", "sockets"] += 1
                check(stream, name, payload, event)
            assert ws.state is ConnectionState.LIVE

"""The decisions of a stream connection that need no socket: pauses, silence, blame, frames, options."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import VerifyKey

from backpack_sdk import InvalidArgument
from backpack_sdk._core.events import ErrorFrame
from backpack_sdk._generated.streams.channels import CHANNELS, MARK_PRICE, TRADE, channel_of
from backpack_sdk.streams.backoff import LONGEST_ASKED_DELAY, Backoff
from backpack_sdk.streams.names import Frame, signature, subscribe_frames, unsubscribe_frames
from backpack_sdk.streams.options import StreamOptions
from backpack_sdk.streams.refusals import blame, suspects
from backpack_sdk.streams.routes import Route, Routes
from backpack_sdk.streams.silence import SHORTEST, SilenceWatch
from tests.loopback import CREDENTIALS, SEED

# Pauses


@settings(deadline=None)
@given(jitter=st.floats(0, 1), failures=st.integers(1, 80))
def test_pauses_double_from_one_second_to_sixty_and_half_is_chance(jitter: float, failures: int) -> None:
    backoff = Backoff(lambda: jitter)
    for number in range(failures):
        ceiling = min(60.0, 2.0**number)
        delay = backoff.next_delay()
        assert ceiling / 2 <= delay <= ceiling
        assert delay == pytest.approx(ceiling * (0.5 + 0.5 * jitter))
    assert backoff.failures == failures


@settings(deadline=None)
@given(asked=st.floats(0, 1e6), failures=st.integers(0, 10), jitter=st.floats(0, 1))
def test_what_the_server_asks_for_is_waited_at_least(asked: float, failures: int, jitter: float) -> None:
    backoff, plain = Backoff(lambda: jitter), Backoff(lambda: jitter)
    for _ in range(failures):
        backoff.next_delay()
        plain.next_delay()
    assert backoff.next_delay(asked) == max(plain.next_delay(), min(asked, LONGEST_ASKED_DELAY))


def test_only_a_stable_connection_starts_the_pauses_anew() -> None:
    backoff = Backoff(lambda: 1.0)
    assert [backoff.next_delay() for _ in range(3)] == [1, 2, 4]
    backoff.connection_lasted(59.9)
    assert backoff.next_delay() == 8
    backoff.connection_lasted(60.0)
    assert backoff.failures == 0
    assert backoff.next_delay() == 1


# Silence


def route(name: str) -> Route:
    return Route(name, name.partition(".")[2], channel_of(name))


def test_a_repeating_stream_that_falls_silent_is_asked_for_again_and_then_costs_the_socket_once() -> None:
    watch, mark = SilenceWatch(10.0), route("markPrice.SOL_USDC_PERP")
    mark.heard = True
    assert watch.look([mark], 0.0) == (frozenset(), False)
    assert watch.look([mark], SHORTEST) == (frozenset(), False)
    assert watch.look([mark], SHORTEST + 1) == (frozenset({mark.name}), False)
    assert watch.look([mark], SHORTEST + 2) == (frozenset(), False)
    assert watch.look([mark], 2 * SHORTEST + 2) == (frozenset({mark.name}), True)
    watch.reset()
    seen = [watch.look([mark], 100.0 + now) for now in range(0, 100, 3)]
    assert sum(bool(names) for names, _ in seen) == 1
    assert not any(again for _, again in seen), "it has not spoken since; it may never do so again"


def test_a_stream_that_has_never_spoken_does_not_cost_the_socket() -> None:
    watch, mark = SilenceWatch(10.0), route("markPrice.SOL_USDC")
    seen = [watch.look([mark], float(now)) for now in range(0, 200)]
    assert [names for names, _ in seen if names] == [frozenset({mark.name})]
    assert not any(again for _, again in seen)


def test_a_stream_that_speaks_again_is_no_suspect() -> None:
    watch, mark = SilenceWatch(10.0), route("markPrice.SOL_USDC_PERP")
    watch.look([mark], 0.0)
    assert watch.look([mark], 11.0)[0]
    mark.heard = True
    assert watch.look([mark], 12.0) == (frozenset(), False)
    assert not mark.heard
    assert watch.look([mark], 23.0) == (frozenset({mark.name}), False)


def test_streams_without_a_rhythm_may_be_silent_for_ever() -> None:
    watch = SilenceWatch(10.0)
    quiet = [route(name) for name in ("trade.SOL_USDC", "depth.SOL_USDC", "kline.1m.SOL_USDC", "newKind.SOL_USDC")]
    watch.look(quiet, 0.0)
    assert watch.look(quiet, 1e6) == (frozenset(), False)


def test_slow_rhythms_get_their_time() -> None:
    watch, interest = SilenceWatch(10.0), route("openInterest.SOL_USDC_PERP")
    watch.look([interest], 0.0)
    assert watch.look([interest], 600.0) == (frozenset(), False)
    assert watch.look([interest], 600.1) == (frozenset({interest.name}), False)


# Blame


def frames_of(*groups: tuple[str, ...]) -> dict[str, Frame]:
    return {name: Frame(group, json.dumps(group)) for group in groups for name in group}


def refuse(code: int | None, message: str) -> ErrorFrame:
    return ErrorFrame(code=code, message=message)


@pytest.mark.parametrize(
    ("code", "message", "groups", "blamed"),
    [
        (4006, "Invalid stream foo.SOL_USDC", [("trade.X", "foo.SOL_USDC")], {"foo.SOL_USDC"}),
        (4006, "no depth.SOL_USDC_PERP", [("depth.SOL_USDC", "depth.SOL_USDC_PERP")], {"depth.SOL_USDC_PERP"}),
        (4006, "no such stream", [("a.X",)], {"a.X"}),
        (4006, "no such stream", [("a.X", "b.X")], set()),
        (4006, "no such stream", [("a.X",), ("b.X",)], set()),
        (4001, "Invalid signature", [("trade.X",), ("account.orderUpdate",)], {"account.orderUpdate"}),
        (None, "Invalid signature", [("account.a", "account.b")], {"account.a", "account.b"}),
        (4006, "no such stream", [("account.a",), ("trade.X",)], set()),
        (4002, "unparsable", [], set()),
    ],
)
def test_an_error_is_attributed_as_far_as_it_can_be(
    code: int | None, message: str, groups: list[tuple[str, ...]], blamed: set[str]
) -> None:
    assert set(blame(refuse(code, message), frames_of(*groups))) == blamed


@settings(deadline=None)
@given(
    code=st.none() | st.integers(4000, 4010),
    message=st.text(max_size=30),
    groups=st.lists(
        st.lists(st.sampled_from(["trade.A", "depth.A", "account.orderUpdate", "x.y"]), max_size=3).map(tuple)
    ),
)
def test_only_what_is_outstanding_is_ever_blamed(code: int | None, message: str, groups: list[Any]) -> None:
    outstanding = frames_of(*groups)
    assert set(blame(refuse(code, message), outstanding)) <= set(outstanding)


@given(st.lists(st.integers().map(str), min_size=1, unique=True))
def test_asking_again_by_halves_finds_every_refused_name(names: list[str]) -> None:
    refused = {name for name in names if int(name) % 3 == 0}
    groups, found = [tuple(names)], set[str]()
    for _ in range(4 * len(names)):
        if not groups:
            break
        group = groups.pop()
        if refused.isdisjoint(group):
            continue
        one = blame(refuse(4006, "no such stream"), frames_of(group))
        found.update(one)
        groups.extend(() if one else suspects(group))
    assert (groups, found) == ([], refused)


# Frames


@settings(deadline=None)
@given(st.integers(0, 350), st.integers(0, 250))
def test_a_hundred_names_go_into_a_frame_and_private_ones_into_signed_ones(public: int, private: int) -> None:
    names = [f"trade.M{number}" for number in range(public)] + [f"account.orderUpdate.M{n}" for n in range(private)]
    signed: list[list[str]] = []

    def sign() -> list[str]:
        signed.append(["key", f"signature {len(signed)}", "1", "5000"])
        return signed[-1]

    frames = [json.loads(frame.text) for frame in subscribe_frames([*names, *names], sign)]
    assert [name for frame in frames for name in frame["params"]] == names
    assert all(len(frame["params"]) <= 100 for frame in frames)
    assert len(frames) == -(-public // 100) + -(-private // 100)
    assert [frame["signature"] for frame in frames if "signature" in frame] == signed
    assert all(("signature" in frame) == frame["params"][0].startswith("account.") for frame in frames)
    assert all(frame["method"] == "SUBSCRIBE" for frame in frames)


def test_unsubscribing_is_batched_and_needs_no_signature() -> None:
    frames = [json.loads(frame.text) for frame in unsubscribe_frames(f"account.x{number}" for number in range(101))]
    assert [len(frame["params"]) for frame in frames] == [100, 1]
    assert all(set(frame) == {"method", "params"} and frame["method"] == "UNSUBSCRIBE" for frame in frames)


def test_the_signature_is_the_published_check_value() -> None:
    key, signed, timestamp, window = signature(CREDENTIALS, 1_614_550_000_000, 5000)
    assert (timestamp, window) == ("1614550000000", "5000")
    assert signed == "yv53JMmBCjtwWqVwaX8IpZgb974YXk4DjB6gx95Hzb7KWu7y8k3EGZZJbc3vOmN/upvzXnSx1SKqDIj6Rx/7Bg=="
    message = b"instruction=subscribe&timestamp=1614550000000&window=5000"
    VerifyKey(base64.b64decode(key)).verify(message, base64.b64decode(signed))


def test_a_frame_shows_its_names_only() -> None:
    [frame] = subscribe_frames(["account.orderUpdate"], lambda: signature(CREDENTIALS, 1, 2))
    assert repr(frame) == "Frame(account.orderUpdate)"
    assert SEED not in repr(frame)


# Routes


def test_a_stream_known_by_name_alone_is_completed_by_one_who_knows_its_market() -> None:
    pushed: list[Any] = []
    routes = Routes(lambda _kind: None)
    routes.add({"trade.SOL_USDC": None}, None, pushed.append)
    found = routes.get("trade.SOL_USDC")
    assert found is not None
    assert (found.poll, found.channel) == (None, TRADE)
    assert found.gate is not None
    routes.add({"trade.SOL_USDC": "SOL_USDC"}, TRADE, pushed.append)
    assert found.poll is not None


def test_every_channel_says_what_its_silence_means() -> None:
    assert {channel.name for channel in CHANNELS if channel.max_silence_s is not None} == {
        "mark_price", "ticker", "open_interest",
    }  # fmt: skip
    assert MARK_PRICE.max_silence_s == 1.0


# Options


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mode", "fast"), ("mode", None), ("compression", 1), ("check_symbols", "yes"), ("stale_after", 0),
        ("stale_after", float("inf")), ("stale_after", float("nan")), ("ping_interval", -1), ("open_timeout", True),
        ("open_timeout", "1"), ("poll_after_failures", 0), ("poll_after_failures", 1.5), ("max_queue", True),
        ("longest_delay", 0.5), ("silence_factor", None),
    ],
)  # fmt: skip
def test_options_that_can_not_work_are_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InvalidArgument) as caught:
        StreamOptions(**{name: value})
    assert caught.value.argument == name


def test_the_usual_options_are_those_the_documentation_states() -> None:
    usual = StreamOptions()
    assert (usual.mode, usual.stale_after, usual.first_delay, usual.longest_delay) == ("auto", 120.0, 1.0, 60.0)

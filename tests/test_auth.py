"""Credentials and the signed message: the exchange's rules, against a second reading of them written here."""

from __future__ import annotations

import base64
import copy
import json
import os
import pickle
import traceback
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey, VerifyKey

from backpack_sdk import BackpackError, Credentials, CredentialsError, operations, types
from backpack_sdk.auth import signing_message

SECRET = "sKmC5939f6W9/viyhwyaNHa0f7j5wSMvZsysW5BB9L4="
API_KEY = "1dCOvaOfUlYl8m8gNNUUA2cs9VZyaSD9vuwNgi944uM="
SEED = base64.b64decode(SECRET)
PAIR = SEED + base64.b64decode(API_KEY)
PAIR_SECRET = base64.b64encode(PAIR).decode()
CANCEL = "instruction=orderCancel&orderId=28&symbol=BTC_USDT&timestamp=1614550000000&window=5000"
CANCEL_SIGNATURE = "nr1Afd4ZC93Num6Y7mHeLhQDpy92WXJUdKBSKuetLxYoq3th7Ndn+A8TM7fqCCwYdgGofyPQYELYAMFvYK3uAg=="
SUBSCRIBE = "instruction=subscribe&timestamp=1614550000000&window=5000"
SUBSCRIBE_SIGNATURE = "yv53JMmBCjtwWqVwaX8IpZgb974YXk4DjB6gx95Hzb7KWu7y8k3EGZZJbc3vOmN/upvzXnSx1SKqDIj6Rx/7Bg=="

characters = st.characters(codec="utf-8")
texts = st.text(characters)
values = st.one_of(texts, st.integers(), st.booleans(), st.none(), st.sampled_from(list(types.OrderStatus)))
parameters = st.dictionaries(st.text(characters, min_size=1), values, max_size=6)


# The message


def reference(instruction: str, rows: list[dict[str, Any]], timestamp: int, window: int) -> str:
    """The message, from the rules: sorted by name, raw values, `true` and `false`, nothing for what is absent."""
    text = ""
    for row in rows:
        text += "instruction=" + instruction + "&"
        for name in sorted(row):
            value = row[name]
            if value is None:
                continue
            if value is True:
                value = "true"
            if value is False:
                value = "false"
            text += name + "=" + (value if type(value) is str else "%s" % (value,)) + "&"  # noqa: UP031
    return text + "timestamp=" + str(timestamp) + "&window=" + str(window)


def test_the_check_values() -> None:
    credentials = Credentials(SECRET)
    assert credentials.api_key == API_KEY
    cancel = {"symbol": "BTC_USDT", "orderId": "28"}
    assert signing_message("orderCancel", cancel, timestamp=1614550000000, window=5000) == CANCEL
    assert credentials.sign(CANCEL) == CANCEL_SIGNATURE
    assert signing_message("subscribe", None, timestamp=1614550000000, window=5000) == SUBSCRIBE
    assert signing_message("subscribe", {}, timestamp=1614550000000, window=5000) == SUBSCRIBE
    assert credentials.sign(SUBSCRIBE) == SUBSCRIBE_SIGNATURE


def test_the_check_value_of_a_batch() -> None:
    orders = [
        {"symbol": "SOL_USDC_PERP", "side": "Bid", "orderType": "Limit", "price": "141", "quantity": "12"},
        {"symbol": "SOL_USDC_PERP", "side": "Bid", "orderType": "Limit", "price": "140", "quantity": "11"},
    ]
    assert signing_message("orderExecute", orders, timestamp=1750793021519, window=5000) == (
        "instruction=orderExecute&orderType=Limit&price=141&quantity=12&side=Bid&symbol=SOL_USDC_PERP&"
        "instruction=orderExecute&orderType=Limit&price=140&quantity=11&side=Bid&symbol=SOL_USDC_PERP&"
        "timestamp=1750793021519&window=5000"
    )


@settings(deadline=None)
@given(st.text(characters, min_size=1), parameters, st.integers(0, 2**63), st.integers(1, 60_000))
def test_the_message_of_one_request(instruction: str, params: dict[str, Any], timestamp: int, window: int) -> None:
    message = signing_message(instruction, params, timestamp=timestamp, window=window)
    assert message == reference(instruction, [params], timestamp, window)
    shuffled = dict(reversed(params.items()))
    assert signing_message(instruction, shuffled, timestamp=timestamp, window=window) == message


@settings(deadline=None)
@given(st.lists(parameters, min_size=1, max_size=4), st.integers(0, 2**63))
def test_the_message_of_a_batch(rows: list[dict[str, Any]], timestamp: int) -> None:
    for batch in (rows, tuple(rows)):
        message = signing_message("orderExecute", batch, timestamp=timestamp, window=5000)
        assert message == reference("orderExecute", rows, timestamp, 5000)


def test_a_batch_of_one_is_signed_as_a_single_request() -> None:
    row = {"symbol": "SOL_USDC", "clientId": 0}
    assert signing_message("orderExecute", [row], timestamp=1, window=2) == (
        signing_message("orderExecute", row, timestamp=1, window=2)
    )


def test_values_are_raw() -> None:
    params = {"a": "x&y=z", "b": "100% sicher+ ü 値", "c": "", "d": 0, "e": False, "f": None, "g": True, "h": -1}
    assert signing_message("i", params, timestamp=1, window=2) == (
        "instruction=i&a=x&y=z&b=100% sicher+ ü 値&c=&d=0&e=false&g=true&h=-1&timestamp=1&window=2"
    )


def test_enum_members_and_decimals_are_their_wire_text() -> None:
    params = {"side": types.Side.BID, "kind": types.Side("Both"), "price": Decimal("1E-8"), "size": Decimal("2.50")}
    assert signing_message("i", params, timestamp=1, window=2) == (
        "instruction=i&kind=Both&price=0.00000001&side=Bid&size=2.50&timestamp=1&window=2"
    )


def test_lists_and_objects_stand_as_documented() -> None:
    params = {"marketType": ["SPOT", "PERP"], "recipientInformation": {"name": "Jö", "ok": True}, "none": [], "x": "1"}
    assert signing_message("i", params, timestamp=1, window=2) == (
        'instruction=i&marketType=SPOT&marketType=PERP&recipientInformation={"name":"Jö","ok":true}&x=1'
        "&timestamp=1&window=2"
    )


def test_what_an_operation_sends_is_what_is_signed() -> None:
    request = operations.order.execute_order(
        "SOL-USDC", "Bid", "Limit", price=1e-8, quantity=Decimal("1E+1"), post_only=False, client_id=0
    )
    body = request.body
    assert isinstance(body, Mapping)
    message = signing_message("orderExecute", body, timestamp=1, window=5000)
    assert message == (
        "instruction=orderExecute&clientId=0&orderType=Limit&postOnly=false&price=0.00000001&quantity=10&side=Bid"
        "&symbol=SOL_USDC&timestamp=1&window=5000"
    )
    sent = json.loads(json.dumps(body))
    assert signing_message("orderExecute", sent, timestamp=1, window=5000) == message


def test_a_batch_signs_no_none() -> None:
    row = types.OrderExecutePayload(
        symbol="SOL_USDC", side=types.Side.BID, order_type=types.OrderTypeEnum.LIMIT, price=None
    )
    body = operations.order.execute_order_batch([row]).body
    assert "null" not in json.dumps(body)
    assert "None" not in signing_message("orderExecute", body, timestamp=1, window=2)


@settings(deadline=None)
@given(texts)
def test_signatures_verify(message: str) -> None:
    signature = Credentials(SECRET).sign(message)
    assert base64.b64encode(SigningKey(SEED).sign(message.encode()).signature).decode() == signature
    VerifyKey(base64.b64decode(API_KEY)).verify(message.encode(), base64.b64decode(signature, validate=True))


# Secrets of every accepted form


@pytest.mark.parametrize(
    "secret",
    [
        SECRET,
        PAIR_SECRET,
        SECRET.rstrip("="),
        PAIR_SECRET.rstrip("="),
        f"  {SECRET}\r\n",
        f"{PAIR_SECRET[:44]}\n{PAIR_SECRET[44:]}",
        base64.urlsafe_b64encode(SEED).decode(),
        base64.urlsafe_b64encode(PAIR).decode().rstrip("="),
    ],
)
def test_every_form_of_a_secret_is_the_same_key(secret: str) -> None:
    for credentials in (
        Credentials(secret),
        Credentials(secret, api_key=API_KEY),
        Credentials(secret, api_key=f" {API_KEY}\n"),
    ):
        assert credentials.api_key == API_KEY
        assert credentials.sign(CANCEL) == CANCEL_SIGNATURE
        assert credentials.export_secret() == SECRET


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_any_seed_works_in_both_lengths(seed: bytes) -> None:
    key = SigningKey(seed)
    verifying = bytes(key.verify_key)
    for raw in (seed, seed + verifying):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            credentials = Credentials(encode(raw).decode())
            assert credentials.api_key == base64.b64encode(verifying).decode()
            assert credentials.export_secret() == base64.b64encode(seed).decode()
            assert credentials.sign("x") == base64.b64encode(key.sign(b"x").signature).decode()


# Secrets that are refused


def parts(secret: str) -> set[str]:
    """Every run of 8 characters, any of which would give a part of the secret away."""
    text = "".join(secret.split())
    return {text[start : start + 8] for start in range(max(1, len(text) - 7))}


def refusal(make: Callable[[], Any], *secrets: str) -> str:
    with pytest.raises(CredentialsError) as caught:
        make()
    assert isinstance(caught.value, BackpackError)
    assert isinstance(caught.value, ValueError)
    shown = "".join(traceback.format_exception(caught.value, chain=True)) + repr(caught.value)
    said = "".join(line for line in shown.splitlines(keepends=True) if not line.startswith("    "))
    for secret in secrets:
        for part in parts(secret):
            assert not part or part not in said
    return str(caught.value)


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        (SEED.hex(), "hexadecimal"),
        (PAIR.hex().upper(), "hexadecimal"),
        ("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----", "PEM"),
        (SECRET[:-4], "has 30 bytes; 32"),
        (base64.b64encode(SEED * 3).decode(), "has 96 bytes; 32"),
        (base64.b64encode(SEED[:31]).decode(), "has 31 bytes"),
        (base64.b64encode(PAIR[:63]).decode(), "has 63 bytes"),
        ("not a secret at all!", "is not base64"),
        (SECRET + "é", "is not base64"),
        ("=" + SECRET, "is not base64"),
        (SECRET[:20] + "=" + SECRET[21:], "is not base64"),
        (base64.b64encode(SEED + SEED).decode(), "not a seed followed by its own verifying key"),
        (base64.b64encode(PAIR[32:] + PAIR[:32]).decode(), "not a seed followed by its own verifying key"),
    ],
)
def test_wrong_secrets_are_refused_with_the_reason(secret: str, why: str) -> None:
    assert why in refusal(lambda: Credentials(secret), secret)
    assert why in refusal(lambda: Credentials(secret, api_key=API_KEY), secret) or not secret.strip()


@pytest.mark.parametrize("wrong", [None, 5, SEED, bytearray(SEED), [SECRET], Credentials(SECRET)])
def test_a_secret_is_text(wrong: Any) -> None:
    assert f"not {type(wrong).__name__}" in refusal(lambda: Credentials(wrong), SECRET)


@settings(deadline=None)
@given(st.text(characters, max_size=100))
def test_whatever_text_comes_is_a_key_or_refused_without_being_quoted(text: str) -> None:
    try:
        Credentials(text)
    except CredentialsError as problem:
        said = str(problem)
    else:
        return
    if len("".join(text.split())) > 30:
        assert not any(part in said for part in parts(text))


def test_the_key_of_another_secret_is_refused() -> None:
    other = Credentials.generate()
    said = refusal(lambda: Credentials(SECRET, api_key=other.api_key), SECRET)
    assert API_KEY in said


def test_a_secret_in_place_of_the_key_is_not_quoted() -> None:
    said = refusal(lambda: Credentials(API_KEY, api_key=SECRET), SECRET)
    assert "swapped" in said
    refusal(lambda: Credentials(SECRET, api_key=SECRET), SECRET)
    refusal(lambda: Credentials.from_env({"BACKPACK_API_SECRET": API_KEY, "BACKPACK_API_KEY": SECRET}), SECRET)
    wrong: Any = SEED
    assert "not bytes" in refusal(lambda: Credentials(SECRET, api_key=wrong), SECRET)


# From the environment


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BACKPACK_API_SECRET", raising=False)
    monkeypatch.delenv("BACKPACK_API_KEY", raising=False)
    assert "BACKPACK_API_SECRET is not set" in refusal(Credentials.from_env)
    monkeypatch.setenv("BACKPACK_API_SECRET", SECRET)
    assert Credentials.from_env().api_key == API_KEY
    monkeypatch.setenv("BACKPACK_API_KEY", API_KEY)
    assert Credentials.from_env().api_key == API_KEY
    monkeypatch.setenv("BACKPACK_API_KEY", Credentials.generate().api_key)
    assert API_KEY in refusal(Credentials.from_env, SECRET)


@pytest.mark.parametrize("key", ["", "  ", API_KEY, f"{API_KEY}\n"])
def test_an_empty_variable_counts_as_not_set(key: str) -> None:
    assert Credentials.from_env({"BACKPACK_API_SECRET": SECRET, "BACKPACK_API_KEY": key}).api_key == API_KEY
    for nothing in ({}, {"BACKPACK_API_SECRET": ""}, {"BACKPACK_API_SECRET": " "}, {"BACKPACK_API_KEY": API_KEY}):
        assert "is not set" in refusal(partial(Credentials.from_env, nothing))


# From a file


@pytest.mark.parametrize(
    "content",
    [
        SECRET,
        f"{SECRET}\n",
        f"\n\n  {SECRET}  \r\n\r\n",
        f"# my key\n{SECRET}\n",
        f"\ufeff{SECRET}\n",
        PAIR_SECRET,
        f"BACKPACK_API_SECRET={SECRET}",
        f"BACKPACK_API_SECRET = {SECRET}\r\nBACKPACK_API_KEY = {API_KEY}\r\n",
        f"export BACKPACK_API_SECRET='{SECRET}'\nexport BACKPACK_API_KEY=\"{API_KEY}\"\n",
        f"\ufeffBACKPACK_API_SECRET={SECRET}\n",
        f"OTHER=1\nBACKPACK_API_SECRET={SECRET}\n# BACKPACK_API_SECRET=old\nPATH\n",
        f"BACKPACK_API_SECRET={SECRET}\nBACKPACK_API_KEY=\n",
    ],
)
def test_from_a_file(tmp_path: Path, content: str) -> None:
    path = tmp_path / "backpack.key"
    path.write_text(content, encoding="utf-8", newline="")
    for name in (path, str(path)):
        assert Credentials.from_file(name).api_key == API_KEY


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "must hold the secret alone"),
        ("# nothing\n\n", "must hold the secret alone"),
        (f"{SECRET}\n{SECRET}\n", "must hold the secret alone"),
        ("BACKPACK_API_SECRET\n", "must hold the secret alone, or a line BACKPACK_API_SECRET=..."),
        ("BACKPACK_API_SECRET=\n", "must hold the secret alone"),
        (f"BACKPACK_API_SECRET: {SECRET}\n", "must hold the secret alone, or a line BACKPACK_API_SECRET=..."),
        (f"BACKPACK_API_KEY={API_KEY}\n", "or a line BACKPACK_API_SECRET=..."),
        (f"BACKPACK_API_SECRET_OLD={SECRET}\n", "or a line BACKPACK_API_SECRET=..."),
        (f"SECRET={SECRET}\n", "is not base64"),
        (f'{{"secret": "{SECRET}"}}', "is not base64"),
        (f"BACKPACK_API_SECRET={SECRET[:-4]}", "has 30 bytes"),
        (f"BACKPACK_API_SECRET={API_KEY}\nBACKPACK_API_KEY={SECRET}\n", "swapped"),
    ],
)
def test_a_file_without_a_secret_is_refused(tmp_path: Path, content: str, why: str) -> None:
    path = tmp_path / "backpack.key"
    path.write_text(content, encoding="utf-8")
    assert why in refusal(lambda: Credentials.from_file(path), SECRET)


def test_a_file_that_can_not_be_read_is_refused(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    for path, why in (
        (tmp_path / "none", "FileNotFoundError"),
        (tmp_path, "IsADirectoryError"),
        (binary, "UnicodeDecodeError"),
    ):
        said = refusal(partial(Credentials.from_file, path))
        assert str(path) in said
        assert why in said or os.name == "nt"
    refusal(lambda: Credentials.from_file("nul\0byte"))


def test_a_secret_in_place_of_a_path_is_not_quoted() -> None:
    for secret in (SECRET, PAIR_SECRET, base64.urlsafe_b64encode(SEED).decode()):
        assert "takes a path" in refusal(partial(Credentials.from_file, secret), secret)


# As a Python value


def test_generate_makes_a_new_key_every_time() -> None:
    made = [Credentials.generate() for _ in range(20)]
    assert len({credentials.api_key for credentials in made}) == 20
    for credentials in made:
        again = Credentials(credentials.export_secret(), api_key=credentials.api_key)
        assert again.sign("x") == credentials.sign("x")
        assert len(base64.b64decode(credentials.export_secret())) == 32


def test_nothing_shows_the_secret() -> None:
    credentials = Credentials(PAIR_SECRET)
    shown = f"{credentials!r} {credentials} {credentials!s} {[credentials]} {credentials:}"
    assert shown.startswith(f"Credentials(api_key='{API_KEY}')")
    for part in parts(SECRET):
        assert part not in shown
    assert not hasattr(credentials, "__dict__")
    with pytest.raises(TypeError):
        vars(credentials)
    with pytest.raises(TypeError):
        json.dumps(credentials)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_is_refused(protocol: int) -> None:
    with pytest.raises(TypeError, match="can't be pickled") as caught:
        pickle.dumps({"deep": [Credentials(SECRET)]}, protocol)
    assert SECRET[:8] not in str(caught.value)


def test_equality_copies_and_hashes() -> None:
    one, same, other = Credentials(SECRET), Credentials(PAIR_SECRET), Credentials.generate()
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != API_KEY
    assert one != SECRET
    assert copy.copy(one) is one
    assert copy.deepcopy({"x": one})["x"] is one

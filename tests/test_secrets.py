"""Nothing secret is ever shown: not in a log of any library, not in a repr, not in an error or its traceback, even
when the traceback is printed with every local variable, as error reporters do."""

from __future__ import annotations

import asyncio
import base64
import io
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import backpack_sdk
from backpack_sdk import (
    AsyncBackpack,
    Backpack,
    BackpackError,
    Credentials,
    CredentialsError,
    InvalidArgument,
    Request,
    operations,
)
from backpack_sdk._wire import encode

from . import loopback
from .loopback import (
    CREDENTIALS,
    SEED,
    Action,
    both,
    closed_port,
    desk,
    error,
    hang_up,
    raw,
    reply,
    reset,
    serving,
    silence,
)

TOKEN = "two-factor-918273"
BROKER_KEY = "broker-key-Zx81Qm"
PROXY_PASSWORD = "proxy-hunter2"
RAW_SEED = base64.b64decode(SEED)
PAIR = RAW_SEED + base64.b64decode(CREDENTIALS.api_key)
SECRETS = {
    "seed": SEED,
    "seed without padding": SEED.rstrip("="),
    "seed, URL-safe": base64.urlsafe_b64encode(RAW_SEED).decode().rstrip("="),
    "seed in hex": RAW_SEED.hex(),
    "seed as bytes": repr(RAW_SEED)[2:-1],
    "pair": base64.b64encode(PAIR).decode()[:43],
    "two-factor token": TOKEN,
    "broker key": BROKER_KEY,
    "proxy password": PROXY_PASSWORD,
}
PACKAGE = Path(backpack_sdk.__file__).parent
WITHDRAWAL = operations.capital.request_withdrawal("SOL", "1", "abc", "Solana", two_factor_token=TOKEN)
DELAY = operations.withdrawal_delays.create_withdrawal_delay(TOKEN, 48)
ORDER = operations.order.execute_order("SOL_USDC", "Bid", "Market", quantity="1", x_broker_key=BROKER_KEY)
REQUESTS = (WITHDRAWAL, DELAY, ORDER)
OUTCOMES: dict[str, Action] = {
    "accepted": reply(200, b""),
    "refused": error(400, "INVALID_TWO_FACTOR_CODE"),
    "bad signature": error(400, "INVALID_SIGNATURE"),
    "broken": reply(500, b"<html>"),
    "hangs up": hang_up,
    "resets": reset,
    "truncated": loopback.TRUNCATED,
    "no HTTP": loopback.NO_HTTP,
    "bad gzip": loopback.BAD_GZIP,
    "bad headers": raw(b"HTTP/1.1 200 OK\r\n: \r\n\r\n"),
    "silent": silence,
}


def shown(text: str) -> list[str]:
    """Which secrets a text shows."""
    return [name for name, secret in SECRETS.items() if secret in text]


@pytest.fixture
def logged() -> Iterator[Callable[[], str]]:
    """Everything any logger says at DEBUG, fully formatted, with its arguments."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    handler.addFilter(lambda record: bool(stream.write(repr(record.args) + "\n")) or True)
    root, loud = logging.getLogger(), ["httpx", "httpcore", "aiohttp", "asyncio", "backpack_sdk"]
    before = {name: logging.getLogger(name).level for name in ["", *loud]}
    for name in before:
        logging.getLogger(name).setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield stream.getvalue
    root.removeHandler(handler)
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def frames(problem: BaseException | None) -> Iterator[traceback.FrameSummary]:
    """Every frame of an error and of what led to it, with its locals; the tests' own are left out."""
    while problem is not None:
        whole = traceback.TracebackException.from_exception(problem, capture_locals=True)
        yield from (frame for frame in whole.stack if Path(frame.filename).parent != Path(__file__).parent)
        problem = problem.__cause__ or problem.__context__


def shown_by(problem: BaseException | None) -> list[str]:
    """Which secrets an error shows in its text, its repr, its attributes, or the locals of its traceback."""
    if problem is None:
        return []
    parts = [str(problem), repr(problem), repr(vars(problem)), *(repr(frame.locals) for frame in frames(problem))]
    assert any(frame.locals for frame in frames(problem)), "no locals were captured"
    return shown("\n".join(parts))


def reachable(thing: object, seen: dict[int, object] | None = None) -> list[object]:
    """Objects of the package that can be reached from one of them."""
    known: dict[int, object] = {} if seen is None else seen
    if id(thing) in known or isinstance(thing, (str, bytes, int, float, type(None), type)):
        return list(known.values())
    known[id(thing)] = thing
    parts: list[object] = []
    if isinstance(thing, dict):
        parts = list(thing.values())
    elif isinstance(thing, (list, tuple, set)):
        parts = list(thing)
    elif type(thing).__module__.startswith("backpack_sdk"):
        slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
        parts = [*getattr(thing, "__dict__", {}).values(), *(getattr(thing, name, None) for name in slots)]
    for part in parts:
        reachable(part, known)
    return list(known.values())


def test_the_checks_find_what_is_shown(logged: Callable[[], str]) -> None:
    logging.getLogger("httpcore.http11").debug("sent %s", SEED)
    assert "seed" in shown(logged())
    with pytest.raises(AttributeError) as caught:
        encode(None, "", credentials=TOKEN, timestamp=0, window=0)  # type: ignore[arg-type]
    assert shown_by(caught.value) == ["two-factor token"]


async def met(bench: loopback.Desk, request: Request[Any]) -> BackpackError | None:
    """The error that a request ends in, if it does."""
    try:
        answer = await bench.send_raw(request)
        assert shown(repr(answer)) == []
        answer.parse()
    except BackpackError as problem:
        return problem
    return None


@both
@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_calls(flavour: str, outcome: str, logged: Callable[[], str], capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.get_running_loop().set_debug(True)
    timeout = loopback.SHORT if outcome == "silent" else 5
    options: dict[str, Any] = {"broker_id": 7, "broker_key": BROKER_KEY, "timeout": timeout, "rate_limit": None}
    with serving(OUTCOMES[outcome]) as server:
        async with desk(flavour, server.url, **options) as bench:
            for request in REQUESTS:
                assert shown_by(await met(bench, request)) == []
            for thing in reachable([bench.client, REQUESTS]):
                assert shown(repr(thing)) == [], type(thing)
        assert {seen.headers.get("x-broker-key") for seen in server.requests} >= {BROKER_KEY, None}
        assert any(TOKEN.encode() in seen.body for seen in server.requests)
    text = logged()
    assert "backpack_sdk" in text
    assert shown(text) == []
    for seen in server.requests:
        assert seen.headers.get("x-signature", "-" * 88) not in text
    assert "x-signature" not in text.lower()
    out, err = capsys.readouterr()
    assert shown(out + err) == []


@both
async def test_calls_that_reach_nobody(flavour: str, logged: Callable[[], str]) -> None:
    async with desk(flavour, closed_port(), max_retries=1, broker_key=BROKER_KEY) as bench:
        for request in REQUESTS:
            with pytest.raises(backpack_sdk.ConnectionFailed) as caught:
                await bench.send(request)
            assert shown_by(caught.value) == []
    assert shown(logged()) == []


@both
async def test_proxy_password(flavour: str, logged: Callable[[], str]) -> None:
    with serving(reply(407, b"who are you?")) as proxy:
        address = proxy.url.replace("http://", f"http://user:{PROXY_PASSWORD}@")
        for target in ("http://target.invalid", "https://target.invalid"):
            async with desk(flavour, target, proxy=address, max_retries=0) as bench:
                with pytest.raises(BackpackError) as caught:
                    await bench.send(ORDER)
                assert shown_by(caught.value) == []
                assert shown(repr(bench.client)) == []
        assert len(proxy.requests) == 2
    assert shown(logged()) == []
    with pytest.raises(InvalidArgument) as refused:
        Backpack(proxy=f"user:{PROXY_PASSWORD}@host")
    assert shown(str(refused.value)) == []


@both
async def test_methods_hide_their_argument_from_all_below(flavour: str) -> None:
    """A secret argument is hidden from the moment the builder has it; the method's own frame has what it was passed."""
    with serving(error(400, "INVALID_TWO_FACTOR_CODE")) as server:
        async with desk(flavour, server.url) as bench:
            with pytest.raises(backpack_sdk.BadRequest) as caught:
                await bench.call("withdrawal_delays.create_withdrawal_delay", TOKEN, 48)
    below = [frame for frame in frames(caught.value) if PACKAGE / "_generated" not in Path(frame.filename).parents]
    below = [frame for frame in below if PACKAGE in Path(frame.filename).parents]
    assert {Path(frame.filename).name for frame in below} >= {"client.py", "_calls.py", "_wire.py"}
    assert shown("\n".join(repr(frame.locals) for frame in below)) == []
    assert shown(f"{caught.value} {caught.value!r} {vars(caught.value)}") == []


@both
async def test_own_http_client(flavour: str, logged: Callable[[], str]) -> None:
    with serving(error(400, "INVALID_TWO_FACTOR_CODE"), hang_up) as server:
        for client in [httpx.Client()] if flavour == "sync" else [httpx.AsyncClient()]:
            async with desk(flavour, server.url, http_client=client, broker_key=BROKER_KEY) as bench:
                for request in REQUESTS:
                    with pytest.raises(BackpackError) as caught:
                        await bench.send(request)
                    assert shown_by(caught.value) == []
            if isinstance(client, httpx.AsyncClient):
                await client.aclose()
            else:
                client.close()
        signatures = {seen.headers["x-signature"] for seen in server.requests}
    text = logged()
    assert "HTTP Request: POST" in text
    assert shown(text) == []
    assert [each for each in signatures if each in text] == []


# Before anything is sent


@pytest.mark.parametrize("kind", [Backpack, AsyncBackpack])
def test_private_call_without_credentials(kind: Any) -> None:
    client = kind(broker_key=BROKER_KEY)
    for request in REQUESTS:
        with pytest.raises(CredentialsError) as caught:
            next(client._caller.raw(request))
        assert shown_by(caught.value) == []


@pytest.mark.parametrize("ending", ["\n", " ", "\r\nx-injected: 1", "\0", "\u00e9", "\ud800"])
def test_broker_keys_that_can_not_be_sent(ending: str) -> None:
    """HTTP libraries quote a header that they refuse; it does not get that far."""
    with pytest.raises(InvalidArgument, match="broker_key") as caught:
        Backpack(broker_key=BROKER_KEY + ending)
    assert shown(str(caught.value)) == []
    client = Backpack(CREDENTIALS)
    with pytest.raises(InvalidArgument, match="broker_key") as caught:
        next(client._caller.raw(order_by(BROKER_KEY + ending)))
    below = [frame for frame in frames(caught.value) if "_generated" not in frame.filename]
    assert shown(f"{caught.value} {[frame.locals for frame in below]!r}") == []


def order_by(broker_key: str) -> Request[Any]:
    return operations.order.execute_order("SOL_USDC", "Bid", "Market", quantity="1", x_broker_key=broker_key)


@pytest.mark.parametrize("value", [918273, TOKEN.encode(), [TOKEN], TOKEN + "\ud800"])
def test_tokens_of_a_wrong_kind(value: Any) -> None:
    with pytest.raises(InvalidArgument, match="two_factor_token") as caught:
        operations.withdrawal_delays.create_withdrawal_delay(value, 48)
    text = str(caught.value) + "".join(
        repr(frame.locals) for frame in frames(caught.value) if "_generated" not in frame.filename
    )
    assert "918273" not in text


BAD_SECRETS = {
    "hexadecimal": RAW_SEED.hex(),
    "too short": base64.b64encode(RAW_SEED[:-1]).decode(),
    "too long": base64.b64encode(RAW_SEED + b"x").decode(),
    "no base64": SEED[:-2] + "!=",
    "PEM": f"-----BEGIN PRIVATE KEY-----\n{SEED}\n-----END PRIVATE KEY-----",
    "a pair that does not match": base64.b64encode(RAW_SEED + RAW_SEED).decode(),
    "bytes": RAW_SEED,
}


def hidden(problem: CredentialsError, secret: object) -> None:
    text = str(problem) + repr(problem) + "".join(repr(frame.locals) for frame in frames(problem))
    for part in (str(secret), repr(secret)[1:-1], *SECRETS.values(), SEED[:-2], RAW_SEED.hex()):
        assert part not in text


@pytest.mark.parametrize("secret", BAD_SECRETS.values(), ids=list(BAD_SECRETS))
def test_bad_secrets(secret: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CredentialsError) as caught:
        Credentials(secret)
    hidden(caught.value, secret)
    with pytest.raises(CredentialsError) as caught:
        Credentials.from_env({"BACKPACK_API_SECRET": secret} if isinstance(secret, str) else {})
    hidden(caught.value, secret)
    if isinstance(secret, str):
        monkeypatch.setenv("BACKPACK_API_SECRET", secret)
        with pytest.raises(CredentialsError) as caught:
            Credentials.from_env()
        hidden(caught.value, secret)
        for content in (secret, f"export BACKPACK_API_SECRET='{secret}'"):
            path = tmp_path / "key"
            path.write_text(content)
            with pytest.raises(CredentialsError) as caught:
                Credentials.from_file(path)
            hidden(caught.value, secret)


def test_secret_in_the_wrong_place(tmp_path: Path) -> None:
    swapped: list[Callable[[], Credentials]] = [
        lambda: Credentials(CREDENTIALS.api_key, api_key=SEED),
        lambda: Credentials(SEED, api_key=SEED),
        lambda: Credentials.from_env({"BACKPACK_API_SECRET": CREDENTIALS.api_key, "BACKPACK_API_KEY": SEED}),
        lambda: Credentials.from_file(SEED),
    ]
    for make in swapped:
        with pytest.raises(CredentialsError) as caught:
            make()
        hidden(caught.value, SEED)


def test_credentials_show_their_key_only() -> None:
    assert repr(CREDENTIALS) == f"Credentials(api_key={CREDENTIALS.api_key!r})"
    for text in (
        str(CREDENTIALS),
        f"{CREDENTIALS}",
        f"{[CREDENTIALS]}",
        repr(Backpack(CREDENTIALS)),
        repr(dir(CREDENTIALS)),
    ):
        assert shown(text) == []
    assert not hasattr(CREDENTIALS, "__dict__")
    assert sys.getsizeof(CREDENTIALS) > 0


def test_prepared_request_shows_no_header() -> None:
    prepared = encode(ORDER, "https://host", credentials=CREDENTIALS, timestamp=1, window=5000)
    assert shown(f"{prepared!r} {prepared}") == []
    assert dict(prepared.headers)["x-signature"] not in repr(prepared)
    assert dict(prepared.headers)["x-broker-key"] == BROKER_KEY

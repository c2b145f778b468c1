"""Credentials, and the message that a private request signs."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

from nacl.bindings import crypto_sign, crypto_sign_seed_keypair
from nacl.utils import random as random_bytes

from ._core.errors import CredentialsError
from ._core.scalars import plain

if TYPE_CHECKING:
    from typing import Self

P = ParamSpec("P")
R = TypeVar("R")
SECRET_VARIABLE = "BACKPACK_API_SECRET"
KEY_VARIABLE = "BACKPACK_API_KEY"
LONGEST_WINDOW = 60_000
"""Milliseconds; the exchange refuses a longer window."""
_SEED, _PAIR, _SIGNATURE = 32, 64, 64


def _without_locals(function: Callable[P, R]) -> Callable[P, R]:
    """Raise what `function` raises from here, where no local holds the secret: error reporters print every local."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except CredentialsError as problem:
            message = str(problem)
        del args, kwargs
        raise CredentialsError(message)

    return run


class Credentials:
    """An ED25519 key pair of the exchange.

    `secret` is base64 text of the 32-byte seed, or of the 64 bytes seed and verifying key, as the exchange's key page
    and other tools give it. `api_key`, when given, must be the verifying key that belongs to it. The secret shows in
    no repr, message or pickle. Raises CredentialsError, which says what is wrong and never quotes the text.
    """

    __slots__ = ("_key_pair", "api_key")

    api_key: str
    """Base64 text of the verifying key; it names the account to the exchange and is no secret."""

    @_without_locals
    def __init__(self, secret: str, *, api_key: str | None = None) -> None:
        raw = _decode(secret)
        verifying, signing = crypto_sign_seed_keypair(raw[:_SEED])
        if len(raw) == _PAIR and raw[_SEED:] != verifying:
            raise CredentialsError("the 64-byte secret is not a seed followed by its own verifying key")
        self._key_pair: bytes = signing
        self.api_key = base64.b64encode(verifying).decode()
        if api_key is not None:
            _require_match(api_key, self.api_key)

    @classmethod
    @_without_locals
    def from_env(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read `BACKPACK_API_SECRET` and, where it is set, check it against `BACKPACK_API_KEY`."""
        variables = os.environ if environment is None else environment
        secret = variables.get(SECRET_VARIABLE)
        if secret is None or not secret.strip():
            raise CredentialsError(f"the environment variable {SECRET_VARIABLE} is not set")
        return cls(secret, api_key=variables.get(KEY_VARIABLE, "").strip() or None)

    @classmethod
    @_without_locals
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file that holds the secret alone, or lines such as `BACKPACK_API_SECRET=...`."""
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
        except (OSError, ValueError) as problem:
            if _is_secret(os.fspath(path)):
                raise CredentialsError("from_file takes a path and was given a secret: use Credentials(...)") from None
            raise CredentialsError(f"{path} could not be read: {type(problem).__name__}") from None
        lines = [line.strip().removeprefix("export ") for line in text.splitlines()]
        lines = [line for line in lines if line and not line.startswith("#")]
        named = {name.strip(): value.strip().strip("\"'") for name, _, value in (line.partition("=") for line in lines)}
        if named.get(SECRET_VARIABLE):
            return cls.from_env(named)
        if len(lines) != 1 or lines[0].startswith((SECRET_VARIABLE, KEY_VARIABLE)):
            raise CredentialsError(f"{path} must hold the secret alone, or a line {SECRET_VARIABLE}=...")
        return cls(lines[0])

    @classmethod
    def generate(cls) -> Self:
        """Make a new random key pair. Register its `api_key` with the exchange; keep `export_secret()` safe."""
        return cls(base64.b64encode(random_bytes(_SEED)).decode())

    def export_secret(self) -> str:
        """The base64 seed, for storing it yourself. Handle it like money."""
        return base64.b64encode(self._key_pair[:_SEED]).decode()

    def sign(self, message: str) -> str:
        """Base64 signature of a message."""
        signed = crypto_sign(message.encode(), self._key_pair)
        return binascii.b2a_base64(signed[:_SIGNATURE], newline=False).decode()

    def __repr__(self) -> str:
        return f"Credentials(api_key={self.api_key!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Credentials) and other.api_key == self.api_key

    def __hash__(self) -> int:
        return hash(self.api_key)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("credentials can't be pickled: the secret must not end up in a file")


def _require_match(given: str, derived: str) -> None:
    # What was given is not quoted: whoever mixes the two up passes the secret here.
    if not isinstance(given, str):
        raise CredentialsError(f"the API key must be base64 text, not {type(given).__name__}")
    if given.strip() != derived:
        raise CredentialsError(
            f"the secret belongs to the API key {derived}, which is not the one given; are the two swapped?"
        )


def _decode(secret: str) -> bytes:
    if not isinstance(secret, str):
        raise CredentialsError(f"the secret must be base64 text, not {type(secret).__name__}")
    text = "".join(secret.split())
    if not text:
        raise CredentialsError("the secret is empty")
    if text.startswith("-----BEGIN"):
        raise CredentialsError("the secret is a PEM block; base64 of the 32-byte seed is needed")
    if len(text) in (64, 128) and all(character in "0123456789abcdefABCDEF" for character in text):
        raise CredentialsError("the secret looks like hexadecimal; base64 of the same bytes is needed")
    try:
        raw = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise CredentialsError("the secret is not base64") from None
    if len(raw) not in (_SEED, _PAIR):
        raise CredentialsError(f"the secret has {len(raw)} bytes; 32 (seed) or 64 (seed and verifying key) are needed")
    return raw


def _is_secret(text: str) -> bool:
    try:
        _decode(text)
    except CredentialsError:
        return False
    return True


def signing_message(
    instruction: str,
    params: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None,
    *,
    timestamp: int,
    window: int,
) -> str:
    """The text a private request signs.

    `instruction=NAME`, the parameters sorted by name as `k=v` with raw values (not URL-encoded, booleans as `true` and
    `false`, absent ones left out), then `timestamp` and `window` in milliseconds. For a batch, a list of mappings,
    the instruction stands before each one's parameters.

    Two forms have never been shown by the exchange and are assumed: several values of one name stand as `k=a&k=b` in
    the order in which they are sent, and a nested object stands as its compact JSON.
    """
    rows = [params] if params is None or isinstance(params, Mapping) else params
    parts: list[str] = []
    for row in rows:
        parts.append(f"instruction={instruction}")
        for name in sorted(row or ()):
            parts.extend(f"{name}={text}" for text in signed_texts((row or {})[name]))
    parts.append(f"timestamp={timestamp}&window={window}")
    return "&".join(parts)


def signed_texts(value: Any) -> Iterable[str]:
    """How a wire value stands in the signed message; nothing for None."""
    if type(value) is str:
        return (value,)
    if value is None:
        return ()
    if isinstance(value, bool):
        return ("true",) if value else ("false",)
    if isinstance(value, str):
        return (str(value),)
    if isinstance(value, Decimal):
        return (plain(value),)
    if isinstance(value, Mapping):
        return (json.dumps(value, separators=(",", ":"), ensure_ascii=False),)
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in signed_texts(item)]
    return (str(value),)

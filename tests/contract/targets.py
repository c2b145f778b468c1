"""What is fuzzed: each takes any bytes and returns, or raises what it must not. For test_bytes and the fuzzer."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from backpack_sdk import operations
from backpack_sdk._core.errors import BackpackError
from backpack_sdk._wire import RawResponse
from codegen.build import understand
from codegen.overlay import Names, Overlays
from codegen.parsing import parse
from codegen.problems import CodegenError

DEEP = 100_000
HOSTILE = (
    b"", b"{", b"[" * DEEP, b'{"a":' * DEEP, b"9" * 5000, b'{"a":' + b"9" * 5000 + b"}", b"1e999", b"NaN", b'{"a":NaN}',
    b'{"openapi":-Infinity}', b'{"a":1,"a":2}', b'"\\ud800"', b'{"\\ud800":1}', b"\xff\xfe", b"\xef\xbb\xbf{}", b"\x00",
    b"&a [*a]", b"a: &a [x]\nb: *a", b"- " * 5000, b"!!python/object:os.system x", b"<" * DEEP, b"<script>" * 20_000,
    b"<script>__redoc_state = " + b"{" * DEEP + b"</script>", b"<script>" + b"__redoc_state{" * 20_000,
    b'<script>__redoc_state = {"openapi":"3","paths":NaN}</script>', b"<script ", b"</script>", b"% YAML 9.9\n--- ",
    b"? " * 5000, b"{" + b" " * 100_000, b"'" * 10_001, b"\xf0\x9f\x9a\x80", b"[1e400]", b"-", b"true",
)  # fmt: skip
"""Bytes that have broken readers somewhere: nesting, bombs, halves of characters, numbers without end."""
_NOTHING = Overlays({}, (), Names(), {"operations": {}, "models": {}, "enums": {}})
_STATUSES = (400, 401, 403, 404, 429, 451, 500, 503)


def _clear(error: BackpackError | CodegenError) -> None:
    """An error says something, and in a few words."""
    problems = [str(problem) for problem in error.problems] if isinstance(error, CodegenError) else [str(error)]
    assert problems
    assert all(problems)


def import_document(content: bytes) -> None:
    """Read a document and all that follows up to the intermediate representation."""
    try:
        understand(parse(content), _NOTHING)
    except CodegenError as error:
        _clear(error)


def read_page(content: bytes) -> None:
    """Read the same bytes as a script in a page."""
    import_document(b"<html><script>__redoc_state = " + content + b"</script></html>")


@cache
def _requests() -> tuple[object, ...]:
    return (
        operations.markets.get_depth("SOL_USDC"),
        operations.order.execute_order("SOL_USDC", "Bid", "Market"),
        operations.order.get_open_orders(),
        operations.system.get_time(),
        operations.vaults.vault_redeem(1),
    )


def read_error(content: bytes) -> None:
    """Read a refusal's body, for reads and commands."""
    for status in _STATUSES:
        for request in _requests()[:2]:
            try:
                RawResponse(request, status, {}, content).parse()  # type: ignore[arg-type]
            except BackpackError as error:
                _clear(error)
                continue
            raise AssertionError(f"HTTP {status} with {content[:40]!r} passed for a success")


def read_reply(content: bytes) -> None:
    """Read a body where a reply is documented."""
    for request in _requests():
        try:
            RawResponse(request, 200, {}, content).parse()  # type: ignore[arg-type]
        except BackpackError as error:
            _clear(error)


TARGETS: tuple[Callable[[bytes], None], ...] = (import_document, read_page, read_error, read_reply)
"""Everything that is fuzzed."""

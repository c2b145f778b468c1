"""Every operation over a loopback socket by both clients: a case goes out, a generated reply comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ..loopback import CREDENTIALS, Seen, both, desk, in_turn, reply, serving, signed_by
from ..test_every_operation import fits, to_wire
from .mirror import bodies, replies, result_type
from .sending import canonical, namespace_of, sent
from .surface import DEFAULT, EXAMPLES, Json, Surface, ran, surfaces
from .test_replies import same
from .test_requests import arguments_of, wire_values

CASES = 2 if EXAMPLES == DEFAULT else 6


def drawn(surface: Surface) -> list[tuple[dict[str, Any], Json, int, bytes]]:
    """Arguments and what they mean, with a reply for each."""
    found: list[tuple[dict[str, Any], Json, int, bytes]] = []

    @settings(
        max_examples=CASES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(data=st.data())
    def collect(data: st.DataObject) -> None:
        query, headers, body = wire_values(surface, data.draw(surface.cases()))
        arguments = arguments_of(data, surface, query, headers, body)
        status, kind = data.draw(st.sampled_from(sorted(replies(surface), key=str)))
        content = b"1777636800125" if kind == "text/plain" else b""
        if kind == "application/json":
            content = json.dumps(data.draw(bodies(f"/{surface.name}/{status}"))).encode()
        meant = {"orders": body} if isinstance(body, list) else body or {}
        meant = {**query, **{name: whole_number(value) for name, value in headers.items()}, **meant}
        found.append((arguments, meant, status, content))

    collect()
    return found


def whole_number(text: str) -> Json:
    return int(text) if text.lstrip("-").isdecimal() else text


def check(surface: Surface, seen: Seen, meant: Json) -> None:
    assert (seen.method, seen.path) == (surface.operation.method, surface.operation.path)
    names = {argument.python: argument.wire for argument in surface.arguments.values()}
    values = {names[name]: value for name, value in sent(surface, seen).items()}
    assert canonical({name: str(each) if "BROKER" in name else each for name, each in values.items()}) == canonical(
        {name: str(each) if "BROKER" in name else each for name, each in meant.items()}
    )
    instruction = surface.operation.facts.get("x-instruction")
    assert ("x-signature" in seen.headers) == (instruction is not None)
    if instruction is not None:
        assert signed_by(seen, instruction) == CREDENTIALS.api_key


@both
@pytest.mark.parametrize("surface", surfaces(), ids=lambda each: each.name)
async def test_a_case_goes_out_and_its_reply_comes_back(surface: Surface, flavour: str) -> None:
    with serving() as server:
        async with desk(flavour, server.url, rate_limit=None) as bench:
            for arguments, meant, status, content in drawn(surface):
                ran[surface.name, "sockets"] += 1
                server.requests.clear()
                server.answer = in_turn(reply(status, content))
                result = await bench.call(f"{namespace_of(surface.name)}.{surface.name}", **arguments)
                (seen,) = server.requests
                check(surface, seen, meant)
                assert fits(result, result_type(surface.name))
                if content.startswith((b"{", b"[")):
                    assert same(to_wire(result), json.loads(content))

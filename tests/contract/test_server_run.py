"""A server is held to the document: the embedded exchange keeps to it, and one that does not is found out."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from html import unescape
from typing import Any
from xml.etree import ElementTree

import pytest

from backpack_sdk import OPERATIONS, Backpack, Credentials
from backpack_sdk.contract import Kind, Options, Outcome, hold
from backpack_sdk.contract.document import promises
from backpack_sdk.contract.reports import REPORTS
from backpack_sdk.contract.session import Session
from backpack_sdk.contract.suggest import suggestions
from backpack_sdk.paper import Fault, PaperExchange
from codegen.corrections import apply, read_corrections

from ..document import SPEC, documented, sample
from ..loopback import Action, Seen, Server, reply, serving

OF = {(each.method, each.path): each for each in documented()}
PUBLIC = [operation.name for operation in OPERATIONS if operation.instruction is None]


@pytest.fixture(scope="module")
def embedded() -> Outcome:
    """One run over all operations."""
    return hold(Options(examples=1))


def test_the_embedded_exchange_keeps_to_the_document(embedded: Outcome) -> None:
    assert [finding.text for finding in embedded.findings] == []
    assert [(story.name, story.problem) for story in embedded.stories if story.problem] == []
    assert embedded.is_clean


def test_every_operation_is_tried_and_carried_out(embedded: Outcome) -> None:
    assert len(embedded.rows) == len(OPERATIONS)
    assert [row.name for row in embedded.rows if not any(status < 300 for status in row.statuses)] == []
    assert [story.name for story in embedded.stories if story.skipped] == []


def test_the_same_seed_sends_the_same(embedded: Outcome) -> None:
    names = ["get_depth", "get_max_order_quantity"]
    one, two = (hold(Options(examples=4, operations=names, seed=5)) for _ in range(2))
    assert [(row.statuses, row.example) for row in one.rows] == [(row.statuses, row.example) for row in two.rows]


def test_reading_only_needs_no_key_and_sends_no_command() -> None:
    with PaperExchange() as exchange:
        outcome = hold(Options(base_url=exchange.base_url, read_only=True, examples=1))
        requests = exchange.requests
    assert outcome.is_clean, outcome.findings
    assert outcome.stories == []
    assert sorted(row.name for row in outcome.rows) == sorted(PUBLIC)
    assert {request.method for request in requests} == {"GET"}
    assert all("x-api-key" not in request.headers for request in requests)


# A server that leaves the document


def honest(seen: Seen) -> Action:
    """The reply that the document promises, with everything in it."""
    status, kind, schema = next(OF[seen.method, seen.path].replies)
    if kind == "application/json":
        return reply(status, sample(schema, True), content_type=kind)
    return reply(status, b"pong", content_type="text/plain") if kind else reply(status, b"")


@contextmanager
def lying(path: str, change: Callable[[Any], Any]) -> Iterator[Server]:
    """A server whose reply at one path is changed; what `change` returns is sent in its place when it is an action."""

    def answer(seen: Seen) -> Action:
        if seen.path != path:
            return honest(seen)
        _, _, schema = next(OF[seen.method, seen.path].replies)
        body = sample(schema, True) if schema else None
        changed = change(body)
        return changed if callable(changed) else reply(200, body, content_type="application/json")

    with serving() as server:
        server.answer = answer
        yield server


def findings(path: str, change: Callable[[Any], Any], *names: str) -> Outcome:
    with lying(path, change) as server:
        return hold(Options(base_url=server.url, read_only=True, examples=1, operations=names))


def kinds(outcome: Outcome) -> set[tuple[str, Kind]]:
    return {(finding.operation, finding.kind) for finding in outcome.findings}


MARKETS = "/api/v1/markets"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda body: body[0].update(colour="red"), {Kind.UNKNOWN_FIELD}),
        (lambda body: body[0].update(marketType="MONAD"), {Kind.UNKNOWN_MEMBER}),
        (lambda body: body[0].update(visible=None), {Kind.NULL, Kind.UNREADABLE}),
        (lambda body: body[0].pop("symbol"), {Kind.MISSING_FIELD, Kind.UNREADABLE}),
        (lambda body: body[0].update(symbol=["a"]), {Kind.WRONG_TYPE, Kind.UNREADABLE}),
        (lambda _: reply(418, {"code": "X", "message": "y"}, content_type="application/json"), {Kind.STATUS}),
        (lambda _: reply(206, [], content_type="application/json"), {Kind.STATUS}),
        (lambda _: reply(500, "no", content_type="text/plain"), {Kind.SERVER_ERROR}),
        (lambda _: reply(200, "<html>", content_type="text/html"), {Kind.CONTENT}),
        (lambda _: reply(200, "{", content_type="application/json"), {Kind.CONTENT}),
        (lambda _: reply(200, b"", content_type="application/json"), {Kind.CONTENT}),
        (lambda _: reply(400, "failed to parse", content_type="text/plain"), set()),
        (lambda _: reply(503, "later", content_type="text/plain"), set()),
        (lambda _: reply(404, {"code": "RESOURCE_NOT_FOUND", "message": ""}, content_type="application/json"), set()),
        (lambda _: reply(404, "not found", content_type="text/plain"), {Kind.STATUS}),
    ],
)
def test_what_leaves_the_document_is_found(change: Callable[[Any], Any], expected: set[Kind]) -> None:
    outcome = findings(MARKETS, change, "get_markets")
    assert {kind for _, kind in kinds(outcome)} == expected
    assert outcome.is_clean is not bool(expected)


def test_a_server_that_hangs_up_is_a_finding() -> None:
    outcome = findings("/api/v1/assets", lambda _: lambda _connection: False, "get_assets")
    assert kinds(outcome) == {("get_assets", Kind.NO_REPLY)}


def test_what_the_schemas_of_schemathesis_refuse_is_found() -> None:
    """Both judges agree where both can see: a missing field is one finding, not two."""
    outcome = findings("/api/v1/depth", lambda body: body.pop("bids"), "get_depth")
    assert [finding.departure.target for finding in outcome.findings if finding.kind is Kind.MISSING_FIELD] == [
        "schemas.Depth.bids"
    ]
    assert (Kind.SCHEMA in {finding.kind for finding in outcome.findings}) is False


def test_a_story_that_goes_wrong_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server at an address, with one account, that forgets an order; what takes two accounts is left out."""
    key = Credentials.generate()
    monkeypatch.setenv("BACKPACK_API_SECRET", key.export_secret())
    monkeypatch.delenv("BACKPACK_API_KEY", raising=False)
    lost = Fault.status(404, "RESOURCE_NOT_FOUND", "lost")
    with PaperExchange() as exchange:
        exchange.add_account(key.api_key)
        exchange.faults.add("get_order", lost)
        exchange.faults.add("get_open_rfqs", Fault.garbage(b"[7]"))
        outcome = hold(Options(base_url=exchange.base_url, examples=0, operations=["get_order", "get_open_rfqs"]))
    told = {story.name: story for story in outcome.stories}
    assert told["place, read, cancel, read again"].problem.endswith("{'code': 'RESOURCE_NOT_FOUND', 'message': 'lost'}")
    assert told["ask for quotes, answer, accept"].problem == ""
    assert not outcome.is_clean
    for form in REPORTS:
        assert "lost" in REPORTS[form](outcome)
    text = json.dumps([REPORTS[form](outcome) for form in REPORTS])
    assert key.export_secret() not in text


# What is made of it


@pytest.fixture(scope="module")
def bad() -> Outcome:
    """A run with findings of every kind that a correction can say."""

    def change(body: Any) -> None:
        body[0].update(colour="red", weight="1.5", count=7, at="2026-01-01T00:00:00", flag=True, share=0.5, parts=[])
        body[0].update(marketType="MONAD", baseSymbol=None, quoteSymbol=7, createdAt="soon")
        body[0]["filters"]["price"]["tickSize"] = "N/A"
        del body[0]["visible"]

    outcome = findings(MARKETS, change, "get_markets")
    assert len(outcome.findings) > 10
    return outcome


def test_findings_become_corrections_that_apply(bad: Outcome) -> None:
    text = suggestions(bad, date(2026, 11, 25))
    told = tomllib.loads(text)["correction"]
    corrections = tuple(read_corrections(told, "suggested.toml", "suggested.toml"))
    by_target = {correction.target: correction for correction in corrections}
    assert by_target["schemas.Market.colour"].value == {"type": "string"}
    assert by_target["schemas.Market.weight"].value == {"type": "string", "format": "decimal"}
    assert by_target["schemas.Market.at"].value["format"] == "naive-date-time"
    assert by_target["schemas.Market.baseSymbol"].value == {"nullable": True}
    assert by_target["schemas.Market.visible"].value == {"required": False}
    assert by_target["schemas.MarketType"].value["enum"][-1] == "MONAD"
    assert all(correction.evidence == "seen" for correction in corrections)
    assert "# Not to be said as a correction: get_markets: unknown field: [].parts" in text
    plain = json.loads((SPEC / "backpack.json").read_text(encoding="utf-8"))
    fixes = tomllib.loads((SPEC / "overlays" / "fixes.toml").read_text(encoding="utf-8"))["correction"]
    standing = tuple(read_corrections(fixes, "fixes.toml", "fixes.toml"))
    corrected, stale = apply(plain, (*standing, *corrections))
    assert stale == []
    market = corrected["components"]["schemas"]["Market"]
    assert market["properties"]["colour"] == {"type": "string"}
    assert "visible" not in market["required"]
    _, stale = apply(corrected, corrections)
    assert len(stale) == len(corrections)


def test_a_clean_run_suggests_nothing(embedded: Outcome) -> None:
    assert tomllib.loads(suggestions(embedded, date(2026, 11, 25))) == {}


@pytest.mark.parametrize("form", REPORTS)
def test_every_report_names_each_operation_and_finding(form: str, bad: Outcome, embedded: Outcome) -> None:
    text = REPORTS[form](bad)
    assert "get_markets" in text
    assert "MONAD" in text
    assert "[].marketType" in text
    whole = REPORTS[form](embedded)
    if form != "text":
        assert all(operation.name in whole for operation in OPERATIONS)
        assert "place, read, cancel, read again" in whole
    assert '"twoFactorToken": "1' not in unescape(whole)


def test_stories_that_have_nothing_to_go_on_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    key = Credentials.generate()
    monkeypatch.setenv("BACKPACK_API_SECRET", key.export_secret())
    monkeypatch.delenv("BACKPACK_API_KEY", raising=False)
    with PaperExchange(markets=[]) as exchange:
        exchange.add_account(key.api_key)
        outcome = hold(Options(base_url=exchange.base_url, examples=0))
    assert [finding.text for finding in outcome.findings] == []
    assert {story.problem for story in outcome.stories} == {""}
    told = {story.name: story.skipped for story in outcome.stories}
    assert told["place, read, cancel, read again"] == "there is no open spot market"
    assert told["open and close a position"] == "there is no open perpetual market"
    assert told["a vault: mint, redeem, cancel"] == "there is no vault"
    for form in REPORTS:
        assert "there is no open spot market" in REPORTS[form](outcome)


def test_what_only_schemathesis_sees_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backpack_sdk.contract.judge.departures", lambda *_: iter(()))
    outcome = findings("/api/v1/depth", lambda body: body.update(asks=7), "get_depth")
    (found,) = [finding for finding in outcome.findings if finding.kind is Kind.SCHEMA]
    assert "7 is not of type" in found.text


def test_the_report_for_build_servers_is_xml_that_counts(bad: Outcome) -> None:
    suite = ElementTree.fromstring(REPORTS["junit"](bad))
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    assert len(suite.findall("testcase/failure")) == len(bad.findings)


def test_the_page_needs_nothing_else_and_escapes_what_came() -> None:
    def change(body: Any) -> None:
        body[0]["<script>alert(1)</script>"] = "\ud800\x00]]>"

    outcome = findings(MARKETS, change, "get_markets")
    page = REPORTS["html"](outcome)
    assert "<script" not in page
    assert "http://" not in page.replace(outcome.server, "")
    page.encode()
    ElementTree.fromstring(REPORTS["junit"](outcome))
    REPORTS["markdown"](outcome)
    suggestions(outcome, date(2026, 11, 25)).encode()


def test_what_the_sdk_can_not_send_is_no_finding() -> None:
    with PaperExchange() as exchange, Backpack(base_url=exchange.base_url, max_retries=0) as client:
        session = Session({"own": client}, {"get_depth": promises()["get_depth"]}, None)
        assert session.call("get_depth", {"symbol": "\ud800"}) == (None, None)
        assert session.call("get_account") == (None, None)
        assert session.call("get_depth", {"symbol": "SOL_USDC"})[0] == 200
    row = session.rows["get_depth"]
    assert (row.cases, row.unsent, row.findings) == (1, 1, {})
    assert row.example == "GET /api/v1/depth?symbol=SOL_USDC"


def test_the_pace_is_kept() -> None:
    waits: list[float] = []
    now = [100.0]

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    session = Session({}, {}, 2.0, sleep=sleep, clock=lambda: now[0])
    for _ in range(4):
        session._wait()
    now[0] += 10
    session._wait()
    assert waits == [0.5, 0.5, 0.5]

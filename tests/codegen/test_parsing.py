"""From bytes to a document: what is understood, and what is refused with its place."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from codegen.parsing import DEEPEST, parse
from codegen.problems import CodegenError

DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Tëst </script> \u2028", "version": "1"},
    "paths": {"/a": {"get": {"responses": {"200": {"description": "no"}}, "operationId": "a", "deprecated": False}}},
    "components": {"schemas": {"X": {"type": "string", "enum": ["1", "no", "1d", "2020-01-01", "1:30", "~", ""]}}},
    "x-numbers": [0, -1, 1.5, 1e-9, 12345678901234567890, None, True],
}


SCRAPS = (
    "{", "}", "[", "]", ":", ",", "\n", "  ", "- ", "? ", "a", "1", '"', "'", "&a", "*a", "!!int ", "!!map ", "!x ",
    "|",
    ">", "#", "%TAG ", "---", "...", "<", "<script>", "</script>", "__redoc_state", "\\", "\u2028", "\x00", "null",
    "NaN",
    "true", "openapi", "paths", "<<", "~", "=", "!!timestamp ", "!!binary ", "!!set ", "!!bool ", "1e999", "\\ud800",
)  # fmt: skip


def page(state: str, *, before: str = "", after: str = "") -> bytes:
    """A page as Redoc renders it on a server."""
    return f"""<!DOCTYPE html>
<html><head><meta charset="utf8" /><script src="redoc.js"></script>{before}</head>
<body><div id="redoc"><h1>A &lt;title&gt;</h1></div>
<script>
      const __redoc_state = {state};
      var container = document.getElementById('redoc');
      Redoc.hydrate(__redoc_state, container);
</script>{after}</body></html>""".encode()


def state(document: object) -> str:
    """Redoc's state, with the end of a script escaped as Redoc does it."""
    whole = {
        "menu": {"activeItemIdx": -1, "items": []},
        "spec": {"data": document},
        "searchIndex": {"store": ["openapi"]},
    }
    return json.dumps(whole).replace("</script>", "<\\/script>")


def refusal(content: bytes, place: str = "document") -> str:
    with pytest.raises(CodegenError) as caught:
        parse(content, place)
    return str(caught.value)


@pytest.mark.parametrize("content", [
    json.dumps(DOCUMENT).encode(),
    json.dumps(DOCUMENT, ensure_ascii=False, indent=4).encode(),
    b"\xef\xbb\xbf" + json.dumps(DOCUMENT).encode(),
    b" \r\n\t" + json.dumps(DOCUMENT).encode() + b"\n",
    yaml.safe_dump(DOCUMENT).encode(),
    yaml.safe_dump(DOCUMENT, allow_unicode=True, default_flow_style=True).encode("utf-8").replace(b"{", b"---\n{", 1),
    b"\xef\xbb\xbf# a comment\n" + yaml.safe_dump(DOCUMENT).encode(),
    page(state(DOCUMENT)),
    page(state(DOCUMENT), before="<script>if (1 < 2) { window.__redoc_state }</script>"),
    page("null", after=f"<SCRIPT type='application/json'>\n {state(DOCUMENT)}\n</SCRIPT >"),
    page(state(DOCUMENT)).replace(b"const __redoc_state =", b'window["__redoc_state"]=').replace(b"\n", b"\r\n"),
    b"\n\n" + page(state(DOCUMENT)),
], ids=[
    "JSON", "indented JSON", "BOM", "space around", "YAML", "YAML in flow style", "YAML after BOM and comment",
    "Redoc page", "marker in an earlier script", "state in a script of its own", "assigned to window",
    "page after empty lines",
])  # fmt: skip
def test_every_form_gives_the_same_document(content: bytes) -> None:
    assert parse(content) == DOCUMENT


def test_yaml_is_read_as_json_has_it() -> None:
    text = "openapi: 3.1\n200: ok\ntrue: x\nno: on\nday: 2020-01-01\nnone: ~\ntime: 12:30:00\noctal: 010\nempty:\n"
    assert parse(text.encode()) == {
        "openapi": 3.1, "200": "ok", "true": "x", "no": "on", "day": "2020-01-01", "none": None, "time": "12:30:00",
        "octal": "010", "empty": None,
    }  # fmt: skip


@pytest.mark.parametrize(("content", "message"), [
    (b'{"a": 1,\n "b": }', "spec:2:7: is not JSON: Expecting value"),
    (b'{"a": {"b": 1, "c": 2, "b": 3}}', "spec #/a: the key 'b' stands twice in this object"),
    (b'{"a": [1, NaN]}', "spec #/a/1: nan is no JSON number"),
    (b'{"a": -Infinity}', "spec #/a: -inf is no JSON number"),
    (b'{"a": {"b/c": 1e999}}', "spec #/a/b~1c: inf is no JSON number"),
    (b'{"a": "\\ud800"}', "spec #/a: is text with half a character (a lone surrogate)"),
    (b'{"\\udfff": 1}', "spec #: has a key with half a character (a lone surrogate)"),
    (b"[1, 2]", "spec: holds a list where an OpenAPI document is a mapping"),
    (b"", "spec: holds nothing where an OpenAPI document is a mapping"),
    (b"hello", "spec: holds a str where an OpenAPI document is a mapping"),
    (b'{"a": 1} trailing', "spec:1:10: is not JSON: Extra data"),
    (b"\xff\xfe{}", "spec: is not UTF-8 text (byte 0)"),
    (b"a: 1\nb:\n  c: 1\n  c: 2\n", "spec:4:3: the key 'c' stands twice in this mapping"),
    (b"1: a\n'1': b\n", "spec:2:1: the key '1' stands twice in this mapping"),
    (b"a: &x {b: 1}\nc: *x\n", "spec:2:4: uses a YAML alias, which is not supported"),
    (b"? [a]\n: 1\n", "spec:1:3: uses a list or a mapping as a key"),
    (b"a: !!float nan\n", "spec:1:4: 'nan' with the tag tag:yaml.org,2002:float is no JSON value"),
    (b"a: !!python/object/apply:os.system [x]\nb: !!python/name:os.system x\n", "spec:2:4: 'x' with the tag"),
    (b"a: !!int ''\n", "spec:1:4: '' with the tag tag:yaml.org,2002:int is no JSON value"),
    (b"a: [1\nb: 2", "spec:2:2: is neither JSON, YAML nor HTML:"),
    (b"a: 1\n---\nb: 2\n", "spec:2:1: is neither JSON, YAML nor HTML:"),
    (b"a: \x00", "spec: is neither JSON, YAML nor HTML:"),
    (b"<html><body>Not found</body></html>", "spec: is a page without an embedded document (no script sets"),
    (page("{'single': 1}"), "(a script's state is not JSON: Expecting property name enclosed in double quotes)"),
    (page('{"spec": {"data": {"swagger": "2.0"}}}'), "spec: is a page without an embedded document"),
    (page(state({**DOCUMENT, "x": math.nan})), "spec #/x: nan is no JSON number"),
    (page(state(DOCUMENT).replace('"openapi": ', '"openapi": "2", "openapi": ')), "the key 'openapi' stands twice"),
])  # fmt: skip
def test_what_is_no_document_is_refused_with_its_place(content: bytes, message: str) -> None:
    assert message in refusal(content, "spec")


@pytest.mark.parametrize("content", [
    b"[" * 300_000,
    b'{"a":' * 300_000,
    b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1),
    b"- " * 300_000,
    b"? " * 300_000,
    b"{a: " * 300_000,
    b"\n".join(b"%sa:" % (b" " * depth) for depth in range(1000)),
    b'{"a": ' + b"1" * 10_000 + b"}",
    b"a: " + b"1" * 10_000,
    b"<script>" * 300_000,
    b"<script " * 300_000,
    b"<!--" * 300_000 + b"<![" * 300_000,
    b"<script>" + b"__redoc_state {" * 300_000,
    b'<script>{"__redoc_state":' + b'{"__redoc_state":' * 300_000,
    b"a: &a [x]\n" + b"\n".join(b"b%d: &b%d [*a, *a]" % (one, one) for one in range(30)),
    b"a: 1\n" * 30_000,
    b'{"a": 1, ' + b", ".join(b'"k%d": 1' % one for one in range(100_000)) + b', "a": 2}',
], ids=lambda content: repr(content[:12]))  # fmt: skip
def test_what_would_take_for_ever_is_refused(content: bytes) -> None:
    assert refusal(content).startswith("document")


def test_depth_up_to_the_limit_is_fine() -> None:
    deep = b'{"a":' * DEEPEST + b"1" + b"}" * DEEPEST
    assert parse(deep) == json.loads(deep)


@given(st.binary(max_size=200))
@example(b"<script>__redoc_state={")
def test_arbitrary_bytes_give_a_mapping_or_a_refusal(content: bytes) -> None:
    assert_mapping_or_refusal(content)


@given(st.lists(st.sampled_from(SCRAPS), max_size=25))
def test_scraps_of_the_formats_give_a_mapping_or_a_refusal(scraps: list[str]) -> None:
    assert_mapping_or_refusal("".join(scraps).encode())
    assert_mapping_or_refusal(("a: " + "".join(scraps)).encode())


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=10,
    )
)
def test_any_json_comes_back_as_it_was(value: Any) -> None:
    try:
        expected = json.loads(json.dumps({"x": value}, allow_nan=False), parse_constant=None)
        json.dumps(expected, ensure_ascii=False).encode()
    except ValueError:  # not finite, or half a character
        refusal(json.dumps({"x": value}).encode())
    else:
        assert parse(json.dumps({"x": value}).encode()) == expected


def assert_mapping_or_refusal(content: bytes) -> None:
    try:
        document = parse(content)
    except CodegenError:
        pass
    else:
        assert type(document) is dict
        # Everything in it is JSON that can be written.
        assert json.loads(json.dumps(document, ensure_ascii=False, allow_nan=False).encode()) == document

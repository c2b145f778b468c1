"""Where a document comes from: a file, or an address."""

from __future__ import annotations

import hashlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from codegen import source
from codegen.problems import CodegenError
from codegen.source import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCUMENT = {"openapi": "3.0.3", "paths": {}}
CONTENT = json.dumps(DOCUMENT).encode()


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/spec/api.json")
            self.end_headers()
            return
        found = {
            "/spec/api.json": CONTENT,
            "/": f"<script>const __redoc_state = {json.dumps({'spec': {'data': DOCUMENT}})};</script>".encode(),
            "/large": b" " * 5000,
        }.get(path)
        self.send_response(200 if found is not None else 404)
        self.end_headers()
        self.wfile.write(found or b"no such page")

    def log_message(self, format: str, *args: object) -> None:  # quiet
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """A web server with a document, a page that embeds one, a redirect, and something too large."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def refusal(location: str) -> str:
    with pytest.raises(CodegenError) as caught:
        read(location)
    return str(caught.value)


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "2026-05.json"
    path.write_bytes(CONTENT)
    found = read(str(path))
    assert (found.name, found.document) == ("2026-05.json", DOCUMENT)
    assert found.sha256 == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize(("path", "name"), [
    ("/spec/api.json", "api.json"), ("/spec/api.json?token=secret#part", "api.json"), ("/moved", "moved"),
])  # fmt: skip
def test_an_address(site: str, path: str, name: str) -> None:
    found = read(site + path)
    assert (found.name, found.document) == (name, DOCUMENT)


def test_a_page_at_an_address(site: str) -> None:
    found = read(f"{site}/")
    assert found.document == DOCUMENT
    assert found.name == site.removeprefix("http://")


def test_an_address_without_a_document(site: str) -> None:
    assert refusal(f"{site}/nothing").startswith(f"{site}/nothing: could not be fetched: Client error '404")


def test_an_address_nobody_answers(unused_port: int) -> None:
    location = f"http://127.0.0.1:{unused_port}/"
    assert refusal(location).startswith(f"{location}: could not be fetched:")


@pytest.mark.parametrize("location", ["http://", "http://[", "http://127.0.0.1:port/", "https://\x00/"])
def test_what_is_no_address(location: str) -> None:
    assert "could not be fetched:" in refusal(location)


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    missing = tmp_path / "missing.json"
    assert refusal(str(missing)) == f"{missing}: could not be read: No such file or directory"
    assert refusal(str(tmp_path)) == f"{tmp_path}: could not be read: Is a directory"
    assert "is no path" in refusal("a\x00b")
    assert "could not be read" in refusal("")


def test_what_is_too_large_is_not_read_to_its_end(site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "LARGEST", 1000)
    path = tmp_path / "large.json"
    path.write_bytes(b" " * 1001)
    assert refusal(str(path)) == f"{path}: is larger than 1000 bytes"
    assert refusal("/dev/zero") == "/dev/zero: is larger than 1000 bytes"
    assert refusal(f"{site}/large") == f"{site}/large: is larger than 1000 bytes"


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        return server.server_port

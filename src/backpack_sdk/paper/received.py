"""A request as it arrived."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

HIDDEN = "***"
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-broker-key", "x-signature"})


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One request.

    `query` is the text after the question mark, still encoded. The names of `headers` are in lower case. `operation`
    is the operation id that method and path name, None when they name none. In the log of a `PaperExchange` the values
    of headers that hold a secret or a signature read `***`.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    operation: str | None

    @property
    def params(self) -> list[tuple[str, str]]:
        """Names and decoded values of the query, in the order of their arrival."""
        return parse_qsl(self.query, keep_blank_values=True)

    def json(self) -> Any:
        """Return the decoded JSON body.

        Raises:
            ValueError: the body is not JSON.
        """
        return json.loads(self.body)

    def without_secrets(self) -> ReceivedRequest:
        """Return the request with its secret headers hidden."""
        headers = {name: HIDDEN if name in _SECRET_HEADERS else value for name, value in self.headers.items()}
        return replace(self, headers=headers)

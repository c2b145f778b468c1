"""From a received request to a reply: route, authenticate, carry out, put refusals into words. Pure but for a clock."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from .auth import authenticate, authenticate_subscription, check_api_key
from .call import Call
from .engine import Exchange, Refused
from .errors import ApiError, ApiErrorCode, MalformedRequest
from .handlers import HANDLERS
from .operations import BY_NAME, PATHS, Operation
from .reading import Query, parse_body, parse_query
from .received import ReceivedRequest
from .replies import Reply, error_reply, text_reply

logger = logging.getLogger(__name__)


class Gateway:
    """The HTTP side of an exchange without the HTTP.

    `clock` gives Unix microseconds. Calls must not overlap: the engine runs one command at a time. `commit` is called
    before a reply is given.
    """

    def __init__(self, engine: Exchange, clock: Callable[[], int], commit: Callable[[], None] = lambda: None) -> None:
        self.engine = engine
        self.clock = clock
        self._commit = commit
        self._listed_us = clock()
        self._keys: set[str] = set()

    @property
    def api_keys(self) -> tuple[str, ...]:
        """Keys that have an account."""
        return tuple(sorted(self._keys))

    def add_key(self, api_key: str) -> None:
        """Let the holder of a key sign for the account of that name, which the engine must have.

        Raises:
            ValueError: the key is not the base64 text of 32 bytes.
        """
        check_api_key(api_key)
        self._keys.add(api_key)

    def add_keys(self, api_keys: Iterable[str]) -> None:
        """Let the holders of several keys sign; see `add_key`."""
        for api_key in api_keys:
            self.add_key(api_key)

    def account_of(self, signature: tuple[str, str, str, str]) -> str:
        """Return the account that signed a subscription: verifying key, signature, timestamp, window.

        Raises:
            ApiError: the key is unknown, the time is over, or the signature is wrong.
        """
        return authenticate_subscription(*signature, keys=self._keys, now_ms=self.clock() // 1_000)

    def answer(self, request: ReceivedRequest) -> Reply:
        """Carry out a request, whatever it holds."""
        if request.operation is None:
            return text_reply("method not allowed", 405) if request.path in PATHS else text_reply("not found", 404)
        try:
            try:
                return self._answer(BY_NAME[request.operation], request)
            finally:
                self._commit()
        except MalformedRequest as malformed:
            return text_reply(malformed.message, malformed.status)
        except (ApiError, Refused) as refused:
            return error_reply(refused.code, refused.message, refused.status)
        except Exception:
            logger.exception("the embedded exchange failed at %s", request.operation)
            return error_reply(ApiErrorCode.SERVER_ERROR, "the embedded exchange failed: its log says why", 500)

    def _answer(self, operation: Operation, request: ReceivedRequest) -> Reply:
        query = parse_query(request.query)
        body = parse_body(request.body, request.headers.get("content-type", "")) if operation.has_body else None
        now_us = self.clock()
        account = ""
        if operation.instruction is not None:
            account = authenticate(operation, query, body, request.headers, keys=self._keys, now_ms=now_us // 1_000)
        self.engine.advance(now_us=now_us)
        handler = HANDLERS[operation.name]
        return handler(Call(self.engine, account, Query(query), body, now_us, self._listed_us))

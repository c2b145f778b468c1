"""What stories are told with: calls that must succeed or be refused, and what must be so between them."""

from __future__ import annotations

from collections.abc import Mapping

from .document import Json
from .known import Known
from .session import Session, without_secrets
from .world import World

_FAILED = 400
_LONGEST = 300


def _asked(name: str, query: Mapping[str, Json] | None, body: Json) -> str:
    return f"{name} with {_short(without_secrets(query or body))}"


def _short(value: Json) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


class WentWrong(Exception):
    """A story can't go on: the text says what was expected and what came."""


class Tale:
    """One story while it is told."""

    def __init__(self, session: Session, world: World) -> None:
        self.world = world
        self.steps: list[str] = []
        self._session = session

    @property
    def known(self) -> Known:
        """What the server is known to have."""
        return self._session.known

    @property
    def has_maker(self) -> bool:
        """Whether there is a second account."""
        return "maker" in self.world.clients

    def try_(
        self, name: str, query: Mapping[str, Json] | None = None, body: Json = None, *, who: str = "own"
    ) -> tuple[int | None, Json]:
        """Call an operation, whatever comes."""
        status, content = self._session.call(name, query, body, who=who)
        self.steps.append(f"{name}{'' if who == 'own' else f' by {who}'}: {status}")
        return status, content

    def must(self, name: str, query: Mapping[str, Json] | None = None, body: Json = None, *, who: str = "own") -> Json:
        """Call an operation that must succeed; its JSON. Raises WentWrong otherwise."""
        status, content = self.try_(name, query, body, who=who)
        if status is None or status >= _FAILED:
            raise WentWrong(f"{_asked(name, query, body)} answered {status}: {_short(content)}")
        return content

    def refused(
        self, name: str, query: Mapping[str, Json] | None = None, body: Json = None, *, status: int | None = None
    ) -> None:
        """Call an operation that must be refused. Raises WentWrong otherwise."""
        came, content = self.try_(name, query, body)
        if came is None or came < _FAILED or (status is not None and came != status):
            wanted = status or "a refusal"
            raise WentWrong(f"{_asked(name, query, body)} answered {came}, not {wanted}: {_short(content)}")

    def expect(self, truth: object, problem: str) -> None:
        """Raise WentWrong unless something is so."""
        if not truth:
            raise WentWrong(problem)

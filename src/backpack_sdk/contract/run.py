"""A whole run: learn what the server has, tell the stories, then send the generated cases."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from random import Random

from .document import Promise, promises
from .findings import Outcome
from .options import NotRun, Options
from .session import Session
from .stories import tell
from .world import World, opened

_FAILED = 400
_LEARNED_FROM = ("get_markets", "get_assets", "get_vaults")


def hold(options: Options, progress: Callable[[str], None] = lambda _line: None) -> Outcome:
    """Hold a server to the document.

    Raises:
        NotRun: it could not take place: nothing answers, an operation is unknown, a key is missing.
    """
    chosen = _chosen(options)
    started = time.monotonic()
    with opened(options) as world:
        session = Session(world.clients, chosen, options.pace)
        _learn(session, world)
        outcome = Outcome(world.address, 0.0, options.read_only, options.seed, [*session.rows.values()])
        if not options.read_only:
            outcome.stories = list(tell(session, world, set(chosen)))
        for promise in chosen.values():
            progress(promise.name)
            _cases(session, promise, options)
    outcome.seconds = time.monotonic() - started
    return outcome


def _chosen(options: Options) -> dict[str, Promise]:
    unknown = sorted(set(options.operations) - promises().keys())
    if unknown:
        raise NotRun(f"there is no operation {', '.join(unknown)}: `backpack_sdk.OPERATIONS` lists them")
    wanted = {name: each for name, each in promises().items() if not options.operations or name in options.operations}
    chosen = {name: each for name, each in wanted.items() if each.is_public or not options.read_only}
    if not chosen:
        raise NotRun("none of these operations is public: leave --read-only out, or name others")
    return chosen


def _learn(session: Session, world: World) -> None:
    status, _ = session.call("ping")
    if status is None:
        raise NotRun(f"{world.address} does not answer: is the address right, and does the server run?")
    if status >= _FAILED:
        raise NotRun(f"{world.address} answers HTTP {status} to a ping: it is down, or refuses to talk to this place")
    for name in _LEARNED_FROM:
        session.call(name)


def _cases(session: Session, promise: Promise, options: Options) -> None:
    seed = options.seed + zlib.crc32(promise.name.encode())
    random = Random(seed)
    arguments = promise.facts.get("parameters") or promise.body
    count = options.cases if arguments else min(1, options.cases)
    for wire in session.generator.sensible(promise, count, seed):
        body = session.known.put_ids(wire.body, random) if isinstance(wire.body, dict) else wire.body
        session.call(promise.name, session.known.put_ids(wire.query, random), body, wire.headers)
    if not options.read_only and arguments:
        for wire in session.generator.wild(promise, count, seed):
            session.call(promise.name, wire.query, wire.body, wire.headers)

"""The story of the demo, chapter by chapter."""

from __future__ import annotations

import asyncio

from ..._core.errors import BackpackError
from . import ending, futures, spot
from .board import Screen, WentWrong
from .setting import Stage, set_stage

CHAPTERS = (
    spot.markets,
    spot.look_around,
    spot.rest_and_cancel,
    spot.fill_in_parts,
    futures.open_a_position,
    futures.watch_the_profit,
    futures.be_stopped_out,
    ending.lose_the_socket,
    ending.be_refused,
    ending.reconcile,
)


async def tell(screen: Screen, *, seed: int, pace: float) -> None:
    """Tell it, with `pace` seconds of rest after each chapter.

    Raises:
        WentWrong: a step did not go as told.
    """
    try:
        async with set_stage(screen, seed) as stage:
            screen.tell(f"an exchange of our own listens at {stage.exchange.base_url}")
            for chapter in CHAPTERS:
                await chapter(stage)
                await asyncio.sleep(pace)
    except BaseExceptionGroup as problems:
        raise _first(problems) from None
    except (BackpackError, TimeoutError) as problem:
        raise WentWrong(f"{type(problem).__name__}: {problem}") from problem
    _close(stage)


def _first(problems: BaseExceptionGroup[BaseException]) -> BaseException:
    first = problems.exceptions[0]
    if isinstance(first, BaseExceptionGroup):
        return _first(first)
    if isinstance(first, (BackpackError, TimeoutError)):
        return WentWrong(f"{type(first).__name__}: {first}")
    return first


def _close(stage: Stage) -> None:
    seen = len(stage.exchange.requests)
    stage.screen.chapter(f"Every step went as told. The exchange saw {seen} requests and checked every signature.")

"""`backpack demo`: a trading session against an embedded exchange. No account, no network, about twenty seconds.

The exchange listens on a loopback socket, keeps price-time order books that synthetic traders move, and verifies every
signature. `story` trades on it through the public SDK and checks each step; `plain` and `live` show it.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .board import Screen

HELP = "watch a trading session on an exchange inside this process"
LIVE_PACE, PLAIN_PACE = 1.5, 0.25
"""Seconds of rest after each chapter: time to look, where somebody does."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what may be given."""
    parser.add_argument("--plain", action="store_true", help="print lines instead of a live view; so does a pipe")
    parser.add_argument("--seed", type=int, default=7, help="another number tells another story (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Show it. Return 0 only if every step went as told."""
    from .board import WentWrong
    from .story import tell

    plain = arguments.plain or not sys.stdout.isatty()
    logging.getLogger("backpack_sdk").addHandler(logging.NullHandler())  # what the SDK warns of is part of the story
    screen = _plain() if plain else _live()
    try:
        with screen:
            asyncio.run(tell(screen, seed=arguments.seed, pace=PLAIN_PACE if plain else LIVE_PACE))
    except WentWrong as problem:
        print(f"backpack: the demo went wrong: {problem}", file=sys.stderr)
        return 1
    return 0


def _plain() -> Screen:
    from .plain import PlainScreen

    return PlainScreen()


def _live() -> Screen:
    try:
        from .live import LiveScreen
    except ImportError:
        print("for the live view: pip install 'backpack-sdk[demo]'\n")
        return _plain()
    return LiveScreen()

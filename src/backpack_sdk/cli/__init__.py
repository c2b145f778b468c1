"""The `backpack` command. Each subcommand is a module of this package, listed in `COMMANDS`.

Such a module has `HELP`, one line; `add_arguments(parser)`; and `run(arguments)`, which returns the exit code. It
imports what it needs inside `run`, so that asking for help or the version costs nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from .._version import __version__

COMMANDS = ("paper", "demo", "record", "keys", "contract")
"""Subcommands, in the order of the help: names of modules here."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line, that of the process when None, and return its exit code."""
    arguments = parser().parse_args(argv)
    from .._core.errors import BackpackError

    try:
        code: int = import_module(f".{arguments.command}", __name__).run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BackpackError, OSError, ValueError) as problem:
        print(f"backpack: {problem}", file=sys.stderr)
        return 1
    return code


def parser() -> argparse.ArgumentParser:
    """Return what reads command lines."""
    top = argparse.ArgumentParser(prog="backpack", description="Tools around Backpack Exchange and its embedded twin.")
    top.add_argument("--version", action="version", version=f"backpack-sdk {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = import_module(f".{name}", __name__)
        module.add_arguments(commands.add_parser(name, help=module.HELP, description=module.HELP))
    return top

"""`backpack keys generate`: a new key pair."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "make a key pair for signing requests"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what may be given."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    summary = "make a new key pair and print its API key"
    generate = actions.add_parser("generate", help=summary, description=summary)
    generate.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="new file for the secret, readable by you alone"
    )


def run(arguments: argparse.Namespace) -> int:
    """Make the pair."""
    from ..auth import Credentials
    from .secret_file import write_secret

    credentials = Credentials.generate()
    write_secret(arguments.out, credentials.export_secret())
    print(credentials.api_key)
    return 0

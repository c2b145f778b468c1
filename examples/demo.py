"""A trading session against an embedded exchange: nothing leaves this machine, and everything else is real.

The same as `backpack demo`. Run it with `nox -s demo`, or with `python examples/demo.py` where the package is
installed; `--plain` prints lines instead of a live view.
"""

from __future__ import annotations

import sys

from backpack_sdk.cli import main

if __name__ == "__main__":
    sys.exit(main(["demo", *sys.argv[1:]]))

"""Run by `nox -s build` with the Python of a clean environment: the package works without the rest of the project."""

from __future__ import annotations

import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import backpack_sdk
from backpack_sdk import OPERATIONS, Backpack, Credentials, operations, types


def main() -> None:
    home = Path(backpack_sdk.__file__).parent
    assert "site-packages" in home.parts, f"imported from {home}"
    assert (home / "py.typed").is_file()
    assert (home / "_generated" / "contract.json").is_file()
    assert version("backpack-sdk") == backpack_sdk.__version__
    assert find_spec("codegen") is None, "the generator must not be installed"
    assert len(OPERATIONS) == 81
    for name in dir(operations):
        getattr(operations, name)
    assert types.Side("Bid") is types.Side.BID
    request = operations.order.execute_order("SOL-USDC", "Bid", "Limit", price="141.2", quantity="0.5")
    sent = {"symbol": "SOL_USDC", "side": "Bid", "orderType": "Limit", "price": "141.2", "quantity": "0.5"}
    assert request.body == sent
    with Backpack(Credentials.generate()) as bp:
        assert bp.markets is not None
    sys.stdout.write(f"backpack-sdk {backpack_sdk.__version__} works from {home}\n")


main()

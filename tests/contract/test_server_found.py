"""What holding the embedded exchange to the document has found, each with the case that showed it."""

from __future__ import annotations

import pytest

from backpack_sdk import Backpack
from backpack_sdk.paper.engine.enums import SortDirection
from backpack_sdk.paper.engine.paging import page

HISTORIES = (
    "borrow_lend.get_borrow_lend_position_history", "position.get_position_history", "order.get_fills",
    "capital.get_deposits", "order.get_order_history",
)  # fmt: skip


@pytest.mark.parametrize("offset", [2**63 - 1, 2**64])
def test_an_offset_beyond_every_row_gives_none(offset: int) -> None:
    """It was more than a slice can count to, and the exchange answered 500."""
    assert page([1, 2, 3], 100, offset, SortDirection.DESC) == ()


def test_the_furthest_offset_is_answered_over_the_wire() -> None:
    with Backpack.paper() as bp:
        for name in HISTORIES:
            space, _, method = name.partition(".")
            assert getattr(getattr(bp, space), method)(offset=2**63 - 1) == []

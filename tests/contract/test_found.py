"""What the contract tests have found, each with the example that showed it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backpack_sdk import InvalidArgument, operations, types
from backpack_sdk._wire import RawResponse

KNOWN = {"type": "sqrt", "base": "0.02", "factor": "0.0001"}
NEWER = {"type": "cubic", "base": "0.02"}
POSITION = {
    "id": "", "symbol": "SOL", "cumulativeInterest": "1", "estLiquidationPrice": "1", "imf": "1", "markPrice": "1",
    "mmf": "1", "netExposureNotional": "1", "netExposureQuantity": "1", "netQuantity": "1",
}  # fmt: skip


@pytest.mark.parametrize("first", [KNOWN, NEWER], ids=["known", "newer"])
@pytest.mark.parametrize("second", [KNOWN, NEWER], ids=["known", "newer"])
def test_a_second_field_of_a_tagged_type_is_read_as_the_first(first: Any, second: Any) -> None:
    """The second one came back as the base, with its decimals as texts."""
    content = json.dumps([{**POSITION, "imfFunction": first, "mmfFunction": second}]).encode()
    request = operations.borrow_lend.get_borrow_lend_positions()
    (row,) = RawResponse(request, 200, {}, content).parse()
    for wire, read in ((first, row.imf_function), (second, row.mmf_function)):
        assert type(read) is (types.SqrtFunction if wire is KNOWN else types.PositionImfFunction)
        assert read.to_wire() == wire


@pytest.mark.parametrize("count", [2**63, -(2**63) - 1])
def test_a_time_beyond_64_bits_is_refused(count: int) -> None:
    """It was sent, and would have come back as a refusal in plain text."""
    with pytest.raises(InvalidArgument, match="end_time"):
        operations.markets.get_klines("SOL_USDC", "1m", 0, end_time=count)
    with pytest.raises(InvalidArgument, match="from_"):
        operations.order.get_fills(from_=count)
    edge = count - 1 if count > 0 else count + 1
    assert operations.order.get_fills(from_=edge).query == {"from": edge}

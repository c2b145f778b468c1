"""Which fills are news, without anything around it."""

from __future__ import annotations

from decimal import Decimal

from backpack_sdk._generated.shared import Side
from backpack_sdk.streams.account_fills import OVERLAP_US, FillLedger
from backpack_sdk.streams.account_records import AccountFill

NOW_US = 1_700_000_000_000_000


def fill(number: int, time_us: int, order_id: str = "1") -> AccountFill:
    one = Decimal(1)
    return AccountFill("SOL_USDC", order_id, number, Side.BID, one, one, one, "USDC", False, time_us)


def test_without_a_fill_before_all_are_news() -> None:
    ledger = FillLedger()
    assert not ledger.has_begun
    ledger.begin([], complete=True)
    assert ledger.has_begun
    assert ledger.since_us is None
    assert ledger.on_history(fill(1, 1))
    assert not ledger.on_history(fill(1, 1))


def test_fills_about_the_newest_are_told_apart_by_name_and_earlier_ones_are_old() -> None:
    ledger = FillLedger()
    ledger.begin([fill(2, NOW_US), fill(1, NOW_US - OVERLAP_US)], complete=True)
    assert ledger.since_us == NOW_US - OVERLAP_US
    assert not ledger.on_history(fill(1, NOW_US - OVERLAP_US))
    assert not ledger.on_history(fill(2, NOW_US))
    assert not ledger.on_history(fill(3, NOW_US - OVERLAP_US - 1))
    assert ledger.on_history(fill(4, NOW_US - OVERLAP_US)), "the history lagged"
    assert ledger.on_history(fill(2, NOW_US, "another order"))


def test_where_only_the_newest_are_known_by_name_the_others_are_old() -> None:
    ledger = FillLedger()
    ledger.begin([fill(3, NOW_US), fill(2, NOW_US - 5)], complete=False)
    assert not ledger.on_history(fill(1, NOW_US - 5))
    assert not ledger.on_history(fill(3, NOW_US))
    assert ledger.on_history(fill(4, NOW_US - 4))


def test_the_stream_tells_news_even_of_a_fill_that_was_there_at_the_beginning() -> None:
    """It is followed after the beginning, unless REST could not say before what was there."""
    ledger = FillLedger()
    ledger.begin([fill(1, NOW_US)], complete=True)
    assert ledger.on_stream(fill(1, NOW_US))
    assert not ledger.on_stream(fill(1, NOW_US))
    assert ledger.is_old(fill(1, NOW_US))


def test_the_history_is_asked_from_well_before_the_last_thing_heard_of() -> None:
    ledger = FillLedger()
    ledger.heard(NOW_US)
    ledger.heard(NOW_US - 1)
    assert ledger.since_us == NOW_US - OVERLAP_US
    ledger.begin([fill(1, NOW_US + 5)], complete=True)
    assert ledger.since_us == NOW_US + 5 - OVERLAP_US
    assert ledger.on_stream(fill(2, NOW_US + 9))
    assert ledger.since_us == NOW_US + 9 - OVERLAP_US

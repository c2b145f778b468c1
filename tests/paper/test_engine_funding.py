"""Mark prices by rule, and funding that longs and shorts pay each other."""

from __future__ import annotations

from fractions import Fraction

import pytest

from backpack_sdk.paper.engine import ErrorCode, FundingPaid, KlineInterval, MarkPriceChanged, Refused

from .engine_desk import dec
from .perp_desk import PERP, START_US, PerpDesk, group

HOUR_S = 3600
FIRST_END_US = START_US // 3_600_000_000 * 3_600_000_000 + 3_600_000_000


def to_next_hour(desk: PerpDesk) -> None:
    """Go to the end of the running interval."""
    due = desk.now_us // 3_600_000_000 * 3_600_000_000 + 3_600_000_000
    desk.advance((due - desk.now_us) / 1_000_000)


def test_longs_pay_shorts_while_the_mark_is_above_the_index() -> None:
    desk = PerpDesk()
    desk.trade("alice", "bob", "100", "10")
    desk.mark("100.8", "100")
    to_next_hour(desk)
    # The premium of 0.8 % is for eight hours: 0.1 % of 10 x 100.8 for one.
    (rate,) = desk.exchange.funding_rates(PERP)
    assert rate.interval_end_us == FIRST_END_US
    assert dec("0.0009") < rate.rate <= dec("0.001")
    paid = {event.account: event.quantity for event in desk.seen(FundingPaid)}
    assert paid == {"alice": -rate.rate * 1008, "bob": rate.rate * 1008}
    assert desk.usdc("alice") == 10000 - rate.rate * 1008
    (payment,) = desk.exchange.all_funding_payments("bob")
    assert (payment.quantity, payment.rate) == (rate.rate * 1008, rate.rate)
    position = desk.position("bob")
    assert position is not None
    assert position.funding == payment.quantity
    assert position.break_even_price > position.entry_price
    desk.check()


def test_shorts_pay_longs_below_the_index_and_the_rate_is_capped() -> None:
    desk = PerpDesk()
    desk.trade("alice", "bob", "100", "1")
    desk.mark("50", "100")
    to_next_hour(desk)
    to_next_hour(desk)
    newest, _ = desk.exchange.funding_rates(PERP)
    assert newest.rate == dec("-0.01")
    assert desk.usdc("alice") > 10000 > desk.usdc("bob")
    desk.check()


def test_the_premium_is_weighted_by_time() -> None:
    desk = PerpDesk()
    desk.trade("alice", "bob", "100", "1")
    desk.mark("100", "100")
    to_next_hour(desk)
    desk.mark("100.8", "100")
    desk.advance(HOUR_S / 2)
    desk.mark("100", "100")
    to_next_hour(desk)
    rate = desk.exchange.funding_rates(PERP)[0].rate
    assert abs(rate - dec("0.0005")) < dec("0.000001")


def test_missed_intervals_are_made_up_for() -> None:
    desk = PerpDesk()
    desk.trade("alice", "bob", "100", "10")
    desk.mark("100.8", "100")
    desk.advance(3 * HOUR_S)
    ends = [rate.interval_end_us for rate in desk.exchange.funding_rates(PERP)]
    assert ends == [FIRST_END_US + hours * 3_600_000_000 for hours in (2, 1, 0)]
    assert len(desk.exchange.all_funding_payments("alice")) == 3
    desk.check()


def test_an_order_after_the_hour_pays_no_funding_of_it() -> None:
    desk = PerpDesk()
    desk.trade("alice", "bob", "100", "10")
    desk.mark("100.8", "100")
    desk.now_us += HOUR_S * 1_000_000
    desk.trade("bob", "alice", "100", "10")
    desk.advance()
    assert len(desk.exchange.all_funding_payments("alice")) == 1
    desk.check()


def test_a_rate_of_zero_is_written_down_and_pays_nothing() -> None:
    desk = PerpDesk()
    desk.trade("alice", "bob", "100", "10")
    desk.mark("100")
    to_next_hour(desk)
    assert [rate.rate for rate in desk.exchange.funding_rates(PERP)] == [0]
    assert desk.exchange.all_funding_payments("alice") == ()


def test_spot_markets_have_no_funding() -> None:
    desk = PerpDesk()
    with pytest.raises(Refused) as caught:
        desk.exchange.funding_rates("SOL_USDC")
    assert caught.value.code is ErrorCode.INVALID_MARKET


def test_the_mark_is_the_median_of_middle_last_and_index() -> None:
    desk = PerpDesk()
    desk.trade("alice", "bob", "100", "1")
    desk.bid("carol", "101", "1")
    desk.ask("carol", "103", "1")
    desk.exchange.set_mark_price(PERP, None, dec("101"), now_us=desk.tick())
    price = desk.exchange.mark_price(PERP)
    assert price is not None
    assert group(price.mark, price.index) == (101, 101)  # of 100, 101 and 102
    desk.exchange.set_mark_price(PERP, None, dec("90"), now_us=desk.tick())
    price = desk.exchange.mark_price(PERP)
    assert price is not None
    assert price.mark == 100


def test_the_index_is_the_spot_market() -> None:
    desk = PerpDesk()
    desk.exchange.deposit("bob", "SOL", dec("5"), now_us=desk.tick())
    desk.trade("alice", "bob", "100", "1")
    desk.bid("alice", "98", "1", symbol="SOL_USDC")
    desk.ask("bob", "100", "1", symbol="SOL_USDC")
    desk.advance()
    (event,) = desk.seen(MarkPriceChanged)
    assert group(event.price.symbol, event.price.index, event.price.mark) == (PERP, 99, dec("99.5"))
    assert event.price.next_funding_us == FIRST_END_US


def test_no_price_no_mark_and_no_funding() -> None:
    desk = PerpDesk()
    desk.advance(5 * HOUR_S)
    assert desk.exchange.mark_price(PERP) is None
    assert desk.exchange.funding_rates(PERP) == ()


@pytest.mark.parametrize("price", ["0", "-1", "1E-19"])
def test_a_mark_price_that_is_none_is_refused(price: str) -> None:
    desk = PerpDesk()
    with pytest.raises(Refused) as caught:
        desk.exchange.set_mark_price(PERP, dec(price), now_us=desk.tick())
    assert caught.value.code is ErrorCode.INVALID_PRICE


def test_candles_of_the_mark_price_carry_over() -> None:
    desk = PerpDesk()
    desk.mark("100", "101")
    desk.now_us += 60_000_000
    desk.mark("104", "103")
    desk.mark("102", "103")
    start = START_US // 60_000_000 * 60_000_000
    candles = desk.exchange.price_klines(
        PERP, KlineInterval.M1, start_us=start - 60_000_000, end_us=start + 120_000_000
    )
    assert [(c.open, c.high, c.low, c.close) for c in candles] == [
        (None, None, None, None),
        (100, 100, 100, 100),
        (100, 104, 100, 102),
        (102, 102, 102, 102),
    ]
    index = desk.exchange.price_klines(PERP, KlineInterval.M1, start_us=start, end_us=start, index=True)
    assert [candle.close for candle in index] == [101]


def test_payments_add_up_to_nothing_over_many_accounts() -> None:
    desk = PerpDesk()
    desk.trade("alice", "bob", "100", "0.7")
    desk.trade("carol", "bob", "100", "1.3")
    desk.mark("101.37", "99.83")
    desk.advance(2 * HOUR_S)
    paid = [payment.quantity for account in desk.accounts for payment in desk.exchange.all_funding_payments(account)]
    assert len(paid) == 6
    assert sum(map(Fraction, paid)) == 0
    desk.check()

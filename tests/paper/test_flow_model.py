"""What the makers and takers of one market decide."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpack_sdk.paper import Flow
from backpack_sdk.paper.engine import MarketSpec, Side
from backpack_sdk.paper.flow.model import Action, MarketModel, Quote, Take, Withdraw

from .engine_desk import SOL_USDC

Level = tuple[Decimal, Decimal]


def model(
    spec: MarketSpec = SOL_USDC, start: str = "100", seed: int = 0, rate: float = 100, **options: float
) -> MarketModel:
    return MarketModel(spec, Decimal(start), Flow(**options), Random(seed), rate)  # type: ignore[arg-type]


def actions(made: MarketModel, count: int) -> list[Action]:
    return [made.next_action(None, None) for _ in range(count)]


def test_the_same_seed_decides_the_same() -> None:
    assert actions(model(seed=1), 50) == actions(model(seed=1), 50) != actions(model(seed=2), 50)


@given(
    tick=st.sampled_from(["0.01", "0.05", "5", "1E-8"]),
    step=st.sampled_from(["0.1", "0.00001", "7", "100"]),
    start=st.decimals("0.0001", "1000000", places=4),
    seed=st.integers(0, 10),
)
def test_orders_fit_the_rules_of_any_market(tick: str, step: str, start: Decimal, seed: int) -> None:
    spec = MarketSpec(
        symbol="X_Y", base="X", quote="Y", tick_size=Decimal(tick), step_size=Decimal(step),
        min_price=Decimal(tick) * 3, min_quantity=Decimal(step) * 2, max_price=Decimal(tick) * 10**9,
        max_quantity=Decimal(step) * 1000,
    )  # fmt: skip
    made = MarketModel(spec, start, Flow(volatility=0.5), Random(seed), 1)
    for action in actions(made, 20):
        assert isinstance(action, Quote)
        assert spec.check_price(action.price) == action.price
        assert spec.check_quantity(action.quantity) == action.quantity


def test_a_book_that_is_ahead_of_the_price_is_traded_with_or_withdrawn() -> None:
    made = model(volatility=0)
    bid, ask = (Decimal("100.50"), Decimal(2)), (Decimal("101"), Decimal(2))
    assert made.next_action(bid, ask) == Take(Side.ASK, Decimal("100.50"), Decimal(2))
    made.rested(5, Side.BID, Decimal("100.50"))
    found = {made.next_action(bid, ask) for _ in range(30)}
    assert found == {Withdraw(5), Take(Side.ASK, Decimal("100.50"), Decimal(2))}
    made.ended(5)
    made.ended(5)
    assert {made.next_action(bid, ask) for _ in range(30)} == {Take(Side.ASK, Decimal("100.50"), Decimal(2))}


def test_a_full_side_gets_no_more_orders() -> None:
    made = model(volatility=0, levels=2, taker_share=0)
    for order_id, side in enumerate([Side.BID, Side.BID, Side.ASK, Side.ASK]):
        made.rested(order_id, side, Decimal(99) if side is Side.BID else Decimal(101))
    assert all(isinstance(action, Withdraw) for action in actions(made, 30))


@pytest.mark.parametrize("volatility", [0.0, 0.001])
def test_the_price_moves_as_far_as_the_volatility_says(volatility: float) -> None:
    """Over one second, and 400 times, the spread of the price is that of the volatility."""
    changes: list[float] = []
    for seed in range(400):
        made = model(seed=seed, rate=50, volatility=volatility)
        first = made._fair
        actions(made, 50)
        changes.append(made._fair - first)
    deviation = (sum(change**2 for change in changes) / len(changes)) ** 0.5
    assert deviation == pytest.approx(volatility, rel=0.2)


@pytest.mark.parametrize(
    "options",
    [
        {"rate": 10_001},
        {"rate": -1},
        {"volatility": -0.1},
        {"volatility": 1.1},
        {"taker_share": 1.1},
        {"levels": 0},
        {"kept_trades": 0},
        {"spread_bps": -1},
        {"order_value": 0},
    ],
)
def test_options_out_of_range(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        Flow(**options)  # type: ignore[arg-type]

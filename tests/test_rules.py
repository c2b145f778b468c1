"""Trading rules: rounding keeps to the grid and the limits, and a check finds everything that is wrong."""

from __future__ import annotations

import pickle
from dataclasses import replace
from decimal import Decimal, Inexact, localcontext
from fractions import Fraction
from functools import partial
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backpack_sdk import orders
from backpack_sdk._core.errors import InvalidArgument
from backpack_sdk._generated.markets.models import Market, OrderBookState, PriceBandMarkPrice
from backpack_sdk._generated.order.models import OrderExecutePayload
from backpack_sdk._generated.shared import Side
from backpack_sdk.pairs import Pair
from backpack_sdk.rules import Direction, MarketRules, OrderRuleError, Violation, ViolationCode

D = Decimal
PERP: dict[str, Any] = {
    "symbol": "SOL_USDC_PERP",
    "baseSymbol": "SOL",
    "quoteSymbol": "USDC",
    "createdAt": "2025-01-21T06:34:54.691858",
    "marketType": "PERP",
    "orderBookState": "Open",
    "visible": True,
    "filters": {
        "price": {
            "minPrice": "0.02",
            "maxPrice": "1000",
            "tickSize": "0.01",
            "maxMultiplier": "1.25",
            "minMultiplier": "0.75",
            "maxImpactMultiplier": "1.03",
            "minImpactMultiplier": "0.97",
            "meanMarkPriceBand": {"maxMultiplier": "1.1", "minMultiplier": "0.9"},
            "meanPremiumBand": {"tolerancePct": "0.05"},
        },
        "quantity": {"minQuantity": "0.05", "maxQuantity": "500", "stepSize": "0.01"},
    },
}
SPOT: dict[str, Any] = {
    **PERP,
    "symbol": "SOL_USDC",
    "marketType": "SPOT",
    "filters": {
        "price": {"minPrice": "0.01", "maxPrice": None, "tickSize": "0.01"},
        "quantity": {"minQuantity": "0.01", "stepSize": "0.01"},
    },
}


def rules_of(row: dict[str, Any]) -> MarketRules:
    return MarketRules.from_market(Market.model_validate(row))


@pytest.fixture
def rules() -> MarketRules:
    return rules_of(PERP)


def codes(violations: tuple[Violation, ...]) -> list[str]:
    return [str(violation.code) for violation in violations]


# --- from a market ---------------------------------------------------------------------------------------------------


def test_rules_hold_what_the_market_says(rules: MarketRules) -> None:
    assert rules.symbol == "SOL_USDC_PERP"
    assert (rules.tick_size, rules.min_price, rules.max_price) == (D("0.01"), D("0.02"), D(1000))
    assert (rules.step_size, rules.min_quantity, rules.max_quantity) == (D("0.01"), D("0.05"), D(500))
    assert (rules.min_multiplier, rules.max_multiplier) == (D("0.75"), D("1.25"))
    assert (rules.min_impact_multiplier, rules.max_impact_multiplier) == (D("0.97"), D("1.03"))
    assert rules.mean_mark_price_band is not None
    assert rules.mean_mark_price_band.min_multiplier == D("0.9")
    assert rules.mean_premium_band is not None
    assert rules.mean_premium_band.tolerance_pct == D("0.05")
    assert rules.min_notional is None
    assert rules.order_book_state is OrderBookState.OPEN


def test_limits_that_a_market_lacks_are_none() -> None:
    rules = rules_of(SPOT)
    assert (rules.max_price, rules.max_quantity, rules.mean_mark_price_band, rules.mean_premium_band) == (None,) * 4
    assert (rules.min_multiplier, rules.max_multiplier) == (None, None)
    assert rules.impact_limit("Bid", 100) is None


@pytest.mark.parametrize(
    ("base", "kind", "multiplier"),
    [
        ("kPEPE", "PERP", 1000),
        ("kBONK", "PERP", 1000),
        ("KMNO", "PERP", 1),
        ("kaito", "PERP", 1),
        ("k", "PERP", 1),
        ("SOL", "PERP", 1),
        ("kHYPE", "SPOT", 1),
    ],
)
def test_only_futures_on_k_bases_bundle_a_thousand_tokens(base: str, kind: str, multiplier: int) -> None:
    rules = rules_of({**PERP, "symbol": f"{base}_USDC_PERP", "baseSymbol": base, "marketType": kind})
    assert rules.contract_multiplier == multiplier
    assert rules.notional("0.01", 5) == D("0.05"), "price and quantity count the same unit"


def test_rules_are_values(rules: MarketRules) -> None:
    assert rules == rules_of(PERP)
    assert hash(rules) == hash(rules_of(PERP))
    assert pickle.loads(pickle.dumps(rules)) == rules
    with pytest.raises(AttributeError):
        rules.tick_size = D(1)  # type: ignore[misc]


@pytest.mark.parametrize("name", ["tick_size", "step_size"])
@pytest.mark.parametrize("size", ["0", "-0.01", "NaN", "Infinity"])
def test_a_step_that_makes_no_grid_is_refused(rules: MarketRules, name: str, size: str) -> None:
    with pytest.raises(InvalidArgument, match="above zero") as caught:
        replace(rules, tick_size=D(size)) if name == "tick_size" else replace(rules, step_size=D(size))
    assert caught.value.argument == name


# --- rounding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "side", "expected"),
    [
        ("141.2378", "Bid", "141.23"),
        ("141.2378", "Ask", "141.24"),
        (141.23, "Bid", "141.23"),
        (0.1 + 0.2, "Ask", "0.31"),  # 0.30000000000000004 is above 0.30
        (0.3, "Ask", "0.30"),
        (D("1E+2"), "Bid", "100.00"),
        (7, "Ask", "7.00"),
    ],
)
def test_a_price_rounds_to_the_side_that_is_never_worse(
    rules: MarketRules, price: Any, side: Any, expected: str
) -> None:
    rounded = rules.round_price(price, side)
    assert str(rounded) == expected


def test_a_direction_wins_over_the_side(rules: MarketRules) -> None:
    assert rules.round_price("1.014", "Bid", direction="up") == D("1.02")
    assert rules.round_price("1.014", "Ask", direction="down") == D("1.01")
    assert rules.round_price("1.014", direction="nearest") == D("1.01")
    assert rules.round_price("1.016", direction="nearest") == D("1.02")
    assert rules.round_price("1.015", direction="nearest") == D("1.01"), "the lower one of two"


def test_a_quantity_rounds_down_unless_told(rules: MarketRules) -> None:
    assert str(rules.round_quantity(0.0579)) == "0.05"
    assert str(rules.round_quantity("0.0579", "up")) == "0.06"
    assert str(rules.round_quantity("0.0579", "nearest")) == "0.06"


@pytest.mark.parametrize(
    ("call", "argument", "hint"),
    [
        (lambda rules: rules.round_quantity("0.049"), "quantity", "0.05"),
        (lambda rules: rules.round_quantity("0.004"), "quantity", "0.05"),
        (lambda rules: rules.round_quantity(0), "quantity", "0.05"),
        (lambda rules: rules.round_quantity("-3", "up"), "quantity", "0.05"),
        (lambda rules: rules.round_quantity("500.011"), "quantity", "500.00"),
        (lambda rules: rules.round_price("0.019", "Bid"), "price", "0.02"),
        (lambda rules: rules.round_price("1000.001", "Ask"), "price", "1000.00"),
        (lambda rules: rules.round_price("1100", direction="nearest"), "price", "1000.00"),
        (lambda rules: rules.round_price("0.01", direction="nearest"), "price", "0.02"),  # a whole tick away
    ],
)
def test_rounding_never_leaves_the_limits(rules: MarketRules, call: Any, argument: str, hint: str) -> None:
    with pytest.raises(InvalidArgument, match=r"does not round (down|up|to the nearest) to a legal") as caught:
        call(rules)
    assert caught.value.argument == argument
    assert caught.value.problem.endswith(f"the nearest legal one is {hint}")


def test_the_limits_themselves_are_legal(rules: MarketRules) -> None:
    assert rules.round_price("1000.001", "Bid") == 1000
    assert rules.round_price("0.011", "Ask") == D("0.02")
    assert rules.round_quantity("500.009") == 500
    assert rules.round_quantity("0.05") == D("0.05")
    only = replace(rules, min_price=D(7), max_price=D(7))
    assert [violation.nearest for violation in only.check(side="Bid", price=8, quantity=1)] == [7]


def test_nearest_takes_the_other_neighbour_when_one_is_out_of_limits(rules: MarketRules) -> None:
    narrow = replace(rules, min_price=D("0.015"), max_price=D("9.996"))
    assert narrow.round_price("0.0149", direction="nearest") == D("0.02")
    assert narrow.round_price("9.996", direction="nearest") == D("9.99")


def test_limits_without_a_legal_price_are_said_to_be_so(rules: MarketRules) -> None:
    with pytest.raises(InvalidArgument, match="no value is legal"):
        replace(rules, min_price=D("0.011"), max_price=D("0.019")).round_price("0.015", "Bid")


@pytest.mark.parametrize(
    "value", ["abc", "", "NaN", float("nan"), float("inf"), True, None, "1E+1000000", D("1E-9999")]
)
def test_what_is_no_number_is_refused_by_name(rules: MarketRules, value: Any) -> None:
    with pytest.raises(InvalidArgument) as caught:
        rules.round_price(value, "Bid")
    assert caught.value.argument == "price"
    with pytest.raises(InvalidArgument) as caught:
        rules.round_quantity(value)
    assert caught.value.argument == "quantity"


def test_a_direction_has_to_follow_from_something(rules: MarketRules) -> None:
    with pytest.raises(InvalidArgument, match="side"):
        rules.round_price("1")
    with pytest.raises(InvalidArgument, match="down, up, nearest"):
        rules.round_price("1", direction="sideways")  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="Bid, Ask"):
        rules.round_price("1", "Buy")  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="neither Bid nor Ask"):
        rules.round_price("1", Side("Both"))


STEPS = st.sampled_from(["0.01", "0.5", "0.25", "0.03", "1", "5", "1E+1", "0.000001", "0.0010", "1E-18"]).map(D)
DIRECTIONS: st.SearchStrategy[Direction] = st.sampled_from(["down", "up", "nearest"])
NUMBERS = st.one_of(
    st.decimals(min_value="0.000001", max_value="100000", allow_nan=False, allow_infinity=False),
    st.decimals(min_value=0, max_value=20, places=3),
    st.integers(0, 10**30).map(D),
    st.decimals(min_value=0, max_value=10, places=25),
)


@st.composite
def grids(draw: st.DrawFn) -> MarketRules:
    limits = sorted(draw(st.lists(st.decimals(min_value=0, max_value=1000, places=3), min_size=2, max_size=2)))
    bounded = draw(st.booleans())
    return MarketRules(
        symbol="SOL_USDC",
        tick_size=(step := draw(STEPS)),
        step_size=step,
        min_price=limits[0],
        min_quantity=limits[0],
        max_price=limits[1] if bounded else None,
        max_quantity=limits[1] if bounded else None,
    )


def legal(value: Fraction, step: Decimal, low: Decimal, high: Decimal | None) -> bool:
    on_grid = (value / Fraction(step)).denominator == 1
    return on_grid and value > 0 and value >= Fraction(low) and (high is None or value <= Fraction(high))


def neighbours(value: Decimal, step: Decimal) -> tuple[Fraction, Fraction]:
    units = Fraction(value) / Fraction(step)
    floor = units.numerator // units.denominator
    return floor * Fraction(step), (floor + (units.denominator != 1)) * Fraction(step)


@given(rules=grids(), value=NUMBERS, direction=DIRECTIONS)
def test_rounding_is_the_legal_neighbour_or_an_error(rules: MarketRules, value: Decimal, direction: Direction) -> None:
    below, above = neighbours(value, rules.tick_size)
    middle = Fraction(value)
    allowed = {"down": [below], "up": [above], "nearest": sorted([below, above], key=lambda each: abs(each - middle))}
    expected = [each for each in allowed[direction] if legal(each, rules.tick_size, rules.min_price, rules.max_price)]
    for rounded in (
        partial(rules.round_price, direction=direction),
        partial(rules.round_quantity, direction=direction),
    ):
        if not expected:
            with pytest.raises(InvalidArgument):
                rounded(value)
            continue
        result = rounded(value)
        assert Fraction(result) == expected[0]
        assert result.as_tuple().exponent == rules.tick_size.as_tuple().exponent


@given(rules=grids(), value=NUMBERS, side=st.sampled_from(["Bid", "Ask"]))
def test_rounding_twice_is_rounding_once(rules: MarketRules, value: Decimal, side: Any) -> None:
    try:
        once = rules.round_price(value, side)
    except InvalidArgument:
        assume(False)
        return
    assert rules.round_price(once, side) == once
    assert (once <= value) if side == "Bid" else (once >= value)
    assert abs(Fraction(once) - Fraction(value)) < Fraction(rules.tick_size)


@given(value=st.floats(min_value=0.02, max_value=1000, allow_nan=False))
def test_a_float_counts_as_its_shortest_text(value: float) -> None:
    rules = replace(rules_of(PERP), max_price=None)
    assert (
        rules.round_price(value, "Bid")
        == rules.round_price(repr(value), "Bid")
        == rules.round_price(D(repr(value)), "Bid")
    )


@given(value=st.decimals(min_value=1, max_value=10**25, places=20), direction=DIRECTIONS)
def test_the_callers_decimal_context_changes_nothing(value: Decimal, direction: Direction) -> None:
    rules = replace(rules_of(PERP), max_price=None, max_quantity=None, min_notional=D(7))
    order: dict[str, Any] = {
        "side": "Bid",
        "price": value,
        "quantity": value,
        "reference_price": value,
        "mark_price": 3,
    }
    calm = (
        rules.round_price(value, direction=direction),
        rules.round_quantity(value, direction),
        rules.notional(value, value),
        rules.check(**order),
    )
    with localcontext() as context:
        context.prec = 2
        context.traps[Inexact] = True
        assert calm == (
            rules.round_price(value, direction=direction),
            rules.round_quantity(value, direction),
            rules.notional(value, value),
            rules.check(**order),
        )


WIDE = st.decimals(min_value=0, max_value=D("9" * 50), places=9) | st.decimals(min_value=0, max_value=1, places=59)


@given(price=WIDE, quantity=WIDE)
def test_a_notional_is_exact(price: Decimal, quantity: Decimal) -> None:
    assert Fraction(rules_of(SPOT).notional(price, quantity)) == Fraction(price) * Fraction(quantity)


def test_the_impact_limit_is_a_multiple_of_the_other_sides_best_price(rules: MarketRules) -> None:
    assert rules.impact_limit("Bid", "100") == D("103")
    assert rules.impact_limit("Ask", 100) == D("97")


# --- checking --------------------------------------------------------------------------------------------------------


def test_a_good_order_breaks_nothing(rules: MarketRules) -> None:
    seen: dict[str, Any] = {"reference_price": "141", "mark_price": 141.5, "best_bid": "141.19", "best_ask": "141.21"}
    assert rules.check(side="Bid", price="141.20", quantity=0.5, post_only=True, **seen) == ()
    rules.require(side="Bid", price="141.20", quantity=0.5, post_only=True, **seen)


def test_every_violation_is_listed_at_once(rules: MarketRules) -> None:
    found = rules.check(
        side="Bid",
        price="200.005",
        quantity="0.001",
        post_only=True,
        stop_loss_trigger_price="1200",
        take_profit_limit_price="300.001",
        reference_price=100,
        mark_price=100,
        best_ask="99.005",
    )
    assert [(violation.argument, str(violation.code), violation.nearest) for violation in found] == [
        ("price", "tick_size", D("99.00")),
        ("price", "price_band", D("99.00")),
        ("price", "mark_price_band", D("99.00")),
        ("price", "would_take", D("99.00")),
        ("stop_loss_trigger_price", "max_price", D("1000.00")),
        ("take_profit_limit_price", "tick_size", D("300.00")),
        ("quantity", "step_size", D("0.05")),
        ("quantity", "min_quantity", D("0.05")),
    ]
    assert str(found[0]) == ("price: 200.005 is not a multiple of the tick size 0.01; the nearest legal price is 99.00")
    assert "1.25 times the last active price 100, which is 125.00" in found[1].message


def test_require_raises_them_all_together(rules: MarketRules) -> None:
    with pytest.raises(OrderRuleError) as caught:
        rules.require(side="Ask", price="0.001", quantity=501)
    error = caught.value
    assert isinstance(error, InvalidArgument)
    assert codes(error.violations) == ["tick_size", "min_price", "max_quantity"]
    assert error.argument == "price"
    assert "quantity: 501 is above the largest quantity 500" in str(error)
    with pytest.raises(OrderRuleError, match="largest quantity"):
        rules.require({"symbol": rules.symbol, "side": "Ask", "orderType": "Market", "quantity": "501"})
    with pytest.raises(OrderRuleError, match="last active"):
        rules.require(orders.limit(rules.symbol, "Bid", 200, 1), reference_price=100)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.violations) == (str(error), error.violations)


@pytest.mark.parametrize(
    ("price", "seen", "expected", "nearest"),
    [
        ("125", {"reference_price": 100}, [], None),
        ("125.01", {"reference_price": 100}, ["price_band"], "125.00"),
        ("75", {"reference_price": 100}, [], None),
        ("74.99", {"reference_price": 100}, ["price_band"], "75.00"),
        ("110.01", {"mark_price": 100}, ["mark_price_band"], "110.00"),
        ("89.99", {"mark_price": 100}, ["mark_price_band"], "90.00"),
        ("37.65", {"reference_price": "50.1875"}, [], None),
        ("37.64", {"reference_price": "50.1875"}, ["price_band"], "37.65"),  # 0.75 times it is 37.640625
        ("100", {"reference_price": 100, "mark_price": 200}, ["mark_price_band"], None),
        ("500", {}, [], None),
    ],
)
def test_bands_are_applied_when_their_centre_is_known(
    rules: MarketRules, price: str, seen: dict[str, Any], expected: list[str], nearest: str | None
) -> None:
    found = rules.check(side="Bid", price=price, quantity=1, **seen)
    assert codes(found) == expected
    assert [violation.nearest for violation in found] == [nearest and D(nearest) for _ in found]


def test_a_band_may_have_one_end_only(rules: MarketRules) -> None:
    floor = replace(rules, max_multiplier=None)
    assert floor.check(side="Bid", price=900, quantity=1, reference_price=100) == ()
    assert codes(floor.check(side="Bid", price=74, quantity=1, reference_price=100)) == ["price_band"]
    for nothing in (None, D(0)):
        ceiling = replace(rules, min_multiplier=nothing)
        assert ceiling.check(side="Bid", price=1, quantity=1, reference_price=100) == ()
        assert codes(ceiling.check(side="Bid", price=-1, quantity=1, reference_price=100)) == ["min_price"]
        assert codes(ceiling.check(side="Bid", price=126, quantity=1, reference_price=100)) == ["price_band"]


def test_bands_that_exclude_each_other_leave_no_legal_price(rules: MarketRules) -> None:
    (violation,) = rules.check(side="Bid", price=100, quantity=1, reference_price=100, mark_price=200)
    assert violation.nearest is None
    assert violation.message.endswith("no price is legal")


@pytest.mark.parametrize(
    ("side", "price", "expected", "nearest"),
    [
        ("Bid", "100.01", [], None),
        ("Bid", "100.02", ["would_take"], "100.01"),
        ("Ask", "100.01", [], None),
        ("Ask", "100.00", ["would_take"], "100.01"),
        ("Ask", "3", ["would_take"], "100.01"),
    ],
)
def test_a_post_only_order_may_not_meet_the_other_side(
    rules: MarketRules, side: Any, price: str, expected: list[str], nearest: str | None
) -> None:
    book: dict[str, Any] = {"best_bid": "100.00", "best_ask": "100.02"}
    found = rules.check(side=side, price=price, quantity=1, post_only=True, **book)
    assert codes(found) == expected
    assert [violation.nearest for violation in found] == [nearest and D(nearest) for _ in found]
    assert rules.check(side=side, price=price, quantity=1, **book) == ()


@pytest.mark.parametrize(
    ("state", "order", "argument"),
    [
        ("Closed", {"price": 100}, "symbol"),
        ("CancelOnly", {"price": 100, "post_only": True}, "symbol"),
        ("CancelOnly", {"trigger_price": 90, "trigger_quantity": 1}, "symbol"),
        ("LimitOnly", {}, "order_type"),
        ("LimitOnly", {"price": 100}, None),
        ("LimitOnly", {"trigger_price": 90, "trigger_quantity": 1}, None),
        ("PostOnly", {}, "post_only"),
        ("PostOnly", {"price": 100}, "post_only"),
        ("PostOnly", {"price": 100, "post_only": False}, "post_only"),
        ("PostOnly", {"price": 100, "post_only": True}, None),
        ("Open", {}, None),
        ("Resting", {"price": 100}, None),  # a state that is not known yet forbids nothing
    ],
)
def test_the_state_of_the_book_is_respected(
    rules: MarketRules, state: str, order: dict[str, Any], argument: str | None
) -> None:
    order = order if "trigger_price" in order else {"quantity": 1, **order}
    found = replace(rules, order_book_state=OrderBookState(state)).check(side="Bid", **order)
    assert [(violation.code, violation.argument) for violation in found] == (
        [] if argument is None else [(ViolationCode.ORDER_BOOK_STATE, argument)]
    )
    assert all(state in violation.message for violation in found)


def test_a_minimum_notional_is_checked_when_there_is_one(rules: MarketRules) -> None:
    poor: dict[str, Any] = {"side": "Bid", "price": 10, "quantity": "0.12"}
    assert rules.check(**poor) == ()
    rich = replace(rules, min_notional=D(5))
    (violation,) = rich.check(**poor)
    assert (violation.code, violation.nearest) == (ViolationCode.MIN_NOTIONAL, D("0.50"))
    assert "is worth 1.20, below the minimum notional 5" in violation.message
    assert rich.check(side="Bid", price="3", quantity="1.67") == ()
    assert rich.check(side="Bid", price="10", quantity="0.5") == ()
    assert codes(rich.check(side="Bid", price=0, quantity="0.5")) == ["min_price"]
    assert "at least the minimum notional 5" in rich.check(side="Bid", quote_quantity=1)[0].message
    assert "above zero" in rules.check(side="Bid", quote_quantity=0)[0].message
    assert codes(rich.check(side="Bid", price="3", quantity="1.66")) == ["min_notional"]
    assert codes(rich.check(side="Bid", quote_quantity="4.99")) == ["min_notional"]
    assert rich.check(side="Bid", quote_quantity=5) == ()
    assert codes(rich.check(side="Bid", quantity="0.12", best_ask=10)) == ["min_notional"]
    assert codes(rich.check(side="Ask", quantity="0.12", best_ask=1, best_bid=10)) == ["min_notional"]
    assert codes(rich.check(side="Ask", quantity="0.12", reference_price=10)) == ["min_notional"]
    assert rich.check(side="Ask", quantity="0.12") == (), "what a market order will be worth is not known"


def test_a_conditional_order_is_checked_by_what_counts_when_it_is_placed(rules: MarketRules) -> None:
    seen: dict[str, Any] = {"reference_price": 100, "mark_price": 100, "best_ask": 100}
    order: dict[str, Any] = {
        "side": "Bid",
        "price": 300,
        "trigger_price": 290,
        "trigger_quantity": "1",
        "post_only": True,
    }
    assert rules.check(**order, **seen) == ()
    found = rules.check(side="Ask", trigger_price="90.005", trigger_quantity=0.001)
    assert [(violation.argument, str(violation.code)) for violation in found] == [
        ("trigger_price", "tick_size"),
        ("trigger_quantity", "step_size"),
        ("trigger_quantity", "min_quantity"),
    ]


@pytest.mark.parametrize(
    ("size", "good"), [("80%", True), ("100%", True), ("0.5%", True), ("0%", False), ("101%", False)]
)
def test_a_percentage_is_a_share_of_the_position(rules: MarketRules, size: str, good: bool) -> None:
    found = rules.check(side="Ask", trigger_price=90, trigger_quantity=size)
    assert codes(found) == ([] if good else ["percentage"])


@pytest.mark.parametrize(
    ("order", "argument"),
    [
        ({"order_type": "Limit", "quantity": 1}, "price"),
        ({"order_type": "Limit", "price": 1}, "quantity"),
        ({"order_type": "Limit", "price": 1, "quote_quantity": 1}, "quantity"),
        ({"order_type": "Market"}, "quantity"),
        ({"trigger_price": 1, "quantity": 1}, "trigger_quantity"),
    ],
)
def test_what_an_order_needs_is_missed(rules: MarketRules, order: dict[str, Any], argument: str) -> None:
    found = rules.check(side="Bid", **order)
    assert [(violation.code, violation.argument) for violation in found] == [(ViolationCode.MISSING, argument)]


@pytest.mark.parametrize("amount", ["0", "-5"])
def test_nothing_is_too_little(rules: MarketRules, amount: str) -> None:
    assert codes(rules.check(side="Bid", quote_quantity=amount)) == ["min_notional"]
    assert codes(rules.check(side="Bid", price=amount, quantity=amount)) == ["min_price", "min_quantity"]
    free = replace(rules, min_price=D(0), min_quantity=D(0))
    found = free.check(side="Bid", price=amount, quantity=amount)
    assert [(str(violation.code), violation.nearest) for violation in found] == [
        ("min_price", D("0.01")),
        ("min_quantity", D("0.01")),
    ]


def test_orders_are_read_from_models_mappings_and_fields(rules: MarketRules) -> None:
    wire = {"symbol": "SOL_USDC_PERP", "side": "Bid", "orderType": "Limit", "price": "1.001", "quantity": "1"}
    named = {"symbol": "SOL/USDC:USDC", "side": "Bid", "order_type": "Limit", "price": 1.001, "quantity": 1}
    expected = rules.check(side="Bid", price="1.001", quantity=1)
    assert codes(expected) == ["tick_size"]
    assert rules.check(OrderExecutePayload.model_validate(wire)) == expected
    assert rules.check(wire) == rules.check(named) == expected
    assert rules.check(symbol=Pair.parse("SOL-USDC-PERP"), side="Bid", price="1.001", quantity=1) == expected


def test_an_order_for_another_market_is_noticed(rules: MarketRules) -> None:
    (violation,) = rules.check(symbol="SOL-USDC", side="Bid", price=1, quantity=1)
    assert violation.code == ViolationCode.WRONG_MARKET
    assert "SOL_USDC, the rules are those of SOL_USDC_PERP" in violation.message


@pytest.mark.parametrize(
    ("order", "argument"),
    [
        ({"side": "Buy"}, "side"),
        ({"side": "Bid", "price": "one"}, "price"),
        ({"side": "Bid", "price": float("nan")}, "price"),
        ({"side": "Bid", "quantity": True}, "quantity"),
        ({"side": "Bid", "trigger_quantity": "half"}, "trigger_quantity"),
        ({"side": "Bid", "quantity": "1E+1000000"}, "quantity"),
        ({"side": "Bid", "symbol": "what"}, "symbol"),
        ({"side": "Bid", "best_ask": 0}, "best_ask"),
        ({"side": "Bid", "reference_price": "x"}, "reference_price"),
        ({}, "order"),
    ],
)
def test_what_is_no_order_is_refused(rules: MarketRules, order: dict[str, Any], argument: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        rules.check(**order)
    assert caught.value.argument == argument


def test_a_model_with_an_absurd_number_is_refused_rather_than_computed(rules: MarketRules) -> None:
    order = OrderExecutePayload.model_validate(
        {"symbol": "SOL_USDC_PERP", "side": "Bid", "order_type": "Limit", "price": "1E+999999", "quantity": "1"}
    )
    with pytest.raises(InvalidArgument, match="more digits") as caught:
        rules.check(order)
    assert caught.value.argument == "price"


def test_misspelt_and_mixed_arguments_are_type_errors(rules: MarketRules) -> None:
    with pytest.raises(TypeError, match="prize"):
        rules.check(side="Bid", prize=1)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="quantity"):
        rules.check({"side": "Bid"}, quantity=1)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="prize"):
        rules.require(side="Bid", prize=1)  # type: ignore[call-overload]


BAND = PriceBandMarkPrice.model_validate({"min_multiplier": "0.9", "max_multiplier": "1.1"})
CENTRES = st.none() | st.decimals(min_value=1, max_value=100, places=3)


@given(
    rules=grids(),
    price=st.decimals(min_value=-1, max_value=200, places=4),
    reference=CENTRES,
    mark=CENTRES,
    best=CENTRES,
    side=st.sampled_from(["Bid", "Ask"]),
)
def test_a_check_agrees_with_the_rules_read_one_by_one(
    rules: MarketRules, price: Decimal, reference: Decimal | None, mark: Decimal | None, best: Decimal | None, side: Any
) -> None:
    rules = replace(rules, min_multiplier=D("0.75"), max_multiplier=D("1.25"), mean_mark_price_band=BAND)
    seen: Any = {"reference_price": reference, "mark_price": mark, "best_ask" if side == "Bid" else "best_bid": best}

    def broken(value: Decimal) -> set[str]:
        exact = Fraction(value)
        low, high = Fraction(rules.min_price), rules.max_price
        rule = {
            "tick_size": (exact / Fraction(rules.tick_size)).denominator != 1,
            "min_price": exact < low or exact <= 0,
            "max_price": high is not None and exact > Fraction(high),
            "price_band": reference is not None
            and not Fraction(3, 4) * Fraction(reference) <= exact <= Fraction(5, 4) * Fraction(reference),
            "mark_price_band": mark is not None
            and not Fraction(9, 10) * Fraction(mark) <= exact <= Fraction(11, 10) * Fraction(mark),
            "would_take": best is not None and (exact >= Fraction(best) if side == "Bid" else exact <= Fraction(best)),
        }
        return {name for name, is_broken in rule.items() if is_broken}

    found = rules.check(side=side, price=price, quote_quantity=1, order_type="Limit", post_only=True, **seen)
    on_price = [violation for violation in found if violation.argument == "price"]
    assert {str(violation.code) for violation in on_price} == broken(price)
    assert len({violation.nearest for violation in on_price}) <= 1
    for violation in on_price:
        if violation.nearest is None:
            continue
        assert broken(violation.nearest) == set(), "the nearest legal price is legal"
        distance = abs(Fraction(violation.nearest) - Fraction(price))
        below, above = neighbours(price, rules.tick_size)
        for closer in (below, above, below - Fraction(rules.tick_size), above + Fraction(rules.tick_size)):
            if abs(closer - Fraction(price)) < distance:
                candidate = D(closer.numerator) / D(closer.denominator)
                assert Fraction(candidate) != closer or broken(candidate), "and nothing legal is nearer"


@given(rules=grids(), price=NUMBERS, quantity=NUMBERS, side=st.sampled_from(["Bid", "Ask"]))
def test_what_was_rounded_passes_the_check(rules: MarketRules, price: Decimal, quantity: Decimal, side: Any) -> None:
    rules = replace(rules, max_price=None, max_quantity=None)
    order: dict[str, Any] = {
        "price": rules.round_price(max(price, rules.min_price, D("0.001")), direction="up"),
        "quantity": rules.round_quantity(max(quantity, rules.min_quantity, D("0.001")), "up"),
    }
    assert rules.check(side=side, **order) == ()

"""Quick dataclasses behave like any other frozen ones."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from decimal import Decimal
from random import Random

import pytest

from backpack_sdk.paper.engine import MarginFunction, events, orders
from backpack_sdk.paper.engine.events import BestPrices
from backpack_sdk.paper.engine.numbers import EXACT, QUOTIENT, SMALLEST, plain
from backpack_sdk.paper.engine.quick import quick


@quick
@dataclass(frozen=True, slots=True)
class Point:
    """Two fields, one with a default, and a check."""

    x: int
    y: int = 0

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError("x is negative")


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Fields by name only."""

    name: str
    size: int | None = None


def test_it_is_made_like_any_other() -> None:
    assert (Point(1), Point(1, 2), Point(x=1, y=2)) == (Point(1, 0), Point(x=1, y=2), Point(1, 2))
    assert Named(name="a") == Named(name="a", size=None)
    assert hash(Point(1, 2)) == hash(Point(1, 2))
    assert repr(Named(name="a")) == "Named(name='a', size=None)"
    assert type(Point(1)) is Point


def test_wrong_arguments_and_failed_checks_are_told() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="takes 1 positional argument"):
        Named("a")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="x is negative"):
        Point(-1)


def test_it_stays_frozen() -> None:
    point = Point(1)
    with pytest.raises(FrozenInstanceError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del point.y
    assert replace(point, y=5) == Point(1, 5)
    assert copy.copy(point) == copy.deepcopy(point) == point


def test_the_engines_own_can_be_copied_and_pickled() -> None:
    best = BestPrices(Decimal(1), Decimal(2))
    assert pickle.loads(pickle.dumps(best)) == best
    assert [found.name for found in fields(orders.Fill)][:2] == ["account", "trade_id"]
    assert events.Trade.__init__.__qualname__ == "Trade.__init__"


def test_what_it_can_not_do_is_refused() -> None:
    @dataclass(frozen=True, slots=True)
    class Fresh:
        many: list[int] = field(default_factory=list)

    with pytest.raises(TypeError, match="no plain field"):
        quick(Fresh)

    @dataclass(frozen=True, slots=True)
    class Child(Point):
        z: int = 0

    with pytest.raises(TypeError, match="inherits"):
        quick(Child)


def test_a_margin_fraction_is_the_root_wherever_that_is_larger() -> None:
    chance, root = Random(1), QUOTIENT.copy()
    root.prec = 56
    for _ in range(2_000):
        base = Decimal(chance.randrange(10**6)).scaleb(-chance.randrange(2, 25))
        factor = Decimal(chance.randrange(1, 10**6)).scaleb(-chance.randrange(4, 12))
        edge = EXACT.create_decimal(root.divide(base, factor)) ** 2
        near = edge * (1 + chance.choice((0, 1, -1)) * Decimal("1e-20"))
        notional = chance.choice((near, Decimal(chance.randrange(1, 10**12)).scaleb(-4)))
        if notional > 0:
            expected = max(base, QUOTIENT.quantize(QUOTIENT.multiply(factor, root.sqrt(notional)), SMALLEST))
            assert MarginFunction(base, factor).fraction(notional) == expected


@pytest.mark.parametrize(
    ("given", "exponent", "text"),
    [
        ("1.50", -1, "1.5"),
        ("1E+3", 0, "1000"),
        ("100", 0, "100"),
        ("-20.00", 0, "-20"),
        ("0E-7", 0, "0"),
        ("7", 0, "7"),
    ],
)
def test_a_plain_number_has_no_needless_zeros_and_no_positive_exponent(given: str, exponent: int, text: str) -> None:
    number = plain(Decimal(given))
    assert (number.as_tuple().exponent, str(number)) == (exponent, text)
